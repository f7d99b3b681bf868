//! How many codes of a level a batch may have: ordering 50,000 codes for 2,000 cartons is the classic fraud.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{EffectiveBatch, Level, Quantity};

/// Codes of one content that are issued and not void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// What bears the codes.
    pub level: Level,
    /// What is in one of them, where the order or the product said so.
    pub content: Option<Quantity>,
    /// How many.
    pub codes: u64,
}

/// Why codes may not be issued.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IssueError {
    /// Nothing says how many there may be.
    #[error(
        "nothing limits the codes of level {}: expected the batch's `quantities` for it, or the content of one \
         and the batch's `net_weight`", level.as_str()
    )]
    NoLimit {
        /// The level.
        level: Level,
    },
    /// The content cannot be compared with the batch's net weight or with what was issued before.
    #[error("found a content of {content}, expected one in a unit that converts to those of {whole}")]
    Incomparable {
        /// One code's content.
        content: Quantity,
        /// The batch's net weight.
        whole: Quantity,
    },
    /// More than there are goods.
    #[error(
        "found an order of {ordered} codes of level {} beside {live} live ones, expected at most {rest} more",
        level.as_str()
    )]
    TooMany {
        /// The level.
        level: Level,
        /// Live codes of that level.
        live: u64,
        /// Codes ordered.
        ordered: u64,
        /// Codes that may still be ordered.
        rest: u64,
    },
}

/// What limits the codes of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit<'a> {
    /// A count: the batch's `quantities` for that level.
    Codes(u64),
    /// What all contents together may not pass: the batch's net weight, else its quantity.
    Contents {
        /// One code's content.
        content: &'a Quantity,
        /// All of it.
        whole: &'a Quantity,
    },
}

/// What limits a level whose codes hold `content` each; without a content the product's for that level counts. `None`
/// where nothing does.
pub fn limit_of_level<'a>(
    batch: &EffectiveBatch<'a>,
    level: Level,
    content: Option<&'a Quantity>,
) -> Option<Limit<'a>> {
    if let Some(count) = batch.batch.quantities.of(level) {
        return Some(Limit::Codes(count));
    }
    let whole = batch.batch.net_weight.as_ref().or(batch.batch.quantity.as_ref())?;
    Some(Limit::Contents { content: content.or_else(|| content_of_level(batch, level))?, whole })
}

/// What one of a level holds by the product's packaging.
pub fn content_of_level<'a>(batch: &EffectiveBatch<'a>, level: Level) -> Option<&'a Quantity> {
    batch.product?.packaging.iter().find(|packaging| packaging.level == level)?.net.as_ref()
}

/// Whether `ordered` more codes may be issued beside the `live` ones of the batch (other levels are left out). The
/// limit may be passed by `tolerance_permille`, rounded down to whole codes.
///
/// # Errors
/// Where nothing limits the level, units do not convert, or it would be too many.
pub fn may_issue(
    batch: &EffectiveBatch,
    level: Level,
    content: Option<&Quantity>,
    live: &[Live],
    ordered: u64,
    tolerance_permille: u32,
) -> Result<(), IssueError> {
    let same_level = || live.iter().filter(|live| live.level == level);
    let live_codes = same_level().fold(0_u64, |sum, live| sum.saturating_add(live.codes));
    let rest = match limit_of_level(batch, level, content).ok_or(IssueError::NoLimit { level })? {
        Limit::Codes(count) => {
            let grown = u128::from(count) * (1_000 + u128::from(tolerance_permille)) / 1_000;
            u64::try_from(grown).unwrap_or(u64::MAX).saturating_sub(live_codes)
        }
        Limit::Contents { content, whole } => {
            let held = same_level().map(|live| (live.content.as_ref().unwrap_or(content), live.codes));
            whole
                .room_for(content, held, tolerance_permille)
                .ok_or_else(|| IssueError::Incomparable { content: content.clone(), whole: whole.clone() })?
        }
    };
    if ordered > rest {
        return Err(IssueError::TooMany { level, live: live_codes, ordered, rest });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{
        LevelCounts,
        samples::{batch, consignment, kilograms, product},
    };
    use super::*;

    fn order(
        counts: LevelCounts,
        level: Level,
        content: Option<&str>,
        live: &[Live],
        ordered: u64,
    ) -> Result<(), IssueError> {
        let (mut batch, consignment, product) = (batch(), consignment(), product());
        batch.quantities = counts;
        let content = content.map(kilograms);
        let view = EffectiveBatch::new(&batch, &consignment, Some(&product));
        may_issue(&view, level, content.as_ref(), live, ordered, 20)
    }

    fn live(level: Level, content: &str, codes: u64) -> Live {
        Live { level, content: Some(kilograms(content)), codes }
    }

    #[test]
    fn fifty_thousand_codes_for_two_thousand_cartons_are_refused() {
        let counts = LevelCounts { case: Some(2_000), ..LevelCounts::default() };
        let refused = IssueError::TooMany { level: Level::Case, live: 0, ordered: 50_000, rest: 2_040 };
        assert_eq!(order(counts, Level::Case, None, &[], 50_000), Err(refused));
        assert_eq!(order(counts, Level::Case, None, &[], 2_040), Ok(()));
        let some = [live(Level::Case, "1", 2_000), live(Level::Item, "1", 9)];
        assert_eq!(order(counts, Level::Case, None, &some, 40), Ok(()));
        assert!(order(counts, Level::Case, None, &some, 41).is_err());
    }

    #[test]
    fn a_level_without_a_count_is_limited_by_contents_against_net_weight() {
        let none = LevelCounts::default();
        // 1,000 kg and 2 % are 2,550 items of 0.4 kg, which the product's packaging says.
        assert_eq!(order(none, Level::Item, None, &[], 2_550), Ok(()));
        assert!(order(none, Level::Item, None, &[], 2_551).is_err());
        assert_eq!(order(none, Level::Case, None, &[], 1), Err(IssueError::NoLimit { level: Level::Case }));
        assert_eq!(order(none, Level::Case, Some("10"), &[], 102), Ok(()));
    }

    #[test]
    fn runs_of_different_contents_cannot_pass_the_net_weight_together() {
        let none = LevelCounts::default();
        let heavy = [live(Level::Item, "10", 100)];
        assert_eq!(order(none, Level::Item, Some("0.4"), &heavy, 50), Ok(()));
        assert!(order(none, Level::Item, Some("0.4"), &heavy, 51).is_err());
    }

    #[test]
    fn contents_in_units_that_do_not_convert_are_refused() {
        let (batch, consignment, product) = (batch(), consignment(), product());
        let view = EffectiveBatch::new(&batch, &consignment, Some(&product));
        let litre = Quantity { value: super::super::Decimal::whole(1), uom: super::super::Uom::parse("LTR").unwrap() };
        let refused = may_issue(&view, Level::Item, Some(&litre), &[], 1, 0);
        assert!(matches!(refused, Err(IssueError::Incomparable { .. })));
    }
}
