//! Graphs in files, as other programs write them: which format a file has, and its reader.

mod builder;
mod dot;
mod edge_list;
mod gml;
mod json;
mod matrix_market;
mod scanner;
mod source;
mod xml;

use std::io;

use super::Graph;
use super::attributes::Attributes;
use builder::Builder;
pub use dot::{DOT_FILLS, DOT_GRAPH};
pub use matrix_market::IDS_COMMENT;
use source::Source;

/// What a graph file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphFile {
    /// Its peers and links.
    pub graph: Graph,
    /// What it says of them.
    pub attributes: Attributes,
    /// What may not be as meant: what was left out, directions, names that are no numbers.
    pub warnings: Vec<String>,
}

/// The most a graph file may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Peers.
    pub peers_max: u64,
    /// Links, repeated ones among them.
    pub links_max: u64,
}

impl Default for Limits {
    /// As many as there can be.
    fn default() -> Self {
        Limits {
            peers_max: u64::MAX,
            links_max: u64::MAX,
        }
    }
}

/// What is wrong with a graph file, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct FileError {
    /// The line, from 1.
    pub line: u64,
    /// The problem, in one line.
    pub message: String,
}

/// The formats that graphs are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// A link a line, also as CSV.
    EdgeList,
    /// GraphML or GEXF.
    Xml,
    Gml,
    Dot,
    Json,
    MatrixMarket,
}

/// Reads a graph from the bytes of a file called `name`, whose ending says which format it has:
/// `.graphml`, `.gexf`, `.gml`, `.dot` and `.gv`, `.json`, `.mtx`, `.csv`, `.tsv`, `.txt`,
/// `.edges` and `.edgelist`, each also with `.gz` or `.zst` behind it. Under any other ending its
/// first bytes say it.
///
/// # Errors
/// What is wrong with it and in which line; of an edge list the first few.
pub fn read(name: &str, bytes: &[u8], limits: Limits) -> Result<GraphFile, Vec<FileError>> {
    let failed = |error: io::Error| {
        vec![FileError {
            line: 1,
            message: format!("cannot read it: {error}"),
        }]
    };
    let mut source = Source::new(bytes).map_err(failed)?;
    let format = match by_ending(name) {
        Some(format) => format,
        None => by_content(source.beginning().map_err(failed)?),
    };
    let builder = Builder::new(limits);
    let one = |result: Result<GraphFile, FileError>| result.map_err(|error| vec![error]);
    match format {
        Format::EdgeList => edge_list::read(source, builder),
        Format::Xml => one(xml::read(source, builder)),
        Format::Gml => one(gml::read(source, builder)),
        Format::Dot => one(dot::read(source, builder)),
        Format::Json => one(json::read(source, builder)),
        Format::MatrixMarket => one(matrix_market::read(source, builder)),
    }
}

fn by_ending(name: &str) -> Option<Format> {
    let name = name.to_lowercase();
    let plain = [".gz", ".zst"]
        .iter()
        .find_map(|end| name.strip_suffix(end));
    let (_, ending) = plain.unwrap_or(&name).rsplit_once('.')?;
    Some(match ending {
        "csv" | "tsv" | "edges" | "edgelist" => Format::EdgeList,
        "graphml" | "gexf" => Format::Xml,
        "gml" => Format::Gml,
        "dot" | "gv" => Format::Dot,
        "json" => Format::Json,
        "mtx" => Format::MatrixMarket,
        _ => return None,
    })
}

fn by_content(beginning: &[u8]) -> Format {
    let mut text = beginning[..beginning.len().min(4096)].trim_ascii_start();
    while let [b'#', ..] | [b'/', b'/', ..] = text {
        let end = text.iter().position(|&byte| byte == b'\n');
        text = text[end.unwrap_or(text.len())..].trim_ascii_start();
    }
    if text.starts_with(b"%%MatrixMarket") {
        return Format::MatrixMarket;
    }
    match text.first() {
        Some(b'<') => return Format::Xml,
        Some(b'{') => return Format::Json,
        _ => {}
    }
    let word = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let first = &text[..word(text)];
    let rest = text[first.len()..].trim_ascii_start();
    let braced = text.contains(&b'{');
    match first.to_ascii_lowercase().as_slice() {
        b"graph" if rest.starts_with(b"[") => Format::Gml,
        b"creator" | b"version" => Format::Gml,
        b"graph" | b"digraph" | b"strict" if braced => Format::Dot,
        _ => Format::EdgeList,
    }
}

/// A piece of a file as an error shows it.
fn quoted(bytes: &[u8]) -> String {
    const CHARS_MAX: usize = 40;
    let text = String::from_utf8_lossy(bytes);
    let mut shown: String = text.chars().take(CHARS_MAX).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{}`", shown.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_say_the_format_else_the_content_does() {
        assert_eq!(by_ending("a/b.GraphML.gz"), Some(Format::Xml));
        assert_eq!(by_ending("x.gv.zst"), Some(Format::Dot));
        assert_eq!(by_ending("x.json.txt"), None);
        assert_eq!(by_ending("x"), None);
        for (text, format) in [
            ("1 2\n", Format::EdgeList),
            ("", Format::EdgeList),
            ("graph 2\n", Format::EdgeList),
            ("%%MatrixMarket matrix", Format::MatrixMarket),
            ("\n<?xml", Format::Xml),
            ("{\"nodes\"", Format::Json),
            ("graph [\n", Format::Gml),
            ("Creator \"x\"\ngraph", Format::Gml),
            ("graph { a -- b }", Format::Dot),
            ("strict digraph \"x\" {", Format::Dot),
        ] {
            assert_eq!(by_content(text.as_bytes()), format, "{text}");
        }
    }
}
