//! Node-link JSON, as networkx and D3 write it: `{"nodes": [{"id": 1}], "links": [{...}]}`.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value as Json};

use super::builder::Builder;
use super::source::Source;
use super::{FileError, GraphFile};
use crate::topology::attributes::Value;

/// Reads `nodes`, each with an `id`, and `links` or `edges`, each with `source` and `target`; what
/// else they say are attributes.
pub(super) fn read(source: Source<'_>, builder: Builder) -> Result<GraphFile, FileError> {
    let line = Rc::new(Cell::new(1));
    let mut state = State {
        builder,
        found: Found::default(),
        line: line.clone(),
    };
    let mut reader = serde_json::Deserializer::from_reader(Counted { source, line });
    let failed = |error: serde_json::Error| {
        let shown = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        FileError {
            line: (error.line() as u64).max(1),
            message: shown.strip_suffix(&place).unwrap_or(&shown).to_owned(),
        }
    };
    Top(&mut state).deserialize(&mut reader).map_err(failed)?;
    reader.end().map_err(failed)?;
    if !state.found.nodes && !state.found.links {
        let message = "there are neither `nodes` nor `links`; node-link JSON is expected, as \
                       networkx writes it";
        return Err(FileError {
            line: 1,
            message: message.into(),
        });
    }
    state.builder.finish()
}

struct State {
    builder: Builder,
    found: Found,
    /// The line that the reader has come to: that of the end of the object just read.
    line: Rc<Cell<u64>>,
}

/// A source that tells its line while someone else reads it.
struct Counted<'a> {
    source: Source<'a>,
    line: Rc<Cell<u64>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(out)?;
        self.line.set(self.source.line());
        Ok(count)
    }
}

#[derive(Default)]
struct Found {
    nodes: bool,
    links: bool,
}

struct Top<'a>(&'a mut State);

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `nodes` and `links`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "directed" => self.0.builder.directed = map.next_value()?,
                "nodes" => {
                    self.0.found.nodes = true;
                    map.next_value_seed(Items(self.0, node))?;
                }
                "links" | "edges" => {
                    self.0.found.links = true;
                    map.next_value_seed(Items(self.0, link))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// What takes an object and its line.
type Take = fn(&mut Builder, u64, Map<String, Json>) -> Result<(), String>;

/// A list whose items are taken one by one.
struct Items<'a>(&'a mut State, Take);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element::<Map<String, Json>>()? {
            let line = self.0.line.get();
            (self.1)(&mut self.0.builder, line, item).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

fn peer(builder: &mut Builder, item: &mut Map<String, Json>, key: &str) -> Result<u32, String> {
    match item.shift_remove(key) {
        Some(Json::String(name)) => builder.peer(name.as_bytes()),
        Some(Json::Number(number)) => builder.peer(number.to_string().as_bytes()),
        Some(other) => Err(format!("`{key}` is a number or a text, not {other}")),
        None => Err(format!("this object has no `{key}`")),
    }
}

fn value(json: Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(flag) => Value::Flag(flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Whole(whole),
            (None, Some(real)) => Value::Real(real),
            (None, None) => Value::Text(number.to_string().into()),
        },
        Json::String(text) => Value::Text(text.into()),
        nested => Value::Text(nested.to_string().into()),
    })
}

fn node(builder: &mut Builder, line: u64, mut item: Map<String, Json>) -> Result<(), String> {
    let peer = peer(builder, &mut item, "id")?;
    for (name, json) in item {
        if let Some(value) = value(json) {
            builder.peer_says(peer, &name, line, value)?;
        }
    }
    Ok(())
}

fn link(builder: &mut Builder, line: u64, mut item: Map<String, Json>) -> Result<(), String> {
    let (a, b) = (
        peer(builder, &mut item, "source")?,
        peer(builder, &mut item, "target")?,
    );
    let link = builder.link(a, b)?;
    for (name, json) in item {
        if let Some(value) = value(json) {
            builder.link_says(link, &name, line, value)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, read};
    use crate::topology::attributes::Value;

    #[test]
    fn reads_what_networkx_writes() {
        for key in ["links", "edges"] {
            let text = format!(
                "{{\"directed\": false, \"multigraph\": false, \"graph\": {{\"x\": [1]}},\n \"nodes\": \
                 [{{\"type\": \"a\", \"id\": 3}},\n {{\"id\": \"1\"}}], \"{key}\": [{{\"latency\": 2.5, \
                 \"source\": 3, \"target\": 1, \"nested\": {{\"y\": null}}}}]}}"
            );
            let file = read("x.json", text.as_bytes(), Limits::default()).expect("a graph");
            assert_eq!(
                file.graph.ids().iter().map(|id| id.0).collect::<Vec<_>>(),
                [1, 3]
            );
            let types = file.attributes.of_peers("type").expect("types");
            assert_eq!((types.cells[0].at, types.cells[0].line), (1, 2));
            let latencies = file.attributes.of_links("latency").expect("latencies");
            assert_eq!(latencies.get(&(0, 1)), Some(&Value::Real(2.5)));
            assert!(file.warnings.is_empty());
        }
    }

    #[test]
    fn names_what_is_wrong() {
        for (text, message) in [
            ("{}", "line 1: there are neither `nodes` nor `links`"),
            (
                "[1]",
                "line 1: invalid type: sequence, expected an object with",
            ),
            (
                "{\"nodes\": [\n{\"name\": 1}]}",
                "line 2: this object has no `id`",
            ),
            (
                "{\"nodes\": [{\"id\": [1]}]}",
                "line 1: `id` is a number or a text, not [1]",
            ),
            ("{\"nodes\": [", "line 1: EOF while parsing a list"),
            ("{\"nodes\": []} x", "line 1: trailing characters"),
        ] {
            let errors = read("x.json", text.as_bytes(), Limits::default()).expect_err(text);
            assert!(errors[0].to_string().starts_with(message), "{errors:?}");
        }
        let deep = "[".repeat(100_000);
        let text = format!("{{\"nodes\": [{{\"id\": {deep}");
        assert!(read("x.json", text.as_bytes(), Limits::default()).is_err());
    }
}
