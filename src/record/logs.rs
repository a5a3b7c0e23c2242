//! A log file per peer, written through bounded buffers and by a thread of its own: files are
//! opened, appended to and closed again, so that neither memory nor descriptors grow with the
//! number of peers.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

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
    writer: Writer,
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
            writer: Writer::new(),
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
        self.writer.take_error()
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
        self.writer.finish()
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
        // The next one grows as this one did: a peer that was quiet may stay so.
        let bytes = std::mem::take(buffer);
        let path = self.folder.join(file_name(&self.names, peer));
        self.writer.append(path, bytes);
    }
}

/// How many buffers wait for the writer at most; a run that is quicker than the disk waits.
const WAITING_MAX: usize = 64;

/// Appends buffers to files on a thread of its own, one after the other, while the run goes on.
struct Writer {
    /// `None` once all has been handed over.
    queue: Option<SyncSender<(PathBuf, Vec<u8>)>>,
    thread: Option<JoinHandle<()>>,
    /// The first error; nothing is written after it.
    error: Arc<Mutex<Option<io::Error>>>,
}

impl Writer {
    fn new() -> Self {
        Writer {
            queue: None,
            thread: None,
            error: Arc::default(),
        }
    }

    fn append(&mut self, path: PathBuf, bytes: Vec<u8>) {
        if self.queue.is_none() {
            let (queue, jobs) = sync_channel(WAITING_MAX);
            let error = self.error.clone();
            self.thread = Some(thread::spawn(move || write_all(&jobs, &error)));
            self.queue = Some(queue);
        }
        if let Some(queue) = &self.queue {
            // The writer takes no more when it has failed.
            let _ = queue.send((path, bytes));
        }
    }

    fn take_error(&mut self) -> Option<io::Error> {
        let error = self.error.lock();
        error.unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until everything is written.
    fn finish(&mut self) -> io::Result<()> {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            return Err(io::Error::other("the thread that writes logs has panicked"));
        }
        self.take_error().map_or(Ok(()), Err)
    }
}

fn write_all(jobs: &Receiver<(PathBuf, Vec<u8>)>, error: &Mutex<Option<io::Error>>) {
    for (path, bytes) in jobs {
        let written = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(&bytes));
        if let Err(cause) = written {
            let text = format!("cannot write {}: {cause}", path.display());
            let mut error = error.lock().unwrap_or_else(PoisonError::into_inner);
            *error = Some(io::Error::new(cause.kind(), text));
            return;
        }
    }
}
