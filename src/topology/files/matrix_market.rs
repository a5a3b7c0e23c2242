//! Matrix Market: a graph as the coordinates of a sparse matrix (math.nist.gov/MatrixMarket).

use super::builder::{Builder, whole};
use super::source::Source;
use super::{FileError, GraphFile, quoted};
use crate::peer::PeerIndex;
use crate::topology::attributes::Value;

/// Before the ids of the peers in the order of rows, in comments of our own: other programs
/// number rows and nothing else.
pub const IDS_COMMENT: &str = "%%ids";

/// Reads a square `coordinate` matrix: an entry is a link, its value the link's `weight`. Row 1
/// is peer 0, as networkx has it, unless the file says otherwise in comments of p2psim's own.
pub(super) fn read(mut source: Source<'_>, mut builder: Builder) -> Result<GraphFile, FileError> {
    let mut line = Vec::new();
    let mut ids: Vec<u64> = Vec::new();
    // Rows and entries, once they are known.
    let mut size: Option<(u64, u64)> = None;
    let mut entries = 0_u64;
    let mut pattern = false;
    let mut begun = false;
    loop {
        let number = source.line();
        let at = |message: String| FileError {
            line: number,
            message,
        };
        let more = source
            .next_line(&mut line)
            .map_err(|error| at(format!("cannot read on: {error}")))?;
        if !more {
            break;
        }
        let text = line.trim_ascii();
        if !begun {
            begun = true;
            pattern = header(text, &mut builder).map_err(at)?;
            continue;
        }
        if let Some(listed) = text.strip_prefix(IDS_COMMENT.as_bytes()) {
            for id in listed
                .split(u8::is_ascii_whitespace)
                .filter(|id| !id.is_empty())
            {
                let id = whole(id).ok_or_else(|| at(format!("{} is no peer id", quoted(id))))?;
                ids.push(id);
            }
            continue;
        }
        if text.is_empty() || text[0] == b'%' {
            continue;
        }
        let mut fields = text
            .split(u8::is_ascii_whitespace)
            .filter(|field| !field.is_empty());
        let mut next = || {
            let field = fields.next().unwrap_or_default();
            whole(field).ok_or_else(|| {
                at(format!(
                    "{} cannot stand here; a whole number is expected",
                    quoted(field)
                ))
            })
        };
        let Some((rows, _)) = size else {
            let (rows, columns, count) = (next()?, next()?, next()?);
            if rows != columns {
                let message = format!("the matrix of a graph is square, not {rows} by {columns}");
                return Err(at(message));
            }
            if rows > PeerIndex::LIMIT {
                return Err(at(format!("there are {rows} peers, too many")));
            }
            if !ids.is_empty() && ids.len() as u64 != rows {
                let message = format!("there are {} ids of {rows} peers", ids.len());
                return Err(at(message));
            }
            for row in 0..rows {
                let id = ids.get(row as usize).copied().unwrap_or(row);
                builder.peer_numbered(id).map_err(at)?;
            }
            if builder.peers() as u64 != rows {
                return Err(at("an id is there twice".into()));
            }
            size = Some((rows, count));
            continue;
        };
        let (row, column) = (next()?, next()?);
        for end in [row, column] {
            if end < 1 || end > rows {
                return Err(at(format!(
                    "there is no row or column {end}; they go from 1 to {rows}"
                )));
            }
        }
        let link = builder
            .link(row as u32 - 1, column as u32 - 1)
            .map_err(at)?;
        entries += 1;
        if !pattern {
            let field = fields.next().unwrap_or_default();
            let value = std::str::from_utf8(field).ok().and_then(Value::number);
            let value = value.ok_or_else(|| at(format!("{} is no number", quoted(field))))?;
            builder
                .link_says(link, "weight", number, value)
                .map_err(at)?;
        }
    }
    let line = source.line();
    match size {
        Some((_, count)) if count == entries => builder.finish(),
        Some((_, count)) => Err(FileError {
            line,
            message: format!("the file ends after {entries} of {count} entries"),
        }),
        None => Err(FileError {
            line,
            message: "the size of the matrix is missing".into(),
        }),
    }
}

/// Whether entries have no values.
fn header(text: &[u8], builder: &mut Builder) -> Result<bool, String> {
    let text = String::from_utf8_lossy(text).to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let ["%%matrixmarket", "matrix", "coordinate", field, symmetry] = words[..] else {
        return Err(
            "a graph begins with `%%MatrixMarket matrix coordinate pattern symmetric`, or with \
             `real` or `integer` and `general`"
                .into(),
        );
    };
    if !["pattern", "real", "integer"].contains(&field) {
        return Err(format!(
            "entries cannot be {}; pattern, real or integer",
            quoted(field.as_bytes())
        ));
    }
    builder.directed = symmetry == "general";
    Ok(field == "pattern")
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, read};

    #[test]
    fn reads_rows_as_peers() {
        let text = b"%%MatrixMarket matrix coordinate real symmetric\n% by hand\n4 4 2\n2 1 0.5\n\n3 2 1\n";
        let file = read("x", text, Limits::default()).expect("a graph");
        assert_eq!(file.graph.peers(), 4);
        assert_eq!(
            file.graph.iter_links().collect::<Vec<_>>(),
            [(0, 1), (1, 2)]
        );
        assert!(file.attributes.of_links("weight").is_some());
        assert!(file.warnings.is_empty());
        let text =
            b"%%MatrixMarket matrix coordinate pattern general\n%%ids 7 9\n2 2 2\n2 1\n1 2\n";
        let file = read("x.mtx", text, Limits::default()).expect("a graph");
        assert_eq!(
            file.graph.ids().iter().map(|id| id.0).collect::<Vec<_>>(),
            [7, 9]
        );
        assert_eq!(file.warnings.len(), 2, "{:?}", file.warnings);
    }

    #[test]
    fn names_what_is_wrong() {
        let head = "%%MatrixMarket matrix coordinate pattern symmetric\n";
        for (text, message) in [
            (
                "%%MatrixMarket matrix array real general\n",
                "line 1: a graph begins",
            ),
            (
                &format!("{head}2 3 1\n")[..],
                "line 2: the matrix of a graph is square",
            ),
            (
                &format!("{head}2 2 1\n1 3\n"),
                "line 3: there is no row or column 3",
            ),
            (
                &format!("{head}2 2 1\n1 x\n"),
                "line 3: `x` cannot stand here",
            ),
            (
                &format!("{head}2 2 2\n1 2\n"),
                "line 4: the file ends after 1 of 2",
            ),
            (head, "line 2: the size of the matrix is missing"),
            (
                &format!("{head}999999999999 999999999999 1\n"),
                "line 2: there are 999999999999 peers",
            ),
        ] {
            let errors = read("x.mtx", text.as_bytes(), Limits::default()).expect_err(text);
            assert!(errors[0].to_string().starts_with(message), "{errors:?}");
        }
    }
}
