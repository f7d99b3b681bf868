//! The embedded store under the contract, and what is its own.

use std::{ops::Deref, sync::Arc};

use coldproof::store::{
    Claims, Copies, Error, Intake, Kept, Store,
    local::{LocalStore, Restoring},
};
use futures_util::StreamExt;

use super::contract::contract_tests;

/// A store in a folder that goes with it.
struct Temporary {
    store: Arc<LocalStore>,
    _folder: tempfile::TempDir,
}

impl Deref for Temporary {
    type Target = dyn Store;
    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

async fn open() -> Option<Temporary> {
    let folder = tempfile::tempdir().unwrap();
    Some(Temporary { store: LocalStore::open(folder.path()).unwrap(), _folder: folder })
}

contract_tests!(open);

#[tokio::test]
async fn a_second_opening_of_the_same_folder_is_refused_with_the_holder_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path()).unwrap();
    let Err(Error::Unavailable(refusal)) = LocalStore::open(folder.path()) else { panic!("it opened twice") };
    let expected = format!("{} is open in process {}", folder.path().display(), std::process::id());
    assert_eq!(refusal, expected);
    drop(store);
    LocalStore::open(folder.path()).unwrap();
}

#[tokio::test]
async fn a_closed_store_refuses_writes_and_still_reads_and_opens_again_whole() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3u8 {
        let store = LocalStore::open(folder.path()).unwrap();
        let before = round.checked_sub(1).map(|before| vec![before]);
        assert_eq!(store.claim("claim").await.unwrap(), before);
        assert!(store.swap("claim", before.as_deref(), &[round]).await.unwrap());
        store.close().await.unwrap();
        store.close().await.unwrap();
        assert!(matches!(store.swap("claim", Some(&[round]), b"x").await, Err(Error::Unavailable(_))));
        assert_eq!(store.claim("claim").await.unwrap(), Some(vec![round]));
        assert!(store.verify().is_clean(), "{:?}", store.verify());
    }
    assert!(!folder.path().join("journals-0").exists(), "only an unclean stop copies journals");
}

#[tokio::test]
async fn the_first_copy_of_the_journals_of_an_unclean_stop_is_kept_and_no_older_one() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..4u64 {
        let store = LocalStore::open(folder.path()).unwrap();
        let aside = |number| folder.path().join(format!("journals-{number}"));
        assert_eq!(aside(number).join("0.jnl").exists(), number > 0);
        assert!(number < 2 || !aside(number - 1).exists());
        assert!(store.swap(&number.to_string(), None, b"").await.unwrap());
    }
}

#[tokio::test]
async fn a_retired_store_stays_retired_and_a_paused_one_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path()).unwrap();
    store.set_intake(Intake::Paused).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let store = LocalStore::open(folder.path()).unwrap();
    assert!(store.swap("claim", None, b"x").await.unwrap());
    store.set_intake(Intake::Retired).await.unwrap();
    drop(store);
    let store = LocalStore::open(folder.path()).unwrap();
    assert!(matches!(store.swap("claim", Some(b"x"), b"y").await, Err(Error::Retired)));
    assert_eq!(store.claim("claim").await.unwrap(), Some(b"x".to_vec()));
    assert!(store.verify().is_clean());
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_folder_opens_only_once_its_restore_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let restoring = Restoring::begin(folder.path()).unwrap();
    restoring.store().load(vec![Kept::Claim { name: "claim".to_owned(), value: b"x".to_vec() }]).await.unwrap();
    drop(restoring);
    let refusal = || LocalStore::open(folder.path()).err().unwrap().to_string();
    assert!(refusal().contains("was not finished"), "{}", refusal());
    let again = Restoring::begin(folder.path()).err().unwrap().to_string();
    assert!(again.contains("was not finished"), "{again}");

    let folder = tempfile::tempdir().unwrap();
    Restoring::begin(folder.path()).unwrap().finish().await.unwrap();
    drop(LocalStore::open(folder.path()).unwrap());
    let again = Restoring::begin(folder.path()).err().unwrap().to_string();
    assert!(again.contains("has a store already"), "{again}");
}

#[tokio::test]
async fn a_snapshot_of_a_store_that_lacks_something_ends_with_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path()).unwrap();
    for name in ["a", "b"] {
        assert!(store.swap(name, None, b"").await.unwrap());
    }
    store.close().await.unwrap();
    drop(store);
    {
        let database = fjall::Database::builder(folder.path().join("engine")).open().unwrap();
        let keyspace = database.keyspace("coldproof", fjall::KeyspaceCreateOptions::default).unwrap();
        keyspace.remove(b"k\0\x01a").unwrap();
        database.persist(fjall::PersistMode::SyncAll).unwrap();
    }
    let store = LocalStore::open(folder.path()).unwrap();
    let mut snapshot = store.snapshot().await.unwrap();
    let mut last = None;
    while let Some(batch) = snapshot.things.next().await {
        last = Some(batch);
    }
    let error = last.unwrap().unwrap_err().to_string();
    assert_eq!(error, "claim/*: 1 keys are there; 2 were written");
}
