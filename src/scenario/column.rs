//! One column of a CSV file, for measured values and degrees.

/// Hands `each` the cells of one column of a CSV file called `shown`, each with its line; `find`
/// says where the column stands in the first row, and whether that row is a header. Empty lines
/// and those that begin with `#` are passed over.
///
/// # Errors
/// When the bytes are no CSV file, and what `find` and `each` complain of.
pub(super) fn cells(
    shown: &str,
    bytes: &[u8],
    find: impl FnOnce(&csv::StringRecord, u64) -> Result<(usize, bool), String>,
    mut each: impl FnMut(&str, u64) -> Result<(), String>,
) -> Result<(), String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let no_csv = |error: csv::Error| format!("{shown} is no CSV file: {error}");
    let line = |row: &csv::StringRecord| row.position().map_or(0, csv::Position::line);
    let mut row = csv::StringRecord::new();
    if !rows.read_record(&mut row).map_err(no_csv)? {
        return Ok(());
    }
    let (at, is_header) = find(&row, line(&row))?;
    if !is_header {
        each(row.get(at).unwrap_or_default(), line(&row))?;
    }
    while rows.read_record(&mut row).map_err(no_csv)? {
        each(row.get(at).unwrap_or_default(), line(&row))?;
    }
    Ok(())
}
