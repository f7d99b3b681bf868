//! The events that registration makes.

use super::{Result, Service};
use crate::{
    registration::{Batch, Consignment, Product, Statement},
    service::Caller,
    store::Writes,
};

impl Service {
    /// Adds to `writes` the records and entries of a batch's registration, or of its correction where there is a version
    /// `before`. A draft makes none.
    pub(super) async fn registration_event(
        &self,
        _caller: &Caller,
        _writes: &mut Writes,
        _before: Option<&Statement>,
        _batch: &Batch,
        _consignment: &Consignment,
        _product: Option<&Product>,
    ) -> Result<()> {
        Ok(())
    }
}
