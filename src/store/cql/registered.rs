//! Statements: versions of what is registered, and the lists that lead to them.

use futures_util::future::BoxFuture;
use moka::sync::Cache;
use scylla::{DeserializeRow, value::CqlTimestamp};

use super::{
    Cluster,
    record::limit_of,
    words::{self, corrupt},
};
use crate::{
    limits::{CQL_CHILD_BUCKET_BITS, CQL_LISTINGS_KNOWN_MAX},
    registration::{Content, Kind, Parent, Statement},
    store::Result,
    trace::OrganizationId,
};

/// A row of the table of statements.
#[derive(Clone, DeserializeRow)]
pub struct StatementRow {
    kind: String,
    number: i64,
    version: i32,
    author: i64,
    written: CqlTimestamp,
    parents: Vec<String>,
    content: Vec<u8>,
    /// The timestamp of its first write.
    pub stamp: Option<i64>,
}

/// Names of listings that this server has written: each is written once.
pub struct Listed(Cache<String, ()>);

impl Listed {
    pub fn new() -> Self {
        Self(Cache::new(CQL_LISTINGS_KNOWN_MAX))
    }
    pub fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
    pub fn add(&self, name: String) {
        self.0.insert(name, ());
    }
}

/// The bucket of a number in a list.
pub fn bucket_of(number: u64) -> i64 {
    (number >> CQL_CHILD_BUCKET_BITS).cast_signed()
}

/// The bucket of a number in the list of a parent. Papers of a batch or consignment are few, whatever their numbers are, and
/// lie in one, so that their list is read in one round.
pub fn bucket_under(parent: &Parent, kind: Kind, number: u64) -> i64 {
    match (parent, kind) {
        (Parent::Batch(_) | Parent::Consignment(_), Kind::Document) => 0,
        _ => bucket_of(number),
    }
}

impl StatementRow {
    pub fn content_bytes(&self) -> usize {
        self.content.len()
    }

    pub fn statement(self) -> Result<Statement> {
        let key = format!("{}/{}/{}", self.kind, self.number.cast_unsigned(), self.version);
        let wrong = |found: String| corrupt("statements", &key, found);
        let kind = words::parse_kind(&self.kind).ok_or_else(|| wrong(format!("{:?} is no kind", self.kind)))?;
        let parent = |text: &String| words::parse_parent(text).ok_or_else(|| wrong(format!("{text:?} is no parent")));
        let content: Content = rmp_serde::from_slice(&self.content)
            .map_err(|error| wrong(format!("the content cannot be read: {error}")))?;
        Ok(Statement {
            kind,
            id: self.number.cast_unsigned(),
            version: self.version.cast_unsigned(),
            parents: self.parents.iter().map(parent).collect::<Result<_>>()?,
            content,
            author: OrganizationId(self.author.cast_unsigned()),
            written_ms: self.written.0,
        })
    }
}

impl Cluster {
    /// The write that puts a version.
    ///
    /// # Errors
    /// At once, where a parent's texts are too long for a key.
    pub fn put_statement<'s>(&'s self, of: &'s Statement) -> Result<BoxFuture<'s, Result<()>>> {
        let parents = of.parents.iter().map(words::parent).collect::<Result<Vec<_>>>()?;
        let stamp = self.stamps.stays();
        Ok(Box::pin(async move {
            let content = rmp_serde::to_vec(&of.content).map_err(|error| {
                let key = format!("{}/{}/{}", words::kind(of.kind), of.id, of.version);
                corrupt("statements", key, format!("cannot be encoded: {error}"))
            })?;
            let values = (
                words::kind(of.kind),
                of.id.cast_signed(),
                of.version.cast_signed(),
                of.author.0.cast_signed(),
                CqlTimestamp(of.written_ms),
                parents,
                content,
            );
            self.requests.write(&self.statements.put_statement, stamp, values).await
        }))
    }

    /// The writes that list it under its parents.
    pub fn put_children<'s>(&'s self, of: &'s Statement) -> Result<Vec<BoxFuture<'s, Result<()>>>> {
        of.parents.iter().map(|parent| self.put_child(parent, of.kind, of.id)).collect()
    }

    fn put_child(&self, parent: &Parent, kind: Kind, id: u64) -> Result<BoxFuture<'_, Result<()>>> {
        let (stamp, bucket) = (self.stamps.stays(), bucket_under(parent, kind, id));
        let (parent, kind) = (words::parent(parent)?, words::kind(kind));
        Ok(Box::pin(async move {
            let statements = &self.statements;
            let listing = format!("{kind}/{bucket}/{parent}");
            if !self.listed.knows(&listing) {
                // Before the number, which only this leads to.
                let values = (parent.as_str(), kind, bucket);
                self.requests.write(&statements.put_child_bucket, stamp, values).await?;
                self.listed.add(listing);
            }
            let values = (parent.as_str(), kind, bucket, id.cast_signed());
            self.requests.write(&statements.put_child, stamp, values).await
        }))
    }

    pub async fn statement(&self, kind: Kind, id: u64) -> Result<Option<Statement>> {
        let at = ("statements", format!("{}/{id}", words::kind(kind)));
        let values = (words::kind(kind), id.cast_signed());
        let row = self.requests.one::<StatementRow>(&self.statements.newest, values, at).await?;
        row.map(StatementRow::statement).transpose()
    }

    pub async fn versions(&self, kind: Kind, id: u64, from: u32, limit: usize) -> Result<Vec<Statement>> {
        let at = ("statements", format!("{}/{id}", words::kind(kind)));
        let values = (words::kind(kind), id.cast_signed(), from.cast_signed(), limit_of(limit));
        let rows = self.requests.list::<StatementRow>(&self.statements.versions, values, at).await?;
        rows.into_iter().map(StatementRow::statement).collect()
    }

    pub async fn children(&self, parent: &Parent, kind: Kind, after: Option<u64>, limit: usize) -> Result<Vec<u64>> {
        // A short list lies in one bucket: it is asked beside the question for more.
        let guess = after.map_or(0, |after| bucket_under(parent, kind, after));
        let list = List { parent: words::parent(parent)?, kind: words::kind(kind), after, first: guess };
        let at = ("child_buckets", format!("{}/{}", list.parent, list.kind));
        let values = (list.parent.as_str(), list.kind);
        let buckets = self.requests.list::<(i64,)>(&self.statements.child_buckets, values, at);
        let (buckets, mut found) = tokio::try_join!(buckets, self.bucket_of_list(&list, guess, limit))?;
        let mut buckets: Vec<i64> = buckets.into_iter().map(|(bucket,)| bucket).filter(|of| *of > guess).collect();
        buckets.sort_unstable();
        for bucket in buckets {
            let left = limit.saturating_sub(found.len());
            if left == 0 {
                break;
            }
            found.extend(self.bucket_of_list(&list, bucket, left).await?);
        }
        Ok(found)
    }

    /// The first numbers of a list in one of its buckets.
    async fn bucket_of_list(&self, list: &List, bucket: i64, limit: usize) -> Result<Vec<u64>> {
        let List { parent, kind, after, first } = list;
        let at = ("children", format!("{parent}/{kind}/{bucket}"));
        let rows: Vec<(i64,)> = match after.filter(|_| bucket == *first) {
            Some(after) => {
                let values = (parent.as_str(), kind, bucket, after.cast_signed(), limit_of(limit));
                self.requests.list(&self.statements.children_after, values, at).await?
            }
            None => {
                let values = (parent.as_str(), kind, bucket, limit_of(limit));
                self.requests.list(&self.statements.children, values, at).await?
            }
        };
        Ok(rows.into_iter().map(|(number,)| number.cast_unsigned()).collect())
    }
}

/// A list and from where on it is read.
struct List {
    parent: String,
    kind: &'static str,
    after: Option<u64>,
    /// The bucket of that.
    first: i64,
}
