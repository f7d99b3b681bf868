//! Making the view of a code: its own entries, the units around it, the whole batch, folded; and what the public sees.

use std::{collections::HashMap, sync::Arc};

use super::{
    block::BlockView,
    facts::RunFacts,
    view::{Line, View, shown},
};
use crate::{
    code::Serial,
    registration::Organization,
    service::{
        Basis, Service,
        gather::{Gathered, Units},
    },
    store::{self, Slice},
    trace::{Bearing, Block, Entry, OrganizationId, Role, Subject},
};

impl Service {
    /// The view of a code of a block: one in memory that has the same history, or a new one.
    pub(super) async fn view(&self, block: &BlockView, at: Block, serial: Serial) -> store::Result<Arc<View>> {
        let offset = Block::offset(serial);
        let forgotten = match block.known(offset) {
            Ok(view) => return Ok(view),
            Err(forgotten) => forgotten,
        };
        let single = self.ledger_after(&Subject::Block(at), Slice::Serial(offset.into()), None).await?;
        let mut own = block.shared(serial);
        own.extend(&single);
        own.sort_unstable_by_key(|entry| entry.place);
        let places: Vec<_> = own.iter().map(|entry| entry.place).collect();
        let view = match block.facts.view(&places).filter(|view| view.is_current(block.today.date)) {
            Some(view) => view,
            None => {
                let (status, verdicts, lines, basis) = self.told_of(&block.facts, &own, block).await?;
                let told = (status, verdicts, block.today.date);
                let view = Arc::new(View::new(Arc::clone(&block.facts), told, lines, &places, basis));
                block.facts.keep_view(places, &view);
                view
            }
        };
        block.remember(offset, &view, forgotten);
        Ok(view)
    }

    /// What a code's own entries come to, with those of the whole batch and of the units around it.
    async fn told_of(&self, facts: &RunFacts, own: &[&Entry], block: &BlockView) -> store::Result<Told> {
        let mut basis = Basis::default();
        let (whole, owners) = (&facts.whole_status, facts.owners());
        let gathered = self.gather(own, whole, owners, &mut Units::default(), &mut basis).await?;
        let Gathered { lines, status } = gathered;
        let verdicts = status.verdicts(facts.batch.is_expired(block.today.date), false);
        let said = lines.iter().map(|line| (&line.entry, line.bearing)).chain(facts.whole_shown());
        let (entries, further) = shown(said);
        let lines = self.public_lines(&facts.batch.importer, &entries, &mut basis).await?;
        Ok((status, verdicts, (lines, further + facts.whole_further), basis))
    }

    /// Lines with the names that the public may see: of the importer of the goods, of whoever made its name public, and
    /// of an authority, which acts in public.
    pub(super) async fn public_lines(
        &self,
        importer: &Organization,
        entries: &[(&Entry, Bearing)],
        basis: &mut Basis,
    ) -> store::Result<Vec<Line>> {
        let mut others: HashMap<OrganizationId, Organization> = HashMap::new();
        let mut lines = Vec::with_capacity(entries.len());
        for (entry, bearing) in entries {
            let id = entry.organization;
            if id != importer.id && !others.contains_key(&id) {
                others.insert(id, self.organization(id, basis).await?);
            }
            let organization = others.get(&id).unwrap_or(importer);
            let known = id == importer.id || entry.role == Role::Inspector;
            let party = organization.public_name.clone().or_else(|| known.then(|| organization.legal_name.clone()));
            lines.push(Line::new(entry, *bearing, party));
        }
        Ok(lines)
    }
}

/// What a view is made of: status, verdicts, lines with how many more there are, and what they rest on.
type Told = (crate::trace::Status, Vec<crate::trace::Verdict>, (Vec<Line>, usize), Basis);
