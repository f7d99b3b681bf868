//! A keyspace into which a store is being restored: marked until all of it is there, and no store before.

use std::sync::Arc;

use scylla::client::session::Session;

use super::{
    CqlStore,
    claims::random_name,
    migrate::{self, quorum, serial, swapped},
    open::{Access, connect},
    requests::unavailable,
};
use crate::store::{Error, Result};

/// The claim that is there for as long as a store is being restored. It is no part of what is kept.
pub const MARK: &str = "restoring";

/// A store that is being filled. Dropped, or killed, it leaves a keyspace that nobody serves from, and a restore of the same
/// backup goes on with.
pub struct Restoring {
    store: Arc<CqlStore>,
    access: Access,
    mark: Vec<u8>,
}

impl Restoring {
    /// Begins a store in a keyspace that [`super::migrate()`] has made and that is empty, or goes on where a restore of
    /// the same `backup` was stopped. Also gives what was noted when it was begun: `note`, or that of the first time.
    ///
    /// # Errors
    /// [`Error::Unavailable`], a sentence that says what to do, where something is kept there, another backup has been
    /// begun there, or the cluster refuses.
    pub async fn begin(access: &Access, backup: [u8; 32], note: &[u8]) -> Result<(Self, Vec<u8>)> {
        let session = connect(access).await?;
        migrate::check_tables(&session, access).await?;
        let mark = match mark(&session, &access.keyspace).await? {
            Some(mark) => mark,
            None => put_mark(&session, access, [&backup[..], note].concat()).await?,
        };
        let Some(note) = mark.strip_prefix(&backup).map(<[u8]>::to_vec) else {
            return Err(Error::Unavailable(format!(
                "the restore of another backup into {0} was begun and not finished: drop the keyspace {0}, run \
                 `coldproof migrate --store {access}` and restore again",
                access.keyspace
            )));
        };
        let store = CqlStore::over(session, access).await?;
        Ok((Self { store, access: access.clone(), mark }, note))
    }

    /// The store, for [`crate::store::Copies::load`].
    pub fn store(&self) -> &Arc<CqlStore> {
        &self.store
    }

    /// Takes the mark away: from here on servers start.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the cluster does not answer: then it may stay marked.
    pub async fn finish(self) -> Result<()> {
        self.store.close().await;
        let session = connect(&self.access).await?;
        take_mark(&session, &self.access.keyspace, &self.mark).await
    }
}

/// Marks an empty keyspace; the mark that is there then, which may be somebody else's.
async fn put_mark(session: &Session, access: &Access, new: Vec<u8>) -> Result<Vec<u8>> {
    let keyspace = &access.keyspace;
    refuse_kept(session, access).await?;
    let first = format!("INSERT INTO {keyspace}.claims (name, value, swap) VALUES (?, ?, ?) IF NOT EXISTS");
    let swap = random_name()?;
    if !swapped(session, &first, (MARK, new.as_slice(), swap.as_slice())).await? {
        return Ok(mark(session, keyspace).await?.unwrap_or_default());
    }
    // A server that started just before has named its feed by now; one that starts from here on finds the mark.
    if let Err(error) = refuse_kept(session, access).await {
        take_mark(session, keyspace, &new).await?;
        return Err(error);
    }
    Ok(new)
}

async fn take_mark(session: &Session, keyspace: &str, value: &[u8]) -> Result<()> {
    let last = format!("DELETE FROM {keyspace}.claims WHERE name = ? IF value = ?");
    swapped(session, &last, (MARK, value)).await.map(drop)
}

async fn mark(session: &Session, keyspace: &str) -> Result<Option<Vec<u8>>> {
    let text = format!("SELECT value FROM {keyspace}.claims WHERE name = ?");
    let result = session.query_unpaged(serial(&text), (MARK,)).await.map_err(unavailable)?;
    let rows = result.into_rows_result().map_err(unavailable)?;
    let row = rows.maybe_first_row::<(Option<Vec<u8>>,)>().map_err(unavailable)?;
    Ok(row.and_then(|(value,)| value))
}

/// Refuses a keyspace in which a restore was begun and not finished.
pub async fn refuse_unfinished(session: &Session, access: &Access) -> Result<()> {
    match mark(session, &access.keyspace).await? {
        None => Ok(()),
        Some(_) => Err(Error::Unavailable(format!(
            "a restore into {} is under way or was stopped: run the same `coldproof restore --from FILE --store {access}` \
             again, which goes on where it was stopped",
            access.keyspace
        ))),
    }
}

/// Refuses a keyspace in which anything is kept.
async fn refuse_kept(session: &Session, access: &Access) -> Result<()> {
    let keyspace = &access.keyspace;
    let text = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?";
    let tables = session.query_unpaged(text, (keyspace,)).await.map_err(unavailable)?;
    let tables = tables.into_rows_result().map_err(unavailable)?;
    for table in tables.rows::<(String,)>().map_err(unavailable)? {
        let (table,) = table.map_err(unavailable)?;
        if table.starts_with("schema_") {
            continue;
        }
        // Of claims the mark is one.
        let column = if table == "claims" { "name" } else { "*" };
        let text = format!("SELECT {column} FROM {keyspace}.{table} LIMIT 2");
        let rows = session.query_unpaged(quorum(&text), ()).await.map_err(unavailable)?;
        let rows = rows.into_rows_result().map_err(unavailable)?;
        let marked = table == "claims" && rows.rows_num() == 1 && {
            let name = rows.first_row::<(String,)>().map_err(unavailable)?.0;
            name == MARK
        };
        if rows.rows_num() > 0 && !marked {
            return Err(Error::Unavailable(format!(
                "{keyspace} has a store already ({table}): name an empty keyspace, which `coldproof migrate` makes"
            )));
        }
    }
    Ok(())
}
