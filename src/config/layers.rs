//! Four layers of one TOML table: defaults, file, environment, command line.

use std::path::Path;

use toml::{Table, Value};

use super::{Error, Result};

/// `config/default.toml`: every key with its default and its explanation.
pub(super) const DEFAULT: &str = include_str!("../../config/default.toml");

const PREFIX: &str = "COLDPROOF_";
/// Variables with our prefix that are no configuration keys: where the file is, and secrets that belong in no file.
const OTHER_VARIABLES: [&str; 3] = ["COLDPROOF_CONFIG", "COLDPROOF_KEYRING", "COLDPROOF_API_KEY"];

/// One `section.key=value` of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    section: String,
    key: String,
    value: String,
}

impl Setting {
    /// A setting of a key that the program itself names.
    pub fn new(section: &str, key: &str, value: impl Into<String>) -> Setting {
        Setting { section: section.to_owned(), key: key.to_owned(), value: value.into() }
    }
}

/// Parses `section.key=value`; whether the key exists is known when all layers are read.
///
/// # Errors
/// [`Error::Setting`] without `=` or without `.` before it.
pub fn parse_setting(text: &str) -> Result<Setting> {
    let parts = text.split_once('=').and_then(|(name, value)| Some((name.trim().split_once('.')?, value)));
    let ((section, key), value) = parts.ok_or_else(|| Error::Setting(text.to_owned()))?;
    Ok(Setting::new(section, key, value))
}

/// The defaults with file, environment and settings over them; no key in it is unknown.
pub(super) fn merged(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    settings: &[Setting],
) -> Result<Table> {
    let mut table = parsed(DEFAULT, "config/default.toml")?;
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        let place = path.display().to_string();
        for (section, keys) in parsed(&text, &place)? {
            let Value::Table(keys) = keys else {
                return Err(unknown_section(&table, &place, &section));
            };
            for (key, value) in keys {
                *slot(&mut table, &place, &section, &key)? = value;
            }
        }
    }
    for (variable, text) in environment {
        let Some(name) = variable.strip_prefix(PREFIX).filter(|_| !OTHER_VARIABLES.contains(&&*variable)) else {
            continue;
        };
        let (section, key) = named_by_variable(&table, name).ok_or(Error::UnknownVariable(variable.clone()))?;
        set(&mut table, &variable, &section, &key, &text)?;
    }
    for Setting { section, key, value } in settings {
        set(&mut table, &format!("{section}.{key}={value}"), section, key, value)?;
    }
    Ok(table)
}

/// A reader's message on one line, as every error of this program is printed.
pub(super) fn one_line(error: &toml::de::Error) -> String {
    let text = error.to_string();
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn parsed(text: &str, place: &str) -> Result<Table> {
    text.parse().map_err(|error: toml::de::Error| {
        let line =
            error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.lines().count().max(1));
        Error::Syntax { place: place.to_owned(), message: format!("line {line}: {}", error.message()) }
    })
}

fn set(table: &mut Table, place: &str, section: &str, key: &str, text: &str) -> Result<()> {
    let slot = slot(table, place, section, key)?;
    *slot = value_like(slot, text);
    Ok(())
}

fn slot<'a>(table: &'a mut Table, place: &str, section: &str, key: &str) -> Result<&'a mut Value> {
    if !table.contains_key(section) {
        return Err(unknown_section(table, place, section));
    }
    let keys = table.get_mut(section).and_then(Value::as_table_mut);
    let expected = keys.as_ref().map(|keys| names(keys)).unwrap_or_default();
    keys.and_then(|keys| keys.get_mut(key)).ok_or_else(|| Error::UnknownKey {
        place: place.to_owned(),
        section: section.to_owned(),
        found: key.to_owned(),
        expected,
    })
}

/// `SERVER_LISTEN` names `server.listen`: of all keys, since both halves may have underscores.
fn named_by_variable(table: &Table, name: &str) -> Option<(String, String)> {
    table.iter().find_map(|(section, keys)| {
        let key = keys.as_table()?.keys().find(|key| format!("{section}_{key}").eq_ignore_ascii_case(name))?;
        Some((section.clone(), key.clone()))
    })
}

/// `text` as a value of the default's type. What does not parse stays text, and is refused with its key later.
fn value_like(default: &Value, text: &str) -> Value {
    let text = text.trim();
    let as_toml = || format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    match default {
        Value::String(_) => Value::String(text.to_owned()),
        Value::Array(_) if !text.starts_with('[') => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
        _ => as_toml().unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

fn unknown_section(table: &Table, place: &str, found: &str) -> Error {
    Error::UnknownSection { place: place.to_owned(), found: found.to_owned(), expected: names(table) }
}

fn names(table: &Table) -> String {
    table.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_without_a_section_or_a_value_is_refused() {
        for text in ["listen=1", "server.listen", "", "="] {
            assert!(parse_setting(text).is_err(), "{text:?}");
        }
        assert_eq!(parse_setting("log.filter=a=b").unwrap(), Setting::new("log", "filter", "a=b"));
    }

    #[test]
    fn lists_come_as_toml_or_between_commas() {
        let default = Value::Array(Vec::new());
        assert_eq!(value_like(&default, "a, b"), value_like(&default, r#"["a", "b"]"#));
        assert_eq!(value_like(&default, ""), default);
    }

    #[test]
    fn a_file_that_is_not_toml_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("broken.toml");
        std::fs::write(&file, "[server]\n\nlisten 127.0.0.1\n").unwrap();
        let error = merged(Some(&file), [], &[]).unwrap_err().to_string();
        assert!(error.contains("broken.toml") && error.contains("line 3"), "{error}");
    }
}
