//! What a demo's folder says about itself, and what one can order from its server.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use coldproof::code::Code;
use serde::Deserialize;

use crate::http::{Client, Request, bearer};

/// `DIR/demo.json`, as far as it is used here.
#[derive(Debug, Deserialize)]
pub struct Demo {
    /// Number of a batch that large orders are lawful for.
    pub batch: u64,
    /// Name of a run of 1,000 codes that nothing has happened to.
    pub run: String,
    /// API keys by role.
    pub keys: Keys,
    /// Codes to try.
    pub codes: Codes,
}

/// API keys.
#[derive(Debug, Deserialize)]
pub struct Keys {
    /// Of the batch's owner.
    pub importer: String,
    /// Of somebody who sees all goods.
    pub inspector: String,
}

/// Codes, 20 characters each.
#[derive(Debug, Deserialize)]
pub struct Codes {
    /// A genuine one that is scanned again and again.
    pub warm: String,
    /// One whose tag is wrong.
    pub forged: String,
}

/// One run of an order's answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Run {
    /// Its name: the first six characters of its codes.
    pub run: String,
    /// How many codes it has.
    pub count: u32,
    /// Its first code.
    pub first: String,
    /// Its last code.
    pub last: String,
}

#[derive(Deserialize)]
struct Ordered {
    runs: Vec<Run>,
}

impl Demo {
    /// Reads `DIR/demo.json`.
    ///
    /// # Errors
    /// Where it is not there or says something else.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("demo.json");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// The request that orders codes of the batch.
    pub fn order(&self, codes: u32) -> Request {
        let path = format!("/v1/batches/{}/runs", self.batch);
        Request::post(&path, Some(&self.keys.importer), &format!("{{\"count\":{codes}}}"))
    }

    /// The request for codes under `path`, with the importer's key.
    pub fn codes_of(&self, path: &str) -> Request {
        Request::get(path, &[("authorization", &bearer(&self.keys.importer))])
    }
}

/// The runs of an order's answer: they must hold `codes` codes in all, each from its first to its last.
///
/// # Errors
/// Where they do not.
pub fn ordered(body: &[u8], codes: u32) -> Result<Vec<Run>> {
    let ordered: Ordered = serde_json::from_slice(body).context("the answer to an order")?;
    let mut sum = 0;
    for run in &ordered.runs {
        let (first, last) = (parse(&run.first)?, parse(&run.last)?);
        ensure!(first.run == last.run && run.first.starts_with(&run.run), "{run:?}: codes of another run");
        let span = (first.serial.get(), last.serial.get() + 1);
        ensure!(span == (0, run.count), "{run:?}: serials {span:?} found where 0 to the count are expected");
        sum += run.count;
    }
    ensure!(sum == codes, "{sum} codes found where {codes} were ordered");
    Ok(ordered.runs)
}

/// Orders codes of the demo's batch.
///
/// # Errors
/// Where the order is refused, or answered with something else.
pub fn order(client: &mut Client, demo: &Demo, codes: u32) -> Result<Vec<Run>> {
    ordered(client.expect(&demo.order(codes), 201)?, codes)
}

fn parse(code: &str) -> Result<Code> {
    Code::parse(code).with_context(|| format!("not a code: {code:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(runs: &[(&str, u32, u64)]) -> Vec<u8> {
        let runs = runs.iter().map(|(run, count, last)| {
            // Serials stand in 22 bits behind the run: four digits and two bits of the fifth. The tag is not looked at.
            let tail = |serial: u64| {
                let bits = u128::from(serial) << 48;
                let digits =
                    (0..14).rev().map(|at| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[(bits >> (5 * at)) as usize & 31]);
                String::from_utf8(digits.collect()).unwrap()
            };
            let (first, last) = (tail(0), tail(*last));
            format!(r#"{{"run":"{run}","count":{count},"first":"{run}{first}","last":"{run}{last}"}}"#)
        });
        format!(r#"{{"runs":[{}]}}"#, runs.collect::<Vec<_>>().join(",")).into_bytes()
    }

    #[test]
    fn an_order_is_all_its_runs() {
        let runs = ordered(&answer(&[("000001", 1000, 999), ("000002", 24, 23)]), 1024).unwrap();
        assert_eq!(runs[1].run, "000002");
    }

    #[test]
    fn orders_that_lack_codes_or_name_others_are_refused() {
        for (runs, message) in [
            (&[("000001", 1000, 999)][..], "1000 codes found where 1024 were ordered"),
            (&[("000001", 1024, 1024)], "serials (0, 1025) found"),
        ] {
            let error = ordered(&answer(runs), 1024).unwrap_err();
            assert!(format!("{error:#}").contains(message), "{error:#}");
        }
        let mixed = String::from_utf8(answer(&[("000001", 1024, 1023)])).unwrap().replacen("1\",\"co", "2\",\"co", 1);
        assert!(ordered(mixed.as_bytes(), 1024).unwrap_err().to_string().contains("codes of another run"));
    }
}
