//! Consignments.

use super::{
    Change, Result, Service,
    batch::{TakenLines, consignment_turn},
    content_of,
};
use crate::{
    limits::CONSIGNMENT_BATCHES_MAX,
    registration::{Consignment, Content, Kind, Parent, Statement},
    service::{Caller, Counter},
    trace::ConsignmentId,
};

impl Service {
    /// Registers a consignment of the caller's organization; its number is given here.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn create_consignment(&self, caller: &Caller, consignment: Consignment) -> Result<Statement> {
        let id = self.next_number(Counter::Consignments).await?;
        let consignment = Consignment { id: ConsignmentId(id), organization: caller.organization, ..consignment };
        let statement =
            self.new_statement(caller, Kind::Consignment, id, Vec::new(), Content::Consignment(consignment));
        self.write_one(caller, statement).await
    }

    /// Changes a consignment of the caller's: a correcting event for each registered batch of it, and a look whether
    /// another declaration's lines were registered before.
    ///
    /// # Errors
    /// Where it is not the caller's, or `edit` refuses.
    pub async fn change_consignment(
        &self,
        caller: &Caller,
        id: ConsignmentId,
        edit: impl FnOnce(&mut Consignment) -> Result<()> + Send,
    ) -> Result<Statement> {
        let changed = self.change_consignment_in_turn(caller, id, edit);
        self.in_turn(&self.changing, [consignment_turn(id)], changed).await
    }

    async fn change_consignment_in_turn(
        &self,
        caller: &Caller,
        id: ConsignmentId,
        edit: impl FnOnce(&mut Consignment) -> Result<()> + Send,
    ) -> Result<Statement> {
        let before = self.owned(caller, Kind::Consignment, id.0).await?;
        let mut consignment = content_of!(before.content.clone(), Consignment)?;
        let declaration = consignment.declaration.clone();
        edit(&mut consignment)?;
        let statement = self.next_version(caller, &before, Vec::new(), Content::Consignment(consignment.clone()));
        let written = async {
            let mut taken = TakenLines::default();
            let mut change = Change { statements: vec![statement.clone()], events: Vec::new() };
            for id in self.batches_of(id).await? {
                let Some(before) = self.statement(Kind::Batch, id).await? else { continue };
                let mut batch = content_of!(before.content.clone(), Batch)?;
                if consignment.declaration != declaration {
                    self.flag_line(&mut batch, &consignment, &mut taken).await?;
                }
                self.write_batch(caller, &mut change, Some(&before), batch, &consignment).await?;
            }
            self.write(caller, change).await
        };
        self.in_turn(&self.lines, &consignment.declaration, written).await?;
        Ok(statement)
    }

    /// Numbers of a consignment's batches, ascending.
    pub(super) async fn batches_of(&self, id: ConsignmentId) -> Result<Vec<u64>> {
        let parent = Parent::Consignment(id.0);
        Ok(self.store.children(&parent, Kind::Batch, None, CONSIGNMENT_BATCHES_MAX).await?)
    }
}
