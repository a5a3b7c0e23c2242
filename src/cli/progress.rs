//! The progress bar of a run, on a terminal only.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::simulation::Progress;
use crate::units::show_rate;

/// How often the bar is drawn anew.
const REDRAW: Duration = Duration::from_millis(100);

/// Simulated time, events per second and time left, on stderr.
pub(super) struct RunBar {
    bar: Option<ProgressBar>,
    began: Instant,
    drawn: Instant,
}

impl RunBar {
    /// A bar for a run to `horizon_ms`; invisible if `quiet` or not on a terminal.
    pub(super) fn new(horizon_ms: f64, quiet: bool) -> Self {
        let visible = !quiet && std::io::stderr().is_terminal();
        let bar = visible.then(|| {
            let bar = ProgressBar::with_draw_target(
                Some(horizon_ms as u64),
                ProgressDrawTarget::stderr(),
            );
            let template =
                "{bar:30} {simulated} of {horizon} s simulated, {msg} events/s, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                let seconds = |ms: u64| format!("{:.1}", ms as f64 / 1000.0);
                bar.set_style(
                    style
                        .with_key(
                            "simulated",
                            move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                                let _ = out.write_str(&seconds(state.pos()));
                            },
                        )
                        .with_key(
                            "horizon",
                            move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                                let _ = out.write_str(&seconds(state.len().unwrap_or(0)));
                            },
                        ),
                );
            }
            bar
        });
        let now = Instant::now();
        RunBar {
            bar,
            began: now,
            drawn: now,
        }
    }

    /// Shows how far the run is, if it is time to.
    pub(super) fn show(&mut self, progress: Progress) {
        let Some(bar) = &self.bar else { return };
        let now = Instant::now();
        if now - self.drawn >= REDRAW {
            self.drawn = now;
            let elapsed = (now - self.began).as_secs_f64();
            bar.set_message(show_rate(progress.events as f64 / elapsed));
            bar.set_position(progress.now.as_ms() as u64);
        }
    }

    /// Takes the bar off the terminal.
    pub(super) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
