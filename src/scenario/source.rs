//! Texts that errors point into: the scenario file, the files it names, the command line.

use std::ops::Range;

/// A text and what it is called.
#[derive(Clone, Debug)]
pub(super) struct SourceFile {
    pub(super) name: String,
    pub(super) text: String,
}

/// All texts of a scenario.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources(Vec<SourceFile>);

/// Bytes of one of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    source: u16,
    start: u32,
    end: u32,
}

impl Place {
    pub(super) fn new(source: u16, span: Range<usize>) -> Self {
        // Texts are refused above a size far below 4 GiB.
        Place {
            source,
            start: span.start as u32,
            end: span.end as u32,
        }
    }

    pub(super) fn source(self) -> u16 {
        self.source
    }

    pub(super) fn span(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The bytes `span` of this place.
    pub(super) fn within(self, span: Range<usize>) -> Self {
        let start = self.start as usize;
        Place::new(self.source, start + span.start..start + span.end)
    }
}

impl Sources {
    pub(super) fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> u16 {
        self.0.push(SourceFile {
            name: name.into(),
            text: text.into(),
        });
        (self.0.len() - 1) as u16
    }

    pub(super) fn get(&self, source: u16) -> &SourceFile {
        &self.0[source as usize]
    }
}
