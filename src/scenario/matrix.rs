//! Latencies from a CSV file: a square matrix with names of rows and columns, cells in ms.

use super::context::Context;
use super::diagnostics::Diagnostic;
use super::distributions::checked_name;
use super::latencies::{Cell, Latencies, Names};
use super::node::Node;
use super::source::Place;
use super::words::{listed, nearest_or_known, quoted};
use crate::distribution::Distribution;

/// A field of the file with its place.
struct Field {
    text: String,
    place: Place,
}

/// Reads the matrix at `path`; `selected` are the locations to take from it, all if `None`.
pub(super) fn read(
    ctx: &mut Context,
    node: &Node,
    path: &str,
    selected: Option<Names>,
) -> Option<Latencies> {
    let input = ctx.read_input(node, path)?;
    let Ok(text) = std::str::from_utf8(&ctx.inputs[input].bytes) else {
        let message = format!("{} is not UTF-8 text", quoted(path));
        ctx.error(node.place, message, "expected a CSV matrix of latencies");
        return None;
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
    // Errors show the file as its path, which leads to it from where the user is.
    let name = ctx.base.join(path).to_string_lossy().into_owned();
    let source = ctx.sources.add(name, text.as_str());
    let rows = split(&text, source);
    let Some((header, rows)) = rows.split_first() else {
        ctx.error(node.place, format!("{} is empty", quoted(path)), "");
        return None;
    };
    let columns = trimmed(header);
    compile(ctx, node, columns, rows, selected).map(|(names, cells)| Latencies {
        locations: names.names,
        places: names.places,
        cells,
        input: Some(input),
    })
}

/// Without the empty fields at its end, which spreadsheets like to write.
fn trimmed(fields: &[Field]) -> &[Field] {
    let used = fields
        .iter()
        .rposition(|field| !field.text.is_empty())
        .map_or(0, |last| last + 1);
    &fields[..used]
}

fn compile(
    ctx: &mut Context,
    node: &Node,
    header: &[Field],
    rows: &[Vec<Field>],
    selected: Option<Names>,
) -> Option<(Names, Vec<Cell>)> {
    let columns = header.get(1..).unwrap_or_default();
    let mut fine = true;
    let mut column_names = Names::default();
    for column in columns {
        fine &= unique(ctx, &mut column_names, column, "column");
    }
    let mut row_names = Names::default();
    for row in rows {
        fine &= unique(ctx, &mut row_names, &row[0], "row");
    }
    let names = match selected {
        Some(names) => {
            for (name, place) in names.names.iter().zip(&names.places) {
                if row_names.find(name).is_none() || column_names.find(name).is_none() {
                    let known = row_names.names.iter().map(String::as_str);
                    let message = format!("location {} is not in the matrix", quoted(name));
                    ctx.error(*place, message, nearest_or_known(name, "locations", known));
                    fine = false;
                }
            }
            names
        }
        None => {
            fine &= same(ctx, &row_names, &column_names, "column");
            fine &= same(ctx, &column_names, &row_names, "row");
            row_names
        }
    };
    if names.names.is_empty() {
        ctx.error(node.place, "there are no locations in the matrix", "");
        return None;
    }

    let mut cells = Vec::new();
    for row in rows {
        let Some(from) = names.find(&row[0].text) else {
            continue;
        };
        let row = trimmed(row);
        for (place, field) in row.iter().enumerate().skip(1) {
            let Some(column) = header.get(place) else {
                ctx.error(field.place, "this cell has no column", "the header ends before it");
                fine = false;
                break;
            };
            let Some(to) = names.find(&column.text) else {
                continue;
            };
            // No figure for this pair.
            if field.text.is_empty() {
                continue;
            }
            match field.text.parse::<f64>() {
                Ok(ms) if ms.is_finite() && ms >= 0.0 => cells.push(Cell {
                    from,
                    to,
                    law: Distribution::constant(ms),
                    place: field.place,
                }),
                _ => {
                    let message = format!("{} is not a latency", quoted(&field.text));
                    ctx.error(field.place, message, "expected a number of at least 0, in ms");
                    fine = false;
                }
            }
        }
    }
    fine.then_some((names, cells))
}

fn unique(ctx: &mut Context, names: &mut Names, field: &Field, what: &str) -> bool {
    if names.find(&field.text).is_some() {
        let message = format!("there is a second {what} {}", quoted(&field.text));
        ctx.error(field.place, message, "");
        return false;
    }
    names.intern(&field.text, field.place);
    checked_name(ctx, &field.text, field.place, "location")
}

/// Reports the names of `these` that are not among `others`.
fn same(ctx: &mut Context, others: &Names, these: &Names, what: &str) -> bool {
    let lonely: Vec<(&String, Place)> = these
        .names
        .iter()
        .zip(these.places.iter().copied())
        .filter(|(name, _)| others.find(name).is_none())
        .collect();
    let Some((_, place)) = lonely.first() else {
        return true;
    };
    let names: Vec<&String> = lonely.iter().map(|(name, _)| *name).collect();
    let other = if what == "row" { "column" } else { "row" };
    ctx.add(
        Diagnostic::error(Some(*place), format!("a {other} without its {what}: {}", listed(&names)))
            .help("`locations` can list those to take from the matrix"),
    );
    false
}

/// The fields of every line that is not empty, with their places; quotes as in RFC 4180.
fn split(text: &str, source: u32) -> Vec<Vec<Field>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let mut field = String::new();
        if bytes[at] == b'"' {
            at += 1;
            loop {
                let rest = &text[at..];
                let Some(quote) = rest.find('"') else {
                    field.push_str(rest);
                    at = bytes.len();
                    break;
                };
                field.push_str(&rest[..quote]);
                at += quote + 1;
                // A doubled quote stands for one.
                if bytes.get(at) != Some(&b'"') {
                    break;
                }
                field.push('"');
                at += 1;
            }
        }
        let rest = &text[at..];
        let plain = rest.find([',', '\n']).unwrap_or(rest.len());
        field.push_str(rest[..plain].trim());
        at += plain;
        let spelt = &text[start..at];
        let blank = spelt.len() - spelt.trim_start().len();
        let place = Place {
            source,
            start: (start + blank) as u32,
            end: (start + blank + spelt.trim().len()) as u32,
        };
        row.push(Field { text: field, place });
        if at == bytes.len() || bytes[at] == b'\n' {
            push_row(&mut rows, &mut row);
        } else if at + 1 == bytes.len() {
            // The line ends with a separator.
            push_row(&mut rows, &mut row);
        }
        at += 1;
    }
    rows
}

fn push_row(rows: &mut Vec<Vec<Field>>, row: &mut Vec<Field>) {
    let row = std::mem::take(row);
    if row.iter().any(|field| !field.text.is_empty()) {
        rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_know_their_place() {
        let text = ",A,\"B, \"\"C\"\"\"\r\n\nA, 1 ,2,\n";
        let rows: Vec<Vec<(String, &str)>> = split(text, 0)
            .into_iter()
            .map(|row| {
                row.into_iter()
                    .map(|field| (field.text, &text[field.place.span()]))
                    .collect()
            })
            .collect();
        let field = |text: &str, spelt| (text.to_owned(), spelt);
        assert_eq!(
            rows,
            [
                vec![
                    field("", ""),
                    field("A", "A"),
                    field("B, \"C\"", "\"B, \"\"C\"\"\"")
                ],
                vec![field("A", "A"), field("1", "1"), field("2", "2"), field("", "")],
            ]
        );
    }
}
