//! Temperatures: a logger's readings in, and the record of goods out.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, future::try_join_all, stream};

use super::{
    Caller, Service,
    capture::{CaptureError, Captured, heavy},
    gather::TimelineLine,
};
use crate::{
    cold_chain::{self, ColdChain, Interval, Limits, Reading, Series, SeriesError, Temperature, TemperatureReport},
    epcis::shapes::{self, Carrier, Occasion},
    limits::{
        TEMPERATURE_BYTES_MAX, TEMPERATURE_READINGS_MAX, TEMPERATURE_RECORDS_AT_ONCE, TEMPERATURE_RECORDS_MAX,
        TEMPERATURE_REPORTS_MAX,
    },
    registration::StorageLimits,
    service::Basis,
    store,
    trace::{Bearing, Entry, Record, RecordId, Scope, Stay},
};

/// Readings of one logger, as its file or somebody's program tells them.
#[derive(Clone, Debug)]
pub struct LoggerReadings {
    /// What the logger lay in or beside.
    pub carrier: Carrier,
    /// In ascending order of time, no two in one second.
    pub readings: Vec<Reading>,
    /// The local offset from UTC, in minutes.
    pub offset_minutes: i16,
    /// The logger, as a URI.
    pub device: Option<String>,
}

/// Why readings were refused.
#[derive(Debug, thiserror::Error)]
pub enum TemperatureError {
    /// They are no series.
    #[error("the readings: {0}")]
    Series(#[from] SeriesError),
    /// Their events may not be captured.
    #[error(transparent)]
    Capture(#[from] CaptureError),
}

impl From<store::Error> for TemperatureError {
    fn from(error: store::Error) -> Self {
        Self::Capture(error.into())
    }
}

/// What became of readings.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The capture with their events: several for more than `READINGS_MAX` readings.
    pub captured: Captured,
    /// What they say by themselves, against the limits of the goods.
    pub chain: ColdChain,
}

/// The temperature record of goods, as a scan shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ColdRecord {
    /// All readings that count, folded.
    pub chain: ColdChain,
    /// Whether they are the word of somebody with a right to it; otherwise they are shown as reports and decide nothing.
    pub confirmed: bool,
}

impl ColdRecord {
    /// Whether the cold chain is broken, by the word of somebody with a right to say so.
    pub fn is_broken(&self) -> bool {
        self.confirmed && self.chain.breach.is_some()
    }
}

impl Service {
    /// Captures a logger's readings as events, all in one capture. The same readings again are the same capture.
    ///
    /// # Errors
    /// Readings that are no series; and as for a captured document.
    pub async fn report_temperatures(
        &self,
        caller: &Caller,
        logger: LoggerReadings,
    ) -> Result<Reported, TemperatureError> {
        let limits = self.limits_of(&logger.carrier).await?;
        let LoggerReadings { carrier, readings, offset_minutes, device } = logger;
        let rule = &self.settings.cold_chain;
        let made = heavy(size_of_val(&*readings), || {
            let series = Series::split(&readings)?;
            let reports: Vec<_> =
                series.into_iter().map(|series| TemperatureReport::of(series, device.clone())).collect();
            let parts: Vec<_> = reports.iter().map(|report| (report, Interval::ALWAYS)).collect();
            let none = SeriesError::Count { found: 0 };
            let chain = cold_chain::fold(&parts, limits, rule).ok_or(none)?;
            let bodies = parts.iter().map(|part| {
                let mean = cold_chain::fold(&[*part], limits, rule).and_then(|chain| chain.mean);
                let occasion = Occasion { event_time_ms: part.0.to_ms, offset_minutes, read_point: None };
                let Some(series) = &part.0.series else { return Ok(None) };
                let event = shapes::temperatures(&occasion, &carrier, series, mean, device.as_deref(), &self.hosts);
                Ok(Some(event.map_err(CaptureError::Document)?.body))
            });
            let bodies = bodies.collect::<Result<Vec<Option<String>>, TemperatureError>>()?;
            Ok::<_, TemperatureError>((chain, bodies.into_iter().flatten().collect::<Vec<_>>()))
        });
        let (chain, bodies) = made?;
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        let captured = self.capture_made(caller, &bodies).await?;
        Ok(Reported { captured, chain })
    }

    /// The limits of what a carrier carries. What a unit carries is not known here, so that it has none.
    async fn limits_of(&self, carrier: &Carrier) -> store::Result<Limits> {
        let Carrier::Batch(batch) = carrier else { return Ok(Limits::default()) };
        let facts = self.batch_facts(*batch, &mut Basis::default()).await?;
        Ok(facts.map(|facts| limits(facts.effective().storage)).unwrap_or_default())
    }

    /// The record of goods, from the newest entries with temperatures that bear on them, as far as their readings can be
    /// folded. `None` where nobody reported a temperature.
    ///
    /// The word of those whose entries take effect counts; where there is none, reports of others are shown as such.
    ///
    /// What is among `bodies` is not read again.
    pub(in crate::service) async fn cold_record(
        &self,
        sensed: &[Sensed],
        limits: Limits,
        bodies: &Bodies,
    ) -> store::Result<Option<ColdRecord>> {
        // Apart, so that no crowd of reports keeps those out that count.
        let with = |counts| sensed.iter().filter(move |sensed| sensed.counts == counts);
        let mut told = self.told_by(with(true), bodies).await?;
        let confirmed = !told.reports.is_empty();
        if !confirmed {
            told = self.told_by(with(false), bodies).await?;
        }
        let reports = || told.reports.iter();
        let parts: Vec<_> =
            reports().flat_map(|(report, during)| during.iter().map(move |interval| (report, *interval))).collect();
        let readings = usize::try_from(told.readings).unwrap_or(usize::MAX);
        let chain = heavy(readings, || cold_chain::fold(&parts, limits, &self.settings.cold_chain));
        Ok(chain.map(|chain| ColdRecord { chain, confirmed }))
    }

    /// The temperatures that records tell, as far as all of them may be held and folded.
    async fn told_by(&self, newest_first: impl Iterator<Item = &Sensed>, bodies: &Bodies) -> store::Result<Told> {
        let mut told = Told::default();
        let read = newest_first.map(|sensed| {
            let known = bodies.0.get(&sensed.record).cloned();
            async move {
                match known {
                    Some(record) => Ok((sensed, Some(record))),
                    None => store::Result::Ok((sensed, self.store.record(sensed.record).await?.map(Arc::new))),
                }
            }
        });
        let mut records = stream::iter(read.collect::<Vec<_>>()).buffered(TEMPERATURE_RECORDS_AT_ONCE);
        while let Some((sensed, record)) = records.try_next().await? {
            let Some(record) = record else { continue };
            told.add(record.body.len(), self.event_of(&record)?.temperatures, &sensed.during);
            if told.is_full() {
                tracing::warn!(record = %record.id, "a batch has more temperatures than are folded; the newest are");
                break;
            }
        }
        Ok(told)
    }

    /// The records of entries with temperatures, the newest, before it is known which of them count: so that they are read
    /// beside what tells that.
    pub(in crate::service) async fn bodies_of(&self, entries: &[Entry]) -> store::Result<Bodies> {
        let mut sensed: Vec<_> = entries.iter().filter(|entry| entry.observed_ms.is_some()).collect();
        sensed.sort_unstable_by_key(|entry| Reverse(entry.place));
        let ids: Vec<_> =
            sensed.into_iter().map(|entry| entry.place.record).take(TEMPERATURE_RECORDS_AT_ONCE).collect();
        let records = try_join_all(ids.iter().map(|id| self.store.record(*id))).await?;
        Ok(Bodies(records.into_iter().flatten().map(|record| (record.id, Arc::new(record))).collect()))
    }
}

/// Records that were read before it was known what they count for. A record never changes.
#[derive(Debug, Default)]
pub(in crate::service) struct Bodies(HashMap<RecordId, Arc<Record>>);

/// Reports of temperatures, and what they cost.
#[derive(Default)]
struct Told {
    reports: Vec<(TemperatureReport, Vec<Interval>)>,
    readings: u64,
    bytes: usize,
}

impl Told {
    fn add(&mut self, bytes: usize, reports: Vec<TemperatureReport>, during: &[Interval]) {
        self.bytes += bytes;
        for report in reports {
            if self.is_full() {
                break;
            }
            self.readings += report.readings();
            self.reports.push((report, during.to_vec()));
        }
    }

    fn is_full(&self) -> bool {
        self.bytes > TEMPERATURE_BYTES_MAX
            || self.readings > TEMPERATURE_READINGS_MAX
            || self.reports.len() >= TEMPERATURE_REPORTS_MAX
    }
}

/// A record with temperatures that bears on goods.
#[derive(Clone, Debug)]
pub(in crate::service) struct Sensed {
    record: RecordId,
    event_time_ms: i64,
    /// Whether it is the word of somebody with a right to it.
    counts: bool,
    /// While it bears on the goods.
    during: Vec<Interval>,
}

/// The entries with temperatures among those that bear on goods. `stays` are those in the unit that they speak of; none
/// where they speak of the goods themselves.
pub(in crate::service) fn sensed<'e>(
    entries: impl Iterator<Item = (&'e Entry, Bearing)>,
    stays: &[&Stay],
) -> Vec<Sensed> {
    let during = |stay: &&Stay| Interval { from_ms: stay.from_ms, to_ms: stay.until_ms.unwrap_or(i64::MAX) };
    let during: Vec<_> = if stays.is_empty() { vec![Interval::ALWAYS] } else { stays.iter().map(during).collect() };
    let tells = |(entry, bearing): (&Entry, Bearing)| {
        let counts = match bearing {
            Bearing::Effective => true,
            Bearing::Report => false,
            Bearing::DeclaredInError | Bearing::ErrorDeclaration => return None,
        };
        entry.observed_ms.filter(|_| entry.scope != Scope::Some)?;
        let (record, event_time_ms) = (entry.place.record, entry.place.event_time_ms);
        Some(Sensed { record, event_time_ms, counts, during: during.clone() })
    };
    entries.filter_map(tells).collect()
}

/// The entries with temperatures among the lines of one code: of its own, and of units while it was inside.
pub(in crate::service) fn sensed_of(lines: &[TimelineLine], stays: &[Stay]) -> Vec<Sensed> {
    let with_temperatures = lines.iter().filter(|line| line.entry.observed_ms.is_some());
    let of_line = |line: &TimelineLine| {
        let inside: Vec<_> = stays.iter().filter(|stay| Some(&stay.unit) == line.of.as_ref()).collect();
        sensed(std::iter::once((&line.entry, line.bearing)), &inside)
    };
    with_temperatures.flat_map(of_line).collect()
}

impl Sensed {
    /// Whether it is the same report over the same time: of goods that were side by side.
    pub(in crate::service) fn is_same(&self, other: &Self) -> bool {
        self.record == other.record && self.during == other.during
    }

    /// As far as it lies before an instant; `None` where nothing does.
    pub(in crate::service) fn until(mut self, ms: i64) -> Option<Self> {
        self.during.retain(|interval| interval.from_ms <= ms);
        self.during.iter_mut().for_each(|interval| interval.to_ms = interval.to_ms.min(ms));
        (!self.during.is_empty()).then_some(self)
    }
}

/// Newest first, at most `TEMPERATURE_RECORDS_MAX` of those that count and as many others.
pub(in crate::service) fn newest(mut sensed: Vec<Sensed>) -> Vec<Sensed> {
    sensed.sort_by_key(|sensed| (Reverse(sensed.event_time_ms), sensed.record));
    let (mut counting, mut others) = (TEMPERATURE_RECORDS_MAX, TEMPERATURE_RECORDS_MAX);
    sensed.retain(|sensed| {
        let room = if sensed.counts { &mut counting } else { &mut others };
        let fits = *room > 0;
        *room = room.saturating_sub(1);
        fits
    });
    sensed
}

/// Storage limits as the fold takes them.
pub fn limits(storage: Option<StorageLimits>) -> Limits {
    let of = |celsius: Option<f64>| celsius.and_then(Temperature::from_celsius);
    storage.map(|storage| Limits { min: of(storage.min_celsius), max: of(storage.max_celsius) }).unwrap_or_default()
}
