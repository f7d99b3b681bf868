//! The words of all standing measures, held in memory: a scan that finds one need ask nobody what it says.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    epcis::shapes::MeasureKind,
    limits::{MEASURES_HELD_MAX, PAGE_ITEMS_MAX},
    registration::{Content, Kind, Measure, Parent},
    service::Service,
    store::{self, Writes},
    trace::{MeasureId, OrganizationId, Standing},
};

/// What a standing measure says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Its number.
    pub measure: MeasureId,
    /// What it does.
    pub kind: MeasureKind,
    /// Who made it.
    pub organization: OrganizationId,
    /// What the public is told.
    pub notice: Option<String>,
    /// What a holder should do.
    pub advice: Option<String>,
}

/// The words of standing measures by number, at most `MEASURES_HELD_MAX`, the newest; lifted ones are not held.
#[derive(Debug, Default)]
pub struct MeasureTable(RwLock<BTreeMap<MeasureId, Arc<Words>>>);

/// Changes of the table that writes bring.
pub(in crate::service) struct TableChange(Vec<(MeasureId, Option<Words>)>);

/// A measure that stands for some goods, with its words where it has any.
#[derive(Clone, Debug)]
pub struct StandingMeasure {
    /// What follows from the goods' history.
    pub standing: Standing,
    /// What it says; `None` where it was made by an event alone.
    pub words: Option<Arc<Words>>,
}

impl StandingMeasure {
    /// What it does.
    pub fn kind(&self) -> MeasureKind {
        if self.standing.recall { MeasureKind::Recall } else { MeasureKind::Hold }
    }
    /// What the public is told.
    pub fn notice(&self) -> Option<&str> {
        self.words.as_ref()?.notice.as_deref()
    }
    /// What a holder should do.
    pub fn advice(&self) -> Option<&str> {
        self.words.as_ref()?.advice.as_deref()
    }
}

impl TableChange {
    /// What `writes` change.
    pub(in crate::service) fn by(writes: &Writes) -> Self {
        let change = |content: &Content| match content {
            Content::Measure(measure) => Some((measure.id, words_of(measure))),
            _ => None,
        };
        Self(writes.statements.iter().filter_map(|statement| change(&statement.content)).collect())
    }
}

fn words_of(measure: &Measure) -> Option<Words> {
    let Measure { id, kind, organization, .. } = *measure;
    let (notice, advice) = (measure.notice.clone(), measure.advice.clone());
    measure.lifted.is_none().then_some(Words { measure: id, kind, organization, notice, advice })
}

impl MeasureTable {
    /// The words of a standing measure.
    pub fn words(&self, measure: MeasureId) -> Option<Arc<Words>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&measure).cloned()
    }

    /// What is to be said of measures that stand for some goods. A number that an event alone gave to a measure of
    /// another kind says nothing.
    pub fn of(&self, standing: &[Standing]) -> Vec<StandingMeasure> {
        let with_words = |standing: &Standing| {
            let measure = StandingMeasure { standing: *standing, words: None };
            let words = standing.measure.and_then(|number| self.words(number));
            StandingMeasure { words: words.filter(|words| words.kind == measure.kind()), ..measure }
        };
        standing.iter().map(with_words).collect()
    }

    /// How many measures of an organization stand.
    pub fn standing_of(&self, organization: OrganizationId) -> usize {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        held.values().filter(|words| words.organization == organization).count()
    }

    /// Takes in what was written; where that is not known (`certain` is false), new words alone: those of a measure
    /// that is not there are told nowhere.
    pub(in crate::service) fn change(&self, change: TableChange, certain: bool) {
        if change.0.is_empty() {
            return;
        }
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (measure, words) in change.0 {
            match words {
                Some(words) => drop(held.insert(measure, Arc::new(words))),
                None if certain => drop(held.remove(&measure)),
                None => {}
            }
        }
        while held.len() > MEASURES_HELD_MAX {
            held.pop_first();
        }
    }
}

impl Service {
    /// Reads the standing measures into memory: once, before the first scan is answered. One that is damaged is told
    /// without its words.
    ///
    /// # Errors
    /// Where the store is silent.
    pub async fn load_measures(&self) -> store::Result<()> {
        let mut after = None;
        loop {
            let page = self.store.children(&Parent::All, Kind::Measure, after, PAGE_ITEMS_MAX).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(*last);
            for id in page {
                match self.load_measure(MeasureId(id)).await {
                    Err(error @ store::Error::Unavailable(_)) => return Err(error),
                    // It stands all the same, because its events say so; an audit names it.
                    Err(error) => tracing::error!(%error, measure = id, "the words of a measure could not be read"),
                    Ok(()) => {}
                }
            }
        }
    }

    /// Reads what a measure says now.
    pub(in crate::service) async fn load_measure(&self, id: MeasureId) -> store::Result<()> {
        if let Some(measure) = self.measure(id).await? {
            self.measures.change(TableChange(vec![(measure.id, words_of(&measure))]), true);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(number: u64, kind: MeasureKind) -> Words {
        let (measure, organization) = (MeasureId(number), OrganizationId(number % 2));
        Words { measure, kind, organization, notice: Some(format!("notice {number}")), advice: None }
    }

    fn set(table: &MeasureTable, number: u64, words: Option<Words>, certain: bool) {
        table.change(TableChange(vec![(MeasureId(number), words)]), certain);
    }

    #[test]
    fn words_are_told_while_the_measure_stands_and_is_of_the_kind() {
        let table = MeasureTable::default();
        set(&table, 3, Some(words(3, MeasureKind::Recall)), true);
        let told = |number, recall| {
            let standing = Standing { measure: number, recall, since_ms: 0 };
            table.of(&[standing])[0].notice().map(str::to_owned)
        };
        assert_eq!(told(Some(MeasureId(3)), true).as_deref(), Some("notice 3"));
        assert_eq!(
            (told(Some(MeasureId(3)), false), told(Some(MeasureId(4)), true), told(None, true)),
            (None, None, None)
        );
        set(&table, 3, None, false);
        assert!(told(Some(MeasureId(3)), true).is_some(), "a lift that may not have been written takes no words away");
        set(&table, 3, None, true);
        assert_eq!(told(Some(MeasureId(3)), true), None);
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_newest() {
        let table = MeasureTable::default();
        for number in 1..=MEASURES_HELD_MAX as u64 + 2 {
            set(&table, number, Some(words(number, MeasureKind::Hold)), true);
        }
        assert!(table.words(MeasureId(2)).is_none() && table.words(MeasureId(3)).is_some());
        assert_eq!(table.standing_of(OrganizationId(0)) + table.standing_of(OrganizationId(1)), MEASURES_HELD_MAX);
    }
}
