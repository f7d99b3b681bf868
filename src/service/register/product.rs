//! Products.

use super::{Result, Service, content_of};
use crate::{
    registration::{Content, Kind, Parent, Product, Statement},
    service::{Caller, Counter},
    trace::ProductId,
};

impl Service {
    /// Registers a product of the caller's organization; its number is given here.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn create_product(&self, caller: &Caller, product: Product) -> Result<Statement> {
        let id = self.next_number(Counter::Products).await?;
        let product = Product { id: ProductId(id), organization: caller.organization, ..product };
        let parents = product.gtin.iter().map(|gtin| Parent::Gtin(gtin.to_string())).collect();
        let statement = self.new_statement(caller, Kind::Product, id, parents, Content::Product(product));
        self.write_one(caller, statement).await
    }

    /// Changes a product of the caller's. Codes that were printed with its GTIN name it for ever, so `edit` leaves the
    /// GTIN as it is.
    ///
    /// # Errors
    /// Where it is not the caller's, or `edit` refuses.
    pub async fn change_product(
        &self,
        caller: &Caller,
        id: ProductId,
        edit: impl FnOnce(&mut Product) -> Result<()> + Send,
    ) -> Result<Statement> {
        let _changing = self.changing.lock().await;
        let before = self.owned(caller, Kind::Product, id.0).await?;
        let mut product = content_of!(before.content.clone(), Product)?;
        edit(&mut product)?;
        let statement = self.next_version(caller, &before, Vec::new(), Content::Product(product));
        self.write_one(caller, statement).await
    }
}
