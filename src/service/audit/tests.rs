use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::{Audit, Known, Report};
use crate::{
    code::Serial,
    epcis::shapes::{self, BatchSpan, CodeStep, MeasureKind},
    registration::{Batch, Content, Kind, Live, Measure, MediaType, Parent, Product, Statement, samples},
    service::{
        measure::{MeasureOrder, NamedTargets},
        statements_capture_id,
        world::World,
    },
    store::{Capture, Claims, Feed, Records, Writer, Writes},
    trace::{BatchId, CaptureId, MeasureId, OrganizationId, ProductId, RecordId, Role},
};

/// An audit that waits for nothing.
async fn findings(world: &World) -> Vec<String> {
    world.service.audit_pausing(async {}).await.unwrap().findings
}

/// A world with 600 codes.
async fn issued() -> (World, BatchId) {
    let world = World::new().await;
    let batch = world.batches(vec![samples::batch()]).await[0].id;
    world.issue(batch, 500).await;
    world.issue(batch, 100).await;
    (world, batch)
}

#[tokio::test]
async fn a_sound_service_has_no_findings() {
    let (world, _) = issued().await;
    world.batches(vec![Batch { line: Some(1), ..samples::batch() }]).await;
    assert_eq!(findings(&world).await, Vec::<String>::new());
}

#[tokio::test]
async fn uploaded_files_that_are_missing_or_altered_are_findings() {
    let world = World::new().await;
    for (product, text) in [(ProductId(1), "a"), (world.product().await, "b")] {
        let bytes = format!("%PDF-1.7 {text}\n%%EOF");
        let file = world.service.store_file("file", bytes.into(), &[MediaType::Pdf]).await.unwrap();
        let edit = |product: &mut Product| {
            product.picture = Some(file.clone());
            Ok(())
        };
        world.service.change_product(&world.importer, product, edit).await.unwrap();
        // A later version without it: the earlier one still names it.
        let without = |product: &mut Product| {
            product.picture = None;
            Ok(())
        };
        world.service.change_product(&world.importer, product, without).await.unwrap();
    }
    assert_eq!(findings(&world).await, Vec::<String>::new());
    let kept: Vec<_> = futures_util::TryStreamExt::try_collect(world.files.list(None)).await.unwrap();
    let [altered, missing] = &kept[..] else { panic!("{kept:?}") };
    world.files.put(&altered.location, PutPayload::from_static(b"other")).await.unwrap();
    world.files.delete(&missing.location).await.unwrap();
    let findings = findings(&world).await;
    let [first, second] = &findings[..] else { panic!("{findings:?}") };
    let both = format!("{first} {second}");
    assert!(both.contains("another hash") && both.contains("it is not there"), "{both}");
}

#[tokio::test]
async fn an_issued_total_below_the_live_codes_is_a_finding() {
    let (world, batch) = issued().await;
    let name = format!("issued/{batch}");
    let before = world.store.claim(&name).await.unwrap().unwrap();
    let mut totals: Vec<Live> = rmp_serde::from_slice(&before).unwrap();
    assert_eq!(totals[0].codes, 600);
    totals[0].codes = 599;
    let less = rmp_serde::to_vec(&totals).unwrap();
    assert!(world.store.swap(&name, Some(&before), &less).await.unwrap());
    assert_eq!(findings(&world).await, [format!("issued/{batch}: it counts 599 codes for each item, 600 are live")]);
}

#[tokio::test]
async fn counters_that_would_give_a_number_again_are_findings() {
    let (world, _) = issued().await;
    for name in ["organizations", "products", "consignments", "batches", "runs/0"] {
        let name = format!("counter/{name}");
        let before = world.store.claim(&name).await.unwrap().unwrap();
        assert!(world.store.swap(&name, Some(&before), &1u64.to_be_bytes()).await.unwrap());
    }
    let findings = findings(&world).await;
    assert_eq!(findings.len(), 5, "{findings:?}");
    assert!(findings.iter().all(|finding| finding.contains("its next number is 1, 1 is in use")), "{findings:?}");
}

/// Commits a capture that is not marked applied.
async fn unfinished(world: &World) -> Capture {
    let before = world.store.statement(Kind::Product, 1).await.unwrap().unwrap();
    let statement = Statement { version: before.version + 1, ..before };
    let organization = OrganizationId(1);
    let statements = vec![statement.clone()];
    let capture = Capture {
        id: statements_capture_id(organization, &statements),
        organization,
        role: Role::Importer,
        created_ms: 1,
        records: 0,
        chunks: 0,
        statements: vec![(statement.kind, statement.id, statement.version)],
        finished_ms: None,
    };
    world.store.append(capture, Writes { statements, ..Writes::default() }).await.unwrap()
}

#[tokio::test]
async fn a_capture_under_way_is_a_finding_only_where_it_stays_so() {
    let world = World::new().await;
    let capture = unfinished(&world).await;
    assert_eq!(findings(&world).await, [format!("capture {}: committed, not applied", capture.id)]);
    let finish = async { assert!(world.service.finish_capture(capture.id).await.unwrap()) };
    let report = world.service.audit_pausing(finish).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

#[tokio::test]
async fn rows_that_come_after_the_beginning_are_not_read() {
    let world = World::new().await;
    let known = Known::default();
    let mut audit = Audit::new(&world.service, &known);
    assert_eq!(audit.end(Writer(9)).await.unwrap(), 0);
    for _ in 0..12 {
        let rows = world.store.rows(Writer(0), 0, 100).await.unwrap().len() as u64;
        assert_eq!(audit.end(Writer(0)).await.unwrap(), rows);
        world.product().await;
    }
    audit.feed(Writer(0), 3, (0, 1)).await.unwrap();
    let first = (audit.report.checked, audit.report.findings.len());
    world.product().await;
    audit.report = Report::default();
    audit.feed(Writer(0), 3, (0, 1)).await.unwrap();
    assert_eq!((audit.report.checked, audit.report.findings.len()), first);
}

#[tokio::test]
async fn of_several_passes_each_looks_at_its_part_of_the_captures() {
    let world = World::new().await;
    for _ in 0..12 {
        world.product().await;
    }
    let checked = async |passes: u64| {
        let mut checked = Vec::new();
        for pass in 0..passes {
            let known = Known::default();
            let mut audit = Audit::new(&world.service, &known);
            audit.feed(Writer(0), 12, (pass, passes)).await.unwrap();
            assert_eq!(audit.report.findings, Vec::<String>::new());
            checked.push(audit.report.checked);
        }
        checked
    };
    let (whole, parts) = (checked(1).await, checked(3).await);
    assert_eq!(parts.iter().sum::<u64>(), whole[0]);
    assert!(parts.iter().all(|part| (1..whole[0]).contains(part)), "{parts:?}");
}

/// Puts a statement under a capture of this id, applied.
async fn put(world: &World, id: Option<CaptureId>, statement: Statement) {
    let statements = vec![statement];
    let id = id.unwrap_or_else(|| statements_capture_id(world.importer.organization, &statements));
    let capture = world.importer.capture(id, 0, &statements, 1);
    world.store.append(capture, Writes { statements, ..Writes::default() }).await.unwrap();
}

#[tokio::test]
async fn a_capture_that_is_not_the_digest_of_what_it_names_is_a_finding() {
    let world = World::new().await;
    let before = world.store.statement(Kind::Product, 1).await.unwrap().unwrap();
    let id = CaptureId([9; 32]);
    put(&world, Some(id), Statement { version: before.version + 1, ..before }).await;
    assert_eq!(findings(&world).await, [format!("capture {id}: it is not the digest of what it names")]);
}

#[tokio::test]
async fn a_run_that_is_listed_under_anothers_batch_is_a_finding() {
    let (world, batch) = issued().await;
    let other = world.batches(vec![samples::batch()]).await[0].id;
    let run = world.service.runs_of(batch).await.unwrap().remove(0);
    let before = world.store.statement(Kind::Run, run.id.bits().into()).await.unwrap().unwrap();
    put(&world, None, Statement { version: 2, parents: vec![Parent::Batch(other.0)], ..before }).await;
    let expected = format!("run {}: it is listed under batch {other} and is of {batch}", run.id);
    assert!(findings(&world).await.contains(&expected));
}

#[tokio::test]
async fn a_record_that_names_a_code_just_beyond_its_run_is_a_finding() {
    let (world, batch) = issued().await;
    let issued = world.issue(batch, 100).await.remove(0);
    let say = async |serial| {
        let code = issued.key.code(Serial::new(serial).unwrap());
        let span = BatchSpan { batch, first: code, last: code };
        let now_ms = world.service.now_ms();
        let event = shapes::codes(&world.service.occasion(now_ms), CodeStep::Applied, &[span], &world.service.hosts);
        world.service.commit_events(&world.importer, &[event.unwrap()], Vec::new(), now_ms).await.unwrap();
        findings(&world).await
    };
    assert_eq!(say(99).await, Vec::<String>::new());
    let found = say(100).await;
    assert!(found.len() == 1 && found[0].contains("that were not issued"), "{found:?}");
}

#[tokio::test]
async fn a_measure_whose_events_say_something_else_is_a_finding() {
    let (world, batch) = issued().await;
    let order = |kind| MeasureOrder {
        kind,
        targets: NamedTargets { batch: Some(batch), ..NamedTargets::default() },
        reason: None,
        notice: Some("notice".to_owned()),
        advice: None,
    };
    let id = world.service.make_measure(&world.importer, order(MeasureKind::Hold)).await.unwrap();
    world.service.lift_measure(&world.importer, id, None).await.unwrap();
    world.service.make_measure(&world.importer, order(MeasureKind::Recall)).await.unwrap();
    assert_eq!(findings(&world).await, Vec::<String>::new());

    // A statement by itself, which takes the events of measure 2 for its own.
    let statement = world.store.statement(Kind::Measure, 2).await.unwrap().unwrap();
    let Content::Measure(measure) = statement.content.clone() else { panic!("{statement:?}") };
    let alone = Measure { id: MeasureId(3), ..measure.clone() };
    let elsewhere = Measure { id: MeasureId(4), records: vec![RecordId([7; 32])], ..measure };
    for measure in [alone, elsewhere] {
        let statement = Statement { id: measure.id.0, content: Content::Measure(measure), ..statement.clone() };
        put(&world, None, statement).await;
    }
    let missing = format!("measure 4: its record {} is not there", RecordId([7; 32]));
    assert_eq!(findings(&world).await, ["measure 3: its events say something else than it does".to_owned(), missing]);
}
