//! Our own events about temperatures.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{
    DocumentError, Event, Hosts, epc,
    shapes::{Occasion, base, read},
    temperature::READINGS,
    time,
};
use crate::{
    cold_chain::{Series, Temperature},
    trace::BatchId,
};

/// What a logger lay in or beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A whole batch.
    Batch(BatchId),
    /// A pallet, container or returnable asset, as its canonical URI.
    Unit(String),
}

/// The readings of a logger: OBSERVE, `sensor_reporting`, one sensor element with extremes and mean in degrees Celsius and
/// the readings in compact form. `occasion` is when the last reading was; `device` the logger, as a URI.
///
/// # Errors
/// Where device or unit is no URI, or the occasion is before the last reading.
pub fn temperatures(
    occasion: &Occasion,
    carrier: &Carrier,
    series: &Series,
    mean: Option<Temperature>,
    device: Option<&str>,
    hosts: &Hosts,
) -> Result<Event, DocumentError> {
    let mut event = base(occasion, "OBSERVE", Some("sensor_reporting"), None);
    match carrier {
        Carrier::Batch(batch) => {
            let element = json!({ "epcClass": epc::batch_uri(*batch, hosts) });
            event.insert("quantityList".into(), json!([element]));
        }
        Carrier::Unit(uri) => drop(event.insert("epcList".into(), json!([uri]))),
    }
    let date_time = |ms| time::hash_form(ms).unwrap_or_default();
    let mut metadata = json!({ "startTime": date_time(series.first_ms()), "endTime": date_time(series.last_ms()) });
    let mut report = json!({
        "type": "Temperature",
        "minValue": series.min().celsius(),
        "maxValue": series.max().celsius(),
        "uom": "CEL",
        READINGS: URL_SAFE_NO_PAD.encode(series.bytes()),
    });
    if let (Some(metadata), Some(device)) = (metadata.as_object_mut(), device) {
        metadata.insert("deviceID".into(), json!(device));
    }
    if let (Some(report), Some(mean)) = (report.as_object_mut(), mean) {
        report.insert("meanValue".into(), json!(mean.celsius()));
    }
    event.insert("sensorElementList".into(), json!([{ "sensorMetadata": metadata, "sensorReport": [report] }]));
    read(event, hosts)
}
