//! Registration: organizations, keys, products, consignments, batches and their documents.
//!
//! Every change is a new version of a statement, written in one capture with the event that it makes. A change of
//! something that another caller changed in the meantime is refused, not merged.

mod batch;
mod consignment;
mod document;
mod event;
mod organization;
mod picture;
mod product;
#[cfg(test)]
mod tests;

use thiserror::Error;

pub use self::batch::BatchInput;
pub(super) use self::document::{file_hash, file_path};
use super::{Caller, Service, statements_capture_id};
use crate::{
    epcis::{DocumentError, Event},
    limits::PAGE_ITEMS_MAX,
    registration::{Content, FieldError, Kind, Parent, Statement, ValueError},
    store::{self, Writes},
    trace::{OrganizationId, Role},
};

/// Why something was not registered or changed. Nothing was written, unless the store says that this is not known.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The file store failed.
    #[error("the file store is not available: {0}")]
    Files(#[from] object_store::Error),
    /// It is not there, or not the caller's: the same answer for both.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Under which number.
        id: u64,
    },
    /// Fields are not what they must be.
    #[error("{} fields are not valid", .0.len())]
    Invalid(Vec<FieldError>),
    /// A fact that no event can carry.
    #[error("the batch's event: {0}")]
    Event(DocumentError),
    /// Another change came between reading and writing.
    #[error("{what} {id} was changed by another request at the same time; repeat this one")]
    Changed {
        /// What was to be changed.
        what: &'static str,
        /// Its number.
        id: u64,
    },
    /// There are as many as may be.
    #[error("{what} has {max} {of} already, and may not have more")]
    Full {
        /// What is full.
        what: &'static str,
        /// Of what.
        of: &'static str,
        /// How many it may have.
        max: usize,
    },
}

impl RegisterError {
    /// One field is wrong.
    pub fn invalid(field: impl Into<String>, error: ValueError) -> Self {
        Self::Invalid(vec![FieldError::new(field, error)])
    }
}

/// What one change writes, in one capture.
#[derive(Debug, Default)]
struct Change {
    /// New versions.
    statements: Vec<Statement>,
    /// The events that they make.
    events: Vec<Event>,
}

/// Result of a registration.
pub type Result<T> = std::result::Result<T, RegisterError>;

/// The word for a kind of thing, in errors.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Organization => "organization",
        Kind::Key => "key",
        Kind::Product => "product",
        Kind::Consignment => "consignment",
        Kind::Batch => "batch",
        Kind::Document => "document",
        Kind::Run => "run",
        Kind::Measure => "measure",
        Kind::Alert => "alert",
        Kind::Look => "look",
    }
}

/// Whose a thing is.
fn owner(content: &Content) -> OrganizationId {
    match content {
        Content::Organization(organization) => organization.id,
        Content::Key(key) => key.organization,
        Content::Product(product) => product.organization,
        Content::Consignment(consignment) => consignment.organization,
        Content::Batch(batch) => batch.organization,
        Content::Document(document) => document.organization,
        Content::Run(run) => run.organization,
        Content::Measure(measure) => measure.organization,
        Content::Alert(alert) => alert.organization,
        Content::Look(look) => look.organization,
    }
}

/// Whether the caller may read what belongs to `owner`: its own, or anything as an inspector.
fn may_read(caller: &Caller, kind: Kind, owner: OrganizationId) -> bool {
    let registry = matches!(kind, Kind::Organization | Kind::Key);
    match caller.role {
        Role::Inspector => kind != Kind::Key || caller.organization == owner,
        Role::Admin => registry,
        Role::Importer | Role::Operator => caller.organization == owner,
    }
}

/// Reads something out of its [`Content`]; every stored statement of a kind has that kind's content.
macro_rules! content_of {
    ($content:expr, $variant:ident) => {
        match $content {
            $crate::registration::Content::$variant(it) => Ok(it),
            other => Err($crate::store::Error::Corrupt {
                table: "statements",
                key: stringify!($variant).to_owned(),
                found: format!("content of another kind: {other:?}").chars().take(80).collect(),
            }),
        }
    };
}
use content_of;

impl Service {
    /// The newest version of something that the caller may read.
    ///
    /// # Errors
    /// [`RegisterError::NotFound`] where it is not there or not the caller's to read.
    pub async fn readable(&self, caller: &Caller, kind: Kind, id: u64) -> Result<Statement> {
        match self.statement(kind, id).await? {
            Some(statement) if may_read(caller, kind, owner(&statement.content)) => Ok(statement),
            _ => Err(RegisterError::NotFound { what: word(kind), id }),
        }
    }

    /// The newest version of something that is the caller's own.
    ///
    /// # Errors
    /// [`RegisterError::NotFound`] where it is not there or not the caller's.
    pub async fn owned(&self, caller: &Caller, kind: Kind, id: u64) -> Result<Statement> {
        match self.statement(kind, id).await? {
            Some(statement) if owner(&statement.content) == caller.organization => Ok(statement),
            _ => Err(RegisterError::NotFound { what: word(kind), id }),
        }
    }

    /// All versions of something that the caller may read, oldest first, from version `from` on.
    ///
    /// # Errors
    /// [`RegisterError::NotFound`] where it is not there or not the caller's to read.
    pub async fn history(&self, caller: &Caller, kind: Kind, id: u64, from: u32) -> Result<Vec<Statement>> {
        self.readable(caller, kind, id).await?;
        Ok(self.store.versions(kind, id, from, PAGE_ITEMS_MAX).await?)
    }

    /// What is listed under `parent` with numbers above `after`, newest versions, at most `limit` and
    /// `PAGE_ITEMS_MAX`. The caller of this function has made sure that `parent` is one that may be read.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn listed(
        &self,
        parent: &Parent,
        kind: Kind,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Statement>> {
        let mut statements = Vec::new();
        for id in self.store.children(parent, kind, after, limit.min(PAGE_ITEMS_MAX)).await? {
            statements.extend(self.statement(kind, id).await?);
        }
        Ok(statements)
    }

    /// What a caller's list of a kind is a list of: everything for inspectors and admins, else its own.
    pub fn list_parent(caller: &Caller) -> Parent {
        match caller.role {
            Role::Inspector | Role::Admin => Parent::All,
            Role::Importer | Role::Operator => Parent::Organization(caller.organization.0),
        }
    }

    /// The first version of something new, listed under everything, its organization, and `parents`.
    fn new_statement(&self, caller: &Caller, kind: Kind, id: u64, parents: Vec<Parent>, content: Content) -> Statement {
        let mut all = vec![Parent::All, Parent::Organization(owner(&content).0)];
        all.extend(parents);
        let (author, written_ms) = (caller.organization, self.now_ms());
        Statement { kind, id, version: 1, parents: all, content, author, written_ms }
    }

    /// The next version of something.
    fn next_version(&self, caller: &Caller, before: &Statement, parents: Vec<Parent>, content: Content) -> Statement {
        let mut all = before.parents.clone();
        all.extend(parents.into_iter().filter(|parent| !before.parents.contains(parent)));
        let (author, written_ms) = (caller.organization, self.now_ms());
        let Statement { kind, id, version, .. } = *before;
        Statement { kind, id, version: version + 1, parents: all, content, author, written_ms }
    }

    /// Writes statements, with the events that they make, in one capture.
    async fn write(&self, caller: &Caller, change: Change) -> Result<Vec<Statement>> {
        let (statements, now_ms) = (change.statements, self.now_ms());
        if statements.is_empty() {
            return Ok(statements);
        }
        if change.events.is_empty() {
            let id = statements_capture_id(caller.organization, &statements);
            let capture = caller.capture(id, 0, &statements, now_ms);
            self.commit(capture, Writes { statements: statements.clone(), ..Writes::default() }).await?;
        } else {
            self.commit_events(caller, &change.events, statements.clone(), now_ms).await?;
        }
        self.check_written(&statements).await?;
        Ok(statements)
    }

    /// Two changes made from the same version have the same capture id, and the store keeps the first: the second
    /// finds here that what it wrote does not stand.
    async fn check_written(&self, statements: &[Statement]) -> Result<()> {
        for statement in statements.iter().filter(|statement| statement.version > 1) {
            let versions = self.store.versions(statement.kind, statement.id, statement.version, 1).await?;
            if versions.first() != Some(statement) {
                return Err(RegisterError::Changed { what: word(statement.kind), id: statement.id });
            }
        }
        Ok(())
    }

    async fn write_one(&self, caller: &Caller, statement: Statement) -> Result<Statement> {
        self.write(caller, Change { statements: vec![statement.clone()], events: Vec::new() }).await?;
        Ok(statement)
    }
}
