//! Cutting a span along fixed borders, so that it costs at most five entries whatever it covers.
//!
//! Whole groups inside the span make one entry in the run's ledger; whole blocks left over make at most two in
//! group ledgers; ragged ends make at most two in block ledgers. A code's lookup reads one ledger of each.

use super::{Block, Group, Span, Subject};
use crate::{
    code::{RunId, Serial},
    limits::{BLOCK_CODES, GROUP_CODES, SPAN_ENTRIES_MAX},
};

impl Group {
    /// The group that a serial lies in.
    pub fn of(run: RunId, serial: Serial) -> Self {
        // 22 bits less 17 fit a byte.
        Self { run, index: (serial.get() / GROUP_CODES) as u8 }
    }
}

impl Block {
    /// The blocks that codes of a span are in, ascending.
    pub fn of_span(span: &Span) -> impl Iterator<Item = Self> + use<> {
        let run = span.run();
        let indexes = Self::of(run, span.first()).index..=Self::of(run, span.last()).index;
        indexes.map(move |index| Self { run, index })
    }

    /// The block that a serial lies in.
    pub fn of(run: RunId, serial: Serial) -> Self {
        // 22 bits less 12 fit two bytes.
        Self { run, index: (serial.get() / BLOCK_CODES) as u16 }
    }

    /// Where a serial stands in its block, 0 to 4095.
    pub fn offset(serial: Serial) -> u16 {
        (serial.get() % BLOCK_CODES) as u16
    }

    /// The serial at an offset of this block; `None` where the offset is not below 4096.
    pub fn serial(&self, offset: u16) -> Option<Serial> {
        if u32::from(offset) >= BLOCK_CODES {
            return None;
        }
        Serial::new(u32::from(self.index) * BLOCK_CODES + u32::from(offset))
    }
}

/// The ledgers that a span's entries go to, each with the part of the span that it tells of. Together the parts are
/// the span, none overlaps another, and there are at most `SPAN_ENTRIES_MAX`.
pub fn cut(span: &Span) -> Vec<(Subject, Span)> {
    let run = span.run();
    // Half-open from here on: `end` may be 2^22, which is no serial.
    let (start, end) = (span.first().get(), span.last().get() + 1);
    let mut parts = Vec::with_capacity(SPAN_ENTRIES_MAX);
    let groups = whole(start, end, GROUP_CODES);
    match groups {
        Some((from, to)) => {
            cut_blocks(run, start, from, &mut parts);
            push(Subject::Run(run), run, from, to, &mut parts);
            cut_blocks(run, to, end, &mut parts);
        }
        None => {
            // No whole group: at most one border of groups lies inside.
            let border = start.next_multiple_of(GROUP_CODES).min(end);
            cut_blocks(run, start, border, &mut parts);
            cut_blocks(run, border, end, &mut parts);
        }
    }
    debug_assert!(parts.len() <= SPAN_ENTRIES_MAX);
    parts
}

/// Cuts a part that lies in one group.
fn cut_blocks(run: RunId, start: u32, end: u32, parts: &mut Vec<(Subject, Span)>) {
    let block = |at: u32| Subject::Block(Block { run, index: (at / BLOCK_CODES) as u16 });
    match whole(start, end, BLOCK_CODES) {
        Some((from, to)) => {
            push(block(start), run, start, from, parts);
            push(Subject::Group(Group { run, index: (from / GROUP_CODES) as u8 }), run, from, to, parts);
            push(block(to), run, to, end, parts);
        }
        None => {
            let border = start.next_multiple_of(BLOCK_CODES).min(end);
            push(block(start), run, start, border, parts);
            push(block(border), run, border, end, parts);
        }
    }
}

/// The whole multiples of `size` inside `start..end`, if there is one.
fn whole(start: u32, end: u32, size: u32) -> Option<(u32, u32)> {
    let (from, to) = (start.next_multiple_of(size), end / size * size);
    (from < to).then_some((from, to))
}

fn push(subject: Subject, run: RunId, start: u32, end: u32, parts: &mut Vec<(Subject, Span)>) {
    if start < end
        && let (Some(first), Some(last)) = (Serial::new(start), Serial::new(end - 1))
        && let Some(span) = Span::new(run, first, last)
    {
        parts.push((subject, span));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{code::KeySlot, limits::RUN_CODES_MAX};

    fn run() -> RunId {
        RunId::new(KeySlot::new(0).unwrap(), 3).unwrap()
    }

    fn span(first: u32, last: u32) -> Span {
        Span::new(run(), Serial::new(first).unwrap(), Serial::new(last).unwrap()).unwrap()
    }

    #[test]
    fn a_whole_run_is_one_entry() {
        assert_eq!(cut(&span(0, RUN_CODES_MAX - 1)), [(Subject::Run(run()), span(0, RUN_CODES_MAX - 1))]);
    }

    #[test]
    fn a_span_with_two_ragged_ends_is_five_entries() {
        let parts = cut(&span(1, RUN_CODES_MAX - 2));
        assert_eq!(parts.len(), SPAN_ENTRIES_MAX);
        assert_eq!(parts[0].0, Subject::Block(Block { run: run(), index: 0 }));
        assert_eq!(parts[2], (Subject::Run(run()), span(GROUP_CODES, RUN_CODES_MAX - GROUP_CODES - 1)));
    }

    proptest! {
        #[test]
        fn the_parts_of_a_span_are_the_span(a in 0..RUN_CODES_MAX, b in 0..RUN_CODES_MAX) {
            let whole = span(a.min(b), a.max(b));
            let parts = cut(&whole);
            prop_assert!(parts.len() <= SPAN_ENTRIES_MAX);
            let mut next = whole.first().get();
            for (_, part) in &parts {
                prop_assert_eq!(part.first().get(), next);
                next = part.last().get() + 1;
            }
            prop_assert_eq!(next, whole.last().get() + 1);
        }

        #[test]
        fn a_lookup_of_a_serial_meets_each_part_that_names_it(a in 0..RUN_CODES_MAX, b in 0..RUN_CODES_MAX, c in 0..RUN_CODES_MAX) {
            let whole = span(a.min(b), a.max(b));
            let serial = Serial::new(c).unwrap();
            let looked_up = [Subject::Run(run()), Subject::Group(Group::of(run(), serial)), Subject::Block(Block::of(run(), serial))];
            let met = cut(&whole).iter().filter(|(subject, part)| looked_up.contains(subject) && part.contains(serial)).count();
            prop_assert_eq!(met, usize::from(whole.contains(serial)));
        }
    }
}
