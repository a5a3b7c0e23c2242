//! What a run writes down: the key `output`.

use std::collections::BTreeSet;

use super::context::{Context, whole_number};
use super::latencies::Names;
use super::node::{Node, NodeKind};
use super::words::{nearest_or_known, quoted};
use crate::peer::{PeerId, TypeIndex};
use crate::record::{LogLevel, LogOptions, LogSelection};

/// Reads the key `output`; `exists` says whether there is a peer with an id.
pub(super) fn read(
    ctx: &mut Context,
    node: Option<&Node>,
    types: &Names,
    exists: impl Fn(PeerId) -> bool,
) -> Option<LogOptions> {
    let mut options = LogOptions::default();
    let Some(node) = node else {
        return Some(options);
    };
    let [logs, level] = ctx.fields(node, "what to log", ["logs", "level"])?;
    let mut fine = true;
    if let Some(level) = level {
        let words = LogLevel::ALL.map(|level| (level.key(), level));
        match ctx.word(level, "a level", &words) {
            Some(level) => options.level = level,
            None => fine = false,
        }
    }
    if let Some(logs) = logs {
        match read_selection(ctx, logs, types, exists) {
            Some(selection) => options.selection = selection,
            None => fine = false,
        }
    }
    fine.then_some(options)
}

fn read_selection(
    ctx: &mut Context,
    node: &Node,
    types: &Names,
    exists: impl Fn(PeerId) -> bool,
) -> Option<LogSelection> {
    let NodeKind::Seq(items) = &node.kind else {
        return match node.as_scalar() {
            Some("all") => Some(LogSelection::All),
            Some("none") => Some(LogSelection::None),
            _ => {
                let message = format!("{} is no choice of logs", ctx.shown(node));
                ctx.error(node.place, message, "`all`, `none`, or a list of ids and types");
                None
            }
        };
    };
    let mut ids = BTreeSet::new();
    let mut chosen = BTreeSet::new();
    let mut fine = true;
    for item in items {
        let Some(text) = item.as_scalar() else {
            ctx.expected(item, "a peer's id or type");
            fine = false;
            continue;
        };
        if let Some(found) = types.find(text) {
            chosen.insert(TypeIndex(found as u16));
        } else if let Ok(id) = whole_number(text) {
            ids.insert(PeerId(id));
            if !exists(PeerId(id)) {
                ctx.error(item.place, format!("there is no peer {id}"), "");
                fine = false;
            }
        } else {
            let known = types.names.iter().map(String::as_str);
            let label = nearest_or_known(text, "types", known);
            ctx.error(item.place, format!("unknown peer type {}", quoted(text)), label);
            fine = false;
        }
    }
    fine.then_some(LogSelection::Some { ids, types: chosen })
}
