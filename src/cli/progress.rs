//! How far a run is, on stderr: a bar on a terminal, lines elsewhere, JSON for programs.

use std::fmt;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::json;

use super::{complain, machine};
use crate::simulation::{Ending, NetworkState, Outcome, Progress, Simulation};
use crate::time::Time;
use crate::units::{show_count, show_rate};

/// How often the bar is drawn anew.
const REDRAW: Duration = Duration::from_millis(100);
/// How often there is a line where stderr is no terminal.
const LINE: Duration = Duration::from_secs(10);
/// How often there is a JSON object.
const OBJECT: Duration = Duration::from_secs(1);
/// Speeds are averages over about so many seconds.
const SMOOTHED_S: f64 = 5.0;
/// From here on a count is shown as `1.23 M`.
const COUNTED_MAX: u64 = 1_000_000;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Display {
    /// Not at all.
    Nothing,
    /// A bar that is drawn again and again.
    Bar,
    /// A line now and then.
    Lines,
    /// A JSON object a line.
    Json,
}

impl Display {
    /// What `--quiet`, `--json-progress` and where stderr goes ask for.
    pub(super) fn of(quiet: bool, json: bool) -> Self {
        let draws = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        match (json, quiet) {
            (true, _) => Display::Json,
            (false, true) => Display::Nothing,
            (false, false) if std::io::stderr().is_terminal() && draws => Display::Bar,
            (false, false) => Display::Lines,
        }
    }

    /// How long it stays as it is.
    fn interval(self) -> Duration {
        match self {
            Display::Nothing => Duration::MAX,
            Display::Bar => REDRAW,
            Display::Lines => LINE,
            Display::Json => OBJECT,
        }
    }
}

/// Shows how far a run is. Asked as often as one likes, it looks at the network a few times a
/// second at most.
pub(super) struct RunProgress {
    display: Display,
    bar: Option<ProgressBar>,
    texts: BarTexts,
    horizon: Time,
    began: Instant,
    shown: Instant,
    speed: Speed,
}

/// What stands beside the bar and under it. Both change together, where a bar's own texts are
/// drawn one after the other.
#[derive(Clone, Default)]
struct BarTexts(Arc<Mutex<[String; 2]>>);

impl BarTexts {
    fn lock(&self) -> MutexGuard<'_, [String; 2]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, texts: [String; 2]) {
        *self.lock() = texts;
    }

    /// Writes one of them where the bar's template wants it.
    fn part(self, place: usize) -> impl Fn(&ProgressState, &mut dyn fmt::Write) + Clone {
        move |_, out| {
            let _ = out.write_str(&self.lock()[place]);
        }
    }
}

/// Smoothed speeds, by wall-clock time.
#[derive(Clone, Copy, Default)]
struct Speed {
    events: u64,
    now: Time,
    events_per_s: f64,
    /// Simulated seconds.
    simulated_per_s: f64,
}

impl Speed {
    /// Takes in what happened in the last `elapsed`.
    fn update(&mut self, elapsed: Duration, events: u64, now: Time) {
        let elapsed = elapsed.as_secs_f64().max(1e-9);
        // All of the first time, then as much of the average as has passed of it.
        let share = if self.events == 0 {
            1.0
        } else {
            1.0 - (-elapsed / SMOOTHED_S).exp()
        };
        let mix = |old: f64, new: f64| old + share * (new / elapsed - old);
        self.events_per_s = mix(self.events_per_s, (events - self.events) as f64);
        self.simulated_per_s = mix(self.simulated_per_s, now.since(self.now).as_secs());
        (self.events, self.now) = (events, now);
    }

    /// Seconds of wall-clock time until the simulation reaches `horizon`.
    fn left_s(&self, horizon: Time) -> Option<f64> {
        let left = horizon.since(self.now).as_secs() / self.simulated_per_s;
        left.is_finite().then_some(left)
    }
}

/// What there is to show.
struct Figures {
    horizon: Time,
    elapsed_s: f64,
    left_s: Option<f64>,
    speed: Speed,
    network: NetworkState,
}

impl RunProgress {
    /// Of a run that begins now and ends at `horizon`.
    pub(super) fn new(display: Display, horizon: Time) -> Self {
        let texts = BarTexts::default();
        let bar = (display == Display::Bar).then(|| {
            let target = ProgressDrawTarget::stderr();
            let bar = ProgressBar::with_draw_target(Some(horizon.as_ns()), target);
            if let Ok(style) = ProgressStyle::with_template("{wide_bar} {time}\n{line}") {
                bar.set_style(
                    style
                        .with_key("time", texts.clone().part(0))
                        .with_key("line", texts.clone().part(1)),
                );
            }
            bar
        });
        let now = Instant::now();
        RunProgress {
            display,
            bar,
            texts,
            horizon,
            began: now,
            shown: now,
            speed: Speed::default(),
        }
    }

    /// Shows how far the run is, if it is time to.
    pub(super) fn show(&mut self, progress: Progress<'_>) {
        let now = Instant::now();
        if now - self.shown < self.display.interval() {
            return;
        }
        let figures = self.figures(now, progress.now, progress.events, progress.state());
        match &self.bar {
            Some(bar) => {
                let columns = machine::error_columns();
                self.texts
                    .set([figures.time(columns), figures.line(columns)]);
                bar.set_position(progress.now.as_ns());
            }
            None if self.display == Display::Json => complain(&figures.json("running")),
            None => complain(&format!(
                "{}, {}\n",
                figures.time(usize::MAX),
                figures.line(usize::MAX)
            )),
        }
    }

    /// Takes the bar off the terminal, and says in JSON how the run has ended.
    pub(super) fn finish(&mut self, simulation: &Simulation, outcome: Option<&Outcome>) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let (Display::Json, Some(outcome)) = (self.display, outcome) else {
            return;
        };
        let (reached, events) = (outcome.reached, outcome.events);
        let mut figures = self.figures(Instant::now(), reached, events, simulation.state());
        // Of the whole run.
        figures.speed.events_per_s = events as f64 / figures.elapsed_s.max(1e-9);
        complain(&match outcome.ending {
            Ending::Horizon => {
                figures.left_s = Some(0.0);
                figures.json("finished")
            }
            Ending::Interrupted => {
                figures.left_s = None;
                figures.json("interrupted")
            }
            Ending::Failed => {
                figures.left_s = None;
                figures.json("failed")
            }
        });
    }

    fn figures(
        &mut self,
        now: Instant,
        reached: Time,
        events: u64,
        network: NetworkState,
    ) -> Figures {
        self.speed.update(now - self.shown, events, reached);
        self.shown = now;
        Figures {
            horizon: self.horizon,
            elapsed_s: (now - self.began).as_secs_f64(),
            left_s: self.speed.left_s(self.horizon),
            speed: self.speed,
            network,
        }
    }
}

impl Figures {
    /// Simulated time and time left, beside a bar in so many columns.
    fn time(&self, columns: usize) -> String {
        let horizon = self.horizon.as_secs();
        let decimals = match horizon {
            h if h < 10.0 => 3,
            h if h < 1000.0 => 1,
            _ => 0,
        };
        let simulated = self.speed.now.as_secs();
        let mut text = if columns >= 60 {
            format!("{simulated:.decimals$} of {horizon:.decimals$} s simulated")
        } else {
            format!("{simulated:.decimals$}/{horizon:.decimals$} s")
        };
        if let Some(left) = self.left_s {
            text.push_str(&format!(", {} left", show_wait(left)));
        }
        text
    }

    /// What else there is, as much of it as goes into so many columns.
    fn line(&self, columns: usize) -> String {
        let count = |count: u64| match count {
            0..COUNTED_MAX => show_count(count),
            _ => show_rate(count as f64),
        };
        let mut parts = vec![
            format!("{} events/s", show_rate(self.speed.events_per_s.round())),
            format!("{} in flight", count(self.network.in_flight)),
            format!("{} online", count(self.network.online)),
        ];
        if let Some(coverage) = self.network.coverage {
            parts.push(format!("last message at {:.1} %", 100.0 * coverage));
        }
        let mut line = String::new();
        for part in parts {
            let separator = if line.is_empty() { "" } else { ", " };
            // The last column stays free: some terminals break the line after it.
            if line.len() + separator.len() + part.len() >= columns {
                break;
            }
            line.push_str(separator);
            line.push_str(&part);
        }
        line
    }

    fn json(&self, state: &str) -> String {
        let value = json!({
            "state": state,
            "elapsed_s": self.elapsed_s,
            "left_s": self.left_s,
            "simulated_ms": self.speed.now.as_ms(),
            "horizon_ms": self.horizon.as_ms(),
            "events": self.speed.events,
            "events_per_s": self.speed.events_per_s,
            "in_flight": self.network.in_flight,
            "online": self.network.online,
            "coverage": self.network.coverage,
        });
        format!("{value}\n")
    }
}

/// A time to wait as people say it: `42 s`, `3 min 20 s`, `2 h 5 min`.
fn show_wait(seconds: f64) -> String {
    // Whatever is longer than a century is as good as for ever.
    let seconds = seconds.ceil().min(3.2e9) as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, min, s) => format!("{min} min {s} s"),
        (h @ 0..48, min, _) => format!("{h} h {min} min"),
        (h, ..) => format!("{} days", show_count(h / 24)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(coverage: Option<f64>) -> Figures {
        let mut speed = Speed::default();
        speed.update(
            Duration::from_secs(2),
            2_000_000,
            Time::from_ns(4_000_000_000),
        );
        speed.update(
            Duration::from_secs(1),
            3_000_000,
            Time::from_ns(6_000_000_000),
        );
        let horizon = Time::from_ns(60_000_000_000);
        Figures {
            horizon,
            elapsed_s: 3.0,
            left_s: speed.left_s(horizon),
            speed,
            network: NetworkState {
                in_flight: 999_999,
                online: 999_999,
                coverage,
            },
        }
    }

    #[test]
    fn a_steady_run_takes_as_long_as_it_took() {
        let figures = figures(None);
        assert!((figures.speed.events_per_s - 1e6).abs() < 1e-6);
        assert!((figures.left_s.unwrap_or(0.0) - 27.0).abs() < 1e-9);
        assert_eq!(figures.time(80), "6.0 of 60.0 s simulated, 27 s left");
        assert_eq!(figures.time(40), "6.0/60.0 s, 27 s left");
        assert_eq!(Speed::default().left_s(figures.horizon), None);
    }

    #[test]
    fn the_figures_fit_eighty_columns_and_less() {
        let full = "1.00 M events/s, 999,999 in flight, 999,999 online, last message at 100.0 %";
        let figures = figures(Some(1.0));
        assert_eq!(figures.line(80), full);
        assert_eq!(figures.line(usize::MAX), full);
        for columns in 1..100 {
            assert!(figures.line(columns).len() < columns);
        }
        assert_eq!(figures.line(40), "1.00 M events/s, 999,999 in flight");
    }

    #[test]
    fn waits_are_said_in_two_units() {
        let shown = [0.2, 59.0, 200.0, 7500.0, 180_000.0, 1e300].map(show_wait);
        let words = [
            "1 s",
            "59 s",
            "3 min 20 s",
            "2 h 5 min",
            "2 days",
            "37,037 days",
        ];
        assert_eq!(shown, words);
    }
}
