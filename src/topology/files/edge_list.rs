//! Link lists: `a b` a line (edge list) or CSV, with comments and any usual separator.

use super::builder::{Builder, whole};
use super::source::Source;
use super::{FileError, GraphFile, quoted};
use crate::topology::attributes::Value;

/// After this many bad lines the rest is not worth reading.
const ERRORS_MAX: usize = 5;

/// What the columns of the two ends may be called.
const ENDS: [(&str, &str); 4] = [
    ("source", "target"),
    ("from", "to"),
    ("src", "dst"),
    ("u", "v"),
];

/// Where the two ends stand, and what the other columns are called.
struct Header {
    source: usize,
    target: usize,
    /// By column; empty where a column is left alone.
    names: Vec<String>,
    /// Whether the file has none, so that this is what is usual.
    guessed: bool,
}

impl Header {
    /// That of a file without a header: the ends first, then perhaps a weight.
    fn none() -> Self {
        Header {
            source: 0,
            target: 1,
            names: vec![String::new(), String::new(), "weight".into()],
            guessed: true,
        }
    }

    fn of(fields: &[Vec<u8>]) -> (Self, bool) {
        let mut names: Vec<String> = fields
            .iter()
            .map(|field| String::from_utf8_lossy(field).into_owned())
            .collect();
        let place = |wanted| names.iter().position(|n| n.eq_ignore_ascii_case(wanted));
        let ends = ENDS
            .iter()
            .find_map(|&(source, target)| place(source).zip(place(target)));
        let (source, target) = ends.unwrap_or((0, 1));
        for end in [source, target] {
            if let Some(name) = names.get_mut(end) {
                name.clear();
            }
        }
        let header = Header {
            source,
            target,
            names,
            guessed: false,
        };
        (header, ends.is_some())
    }
}

/// Reads a line a link, its two peers first, parted by blanks, tabs, commas, semicolons or bars.
/// Lines that begin with `#` or `%` are comments. A first line that names `source` and `target`
/// (or `from` and `to`, `src` and `dst`, `u` and `v`) is a header, as is any other first line
/// without a number when the second begins with one. Further columns of a header are attributes;
/// without one a third number is a `weight`, and `{'latency': 12}` is networkx's way to give some.
pub(super) fn read(
    mut source: Source<'_>,
    mut builder: Builder,
) -> Result<GraphFile, Vec<FileError>> {
    let mut notes = Notes::default();
    let mut header = Header::none();
    // The first line, as long as it is not clear whether it is a header.
    let mut pending: Option<(u64, Vec<u8>)> = None;
    let mut begun = false;
    let mut line = Vec::new();
    let mut fields = Vec::new();
    loop {
        let number = source.line();
        match source.next_line(&mut line) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let message = format!("cannot read on: {error}");
                notes.errors.push(FileError {
                    line: number,
                    message,
                });
                break;
            }
        }
        let text = line.trim_ascii();
        if text.is_empty() || matches!(text[0], b'#' | b'%') {
            continue;
        }
        if !begun {
            begun = true;
            if !starts_like_number(text) && split(text, &mut fields).is_ok() && fields.len() > 1 {
                let (named, known) = Header::of(&fields);
                if known {
                    header = named;
                } else {
                    pending = Some((number, text.to_vec()));
                }
                continue;
            }
        }
        if let Some((first_number, first)) = pending.take() {
            if starts_like_number(text) {
                // `first` was read as fields before.
                if split(&first, &mut fields).is_ok() {
                    header = Header::of(&fields).0;
                    builder.warn(format!(
                        "line {first_number}, {}, is taken for names of columns, since a number \
                         follows; call the peers' columns `source` and `target`",
                        quoted(&first)
                    ));
                }
            } else {
                let result = link(&first, first_number, &header, &mut fields, &mut builder);
                notes.take(first_number, result);
            }
        }
        let result = link(text, number, &header, &mut fields, &mut builder);
        notes.take(number, result);
        if notes.errors.len() >= ERRORS_MAX {
            break;
        }
    }
    if let Some((number, first)) = pending {
        let result = link(&first, number, &header, &mut fields, &mut builder);
        notes.take(number, result);
    }
    if notes.errors.is_empty() && builder.links() == 0 {
        notes.errors.push(FileError {
            line: 1,
            message: "the file names no link; write two peers a line".into(),
        });
    }
    if let Some(warning) = notes.warning(&header) {
        builder.warn(warning);
    }
    if notes.errors.is_empty() {
        builder.finish().map_err(|error| vec![error])
    } else {
        Err(notes.errors)
    }
}

/// What is to be said of the lines.
#[derive(Default)]
struct Notes {
    errors: Vec<FileError>,
    /// Lines of which a part was left out, and the first of them.
    cut: u64,
    cut_first: u64,
}

impl Notes {
    fn take(&mut self, line: u64, read: Result<Read, String>) {
        match read {
            Ok(Read::Whole) => {}
            Ok(Read::Cut) => {
                if self.cut == 0 {
                    self.cut_first = line;
                }
                self.cut += 1;
            }
            Err(message) => self.errors.push(FileError { line, message }),
        }
    }

    fn warning(&self, header: &Header) -> Option<String> {
        let (count, first) = (self.cut, self.cut_first);
        let lines = match count {
            0 => return None,
            1 => format!("line {first} has"),
            _ => format!("{count} lines (the first: line {first}) have"),
        };
        Some(if header.guessed {
            format!(
                "{lines} more than two peers and a weight, which is left out; a first line \
                 `source target NAME ...` makes attributes of it"
            )
        } else {
            format!("{lines} more columns than the header; what is beyond it is left out")
        })
    }
}

/// How much of a line was used.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Read {
    Whole,
    Cut,
}

fn starts_like_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    matches!(text, [b'0'..=b'9' | b'-', ..])
}

/// Two whole numbers with blanks between and nothing else: what most lines of large files are.
fn two_numbers(text: &[u8]) -> Option<(u64, u64)> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b',' | b';');
    let end = text.iter().position(blank)?;
    let rest = match text[end] {
        b' ' | b'\t' => text[end..].trim_ascii_start(),
        _ => &text[end + 1..],
    };
    Some((whole(&text[..end])?, whole(rest)?))
}

fn link(
    text: &[u8],
    line: u64,
    header: &Header,
    fields: &mut Vec<Vec<u8>>,
    builder: &mut Builder,
) -> Result<Read, String> {
    if let Some((a, b)) = two_numbers(text)
        && (header.source, header.target) == (0, 1)
    {
        let ends = (builder.peer_numbered(a)?, builder.peer_numbered(b)?);
        builder.link(ends.0, ends.1)?;
        return Ok(Read::Whole);
    }
    let (text, dictionary) = match text.iter().position(|&byte| byte == b'{') {
        Some(at) if header.guessed && text.ends_with(b"}") => (&text[..at], Some(&text[at..])),
        _ => (text, None),
    };
    let by_comma = split(text, fields)?;
    let (Some(a), Some(b)) = (fields.get(header.source), fields.get(header.target)) else {
        return Err("a link needs two peers".into());
    };
    if a.is_empty() || b.is_empty() {
        return Err("a link needs two peers".into());
    }
    // Prose is no edge list.
    let extra = fields.get(2).filter(|_| !by_comma && header.guessed);
    if let Some(extra) = extra
        && whole(a).is_none()
        && !starts_like_number(extra)
    {
        let shown = quoted(text);
        return Err(format!(
            "{shown} is no link; write two peers, or use commas where names have blanks"
        ));
    }
    let (a, b) = (builder.peer(a)?, builder.peer(b)?);
    let link = builder.link(a, b)?;
    let mut beyond = fields.iter().skip(header.names.len());
    let mut cut = beyond.any(|field| !field.is_empty());
    for (field, name) in fields.iter().zip(&header.names) {
        if name.is_empty() || field.is_empty() {
            continue;
        }
        let value = Value::guess(&String::from_utf8_lossy(field));
        // Without a header only a number is known to be a weight.
        if !header.guessed || !matches!(value, Value::Text(_)) {
            builder.link_says(link, name, line, value)?;
        } else {
            cut = true;
        }
    }
    if let Some(dictionary) = dictionary {
        for (name, value) in python_dictionary(dictionary)? {
            builder.link_says(link, &name, line, value)?;
        }
    }
    Ok(if cut { Read::Cut } else { Read::Whole })
}

/// Takes a line apart; whether by commas (or semicolons, bars) rather than blanks.
fn split(text: &[u8], fields: &mut Vec<Vec<u8>>) -> Result<bool, String> {
    let separates = |byte: &u8| matches!(byte, b',' | b';' | b'|');
    let mut quoted_now = false;
    let by_comma = text.iter().any(|byte| {
        quoted_now ^= *byte == b'"';
        !quoted_now && separates(byte)
    });
    let separator = text
        .iter()
        .copied()
        .filter(|byte| separates(byte))
        .find(|byte| {
            // A semicolon parts fields in which commas are decimal or part of an expression.
            *byte == b';' || !text.contains(&b';')
        });
    let mut count = 0;
    let mut push = |field: &[u8]| {
        if count == fields.len() {
            fields.push(Vec::new());
        }
        fields[count].clear();
        fields[count].extend_from_slice(field);
        count += 1;
    };
    let mut rest = text;
    loop {
        rest = rest.trim_ascii_start();
        if let [b'"', inner @ ..] = rest {
            let mut field = Vec::new();
            let mut at = 0;
            loop {
                match (inner.get(at), inner.get(at + 1)) {
                    (Some(b'"'), Some(b'"')) => {
                        field.push(b'"');
                        at += 2;
                    }
                    (Some(b'"'), _) => break,
                    (Some(&byte), _) => {
                        field.push(byte);
                        at += 1;
                    }
                    (None, _) => return Err("a quote is not closed in this line".into()),
                }
            }
            push(&field);
            rest = inner[at + 1..].trim_ascii_start();
        } else {
            let ends = |byte: &u8| match separator {
                Some(separator) if by_comma => *byte == separator,
                _ => matches!(byte, b' ' | b'\t'),
            };
            let end = rest.iter().position(ends).unwrap_or(rest.len());
            push(rest[..end].trim_ascii());
            rest = &rest[end..];
        }
        if by_comma {
            match rest.first() {
                None => break,
                Some(_) => rest = &rest[1..],
            }
        } else if rest.trim_ascii_start().is_empty() {
            break;
        }
    }
    fields.truncate(count);
    Ok(by_comma)
}

/// `{'latency': 12, 'kind': "fast"}`, as networkx writes the data of a link.
fn python_dictionary(text: &[u8]) -> Result<Vec<(String, Value)>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "this is not UTF-8 text")?;
    let bad = || {
        format!(
            "{} is not understood; write {{'name': value}}",
            quoted(text.as_bytes())
        )
    };
    let mut rest = text[1..text.len() - 1].trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (name, after) = python_text(rest).ok_or_else(bad)?;
        let after = after.trim_start().strip_prefix(':').ok_or_else(bad)?;
        let after = after.trim_start();
        let (value, after) = match python_text(after) {
            Some((text, after)) => (Value::Text(text.into()), after),
            None => {
                let end = after.find(',').unwrap_or(after.len());
                let value = Value::guess(after[..end].trim());
                if matches!(value, Value::Text(_)) {
                    return Err(bad());
                }
                (value, &after[end..])
            }
        };
        found.push((name, value));
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if after.is_empty() => after,
            None => return Err(bad()),
        };
    }
    Ok(found)
}

/// A text in single or double quotes, and what follows it.
fn python_text(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut inner = text[1..].char_indices();
    let mut found = String::new();
    while let Some((at, c)) = inner.next() {
        match c {
            '\\' => found.push(inner.next()?.1),
            c if c == quote => return Some((found, &text[1 + at + 1..])),
            c => found.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, read};
    use super::*;

    fn links(text: &str) -> Vec<(u64, u64)> {
        match read("x", text.as_bytes(), Limits::default()) {
            Ok(GraphFile { graph, .. }) => graph
                .iter_links()
                .map(|(a, b)| (graph.ids()[a as usize].0, graph.ids()[b as usize].0))
                .collect(),
            Err(errors) => panic!("{text}: {errors:?}"),
        }
    }

    #[test]
    fn reads_the_usual_forms() {
        let expected = [(1, 2), (2, 30)];
        for text in [
            "1 2\n2 30\n",
            "\u{feff}# from networkx\n1 2 {}\n2\t30 {'weight': 3}",
            "% Matrix\r\n1  2\r\n\r\n30 2\r\n",
            "1,2\n2,30,0.5",
            "1;2\n2;30",
            "1|2\n2|30",
            "source,target,bandwidth_bit_per_s\n1,2,5.5\n2,30,6",
            "weight,from,to\n5,1,2\n,2,30",
            "\"source\",\"target\"\n\"1\",\"2\"\n2, 30",
            "one two\n1 2\n2 30",
        ] {
            assert_eq!(links(text), expected, "{text}");
        }
    }

    #[test]
    fn names_that_are_no_numbers_are_numbered() {
        let file = read("x", b"Bob Alice\nAlice 7\n", Limits::default()).expect("a graph");
        assert_eq!(file.graph.ids().len(), 3);
        let labels = file.attributes.of_peers("label").expect("labels");
        let labels: Vec<String> = labels.cells.iter().map(|c| c.value.to_string()).collect();
        assert_eq!(labels, ["Bob", "Alice", "7"]);
        assert!(
            file.warnings[0].contains("`Bob` is no whole number"),
            "{:?}",
            file.warnings
        );
    }

    #[test]
    fn further_columns_are_attributes() {
        for text in [
            "source,target,latency,kind\n1,2,\"norm(12, 2)\",x\n",
            "source;target;latency;kind\n1;2;norm(12, 2);x\n",
            "1 2 {'latency': 'norm(12, 2)', \"kind\": 'x'}\n",
        ] {
            let file = read("x.csv", text.as_bytes(), Limits::default()).expect("a graph");
            let value = |name| file.attributes.of_links(name)?.get(&(0, 1)).cloned();
            assert_eq!(
                value("latency"),
                Some(Value::Text("norm(12, 2)".into())),
                "{text}"
            );
            assert_eq!(value("kind"), Some(Value::Text("x".into())));
        }
        let file = read("x", b"1 2 0.5\n", Limits::default()).expect("a graph");
        let weights = file.attributes.of_links("weight").expect("weights");
        assert_eq!(weights.get(&(0, 1)), Some(&Value::Real(0.5)));
    }

    #[test]
    fn counts_what_it_drops() {
        let file = read("x", b"1 2\n2 1\n3 3\n", Limits::default()).expect("a graph");
        assert_eq!((file.graph.peers(), file.graph.links()), (3, 1));
        assert_eq!(
            file.warnings,
            ["1 links of a peer to itself and 1 repeated ones were left out"]
        );
    }

    #[test]
    fn says_what_it_does_not_use() {
        let left_out = "more than two peers and a weight, which is left out; a first line \
                        `source target NAME ...` makes attributes of it";
        for (text, warning) in [
            ("1 2 3 4\n", format!("line 1 has {left_out}")),
            (
                "1,2\n1,3,fast\n1,4,5,6\n1,5,6\n",
                format!("2 lines (the first: line 2) have {left_out}"),
            ),
            (
                "source,target,latency\n1,2,7,8\n",
                "line 2 has more columns than the header; what is beyond it is left out".into(),
            ),
            (
                "x,y\n1,2\n",
                "line 1, `x,y`, is taken for names of columns, since a number follows; call the \
                 peers' columns `source` and `target`"
                    .into(),
            ),
        ] {
            let file = read("x", text.as_bytes(), Limits::default()).expect("a graph");
            assert_eq!(file.warnings, [warning], "{text}");
        }
        for text in ["1 2 3\n", "1,2,3,\n", "source,target\n1,2\n", "1 2 {}\n"] {
            let file = read("x", text.as_bytes(), Limits::default()).expect("a graph");
            assert!(file.warnings.is_empty(), "{text}: {:?}", file.warnings);
        }
    }

    #[test]
    fn names_bad_lines() {
        let errors = |text: &str| -> Vec<String> {
            read("x", text.as_bytes(), Limits::default())
                .expect_err(text)
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(
            errors("1 2\n1\na b c\n5,\n1 2 {x}"),
            [
                "line 2: a link needs two peers",
                "line 3: `a b c` is no link; write two peers, or use commas where names have blanks",
                "line 4: a link needs two peers",
                "line 5: `{x}` is not understood; write {'name': value}",
            ]
        );
        assert_eq!(
            errors(""),
            ["line 1: the file names no link; write two peers a line"]
        );
        assert_eq!(errors(&"1\n".repeat(1000)).len(), ERRORS_MAX);
        assert_eq!(
            errors("1,\"2\n"),
            ["line 1: a quote is not closed in this line"]
        );
    }
}
