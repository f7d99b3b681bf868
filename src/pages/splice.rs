//! A page rendered once for all codes with the same history, and the few bytes that differ put in.

use jiff::civil::DateTime;

use super::{CodePart, Lang, Telling, words::Words};
use crate::trace::{Notice, Verdict};

/// What is put in, and where: HTML comments in the template. Everything from data is escaped, so
/// that no data can hold one.
const SLOTS: [(&str, Slot); 4] = [
    ("<!--code-->", Slot::Plain),
    ("<!--grouped-->", Slot::Grouped),
    ("<!--scans-->", Slot::Scans),
    ("<!--notice-->", Slot::Notice),
];

/// Bytes that one slot takes at most: a sentence on scans with a 20-digit count and one on the sale, in Chinese.
const SLOT_BYTES_MAX: usize = 224;
/// Bytes that a notice takes at most: few codes have one.
const NOTICE_BYTES_MAX: usize = 384;

/// Characters of a code, and of each group that it is printed in.
const CODE_CHARACTERS: usize = 20;
const GROUP_CHARACTERS: usize = 4;

/// What is put in at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// The code as it is.
    Plain,
    /// The code in five groups of four.
    Grouped,
    /// The sentence on earlier scans.
    Scans,
    /// The box with what is noticed about them; nothing where nothing is.
    Notice,
}

/// A rendered page with gaps. It is what a cache keeps per ledger version, language and date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spliced {
    /// The page without what is put in.
    pub fixed: Vec<u8>,
    /// What is put in, and where.
    pub gaps: Gaps,
}

/// What is put into a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gaps {
    lang: Lang,
    /// After how many bytes of the text; ascending.
    at: Box<[(usize, Slot)]>,
}

impl Spliced {
    /// A text into which nothing is put.
    pub fn whole(fixed: Vec<u8>) -> Self {
        Self { fixed, gaps: Gaps { lang: Lang::En, at: Box::default() } }
    }

    /// Finds the gaps of a rendered page.
    pub(super) fn new(lang: Lang, html: &str) -> Self {
        let mut fixed = Vec::with_capacity(html.len());
        let mut gaps = Vec::new();
        let mut rest = html;
        while let Some((at, mark, slot)) = first_slot(rest) {
            let (before, after) = rest.split_at(at);
            fixed.extend_from_slice(before.as_bytes());
            gaps.push((fixed.len(), slot));
            rest = after.strip_prefix(mark).unwrap_or_default();
        }
        fixed.extend_from_slice(rest.as_bytes());
        Self { fixed, gaps: Gaps { lang, at: gaps.into() } }
    }

    /// The page for one code.
    pub fn fill(&self, part: &CodePart<'_>) -> Vec<u8> {
        self.gaps.fill(&self.fixed, part)
    }
}

impl Gaps {
    /// Bytes that it takes in a cache.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.at)
    }

    /// Bytes that all gaps take at most.
    fn bytes_max(&self, part: &CodePart<'_>) -> usize {
        let notices = self.at.iter().filter(|(_, slot)| *slot == Slot::Notice).count();
        let boxes = usize::from(part.notice.is_some()) + usize::from(part.as_of.is_some());
        let noticed = boxes * NOTICE_BYTES_MAX;
        (self.at.len() - notices) * SLOT_BYTES_MAX + notices * noticed
    }

    /// The page for one code, in one allocation, from its text without what is put in.
    pub fn fill(&self, fixed: &[u8], part: &CodePart<'_>) -> Vec<u8> {
        let mut page = Vec::with_capacity(fixed.len() + self.bytes_max(part));
        let mut rest = fixed;
        let mut done = 0;
        for &(at, slot) in &self.at {
            let (before, after) = rest.split_at_checked(at - done).unwrap_or((rest, &[]));
            page.extend_from_slice(before);
            match slot {
                Slot::Plain => push_code(&mut page, part.code, CODE_CHARACTERS),
                Slot::Grouped => push_code(&mut page, part.code, GROUP_CHARACTERS),
                Slot::Scans => push_scans(&mut page, self.lang, part),
                Slot::Notice => {
                    push_as_of(&mut page, self.lang, part.as_of);
                    push_notice(&mut page, self.lang, part.notice);
                }
            }
            (rest, done) = (after, at);
        }
        page.extend_from_slice(rest);
        page
    }
}

/// The first slot in a text: where it is, its mark, and what goes in.
fn first_slot(text: &str) -> Option<(usize, &'static str, Slot)> {
    SLOTS.iter().filter_map(|&(mark, slot)| Some((text.find(mark)?, mark, slot))).min_by_key(|&(at, ..)| at)
}

/// Appends a code with a space between groups. Only the alphabet of codes gets through, at most 20 of it.
fn push_code(page: &mut Vec<u8>, code: &str, group: usize) {
    let characters = code.bytes().filter(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    for (position, byte) in characters.take(CODE_CHARACTERS).enumerate() {
        if position > 0 && position % group == 0 {
            page.push(b' ');
        }
        page.push(byte);
    }
}

/// Appends the sentence on earlier scans.
fn push_scans(page: &mut Vec<u8>, lang: Lang, part: &CodePart<'_>) {
    let (none, before, after, first, end) = match (lang, part.scans) {
        (Lang::Zh, _) => ("此前没有人扫过此码。", "此前已被扫 ", " 次", "，首次在 ", "。"),
        (Lang::En, 1) => ("", "Scanned ", " time before", ", on ", "."),
        (Lang::En, _) => ("Nobody has scanned this code before.", "Scanned ", " times before", ", first on ", "."),
    };
    if part.scans == 0 {
        return page.extend_from_slice(none.as_bytes());
    }
    page.extend_from_slice(before.as_bytes());
    push_number(page, part.scans, 1);
    page.extend_from_slice(after.as_bytes());
    if let Some(at) = part.first_scan {
        page.extend_from_slice(first.as_bytes());
        page.extend_from_slice(b"<time>");
        push_minute(page, at);
        page.extend_from_slice(b"</time>");
    }
    page.extend_from_slice(end.as_bytes());
    if part.sold && part.notice.is_none() {
        let normal = match lang {
            Lang::Zh => "商品已售出，买家扫码属正常。",
            Lang::En => " Scanned after the sale: normal for a buyer.",
        };
        page.extend_from_slice(normal.as_bytes());
    }
}

/// Appends the box that says of when the page is, and that safety is not confirmed.
fn push_as_of(page: &mut Vec<u8>, lang: Lang, as_of: Option<DateTime>) {
    let Some(as_of) = as_of else { return };
    page.extend_from_slice(b"<section class=\"card noticed\"><p>");
    page.extend_from_slice(Telling::of(Verdict::Unverifiable, lang).sentence.as_bytes());
    page.push(b' ');
    page.extend_from_slice(Words::of(lang).data_as_of.as_bytes());
    page.extend_from_slice(b" <time>");
    push_minute(page, as_of);
    page.extend_from_slice(b"</time></p></section>\n");
}

/// Appends the box with a notice. It is no verdict: anybody can scan a photo of a label.
fn push_notice(page: &mut Vec<u8>, lang: Lang, notice: Option<Notice>) {
    let Some(notice) = notice else { return };
    let sentence = match (lang, notice) {
        (Lang::En, _) => notice.sentence(),
        (Lang::Zh, Notice::ScannedOften) => {
            "此码被扫的次数异常多。若您拿到时包装未开封，标签可能是复制的：请核对包装上的批号和日期。"
        }
        (Lang::Zh, Notice::ScannedInManyPlaces) => {
            "此码在多个地方被扫，超出单件商品可能到达的范围，标签可能被复制：请核对包装上的批号和日期，如有不符请举报。"
        }
    };
    page.extend_from_slice(b"<section class=\"card noticed\"><p>");
    page.extend_from_slice(sentence.as_bytes());
    page.extend_from_slice(b"</p></section>\n");
}

/// Appends a time to the minute: `2026-05-01 14:03`.
fn push_minute(page: &mut Vec<u8>, at: DateTime) {
    let two = |value: i8| u64::from(value.unsigned_abs());
    push_number(page, u64::from(at.year().unsigned_abs()), 4);
    for (separator, value) in [(b'-', at.month()), (b'-', at.day()), (b' ', at.hour()), (b':', at.minute())] {
        page.push(separator);
        push_number(page, two(value), 2);
    }
}

/// Appends a number in decimal, with leading zeros up to `digits_min`.
fn push_number(page: &mut Vec<u8>, number: u64, digits_min: u32) {
    let mut digits = number.checked_ilog10().map_or(1, |log| log + 1).max(digits_min);
    while digits > 0 {
        digits -= 1;
        let digit = 10_u64.checked_pow(digits).map_or(0, |power| number / power % 10);
        page.push(b'0' + digit as u8);
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::{NOTICE_BYTES_MAX, SLOT_BYTES_MAX, Spliced};
    use crate::{
        pages::{CodePart, Lang},
        trace::Notice,
    };

    fn fill(lang: Lang, html: &str, part: &CodePart<'_>) -> String {
        String::from_utf8(Spliced::new(lang, html).fill(part)).unwrap()
    }

    const CODE: &str = "0123456789ABCDEFGHJK";

    #[test]
    fn every_slot_is_filled_wherever_it_stands() {
        let part = CodePart {
            code: CODE,
            scans: 3,
            first_scan: Some(date(2026, 5, 1).at(4, 3, 59, 0)),
            notice: None,
            sold: false,
            as_of: None,
        };
        let html = "<!--scans-->a<!--code--><!--grouped-->b<!--other--><!--code-->";
        assert_eq!(
            fill(Lang::En, html, &part),
            "Scanned 3 times before, first on <time>2026-05-01 04:03</time>.a0123456789ABCDEFGHJK0123 4567 89AB CDEF GHJKb<!--other-->0123456789ABCDEFGHJK"
        );
    }

    #[test]
    fn the_sentence_on_scans_follows_the_count() {
        let first_scan = Some(date(2026, 12, 31).at(23, 59, 0, 0));
        for (lang, scans, sentence) in [
            (Lang::Zh, 0, "此前没有人扫过此码。"),
            (Lang::Zh, 1, "此前已被扫 1 次，首次在 <time>2026-12-31 23:59</time>。"),
            (Lang::En, 0, "Nobody has scanned this code before."),
            (Lang::En, 1, "Scanned 1 time before, on <time>2026-12-31 23:59</time>."),
            (Lang::En, 1000, "Scanned 1000 times before, first on <time>2026-12-31 23:59</time>."),
        ] {
            assert_eq!(
                fill(
                    lang,
                    "<!--scans-->",
                    &CodePart { code: CODE, scans, first_scan, notice: None, sold: false, as_of: None }
                ),
                sentence
            );
        }
    }

    #[test]
    fn nothing_but_the_alphabet_of_codes_gets_through() {
        let part = CodePart {
            code: "\"><script>ABC&<!--code-->",
            scans: 0,
            first_scan: None,
            notice: None,
            sold: false,
            as_of: None,
        };
        assert_eq!(fill(Lang::En, "<!--code-->", &part), "ABC");
    }

    #[test]
    fn a_notice_is_a_box_and_a_sale_is_normal_where_there_is_none() {
        let part = |notice| CodePart { code: CODE, scans: 5, first_scan: None, notice, sold: true, as_of: None };
        let html = "<!--notice-->|<!--scans-->";
        for lang in [Lang::Zh, Lang::En] {
            let (boxed, scans) = (fill(lang, html, &part(Some(Notice::ScannedOften))), fill(lang, html, &part(None)));
            assert!(boxed.starts_with("<section") && !boxed.contains("normal") && !boxed.contains("正常"), "{boxed}");
            assert!(scans.starts_with('|') && (scans.contains("normal") || scans.contains("正常")), "{scans}");
        }
        assert!(fill(Lang::En, html, &part(Some(Notice::ScannedOften))).contains(Notice::ScannedOften.sentence()));
    }

    proptest! {
        #[test]
        fn one_allocation_is_enough(scans: u64, minutes in 0_i64..20_000_000, zh: bool, sold: bool) {
            let first_scan = Some(date(2020, 1, 1).at(0, 0, 0, 0) + jiff::Span::new().minutes(minutes));
            let lang = if zh { Lang::Zh } else { Lang::En };
            let page = fill(lang, "<!--scans-->", &CodePart { code: CODE, scans, first_scan, notice: None, sold, as_of: None });
            prop_assert!(page.len() <= SLOT_BYTES_MAX);
            for notice in [Notice::ScannedOften, Notice::ScannedInManyPlaces] {
                let part = CodePart { code: CODE, scans, first_scan, notice: Some(notice), sold, as_of: None };
                prop_assert!(fill(lang, "<!--notice-->", &part).len() <= NOTICE_BYTES_MAX);
            }
            prop_assert!(scans == 0 || page.contains(&scans.to_string()));
        }

        #[test]
        fn text_without_slots_stays_as_it_is(html in "[ -~\\p{Han}]{0,80}") {
            let part = CodePart { code: CODE, scans: 0, first_scan: None, notice: None, sold: false, as_of: None };
            prop_assert_eq!(fill(Lang::Zh, &html, &part), html);
        }
    }
}
