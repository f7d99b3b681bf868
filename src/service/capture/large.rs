//! Documents of any size, read twice from their file: once to see whether all of it is accepted and what it is, and once to
//! stage it. Nothing but digests is remembered of the first reading.

use std::sync::Arc;

use super::{
    CaptureError, SpoolError,
    accept::Acceptance,
    heavy, on_its_own, record_of,
    spool::{Reading, Spool},
    stage::Staging,
    written_bytes,
};
use crate::{
    epcis::{CaptureDigest, Event, record_id},
    limits::SPOOL_CHUNK_BYTES,
    service::{Caller, Service},
    store::{Capture, Writes},
    trace::CaptureId,
};

impl Service {
    /// Captures an EPCIS document that lies in a file.
    ///
    /// # Errors
    /// What is wrong with it and where; nothing of it has taken effect then.
    pub async fn capture_spooled(self: &Arc<Self>, caller: &Caller, spool: Spool) -> Result<Capture, CaptureError> {
        let (service, caller) = (Arc::clone(self), *caller);
        on_its_own(async move { service.capture_large(&caller, &spool).await }).await
    }

    async fn capture_large(&self, caller: &Caller, spool: &Spool) -> Result<Capture, CaptureError> {
        let mut acceptance = Acceptance::new(self.now_ms());
        let (id, records) = self.accept_large(caller, &mut acceptance, spool).await?;
        if let Some(capture) = self.known(id).await? {
            return Ok(capture);
        }
        let turn = self.take(&acceptance.effects, acceptance.now_ms).await?;
        let captured = async {
            let staging = self.stage_large(caller, &mut acceptance, spool, id).await?;
            let capture = caller.capture(id, u32::try_from(records).unwrap_or(u32::MAX), &[], acceptance.now_ms);
            Ok(staging.commit(capture, Writes::default()).await?)
        };
        let captured: Result<_, CaptureError> = captured.await;
        turn.end(captured).await
    }

    /// The first reading: the capture's id and how many records it has.
    async fn accept_large(
        &self,
        caller: &Caller,
        acceptance: &mut Acceptance,
        spool: &Spool,
    ) -> Result<(CaptureId, usize), CaptureError> {
        let mut digest = CaptureDigest::new(caller.organization);
        let mut records = 0;
        let mut reading = Reading::begin(spool)?;
        loop {
            let texts = heavy(SPOOL_CHUNK_BYTES, || reading.texts())?;
            let bytes = texts.iter().map(|text| text.bytes()).sum();
            let _share = self.capture_memory(bytes).await?;
            let drafts = heavy(SPOOL_CHUNK_BYTES, || reading.drafts(&texts, &self.hosts))?;
            let events = self.accept(caller, acceptance, drafts, records, bytes).await?;
            if events.is_empty() {
                break;
            }
            for event in &events {
                written_bytes(event)?;
                digest.add(record_id(caller.organization, &event.body));
            }
            records += events.len();
        }
        if records == 0 { Err(CaptureError::Empty) } else { Ok((digest.id(), records)) }
    }

    /// The second reading.
    async fn stage_large(
        &self,
        caller: &Caller,
        acceptance: &mut Acceptance,
        spool: &Spool,
        id: CaptureId,
    ) -> Result<Staging<'_>, CaptureError> {
        let mut digest = CaptureDigest::new(caller.organization);
        let mut staging = Staging::new(self, id);
        let mut reading = Reading::begin(spool)?;
        loop {
            let texts = heavy(SPOOL_CHUNK_BYTES, || reading.texts())?;
            let bytes = texts.iter().map(|text| text.bytes()).sum();
            let _share = self.capture_memory(bytes).await?;
            let drafts = heavy(SPOOL_CHUNK_BYTES, || reading.drafts(&texts, &self.hosts))?;
            let events: Vec<Event> = self.seal_all(acceptance, drafts, bytes).await?;
            if events.is_empty() {
                break;
            }
            for event in &events {
                let record = record_id(caller.organization, &event.body);
                digest.add(record);
                staging.push(record_of(caller, id, record, event, acceptance.now_ms), written_bytes(event)?).await?;
            }
        }
        if digest.id() != id {
            let altered = std::io::Error::other("the file is not what it was");
            return Err(SpoolError::Disk(altered).into());
        }
        Ok(staging)
    }
}
