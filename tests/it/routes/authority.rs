//! Whose word counts: every cell of the table in `docs/spec/authority.md`, at the door and in the fold.

use std::cell::Cell;

use axum::http::StatusCode;
use coldproof::trace::{
    Role,
    authority::{Right, Saying, right},
};
use proptest::{prelude::*, sample::subsequence, test_runner::TestRunner};
use serde_json::{Value, json};

use super::{Run, TestApp, both, event, lay_over, measure, span, text, texts};

const PAGE: &str = include_str!("../../../docs/spec/authority.md");

const SAYINGS: [(&str, Saying); 9] = [
    ("create", Saying::Create),
    ("void", Saying::Void),
    ("set a measure", Saying::SetMeasure),
    ("lift a measure", Saying::LiftMeasure),
    ("destroy", Saying::Destroy),
    ("transform", Saying::Transform),
    ("make", Saying::Make),
    ("report", Saying::Report),
    ("declare in error", Saying::DeclareError),
];
const ROLES: [(&str, Role); 4] = [
    ("importer", Role::Importer),
    ("operator", Role::Operator),
    ("inspector", Role::Inspector),
    ("admin", Role::Admin),
];

/// The page's table: what is said, by which role, and the cell.
fn table() -> Vec<(&'static str, &'static str, &'static str)> {
    let rows = PAGE.split("## The table").nth(1).unwrap().lines().filter(|line| line.starts_with('|'));
    let cells = |row: &'static str| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let mut rows = rows.map(cells);
    let roles = rows.next().unwrap();
    let rows = rows.skip(1).take(SAYINGS.len());
    rows.flat_map(|row| {
        roles[1..].iter().zip(row[1..].to_vec()).map(move |(role, cell)| (row[0], *role, cell)).collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn the_page_shows_the_table_that_the_code_asks() {
    let table = table();
    assert_eq!(table.len(), SAYINGS.len() * ROLES.len());
    for (cell, (saying, role)) in
        table.iter().zip(SAYINGS.iter().flat_map(|saying| ROLES.iter().map(move |role| (saying, role))))
    {
        let word = match right(saying.1, role.1) {
            Right::Refused => "refused",
            Right::Report => "report",
            Right::OwnOnly => "own only",
            Right::OwnElseReport => "own, else report",
            Right::Effect => "effect",
        };
        assert_eq!(*cell, (saying.0, role.0, word));
    }
}

/// A run of organization 1 whose labels await their report, and a fresh code of it for each question.
struct Bench {
    app: TestApp,
    batch: u64,
    run: Run,
    next: Cell<u32>,
    /// Keys of organization 1 itself in the roles of an operator and an inspector.
    own: [String; 2],
}

impl Bench {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let roles = json!({ "roles": ["importer", "operator", "inspector"] });
        app.patch("/v1/organizations/1", "", roles).await.expect(StatusCode::OK);
        let own = [app.new_key(1, "operator").await, app.new_key(1, "inspector").await];
        let goods = app.goods().await;
        let run = app.order(goods.batch, json!({ "count": 10_000, "activate": "on_report" })).await.remove(0);
        Self { app, batch: goods.batch, run, next: Cell::new(0), own }
    }

    fn code(&self) -> String {
        self.next.set(self.next.get() + 1);
        self.app.code(&self.run.name, self.next.get() - 1)
    }

    fn key(&self, role: &str, own: bool) -> Option<&str> {
        let keys = &self.app.keys;
        Some(match (role, own) {
            ("importer", true) => &keys.importer,
            ("importer", false) => &keys.other,
            ("operator", true) => &self.own[0],
            ("operator", false) => &keys.operator,
            ("inspector", true) => &self.own[1],
            ("inspector", false) => &keys.inspector,
            _ => return None,
        })
    }

    fn event(&self, code: &str, minutes: i64, fields: Value) -> Value {
        event(minutes, both(fields, span(self.batch, code, code, 1)))
    }

    /// What must stand before something can be said of the code, by the importer of the goods.
    async fn prepare(&self, saying: &str, code: &str) {
        let before = match saying {
            "lift a measure" => self.event(code, 1, measure(7, "set", "non_sellable_other")),
            "declare in error" => self.event(code, 1, void()),
            _ => return,
        };
        self.app.capture(&self.app.keys.importer, vec![before]).await.accepted();
    }

    fn said(&self, saying: &str, code: &str) -> Value {
        match saying {
            "create" => self.event(code, 2, applied()),
            "void" => self.event(code, 2, void()),
            "set a measure" => self.event(code, 2, measure(8, "set", "recalled")),
            "lift a measure" => self.event(code, 2, measure(7, "unset", "non_sellable_other")),
            "destroy" => self.event(code, 2, json!({ "bizStep": "destroying", "disposition": "destroyed" })),
            "transform" => transformation(2, code, UNIT),
            "make" => transformation(2, UNIT, code),
            "report" => self.event(code, 2, json!({ "bizStep": "shipping", "disposition": "in_transit" })),
            "declare in error" => in_error(self.event(code, 1, void())),
            _ => panic!("{saying}"),
        }
    }

    async fn scan(&self, code: &str) -> (String, Vec<String>) {
        let scan = self.app.get(&format!("/{code}"), &self.app.keys.inspector).await.expect(StatusCode::OK);
        (text(&scan["state"]), texts(&scan["verdicts"]))
    }

    /// State, verdicts, and what each record counts for: everything that may depend on order if it is wrong.
    async fn status(&self, code: &str) -> (String, Vec<String>, Vec<(String, String, String)>) {
        let (state, verdicts) = self.scan(code).await;
        let timeline = self.app.get(&format!("/v1/codes/{code}/timeline"), &self.app.keys.inspector).await;
        let timeline = timeline.expect(StatusCode::OK);
        let line = |line: &Value| (text(&line["event_time"]), line["organization"].to_string(), text(&line["bearing"]));
        let mut lines: Vec<_> = timeline["lines"].as_array().unwrap().iter().map(line).collect();
        lines.sort();
        (state, verdicts, lines)
    }
}

fn applied() -> Value {
    json!({ "action": "ADD", "bizStep": "commissioning", "disposition": "active" })
}

/// Somebody else's goods.
const UNIT: &str = "https://id.gs1.org/00/095060001234567891";

/// One thing made of another: links, or codes of ours.
fn transformation(minutes: i64, input: &str, output: &str) -> Value {
    let epc = |name: &str| if name == UNIT { name.to_owned() } else { format!("https://trace.example/{name}") };
    let mut event = event(
        minutes,
        json!({ "type": "TransformationEvent", "bizStep": "repackaging", "disposition": "sellable_not_accessible",
            "inputEPCList": [epc(input)], "outputEPCList": [epc(output)] }),
    );
    event.as_object_mut().unwrap().remove("action");
    event
}

fn void() -> Value {
    json!({ "action": "DELETE", "bizStep": "decommissioning", "disposition": "inactive" })
}

fn in_error(mut event: Value) -> Value {
    let declaration = json!({ "declarationTime": "2026-06-01T01:00:00Z", "reason": "did_not_occur" });
    lay_over(&mut event, json!({ "errorDeclaration": declaration }));
    event
}

/// State and verdicts once something said has taken effect.
fn after(saying: &str) -> (String, Vec<String>) {
    let (state, verdicts): (&str, &[&str]) = match saying {
        "create" => ("active", &["genuine"]),
        "void" => ("void", &["void"]),
        "set a measure" => ("reserved", &["recalled", "not_activated"]),
        "destroy" => ("destroyed", &["destroyed", "not_activated"]),
        "report" => ("in_transit", &["not_activated"]),
        "transform" => ("stored", &["not_activated"]),
        // What comes out of a transformation is labelled goods.
        "make" => ("active", &["genuine"]),
        "lift a measure" | "declare in error" => ("reserved", &["not_activated"]),
        _ => panic!("{saying}"),
    };
    (state.to_owned(), verdicts.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn every_cell_of_the_table_holds_at_the_door_and_in_the_fold() {
    let bench = Bench::new().await;
    for (saying, role, cell) in table() {
        for own in [true, false] {
            let Some(key) = bench.key(role, own) else {
                assert_eq!(cell, "refused");
                let admin = bench.app.capture("", vec![bench.said(saying, &bench.code())]).await;
                admin.refused(StatusCode::FORBIDDEN);
                continue;
            };
            let (door, effect) = match cell {
                "refused" => (StatusCode::FORBIDDEN, false),
                "own only" if own => (StatusCode::ACCEPTED, true),
                "own only" => (StatusCode::FORBIDDEN, false),
                "own, else report" => (StatusCode::ACCEPTED, own),
                "report" => (StatusCode::ACCEPTED, false),
                "effect" => (StatusCode::ACCEPTED, true),
                _ => panic!("{cell}"),
            };
            let code = bench.code();
            bench.prepare(saying, &code).await;
            let before = (bench.scan(&code).await, bench.app.stored_keys().await);
            let reply = bench.app.capture(key, vec![bench.said(saying, &code)]).await;
            assert_eq!(reply.status, door, "{saying}, {role}, own: {own}: {}", reply.text());
            let now = bench.scan(&code).await;
            match effect {
                true => assert_eq!(now, after(saying), "{saying}, {role}, own: {own}"),
                false => assert_eq!(now, before.0, "{saying}, {role}, own: {own}"),
            }
            if door == StatusCode::FORBIDDEN {
                assert_eq!(bench.app.stored_keys().await, before.1, "{saying}, {role}, own: {own}: nothing is written");
            }
        }
    }
    assert_eq!(bench.app.audit().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_inspectors_measure_and_record_need_an_inspector_in_either_order() {
    let bench = Bench::new().await;
    let keys = &bench.app.keys;
    for (lifter, stands) in
        [(&keys.importer, true), (&keys.other, true), (&keys.operator, true), (&keys.inspector, false)]
    {
        for lift_first in [false, true] {
            let code = bench.code();
            let set = (&keys.inspector, bench.event(&code, 5, measure(1, "set", "recalled")));
            let lift = (lifter, bench.event(&code, 3, measure(1, "unset", "recalled")));
            let (one, two) = if lift_first { (lift, set) } else { (set, lift) };
            bench.app.capture(one.0, vec![one.1]).await.accepted();
            bench.app.capture(two.0, vec![two.1]).await.accepted();
            let recalled = bench.scan(&code).await.1.contains(&"recalled".to_owned());
            assert_eq!(recalled, stands, "lift first: {lift_first}");
            let scan = bench.app.scan(&format!("/{code}")).await;
            let lines = scan["timeline"]["lines"].as_array().unwrap();
            let reports = lines.iter().filter(|line| line["report"] == true).count();
            assert_eq!(reports, usize::from(stands), "the page must not tell of a lift that is none: {scan}");
        }
    }
    let code = bench.code();
    let seized = bench.event(&code, 5, void());
    bench.app.capture(&keys.inspector, vec![seized.clone()]).await.accepted();
    for key in [&keys.importer, &keys.other, &keys.operator] {
        bench.app.capture(key, vec![in_error(seized.clone())]).await.refused(StatusCode::FORBIDDEN);
    }
    bench.app.capture(&keys.importer, vec![seized.clone()]).await.accepted();
    bench.app.capture(&keys.importer, vec![in_error(seized.clone())]).await.accepted();
    assert_eq!(bench.scan(&code).await.0, "void", "its own word is taken back, the inspector's stands");
    bench.app.capture(&keys.inspector, vec![in_error(seized)]).await.accepted();
    assert_eq!(bench.scan(&code).await.0, "reserved");

    let code = bench.code();
    let early = bench.event(&code, 5, void());
    bench.app.capture(&keys.other, vec![in_error(early.clone())]).await.accepted();
    bench.app.capture(&keys.importer, vec![early]).await.accepted();
    assert_eq!(bench.scan(&code).await.0, "void", "a stranger's declaration that came first has no effect either");
}

/// Who says what of one code, in the order of event times.
fn statements<'a>(bench: &'a Bench, code: &str) -> Vec<(&'a str, Value)> {
    let keys = &bench.app.keys;
    let at = |minutes, fields| bench.event(code, minutes, fields);
    vec![
        (&keys.importer, at(1, applied())),
        (&keys.importer, at(2, void())),
        (&keys.importer, in_error(at(2, void()))),
        (&keys.other, in_error(at(1, applied()))),
        (&keys.other, in_error(at(2, void()))),
        (&keys.importer, at(3, measure(1, "set", "non_sellable_other"))),
        (&keys.importer, at(2, measure(1, "unset", "non_sellable_other"))),
        (&keys.inspector, at(4, measure(2, "set", "recalled"))),
        (&keys.importer, at(5, measure(2, "unset", "recalled"))),
        (&keys.inspector, at(6, measure(2, "unset", "recalled"))),
        (&keys.operator, at(7, json!({ "bizStep": "destroying", "disposition": "destroyed" }))),
        (&keys.importer, at(8, json!({ "bizStep": "shipping", "disposition": "in_transit" }))),
        (&keys.inspector, in_error(at(8, json!({ "bizStep": "shipping", "disposition": "in_transit" })))),
    ]
}

/// The door may refuse a declaration once its target is known; whether it did must make no difference to the status.
fn without_declarations(
    mut status: (String, Vec<String>, Vec<(String, String, String)>),
) -> impl PartialEq + std::fmt::Debug {
    status.2.retain(|line| line.2 != "error_declaration");
    status
}

#[test]
fn the_order_of_arrival_decides_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bench = runtime.block_on(Bench::new());
    let orders = subsequence((0..13_usize).collect::<Vec<_>>(), 2..=10)
        .prop_flat_map(|chosen| (Just(chosen.clone()).prop_shuffle(), Just(chosen).prop_shuffle()));
    let config = ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&orders, |(one, two)| {
            let mut statuses = Vec::new();
            for order in [&one, &two] {
                let code = bench.code();
                let statements = statements(&bench, &code);
                let status = runtime.block_on(async {
                    for at in order {
                        let reply = bench.app.capture(statements[*at].0, vec![statements[*at].1.clone()]).await;
                        assert!(
                            matches!(reply.status, StatusCode::ACCEPTED | StatusCode::FORBIDDEN),
                            "{}",
                            reply.text()
                        );
                    }
                    bench.status(&code).await
                });
                statuses.push(without_declarations(status));
            }
            prop_assert_eq!(&statuses[0], &statuses[1], "{:?} and {:?}", one, two);
            Ok(())
        })
        .unwrap();
}
