//! Tables as Parquet: columns of required values, compressed with Snappy.

use std::fs::File;
use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::rows::{Column, ColumnKind};

/// Rows that are kept in memory and written as one group.
const GROUP_ROWS: usize = 1 << 17;

/// The values of a column since the last group of rows.
enum Values {
    Text(Vec<ByteArray>),
    Integer(Vec<i64>),
    Real(Vec<f64>),
    Flag(Vec<bool>),
}

/// A Parquet file that is being written.
pub(super) struct ParquetTable {
    writer: SerializedFileWriter<File>,
    columns: Vec<Values>,
    /// The column of the next cell.
    next: usize,
    rows: usize,
}

impl ParquetTable {
    pub(super) fn new(file: File, columns: &[Column]) -> io::Result<Self> {
        let schema = schema(columns).map_err(io::Error::other)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))
            .map_err(io::Error::other)?;
        let columns = columns
            .iter()
            .map(|(_, kind)| match kind {
                ColumnKind::Text => Values::Text(Vec::new()),
                ColumnKind::Integer => Values::Integer(Vec::new()),
                ColumnKind::Real => Values::Real(Vec::new()),
                ColumnKind::Flag => Values::Flag(Vec::new()),
            })
            .collect();
        Ok(ParquetTable {
            writer,
            columns,
            next: 0,
            rows: 0,
        })
    }

    /// The values of the column whose turn it is.
    fn turn(&mut self) -> &mut Values {
        let values = &mut self.columns[self.next];
        self.next += 1;
        values
    }

    pub(super) fn text(&mut self, text: &[u8]) {
        match self.turn() {
            Values::Text(values) => values.push(ByteArray::from(text.to_vec())),
            _ => unreachable!("the column holds no text"),
        }
    }

    pub(super) fn integer(&mut self, value: u64) {
        match self.turn() {
            // Read back as unsigned: the column says so.
            Values::Integer(values) => values.push(value as i64),
            _ => unreachable!("the column holds no whole numbers"),
        }
    }

    pub(super) fn real(&mut self, value: f64) {
        match self.turn() {
            Values::Real(values) => values.push(value),
            _ => unreachable!("the column holds no real numbers"),
        }
    }

    pub(super) fn flag(&mut self, value: bool) {
        match self.turn() {
            Values::Flag(values) => values.push(value),
            _ => unreachable!("the column holds no flags"),
        }
    }

    pub(super) fn end(&mut self) -> io::Result<()> {
        debug_assert_eq!(self.next, self.columns.len(), "a cell for each column");
        self.next = 0;
        self.rows += 1;
        if self.rows == GROUP_ROWS {
            self.write_group().map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        for values in &mut self.columns {
            let Some(mut column) = group.next_column()? else {
                break;
            };
            match values {
                Values::Text(values) => {
                    let column = column.typed::<ByteArrayType>();
                    column.write_batch(values, None, None)?;
                    values.clear();
                }
                Values::Integer(values) => {
                    let column = column.typed::<Int64Type>();
                    column.write_batch(values, None, None)?;
                    values.clear();
                }
                Values::Real(values) => {
                    let column = column.typed::<DoubleType>();
                    column.write_batch(values, None, None)?;
                    values.clear();
                }
                Values::Flag(values) => {
                    let column = column.typed::<BoolType>();
                    column.write_batch(values, None, None)?;
                    values.clear();
                }
            }
            column.close()?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.rows > 0 {
            self.write_group().map_err(io::Error::other)?;
        }
        self.writer.close().map(|_| ()).map_err(io::Error::other)
    }
}

fn schema(columns: &[Column]) -> Result<Type> {
    let fields = columns
        .iter()
        .map(|&(name, kind)| {
            let (physical, logical) = match kind {
                ColumnKind::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
                ColumnKind::Integer => (PhysicalType::INT64, Some(LogicalType::integer(64, false))),
                ColumnKind::Real => (PhysicalType::DOUBLE, None),
                ColumnKind::Flag => (PhysicalType::BOOLEAN, None),
            };
            Type::primitive_type_builder(name, physical)
                .with_repetition(Repetition::REQUIRED)
                .with_logical_type(logical)
                .build()
                .map(Arc::new)
        })
        .collect::<Result<Vec<_>>>()?;
    Type::group_type_builder("table")
        .with_fields(fields)
        .build()
}
