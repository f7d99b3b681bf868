//! Documents and their files.

use image::ImageFormat;
use object_store::{ObjectStoreExt, PutPayload, path::Path};
use sha2::{Digest, Sha256};

use super::{Change, RegisterError, Result, Service, batch::consignment_turn, content_of, picture::decodes};
use crate::{
    limits::DOCUMENTS_MAX,
    registration::{Content, Document, DocumentOf, FileHash, Kind, MediaType, Statement, StoredFile, ValueError},
    service::{Caller, Counter},
    trace::{ConsignmentId, DocumentId},
};

impl Service {
    /// Keeps a file under its hash; the same file twice is one. Durable on return. An image is decoded first, so that
    /// what is sent to a phone is what it says.
    ///
    /// # Errors
    /// Where the first bytes do not show one of the `accepted` types, the rest is not what they promise, or the file
    /// store fails. `field` is named.
    pub async fn store_file(&self, field: &str, bytes: bytes::Bytes, accepted: &[MediaType]) -> Result<StoredFile> {
        let media_type = sniff(&bytes).filter(|found| accepted.contains(found)).ok_or_else(|| {
            let found = infer::get(&bytes).map_or("bytes of no known type", |kind| kind.mime_type());
            let accepted: Vec<_> = accepted.iter().map(|media_type| media_type.as_str()).collect();
            let expected = format!("one of {}, as its first bytes tell", accepted.join(", "));
            RegisterError::invalid(field, ValueError::out_of_range(found, expected))
        })?;
        let whole = bytes.clone();
        let checked = tokio::task::spawn_blocking(move || match media_type {
            MediaType::Pdf => is_pdf(&whole),
            MediaType::Png => decodes(&whole, ImageFormat::Png),
            MediaType::Jpeg => decodes(&whole, ImageFormat::Jpeg),
            MediaType::Webp => decodes(&whole, ImageFormat::WebP),
        });
        let checked =
            checked.await.unwrap_or_else(|_| Err(ValueError::out_of_range("a decoder that failed", "an image")));
        checked.map_err(|error| RegisterError::invalid(field, error))?;
        let sha256 = FileHash(Sha256::digest(&bytes).into());
        let size_bytes = bytes.len() as u64;
        self.files.put(&file_path(sha256), PutPayload::from_bytes(bytes)).await?;
        Ok(StoredFile { sha256, media_type, size_bytes })
    }

    /// The bytes of a stored file, checked against its hash.
    ///
    /// # Errors
    /// Where the file store fails, or the file is damaged.
    pub async fn read_file(&self, file: &StoredFile) -> Result<bytes::Bytes> {
        self.read_hash(file.sha256).await
    }

    /// The same by its hash alone.
    pub(in crate::service) async fn read_hash(&self, sha256: FileHash) -> Result<bytes::Bytes> {
        let bytes = self.files.get(&file_path(sha256)).await?.bytes().await?;
        let read = bytes.clone();
        // 16 MiB take a worker's time that other requests need.
        let digest = tokio::task::spawn_blocking(move || Sha256::digest(&read)).await;
        let digest = digest.map_err(|error| crate::store::Error::Unavailable(error.to_string()))?;
        if digest.as_slice() != sha256.0 {
            let (key, found) = (sha256.to_string(), "bytes with another hash".to_owned());
            return Err(crate::store::Error::Corrupt { table: "files", key, found }.into());
        }
        Ok(bytes)
    }

    /// Registers a document of a consignment or batch of the caller's, with a correcting event for each registered batch
    /// that it belongs to; its number is given here.
    ///
    /// # Errors
    /// Where what it belongs to is not the caller's, or has as many documents as it may.
    pub async fn create_document(&self, caller: &Caller, document: Document) -> Result<Statement> {
        let consignment = self.consignment_with(caller, document.of).await?;
        let created = self.create_document_in_turn(caller, document, consignment);
        self.in_turn(&self.changing, [consignment_turn(consignment)], created).await
    }

    async fn create_document_in_turn(
        &self,
        caller: &Caller,
        document: Document,
        consignment: ConsignmentId,
    ) -> Result<Statement> {
        let (of, parent) = (document.of, document.of.parent());
        if self.store.children(&parent, Kind::Document, None, DOCUMENTS_MAX).await?.len() >= DOCUMENTS_MAX {
            let what = match of {
                DocumentOf::Consignment(_) => "the consignment",
                DocumentOf::Batch(_) => "the batch",
            };
            return Err(RegisterError::Full { what, of: "documents", max: DOCUMENTS_MAX });
        }
        let id = self.next_number(Counter::Documents).await?;
        let (organization, created_ms) = (caller.organization, self.now_ms());
        let document = Document { id: DocumentId(id), organization, created_ms, ..document };
        let statement = self.new_statement(caller, Kind::Document, id, vec![parent], Content::Document(document));
        self.write_document(caller, statement, consignment, of).await
    }

    /// Sets or replaces a document's public rendition, with a correcting event for each registered batch that it belongs
    /// to.
    ///
    /// # Errors
    /// Where the document is not the caller's.
    pub async fn publish_document(&self, caller: &Caller, id: DocumentId, public: StoredFile) -> Result<Statement> {
        // A document never changes hands, so that what it belongs to may be read before the lock.
        let of = content_of!(self.owned(caller, Kind::Document, id.0).await?.content, Document)?.of;
        let consignment = self.consignment_with(caller, of).await?;
        let published = async {
            let before = self.owned(caller, Kind::Document, id.0).await?;
            let document = content_of!(before.content.clone(), Document)?;
            let document = Document { public: Some(public), ..document };
            let statement = self.next_version(caller, &before, Vec::new(), Content::Document(document));
            self.write_document(caller, statement, consignment, of).await
        };
        self.in_turn(&self.changing, [consignment_turn(consignment)], published).await
    }

    /// The caller's consignment that a document concerns, itself or through a batch.
    async fn consignment_with(&self, caller: &Caller, of: DocumentOf) -> Result<ConsignmentId> {
        Ok(match of {
            DocumentOf::Consignment(id) => self.own_consignment(caller, id).await?.id,
            DocumentOf::Batch(id) => {
                content_of!(self.owned(caller, Kind::Batch, id.0).await?.content, Batch)?.consignment
            }
        })
    }

    /// Writes a version of a document and what it corrects, in one capture.
    async fn write_document(
        &self,
        caller: &Caller,
        statement: Statement,
        consignment: ConsignmentId,
        of: DocumentOf,
    ) -> Result<Statement> {
        let consignment = self.own_consignment(caller, consignment).await?;
        let batches = match of {
            DocumentOf::Consignment(id) => self.batches_of(id).await?,
            DocumentOf::Batch(id) => vec![id.0],
        };
        let mut change = Change { statements: vec![statement.clone()], events: Vec::new() };
        for id in batches {
            let Some(before) = self.statement(Kind::Batch, id).await? else { continue };
            let batch = content_of!(before.content.clone(), Batch)?;
            self.write_batch(caller, &mut change, Some(&before), batch, &consignment).await?;
        }
        self.write(caller, change).await?;
        Ok(statement)
    }
}

/// Where the file with this hash is kept.
pub(in crate::service) fn file_path(sha256: FileHash) -> Path {
    let hex = sha256.to_string();
    let (folder, _) = hex.split_at(2);
    Path::from_iter([folder, hex.as_str()])
}

/// The hash of the file that is kept there; `None` for anything else that lies about.
pub(in crate::service) fn file_hash(path: &Path) -> Option<FileHash> {
    let hash = path.filename()?.parse().ok()?;
    (file_path(hash) == *path).then_some(hash)
}

/// Whether a file is a whole PDF as far as its ends tell: ISO 32000-1, 7.5.2 and 7.5.5. Readers look for the last line
/// within the last 1,024 bytes, because mail and scanners append to it.
fn is_pdf(bytes: &[u8]) -> std::result::Result<(), ValueError> {
    const MARK: &[u8] = b"%%EOF";
    let end = bytes.get(bytes.len().saturating_sub(1_024)..).unwrap_or_default();
    if bytes.starts_with(b"%PDF-") && end.windows(MARK.len()).any(|window| window == MARK) {
        return Ok(());
    }
    let expected = "a whole PDF: %PDF- at its beginning and %%EOF in its last 1,024 bytes";
    Err(ValueError::out_of_range("a PDF that is cut short or none", expected))
}

fn sniff(bytes: &[u8]) -> Option<MediaType> {
    match infer::get(bytes)?.mime_type() {
        "application/pdf" => Some(MediaType::Pdf),
        "image/png" => Some(MediaType::Png),
        "image/jpeg" => Some(MediaType::Jpeg),
        "image/webp" => Some(MediaType::Webp),
        _ => None,
    }
}
