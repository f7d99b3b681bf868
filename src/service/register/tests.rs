use super::{BatchInput, RegisterError, Result};
use crate::{
    limits::{CONSIGNMENT_BATCHES_MAX, DOCUMENTS_MAX},
    registration::{
        Batch, Consignment, Content, DeclarationNumber, Document, DocumentKind, DocumentOf, Kind, MediaType,
        Organization, Product, ValueError, key_text, samples,
    },
    service::{
        Caller,
        world::{ADMIN, World},
    },
    store::Claims,
    trace::{BatchId, ConsignmentId, DocumentId, KeyId, OrganizationId, ProductId, Role},
};

const FILES: [MediaType; 3] = [MediaType::Pdf, MediaType::Png, MediaType::Jpeg];

fn refused<T: std::fmt::Debug>(result: Result<T>) -> (String, ValueError) {
    match result {
        Err(RegisterError::Invalid(mut errors)) if errors.len() == 1 => {
            let error = errors.remove(0);
            (error.field, error.error)
        }
        other => panic!("{other:?}"),
    }
}

fn document(of: DocumentOf, number: &str) -> Document {
    Document {
        id: DocumentId(0),
        organization: OrganizationId(0),
        of,
        kind: DocumentKind::TestReport,
        number: number.to_owned(),
        issuer: None,
        date: None,
        original: None,
        public: None,
        created_ms: 0,
    }
}

/// What the registration that stands says of a batch.
async fn registered(world: &World, batch: BatchId) -> String {
    let record = world.batch(batch).await.registration.unwrap();
    world.service.store.record(record).await.unwrap().unwrap().body
}

#[tokio::test]
async fn a_batch_that_has_codes_keeps_its_product() {
    let world = World::new().await;
    let other = world.product().await;
    let id = world.batches(vec![samples::batch()]).await[0].id;
    let change = |product: ProductId| {
        world.service.change_batch(&world.importer, id, move |input| {
            input.batch.product = Some(product);
            Ok(())
        })
    };
    change(other).await.unwrap();
    change(ProductId(1)).await.unwrap();
    world.issue(id, 10).await;
    let (field, error) = refused(change(other).await);
    assert_eq!((field.as_str(), world.batch(id).await.product), ("product", Some(ProductId(1))));
    assert!(error.to_string().contains("printed links"), "{error}");
    change(ProductId(1)).await.unwrap();
}

#[tokio::test]
async fn a_product_keeps_the_gtin_that_it_was_registered_with() {
    let world = World::new().await;
    let changed = world.service.change_product(&world.importer, ProductId(1), |product| {
        product.gtin = None;
        Ok(())
    });
    let (field, error) = refused(changed.await);
    assert_eq!(field, "gtin");
    assert!(error.to_string().contains("printed links"), "{error}");
}

#[tokio::test]
async fn a_key_whose_organization_lost_the_role_proves_nobody() {
    let world = World::new().await;
    let organization = world.importer.organization;
    let (_, text) = world.service.create_key(&ADMIN, organization, Role::Importer, None, [7; 32]).await.unwrap();
    let (_, admin) =
        world.service.create_key(&ADMIN, OrganizationId::SERVICE, Role::Admin, None, [8; 32]).await.unwrap();
    assert!(world.service.caller(&text).await.unwrap().is_some());
    let edit = |organization: &mut Organization| {
        organization.roles = vec![Role::Operator];
        Ok(())
    };
    world.service.change_organization(&ADMIN, organization, edit).await.unwrap();
    assert_eq!(world.service.caller(&text).await.unwrap(), None);
    assert!(world.service.caller(&admin).await.unwrap().is_some(), "the service's own keys have no organization");
    let unknown = key_text(KeyId(99), &crate::registration::KeySecret::new([7; 32]));
    assert_eq!(world.service.caller(&unknown).await.unwrap(), None);
}

#[tokio::test]
async fn a_line_is_free_where_the_batch_that_claimed_it_was_never_written() {
    let world = World::new().await;
    world.store.swap("line/223120201000012345/7", None, &999u64.to_be_bytes()).await.unwrap();
    let batch = || Batch { line: Some(7), ..samples::batch() };
    let made = world.batches(vec![batch(), batch()]).await;
    assert_eq!(made[0].same_line, None);
    assert_eq!(made[1].same_line, Some(made[0].id), "the first of the same request has the line");
    assert_eq!(world.batches(vec![batch()]).await[0].same_line, Some(made[0].id));
}

#[tokio::test]
async fn a_consignment_under_change_takes_no_batch_and_holds_up_no_other_change() {
    let world = World::new().await;
    let changing = world.service.changing.here("consignment/1").await;
    let (service, importer) = (world.service.clone(), world.importer);
    let creating = tokio::spawn(async move {
        service.create_batches(&importer, ConsignmentId(1), vec![samples::batch()]).await.unwrap().len()
    });
    let organization = world.importer.organization;
    let (key, _) = world.service.create_key(&ADMIN, organization, Role::Importer, None, [7; 32]).await.unwrap();
    world.service.revoke_key(&ADMIN, KeyId(key.id)).await.unwrap();
    for number in 0..20u64 {
        world
            .store
            .swap(
                "time passes",
                number.checked_sub(1).map(u64::to_be_bytes).as_ref().map(|it| &it[..]),
                &number.to_be_bytes(),
            )
            .await
            .unwrap();
    }
    assert!(!creating.is_finished());
    drop(changing);
    assert_eq!(creating.await.unwrap(), 1);
}

#[tokio::test]
async fn a_document_corrects_the_registered_batches_that_it_belongs_to() {
    let world = World::new().await;
    let draft = Batch { draft: true, ..samples::batch() };
    let made = world.batches(vec![samples::batch(), samples::batch(), draft]).await;
    let (first, second, draft) = (made[0].id, made[1].id, made[2].id);
    let of_all = document(DocumentOf::Consignment(ConsignmentId(1)), "T-ALL");
    let id = DocumentId(world.service.create_document(&world.importer, of_all).await.unwrap().id);
    let of_one = document(DocumentOf::Batch(first), "T-ONE");
    world.service.create_document(&world.importer, of_one).await.unwrap();
    let (one, two) = (registered(&world, first).await, registered(&world, second).await);
    assert!(one.contains("T-ALL") && one.contains("T-ONE"), "{one}");
    assert!(two.contains("T-ALL") && !two.contains("T-ONE"), "{two}");
    let file = world.service.store_file("public", bytes::Bytes::from_static(b"%PDF-1.7\n%%EOF"), &FILES).await.unwrap();
    world.service.publish_document(&world.importer, id, file).await.unwrap();
    for batch in [first, second] {
        let body = registered(&world, batch).await;
        assert!(body.contains(&format!("https://trace.example/v1/documents/{id}/public")), "{body}");
    }
    let versions = |id: BatchId| world.service.store.versions(Kind::Batch, id.0, 1, 10);
    assert_eq!(versions(first).await.unwrap().len(), 4);
    assert_eq!((versions(second).await.unwrap().len(), versions(draft).await.unwrap().len()), (3, 1));
}

#[tokio::test]
async fn an_event_names_all_documents_that_a_consignment_may_have() {
    let world = World::new().await;
    for number in 0..DOCUMENTS_MAX {
        let document = document(DocumentOf::Consignment(ConsignmentId(1)), &format!("T-{number}."));
        world.service.create_document(&world.importer, document).await.unwrap();
    }
    let more = document(DocumentOf::Consignment(ConsignmentId(1)), "T-X");
    assert!(matches!(
        world.service.create_document(&world.importer, more).await,
        Err(RegisterError::Full { max: DOCUMENTS_MAX, .. })
    ));
    let id = world.batches(vec![samples::batch()]).await[0].id;
    let body = registered(&world, id).await;
    assert!((0..DOCUMENTS_MAX).all(|number| body.contains(&format!("T-{number}."))), "{body}");
}

#[tokio::test]
async fn a_file_is_what_its_first_bytes_say_or_refused() {
    let world = World::new().await;
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(3, 2).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let png = png.into_inner();
    let mut jpeg = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(3, 2).write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    let pdf = b"%PDF-1.4\n1 0 obj\nendobj\n%%EOF\n".to_vec();
    for (whole, cut) in [(&png, 12), (&jpeg, 12), (&pdf, 24)] {
        let stored = world.service.store_file("original", whole.clone().into(), &FILES).await.unwrap();
        assert_eq!(stored.size_bytes, whole.len() as u64);
        let mut rubbish = whole[..cut].to_vec();
        rubbish.extend([b'x'; 400]);
        let (field, error) = refused(world.service.store_file("original", rubbish.into(), &FILES).await);
        assert_eq!(field, "original");
        assert!(error.to_string().contains("expected a whole"), "{error}");
    }
    let mut late = pdf.clone();
    late.extend([b'x'; 1_024]);
    refused(world.service.store_file("original", late.into(), &FILES).await);
}

#[tokio::test]
async fn a_consignment_has_no_more_batches_than_its_bound() {
    let world = World::new().await;
    let draft = || Batch { draft: true, ..samples::batch() };
    world.batches(vec![draft(); CONSIGNMENT_BATCHES_MAX - 1]).await;
    let two = world.service.create_batches(&world.importer, ConsignmentId(1), vec![draft(), draft()]).await;
    assert!(matches!(two, Err(RegisterError::Full { max: CONSIGNMENT_BATCHES_MAX, .. })), "{two:?}");
    assert_eq!(world.batches(vec![draft()]).await[0].id, BatchId(CONSIGNMENT_BATCHES_MAX as u64));
    let one = world.service.create_batches(&world.importer, ConsignmentId(1), vec![draft()]).await;
    assert!(matches!(one, Err(RegisterError::Full { .. })), "{one:?}");
}

#[tokio::test]
async fn of_two_changes_of_one_version_the_second_is_told_that_it_did_not_take_effect() {
    let world = World::new().await;
    let before = world.service.statement(Kind::Product, 1).await.unwrap().unwrap();
    let change = |name: &str| {
        let Content::Product(product) = before.content.clone() else { panic!("{before:?}") };
        let content = Content::Product(Product { name_zh: name.to_owned(), ..product });
        let statement = world.service.next_version(&world.importer, &before, Vec::new(), content);
        world.service.write_one(&world.importer, statement)
    };
    let first = change("一").await.unwrap();
    let second = change("二").await;
    assert!(matches!(second, Err(RegisterError::Changed { what: "product", id: 1 })), "{second:?}");
    assert_eq!(world.service.statement(Kind::Product, 1).await.unwrap(), Some(first));
}

#[tokio::test]
async fn a_value_that_is_put_back_makes_another_event_than_the_one_that_was_in_error() {
    let world = World::new().await;
    let id = world.batches(vec![samples::batch()]).await[0].id;
    let first = world.batch(id).await.registration.unwrap();
    for lot in ["L-2", "L-1"] {
        let edit = |input: &mut BatchInput| {
            input.batch.lot = Some(lot.to_owned());
            Ok(())
        };
        world.service.change_batch(&world.importer, id, edit).await.unwrap();
    }
    let batch = world.batch(id).await;
    assert_eq!(batch.lot.as_deref(), Some("L-1"));
    assert_ne!(batch.registration, Some(first));
    let whole = world.service.whole_batch(id, jiff::civil::date(2026, 6, 1)).await.unwrap().unwrap();
    assert_eq!(whole.lines.len(), 1, "one registration stands: {:?}", whole.lines);
}

#[tokio::test]
async fn a_registered_batch_is_not_made_a_draft_again() {
    let world = World::new().await;
    let id = world.batches(vec![samples::batch()]).await[0].id;
    let edit = |input: &mut BatchInput| {
        input.batch.draft = true;
        Ok(())
    };
    assert_eq!(refused(world.service.change_batch(&world.importer, id, edit).await).0, "draft");
    assert!(!world.batch(id).await.draft);
}

#[tokio::test]
async fn a_line_is_free_once_its_batch_is_of_another_declaration() {
    let world = World::new().await;
    let batch = || Batch { line: Some(7), ..samples::batch() };
    let first = world.batches(vec![batch()]).await[0].id;
    world.service.create_consignment(&world.importer, samples::consignment()).await.unwrap();
    let again = async || {
        let made = world.service.create_batches(&world.importer, ConsignmentId(2), vec![batch()]).await.unwrap();
        world.batch(BatchId(made[0].id)).await.same_line
    };
    assert_eq!(again().await, Some(first));
    let edit = |consignment: &mut Consignment| {
        consignment.declaration = DeclarationNumber::parse("223120201000012346").ok();
        Ok(())
    };
    world.service.change_consignment(&world.importer, ConsignmentId(1), edit).await.unwrap();
    assert_eq!(again().await, None);
}

#[tokio::test]
async fn an_organization_is_changed_by_itself_or_by_an_admin() {
    let world = World::new().await;
    let edit = |organization: &mut Organization| {
        organization.public_name = Some("Name".to_owned());
        Ok(())
    };
    let other = Caller { organization: OrganizationId(99), ..world.importer };
    let inspector = Caller { role: Role::Inspector, ..other };
    let id = world.importer.organization;
    for stranger in [other, inspector] {
        let refused = world.service.change_organization(&stranger, id, edit).await;
        assert!(matches!(refused, Err(RegisterError::NotFound { .. })), "{refused:?}");
    }
    for caller in [world.importer, ADMIN] {
        world.service.change_organization(&caller, id, edit).await.unwrap();
    }
}
