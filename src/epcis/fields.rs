//! Reading single fields: each checks a value's form and writes its canonical form back into the tree.

use std::borrow::Cow;

use super::{
    context::Context,
    error::{Checked, Fault, Reason, Under, quote},
    json::{Json, Members, names_differ},
    time,
    uri::is_uri,
    vocabulary::Words,
};

/// Keywords of JSON-LD that the value of an extension may use.
const VALUE_KEYWORDS: [&str; 6] = ["@id", "@type", "@value", "@language", "@list", "@set"];

pub(super) fn text<'j>(value: &'j Json<'_>, expected: &'static str) -> Checked<&'j str> {
    match value {
        Json::String(text) => Ok(text),
        other => Err(Fault::unexpected(other.describe(), expected)),
    }
}

pub(super) fn object<'j, 'a>(value: &'j mut Json<'a>, expected: &'static str) -> Checked<&'j mut Members<'a>> {
    match value {
        Json::Object(members) => Ok(members),
        other => Err(Fault::unexpected(other.describe(), expected)),
    }
}

pub(super) fn array<'j, 'a>(value: &'j mut Json<'a>, expected: &'static str) -> Checked<&'j mut Vec<Json<'a>>> {
    match value {
        Json::Array(items) => Ok(items),
        other => Err(Fault::unexpected(other.describe(), expected)),
    }
}

/// A URI, its prefix expanded.
pub(super) fn uri(value: &mut Json<'_>, context: &Context) -> Checked<String> {
    let found = text(value, "a URI")?;
    let full = context.expand(found)?;
    if !is_uri(&full) {
        return Err(Fault::unexpected(value.describe(), "a URI"));
    }
    let full = full.into_owned();
    replace(value, &full);
    Ok(full)
}

/// Each element of an array of URIs.
pub(super) fn uris(value: &mut Json<'_>, context: &Context) -> Checked<Vec<String>> {
    let items = array(value, "an array of URIs")?;
    items.iter_mut().enumerate().map(|(at, item)| uri(item, context).under_index(at)).collect()
}

/// A word of a vocabulary, or a user's own as its full URI.
pub(super) fn word(value: &mut Json<'_>, words: &Words, expected: &'static str, context: &Context) -> Checked<String> {
    let written = text(value, expected)?;
    let full = context.expand(written)?;
    match words.canonical(&full).filter(|_| !words.forbids(written)) {
        Some(word) => {
            let word = word.to_owned();
            replace(value, &word);
            Ok(word)
        }
        None => Err(Fault::unexpected(value.describe(), expected)),
    }
}

/// A date-time, in milliseconds since 1970-01-01 UTC.
pub(super) fn date_time(value: &Json<'_>) -> Checked<i64> {
    const EXPECTED: &str = "an RFC 3339 date-time with a time zone, such as 2026-05-04T09:30:00.000+08:00";
    let found = text(value, EXPECTED)?;
    time::parse_date_time(found).ok_or_else(|| Fault::unexpected(value.describe(), EXPECTED))
}

/// An extension: its name becomes a full IRI, and so do prefixed names inside its value.
pub(super) fn extension(name: &mut Cow<'_, str>, value: &mut Json<'_>, context: &Context) -> Checked<()> {
    expand_inside(value, context).under(name)?;
    let full = context.expand_name(name)?;
    if full != *name {
        *name = Cow::Owned(full);
    }
    Ok(())
}

fn expand_inside(value: &mut Json<'_>, context: &Context) -> Checked<()> {
    match value {
        Json::Array(items) => {
            items.iter_mut().enumerate().try_for_each(|(at, item)| expand_inside(item, context).under_index(at))
        }
        Json::Object(members) => {
            for (name, value) in members.iter_mut() {
                if name.starts_with('@') && !VALUE_KEYWORDS.contains(&name.as_ref()) {
                    return Err(Fault::new(Reason::UnknownField {
                        name: quote(name),
                        expected: "a name, or one of JSON-LD's keywords for values",
                    }));
                }
                expand_inside(value, context).under(name)?;
                let full = context.expand(name)?;
                if full != *name {
                    *name = Cow::Owned(full.into_owned());
                }
            }
            // Two names that differed as written may be one now.
            names_differ(members)
        }
        _ => Ok(()),
    }
}

pub(super) fn replace(value: &mut Json<'_>, text: &str) {
    if !matches!(value, Json::String(old) if old == text) {
        *value = Json::String(Cow::Owned(text.to_owned()));
    }
}

pub(super) fn missing(field: &'static str, expected: &'static str) -> Fault {
    Fault::new(Reason::Missing { field, expected })
}

pub(super) fn unknown(name: &str, expected: &'static str) -> Fault {
    Fault::new(Reason::UnknownField { name: quote(name), expected })
}
