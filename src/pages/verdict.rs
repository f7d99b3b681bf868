//! How each verdict is told: word, sentence, advice, tone and icon. Colour never stands alone: every
//! tone has its own outline and every verdict its own glyph in it.

use super::Lang;
use crate::trace::Verdict;

/// What a verdict asks of the reader. It decides colour and outline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Green, a shield: for [`Verdict::Genuine`] alone.
    Good,
    /// Amber, a triangle: ask before you eat it.
    Caution,
    /// Red, an octagon: do not buy it, do not eat it.
    Stop,
    /// Grey, a broken circle: not known.
    Unknown,
}

/// How a verdict is told in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Telling {
    /// The word to be read at arm's length.
    pub word: &'static str,
    /// What it means, in a sentence.
    pub sentence: &'static str,
    /// What to do, in a sentence or two.
    pub advice: &'static str,
}

/// How a verdict looks and what it is called.
struct Sign {
    tone: Tone,
    /// The glyph inside the outline: SVG path data on a 48 by 48 field, stroked.
    glyph: &'static str,
    zh: Telling,
    en: Telling,
}

impl Tone {
    /// The tone of a verdict.
    pub fn of(verdict: Verdict) -> Self {
        sign(verdict).tone
    }

    /// Its class in the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Caution => "caution",
            Self::Stop => "stop",
            Self::Unknown => "unknown",
        }
    }

    /// The outline of its icons: SVG path data on a 48 by 48 field.
    pub(super) const fn outline(self) -> &'static str {
        match self {
            Self::Good => "M24 3 41 9v14c0 11-7 18-17 22C14 41 7 34 7 23V9Z",
            Self::Caution => "M24 5 45 42H3Z",
            Self::Stop => "M15 3h18l12 12v18L33 45H15L3 33V15Z",
            Self::Unknown => "M24 4a20 20 0 1 1 0 40 20 20 0 0 1 0-40Z",
        }
    }
}

impl Telling {
    /// The words for a verdict.
    pub fn of(verdict: Verdict, lang: Lang) -> &'static Self {
        let sign = sign(verdict);
        match lang {
            Lang::Zh => &sign.zh,
            Lang::En => &sign.en,
        }
    }
}

/// The glyph inside a verdict's outline.
pub(super) fn glyph(verdict: Verdict) -> &'static str {
    sign(verdict).glyph
}

const fn sign(verdict: Verdict) -> &'static Sign {
    match verdict {
        Verdict::Forged => &FORGED,
        Verdict::NotIssued => &NOT_ISSUED,
        Verdict::WrongProduct => &WRONG_PRODUCT,
        Verdict::Void => &VOID,
        Verdict::Recalled => &RECALLED,
        Verdict::Destroyed => &DESTROYED,
        Verdict::Suspicious => &SUSPICIOUS,
        Verdict::OnHold => &ON_HOLD,
        Verdict::ColdChainBroken => &COLD_CHAIN_BROKEN,
        Verdict::Expired => &EXPIRED,
        Verdict::NotActivated => &NOT_ACTIVATED,
        Verdict::Unverifiable => &UNVERIFIABLE,
        Verdict::Genuine => &GENUINE,
    }
}

static FORGED: Sign = Sign {
    tone: Tone::Stop,
    glyph: "m16 16 16 16m0-16L16 32",
    zh: Telling {
        word: "假码",
        sentence: "这不是本系统签发的追溯码。",
        advice: "手工输入的，请逐字核对 20 个字符；扫码得到此结果的，请勿购买或食用，并拨打 12315。",
    },
    en: Telling {
        word: "Forged",
        sentence: "This code was not made by this system.",
        advice: "If you typed it, check all 20 characters. If you scanned it, do not buy or eat the product, and report it (12315 in China).",
    },
};

static NOT_ISSUED: Sign = Sign {
    tone: Tone::Stop,
    glyph: "M15 24h18",
    zh: Telling {
        word: "未签发", sentence: "此追溯码从未签发给任何商品。", advice: "请勿购买或食用，并拨打 12315。"
    },
    en: Telling {
        word: "Not issued",
        sentence: "This code was never issued for any goods.",
        advice: "Do not buy or eat the product, and report it (12315 in China).",
    },
};

static WRONG_PRODUCT: Sign = Sign {
    tone: Tone::Stop,
    glyph: "M15 20h18M15 28h18M29 14 19 34",
    zh: Telling {
        word: "货码不符",
        sentence: "此追溯码属于另一种商品，标签可能被挪用。",
        advice: "请与下方商品核对；不一致的，请勿购买或食用，并拨打 12315。",
    },
    en: Telling {
        word: "Wrong product",
        sentence: "This code belongs to another product; the label may have been moved.",
        advice: "The code was issued for the product below. If you hold something else, do not buy or eat it, and report it.",
    },
};

static VOID: Sign = Sign {
    tone: Tone::Stop,
    glyph: "M13 35 35 13",
    zh: Telling {
        word: "已作废",
        sentence: "进口商已声明此标签作废。",
        advice: "带有此标签的商品不应出售。请勿购买或食用，并拨打 12315。",
    },
    en: Telling {
        word: "Void",
        sentence: "The importer declared this label void.",
        advice: "Goods with this label should not be on sale. Do not buy or eat them, and report it.",
    },
};

static RECALLED: Sign = Sign {
    tone: Tone::Stop,
    glyph: "M20 14 13 21l7 7M13 21h14a6.5 6.5 0 0 1 0 13h-6",
    zh: Telling {
        word: "已召回", sentence: "此商品正在被召回。", advice: "请勿食用。请保留包装，退回购买处。"
    },
    en: Telling {
        word: "Recalled",
        sentence: "This product is being recalled.",
        advice: "Do not eat it. Keep the package and take it back to where you bought it.",
    },
};

static DESTROYED: Sign = Sign {
    tone: Tone::Stop,
    glyph: "M14 17h20M20 17v-4h8v4M17 17l1.5 18h11L31 17M22 22v8M26 22v8",
    zh: Telling {
        word: "已销毁",
        sentence: "带有此追溯码的商品已登记销毁。",
        advice: "它不应再出现在市场上。请勿购买或食用，并拨打 12315。",
    },
    en: Telling {
        word: "Destroyed",
        sentence: "The goods with this code were reported as destroyed.",
        advice: "They should not exist any more. Do not buy or eat what carries this label, and report it.",
    },
};

static SUSPICIOUS: Sign = Sign {
    tone: Tone::Caution,
    glyph: "M24 19v10M24 34v1.5",
    zh: Telling {
        word: "可疑",
        sentence: "此追溯码的记录互相矛盾，标签可能被复制。",
        advice: "请核对商品与流转过程；有疑问的，请勿食用，并拨打 12315。",
    },
    en: Telling {
        word: "Suspicious",
        sentence: "The reports on this code contradict each other; its label may have been copied.",
        advice: "Compare the product and its journey with where you found it. If in doubt, do not eat it, and report it.",
    },
};

static ON_HOLD: Sign = Sign {
    tone: Tone::Caution,
    glyph: "M20 22v14M28 22v14",
    zh: Telling {
        word: "暂停销售",
        sentence: "此商品正在调查，暂停销售。",
        advice: "在解除之前请勿食用。稍后可再次扫码查看。",
    },
    en: Telling {
        word: "On hold",
        sentence: "This product is under investigation and may not be sold.",
        advice: "Do not eat it until the hold is lifted. Scan again later.",
    },
};

static COLD_CHAIN_BROKEN: Sign = Sign {
    tone: Tone::Caution,
    glyph: "M21 27.5v-8a3 3 0 0 1 6 0v8a5.5 5.5 0 1 1-6 0Z",
    zh: Telling {
        word: "冷链中断",
        sentence: "此商品曾在规定温度之外存放。",
        advice: "请勿食用，请向销售者说明情况并退换。",
    },
    en: Telling {
        word: "Cold chain broken",
        sentence: "This product was outside its temperature limits.",
        advice: "Do not eat it. Show this page to the seller and ask for a replacement.",
    },
};

static EXPIRED: Sign = Sign {
    tone: Tone::Stop,
    glyph: "M24 11a13 13 0 1 1 0 26 13 13 0 0 1 0-26ZM24 16v8l5 4",
    zh: Telling { word: "已过期", sentence: "此商品已超过保质期。", advice: "请勿购买或食用。" },
    en: Telling { word: "Expired", sentence: "This product is past its use-by date.", advice: "Do not buy or eat it." },
};

static NOT_ACTIVATED: Sign = Sign {
    tone: Tone::Caution,
    glyph: "M24 19v8M20 22.5a7 7 0 1 0 8 0",
    zh: Telling {
        word: "未启用",
        sentence: "此标签已签发，但尚未登记贴到商品上。",
        advice: "带有此标签的商品不应在售。请向销售者询问，有疑问请勿食用。",
    },
    en: Telling {
        word: "Not activated",
        sentence: "This label was issued, but nobody has reported putting it on any goods.",
        advice: "Goods with it should not be on sale yet. Ask the seller; if in doubt, do not eat it.",
    },
};

static UNVERIFIABLE: Sign = Sign {
    tone: Tone::Unknown,
    glyph: "M18.5 19a5.5 5.5 0 1 1 8 5c-2 1-2.5 2-2.5 4.5M24 33.5V35",
    zh: Telling {
        word: "无法核验",
        sentence: "现在无法确认此商品是否安全。",
        advice: "请稍后再次扫码。确认之前请勿食用。",
    },
    en: Telling {
        word: "Cannot be checked",
        sentence: "The safety of this product cannot be confirmed now.",
        advice: "Scan again later. Until then, do not eat it.",
    },
};

static GENUINE: Sign = Sign {
    tone: Tone::Good,
    glyph: "m15 24 7 7 12-14",
    zh: Telling {
        word: "正品",
        sentence: "追溯码真实，未见召回、过期等异常。",
        advice: "请与手中商品核对：图片、净含量、包装一致吗？",
    },
    en: Telling {
        word: "Genuine",
        sentence: "The code is real, and nothing speaks against these goods.",
        advice: "Do picture, net weight and package match what you hold?",
    },
};

#[cfg(test)]
mod tests {
    use super::{Telling, Tone, glyph, sign};
    use crate::pages::Lang;
    use crate::trace::Verdict;

    #[test]
    fn only_genuine_is_green() {
        for verdict in Verdict::ALL {
            assert_eq!(Tone::of(verdict) == Tone::Good, verdict == Verdict::Genuine, "{verdict:?}");
        }
    }

    #[test]
    fn every_verdict_has_words_of_its_own_in_both_languages_and_a_glyph_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for verdict in Verdict::ALL {
            assert!(seen.insert(glyph(verdict)), "{verdict:?}");
            for lang in [Lang::Zh, Lang::En] {
                let telling = Telling::of(verdict, lang);
                assert!(seen.insert(telling.word), "{verdict:?}");
                assert!(seen.insert(telling.sentence), "{verdict:?}");
                assert!(!telling.advice.is_empty());
                assert_eq!(telling.sentence.is_ascii(), lang == Lang::En, "{verdict:?}");
            }
            assert!(sign(verdict).zh.word.chars().count() <= 4, "{verdict:?} is not to be read at arm's length");
        }
    }

    #[test]
    fn verdicts_are_listed_gravest_first() {
        assert!(Verdict::ALL.is_sorted());
        assert_eq!(Verdict::ALL[0], Verdict::Forged);
    }
}
