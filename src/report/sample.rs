//! Draws from a scenario for `p2psim sample`: latencies between locations, and peers of each type.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::table::table;
use crate::network::LatencyMeaning;
use crate::peer::LocationIndex;
use crate::random::{Purpose, Stream};
use crate::simulation::{Attributes, Plan};
use crate::units::show_bandwidth;

/// How draws are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SampleFormat {
    /// For people.
    #[default]
    Table,
    /// One value a row: `draw, kind, name, attribute, value`.
    Csv,
    /// A list of draws.
    Json,
}

/// One draw from everything a scenario leaves to chance about locations and peer types.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The latency in ms between every two locations, row by row; given laws are drawn, and
    /// what is given in one direction only is copied to the other.
    pub latencies: Vec<Option<f64>>,
    /// A peer of each type.
    pub peers: Vec<Attributes>,
}

impl Sample {
    /// Draw number `draw` (from 1 on) of a plan.
    ///
    /// # Errors
    /// The peer type and the key of a bandwidth that is hardly ever positive.
    pub fn draw(plan: &Plan, draw: u64) -> Result<Self, (String, &'static str)> {
        let count = plan.locations.len();
        let pairs = || (0..count).flat_map(|row| (0..count).map(move |column| (row, column)));
        let mut latencies = vec![None; count * count];
        let mut stream = Stream::new(plan.seed, draw, Purpose::Sample);
        for (row, column) in pairs() {
            let law = plan
                .latencies
                .get(LocationIndex(row as u16), LocationIndex(column as u16));
            latencies[row * count + column] = law.map(|law| law.sample(&mut stream));
        }
        for (row, column) in pairs() {
            if latencies[row * count + column].is_none() {
                latencies[row * count + column] = latencies[column * count + row];
            }
        }
        let peers = plan
            .types
            .iter()
            .enumerate()
            .map(|(place, peer_type)| {
                Attributes::draw(peer_type, |purpose| {
                    // Streams of a peer of its own, so that one type's draws leave the others'.
                    let peer = crate::random::mix(draw) ^ place as u64;
                    Stream::new(crate::random::mix(plan.seed), peer, purpose)
                })
                .map_err(|key| (peer_type.name.clone(), key))
            })
            .collect::<Result<_, _>>()?;
        Ok(Sample { latencies, peers })
    }

    /// Writes `count` draws.
    ///
    /// # Errors
    /// When `out` refuses, or a bandwidth is hardly ever positive.
    pub fn write(
        plan: &Plan,
        count: u64,
        format: SampleFormat,
        out: &mut impl Write,
    ) -> io::Result<()> {
        if format == SampleFormat::Csv {
            writeln!(out, "draw,kind,name,attribute,value")?;
        }
        if format == SampleFormat::Json {
            writeln!(out, "[")?;
        }
        for draw in 1..=count {
            let sample = Sample::draw(plan, draw).map_err(|(name, key)| {
                io::Error::other(format!(
                    "{key} of peer type `{name}` drew no positive value in 100 tries; use a law \
                     with more of its mass above 0"
                ))
            })?;
            match format {
                SampleFormat::Table => {
                    if count > 1 {
                        let gap = if draw > 1 { "\n" } else { "" };
                        writeln!(out, "{gap}draw {draw}\n")?;
                    }
                    write!(out, "{}", sample.table(plan))?;
                }
                SampleFormat::Csv => sample.write_csv(plan, draw, out)?,
                SampleFormat::Json => {
                    let comma = if draw < count { "," } else { "" };
                    writeln!(out, "{}{comma}", sample.json(plan))?;
                }
            }
        }
        if format == SampleFormat::Json {
            writeln!(out, "]")?;
        }
        Ok(())
    }

    fn attribute(plan: &Plan) -> &'static str {
        match plan.latencies.meaning() {
            LatencyMeaning::RoundTrip => "round_trip_ms",
            LatencyMeaning::OneWay => "one_way_ms",
        }
    }

    fn table(&self, plan: &Plan) -> String {
        let count = plan.locations.len();
        let meaning = match plan.latencies.meaning() {
            LatencyMeaning::RoundTrip => "round trip in ms",
            LatencyMeaning::OneWay => "one-way delay in ms",
        };
        let mut header = vec![meaning];
        header.extend(plan.locations.iter().map(String::as_str));
        let rows: Vec<Vec<String>> = (0..count)
            .map(|row| {
                let mut cells = vec![plan.locations[row].clone()];
                cells.extend((0..count).map(|column| {
                    self.latencies[row * count + column]
                        .map_or_else(|| "-".into(), |ms| format!("{ms:.3}"))
                }));
                cells
            })
            .collect();
        let mut text = table(&header, 1, &rows);
        text.push('\n');
        let rows: Vec<Vec<String>> = plan
            .types
            .iter()
            .zip(&self.peers)
            .map(|(peer_type, peer)| {
                vec![
                    peer_type.name.clone(),
                    plan.locations[peer.location.as_usize()].clone(),
                    show_bandwidth(peer.bandwidth_ul),
                    show_bandwidth(peer.bandwidth_dl),
                ]
            })
            .collect();
        text.push_str(&table(
            &["peer type", "location", "upload", "download"],
            2,
            &rows,
        ));
        text
    }

    fn write_csv(&self, plan: &Plan, draw: u64, out: &mut impl Write) -> io::Result<()> {
        let mut out = csv::WriterBuilder::new().from_writer(out);
        let count = plan.locations.len();
        let mut rows = || -> csv::Result<()> {
            for (place, value) in self.latencies.iter().enumerate() {
                if let Some(value) = value {
                    let (from, to) = (
                        &plan.locations[place / count],
                        &plan.locations[place % count],
                    );
                    let pair = format!("{from}-{to}");
                    out.serialize((draw, "latency", pair, Self::attribute(plan), value))?;
                }
            }
            for (peer_type, peer) in plan.types.iter().zip(&self.peers) {
                let name = &peer_type.name;
                let location = &plan.locations[peer.location.as_usize()];
                out.serialize((draw, "peer", name, "location", location))?;
                let upload = peer.bandwidth_ul;
                out.serialize((draw, "peer", name, "bandwidth_ul_bit_per_s", upload))?;
                let download = peer.bandwidth_dl;
                out.serialize((draw, "peer", name, "bandwidth_dl_bit_per_s", download))?;
            }
            out.flush().map_err(csv::Error::from)
        };
        rows().map_err(super::graph_export::into_io)
    }

    fn json(&self, plan: &Plan) -> Value {
        let count = plan.locations.len();
        let rows: Map<String, Value> = (0..count)
            .map(|row| {
                let cells: Map<String, Value> = (0..count)
                    .map(|column| {
                        let value = self.latencies[row * count + column];
                        (plan.locations[column].clone(), json!(value))
                    })
                    .collect();
                (plan.locations[row].clone(), Value::Object(cells))
            })
            .collect();
        let peers: Map<String, Value> = plan
            .types
            .iter()
            .zip(&self.peers)
            .map(|(peer_type, peer)| {
                let value = json!({
                    "location": plan.locations[peer.location.as_usize()],
                    "bandwidth_ul_bit_per_s": peer.bandwidth_ul,
                    "bandwidth_dl_bit_per_s": peer.bandwidth_dl,
                });
                (peer_type.name.clone(), value)
            })
            .collect();
        json!({ Self::attribute(plan): rows, "peers": peers })
    }
}
