//! Measures: the statement of each says what its events say.

use super::Audit;
use crate::{
    epcis::{
        record_id,
        shapes::{self, Occasion},
    },
    registration::{Content, Kind, Lift, Measure, Statement},
    service::measure::Result,
    store::{self, patiently},
    trace::{MeasureId, OrganizationId, RecordId, Role},
};

/// Who set or lifted a measure, when, and by which records.
struct Saying<'a> {
    organization: OrganizationId,
    role: Role,
    at_ms: i64,
    records: &'a [RecordId],
}

impl Audit<'_> {
    /// A measure's versions are one measure, before and after its lift, and its records are the events that follow from it.
    pub(super) async fn measure(&mut self, id: MeasureId) -> store::Result<()> {
        let versions = patiently(|| self.service.store.versions(Kind::Measure, id.0, 1, 3)).await;
        let versions = self.sound(versions)?.unwrap_or_default();
        let versions: Vec<Measure> = versions.into_iter().filter_map(content).collect();
        let (Some(first), Some(last)) = (versions.first(), versions.last()) else {
            self.find(|| format!("measure {id}: it is listed and not there"));
            return Ok(());
        };
        let as_made = Measure { lifted: None, ..last.clone() };
        if *first != as_made || versions.len() != 1 + usize::from(last.lifted.is_some()) {
            self.find(|| format!("measure {id}: its versions are not one measure, made and lifted"));
        }
        let made =
            Saying { organization: last.organization, role: last.role, at_ms: last.made_ms, records: &last.records };
        self.saying(last, None, &made).await?;
        if let Some(lift) = &last.lifted {
            let lifted = Saying {
                organization: lift.organization,
                role: lift.role,
                at_ms: lift.lifted_ms,
                records: &lift.records,
            };
            self.saying(last, Some(lift), &lifted).await?;
        }
        Ok(())
    }

    /// The records are there, and the very events that the statement makes at their time.
    async fn saying(&mut self, measure: &Measure, lift: Option<&Lift>, saying: &Saying<'_>) -> store::Result<()> {
        let mut occasion = None;
        for id in saying.records {
            self.report.checked += 1;
            let read = patiently(|| self.service.store.record(*id)).await;
            let Some(record) = self.sound(read)?.flatten() else {
                // One under way is a finding by itself if it stays so.
                if self.service.store.unfinished(1).await?.is_empty() {
                    self.find(|| format!("measure {}: its record {id} is not there", measure.id));
                }
                return Ok(());
            };
            let event = self.service.event_of(&record);
            let Some(event) = self.sound(event)? else { return Ok(()) };
            let by = (record.organization, record.role, event.event_time_ms);
            if by != (saying.organization, saying.role, saying.at_ms) {
                self.find(|| format!("measure {}: its record {id} is of another author, role or time", measure.id));
            }
            let (event_time_ms, offset_minutes) = (event.event_time_ms, event.offset_minutes);
            occasion = Some(Occasion { event_time_ms, offset_minutes, read_point: None });
        }
        let expected = self.expected(measure, lift, &occasion.unwrap_or_default(), saying.organization);
        if !expected.is_ok_and(|expected| expected == saying.records) {
            self.find(|| format!("measure {}: its events say something else than it does", measure.id));
        }
        Ok(())
    }

    fn expected(
        &self,
        measure: &Measure,
        lift: Option<&Lift>,
        occasion: &Occasion,
        by: OrganizationId,
    ) -> Result<Vec<RecordId>> {
        let events = match lift {
            None => shapes::measure(occasion, &self.service.measure_shape(measure)?, &self.service.hosts)?,
            Some(lift) => shapes::lift(occasion, &self.service.lift_shape(measure, lift)?, &self.service.hosts)?,
        };
        Ok(events.iter().map(|event| record_id(by, &event.body)).collect())
    }
}

fn content(statement: Statement) -> Option<Measure> {
    match statement.content {
        Content::Measure(measure) => Some(measure),
        _ => None,
    }
}
