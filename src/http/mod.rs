//! The HTTP interface: a router on one page, one folder per resource, one file per verb. Only this
//! folder and `epcis` know JSON.

pub mod auth;
pub mod error;
pub mod extract;
pub mod idempotency;
pub mod router;

use std::sync::Arc;

use crate::service::Service;

/// What every handler may reach.
#[derive(Clone)]
pub struct App {
    /// The service itself.
    pub service: Arc<Service>,
}
