//! What an operator decides: one struct per concern, one TOML file over `config/default.toml`.
//!
//! [`Config::load`] lays four layers over each other: the compiled-in defaults, the operator's file, environment
//! variables (`COLDPROOF_SECTION_KEY`), and settings from the command line. It answers only with a configuration
//! whose every value and combination was checked, so that nothing is found out after a socket is open. There are no
//! defaults in code: `default.toml` is their one place and their documentation.

mod capture;
mod cold_chain;
mod dates;
mod documents;
mod error;
mod issuing;
mod keys;
mod layers;
mod log;
mod misuse;
mod papers;
mod qr;
mod rate;
mod server;
mod store;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use self::{
    capture::Capture,
    cold_chain::ColdChain,
    dates::{Dates, UtcOffset},
    documents::Documents,
    error::{Error, Result},
    issuing::Issuing,
    keys::Keys,
    layers::{Setting, parse_setting},
    log::{Log, LogFormat},
    misuse::Misuse,
    papers::Papers,
    qr::Qr,
    rate::Rate,
    server::{ProxyHeader, Server},
    store::{Location, Secret, Store},
};

/// Everything an operator decides, checked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[server]`: sockets, names and times of the HTTP service.
    pub server: Server,
    /// `[store]`: where everything is kept.
    pub store: Store,
    /// `[keys]`: master keys of codes.
    pub keys: Keys,
    /// `[qr]`: printed symbols.
    pub qr: Qr,
    /// `[issuing]`: how many codes a batch may have.
    pub issuing: Issuing,
    /// `[papers]`: which papers goods need.
    pub papers: Papers,
    /// `[documents]`: uploaded files.
    pub documents: Documents,
    /// `[capture]`: large documents of events.
    pub capture: Capture,
    /// `[rate]`: how much one address or organization may ask.
    pub rate: Rate,
    /// `[cold_chain]`: when a cold chain is broken.
    pub cold_chain: ColdChain,
    /// `[misuse]`: when scans of a code are noticed.
    pub misuse: Misuse,
    /// `[dates]`: when a day begins.
    pub dates: Dates,
    /// `[log]`: what is said, and how.
    pub log: Log,
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// `file` is the operator's TOML file; `environment` the process's variables, of which those that begin with
    /// `COLDPROOF_` count; `settings` what the command line says, later ones over earlier ones.
    ///
    /// # Errors
    /// [`Error`] names the file or variable, the key, what was found and what was expected.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        settings: &[Setting],
    ) -> Result<Config> {
        let config: Config = layers::merged(file, environment, settings)?
            .try_into()
            .map_err(|error: toml::de::Error| Error::Value { message: layers::one_line(&error) })?;
        config.checked()
    }

    /// The compiled-in defaults, as they stand in `config/default.toml`.
    ///
    /// # Errors
    /// None in a released program: a test reads the file through this function.
    pub fn default_values() -> Result<Config> {
        Config::load(None, [], &[])
    }

    /// The key ring's file.
    pub fn keyring_path(&self) -> PathBuf {
        self.in_store_folder(&self.keys.ring, "keyring.toml")
    }

    /// The folder of uploaded documents.
    pub fn documents_path(&self) -> PathBuf {
        self.in_store_folder(&self.documents.folder, "documents")
    }

    /// The folder of documents of events that are too large for memory.
    pub fn spool_path(&self) -> PathBuf {
        self.in_store_folder(&self.capture.spool_folder, "spool")
    }

    /// `given`, or `name` in the store's folder where nothing was given.
    fn in_store_folder(&self, given: &Path, name: &str) -> PathBuf {
        if given.as_os_str().is_empty() { self.store.folder().join(name) } else { given.to_owned() }
    }

    fn checked(self) -> Result<Config> {
        self.server.check()?;
        self.store.check()?;
        self.issuing.check()?;
        self.capture.check()?;
        self.rate.check()?;
        self.cold_chain.check()?;
        self.misuse.check()?;
        self.log.check()?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = layers::DEFAULT;

    fn with(setting: &str) -> Result<Config> {
        Config::load(None, [], &[parse_setting(setting).unwrap()])
    }

    /// Every (section, key) of `default.toml`.
    fn keys() -> Vec<(String, String)> {
        let table: toml::Table = DEFAULT.parse().unwrap();
        let keys_of = |(section, keys): (String, toml::Value)| {
            let keys = keys.as_table().unwrap().clone();
            keys.into_iter().map(move |(key, _)| (section.clone(), key)).collect::<Vec<_>>()
        };
        table.into_iter().flat_map(keys_of).collect()
    }

    #[test]
    fn every_key_of_the_default_file_is_a_field_and_every_field_is_a_key() {
        // No struct has a serde default, and all deny unknown fields: so the file has exactly the fields. The loop
        // proves that none of them slipped back in as optional.
        Config::default_values().unwrap();
        for (section, key) in keys() {
            let mut table: toml::Table = DEFAULT.parse().unwrap();
            table.get_mut(&section).unwrap().as_table_mut().unwrap().remove(&key);
            let error = table.try_into::<Config>().expect_err(&format!("{section}.{key} is optional"));
            assert!(error.to_string().contains(&key), "{section}.{key}: {error}");
        }
    }

    #[test]
    fn every_key_of_the_default_file_is_explained_above_it() {
        // Two keys may share a comment (a rate and its burst); a section's first key may not go without.
        let lines: Vec<&str> = DEFAULT.lines().collect();
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(" = ")) {
            let above = lines[number - 1];
            let above_that = lines[number - 2];
            assert!(above.starts_with('#') || above_that.starts_with('#'), "line {}: {line}", number + 1);
        }
    }

    #[test]
    fn every_key_can_be_set_from_the_environment() {
        for (section, key) in keys() {
            let table: toml::Table = DEFAULT.parse().unwrap();
            let value = match &table[&section][&key] {
                toml::Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            let variable = format!("COLDPROOF_{section}_{key}").to_uppercase();
            let config = Config::load(None, [(variable.clone(), value)], &[]).expect(&variable);
            assert_eq!(config, Config::default_values().unwrap(), "{variable}");
        }
    }

    #[test]
    fn file_environment_and_command_line_stand_over_each_other_in_this_order() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("coldproof.toml");
        std::fs::write(&file, "[rate]\nfailed_tag_cost = 20\naddress_codes_burst = 100\nkey_codes_burst = 7000\n")
            .unwrap();
        let environment = [
            ("COLDPROOF_RATE_ADDRESS_CODES_BURST".to_owned(), "200".to_owned()),
            ("COLDPROOF_RATE_KEY_CODES_BURST".to_owned(), "8000".to_owned()),
            ("PATH".to_owned(), "/bin".to_owned()),
        ];
        let settings = [parse_setting("rate.key_codes_burst=9000").unwrap()];
        let rate = Config::load(Some(&file), environment, &settings).unwrap().rate;
        assert_eq!((rate.failed_tag_cost, rate.address_codes_burst, rate.key_codes_burst), (20, 200, 9000));
        assert_eq!(rate.address_codes_per_second, Config::default_values().unwrap().rate.address_codes_per_second);
    }

    #[test]
    fn unknown_keys_are_refused_by_name_wherever_they_stand() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("coldproof.toml");
        std::fs::write(&file, "[server]\nlissten = \"127.0.0.1:1\"\n").unwrap();
        let error = Config::load(Some(&file), [], &[]).unwrap_err().to_string();
        assert!(error.contains("server.lissten") && error.contains("host, host_aliases"), "{error}");

        let variable = ("COLDPROOF_SERVER_LISSTEN".to_owned(), "127.0.0.1:1".to_owned());
        let error = Config::load(None, [variable], &[]).unwrap_err().to_string();
        assert!(error.contains("COLDPROOF_SERVER_LISSTEN"), "{error}");

        let error = with("servers.listen=127.0.0.1:1").unwrap_err().to_string();
        assert!(error.contains("servers") && error.contains("dates, documents"), "{error}");
    }

    #[test]
    fn wrong_values_are_refused_with_their_key() {
        for (setting, expected) in [
            ("server.listen=localhost", "server.listen"),
            ("server.host=HTTPS://example.com", "server.host"),
            ("server.host=-a.example", "server.host"),
            ("server.host_aliases=a b", "server.host_aliases"),
            ("server.link_scheme=ftp", "server.link_scheme"),
            ("server.trusted_proxies=10.0.0.0/33", "server.trusted_proxies"),
            ("server.trusted_proxies=0.0.0.0/0", "server.trusted_proxies"),
            ("server.host_aliases=a.example, a.example", "server.host_aliases"),
            ("server.connections_max=0", "server.connections_max"),
            ("server.answer_timeout_ms=many", "server.answer_timeout_ms"),
            ("server.shutdown_timeout_ms=1000", "server.shutdown_timeout_ms"),
            ("store.location=redis://x", "store.location"),
            ("store.location=embedded:", "store.location"),
            ("store.location=cql://a/1", "store.location"),
            ("store.folder=/srv", "store.folder"),
            ("store.user=coldproof", "store.user"),
            ("store.replication=dc1", "store.replication"),
            ("qr.case=Upper", "qr.case"),
            ("issuing.tolerance_permille=1001", "issuing.tolerance_permille"),
            ("capture.document_bytes_max=1000", "capture.document_bytes_max"),
            ("capture.spools_max=0", "capture.spools_max"),
            ("rate.address_codes_burst=5", "rate.address_codes_burst"),
            ("rate.address_codes_per_second=0", "rate.address_codes_per_second"),
            ("rate.addresses_max=-1", "rate.addresses_max"),
            ("dates.utc_offset=Beijing", "dates.utc_offset"),
            ("dates.utc_offset=+15:00", "dates.utc_offset"),
            ("cold_chain.gap_minutes=0", "cold_chain.gap_minutes"),
            ("cold_chain.frozen_tolerance_celsius=21", "cold_chain.frozen_tolerance_celsius"),
            ("cold_chain.chilled_outside_minutes=600000", "cold_chain.chilled_outside_minutes"),
            ("server.region_header=X Geo", "server.region_header"),
            ("misuse.region_percent=101", "misuse.region_percent"),
            ("misuse.item_regions_max=8", "misuse.item_regions_max"),
            ("misuse.display_travel_regions=1", "misuse.display_travel_regions"),
            ("misuse.case_scans_max=0", "misuse.case_scans_max"),
            ("log.format=xml", "log.format"),
            ("log.filter=server=loud", "log.filter"),
        ] {
            let error = with(setting).expect_err(setting).to_string();
            assert!(error.contains(expected), "{setting}: {error}");
            assert!(!error.contains('\n'), "{setting}: {error}");
        }
    }

    #[test]
    fn paths_that_are_not_given_lie_in_the_stores_folder() {
        let config = with("store.location=embedded:/var/lib/coldproof").unwrap();
        assert_eq!(config.keyring_path(), Path::new("/var/lib/coldproof/keyring.toml"));
        assert_eq!(config.documents_path(), Path::new("/var/lib/coldproof/documents"));
        assert_eq!(config.spool_path(), Path::new("/var/lib/coldproof/spool"));
        let config = with("store.location=cql://a/coldproof").unwrap();
        assert_eq!(config.spool_path(), Path::new("./data/spool"));
        let config = with("keys.ring=/run/secrets/keyring.toml").unwrap();
        assert_eq!(config.keyring_path(), Path::new("/run/secrets/keyring.toml"));
    }
}
