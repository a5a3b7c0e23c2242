//! Faults that take a peer offline: by schedule, at random, as churn, or for good.

use std::sync::Arc;

use super::parameters::{Negative, takes_time};
use super::{ParameterError, ParameterKind, ParameterSpec, Parameters, ServiceSpec, ServiceState};
use crate::distribution::Distribution;
use crate::engine::{Context, Rejoin, Service};
use crate::record::LogLevel;
use crate::time::Time;
use crate::units::Dimension;

const TIME_LAW: ParameterKind = ParameterKind::Law(Dimension::Time);

/// Offline and online by a schedule.
pub(super) const SCHEDULED: ServiceSpec = ServiceSpec {
    name: "ScheduledDowntime",
    about: "takes the peer offline and back at set times",
    parameters: &[ParameterSpec {
        name: "schedule",
        kind: ParameterKind::Durations,
        default: "",
        about: "time until the peer goes offline, from then until it is back, and so on",
    }],
    build: &|parameters, _| factory(Pattern::Schedule(parameters.durations("schedule").to_vec())),
    ..ServiceSpec::NONE
};

/// Offline and online at random.
pub(super) const RANDOM: ServiceSpec = ServiceSpec {
    name: "RandomDowntime",
    about: "takes the peer offline and back again and again (absolute values of all draws)",
    parameters: &[
        ParameterSpec {
            name: "start_time",
            kind: TIME_LAW,
            default: "norm(1000, 70)",
            about: "time until the peer first goes offline",
        },
        ParameterSpec {
            name: "disruption_time",
            kind: TIME_LAW,
            default: "norm(400, 150)",
            about: "how long it is offline each time",
        },
        ParameterSpec {
            name: "disruption_intervals",
            kind: TIME_LAW,
            default: "norm(600, 200)",
            about: "how long it is online in between",
        },
    ],
    build: &|parameters, _| {
        factory(Pattern::Alternating {
            first: parameters.law("start_time").clone(),
            offline: parameters.law("disruption_time").clone(),
            online: parameters.law("disruption_intervals").clone(),
            rejoin: Rejoin::Remember,
        })
    },
    check: &|parameters, _| long_enough(parameters, &["disruption_time", "disruption_intervals"]),
    ..ServiceSpec::NONE
};

/// Sessions and absences.
pub(super) const CHURN: ServiceSpec = ServiceSpec {
    name: "Churn",
    about: "the peer is online for a session, then offline, and so on",
    parameters: &[
        ParameterSpec {
            name: "session",
            kind: TIME_LAW,
            default: "weibull_min(0.59, 0, 41.9 min)",
            about: "how long a session is; many are short and few very long (Stutzbach, Rejaie, IMC 2006)",
        },
        ParameterSpec {
            name: "offline",
            kind: TIME_LAW,
            default: "weibull_min(0.59, 0, 41.9 min)",
            about: "how long it is offline in between; as given, half of the peers are online",
        },
        ParameterSpec {
            name: "rejoin",
            kind: ParameterKind::Word(&["remember", "fresh"]),
            default: "remember",
            about: "back with all it knew, or as a new peer that knows nothing",
        },
    ],
    build: &|parameters, _| {
        factory(Pattern::Alternating {
            first: parameters.law("session").clone(),
            offline: parameters.law("offline").clone(),
            online: parameters.law("session").clone(),
            rejoin: match parameters.word("rejoin") {
                "fresh" => Rejoin::Fresh,
                _ => Rejoin::Remember,
            },
        })
    },
    check: &|parameters, _| long_enough(parameters, &["session", "offline"]),
    begins_afresh: |parameters| parameters.word("rejoin") == "fresh",
    ..ServiceSpec::NONE
};

/// Offline for good.
pub(super) const CRASH: ServiceSpec = ServiceSpec {
    name: "Crash",
    about: "takes the peer offline for good",
    parameters: &[
        ParameterSpec {
            name: "after",
            kind: TIME_LAW,
            default: "",
            about: "time until the peer crashes",
        },
        ParameterSpec {
            name: "probability",
            kind: ParameterKind::Probability,
            default: "1",
            about: "how likely it is to crash at all",
        },
    ],
    build: &|parameters, _| {
        factory(Pattern::Crash {
            after: parameters.law("after").clone(),
            probability: parameters.probability("probability"),
        })
    },
    ..ServiceSpec::NONE
};

/// Time must pass between changes, or a run would stand still.
fn long_enough(parameters: &Parameters, names: &[&'static str]) -> Result<(), ParameterError> {
    names
        .iter()
        .try_for_each(|&name| takes_time(name, parameters.law(name), Negative::Mirrored))
}

fn factory(pattern: Pattern) -> super::Factory {
    let pattern = Arc::new(pattern);
    Arc::new(move || {
        ServiceState::Downtime(Downtime {
            pattern: pattern.clone(),
            changes: 0,
        })
    })
}

/// When a peer is offline.
#[derive(Debug)]
enum Pattern {
    Schedule(Vec<Time>),
    Alternating {
        first: Distribution,
        offline: Distribution,
        online: Distribution,
        rejoin: Rejoin,
    },
    Crash {
        after: Distribution,
        probability: f64,
    },
}

/// The state of these services on one peer.
#[derive(Debug)]
pub struct Downtime {
    pattern: Arc<Pattern>,
    /// How often it has gone offline or come back.
    changes: u32,
}

impl Downtime {
    /// Sets the alarm for the next change, if there is one.
    fn wait(&self, context: &mut Context<'_>) {
        let law = match &*self.pattern {
            Pattern::Schedule(times) => {
                if let Some(&after) = times.get(self.changes as usize) {
                    context.set_alarm(after, 0);
                }
                return;
            }
            Pattern::Alternating { first, .. } if self.changes == 0 => first,
            Pattern::Alternating { offline, .. } if self.is_down() => offline,
            Pattern::Alternating { online, .. } => online,
            Pattern::Crash { .. } if self.changes > 0 => return,
            Pattern::Crash { after, probability } => {
                if context.random().unit() >= *probability {
                    return;
                }
                after
            }
        };
        let after = Time::from_ms_clamped(law.sample(context.random()).abs());
        context.set_alarm(after, 0);
    }

    fn is_down(&self) -> bool {
        self.changes % 2 == 1
    }
}

impl Service for Downtime {
    fn start(&mut self, context: &mut Context<'_>) {
        self.wait(context);
    }

    fn alarm(&mut self, context: &mut Context<'_>, _tag: u32) {
        self.changes = self.changes.wrapping_add(1);
        if self.is_down() {
            context.go_offline();
        } else {
            context.go_online(match *self.pattern {
                Pattern::Alternating { rejoin, .. } => rejoin,
                _ => Rejoin::Remember,
            });
        }
        if matches!(*self.pattern, Pattern::Crash { .. }) {
            context.log(LogLevel::Error, format_args!("Crashed"));
        }
        self.wait(context);
    }

    // What takes the peer offline goes on, whatever it comes back with.
    fn online(&mut self, _context: &mut Context<'_>, _rejoin: Rejoin) {}
}
