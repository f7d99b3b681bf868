//! The HTTP interface: a router on one page, one folder per resource, one file per verb. Only this
//! folder and `epcis` know JSON.

pub mod router;

pub mod auth;
pub mod error;
pub mod extract;
pub mod idempotency;

pub mod answer;
pub mod given;
pub mod goods;

pub mod batches;
pub mod codes;
pub mod consignments;
pub mod documents;
pub mod download;
pub mod epcis;
pub mod keys;
pub mod organizations;
pub mod products;
pub mod runs;
pub mod verify;

pub mod audit;
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

use std::sync::Arc;

use self::rate::RateLimiter;
use crate::{config::Config, service::Service, trace::Role};

/// Who may list products, consignments and batches: an admin knows organizations and keys alone.
pub const GOODS_READERS: [Role; 3] = [Role::Importer, Role::Operator, Role::Inspector];

/// What every handler may reach.
#[derive(Clone)]
pub struct App {
    /// The service itself.
    pub service: Arc<Service>,
    /// What the operator decided.
    pub config: Arc<Config>,
    /// Budgets of those who ask.
    pub rate: Arc<RateLimiter>,
    /// What is rendered of scans.
    pub rendered: scan::Rendered,
}
