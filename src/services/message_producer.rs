//! MessageProducer and LimitedMessageProducer: peers from which messages for everyone come.

use std::sync::Arc;

use super::gossip::{EXCLUDE_PEERS, EXCLUDE_TYPES, Exclusion, GOSSIP_HEADER_BYTES, GOSSIP_MESSAGE};
use super::parameters::{Negative, takes_time};
use super::{
    MessageSpec, ParameterError, ParameterKind, ParameterSpec, Parameters, Production, ServiceSpec,
    ServiceState,
};
use crate::distribution::Distribution;
use crate::engine::{Context, Rejoin, Service};
use crate::message::{MessageType, Payload, Rumour};
use crate::peer::PeerIndex;
use crate::time::Time;
use crate::units::Dimension;

/// The least time between two messages.
const STEP_MIN: Time = Time::from_ns(1);
/// The largest payload: 1 GiB.
const PAYLOAD_BYTES_MAX: u32 = 1 << 30;

/// How many messages a MessageProducer produces if time allows.
const ENDLESS: u64 = u32::MAX as u64;

const INIT_TIMEOUT: ParameterSpec = ParameterSpec {
    name: "init_timeout",
    kind: ParameterKind::Duration { min_ns: 0 },
    default: "1000 ms",
    about: "time before the first message",
};

const MSG_RATE: ParameterSpec = ParameterSpec {
    name: "msg_rate",
    kind: ParameterKind::Positive { max: 1e9 },
    default: "5",
    about: "messages a second, at regular times",
};

const INTERVAL: ParameterSpec = ParameterSpec {
    name: "interval",
    kind: ParameterKind::OptionalLaw(Dimension::Time),
    default: "none",
    about: "instead of `msg_rate`: time between messages; expon(0, 200) makes Poisson arrivals; below 0 is 0",
};

const INIT_FANOUT: ParameterSpec = ParameterSpec {
    name: "init_fanout",
    kind: ParameterKind::Count {
        min: 0,
        max: PeerIndex::LIMIT,
    },
    default: "5",
    about: "how many random neighbours a new message is sent to",
};

const INIT_TTL: ParameterSpec = ParameterSpec {
    name: "init_ttl",
    kind: ParameterKind::Count {
        min: 0,
        max: u16::MAX as u64,
    },
    default: "4",
    about: "how often a message may be relayed after that",
};

const SIZE: ParameterSpec = ParameterSpec {
    name: "size",
    kind: ParameterKind::Law(Dimension::Bytes),
    default: "20 B",
    about: "bytes of a message's payload; draws are kept between 0 and 1 GiB",
};

const TIMES: ParameterSpec = ParameterSpec {
    name: "times",
    kind: ParameterKind::Count {
        min: 0,
        max: u32::MAX as u64,
    },
    default: "1",
    about: "how many messages it produces in all",
};

const MESSAGES: &[MessageSpec] = &[MessageSpec {
    handled: false,
    ..GOSSIP_MESSAGE
}];

/// What scenarios need to know of MessageProducer.
pub(super) const SPEC: ServiceSpec = ServiceSpec {
    name: "MessageProducer",
    about: "produces messages for everyone, and sends each to random neighbours",
    parameters: &[
        INIT_TIMEOUT,
        MSG_RATE,
        INTERVAL,
        INIT_FANOUT,
        INIT_TTL,
        SIZE,
        EXCLUDE_TYPES,
        EXCLUDE_PEERS,
    ],
    messages: MESSAGES,
    build: &|parameters, messages| factory(parameters, messages[0], ENDLESS),
    check: &check,
    produces: |parameters| Some(production(parameters, ENDLESS)),
    ..ServiceSpec::NONE
};

/// What scenarios need to know of LimitedMessageProducer.
pub(super) const LIMITED: ServiceSpec = ServiceSpec {
    name: "LimitedMessageProducer",
    about: "a MessageProducer that stops after some messages",
    parameters: &[
        TIMES,
        INIT_TIMEOUT,
        MSG_RATE,
        INTERVAL,
        INIT_FANOUT,
        INIT_TTL,
        SIZE,
        EXCLUDE_TYPES,
        EXCLUDE_PEERS,
    ],
    messages: MESSAGES,
    build: &|parameters, messages| factory(parameters, messages[0], parameters.count("times")),
    check: &check,
    produces: |parameters| Some(production(parameters, parameters.count("times"))),
    ..ServiceSpec::NONE
};

fn check(parameters: &Parameters, given: &[&str]) -> Result<(), ParameterError> {
    let size = parameters.law("size");
    let most = f64::from(PAYLOAD_BYTES_MAX);
    if size.upper_bound() < 0.0 || size.lower_bound() > most {
        return Err(ParameterError {
            name: "size",
            message: format!("a payload cannot have {size} bytes"),
            expected: format!("from 0 to {PAYLOAD_BYTES_MAX} bytes"),
        });
    }
    let Some(law) = parameters.optional_law("interval") else {
        return Ok(());
    };
    if given.contains(&"msg_rate") {
        return Err(ParameterError {
            name: "msg_rate",
            message: "`msg_rate` and `interval` both say how often messages are produced".into(),
            expected: "one of the two".into(),
        });
    }
    takes_time("interval", law, Negative::Zero)
}

fn production(parameters: &Parameters, times: u64) -> Production {
    let every_ms = match parameters.optional_law("interval") {
        Some(law) => mean_ms(law),
        None => 1000.0 / parameters.positive("msg_rate"),
    };
    Production {
        after: parameters.duration("init_timeout"),
        every: Time::from_ms_clamped(every_ms).max(STEP_MIN),
        times,
    }
}

/// The mean of a law of times in ms. Where it has none, or draws below 0, which are taken as 0,
/// outweigh the others: half its median, since one draw in two takes at least the median.
fn mean_ms(law: &Distribution) -> f64 {
    let mean = law.mean();
    if mean.is_finite() && mean > 0.0 {
        return mean;
    }
    let (mut low, mut high) = (0.0, 1e15);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        match law.mass_below(middle) < 0.5 {
            true => low = middle,
            false => high = middle,
        }
    }
    low / 2.0
}

fn factory(parameters: &Parameters, kind: MessageType, times: u64) -> super::Factory {
    let every = Time::from_ms_clamped(1000.0 / parameters.positive("msg_rate"));
    let config = Arc::new(Config {
        init_timeout: parameters.duration("init_timeout"),
        every: every.max(STEP_MIN),
        interval: parameters.optional_law("interval").cloned(),
        fanout: parameters.count("init_fanout") as usize,
        ttl: parameters.count("init_ttl") as u16,
        size: parameters.law("size").clone(),
        exclusion: Exclusion::new(parameters),
        kind,
    });
    Arc::new(move || {
        ServiceState::MessageProducer(MessageProducer {
            config: config.clone(),
            left: times,
        })
    })
}

/// What all peers of a type share.
#[derive(Debug)]
struct Config {
    init_timeout: Time,
    every: Time,
    interval: Option<Distribution>,
    fanout: usize,
    ttl: u16,
    size: Distribution,
    exclusion: Exclusion,
    kind: MessageType,
}

/// The state of either service on one peer.
#[derive(Debug)]
pub struct MessageProducer {
    config: Arc<Config>,
    /// How many messages are still to be produced.
    left: u64,
}

impl MessageProducer {
    fn produce(&mut self, context: &mut Context<'_>) {
        let config = &*self.config;
        // `as` saturates and maps NaN to zero.
        let payload = config.size.sample(context.random()) + 0.5;
        let payload = (payload as u32).min(PAYLOAD_BYTES_MAX);
        let rumour = context.publish(payload, config.ttl);
        let chosen = config.exclusion.choose(context, None, config.fanout);
        let sent = Payload::Rumour(Rumour { hops: 1, ..rumour });
        context.send_each(&chosen, config.kind, sent, GOSSIP_HEADER_BYTES + payload);
    }
}

impl Service for MessageProducer {
    fn start(&mut self, context: &mut Context<'_>) {
        context.set_timer(self.config.init_timeout, 0);
    }

    fn timer(&mut self, context: &mut Context<'_>, tag: u32) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        self.produce(context);
        if self.left > 0 {
            let after = match &self.config.interval {
                Some(law) => Time::from_ms_clamped(law.sample(context.random())).max(STEP_MIN),
                None => self.config.every,
            };
            context.set_timer(after, tag);
        }
    }

    fn online(&mut self, context: &mut Context<'_>, rejoin: Rejoin) {
        // What is left of its messages is still to be produced.
        if rejoin == Rejoin::Fresh && self.left > 0 {
            self.start(context);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_law_without_a_mean_has_half_its_median() {
        let mean = |text| mean_ms(&Distribution::parse(text, Dimension::Time).unwrap());
        assert_eq!(mean("expon(0, 200)"), 200.0);
        // Half of its draws are below 4.
        let pareto = mean("pareto(0.5)");
        assert!((pareto - 2.0).abs() < 1e-9, "{pareto}");
    }
}
