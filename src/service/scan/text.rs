//! Rendered texts, kept small: what is told of one code of a run is nearly what is told of the next.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use lz4_flex::block::{compress_with_dict, decompress_with_dict};

/// A text: a run's first one as it is, each later one by how it differs from the first.
#[derive(Debug)]
pub struct Text {
    first: Arc<[u8]>,
    later: Option<Later>,
}

#[derive(Debug)]
struct Later {
    /// How long the text is.
    bytes: usize,
    /// LZ4, with the first text as its dictionary.
    packed: Box<[u8]>,
}

impl Text {
    /// Keeps a text. It is the run's first of its form if there is none yet.
    pub fn new(text: &[u8], first: &OnceLock<Arc<[u8]>>) -> Self {
        let first = Arc::clone(first.get_or_init(|| text.into()));
        let packed = || compress_with_dict(text, &first).into_boxed_slice();
        let later = (*first != *text).then(|| Later { bytes: text.len(), packed: packed() });
        Self { first, later }
    }

    /// The text again.
    pub fn get(&self) -> Cow<'_, [u8]> {
        match &self.later {
            None => Cow::Borrowed(&self.first),
            // What was packed in memory unpacks.
            Some(later) => {
                Cow::Owned(decompress_with_dict(&later.packed, later.bytes, &self.first).unwrap_or_default())
            }
        }
    }

    /// What it takes beside the first, in bytes.
    pub fn bytes(&self) -> usize {
        self.later.as_ref().map_or(0, |later| later.packed.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_like_the_first_takes_little() {
        let text = |city: &str| {
            (0..100).map(|line| format!("{{\"line\":{line},\"city\":\"{city}\"}}")).collect::<String>().into_bytes()
        };
        let first = OnceLock::new();
        let (one, two) = (text("Dalian"), [text("Dalian"), text("Tianjin")].concat());
        assert_eq!((Text::new(&one, &first).bytes(), Text::new(&one, &first).bytes()), (0, 0));
        let later = Text::new(&two, &first);
        assert_eq!(*later.get(), *two);
        assert!(later.bytes() < two.len() / 8, "{}", later.bytes());
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was_kept(
            first in proptest::collection::vec(0_u8..4, 0..300), later in proptest::collection::vec(0_u8..4, 0..300),
        ) {
            let cell = OnceLock::new();
            for text in [&first, &later, &[first.clone(), later.clone()].concat()] {
                let kept = Text::new(text, &cell);
                prop_assert_eq!(&*kept.get(), &text[..]);
            }
        }
    }
}
