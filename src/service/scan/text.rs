//! Rendered texts, kept small: what is told of one code of a run is nearly what is told of the next.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use lz4_flex::block::{compress_with_dict, decompress_with_dict};

/// How often a text is asked for within one second before it is kept as it is as well: unpacking that often costs more than
/// the room. A text of the ten thousand batches that are scanned now and then never is.
const ASKED_OFTEN: u64 = 16;

/// A text: a run's first one as it is, each later one by how it differs from the first.
#[derive(Debug)]
pub struct Text {
    first: Bytes,
    later: Option<Later>,
}

#[derive(Debug)]
struct Later {
    /// How long the text is.
    bytes: usize,
    /// LZ4, with the first text as its dictionary.
    packed: Box<[u8]>,
    /// The text as it is, once it was asked for often.
    whole: OnceLock<Bytes>,
    /// The second when it was last asked for, times 2^16, and how often in it.
    asked: AtomicU64,
}

impl Text {
    /// Keeps a text. It is the run's first of its form if there is none yet.
    pub fn new(text: &Bytes, first: &OnceLock<Bytes>) -> Self {
        let first = first.get_or_init(|| text.clone()).clone();
        let later = || Later {
            bytes: text.len(),
            packed: compress_with_dict(text, &first).into(),
            whole: OnceLock::new(),
            asked: AtomicU64::new(0),
        };
        let later = (first != text).then(later);
        Self { first, later }
    }

    /// The text again, asked for at a time, in milliseconds; and whether it takes more memory from now on.
    pub fn get(&self, now_ms: i64) -> (Bytes, bool) {
        let Some(later) = &self.later else { return (self.first.clone(), false) };
        if let Some(whole) = later.whole.get() {
            return (whole.clone(), false);
        }
        // What was packed in memory unpacks.
        let text = Bytes::from(decompress_with_dict(&later.packed, later.bytes, &self.first).unwrap_or_default());
        let is_asked_often = later.is_asked_often(now_ms);
        if is_asked_often {
            later.whole.get_or_init(|| text.clone());
        }
        (text, is_asked_often)
    }

    /// What it takes beside the first, in bytes.
    pub fn bytes(&self) -> usize {
        let bytes = |later: &Later| later.packed.len() + later.whole.get().map_or(0, |whole| whole.len());
        self.later.as_ref().map_or(0, bytes)
    }
}

impl Later {
    /// Counts that it is asked for. Two at the same moment may be counted as one, which delays a little.
    fn is_asked_often(&self, now_ms: i64) -> bool {
        let second = (now_ms.cast_unsigned() / 1_000) << 16;
        let asked = self.asked.load(Ordering::Relaxed).max(second) + 1;
        self.asked.store(asked, Ordering::Relaxed);
        asked - second >= ASKED_OFTEN
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_like_the_first_takes_little() {
        let text =
            |city: &str| (0..100).map(|line| format!("{{\"line\":{line},\"city\":\"{city}\"}}")).collect::<String>();
        let first = OnceLock::new();
        let (one, two) = (Bytes::from(text("Dalian")), Bytes::from(text("Dalian") + &text("Tianjin")));
        assert_eq!((Text::new(&one, &first).bytes(), Text::new(&one, &first).bytes()), (0, 0));
        let later = Text::new(&two, &first);
        assert_eq!(later.get(0), (two.clone(), false));
        assert!(later.bytes() < two.len() / 8, "{}", later.bytes());
    }

    #[test]
    fn a_text_that_is_asked_for_often_is_kept_as_it_is() {
        let first = OnceLock::new();
        Text::new(&Bytes::from_static(b"the first"), &first);
        let text = Bytes::from_static(b"a later one");
        let later = Text::new(&text, &first);
        let packed = later.bytes();
        for second in 0..20 {
            for _ in 1..ASKED_OFTEN {
                assert_eq!(later.get(second * 1_000), (text.clone(), false));
            }
        }
        assert_eq!(later.bytes(), packed);
        assert_eq!(later.get(19_999), (text.clone(), true));
        assert_eq!(later.bytes(), packed + text.len());
        assert_eq!(later.get(19_999), (text, false));
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was_kept(
            first in proptest::collection::vec(0_u8..4, 0..300), later in proptest::collection::vec(0_u8..4, 0..300),
        ) {
            let cell = OnceLock::new();
            for text in [first.clone(), later.clone(), [first, later].concat()].map(Bytes::from) {
                prop_assert_eq!(Text::new(&text, &cell).get(0).0, text);
            }
        }
    }
}
