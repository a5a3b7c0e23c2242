//! Link lists in files: `a b` a line (edge list) or CSV, with comments and any usual separator.

use super::{Dropped, Graph};
use crate::peer::PeerId;

/// After this many bad lines the rest is not worth reading.
const ERRORS_MAX: usize = 5;

/// What is wrong with a link list, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct LinksError {
    /// The line, from 1.
    pub line: u64,
    /// The problem, in one line.
    pub message: String,
}

/// Reads a graph from the bytes of a link list: a line a link, its two peer ids first, parted by
/// blanks, tabs, commas or semicolons. Lines that begin with `#` or `%` are comments; a first
/// line without numbers is a header, whose columns `source` and `target` (or `from` and `to`)
/// may stand anywhere. Further columns are left alone.
///
/// # Errors
/// The first few lines that are no link, or a file without any.
pub fn read(bytes: &[u8]) -> Result<(Graph, Dropped), Vec<LinksError>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut columns = (0, 1);
    let mut header_allowed = true;
    let mut links = Vec::new();
    let mut errors = Vec::new();
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || matches!(line[0], b'#' | b'%') {
            continue;
        }
        if header_allowed {
            header_allowed = false;
            if let Some(named) = header(line) {
                columns = named;
                continue;
            }
        }
        match link(line, columns) {
            Ok(link) => links.push(link),
            Err(message) => errors.push(LinksError {
                line: number as u64 + 1,
                message,
            }),
        }
        if errors.len() >= ERRORS_MAX {
            break;
        }
    }
    if errors.is_empty() && links.is_empty() {
        errors.push(LinksError {
            line: 1,
            message: "the file names no link; write two peer ids a line".into(),
        });
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let ids = links.iter().flat_map(|&(a, b)| [a, b]).collect();
    Ok(Graph::new(ids, &links))
}

fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let by_comma = line.iter().any(|byte| matches!(byte, b',' | b';'));
    line.split(move |byte| match byte {
        b',' | b';' => true,
        b' ' | b'\t' => !by_comma,
        _ => false,
    })
    .map(|field| field.trim_ascii())
    // A run of blanks is one separator; between commas an empty field is one.
    .filter(move |field| by_comma || !field.is_empty())
    .map(|field| match field {
        [b'"', inner @ .., b'"'] => inner,
        _ => field,
    })
}

/// Where the two ends stand, if this line is a header: neither of its first two fields is a
/// number.
fn header(line: &[u8]) -> Option<(usize, usize)> {
    let names: Vec<String> = fields(line)
        .map(|field| String::from_utf8_lossy(field).to_lowercase())
        .collect();
    let starts_like_number =
        |name: &String| name.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if names.len() < 2 || names.iter().take(2).any(starts_like_number) {
        return None;
    }
    let place = |wanted: [&str; 2]| {
        names
            .iter()
            .position(|name| wanted.contains(&name.as_str()))
    };
    match (place(["source", "from"]), place(["target", "to"])) {
        (Some(source), Some(target)) => Some((source, target)),
        _ => Some((0, 1)),
    }
}

fn link(line: &[u8], (source, target): (usize, usize)) -> Result<(PeerId, PeerId), String> {
    let mut ends = [None, None];
    for (place, field) in fields(line).enumerate().take(source.max(target) + 1) {
        if place == source {
            ends[0] = Some(peer(field)?);
        }
        if place == target {
            ends[1] = Some(peer(field)?);
        }
    }
    match ends {
        [Some(a), Some(b)] => Ok((a, b)),
        _ => Err("a link needs two peer ids".into()),
    }
}

fn peer(field: &[u8]) -> Result<PeerId, String> {
    std::str::from_utf8(field)
        .ok()
        .and_then(|text| text.parse().ok())
        .map(PeerId)
        .ok_or_else(|| {
            let mut shown = String::from_utf8_lossy(field).into_owned();
            if shown.chars().count() > 40 {
                shown = shown.chars().take(40).chain(['…']).collect();
            }
            format!(
                "`{}` is no peer id; ids are whole numbers from 0 on",
                shown.escape_debug()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<(u64, u64)> {
        match read(text.as_bytes()) {
            Ok((graph, _)) => graph
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
            "source,target,bandwidth_bit_per_s\n1,2,5.5\n2,30,6",
            "weight,from,to\n5,1,2\n,2,30",
            "\"source\",\"target\"\n\"1\",\"2\"\n2, 30",
        ] {
            assert_eq!(links(text), expected, "{text}");
        }
    }

    #[test]
    fn counts_what_it_drops() {
        let (graph, dropped) = read(b"1 2\n2 1\n3 3\n").expect("a graph");
        assert_eq!((graph.peers(), graph.links()), (3, 1));
        assert_eq!((dropped.self_loops, dropped.duplicates), (1, 1));
    }

    #[test]
    fn names_bad_lines() {
        let errors = |text: &str| -> Vec<String> {
            read(text.as_bytes())
                .expect_err(text)
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(
            errors("1 2\n1\n-3 4\n5 x"),
            [
                "line 2: a link needs two peer ids",
                "line 3: `-3` is no peer id; ids are whole numbers from 0 on",
                "line 4: `x` is no peer id; ids are whole numbers from 0 on",
            ]
        );
        assert_eq!(
            errors(""),
            ["line 1: the file names no link; write two peer ids a line"]
        );
        assert_eq!(errors(&"a\n".repeat(1000)).len(), ERRORS_MAX);
        assert_eq!(errors("99999999999999999999 1").len(), 1);
    }
}
