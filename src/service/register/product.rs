//! Products.

use super::{RegisterError, Result, Service, content_of};
use crate::{
    code::Gtin,
    registration::{Content, Kind, Parent, Product, Statement, ValueError},
    service::{Caller, Counter},
    store,
    trace::ProductId,
};

impl Service {
    /// The first product that was registered under a GTIN.
    pub async fn product_of_gtin(&self, gtin: Gtin) -> store::Result<Option<ProductId>> {
        let products = self.store.children(&Parent::Gtin(gtin.to_string()), Kind::Product, None, 1).await?;
        Ok(products.first().copied().map(ProductId))
    }

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

    /// Changes a product of the caller's. Codes that were printed with its GTIN name it for ever, so a product keeps the
    /// one that it was registered with, or none.
    ///
    /// The change makes no event. A registration event says what was declared of a batch at its time, and a product may
    /// stand in any number of batches: their next corrections say what is new.
    ///
    /// # Errors
    /// Where it is not the caller's, `edit` refuses, or the GTIN is another.
    pub async fn change_product(
        &self,
        caller: &Caller,
        id: ProductId,
        edit: impl FnOnce(&mut Product) -> Result<()> + Send,
    ) -> Result<Statement> {
        let changed = self.change_product_in_turn(caller, id, edit);
        self.in_turn(&self.changing, [format!("product/{id}")], changed).await
    }

    async fn change_product_in_turn(
        &self,
        caller: &Caller,
        id: ProductId,
        edit: impl FnOnce(&mut Product) -> Result<()> + Send,
    ) -> Result<Statement> {
        let before = self.owned(caller, Kind::Product, id.0).await?;
        let mut product = content_of!(before.content.clone(), Product)?;
        let gtin = product.gtin;
        edit(&mut product)?;
        if product.gtin != gtin {
            let shown = |gtin: Option<Gtin>| gtin.map_or("no GTIN".to_owned(), |gtin| gtin.to_string());
            let expected = format!("{}, as registered: printed links name it for ever", shown(gtin));
            return Err(RegisterError::invalid("gtin", ValueError::out_of_range(shown(product.gtin), expected)));
        }
        let statement = self.next_version(caller, &before, Vec::new(), Content::Product(product));
        self.write_one(caller, statement).await
    }
}
