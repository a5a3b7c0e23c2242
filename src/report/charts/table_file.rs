//! Reading the tables that a run wrote, CSV or Parquet, block by block.

use std::path::{Path, PathBuf};

use super::past_run::ReadError;
use crate::record::TableFormat;
use crate::report::rows::{Column, ColumnKind};

/// Rows of CSV that are handed on at once.
const BLOCK_ROWS: usize = 4096;

/// A table of a run's folder.
pub(super) struct TableFile {
    path: PathBuf,
    format: TableFormat,
}

/// Some rows of a table: the columns that were asked for, in that order.
pub(super) struct Block {
    pub rows: usize,
    columns: Vec<Cells>,
}

/// The cells of a column.
enum Cells {
    Text { bytes: String, ends: Vec<usize> },
    Integer(Vec<u64>),
    Real(Vec<f64>),
    Flag(Vec<bool>),
}

impl Cells {
    fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Text => Cells::Text {
                bytes: String::new(),
                ends: Vec::new(),
            },
            ColumnKind::Integer => Cells::Integer(Vec::new()),
            ColumnKind::Real => Cells::Real(Vec::new()),
            ColumnKind::Flag => Cells::Flag(Vec::new()),
        }
    }

    fn clear(&mut self) {
        match self {
            Cells::Text { bytes, ends } => {
                bytes.clear();
                ends.clear();
            }
            Cells::Integer(values) => values.clear(),
            Cells::Real(values) => values.clear(),
            Cells::Flag(values) => values.clear(),
        }
    }

    fn push_text(&mut self, text: &str) -> Result<(), String> {
        fn parsed<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, String> {
            text.trim()
                .parse()
                .map_err(|_| format!("`{text}` is no {what}"))
        }
        match self {
            Cells::Text { bytes, ends } => {
                bytes.push_str(text);
                ends.push(bytes.len());
            }
            Cells::Integer(values) => values.push(parsed(text, "whole number")?),
            Cells::Real(values) => values.push(parsed(text, "number")?),
            Cells::Flag(values) => values.push(parsed(text, "`true` or `false`")?),
        }
        Ok(())
    }
}

impl Block {
    /// The cells of a text column, by row.
    pub fn text(&self, column: usize, row: usize) -> &str {
        match &self.columns[column] {
            Cells::Text { bytes, ends } => {
                let start = row.checked_sub(1).map_or(0, |before| ends[before]);
                &bytes[start..ends[row]]
            }
            _ => unreachable!("the column was asked for as text"),
        }
    }

    pub fn integers(&self, column: usize) -> &[u64] {
        match &self.columns[column] {
            Cells::Integer(values) => values,
            _ => unreachable!("the column was asked for as whole numbers"),
        }
    }

    pub fn reals(&self, column: usize) -> &[f64] {
        match &self.columns[column] {
            Cells::Real(values) => values,
            _ => unreachable!("the column was asked for as numbers"),
        }
    }
}

impl TableFile {
    /// The table `name` of a run, if it wrote it.
    ///
    /// # Errors
    /// If it is a Parquet file and this program cannot read those.
    pub fn find(folder: &Path, name: &str) -> Result<Option<Self>, ReadError> {
        for format in TableFormat::ALL {
            let path = folder.join(format!("{name}.{}", format.key()));
            if !path.is_file() {
                continue;
            }
            if format == TableFormat::Parquet && !cfg!(feature = "parquet") {
                return Err(ReadError::NoParquet(path));
            }
            return Ok(Some(TableFile { path, format }));
        }
        Ok(None)
    }

    /// Hands all rows to `each`, with these columns.
    ///
    /// # Errors
    /// If the file cannot be read, lacks a column, or has cells of another kind.
    pub fn read(&self, columns: &[Column], each: impl FnMut(&Block)) -> Result<(), ReadError> {
        let read = match self.format {
            TableFormat::Csv => self.read_csv(columns, each),
            #[cfg(feature = "parquet")]
            TableFormat::Parquet => parquet_file::read(&self.path, columns, each),
            #[cfg(not(feature = "parquet"))]
            TableFormat::Parquet => Err("it is a Parquet file".to_owned()),
        };
        read.map_err(|problem| ReadError::Damaged {
            path: self.path.clone(),
            problem,
        })
    }

    fn read_csv(&self, columns: &[Column], mut each: impl FnMut(&Block)) -> Result<(), String> {
        let mut reader = csv::Reader::from_path(&self.path).map_err(|error| error.to_string())?;
        let header = reader.headers().map_err(|error| error.to_string())?;
        let places = columns
            .iter()
            .map(|&(name, _)| {
                let place = header.iter().position(|column| column == name);
                place.ok_or_else(|| lacks(name))
            })
            .collect::<Result<Vec<usize>, String>>()?;
        let mut block = Block {
            rows: 0,
            columns: columns.iter().map(|&(_, kind)| Cells::new(kind)).collect(),
        };
        let mut record = csv::StringRecord::new();
        while reader
            .read_record(&mut record)
            .map_err(|error| error.to_string())?
        {
            for ((cells, &place), (name, _)) in block.columns.iter_mut().zip(&places).zip(columns) {
                let text = record.get(place).unwrap_or_default();
                cells.push_text(text).map_err(|problem| {
                    let line = record.position().map_or(0, csv::Position::line);
                    format!("line {line}, column {name}: {problem}")
                })?;
            }
            block.rows += 1;
            if block.rows == BLOCK_ROWS {
                each(&block);
                block.rows = 0;
                block.columns.iter_mut().for_each(Cells::clear);
            }
        }
        if block.rows > 0 {
            each(&block);
        }
        Ok(())
    }
}

fn lacks(column: &str) -> String {
    format!("it has no column {column}")
}

/// Parquet, a group of rows at a time.
#[cfg(feature = "parquet")]
mod parquet_file {
    use std::fs::File;
    use std::path::Path;

    use parquet::column::reader::ColumnReader;
    use parquet::data_type::ByteArray;
    use parquet::errors::ParquetError;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::{Block, Cells, Column, lacks};

    pub(super) fn read(
        path: &Path,
        columns: &[Column],
        mut each: impl FnMut(&Block),
    ) -> Result<(), String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let shown = |error: ParquetError| error.to_string();
        let reader = SerializedFileReader::new(file).map_err(shown)?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let places = columns
            .iter()
            .map(|&(name, _)| {
                let place =
                    (0..schema.num_columns()).find(|&place| schema.column(place).name() == name);
                place.ok_or_else(|| lacks(name))
            })
            .collect::<Result<Vec<usize>, String>>()?;
        for number in 0..reader.num_row_groups() {
            let group = reader.get_row_group(number).map_err(shown)?;
            let rows = group.metadata().num_rows().max(0) as usize;
            let mut read = Vec::with_capacity(columns.len());
            for (&place, &(name, kind)) in places.iter().zip(columns) {
                let column = group.get_column_reader(place).map_err(shown)?;
                let mut cells = Cells::new(kind);
                let taken = fill(column, &mut cells, rows).map_err(shown)?;
                if taken != Some(rows) {
                    return Err(format!(
                        "column {name} is of another kind than a run writes"
                    ));
                }
                read.push(cells);
            }
            each(&Block {
                rows,
                columns: read,
            });
        }
        Ok(())
    }

    /// How many cells there were; nothing if they are of another kind.
    fn fill(
        column: ColumnReader,
        cells: &mut Cells,
        rows: usize,
    ) -> Result<Option<usize>, ParquetError> {
        let (taken, _, _) = match (column, cells) {
            (ColumnReader::ByteArrayColumnReader(mut column), Cells::Text { bytes, ends }) => {
                let mut values: Vec<ByteArray> = Vec::with_capacity(rows);
                let taken = column.read_records(rows, None, None, &mut values)?;
                for value in values {
                    bytes.push_str(&String::from_utf8_lossy(value.data()));
                    ends.push(bytes.len());
                }
                taken
            }
            (ColumnReader::Int64ColumnReader(mut column), Cells::Integer(values)) => {
                let mut signed = Vec::with_capacity(rows);
                let taken = column.read_records(rows, None, None, &mut signed)?;
                values.extend(signed.into_iter().map(|value| value as u64));
                taken
            }
            (ColumnReader::DoubleColumnReader(mut column), Cells::Real(values)) => {
                column.read_records(rows, None, None, values)?
            }
            (ColumnReader::BoolColumnReader(mut column), Cells::Flag(values)) => {
                column.read_records(rows, None, None, values)?
            }
            _ => return Ok(None),
        };
        Ok(Some(taken))
    }
}
