//! Words and numbers as the tables show them, and back.

use std::fmt::Display;

use crate::{
    code::{RunId, Serial},
    epcis::{Action, BizStep, Disposition},
    limits::KEY_TEXT_BYTES_MAX,
    registration::{Kind, Parent},
    store::{Error, Result},
    trace::{BatchId, Block, Group, Instance, OrganizationId, PartyId, Role, Subject},
};

/// A text that becomes part of a key.
fn key_text<'t>(what: &'static str, text: &'t str) -> Result<&'t str> {
    match text.len() {
        found if found > KEY_TEXT_BYTES_MAX => Err(Error::TooLarge { what, found, max: KEY_TEXT_BYTES_MAX }),
        _ => Ok(text),
    }
}

/// The name of a claim.
pub fn claim(name: &str) -> Result<&str> {
    key_text("the name of a claim", name)
}

/// A GTIN and a lot, parted by the first slash.
fn gtin_and_lot(gtin: &str, lot: &str) -> Result<String> {
    let gtin = key_text("a GTIN", gtin)?.replace('%', "%25").replace('/', "%2F");
    Ok(format!("lot/{gtin}/{}", key_text("a lot", lot)?))
}

fn split_lot(text: &str) -> Option<(String, String)> {
    let (gtin, lot) = text.split_once('/')?;
    Some((gtin.replace("%2F", "/").replace("%25", "%"), lot.to_owned()))
}

/// A subject as the key of its ledger.
pub fn subject(subject: &Subject) -> Result<String> {
    Ok(match subject {
        Subject::Batch(id) => format!("batch/{id}"),
        Subject::Lot { gtin, lot } => gtin_and_lot(gtin, lot)?,
        Subject::Run(run) => format!("run/{run}"),
        Subject::Group(Group { run, index }) => format!("group/{run}/{index}"),
        Subject::Block(Block { run, index }) => format!("block/{run}/{index}"),
        Subject::Epc(uri) => format!("epc/{}", key_text("an EPC", uri)?),
        Subject::Party(id) => format!("party/{id}"),
    })
}

/// The subject of a ledger's key.
pub fn parse_subject(text: &str) -> Option<Subject> {
    let (kind, rest) = text.split_once('/')?;
    Some(match kind {
        "batch" => Subject::Batch(BatchId(rest.parse().ok()?)),
        "lot" => {
            let (gtin, lot) = split_lot(rest)?;
            Subject::Lot { gtin, lot }
        }
        "run" => Subject::Run(rest.parse().ok()?),
        "group" => {
            let (run, index) = rest.split_once('/')?;
            Subject::Group(Group { run: run.parse().ok()?, index: index.parse().ok()? })
        }
        "block" => {
            let (run, index) = rest.split_once('/')?;
            Subject::Block(Block { run: run.parse().ok()?, index: index.parse().ok()? })
        }
        "epc" => Subject::Epc(rest.to_owned()),
        "party" => Subject::Party(OrganizationId(rest.parse().ok()?)),
        _ => return None,
    })
}

/// A parent as the key of its list.
pub fn parent(parent: &Parent) -> Result<String> {
    Ok(match parent {
        Parent::All => "all".to_owned(),
        Parent::Organization(id) => format!("organization/{id}"),
        Parent::Consignment(id) => format!("consignment/{id}"),
        Parent::Batch(id) => format!("batch/{id}"),
        Parent::Splits(id) => format!("splits/{id}"),
        Parent::Gtin(gtin) => format!("gtin/{}", key_text("a GTIN", gtin)?),
        Parent::Lot(gtin, lot) => gtin_and_lot(gtin, lot)?,
    })
}

/// The parent of a list's key.
pub fn parse_parent(text: &str) -> Option<Parent> {
    if text == "all" {
        return Some(Parent::All);
    }
    let (kind, rest) = text.split_once('/')?;
    let number = || rest.parse().ok();
    Some(match kind {
        "organization" => Parent::Organization(number()?),
        "consignment" => Parent::Consignment(number()?),
        "batch" => Parent::Batch(number()?),
        "splits" => Parent::Splits(number()?),
        "gtin" => Parent::Gtin(rest.to_owned()),
        "lot" => {
            let (gtin, lot) = split_lot(rest)?;
            Parent::Lot(gtin, lot)
        }
        _ => return None,
    })
}

/// Defines a table of words for an enumeration, both ways.
macro_rules! words {
    ($name:ident, $parse:ident, $of:ty, $($variant:path = $word:literal,)*) => {
        pub const fn $name(of: $of) -> &'static str {
            match of { $($variant => $word,)* }
        }
        pub fn $parse(text: &str) -> Option<$of> {
            match text { $($word => Some($variant),)* _ => None }
        }
    };
}

words! { kind, parse_kind, Kind,
    Kind::Organization = "organization",
    Kind::Key = "key",
    Kind::Product = "product",
    Kind::Consignment = "consignment",
    Kind::Batch = "batch",
    Kind::Document = "document",
    Kind::Run = "run",
    Kind::Measure = "measure",
    Kind::Alert = "alert",
    Kind::Look = "look",
}

words! { role, parse_role, Role,
    Role::Importer = "importer",
    Role::Operator = "operator",
    Role::Inspector = "inspector",
    Role::Admin = "admin",
}

words! { action, parse_action, Action,
    Action::Add = "ADD",
    Action::Observe = "OBSERVE",
    Action::Delete = "DELETE",
}

pub fn parse_biz_step(text: &str) -> Option<BizStep> {
    BizStep::parse(text)
}

pub fn parse_disposition(text: &str) -> Option<Disposition> {
    Disposition::parse(text)
}

/// A block from its two columns.
pub fn parse_block(run: &str, index: i32) -> Option<Block> {
    Some(Block { run: run.parse().ok()?, index: u16::try_from(index).ok()? })
}

/// A party of a hand-over.
pub fn party(party: PartyId) -> String {
    match party {
        PartyId::Organization(id) => format!("organization/{id}"),
        PartyId::Other(hash) => format!("other/{hash:016x}"),
    }
}

pub fn parse_party(text: &str) -> Option<PartyId> {
    match text.split_once('/')? {
        ("organization", id) => Some(PartyId::Organization(OrganizationId(id.parse().ok()?))),
        ("other", hash) => Some(PartyId::Other(u64::from_str_radix(hash, 16).ok()?)),
        _ => None,
    }
}

/// An own code as run and serial: its tag follows from these and a key that the store does not have.
pub fn code(run: RunId, serial: Serial) -> String {
    format!("{run}/{}", serial.get())
}

pub fn parse_code(text: &str) -> Option<Instance> {
    let (run, serial) = text.split_once('/')?;
    Some(Instance::Code { run: run.parse().ok()?, serial: Serial::new(serial.parse().ok()?)? })
}

/// Bytes as hexadecimal digits, for keys in messages.
pub fn hex(bytes: &[u8]) -> impl Display + '_ {
    struct Hex<'b>(&'b [u8]);
    impl Display for Hex<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
        }
    }
    Hex(bytes)
}

/// Something in a table that is not what was written there.
pub fn corrupt(table: &'static str, key: impl Display, found: impl Display) -> Error {
    Error::Corrupt { table, key: key.to_string(), found: found.to_string() }
}

/// A digest of 32 bytes from its column.
pub fn digest(table: &'static str, key: impl Display, column: &str, bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| corrupt(table, key, format!("{column} has {} bytes; expected 32", bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_partition_can_be_read_back_and_no_two_share_a_name() {
        let run = RunId::from_bits(77).unwrap();
        let lot = |gtin: &str, lot: &str| Subject::Lot { gtin: gtin.to_owned(), lot: lot.to_owned() };
        let subjects = [
            Subject::Batch(BatchId(u64::MAX)),
            lot("04006381333931", "L/1-é%2F"),
            lot("0", "1/2"),
            lot("0/1", "2"),
            lot("0%2F1", "2"),
            lot("", ""),
            Subject::Run(run),
            Subject::Group(Group { run, index: 31 }),
            Subject::Block(Block { run, index: 1023 }),
            Subject::Epc("urn:x/y".to_owned()),
            Subject::Party(OrganizationId(0)),
        ];
        let names: Vec<_> = subjects.iter().map(|of| subject(of).unwrap()).collect();
        for (name, of) in names.iter().zip(&subjects) {
            assert_eq!(parse_subject(name).as_ref(), Some(of), "{name}");
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
        for of in [Parent::All, Parent::Splits(3), Parent::Gtin("1".into()), Parent::Lot("0/1".into(), "2".into())] {
            assert_eq!(parse_parent(&parent(&of).unwrap()), Some(of));
        }
    }

    #[test]
    fn a_name_of_nothing_is_no_subject() {
        for text in ["", "batch", "batch/x", "block/000000", "block/000000/x", "group/000000/256", "code/1"] {
            assert_eq!(parse_subject(text), None, "{text}");
        }
    }
}
