use proptest::prelude::*;

use super::*;

/// 2026-07-01T00:00:00Z.
const NOW_MS: i64 = 1_782_864_000_000;

fn told() -> Told<'static> {
    Told { latest_ms: NOW_MS, ..Told::default() }
}

fn china() -> Told<'static> {
    Told { zone_minutes: Some(480), ..told() }
}

/// Each reading as `2026-05-01T02:00:00Z -18.5`.
fn lines(file: &LoggerFile) -> Vec<String> {
    let line = |reading: &Reading| {
        let time = jiff::Timestamp::from_millisecond(reading.time_ms).unwrap();
        format!("{time} {}", reading.temperature)
    };
    file.readings.iter().map(line).collect()
}

fn readings(file: &str, told: &Told<'_>) -> Vec<String> {
    lines(&read(file.as_bytes(), told).unwrap_or_else(|error| panic!("{error}\n{file}")))
}

fn refused(file: &str, told: &Told<'_>) -> (String, String) {
    let error = read(file.as_bytes(), told).expect_err(file);
    (error.place(), error.to_string())
}

const TWO: [&str; 2] = ["2026-05-31T02:00:00Z -18.5", "2026-05-31T02:05:00Z -17.9"];

#[test]
fn files_of_many_makers_hold_the_same_two_readings() {
    for file in [
        "time,temperature(C)\n2026-05-31T10:00:00,-18.5\n2026-05-31T10:05:00,-17.9\n",
        "Date/Time;Temp. [°C]\r\n31.05.2026 10:00:00;-18,5\r\n31.05.2026 10:05:00;-17,9\r\n",
        "\u{feff}序号,时间,温度(℃),湿度(%RH)\n1,2026/5/31 10:00,-18.5,45\n2,2026/5/31 10:05,-17.9,45\n",
        "No.\tDate\tTime\tTemperature °C\tHumidity %\n1\t31/05/2026\t10:00:00\t-18.5\t\n2\t31/05/2026\t10:05:00\t-17.9\t\n",
        "Index|Date|Time|Ch1 (F)\n1|05/31/2026|10:00 AM|-1.3\n2|05/31/2026|10:05 AM|-0.22\n",
        "时间,数值\n2026年5月31日 上午10:00:00,-18.5℃\n2026年5月31日 上午10:05:00,-17.9 ℃\n",
        "\"Time\",\"Temp (K)\"\n\"31-May-2026 10:00\",\"254.65\"\n\"31-May-2026 10:05\",\"255.25\"\n",
        "sep=;\nSerial Number: TT-4711;\nTrip;42\nMax;-15;Temp\n\nDatum;Uhrzeit;Temp. (°C);Alarm\n31.05.26;10:00:00;-18,5;\n31.05.26;10:05:00;-17,9;!\n",
        "Max temperature,-12.5\nStart time,2026-05-31 10:00\nTimestamp (UTC+8),Temperature °C,Temperature limit\n2026-05-31 10:00,-18.5,-18\n2026-05-31 10:05,-17.9,-18\n",
        "\"#\",\"Date Time, GMT+08:00\",\"Temp, °C (LGR S/N: 1234)\"\n1,05/31/26 10:00:00 AM,-18.5\n2,05/31/26 10:05:00 AM,-17.9\n",
        "Units: Celsius\nReading|Date|Time|Temperature\n1|31-May-26|10:00|-18.5|start\n2|31-May-26|10:05|-17.9\n",
        "Date,Time,Temp C\n20260531,100000,-18.5\n20260531,100500,-17.9\n",
    ] {
        assert_eq!(readings(file, &china()), TWO, "{file}");
    }
}

#[test]
fn zone_unit_and_serial_number_are_read_from_the_lines_before_the_header() {
    let file = "Model,RC-5\nSerial No.,EF5A0012\nTime Zone,UTC+08:00\nTemperature Unit,°F\n\nNo,Time,Temperature\n1,2026-05-31 10:00,-1.3\n";
    let read = read(file.as_bytes(), &told()).unwrap();
    assert_eq!(lines(&read), [TWO[0]]);
    assert_eq!((read.device.as_deref(), read.offset_minutes), (Some("EF5A0012"), 480));
    let file = "设备编号：冷链001\n时区：北京时间\n时间;温度℃\n2026-05-31 10:00;-18,5\n";
    let read = super::read(file.as_bytes(), &told()).unwrap();
    assert_eq!((lines(&read), read.device.as_deref()), (vec![TWO[0].to_owned()], Some("冷链001")));
}

#[test]
fn what_the_file_does_not_tell_is_asked_for_by_name() {
    let file = "time,temp (C)\n2026-05-31 10:00,-18.5\n";
    let (place, text) = refused(file, &told());
    assert_eq!(place, "zone");
    assert!(text.contains("zone=%2B08:00"), "{text}");

    let (place, text) = refused("time,temp\n2026-05-31 10:00,-18.5\n", &china());
    assert_eq!(place, "line 2, column 2 (temp)");
    assert!(text.contains("unit=C, F or K"), "{text}");
    let celsius = Told { unit: Some(Unit::Celsius), ..china() };
    assert_eq!(readings("time,temp\n2026-05-31 10:00,-18.5\n", &celsius), [TWO[0]]);

    let two = "time,T1 temp (C),T2 temp (C)\n2026-05-31 10:00,-18.5,3\n";
    let (place, text) = refused(two, &china());
    assert_eq!(place, "column");
    assert!(text.contains("T1 temp (C), T2 temp (C)"), "{text}");
    for column in ["2", "t1 temp (c)"] {
        assert_eq!(readings(two, &Told { column: Some(column), ..china() }), [TWO[0]]);
    }
    assert_eq!(refused(two, &Told { column: Some("T9"), ..china() }).0, "column");

    let (place, text) = refused("time,temp (C)\n05/06/2026 10:00,-18.5\n05/06/2026 10:05,-18.5\n", &china());
    assert_eq!(place, "date_order");
    assert!(text.contains("dmy gives 2026-06-05") && text.contains("mdy gives 2026-05-06"), "{text}");
    for (order, first) in
        [(DateOrder::Dmy, "2026-06-05T02:00:00Z -18.5"), (DateOrder::Mdy, "2026-05-06T02:00:00Z -18.5")]
    {
        let told = Told { date_order: Some(order), ..china() };
        assert_eq!(readings("time,temp (C)\n05/06/2026 10:00,-18.5\n", &told), [first]);
    }
}

#[test]
fn the_order_of_day_and_month_is_decided_from_all_rows() {
    let first = |file: &str| readings(file, &china()).remove(0);
    let file = |dates: &[&str]| dates.iter().fold("time,temp (C)\n".to_owned(), |file, date| file + date + ",-18.5\n");
    // A day above 12.
    assert_eq!(first(&file(&["05/06/2026 10:00", "13/06/2026 10:00"])), "2026-06-05T02:00:00Z -18.5");
    assert_eq!(first(&file(&["05/06/2026 10:00", "05/13/2026 10:00"])), "2026-05-06T02:00:00Z -18.5");
    // From one day into the next.
    assert_eq!(first(&file(&["05/06/2026 23:55", "06/06/2026 00:00"])), "2026-06-05T15:55:00Z -18.5");
    assert_eq!(first(&file(&["05/06/2026 23:55", "05/07/2026 00:00"])), "2026-05-06T15:55:00Z -18.5");
    // The other order lies in the future.
    assert_eq!(first(&file(&["06/12/2026 10:00"])), "2026-06-12T02:00:00Z -18.5");
    // Both are the same.
    assert_eq!(first(&file(&["06/06/2026 10:00"])), "2026-06-06T02:00:00Z -18.5");
    let (place, text) = refused(&file(&["13/06/2026 10:00", "05/14/2026 10:00"]), &china());
    assert_eq!(place, "line 3, column 1 (time)");
    assert!(text.contains("same order"), "{text}");
}

#[test]
fn what_the_sender_says_may_not_contradict_the_file() {
    let file = "time (UTC+8),temp (C)\n2026-05-31 10:00,-18.5\n";
    assert_eq!(readings(file, &told()), [TWO[0]]);
    assert_eq!(readings(file, &china()), [TWO[0]]);
    assert_eq!(refused(file, &Told { zone_minutes: Some(0), ..told() }).0, "zone");
    assert_eq!(refused(file, &Told { unit: Some(Unit::Kelvin), ..told() }).0, "unit");
    let file = "time,temp\n2026-05-31T02:00:00Z,-18.5 C\n";
    assert_eq!(readings(file, &told()), [TWO[0]]);
    assert_eq!(refused(file, &Told { unit: Some(Unit::Fahrenheit), ..told() }).0, "unit");
}

#[test]
fn failed_readings_remarks_and_repeated_rows_are_counted() {
    let file = "time,temp (C)\n2026-05-31 10:05,-17.9\n2026-05-31 10:10,---\n2026-05-31 10:00,-18.5\nMark,\n\
                2026-05-31 10:00,-18.5\n2026-05-31 10:05,-19\n2026-05-31 10:15,NC\n,,\nTotal readings,4\n";
    let file = read(file.as_bytes(), &china()).unwrap();
    assert_eq!(lines(&file), TWO);
    assert_eq!((file.skipped, file.duplicates, file.out_of_order), (4, 2, 1));
}

#[test]
fn bad_files_are_refused_with_line_column_and_reason() {
    let many = format!("time,temp (C)\n{}", "2026-05-31 10:00,1\n".repeat(LOGGER_LINES_MAX));
    for (file, place, words) in [
        ("", "body", "no header"),
        ("a,b\n1,2\n", "body", "no header"),
        ("time,temp (C)\n", "line 1", "no reading below it"),
        ("x\n\ntime,temp (C)\n2026-05-31 10:00,---\n", "line 3", "no reading below it"),
        ("time,temp (C)\n2026-05-31 10:00,-18,5\n", "line 2", "decimal comma"),
        ("time,temp (C)\n2026-05-31 10:00,-18.5x\n", "line 2, column 2 (temp (C))", "expected a number"),
        ("time,temp (C)\n2026-05-31 10:00,1\n2026-05-32 10:00,1\n", "line 3, column 1 (time)", "a day that exists"),
        ("time,temp (C)\n31 May,1\n", "line 2, column 1 (time)", "expected a date and time"),
        ("date,time,temp (C)\n2026-05-31,25:00,1\n", "line 2, column 2 (time)", "expected a time of day"),
        ("time,temp (C)\n2126-05-31 10:00,1\n", "line 2, column 1 (time)", "not to come"),
        ("time,temp (C)\n1970-01-01 10:00,1\n", "line 2, column 1 (time)", "from the year 2000 on"),
        ("time,temp (K)\n2026-05-31 10:00,-18\n", "line 2, column 2 (temp (K))", "is the unit right?"),
        ("time,temp (C)\n2026-05-31 10:00,255.15\n", "line 2, column 2 (temp (C))", "is the unit right?"),
        (&many, "line 200001", "at most 200000"),
    ] {
        let shown: String = file.chars().take(60).collect();
        let (at, text) = refused(file, &china());
        assert_eq!(at, place, "{shown}: {text}");
        assert!(text.contains(words), "{shown}: {text}");
    }
    assert_eq!(read(b"%PDF-1.7\n\xff\xff\xff", &china()).unwrap_err().place(), "body");
}

proptest! {
    #[test]
    fn no_file_makes_the_reader_panic(file in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&file, &china());
    }

    #[test]
    fn no_row_makes_the_reader_panic(rows in prop::collection::vec("[0-9/:. ,;\\-+TZAPM年月日上午°C\"]{0,40}", 0..6)) {
        let _ = read(format!("date;time;temp (C)\n{}", rows.join("\n")).as_bytes(), &told());
        let _ = read(format!("time,temp (C)\n{}", rows.join("\n")).as_bytes(), &china());
    }

    #[test]
    fn every_separator_order_and_decimal_sign_gives_back_what_was_written(
        start in 1_600_000_000..1_700_000_000_i64, hundredths in prop::collection::vec(-3000..800_i64, 2..40),
        separator in prop::sample::select(vec![';', '\t', '|']), comma in any::<bool>(), form in 0..4_usize,
    ) {
        let formats = ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y/%m/%d %I:%M:%S %p", "%d-%b-%Y %H:%M:%S"];
        let mut file = format!("no{separator}time{separator}temp °C\n");
        for (at, value) in (0..).zip(&hundredths) {
            let time = jiff::Timestamp::from_second(start + at * 300).unwrap().strftime(formats[form]).to_string();
            let number = format!("{}", *value as f64 / 100.0);
            let number = if comma { number.replace('.', ",") } else { number };
            file += &format!("{at}{separator}{time}{separator}{number}\n");
        }
        let read = read(file.as_bytes(), &Told { zone_minutes: Some(0), ..told() }).unwrap();
        let found: Vec<_> = read.readings.iter().map(|it| (it.time_ms, i64::from(it.temperature.hundredths()))).collect();
        let expected: Vec<_> = (0..).zip(hundredths).map(|(at, value)| ((start + at * 300) * 1000, value)).collect();
        prop_assert_eq!(found, expected);
    }
}
