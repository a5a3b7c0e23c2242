//! The formats that a topology is written in for other programs.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};

use quick_xml::escape::escape;

use super::{Exported, LINK_HEADER, into_io};
use crate::topology::attributes::{Column, Value};
use crate::topology::files::{DOT_FILLS, DOT_GRAPH, IDS_COMMENT};

/// A format of an exported topology.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GraphFormat {
    /// One link a row.
    #[default]
    Csv,
    /// Graphviz: `dot -Tsvg`.
    Dot,
    /// For Gephi, Cytoscape, yEd, networkx, igraph.
    GraphMl,
    /// For networkx, igraph, Gephi.
    Gml,
    /// Node-link JSON: `networkx.node_link_graph`, D3.
    Json,
    /// For Gephi.
    Gexf,
    /// Matrix Market: `scipy.io.mmread`.
    MatrixMarket,
}

/// What is said of every peer, whether a graph file said something under the same name or not.
pub(super) const OWN_OF_PEERS: [&str; 5] =
    ["type", "location", "bandwidth_ul", "bandwidth_dl", "online"];
/// The same of links.
pub(super) const OWN_OF_LINKS: [&str; 2] = ["bandwidth_bit_per_s", "since_ms"];

/// Ids in a line of a comment.
const IDS_A_LINE: usize = 50;

/// What the values of an attribute are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Flag,
    Whole,
    Real,
    Text,
}

impl Kind {
    /// As GraphML and GEXF call it.
    fn name(self) -> &'static str {
        match self {
            Kind::Flag => "boolean",
            Kind::Whole => "long",
            Kind::Real => "double",
            Kind::Text => "string",
        }
    }

    /// What fits both.
    fn with(self, value: &Value) -> Self {
        let kind = match value {
            Value::Flag(_) => Kind::Flag,
            Value::Whole(_) => Kind::Whole,
            Value::Real(_) => Kind::Real,
            Value::Text(_) => Kind::Text,
        };
        match (self, kind) {
            (a, b) if a == b => a,
            (Kind::Whole, Kind::Real) | (Kind::Real, Kind::Whole) => Kind::Real,
            _ => Kind::Text,
        }
    }
}

/// An attribute as it is written.
struct Field<'a> {
    name: &'a str,
    kind: Kind,
    value: Box<dyn Fn(usize) -> Option<Value> + 'a>,
}

impl<'a> Field<'a> {
    fn own(name: &'a str, kind: Kind, value: impl Fn(usize) -> Value + 'a) -> Self {
        Field {
            name,
            kind,
            value: Box::new(move |place| Some(value(place))),
        }
    }

    fn kept(column: &'a Column<u32>) -> Self {
        let mut values = column.cells.iter().map(|cell| &cell.value);
        let first = values.next().map_or(Kind::Text, |value| match value {
            Value::Flag(_) => Kind::Flag,
            Value::Whole(_) => Kind::Whole,
            Value::Real(_) => Kind::Real,
            Value::Text(_) => Kind::Text,
        });
        Field {
            name: &column.name,
            kind: values.fold(first, Kind::with),
            value: Box::new(|place| column.get(&(place as u32)).cloned()),
        }
    }
}

/// A number as most programs know one: with a point, before any exponent too.
fn real(number: f64) -> String {
    let text = format!("{number:?}");
    match text.split_once('e') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
        _ => text,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Real(number) => real(*number),
        other => other.to_string(),
    }
}

/// Text that XML can hold: the control characters that it cannot are replaced.
fn xml(text: &str) -> String {
    let fits = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    let fit: String = text
        .chars()
        .map(|c| if fits(c) { c } else { '\u{fffd}' })
        .collect();
    match escape(fit.as_str()) {
        Cow::Borrowed(_) => fit,
        Cow::Owned(escaped) => escaped,
    }
    // An attribute's line end would be read as a blank.
    .replace('\n', "&#10;")
    .replace('\t', "&#9;")
}

impl Exported {
    /// Writes the topology.
    ///
    /// # Errors
    /// When `out` refuses.
    pub fn write(&self, format: GraphFormat, out: &mut impl Write) -> io::Result<()> {
        match format {
            GraphFormat::Csv => self.write_csv(out),
            GraphFormat::Dot => self.write_dot(out),
            GraphFormat::GraphMl => self.write_graphml(out),
            GraphFormat::Gml => self.write_gml(out),
            GraphFormat::Json => self.write_json(out),
            GraphFormat::Gexf => self.write_gexf(out),
            GraphFormat::MatrixMarket => self.write_matrix_market(out),
        }
    }

    fn peer_fields(&self) -> Vec<Field<'_>> {
        let peers = &self.peers;
        let text = |text: &str| Value::Text(text.into());
        let mut fields = vec![
            Field::own("type", Kind::Text, move |at| text(&peers[at].type_name)),
            Field::own("location", Kind::Text, move |at| text(&peers[at].location)),
            Field::own("bandwidth_ul", Kind::Real, |at| {
                Value::Real(peers[at].bandwidth_ul)
            }),
            Field::own("bandwidth_dl", Kind::Real, |at| {
                Value::Real(peers[at].bandwidth_dl)
            }),
            Field::own("online", Kind::Flag, |at| Value::Flag(peers[at].online)),
        ];
        fields.extend(self.kept_of_peers.iter().map(Field::kept));
        fields
    }

    fn link_fields(&self) -> Vec<Field<'_>> {
        let links = &self.links;
        let mut fields = vec![
            Field::own("bandwidth_bit_per_s", Kind::Real, |at| {
                Value::Real(links[at].bandwidth)
            }),
            Field::own("since_ms", Kind::Real, |at| {
                Value::Real(links[at].since.parse().unwrap_or_default())
            }),
        ];
        fields.extend(self.kept_of_links.iter().map(Field::kept));
        fields
    }

    fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        let kept: Vec<Field<'_>> = self.kept_of_links.iter().map(Field::kept).collect();
        let mut out = csv::Writer::from_writer(out);
        let mut rows = || {
            let names = kept.iter().map(|field| field.name);
            out.write_record(LINK_HEADER.into_iter().chain(names))?;
            for (place, link) in self.links.iter().enumerate() {
                let own = (link.source, link.target, link.bandwidth, &link.since);
                if kept.is_empty() {
                    out.serialize(own)?;
                    continue;
                }
                let values: Vec<String> = kept
                    .iter()
                    .map(|field| (field.value)(place).as_ref().map_or(String::new(), plain))
                    .collect();
                out.serialize((own, values))?;
            }
            out.flush().map_err(csv::Error::from)
        };
        rows().map_err(into_io)
    }

    fn write_dot(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "graph {DOT_GRAPH} {{")?;
        writeln!(out, "  layout=sfdp; overlap=prism; outputorder=edgesfirst;")?;
        let mut types: Vec<&str> = self.peers.iter().map(|p| p.type_name.as_str()).collect();
        types.sort_unstable();
        types.dedup();
        // What is drawn as we say is not drawn as an earlier file said.
        let drawn = ["style", "fillcolor"];
        let fields = self.peer_fields();
        let fields: Vec<&Field<'_>> = fields.iter().filter(|f| !drawn.contains(&f.name)).collect();
        for (place, peer) in self.peers.iter().enumerate() {
            let kind = types.binary_search(&peer.type_name.as_str()).unwrap_or(0);
            let colour = DOT_FILLS[kind % DOT_FILLS.len()];
            let style = if peer.online { "filled" } else { "dashed" };
            write!(out, "  {} [", peer.id)?;
            write_dot_fields(out, &fields, place)?;
            writeln!(out, "style={style}, fillcolor=\"{colour}\"];")?;
        }
        let fields = self.link_fields();
        let fields: Vec<&Field<'_>> = fields.iter().collect();
        for (place, link) in self.links.iter().enumerate() {
            write!(out, "  {} -- {} [", link.source, link.target)?;
            write_dot_fields(out, &fields, place)?;
            writeln!(out, "];")?;
        }
        writeln!(out, "}}")
    }

    fn write_graphml(&self, out: &mut impl Write) -> io::Result<()> {
        let (peer_fields, link_fields) = (self.peer_fields(), self.link_fields());
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(
            out,
            "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
             xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns \
             http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">"
        )?;
        for (of, letter, fields) in [("node", 'n', &peer_fields), ("edge", 'e', &link_fields)] {
            for (number, field) in fields.iter().enumerate() {
                writeln!(
                    out,
                    "  <key id=\"{letter}{number}\" for=\"{of}\" attr.name=\"{}\" attr.type=\"{}\"/>",
                    xml(field.name),
                    field.kind.name()
                )?;
            }
        }
        writeln!(out, "  <graph edgedefault=\"undirected\">")?;
        let data = |out: &mut dyn Write, letter: char, fields: &[Field<'_>], place: usize| {
            for (number, field) in fields.iter().enumerate() {
                if let Some(value) = (field.value)(place) {
                    let value = xml(&plain(&value));
                    write!(out, "<data key=\"{letter}{number}\">{value}</data>")?;
                }
            }
            io::Result::Ok(())
        };
        for (place, peer) in self.peers.iter().enumerate() {
            write!(out, "    <node id=\"{}\">", peer.id)?;
            data(out, 'n', &peer_fields, place)?;
            writeln!(out, "</node>")?;
        }
        for (place, link) in self.links.iter().enumerate() {
            write!(
                out,
                "    <edge source=\"{}\" target=\"{}\">",
                link.source, link.target
            )?;
            data(out, 'e', &link_fields, place)?;
            writeln!(out, "</edge>")?;
        }
        writeln!(out, "  </graph>\n</graphml>")
    }

    fn write_gml(&self, out: &mut impl Write) -> io::Result<()> {
        let (peer_fields, link_fields) = (self.peer_fields(), self.link_fields());
        // Other programs call peers by their labels, which then must be their own.
        let labels = self
            .kept_of_peers
            .iter()
            .find(|column| column.name == "label");
        let labels = labels.filter(|column| self.are_names(column));
        let (peer_names, link_names) = (gml_names(&peer_fields), gml_names(&link_fields));
        writeln!(out, "graph [\n  directed 0")?;
        for (place, peer) in self.peers.iter().enumerate() {
            let label = labels.and_then(|column| column.get(&(place as u32)));
            let label = label.map_or_else(|| peer.id.to_string(), plain);
            write!(out, "  node [ id {} label \"{}\"", peer.id, gml(&label))?;
            write_gml_fields(out, &peer_fields, &peer_names, place)?;
        }
        for (place, link) in self.links.iter().enumerate() {
            write!(
                out,
                "  edge [ source {} target {}",
                link.source, link.target
            )?;
            write_gml_fields(out, &link_fields, &link_names, place)?;
        }
        writeln!(out, "]")
    }

    /// Whether each peer has a value of its own here, and these are not numbers, which would be
    /// taken for ids.
    fn are_names(&self, column: &Column<u32>) -> bool {
        let mut texts: Vec<String> = column.cells.iter().map(|cell| plain(&cell.value)).collect();
        texts.sort_unstable();
        texts.dedup();
        let number = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit());
        texts.len() == self.peers.len() && !texts.iter().all(number)
    }

    fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let (peer_fields, link_fields) = (self.peer_fields(), self.link_fields());
        write!(
            out,
            "{{\"directed\": false, \"multigraph\": false, \"graph\": {{}},\n\"nodes\": ["
        )?;
        for (place, peer) in self.peers.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(out, "{comma}\n{{\"id\": {}", peer.id)?;
            write_json_fields(out, &peer_fields, place, &["id"])?;
        }
        write!(out, "\n],\n\"edges\": [")?;
        for (place, link) in self.links.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(
                out,
                "{comma}\n{{\"source\": {}, \"target\": {}",
                link.source, link.target
            )?;
            write_json_fields(out, &link_fields, place, &["source", "target"])?;
        }
        writeln!(out, "\n]}}")
    }

    fn write_gexf(&self, out: &mut impl Write) -> io::Result<()> {
        let (peer_fields, link_fields) = (self.peer_fields(), self.link_fields());
        let labels = self
            .kept_of_peers
            .iter()
            .find(|column| column.name == "label");
        begin_gexf(out, "mode=\"static\"")?;
        for (class, fields) in [("node", &peer_fields), ("edge", &link_fields)] {
            writeln!(out, "    <attributes class=\"{class}\">")?;
            for (number, field) in fields.iter().enumerate() {
                writeln!(
                    out,
                    "      <attribute id=\"{number}\" title=\"{}\" type=\"{}\"/>",
                    xml(field.name),
                    field.kind.name()
                )?;
            }
            writeln!(out, "    </attributes>")?;
        }
        let values = |out: &mut dyn Write, fields: &[Field<'_>], place: usize| {
            write!(out, "<attvalues>")?;
            for (number, field) in fields.iter().enumerate() {
                if let Some(value) = (field.value)(place) {
                    let value = xml(&plain(&value));
                    write!(out, "<attvalue for=\"{number}\" value=\"{value}\"/>")?;
                }
            }
            write!(out, "</attvalues>")
        };
        writeln!(out, "    <nodes>")?;
        for (place, peer) in self.peers.iter().enumerate() {
            let label = labels.and_then(|column| column.get(&(place as u32)));
            let label = label.map_or_else(|| peer.id.to_string(), |label| xml(&plain(label)));
            write!(out, "      <node id=\"{}\" label=\"{label}\">", peer.id)?;
            values(out, &peer_fields, place)?;
            writeln!(out, "</node>")?;
        }
        writeln!(out, "    </nodes>\n    <edges>")?;
        for (place, link) in self.links.iter().enumerate() {
            let (source, target) = (link.source, link.target);
            write!(
                out,
                "      <edge id=\"{place}\" source=\"{source}\" target=\"{target}\">"
            )?;
            values(out, &link_fields, place)?;
            writeln!(out, "</edge>")?;
        }
        writeln!(out, "    </edges>\n  </graph>\n</gexf>")
    }

    fn write_matrix_market(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "%%MatrixMarket matrix coordinate pattern symmetric")?;
        let ids: Vec<u64> = self.peers.iter().map(|peer| peer.id).collect();
        // Row 1 is peer 0, unless we say otherwise.
        if ids
            .iter()
            .enumerate()
            .any(|(place, &id)| id != place as u64)
        {
            for line in ids.chunks(IDS_A_LINE) {
                let line: Vec<String> = line.iter().map(u64::to_string).collect();
                writeln!(out, "{IDS_COMMENT} {}", line.join(" "))?;
            }
        }
        writeln!(out, "{} {} {}", ids.len(), ids.len(), self.links.len())?;
        let row = |id: u64| ids.binary_search(&id).unwrap_or_default() + 1;
        for link in &self.links {
            writeln!(out, "{} {}", row(link.target), row(link.source))?;
        }
        Ok(())
    }
}

/// The begin of a GEXF file, up to where its graph's content goes.
pub(super) fn begin_gexf(out: &mut impl Write, mode: &str) -> io::Result<()> {
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <gexf xmlns=\"http://www.gexf.net/1.2draft\" version=\"1.2\">\n  \
         <meta><creator>p2psim</creator></meta>\n  \
         <graph defaultedgetype=\"undirected\" {mode}>"
    )
}

/// Text within double quotes of XML.
pub(super) fn xml_text(text: &str) -> String {
    xml(text)
}

/// Text between double quotes in DOT.
fn dot(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn write_dot_fields(out: &mut impl Write, fields: &[&Field<'_>], place: usize) -> io::Result<()> {
    for field in fields {
        let bare = field.name.bytes().enumerate().all(|(at, byte)| {
            byte == b'_' || byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit())
        });
        let keyword = ["node", "edge", "graph", "digraph", "subgraph", "strict"];
        let keyword = keyword.contains(&field.name.to_ascii_lowercase().as_str());
        let Some(value) = (field.value)(place) else {
            continue;
        };
        let name = if bare && !keyword && !field.name.is_empty() {
            Cow::Borrowed(field.name)
        } else {
            Cow::Owned(format!("\"{}\"", dot(field.name)))
        };
        match value {
            Value::Text(text) => write!(out, "{name}=\"{}\", ", dot(&text))?,
            // DOT's numbers have no exponents.
            Value::Real(number) if number.fract() == 0.0 => write!(out, "{name}={number}.0, ")?,
            Value::Real(number) => write!(out, "{name}={number}, ")?,
            other => write!(out, "{name}={other}, ")?,
        }
    }
    Ok(())
}

/// Text between double quotes in GML, which is ASCII.
fn gml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' if !matches!(c, '"' | '&') => escaped.push(c),
            other => escaped.push_str(&format!("&#{};", u32::from(other))),
        }
    }
    escaped
}

/// These say who a peer or a link is.
const GML_TAKEN: [&str; 4] = ["id", "label", "source", "target"];

/// What the fields are called in GML, where names are letters, digits and `_`. A name that fits
/// stays; one that becomes another's is numbered.
fn gml_names(fields: &[Field<'_>]) -> Vec<String> {
    let fitted = |name: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut fit: String = name
            .chars()
            .map(|c| if fits(c) { c } else { '_' })
            .collect();
        if !fit.starts_with(|c: char| c.is_ascii_alphabetic()) {
            fit.insert(0, 'x');
        }
        fit
    };
    let mut taken: BTreeSet<String> = GML_TAKEN.map(str::to_owned).into();
    let fitting = fields
        .iter()
        .filter(|field| fitted(field.name) == field.name);
    taken.extend(fitting.map(|field| field.name.to_owned()));
    let name = |field: &Field<'_>| {
        let fit = fitted(field.name);
        if fit == field.name {
            return fit;
        }
        let numbered = (2_u32..).map(|number| format!("{fit}_{number}"));
        let mut free = std::iter::once(fit.clone()).chain(numbered);
        let name = free.find(|name| !taken.contains(name)).unwrap_or(fit);
        taken.insert(name.clone());
        name
    };
    fields.iter().map(name).collect()
}

fn write_gml_fields(
    out: &mut impl Write,
    fields: &[Field<'_>],
    names: &[String],
    place: usize,
) -> io::Result<()> {
    for (field, name) in fields.iter().zip(names) {
        if GML_TAKEN.contains(&field.name) {
            continue;
        }
        let Some(value) = (field.value)(place) else {
            continue;
        };
        match value {
            Value::Flag(flag) => write!(out, " {name} {}", u8::from(flag))?,
            Value::Text(text) => write!(out, " {name} \"{}\"", gml(&text))?,
            number => write!(out, " {name} {}", plain(&number))?,
        }
    }
    writeln!(out, " ]")
}

fn write_json_fields(
    out: &mut impl Write,
    fields: &[Field<'_>],
    place: usize,
    taken: &[&str],
) -> io::Result<()> {
    for field in fields.iter().filter(|field| !taken.contains(&field.name)) {
        let value = match (field.value)(place) {
            None => continue,
            Some(Value::Text(text)) => serde_json::Value::from(&*text),
            Some(Value::Flag(flag)) => flag.into(),
            Some(Value::Whole(number)) => number.into(),
            Some(Value::Real(number)) => number.into(),
        };
        write!(out, ", {}: {value}", serde_json::Value::from(field.name))?;
    }
    write!(out, "}}")
}
