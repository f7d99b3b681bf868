//! The worked values of `docs/spec/epcis-events.md` and `docs/spec/records.md`.

use coldproof::{
    epcis::{
        Action, BizStep, Class, ClassQuantity, Disposition, DocumentError, Event, capture_id, event_id, record_id,
        shapes::{
            self, BatchFacts, BatchSpan, CodeStep, DocumentFact, Inspection, InspectionKind, InspectionResult, Measure,
            MeasureKind, Movement, NamedGoods, NamedParty, Occasion, Sample, Transformation,
        },
    },
    trace::{BatchId, DocumentId, MeasureId, OrganizationId},
};

use super::hosts;

const EVENTS: &str = include_str!("../../../docs/spec/epcis-events.md");
const RECORDS: &str = include_str!("../../../docs/spec/records.md");

/// The JSON of a heading, canonical.
pub fn golden(page: &str, heading: &str) -> String {
    let section = page.split("\n### ").find(|section| section.starts_with(&format!("{heading}\n"))).expect(heading);
    let json = section.split("```json\n").nth(1).unwrap().split("\n```").next().unwrap();
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    serde_json_canonicalizer::to_string(&value).unwrap()
}

fn occasion() -> Occasion {
    Occasion {
        event_time_ms: 1_777_858_200_000,
        offset_minutes: 480,
        read_point: Some("https://id.gs1.org/414/9506000000019".to_owned()),
    }
}

fn span() -> BatchSpan {
    let code = |text: &str| coldproof::code::Code::parse(text).unwrap();
    BatchSpan { batch: BatchId(17), first: code("000003000000000000AB"), last: code("00000307ZZZZ000000CD") }
}

fn facts(expiry: &str) -> BatchFacts {
    let text = |text: &str| Some(text.to_owned());
    BatchFacts {
        quantity: Some((20_000.0, None)),
        gtin: text("09506000134352"),
        product: text("冻南美白虾"),
        lot: text("L24-0117"),
        production: Some(("2026-01-10".to_owned(), "2026-01-17".to_owned())),
        expiry: Some(("2028-01-09".to_owned(), expiry.to_owned())),
        origin: text("EC"),
        net_weight: Some((8000.0, "KGM".to_owned())),
        hs_code: text("0306171100"),
        storage_celsius: (None, Some(-18.0)),
        producer: text("Camarones del Pacífico S.A."),
        producer_registration: text("EC-1234"),
        importer: text("湘岳冷链食品有限公司"),
        declaration: text("490120261012345678"),
        declaration_line: Some(3),
        port_of_entry: text("CNCSX"),
        entry_date: text("2026-03-02"),
        documents: vec![DocumentFact {
            kind: "quarantine_certificate".to_owned(),
            number: "A-2026-77".to_owned(),
            issuer: text("长沙海关"),
            date: text("2026-03-05"),
            sha256: None,
        }],
        ..BatchFacts::default()
    }
}

fn registered(expiry: &str) -> Event {
    let certificates = ["https://demo.coldproof.example/documents/5".to_owned()];
    shapes::registration(&occasion(), BatchId(17), &facts(expiry), &certificates, &hosts()).unwrap()
}

#[test]
fn a_batch_is_registered_and_corrected_as_the_page_shows() {
    let (standing, new) = (registered("2028-01-16"), registered("2027-01-16"));
    assert_eq!(standing.body, golden(EVENTS, "registration"));
    assert_eq!(new.body, golden(EVENTS, "correction: in its place"));
    let declaration = shapes::declared_in_error(&standing, Some(&new), 1_778_032_800_000, &hosts()).unwrap();
    assert_eq!(declaration.body, golden(EVENTS, "correction: the declaration"));
    assert_eq!(declaration.hash, standing.hash, "a declaration finds the event that it declares in error");
    assert_ne!(new.hash, standing.hash);
}

#[test]
fn codes_are_issued_applied_and_voided_as_the_page_shows() {
    for (step, heading) in [(CodeStep::Issued, "issued"), (CodeStep::Applied, "applied"), (CodeStep::Void, "void")] {
        let event = shapes::codes(&occasion(), step, &[span()], &hosts()).unwrap();
        assert_eq!(event.body, golden(EVENTS, heading));
        assert!(event.goods.names_spans);
        assert_eq!(event.goods.spans.iter().map(|span| span.codes()).collect::<Vec<_>>(), [32_768]);
    }
}

#[test]
fn measures_are_set_and_lifted_as_the_page_shows() {
    let measure = |kind| Measure {
        id: MeasureId(7),
        kind,
        batches: vec![BatchId(17)],
        lots: vec![("09506000134352".parse().unwrap(), "L24-0117".parse().unwrap())],
        spans: vec![span()],
        units: vec!["https://id.gs1.org/00/095060001234567891".to_owned()],
        reason: Some("抽检不合格".to_owned()),
        notice: Some("暂停销售".to_owned()),
        advice: Some("请勿食用".to_owned()),
    };
    type Build = fn(&Occasion, &Measure, &coldproof::epcis::Hosts) -> Result<Vec<Event>, DocumentError>;
    let cases: [(MeasureKind, Build, &str); 3] = [
        (MeasureKind::Hold, shapes::measure, "hold"),
        (MeasureKind::Recall, shapes::measure, "recall"),
        (MeasureKind::Recall, shapes::lift, "lift of the recall"),
    ];
    for (kind, build, heading) in cases {
        let events = build(&occasion(), &measure(kind), &hosts()).unwrap();
        let bodies: Vec<&str> = events.iter().map(|event| event.body.as_str()).collect();
        let expected = ["spans", "classes and units"].map(|part| golden(EVENTS, &format!("{heading}: {part}")));
        assert_eq!(bodies, expected);
        assert!(events.iter().all(|event| event.measure == Some(MeasureId(7))));
    }
}

const PALLET: &str = "https://id.gs1.org/00/095060001234567893";

#[test]
fn goods_are_packed_and_unpacked_as_the_page_shows() {
    let case = "https://demo.coldproof.example/01/09506000134352/21/000005000000000000AB";
    let items = NamedGoods { spans: vec![span()], ..NamedGoods::default() };
    let cases = NamedGoods {
        epcs: vec![case.to_owned(), "https://id.gs1.org/00/095060001234567909".to_owned()],
        ..NamedGoods::default()
    };
    let none = NamedGoods::default();
    for (action, parent, children, step, heading) in [
        (Action::Add, case, &items, BizStep::Packing, "packed: items into a case"),
        (Action::Add, PALLET, &cases, BizStep::Packing, "packed: a case and another unit onto a pallet"),
        (Action::Delete, PALLET, &none, BizStep::Unpacking, "unpacked: all of a pallet"),
    ] {
        let event = shapes::aggregation(&occasion(), action, parent, children, &step, &hosts()).unwrap();
        assert_eq!(event.body, golden(EVENTS, heading));
    }
    let empty = shapes::aggregation(&occasion(), Action::Add, PALLET, &none, &BizStep::Packing, &hosts());
    assert_eq!(empty.unwrap_err().pointer, "");
    let itself = NamedGoods { epcs: vec![PALLET.to_owned()], ..NamedGoods::default() };
    let itself = shapes::aggregation(&occasion(), Action::Add, PALLET, &itself, &BizStep::Packing, &hosts());
    assert_eq!(itself.unwrap_err().pointer, "/childEPCs/0");
}

#[test]
fn units_begin_their_life_as_the_page_shows() {
    let event = shapes::units(&occasion(), &[PALLET.to_owned()], &hosts()).unwrap();
    assert_eq!(event.body, golden(EVENTS, "units made"));
    let itself = shapes::units(&occasion(), &["pallet 7".to_owned()], &hosts());
    assert_eq!(itself.unwrap_err().pointer, "/epcList/0");
}

#[test]
fn goods_move_as_the_page_shows() {
    let transactions = vec![("desadv".to_owned(), "urn:epc:id:gdti:9506000.00001.DA-7".to_owned())];
    let shipped = Movement {
        biz_step: BizStep::Shipping,
        disposition: Some(Disposition::InTransit),
        goods: NamedGoods { spans: vec![span()], epcs: vec![PALLET.to_owned()], classes: Vec::new() },
        from: Some(NamedParty::Organization(OrganizationId(1))),
        to: Some(NamedParty::Organization(OrganizationId(2))),
        biz_location: None,
        transactions: transactions.clone(),
    };
    let kilos = |class| ClassQuantity { class, quantity: Some(500.0), uom: Some("KGM".to_owned()) };
    let lot = Class::Lot { gtin: "09506000134352".parse().unwrap(), lot: "L24-0117".parse().unwrap() };
    let received = Movement {
        biz_step: BizStep::Receiving,
        disposition: Some(Disposition::InProgress),
        goods: NamedGoods { classes: vec![kilos(Class::Batch(BatchId(17))), kilos(lot)], ..NamedGoods::default() },
        biz_location: Some("https://id.gs1.org/414/9506000000026".to_owned()),
        ..shipped.clone()
    };
    for (movement, heading) in [(&shipped, "shipped: codes and a unit"), (&received, "received: so many kilograms")] {
        let event = shapes::movement(&occasion(), movement, &hosts()).unwrap();
        assert_eq!(event.body, golden(EVENTS, heading));
        assert_eq!(event.destinations[0].organization, Some(OrganizationId(2)));
    }
    let goods = NamedGoods { classes: received.goods.classes, ..shipped.goods.clone() };
    let both = shapes::movement(&occasion(), &Movement { goods, ..shipped }, &hosts());
    assert_eq!(both.unwrap_err().pointer, "/quantityList", "classes beside spans would be lost");
}

#[test]
fn goods_become_others_as_the_page_shows() {
    let whole = ClassQuantity { class: Class::Batch(BatchId(17)), quantity: Some(480.5), uom: Some("KGM".to_owned()) };
    let mut packs = span();
    packs.batch = BatchId(18);
    let repackaged = Transformation {
        inputs: NamedGoods { classes: vec![whole], ..NamedGoods::default() },
        outputs: NamedGoods { spans: vec![packs], ..NamedGoods::default() },
        id: None,
        disposition: Some(Disposition::SellableNotAccessible),
        facts: BatchFacts {
            expiry: Some(("2026-11-04".to_owned(), "2026-11-04".to_owned())),
            net_weight: Some((480.0, "KGM".to_owned())),
            ..BatchFacts::default()
        },
    };
    let event = shapes::transformation(&occasion(), &repackaged, &hosts()).unwrap();
    assert_eq!(event.body, golden(EVENTS, "repackaged"));
    assert_eq!((event.action, event.goods.classes.len()), (None, 1));
    assert_eq!(event.outputs.spans.iter().map(|span| span.codes()).collect::<Vec<_>>(), [32_768]);
    let case = coldproof::code::Code::parse("000005000000000000AB").unwrap();
    let parent = BatchSpan { batch: BatchId(17), first: case, last: case };
    let split = Transformation {
        inputs: NamedGoods { spans: vec![parent], ..NamedGoods::default() },
        outputs: NamedGoods { spans: vec![span()], ..NamedGoods::default() },
        disposition: Some(Disposition::Active),
        facts: BatchFacts {
            net_weight: Some((16.384, "KGM".to_owned())),
            content: Some((0.5, "GRM".to_owned())),
            ..repackaged.facts.clone()
        },
        id: None,
    };
    let event = shapes::transformation(&occasion(), &split, &hosts()).unwrap();
    assert_eq!(event.body, golden(EVENTS, "split"));
    let facts = coldproof::epcis::output_facts(&event.body);
    assert_eq!((facts.content, facts.net_weight), (split.facts.content, split.facts.net_weight));
    assert_eq!(facts.expiry.as_deref(), Some("2026-11-04"));
    let half = Transformation { outputs: NamedGoods::default(), ..repackaged };
    shapes::transformation(&occasion(), &half, &hosts()).unwrap_err();
    let id = Some("https://example.com/transformations/1".to_owned());
    let event = shapes::transformation(&occasion(), &Transformation { id: id.clone(), ..half }, &hosts()).unwrap();
    assert_eq!(event.transformation_id, id);
}

#[test]
fn ids_are_those_of_the_page() {
    let mut records = Vec::new();
    for section in RECORDS.split("\n### Organization ").skip(1) {
        let number: u64 = section.split(':').next().unwrap().parse().unwrap();
        let j = section.split("```json\n").nth(1).unwrap().split('\n').next().unwrap();
        let value = |name: &str| section.split(&format!("- {name} `")).nth(1).unwrap().split('`').next().unwrap();
        let hosts = hosts();
        let draft = coldproof::epcis::parse_canonical(j, &hosts).unwrap();
        let event = draft.seal(|code| coldproof::epcis::Ruling::Ours(code.gtin)).unwrap();
        assert_eq!(event.body, j);
        assert_eq!(event_id(event.hash), value("event id"));
        let record = record_id(OrganizationId(number), j);
        assert_eq!(record.to_string(), value("record id"));
        records.push(record);
    }
    assert_eq!(records.len(), 9);
    let capture = RECORDS.split("- capture id `").nth(1).unwrap().split('`').next().unwrap();
    assert_eq!(capture_id(OrganizationId(1), records).to_string(), capture);
}

#[test]
fn inspections_are_as_the_page_shows() {
    let inspected = Inspection {
        kind: InspectionKind::Inspection,
        result: InspectionResult::Failed,
        goods: NamedGoods { spans: vec![span()], epcs: vec![PALLET.to_owned()], classes: Vec::new() },
        sample: None,
        document: None,
        note: Some("两箱包装破损".to_owned()),
    };
    let class = ClassQuantity { class: Class::Batch(BatchId(17)), quantity: None, uom: None };
    let sampled = Inspection {
        kind: InspectionKind::Sampling,
        result: InspectionResult::Passed,
        goods: NamedGoods { classes: vec![class], ..NamedGoods::default() },
        sample: Some(Sample {
            number: Some("S-2026-031".to_owned()),
            quantity: Some((0.5, "KGM".to_owned())),
            laboratory: Some("长沙海关技术中心".to_owned()),
        }),
        document: Some(DocumentId(5)),
        note: None,
    };
    for (inspection, heading) in [(&inspected, "inspected: codes and a unit"), (&sampled, "sampled: a batch")] {
        let event = shapes::inspection(&occasion(), inspection, &hosts()).unwrap();
        assert_eq!(event.body, golden(EVENTS, heading));
    }
    let pending = Inspection { result: InspectionResult::Pending, ..inspected };
    assert_eq!(shapes::inspection(&occasion(), &pending, &hosts()).unwrap().disposition, None);
}
