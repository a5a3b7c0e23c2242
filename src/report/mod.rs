//! What a run leaves behind: its folder of files, tables for people, graphs for other programs.

mod coverage;
mod deliveries;
mod files;
mod folder;
mod graph_export;
pub mod histogram;
mod load;
#[cfg(feature = "parquet")]
mod parquet;
mod rows;
pub mod sample;
mod summary;
mod table;

pub use files::write_outputs;
pub use folder::{FolderError, RunFolder};
pub use graph_export::{ExportError, ExportLink, ExportPeer, Exported, GraphFormat};
pub use summary::{RunName, Timing, show_summary};
pub use table::table;
