//! GraphML (graphml.graphdrawing.org) and GEXF (gexf.net), as networkx, Gephi and Cytoscape write
//! them.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader as XmlReader, XmlVersion};

use super::builder::Builder;
use super::source::Source;
use super::{FileError, GraphFile, quoted};
use crate::topology::attributes::Value;

/// Elements in elements deeper than this are not meant.
const DEPTH_MAX: usize = 1_000;
/// Longer texts are none.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// Reads the nodes and edges of a GraphML or GEXF file with their data. Nested graphs count as
/// one; drawing hints (`viz:`, ports) are left alone.
pub(super) fn read(source: Source<'_>, builder: Builder) -> Result<GraphFile, FileError> {
    let mut xml = XmlReader::from_reader(source);
    xml.config_mut().trim_text(false);
    xml.config_mut().expand_empty_elements = true;
    let mut reader = Reader {
        builder,
        keys: BTreeMap::new(),
        key: None,
        class: Of::All,
        open: Vec::new(),
        item: None,
        text: None,
        root_seen: false,
    };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = xml.read_event_into(&mut buffer);
        let line = xml.get_ref().line();
        let at = |message: String| FileError { line, message };
        let done = match event {
            Err(error) => return Err(at(format!("this is not XML: {error}"))),
            Ok(Event::Start(element)) => reader.start(&element, line),
            Ok(Event::End(_)) => reader.end(line),
            Ok(Event::Text(text)) => reader.add(&text.xml10_content()),
            Ok(Event::CData(text)) => reader.add(&text.xml10_content()),
            Ok(Event::GeneralRef(reference)) => {
                let written = format!("&{};", reference.into_inner());
                match quick_xml::escape::unescape(&written) {
                    Ok(text) => reader.add(&text),
                    Err(_) => Err(format!("{} means nothing here", quoted(written.as_bytes()))),
                }
            }
            Ok(Event::Eof) if !reader.open.is_empty() => {
                Err("the file ends within an element".into())
            }
            Ok(Event::Eof) if !reader.root_seen => Err("there is no element in it".into()),
            Ok(Event::Eof) => break,
            Ok(_) => Ok(()),
        };
        done.map_err(at)?;
    }
    reader.builder.finish()
}

/// What an attribute is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Node,
    Edge,
    All,
}

impl Of {
    fn named(name: Option<&str>) -> Self {
        match name {
            Some("node") => Of::Node,
            Some("edge") => Of::Edge,
            _ => Of::All,
        }
    }
}

/// A declared attribute.
struct Key {
    name: String,
    /// As the format calls it: `string`, `double`, ...
    kind: String,
    default: Option<Value>,
}

/// The node or edge that is being read.
enum Item {
    Node { peer: u32, said: Vec<String> },
    Edge { link: u32, said: Vec<String> },
}

/// Where a text that is being read goes.
enum Target {
    /// It is the default of the key being declared.
    Default,
    /// It is the value of the key with this name.
    Data(String),
}

struct Reader {
    builder: Builder,
    /// By what they are of and their id.
    keys: BTreeMap<(Of, String), Key>,
    /// The key being declared.
    key: Option<(Of, String)>,
    /// What GEXF's attributes being declared are of.
    class: Of,
    open: Vec<String>,
    /// Nodes may stand in nodes: the innermost counts.
    item: Option<(usize, Item)>,
    text: Option<(Target, String)>,
    root_seen: bool,
}

fn attributes(element: &BytesStart<'_>) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|error| format!("this is not XML: {error}"))?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| format!("this is not XML: {error}"))?;
        let name: &str = attribute.key.as_ref();
        found.insert(name.to_owned(), value.into_owned());
    }
    Ok(found)
}

impl Reader {
    fn start(&mut self, element: &BytesStart<'_>, line: u64) -> Result<(), String> {
        let name: &str = element.name().into_inner();
        let name = name.to_owned();
        if self.open.len() >= DEPTH_MAX {
            return Err("elements stand too deep in each other".into());
        }
        if self.open.is_empty() {
            if self.root_seen {
                return Err("there is more than one root element".into());
            }
            if name != "graphml" && name != "gexf" {
                let shown = quoted(name.as_bytes());
                return Err(format!(
                    "{shown} is no graph; `graphml` or `gexf` is expected"
                ));
            }
            self.root_seen = true;
        }
        let in_gexf = self.open.first().is_some_and(|root| root == "gexf");
        self.open.push(name.clone());
        match (name.as_str(), in_gexf) {
            ("key", false) => {
                let given = attributes(element)?;
                let of = Of::named(given.get("for").map(String::as_str));
                self.declare(of, &given, ["attr.name", "attr.type"])
            }
            ("attributes", true) => {
                let given = attributes(element)?;
                self.class = Of::named(given.get("class").map(String::as_str));
                Ok(())
            }
            ("attribute", true) => {
                let given = attributes(element)?;
                self.declare(self.class, &given, ["title", "type"])
            }
            ("default", _) if self.key.is_some() => {
                self.text = Some((Target::Default, String::new()));
                Ok(())
            }
            ("graph", _) => {
                let given = attributes(element)?;
                let kind = given
                    .get("edgedefault")
                    .or_else(|| given.get("defaultedgetype"));
                let directed = ["directed", "mutual"];
                if kind.is_some_and(|kind| directed.contains(&kind.as_str())) {
                    self.builder.directed = true;
                }
                Ok(())
            }
            ("node", _) => self.node(&attributes(element)?, line, in_gexf),
            ("edge", _) => self.edge(&attributes(element)?, line),
            ("hyperedge", _) => Err("a hyperedge is no link between two peers".into()),
            ("data", false) if self.item.is_some() => {
                let given = attributes(element)?;
                let key = given.get("key").ok_or("`data` needs a `key`")?;
                self.text = Some((Target::Data(key.clone()), String::new()));
                Ok(())
            }
            ("attvalue", true) if self.item.is_some() => {
                let given = attributes(element)?;
                let key = given.get("for").or_else(|| given.get("id"));
                let (Some(key), Some(value)) = (key, given.get("value")) else {
                    return Err("`attvalue` needs `for` and `value`".into());
                };
                self.say(key, value, line)
            }
            _ => Ok(()),
        }
    }

    fn declare(
        &mut self,
        of: Of,
        given: &BTreeMap<String, String>,
        [name, kind]: [&str; 2],
    ) -> Result<(), String> {
        let id = given.get("id").ok_or("an attribute needs an `id`")?;
        let text = |key: &str| given.get(key).cloned();
        self.key = Some((of, id.clone()));
        self.keys.insert(
            (of, id.clone()),
            Key {
                name: text(name).unwrap_or_else(|| id.clone()),
                kind: text(kind).unwrap_or_default(),
                default: None,
            },
        );
        Ok(())
    }

    fn peer(&mut self, given: &BTreeMap<String, String>, key: &str) -> Result<u32, String> {
        let name = given
            .get(key)
            .ok_or_else(|| format!("`{key}` is missing"))?;
        self.builder.peer(name.as_bytes())
    }

    fn node(
        &mut self,
        given: &BTreeMap<String, String>,
        line: u64,
        in_gexf: bool,
    ) -> Result<(), String> {
        let peer = self.peer(given, "id")?;
        if let Some(label) = given
            .get("label")
            .filter(|label| in_gexf && given["id"] != **label)
        {
            self.builder
                .peer_says(peer, "label", line, Value::Text(label.as_str().into()))?;
        }
        let said = Vec::new();
        self.item = Some((self.open.len(), Item::Node { peer, said }));
        Ok(())
    }

    fn edge(&mut self, given: &BTreeMap<String, String>, line: u64) -> Result<(), String> {
        let (a, b) = (self.peer(given, "source")?, self.peer(given, "target")?);
        let directed = |key: &str, word: &str| given.get(key).is_some_and(|value| value == word);
        if directed("directed", "true") || directed("type", "directed") {
            self.builder.directed = true;
        }
        let link = self.builder.link(a, b)?;
        for name in ["weight", "label"] {
            if let Some(value) = given.get(name) {
                self.builder
                    .link_says(link, name, line, Value::guess(value))?;
            }
        }
        let said = Vec::new();
        self.item = Some((self.open.len(), Item::Edge { link, said }));
        Ok(())
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        if let Some((_, found)) = &mut self.text {
            if found.len() + text.len() > TEXT_BYTES_MAX {
                return Err("a text here is longer than 1 MiB".into());
            }
            found.push_str(text);
        }
        Ok(())
    }

    /// Takes a value of the node or edge being read.
    fn say(&mut self, key: &str, text: &str, line: u64) -> Result<(), String> {
        let Some((_, item)) = &mut self.item else {
            return Ok(());
        };
        let of = match item {
            Item::Node { .. } => Of::Node,
            Item::Edge { .. } => Of::Edge,
        };
        let declared = self
            .keys
            .get(&(of, key.to_owned()))
            .or_else(|| self.keys.get(&(Of::All, key.to_owned())));
        let (name, value) = match declared {
            Some(declared) => (declared.name.as_str(), typed(text, &declared.kind)?),
            None => (key, Value::guess(text)),
        };
        match item {
            Item::Node { peer, said } => {
                said.push(key.to_owned());
                self.builder.peer_says(*peer, name, line, value)
            }
            Item::Edge { link, said } => {
                said.push(key.to_owned());
                self.builder.link_says(*link, name, line, value)
            }
        }
    }

    fn end(&mut self, line: u64) -> Result<(), String> {
        let name = self.open.pop().unwrap_or_default();
        match name.as_str() {
            "key" | "attribute" => self.key = None,
            "default" => {
                if let Some((Target::Default, text)) = self.text.take()
                    && let Some(key) = self.key.as_ref().and_then(|id| self.keys.get_mut(id))
                {
                    key.default = Some(typed(&text, &key.kind)?);
                }
            }
            "data" => {
                if let Some((Target::Data(key), text)) = self.text.take() {
                    self.say(&key, &text, line)?;
                }
            }
            "node" | "edge" => {
                let depth = self.open.len() + 1;
                if let Some((_, item)) = self.item.take_if(|(at, _)| *at == depth) {
                    self.defaults(&item, line)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Says of an item what its keys' defaults say.
    fn defaults(&mut self, item: &Item, line: u64) -> Result<(), String> {
        let (of, said) = match item {
            Item::Node { said, .. } => (Of::Node, said),
            Item::Edge { said, .. } => (Of::Edge, said),
        };
        for ((class, id), key) in &self.keys {
            let fits = *class == of || *class == Of::All;
            let Some(default) = key.default.as_ref().filter(|_| fits && !said.contains(id)) else {
                continue;
            };
            match item {
                Item::Node { peer, .. } => {
                    self.builder
                        .peer_says(*peer, &key.name, line, default.clone())?;
                }
                Item::Edge { link, .. } => {
                    self.builder
                        .link_says(*link, &key.name, line, default.clone())?;
                }
            }
        }
        Ok(())
    }
}

/// A text as a value of a declared type.
fn typed(text: &str, kind: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    let number = || Value::number(trimmed);
    let value = match kind {
        "boolean" => match trimmed {
            "true" | "True" | "1" => Some(Value::Flag(true)),
            "false" | "False" | "0" => Some(Value::Flag(false)),
            _ => None,
        },
        "int" | "integer" | "long" => number().filter(|value| matches!(value, Value::Whole(_))),
        "float" | "double" => number().map(|value| match value {
            Value::Whole(whole) => Value::Real(whole as f64),
            other => other,
        }),
        "" => Some(Value::guess(text)),
        _ => Some(Value::Text(text.into())),
    };
    value.ok_or_else(|| format!("{} is no value of type `{kind}`", quoted(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, read};
    use super::*;

    const GRAPHML: &str = "<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">
<key id=\"d0\" for=\"node\" attr.name=\"type\" attr.type=\"string\"><default>a</default></key>
<key id=\"d1\" for=\"edge\" attr.name=\"latency\" attr.type=\"double\" />
<graph edgedefault=\"undirected\">
<node id=\"4\"><data key=\"d0\">b &amp; &#99;</data></node>
<node id=\"2\"/>
<edge source=\"2\" target=\"4\"><data key=\"d1\">2</data></edge>
</graph>
</graphml>
";

    #[test]
    fn reads_graphml() {
        let file = read("x", GRAPHML.as_bytes(), Limits::default()).expect("a graph");
        assert_eq!(
            file.graph.ids().iter().map(|id| id.0).collect::<Vec<_>>(),
            [2, 4]
        );
        let types = file.attributes.of_peers("type").expect("types");
        assert_eq!(types.get(&0), Some(&Value::Text("a".into())));
        assert_eq!(types.get(&1), Some(&Value::Text("b & c".into())));
        let latency = file.attributes.of_links("latency").expect("latencies");
        assert_eq!(
            (latency.cells[0].line, &latency.cells[0].value),
            (8, &Value::Real(2.0))
        );
        assert!(file.warnings.is_empty());
    }

    #[test]
    fn reads_gexf() {
        let text = "<gexf version=\"1.2\"><graph defaultedgetype=\"directed\">
<attributes class=\"node\"><attribute id=\"0\" title=\"type\" type=\"string\"/></attributes>
<nodes><node id=\"a\" label=\"A\"><attvalues><attvalue for=\"0\" value=\"x\"/></attvalues></node>
<node id=\"b\" label=\"b\"/></nodes>
<edges><edge id=\"0\" source=\"a\" target=\"b\" weight=\"2.0\"/></edges></graph></gexf>";
        let file = read("x", text.as_bytes(), Limits::default()).expect("a graph");
        assert_eq!((file.graph.peers(), file.graph.links()), (2, 1));
        let names: Vec<&str> = file
            .attributes
            .peers
            .iter()
            .map(|c| c.name.as_str())
            .collect();
        assert_eq!(names, ["name", "label", "type"]);
        assert_eq!(file.warnings.len(), 2, "{:?}", file.warnings);
    }

    #[test]
    fn names_what_is_wrong() {
        for (old, new, message) in [
            ("id=\"2\"", "name=\"2\"", "line 7: `id` is missing"),
            ("target=\"4\"", "", "line 8: `target` is missing"),
            (
                ">2</data>",
                ">x</data>",
                "line 8: `x` is no value of type `double`",
            ),
            ("</node>", "</edge>", "line 6: this is not XML"),
            ("</graphml>", "", "line 11: the file ends within an element"),
            ("graphml", "html", "line 2: `html` is no graph"),
            ("&amp;", "&lol;", "line 6: `&lol;` means nothing here"),
        ] {
            assert!(GRAPHML.contains(old));
            let text = GRAPHML.replace(old, new);
            let errors = read("x.graphml", text.as_bytes(), Limits::default()).expect_err(new);
            assert!(errors[0].to_string().starts_with(message), "{errors:?}");
        }
        let deep = "<graphml>".to_owned() + &"<a>".repeat(100_000);
        assert!(read("x.graphml", deep.as_bytes(), Limits::default()).is_err());
        assert!(read("x.graphml", b"", Limits::default()).is_err());
    }
}
