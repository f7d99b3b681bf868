//! Events of all five types with all their fields, made up by chance from pools of values.

use coldproof::epcis::Event;
use serde_json::{Map, Value, json};

use super::event;

/// A die that falls the same in every run.
pub struct Die(u64);

impl Die {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 0 to `sides` - 1 (splitmix64).
    pub fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }

    fn pick<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        &values[self.throw(values.len())]
    }

    /// Some of the values, in their order.
    fn some<T: Clone>(&mut self, values: &[T]) -> Vec<T> {
        values.iter().filter(|_| self.throw(3) == 0).cloned().collect()
    }
}

const KINDS: [&str; 5] =
    ["ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"];

/// Instances: ours and others', in many forms; no two name the same thing.
const EPCS: [&str; 12] = [
    "urn:epc:id:sgtin:9506000.013435.1001",
    "urn:epc:id:sscc:9506000.0123456789",
    "https://id.gs1.org/00/095060001234567909",
    "https://id.gs1.org/01/09506000134352/21/000003ABCDEFGHJKMNPQ",
    "HTTPS://DEMO.COLDPROOF.EXAMPLE/01/09506000134352/10/L%2F7/21/000003abcdefghjkmnpr",
    "https://trace.example.cn/000003-ABCD-EFGH-JKMN-PS",
    "https://trace.example.cn/00/095060001234567916",
    "https://shop.example/x/01/09506000134352/21/AB-7?sold=1",
    "urn:epc:id:grai:9506000.12345.A%2F1",
    "urn:epc:id:giai:9506000.logger7",
    "https://example.com/things/1",
    "https://id.gs1.org/8003/09506000123453A",
];
const OTHERS: [&str; 6] = [
    "urn:epc:id:sgtin:9506000.013435.2001",
    "urn:epc:id:sscc:9506000.1123456789",
    "https://demo.coldproof.example/01/09506000134352/21/000004ABCDEFGHJKMNPQ",
    "https://demo.coldproof.example/000004-ABCD-EFGH-JKMN-PR",
    "https://example.com/things/2",
    "urn:epc:id:itip:9506000.013435.01.02.5",
];
const PARENTS: [&str; 5] = [
    "urn:epc:id:sscc:9506000.2123456789",
    "https://demo.coldproof.example/00/095060001234567923",
    "https://demo.coldproof.example/01/09506000134352/21/000005ABCDEFGHJKMNPQ",
    "urn:epc:id:sgln:9506000.00001.0",
    "https://example.com/pallets/7",
];
const PLACES: [&str; 4] = [
    "urn:epc:id:sgln:9506000.00001.0",
    "https://id.gs1.org/414/9506000000019/254/A-7",
    "https://demo.coldproof.example/414/9506000000019",
    "https://example.com/rp/1",
];
const STEPS: [&str; 5] = ["shipping", "packing", "https://ref.gs1.org/cbv/BizStep-receiving", "other", "ex:thawing"];
const DISPOSITIONS: [&str; 4] = ["in_transit", "https://ref.gs1.org/cbv/Disp-active", "ex:thawed", "unknown"];
const TIMES: [&str; 4] = [
    "2026-05-04T09:30:00.000+08:00",
    "2026-05-04T01:30:00Z",
    "2026-05-04T01:30:00.0005Z",
    "2026-05-03T23:59:59.1239-02:00",
];

fn quantities(die: &mut Die) -> Value {
    let classes = [
        json!({ "epcClass": "https://demo.coldproof.example/batch/17", "quantity": 250.5, "uom": "KGM" }),
        json!({ "epcClass": "https://trace.example.cn/batch/9" }),
        json!({ "epcClass": "urn:epc:class:lgtin:9506000.013435.LOT-1", "quantity": 12 }),
        json!({ "epcClass": "https://trace.example.cn/01/09506000134352/10/LOT-2", "quantity": 0.1, "uom": "KGM" }),
        json!({ "epcClass": "urn:epc:idpat:sgtin:9506000.013435.*", "quantity": 1e21 }),
        json!({ "epcClass": "https://demo.coldproof.example/01/09506000134352", "quantity": 0 }),
        json!({ "epcClass": "https://example.com/class/1", "quantity": 3.0, "uom": "X4" }),
    ];
    Value::Array(die.some(&classes))
}

/// Two spans, and the quantities that count them.
fn spans(die: &mut Die, run: &str) -> (Value, Value) {
    let code = |serial: &str| format!("{run}{serial}0000000000");
    let form = |code: String, link: bool| if link { format!("https://trace.example.cn/{code}") } else { code };
    let span = json!({ "first": form(code("000A"), die.throw(2) == 0), "last": code("000K") });
    let other = json!({ "last": form(code("00ZZ"), die.throw(2) == 0), "first": code("00ZZ") });
    // How many these are is filled in by `count_spans`.
    let counts = json!([{ "epcClass": "https://demo.coldproof.example/batch/3", "quantity": 0 }]);
    (json!([span, other]), counts)
}

/// One list of goods of an event.
fn goods(die: &mut Die, event: &mut Map<String, Value>, names: [&str; 3], pool: &[&str], run: &str) {
    let [epcs, list, spans_name] = names;
    if die.throw(4) > 0 {
        event.insert(epcs.into(), json!(die.some(pool)));
    }
    match die.throw(3) {
        0 => drop(event.insert(list.into(), quantities(die))),
        1 => {
            let (spans, counts) = spans(die, run);
            event.insert(spans_name.into(), spans);
            event.insert(list.into(), counts);
        }
        _ => {}
    }
}

fn extension(die: &mut Die) -> Value {
    let values = [
        json!("text"),
        json!("shipping"),
        json!(1e-7),
        json!(-0.5),
        json!(true),
        json!(null),
        json!(["x", 3, { "plain": 1, "ex:in": [] }, []]),
        json!({ "ex:b": { "ex:c": "3.0" }, "a": ["2", "1"], "@type": "ex:T" }),
        json!("00123"),
        json!("urn:epc:id:sgtin:9506000.013435.5"),
        json!({}),
    ];
    die.pick(&values).clone()
}

fn place(die: &mut Die) -> Value {
    let mut place = json!({ "id": die.pick(&PLACES) });
    if die.throw(3) == 0 {
        place["ex:shelf"] = extension(die);
    }
    place
}

fn sensors(die: &mut Die) -> Value {
    let elements = [
        json!({ "sensorMetadata": { "startTime": "2026-05-03T08:00:00.000+08:00", "endTime": "2026-05-03T20:00:00Z",
                "deviceID": "urn:epc:id:giai:9506000.logger7", "bizRules": "https://example.com/rules", "ex:version": "1.20" },
            "sensorReport": [
                { "type": "Temperature", "minValue": -21.4, "maxValue": -17.9, "meanValue": -19.05, "sDev": 0.5,
                  "percRank": 50, "percValue": -19, "uom": "CEL", "exception": "ALARM_CONDITION" },
                { "type": "Temperature", "value": -18, "time": "2026-05-03T09:00:00Z", "uom": "CEL" }] }),
        json!({ "sensorReport": [{ "type": "ex:Smell", "stringValue": "Temperature", "booleanValue": false,
            "hexBinaryValue": "0aF1", "uriValue": "https://example.com/u/1", "component": "x" }], "ex:zone": extension(die) }),
        json!({ "sensorMetadata": { "time": "2026-05-03T08:00:00.000+08:00", "rawData": "https://example.com/raw",
                "deviceMetadata": "https://example.com/d", "dataProcessingMethod": "https://example.com/m" },
            "sensorReport": [{ "type": "RelativeHumidity", "value": 80, "uom": "P1",
                "microorganism": "https://example.com/mo", "coordinateReferenceSystem": "https://example.com/crs",
                "chemicalSubstance": "https://example.com/cs", "ex:quality": extension(die) }] }),
    ];
    Value::Array(die.some(&elements))
}

fn declaration(die: &mut Die) -> Value {
    let mut declaration = json!({ "declarationTime": die.pick(&TIMES) });
    if die.throw(2) == 0 {
        declaration["reason"] = json!(die.pick(&["incorrect_data", "did_not_occur", "ex:typing"]));
    }
    if die.throw(2) == 0 {
        declaration["correctiveEventIDs"] = json!(die.some(&["urn:uuid:1", "ni:///sha-256;00?ver=CBV2.0"]));
    }
    if die.throw(3) == 0 {
        declaration["ex:by"] = extension(die);
    }
    declaration
}

fn transactions(die: &mut Die) -> Value {
    let transactions = [
        json!({ "type": "po", "bizTransaction": "urn:epc:id:gdti:9506000.00001.PO-2" }),
        // The reference fails on a transaction without a type.
        json!({ "type": "desadv", "bizTransaction": "https://demo.coldproof.example/253/9506000000019A" }),
        json!({ "type": "cp:measure", "bizTransaction": "https://trace.example.cn/measure/7" }),
        json!({ "type": "https://ref.gs1.org/cbv/BTT-inv", "bizTransaction": "https://example.com/inv/1" }),
    ];
    let mut chosen = die.some(&transactions);
    if chosen.is_empty() {
        chosen.push(transactions[0].clone());
    }
    Value::Array(chosen)
}

fn parties(die: &mut Die, field: &str) -> Value {
    let parties = [
        json!({ "type": "owning_party", field: "urn:epc:id:pgln:9506000.00002" }),
        json!({ "type": "possessing_party", field: "https://trace.example.cn/organization/7" }),
        json!({ "type": "location", field: "https://demo.coldproof.example/414/9506000000019" }),
        json!({ "type": "ex:keeper", field: "https://example.com/p/1" }),
    ];
    Value::Array(die.some(&parties))
}

/// Fields that all types have.
fn shared(die: &mut Die, event: &mut Map<String, Value>) {
    event.insert("eventTime".into(), json!(die.pick(&TIMES)));
    event.insert("eventTimeZoneOffset".into(), json!(die.pick(&["+08:00", "-02:30", "+00:00", "-14:00"])));
    let fields = [
        ("eventID", json!(die.pick(&["urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8", "https://example.com/e/1"]))),
        (
            "certificationInfo",
            die.pick(&[json!("https://example.com/c/1"), json!(["https://example.com/c/2", "ex:c"])]).clone(),
        ),
        ("recordTime", json!("2026-05-05T00:00:00Z")),
        ("errorDeclaration", declaration(die)),
        ("bizStep", json!(die.pick(&STEPS))),
        ("disposition", json!(die.pick(&DISPOSITIONS))),
        ("readPoint", place(die)),
        ("bizLocation", place(die)),
        ("bizTransactionList", transactions(die)),
        ("sourceList", parties(die, "source")),
        ("destinationList", parties(die, "destination")),
        ("sensorElementList", sensors(die)),
        ("ex:one", extension(die)),
        ("ex:two", extension(die)),
    ];
    for (name, value) in fields {
        if die.throw(5) < 2 {
            event.insert(name.into(), value);
        }
    }
}

/// An event, or what is none because a rule between its fields does not hold.
fn thrown(die: &mut Die) -> Value {
    let kind = *die.pick(&KINDS);
    let mut event = Map::new();
    shared(die, &mut event);
    event.insert("type".into(), json!(kind));
    let objects = ["epcList", "quantityList", "cp:spans"];
    let children = ["childEPCs", "childQuantityList", "cp:spans"];
    if kind == "TransformationEvent" {
        goods(die, &mut event, ["inputEPCList", "inputQuantityList", "cp:inputSpans"], &EPCS, "000006");
        goods(die, &mut event, ["outputEPCList", "outputQuantityList", "cp:outputSpans"], &OTHERS, "000007");
        if die.throw(2) == 0 {
            event.insert("transformationID".into(), json!("urn:epc:id:gdti:9506000.00001.T"));
        }
    } else {
        event.insert("action".into(), json!(die.pick(&["ADD", "OBSERVE", "DELETE"])));
        let grouped = matches!(kind, "AggregationEvent" | "AssociationEvent");
        goods(die, &mut event, if grouped { children } else { objects }, &EPCS, "000006");
        if kind != "ObjectEvent" && die.throw(3) > 0 {
            event.insert("parentID".into(), json!(die.pick(&PARENTS)));
        }
    }
    if matches!(kind, "ObjectEvent" | "TransformationEvent") {
        if die.throw(3) == 0 {
            let persistent = [
                json!({ "set": ["recalled", "ex:odd"] }),
                json!({ "unset": ["https://ref.gs1.org/cbv/Disp-recalled"], "set": ["non_sellable_other", "active"] }),
            ];
            event.insert("persistentDisposition".into(), die.pick(&persistent).clone());
        }
        if die.throw(3) == 0 {
            let ilmd = json!({ "cbvmda:lotNumber": "00123", "ex:note": extension(die), "cp:expiry": { "first": "2027-01-31" } });
            event.insert("ilmd".into(), ilmd);
        }
    }
    event.insert(
        "@context".into(),
        json!(["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
            { "ex": "https://example.com/ns/", "cp": "https://w3id.org/coldproof/1/" }]),
    );
    Value::Object(event)
}

/// So many events of each type, as they came and as they were read.
pub fn generated(of_each: usize) -> Vec<(Value, Event)> {
    let mut die = Die::new(7);
    let mut counts = [0; KINDS.len()];
    let mut events = Vec::new();
    let mut refused = 0;
    while counts.iter().any(|count| *count < of_each) {
        let mut value = thrown(&mut die);
        let kind = KINDS.iter().position(|kind| value["type"] == *kind).unwrap();
        if counts[kind] == of_each {
            continue;
        }
        count_spans(&mut value);
        match event(&value.to_string()) {
            Ok(event) => {
                counts[kind] += 1;
                events.push((value, event));
            }
            Err(_) => refused += 1,
        }
        assert!(refused < 20 * of_each * KINDS.len(), "most of what is thrown is an event");
    }
    events
}

/// Corrects the quantities beside spans: the codes that the spans name.
fn count_spans(event: &mut Value) {
    for (spans, quantities) in [
        ("cp:spans", "quantityList"),
        ("cp:spans", "childQuantityList"),
        ("cp:inputSpans", "inputQuantityList"),
        ("cp:outputSpans", "outputQuantityList"),
    ] {
        let Some(named) = event[spans].as_array() else { continue };
        let serial = |code: &Value| {
            let text = code.as_str().unwrap().rsplit('/').next().unwrap();
            coldproof::code::Code::parse(text).unwrap().serial.get()
        };
        let codes: u32 = named.iter().map(|span| serial(&span["last"]) - serial(&span["first"]) + 1).sum();
        if let Some(element) = event.get_mut(quantities).and_then(|list| list.get_mut(0)) {
            element["quantity"] = json!(codes);
        }
    }
}

/// The text of a value, the members of its objects in any order.
pub fn shuffled(value: &Value, die: &mut Die) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| shuffled(item, die)).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let mut left: Vec<_> = members.iter().collect();
            let mut texts = Vec::new();
            while !left.is_empty() {
                let (name, value) = left.swap_remove(die.throw(left.len()));
                texts.push(format!("{} : {}", json!(name), shuffled(value, die)));
            }
            format!("{{{}}}", texts.join(","))
        }
        other => other.to_string(),
    }
}

#[test]
fn what_is_generated_has_every_field_of_every_type() {
    let shared = "eventID certificationInfo recordTime errorDeclaration bizStep disposition readPoint bizLocation \
        bizTransactionList sourceList destinationList sensorElementList ex:one";
    let own = [
        ("ObjectEvent", "action epcList quantityList cp:spans persistentDisposition ilmd"),
        ("AggregationEvent", "action parentID childEPCs childQuantityList cp:spans"),
        ("TransactionEvent", "action parentID epcList quantityList cp:spans"),
        (
            "TransformationEvent",
            "inputEPCList inputQuantityList cp:inputSpans outputEPCList outputQuantityList cp:outputSpans \
             transformationID persistentDisposition ilmd",
        ),
        ("AssociationEvent", "action parentID childEPCs childQuantityList cp:spans"),
    ];
    let events = generated(80);
    for (kind, fields) in own {
        for field in fields.split_whitespace().chain(shared.split_whitespace()) {
            let with = events.iter().filter(|(event, _)| event["type"] == kind && event.get(field).is_some()).count();
            assert!(with >= 5, "{with} of {kind} with {field}");
        }
    }
}
