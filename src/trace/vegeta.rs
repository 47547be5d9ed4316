//! Results of `vegeta attack`, as `vegeta encode --to csv` writes them: one row a request, without
//! a header.
//!
//! Of the up to twelve columns those are read that say when and how a request went; bodies, headers
//! and addresses are not.

use super::csv_rows::CsvRows;
use super::description::{
    Description, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::TraceErrorKind;
use super::number::{nanos, whole};
use super::record::{Failure, TraceRecord};
use super::symptom;
use super::unasked::{fixed_unit, no_blocks};
use crate::units::Timestamp;

const NAME: &str = "vegeta";

/// The format.
pub(super) static FORMAT: Description = Description {
    name: NAME,
    begins: "1711459200123456789,200,250000000,310,512,,,attack,0,POST,http://localhost/v1/chat,",
    time_unit: "nanoseconds since 1970",
    origin: Origin::Dates,
    first_line: FirstLine::Row,
    order: Order::Other,
    entries: None,
    recognise,
    read: |options| {
        fixed_unit(options, NAME, "nanoseconds")?;
        no_blocks(options, NAME)?;
        Ok(Box::new(Vegeta::default()))
    },
    write: Some(WriteRows::lines(write)),
};

/// Five numbers, of which the first is nanoseconds of this century.
fn recognise(first_line: &str) -> Recognised {
    let mut cells = first_line.split(',');
    let begins =
        cells.next().is_some_and(|stamp| stamp.len() == 19 && whole::<u64>(stamp).is_some());
    let numbers = cells.by_ref().take(4).filter(|cell| whole::<u64>(cell).is_some()).count();
    Recognised::when(begins && numbers == 4 && cells.next().is_some())
}

#[derive(Default)]
struct Vegeta {
    rows: CsvRows,
}

impl ReadRows for Vegeta {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        line.check_is_one()?;
        let row = self.rows.read(line)?;
        let found = row.len();
        // Of an error that nothing follows a part may be there.
        if found <= FEWEST && !line.is_terminated {
            return Err(TraceErrorKind::CutOff);
        }
        if !(FEWEST..=MOST).contains(&found) {
            return Err(TraceErrorKind::CellCount { found, expected: MOST });
        }
        let [stamp, code, latency, error] = [&row[0], &row[1], &row[2], &row[5]];
        let time = |column, cell| {
            nanos(cell).ok_or_else(|| TraceErrorKind::value(column, cell, NANOS_ALLOWED))
        };
        let at = Timestamp::EPOCH + time("timestamp", stamp)?;
        record.duration = Some(time("latency", latency)?);
        record.status = super::access_log::status("code", code)?;
        record.failure = failure(record.status, error);
        Ok(Some(at))
    }
}

/// An error beside a status of 400 or more is that status in words, which say nothing beyond it.
fn failure(status: Option<u16>, error: &str) -> Option<Failure> {
    if error.is_empty() && status.is_some() {
        return None;
    }
    if status.is_some_and(|status| status >= 400 && error.starts_with(&status.to_string())) {
        return None;
    }
    let is_told = status.is_some_and(|status| status >= 400);
    symptom::failure(error).or_else(|| (!is_told).then_some(Failure::Other))
}

fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    let record = written.record;
    let lacks = |needs| TraceErrorKind::Lacks { format: NAME, needs };
    let latency = record.duration.ok_or_else(|| lacks("the duration of every request"))?;
    if record.ending().is_none() {
        return Err(lacks("the status or failure of every request"));
    }
    let at = written.nanos(NAME)?;
    let (code, latency) = (record.status.unwrap_or_default(), latency.as_nanos());
    let error = record.failure.map_or("", Failure::name);
    let number = written.number;
    text.push_str(&format!("{at},{code},{latency},0,0,{error},,coalmine,{number},POST,,\n"));
    Ok(())
}

/// Before vegeta 6 there was no body.
const FEWEST: usize = 6;
/// Since vegeta 12.8 there are method, address and headers.
const MOST: usize = 12;
const NANOS_ALLOWED: &str = "a whole number of nanoseconds from 0 to 9223372036854775807";
