//! Day before month or month before day: decided from all rows of a file.

use super::{
    LoggerError, Row, Told,
    clock::{DateOrder, Day},
    header::Header,
};

const DAY_MS: i64 = 86_400_000;

/// The times of all rows, milliseconds since 1970-01-01 UTC.
pub(super) fn times_of(
    rows: &[Row],
    header: &Header,
    offset_minutes: i16,
    told: &Told<'_>,
) -> Result<Vec<i64>, LoggerError> {
    let open = rows.iter().any(|row| !matches!(row.day, Day::Known(..)));
    let orders: &[DateOrder] = match (open, &told.date_order) {
        (false, _) => &[DateOrder::Ymd],
        (true, Some(order)) => std::slice::from_ref(order),
        (true, None) => &DateOrder::ALL,
    };
    let mut readings: Vec<_> =
        orders.iter().filter_map(|order| Some((*order, read(rows, *order, offset_minutes)?))).collect();
    // An order that puts readings into the future is not meant, if there is another.
    let past = |times: &[i64]| times.iter().all(|time| *time <= told.latest_ms);
    if readings.iter().any(|(_, times)| past(times)) {
        readings.retain(|(_, times)| past(times));
    }
    if readings.windows(2).any(|pair| matches!(pair, [(_, one), (_, other)] if one != other)) {
        // Loggers write row after row: a wrong order leaps months where a day ends.
        let steady: Vec<_> = readings.iter().map(|(_, times)| is_steady(times)).collect();
        if steady.iter().filter(|steady| **steady).count() == 1 {
            let mut steady = steady.into_iter();
            readings.retain(|_| steady.next().unwrap_or(false));
        } else {
            return Err(ask(&readings));
        }
    }
    match readings.into_iter().next() {
        Some((_, times)) => Ok(times),
        None => Err(impossible(rows, header, orders)),
    }
}

/// The times as an order gives them; `None` where a row has no such day.
fn read(rows: &[Row], order: DateOrder, offset_minutes: i16) -> Option<Vec<i64>> {
    let time = |row: &Row| {
        let second = row.day.number(order)? * 86_400 + i64::from(row.second_of_day);
        Some((second - i64::from(row.offset_minutes.unwrap_or(offset_minutes)) * 60) * 1000)
    };
    rows.iter().map(time).collect()
}

/// Whether there is a step from one day into the next and no leap over more than a day.
fn is_steady(times: &[i64]) -> bool {
    let step = |pair: &[i64]| if let [one, other] = pair { other.abs_diff(*one) } else { 0 };
    times.len() > 1 && times.windows(2).all(|pair| step(pair) <= DAY_MS.unsigned_abs())
}

fn ask(readings: &[(DateOrder, Vec<i64>)]) -> LoggerError {
    let first = |times: &[i64]| times.first().and_then(|ms| jiff::Timestamp::from_millisecond(*ms).ok());
    let said = readings.iter().filter_map(|(order, times)| {
        let date = first(times)?.strftime("%Y-%m-%d").to_string();
        Some(format!("{} gives {date} for the first", order.word()))
    });
    let said = said.collect::<Vec<_>>().join(", ");
    LoggerError::Ask {
        parameter: "date_order",
        what: format!("the dates of the file can be read in more than one order: {said}"),
        example: "dmy",
    }
}

/// The first row that has no day in any order that all rows before it have.
fn impossible(rows: &[Row], header: &Header, orders: &[DateOrder]) -> LoggerError {
    let mut left = orders.to_vec();
    let culprit = rows.iter().find(|row| {
        left.retain(|order| row.day.number(*order).is_some());
        left.is_empty()
    });
    let (line, found) = culprit.map_or((0, String::new()), |row| (row.line, format!("{:?}", row.day)));
    header.bad_cell(
        line,
        header.date,
        &found,
        "a day that exists, in the same order of day and month as in the other rows",
    )
}
