//! DOT, graphviz' language (graphviz.org/doc/info/lang.html): nodes, edges, subgraphs, attributes.

use super::builder::Builder;
use super::scanner::Scanner;
use super::source::Source;
use super::{FileError, GraphFile};
use crate::topology::attributes::Value;

/// What p2psim calls the graphs that it writes.
pub const DOT_GRAPH: &str = "topology";
/// What it fills peers with: pale colours that print well under black text (ColorBrewer's
/// Pastel1), one a type.
pub const DOT_FILLS: [&str; 8] = [
    "#b3cde3", "#fbb4ae", "#ccebc5", "#decbe4", "#fed9a6", "#ffffcc", "#e5d8bd", "#fddaec",
];

/// Subgraphs deeper than this are not meant.
const DEPTH_MAX: usize = 64;
/// The most links that one edge between two subgraphs may mean.
const PRODUCT_MAX: usize = 10_000_000;

/// Reads the nodes and edges of a graph with what is said of them; `node [...]` and `edge [...]`
/// hold for the nodes and edges that come after them in the same braces. Of an edge with a
/// port only the node counts.
pub(super) fn read(source: Source<'_>, builder: Builder) -> Result<GraphFile, FileError> {
    let mut reader = Reader {
        scanner: Scanner::new(source),
        next: None,
        builder,
        known: Vec::new(),
        is_ours: false,
    };
    let mut word = reader.token()?;
    if word.is_word("strict") {
        word = reader.token()?;
    }
    reader.builder.directed = word.is_word("digraph");
    if !word.is_word("graph") && !word.is_word("digraph") {
        let message = "`graph` or `digraph` is expected here";
        return Err(reader.scanner.error(message));
    }
    if let Token::Id { .. } = reader.peek()? {
        reader.is_ours = reader.token()?.is_word(DOT_GRAPH) && !reader.builder.directed;
    }
    reader.expect(b'{')?;
    reader.statements(&Defaults::default(), 0)?;
    reader.builder.finish()
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Id {
        text: String,
        quoted: bool,
    },
    /// `{ } [ ] ; , = :`
    Mark(u8),
    /// `--` or `->`
    Edge,
    End,
}

impl Token {
    fn is_word(&self, word: &str) -> bool {
        matches!(self, Token::Id { text, quoted: false } if text.eq_ignore_ascii_case(word))
    }
}

type Said = Vec<(String, u64, Value)>;

/// What holds for nodes and edges that say nothing themselves.
#[derive(Clone, Default)]
struct Defaults {
    node: Said,
    edge: Said,
}

struct Reader<'a> {
    scanner: Scanner<'a>,
    next: Option<Token>,
    builder: Builder,
    /// Which peers have been named before: defaults hold for new ones.
    known: Vec<bool>,
    /// Whether the graph has the name that p2psim gives.
    is_ours: bool,
}

impl Reader<'_> {
    fn peek(&mut self) -> Result<&Token, FileError> {
        if self.next.is_none() {
            self.next = Some(self.scan()?);
        }
        Ok(self.next.as_ref().unwrap_or(&Token::End))
    }

    fn token(&mut self) -> Result<Token, FileError> {
        match self.next.take() {
            Some(token) => Ok(token),
            None => self.scan(),
        }
    }

    fn take_mark(&mut self, mark: u8) -> Result<bool, FileError> {
        let found = *self.peek()? == Token::Mark(mark);
        if found {
            self.token()?;
        }
        Ok(found)
    }

    fn expect(&mut self, mark: u8) -> Result<(), FileError> {
        if self.take_mark(mark)? {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{}`", char::from(mark))))
        }
    }

    fn unexpected(&mut self, expected: &str) -> FileError {
        let found = match self.next.take() {
            Some(Token::Id { text, .. }) => super::quoted(text.as_bytes()),
            Some(Token::Mark(mark)) => format!("`{}`", char::from(mark)),
            Some(Token::Edge) => "an edge".into(),
            Some(Token::End) | None => "the end of the file".into(),
        };
        self.scanner
            .error(format!("{found} cannot stand here; {expected} is expected"))
    }

    fn scan(&mut self) -> Result<Token, FileError> {
        self.skip()?;
        let Some(byte) = self.scanner.peek() else {
            return Ok(Token::End);
        };
        match byte {
            b'{' | b'}' | b'[' | b']' | b';' | b',' | b'=' | b':' => {
                self.scanner.take();
                Ok(Token::Mark(byte))
            }
            b'"' => self.quoted(),
            b'<' => self.html(),
            b'-' => {
                self.scanner.take();
                if self.scanner.take_if(b'-') || self.scanner.take_if(b'>') {
                    return Ok(Token::Edge);
                }
                let rest = self.word()?;
                Ok(Token::Id {
                    text: format!("-{rest}"),
                    quoted: false,
                })
            }
            _ => {
                let text = self.word()?;
                if text.is_empty() {
                    let message = format!("`{}` cannot stand here", byte.escape_ascii());
                    return Err(self.scanner.error(message));
                }
                Ok(Token::Id {
                    text,
                    quoted: false,
                })
            }
        }
    }

    fn word(&mut self) -> Result<String, FileError> {
        let fits =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.') || byte >= 0x80;
        self.scanner.take_while(fits)
    }

    /// Blanks and comments.
    fn skip(&mut self) -> Result<(), FileError> {
        while let Some(byte) = self.scanner.peek() {
            if byte.is_ascii_whitespace() {
                self.scanner.take();
            } else if byte == b'#' {
                self.scanner.skip_line();
            } else if byte == b'/' {
                self.scanner.take();
                if self.scanner.take_if(b'/') {
                    self.scanner.skip_line();
                } else if self.scanner.take_if(b'*') {
                    let mut star = false;
                    loop {
                        match self.scanner.take() {
                            Some(b'/') if star => break,
                            Some(byte) => star = byte == b'*',
                            None => return Err(self.scanner.error("the file ends in a comment")),
                        }
                    }
                } else {
                    return Err(self.scanner.error("`/` cannot stand here"));
                }
            } else {
                break;
            }
        }
        Ok(())
    }

    /// `"a" + "b"`; only `\"` and a line's end are escapes, all others mean something to graphviz.
    fn quoted(&mut self) -> Result<Token, FileError> {
        let mut text = Vec::new();
        loop {
            self.scanner.take();
            loop {
                match self.scanner.take() {
                    Some(b'"') => break,
                    Some(b'\\') => match self.scanner.take() {
                        Some(b'"') => self.scanner.push(&mut text, b'"')?,
                        Some(b'\\') => self.scanner.push(&mut text, b'\\')?,
                        Some(b'\n') => {}
                        Some(byte) => {
                            self.scanner.push(&mut text, b'\\')?;
                            self.scanner.push(&mut text, byte)?;
                        }
                        None => break,
                    },
                    Some(byte) => self.scanner.push(&mut text, byte)?,
                    None => return Err(self.scanner.error("the file ends within a text")),
                }
            }
            self.skip()?;
            if !self.scanner.take_if(b'+') {
                break;
            }
            self.skip()?;
            if self.scanner.peek() != Some(b'"') {
                return Err(self.scanner.error("a quoted text is expected after `+`"));
            }
        }
        Ok(Token::Id {
            text: self.scanner.text(text)?,
            quoted: true,
        })
    }

    fn html(&mut self) -> Result<Token, FileError> {
        let mut text = Vec::new();
        let mut depth = 0_usize;
        loop {
            let Some(byte) = self.scanner.take() else {
                return Err(self.scanner.error("the file ends within a text"));
            };
            self.scanner.push(&mut text, byte)?;
            match byte {
                b'<' => depth += 1,
                b'>' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        Ok(Token::Id {
            text: self.scanner.text(text)?,
            quoted: true,
        })
    }

    /// Statements up to the closing brace; the peers they name.
    fn statements(&mut self, outer: &Defaults, depth: usize) -> Result<Vec<u32>, FileError> {
        if depth > DEPTH_MAX {
            return Err(self.scanner.error("subgraphs stand too deep in each other"));
        }
        let mut defaults = outer.clone();
        let mut named = Vec::new();
        loop {
            let token = self.peek()?.clone();
            match token {
                Token::Mark(b'}') => {
                    self.token()?;
                    return Ok(named);
                }
                Token::Mark(b';') => {
                    self.token()?;
                }
                Token::End => {
                    return Err(self.scanner.error("the file ends where a `}` is expected"));
                }
                _ if token.is_word("node") || token.is_word("edge") || token.is_word("graph") => {
                    self.token()?;
                    let said = self.attributes()?;
                    if token.is_word("node") {
                        defaults.node.extend(said);
                    } else if token.is_word("edge") {
                        defaults.edge.extend(said);
                    }
                }
                _ => self.chain(&defaults, depth, &mut named)?,
            }
        }
    }

    /// A node, an edge, a subgraph, or `name = value`.
    fn chain(
        &mut self,
        defaults: &Defaults,
        depth: usize,
        named: &mut Vec<u32>,
    ) -> Result<(), FileError> {
        let line = self.scanner.line();
        let mut groups = Vec::new();
        loop {
            let Some(group) = self.end(defaults, depth)? else {
                return Ok(());
            };
            groups.push(group);
            if *self.peek()? != Token::Edge {
                break;
            }
            self.token()?;
        }
        let said = self.attributes()?;
        if let ([End::Node(peer)], false) = (&groups[..], said.is_empty()) {
            let drawn = self.is_ours && is_drawn(&said);
            let hint = |name: &str| drawn && matches!(name, "style" | "fillcolor");
            for (name, line, value) in said.iter().filter(|(name, ..)| !hint(name)) {
                let result = self.builder.peer_says(*peer, name, *line, value.clone());
                result.map_err(|message| self.scanner.error(message))?;
            }
        }
        for pair in groups.windows(2) {
            let product = pair[0].peers().len().saturating_mul(pair[1].peers().len());
            if product > PRODUCT_MAX {
                let message = format!("an edge between two groups means {product} links, too many");
                return Err(self.scanner.error(message));
            }
            for &a in pair[0].peers() {
                for &b in pair[1].peers() {
                    let link = self.builder.link(a, b);
                    let link = link.map_err(|message| self.scanner.error(message))?;
                    for (name, at, value) in defaults.edge.iter().chain(&said) {
                        let at = if *at == 0 { line } else { *at };
                        let result = self.builder.link_says(link, name, at, value.clone());
                        result.map_err(|message| self.scanner.error(message))?;
                    }
                }
            }
        }
        for group in &groups {
            named.extend_from_slice(group.peers());
        }
        Ok(())
    }

    /// An end of an edge; none for `name = value`, which is over then.
    fn end(&mut self, defaults: &Defaults, depth: usize) -> Result<Option<End>, FileError> {
        let token = self.peek()?.clone();
        if token.is_word("subgraph") || token == Token::Mark(b'{') {
            if token.is_word("subgraph") {
                self.token()?;
                if let Token::Id { .. } = self.peek()? {
                    self.token()?;
                }
            }
            self.expect(b'{')?;
            let mut peers = self.statements(defaults, depth + 1)?;
            peers.sort_unstable();
            peers.dedup();
            return Ok(Some(End::Group(peers)));
        }
        let Token::Id { text, .. } = token else {
            return Err(self.unexpected("a node"));
        };
        let line = self.scanner.line();
        self.token()?;
        if self.take_mark(b'=')? {
            match self.token()? {
                Token::Id { .. } => return Ok(None),
                other => {
                    self.next = Some(other);
                    return Err(self.unexpected("a value"));
                }
            }
        }
        // Ports: where on the node's shape an edge begins.
        while self.take_mark(b':')? {
            self.token()?;
        }
        let peer = self.builder.peer(text.as_bytes());
        let peer = peer.map_err(|message| self.scanner.error(message))?;
        if peer as usize >= self.known.len() {
            self.known.resize(peer as usize + 1, false);
        }
        if !std::mem::replace(&mut self.known[peer as usize], true) {
            for (name, at, value) in &defaults.node {
                let at = if *at == 0 { line } else { *at };
                let result = self.builder.peer_says(peer, name, at, value.clone());
                result.map_err(|message| self.scanner.error(message))?;
            }
        }
        Ok(Some(End::Node(peer)))
    }

    /// `[a=b, c=d; e=f] [...]`
    fn attributes(&mut self) -> Result<Said, FileError> {
        let mut said = Vec::new();
        while self.take_mark(b'[')? {
            while !self.take_mark(b']')? {
                let line = self.scanner.line();
                let Token::Id { text: name, .. } = self.peek()?.clone() else {
                    return Err(self.unexpected("the name of an attribute, or `]`,"));
                };
                self.token()?;
                let value = if self.take_mark(b'=')? {
                    match self.token()? {
                        Token::Id { text, quoted: true } => Value::Text(text.into()),
                        Token::Id { text, .. } => Value::guess(&text),
                        other => {
                            self.next = Some(other);
                            return Err(self.unexpected("a value"));
                        }
                    }
                } else {
                    Value::Flag(true)
                };
                said.push((name, line, value));
                if !self.take_mark(b',')? {
                    self.take_mark(b';')?;
                }
            }
        }
        Ok(said)
    }
}

/// Whether the last that is said of a peer is how p2psim draws one: no attribute of the network.
fn is_drawn(said: &Said) -> bool {
    let [.., (style, _, how), (fill, _, Value::Text(colour))] = &said[..] else {
        return false;
    };
    let styled = ["filled", "dashed"].map(|how| Value::Text(how.into()));
    (style.as_str(), fill.as_str()) == ("style", "fillcolor")
        && styled.contains(how)
        && DOT_FILLS.contains(&&**colour)
}

/// An end of an edge.
enum End {
    Node(u32),
    Group(Vec<u32>),
}

impl End {
    fn peers(&self) -> &[u32] {
        match self {
            End::Node(peer) => std::slice::from_ref(peer),
            End::Group(peers) => peers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, read};
    use super::*;

    fn shown(text: &str) -> (Vec<u64>, Vec<(u32, u32)>, GraphFile) {
        let file = read("x.dot", text.as_bytes(), Limits::default())
            .unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        let ids = file.graph.ids().iter().map(|id| id.0).collect();
        (ids, file.graph.iter_links().collect(), file)
    }

    #[test]
    fn reads_the_language() {
        let text = "/* a */ strict graph \"G\" { // b\n# c\n layout=neato; node [type=a]; 3 -- 1 [latency=2.5];\n \
                    1 -- {2 4} -- 5; subgraph cluster_x { node [type=b] 6; } 7:port:n -- \"6\";\n -- }";
        assert!(read("x.dot", text.as_bytes(), Limits::default()).is_err());
        let (ids, links, file) =
            shown(&text.replace("-- }", "8 [label=\"x \" + \"\\\"y\\\"\" fresh; n=-3] }"));
        assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(links, [(0, 1), (0, 2), (0, 3), (1, 4), (3, 4), (5, 6)]);
        let types = file.attributes.of_peers("type").expect("types");
        let types: Vec<String> = types
            .cells
            .iter()
            .map(|cell| cell.value.to_string())
            .collect();
        assert_eq!(types, ["a", "a", "a", "a", "a", "b", "a", "a"]);
        let value = |name| {
            file.attributes
                .of_peers(name)
                .and_then(|c| c.get(&7))
                .cloned()
        };
        assert_eq!(value("label"), Some(Value::Text("x \"y\"".into())));
        assert_eq!(value("fresh"), Some(Value::Flag(true)));
        assert_eq!(value("n"), Some(Value::Whole(-3)));
        let latencies = file.attributes.of_links("latency").expect("latencies");
        assert_eq!((latencies.cells.len(), latencies.cells[0].line), (1, 3));
    }

    #[test]
    fn names_and_directions_are_said() {
        let (ids, links, file) = shown("digraph { Alice -> Bob -> Alice; Carol }");
        assert_eq!((ids, links), (vec![0, 1, 2], vec![(0, 1)]));
        assert_eq!(file.warnings.len(), 3, "{:?}", file.warnings);
    }

    #[test]
    fn names_what_is_wrong() {
        for (text, message) in [
            (
                "graph {\n1 -- }",
                "line 2: `}` cannot stand here; a node is expected",
            ),
            ("graph { 1 [a=] }", "line 1: `]` cannot stand here; a value"),
            (
                "graph {\n1 -- 2",
                "line 2: the file ends where a `}` is expected",
            ),
            ("graph { \"x", "line 1: the file ends within a text"),
            ("graph { /* x", "line 1: the file ends in a comment"),
            ("graf { }", "line 1: `graph` or `digraph` is expected"),
            ("graph { }", "line 1: the file names no link and no peer"),
            ("graph { 1 ? 2 }", "line 1: `?` cannot stand here"),
        ] {
            let errors = read("x.dot", text.as_bytes(), Limits::default()).expect_err(text);
            assert!(errors[0].to_string().starts_with(message), "{errors:?}");
        }
        let deep = format!("graph {}", "{".repeat(100_000));
        assert!(read("x.dot", deep.as_bytes(), Limits::default()).is_err());
    }
}
