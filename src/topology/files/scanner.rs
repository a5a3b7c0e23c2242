//! A file byte by byte, with one byte of foresight: for the readers of DOT and GML.

use std::io::BufRead;

use super::FileError;
use super::source::Source;

/// A word or a quoted text longer than this is none.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// A file byte by byte.
pub(super) struct Scanner<'a> {
    source: Source<'a>,
    bytes: Vec<u8>,
    at: usize,
    line: u64,
    failed: Option<String>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Scanner {
            line: source.line(),
            source,
            bytes: Vec::new(),
            at: 0,
            failed: None,
        }
    }

    /// The next byte; none at the end, and where reading failed.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        if self.at == self.bytes.len() {
            self.fill();
        }
        self.bytes.get(self.at).copied()
    }

    fn fill(&mut self) {
        const BLOCK: usize = 1 << 16;
        self.bytes.clear();
        self.at = 0;
        match self.source.fill_buf() {
            Ok(bytes) => {
                let count = bytes.len().min(BLOCK);
                self.bytes.extend_from_slice(&bytes[..count]);
                self.source.consume(count);
            }
            Err(error) => self.failed = Some(format!("cannot read on: {error}")),
        }
    }

    /// Takes the next byte.
    #[inline]
    pub(super) fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        self.line += u64::from(byte == b'\n');
        Some(byte)
    }

    /// Takes the next byte if it is this one.
    pub(super) fn take_if(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.take();
        }
        found
    }

    /// The line of the next byte, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// What is wrong here, or what was wrong with reading.
    pub(super) fn error(&mut self, message: impl Into<String>) -> FileError {
        FileError {
            line: self.line,
            message: self.failed.take().unwrap_or_else(|| message.into()),
        }
    }

    /// Takes what is not the end of the line.
    pub(super) fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.take();
        }
    }

    /// Takes bytes as long as they fit.
    pub(super) fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> Result<String, FileError> {
        let mut found = Vec::new();
        while let Some(byte) = self.peek().filter(|&byte| fits(byte)) {
            self.take();
            self.push(&mut found, byte)?;
        }
        self.text(found)
    }

    pub(super) fn push(&mut self, found: &mut Vec<u8>, byte: u8) -> Result<(), FileError> {
        if found.len() >= TEXT_BYTES_MAX {
            return Err(self.error("a text here is longer than 1 MiB"));
        }
        found.push(byte);
        Ok(())
    }

    pub(super) fn text(&mut self, bytes: Vec<u8>) -> Result<String, FileError> {
        String::from_utf8(bytes).map_err(|_| self.error("this is not UTF-8 text"))
    }
}
