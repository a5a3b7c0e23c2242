//! Slowdown: a peer's links run at a share of their bandwidth for a while.

use std::sync::Arc;

use super::parameters::{Negative, takes_time};
use super::{ParameterError, ParameterKind, ParameterSpec, ServiceSpec, ServiceState};
use crate::distribution::Distribution;
use crate::engine::{Context, Rejoin, Service};
use crate::record::LogLevel;
use crate::time::Time;
use crate::units::Dimension;

/// What scenarios need to know of it.
pub(super) const SPEC: ServiceSpec = ServiceSpec {
    name: "Slowdown",
    about: "multiplies the peer's bandwidths by a factor for a while (absolute values of draws)",
    parameters: &[
        ParameterSpec {
            name: "factor",
            kind: ParameterKind::Positive { max: 1e6 },
            default: "0.1",
            about: "what the bandwidths are multiplied by",
        },
        ParameterSpec {
            name: "start",
            kind: ParameterKind::Law(Dimension::Time),
            default: "1000 ms",
            about: "time until it begins",
        },
        ParameterSpec {
            name: "duration",
            kind: ParameterKind::OptionalLaw(Dimension::Time),
            default: "none",
            about: "how long it lasts; none: to the end",
        },
        ParameterSpec {
            name: "interval",
            kind: ParameterKind::OptionalLaw(Dimension::Time),
            default: "none",
            about: "time from its end until the next one; none: it happens once",
        },
    ],
    build: &|parameters, _| {
        let config = Arc::new(Config {
            factor: parameters.positive("factor"),
            start: parameters.law("start").clone(),
            duration: parameters.optional_law("duration").cloned(),
            interval: parameters.optional_law("interval").cloned(),
        });
        Arc::new(move || {
            ServiceState::Slowdown(Slowdown {
                config: config.clone(),
                slow: false,
            })
        })
    },
    check: &|parameters, _| {
        let (duration, interval) = ("duration", "interval");
        let laws = [duration, interval].map(|name| (name, parameters.optional_law(name)));
        if laws[0].1.is_none() && laws[1].1.is_some() {
            return Err(ParameterError {
                name: interval,
                message: "`interval` needs a `duration`: without, a slowdown never ends".into(),
                expected: "both of them".into(),
            });
        }
        laws.into_iter().try_for_each(|(name, law)| match law {
            Some(law) => takes_time(name, law, Negative::Mirrored),
            None => Ok(()),
        })
    },
    ..ServiceSpec::NONE
};

/// What all peers of a type share.
#[derive(Debug)]
struct Config {
    factor: f64,
    start: Distribution,
    duration: Option<Distribution>,
    interval: Option<Distribution>,
}

/// The state of the service on one peer.
#[derive(Debug)]
pub struct Slowdown {
    config: Arc<Config>,
    slow: bool,
}

impl Slowdown {
    fn wait(&self, context: &mut Context<'_>, law: Option<&Distribution>) {
        if let Some(law) = law {
            let after = Time::from_ms_clamped(law.sample(context.random()).abs());
            context.set_alarm(after, 0);
        }
    }
}

impl Service for Slowdown {
    fn start(&mut self, context: &mut Context<'_>) {
        self.wait(context, Some(&self.config.start));
    }

    fn alarm(&mut self, context: &mut Context<'_>, _tag: u32) {
        let config = self.config.clone();
        self.slow = !self.slow;
        let (factor, then) = match self.slow {
            true => (config.factor, &config.duration),
            false => (1.0, &config.interval),
        };
        context.scale_links(factor);
        context.log(
            LogLevel::Warning,
            format_args!("Links run at {factor} of their bandwidth"),
        );
        self.wait(context, then.as_ref());
    }

    // It goes on while the peer is offline, and after.
    fn online(&mut self, _context: &mut Context<'_>, _rejoin: Rejoin) {}
}
