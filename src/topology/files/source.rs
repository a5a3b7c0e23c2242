//! The bytes of a graph file as its reader sees them: decompressed on the way, lines counted.

use std::io::{self, BufRead, BufReader, Read};

/// The most bytes that a compressed file may become.
const BYTES_MAX: u64 = 16 << 30;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A stream of bytes that knows its line.
pub(super) struct Source<'a> {
    inner: Box<dyn BufRead + 'a>,
    /// The line of the next byte, from 1.
    line: u64,
}

impl<'a> Source<'a> {
    /// The content of a file with these bytes: what gzip or Zstandard made of it is undone.
    pub(super) fn new(bytes: &'a [u8]) -> io::Result<Self> {
        let inner: Box<dyn BufRead + 'a> = if bytes.starts_with(GZIP_MAGIC) {
            buffered(flate2::read::MultiGzDecoder::new(bytes))
        } else if bytes.starts_with(ZSTD_MAGIC) {
            buffered(Frames {
                rest: bytes,
                current: None,
            })
        } else {
            Box::new(bytes)
        };
        let mut source = Source { inner, line: 1 };
        if source.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
            source.consume(BYTE_ORDER_MARK.len());
        }
        Ok(source)
    }

    /// The line of the next byte, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Reads a line into `line`, without its end; whether there was one.
    pub(super) fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        if self.inner.read_until(b'\n', line)? == 0 {
            return Ok(false);
        }
        self.line += 1;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        Ok(true)
    }

    /// The first bytes, which stay to be read.
    pub(super) fn beginning(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }
}

fn buffered<'a>(inner: impl Read + 'a) -> Box<dyn BufRead + 'a> {
    let limited = Limited {
        inner,
        left: BYTES_MAX,
    };
    Box::new(BufReader::with_capacity(1 << 16, limited))
}

impl Read for Source<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.len().min(out.len());
        out[..count].copy_from_slice(&self.fill_buf()?[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        // What was filled is there still; an error would have been seen when it was.
        if let Ok(bytes) = self.inner.fill_buf() {
            let taken = &bytes[..count.min(bytes.len())];
            self.line += taken.iter().filter(|&&byte| byte == b'\n').count() as u64;
        }
        self.inner.consume(count);
    }
}

/// Refuses what grows without end.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other(format!("it is larger than {} GiB", BYTES_MAX >> 30))
        })?;
        Ok(count)
    }
}

/// Zstandard frames, one after the other, as `cat a.zst b.zst` leaves them.
struct Frames<'a> {
    rest: &'a [u8],
    current: Option<ruzstd::decoding::StreamingDecoder<&'a [u8], ruzstd::decoding::FrameDecoder>>,
}

impl Read for Frames<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.current.is_none() {
                if self.rest.is_empty() {
                    return Ok(0);
                }
                let decoder = ruzstd::decoding::StreamingDecoder::new(self.rest)
                    .map_err(|error| io::Error::other(error.to_string()))?;
                self.current = Some(decoder);
            }
            if let Some(decoder) = &mut self.current {
                let count = decoder.read(out)?;
                if count > 0 || out.is_empty() {
                    return Ok(count);
                }
            }
            if let Some(decoder) = self.current.take() {
                self.rest = decoder.into_inner();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut source = Source::new(bytes).expect("readable");
        let mut found = Vec::new();
        let mut line = Vec::new();
        while source.next_line(&mut line).expect("readable") {
            found.push(format!(
                "{} {}",
                source.line() - 1,
                String::from_utf8_lossy(&line)
            ));
        }
        found
    }

    #[test]
    fn compressed_files_read_as_what_they_hold() {
        let plain = b"\xef\xbb\xbfa\nb\n\nc";
        let expected = ["1 a", "2 b", "3 ", "4 c"];
        assert_eq!(lines(plain), expected);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(plain).expect("memory takes it");
        let gzip = gzip.finish().expect("memory takes it");
        assert_eq!(lines(&gzip), expected);
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        let zstd = ruzstd::encoding::compress_to_vec(&plain[..], level);
        assert_eq!(lines(&zstd), expected);
        let twice = [zstd.clone(), zstd].concat();
        assert_eq!(lines(&twice).len(), 7);
    }

    #[test]
    fn bytes_are_counted_whichever_way_they_are_read() {
        let mut source = Source::new(b"a\nb\nc").expect("readable");
        let mut two = [0; 2];
        source.read_exact(&mut two).expect("two bytes");
        assert_eq!((two, source.line()), (*b"a\n", 2));
        let mut rest = Vec::new();
        source.read_to_end(&mut rest).expect("the rest");
        assert_eq!((&rest[..], source.line()), (&b"b\nc"[..], 3));
    }

    #[test]
    fn damaged_streams_are_errors() {
        let read = |bytes: &[u8]| {
            let mut rest = Vec::new();
            Source::new(bytes).and_then(|mut source| source.read_to_end(&mut rest))
        };
        assert!(read(&[0x1f, 0x8b, 8, 0, 1]).is_err());
        assert!(read(&[0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]).is_err());
    }
}
