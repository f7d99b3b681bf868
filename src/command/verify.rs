//! `coldproof verify`: codes and links against a key ring alone.

use std::io::{BufRead, BufWriter, Write, stdin, stdout};

use super::{ConfigArgs, Error, Result, key_ring_file};
use crate::code::{Code, KeyRing, Link, Verification};

/// Shown under `--help`.
pub const EXAMPLES: &str = "\
Examples:
  coldproof verify --keyring keyring.toml 0000-0C00-00AB-CDEF-GHJK
  coldproof verify --store embedded:./data < codes.txt
  coldproof verify --keyring keyring.toml HTTPS://TRACE.EXAMPLE/01/06901234567892/21/00000C0000ABCDEFGHJK

A valid tag says that the code was made with this key ring. Whether it was issued, recalled or sold is in the store:
scan it, or ask /v1/verify.";

/// Arguments of `verify`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Codes or links; without any, one a line from standard input.
    #[arg(value_name = "CODE")]
    codes: Vec<String>,
}

/// Prints each code with what its tag proves.
///
/// # Errors
/// [`Error::Unsound`] where at least one is not valid, and where the key ring or the input cannot be read.
pub fn run(args: Args) -> Result<()> {
    let config = args.config.load(Vec::new(), Vec::new())?;
    let ring = key_ring_file::read(&config.keyring_path())?;
    let mut output = BufWriter::new(stdout().lock());
    let mut tally = Tally::default();
    let mut check = |text: &str| {
        let (verdict, sound) = verdict(&ring, text);
        tally.all += 1;
        tally.unsound += u64::from(!sound);
        writeln!(output, "{verdict}\t{text}").map_err(Error::io("standard output"))
    };
    if args.codes.is_empty() {
        for line in stdin().lock().lines() {
            let line = line.map_err(Error::io("standard input"))?;
            if !line.trim().is_empty() {
                check(line.trim())?;
            }
        }
    } else {
        args.codes.iter().try_for_each(|text| check(text.trim()))?;
    }
    output.flush().map_err(Error::io("standard output"))?;
    match tally.unsound {
        0 => Ok(()),
        unsound => Err(Error::Unsound(format!("{unsound} of {} codes are not valid", tally.all))),
    }
}

#[derive(Default)]
struct Tally {
    all: u64,
    unsound: u64,
}

/// What a code's tag proves, and whether that is enough.
fn verdict(ring: &KeyRing, text: &str) -> (&'static str, bool) {
    let Some(code) = code_of(text) else { return ("malformed", false) };
    match ring.verify(&code) {
        Verification::Valid => ("valid", true),
        Verification::Retired => ("retired", true),
        Verification::Forged => ("forged", false),
        Verification::UnknownKey => ("unverifiable", false),
    }
}

/// The code that a bare code or any host's link names: the key ring decides, not the host.
fn code_of(text: &str) -> Option<Code> {
    let Some((_, rest)) = text.split_once("://") else { return Code::parse(text).ok() };
    let (path, query) = rest
        .split_once('/')?
        .1
        .split_once('?')
        .map_or_else(|| (rest.split_once('/').map(|(_, path)| path), None), |(path, query)| (Some(path), Some(query)));
    match Link::parse_path(&format!("/{}", path?), query).ok()? {
        Link::Code { code, .. } => Some(code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        code::{RunId, Serial, key_table},
        command::keygen::FIRST_SLOT,
    };

    #[test]
    fn codes_and_links_are_told_apart_from_forgeries() {
        let ring = KeyRing::parse(&key_table(FIRST_SLOT, &std::array::from_fn(|i| i as u8), "2024-01-01")).unwrap();
        let run = RunId::new(FIRST_SLOT, 3).unwrap();
        let code = ring.run_key(run).unwrap().code(Serial::new(7).unwrap());
        let text = code.to_string();
        for good in [text.clone(), text.to_lowercase(), code.grouped(), format!("HTTPS://A.EXAMPLE/{text}")] {
            assert_eq!(verdict(&ring, &good), ("valid", true), "{good}");
        }
        let link = format!("https://a.example/01/06901234567892/21/{text}?s=x");
        assert_eq!(verdict(&ring, &link), ("valid", true));
        let last = if text.ends_with('0') { '1' } else { '0' };
        let forged = format!("{}{last}", &text[..19]);
        assert_eq!(verdict(&ring, &forged), ("forged", false));
        let other_slot = format!("Z{}", &text[1..]);
        assert_eq!(verdict(&ring, &other_slot), ("unverifiable", false));
        for bad in ["", "hello", "https://a.example", "https://a.example/01/1/21/2"] {
            assert_eq!(verdict(&ring, bad), ("malformed", false), "{bad}");
        }
    }
}
