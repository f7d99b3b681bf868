//! Makes a world live through its history: day by day consignments come in, and what happened is reported.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use jiff::{ToSpan, civil::Date};

use super::{
    PlannedBatch, PlannedConsignment, World,
    chance::Chance,
    history::History,
    incident::{self, Ill, Incidents},
    journey::{DAY_MS, LABELLED_MS, REGISTERED_MS, Traveller, journey},
    network::Network,
    paper,
    register::{
        Ordered, Products, order_codes, owner, register_consignment, register_organizations, register_products,
    },
    report::{By, Goods, Report, What},
    tale::{Tale, on_shelf, pallet, sold, take_receipt, tales},
    tell::{Cast, Labels, midnight_ms},
    world::gtin_of,
};
use crate::{
    code::{Code, LinkPrefix},
    epcis::DocumentError,
    limits::DEMO_CONSIGNMENTS_AT_ONCE,
    registration::{MediaType, StoredFile},
    service::{
        Caller, Service, capture::CaptureError, issue::OrderError, measure::MeasureError, register::RegisterError,
        split::SplitError,
    },
    trace::{BatchId, OrganizationId, Role},
};

/// Why a world could not be filled in. What was written of it stays.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Registration refused something, or the store failed.
    #[error("the demo's world was refused: {0}")]
    Register(#[from] RegisterError),
    /// An order was refused.
    #[error("the demo's order was refused: {0}")]
    Order(#[from] OrderError),
    /// A report was refused.
    #[error("the demo's report was refused: {0}")]
    Capture(#[from] CaptureError),
    /// A hold or recall was refused.
    #[error("the demo's measure was refused: {0}")]
    Measure(#[from] MeasureError),
    /// A package could not be split.
    #[error("the demo's split was refused: {0}")]
    Split(#[from] SplitError),
    /// An event could not be written.
    #[error("the demo's event: {0}")]
    Event(#[from] DocumentError),
    /// A picture could not be encoded.
    #[error("a picture of the demo: {0}")]
    Picture(#[from] image::ImageError),
    /// A task ended before its work.
    #[error("a task of the demo: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// The world lacks what tools look for in it.
    #[error("the demo's world has no {0}")]
    Lacks(&'static str),
    /// The system gave no random bytes for an API key.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// Result of filling.
pub type Result<T> = std::result::Result<T, Error>;

/// What tools need to know of a filled folder. It holds API keys: they are shown to the folder's owner alone.
pub struct Filled {
    /// A batch of a product with a GTIN, registered for 20 million items.
    pub batch: BatchId,
    /// A run of it, active on issue, whose codes nothing else touches.
    pub run: String,
    /// API keys with their names.
    keys: Vec<(&'static str, String)>,
    /// Codes with their names, and links.
    codes: Vec<(&'static str, String)>,
    /// An SSCC that goods are in.
    unit: String,
    /// How many events were captured, beside those of registering and issuing.
    pub events: u64,
    /// The path of a genuine code's page.
    pub genuine_path: String,
    /// The path of a forged code's page.
    pub forged_path: String,
    /// The link on a genuine label.
    pub genuine_link: String,
}

impl Filled {
    /// The text of `demo.json`. Every value is made of letters, digits and punctuation that JSON does not escape.
    pub fn demo_json(&self, base_url: &str) -> String {
        let object = |members: &[(&'static str, String)]| {
            let members: Vec<_> = members.iter().map(|(name, value)| format!("    \"{name}\": \"{value}\"")).collect();
            format!("{{\n{}\n  }}", members.join(",\n"))
        };
        format!(
            "{{\n  \"base_url\": \"{base_url}\",\n  \"batch\": {},\n  \"run\": \"{}\",\n  \"keys\": {},\n  \"codes\": {},\n  \"unit\": \"{}\"\n}}\n",
            self.batch,
            self.run,
            object(&self.keys),
            object(&self.codes),
            self.unit
        )
    }
}

/// Makes a world live: registers it, orders its codes, reports its history. `time` is what the service's clock shows, now at
/// first: it goes back to the first day and comes forward again. `random` gives the bytes of API keys; `progress` counts
/// batches.
///
/// # Errors
/// Where the service refuses a part of it, or the store fails.
pub async fn fill(
    service: &Arc<Service>,
    world: World,
    time: &AtomicI64,
    random: fn() -> std::result::Result<[u8; 32], getrandom::Error>,
    progress: &ProgressBar,
) -> Result<Filled> {
    let now_ms = service.now_ms();
    let World { admin: host, inspector, importers, network, products, consignments } = world;
    let today = service.date(now_ms);
    let first_day = consignments.iter().filter_map(|planned| planned.consignment.entry_date).min().unwrap_or(today);
    time.store(midnight_ms(first_day), Ordering::Relaxed);
    let admin = Caller { key: None, organization: OrganizationId(0), role: Role::Admin };
    let host = owner(service, &admin, host).await?;
    let inspector = owner(service, &admin, inspector).await?;
    let operators = register_organizations(service, &admin, network.organizations.clone()).await?;
    let importers = register_organizations(service, &admin, importers).await?;
    let lacks = || Error::Lacks("organization");
    let mut keys = Vec::new();
    for (name, whose) in [
        ("admin", &host),
        ("importer", importers.first().ok_or_else(lacks)?),
        ("operator", operators.first().ok_or_else(lacks)?),
        ("inspector", &inspector),
    ] {
        let label = Some(format!("demo {name}"));
        let (_, text) = service.create_key(&admin, whose.organization, whose.role, label, random()?).await?;
        keys.push((name, text));
    }
    let products = register_products(service, &importers, products).await?;
    let cast = Arc::new(Cast { importers, operators, inspector });
    let rendition = service.store_file("public", paper::blotted_png()?.into(), &[MediaType::Png]).await?;
    let filling = Filling { service, cast, network, products, rendition, time, now_ms, progress };
    filling.live(keys, consignments, first_day, today).await
}

struct Filling<'a> {
    service: &'a Arc<Service>,
    cast: Arc<Cast>,
    network: Network,
    products: Products,
    rendition: StoredFile,
    time: &'a AtomicI64,
    /// The end of the history.
    now_ms: i64,
    progress: &'a ProgressBar,
}

/// A consignment with the number of its first batch.
type Numbered = (u32, PlannedConsignment);

impl Filling<'_> {
    /// Goes from the first day to the last.
    async fn live(
        &self,
        keys: Vec<(&'static str, String)>,
        consignments: Vec<PlannedConsignment>,
        first_day: Date,
        today: Date,
    ) -> Result<Filled> {
        let stories = tales(&consignments, today);
        let mut by_day: HashMap<Date, Vec<Numbered>> = HashMap::new();
        let mut number = 0;
        for planned in consignments {
            let (first, batches) = (number, planned.batches.len() as u32);
            by_day.entry(planned.consignment.entry_date.unwrap_or(today)).or_default().push((first, planned));
            number += batches;
        }
        let mut history = History::new(Arc::clone(self.service), Arc::clone(&self.cast), first_day);
        let mut told = Told::default();
        let mut day = first_day;
        while day <= today {
            for (first, planned, ordered) in self.register(day, by_day.remove(&day).unwrap_or_default()).await? {
                self.plan(first, &planned, ordered, &stories, &mut history, &mut told);
                self.progress.inc(planned.batches.len() as u64);
            }
            self.pass(day, DAY_MS - 1);
            history.end_day(day).await?;
            self.progress.set_message(history.events().to_string());
            day = day.saturating_add(1.day());
        }
        self.time.store(self.now_ms, Ordering::Relaxed);
        history.end().await?;
        let incidents = Incidents { service: self.service, cast: &self.cast, now_ms: self.now_ms };
        incident::happen(&incidents, &told.labels, &told.ill).await?;
        self.named(keys, &told, history.events())
    }

    /// Registers the consignments of one day.
    async fn register(
        &self,
        day: Date,
        consignments: Vec<Numbered>,
    ) -> Result<Vec<(u32, PlannedConsignment, Vec<Ordered>)>> {
        self.pass(day, REGISTERED_MS);
        let importer = |planned: &PlannedConsignment| {
            self.cast.importers.get(planned.importer).copied().ok_or(Error::Lacks("importer"))
        };
        let registered = stream::iter(consignments).map(|(first, planned)| async move {
            let caller = importer(&planned)?;
            let (products, rendition) = (&self.products, &self.rendition);
            let batches = register_consignment(self.service, &caller, products, rendition, &planned).await?;
            Ok::<_, Error>((first, planned, batches))
        });
        let registered: Vec<_> = registered.buffered(DEMO_CONSIGNMENTS_AT_ONCE).try_collect().await?;
        self.pass(day, LABELLED_MS);
        let ordered = stream::iter(registered).map(|(first, planned, batches)| async move {
            let ordered = order_codes(self.service, &importer(&planned)?, &planned, batches).await?;
            Ok((first, planned, ordered))
        });
        ordered.buffered(DEMO_CONSIGNMENTS_AT_ONCE).try_collect().await
    }

    /// Lets time pass to so many milliseconds after the midnight of a day, but not beyond now.
    fn pass(&self, day: Date, after_ms: i64) {
        self.time.store((midnight_ms(day) + after_ms).min(self.now_ms), Ordering::Relaxed);
    }

    /// Plans what will happen to the batches of a consignment.
    fn plan(
        &self,
        first: u32,
        planned: &PlannedConsignment,
        ordered: Vec<Ordered>,
        stories: &HashMap<u32, Tale>,
        history: &mut History,
        told: &mut Told,
    ) {
        for ((batch, (codes, cases)), number) in planned.batches.iter().zip(ordered).zip(first..) {
            let tale = stories.get(&number).copied();
            let labels =
                Labels { batch: codes.run.batch, kind: batch.kind, lot: batch.batch.ai10.clone(), codes, cases };
            let labels = Arc::new(labels);
            // Everybody's demo goes the same way.
            let mut chance = Chance::new(u64::from(number) + 1);
            let mut reports = journey(&mut chance, &traveller(number, planned, batch, tale), &self.network);
            self.tell(tale, batch, &labels, &mut reports, told);
            reports.retain(|report| report.at_ms <= self.now_ms);
            history.add(number, &labels, reports);
        }
    }

    /// Notes what tools need to know of a batch that a story is told of, and what else happens to it.
    fn tell(
        &self,
        tale: Option<Tale>,
        batch: &PlannedBatch,
        labels: &Arc<Labels>,
        reports: &mut Vec<Report>,
        told: &mut Told,
    ) {
        let Some(tale) = tale else { return };
        told.labels.insert(tale, Arc::clone(labels));
        let code = match tale {
            Tale::Genuine => {
                told.pallet = pallet(reports, self.now_ms);
                told.kind = Some(batch.kind);
                sold(reports, self.now_ms)
            }
            Tale::Corrected => {
                told.ill = Ill { shelf: on_shelf(reports, self.now_ms - 3 * DAY_MS), late: take_receipt(reports) };
                None
            }
            Tale::Copied => copy(reports, &self.network, self.now_ms),
            _ => on_shelf(reports, self.now_ms).map(|(serial, _, _)| serial),
        };
        told.codes.extend(code.and_then(|serial| Some((tale, labels.code(serial)?))));
    }

    /// What tools need to know.
    fn named(&self, keys: Vec<(&'static str, String)>, told: &Told, events: u64) -> Result<Filled> {
        let code = |tale, name| told.codes.get(&tale).copied().ok_or(Error::Lacks(name));
        let genuine = code(Tale::Genuine, "genuine code")?;
        let first = told.labels.get(&Tale::First).ok_or(Error::Lacks("first batch"))?;
        let unit = told.pallet.and_then(super::number::sscc).ok_or(Error::Lacks("pallet in stock"))?;
        let forged = forged(genuine);
        let (settings, gtin) = (&self.service.settings, told.kind.and_then(gtin_of));
        let link = LinkPrefix::new(settings.link_scheme, &settings.host, gtin, settings.link_case).link(genuine);
        let path = gtin.map_or_else(|| "/".to_owned(), |gtin| format!("/01/{gtin}/21/"));
        Ok(Filled {
            batch: first.batch,
            run: first.codes.run.id.to_string(),
            keys,
            unit: unit.to_string(),
            events,
            genuine_path: format!("{path}{genuine}"),
            forged_path: format!("{path}{forged}"),
            genuine_link: link,
            codes: vec![
                ("genuine", genuine.to_string()),
                ("warm", code(Tale::Warm, "warm code")?.to_string()),
                ("forged", forged),
                ("recalled", code(Tale::Recalled, "recalled code")?.to_string()),
                ("copied", code(Tale::Copied, "copied code")?.to_string()),
            ],
        })
    }
}

/// What is known of the batches that stories are told of.
#[derive(Default)]
struct Told {
    labels: HashMap<Tale, Arc<Labels>>,
    codes: HashMap<Tale, Code>,
    /// The kind of the genuine code's goods.
    kind: Option<usize>,
    /// A pallet that goods are on.
    pallet: Option<u32>,
    /// What goes wrong with reports.
    ill: Ill,
}

/// Of so many batches by sea the reefer of one breaks down.
const BROKEN_EVERY: u32 = 211;
/// Of so many batches one has a logger that reads every ten minutes; the others' read every hour.
const FINE_EVERY: u32 = 50;

/// How a batch travels.
pub(super) fn traveller<'a>(
    number: u32,
    consignment: &'a PlannedConsignment,
    batch: &'a PlannedBatch,
    tale: Option<Tale>,
) -> Traveller<'a> {
    let ms = |day: Option<Date>| day.map(midnight_ms).unwrap_or_default();
    Traveller {
        number,
        batch,
        consignment,
        entry_ms: ms(consignment.consignment.entry_date),
        produced_ms: ms(batch.batch.production.map(|days| days.last)),
        step_min: if number % FINE_EVERY == 1 { 10 } else { 60 },
        broken: tale == Some(Tale::Broken) || (tale.is_none() && number % BROKEN_EVERY == BROKEN_EVERY - 1),
        moves: tale != Some(Tale::First),
        keeps_a_pallet: tale == Some(Tale::Genuine),
    }
}

/// Has a code sold twice: by the shop that has it, and by one in another province.
fn copy(reports: &mut Vec<Report>, network: &Network, now_ms: i64) -> Option<u32> {
    let (serial, shop, stocked_ms) = on_shelf(reports, now_ms - 3 * DAY_MS)?;
    let By::Operator(place) = shop else { return None };
    let other = By::Operator(u16::try_from(network.elsewhere(place.into())?).ok()?);
    let batch = reports.first()?.batch;
    let what = What::Sell(Goods::Codes(serial, serial));
    let first_ms = (now_ms - 2 * DAY_MS).max(stocked_ms + DAY_MS / 2);
    for (by, at_ms) in [(shop, first_ms), (other, first_ms + DAY_MS)] {
        reports.push(Report { at_ms, by, batch, what });
    }
    Some(serial)
}

/// The code with its thirteenth character changed: it lies in the tag, which every change of it breaks.
fn forged(genuine: Code) -> String {
    let swap = |character| if character == 'Q' { '7' } else { 'Q' };
    let changed = genuine.to_string();
    changed.char_indices().map(|(at, character)| if at == 12 { swap(character) } else { character }).collect()
}
