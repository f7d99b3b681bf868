//! Rendered texts, kept small: what is told of one code of a run is nearly what is told of the next.

use std::{
    cell::RefCell,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use lz4_flex::block::{compress_with_dict, decompress_into_with_dict, decompress_with_dict};

/// How often a text is asked for within one second before it is kept as it is as well: unpacking that often costs more than
/// the room. A text of the ten thousand batches that are scanned now and then never is.
const ASKED_OFTEN: u64 = 16;

/// A text: a run's first one by how it differs from the first of all, each later one by how it differs from its run's first.
#[derive(Debug)]
pub struct Text {
    first: Arc<FirstText>,
    later: Option<Packed>,
}

/// The first text of a run.
#[derive(Debug)]
pub struct FirstText {
    packed: Packed,
    /// The first of all.
    of_all: Bytes,
}

impl Text {
    /// Keeps a text. It is the run's first of its form if there is none yet, and the first of all of that form likewise.
    pub fn new(text: &Bytes, first: &OnceLock<Arc<FirstText>>, of_all: &OnceLock<Bytes>) -> Self {
        let first = first.get_or_init(|| {
            let of_all = of_all.get_or_init(|| text.clone()).clone();
            Arc::new(FirstText { packed: Packed::new(text, &of_all), of_all })
        });
        let dictionary = first.packed.unpack(&first.of_all);
        Self { first: Arc::clone(first), later: (dictionary != *text).then(|| Packed::new(text, &dictionary)) }
    }

    /// The text again, asked for at a time, in milliseconds; and whether it takes more memory from now on.
    pub fn get(&self, now_ms: i64) -> (Bytes, bool) {
        let (packed, first) = (self.later.as_ref().unwrap_or(&self.first.packed), &self.first);
        if let Some(whole) = packed.whole.get() {
            return (whole.clone(), false);
        }
        let (text, has_grown) = match &self.later {
            None => (packed.unpack(&first.of_all), false),
            Some(later) => first.read(now_ms, |first| later.unpack(first)),
        };
        let text = Bytes::from(text);
        let is_kept = packed.keep_if_often(now_ms, || text.clone());
        (text, has_grown || is_kept)
    }

    /// What it takes beside its run's first, in bytes.
    pub fn bytes(&self) -> usize {
        self.later.as_ref().map_or(0, Packed::bytes)
    }
}

thread_local! {
    /// Where first texts are unpacked that are wanted for a moment: the processor has it at hand, and nothing is allocated.
    static UNPACKED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl FirstText {
    /// Reads it, at a time, in milliseconds; and tells whether it takes more memory from now on.
    fn read<R>(&self, now_ms: i64, with: impl FnOnce(&[u8]) -> R) -> (R, bool) {
        if let Some(whole) = self.packed.whole.get() {
            return (with(whole), false);
        }
        UNPACKED.with_borrow_mut(|unpacked| {
            unpacked.resize(self.packed.bytes, 0);
            // What was packed in memory unpacks.
            let _ = decompress_into_with_dict(&self.packed.packed, unpacked, &self.of_all);
            let is_kept = self.packed.keep_if_often(now_ms, || Bytes::copy_from_slice(unpacked));
            (with(unpacked), is_kept)
        })
    }

    /// What it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.packed.bytes()
    }
}

/// A text by how it differs from another.
#[derive(Debug)]
struct Packed {
    /// How long the text is.
    bytes: usize,
    /// LZ4, with the other text as its dictionary.
    packed: Box<[u8]>,
    /// The text as it is, once it was asked for often.
    whole: OnceLock<Bytes>,
    /// The second when it was last asked for, times 2^16, and how often in it.
    asked: AtomicU64,
}

impl Packed {
    fn new(text: &Bytes, dictionary: &[u8]) -> Self {
        let packed = compress_with_dict(text, dictionary).into();
        Self { bytes: text.len(), packed, whole: OnceLock::new(), asked: AtomicU64::new(0) }
    }

    fn unpack(&self, dictionary: &[u8]) -> Vec<u8> {
        // What was packed in memory unpacks.
        decompress_with_dict(&self.packed, self.bytes, dictionary).unwrap_or_default()
    }

    /// Keeps the text as it is where it is asked for often, this time counted; whether it takes more from now on.
    fn keep_if_often(&self, now_ms: i64, text: impl FnOnce() -> Bytes) -> bool {
        let is_asked_often = self.is_asked_often(now_ms);
        if is_asked_often {
            self.whole.get_or_init(text);
        }
        is_asked_often
    }

    fn bytes(&self) -> usize {
        self.packed.len() + self.whole.get().map_or(0, Bytes::len)
    }

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

    /// What is said of goods in a city.
    fn text(city: &str) -> Bytes {
        (0..100).map(|line| format!("{{\"line\":{line},\"city\":\"{city}\"}}")).collect::<String>().into()
    }

    #[test]
    fn a_text_like_the_first_takes_little() {
        let (first, of_all) = (OnceLock::new(), OnceLock::new());
        let (one, two) = (text("Dalian"), Bytes::from([text("Dalian"), text("Tianjin")].concat()));
        let [bytes, again] = [(); 2].map(|()| Text::new(&one, &first, &of_all).bytes());
        assert_eq!((bytes, again), (0, 0));
        let later = Text::new(&two, &first, &of_all);
        assert_eq!(later.get(0), (two.clone(), false));
        assert!(later.bytes() < two.len() / 8, "{}", later.bytes());
    }

    #[test]
    fn the_first_text_of_a_run_like_the_first_of_all_takes_little() {
        let of_all = OnceLock::new();
        for city in ["Dalian", "Qingdao"] {
            let first = OnceLock::new();
            assert_eq!(Text::new(&text(city), &first, &of_all).get(0), (text(city), false));
            let bytes = first.get().unwrap().bytes();
            assert!(bytes < size_of::<FirstText>() + text(city).len() / 3, "{bytes}");
        }
    }

    #[test]
    fn a_text_that_is_asked_for_often_is_kept_as_it_is() {
        let (first, of_all) = (OnceLock::new(), OnceLock::new());
        Text::new(&Bytes::from_static(b"the first"), &first, &of_all);
        let text = Bytes::from_static(b"a later one");
        let later = Text::new(&text, &first, &of_all);
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
            one in proptest::collection::vec(0_u8..4, 0..300), two in proptest::collection::vec(0_u8..4, 0..300),
        ) {
            let (first, of_all) = (OnceLock::new(), OnceLock::new());
            Text::new(&Bytes::from(two.clone()), &OnceLock::new(), &of_all);
            for text in [one.clone(), two.clone(), [one, two].concat()].map(Bytes::from) {
                prop_assert_eq!(Text::new(&text, &first, &of_all).get(0).0, text);
            }
        }
    }
}
