//! A service over an empty folder, for tests.

use std::sync::Arc;

use object_store::memory::InMemory;

use super::App;
use crate::{
    code::{KeyRing, KeySlot, key_table},
    config::{Config, parse_setting},
    service::{Caller, Service, Settings},
    store::{Writer, local::LocalStore},
    trace::{OrganizationId, Role},
};

/// A service whose clock stands still, and the folder that it lives in.
pub fn app() -> (App, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(&folder.path().join("store")).unwrap();
    let ring = key_table(KeySlot::new(0).unwrap(), &std::array::from_fn(|at| at as u8), "2026-01-01");
    let config = Config::load(None, [], &[parse_setting("server.host=trace.example").unwrap()]).unwrap();
    let settings = Settings {
        host: config.server.host.clone().unwrap(),
        aliases: Vec::new(),
        link_scheme: config.server.link_scheme,
        link_case: config.qr.case,
        zone: config.dates.utc_offset.time_zone(),
        issuing_tolerance_permille: 20,
        unconfirmed_after_ms: 10_000,
        cold_chain: config.cold_chain.rule(),
        misuse: config.misuse.rules(),
        profiles: config.papers.profiles.clone(),
    };
    let keys = KeyRing::parse(&ring).unwrap();
    let clock = Arc::new(|| 1_780_000_000_000);
    let service = Service::new(store, Arc::new(InMemory::new()), Writer(0), keys, settings, clock);
    (App::new(Arc::new(service), config), folder)
}

/// An importer, as a request's extension proves it.
pub fn importer() -> Caller {
    Caller { key: None, organization: OrganizationId(1), role: Role::Importer }
}
