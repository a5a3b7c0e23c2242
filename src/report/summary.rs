//! A run in figures: `summary.json` for programs, a table for people.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::graph::{Effort, Figures};
use super::measurements::{measurements_json, show_measurements};
use super::table::table_within;
use crate::record::{ConnectionEvent, Counts, DropCause, Flow, LossCause, Spread};
use crate::simulation::{Ending, Outcome, Simulation};
use crate::time::Time;
use crate::topology::Graph;
use crate::units::{show_bytes, show_count, show_rate};

/// What a run is called.
#[derive(Clone, Debug)]
pub struct RunName {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
}

/// How long a run took: the only figures that may differ between two equal runs.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Building the network: graph, peers, streams.
    pub setup: Duration,
    /// Running it.
    pub run: Duration,
}

impl Timing {
    fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.run.as_secs_f64().max(1e-9)
    }

    /// As JSON.
    pub fn json(&self, outcome: &Outcome) -> String {
        let delivered = outcome.total().delivered;
        let value = json!({
            "setup_s": self.setup.as_secs_f64(),
            "run_s": self.run.as_secs_f64(),
            "simulated_per_real_time": self.ratio(outcome.reached),
            "events_per_s": self.per_second(outcome.events),
            "messages_delivered_per_s": self.per_second(delivered),
        });
        format!("{value:#}\n")
    }

    fn ratio(&self, reached: Time) -> f64 {
        reached.as_secs() / self.run.as_secs_f64().max(1e-9)
    }
}

/// The text of `summary.json`.
pub(super) fn summary_json(
    simulation: &Simulation,
    outcome: &Outcome,
    spread: Option<&Spread>,
    name: &RunName,
    bootstrap: bool,
) -> String {
    let names = simulation.names();
    let mut by_type: Vec<u64> = vec![0; names.type_names.len()];
    let mut online = 0_u64;
    for peer in simulation.peers() {
        by_type[names.types[peer.peer.as_usize()].as_usize()] += 1;
        online += u64::from(peer.online);
    }
    let by_type: Map<String, Value> = names
        .type_names
        .iter()
        .cloned()
        .zip(by_type.into_iter().map(Value::from))
        .collect();
    let messages: Map<String, Value> = outcome
        .messages
        .iter()
        .map(|message| {
            let value = counts_json(&message.counts, message.in_flight);
            (message.name.clone(), value)
        })
        .collect();
    let in_flight = outcome.messages.iter().map(|m| m.in_flight).sum();
    let graph = final_graph(simulation, bootstrap);
    let mut value = json!({
        "p2psim": env!("CARGO_PKG_VERSION"),
        "scenario": name.scenario,
        "seed": name.seed,
        "horizon_ms": simulation.horizon().as_ms(),
        "reached_ms": outcome.reached.as_ms(),
        "interrupted": outcome.ending != Ending::Horizon,
        "events": outcome.events,
        "digest": format!("{:016x}", outcome.digest),
        "peers": { "total": names.len(), "online": online, "by_type": by_type },
        "connections": graph.links(),
        "connections_by_cause": connections_json(simulation),
        "waits": simulation.load().series().map(|series| {
            let (received, sent) = series.total();
            json!({ "uplink": wait_json(&sent), "downlink": wait_json(&received) })
        }),
        "coverage": spread.map(|spread| coverage_json(spread, simulation, outcome)),
        "measurements": measurements_json(simulation.measurements()),
        "stats": Figures::of(&graph, Effort::Summary).json(),
        "messages": { "total": counts_json(&outcome.total(), in_flight), "by_type": messages },
    });
    if let Some(failure) = &outcome.failure {
        value["failure"] = json!({
            "time_ms": failure.time.as_ms(),
            "peer": names.id(failure.peer).0,
            "problem": failure.problem,
        });
    }
    format!("{value:#}\n")
}

fn connections_json(simulation: &Simulation) -> Map<String, Value> {
    let counts = simulation.connection_counts();
    ConnectionEvent::ALL
        .iter()
        .map(|&event| (event.key().to_owned(), counts.of(event).into()))
        .collect()
}

fn wait_json(flow: &Flow) -> Value {
    json!({ "mean_ms": flow.wait_mean_ms, "max_ms": flow.wait_max.as_ms() })
}

fn coverage_json(spread: &Spread, simulation: &Simulation, outcome: &Outcome) -> Value {
    let ms = |percent| spread.age_at(percent).map(Time::as_ms);
    let bytes: u64 = outcome
        .messages
        .iter()
        .filter(|message| message.gossip)
        .map(|message| message.counts.bytes_sent)
        .sum();
    json!({
        "messages": spread.messages,
        "mean": spread.mean(),
        "t50_ms": ms(50),
        "t90_ms": ms(90),
        "t95_ms": ms(95),
        "t99_ms": ms(99),
        "t100_ms": ms(100),
        "never_reached": spread.mean().map(|mean| 1.0 - mean),
        "altered": ratio(spread.altered(), spread.receipts()),
        "rejected_copies": simulation.deliveries().rejected(),
        "hops": (spread.receipts() > 0)
            .then(|| json!({ "mean": spread.hops.mean(), "max": spread.hops.max() })),
        "copies_per_peer": ratio(spread.copies, spread.receipts()),
        "bytes_per_delivered_message": ratio(bytes, spread.received_by_any),
    })
}

/// `None` where it is of nothing.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// `coverage 99.2 % of 10 messages: half of the peers after 23 ms, 99 % after 61 ms; 6.1 copies
/// a peer`. The second age is that of the largest share that was reached.
fn coverage_line(spread: &Spread) -> String {
    let Some(mean) = spread.mean() else {
        return String::new();
    };
    let count = match spread.messages {
        1 => "1 message".to_owned(),
        count => format!("{} messages", show_count(count)),
    };
    // Never rounded up to all.
    let share = if mean < 1.0 { mean.min(0.9999) } else { 1.0 };
    let mut text = format!("coverage {} % of {count}", digits(100.0 * share, 4));
    let ages = [
        (50, "half of the peers"),
        (90, "90 %"),
        (99, "99 %"),
        (100, "all"),
    ];
    let reached: Vec<String> = ages
        .iter()
        .filter_map(|&(percent, words)| {
            let ms = spread.age_at(percent)?.as_ms();
            Some(format!("{words} after {} ms", digits(ms, 3)))
        })
        .collect();
    match reached.as_slice() {
        [] => {}
        [only] => text.push_str(&format!(": {only}")),
        [half, .., most] => text.push_str(&format!(": {half}, {most}")),
    }
    if let Some(copies) = ratio(spread.copies, spread.receipts()) {
        text.push_str(&format!("; {copies:.1} copies a peer"));
    }
    if let Some(altered) = ratio(spread.altered(), spread.receipts()).filter(|&share| share > 0.0) {
        text.push_str(&format!(", {} % altered", digits(100.0 * altered, 3)));
    }
    text.push('\n');
    text
}

/// A number from 0 with at most this many digits after its first: 0.01, 12.3, 1234.
pub(super) fn digits(value: f64, count: i32) -> String {
    let whole = if value >= 1.0 {
        libm::log10(value) as i32 + 1
    } else {
        1
    };
    let text = format!("{value:.*}", (count - whole).max(0) as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// The peers and links that `p2psim topology` exports of a finished run, numbered anew: bootstrap
/// peers only where they have a link.
fn final_graph(simulation: &Simulation, bootstrap: bool) -> Graph {
    let (names, world) = (simulation.names(), simulation.world());
    let mut shown: Vec<bool> = names
        .types
        .iter()
        .map(|index| !world.is_bootstrap[index.as_usize()])
        .collect();
    let mut links: Vec<(u32, u32)> = Vec::new();
    for link in simulation.links(bootstrap) {
        shown[link.source.as_usize()] = true;
        shown[link.target.as_usize()] = true;
        links.push((link.source.0, link.target.0));
    }
    let mut numbers = vec![0; shown.len()];
    let mut peers = 0;
    for (number, _) in numbers.iter_mut().zip(&shown).filter(|&(_, &shown)| shown) {
        *number = peers;
        peers += 1;
    }
    for (a, b) in &mut links {
        (*a, *b) = (numbers[*a as usize], numbers[*b as usize]);
    }
    Graph::numbered(peers, &links).0
}

fn counts_json(counts: &Counts, in_flight: u64) -> Value {
    let causes: Map<String, Value> = DropCause::ALL
        .iter()
        .zip(counts.dropped_by_cause)
        .map(|(cause, count)| (cause.key().to_owned(), Value::from(count)))
        .collect();
    let losses: Map<String, Value> = LossCause::ALL
        .iter()
        .zip(counts.lost_by_cause)
        .map(|(cause, count)| (cause.key().to_owned(), Value::from(count)))
        .collect();
    json!({
        "sent": counts.sent,
        "duplicated": counts.duplicated,
        "delivered": counts.delivered,
        "dropped": counts.dropped(),
        "dropped_by_cause": causes,
        "lost": counts.lost(),
        "lost_by_cause": losses,
        "in_flight": in_flight,
        "bytes_sent": counts.bytes_sent,
        "bytes_duplicated": counts.bytes_duplicated,
        "bytes_delivered": counts.bytes_delivered,
    })
}

/// The summary that `p2psim run` prints, its table at most `width` characters wide.
pub fn show_summary(
    simulation: &Simulation,
    outcome: &Outcome,
    name: &RunName,
    timing: &Timing,
    bootstrap: bool,
    width: usize,
) -> String {
    let names = simulation.names();
    let online = simulation.peers().filter(|peer| peer.online).count() as u64;
    let total = outcome.total();
    let mut text = format!(
        "{}, seed {}: {} peers ({} online), {} connections after {:.3} s simulated\n\n",
        name.scenario,
        name.seed,
        show_count(names.len() as u64),
        show_count(online),
        show_count(simulation.links(bootstrap).count() as u64),
        outcome.reached.as_secs(),
    );
    let row = |name: &str, counts: &Counts, in_flight: u64| {
        vec![
            name.to_owned(),
            show_count(counts.sent),
            show_count(counts.delivered),
            show_count(counts.dropped()),
            show_count(counts.lost()),
            show_count(in_flight),
            show_bytes(counts.bytes_sent),
        ]
    };
    let mut rows: Vec<Vec<String>> = outcome
        .messages
        .iter()
        .filter(|message| message.counts.sent > 0)
        .map(|message| row(&message.name, &message.counts, message.in_flight))
        .collect();
    rows.push(row(
        "total",
        &total,
        outcome.messages.iter().map(|m| m.in_flight).sum(),
    ));
    let header = [
        "message",
        "sent",
        "delivered",
        "dropped",
        "lost",
        "in flight",
        "bytes sent",
    ];
    text.push_str(&table_within(&header, 1, &rows, width));
    if let Some(spread) = simulation.deliveries().spread() {
        text.push_str(&format!("\n{}", coverage_line(&spread)));
    }
    text.push_str(&show_measurements(simulation.measurements(), width));
    text.push_str(&format!(
        "\nwall time {:.3} s (setup {:.3} s), {} times real time, {} events/s, digest {:016x}\n",
        timing.run.as_secs_f64(),
        timing.setup.as_secs_f64(),
        show_rate(timing.ratio(outcome.reached)),
        show_rate(timing.per_second(outcome.events)),
        outcome.digest,
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_they_need() {
        for (value, count, text) in [
            (0.0, 3, "0"),
            (0.0123, 3, "0.01"),
            (9.9222, 3, "9.92"),
            (61.0, 3, "61"),
            (99.99, 4, "99.99"),
            (100.0, 4, "100"),
            (12_345.6, 3, "12346"),
        ] {
            assert_eq!(digits(value, count), text);
        }
    }
}
