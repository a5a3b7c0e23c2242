//! Plain tables for the terminal: one rule under the header, numbers to the right.

use comfy_table::{CellAlignment, ContentArrangement, Table};

/// Blanks between columns, besides the one that stands for their rule.
const GAP: u16 = 2;

/// Lays out rows under a header; columns after the first `left` ones are numbers.
pub fn table(header: &[&str], left: usize, rows: &[Vec<String>]) -> String {
    table_within(header, left, rows, usize::MAX)
}

/// As [`table`], in lines of at most `width` characters if that can be: columns stand closer, and
/// if that is not enough, cells that are too long are broken.
pub fn table_within(header: &[&str], left: usize, rows: &[Vec<String>], width: usize) -> String {
    let longest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let cells = cells.map(|cell| cell.chars().count());
        cells.fold(header[column].chars().count(), usize::max)
    };
    let wanted: usize = (0..header.len())
        .map(|column| longest(column) + usize::from(GAP) + 1)
        .sum();
    let padding = match wanted > width {
        true => GAP - 1,
        false => GAP,
    };
    let mut table = Table::new();
    if let Ok(width) = u16::try_from(width) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
    }
    table.load_preset("     --            ");
    table.set_header(header);
    table.add_rows(rows);
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, padding));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_closer_before_cells_are_broken() {
        let rows = vec![vec!["GossipMessage".to_owned(), "1,000".to_owned()]];
        let shown = |width| table_within(&["message", "sent"], 1, &rows, width);
        let last = |text: String| text.lines().last().map(str::to_owned);
        assert_eq!(last(shown(80)).as_deref(), Some("GossipMessage   1,000"));
        assert_eq!(last(shown(22)).as_deref(), Some("GossipMessage  1,000"));
        assert!(shown(14).lines().all(|line| line.chars().count() <= 14));
    }
}
