//! Batches of one consignment as CSV: a header of the columns below, then one row a batch.
//!
//! UTF-8, comma-separated, quoted as RFC 4180 says; columns in any order, those not needed left out; an empty cell is
//! a field not given. Every row is checked before any is written.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{
    Batch, Country, Decimal, FieldError, HsCode, LevelCounts, NAME_CHARS_MAX, NUMBER_CHARS_MAX, Paper, Producer,
    Quantity, StorageLimits, Uom, ValueError, batch::date_range, date, text,
};
use crate::{
    code::{self, Gtin},
    limits::CSV_ROWS_MAX,
    trace::ProductId,
};

/// The columns: name and meaning.
pub const COLUMNS: [(&str, &str); 35] = [
    ("line", "line of the customs declaration, from 1"),
    ("product", "number of the product; or gtin"),
    ("gtin", "GTIN of a product of yours; or product"),
    ("lot", "the lot as the producer writes it"),
    ("ai10", "the lot as GS1 AI 10, where it has one"),
    ("production_first", "first day of production, YYYY-MM-DD"),
    ("production_last", "last day of production; the first where left out"),
    ("expiry_first", "first day of expiry; the last where left out"),
    ("expiry_last", "last day of expiry; the first where left out"),
    ("quantity", "quantity in the declaration's unit"),
    ("quantity_uom", "its unit, UN/CEFACT Recommendation 20"),
    ("net_weight", "net weight"),
    ("net_weight_uom", "its unit; KGM where left out"),
    ("items", "number of items"),
    ("displays", "number of display boxes"),
    ("cases", "number of cases"),
    ("specification", "specification, where not the product's"),
    ("brand", "brand, where not the product's"),
    ("storage_min_celsius", "not to be kept colder, °C, where not the product's"),
    ("storage_max_celsius", "not to be kept warmer, °C, where not the product's"),
    ("hs_code", "HS code, where not the product's"),
    ("origin", "country of origin, ISO 3166, where not the consignment's"),
    ("producer", "foreign producer, where not the consignment's"),
    ("producer_registration", "its registration number"),
    ("origin_certificate", "number of the certificate of origin"),
    ("test_report", "number of the test report"),
    ("test_report_issuer", "who issued it"),
    ("test_report_date", "when, YYYY-MM-DD"),
    ("disinfection_certificate", "number of the disinfection certificate"),
    ("disinfection_certificate_issuer", "who issued it"),
    ("disinfection_certificate_date", "when, YYYY-MM-DD"),
    ("chinese_label", "number of the Chinese label's record"),
    ("origin_certificate_issuer", "who issued the certificate of origin"),
    ("origin_certificate_date", "when, YYYY-MM-DD"),
    ("draft", "true for a batch that may lack anything"),
];

/// Why a file is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CsvError {
    /// Not UTF-8.
    #[error("found bytes that are not UTF-8 after row {row}, expected CSV in UTF-8")]
    NotUtf8 {
        /// The last row that could be read.
        row: u64,
    },
    /// No rows.
    #[error("found no rows, expected a header and at least one row")]
    Empty,
    /// A column that nobody knows.
    #[error("found the column {found:?}, expected one of {}", column_names())]
    UnknownColumn {
        /// Its name.
        found: String,
    },
    /// A column twice.
    #[error("found the column {found:?} twice")]
    RepeatedColumn {
        /// Its name.
        found: &'static str,
    },
    /// A row of another length than the header.
    #[error("found {found} cells in row {row}, expected {expected} as in the header")]
    Cells {
        /// The row, from 1; the header is row 1.
        row: u64,
        /// Cells in it.
        found: u64,
        /// Cells in the header.
        expected: u64,
    },
    /// More rows than are read at once.
    #[error("found more than {CSV_ROWS_MAX} rows, expected at most so many")]
    TooManyRows,
}

fn column_names() -> String {
    COLUMNS.map(|(name, _)| name).join(", ")
}

/// One row as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchRow {
    /// Its number in the file, from 1; the header is row 1.
    pub row: u64,
    /// The batch, as far as it could be read.
    pub batch: Batch,
    /// The product's GTIN, where the row names it so.
    pub gtin: Option<Gtin>,
    /// What is wrong with it; the fields are columns.
    pub errors: Vec<FieldError>,
}

/// Reads a file. `blank` is what a row with empty cells would be.
///
/// # Errors
/// Where the file as a whole cannot be read; errors of single cells stand in their rows.
pub fn read_batches(file: &[u8], blank: &Batch) -> Result<Vec<BatchRow>, CsvError> {
    let file = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let columns = columns(reader.headers().map_err(|error| refused(&error))?)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| refused(&error))?;
        if rows.len() == CSV_ROWS_MAX {
            return Err(CsvError::TooManyRows);
        }
        let row = rows.len() as u64 + 2;
        let values = columns.iter().copied().zip(record.iter()).filter(|(_, cell)| !cell.is_empty()).collect();
        rows.push(read_row(row, Cells { values, errors: Vec::new() }, blank.clone()));
    }
    if rows.is_empty() { Err(CsvError::Empty) } else { Ok(rows) }
}

fn refused(error: &csv::Error) -> CsvError {
    let row = error.position().map_or(1, |position| position.record() + 1);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            CsvError::Cells { row, found: *len, expected: *expected_len }
        }
        _ => CsvError::NotUtf8 { row: row.saturating_sub(1) },
    }
}

fn columns(header: &csv::StringRecord) -> Result<Vec<&'static str>, CsvError> {
    let mut columns = Vec::new();
    for name in header {
        let known = COLUMNS.iter().find(|(known, _)| *known == name);
        let (known, _) = known.ok_or_else(|| CsvError::UnknownColumn { found: name.chars().take(64).collect() })?;
        if columns.contains(known) {
            return Err(CsvError::RepeatedColumn { found: known });
        }
        columns.push(*known);
    }
    Ok(columns)
}

/// The cells of a row that are not empty, and what is wrong with those read so far.
struct Cells<'a> {
    values: BTreeMap<&'static str, &'a str>,
    errors: Vec<FieldError>,
}

impl Cells<'_> {
    fn get<T>(&mut self, column: &str, parse: impl FnOnce(&str) -> Result<T, ValueError>) -> Option<T> {
        let cell = *self.values.get(column)?;
        self.keep(column, parse(cell))
    }

    fn keep<T>(&mut self, column: &str, read: Result<T, ValueError>) -> Option<T> {
        read.map_err(|error| self.errors.push(FieldError::new(column, error))).ok()
    }

    fn count(&mut self, column: &str) -> Option<u64> {
        self.get(column, |cell| cell.parse().map_err(|_| ValueError::malformed(cell, "a whole number")))
    }

    fn quantity(&mut self, column: &str, default: Option<Uom>) -> Option<Quantity> {
        let uom_column = format!("{column}_uom");
        let uom = self.get(&uom_column, Uom::parse);
        let value = self.get(column, str::parse::<Decimal>)?;
        if uom.is_none() && (default.is_none() || self.values.contains_key(uom_column.as_str())) {
            if !self.values.contains_key(uom_column.as_str()) {
                let missing = ValueError::Missing { expected: "a unit of UN/CEFACT Recommendation 20" };
                self.errors.push(FieldError::new(uom_column, missing));
            }
            return None;
        }
        Some(Quantity { value, uom: uom.or(default)? })
    }

    fn paper(&mut self, column: &str) -> Option<Paper> {
        let issuer = self.get(&format!("{column}_issuer"), |cell| text(cell, NAME_CHARS_MAX));
        let date = self.get(&format!("{column}_date"), date);
        let number = self.get(column, |cell| text(cell, NUMBER_CHARS_MAX));
        if !self.values.contains_key(column) && (issuer.is_some() || date.is_some()) {
            self.errors.push(FieldError::new(column, ValueError::Missing { expected: "the number of the paper" }));
        }
        Some(Paper { number: number?, issuer, date })
    }
}

fn read_row(row: u64, mut cells: Cells, mut batch: Batch) -> BatchRow {
    let line = |cell: &str| {
        let line = cell.parse().ok().filter(|line| *line > 0);
        line.ok_or_else(|| ValueError::malformed(cell, "the line of a declaration, a number from 1"))
    };
    batch.line = cells.get("line", line);
    let product = |cell: &str| cell.parse().map_err(|_| ValueError::malformed(cell, "the number of a product"));
    batch.product = cells.get("product", product).map(ProductId);
    let gtin = cells.get("gtin", |cell| Ok(cell.parse()?));
    batch.lot = cells.get("lot", |cell| text(cell, NUMBER_CHARS_MAX));
    batch.ai10 = cells.get("ai10", |cell| Ok(cell.parse::<code::Lot>()?));
    for (range, first, last) in [
        (&mut batch.production, "production_first", "production_last"),
        (&mut batch.expiry, "expiry_first", "expiry_last"),
    ] {
        let days = (cells.get(first, date), cells.get(last, date));
        *range = cells.keep(last, date_range(days.0, days.1)).flatten();
    }
    batch.quantity = cells.quantity("quantity", None);
    batch.net_weight = cells.quantity("net_weight", Some(Uom::kilogram()));
    batch.quantities =
        LevelCounts { item: cells.count("items"), display: cells.count("displays"), case: cells.count("cases") };
    batch.specification = cells.get("specification", |cell| text(cell, NAME_CHARS_MAX));
    batch.brand = cells.get("brand", |cell| text(cell, NAME_CHARS_MAX));
    batch.hs_code = cells.get("hs_code", HsCode::parse);
    batch.origin = cells.get("origin", Country::parse);
    read_storage(&mut cells, &mut batch);
    read_papers(&mut cells, &mut batch);
    let draft = |cell: &str| cell.parse().map_err(|_| ValueError::malformed(cell, "true or false"));
    batch.draft = cells.get("draft", draft).unwrap_or(false);
    BatchRow { row, batch, gtin, errors: cells.errors }
}

fn read_storage(cells: &mut Cells, batch: &mut Batch) {
    let celsius = |cell: &str| cell.parse::<f64>().map_err(|_| ValueError::malformed(cell, "degrees Celsius"));
    let (min, max) = (cells.get("storage_min_celsius", celsius), cells.get("storage_max_celsius", celsius));
    let column = if min.is_some() { "storage_min_celsius" } else { "storage_max_celsius" };
    batch.storage = cells.keep(column, StorageLimits::new(min, max)).flatten();
}

fn read_papers(cells: &mut Cells, batch: &mut Batch) {
    let registration = cells.get("producer_registration", |cell| text(cell, 40));
    let producer = cells.get("producer", |cell| text(cell, NAME_CHARS_MAX));
    if registration.is_some() && !cells.values.contains_key("producer") {
        let missing = ValueError::Missing { expected: "the producer that has this registration" };
        cells.errors.push(FieldError::new("producer", missing));
    }
    batch.producer = producer.map(|name| Producer { name, registration });
    batch.origin_certificate = cells.paper("origin_certificate");
    batch.test_report = cells.paper("test_report");
    batch.disinfection_certificate = cells.paper("disinfection_certificate");
    batch.chinese_label = cells.paper("chinese_label");
}

#[cfg(test)]
mod tests {
    use super::super::samples::batch;
    use super::*;
    use crate::trace::{ConsignmentId, OrganizationId};

    fn read(file: &str) -> Result<Vec<BatchRow>, CsvError> {
        read_batches(file.as_bytes(), &Batch::blank(OrganizationId(1), ConsignmentId(1), 0))
    }

    fn errors(file: &str) -> Vec<String> {
        read(file).unwrap().iter().flat_map(|row| &row.errors).map(|error| error.field.clone()).collect()
    }

    #[test]
    fn columns_come_in_any_order_and_empty_cells_are_not_given() {
        let rows =
            read("\u{feff}lot,gtin,line,production_first,net_weight,brand\nL 7/甲,09506000134352,3,2024-05-02,1000,\n");
        let rows = rows.unwrap();
        let row = &rows[0];
        assert_eq!((row.row, &row.errors[..]), (2, &[][..]));
        assert_eq!(
            (row.batch.lot.as_deref(), row.batch.line, row.batch.brand.as_deref()),
            (Some("L 7/甲"), Some(3), None)
        );
        assert_eq!(row.batch.net_weight, batch().net_weight);
        assert_eq!(row.batch.production.map(|days| days.last), date("2024-05-02").ok());
    }

    #[test]
    fn the_page_on_the_interface_lists_every_column() {
        let page = include_str!("../../docs/API.md");
        let rows = page.lines().skip_while(|line| *line != "| column | meaning |").skip(2);
        let listed: Vec<_> = rows.take_while(|line| line.starts_with('|')).collect();
        assert_eq!(listed, COLUMNS.map(|(name, meaning)| format!("| `{name}` | {meaning} |")));
    }

    #[test]
    fn every_wrong_cell_of_a_row_is_named() {
        let file = "line,hs_code,ai10,expiry_first,expiry_last,quantity,storage_min_celsius,storage_max_celsius,test_report_date\n\
                    0,12,a b,2024-02-01,2024-01-01,5,1,-1,2024-01-01\n";
        assert_eq!(
            errors(file),
            ["line", "ai10", "expiry_last", "quantity_uom", "hs_code", "storage_min_celsius", "test_report"]
        );
    }

    #[test]
    fn a_file_that_is_no_table_of_batches_is_refused_whole() {
        assert_eq!(read(""), Err(CsvError::Empty));
        assert_eq!(read("lot\n"), Err(CsvError::Empty));
        assert_eq!(read("lot,colour\nA,red\n"), Err(CsvError::UnknownColumn { found: "colour".to_owned() }));
        assert_eq!(read("lot,lot\nA,B\n"), Err(CsvError::RepeatedColumn { found: "lot" }));
        assert_eq!(read("lot,line\nA,1\nB\n"), Err(CsvError::Cells { row: 3, found: 1, expected: 2 }));
        let blank = Batch::blank(OrganizationId(1), ConsignmentId(1), 0);
        assert_eq!(read_batches(b"lot\nA\n\xff\n", &blank), Err(CsvError::NotUtf8 { row: 2 }));
        let many = "lot\n".to_owned() + &"A\n".repeat(CSV_ROWS_MAX + 1);
        assert_eq!(read(&many), Err(CsvError::TooManyRows));
    }
}
