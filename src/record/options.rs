//! What a run logs.

use std::collections::BTreeSet;
use std::fmt;

use crate::peer::{Names, PeerId, PeerIndex, TypeIndex};

/// How serious a line of a log is, ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Everything: each message sent and received.
    #[default]
    Info,
    /// What a user should look at: unhandled messages, unresponsive peers.
    Warning,
    /// What went wrong.
    Error,
}

impl LogLevel {
    /// All levels, ascending.
    pub const ALL: [LogLevel; 3] = [LogLevel::Info, LogLevel::Warning, LogLevel::Error];

    /// As a scenario names it.
    pub const fn key(self) -> &'static str {
        match self {
            LogLevel::Info => "info",
            LogLevel::Warning => "warning",
            LogLevel::Error => "error",
        }
    }
}

/// As it stands in a log.
impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LogLevel::Info => "INFO",
            LogLevel::Warning => "WARNING",
            LogLevel::Error => "ERROR",
        })
    }
}

/// Which peers keep a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogSelection {
    /// Every peer.
    #[default]
    All,
    /// No peer.
    None,
    /// The peers with these ids and all peers of these types.
    Some {
        /// Peers by id.
        ids: BTreeSet<PeerId>,
        /// Peers by type.
        types: BTreeSet<TypeIndex>,
    },
}

impl LogSelection {
    /// Whether a peer keeps a log.
    pub fn includes(&self, names: &Names, peer: PeerIndex) -> bool {
        match self {
            LogSelection::All => true,
            LogSelection::None => false,
            LogSelection::Some { ids, types } => {
                ids.contains(&names.id(peer)) || types.contains(&names.types[peer.as_usize()])
            }
        }
    }
}

/// What a run logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Which peers keep a log.
    pub selection: LogSelection,
    /// The least serious lines that are kept.
    pub level: LogLevel,
}
