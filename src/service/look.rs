//! Looks: the trail of what inspectors read.

use super::{Caller, Counter, Service, statements_capture_id};
use crate::{
    limits::PAGE_ITEMS_MAX,
    registration::{Content, Kind, Look, Parent, Statement},
    store::{self, Writes},
    trace::OrganizationId,
};

impl Service {
    /// Notes a look, durably, before it is answered.
    ///
    /// # Errors
    /// Where the store does not take it; then there must be no answer.
    pub async fn note_look(&self, caller: &Caller, look: Look) -> store::Result<()> {
        let id = self.next_number(Counter::Looks).await?;
        let (organization, looked_ms) = (look.organization, look.looked_ms);
        let statement = Statement {
            kind: Kind::Look,
            id,
            version: 1,
            parents: vec![Parent::All, Parent::Organization(organization.0)],
            content: Content::Look(look),
            author: organization,
            written_ms: looked_ms,
        };
        let statements = vec![statement];
        let capture = caller.capture(statements_capture_id(organization, &statements), 0, &statements, looked_ms);
        self.commit(capture, Writes { statements, ..Writes::default() }).await?;
        Ok(())
    }

    /// Looks of one organization, or all, by number, those above `after`; at most `limit` and `PAGE_ITEMS_MAX`.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn looks(
        &self,
        of: Option<OrganizationId>,
        after: Option<u64>,
        limit: usize,
    ) -> store::Result<Vec<(u64, Look)>> {
        let parent = of.map_or(Parent::All, |of| Parent::Organization(of.0));
        let mut looks = Vec::new();
        for id in self.store.children(&parent, Kind::Look, after, limit.min(PAGE_ITEMS_MAX)).await? {
            if let Some(Content::Look(look)) = self.statement(Kind::Look, id).await?.map(|found| found.content) {
                looks.push((id, look));
            }
        }
        Ok(looks)
    }
}
