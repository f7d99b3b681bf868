//! Events of a demo's goods as EPCIS documents, each different from all others.

use anyhow::{Context, Result, ensure};
use coldproof::{
    code::{Code, Gtin, Host, KeyRing, RunKey, Serial},
    epcis::{Event, Hosts, Ruling, parse_event},
};

use crate::demo::{Demo, Run};

/// Codes that an event on a span names.
const SPAN_CODES: u32 = 1_000;
/// 2025-06-01T00:00:00Z in seconds: the first event.
const BEGIN_S: u64 = 1_748_736_000;

/// What events are about.
#[derive(Debug)]
pub struct Goods {
    /// The run that single codes and spans are of.
    pub run: Run,
    key: RunKey,
    gtin: Gtin,
    host: Host,
    batch: u64,
}

impl Goods {
    /// The goods of a run of the demo's batch. `link` is one of its codes' links as the server prints them, `ring` the
    /// text of the server's key ring.
    pub fn new(demo: &Demo, run: Run, link: &str, ring: &str) -> Result<Self> {
        let key = KeyRing::parse(ring)?.run_key(run.run.parse()?).context("a run of an unknown key")?;
        let mut parts = link.split('/').skip(2);
        let host = parts.next().unwrap_or_default().to_ascii_lowercase().parse()?;
        let gtin = parts.nth(1).context("a link without a GTIN")?.parse()?;
        let goods = Self { run, key, gtin, host, batch: demo.batch };
        ensure!(goods.code(0)?.to_string() == goods.run.first, "this process makes other codes than the server");
        Ok(goods)
    }

    fn code(&self, serial: u32) -> Result<Code> {
        Ok(self.key.code(Serial::new(serial % self.run.count).context("a serial")?))
    }

    /// Event `at`: of ten, seven on one code, two on a span of 1,000, one on some of the batch.
    pub fn event(&self, at: u64) -> Result<String> {
        let serial = at as u32;
        match at % 10 {
            0..=6 => self.on_codes(at, serial, 1),
            7 | 8 => {
                let first = (serial / 10 * 7) % (self.run.count - SPAN_CODES);
                self.on_spans(at, &[(self.code(first)?, self.code(first + SPAN_CODES - 1)?)])
            }
            _ => Ok(self.on(
                at,
                &format!(
                    r#""quantityList":[{{"epcClass":"https://{}/batch/{}","quantity":{}.5,"uom":"KGM"}}]"#,
                    self.host,
                    self.batch,
                    1 + at % 900
                ),
            )),
        }
    }

    /// An event on neighbouring codes, one by one.
    pub fn on_codes(&self, at: u64, first: u32, count: u32) -> Result<String> {
        let epc = |serial| Ok(format!(r#""https://id.gs1.org/01/{}/21/{}""#, self.gtin, self.code(serial)?));
        let epcs = (first..first + count).map(epc).collect::<Result<Vec<_>>>()?;
        Ok(self.on(at, &format!(r#""epcList":[{}]"#, epcs.join(","))))
    }

    /// An event on spans, both ends named.
    pub fn on_spans(&self, at: u64, spans: &[(Code, Code)]) -> Result<String> {
        let codes: u32 = spans.iter().map(|(first, last)| last.serial.get() - first.serial.get() + 1).sum();
        let spans: Vec<_> =
            spans.iter().map(|(first, last)| format!(r#"{{"first":"{first}","last":"{last}"}}"#)).collect();
        Ok(self.on(
            at,
            &format!(
                r#""quantityList":[{{"epcClass":"https://{}/batch/{}","quantity":{codes}}}],"https://w3id.org/coldproof/1/spans":[{}]"#,
                self.host,
                self.batch,
                spans.join(",")
            ),
        ))
    }

    /// An event at a time of its own.
    fn on(&self, at: u64, what: &str) -> String {
        let time = jiff::Timestamp::from_millisecond((BEGIN_S * 1000 + at * 17) as i64).unwrap_or_default();
        format!(
            r#"{{"type":"ObjectEvent","eventTime":"{time:.3}","eventTimeZoneOffset":"+08:00","action":"OBSERVE","bizStep":"inspecting","disposition":"in_progress","readPoint":{{"id":"https://id.gs1.org/414/9506000000019"}},"bizTransactionList":[{{"type":"po","bizTransaction":"urn:epc:id:gdti:9506000.00001.{}"}}],{what}}}"#,
            at % 1000
        )
    }

    /// What the server has to make of an event: its public id and canonical form.
    pub fn expected(&self, event: &str) -> Result<Event> {
        let hosts = Hosts::new(self.host.clone(), []);
        let text = event.replacen('{', r#"{"@context":[],"#, 1);
        Ok(parse_event(text.as_bytes(), &hosts)?.seal(|_| Ruling::Ours(Some(self.gtin)))?)
    }
}

/// What a document begins with, before its events.
pub const OPENING: &str = r#"{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-06-01T00:00:00Z","epcisBody":{"eventList":["#;
/// What it ends with.
pub const CLOSING: &str = "]}}";
