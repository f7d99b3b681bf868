//! Temperatures in events, and the worked values of `docs/spec/temperature.md`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use coldproof::{
    cold_chain::{Clause, Interval, Limits, Reading, Series, Temperature, TemperatureReport, fold},
    config::Config,
    epcis::shapes::{self, Carrier, Occasion},
    trace::BatchId,
};

use super::{event, hosts, pages::golden, properties::sample};

const PAGE: &str = include_str!("../../../docs/spec/temperature.md");
const EVENTS: &str = include_str!("../../../docs/spec/epcis-events.md");

fn degrees(celsius: f64) -> Temperature {
    Temperature::from_celsius(celsius).unwrap()
}

/// The readings and both forms of a worked value.
fn worked(section: &str) -> (Vec<Reading>, &str, &str) {
    let lines = section.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let reading = |line: &str| {
        let (time, celsius) = line.split_once(' ').unwrap();
        let time_ms = time.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        Reading { time_ms, temperature: degrees(celsius.parse().unwrap()) }
    };
    let value = |name: &str| section.split(&format!("- {name} `")).nth(1).unwrap().split('`').next().unwrap();
    (lines.lines().map(reading).collect(), value("bytes"), value("base64url"))
}

#[test]
fn series_are_written_and_read_as_the_page_shows() {
    let values = PAGE.split("## Worked values").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut seen = 0;
    for section in values.split("\n### ").skip(1) {
        let (readings, hex, text) = worked(section);
        let series = Series::new(&readings).unwrap();
        let bytes: String = series.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((bytes.as_str(), URL_SAFE_NO_PAD.encode(series.bytes()).as_str()), (hex, text));
        let read = Series::parse(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
        assert!(read.readings().eq(readings));
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn the_rule_decides_as_the_page_shows_with_the_default_thresholds() {
    let examples = PAGE.split("## The rule by example").nth(1).unwrap().split("```text\n").nth(1).unwrap();
    let rule = Config::default_values().unwrap().cold_chain.rule();
    let mut seen = 0;
    for line in examples.split("```").next().unwrap().lines() {
        let [holds, minutes, clause] = line.split('|').map(str::trim).collect::<Vec<_>>().try_into().unwrap();
        let (mut readings, mut minute) = (Vec::new(), 0);
        for hold in holds.split(", ") {
            let (celsius, lasts) = hold.split_once(" x ").unwrap();
            let end = minute + lasts.parse::<i64>().unwrap();
            while minute < end {
                let temperature = degrees(celsius.parse().unwrap());
                readings.push(Reading { time_ms: 1_780_272_000_000 + minute * 60_000, temperature });
                minute += 5;
            }
        }
        let report = TemperatureReport::of(Series::new(&readings).unwrap(), None);
        let limits = Limits { min: None, max: Some(degrees(-18.0)) };
        let chain = fold(&[(&report, Interval::ALWAYS)], limits, &rule).unwrap();
        let broken = match chain.breach.map(|breach| breach.clause) {
            None => "-",
            Some(Clause::Beyond) => "1",
            Some(Clause::BeyondTotal) => "2",
            Some(Clause::Outside) => "3",
        };
        assert_eq!((chain.above_ms / 60_000, broken), (minutes.parse().unwrap(), clause), "{line}");
        seen += 1;
    }
    assert_eq!(seen, 7);
}

#[test]
fn the_page_shows_the_default_thresholds() {
    let config = Config::default_values().unwrap().cold_chain;
    let row = |name: &str, frozen: String, chilled: String| {
        let row = PAGE.lines().find(|line| line.starts_with(&format!("| {name}"))).unwrap();
        assert!(row.ends_with(&format!("| {frozen} | {chilled} |")), "{row}");
    };
    let degrees = |value: f64| format!("{value} °C");
    let minutes = |value: u32| format!("longer than {value} minutes");
    let hours = |value: u32| format!("longer than {} hours", value / 60);
    row("tolerance", degrees(config.frozen_tolerance_celsius), degrees(config.chilled_tolerance_celsius));
    row("1.", minutes(config.frozen_beyond_minutes), minutes(config.chilled_beyond_minutes));
    row("2.", minutes(config.frozen_beyond_total_minutes), minutes(config.chilled_beyond_total_minutes));
    row("3.", hours(config.frozen_outside_minutes), hours(config.chilled_outside_minutes));
    assert!(PAGE.contains(&format!("`gap_minutes` ({})", config.gap_minutes)));
}

#[test]
fn a_loggers_readings_are_an_event_as_the_page_shows() {
    let section = PAGE.split("\n### a logger of 0.1 degrees").nth(1).unwrap();
    let (readings, ..) = worked(section);
    let series = Series::new(&readings).unwrap();
    let occasion = Occasion { event_time_ms: series.last_ms(), offset_minutes: 480, read_point: None };
    let device = "https://w3id.org/coldproof/1/device/EF5A0012";
    let mean = Some(degrees(-18.46));
    let event =
        shapes::temperatures(&occasion, &Carrier::Batch(BatchId(17)), &series, mean, Some(device), &hosts()).unwrap();
    assert_eq!(event.body, golden(EVENTS, "temperatures of a batch"));
    let report = TemperatureReport { mean, ..TemperatureReport::of(series.clone(), Some(device.to_owned())) };
    assert_eq!(event.temperatures, [report]);
    let unit = Carrier::Unit("https://id.gs1.org/00/095060001234567893".to_owned());
    let event = shapes::temperatures(&occasion, &unit, &series, None, None, &hosts()).unwrap();
    assert_eq!(event.body, golden(EVENTS, "temperatures of a unit"));
}

/// An event with one sensor element of this metadata and these reports.
fn sensing(metadata: &str, reports: &str) -> String {
    sample(&format!(r#""epcList":[],"sensorElementList":[{{"sensorMetadata":{metadata},"sensorReport":[{reports}]}}]"#))
}

#[test]
fn reports_in_any_unit_become_hundredths_of_a_degree_celsius() {
    for (report, min, max, mean) in [
        (r#"{"type":"Temperature","value":-18.5,"uom":"CEL"}"#, -18.5, -18.5, Some(-18.5)),
        (
            r#"{"type":"Temperature","minValue":-21.4,"maxValue":-17.9,"meanValue":-19,"uom":"CEL"}"#,
            -21.4,
            -17.9,
            Some(-19.0),
        ),
        (r#"{"type":"gs1:Temperature","minValue":0,"maxValue":32,"uom":"FAH"}"#, -17.78, 0.0, None),
        (r#"{"type":"Temperature","value":255.15,"uom":"KEL"}"#, -18.0, -18.0, Some(-18.0)),
    ] {
        let text = sensing(
            r#"{"startTime":"2026-05-01T00:00:00Z","endTime":"2026-05-02T00:00:00Z","deviceID":"urn:x:d"}"#,
            report,
        );
        let event = event(&text).unwrap_or_else(|error| panic!("{report}: {error}"));
        let found = &event.temperatures[0];
        assert_eq!((found.min, found.max, found.mean), (degrees(min), degrees(max), mean.map(degrees)), "{report}");
        assert_eq!((found.to_ms - found.from_ms, found.device.as_deref()), (86_400_000, Some("urn:x:d")));
    }
    // Without a unit, and of something else.
    for report in [r#"{"type":"Temperature","value":3}"#, r#"{"type":"Speed","value":3,"uom":"MTS"}"#] {
        assert_eq!(event(&sensing("{}", report)).unwrap().temperatures, [], "{report}");
    }
    // Without a time of its own: the event's.
    let event = event(&sensing("{}", r#"{"type":"Temperature","value":3,"uom":"CEL"}"#)).unwrap();
    assert_eq!(
        (event.temperatures[0].from_ms, event.temperatures[0].to_ms),
        (event.event_time_ms, event.event_time_ms)
    );
}

#[test]
fn single_readings_of_one_device_are_one_series() {
    let point = |minute: u32, value: f64, device: &str| {
        format!(
            r#"{{"type":"Temperature","time":"2026-05-01T00:{minute:02}:00Z","deviceID":"urn:x:{device}","value":{value},"uom":"CEL"}}"#
        )
    };
    let reports = [point(10, -18.0, "a"), point(5, -19.0, "a"), point(5, 3.0, "b"), point(0, -20.0, "a")].join(",");
    let event = event(&sensing("{}", &reports)).unwrap();
    let [single, series] = &event.temperatures[..] else { panic!("{:?}", event.temperatures) };
    let (single, series) = if single.series.is_none() { (single, series) } else { (series, single) };
    assert_eq!((single.device.as_deref(), single.max), (Some("urn:x:b"), degrees(3.0)));
    let read: Vec<_> =
        series.series.as_ref().unwrap().readings().map(|reading| reading.temperature.celsius()).collect();
    assert_eq!(read, [-20.0, -19.0, -18.0]);
}

#[test]
fn temperatures_that_do_not_fit_are_refused_with_their_place() {
    let readings = "AQaAhr-fDawC8xwKAQYABQkTAA";
    let span = r#"{"startTime":"2026-05-04T00:00:00Z","endTime":"2026-05-04T00:25:00Z"}"#;
    let report = |fields: &str| format!(r#"{{"type":"Temperature","uom":"CEL",{fields}}}"#);
    let series = |text: &str| report(&format!(r#""cp:readings":"{text}""#));
    assert!(event(&sensing(span, &series(readings))).is_ok());
    for (metadata, report, field, words) in [
        (span, r#"{"type":"Temperature","value":3,"uom":"KGM"}"#.to_owned(), "/uom", "CEL, FAH or KEL"),
        (span, r#"{"type":"Temperature","value":-18,"uom":"KEL"}"#.to_owned(), "/value", "does the unit fit?"),
        (span, r#"{"type":"Temperature","value":255.15,"uom":"CEL"}"#.to_owned(), "/value", "does the unit fit?"),
        (span, report(r#""minValue":3,"maxValue":2"#), "/minValue", "at or below maxValue"),
        (span, series("AQaAhr-fDawC8xwKAQYABQkTA"), "readings", "a series of readings"),
        (span, series("AgaAhr-fDawC8xwKAQYABQkTAA"), "readings", "version"),
        (span, series("!"), "readings", "base64url"),
        (
            r#"{"startTime":"2026-05-04T00:00:01Z","endTime":"2026-05-04T00:25:00Z"}"#,
            series(readings),
            "readings",
            "startTime",
        ),
        (
            r#"{"startTime":"2026-05-04T00:00:00Z","endTime":"2026-05-04T00:24:59Z"}"#,
            series(readings),
            "readings",
            "endTime",
        ),
        (
            span,
            report(&format!(r#""maxValue":-18.3,"cp:readings":"{readings}""#)),
            "/maxValue",
            "the readings say -18.2",
        ),
        (span, format!(r#"{{"type":"Speed","cp:readings":"{readings}"}}"#), "readings", "of type Temperature"),
        (
            r#"{"startTime":"2026-05-04T00:00:00Z","endTime":"2126-05-04T00:25:00Z"}"#,
            report(r#""value":3"#),
            "/sensorElementList",
            "up to the event time",
        ),
        (
            r#"{"startTime":"2026-05-04T00:00:01Z","endTime":"2026-05-04T00:00:00Z"}"#,
            report(r#""value":3"#),
            "",
            "startTime at or before",
        ),
    ] {
        let error = event(&sensing(metadata, &report)).expect_err(&report);
        assert!(error.pointer.starts_with("/sensorElementList") && error.pointer.ends_with(field), "{report}: {error}");
        assert!(error.to_string().contains(words), "{report}: {error}");
    }
}
