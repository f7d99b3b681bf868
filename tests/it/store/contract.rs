//! What every store must do, whatever keeps the bytes. An implementor runs all of it by
//! `contract_tests!(open)`, where `open` is an async function that gives an empty store, or nothing where it says why
//! there can be none here.

use coldproof::{
    limits,
    registration::{Kind, Parent},
    store::{Chunk, Error, FeedRow, Intake, Kept, ScanSum, Slice, Store, Writer, Writes},
    trace::{BatchId, CaptureId, Entry, Place, Record, RecordId, Region, Scope, Subject},
};
use std::collections::HashSet;

use futures_util::{StreamExt, future::join_all, stream};

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
            a_feed_may_be_followed_from_where_all_before_is_applied
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
            a_snapshot_is_one_moment_while_writes_go_on
            a_claim_in_a_snapshot_is_what_it_was_at_that_moment
            a_store_that_is_paused_or_retired_takes_nothing_and_goes_on_reading
        }
        contract_tests! { pairs $open =>
            everything_in_a_snapshot_is_in_the_store_that_loaded_it
            a_row_that_does_not_follow_is_not_loaded
        }
    };
    (pairs $open:path => $($name:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let (Some(from), Some(to)) = ($open().await, $open().await) else { return };
            $crate::store::contract::$name(&*from, &*to).await;
        })*
    };
    ($open:path => $($name:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let Some(store) = $open().await else { return };
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
    for entry in &all {
        let found = store.entry(&subject, &entry.scope, entry.place).await.unwrap();
        assert_eq!(found.as_ref(), Some(entry));
    }
    let (at, later_at) = (five.place, Place { ordinal: five.place.ordinal + 1, ..five.place });
    for (scope, place) in [(&five.scope, later_at), (&six.scope, at), (&Scope::All, at)] {
        assert_eq!(store.entry(&subject, scope, place).await.unwrap(), None, "{scope:?} {place:?}");
    }
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

pub async fn a_feed_may_be_followed_from_where_all_before_is_applied(store: &dyn Store) {
    let writer = store.writers().await.unwrap()[0];
    for number in 0..3 {
        append(store, number, records(vec![record(number)])).await;
    }
    let large = large_capture(9, 2, 1);
    store.stage(large.id, 0, &[record(8), record(9)]).await.unwrap();
    store.append(large.clone(), Writes::default()).await.unwrap();
    append(store, 10, records(vec![record(10)])).await;
    let rows = store.rows(writer, 0, 100).await.unwrap();
    let of_large = rows.iter().find(|row| row.captures.iter().any(|(id, _)| *id == large.id)).unwrap().position;
    // Whoever looks for what is unfinished says where that begins.
    assert_eq!(store.unfinished(9).await.unwrap(), [large.id]);
    assert!(store.applied(writer).await.unwrap() <= of_large, "it is not applied");
    store.apply(large.id, 0, records(vec![record(8), record(9)])).await.unwrap();
    store.finish(large.id, 5).await.unwrap();
    assert_eq!(store.unfinished(9).await.unwrap(), []);
    assert_eq!(store.applied(writer).await.unwrap(), rows.last().unwrap().position + 1);
    assert_eq!(store.applied(Writer(u64::MAX >> 1)).await.unwrap(), 0, "nobody's");
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
    let sum = |count| {
        let mut sum = ScanSum { count, first_ms: -5, last_ms: count as i64, ..ScanSum::default() };
        // From no region to more than have a place of their own.
        (11..11 + count).for_each(|code| sum.scan(Region::parse(&code.to_string()), 7_000));
        sum
    };
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

async fn snapshot(store: &dyn Store) -> Vec<Kept> {
    let mut snapshot = store.snapshot().await.unwrap();
    let (mut things, mut empty) = (Vec::new(), 0);
    while let Some(batch) = snapshot.things.next().await {
        let batch = batch.unwrap();
        empty += u32::from(batch.is_empty());
        things.extend(batch);
    }
    assert!(empty <= 1, "batches hold something");
    let count = |is: fn(&Kept) -> bool| things.iter().filter(|thing| is(thing)).count() as u64;
    assert_eq!(count(|thing| matches!(thing, Kept::Record(_))), snapshot.records);
    assert_eq!(count(|thing| matches!(thing, Kept::Entry(..))), snapshot.entries);
    for head in snapshot.heads {
        let rows = things.iter().filter_map(|thing| match thing {
            Kept::Row(writer, row) if *writer == head.writer => Some(row),
            _ => None,
        });
        let (mut next, mut previous) = (0, [0; 32]);
        for row in rows {
            assert_eq!((row.position, row.previous), (next, previous), "rows come in their order");
            (next, previous) = (next + 1, row.digest(head.writer));
        }
        assert_eq!((next, previous), (head.rows, head.digest));
    }
    things
}

/// Things of every kind: two hundred captures, a large one between its commit and its end, a staged one, claims, sums.
async fn fill(store: &dyn Store) {
    for number in 0..200 {
        store.append(sample::load_capture(number), sample::writes(number)).await.unwrap();
    }
    let lot = Subject::Lot { gtin: "04006381333931".into(), lot: "L/1-é".into() };
    for (number, subject) in [
        (300, lot),
        (301, Subject::Epc("https://id.gs1.org/00/1".into())),
        (302, Subject::Run(sample::run(7))),
        (303, Subject::Group(coldproof::trace::Group { run: sample::run(7), index: 31 })),
    ] {
        let entry = entry(number, -1, span(7, 0, 4_194_303));
        append(store, number, Writes { records: vec![record(number)], ..entries(&subject, &[entry]) }).await;
    }
    let large = large_capture(900, 3, 2);
    store.stage(large.id, 0, &[record(9_000), record(9_001)]).await.unwrap();
    store.stage(large.id, 1, &[record(9_002)]).await.unwrap();
    store.append(large.clone(), Writes::default()).await.unwrap();
    store.apply(large.id, 0, records(vec![record(9_000), record(9_001)])).await.unwrap();
    store.stage(large_capture(901, 1, 1).id, 0, &[record(9_100)]).await.unwrap();
    store.swap("empty", None, b"").await.unwrap();
    store.swap("名", None, &[0, 255]).await.unwrap();
    let sum = |count| {
        let mut sum = ScanSum { count, first_ms: -5, last_ms: 5, ..ScanSum::default() };
        sum.scan(Region::parse("CN-HN"), 7_000);
        sum
    };
    store.put_scans(block(1, 3), Writer(0), &[(0, sum(1)), (4095, sum(2))]).await.unwrap();
    store.put_scans(block(1, 3), Writer(5), &[(7, sum(3))]).await.unwrap();
    store.put_scans(block(2, 3), Writer(0), &[(7, sum(4))]).await.unwrap();
}

/// A feed that another store wrote before: two rows of one capture each.
async fn load_feed(store: &dyn Store, writer: Writer) {
    let mut previous = [0; 32];
    for position in 0..2 {
        let capture = sample::capture(700 + position, 0);
        let row = FeedRow { position, previous, captures: vec![(capture.id, 0)] };
        previous = row.digest(writer);
        store.load(vec![Kept::Capture(capture), Kept::Row(writer, row)]).await.unwrap();
    }
}

pub async fn everything_in_a_snapshot_is_in_the_store_that_loaded_it(from: &dyn Store, to: &dyn Store) {
    fill(from).await;
    for writer in [Writer(7), Writer(u64::MAX >> 1)] {
        load_feed(from, writer).await;
    }
    let things = snapshot(from).await;
    for batch in things.chunks(37) {
        to.load(batch.to_vec()).await.unwrap();
    }
    assert!(to.verify().await.unwrap().is_clean());
    let loaded = snapshot(to).await;
    assert_eq!(loaded.len(), things.len());
    assert!(loaded == things, "a store gives what it took");
    let rows = to.rows(Writer(7), 0, 9).await.unwrap();
    assert_eq!(rows, from.rows(Writer(7), 0, 9).await.unwrap());
    assert_eq!((rows.len(), to.rows(Writer(6), 0, 9).await.unwrap()), (2, Vec::new()));
    assert!(to.writers().await.unwrap().ends_with(&[Writer(7), Writer(u64::MAX >> 1)]));

    // What is made anew: look-up keys, children, what is unfinished; and the feed goes on.
    let large = large_capture(900, 3, 2);
    assert_eq!(to.unfinished(9).await.unwrap(), [large.id]);
    assert_eq!(to.chunk(large.id, 1).await.unwrap(), Some(Chunk::Staged(vec![record(9_002)])));
    assert_eq!(to.chunk(large_capture(901, 1, 1).id, 0).await.unwrap(), None, "staged for nothing that is committed");
    for number in [0, 4, 40] {
        let record = &sample::writes(number).records[0];
        assert_eq!(
            to.records_of_event(record.event, 9).await.unwrap(),
            from.records_of_event(record.event, 9).await.unwrap()
        );
        let given = record.given_event_id.as_deref().unwrap();
        let found = to.records_of_given_id(record.organization, given, 9).await.unwrap();
        assert_eq!(found, from.records_of_given_id(record.organization, given, 9).await.unwrap());
        assert!(found.contains(&record.id));
    }
    let children =
        async |store: &dyn Store| store.children(&Parent::Consignment(3), Kind::Batch, None, 99).await.unwrap();
    assert_eq!(children(to).await, children(from).await);
    assert_eq!(to.scans(block(1, 3)).await.unwrap(), from.scans(block(1, 3)).await.unwrap());
    for slice in [Slice::Shared, Slice::Serial(7), Slice::Whole] {
        let subject = Subject::Block(block(1, 0));
        let entries = async |store: &dyn Store| store.entries(&subject, slice, None, 999).await.unwrap();
        assert_eq!(entries(to).await, entries(from).await, "{slice:?}");
    }
    append(to, 5_000, records(vec![record(50_000)])).await;
    to.apply(large.id, 1, records(vec![record(9_002)])).await.unwrap();
    to.finish(large.id, 5).await.unwrap();
    snapshot(to).await;
    assert!(to.verify().await.unwrap().is_clean());
}

pub async fn a_row_that_does_not_follow_is_not_loaded(from: &dyn Store, to: &dyn Store) {
    for number in 0..3 {
        append(from, number, Writes::default()).await;
    }
    let writer = from.writers().await.unwrap()[0];
    let rows = from.rows(writer, 0, 9).await.unwrap();
    let load = async |row: &FeedRow| to.load(vec![Kept::Row(writer, row.clone())]).await;
    assert!(matches!(load(&rows[1]).await, Err(Error::Corrupt { .. })));
    load(&rows[0]).await.unwrap();
    assert!(matches!(load(&rows[2]).await, Err(Error::Corrupt { .. })));
    load(&rows[0]).await.unwrap();
    let other = FeedRow { previous: [1; 32], ..rows[0].clone() };
    assert!(matches!(load(&other).await, Err(Error::Corrupt { .. })));
    load(&rows[1]).await.unwrap();
    assert_eq!(to.rows(writer, 0, 9).await.unwrap(), rows[..2]);
}

pub async fn a_snapshot_is_one_moment_while_writes_go_on(store: &dyn Store) {
    one_moment(store, store).await;
}

/// A snapshot of one store while another of the same things writes.
pub async fn one_moment(taker: &dyn Store, store: &dyn Store) {
    let load = async |first: u64, count: u64| {
        for number in first..first + count {
            store.append(sample::load_capture(number), sample::writes(number)).await.unwrap();
        }
    };
    load(0, 50).await;
    let (things, ..) = tokio::join!(snapshot(taker), load(1_000, 300), load(2_000, 300), load(3_000, 300));
    let (mut captures, mut named, mut statements, mut ids) =
        (HashSet::new(), HashSet::new(), HashSet::new(), HashSet::new());
    let (mut places, mut lists) = (HashSet::new(), Vec::new());
    for thing in things {
        match thing {
            Kept::Capture(capture) => drop(captures.insert(capture.id)),
            Kept::Row(_, row) => named.extend(row.captures.into_iter().map(|(id, _)| id)),
            Kept::Statement(statement) => drop(statements.insert(statement.id)),
            Kept::Record(record) => drop(ids.insert(record.id)),
            Kept::Entry(subject, entry) => drop(places.insert((subject, entry.place))),
            Kept::Chunk { chunk: Chunk::Applied(list), .. } => lists.extend(list),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(captures, named);
    assert_eq!(lists.into_iter().collect::<HashSet<_>>(), ids);
    let mut there = 0;
    for number in (0..50).chain([1_000, 2_000, 3_000].into_iter().flat_map(|first| first..first + 300)) {
        let is_there = captures.contains(&sample::load_capture(number).id);
        assert!(is_there || number >= 50, "{number} was acknowledged before");
        there += u64::from(is_there);
        assert_eq!(statements.contains(&number), is_there, "{number}");
        let writes = sample::writes(number);
        assert!(writes.records.iter().all(|record| ids.contains(&record.id) == is_there), "{number}");
        let place = |(subject, entry): &(Subject, Entry)| places.contains(&(subject.clone(), entry.place));
        assert!(writes.entries.iter().all(|entry| place(entry) == is_there), "{number}");
    }
    println!("{there} of 950 captures were in the snapshot");
    assert!(there < 950, "some came behind it");
}

pub async fn a_claim_in_a_snapshot_is_what_it_was_at_that_moment(store: &dyn Store) {
    claims_of_one_moment(store, store).await;
}

/// A snapshot of one store while another of the same things swaps claims: so many that they are not all read at once.
pub async fn claims_of_one_moment(taker: &dyn Store, store: &dyn Store) {
    const CLAIMS: u32 = 2_500;
    let name = |n: u32| format!("claim/{n}");
    let each = |to: u32| stream::iter(0..to);
    let first = |n: u32| async move { assert!(store.swap(&name(n), None, &n.to_be_bytes()).await.unwrap()) };
    each(CLAIMS).for_each_concurrent(32, first).await;
    let mut snapshot = taker.snapshot().await.unwrap();
    let swap = |n: u32| async move {
        let before = (n < CLAIMS).then_some(n.to_be_bytes());
        let name = name(n);
        assert!(store.swap(&name, before.as_ref().map(|before| &before[..]), b"later").await.unwrap());
        assert!(store.swap(&name, Some(b"later"), b"last").await.unwrap());
    };
    each(CLAIMS + 20).filter(|n| std::future::ready(n.is_multiple_of(5))).for_each_concurrent(32, swap).await;
    let mut claims = Vec::new();
    while let Some(batch) = snapshot.things.next().await {
        claims.extend(batch.unwrap().into_iter().map(|thing| match thing {
            Kept::Claim { name, value } => (name, value),
            other => panic!("{other:?}"),
        }));
    }
    claims.sort();
    let mut expected: Vec<_> = (0..CLAIMS).map(|n| (name(n), n.to_be_bytes().to_vec())).collect();
    expected.sort();
    assert!(
        claims == expected,
        "{} claims are as they were",
        claims.iter().filter(|claim| expected.contains(claim)).count()
    );
    assert_eq!(store.claim("claim/0").await.unwrap(), Some(b"last".to_vec()));
}

pub async fn a_store_that_is_paused_or_retired_takes_nothing_and_goes_on_reading(store: &dyn Store) {
    append(store, 1, records(vec![record(1)])).await;
    let refusals = async || {
        let sum = ScanSum::default();
        let append = store.append(capture(2, 0), Writes::default()).await.err();
        let swap = store.swap("claim", None, b"").await.err();
        let put = store.put_scans(block(1, 1), Writer(0), &[(1, sum)]).await.err();
        let stage = store.stage(large_capture(3, 1, 1).id, 0, &[record(3)]).await.err();
        assert_eq!(store.record(record(1).id).await.unwrap(), Some(record(1)));
        assert!(!store.writable());
        [append, swap, put, stage].map(Option::unwrap)
    };
    store.set_intake(Intake::Paused).await.unwrap();
    assert!(refusals().await.iter().all(|error| matches!(error, Error::Paused)));
    store.set_intake(Intake::Open).await.unwrap();
    append(store, 4, records(vec![record(4)])).await;
    store.set_intake(Intake::Paused).await.unwrap();
    store.set_intake(Intake::Retired).await.unwrap();
    assert!(refusals().await.iter().all(|error| matches!(error, Error::Retired)));
    store.set_intake(Intake::Retired).await.unwrap();
    for intake in [Intake::Open, Intake::Paused] {
        assert!(matches!(store.set_intake(intake).await, Err(Error::Retired)));
    }
    assert_eq!(store.record(record(4).id).await.unwrap(), Some(record(4)));
    assert_eq!(store.capture(capture(2, 0).id).await.unwrap(), None);
    assert!(store.verify().await.unwrap().is_clean());
}
