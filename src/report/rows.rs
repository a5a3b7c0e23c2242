//! Tables of many rows, streamed to disk: CSV, or Parquet where it was asked for.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::folder::FolderError;
#[cfg(feature = "parquet")]
use super::parquet::ParquetTable;
use crate::record::TableFormat;
use crate::time::Time;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Text,
    /// Whole numbers from 0.
    Integer,
    Real,
    Flag,
}

/// A column's name and what it holds.
pub(super) type Column = (&'static str, ColumnKind);

/// Bytes of CSV that are written at once.
const BLOCK_BYTES: usize = 64 << 10;

/// Rows of CSV, cell by cell.
#[derive(Default)]
pub(super) struct CsvRows(pub(super) Vec<u8>);

impl CsvRows {
    pub(super) fn text(&mut self, text: &[u8]) {
        let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
        if text.iter().any(special) {
            self.0.push(b'"');
            for &byte in text {
                if byte == b'"' {
                    self.0.push(b'"');
                }
                self.0.push(byte);
            }
            self.0.push(b'"');
        } else {
            self.0.extend_from_slice(text);
        }
        self.0.push(b',');
    }

    #[inline]
    pub(super) fn integer(&mut self, value: u64) {
        let mut digits = itoa::Buffer::new();
        self.0.extend_from_slice(digits.format(value).as_bytes());
        self.0.push(b',');
    }

    pub(super) fn real(&mut self, value: f64) {
        let mut digits = zmij::Buffer::new();
        self.0.extend_from_slice(digits.format(value).as_bytes());
        self.0.push(b',');
    }

    /// A bandwidth: a real number, whose exponent, if it has one, has no plus.
    pub(super) fn bandwidth(&mut self, value: f64) {
        let mut digits = zmij::Buffer::new();
        let digits = digits.format(value).bytes();
        self.0.extend(digits.filter(|&byte| byte != b'+'));
        self.0.push(b',');
    }

    /// A time in milliseconds.
    pub(super) fn ms(&mut self, time: Time) {
        time.write_ms_real(&mut self.0);
        self.0.push(b',');
    }

    pub(super) fn flag(&mut self, value: bool) {
        let text: &[u8] = if value { b"true," } else { b"false," };
        self.0.extend_from_slice(text);
    }

    /// Ends a row.
    pub(super) fn end(&mut self) {
        // In place of the comma after the last cell.
        self.0.pop();
        self.0.push(b'\n');
    }
}

/// A table that is being written, cell by cell in the order of its columns.
///
/// Files open without options in pandas, polars and duckdb, which guess a column's kind from its
/// first rows: so real numbers always have a decimal point, and no cell is empty.
pub(super) enum RowWriter {
    Csv {
        file: File,
        block: CsvRows,
    },
    #[cfg(feature = "parquet")]
    Parquet(Box<ParquetTable>),
}

impl RowWriter {
    /// Begins `<name>.csv` or `<name>.parquet` in `folder`.
    fn create(
        folder: &Path,
        name: &str,
        format: TableFormat,
        columns: &[Column],
    ) -> io::Result<Self> {
        let file = File::create(folder.join(file_name(name, format)))?;
        #[cfg(feature = "parquet")]
        if format == TableFormat::Parquet {
            let table = ParquetTable::new(file, columns)?;
            return Ok(RowWriter::Parquet(Box::new(table)));
        }
        let names: Vec<&str> = columns.iter().map(|&(name, _)| name).collect();
        let mut block = CsvRows(Vec::with_capacity(BLOCK_BYTES + (4 << 10)));
        block.0.extend_from_slice(names.join(",").as_bytes());
        block.0.push(b'\n');
        Ok(RowWriter::Csv { file, block })
    }

    pub(super) fn text(&mut self, text: &[u8]) {
        match self {
            RowWriter::Csv { block, .. } => block.text(text),
            #[cfg(feature = "parquet")]
            RowWriter::Parquet(table) => table.text(text),
        }
    }

    pub(super) fn integer(&mut self, value: u64) {
        match self {
            RowWriter::Csv { block, .. } => block.integer(value),
            #[cfg(feature = "parquet")]
            RowWriter::Parquet(table) => table.integer(value),
        }
    }

    pub(super) fn real(&mut self, value: f64) {
        match self {
            RowWriter::Csv { block, .. } => block.real(value),
            #[cfg(feature = "parquet")]
            RowWriter::Parquet(table) => table.real(value),
        }
    }

    /// A time in milliseconds.
    pub(super) fn ms(&mut self, time: Time) {
        match self {
            RowWriter::Csv { block, .. } => block.ms(time),
            #[cfg(feature = "parquet")]
            RowWriter::Parquet(table) => table.real(time.as_ms()),
        }
    }

    pub(super) fn flag(&mut self, value: bool) {
        match self {
            RowWriter::Csv { block, .. } => block.flag(value),
            #[cfg(feature = "parquet")]
            RowWriter::Parquet(table) => table.flag(value),
        }
    }

    /// Ends a row.
    pub(super) fn end(&mut self) -> io::Result<()> {
        match self {
            RowWriter::Csv { file, block } => {
                block.end();
                if block.0.len() >= BLOCK_BYTES {
                    file.write_all(&block.0)?;
                    block.0.clear();
                }
                Ok(())
            }
            #[cfg(feature = "parquet")]
            RowWriter::Parquet(table) => table.end(),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            RowWriter::Csv { mut file, block } => file.write_all(&block.0),
            #[cfg(feature = "parquet")]
            RowWriter::Parquet(table) => table.finish(),
        }
    }
}

/// What a table's file is called.
fn file_name(name: &str, format: TableFormat) -> String {
    format!("{name}.{}", format.key())
}

/// Writes the table `name` into `folder`.
pub(super) fn write_table(
    folder: &Path,
    name: &str,
    format: TableFormat,
    columns: &[Column],
    rows: impl FnOnce(&mut RowWriter) -> io::Result<()>,
) -> Result<(), FolderError> {
    let path = folder.join(file_name(name, format));
    RowWriter::create(folder, name, format, columns)
        .and_then(|mut table| {
            rows(&mut table)?;
            table.finish()
        })
        .map_err(FolderError::io("write", &path))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn cells_keep_their_kinds() {
        let folder = tempfile::tempdir().unwrap();
        let columns = [
            ("name", ColumnKind::Text),
            ("count", ColumnKind::Integer),
            ("at_ms", ColumnKind::Real),
            ("share", ColumnKind::Real),
            ("fine", ColumnKind::Flag),
        ];
        write_table(folder.path(), "t", TableFormat::Csv, &columns, |table| {
            for (name, ns) in [("a", 2_000_000), ("b, \"c\"", 2_500_000)] {
                table.text(name.as_bytes());
                table.integer(u64::MAX);
                table.ms(Time::from_ns(ns));
                table.real(1.0);
                table.flag(ns == 2_000_000);
                table.end()?;
            }
            Ok(())
        })
        .unwrap();
        let text = std::fs::read_to_string(folder.path().join("t.csv")).unwrap();
        assert_eq!(
            text,
            "name,count,at_ms,share,fine\n\
             a,18446744073709551615,2.0,1.0,true\n\
             \"b, \"\"c\"\"\",18446744073709551615,2.5,1.0,false\n"
        );
    }
}
