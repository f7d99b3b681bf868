//! Batches.

use std::collections::HashMap;

use super::{Change, RegisterError, Result, Service, content_of};
use crate::{
    code::Gtin,
    limits::{CONSIGNMENT_BATCHES_MAX, PAGE_ITEMS_MAX},
    registration::{Batch, Consignment, Content, FieldError, Kind, Missing, Parent, Product, Statement, ValueError},
    service::{Basis, Caller, Counter},
    trace::{BatchId, ConsignmentId, OrganizationId, ProductId},
};

/// A batch as its importer gives it.
#[derive(Clone, Debug)]
pub struct BatchInput {
    /// The batch, with its product where that was named by number.
    pub batch: Batch,
    /// The product's GTIN, where it was named so.
    pub gtin: Option<Gtin>,
}

/// Declaration lines that one change takes, and by which batch: none of these stands in the store yet.
pub(super) type TakenLines = HashMap<u16, BatchId>;

/// The turn at a consignment, its batches and its documents.
pub(super) fn consignment_turn(id: ConsignmentId) -> String {
    format!("consignment/{id}")
}

impl Service {
    /// The consignment under which the caller may register batches.
    ///
    /// # Errors
    /// [`RegisterError::NotFound`] where it is not the caller's.
    pub async fn own_consignment(&self, caller: &Caller, id: ConsignmentId) -> Result<Consignment> {
        content_of!(self.owned(caller, Kind::Consignment, id.0).await?.content, Consignment).map_err(Into::into)
    }

    /// What is wrong with a batch, beyond its single values. Finds the product, and writes nothing.
    ///
    /// # Errors
    /// Where the store fails; what is wrong with the batch is no error here.
    pub async fn check_batch(&self, caller: &Caller, input: &mut BatchInput) -> Result<Vec<FieldError>> {
        let mut errors = Vec::new();
        if let Some(gtin) = input.gtin {
            match self.own_product_of(caller.organization, gtin).await? {
                Some(product) if input.batch.product.is_none_or(|given| given == product.id) => {
                    input.batch.product = Some(product.id);
                }
                found => {
                    let expected = match found {
                        Some(product) => format!("the GTIN of product {}, or no product beside it", product.id),
                        None => "the GTIN of a product of yours".to_owned(),
                    };
                    errors.push(FieldError::new("gtin", ValueError::out_of_range(gtin, expected)));
                }
            }
        } else if let Some(product) = input.batch.product {
            match self.owned(caller, Kind::Product, product.0).await {
                Ok(_) => {}
                Err(RegisterError::NotFound { .. }) => {
                    let error = ValueError::out_of_range(product, "the number of a product of yours");
                    errors.push(FieldError::new("product", error));
                }
                Err(error) => return Err(error),
            }
        }
        let named = !errors.is_empty();
        errors.extend(input.batch.errors().into_iter().filter(|error| !(named && error.field == "product")));
        Ok(errors)
    }

    /// The organization's product with this GTIN; of several the first.
    async fn own_product_of(&self, organization: OrganizationId, gtin: Gtin) -> Result<Option<Product>> {
        let parent = Parent::Gtin(gtin.to_string());
        let mut after = None;
        loop {
            let page = self.store.children(&parent, Kind::Product, after, PAGE_ITEMS_MAX).await?;
            for id in &page {
                let Some(statement) = self.statement(Kind::Product, *id).await? else { continue };
                let product = content_of!(statement.content, Product)?;
                if product.organization == organization {
                    return Ok(Some(product));
                }
            }
            after = page.last().copied();
            if page.len() < PAGE_ITEMS_MAX {
                return Ok(None);
            }
        }
    }

    /// Registers batches of one consignment of the caller's, all or none. They have been through
    /// [`Service::check_batch`]; their numbers are given here.
    ///
    /// # Errors
    /// Where the consignment is not the caller's or is full.
    pub async fn create_batches(
        &self,
        caller: &Caller,
        consignment: ConsignmentId,
        batches: Vec<Batch>,
    ) -> Result<Vec<Statement>> {
        let created = self.create_batches_in_turn(caller, consignment, batches);
        self.in_turn(&self.changing, [consignment_turn(consignment)], created).await
    }

    async fn create_batches_in_turn(
        &self,
        caller: &Caller,
        consignment: ConsignmentId,
        batches: Vec<Batch>,
    ) -> Result<Vec<Statement>> {
        let consignment = self.own_consignment(caller, consignment).await?;
        if self.batches_of(consignment.id).await?.len() + batches.len() > CONSIGNMENT_BATCHES_MAX {
            let max = CONSIGNMENT_BATCHES_MAX;
            return Err(RegisterError::Full { what: "the consignment", of: "batches", max });
        }
        let written = async {
            let (mut change, mut taken) = (Change::default(), TakenLines::default());
            for batch in batches {
                let id = BatchId(self.next_number(Counter::Batches).await?);
                let mut batch = Batch { id, organization: caller.organization, consignment: consignment.id, ..batch };
                self.flag_line(&mut batch, &consignment, &mut taken).await?;
                self.write_batch(caller, &mut change, None, batch, &consignment).await?;
            }
            self.write(caller, change).await
        };
        self.in_turn(&self.lines, &consignment.declaration, written).await
    }

    /// Changes a batch of the caller's; once it is registered, by a correcting event.
    ///
    /// # Errors
    /// Where it is not the caller's, `edit` refuses, or what it makes is not valid; a registered batch stays one, and one
    /// that has codes keeps its product.
    pub async fn change_batch(
        &self,
        caller: &Caller,
        id: BatchId,
        edit: impl FnOnce(&mut BatchInput) -> Result<()> + Send,
    ) -> Result<Statement> {
        // A batch never leaves its consignment, so that this one is the one to lock.
        let consignment = content_of!(self.owned(caller, Kind::Batch, id.0).await?.content, Batch)?.consignment;
        let changed = self.change_batch_in_turn(caller, id, consignment, edit);
        // No order comes between the look whether there are codes and the write.
        let changed = self.in_turn(&self.issuing, [id], changed);
        self.in_turn(&self.changing, [consignment_turn(consignment)], changed).await
    }

    async fn change_batch_in_turn(
        &self,
        caller: &Caller,
        id: BatchId,
        consignment: ConsignmentId,
        edit: impl FnOnce(&mut BatchInput) -> Result<()> + Send,
    ) -> Result<Statement> {
        let before = self.owned(caller, Kind::Batch, id.0).await?;
        let batch = content_of!(before.content.clone(), Batch)?;
        let registered = !batch.draft;
        let (line, product) = (batch.line, batch.product);
        let mut input = BatchInput { batch, gtin: None };
        edit(&mut input)?;
        let mut errors = self.check_batch(caller, &mut input).await?;
        if registered && input.batch.draft {
            let error = ValueError::out_of_range("true", "false: a registered batch is not made a draft again");
            errors.push(FieldError::new("draft", error));
        }
        if input.batch.product != product && self.has_codes(id).await? {
            let shown = |product: Option<ProductId>| product.map_or("none".to_owned(), |product| product.to_string());
            let expected = format!("{}: codes were issued, and printed links name it for ever", shown(product));
            errors.push(FieldError::new("product", ValueError::out_of_range(shown(input.batch.product), expected)));
        }
        if !errors.is_empty() {
            return Err(RegisterError::Invalid(errors));
        }
        input.batch.consignment = consignment;
        let consignment = self.own_consignment(caller, consignment).await?;
        if !registered {
            input.batch.created_ms = self.now_ms();
        }
        let written = async {
            let (mut change, mut taken) = (Change::default(), TakenLines::default());
            if input.batch.line != line {
                self.flag_line(&mut input.batch, &consignment, &mut taken).await?;
            }
            self.write_batch(caller, &mut change, Some(&before), input.batch, &consignment).await?;
            self.write(caller, change).await
        };
        let written = self.in_turn(&self.lines, &consignment.declaration, written).await?;
        Ok(written.into_iter().next().unwrap_or(before))
    }

    /// Adds a version of a batch, and the events that it makes, to what is to be written; none where nothing changed.
    pub(super) async fn write_batch(
        &self,
        caller: &Caller,
        change: &mut Change,
        before: Option<&Statement>,
        mut batch: Batch,
        consignment: &Consignment,
    ) -> Result<()> {
        let product = self.product_of(&batch).await?;
        let mut parents = vec![Parent::Consignment(batch.consignment.0)];
        let gtin = product.as_ref().and_then(|product| product.gtin);
        if let (Some(gtin), Some(lot)) = (gtin, &batch.ai10) {
            parents.push(Parent::Lot(gtin.to_string(), lot.to_string()));
        }
        self.registration_event(caller, change, before, &mut batch, consignment, product.as_ref()).await?;
        let (id, content) = (batch.id.0, Content::Batch(batch));
        match before {
            None => change.statements.push(self.new_statement(caller, Kind::Batch, id, parents, content)),
            Some(before) if before.content == content => {}
            Some(before) => change.statements.push(self.next_version(caller, before, parents, content)),
        }
        Ok(())
    }

    async fn has_codes(&self, id: BatchId) -> Result<bool> {
        Ok(!self.store.children(&Parent::Batch(id.0), Kind::Run, None, 1).await?.is_empty())
    }

    async fn product_of(&self, batch: &Batch) -> Result<Option<Product>> {
        let Some(id) = batch.product else { return Ok(None) };
        match self.statement(Kind::Product, id.0).await? {
            Some(statement) => Ok(Some(content_of!(statement.content, Product)?)),
            None => Err(RegisterError::NotFound { what: "product", id: id.0 }),
        }
    }

    /// Takes the batch's declaration line for it, or flags the batch with the one that took it before: in the same change,
    /// or in the store. A line whose batch has moved to another one is free, and so is one whose batch was never written.
    /// It is the caller's turn at the declaration until the batch is written.
    pub(super) async fn flag_line(
        &self,
        batch: &mut Batch,
        consignment: &Consignment,
        taken: &mut TakenLines,
    ) -> Result<()> {
        batch.same_line = None;
        let (Some(declaration), Some(line)) = (&consignment.declaration, batch.line) else { return Ok(()) };
        if let Some(taker) = taken.get(&line) {
            batch.same_line = Some(*taker);
            return Ok(());
        }
        let name = format!("line/{declaration}/{line}");
        loop {
            let before = self.store.claim(&name).await?;
            let taker = before.as_deref().and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
            let taker = taker.map(BatchId).filter(|taker| *taker != batch.id);
            if let Some(taker) = taker
                && self.has_line(taker, declaration.as_str(), line).await?
            {
                batch.same_line = Some(taker);
                return Ok(());
            }
            if self.store.swap(&name, before.as_deref(), &batch.id.0.to_be_bytes()).await? {
                taken.insert(line, batch.id);
                return Ok(());
            }
        }
    }

    /// Whether a batch stands on this line. One that is not there took it for a registration that failed.
    async fn has_line(&self, id: BatchId, declaration: &str, line: u16) -> Result<bool> {
        let Some(statement) = self.statement(Kind::Batch, id.0).await? else { return Ok(false) };
        let batch = content_of!(statement.content, Batch)?;
        let Some(consignment) = self.statement(Kind::Consignment, batch.consignment.0).await? else { return Ok(true) };
        let consignment = content_of!(consignment.content, Consignment)?;
        let same = consignment.declaration.is_some_and(|number| number.as_str() == declaration);
        Ok(same && batch.line == Some(line))
    }

    /// What a batch lacks before codes may be issued for it; `None` where there is no such batch.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn missing_of_batch(&self, id: BatchId) -> Result<Option<Vec<Missing>>> {
        let facts = self.batch_facts(id, &mut Basis::default()).await?;
        Ok(facts.map(|facts| self.settings.profiles.missing(&facts.effective(), &facts.documents)))
    }
}
