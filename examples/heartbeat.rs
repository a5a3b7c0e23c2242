//! A service of one's own, compiled against the library: every peer tells its neighbours each
//! second that it lives. The whole command line comes with it:
//! `cargo run --example heartbeat -- run examples/heartbeat.yaml`

use std::sync::Arc;

use p2psim::engine::{Context, Service};
use p2psim::message::{Message, MessageType};
use p2psim::peer::PeerIndex;
use p2psim::record::LogLevel;
use p2psim::services::*;
use p2psim::time::Time;

struct Heartbeat {
    interval: Time,
    beat: MessageType,
    heard: u64,
}

impl Service for Heartbeat {
    fn start(&mut self, context: &mut Context<'_>) {
        context.set_timer(self.interval, 0);
    }

    fn timer(&mut self, context: &mut Context<'_>, tag: u32) {
        context.send_empty_where(self.beat, |_| true);
        context.set_timer(self.interval, tag);
    }

    fn message(&mut self, context: &mut Context<'_>, from: PeerIndex, _: Message<'_>) {
        self.heard += 1;
        let (id, heard) = (context.id(from), self.heard);
        context.log(LogLevel::Info, format_args!("Beat {heard}, from {id}"));
    }
}

const HEARTBEAT: ServiceSpec = ServiceSpec {
    name: "Heartbeat",
    about: "tells all neighbours at regular times that the peer lives",
    parameters: &[ParameterSpec {
        name: "interval",
        kind: ParameterKind::Duration { min_ns: 1_000_000 },
        default: "1 s",
        about: "time between beats",
    }],
    messages: &[MessageSpec {
        name: "Beat",
        size: "24 B",
        handled: true,
    }],
    build: |parameters, messages| {
        let (interval, beat) = (parameters.duration("interval"), messages[0]);
        Arc::new(move || {
            ServiceState::Custom(Box::new(Heartbeat {
                interval,
                beat,
                heard: 0,
            }))
        })
    },
};

fn main() -> std::process::ExitCode {
    p2psim::cli::main_with(Registry::default().with(HEARTBEAT))
}
