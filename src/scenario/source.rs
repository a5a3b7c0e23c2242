//! The texts a scenario is made of, and places in them.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

/// The largest scenario file: above it a list of links or a matrix belongs into a file of its own.
pub const SCENARIO_BYTES_MAX: u64 = 16 << 20;

/// The largest file of links or latencies.
pub const DATA_BYTES_MAX: u64 = 64 << 20;

/// A text with the name that errors show for it: a path, or `--set`.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its path as the user gave it, or the flag it was given with.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// All texts that a scenario is made of.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<SourceFile>);

/// Bytes of one of the [`Sources`]; no text has more than 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which of the sources.
    pub source: u32,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Place {
    /// The bytes as a range.
    pub fn span(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The part of this place that `span`, counted from its start, covers.
    pub(super) fn part(self, span: Range<usize>) -> Place {
        let at = |offset: usize| {
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            self.start.saturating_add(offset).min(self.end)
        };
        Place {
            source: self.source,
            start: at(span.start),
            end: at(span.end),
        }
    }
}

impl Sources {
    /// Adds a text and returns its number.
    pub(super) fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> u32 {
        self.0.push(SourceFile {
            name: name.into(),
            text: text.into(),
        });
        (self.0.len() - 1) as u32
    }

    /// The text with this number.
    pub fn get(&self, source: u32) -> Option<&SourceFile> {
        self.0.get(source as usize)
    }

    /// The text at a place; empty where there is none.
    pub(super) fn text(&self, place: Place) -> &str {
        self.get(place.source)
            .and_then(|source| source.text.get(place.span()))
            .unwrap_or_default()
    }
}

/// Reads a whole regular file of at most `limit` bytes.
///
/// Pipes and devices are refused: opening one may wait forever, and reading one may never end.
///
/// # Errors
/// Why the file cannot be read, to follow "cannot read <name>: ".
pub(super) fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| plain_io_error(&error))?;
    if metadata.is_dir() {
        return Err("it is a folder".to_owned());
    }
    if !metadata.is_file() {
        return Err("it is a pipe or a device, not a regular file".to_owned());
    }
    let file = File::open(path).map_err(|error| plain_io_error(&error))?;
    let mut bytes = Vec::with_capacity(metadata.len().min(limit) as usize + 1);
    // A file may grow after its length was asked for, and some claim to be empty.
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| plain_io_error(&error))?;
    if bytes.len() as u64 > limit {
        return Err(format!(
            "it is larger than {}",
            crate::units::show_bytes(limit)
        ));
    }
    Ok(bytes)
}

/// The system's wording without its error number.
fn plain_io_error(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_above_the_limit_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read_limited(&path, 5).unwrap(), b"12345");
        assert_eq!(
            read_limited(&path, 4).unwrap_err(),
            "it is larger than 4 B"
        );
        assert_eq!(read_limited(folder.path(), 4).unwrap_err(), "it is a folder");
        assert_eq!(
            read_limited(&folder.path().join("b"), 4).unwrap_err(),
            "there is no such file"
        );
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_refused() {
        assert_eq!(
            read_limited(Path::new("/dev/zero"), 4).unwrap_err(),
            "it is a pipe or a device, not a regular file"
        );
    }

    #[test]
    fn parts_stay_within_their_place() {
        let place = Place {
            source: 0,
            start: 5,
            end: 9,
        };
        assert_eq!(place.part(1..3).span(), 6..8);
        assert_eq!(place.part(2..30).span(), 7..9);
    }
}
