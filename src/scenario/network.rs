//! `network`: the floor under delays, link queues, loss, duplication, partitions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::compiler::Compiler;
use super::fields::{FLAGS, Fields};
use super::node::{Key, Node, Value};
use super::schema::{self, KeySpec, Mapping};
use super::source::Place;
use crate::expression::nearest;
use crate::network::{GilbertElliott, LinkMode, Loss, LossState, LossTable};
use crate::peer::{LocationIndex, TypeIndex};
use crate::services::Registry;
use crate::simulation::{ConditionsPlan, Groups, PartitionPlan};
use crate::time::Time;
use crate::units::Dimension;

/// The floor under every one-way delay, unless the scenario says otherwise: 0.05 ms.
const DELAY_MIN: Time = Time::from_ns(50_000);
/// The most partitions: each of them by share takes two bytes a peer.
const PARTITIONS_MAX: usize = 1000;
const GROUPS_MAX: usize = 10_000;

const MODES: [(&str, LinkMode); 2] = [
    ("limited", LinkMode::Limited),
    ("unlimited", LinkMode::Unlimited),
];
/// Whether the names in a partition are those of peer types.
const BY: [(&str, bool); 2] = [("location", false), ("type", true)];
/// The key for the loss between locations for which none is given.
const DEFAULT: &str = "default";

pub(super) const NETWORK: Mapping = Mapping {
    what: "`network`",
    keys: &[
        KeySpec::new(
            "min_delay",
            schema::time_above_0,
            "no message is faster, one way",
        )
        .or("0.05 ms"),
        KeySpec::new(
            "uplink",
            |_| schema::words(&MODES),
            "limited: messages queue for their sender's uplink, first in first out",
        )
        .or("limited"),
        KeySpec::new(
            "downlink",
            |_| schema::words(&MODES),
            "limited: messages queue for their receiver's downlink, first in first out",
        )
        .or("limited"),
        KeySpec::new(
            "loss",
            loss_table_schema,
            "which messages are lost by chance: a law for all, or by pairs of locations; nothing \
             unless given",
        ),
        KeySpec::new(
            "duplication",
            schema::probability,
            "with which probability the network delivers a second copy of a message",
        )
        .or("0"),
        KeySpec::new(
            "partitions",
            |registry| {
                let item = PARTITION.schema(registry);
                json!({"type": "array", "items": item, "maxItems": PARTITIONS_MAX})
            },
            "keep groups of peers apart for a while",
        ),
    ],
};

const BURSTY: Mapping = Mapping {
    what: "bursty loss",
    keys: &[
        KeySpec::new(
            "good",
            |registry| STATE.schema(registry),
            "the state that loses less",
        )
        .required(),
        KeySpec::new(
            "bad",
            |registry| STATE.schema(registry),
            "the state that loses more",
        )
        .required(),
    ],
};

const STATE: Mapping = Mapping {
    what: "a state of bursty loss",
    keys: &[
        KeySpec::new(
            "loss",
            schema::probability,
            "with which probability a message is lost",
        )
        .required(),
        KeySpec::new(
            "mean",
            schema::time_above_0,
            "how long the state lasts on average",
        )
        .required(),
    ],
};

const PARTITION: Mapping = Mapping {
    what: "a partition",
    keys: &[
        KeySpec::new("from", schema::time, "when it begins").required(),
        KeySpec::new("until", schema::time, "when it no longer holds").required(),
        KeySpec::new(
            "groups",
            groups_schema,
            "lists of locations or of peer types, or shares of the peers",
        )
        .required(),
        KeySpec::new(
            "directed",
            schema::flag,
            "whether only messages from an earlier group to a later one are lost",
        )
        .or("false"),
        KeySpec::new(
            "by",
            |_| schema::words(&BY),
            "what the names in the groups are, if they could be both",
        ),
    ],
};

/// A probability, or a bursty channel.
pub(super) fn loss_schema(registry: &Registry) -> serde_json::Value {
    let mut schema = schema::any_of([schema::probability(registry), BURSTY.schema(registry)]);
    schema["description"] = json!(
        "a probability, or a Gilbert-Elliott channel: \
         {good: {loss: 0.001, mean: 10 s}, bad: {loss: 0.3, mean: 500 ms}}"
    );
    schema
}

fn loss_table_schema(_: &Registry) -> serde_json::Value {
    let law = || schema::defined("loss");
    let mut table = schema::map_of(schema::map_of(law()));
    table["properties"] = json!({DEFAULT: law()});
    schema::any_of([law(), table])
}

fn groups_schema(registry: &Registry) -> serde_json::Value {
    let names = json!({"type": "array", "items": schema::name(registry), "minItems": 1});
    let share = json!({"type": "number", "exclusiveMinimum": 0, "maximum": 1});
    schema::any_of([names, share].map(|item| {
        let mut groups = schema::list_of(item);
        groups["minItems"] = json!(2);
        groups["maxItems"] = json!(GROUPS_MAX);
        groups
    }))
}

/// The `network` part of a scenario.
pub(super) struct Network {
    pub(super) delay_min: Time,
    pub(super) uplink: LinkMode,
    pub(super) downlink: LinkMode,
    pub(super) conditions: ConditionsPlan,
}

impl Default for Network {
    fn default() -> Self {
        Network {
            delay_min: DELAY_MIN,
            uplink: LinkMode::default(),
            downlink: LinkMode::default(),
            conditions: ConditionsPlan::default(),
        }
    }
}

/// What the conditions may name; `None` where that part of the scenario is wrong.
pub(super) struct Known<'a> {
    pub(super) locations: Option<&'a [String]>,
    pub(super) types: Option<&'a [String]>,
    pub(super) horizon: Option<Time>,
}

impl Compiler<'_> {
    pub(super) fn network(
        &mut self,
        node: &Node,
        head: Place,
        known: &Known<'_>,
    ) -> Option<Network> {
        let mut fields = Fields::new(self, &NETWORK, node, head)?;
        let delay_min = match fields.get("min_delay") {
            Some(node) => self.duration(node, Time::from_ns(1)),
            None => Some(DELAY_MIN),
        };
        let mut mode = |compiler: &mut Self, key| match fields.get(key) {
            Some(node) => compiler.word(node, &MODES),
            None => Some(LinkMode::default()),
        };
        let uplink = mode(self, "uplink");
        let downlink = mode(self, "downlink");
        let loss = match fields.get("loss") {
            Some(node) => self
                .loss_table(node, known.locations)
                .map(|table| Some(table).filter(|table| !table.is_empty())),
            None => Some(None),
        };
        let duplication = match fields.get("duplication") {
            Some(node) => self.probability(node),
            None => Some(0.0),
        };
        let partitions = match fields.get("partitions") {
            Some(node) => self.partitions(node, known),
            None => Some(Vec::new()),
        };
        fields.finish(self);
        Some(Network {
            delay_min: delay_min?,
            uplink: uplink?,
            downlink: downlink?,
            conditions: ConditionsPlan {
                loss: loss?,
                duplication: duplication?,
                partitions: partitions?,
            },
        })
    }

    fn probability(&mut self, node: &Node) -> Option<f64> {
        let number = self.number(node, Dimension::Plain)?;
        if (0.0..=1.0).contains(&number) {
            return Some(number);
        }
        let message = format!("a probability cannot be {number}");
        self.error(node.place, message, "a number from 0 to 1");
        None
    }

    /// One law for all, or a mapping of locations to mappings of locations to laws.
    fn loss_table(&mut self, node: &Node, locations: Option<&[String]>) -> Option<LossTable> {
        let locations = locations?;
        let mut table = LossTable::new(locations.len());
        let rows = match &node.value {
            Value::Map(rows) if !is_bursty(rows) => rows,
            _ => {
                table.set_default(self.loss(node)?);
                return Some(table);
            }
        };
        let mut fine = true;
        for (from, row) in rows {
            if from.text == DEFAULT {
                match self.loss(row) {
                    Some(law) => table.set_default(law),
                    None => fine = false,
                }
                continue;
            }
            let from_place = self.known_location(&from.text, from.place, locations);
            let Value::Map(cells) = &row.value else {
                let message = format!(
                    "the loss of `{}` is a mapping, not {}",
                    from.text,
                    row.described()
                );
                self.error(row.place, message, "{LocB: 0.05}");
                fine = false;
                continue;
            };
            for (to, cell) in cells {
                let to_place = self.known_location(&to.text, to.place, locations);
                let law = self.loss(cell);
                match (from_place, to_place, law) {
                    (Some(from), Some(to), Some(law)) => {
                        table.set(LocationIndex(from as u16), LocationIndex(to as u16), law);
                    }
                    _ => fine = false,
                }
            }
        }
        fine.then_some(table)
    }

    /// A probability, or the two states of a bursty channel.
    fn loss(&mut self, node: &Node) -> Option<Loss> {
        match &node.value {
            Value::Scalar(_) => self.probability(node).map(Loss::Independent),
            Value::Map(_) => {
                let mut fields = Fields::new(self, &BURSTY, node, node.place)?;
                let mut state = |compiler: &mut Self, key, example| {
                    let node = fields.require(compiler, key, example)?;
                    compiler.loss_state(node)
                };
                let good = state(self, "good", "{loss: 0.001, mean: 10 s}");
                let bad = state(self, "bad", "{loss: 0.3, mean: 500 ms}");
                fields.finish(self);
                let channel = GilbertElliott {
                    good: good?,
                    bad: bad?,
                };
                if channel.good.loss > channel.bad.loss {
                    let message = "the good state loses more than the bad one";
                    self.warning(node.place, message, "the two the other way round");
                }
                Some(Loss::Bursty(channel))
            }
            _ => {
                let message = format!("loss cannot be {}", node.described());
                let expected = "a number from 0 to 1, or {good: {loss: 0.001, mean: 10 s}, bad: {loss: 0.3, mean: 500 ms}}";
                self.error(node.place, message, expected);
                None
            }
        }
    }

    fn loss_state(&mut self, node: &Node) -> Option<LossState> {
        let mut fields = Fields::new(self, &STATE, node, node.place)?;
        let loss = match fields.require(self, "loss", "0.3") {
            Some(node) => self.probability(node),
            None => None,
        };
        let mean = match fields.require(self, "mean", "500 ms") {
            Some(node) => self.duration(node, Time::from_ns(1)),
            None => None,
        };
        fields.finish(self);
        Some(LossState {
            loss: loss?,
            mean: mean?,
        })
    }

    fn partitions(&mut self, node: &Node, known: &Known<'_>) -> Option<Vec<PartitionPlan>> {
        let items = match &node.value {
            Value::List(items) if items.len() <= PARTITIONS_MAX => items,
            Value::List(items) => {
                let message = format!("there are {} partitions", items.len());
                self.error(node.place, message, format!("at most {PARTITIONS_MAX}"));
                return None;
            }
            _ => {
                let message = format!("`partitions` is a list, not {}", node.described());
                let expected = "[{from: 2 s, until: 5 s, groups: [[LocA], [LocB]]}]";
                self.error(node.place, message, expected);
                return None;
            }
        };
        let plans: Vec<Option<PartitionPlan>> = items
            .iter()
            .map(|item| self.partition(item, known))
            .collect();
        plans.into_iter().collect()
    }

    fn partition(&mut self, node: &Node, known: &Known<'_>) -> Option<PartitionPlan> {
        let mut fields = Fields::new(self, &PARTITION, node, node.place)?;
        let from_node = fields.require(self, "from", "2 s");
        let until_node = fields.require(self, "until", "5 s");
        let groups_node = fields.require(self, "groups", "[[LocA], [LocB]]");
        let from = from_node.and_then(|node| self.duration(node, Time::ZERO));
        let until = until_node.and_then(|node| self.duration(node, Time::ZERO));
        let directed = match fields.get("directed") {
            Some(node) => self.word(node, &FLAGS),
            None => Some(false),
        };
        let by_types = match fields.get("by") {
            Some(node) => self.word(node, &BY).map(Some),
            None => Some(None),
        };
        let groups = match (groups_node, by_types) {
            (Some(node), Some(by_types)) => self.groups(node, by_types, known),
            _ => None,
        };
        fields.finish(self);
        if let (Some(from), Some(until), Some(node)) = (from, until, until_node)
            && from >= until
        {
            let message = format!("this partition ends at {until} ms, but begins at {from} ms");
            self.error(node.place, message, "an end after the begin");
            return None;
        }
        if let (Some(from), Some(horizon), Some(node)) = (from, known.horizon, from_node)
            && from >= horizon
        {
            let message =
                format!("this partition begins at {from} ms, but the run ends at {horizon} ms");
            self.warning(node.place, message, "a begin before the horizon");
        }
        Some(PartitionPlan {
            from: from?,
            until: until?,
            directed: directed?,
            groups: groups?,
        })
    }

    /// Lists of names, or shares.
    fn groups(&mut self, node: &Node, by_types: Option<bool>, known: &Known<'_>) -> Option<Groups> {
        let Value::List(items) = &node.value else {
            let message = format!("`groups` is a list, not {}", node.described());
            self.error(node.place, message, "[[LocA], [LocB]], or [0.3, 0.7]");
            return None;
        };
        if items.len() < 2 || items.len() > GROUPS_MAX {
            let message = match items.len() {
                0 => "a partition without groups parts nobody".to_owned(),
                1 => "a partition with one group parts nobody".to_owned(),
                many => format!("there are {many} groups"),
            };
            let expected =
                format!("from 2 to {GROUPS_MAX} groups: [[LocA], [LocB]], or [0.3, 0.7]");
            self.error(node.place, message, expected);
            return None;
        }
        if items
            .iter()
            .all(|item| matches!(item.value, Value::Scalar(_)))
            && by_types.is_none()
        {
            return self.shares(node, items);
        }
        let mut names: Vec<Vec<(&str, Place)>> = Vec::with_capacity(items.len());
        let mut seen = BTreeSet::new();
        let mut fine = true;
        for item in items {
            let members = match &item.value {
                Value::List(members) if !members.is_empty() => members,
                _ => {
                    let message = match &item.value {
                        Value::List(_) => "this group is empty".to_owned(),
                        _ => format!("a group of names is a list, not {}", item.shown()),
                    };
                    self.error(item.place, message, "[LocA]");
                    fine = false;
                    continue;
                }
            };
            let mut group = Vec::with_capacity(members.len());
            for member in members {
                let Value::Scalar(scalar) = &member.value else {
                    let message = format!("a name is expected here, not {}", member.described());
                    self.error(member.place, message, "a location, or a peer type");
                    fine = false;
                    continue;
                };
                if !seen.insert(scalar.text.as_str()) {
                    let message = format!("`{}` is in a group already", scalar.text);
                    self.error(member.place, message, "each name once in a partition");
                    fine = false;
                }
                group.push((scalar.text.as_str(), member.place));
            }
            names.push(group);
        }
        let groups = self.named_groups(node.place, &names, by_types, known);
        if fine { groups } else { None }
    }

    /// Groups of locations, or of peer types: of whichever all names are.
    fn named_groups(
        &mut self,
        place: Place,
        names: &[Vec<(&str, Place)>],
        by_types: Option<bool>,
        known: &Known<'_>,
    ) -> Option<Groups> {
        let (locations, types) = (Index::new(known.locations?), Index::new(known.types?));
        let all = || names.iter().flatten();
        let fits = |index: &Index<'_>| all().all(|(name, _)| index.0.contains_key(name));
        let by_types = match (by_types, fits(&locations), fits(&types)) {
            (Some(by_types), ..) => Some(by_types),
            (None, true, true) => {
                let message = "these are names of locations and of peer types";
                let expected = "`by: location` or `by: type` in the partition";
                self.error(place, message, expected);
                return None;
            }
            (None, true, false) => Some(false),
            (None, false, true) => Some(true),
            (None, false, false) => None,
        };
        let (candidates, what): (Vec<&Index<'_>>, &str) = match by_types {
            Some(false) => (vec![&locations], "location"),
            Some(true) => (vec![&types], "peer type"),
            None => (vec![&locations, &types], "location or peer type"),
        };
        let mut fine = true;
        for &(name, place) in all() {
            if !candidates.iter().any(|index| index.0.contains_key(name)) {
                let names = candidates.iter().flat_map(|index| index.0.keys().copied());
                let expected = nearest(name, names)
                    .unwrap_or_else(|| format!("the name of a {what} of the scenario"));
                self.error(place, format!("unknown {what} `{name}`"), expected);
                fine = false;
            }
        }
        if fine && by_types.is_none() {
            let message = "these groups mix locations and peer types";
            let expected = "names of one kind in all groups of a partition";
            self.error(place, message, expected);
        }
        if !fine {
            return None;
        }
        match by_types? {
            false => Some(Groups::Locations(locations.places(names, LocationIndex))),
            true => Some(Groups::Types(types.places(names, TypeIndex))),
        }
    }

    fn shares(&mut self, node: &Node, items: &[Node]) -> Option<Groups> {
        let mut shares = Vec::with_capacity(items.len());
        for item in items {
            if let Value::Scalar(scalar) = &item.value
                && scalar.text.starts_with(|c: char| c.is_alphabetic())
            {
                let message = format!("a group of names is a list, not {}", item.shown());
                self.error(item.place, message, format!("[{}]", scalar.text));
                return None;
            }
            let share = self.number(item, Dimension::Plain)?;
            if !(share > 0.0 && share <= 1.0) {
                let message = format!("{share} is no share of the peers");
                self.error(item.place, message, "above 0, at most 1");
                return None;
            }
            shares.push(share);
        }
        let total: f64 = shares.iter().sum();
        if total > 1.0 + 1e-9 {
            let message = format!("the shares add up to {total}");
            self.error(node.place, message, "at most 1; the rest is in no group");
            return None;
        }
        Some(Groups::Shares(shares))
    }
}

/// Names and their places in the list of them.
struct Index<'a>(BTreeMap<&'a str, u16>);

impl<'a> Index<'a> {
    fn new(names: &'a [String]) -> Self {
        Index(names.iter().map(String::as_str).zip(0..).collect())
    }

    /// Groups of names as groups of places; what is not in the list is left out.
    fn places<K>(&self, names: &[Vec<(&str, Place)>], key: impl Fn(u16) -> K) -> Vec<Vec<K>> {
        names
            .iter()
            .map(|group| {
                let found = group.iter().filter_map(|(name, _)| self.0.get(name));
                found.map(|&place| key(place)).collect()
            })
            .collect()
    }
}

/// Whether a mapping is that of a bursty law, not one of locations.
fn is_bursty(entries: &[(Key, Node)]) -> bool {
    entries
        .iter()
        .any(|(key, _)| key.text == "good" || key.text == "bad")
}
