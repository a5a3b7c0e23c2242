//! GML (Himsolt 1997), as networkx, igraph and Gephi write it: `graph [ node [ id 0 ] edge [...] ]`.

use super::builder::Builder;
use super::scanner::Scanner;
use super::source::Source;
use super::{FileError, GraphFile};
use crate::topology::attributes::Value;

/// Lists in lists deeper than this are not meant.
const DEPTH_MAX: usize = 64;

/// Reads the nodes and edges of a `graph`. Peers are called by the nodes' `id`; by their `label`
/// where all of these are different whole numbers, which is how networkx writes numbers.
pub(super) fn read(source: Source<'_>, builder: Builder) -> Result<GraphFile, FileError> {
    let mut reader = Reader {
        scanner: Scanner::new(source),
        builder,
    };
    let mut found = false;
    while let Some(key) = reader.key()? {
        if key.eq_ignore_ascii_case("graph") {
            reader.open()?;
            reader.graph()?;
            found = true;
        } else {
            reader.value(0)?;
        }
    }
    if reader.scanner.peek().is_some() {
        return Err(reader.scanner.error("a `]` closes nothing here"));
    }
    if !found {
        return Err(reader.scanner.error("there is no `graph [ ... ]`"));
    }
    reader.builder.name_by_labels();
    reader.builder.finish()
}

struct Reader<'a> {
    scanner: Scanner<'a>,
    builder: Builder,
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        while let Some(byte) = self.scanner.peek() {
            match byte {
                b'#' => self.scanner.skip_line(),
                byte if byte.is_ascii_whitespace() => {
                    self.scanner.take();
                }
                _ => return,
            }
        }
    }

    /// The next key of a list; none at its end, which is not taken.
    fn key(&mut self) -> Result<Option<String>, FileError> {
        self.skip_blanks();
        match self.scanner.peek() {
            None | Some(b']') => Ok(None),
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                let fits =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
                self.scanner.take_while(fits).map(Some)
            }
            Some(byte) => {
                let message = format!(
                    "`{}` cannot stand here; a key is expected",
                    byte.escape_ascii()
                );
                Err(self.scanner.error(message))
            }
        }
    }

    fn open(&mut self) -> Result<(), FileError> {
        self.skip_blanks();
        if self.scanner.take_if(b'[') {
            Ok(())
        } else {
            Err(self.scanner.error("a `[` is expected here"))
        }
    }

    fn close(&mut self) -> Result<(), FileError> {
        self.skip_blanks();
        if self.scanner.take_if(b']') {
            Ok(())
        } else {
            Err(self.scanner.error("the file ends where a `]` is expected"))
        }
    }

    /// A value; none for a list, which is read over.
    fn value(&mut self, depth: usize) -> Result<Option<Value>, FileError> {
        self.skip_blanks();
        match self.scanner.peek() {
            Some(b'"') => {
                self.scanner.take();
                let mut text = Vec::new();
                loop {
                    match self.scanner.take() {
                        Some(b'"') => break,
                        Some(byte) => self.scanner.push(&mut text, byte)?,
                        None => return Err(self.scanner.error("the file ends within a text")),
                    }
                }
                let text = self.scanner.text(text)?;
                Ok(Some(Value::Text(unescape(&text).into())))
            }
            Some(b'[') => {
                if depth >= DEPTH_MAX {
                    return Err(self.scanner.error("lists stand too deep in each other"));
                }
                self.scanner.take();
                while self.key()?.is_some() {
                    self.value(depth + 1)?;
                }
                self.close()?;
                Ok(None)
            }
            _ => {
                let fits =
                    |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'[' | b']' | b'"');
                let word = self.scanner.take_while(fits)?;
                match Value::number(&word) {
                    Some(number) => Ok(Some(number)),
                    // What networkx writes for numbers that are none.
                    None if ["NAN", "+INF", "-INF", "INF"].contains(&word.as_str()) => Ok(None),
                    None => {
                        let shown = super::quoted(word.as_bytes());
                        let message =
                            format!("{shown} is no value; a number or a quoted text is expected");
                        Err(self.scanner.error(message))
                    }
                }
            }
        }
    }

    fn graph(&mut self) -> Result<(), FileError> {
        while let Some(key) = self.key()? {
            match key.to_ascii_lowercase().as_str() {
                "node" => self.node()?,
                "edge" => self.edge()?,
                "directed" => {
                    let value = self.value(0)?;
                    self.builder.directed = value == Some(Value::Whole(1));
                }
                _ => {
                    self.value(0)?;
                }
            }
        }
        self.close()
    }

    /// The entries of a node or an edge besides lists.
    fn entries(&mut self) -> Result<Vec<(String, u64, Value)>, FileError> {
        self.open()?;
        let mut found = Vec::new();
        while let Some(key) = self.key()? {
            let line = self.scanner.line();
            if let Some(value) = self.value(0)? {
                found.push((key, line, value));
            }
        }
        self.close()?;
        Ok(found)
    }

    fn peer(&mut self, entries: &[(String, u64, Value)], key: &str) -> Result<u32, FileError> {
        let Some((_, line, value)) = entries.iter().find(|(name, ..)| name == key) else {
            return Err(self.scanner.error(format!("`{key}` is missing")));
        };
        let peer = self.builder.peer(value.to_string().as_bytes());
        peer.map_err(|message| FileError {
            line: *line,
            message,
        })
    }

    fn node(&mut self) -> Result<(), FileError> {
        let entries = self.entries()?;
        let peer = self.peer(&entries, "id")?;
        for (name, line, value) in entries {
            if name != "id" {
                let said = self.builder.peer_says(peer, &name, line, value);
                said.map_err(|message| FileError { line, message })?;
            }
        }
        Ok(())
    }

    fn edge(&mut self) -> Result<(), FileError> {
        let entries = self.entries()?;
        let (a, b) = (
            self.peer(&entries, "source")?,
            self.peer(&entries, "target")?,
        );
        let link = self.builder.link(a, b).map_err(|m| self.scanner.error(m))?;
        for (name, line, value) in entries {
            if name != "source" && name != "target" {
                let said = self.builder.link_says(link, &name, line, value);
                said.map_err(|message| FileError { line, message })?;
            }
        }
        Ok(())
    }
}

/// GML's texts are ASCII; other characters are written as in HTML.
fn unescape(text: &str) -> String {
    match quick_xml::escape::unescape(text) {
        Ok(text) => text.into_owned(),
        // An ampersand that begins nothing is one.
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, read};
    use super::*;

    #[test]
    fn reads_nodes_and_edges() {
        let text = "Creator \"x\"\ngraph [\n  directed 0\n  graphics [ w 1 [ ] ]\n";
        assert!(read("x.gml", text.as_bytes(), Limits::default()).is_err());
        let text = "# made by hand\nCreator \"x\"\ngraph [\n  directed 1\n  node [ id 5 label \"A &#233; &amp;\" \
                    type \"a\" graphics [ x 1 y [ z 2 ] ] ]\n  node [ id 2 label \"B\" ]\n  edge [ source 5 target 2 \
                    latency 2.5 ]\n]\n";
        let file = read("x", text.as_bytes(), Limits::default()).expect("a graph");
        assert_eq!(
            file.graph.ids().iter().map(|id| id.0).collect::<Vec<_>>(),
            [2, 5]
        );
        let label = file
            .attributes
            .of_peers("label")
            .and_then(|c| c.get(&1))
            .cloned();
        assert_eq!(label, Some(Value::Text("A é &".into())));
        let latency = file.attributes.of_links("latency").expect("latencies");
        assert_eq!(
            (latency.cells[0].line, &latency.cells[0].value),
            (7, &Value::Real(2.5))
        );
        assert_eq!(
            file.warnings,
            ["links with a direction are read as links without one"]
        );
    }

    #[test]
    fn labels_that_are_numbers_name_the_peers() {
        let text = "graph [ node [ id 0 label \"30\" ] node [ id 1 label \"7\" ] edge [ source 0 target 1 ] ]";
        let file = read("x", text.as_bytes(), Limits::default()).expect("a graph");
        assert_eq!(
            file.graph.ids().iter().map(|id| id.0).collect::<Vec<_>>(),
            [7, 30]
        );
        assert!(file.attributes.peers.is_empty());
    }

    #[test]
    fn names_what_is_wrong() {
        for (text, message) in [
            ("graph [\nnode [ label \"x\" ] ]", "line 2: `id` is missing"),
            (
                "graph [\nnode [ id 1",
                "line 2: the file ends where a `]` is expected",
            ),
            ("graph [ node [ id x ] ]", "line 1: `x` is no value"),
            (
                "graph [ node [ id 1 ] ] ]",
                "line 1: a `]` closes nothing here",
            ),
            ("node [ id 1 ]", "line 1: there is no `graph"),
            ("graph [ 1 ]", "line 1: `1` cannot stand here"),
            (
                "graph [ node [ id \"1",
                "line 1: the file ends within a text",
            ),
        ] {
            let errors = read("x.gml", text.as_bytes(), Limits::default()).expect_err(text);
            assert!(errors[0].to_string().starts_with(message), "{errors:?}");
        }
        let deep = format!("graph [ x {}", "[ x ".repeat(100_000));
        assert!(read("x.gml", deep.as_bytes(), Limits::default()).is_err());
    }
}
