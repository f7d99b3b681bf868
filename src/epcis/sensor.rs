//! Sensor elements (EPCIS 2.0, clause 7.3.7): checked and kept in the body; temperatures are read.

use super::{
    context::Context,
    error::{Checked, Fault, Reason, Under},
    fields,
    json::{Json, names_differ},
    temperature::{Fields, Found, Metadata, READINGS, joined},
    vocabulary::{COMPONENTS, MEASUREMENT_TYPES, SENSOR_ALERTS},
};

/// What the other fields of the event are checked against.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) elements: usize,
    /// Latest time of a single reading, milliseconds since 1970-01-01 UTC.
    pub(super) latest_report_ms: Option<i64>,
    pub(super) temperatures: Vec<Found>,
}

/// Fields that may stand in a sensor element's metadata or in its reports, but not in both (EPCIS 2.0, clause 7.3.7.1).
const IN_ONE_PLACE: [&str; 6] = ["time", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"];

/// Checks a `sensorElementList`.
pub(super) fn read_list(value: &mut Json<'_>, context: &Context) -> Checked<Summary> {
    let mut summary = Summary::default();
    for (at, item) in fields::array(value, "an array of sensor elements")?.iter_mut().enumerate() {
        let reports = read_element(item, context).under_index(at)?;
        summary.elements += 1;
        summary.latest_report_ms = summary.latest_report_ms.max(reports.latest_ms);
        summary.temperatures.extend(joined(reports.temperatures));
    }
    Ok(summary)
}

/// What the reports of one element say.
#[derive(Default)]
struct Reports {
    latest_ms: Option<i64>,
    temperatures: Vec<Found>,
}

fn read_element(value: &mut Json<'_>, context: &Context) -> Checked<Reports> {
    let members = fields::object(value, "a sensor element")?;
    let (mut reports, mut metadata) = (None, Metadata::default());
    for (name, value) in members.iter_mut() {
        match name.as_ref() {
            "sensorMetadata" => metadata = read_metadata(value, context).under(name)?,
            "sensorReport" => {}
            _ => fields::extension(name, value, context)?,
        }
    }
    for (name, value) in members.iter_mut().filter(|(name, _)| name == "sensorReport") {
        reports = Some(read_reports(value, &metadata, context).under(name)?);
    }
    names_differ(members)?;
    reports.ok_or_else(|| fields::missing("sensorReport", "an array of at least one report"))
}

fn read_metadata(value: &mut Json<'_>, context: &Context) -> Checked<Metadata> {
    let members = fields::object(value, "sensor metadata")?;
    let mut metadata = Metadata::default();
    for (name, value) in members.iter_mut() {
        match name.as_ref() {
            "time" => metadata.time_ms = Some(fields::date_time(value).under(name)?),
            "startTime" => metadata.start_ms = Some(fields::date_time(value).under(name)?),
            "endTime" => metadata.end_ms = Some(fields::date_time(value).under(name)?),
            "deviceID" => metadata.device = Some(fields::uri(value, context).under(name)?),
            "deviceMetadata" | "rawData" | "dataProcessingMethod" | "bizRules" => {
                fields::uri(value, context).map(drop).under(name)?;
            }
            _ => fields::extension(name, value, context)?,
        }
    }
    names_differ(members)?;
    let names = members.iter().map(|(name, _)| name.as_ref());
    metadata.names = names.filter(|name| IN_ONE_PLACE.contains(name)).map(str::to_owned).collect();
    Ok(metadata)
}

fn read_reports(value: &mut Json<'_>, metadata: &Metadata, context: &Context) -> Checked<Reports> {
    const EXPECTED: &str = "an array of at least one report";
    let items = fields::array(value, EXPECTED)?;
    if items.is_empty() {
        return Err(Fault::unexpected("an empty array", EXPECTED));
    }
    let mut reports = Reports::default();
    for (at, item) in items.iter_mut().enumerate() {
        let fields = read_report(item, &metadata.names, context).under_index(at)?;
        reports.latest_ms = reports.latest_ms.max(fields.time_ms);
        reports.temperatures.extend(fields.found(metadata).under_index(at)?);
    }
    Ok(reports)
}

fn read_report(value: &mut Json<'_>, metadata_names: &[String], context: &Context) -> Checked<Fields> {
    let members = fields::object(value, "a sensor report")?;
    let (mut found, mut has_type) = (Fields::default(), false);
    for (name, value) in members.iter_mut() {
        if metadata_names.iter().any(|other| other == name) {
            return Err(Fault::new(Reason::Duplicate { found: format!("{name} of sensorMetadata") })).under(name);
        }
        match name.as_ref() {
            "type" => {
                let expected = "a measurement type of the GS1 web vocabulary, or the URI of one's own";
                found.is_temperature =
                    fields::word(value, &MEASUREMENT_TYPES, expected, context).under(name)? == "Temperature";
                has_type = true;
            }
            "time" => found.time_ms = Some(fields::date_time(value).under(name)?),
            _ => {
                if !read_report_field(name, value, context).under(name)? {
                    fields::extension(name, value, context)?;
                }
                keep(name, value, &mut found).under(name)?;
            }
        }
    }
    names_differ(members)?;
    if has_type { Ok(found) } else { Err(fields::missing("type", "what was measured")) }
}

/// Keeps what is needed of a temperature; the field was checked before.
fn keep(name: &str, value: &Json<'_>, found: &mut Fields) -> Checked<()> {
    let into = match (name, value) {
        ("value", Json::Number(value)) => (&mut found.value, *value),
        ("minValue", Json::Number(value)) => (&mut found.min, *value),
        ("maxValue", Json::Number(value)) => (&mut found.max, *value),
        ("meanValue", Json::Number(value)) => (&mut found.mean, *value),
        ("uom", Json::String(text)) => {
            found.uom = Some(text.clone().into_owned());
            return Ok(());
        }
        ("deviceID", Json::String(text)) => {
            found.device = Some(text.clone().into_owned());
            return Ok(());
        }
        (READINGS, value) => {
            found.readings = Some(fields::text(value, "readings in base64url")?.to_owned());
            return Ok(());
        }
        _ => return Ok(()),
    };
    *into.0 = Some(into.1);
    Ok(())
}

fn read_report_field(name: &str, value: &mut Json<'_>, context: &Context) -> Checked<bool> {
    match name {
        "exception" => {
            let expected = "ALARM_CONDITION, ERROR_CONDITION, or the URI of one's own";
            fields::word(value, &SENSOR_ALERTS, expected, context)?;
        }
        "component" => {
            let expected = "a component of CBV 2.0, or the URI of one's own";
            fields::word(value, &COMPONENTS, expected, context)?;
        }
        "deviceID"
        | "deviceMetadata"
        | "rawData"
        | "dataProcessingMethod"
        | "bizRules"
        | "microorganism"
        | "chemicalSubstance"
        | "coordinateReferenceSystem"
        | "uriValue" => {
            fields::uri(value, context)?;
        }
        "value" | "minValue" | "maxValue" | "meanValue" | "sDev" | "percRank" | "percValue" => match value {
            Json::Number(_) => {}
            other => return Err(Fault::unexpected(other.describe(), "a number")),
        },
        "stringValue" | "uom" => {
            fields::text(value, "a string")?;
        }
        "booleanValue" => match value {
            Json::Bool(_) => {}
            other => return Err(Fault::unexpected(other.describe(), "true or false")),
        },
        "hexBinaryValue" => {
            const EXPECTED: &str = "hexadecimal digits";
            let text = fields::text(value, EXPECTED)?;
            if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(Fault::unexpected(value.describe(), EXPECTED));
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}
