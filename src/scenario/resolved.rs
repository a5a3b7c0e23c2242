//! The resolved scenario: the plan written out as YAML, every default filled in. Reading it
//! gives the same plan, and writing that the same text.

use std::fmt::Write;

use crate::network::{LatencyMeaning, LinkMode, Loss, LossState, LossTable};
use crate::peer::{LocationIndex, PeerId, TypeIndex};
use crate::record::LogSelection;
use crate::services::ParameterValue;
use crate::simulation::{GraphSource, Groups, PeerType, Plan, Population, TypeAssignment};
use crate::time::Time;
use crate::topology::Attachment;

/// The YAML text of a plan; the matrix and the graph stay in the input files they come from.
pub(super) fn write(plan: &Plan, latencies_file: Option<&str>, graph_file: Option<&str>) -> String {
    let mut yaml = String::new();
    // Writing to a String cannot fail.
    let _ = write_plan(&mut yaml, plan, latencies_file, graph_file);
    yaml
}

/// Text as a YAML scalar: bare where it can be nothing else, else in double quotes, which have
/// the same escapes as JSON.
pub(super) fn text(text: &str) -> String {
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let meaning = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if word && !meaning.contains(&text.to_lowercase().as_str()) {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    let items: Vec<String> = items.iter().map(show).collect();
    format!("[{}]", items.join(", "))
}

fn write_plan(
    yaml: &mut String,
    plan: &Plan,
    latencies_file: Option<&str>,
    graph_file: Option<&str>,
) -> std::fmt::Result {
    writeln!(
        yaml,
        "# Every default filled in by p2psim; times in ms, bandwidths in bit/s."
    )?;
    writeln!(yaml, "name: {}", text(&plan.name))?;
    writeln!(yaml, "seed: {}", plan.seed)?;
    writeln!(yaml, "horizon: {}", plan.horizon)?;
    writeln!(
        yaml,
        "locations: {}",
        list(&plan.locations, |name| text(name))
    )?;
    let meaning = match plan.latencies.meaning() {
        LatencyMeaning::RoundTrip => "round_trip",
        LatencyMeaning::OneWay => "one_way",
    };
    writeln!(yaml, "latency: {meaning}")?;
    match latencies_file {
        Some(name) => writeln!(yaml, "latencies: {}", text(&format!("inputs/{name}")))?,
        None => write_latencies(yaml, plan)?,
    }
    writeln!(yaml, "network:")?;
    writeln!(yaml, "  min_delay: {}", plan.latencies.delay_min())?;
    writeln!(yaml, "  uplink: {}", mode(plan.uplink))?;
    writeln!(yaml, "  downlink: {}", mode(plan.downlink))?;
    write_conditions(yaml, plan)?;
    writeln!(yaml, "peer_types:")?;
    for peer_type in &plan.types {
        write_type(yaml, plan, peer_type)?;
    }
    writeln!(yaml, "topology:")?;
    write_population(yaml, plan, graph_file)?;
    writeln!(yaml, "output:")?;
    let logs = match &plan.logs.selection {
        LogSelection::All => "all".to_owned(),
        LogSelection::None => "none".to_owned(),
        LogSelection::Some { ids, types } => {
            let ids = ids.iter().map(ToString::to_string);
            let types = types
                .iter()
                .map(|index| text(&plan.types[index.as_usize()].name));
            list(&ids.chain(types).collect::<Vec<String>>(), Clone::clone)
        }
    };
    writeln!(yaml, "  logs: {logs}")?;
    writeln!(yaml, "  level: {}", plan.logs.level.key())?;
    let snapshots = plan
        .snapshots
        .map_or("none".into(), |every| every.to_string());
    writeln!(yaml, "  snapshots: {snapshots}")?;
    writeln!(yaml, "  bootstrap: {}", plan.export_bootstrap)?;
    let measures = &plan.measures;
    writeln!(yaml, "  deliveries: {}", measures.deliveries.key())?;
    writeln!(yaml, "  load: {}", measures.load.key())?;
    writeln!(yaml, "  interval: {}", measures.interval)?;
    writeln!(yaml, "  latencies: {}", measures.latencies)?;
    writeln!(yaml, "  format: {}", measures.format.key())
}

fn mode(mode: LinkMode) -> &'static str {
    match mode {
        LinkMode::Limited => "limited",
        LinkMode::Unlimited => "unlimited",
    }
}

fn write_conditions(yaml: &mut String, plan: &Plan) -> std::fmt::Result {
    let conditions = &plan.conditions;
    if let Some(table) = &conditions.loss {
        write_loss(yaml, table, &plan.locations)?;
    }
    writeln!(yaml, "  duplication: {}", conditions.duplication)?;
    if conditions.partitions.is_empty() {
        return writeln!(yaml, "  partitions: []");
    }
    writeln!(yaml, "  partitions:")?;
    for partition in &conditions.partitions {
        writeln!(yaml, "    - from: {}", partition.from)?;
        writeln!(yaml, "      until: {}", partition.until)?;
        writeln!(yaml, "      directed: {}", partition.directed)?;
        let location = |index: &LocationIndex| text(&plan.locations[index.as_usize()]);
        let peer_type = |index: &TypeIndex| text(&plan.types[index.as_usize()].name);
        let (by, groups) = match &partition.groups {
            Groups::Locations(groups) => (
                Some("location"),
                list(groups, |group| list(group, location)),
            ),
            Groups::Types(groups) => (Some("type"), list(groups, |group| list(group, peer_type))),
            Groups::Shares(shares) => (None, list(shares, f64::to_string)),
        };
        if let Some(by) = by {
            writeln!(yaml, "      by: {by}")?;
        }
        writeln!(yaml, "      groups: {groups}")?;
    }
    Ok(())
}

fn write_loss(yaml: &mut String, table: &LossTable, locations: &[String]) -> std::fmt::Result {
    writeln!(yaml, "  loss:")?;
    if let Some(law) = table.default_law() {
        writeln!(yaml, "    default: {}", loss(law))?;
    }
    for (from, name) in (0_u16..).zip(locations) {
        let row: Vec<(&String, Loss)> = (0_u16..)
            .zip(locations)
            .filter_map(|(to, name)| {
                let law = table.get(LocationIndex(from), LocationIndex(to))?;
                Some((name, law))
            })
            .collect();
        if !row.is_empty() {
            writeln!(yaml, "    {}:", text(name))?;
        }
        for (to, law) in row {
            writeln!(yaml, "      {}: {}", text(to), loss(law))?;
        }
    }
    Ok(())
}

fn loss(law: Loss) -> String {
    let state = |state: LossState| format!("{{loss: {}, mean: {}}}", state.loss, state.mean);
    match law {
        Loss::Independent(probability) => probability.to_string(),
        Loss::Bursty(channel) => format!(
            "{{good: {}, bad: {}}}",
            state(channel.good),
            state(channel.bad)
        ),
    }
}

fn write_latencies(yaml: &mut String, plan: &Plan) -> std::fmt::Result {
    writeln!(yaml, "latencies:")?;
    let count = plan.locations.len();
    for from in 0..count {
        let law = |to: usize| {
            plan.latencies
                .get(LocationIndex(from as u16), LocationIndex(to as u16))
        };
        if (0..count).all(|to| law(to).is_none()) {
            continue;
        }
        writeln!(yaml, "  {}:", text(&plan.locations[from]))?;
        for to in 0..count {
            if let Some(law) = law(to) {
                writeln!(
                    yaml,
                    "    {}: {}",
                    text(&plan.locations[to]),
                    text(&law.to_string())
                )?;
            }
        }
    }
    Ok(())
}

fn write_type(yaml: &mut String, plan: &Plan, peer_type: &PeerType) -> std::fmt::Result {
    writeln!(yaml, "  {}:", text(&peer_type.name))?;
    writeln!(
        yaml,
        "    location: {}",
        text(&peer_type.location.to_string())
    )?;
    writeln!(
        yaml,
        "    bandwidth_ul: {}",
        text(&peer_type.bandwidth_ul.to_string())
    )?;
    writeln!(
        yaml,
        "    bandwidth_dl: {}",
        text(&peer_type.bandwidth_dl.to_string())
    )?;
    if peer_type.services.is_empty() {
        return writeln!(yaml, "    services: []");
    }
    writeln!(yaml, "    services:")?;
    for service in &peer_type.services {
        let name = match &service.input {
            Some(input) => format!("inputs/{input}"),
            None => service.spec.name.to_owned(),
        };
        writeln!(yaml, "      {}:", text(&name))?;
        for (name, value) in service.parameters.iter() {
            let value = match value {
                ParameterValue::Duration(time) => time.to_string(),
                ParameterValue::Count(count) => count.to_string(),
                ParameterValue::Probability(probability) => probability.to_string(),
                ParameterValue::Flag(flag) => flag.to_string(),
                ParameterValue::Law(law) => text(&law.to_string()),
                ParameterValue::OptionalLaw(law) => law
                    .as_ref()
                    .map_or_else(|| "none".into(), |law| text(&law.to_string())),
                ParameterValue::Number(number) | ParameterValue::Positive(number) => {
                    number.to_string()
                }
                ParameterValue::Word(word) => text(word),
                ParameterValue::Durations(times) => list(times, Time::to_string),
                ParameterValue::Types(types) => {
                    list(types, |index| text(&plan.types[index.as_usize()].name))
                }
                ParameterValue::Peers(peers) => list(peers, PeerId::to_string),
            };
            writeln!(yaml, "        {name}: {value}")?;
        }
    }
    Ok(())
}

fn write_attachments(yaml: &mut String, plan: &Plan, attach: &[Attachment]) -> std::fmt::Result {
    if attach.is_empty() {
        return Ok(());
    }
    let name = |index: TypeIndex| text(&plan.types[index.as_usize()].name);
    writeln!(yaml, "  attach:")?;
    attach.iter().try_for_each(|one| {
        writeln!(
            yaml,
            "    {}: {{count: {}, to: {}, degree: {}}}",
            name(one.peer_type),
            one.count,
            name(one.to),
            one.degree
        )
    })
}

fn write_population(yaml: &mut String, plan: &Plan, graph_file: Option<&str>) -> std::fmt::Result {
    let name = |index: crate::peer::TypeIndex| text(&plan.types[index.as_usize()].name);
    match &plan.population {
        Population::Graph {
            links,
            types,
            attach,
        } => {
            match (graph_file, links) {
                (Some(file), _) => writeln!(yaml, "  graph: {}", text(&format!("inputs/{file}")))?,
                (None, GraphSource::Generator(generator)) => {
                    writeln!(yaml, "  graph: {}", text(&generator.to_string()))?;
                    if generator.must_connect() {
                        writeln!(yaml, "  connected: true")?;
                    }
                }
                // A graph file has its name.
                (None, GraphSource::File(_)) => {}
                (None, GraphSource::Listed(graph)) => {
                    let links: Vec<(u32, u32)> = graph.iter_links().collect();
                    let id = |place: u32| graph.ids()[place as usize];
                    // A peer that has no link is there because of a link to itself.
                    let lone = (0..graph.peers())
                        .filter(|&peer| graph.neighbours(peer).is_empty())
                        .map(|peer| (peer as u32, peer as u32));
                    let links: Vec<(u32, u32)> = links.into_iter().chain(lone).collect();
                    let shown = list(&links, |&(a, b)| format!("[{}, {}]", id(a), id(b)));
                    writeln!(yaml, "  edges: {shown}")?;
                }
            }
            write_attachments(yaml, plan, attach)?;
            match types {
                TypeAssignment::File(_) => Ok(()),
                TypeAssignment::One(index) => writeln!(yaml, "  types: {}", name(*index)),
                TypeAssignment::Shares(shares) => {
                    writeln!(yaml, "  types:")?;
                    shares.iter().try_for_each(|(index, share)| {
                        writeln!(yaml, "    {}: {share}", name(*index))
                    })
                }
                TypeAssignment::Counts(counts) => {
                    writeln!(yaml, "  types:")?;
                    counts.iter().try_for_each(|(index, count)| {
                        writeln!(yaml, "    {}: {count}", name(*index))
                    })
                }
                TypeAssignment::ById { types, others } => {
                    writeln!(yaml, "  types:")?;
                    for (id, index) in types {
                        writeln!(yaml, "    {id}: {}", name(*index))?;
                    }
                    match others {
                        Some(index) => writeln!(yaml, "    others: {}", name(*index)),
                        None => Ok(()),
                    }
                }
            }
        }
        Population::Emergent {
            counts,
            bootstrap_extra,
            join,
            ..
        } => {
            writeln!(yaml, "  emergent:")?;
            for (index, count) in counts {
                writeln!(yaml, "    {}: {count}", name(*index))?;
            }
            if *bootstrap_extra > 0 {
                writeln!(yaml, "  bootstrap:\n    count: {bootstrap_extra}")?;
            }
            writeln!(yaml, "  join: {}", text(&join.to_string()))
        }
    }
}
