//! CSV that a spreadsheet may open: no cell of it is a formula.

use std::borrow::Cow;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

use super::error::Problem;

/// A cell as text: where it begins like a formula, an apostrophe stands before it, which spreadsheets do not show.
pub fn harmless(cell: &str) -> Cow<'_, str> {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        true => Cow::Owned(format!("'{cell}")),
        false => Cow::Borrowed(cell),
    }
}

/// A table as CSV, UTF-8, under its header; kept by no cache.
///
/// # Errors
/// None of which a table in memory is known.
pub fn respond<const N: usize>(
    columns: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<Response, Problem> {
    let kind = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CACHE_CONTROL, "private, no-store")];
    Ok((kind, table(columns, rows).map_err(|_| Problem::internal())?).into_response())
}

fn table<const N: usize>(
    columns: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| harmless(cell).into_owned()))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_like_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            let made = table(["a", "b"], [["x".to_owned(), cell.to_owned()]]).unwrap();
            let mut read = csv::Reader::from_reader(&*made);
            let row = read.records().next().unwrap().unwrap();
            assert_eq!(&row[1], format!("'{cell}"));
        }
        for cell in ["", "a=1", "7", "urn:x", "'"] {
            assert_eq!(harmless(cell), cell);
        }
    }
}
