//! A small world, made over HTTP: an importer with batches, orders and what is packed into what.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    demo::{Codes, Demo, Keys, Run, ordered},
    http::{Client, Request},
};

const GTIN: &str = "09506000134352";
/// The last code of the run that is scanned again and again.
const RUN_CODES: u32 = 1_000;

/// Who imports what.
#[derive(Debug)]
pub struct World {
    /// The importer's key.
    pub importer: String,
    product: u64,
    consignment: u64,
}

/// Posts JSON; the answer's.
fn post(client: &mut Client, path: &str, key: &str, body: &Value) -> Result<Value> {
    let answer = client.expect(&Request::post(path, Some(key), &body.to_string()), 201)?;
    serde_json::from_slice(answer).with_context(|| format!("the answer of {path}"))
}

fn number(of: &Value, field: &str) -> Result<u64> {
    of[field].as_u64().with_context(|| format!("{field} in {of}"))
}

fn text(of: &Value, pointer: &str) -> Result<String> {
    let text = of.pointer(pointer).and_then(Value::as_str);
    Ok(text.with_context(|| format!("no text at {pointer} of {of}"))?.to_owned())
}

impl World {
    /// An importer, its product and a consignment of it.
    pub fn found(client: &mut Client, admin: &str) -> Result<Self> {
        let body = json!({ "legal_name": "湖南冷链进出口有限公司", "roles": ["importer"], "country": "CN", "gs1_prefix": "9506000" });
        let organization = number(&post(client, "/v1/organizations", admin, &body)?, "id")?;
        let body = json!({ "organization": organization, "role": "importer" });
        let importer = text(&post(client, "/v1/keys", admin, &body)?, "/key")?;
        let body = json!({ "gtin": GTIN, "name_zh": "冻南美白虾", "name_en": "Vannamei shrimp", "category": "seafood",
            "packaging": [{ "level": "item", "items": 1, "net": { "value": 0.4, "uom": "KGM" } }],
            "storage": { "max_celsius": -18 }, "hs_code": "0306171900" });
        let product = number(&post(client, "/v1/products", &importer, &body)?, "id")?;
        let body = json!({ "declaration": "222920261000123456", "origin": "EC", "entry_date": "2026-05-20",
            "port_of_entry": "上海洋山", "consignor": "Sea Ecuador S.A.",
            "quarantine_certificate": { "number": "123456789012", "issuer": "上海海关" },
            "producer": { "name": "Sea Ecuador S.A.", "registration": "CECU16011601150001" } });
        let consignment = number(&post(client, "/v1/consignments", &importer, &body)?, "id")?;
        Ok(Self { importer, product, consignment })
    }

    /// A registered batch of so many items, and as many cases as there may be.
    pub fn batch(&self, client: &mut Client, items: u64) -> Result<u64> {
        let body = json!({ "product": self.product, "lot": "L-2026-07", "ai10": "L-2026-07",
            "production": { "first": "2026-05-01", "last": "2026-05-03" },
            "expiry": { "first": "2068-06-30", "last": "2068-07-02" },
            "net_weight": { "value": items as f64 * 0.4, "uom": "KGM" }, "quantities": { "item": items, "case": items } });
        number(&post(client, &format!("/v1/consignments/{}/batches", self.consignment), &self.importer, &body)?, "id")
    }

    /// The request that orders codes of a batch.
    pub fn order_of(&self, batch: u64, count: u32, level: &str) -> Request {
        let body = json!({ "count": count, "level": level }).to_string();
        Request::post(&format!("/v1/batches/{batch}/runs"), Some(&self.importer), &body)
    }

    /// Orders codes of a batch: its runs.
    pub fn order(&self, client: &mut Client, batch: u64, count: u32, level: &str) -> Result<Vec<Run>> {
        ordered(client.expect(&self.order_of(batch, count, level), 201)?, count)
    }

    /// The codes of a run.
    pub fn codes(&self, client: &mut Client, run: &Run) -> Result<Vec<String>> {
        let path = format!("/v1/runs/{}/codes?form=code", run.run);
        let request = Request::get(&path, &[("authorization", &crate::http::bearer(&self.importer))]);
        let text = std::str::from_utf8(client.expect(&request, 200)?)?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Packs a thing, or codes from one to another, into a code or a unit.
    pub fn pack(&self, client: &mut Client, what: &Value, parent: &str) -> Result<()> {
        let body = json!({ "action": "pack", "what": [what], "parent": parent });
        post(client, "/v1/movements", &self.importer, &body).map(drop)
    }

    /// A pallet's SSCC.
    pub fn pallet(&self, client: &mut Client) -> Result<String> {
        let made = post(client, "/v1/units", &self.importer, &json!({ "count": 1, "kind": "sscc" }))?;
        text(&made, "/units/0/sscc")
    }

    /// A batch with a run of 1,000 codes of which one is scanned again and again, as the demo describes its own.
    pub fn warm(&self, client: &mut Client) -> Result<Demo> {
        let batch = self.batch(client, 100_000)?;
        let run = self.order(client, batch, RUN_CODES, "item")?.into_iter().next().context("an order without a run")?;
        let keys = Keys { importer: self.importer.clone(), inspector: self.importer.clone() };
        let codes = Codes { warm: run.first.clone(), forged: crate::check::tampered(&run.first) };
        Ok(Demo { batch, run: run.run, keys, codes })
    }
}
