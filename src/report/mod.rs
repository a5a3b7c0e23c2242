//! What a run leaves behind: its folder of files, tables for people, graphs for other programs.

mod charts;
mod coverage;
mod deliveries;
mod files;
mod folder;
mod graph;
pub mod histogram;
mod load;
mod measurements;
mod page;
#[cfg(feature = "parquet")]
mod parquet;
mod plot;
mod rows;
pub mod sample;
mod summary;
mod table;

pub use charts::{PastRun, ReadError, Subject};
pub use files::write_outputs;
pub use folder::{FolderError, RunFolder};
pub use graph::{
    Arrangement, Colour, Drawing, Effort, ExportError, ExportLink, ExportPeer, Exported, Figures,
    GraphFormat, Snapshots,
};
pub use page::Report;
pub use plot::{Plot, PlotError};
pub use summary::{RunName, Timing, show_summary};
pub use table::{table, table_within};
