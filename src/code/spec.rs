//! Reads `docs/spec/trace-code.md` and holds the code to it.

use super::qr::{printed_side_mm, side_of_links};
use super::{
    Code, Encoder, Form, KeyRing, KeySlot, LinkCase, LinkPrefix, LinkScheme, RunId, Serial, Verification, key_table,
};
use crate::code::Link;

const PAGE: &str = include_str!("../../docs/spec/trace-code.md");

/// The lines of the fenced block that is opened by `fence`.
fn block(fence: &str) -> Vec<&'static str> {
    let open = format!("```{fence}");
    let lines: Vec<&str> = PAGE.lines().skip_while(|line| *line != open).skip(1).collect();
    let block: Vec<&str> = lines.into_iter().take_while(|line| !line.starts_with("```")).collect();
    assert!(!block.is_empty(), "the page has no block {fence:?}");
    block
}

/// The rows of the table under this heading, cells without their backticks.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let lines = PAGE.lines().skip_while(|line| *line != heading).skip(2);
    let rows: Vec<_> = lines.take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(!rows.is_empty(), "the page has no table {heading:?}");
    rows
}

fn cells(line: &'static str) -> Vec<&'static str> {
    let cell = |cell: &'static str| {
        let cell = cell.strip_prefix(' ').unwrap().strip_suffix(' ').unwrap();
        cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).unwrap_or(cell)
    };
    line.strip_prefix('|').unwrap().strip_suffix('|').unwrap().split('|').map(cell).collect()
}

fn ring(slot: u8, master: &str) -> KeyRing {
    let bytes = (0..64).step_by(2).map(|at| u8::from_str_radix(&master[at..at + 2], 16).unwrap());
    let master: Vec<u8> = bytes.collect();
    let text = key_table(KeySlot::new(slot).unwrap(), &master.try_into().unwrap(), "2026-01-01");
    KeyRing::parse(&text).unwrap()
}

#[test]
fn every_golden_vector_is_made_and_verified() {
    let rows = block("csv");
    assert_eq!(rows[0], "master,key,run,serial,run key,tag,code");
    for row in &rows[1..] {
        let [master, key, run, serial, _, tag, code] = row.split(',').collect::<Vec<_>>().try_into().unwrap();
        let slot = key.parse().unwrap();
        let ring = ring(slot, master);
        let run = RunId::new(KeySlot::new(slot).unwrap(), run.parse().unwrap()).unwrap();
        let made = ring.run_key(run).unwrap().code(Serial::new(serial.parse().unwrap()).unwrap());
        assert_eq!(made.to_string(), code);
        assert_eq!(made.tag.0.map(|byte| format!("{byte:02x}")).concat(), tag);
        assert_eq!(ring.verify(&Code::parse(code).unwrap()), Verification::Valid);
    }
    assert!(rows.len() > 8);
}

#[test]
fn every_input_of_the_page_reads_as_it_says() {
    for row in table("| input | reads as |") {
        let read = Code::parse(row[0]).map_or_else(|error| error.to_string(), |code| code.to_string());
        assert_eq!(read, row[1], "{row:?}");
    }
}

#[test]
fn the_key_ring_of_the_page_is_one() {
    let ring = KeyRing::parse(&block("toml").join("\n")).unwrap();
    let slots: Vec<_> = ring.slots().map(|(slot, retired)| (slot.get(), retired)).collect();
    assert_eq!(slots, [(0, true), (1, false)]);
    assert_eq!(ring.issuing_slot(), KeySlot::new(1));
    // Slot 0 holds the master of the first vectors.
    let first = Code::parse(block("csv")[1].rsplit(',').next().unwrap()).unwrap();
    assert_eq!(ring.verify(&first), Verification::Retired);
}

#[test]
fn every_form_of_a_stream_is_the_one_on_the_page() {
    let vector: Vec<&str> = block("csv")[1].split(',').collect();
    let key = ring(0, vector[0]).run_key(RunId::from_bits(0).unwrap()).unwrap();
    let gtin = "09506000134352".parse().unwrap();
    let prefix = LinkPrefix::new(LinkScheme::Https, &"cold.example".parse().unwrap(), Some(gtin), LinkCase::Upper);
    for form in ["uri", "code", "csv", "ndjson"] {
        let expected = block(&format!("text {form}")).join("\n").replace("{code}", vector[6]) + "\n";
        let form: Form = form.parse().unwrap();
        let mut stream = form.header().as_bytes().to_vec();
        let first = Serial::new(0).unwrap();
        Encoder::new(key.clone(), prefix.clone(), form, first, 1).fill(&mut stream, 1);
        assert_eq!(String::from_utf8(stream).unwrap(), expected);
    }
}

#[test]
fn every_link_of_the_page_means_what_it_says() {
    for row in table("| path | means |") {
        let (path, query) = row[0].split_once('?').map_or((row[0], None), |(path, query)| (path, Some(query)));
        let meant = Link::parse_path(path, query).map_or_else(|error| error.to_string(), meaning);
        assert_eq!(meant, row[1], "{}", row[0]);
    }
}

fn meaning(link: Link) -> String {
    let lot_text = |lot: Option<super::Lot>| lot.map_or(String::new(), |lot| format!(", lot {lot}"));
    match link {
        Link::Code { code, gtin: Some(gtin), lot } => format!("code {code}, GTIN {gtin}{}", lot_text(lot)),
        Link::Code { code, gtin: None, lot } => format!("code {code}{}", lot_text(lot)),
        Link::Serial { gtin, lot, serial } => format!("serial {serial}, GTIN {gtin}{}", lot_text(lot)),
        Link::Lot { gtin, lot } => format!("lot {lot}, GTIN {gtin}"),
        Link::Product(gtin) => format!("product {gtin}"),
        Link::Unit(sscc) => format!("unit {sscc}"),
        Link::Batch(batch) => format!("batch {batch}"),
    }
}

#[test]
fn symbols_have_the_sizes_of_the_page() {
    for row in table("| host's characters | modules | printed side in mm |") {
        let host = "h".repeat(row[0].parse().unwrap()).parse().unwrap();
        let gtin = "09506000134352".parse().unwrap();
        let prefix = LinkPrefix::new(LinkScheme::Https, &host, Some(gtin), LinkCase::Upper);
        let side = side_of_links(&prefix).unwrap();
        assert_eq!([side.to_string(), format!("{:.1}", printed_side_mm(side, 4, 203))], row[1..], "{row:?}");
    }
}
