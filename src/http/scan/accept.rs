//! In which form a scan is answered: the `Accept` header (RFC 9110, section 12.5.1).

/// The forms of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/json`, also for `*/*` and for none: who asks for nothing in particular is a program.
    Json,
    /// `text/html`.
    Page,
}

impl Form {
    /// The form that the header weighs most, the earlier of equals; `None` where it accepts neither.
    pub fn choose(accept: Option<&str>) -> Option<Self> {
        let Some(accept) = accept else { return Some(Self::Json) };
        let mut best: Option<(f32, Self)> = None;
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let form = match parts.next().unwrap_or_default() {
                "text/html" | "text/*" | "application/xhtml+xml" => Self::Page,
                "application/json" | "application/*" | "*/*" | "application/ld+json" => Self::Json,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |text| text.parse().ok());
            let Some(weight) = weight.filter(|weight| *weight > 0.0) else { continue };
            if best.is_none_or(|(other, _)| weight > other) {
                best = Some((weight, form));
            }
        }
        best.map(|(_, form)| form)
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn a_browser_gets_a_page_and_a_program_gets_json() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert_eq!(Form::choose(Some(browser)), Some(Form::Page));
        assert_eq!(Form::choose(Some("*/*")), Some(Form::Json));
        assert_eq!(Form::choose(None), Some(Form::Json));
        assert_eq!(Form::choose(Some("application/json;q=0.5, text/html;q=0.4")), Some(Form::Json));
    }

    #[test]
    fn a_form_that_is_not_accepted_is_not_given() {
        assert_eq!(Form::choose(Some("image/png")), None);
        assert_eq!(Form::choose(Some("text/html;q=0")), None);
    }
}
