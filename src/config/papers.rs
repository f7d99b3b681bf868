//! `[papers]`.

use std::fmt::Display;

use serde::{Deserialize, Deserializer, de::Error};

use crate::registration::{Category, Country, DocumentKind, NAME_CHARS_MAX, Profile, Profiles, ValueError, date, text};

/// The longest HS code, in digits.
const HS_DIGITS_MAX: usize = 13;

/// Which papers goods need.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Papers {
    /// What each kind of goods needs before codes are issued.
    #[serde(deserialize_with = "profiles")]
    pub profiles: Profiles,
}

/// A profile as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    categories: Vec<Category>,
    #[serde(default)]
    hs_prefixes: Vec<String>,
    #[serde(default)]
    origins: Vec<String>,
    entered_from: Option<String>,
    entered_before: Option<String>,
    required: Vec<DocumentKind>,
}

fn profiles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Profiles, D::Error> {
    let written = Vec::<Written>::deserialize(deserializer)?;
    let mut names = Vec::new();
    let mut profiles = Vec::new();
    for (at, profile) in written.into_iter().enumerate() {
        let place = format!("profile {} ({:?})", at + 1, profile.name);
        let name = text(&profile.name, NAME_CHARS_MAX).and_then(|name| {
            if names.contains(&name) { Err(ValueError::out_of_range(name, "each name once")) } else { Ok(name) }
        });
        names.push(name.map_err(|error| refused::<D>(&place, "name", error))?);
        profiles.push(profile.read::<D>(&place)?);
    }
    Ok(Profiles(profiles))
}

impl Written {
    fn read<'de, D: Deserializer<'de>>(self, place: &str) -> Result<Profile, D::Error> {
        let day = |key, day: Option<String>| {
            day.map(|day| date(&day)).transpose().map_err(|error| refused::<D>(place, key, error))
        };
        let entered_from = day("entered_from", self.entered_from)?;
        let entered_before = day("entered_before", self.entered_before)?;
        if let (Some(from), Some(before)) = (entered_from, entered_before)
            && before <= from
        {
            let error = ValueError::out_of_range(before, format!("a day after entered_from ({from})"));
            return Err(refused::<D>(place, "entered_before", error));
        }
        let is_prefix =
            |text: &str| (1..=HS_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(found) = self.hs_prefixes.iter().find(|prefix| !is_prefix(prefix)) {
            return Err(refused::<D>(place, "hs_prefixes", ValueError::malformed(found, "1 to 13 digits")));
        }
        let origins = self.origins.iter().map(|origin| Country::parse(origin)).collect::<Result<_, _>>();
        let origins = origins.map_err(|error| refused::<D>(place, "origins", error))?;
        if self.required.is_empty() {
            return Err(refused::<D>(place, "required", ValueError::out_of_range("none", "at least one paper")));
        }
        let Self { categories, hs_prefixes, required, .. } = self;
        Ok(Profile { categories, hs_prefixes, origins, entered_from, entered_before, required })
    }
}

/// The reader adds `in papers.profiles`.
fn refused<'de, D: Deserializer<'de>>(place: &str, key: &str, error: impl Display) -> D::Error {
    D::Error::custom(format_args!("{place}, {key}: {error}"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::config::{Config, Result, parse_setting};

    fn with(profiles: &str) -> Result<Vec<Profile>> {
        let setting = parse_setting(&format!("papers.profiles={profiles}")).unwrap();
        Ok(Config::load(None, [], &[setting])?.papers.profiles.0)
    }

    #[test]
    fn by_default_every_import_needs_three_papers_and_two_more_before_port_testing_ended() {
        let every = |required: &[DocumentKind]| Profile {
            categories: Vec::new(),
            hs_prefixes: Vec::new(),
            origins: Vec::new(),
            entered_from: None,
            entered_before: None,
            required: required.to_vec(),
        };
        let import = every(&[
            DocumentKind::CustomsDeclaration,
            DocumentKind::QuarantineCertificate,
            DocumentKind::ProducerRegistration,
        ]);
        let tested = every(&[DocumentKind::TestReport, DocumentKind::DisinfectionCertificate]);
        let tested = Profile { entered_before: Some(date(2023, 1, 8)), ..tested };
        assert_eq!(Config::default_values().unwrap().papers.profiles.0, [import, tested]);
    }

    #[test]
    fn profiles_of_a_file_replace_the_defaults_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("coldproof.toml");
        let text = r#"
            [[papers.profiles]]
            name = "ecuador-shrimp"
            categories = ["seafood"]
            hs_prefixes = ["0306"]
            origins = ["EC", "nor", "218"]
            entered_from = "2024-01-01"
            entered_before = 2025-01-01
            required = ["health_certificate"]
        "#;
        std::fs::write(&file, text).unwrap();
        let ours = Profile {
            categories: vec![Category::Seafood],
            hs_prefixes: vec!["0306".to_owned()],
            origins: ["EC", "NO", "EC"].map(|country| Country::parse(country).unwrap()).to_vec(),
            entered_from: Some(date(2024, 1, 1)),
            entered_before: Some(date(2025, 1, 1)),
            required: vec![DocumentKind::HealthCertificate],
        };
        assert_eq!(Config::load(Some(&file), [], &[]).unwrap().papers.profiles.0, [ours]);
        assert_eq!(with("[]").unwrap(), []);
    }

    #[test]
    fn a_profile_that_is_wrong_is_refused_with_its_key_what_was_found_and_what_was_expected() {
        for (keys, expected) in [
            (r#"categories = ["shrimp"]"#, ["categories", "shrimp", "seafood"]),
            (r#"hs_prefixes = ["03.06"]"#, ["hs_prefixes", "03.06", "1 to 13 digits"]),
            (r#"hs_prefixes = [""]"#, ["hs_prefixes", "found \"\"", "1 to 13 digits"]),
            (r#"origins = ["XX"]"#, ["origins", "XX", "ISO 3166-1"]),
            (r#"origins = "EC""#, ["origins", "EC", "expected a sequence"]),
            (r#"entered_from = "2023-02-30""#, ["entered_from", "2023-02-30", "YYYY-MM-DD"]),
            ("entered_before = 2023-01-08T00:00:00", ["entered_before", "T00:00:00", "YYYY-MM-DD"]),
            (
                r#"entered_from = "2023-01-08", entered_before = "2023-01-08""#,
                ["entered_before", "found 2023-01-08", "after entered_from"],
            ),
            (r#"colour = "red""#, ["papers.profiles", "colour", "hs_prefixes"]),
        ] {
            let error = with(&format!(r#"[{{ name = "one", required = ["other"], {keys} }}]"#)).expect_err(keys);
            let error = error.to_string();
            assert!(expected.iter().all(|part| error.contains(part)), "{keys}: {error}");
            assert!(error.contains("papers.profiles") && !error.contains('\n'), "{keys}: {error}");
        }
        for (profiles, expected) in [
            (r#"[{ name = "a", required = [] }]"#, ["profile 1 (\"a\"), required", "at least one paper"]),
            (r#"[{ name = "a" }]"#, ["papers.profiles", "missing field `required`"]),
            (r#"[{ required = ["other"] }]"#, ["papers.profiles", "missing field `name`"]),
            (r#"[{ name = "", required = ["other"] }]"#, ["name", "a text that is not empty"]),
            (r#"[{ name = "a", required = ["swab"] }]"#, ["required", "`swab`"]),
            (
                r#"[{ name = "a", required = ["other"] }, { name = "a", required = ["other"] }]"#,
                ["profile 2 (\"a\"), name", "each name once"],
            ),
            ("import", ["papers.profiles", "expected"]),
        ] {
            let error = with(profiles).expect_err(profiles).to_string();
            assert!(expected.iter().all(|part| error.contains(part)), "{profiles}: {error}");
        }
    }
}
