//! A service of one's own, compiled against the library: every peer tells its neighbours each
//! second that it lives. The whole command line comes with it:
//! `cargo run --example heartbeat -- run examples/heartbeat.yaml`

use p2psim::prelude::*;

struct Heartbeat {
    interval: Time,
    beat: MessageType,
}

impl Service for Heartbeat {
    fn start(&mut self, context: &mut Context<'_>) {
        context.set_timer(self.interval, 0);
    }

    fn timer(&mut self, context: &mut Context<'_>, tag: u32) {
        context.send_empty_to_all(self.beat);
        context.set_timer(self.interval, tag);
    }

    fn message(&mut self, context: &mut Context<'_>, from: PeerIndex, _: Message<'_>) {
        let id = context.id(from);
        context.log(LogLevel::Info, format_args!("Peer {id} lives"));
        // Peers beat at the multiples of the interval: what is beyond is the way of the beat.
        let delay_ms = context.now().as_ms() % self.interval.as_ms();
        context.count("beats", 1);
        context.observe("delay_ms", delay_ms);
    }
}

const DURATION: ParameterKind = ParameterKind::Duration { min_ns: 1_000_000 };

const HEARTBEAT: ServiceSpec = ServiceSpec {
    name: "Heartbeat",
    about: "tells all neighbours at regular times that the peer lives",
    parameters: &[ParameterSpec::new(
        "interval",
        DURATION,
        "1 s",
        "time between beats",
    )],
    messages: &[MessageSpec::handled("Beat", "24 B")],
    build: &|parameters, messages| {
        let (interval, beat) = (parameters.duration("interval"), messages[0]);
        std::sync::Arc::new(move || ServiceState::Custom(Box::new(Heartbeat { interval, beat })))
    },
    ..ServiceSpec::NONE
};

fn main() -> std::process::ExitCode {
    p2psim::cli::main_with(Registry::default().with(HEARTBEAT))
}
