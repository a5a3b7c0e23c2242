//! Everything written down during a run, with bounded memory: peers' logs and message counts.

mod connections;
mod deliveries;
mod histogram;
mod labels;
mod load;
mod logs;
mod measurements;
mod options;
mod presence;
mod traffic;

use std::fmt::Arguments;
use std::io::{self, Write};

pub use connections::{ConnectionCounts, ConnectionEvent};
pub use deliveries::{Audience, ByRumour, Deliveries, LastRumour, Receipt, Spread};
pub use histogram::Histogram;
pub use load::{Flow, LOAD_ROWS_MAX, Load, LoadGroup, LoadGroups, LoadRow, LoadSeries};
pub use logs::{Logs, file_name};
pub use measurements::{
    Figures, Measurements, NAME_BYTES_MAX, NAMES_MAX, OBSERVATIONS_MAX, Observation, Observations,
    ObservedFigures,
};
pub use options::{
    DeliveryMode, LoadMode, LogLevel, LogOptions, LogSelection, MeasureOptions, TableFormat,
};
pub use presence::{Change, Presence};
pub use traffic::{Counts, DropCause, LossCause, Traffic};

use crate::message::MessageType;
use crate::peer::PeerIndex;
use crate::time::Time;

/// Where the engine writes down what happens.
#[derive(Default)]
pub struct Recorder {
    /// Counts of messages and bytes.
    pub traffic: Traffic,
    /// Counts of what became of connections.
    pub connections: ConnectionCounts,
    /// Who received which rumour, when.
    pub deliveries: Deliveries,
    /// Bytes, messages, waiting, connections and online peers over time.
    pub load: Load,
    /// What services count and observe.
    pub measurements: Measurements,
    logs: Option<Logs>,
}

impl Recorder {
    /// A recorder that counts, and keeps logs if there are any to keep.
    pub fn new(logs: Option<Logs>, deliveries: Deliveries, load: Load) -> Self {
        Recorder {
            deliveries,
            load,
            logs,
            ..Recorder::default()
        }
    }

    /// Takes over what was written down of other peers in the same run, logs apart: those are
    /// written where they are kept.
    pub(crate) fn absorb(&mut self, other: Recorder) {
        self.traffic.absorb(&other.traffic);
        self.connections.absorb(&other.connections);
        self.deliveries.absorb(other.deliveries);
        self.load.absorb(other.load);
        self.measurements.absorb(other.measurements);
    }

    /// Whether a peer keeps a log.
    pub fn logs(&self, peer: PeerIndex) -> bool {
        self.logs.as_ref().is_some_and(|logs| logs.includes(peer))
    }

    /// Brings what was recorded into its order, and writes the logs that are still in memory.
    ///
    /// # Errors
    /// The first error of writing, now or before.
    pub fn finish(&mut self) -> io::Result<()> {
        self.measurements.settle();
        self.logs.as_mut().map_or(Ok(()), Logs::finish)
    }

    /// The first error of writing, if there was one.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.logs.as_mut().and_then(Logs::take_error)
    }

    fn included(&mut self, peer: PeerIndex) -> Option<&mut Logs> {
        self.logs.as_mut().filter(|logs| logs.includes(peer))
    }

    /// A line of a service's, or of the engine's, if the peer keeps a log.
    pub fn log_text(&mut self, peer: PeerIndex, level: LogLevel, now: Time, text: Arguments<'_>) {
        if let Some(logs) = self.included(peer) {
            logs.line(peer, level, now, |line, _, _| {
                // A line stays a line, whatever a service writes; a Vec takes every write.
                let start = line.len();
                let _ = line.write_fmt(text);
                for byte in &mut line[start..] {
                    if *byte == b'\n' || *byte == b'\r' {
                        *byte = b' ';
                    }
                }
            });
        }
    }

    // The lines below are written for peers that are known to keep a log.

    pub(crate) fn log_sent(&mut self, me: PeerIndex, now: Time, kind: MessageType, to: PeerIndex) {
        let words = ("Sending message", "to");
        self.message_line(me, LogLevel::Info, now, words, kind, to);
    }

    pub(crate) fn log_received(
        &mut self,
        me: PeerIndex,
        now: Time,
        kind: MessageType,
        from: PeerIndex,
    ) {
        let words = ("Received message", "from");
        self.message_line(me, LogLevel::Info, now, words, kind, from);
    }

    pub(crate) fn log_dropped(
        &mut self,
        me: PeerIndex,
        now: Time,
        kind: MessageType,
        from: PeerIndex,
    ) {
        let words = ("Dropped message", "from not connected peer");
        self.message_line(me, LogLevel::Info, now, words, kind, from);
    }

    pub(crate) fn log_unhandled(
        &mut self,
        me: PeerIndex,
        now: Time,
        kind: MessageType,
        from: PeerIndex,
    ) {
        let words = ("No service handles message", "from");
        self.message_line(me, LogLevel::Warning, now, words, kind, from);
    }

    pub(crate) fn log_connected(&mut self, me: PeerIndex, now: Time, peer: PeerIndex) {
        self.peer_line(me, LogLevel::Info, now, "Connected to ", peer);
    }

    pub(crate) fn log_parted(&mut self, me: PeerIndex, now: Time, peer: PeerIndex) {
        self.peer_line(
            me,
            LogLevel::Warning,
            now,
            "Breaking connection with ",
            peer,
        );
    }

    fn message_line(
        &mut self,
        me: PeerIndex,
        level: LogLevel,
        now: Time,
        words: (&str, &str),
        kind: MessageType,
        other: PeerIndex,
    ) {
        if let Some(logs) = &mut self.logs {
            logs.message_line(me, level, now, words, kind, other);
        }
    }

    fn peer_line(
        &mut self,
        me: PeerIndex,
        level: LogLevel,
        now: Time,
        words: &str,
        peer: PeerIndex,
    ) {
        if let Some(logs) = &mut self.logs {
            logs.line(me, level, now, |line, names, _| {
                line.extend_from_slice(words.as_bytes());
                names.write(peer, line);
            });
        }
    }
}
