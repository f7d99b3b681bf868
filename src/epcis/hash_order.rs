//! The order in which the CBV event hash reads an event's elements (CBV 2.0, clause 8.9.2, table of step 3).

/// An element, and the order of those inside it.
pub(super) struct Ordered {
    pub(super) name: &'static str,
    pub(super) is_time: bool,
    pub(super) children: &'static [Ordered],
}

const fn leaf(name: &'static str) -> Ordered {
    Ordered { name, is_time: false, children: &[] }
}

const fn time(name: &'static str) -> Ordered {
    Ordered { name, is_time: true, children: &[] }
}

const fn node(name: &'static str, children: &'static [Ordered]) -> Ordered {
    Ordered { name, is_time: false, children }
}

const EPCS: &[Ordered] = &[leaf("epc")];
const QUANTITIES: &[Ordered] = &[node("quantityElement", &[leaf("epcClass"), leaf("quantity"), leaf("uom")])];
const PLACE: &[Ordered] = &[leaf("id")];

const SENSOR_METADATA: &[Ordered] = &[
    time("time"),
    time("startTime"),
    time("endTime"),
    leaf("deviceID"),
    leaf("deviceMetadata"),
    leaf("rawData"),
    leaf("dataProcessingMethod"),
    leaf("bizRules"),
];

const SENSOR_REPORT: &[Ordered] = &[
    leaf("type"),
    leaf("exception"),
    leaf("deviceID"),
    leaf("deviceMetadata"),
    leaf("rawData"),
    leaf("dataProcessingMethod"),
    time("time"),
    leaf("microorganism"),
    leaf("chemicalSubstance"),
    leaf("value"),
    leaf("component"),
    leaf("stringValue"),
    leaf("booleanValue"),
    leaf("hexBinaryValue"),
    leaf("uriValue"),
    leaf("minValue"),
    leaf("maxValue"),
    leaf("meanValue"),
    leaf("sDev"),
    leaf("percRank"),
    leaf("percValue"),
    leaf("uom"),
    leaf("coordinateReferenceSystem"),
];

/// Elements of all event types. Business transactions, sources and destinations come last, with the extensions.
pub(super) const EVENT: &[Ordered] = &[
    time("eventTime"),
    leaf("eventTimeZoneOffset"),
    leaf("certificationInfo"),
    leaf("parentID"),
    node("epcList", EPCS),
    node("inputEPCList", EPCS),
    node("childEPCs", EPCS),
    node("quantityList", QUANTITIES),
    node("childQuantityList", QUANTITIES),
    node("inputQuantityList", QUANTITIES),
    node("outputEPCList", EPCS),
    node("outputQuantityList", QUANTITIES),
    leaf("action"),
    leaf("transformationID"),
    leaf("bizStep"),
    leaf("disposition"),
    node("persistentDisposition", &[leaf("set"), leaf("unset")]),
    node("readPoint", PLACE),
    node("bizLocation", PLACE),
    node(
        "sensorElementList",
        &[node("sensorElement", &[node("sensorMetadata", SENSOR_METADATA), node("sensorReport", SENSOR_REPORT)])],
    ),
];
