//! Sensor elements (EPCIS 2.0, clause 7.3.7): checked and kept in the body.

use super::{
    context::Context,
    error::{Checked, Fault, Reason, Under},
    fields,
    json::{Json, names_differ},
    vocabulary::{COMPONENTS, MEASUREMENT_TYPES, SENSOR_ALERTS},
};

/// What the other fields of the event are checked against.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Summary {
    pub(super) elements: usize,
    /// Latest time of a single reading, milliseconds since 1970-01-01 UTC.
    pub(super) latest_report_ms: Option<i64>,
}

/// Fields that may stand in a sensor element's metadata or in its reports, but not in both (EPCIS 2.0, clause 7.3.7.1).
const IN_ONE_PLACE: [&str; 6] = ["time", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"];

/// Checks a `sensorElementList`.
pub(super) fn read_list(value: &mut Json<'_>, context: &Context) -> Checked<Summary> {
    let mut summary = Summary::default();
    for (at, item) in fields::array(value, "an array of sensor elements")?.iter_mut().enumerate() {
        let latest = read_element(item, context).under_index(at)?;
        summary.elements += 1;
        summary.latest_report_ms = summary.latest_report_ms.max(latest);
    }
    Ok(summary)
}

fn read_element(value: &mut Json<'_>, context: &Context) -> Checked<Option<i64>> {
    let members = fields::object(value, "a sensor element")?;
    let (mut latest, mut reports) = (None, false);
    let mut metadata_names: Vec<String> = Vec::new();
    for (name, value) in members.iter_mut() {
        match name.as_ref() {
            "sensorMetadata" => metadata_names = read_metadata(value, context).under(name)?,
            "sensorReport" => {}
            _ => fields::extension(name, value, context)?,
        }
    }
    for (name, value) in members.iter_mut().filter(|(name, _)| name == "sensorReport") {
        reports = true;
        latest = read_reports(value, &metadata_names, context).under(name)?;
    }
    names_differ(members)?;
    if reports { Ok(latest) } else { Err(fields::missing("sensorReport", "an array of at least one report")) }
}

/// Returns the names that must not stand in the reports too.
fn read_metadata(value: &mut Json<'_>, context: &Context) -> Checked<Vec<String>> {
    let members = fields::object(value, "sensor metadata")?;
    for (name, value) in members.iter_mut() {
        match name.as_ref() {
            "time" | "startTime" | "endTime" => fields::date_time(value).map(drop).under(name)?,
            "deviceID" | "deviceMetadata" | "rawData" | "dataProcessingMethod" | "bizRules" => {
                fields::uri(value, context).map(drop).under(name)?;
            }
            _ => fields::extension(name, value, context)?,
        }
    }
    names_differ(members)?;
    let names = members.iter().map(|(name, _)| name.as_ref());
    Ok(names.filter(|name| IN_ONE_PLACE.contains(name)).map(str::to_owned).collect())
}

fn read_reports(value: &mut Json<'_>, metadata_names: &[String], context: &Context) -> Checked<Option<i64>> {
    const EXPECTED: &str = "an array of at least one report";
    let items = fields::array(value, EXPECTED)?;
    if items.is_empty() {
        return Err(Fault::unexpected("an empty array", EXPECTED));
    }
    let mut latest = None;
    for (at, item) in items.iter_mut().enumerate() {
        latest = latest.max(read_report(item, metadata_names, context).under_index(at)?);
    }
    Ok(latest)
}

fn read_report(value: &mut Json<'_>, metadata_names: &[String], context: &Context) -> Checked<Option<i64>> {
    let members = fields::object(value, "a sensor report")?;
    let (mut time_ms, mut has_type) = (None, false);
    for (name, value) in members.iter_mut() {
        if metadata_names.iter().any(|other| other == name) {
            return Err(Fault::new(Reason::Duplicate { found: format!("{name} of sensorMetadata") })).under(name);
        }
        match name.as_ref() {
            "type" => {
                let expected = "a measurement type of the GS1 web vocabulary, or the URI of one's own";
                fields::word(value, &MEASUREMENT_TYPES, expected, context).under(name)?;
                has_type = true;
            }
            "time" => time_ms = Some(fields::date_time(value).under(name)?),
            _ => {
                if !read_report_field(name, value, context).under(name)? {
                    fields::extension(name, value, context)?;
                }
            }
        }
    }
    names_differ(members)?;
    if has_type { Ok(time_ms) } else { Err(fields::missing("type", "what was measured")) }
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
