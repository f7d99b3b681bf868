//! Registers the demo's organizations, products and consignments, and orders their codes, through the functions that
//! serve importers.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::try_join_all;
use tokio::task::JoinSet;

use super::{
    fill::{Error, Result},
    goods::KINDS,
    paper, picture,
    plan::{PlannedBatch, PlannedConsignment},
    tell::code,
};
use crate::{
    epcis::shapes::CodeStep,
    registration::{
        Activation, Batch, Consignment, DocumentKind, DocumentOf, Level, MediaType, Organization, Product, StoredFile,
    },
    service::{
        Caller, Service,
        issue::{Issued, Order},
        register::{BatchInput, RegisterError},
    },
    trace::{BatchId, ConsignmentId, OrganizationId, ProductId},
};

/// Registers organizations; gives the callers that they are, in their order.
pub async fn register_organizations(
    service: &Arc<Service>,
    admin: &Caller,
    organizations: Vec<Organization>,
) -> Result<Vec<Caller>> {
    try_join_all(organizations.into_iter().map(|organization| owner(service, admin, organization))).await
}

pub async fn owner(service: &Arc<Service>, admin: &Caller, organization: Organization) -> Result<Caller> {
    let role = *organization.roles.first().ok_or(Error::Lacks("role"))?;
    let statement = service.create_organization(admin, organization).await?;
    Ok(Caller { key: None, organization: OrganizationId(statement.id), role })
}

/// Products by importer and kind.
pub type Products = HashMap<(usize, usize), ProductId>;

/// Registers products with a picture for each kind.
pub async fn register_products(
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

/// The codes of a batch, and of its cases where it has any.
pub type Ordered = (Issued, Option<Issued>);

/// Registers a consignment with its papers and batches.
pub async fn register_consignment(
    service: &Arc<Service>,
    caller: &Caller,
    products: &Products,
    rendition: &StoredFile,
    planned: &PlannedConsignment,
) -> Result<Vec<BatchId>> {
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
    Ok(registered.into_iter().map(|statement| BatchId(statement.id)).collect())
}

/// Orders the codes of a consignment, batch by batch.
pub async fn order_codes(
    service: &Arc<Service>,
    caller: &Caller,
    planned: &PlannedConsignment,
    batches: Vec<BatchId>,
) -> Result<Vec<Ordered>> {
    let orders = planned.batches.iter().zip(batches);
    try_join_all(orders.map(|(planned, batch)| issue_codes(service, caller, planned, batch))).await
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
async fn issue_codes(
    service: &Arc<Service>,
    caller: &Caller,
    planned: &PlannedBatch,
    batch: BatchId,
) -> Result<Ordered> {
    let order = |level, count, activate| Order { count, level, content: None, activate };
    let issued = issue(service, caller, batch, order(planned.level, planned.codes, planned.activate)).await?;
    if planned.activate == Activation::OnReport {
        let (applied, void) = (planned.applied(), issued.run.count / 20);
        for (first, count, step) in [(0, applied, CodeStep::Applied), (applied, void, CodeStep::Void)] {
            let span =
                count.checked_sub(1).and_then(|more| Some((code(&issued, first)?, code(&issued, first + more)?)));
            if let Some(span) = span {
                service.report_codes(caller, &issued.run, &[span], step).await?;
            }
        }
    }
    let cases = match planned.cases {
        0 => None,
        cases => Some(issue(service, caller, batch, order(Level::Case, cases, Activation::OnIssue)).await?),
    };
    Ok((issued, cases))
}

/// Orders one run.
pub async fn issue(service: &Arc<Service>, caller: &Caller, batch: BatchId, order: Order) -> Result<Issued> {
    service.issue(caller, batch, &order).await?.into_iter().next().ok_or(Error::Lacks("run"))
}
