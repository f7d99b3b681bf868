//! Registers a world and orders its codes, through the functions that serve importers.

use std::{collections::HashMap, sync::Arc};

use indicatif::ProgressBar;
use jiff::ToSpan;
use tokio::task::JoinSet;

use super::{PlannedBatch, PlannedConsignment, World, goods::KINDS, paper, picture, world::gtin_of};
use crate::{
    code::{Code, Gtin, LinkPrefix, Serial},
    epcis::{DocumentError, shapes::CodeStep},
    limits::DEMO_CONSIGNMENTS_AT_ONCE,
    registration::{
        Activation, Batch, Consignment, DocumentKind, DocumentOf, MediaType, Organization, Product, StoredFile,
    },
    service::{
        Caller, Service,
        capture::CaptureError,
        issue::{Issued, Order, OrderError},
        register::{BatchInput, RegisterError},
    },
    trace::{BatchId, ConsignmentId, OrganizationId, ProductId, Role},
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

type Result<T> = std::result::Result<T, Error>;

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
            "{{\n  \"base_url\": \"{base_url}\",\n  \"batch\": {},\n  \"run\": \"{}\",\n  \"keys\": {},\n  \"codes\": {}\n}}\n",
            self.batch,
            self.run,
            object(&self.keys),
            object(&self.codes)
        )
    }
}

/// Registers the world and orders its codes. `random` gives the bytes of API keys; `progress` counts batches.
///
/// # Errors
/// Where the service refuses a part of it, or the store fails.
pub async fn fill(
    service: &Arc<Service>,
    world: World,
    random: fn() -> std::result::Result<[u8; 32], getrandom::Error>,
    progress: &ProgressBar,
) -> Result<Filled> {
    let admin = Caller { key: None, organization: OrganizationId(0), role: Role::Admin };
    let mut owners = Vec::new();
    for organization in [world.admin, world.inspector].into_iter().chain(world.operators).chain(world.importers) {
        owners.push(owner(service, &admin, organization).await?);
    }
    let first = |role| owners.iter().find(|owner| owner.role == role).copied().ok_or(Error::Lacks("organization"));
    let mut keys = Vec::new();
    let roles = [
        ("admin", Role::Admin),
        ("importer", Role::Importer),
        ("operator", Role::Operator),
        ("inspector", Role::Inspector),
    ];
    for (name, role) in roles {
        let label = Some(format!("demo {name}"));
        let (_, text) = service.create_key(&admin, first(role)?.organization, role, label, random()?).await?;
        keys.push((name, text));
    }
    let importers: Vec<Caller> = owners.into_iter().filter(|owner| owner.role == Role::Importer).collect();
    let products = Arc::new(register_products(service, &importers, world.products).await?);
    let examples = examples(service, &world.consignments);
    let issued = register_consignments(service, &importers, products, world.consignments, progress).await?;
    named(service, keys, &examples, &issued)
}

async fn owner(service: &Arc<Service>, admin: &Caller, organization: Organization) -> Result<Caller> {
    let role = *organization.roles.first().ok_or(Error::Lacks("role"))?;
    let statement = service.create_organization(admin, organization).await?;
    Ok(Caller { key: None, organization: OrganizationId(statement.id), role })
}

/// Products by importer and kind.
type Products = HashMap<(usize, usize), ProductId>;

async fn register_products(
    service: &Arc<Service>,
    importers: &[Caller],
    products: Vec<(usize, usize, Product)>,
) -> Result<Products> {
    let mut pictures: HashMap<usize, StoredFile> = HashMap::new();
    let mut drawing = JoinSet::new();
    let kinds: std::collections::BTreeSet<usize> = products.iter().map(|(_, kind, _)| *kind).collect();
    for kind in kinds {
        let service = service.clone();
        let (motif, ground) = KINDS.get(kind).ok_or(Error::Lacks("kind of goods"))?.picture;
        drawing.spawn(async move {
            let drawn = tokio::task::spawn_blocking(move || picture::jpeg(motif, ground)).await??;
            Ok::<_, Error>((kind, service.store_picture("picture", drawn.into()).await?))
        });
    }
    while let Some(drawn) = drawing.join_next().await {
        pictures.extend([drawn??]);
    }
    let mut registering = JoinSet::new();
    for (importer, kind, product) in products {
        let caller = *importers.get(importer).ok_or(Error::Lacks("importer"))?;
        let product = Product { picture: pictures.get(&kind).cloned(), ..product };
        let service = service.clone();
        registering.spawn(async move {
            let statement = service.create_product(&caller, product).await?;
            Ok::<_, Error>(((importer, kind), ProductId(statement.id)))
        });
    }
    let mut numbers = HashMap::new();
    while let Some(registered) = registering.join_next().await {
        numbers.extend([registered??]);
    }
    Ok(numbers)
}

/// A consignment and a batch, by their places.
type Place = (usize, usize);

/// The batches that `demo.json` names: the one for large orders, one with a genuine code and one with a warm code. They
/// are on sale for another half year, so that a demo may be kept for a while.
fn examples(service: &Arc<Service>, consignments: &[PlannedConsignment]) -> Vec<(Place, Option<Gtin>)> {
    let late = service.date(service.now_ms()).saturating_add(180.days());
    let good = |planned: &PlannedBatch| {
        let keeps = planned.batch.expiry.is_some_and(|expiry| expiry.last > late);
        keeps && planned.activate == Activation::OnIssue && planned.batch.ai10.is_some()
    };
    let places = consignments.iter().enumerate().flat_map(|(at, consignment)| {
        let batches = consignment.batches.iter().enumerate();
        batches.filter(|(_, planned)| good(planned)).map(move |(batch, planned)| ((at, batch), gtin_of(planned.kind)))
    });
    places.take(3).collect()
}

/// The first run of each batch, with the GTIN of its product.
type Runs = HashMap<Place, Issued>;

async fn register_consignments(
    service: &Arc<Service>,
    importers: &[Caller],
    products: Arc<Products>,
    consignments: Vec<PlannedConsignment>,
    progress: &ProgressBar,
) -> Result<Runs> {
    let rendition = paper::blotted_png()?;
    let rendition = service.store_file("public", rendition.into(), &[MediaType::Png]).await?;
    let mut runs = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut waiting = consignments.into_iter().enumerate();
    loop {
        while tasks.len() < DEMO_CONSIGNMENTS_AT_ONCE
            && let Some((at, planned)) = waiting.next()
        {
            let caller = *importers.get(planned.importer).ok_or(Error::Lacks("importer"))?;
            let (service, products, progress) = (service.clone(), products.clone(), progress.clone());
            let rendition = rendition.clone();
            tasks.spawn(async move {
                let issued = register_consignment(&service, &caller, &products, &rendition, planned, &progress).await?;
                Ok::<_, Error>((at, issued))
            });
        }
        let Some(done) = tasks.join_next().await else { return Ok(runs) };
        let (at, issued) = done??;
        runs.extend(issued.into_iter().enumerate().map(|(batch, issued)| ((at, batch), issued)));
    }
}

async fn register_consignment(
    service: &Arc<Service>,
    caller: &Caller,
    products: &Products,
    rendition: &StoredFile,
    planned: PlannedConsignment,
    progress: &ProgressBar,
) -> Result<Vec<Issued>> {
    let statement = service.create_consignment(caller, planned.consignment.clone()).await?;
    let id = ConsignmentId(statement.id);
    register_documents(service, caller, &planned.consignment, id, rendition).await?;
    let mut batches = Vec::new();
    for batch in &planned.batches {
        let product = products.get(&(planned.importer, batch.kind)).copied();
        let created_ms = service.now_ms();
        let batch =
            Batch { product, consignment: id, organization: caller.organization, created_ms, ..batch.batch.clone() };
        let mut input = BatchInput { batch, gtin: None };
        let errors = service.check_batch(caller, &mut input).await?;
        if !errors.is_empty() {
            return Err(RegisterError::Invalid(errors).into());
        }
        batches.push(input.batch);
    }
    let registered = service.create_batches(caller, id, batches).await?;
    let mut issued = Vec::new();
    for (planned, statement) in planned.batches.iter().zip(registered) {
        issued.push(order(service, caller, planned, BatchId(statement.id)).await?);
        progress.inc(1);
    }
    Ok(issued)
}

async fn register_documents(
    service: &Arc<Service>,
    caller: &Caller,
    consignment: &Consignment,
    id: ConsignmentId,
    rendition: &StoredFile,
) -> Result<()> {
    for mut document in paper::documents(consignment, DocumentOf::Consignment(id)) {
        let pdf = paper::pdf(&document, consignment);
        document.original = Some(service.store_file("file", pdf.into(), &[MediaType::Pdf]).await?);
        if document.kind == DocumentKind::QuarantineCertificate {
            document.public = Some(rendition.clone());
        }
        service.create_document(caller, document).await?;
    }
    Ok(())
}

/// Orders a batch's codes. Of those that become active by report, six tenths have been put on goods and one twentieth
/// was spoilt at the printer's.
async fn order(service: &Arc<Service>, caller: &Caller, planned: &PlannedBatch, batch: BatchId) -> Result<Issued> {
    let order = Order { count: planned.codes, level: planned.level, content: None, activate: planned.activate };
    let issued = service.issue(caller, batch, &order).await?;
    let issued = issued.into_iter().next().ok_or(Error::Lacks("run"))?;
    if planned.activate == Activation::OnReport {
        let (applied, void) = (issued.run.count * 6 / 10, issued.run.count / 20);
        for (first, count, step) in [(0, applied, CodeStep::Applied), (applied, void, CodeStep::Void)] {
            let span =
                count.checked_sub(1).and_then(|more| Some((code(&issued, first)?, code(&issued, first + more)?)));
            if let Some(span) = span {
                service.report_codes(caller, &issued.run, &[span], step).await?;
            }
        }
    }
    Ok(issued)
}

fn code(issued: &Issued, serial: u32) -> Option<Code> {
    Serial::new(serial).map(|serial| issued.key.code(serial))
}

/// What tools need to know.
fn named(
    service: &Arc<Service>,
    keys: Vec<(&'static str, String)>,
    examples: &[(Place, Option<Gtin>)],
    issued: &Runs,
) -> Result<Filled> {
    let mut runs = examples.iter().filter_map(|(place, gtin)| Some((issued.get(place)?, *gtin)));
    let mut next = || runs.next().ok_or(Error::Lacks("batch that keeps for half a year"));
    let ((first, _), (genuine_run, gtin), (warm_run, _)) = (next()?, next()?, next()?);
    let example = |issued: &Issued| code(issued, 41.min(issued.run.count - 1)).ok_or(Error::Lacks("code"));
    let (genuine, warm) = (example(genuine_run)?, example(warm_run)?);
    let forged = forged(genuine);
    let settings = &service.settings;
    let link = LinkPrefix::new(settings.link_scheme, &settings.host, gtin, settings.link_case).link(genuine);
    let path = gtin.map_or_else(|| "/".to_owned(), |gtin| format!("/01/{gtin}/21/"));
    Ok(Filled {
        batch: first.run.batch,
        run: first.run.id.to_string(),
        keys,
        genuine_path: format!("{path}{genuine}"),
        forged_path: format!("{path}{forged}"),
        genuine_link: link,
        codes: vec![("genuine", genuine.to_string()), ("warm", warm.to_string()), ("forged", forged)],
    })
}

/// The code with its thirteenth character changed: it lies in the tag, which every change of it breaks.
fn forged(genuine: Code) -> String {
    let swap = |character| if character == 'Q' { '7' } else { 'Q' };
    let changed = genuine.to_string();
    changed.char_indices().map(|(at, character)| if at == 12 { swap(character) } else { character }).collect()
}
