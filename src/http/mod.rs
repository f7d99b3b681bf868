//! The HTTP interface: a router on one page, one folder per resource, one file per verb. Only this
//! folder and `epcis` know JSON.

pub mod router;

pub mod auth;
mod by_name;
pub mod error;
pub mod extract;
pub mod idempotency;

pub mod answer;
pub mod given;
pub mod goods;
pub mod spreadsheet;
pub mod text_or;

pub mod alerts;
pub mod batches;
pub mod codes;
pub mod consignments;
pub mod documents;
pub mod download;
pub mod epcis;
pub mod inspections;
pub mod keys;
pub mod looks;
pub mod measures;
pub mod movements;
pub mod organizations;
pub mod products;
pub mod runs;
pub mod splits;
pub mod temperatures;
pub mod units;
pub mod verify;

pub mod audit;
pub mod backup;
pub mod openapi;
pub mod site;

pub mod scan;

pub mod client_address;
pub mod health;
pub mod layers;
pub mod observe;
pub mod rate;

pub mod admin_client;
pub mod admin_socket;
pub mod serve;

#[cfg(test)]
mod samples;

use std::{ops::Deref, sync::Arc};

use self::rate::RateLimiter;
use crate::{
    config::{Capture, Config},
    service::{Service, capture::Spools},
    trace::Role,
};

/// Who may list products, consignments and batches: an admin knows organizations and keys alone.
pub const GOODS_READERS: [Role; 3] = [Role::Importer, Role::Operator, Role::Inspector];

/// What every handler may reach. A copy costs one count: every request takes several.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What all copies of an [`App`] share.
pub struct Shared {
    /// The service itself.
    pub service: Arc<Service>,
    /// What the operator decided.
    pub config: Config,
    /// Budgets of those who ask.
    pub rate: RateLimiter,
    /// What is rendered of batches and lots.
    pub rendered_classes: scan::RenderedClasses,
    /// Documents of events that are too large for memory.
    pub spools: Spools,
}

impl App {
    /// The interface of a service. Budgets are full.
    pub fn new(service: Arc<Service>, config: Config) -> Self {
        let (rate, rendered_classes) = (RateLimiter::new(&config.rate), scan::rendered_classes());
        let Capture { document_bytes_max, spools_max, .. } = config.capture;
        let spools = Spools::new(config.spool_path(), document_bytes_max, spools_max);
        Self(Arc::new(Shared { service, config, rate, rendered_classes, spools }))
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
