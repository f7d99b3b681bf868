//! The language of a page: `?lang=` first, then Accept-Language.

/// A language that the pages speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Chinese, in simplified characters.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The language of a request: `asked` is the value of `lang` in the query, `accept` the
    /// Accept-Language header (RFC 9110, section 12.5.4). Who accepts neither language reads
    /// English; who says nothing reads Chinese, as goods sold in China are labelled.
    pub fn choose(asked: Option<&str>, accept: Option<&str>) -> Self {
        if let Some(lang) = asked.and_then(Self::of_range) {
            return lang;
        }
        let Some(accept) = accept else { return Self::Zh };
        let mut best: Option<(Self, f32)> = None;
        for item in accept.split(',') {
            let (range, parameters) = item.split_once(';').unwrap_or((item, ""));
            let quality = quality(parameters);
            if let Some(lang) = Self::of_range(range)
                && quality > 0.0
                && best.is_none_or(|(_, other)| quality > other)
            {
                best = Some((lang, quality));
            }
        }
        best.map_or(Self::En, |(lang, _)| lang)
    }

    /// The language of a range such as `zh-Hans-CN`, `en`, `*`.
    fn of_range(range: &str) -> Option<Self> {
        let primary = range.trim().split('-').next()?;
        if primary.eq_ignore_ascii_case("zh") || primary == "*" {
            Some(Self::Zh)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else {
            None
        }
    }

    /// The value of `?lang=`.
    pub const fn query(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The other one.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Zh => Self::En,
            Self::En => Self::Zh,
        }
    }

    /// The language tag of the HTML (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-Hans",
            Self::En => "en",
        }
    }
}

/// The weight of an item of Accept-Language; an unreadable one counts as refused.
fn quality(parameters: &str) -> f32 {
    match parameters.trim().strip_prefix("q=") {
        Some(text) => text.trim().parse().unwrap_or(0.0),
        None => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::Lang;

    #[test]
    fn the_query_wins_over_the_header() {
        assert_eq!(Lang::choose(Some("en"), Some("zh-CN")), Lang::En);
        assert_eq!(Lang::choose(Some("zh"), Some("en")), Lang::Zh);
        assert_eq!(Lang::choose(Some("<script>"), Some("en")), Lang::En);
    }

    #[test]
    fn the_heaviest_accepted_language_is_chosen() {
        for (accept, lang) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Lang::Zh),
            ("en-GB,en;q=0.9,zh;q=0.8", Lang::En),
            ("fr,en;q=0.3, zh;q=0.5", Lang::Zh),
            ("ZH-hant-TW", Lang::Zh),
            ("fr, de;q=0.5", Lang::En),
            ("zh;q=0, en;q=0.1", Lang::En),
            ("zh;q=x, en;q=0.1", Lang::En),
            ("", Lang::En),
            (";;,,q=", Lang::En),
        ] {
            assert_eq!(Lang::choose(None, Some(accept)), lang, "{accept}");
        }
    }

    #[test]
    fn without_a_header_the_page_is_chinese() {
        assert_eq!(Lang::choose(None, None), Lang::Zh);
    }
}
