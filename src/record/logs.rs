//! A log file per peer, written through bounded buffers: files are opened, appended to and
//! closed again, so that neither memory nor descriptors grow with the number of peers.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::options::{LogLevel, LogOptions};
use crate::message::{MessageType, MessageTypes};
use crate::peer::{Names, PeerIndex};
use crate::time::Time;

/// The buffers of all peers together, in bytes; when they hold more, all are written.
const BUFFERS_MAX: usize = 64 << 20;
/// One peer's buffer: between these, so that few peers write rarely.
const BUFFER_MIN: usize = 4 << 10;
const BUFFER_MAX: usize = 256 << 10;

/// The name of a peer's log file.
pub fn file_name(names: &Names, peer: PeerIndex) -> String {
    let name = names.name(peer);
    let name = if cfg!(windows) {
        name.replace(':', "-")
    } else {
        name
    };
    format!("{name}.log")
}

/// The logs of a run.
pub struct Logs {
    folder: PathBuf,
    names: Arc<Names>,
    types: Arc<MessageTypes>,
    options: LogOptions,
    /// The first of the peers whose logs these are.
    first: u32,
    buffers: Vec<Vec<u8>>,
    buffer_max: usize,
    /// How much all buffers together may hold.
    buffers_max: usize,
    buffered: usize,
    error: Option<io::Error>,
}

impl Logs {
    /// The logs of some peers in `folder`, which must exist, have no files of these peers, and is
    /// only written into.
    pub fn new(
        folder: &Path,
        options: LogOptions,
        names: Arc<Names>,
        types: Arc<MessageTypes>,
        peers: Range<u32>,
    ) -> Self {
        let buffers_max = BUFFERS_MAX * peers.len() / names.len().max(1);
        Logs {
            folder: folder.to_owned(),
            names,
            types,
            options,
            first: peers.start,
            buffers: vec![Vec::new(); peers.len()],
            buffer_max: (buffers_max / peers.len().max(1)).clamp(BUFFER_MIN, BUFFER_MAX),
            buffers_max,
            buffered: 0,
            error: None,
        }
    }

    /// Whether a peer keeps a log.
    pub fn includes(&self, peer: PeerIndex) -> bool {
        self.options.selection.includes(&self.names, peer)
    }

    fn peer(&self, place: usize) -> PeerIndex {
        PeerIndex(self.first + place as u32)
    }

    fn place(&self, peer: PeerIndex) -> usize {
        (peer.0 - self.first) as usize
    }

    /// The first error of writing, if there was one.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Writes everything still in memory; every peer that keeps a log has a file afterwards.
    ///
    /// # Errors
    /// The first error of writing, now or before.
    pub fn finish(&mut self) -> io::Result<()> {
        for place in 0..self.buffers.len() {
            let peer = self.peer(place);
            if self.includes(peer) {
                self.write_out(peer);
            }
        }
        self.error.take().map_or(Ok(()), Err)
    }

    /// Appends `Peer_<id>:<type> <LEVEL> <ms>: ` and what `text` appends, as one line.
    #[inline]
    pub(super) fn line(
        &mut self,
        peer: PeerIndex,
        level: LogLevel,
        now: Time,
        text: impl FnOnce(&mut Vec<u8>, &Names, &MessageTypes),
    ) {
        if level < self.options.level {
            return;
        }
        let place = self.place(peer);
        let buffer = &mut self.buffers[place];
        let before = buffer.len();
        self.names.write(peer, buffer);
        buffer.extend_from_slice(match level {
            LogLevel::Info => b" INFO ",
            LogLevel::Warning => b" WARNING ",
            LogLevel::Error => b" ERROR ",
        });
        now.write_ms(buffer);
        buffer.extend_from_slice(b": ");
        text(buffer, &self.names, &self.types);
        buffer.push(b'\n');
        self.buffered += buffer.len() - before;
        if buffer.len() >= self.buffer_max {
            self.write_out(peer);
        } else if self.buffered > self.buffers_max {
            for place in 0..self.buffers.len() {
                if !self.buffers[place].is_empty() {
                    self.write_out(self.peer(place));
                    self.buffers[place] = Vec::new();
                }
            }
        }
    }

    /// `<before><type>> <between> <peer>`: a line about a message.
    pub(super) fn message_line(
        &mut self,
        peer: PeerIndex,
        level: LogLevel,
        now: Time,
        words: (&str, &str),
        kind: MessageType,
        other: PeerIndex,
    ) {
        self.line(peer, level, now, |line, names, types| {
            line.extend_from_slice(words.0.as_bytes());
            line.extend_from_slice(b" <");
            line.extend_from_slice(types.name(kind).as_bytes());
            line.extend_from_slice(b"> ");
            line.extend_from_slice(words.1.as_bytes());
            line.push(b' ');
            names.write(other, line);
        });
    }

    fn write_out(&mut self, peer: PeerIndex) {
        let place = self.place(peer);
        let buffer = &mut self.buffers[place];
        self.buffered -= buffer.len();
        if self.error.is_none() {
            let path = self.folder.join(file_name(&self.names, peer));
            let written = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)
                .and_then(|mut file| file.write_all(buffer));
            if let Err(error) = written {
                let text = format!("cannot write {}: {error}", path.display());
                self.error = Some(io::Error::new(error.kind(), text));
            }
        }
        buffer.clear();
    }
}
