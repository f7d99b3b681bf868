//! Making the view of a code: its own entries, the units around it, the whole batch, folded; and what the public sees.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::civil::Date;

use super::{
    block::BlockView,
    facts::RunFacts,
    origins::{Origins, made_by},
    view::{Line, Told, View, latest, shown},
};
use crate::{
    code::Serial,
    registration::Organization,
    service::{
        Basis, Service,
        gather::{Gathered, TimelineLine, Units},
        provenance::Provenance,
        temperature::{ColdRecord, limits, newest, sensed_of},
    },
    store::{self, Slice},
    trace::{Bearing, Block, Entry, OrganizationId, Place, Role, Status, Subject},
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
        let gathered = self.gather(own, whole, owners, &mut Units::default(), &mut basis).await?;
        let Gathered { lines, mut status } = gathered;
        let own = self.own_provenance(facts, &lines, &mut basis).await?;
        if let Some(own) = &own {
            status.inherit(&own.measures(), own.is_suspicious());
        }
        let origins = Origins { own: own.as_ref(), whole: facts.provenance.as_deref() };
        let cold_record = self.cold_record_of(facts, &lines, &status, &origins).await?;
        let is_broken = cold_record.as_deref().is_some_and(ColdRecord::is_broken) || origins.is_broken();
        let made_of = origins.made_of(facts.batch.batch.expiry.map(|days| days.last));
        let expiry = made_of.as_ref().and_then(|made| made.portion.expiry);
        let is_expired = facts.batch.is_expired(today) || expiry.is_some_and(|expiry| expiry < today);
        let verdicts = status.verdicts(is_expired, is_broken);
        // What the whole batch was made of stands among the lines that all its codes share.
        let of_own = Origins { whole: None, ..origins };
        let said = lines.iter().map(|line| (&line.entry, line.bearing));
        let (entries, own_further) = shown(said.chain(of_own.lines()));
        let mut lines = self.public_lines(&facts.batch.importer, &entries, &of_own.places(), &mut basis).await?;
        lines.extend(facts.whole_lines.iter().cloned());
        let further = latest(&mut lines);
        let lines_further = further + own_further + facts.whole_further;
        Ok(Told { status, verdicts, cold_record, lines, lines_further, made_of, basis })
    }

    /// What a code's goods were made of, where its own entries tell that they came out of a transformation.
    async fn own_provenance(
        &self,
        facts: &RunFacts,
        lines: &[TimelineLine],
        basis: &mut Basis,
    ) -> store::Result<Option<Provenance>> {
        let made = made_by(lines);
        if made.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.provenance(facts.run.batch, &made, basis).await?))
    }

    /// The temperatures of goods: of the whole batch, of the code itself, and of each unit while it was inside.
    async fn cold_record_of(
        &self,
        facts: &RunFacts,
        lines: &[TimelineLine],
        status: &Status,
        origins: &Origins<'_>,
    ) -> store::Result<Option<Arc<ColdRecord>>> {
        let mut all = sensed_of(lines, &status.stays);
        all.extend(origins.all().flat_map(|origin| origin.sensed(facts.run.batch)).cloned());
        // What is known of the batch alone is folded once for all its codes.
        if all.is_empty() {
            return Ok(facts.cold_record.clone());
        }
        all.extend(facts.whole_sensed.iter().cloned());
        let limits = limits(facts.batch.effective().storage);
        Ok(self.cold_record(&newest(all), limits).await?.map(Arc::new))
    }

    /// Lines with the names that the public may see: of the importer of the goods, of whoever made its name public, and
    /// of an authority, which acts in public.
    pub(super) async fn public_lines(
        &self,
        importer: &Organization,
        entries: &[(&Entry, Bearing)],
        before: &HashSet<Place>,
        basis: &mut Basis,
    ) -> store::Result<Vec<Arc<Line>>> {
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
            let line = Line::new(entry, *bearing, organization, party);
            lines.push(Arc::new(Line { before: before.contains(&entry.place), ..line }));
        }
        Ok(lines)
    }
}
