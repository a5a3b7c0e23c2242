//! Draws for other programs: CSV and JSON with the same columns, written as they are made.

use std::io::{self, Write};

use serde_json::Value;

use super::{BLOCK, Latencies, Peers, Series, Subject, TypeDraws};

/// How draws are written for other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFormat {
    /// A row a draw, under a header.
    Csv,
    /// A list of draws: of numbers where there is one column, else of objects.
    Json,
}

/// Writes `count` draws of everything in `subject`, one law after the other.
///
/// The columns are that of the law alone; `draw, from, to` and the latency in ms; `draw,
/// peer_type, location, bandwidth_ul_bit_per_s, bandwidth_dl_bit_per_s`; or, for latencies and
/// peers at once, `draw, path, value` in ms and bit/s.
///
/// # Errors
/// When `out` refuses, or a bandwidth is hardly ever positive.
pub fn write_rows(
    subject: &Subject,
    count: u64,
    format: RowFormat,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut rows = Rows::new(format, out);
    match subject {
        Subject::Law(series) => {
            rows.header(&[&series.column])?;
            rows.numbers(series.clone(), count)?;
        }
        Subject::Latencies(latencies) => {
            let column = latencies.meaning().1;
            rows.header(&["draw", "from", "to", column])?;
            let names = &latencies.plan.locations;
            for (from, to, series) in latencies.pairs() {
                let keys = [("from", &*names[from]), ("to", &*names[to])];
                rows.numbered(series, count, &keys, column)?;
            }
        }
        Subject::Peers(peers) => {
            rows.header(&PEER_COLUMNS)?;
            for draws in peers.types() {
                rows.peers(draws, count)?;
            }
        }
        Subject::Both(latencies, peers) => {
            rows.header(&["draw", "path", "value"])?;
            rows.latency_paths(latencies, count)?;
            rows.peer_paths(peers, count)?;
        }
    }
    rows.finish()
}

const PEER_COLUMNS: [&str; 5] = [
    "draw",
    "peer_type",
    "location",
    "bandwidth_ul_bit_per_s",
    "bandwidth_dl_bit_per_s",
];

/// Rows on their way out, a block at a time.
struct Rows<'o, W> {
    format: RowFormat,
    out: &'o mut W,
    text: Vec<u8>,
    /// Whether the next row follows another one of a JSON list.
    comma: bool,
}

impl<'o, W: Write> Rows<'o, W> {
    fn new(format: RowFormat, out: &'o mut W) -> Self {
        Rows {
            format,
            out,
            text: Vec::with_capacity(64 * BLOCK),
            comma: false,
        }
    }

    fn header(&mut self, columns: &[&str]) -> io::Result<()> {
        match self.format {
            RowFormat::Csv => self.text.extend(csv_fields(columns)?),
            RowFormat::Json => self.text.push(b'['),
        }
        Ok(())
    }

    /// Goes on to the next row.
    fn next(&mut self) {
        if self.comma {
            self.text.push(b',');
        }
        self.comma = self.format == RowFormat::Json;
        self.text.push(b'\n');
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.text.extend_from_slice(match self.format {
            RowFormat::Csv => b"\n",
            RowFormat::Json => b"\n]\n",
        });
        self.flush()
    }

    /// The shortest text that is read back as the same number.
    fn number(&mut self, value: f64) {
        if self.format == RowFormat::Json && !value.is_finite() {
            self.text.extend_from_slice(b"null");
        } else {
            let mut buffer = zmij::Buffer::new();
            self.text.extend_from_slice(buffer.format(value).as_bytes());
        }
    }

    /// A column of numbers and nothing else.
    fn numbers(&mut self, series: Series, count: u64) -> io::Result<()> {
        series.draw(count, |_, block| {
            for &value in block {
                self.next();
                self.number(value);
            }
            self.flush()
        })
    }

    /// Rows of the draw's number, `keys` with their values, and the draw under `column`.
    fn numbered(
        &mut self,
        series: Series,
        count: u64,
        keys: &[(&str, &str)],
        column: &str,
    ) -> io::Result<()> {
        let row = Frame::new(self.format, keys, column)?;
        series.draw(count, |first, block| {
            for (draw, &value) in (first..).zip(block) {
                self.next();
                row.open(draw, &mut self.text);
                self.number(value);
                self.text.extend_from_slice(row.close);
            }
            self.flush()
        })
    }

    fn latency_paths(&mut self, latencies: &Latencies, count: u64) -> io::Result<()> {
        for (from, to, series) in latencies.pairs() {
            let path = latencies.path(from, to);
            self.numbered(series, count, &[("path", &path)], "value")?;
        }
        Ok(())
    }

    fn peer_paths(&mut self, peers: &Peers, count: u64) -> io::Result<()> {
        for mut draws in peers.types() {
            let path = |key| format!("peer_types.{}.{key}", draws.peer_type.name);
            let [location, upload, download] =
                ["location", "bandwidth_ul", "bandwidth_dl"].map(path);
            let row = Frame::new(self.format, &[("path", &location)], "value")?;
            for draw in 1..=count {
                let name = Self::text(self.format, draws.next_location())?;
                self.next();
                row.open(draw, &mut self.text);
                self.text.extend(name);
                self.text.extend_from_slice(row.close);
                if draw % BLOCK as u64 == 0 {
                    self.flush()?;
                }
            }
            self.numbered(draws.upload, count, &[("path", &upload)], "value")?;
            self.numbered(draws.download, count, &[("path", &download)], "value")?;
        }
        Ok(())
    }

    /// A row a peer.
    fn peers(&mut self, mut draws: TypeDraws, count: u64) -> io::Result<()> {
        let mut uploads = vec![0.0; BLOCK.min(count as usize)];
        let mut downloads = uploads.clone();
        let name = draws.peer_type.name.clone();
        let (format, keys) = (self.format, [("peer_type", name.as_str())]);
        let row = Frame::new(format, &keys, PEER_COLUMNS[2])?;
        let [upload, download] = [PEER_COLUMNS[3], PEER_COLUMNS[4]].map(|column| match format {
            RowFormat::Csv => ",".to_owned(),
            RowFormat::Json => format!(",\"{column}\":"),
        });
        let mut done = 0;
        while done < count {
            let size = (count - done).min(BLOCK as u64) as usize;
            draws.upload.fill(&mut uploads[..size])?;
            draws.download.fill(&mut downloads[..size])?;
            for place in 0..size {
                let location = Self::text(format, draws.next_location())?;
                self.next();
                row.open(done + place as u64 + 1, &mut self.text);
                self.text.extend(location);
                self.text.extend_from_slice(upload.as_bytes());
                self.number(uploads[place]);
                self.text.extend_from_slice(download.as_bytes());
                self.number(downloads[place]);
                self.text.extend_from_slice(row.close);
            }
            self.flush()?;
            done += size as u64;
        }
        Ok(())
    }

    fn text(format: RowFormat, text: &str) -> io::Result<Vec<u8>> {
        match format {
            RowFormat::Csv => csv_fields(&[text]),
            RowFormat::Json => Ok(Value::from(text).to_string().into_bytes()),
        }
    }
}

/// What stands around the number of a draw and its value.
struct Frame {
    head: &'static [u8],
    middle: Vec<u8>,
    close: &'static [u8],
}

impl Frame {
    fn new(format: RowFormat, keys: &[(&str, &str)], column: &str) -> io::Result<Self> {
        match format {
            RowFormat::Csv => {
                let values: Vec<&str> = keys.iter().map(|&(_, value)| value).collect();
                let mut middle = vec![b','];
                middle.extend(csv_fields(&values)?);
                middle.push(b',');
                Ok(Frame {
                    head: b"",
                    middle,
                    close: b"",
                })
            }
            RowFormat::Json => {
                let mut middle = String::from(",");
                for &(key, value) in keys {
                    middle.push_str(&format!("\"{key}\":{},", Value::from(value)));
                }
                middle.push_str(&format!("\"{column}\":"));
                Ok(Frame {
                    head: b"{\"draw\":",
                    middle: middle.into_bytes(),
                    close: b"}",
                })
            }
        }
    }

    fn open(&self, draw: u64, text: &mut Vec<u8>) {
        text.extend_from_slice(self.head);
        text.extend_from_slice(itoa::Buffer::new().format(draw).as_bytes());
        text.extend_from_slice(&self.middle);
    }
}

/// Fields as CSV has them, without the end of the line.
fn csv_fields(fields: &[&str]) -> io::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(fields)
        .map_err(crate::report::graph::into_io)?;
    let mut line = out.into_inner().map_err(|error| error.into_error())?;
    line.pop();
    Ok(line)
}
