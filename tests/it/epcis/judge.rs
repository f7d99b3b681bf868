//! The reference implementation of the CBV event hash judges ours.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use coldproof::epcis::{STANDARD_CONTEXT, event_id};

use super::{generated::generated, varied};

const EVENTS_OF_EACH_TYPE: usize = 80;

const SCRIPT: &str = r#"
import json, sys
from epcis_event_hash_generator.hash_generator import epcis_hashes_from_events
from epcis_event_hash_generator.json_to_py import event_list_from_epcis_document_json
for line in sys.stdin:
    document = {"@context": [sys.argv[1]], "type": "EPCISDocument", "schemaVersion": "2.0",
                "creationDate": "2026-01-01T00:00:00Z", "epcisBody": {"eventList": [json.loads(line)]}}
    print(epcis_hashes_from_events(event_list_from_epcis_document_json(document))[0])
"#;

/// `EPCIS_JUDGE_PYTHON` is a python3 that has the package `epcis-event-hash-generator`; `tests/run` makes one.
#[test]
fn event_ids_are_those_of_the_reference_generator() {
    let Ok(python) = std::env::var("EPCIS_JUDGE_PYTHON") else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "EPCIS_JUDGE_PYTHON is not set");
        eprintln!("skipped: EPCIS_JUDGE_PYTHON names no python with epcis-event-hash-generator");
        return;
    };
    let mut events = varied();
    events.extend(generated(EVENTS_OF_EACH_TYPE).into_iter().map(|(_, event)| event));
    let mut child = Command::new(python)
        .args(["-c", SCRIPT, STANDARD_CONTEXT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = events.iter().map(|event| format!("{}\n", event.body)).collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let theirs: Vec<&str> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
    assert_eq!(theirs.len(), events.len());
    let differing: Vec<&str> = events
        .iter()
        .zip(&theirs)
        .filter(|(event, theirs)| event_id(event.hash) != **theirs)
        .map(|(event, _)| event.body.as_str())
        .collect();
    assert!(differing.is_empty(), "{} of {} differ:\n{}", differing.len(), events.len(), differing.join("\n"));
}
