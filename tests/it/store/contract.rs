//! What every store must do, whatever keeps the bytes. An implementor runs all of it by
//! `contract_tests!(open)`, where `open` is an async function that gives an empty store.

use coldproof::{
    limits,
    registration::{Kind, Parent},
    store::{Chunk, Error, ScanSum, Slice, Store, Writer, Writes},
    trace::{BatchId, CaptureId, Entry, Place, Record, RecordId, Scope, Subject},
};
use futures_util::future::join_all;

use super::sample::{self, block, capture, entry, large_capture, record, single, span, statement};

/// Makes a test of each function of the contract.
macro_rules! contract_tests {
    ($open:path) => {
        contract_tests! { $open =>
            a_record_is_found_by_its_id_its_event_and_its_given_id
            a_record_stays_as_it_was_first_put
            the_same_capture_again_comes_back_in_its_first_form
            the_same_capture_at_the_same_time_is_committed_once
            entries_come_in_the_order_of_their_places
            a_block_keeps_single_serials_apart_from_what_they_share
            entries_page_without_gap_or_repeat
            an_entry_put_twice_is_one_entry
            the_highest_version_of_a_statement_holds
            children_are_listed_under_every_parent_and_paged
            the_feed_is_dense_and_chained
            staged_records_are_seen_by_nobody
            a_large_capture_is_staged_committed_applied_and_finished
            a_capture_whose_chunks_are_missing_is_not_committed
            nothing_is_applied_to_a_capture_that_is_not_committed
            a_sweep_takes_only_old_chunks_of_uncommitted_captures
            a_claim_is_swapped_only_from_what_is_expected
            of_many_swaps_from_one_value_one_succeeds
            a_counter_by_swaps_loses_no_count
            scan_sums_overwrite_only_the_codes_they_name
            what_is_too_large_is_refused_and_nothing_changed
        }
    };
    ($open:path => $($name:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let store = $open().await;
            $crate::store::contract::$name(&*store).await;
        })*
    };
}
pub(crate) use contract_tests;

async fn append(store: &dyn Store, number: u64, writes: Writes) {
    let capture = capture(number, writes.records.len() as u32);
    store.append(capture, writes).await.unwrap();
}

fn records(records: Vec<Record>) -> Writes {
    Writes { records, ..Writes::default() }
}

fn entries(subject: &Subject, entries: &[Entry]) -> Writes {
    Writes { entries: entries.iter().map(|entry| (subject.clone(), entry.clone())).collect(), ..Writes::default() }
}

pub async fn a_record_is_found_by_its_id_its_event_and_its_given_id(store: &dyn Store) {
    let (a, b) = (record(8), record(9));
    assert_eq!((a.event, a.given_event_id.is_some(), b.given_event_id.is_some()), (b.event, true, false));
    append(store, 1, records(vec![a.clone(), b.clone()])).await;

    assert_eq!(store.record(a.id).await.unwrap(), Some(a.clone()));
    assert_eq!(store.record(RecordId([0; 32])).await.unwrap(), None);
    let mut both = vec![a.id, b.id];
    both.sort();
    assert_eq!(store.records_of_event(a.event, 10).await.unwrap(), both);
    assert_eq!(store.records_of_event(a.event, 1).await.unwrap(), both[..1]);
    let given = a.given_event_id.as_deref().unwrap();
    assert_eq!(store.records_of_given_id(a.organization, given, 10).await.unwrap(), [a.id]);
    assert_eq!(store.records_of_given_id(b.organization, given, 10).await.unwrap(), []);
}

pub async fn a_record_stays_as_it_was_first_put(store: &dyn Store) {
    let first = record(4);
    let again = Record { record_time_ms: first.record_time_ms + 5, capture: CaptureId([9; 32]), ..first.clone() };
    append(store, 1, records(vec![first.clone(), first.clone()])).await;
    append(store, 2, records(vec![again])).await;
    assert_eq!(store.record(first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.chunk(sample::capture(1, 0).id, 0).await.unwrap(), Some(Chunk::Applied(vec![first.id, first.id])));
}

pub async fn the_same_capture_again_comes_back_in_its_first_form(store: &dyn Store) {
    let first = capture(1, 1);
    assert_eq!(store.append(first.clone(), records(vec![record(1)])).await.unwrap(), first);
    let mut again = first.clone();
    again.created_ms += 1000;
    assert_eq!(store.append(again, records(vec![record(1)])).await.unwrap(), first);
    assert_eq!(store.capture(first.id).await.unwrap(), Some(first.clone()));
    let rows = store.rows(store.writers().await.unwrap()[0], 0, 10).await.unwrap();
    assert_eq!(rows.iter().flat_map(|row| row.captures.clone()).collect::<Vec<_>>(), [(first.id, 1)]);
}

pub async fn the_same_capture_at_the_same_time_is_committed_once(store: &dyn Store) {
    let calls = (0..32).map(|i| {
        let mut capture = capture(1, 1);
        capture.created_ms += i;
        store.append(capture, records(vec![record(1)]))
    });
    let forms: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    assert!(forms.iter().all(|form| *form == forms[0]), "every caller gets the one first form");
    let rows = store.rows(store.writers().await.unwrap()[0], 0, 100).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.captures.len()).sum::<usize>(), 1);
}

pub async fn entries_come_in_the_order_of_their_places(store: &dyn Store) {
    let subject = Subject::Batch(BatchId(7));
    let times = [5, -3, 0, i64::MIN, i64::MAX, 5, -3];
    let mut written: Vec<_> = times.iter().zip(1..).map(|(at, n)| entry(n, *at, Scope::All)).collect();
    append(store, 1, entries(&subject, &written)).await;
    append(store, 2, entries(&Subject::Batch(BatchId(8)), &[entry(1, 1, Scope::Some)])).await;
    written.sort_by_key(|entry| entry.place);
    for slice in [Slice::Shared, Slice::Whole] {
        assert_eq!(store.entries(&subject, slice, None, 100).await.unwrap(), written);
    }
    let texts = [("0", "12"), ("01", "2"), ("012", "")];
    for (n, (gtin, lot)) in (10..).zip(texts) {
        let subject = Subject::Lot { gtin: gtin.to_owned(), lot: lot.to_owned() };
        append(store, n, entries(&subject, &[entry(n, 1, Scope::All)])).await;
        assert_eq!(store.entries(&subject, Slice::Whole, None, 100).await.unwrap().len(), 1, "{gtin}/{lot}");
    }
}

pub async fn a_block_keeps_single_serials_apart_from_what_they_share(store: &dyn Store) {
    let subject = Subject::Block(block(1, 2));
    let of = |serial: u32| 2 * 4096 + serial;
    let (shared, elsewhere) = (entry(1, 10, span(1, of(0), of(5))), entry(2, 11, single(2, of(5))));
    let (five, later, six) =
        (entry(3, 20, single(1, of(5))), entry(4, 30, single(1, of(5))), entry(5, 5, single(1, of(6))));
    let all = [later.clone(), six.clone(), shared.clone(), elsewhere.clone(), five.clone()];
    append(store, 1, entries(&subject, &all)).await;

    let read = async |slice| store.entries(&subject, slice, None, 100).await.unwrap();
    assert_eq!(
        read(Slice::Shared).await,
        [shared.clone(), elsewhere.clone()],
        "a span and another run's code are shared"
    );
    assert_eq!(read(Slice::Serial(of(5))).await, [five.clone(), later.clone()]);
    assert_eq!(read(Slice::Serial(of(6))).await, std::slice::from_ref(&six));
    assert_eq!(read(Slice::Serial(of(7))).await, []);
    assert_eq!(read(Slice::Whole).await, [six, shared, elsewhere, five, later]);
}

pub async fn entries_page_without_gap_or_repeat(store: &dyn Store) {
    let batch = Subject::Batch(BatchId(1));
    let of_block = Subject::Block(block(1, 0));
    let written: Vec<_> = (0..40).map(|n| entry(n, (n as i64 * 7) % 13, single(1, n as u32 % 3))).collect();
    append(store, 1, entries(&batch, &written)).await;
    append(store, 2, entries(&of_block, &written)).await;
    let mut sorted = written.clone();
    sorted.sort_by_key(|entry| entry.place);
    for (subject, slice, expected) in [
        (&batch, Slice::Whole, sorted.clone()),
        (&of_block, Slice::Whole, sorted.clone()),
        (&of_block, Slice::Serial(1), sorted.iter().filter(|entry| entry.scope == single(1, 1)).cloned().collect()),
    ] {
        let (mut paged, mut after): (Vec<Entry>, Option<Place>) = (Vec::new(), None);
        loop {
            let page = store.entries(subject, slice, after, 7).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.place);
            paged.extend(page);
        }
        assert_eq!(paged, expected);
    }
}

pub async fn an_entry_put_twice_is_one_entry(store: &dyn Store) {
    let subject = Subject::Epc("https://id.gs1.org/00/106141412345678908".to_owned());
    let first = entry(1, 1, Scope::All);
    let again = Entry { record_time_ms: 9, ..first.clone() };
    append(store, 1, entries(&subject, &[first.clone(), first.clone()])).await;
    append(store, 2, entries(&subject, &[again])).await;
    assert_eq!(store.entries(&subject, Slice::Whole, None, 10).await.unwrap(), [first]);
}

pub async fn the_highest_version_of_a_statement_holds(store: &dyn Store) {
    let version = |n| statement(Kind::Product, 3, n, vec![Parent::All]);
    let put = |n| Writes { statements: vec![version(n)], ..Writes::default() };
    assert_eq!(store.statement(Kind::Product, 3).await.unwrap(), None);
    for (capture, n) in [(1, 2), (2, 300), (3, 1)] {
        append(store, capture, put(n)).await;
    }
    assert_eq!(store.statement(Kind::Product, 3).await.unwrap(), Some(version(300)));
    assert_eq!(store.statement(Kind::Batch, 3).await.unwrap(), None);
    assert_eq!(store.versions(Kind::Product, 3, 1, 10).await.unwrap(), [version(1), version(2), version(300)]);
    assert_eq!(store.versions(Kind::Product, 3, 2, 1).await.unwrap(), [version(2)]);
}

pub async fn children_are_listed_under_every_parent_and_paged(store: &dyn Store) {
    for id in [700, 3, 250] {
        let parents = vec![Parent::All, Parent::Consignment(id % 2), Parent::Lot("4006381333931".into(), "L/1".into())];
        let statements = vec![statement(Kind::Batch, id, 1, parents)];
        append(store, id, Writes { statements, ..Writes::default() }).await;
    }
    let moved = statement(Kind::Batch, 3, 2, vec![Parent::Consignment(5)]);
    append(store, 1000, Writes { statements: vec![moved], ..Writes::default() }).await;

    let list = async |parent: Parent, after, limit| store.children(&parent, Kind::Batch, after, limit).await.unwrap();
    assert_eq!(list(Parent::All, None, 10).await, [3, 250, 700]);
    assert_eq!(list(Parent::All, Some(3), 1).await, [250]);
    assert_eq!(list(Parent::All, Some(4), 10).await, [250, 700]);
    assert_eq!(list(Parent::All, Some(u64::MAX), 10).await, [0; 0]);
    assert_eq!(list(Parent::Consignment(1), None, 10).await, [3], "a parent once named stays");
    assert_eq!(list(Parent::Consignment(5), None, 10).await, [3]);
    assert_eq!(list(Parent::Lot("4006381333931".into(), "L/1".into()), None, 10).await, [3, 250, 700]);
    assert_eq!(store.children(&Parent::All, Kind::Product, None, 10).await.unwrap(), [0; 0]);
}

pub async fn the_feed_is_dense_and_chained(store: &dyn Store) {
    let writer = store.writers().await.unwrap()[0];
    join_all((0..100).map(|n| append(store, n, records(vec![record(n)])))).await;
    let rows = store.rows(writer, 0, 1000).await.unwrap();
    let mut previous = [0; 32];
    for (row, position) in rows.iter().zip(0..) {
        assert_eq!((row.position, row.previous), (position, previous));
        previous = row.digest(writer);
    }
    let mut named: Vec<_> = rows.iter().flat_map(|row| row.captures.iter().map(|(id, _)| *id)).collect();
    named.sort();
    let mut expected: Vec<_> = (0..100).map(|n| capture(n, 0).id).collect();
    expected.sort();
    assert_eq!(named, expected);
    let last = rows.len() as u64 - 1;
    assert_eq!(store.rows(writer, last, 10).await.unwrap(), rows[last as usize..]);
    assert_eq!(store.rows(writer, last + 1, 10).await.unwrap(), []);
    assert_eq!(store.rows(Writer(77), 0, 10).await.unwrap(), []);
}

pub async fn staged_records_are_seen_by_nobody(store: &dyn Store) {
    let id = large_capture(1, 2, 1).id;
    store.stage(id, 0, &[record(1), record(2)]).await.unwrap();
    assert_eq!(store.record(record(1).id).await.unwrap(), None);
    assert_eq!(store.records_of_event(record(1).event, 9).await.unwrap(), []);
    assert_eq!(store.capture(id).await.unwrap(), None);
    assert_eq!(store.unfinished(9).await.unwrap(), []);
    assert_eq!(store.rows(store.writers().await.unwrap()[0], 0, 9).await.unwrap(), []);
}

pub async fn a_large_capture_is_staged_committed_applied_and_finished(store: &dyn Store) {
    let large = large_capture(1, 3, 2);
    let chunks = [vec![record(1), record(2)], vec![record(3)]];
    for (chunk, records) in (0..).zip(&chunks) {
        store.stage(large.id, chunk, records).await.unwrap();
        store.stage(large.id, chunk, records).await.unwrap();
    }
    assert_eq!(store.append(large.clone(), Writes::default()).await.unwrap(), large);
    assert_eq!(store.unfinished(9).await.unwrap(), [large.id]);
    assert_eq!(store.chunk(large.id, 1).await.unwrap(), Some(Chunk::Staged(chunks[1].clone())));
    for (chunk, of_chunk) in (0..).zip(&chunks) {
        for _ in 0..2 {
            store.apply(large.id, chunk, records(of_chunk.clone())).await.unwrap();
        }
        let ids = of_chunk.iter().map(|record| record.id).collect();
        assert_eq!(store.chunk(large.id, chunk).await.unwrap(), Some(Chunk::Applied(ids)));
    }
    assert_eq!(store.chunk(large.id, 2).await.unwrap(), None);
    assert_eq!(store.record(record(3).id).await.unwrap(), Some(record(3)));
    assert_eq!(store.capture(large.id).await.unwrap(), Some(large.clone()));
    store.finish(large.id, 77).await.unwrap();
    store.finish(large.id, 78).await.unwrap();
    assert_eq!(store.capture(large.id).await.unwrap().unwrap().finished_ms, Some(77), "the first end stays");
    assert_eq!(store.unfinished(9).await.unwrap(), []);
}

pub async fn a_capture_whose_chunks_are_missing_is_not_committed(store: &dyn Store) {
    let large = large_capture(1, 3, 2);
    store.stage(large.id, 0, &[record(1)]).await.unwrap();
    let refused = store.append(large.clone(), Writes::default()).await;
    assert!(matches!(refused, Err(Error::NotStaged { capture, chunk: 1 }) if capture == large.id), "{refused:?}");
    assert_eq!(store.capture(large.id).await.unwrap(), None);
    assert_eq!(store.unfinished(9).await.unwrap(), []);
}

pub async fn nothing_is_applied_to_a_capture_that_is_not_committed(store: &dyn Store) {
    let id = capture(1, 1).id;
    assert!(matches!(store.apply(id, 0, records(vec![record(1)])).await, Err(Error::NotCommitted(_))));
    assert!(matches!(store.finish(id, 1).await, Err(Error::NotCommitted(_))));
    assert_eq!(store.record(record(1).id).await.unwrap(), None);
}

pub async fn a_sweep_takes_only_old_chunks_of_uncommitted_captures(store: &dyn Store) {
    let at = |n, ms| Record { record_time_ms: ms, ..record(n) };
    let (old, new, committed) = (large_capture(1, 1, 2), large_capture(2, 1, 1), large_capture(3, 1, 1));
    store.stage(old.id, 0, &[at(1, 99)]).await.unwrap();
    store.stage(old.id, 1, &[at(2, 99)]).await.unwrap();
    store.stage(new.id, 0, &[at(3, 100)]).await.unwrap();
    store.stage(committed.id, 0, &[at(4, 99)]).await.unwrap();
    store.append(committed.clone(), Writes::default()).await.unwrap();
    assert_eq!(store.sweep(100).await.unwrap(), 2);
    assert_eq!(store.sweep(100).await.unwrap(), 0);
    assert_eq!(store.chunk(old.id, 0).await.unwrap(), None);
    assert!(store.chunk(new.id, 0).await.unwrap().is_some());
    assert!(store.chunk(committed.id, 0).await.unwrap().is_some());
    assert!(matches!(store.append(old, Writes::default()).await, Err(Error::NotStaged { chunk: 0, .. })));
}

pub async fn a_claim_is_swapped_only_from_what_is_expected(store: &dyn Store) {
    assert_eq!(store.claim("run/0").await.unwrap(), None);
    assert!(!store.swap("run/0", Some(b"x"), b"a").await.unwrap());
    assert!(store.swap("run/0", None, b"a").await.unwrap());
    assert!(!store.swap("run/0", None, b"b").await.unwrap());
    assert!(store.swap("run/0", Some(b"a"), b"").await.unwrap());
    assert_eq!(store.claim("run/0").await.unwrap(), Some(Vec::new()));
    assert!(store.swap("run/0", Some(b""), b"c").await.unwrap());
    assert_eq!(store.claim("run/00").await.unwrap(), None);
    assert_eq!(store.claim("run/").await.unwrap(), None);
}

pub async fn of_many_swaps_from_one_value_one_succeeds(store: &dyn Store) {
    let values: Vec<_> = (0..50u8).map(|n| [n]).collect();
    let done = join_all(values.iter().map(|value| store.swap("lease", None, value))).await;
    let winners: Vec<_> = values.iter().zip(done).filter(|(_, done)| *done.as_ref().unwrap()).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(store.claim("lease").await.unwrap(), Some(winners[0].0.to_vec()));
}

pub async fn a_counter_by_swaps_loses_no_count(store: &dyn Store) {
    let count = async || {
        for _ in 0..10 {
            loop {
                let now = store.claim("counter").await.unwrap();
                let next = now.as_ref().map_or(0, |now| u64::from_be_bytes(now[..].try_into().unwrap())) + 1;
                if store.swap("counter", now.as_deref(), &next.to_be_bytes()).await.unwrap() {
                    break;
                }
            }
        }
    };
    join_all((0..8).map(|_| count())).await;
    assert_eq!(store.claim("counter").await.unwrap(), Some(80u64.to_be_bytes().to_vec()));
}

pub async fn scan_sums_overwrite_only_the_codes_they_name(store: &dyn Store) {
    let sum = |count| ScanSum { count, first_ms: -5, last_ms: count as i64 };
    let of = block(1, 3);
    store.put_scans(of, Writer(0), &[(0, sum(1)), (4095, sum(2))]).await.unwrap();
    store.put_scans(of, Writer(0), &[(0, sum(9))]).await.unwrap();
    store.put_scans(of, Writer(5), &[(7, sum(4))]).await.unwrap();
    store.put_scans(block(1, 4), Writer(0), &[(0, sum(3))]).await.unwrap();
    let expected = vec![(Writer(0), vec![(0, sum(9)), (4095, sum(2))]), (Writer(5), vec![(7, sum(4))])];
    assert_eq!(store.scans(of).await.unwrap(), expected);
    assert_eq!(store.scans(block(2, 3)).await.unwrap(), []);
}

pub async fn what_is_too_large_is_refused_and_nothing_changed(store: &dyn Store) {
    let long = "x".repeat(limits::KEY_TEXT_BYTES_MAX + 1);
    let subject = Subject::Epc(long.clone());
    let writes = Writes { records: vec![record(1)], ..entries(&subject, &[entry(1, 1, Scope::All)]) };
    let refused = store.append(capture(1, 1), writes).await;
    assert!(matches!(refused, Err(Error::TooLarge { found, .. }) if found == long.len()), "{refused:?}");
    assert_eq!(store.record(record(1).id).await.unwrap(), None);
    assert_eq!(store.capture(capture(1, 1).id).await.unwrap(), None);
    assert!(matches!(store.swap(&long, None, b"").await, Err(Error::TooLarge { .. })));
    let value = vec![0; limits::CLAIM_BYTES_MAX + 1];
    assert!(matches!(store.swap("claim", None, &value).await, Err(Error::TooLarge { .. })));
}
