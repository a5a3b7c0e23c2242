//! What a script says of itself before a run: its parameters, its messages, and its bounds.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::{
    Build, Check, Factory, MessageSpec, ParameterError, ParameterKind, ParameterSpec,
    ParameterValue, Parameters, ServiceSpec,
};
use crate::message::MessageType;
use crate::time::Time;
use crate::units::Dimension;

/// How many steps (calls and turns of loops, or what a language has in their place) one call of
/// a script may take.
const CALL_STEPS: ParameterSpec = ParameterSpec::new(
    "call_steps",
    ParameterKind::Count {
        min: 1,
        max: 1 << 52,
    },
    "10000000",
    "the most calls and turns of loops that one call of the script may take",
);

const CALL_MEMORY: ParameterSpec = ParameterSpec::new(
    "call_memory",
    ParameterKind::Number {
        min: 65_536.0,
        max: MEMORY_MAX,
        dimension: Dimension::Bytes,
    },
    "64 MiB",
    "the most memory that one call of the script may take",
);

const MEMORY: ParameterSpec = ParameterSpec::new(
    "memory",
    ParameterKind::Number {
        min: 1_048_576.0,
        max: MEMORY_MAX,
        dimension: Dimension::Bytes,
    },
    "4 GiB",
    "the most memory that the script may hold for all peers of a thread",
);

/// 1 TiB.
const MEMORY_MAX: f64 = (1_u64 << 40) as f64;

/// What every script can be told besides what it declares.
pub(super) const BOUNDS: [ParameterSpec; 3] = [CALL_STEPS, CALL_MEMORY, MEMORY];

/// How much a script may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) call_steps: u64,
    pub(super) call_memory_bytes: usize,
    pub(super) memory_bytes: usize,
}

impl Bounds {
    /// Those of the declarations themselves, before any parameter is known.
    pub(super) const OF_DECLARATIONS: Bounds = Bounds {
        call_steps: 10_000_000,
        call_memory_bytes: 64 << 20,
        memory_bytes: 256 << 20,
    };

    pub(super) fn new(parameters: &Parameters) -> Self {
        Bounds {
            call_steps: parameters.count(CALL_STEPS.name),
            call_memory_bytes: parameters.number(CALL_MEMORY.name) as usize,
            memory_bytes: parameters.number(MEMORY.name) as usize,
        }
    }
}

/// A message as a script declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeclaredMessage {
    pub(super) name: &'static str,
    pub(super) size: &'static str,
    pub(super) handled: bool,
    pub(super) gossip: bool,
    pub(super) form: Form,
}

/// How the content of a message travels. What a script makes travels as a value; what built-in
/// services send each other has a form of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Any value, or a rumour.
    Value,
    /// A list of peers, as in a PeerList.
    Peers,
    /// A list of rumours, as in a MsgResponse.
    Rumours,
    /// A list of rumours' ids, as in a SyncPing.
    RumourIds,
}

impl Form {
    pub(super) const ALL: [(&'static str, Form); 4] = [
        ("value", Form::Value),
        ("peers", Form::Peers),
        ("rumours", Form::Rumours),
        ("ids", Form::RumourIds),
    ];
}

/// All that a script declares.
#[derive(Clone, Debug, Default)]
pub(super) struct Declaration {
    pub(super) about: &'static str,
    pub(super) parameters: Vec<ParameterSpec>,
    /// The longest times of some of them.
    pub(super) longest: Vec<(&'static str, Time)>,
    pub(super) messages: Vec<DeclaredMessage>,
}

impl Declaration {
    /// What scenarios need to know of the script called `name`, whose peers `build` makes.
    ///
    /// It is kept until the program ends, as the names of built-in services are.
    pub(super) fn spec(
        self,
        name: &str,
        build: impl Fn(&Parameters, &[MessageType]) -> Factory + Send + Sync + 'static,
    ) -> ServiceSpec {
        let messages: Vec<MessageSpec> = self
            .messages
            .iter()
            .map(|message| MessageSpec {
                name: message.name,
                size: message.size,
                handled: message.handled,
                noted: false,
                answer: None,
                gossip: message.gossip,
            })
            .collect();
        let mut parameters = self.parameters;
        parameters.extend(BOUNDS);
        let longest = self.longest;
        let check = move |parameters: &Parameters, _: &[&str]| {
            let too_long =
                |&&(name, most): &&(&'static str, Time)| parameters.duration(name) > most;
            match longest.iter().find(too_long) {
                None => Ok(()),
                Some(&(name, most)) => Err(ParameterError {
                    name,
                    message: format!("`{name}` cannot be {} ms", parameters.duration(name)),
                    expected: format!("at most {most} ms"),
                }),
            }
        };
        let gossips = messages.iter().any(|message| message.gossip);
        let build: Box<Build> = Box::new(build);
        let check: Box<Check> = Box::new(check);
        ServiceSpec {
            name: keep(name),
            about: self.about,
            parameters: Vec::leak(parameters),
            messages: Vec::leak(messages),
            build: Box::leak(build),
            check: Box::leak(check),
            // What it publishes cannot be known, nor what it forgets.
            remembers: match gossips {
                true => |_| Some(Time::MAX),
                false => |_| None,
            },
            ..ServiceSpec::NONE
        }
    }
}

/// Text of a script's declarations, kept until the program ends.
pub(super) fn keep(text: &str) -> &'static str {
    match text {
        "" => "",
        text => String::leak(text.to_owned()),
    }
}

/// A key under which the peers of one factory share something in their shard.
pub(super) fn new_key() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The values of the parameters that the script declares itself.
pub(super) fn declared(
    parameters: &Parameters,
) -> impl Iterator<Item = (&'static str, &ParameterValue)> {
    let is_bound = |name: &str| BOUNDS.iter().any(|bound| bound.name == name);
    parameters.iter().filter(move |(name, _)| !is_bound(name))
}
