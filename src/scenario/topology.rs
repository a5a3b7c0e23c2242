//! Who takes part and how they are linked at first: a graph, listed links, or peers that find
//! each other.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{Context, whole_number};
use super::diagnostics::Diagnostic;
use super::distributions::{law, read as read_expression, report};
use super::latencies::Names;
use super::node::{Key, Node, NodeKind};
use super::peer_types::BOOTSTRAP;
use super::source::Place;
use super::words::{nearest_or_known, quoted};
use crate::distribution::Distribution;
use crate::peer::{PeerId, PeerIndex, TypeIndex};
use crate::simulation::{GraphSource, Population, TypeAssignment};
use crate::topology::generators::Generator;
use crate::topology::{Dropped, Graph, links};
use crate::units::{Dimension, show_count};

/// What a scenario says about its population.
pub(super) struct Topology {
    pub population: Population,
    /// Whether a type for the bootstrap peers must be made: the one after the scenario's own.
    pub makes_bootstrap: bool,
    /// The file of links: its place among the inputs.
    pub input: Option<usize>,
    /// How many peers of each type there can be at most, the made type included.
    pub counts: Vec<u64>,
    pub place: Place,
}

impl Topology {
    /// How many peers there are.
    pub fn peers(&self) -> u64 {
        match &self.population {
            Population::Graph { links, .. } => match links {
                GraphSource::Generator(generator) => generator.peers(),
                GraphSource::Listed(graph) => graph.peers() as u64,
            },
            Population::Emergent {
                counts,
                bootstrap_extra,
                ..
            } => counts.iter().map(|(_, count)| count).sum::<u64>() + bootstrap_extra,
        }
    }

    /// Whether there is a peer with this id.
    pub fn has(&self, id: PeerId) -> bool {
        match &self.population {
            Population::Graph {
                links: GraphSource::Listed(graph),
                ..
            } => graph.ids().binary_search(&id).is_ok(),
            Population::Graph { .. } => id.0 < self.peers(),
            Population::Emergent { .. } => (1..=self.peers()).contains(&id.0),
        }
    }
}

const KEYS: [&str; 6] = ["graph", "edges", "emergent", "types", "bootstrap", "join"];

/// Reads the key `topology`.
pub(super) fn read(ctx: &mut Context, node: &Node, types: &Names) -> Option<Topology> {
    let values = ctx.fields(node, "a graph, edges or an emergent network", KEYS)?;
    let [graph, edges, emergent, assigned, bootstrap, join] = values;
    let for_graphs = [("types", assigned)];
    let for_emergent = [("bootstrap", bootstrap), ("join", join)];
    match (graph, edges, emergent) {
        (Some(graph), None, None) => {
            misplaced(ctx, &for_emergent, "emergent");
            let (source, input) = read_graph(ctx, graph)?;
            read_assignment(ctx, node.place, source, input, assigned, types)
        }
        (None, Some(edges), None) => {
            misplaced(ctx, &for_emergent, "emergent");
            let source = GraphSource::Listed(read_edges(ctx, edges)?);
            read_assignment(ctx, node.place, source, None, assigned, types)
        }
        (None, None, Some(emergent)) => {
            misplaced(ctx, &for_graphs, "graph` or `edges");
            read_emergent(ctx, emergent, bootstrap, join, types)
        }
        _ => {
            let message = "`topology` needs exactly one of `graph`, `edges` and `emergent`";
            ctx.error(node.place, message, "");
            None
        }
    }
}

fn misplaced(ctx: &mut Context, keys: &[(&str, Option<&Node>)], belongs_to: &str) {
    for (key, value) in keys {
        if let Some(value) = value {
            let message = format!("`{key}` goes with `{belongs_to}` only");
            ctx.error(value.place, message, "");
        }
    }
}

fn read_graph(ctx: &mut Context, node: &Node) -> Option<(GraphSource, Option<usize>)> {
    let Some(text) = node.as_scalar() else {
        ctx.expected(node, "a generator's call or the path of a file of links");
        return None;
    };
    if !looks_like_call(text) {
        let input = ctx.read_input(node, text)?;
        let graph = read_links(ctx, node, text, input)?;
        return Some((GraphSource::Listed(graph), Some(input)));
    }
    let (expression, origin) = read_expression(ctx, node, "a generator's call")?;
    match Generator::from_expression(&expression) {
        Ok(generator) => Some((GraphSource::Generator(generator), None)),
        Err(errors) => {
            report(ctx, errors, &origin);
            None
        }
    }
}

/// Whether a text begins like `name(`; a file of such a name can be given as `./name(`.
fn looks_like_call(text: &str) -> bool {
    let name = text.trim_start();
    let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let rest = name.trim_start_matches(word);
    rest.len() < name.len() && rest.trim_start().starts_with('(')
}

fn read_links(ctx: &mut Context, node: &Node, path: &str, input: usize) -> Option<Graph> {
    let bytes = std::mem::take(&mut ctx.inputs[input].bytes);
    let read = links::read(&bytes);
    match read {
        Ok((graph, dropped)) => {
            ctx.inputs[input].bytes = bytes;
            warn_of_dropped(ctx, node.place, dropped);
            Some(graph)
        }
        Err(errors) => {
            let name = ctx.base.join(path).to_string_lossy().into_owned();
            // Errors show the lines; of bytes that are no text, something close to them.
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let lines: Vec<(Place, String)> = {
                let source = ctx.sources.add(name, text);
                let text = ctx.sources.get(source).map_or("", |file| &file.text);
                errors
                    .into_iter()
                    .map(|error| (line_place(text, source, error.line), error.message))
                    .collect()
            };
            for (place, message) in lines {
                ctx.error(place, message, "");
            }
            None
        }
    }
}

fn line_place(text: &str, source: u32, line: u64) -> Place {
    let mut start = 0;
    for (number, content) in (1..).zip(text.split_inclusive('\n')) {
        if number == line {
            let end = start + content.trim_end().len();
            return Place {
                source,
                start: start as u32,
                end: end as u32,
            };
        }
        start += content.len();
    }
    let end = text.len() as u32;
    Place {
        source,
        start: end,
        end,
    }
}

fn warn_of_dropped(ctx: &mut Context, place: Place, dropped: Dropped) {
    for (count, what) in [
        (dropped.self_loops, "of a peer to itself"),
        (dropped.duplicates, "given more than once"),
    ] {
        if count > 0 {
            let links = if count == 1 { "link" } else { "links" };
            let message = format!("{} {links} {what} left out", show_count(count));
            ctx.add(Diagnostic::warning(Some(place), message));
        }
    }
}

fn read_edges(ctx: &mut Context, node: &Node) -> Option<Graph> {
    let mut links = Vec::new();
    let mut ids = BTreeSet::new();
    let mut fine = true;
    for item in ctx.list(node, "a list of links such as `[1, 2]`")? {
        let NodeKind::Seq(ends) = &item.kind else {
            ctx.expected(item, "a link such as `[1, 2]`");
            fine = false;
            continue;
        };
        let [a, b] = ends.as_slice() else {
            let message = format!("a link has two ends, this has {}", ends.len());
            ctx.error(item.place, message, "");
            fine = false;
            continue;
        };
        match (ctx.count(a, 0, u64::MAX), ctx.count(b, 0, u64::MAX)) {
            (Some(a), Some(b)) => {
                ids.extend([PeerId(a), PeerId(b)]);
                links.push((PeerId(a), PeerId(b)));
            }
            _ => fine = false,
        }
    }
    if !fine {
        return None;
    }
    let (graph, dropped) = Graph::new(ids.into_iter().collect(), &links);
    warn_of_dropped(ctx, node.place, dropped);
    Some(graph)
}

fn read_assignment(
    ctx: &mut Context,
    place: Place,
    links: GraphSource,
    input: Option<usize>,
    node: Option<&Node>,
    types: &Names,
) -> Option<Topology> {
    let ids: Vec<PeerId> = match &links {
        GraphSource::Listed(graph) => graph.ids().to_vec(),
        GraphSource::Generator(_) => Vec::new(),
    };
    let peers = match &links {
        GraphSource::Listed(graph) => graph.peers() as u64,
        GraphSource::Generator(generator) => generator.peers(),
    };
    if peers == 0 {
        ctx.error(place, "the network is empty", "there are no peers");
        return None;
    }
    if peers > PeerIndex::LIMIT {
        too_many(ctx, place, peers);
        return None;
    }
    let exists = |id: PeerId| match &links {
        GraphSource::Listed(_) => ids.binary_search(&id).is_ok(),
        GraphSource::Generator(_) => id.0 < peers,
    };
    let (assignment, counts) = match node {
        None => {
            if types.names.len() != 1 {
                ctx.add(
                    Diagnostic::error(Some(place), "it is not said which peer is of which type")
                        .label("missing key `types`")
                        .help("a type's name, shares, counts, or a type for each id"),
                );
                return None;
            }
            (TypeAssignment::One(TypeIndex(0)), vec![peers])
        }
        Some(node) => read_types(ctx, node, types, peers, exists)?,
    };
    for (nth, count) in counts.iter().enumerate() {
        if *count == 0 {
            without_peers(ctx, types, nth, "`topology.types` gives it none");
        }
    }
    Some(Topology {
        population: Population::Graph {
            links,
            types: assignment,
        },
        makes_bootstrap: false,
        input,
        counts,
        place,
    })
}

fn too_many(ctx: &mut Context, place: Place, peers: u64) {
    let message = format!("{} peers are too many", show_count(peers));
    let label = format!("at most {}", show_count(PeerIndex::LIMIT));
    ctx.error(place, message, label);
}

fn without_peers(ctx: &mut Context, types: &Names, nth: usize, why: &str) {
    let (name, place) = (&types.names[nth], types.places[nth]);
    let message = format!("no peer is of type {}", quoted(name));
    ctx.error(place, message, why);
}

fn find_type(ctx: &mut Context, types: &Names, name: &str, place: Place) -> Option<usize> {
    let found = types.find(name);
    if found.is_none() {
        let known = types.names.iter().map(String::as_str);
        let label = nearest_or_known(name, "types", known);
        ctx.error(place, format!("unknown peer type {}", quoted(name)), label);
    }
    found
}

type Assigned = (TypeAssignment, Vec<u64>);

/// A type's name, shares, counts, or a mapping from ids to types.
fn read_types(
    ctx: &mut Context,
    node: &Node,
    types: &Names,
    peers: u64,
    exists: impl Fn(PeerId) -> bool,
) -> Option<Assigned> {
    let mut counts = vec![0; types.names.len()];
    if let Some(name) = node.as_scalar() {
        let found = find_type(ctx, types, name, node.place)?;
        counts[found] = peers;
        return Some((TypeAssignment::One(TypeIndex(found as u16)), counts));
    }
    let entries = ctx.entries(node, "a type, or types with their shares, counts or ids")?;
    let is_type = |key: &Key| types.find(&key.text).is_some();
    let is_id = |key: &Key| whole_number(&key.text).is_ok();
    if entries.iter().any(|(key, _)| is_type(key)) || !entries.iter().any(|(key, _)| is_id(key)) {
        return read_amounts(ctx, node, &entries, types, peers);
    }

    let mut by_id = BTreeMap::new();
    let mut fine = true;
    for (key, value) in entries {
        let id = match whole_number(&key.text) {
            Ok(id) => PeerId(id),
            Err(message) => {
                ctx.error(key.place, message, "expected the id of a peer");
                fine = false;
                continue;
            }
        };
        if !exists(id) {
            ctx.error(key.place, format!("there is no peer {id}"), "not in the graph");
            fine = false;
        }
        let Some(name) = value.as_scalar() else {
            ctx.expected(value, "the name of a peer type");
            fine = false;
            continue;
        };
        match find_type(ctx, types, name, value.place) {
            Some(found) => {
                counts[found] += 1;
                // `1` and `01` are two keys of one peer.
                if by_id.insert(id, TypeIndex(found as u16)).is_some() {
                    ctx.error(key.place, format!("peer {id} is given twice"), "");
                    fine = false;
                }
            }
            None => fine = false,
        }
    }
    if !fine {
        return None;
    }
    if (by_id.len() as u64) < peers {
        let missing = peers - by_id.len() as u64;
        let message = format!("{} peers have no type", show_count(missing));
        ctx.error(node.place, message, format!("the graph has {} peers", show_count(peers)));
        return None;
    }
    Some((TypeAssignment::ById(by_id), counts))
}

/// Counts if they are whole and add up to the peers, else shares if they add up to 1.
fn read_amounts(
    ctx: &mut Context,
    node: &Node,
    entries: &[&(Key, Node)],
    types: &Names,
    peers: u64,
) -> Option<Assigned> {
    let mut amounts = Vec::with_capacity(entries.len());
    let mut whole = Some(Vec::with_capacity(entries.len()));
    let mut fine = true;
    for (key, value) in entries {
        let found = find_type(ctx, types, &key.text, key.place);
        let amount = ctx.quantity(value, Dimension::Plain);
        let (Some(found), Some(amount)) = (found, amount) else {
            fine = false;
            continue;
        };
        if amount < 0.0 {
            let message = format!("{} is negative", ctx.shown(value));
            ctx.error(value.place, message, "expected a share or a count");
            fine = false;
        }
        let index = TypeIndex(found as u16);
        amounts.push((index, amount));
        match value.as_scalar().map(whole_number) {
            Some(Ok(count)) => {
                if let Some(whole) = &mut whole {
                    whole.push((index, count));
                }
            }
            _ => whole = None,
        }
    }
    if !fine {
        return None;
    }
    let mut counts = vec![0; types.names.len()];
    if let Some(whole) = whole {
        let total = whole
            .iter()
            .try_fold(0u64, |total, (_, count)| total.checked_add(*count));
        if total == Some(peers) {
            for (index, count) in &whole {
                counts[index.as_usize()] = *count;
            }
            return Some((TypeAssignment::Counts(whole), counts));
        }
    }
    let total: f64 = amounts.iter().map(|(_, share)| share).sum();
    if (total - 1.0).abs() > 1e-9 {
        let message = format!(
            "these add up to {total}: neither to 1, as shares do, nor to {}, as counts do",
            show_count(peers)
        );
        ctx.error(node.place, message, format!("the graph has {} peers", show_count(peers)));
        return None;
    }
    for (index, share) in &amounts {
        let count = share * peers as f64;
        counts[index.as_usize()] = count.ceil() as u64;
        if count > 0.0 && count < 0.5 {
            let name = &types.names[index.as_usize()];
            let message = format!("the share of type {} is less than one peer", quoted(name));
            ctx.add(Diagnostic::warning(Some(node.place), message));
        }
    }
    Some((TypeAssignment::Shares(amounts), counts))
}

fn read_emergent(
    ctx: &mut Context,
    node: &Node,
    bootstrap: Option<&Node>,
    join: Option<&Node>,
    types: &Names,
) -> Option<Topology> {
    let mut counts = Vec::new();
    let mut by_type = vec![0u64; types.names.len()];
    let mut fine = true;
    for (key, value) in ctx.entries(node, "numbers of peers by type")? {
        let found = find_type(ctx, types, &key.text, key.place);
        let count = ctx.count(value, 0, u64::MAX);
        let (Some(found), Some(count)) = (found, count) else {
            fine = false;
            continue;
        };
        counts.push((TypeIndex(found as u16), count));
        by_type[found] = count;
    }
    let own = types.find(BOOTSTRAP);
    let counted = own.is_some_and(|own| by_type[own] > 0);
    let extra = read_bootstrap(ctx, bootstrap, counted);
    let join = match join {
        None => Some(Distribution::constant(0.0)),
        Some(node) => law(ctx, node, Dimension::Time),
    };
    let (true, Some(extra), Some(join)) = (fine, extra, join) else {
        return None;
    };
    for (nth, count) in by_type.iter().enumerate() {
        if *count == 0 && Some(nth) != own {
            without_peers(ctx, types, nth, "`topology.emergent` gives it none");
            fine = false;
        }
    }
    let total = counts
        .iter()
        .try_fold(extra, |total, (_, count)| total.checked_add(*count))
        .unwrap_or(u64::MAX);
    if total > PeerIndex::LIMIT {
        too_many(ctx, node.place, total);
        return None;
    }
    if counts.iter().all(|(_, count)| *count == 0) {
        ctx.error(node.place, "the network is empty", "there are no peers");
        return None;
    }
    let bootstrap_type = own.unwrap_or(types.names.len());
    if own.is_none() {
        by_type.push(0);
    }
    by_type[bootstrap_type] += extra;
    fine.then_some(Topology {
        population: Population::Emergent {
            counts,
            bootstrap_type: TypeIndex(bootstrap_type as u16),
            bootstrap_extra: extra,
            join,
        },
        makes_bootstrap: own.is_none(),
        input: None,
        counts: by_type,
        place: node.place,
    })
}

/// How many bootstrap peers there are besides those that `emergent` counts.
fn read_bootstrap(ctx: &mut Context, node: Option<&Node>, counted: bool) -> Option<u64> {
    let Some(node) = node else {
        return Some(if counted { 0 } else { 1 });
    };
    if counted {
        let message = "bootstrap peers are counted twice";
        ctx.error(node.place, message, "`emergent` counts them already");
        return None;
    }
    let [count] = ctx.fields(node, "a number of peers such as `{count: 2}`", ["count"])?;
    match count {
        Some(count) => ctx.count(count, 1, PeerIndex::LIMIT),
        None => {
            ctx.error(node.place, "missing key `count`", "");
            None
        }
    }
}
