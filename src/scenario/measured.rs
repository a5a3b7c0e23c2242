//! Measured values in CSV files, for `empirical("rtts.csv")`.

use std::path::Path;

use super::column::cells;
use crate::distribution::{MEASURED_MAX, Measured};
use crate::expression::nearest;

/// The largest file of measured values, in bytes.
pub(super) const MEASURED_BYTES_MAX: usize = 64 << 20;

/// Reads the values of a column of a CSV file, or of its only one.
///
/// # Errors
/// When the file cannot be read, has not that column, or holds something else than finite numbers
/// in it; with the line.
pub fn read_measured(path: &Path, column: Option<&str>) -> Result<Measured, String> {
    let bytes = super::read_file(path, MEASURED_BYTES_MAX)
        .map_err(|problem| format!("cannot read {}: {problem}", path.display()))?;
    Ok(Measured {
        values: values(&path.display().to_string(), &bytes, column)?,
        path: path.display().to_string(),
    })
}

/// The values in the bytes of a file called `shown`.
pub(super) fn values(shown: &str, bytes: &[u8], column: Option<&str>) -> Result<Vec<f64>, String> {
    let mut values = Vec::new();
    let find = |row: &csv::StringRecord, _| first_row(shown, row, column);
    cells(shown, bytes, find, |cell, line| {
        match cell.parse::<f64>() {
            _ if cell.is_empty() => {}
            Ok(value) if value.is_finite() => values.push(value),
            _ => {
                return Err(format!(
                    "`{cell}` in line {line} of {shown} is no finite number"
                ));
            }
        }
        if values.len() > MEASURED_MAX {
            return Err(format!("{shown} has more than {MEASURED_MAX} values"));
        }
        Ok(())
    })?;
    if values.is_empty() {
        return Err(format!("{shown} has no values"));
    }
    Ok(values)
}

/// Where the values are in each row, and whether the first row is a header.
fn first_row(
    shown: &str,
    row: &csv::StringRecord,
    column: Option<&str>,
) -> Result<(usize, bool), String> {
    let names: Vec<&str> = row.iter().collect();
    match column {
        Some(column) => match names.iter().position(|name| *name == column) {
            Some(at) => Ok((at, true)),
            None => {
                let near = nearest(column, names.iter().copied())
                    .unwrap_or_else(|| format!("its first row is {}", names.join(", ")));
                Err(format!("{shown} has no column `{column}`; {near}"))
            }
        },
        None if names.len() > 1 => Err(format!(
            "{shown} has {} columns; say which: empirical(\"...\", column=\"{}\")",
            names.len(),
            names[0]
        )),
        None => Ok((0, names.iter().all(|name| name.parse::<f64>().is_err()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_column() {
        let read = |text: &str, column| values("x.csv", text.as_bytes(), column);
        assert_eq!(read("1\n2.5\n\n3\n", None), Ok(vec![1.0, 2.5, 3.0]));
        assert_eq!(read("\u{feff}rtt\n1\n2\n", None), Ok(vec![1.0, 2.0]));
        assert_eq!(
            read("host,rtt\na,1\nb, 2\nc,\n", Some("rtt")),
            Ok(vec![1.0, 2.0])
        );
        for (text, column, message) in [
            ("", None, "x.csv has no values"),
            (
                "a,b\n1,2\n",
                None,
                "x.csv has 2 columns; say which: empirical(\"...\", column=\"a\")",
            ),
            (
                "a,b\n1,2\n",
                Some("c"),
                "x.csv has no column `c`; its first row is a, b",
            ),
            ("1\nx\n", None, "`x` in line 2 of x.csv is no finite number"),
            (
                "1\ninf\n",
                None,
                "`inf` in line 2 of x.csv is no finite number",
            ),
        ] {
            assert_eq!(read(text, column), Err(message.into()));
        }
    }
}
