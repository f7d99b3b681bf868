//! Making the view of a code: its own entries, the units around it, the whole batch, folded; and what the public sees.

use std::{collections::HashMap, sync::Arc};

use jiff::civil::Date;

use super::{
    block::BlockView,
    facts::RunFacts,
    view::{Line, Told, View, shown},
};
use crate::{
    code::Serial,
    registration::Organization,
    service::{
        Basis, Service,
        gather::{Gathered, TimelineLine, Units},
        temperature::{ColdRecord, limits, newest, sensed},
    },
    store::{self, Slice},
    trace::{Bearing, Block, Entry, OrganizationId, Role, Status, Subject},
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
                let (facts, today) = (&block.facts, block.today.date);
                let told = self.told_of(facts, &own, today).await?;
                let view = Arc::new(View::new(Arc::clone(facts), told, today, &places));
                block.facts.keep_view(places, &view);
                view
            }
        };
        block.remember(offset, &view, forgotten);
        Ok(view)
    }

    /// What a code's own entries come to, with those of the whole batch and of the units around it.
    async fn told_of(&self, facts: &RunFacts, own: &[&Entry], today: Date) -> store::Result<Told> {
        let mut basis = Basis::default();
        let (whole, owners) = (&facts.whole_status, facts.owners());
        let Gathered { lines, status } = self.gather(own, whole, owners, &mut Units::default(), &mut basis).await?;
        let cold_record = self.cold_record_of(facts, &lines, &status).await?;
        let is_broken = cold_record.as_deref().is_some_and(ColdRecord::is_broken);
        let verdicts = status.verdicts(facts.batch.is_expired(today), is_broken);
        let said = lines.iter().map(|line| (&line.entry, line.bearing)).chain(facts.whole_shown());
        let (entries, further) = shown(said);
        let lines = self.public_lines(&facts.batch.importer, &entries, &mut basis).await?;
        let lines_further = further + facts.whole_further;
        Ok(Told { status, verdicts, cold_record, lines, lines_further, basis })
    }

    /// The temperatures of goods: of the whole batch, of the code itself, and of each unit while it was inside.
    async fn cold_record_of(
        &self,
        facts: &RunFacts,
        lines: &[TimelineLine],
        status: &Status,
    ) -> store::Result<Option<Arc<ColdRecord>>> {
        let mut all = facts.whole_sensed.clone();
        for line in lines.iter().filter(|line| line.entry.observed_ms.is_some()) {
            let stays = status.stays.iter().filter(|stay| Some(&stay.unit) == line.of.as_ref());
            all.extend(sensed(std::iter::once((&line.entry, line.bearing)), &stays.collect::<Vec<_>>()));
        }
        // What is known of the batch alone is folded once for all its codes.
        if all.len() == facts.whole_sensed.len() {
            return Ok(facts.cold_record.clone());
        }
        let limits = limits(facts.batch.effective().storage);
        Ok(self.cold_record(&newest(all), limits).await?.map(Arc::new))
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
            lines.push(Line::new(entry, *bearing, organization, party));
        }
        Ok(lines)
    }
}
