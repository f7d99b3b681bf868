//! Making the view of a code: its own entries, the units around it, the whole batch, folded; and what the public sees.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures_util::future::try_join_all;
use jiff::civil::Date;

use super::{
    block::BlockView,
    facts::RunFacts,
    kept::KeptView,
    origins::{Origins, made_by},
    own_entries::OwnEntries,
    view::{History, Line, View, latest, shown},
};
use crate::{
    code::{Code, Serial},
    registration::Organization,
    service::{
        Basis, Service,
        gather::{Gathered, TimelineLine, Units},
        provenance::Provenance,
        temperature::{ColdRecord, limits, newest, sensed_of},
    },
    store,
    trace::{Bearing, Block, Entry, Place, Role, Status},
};

impl Service {
    /// What is kept of the view of a code of a block: of one in memory that has the same history, or of a new one, which
    /// comes with it. `touches` is how many there have been of anything; `read` is what was read of the code beside its block.
    pub(super) async fn kept_view(
        &self,
        block: &BlockView,
        at: Block,
        serial: Serial,
        touches: u64,
        read: Option<OwnEntries>,
    ) -> store::Result<Option<(Arc<KeptView>, Option<Box<View>>)>> {
        let offset = Block::offset(serial);
        let forgotten = match block.known(offset, touches) {
            Ok(kept) => return Ok(Some((kept, None))),
            Err(forgotten) => forgotten,
        };
        // What was said of it before the block could be told to forget it has made this stale.
        let own = match read.filter(OwnEntries::is_current) {
            Some(own) => Some(own),
            None => self.own_entries(at, serial).await?,
        };
        let Some(own) = own else { return Ok(None) };
        let entries = own.in_order();
        let (history, today) = (History::of(&entries), block.today.date);
        let known = block.run.view(&history).filter(|kept| kept.is_current(today, touches));
        let (kept, view) = match known {
            Some(kept) => (kept, None),
            None => {
                let mut basis = Basis::default();
                let view = self.view(&own, history, &entries, today, &mut basis).await?;
                let kept = Arc::new(KeptView::new(&view, basis));
                block.run.keep(&kept);
                (kept, Some(Box::new(view)))
            }
        };
        block.remember(offset, &kept, forgotten);
        Ok(Some((kept, view)))
    }

    /// The whole view of a code, made anew; `None` where its run was never issued.
    pub async fn view_of(&self, code: &Code) -> store::Result<Option<View>> {
        let Some(own) = self.own_entries(Block::of(code.run, code.serial), code.serial).await? else { return Ok(None) };
        let (entries, today) = (own.in_order(), self.date(self.now_ms()));
        let history = History::of(&entries);
        Ok(Some(self.view(&own, history, &entries, today, &mut Basis::default()).await?))
    }

    /// What a code's own entries come to, with those of the whole batch and of the units around it.
    async fn view(
        &self,
        of: &OwnEntries,
        history: History,
        own: &[&Entry],
        today: Date,
        basis: &mut Basis,
    ) -> store::Result<View> {
        let facts = &of.facts;
        let (whole, owners) = (&facts.whole_status, facts.owners());
        let Gathered { lines, mut status } = self.gather(own, whole, owners, &mut Units::default(), basis).await?;
        let own = self.own_provenance(facts, &lines, basis).await?;
        if let Some(own) = &own {
            status.inherit(&own.measures(), own.is_suspicious());
        }
        let origins = Origins { own: own.as_ref(), whole: facts.provenance.as_deref() };
        // What the whole batch was made of stands among the lines that all its codes share.
        let of_own = Origins { whole: None, ..origins };
        let said = lines.iter().map(|line| (&line.entry, line.bearing));
        let (entries, own_further) = shown(said.chain(of_own.lines()));
        let before = of_own.places();
        let public = self.public_lines(&facts.batch.importer, &entries, &before, basis);
        let cold_record = self.cold_record_of(of, &lines, &status, &origins);
        let (mut shown_lines, cold_record) = tokio::try_join!(public, cold_record)?;
        let is_broken = cold_record.as_deref().is_some_and(ColdRecord::is_broken) || origins.is_broken();
        let made_of = origins.made_of(facts.batch.batch.expiry.map(|days| days.last));
        let expiry = made_of.as_ref().and_then(|made| made.portion.expiry);
        let is_expired = facts.batch.is_expired(today) || expiry.is_some_and(|expiry| expiry < today);
        let verdicts = status.verdicts(is_expired, is_broken);
        shown_lines.extend(facts.whole_lines.iter().cloned());
        let lines_further = latest(&mut shown_lines) + own_further + facts.whole_further;
        let (facts, lines) = (Arc::clone(facts), shown_lines);
        Ok(View { facts, history, status, today, verdicts, cold_record, lines, lines_further, made_of })
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
        of: &OwnEntries,
        lines: &[TimelineLine],
        status: &Status,
        origins: &Origins<'_>,
    ) -> store::Result<Option<Arc<ColdRecord>>> {
        let facts = &of.facts;
        let mut all = sensed_of(lines, &status.stays);
        all.extend(origins.all().flat_map(|origin| origin.sensed(facts.run.batch)).cloned());
        // What is known of the batch alone is folded once for all its codes.
        if all.is_empty() {
            return Ok(facts.cold_record.clone());
        }
        all.extend(facts.whole_sensed.iter().cloned());
        let limits = limits(facts.batch.effective().storage);
        Ok(self.cold_record(&newest(all), limits, &of.bodies).await?.map(Arc::new))
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
        let others: HashSet<_> = entries.iter().map(|(entry, _)| entry.organization).collect();
        let others = others.into_iter().filter(|id| *id != importer.id).map(|id| self.organization(id, basis));
        let others = try_join_all(others.collect::<Vec<_>>()).await?;
        let others: HashMap<_, _> = others.into_iter().map(|organization| (organization.id, organization)).collect();
        let mut lines = Vec::with_capacity(entries.len());
        for (entry, bearing) in entries {
            let id = entry.organization;
            let organization = others.get(&id).unwrap_or(importer);
            let known = id == importer.id || entry.role == Role::Inspector;
            let party = organization.public_name.clone().or_else(|| known.then(|| organization.legal_name.clone()));
            let line = Line::new(entry, *bearing, organization, party);
            lines.push(Arc::new(Line { before: before.contains(&entry.place), ..line }));
        }
        Ok(lines)
    }
}
