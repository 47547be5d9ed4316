//! The Azure LLM inference traces: <https://github.com/Azure/AzurePublicDataset>.
//!
//! When, tokens in, tokens out; nothing was observed of the answers. Times have seven decimals and
//! no zone (2023) or `+00:00` (2024); lines end in CR LF, but the last one does not.

use super::csv_rows::CsvRows;
use super::description::{
    Description, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::TraceErrorKind;
use super::number::{TOKENS_ALLOWED, digits, whole};
use super::options::ReadOptions;
use super::record::TraceRecord;
use super::unasked::{fixed_unit, no_blocks};
use crate::units::{Duration, Timestamp, Tokens};

/// The format.
pub(super) static FORMAT: Description = Description {
    name: NAME,
    begins: "TIMESTAMP,ContextTokens,GeneratedTokens",
    time_unit: TIME_UNIT,
    origin: Origin::Dates,
    first_line: FirstLine::Header,
    order: Order::ByStart,
    entries: None,
    recognise,
    read,
    write: Some(WriteRows { header: |_| COLUMNS.join(","), row: write, footer: "" }),
};

const NAME: &str = "azure";
const TIME_UNIT: &str = "date and time in UTC";
const COLUMNS: [&str; 3] = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"];

fn recognise(first_line: &str) -> Recognised {
    let columns = first_line.split(',').map(|column| column.trim().trim_matches('"'));
    if columns.eq(COLUMNS) { Recognised::Yes } else { Recognised::No }
}

fn read(options: &ReadOptions) -> Result<Box<dyn ReadRows + Send>, TraceErrorKind> {
    fixed_unit(options, NAME, TIME_UNIT)?;
    no_blocks(options, NAME)?;
    Ok(Box::new(Azure::default()))
}

/// The line end comes first: the last row of the format has none.
fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    let lacks = |needs| TraceErrorKind::Lacks { format: NAME, needs };
    let record = written.record;
    let input = record.input.ok_or_else(|| lacks("tokens of the prompt"))?.get();
    let output = record.output.ok_or_else(|| lacks("tokens of the answer"))?.get();
    let at = written.at(NAME)?;
    let second = Timestamp::from_second(at.second());
    let date_time = second.to_string();
    let date_time = date_time.trim_end_matches('Z').replace('T', " ");
    let decimals = at.since(second).as_nanos() / 100;
    text.push_str(&format!("\r\n{date_time}.{decimals:07},{input},{output}"));
    Ok(())
}

#[derive(Default)]
struct Azure {
    rows: CsvRows,
    /// The day that the row before was on, and its midnight: rows of a trace share few.
    day: Option<([u8; DAY], Timestamp)>,
}

impl ReadRows for Azure {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        // Nobody quotes these cells; where somebody does, the parser of CSV takes them apart.
        let is_plain = !line.text.contains('"');
        let mut cells = line.text.split(',');
        let plain = (cells.next(), cells.next(), cells.next(), cells.next());
        if let (true, (Some(time), Some(input), Some(output), None)) = (is_plain, plain) {
            if output.is_empty() && !line.is_terminated {
                return Err(TraceErrorKind::CutOff);
            }
            let at = self.time(time).ok_or_else(|| bad_time(time))?;
            return fill(record, input, output).map(|()| Some(at));
        }
        let row = self.rows.read_of(COLUMNS.len(), line)?;
        if row[2].is_empty() && !line.is_terminated {
            return Err(TraceErrorKind::CutOff);
        }
        let at = parse_time(&row[0]).ok_or_else(|| bad_time(&row[0]))?;
        fill(record, &row[1], &row[2]).map(|()| Some(at))
    }
}

impl Azure {
    /// As [`parse_time`], which is asked once a day.
    fn time(&mut self, text: &str) -> Option<Timestamp> {
        let bytes = text.as_bytes();
        if let (Some((day, midnight)), Some(found)) = (&self.day, bytes.first_chunk())
            && day == found
            && let Some(time) = time_of_day(&bytes[DAY..])
        {
            return Some(*midnight + time);
        }
        let at = parse_time(text)?;
        let time = time_of_day(&bytes[DAY..])?;
        let midnight = Timestamp::from_nanos(at.as_nanos() - time.as_nanos() as i64);
        self.day = bytes.first_chunk().map(|day| (*day, midnight));
        Some(at)
    }
}

/// ` 18:17:03.9799600`, with or without zone; `None` where it is anything else.
fn time_of_day(bytes: &[u8]) -> Option<Duration> {
    let bytes = bytes.strip_suffix(b"+00:00").unwrap_or(bytes);
    let (clock, decimals) = bytes.split_first_chunk::<9>()?;
    let [b' ', h, hh, b':', m, mm, b':', s, ss] = *clock else { return None };
    let two = |ten: u8, one: u8| digits(&[ten, one]);
    let (hour, minute, second) = (two(h, hh)?, two(m, mm)?, two(s, ss)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = match decimals {
        [] => 0,
        [b'.', decimals @ ..] if decimals.len() <= 9 => {
            digits(decimals)? * 10_u64.pow(9 - decimals.len() as u32)
        }
        _ => return None,
    };
    Some(Duration::from_secs(hour * 3_600 + minute * 60 + second) + Duration::from_nanos(nanos))
}

fn bad_time(found: &str) -> TraceErrorKind {
    TraceErrorKind::value(COLUMNS[0], found, TIME_ALLOWED)
}

fn fill(record: &mut TraceRecord, input: &str, output: &str) -> Result<(), TraceErrorKind> {
    let tokens = |column, cell: &str| {
        let count = whole(cell).ok_or_else(|| TraceErrorKind::value(column, cell, TOKENS_ALLOWED));
        count.map(|count| Some(Tokens::new(count)))
    };
    let [_, context, generated] = COLUMNS;
    (record.input, record.output) = (tokens(context, input)?, tokens(generated, output)?);
    Ok(())
}

/// `2023-11-16 18:17:03.9799600`, in UTC whether it says so or not.
fn parse_time(text: &str) -> Option<Timestamp> {
    // jiff takes a second 60 for the one before.
    time_of_day(text.as_bytes().get(DAY..)?)?;
    let local = text.strip_suffix("+00:00").unwrap_or(text);
    // jiff reads more than this format has: dates alone, other zones, annotations.
    let is_plain = local.len() >= "2023-11-16 18:17:03".len()
        && local.as_bytes()[10] == b' '
        && local.bytes().all(|byte| byte.is_ascii_digit() || b"-:. ".contains(&byte));
    let date_time: jiff::civil::DateTime = is_plain.then(|| local.parse().ok())??;
    let instant = jiff::tz::Offset::UTC.to_timestamp(date_time).ok()?;
    i64::try_from(instant.as_nanosecond()).ok().map(Timestamp::from_nanos)
}

/// How long a date is.
const DAY: usize = "2023-11-16".len();
const TIME_ALLOWED: &str = "a UTC time such as 2023-11-16 18:17:03.9799600, with +00:00 or without";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_with_up_to_nine_decimals() {
        let good = [
            ("2023-11-16 18:17:03.9799600", "2023-11-16T18:17:03.97996Z"),
            ("2024-05-10 00:00:00.009930+00:00", "2024-05-10T00:00:00.00993Z"),
            ("2024-05-10 00:00:00+00:00", "2024-05-10T00:00:00Z"),
        ];
        let mut rows = Azure::default();
        for (text, instant) in good {
            let expected = Some(instant.parse().unwrap());
            assert_eq!(parse_time(text), expected, "{text}");
            assert_eq!(rows.time(text), expected, "{text}");
            assert_eq!(rows.time(text), expected, "{text} again on its day");
        }
        let bad = [
            "",
            "2023-11-16",
            "2023-11-16 18:17:03+01:00",
            "2023-11-16T18:17:03",
            "2023-02-29 18:17:03",
            "2023-11-16 24:17:03",
            "2023-11-16 18:60:03",
            "2023-11-16 18:17:60",
            "2023-11-16 18:17:03.",
            "2023-11-16 18:17:03,5",
            "2023-11-16 18:17:03.97996001234",
            "1600-11-16 18:17:03",
            "2023-11-1é 18:17:03",
        ];
        for text in bad {
            assert_eq!(parse_time(text), None, "{text}");
            assert_eq!(rows.time(text), None, "{text}");
        }
    }
}
