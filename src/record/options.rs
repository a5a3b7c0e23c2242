//! What a run writes down.

use std::collections::BTreeSet;
use std::fmt;

use crate::peer::{Names, PeerId, PeerIndex, TypeIndex};
use crate::time::Time;

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

/// What is kept of the spread of gossip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeliveryMode {
    /// A row for each first receipt.
    #[default]
    Full,
    /// Figures and histograms, whose memory does not grow.
    Summary,
    /// Nothing.
    None,
}

impl DeliveryMode {
    /// All modes.
    pub const ALL: [DeliveryMode; 3] = [
        DeliveryMode::Full,
        DeliveryMode::Summary,
        DeliveryMode::None,
    ];

    /// As a scenario names it.
    pub const fn key(self) -> &'static str {
        match self {
            DeliveryMode::Full => "full",
            DeliveryMode::Summary => "summary",
            DeliveryMode::None => "none",
        }
    }
}

/// Whose load over time is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadMode {
    /// That of all peers of one type at one location together.
    #[default]
    Groups,
    /// Every peer's own.
    Peers,
    /// Nobody's.
    None,
}

impl LoadMode {
    /// All modes.
    pub const ALL: [LoadMode; 3] = [LoadMode::Groups, LoadMode::Peers, LoadMode::None];

    /// As a scenario names it.
    pub const fn key(self) -> &'static str {
        match self {
            LoadMode::Groups => "groups",
            LoadMode::Peers => "peers",
            LoadMode::None => "none",
        }
    }
}

/// How the large tables are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableFormat {
    /// Text, for everything.
    #[default]
    Csv,
    /// Columns in binary, for data frames and databases.
    Parquet,
}

impl TableFormat {
    /// All formats.
    pub const ALL: [TableFormat; 2] = [TableFormat::Csv, TableFormat::Parquet];

    /// As a scenario names it, and what its files end in.
    pub const fn key(self) -> &'static str {
        match self {
            TableFormat::Csv => "csv",
            TableFormat::Parquet => "parquet",
        }
    }
}

/// What a run measures, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeasureOptions {
    /// What is kept of the spread of gossip.
    pub deliveries: DeliveryMode,
    /// Whose load over time is kept.
    pub load: LoadMode,
    /// How long an interval of load is; positive.
    pub interval: Time,
    /// Whether the latencies of messages are kept.
    pub latencies: bool,
    /// How the large tables are written.
    pub format: TableFormat,
}
