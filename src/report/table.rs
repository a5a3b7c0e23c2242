//! Plain tables for the terminal: one rule under the header, numbers to the right.

use comfy_table::{CellAlignment, ContentArrangement, Table};

/// Lays out rows under a header; columns after the first `left` ones are numbers.
pub fn table(header: &[&str], left: usize, rows: &[Vec<String>]) -> String {
    table_within(header, left, rows, usize::MAX)
}

/// As [`table`], in lines of at most `width` characters if that can be: cells that are too long
/// are broken.
pub fn table_within(header: &[&str], left: usize, rows: &[Vec<String>], width: usize) -> String {
    let mut table = Table::new();
    if let Ok(width) = u16::try_from(width) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
    }
    table.load_preset("     --            ");
    table.set_header(header);
    table.add_rows(rows);
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if place >= left {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    for line in table.to_string().lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
