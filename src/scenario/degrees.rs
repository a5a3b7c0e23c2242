//! How many links each peer has, in a file: for `degree_sequence("degrees.csv")`.

use super::column::cells;

/// The largest file of degrees, in bytes.
pub(super) const DEGREES_BYTES_MAX: usize = 1 << 30;
/// The column, where there are several.
const COLUMN: &str = "degree";

/// Reads a whole number a line, or the column `degree` of a CSV file called `shown`; empty lines
/// and those that begin with `#` are passed over.
pub(super) fn degrees(shown: &str, bytes: &[u8]) -> Result<Vec<u32>, String> {
    let mut degrees = Vec::new();
    let find = |row: &csv::StringRecord, line| match row.iter().position(|name| name == COLUMN) {
        Some(at) => Ok((at, true)),
        None if row.len() == 1 => Ok((0, false)),
        None => Err(format!(
            "line {line} of {shown} has {} columns, none called `{COLUMN}`",
            row.len()
        )),
    };
    cells(shown, bytes, find, |cell, line| match cell.parse() {
        Ok(degree) => {
            degrees.push(degree);
            Ok(())
        }
        Err(_) => Err(format!(
            "`{cell}` in line {line} of {shown} is no whole number from 0 on"
        )),
    })?;
    if degrees.is_empty() {
        return Err(format!("{shown} has no degrees"));
    }
    Ok(degrees)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_degrees() {
        let read = |text: &str| degrees("d.csv", text.as_bytes());
        assert_eq!(read("1\n# two\n2\n\n1\n"), Ok(vec![1, 2, 1]));
        assert_eq!(read("\u{feff}degree\n4\n0\n"), Ok(vec![4, 0]));
        assert_eq!(read("id,degree\na, 3\nb,1\n"), Ok(vec![3, 1]));
        for (text, message) in [
            ("", "d.csv has no degrees"),
            ("degree\n", "d.csv has no degrees"),
            (
                "2,3\n",
                "line 1 of d.csv has 2 columns, none called `degree`",
            ),
            (
                "1\n2.5\n",
                "`2.5` in line 2 of d.csv is no whole number from 0 on",
            ),
            (
                "1\n-1\n",
                "`-1` in line 2 of d.csv is no whole number from 0 on",
            ),
            (
                "id,degree\na\n",
                "`` in line 2 of d.csv is no whole number from 0 on",
            ),
        ] {
            assert_eq!(read(text), Err(message.into()));
        }
    }
}
