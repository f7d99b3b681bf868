//! `/v1/batches/{batch}/runs` and `/v1/runs/{run}`.

pub mod codes;
pub mod list;
pub mod post;
pub mod spans;

use serde::Serialize;
use utoipa::ToSchema;

use super::{App, error::Problem, goods::QuantityJson};
use crate::{
    code::{Gtin, RunId, RunKey, Serial},
    registration::{Activation, Run},
    service::Caller,
    trace::Role,
};

/// A run as it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunJson {
    /// The first six characters of its codes.
    pub run: String,
    /// The batch.
    pub batch: u64,
    /// How many codes it has.
    pub count: u32,
    /// Its first code.
    pub first: String,
    /// Its last code.
    pub last: String,
    /// What each code is put on.
    pub level: String,
    /// What is in one of them.
    pub content: Option<QuantityJson>,
    /// `on_issue` or `on_report`.
    #[schema(value_type = String)]
    pub activate: Activation,
    /// Whether its links carry a signature.
    pub signed: bool,
    /// Whether it is a shop's split run: its codes are for portions of opened packages.
    pub split: bool,
}

impl RunJson {
    /// A run with its ends.
    pub fn new(run: &Run, key: &RunKey) -> Self {
        let last = Serial::new(run.count.saturating_sub(1)).unwrap_or(Serial::FIRST);
        Self {
            run: run.id.to_string(),
            batch: run.batch.0,
            count: run.count,
            first: key.code(Serial::FIRST).to_string(),
            last: key.code(last).to_string(),
            level: run.level.as_str().to_owned(),
            content: run.content.as_ref().map(QuantityJson::from),
            activate: run.activate,
            signed: run.signed,
            split: run.split,
        }
    }
}

impl Caller {
    /// Ordering codes is for the importer's own keys, and for the admin socket.
    pub(super) fn require_issuer(&self) -> Result<(), Problem> {
        match (self.role, self.key) {
            (Role::Importer, _) | (Role::Admin, None) => Ok(()),
            _ => Err(Problem::forbidden(format!("found a key with the role {:?}, expected an importer's", self.role))),
        }
    }

    /// Codes and symbols are all that a counterfeiter needs: they are for whoever may order them, for inspectors, and those
    /// of a split run for the shop that splits.
    pub(super) fn require_printer(&self, run: Option<&Run>) -> Result<(), Problem> {
        let shop = self.role == Role::Operator && run.is_some_and(|run| run.split);
        if shop || self.role == Role::Inspector { Ok(()) } else { self.require_issuer() }
    }
}

impl App {
    /// A run that the caller may see, with the GTIN of its product: its issuer's, or any for inspectors and the
    /// admin socket.
    pub(super) async fn run(&self, caller: &Caller, name: &str) -> Result<(Run, Option<Gtin>), Problem> {
        let unknown = || Problem::not_found(format!("there is no run {name}"));
        let id: RunId = name.parse().map_err(|error| Problem::invalid("run", format!("{error}")))?;
        let run = self.service.run(id).await?.ok_or_else(unknown)?;
        let sees_all = caller.role == Role::Inspector || (caller.role == Role::Admin && caller.key.is_none());
        if caller.organization != run.organization && !sees_all {
            return Err(unknown());
        }
        let gtin = self.service.gtin_of(&run).await?;
        Ok((run, gtin))
    }

    /// The key of a run, where the ring still has it.
    pub(super) fn run_key(&self, run: RunId) -> Result<RunKey, Problem> {
        self.service.keys.run_key(run).ok_or_else(|| {
            Problem::conflict("key-absent", format!("the key ring has no key in slot {}", run.key().get()))
        })
    }
}
