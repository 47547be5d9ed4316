//! The Azure LLM inference traces: <https://github.com/Azure/AzurePublicDataset>.
//!
//! When, tokens in, tokens out; nothing was observed of the answers. Times have seven decimals and
//! no zone (2023) or `+00:00` (2024); lines end in CR LF, but the last one does not.

use csv::StringRecord;

use super::csv_rows::CsvRows;
use super::description::{
    Description, FirstLine, Line, Origin, ReadRows, Recognised, Row, WriteRows,
};
use super::error::TraceErrorKind;
use super::record::{TraceRecord, whole};
use crate::units::{Timestamp, Tokens};

/// The format.
pub(super) static FORMAT: Description = Description {
    name: "azure",
    begins: "TIMESTAMP,ContextTokens,GeneratedTokens",
    time_unit: "date and time in UTC",
    origin: Origin::FirstRow,
    first_line: FirstLine::Header,
    recognise,
    read: || Box::new(Azure::default()),
    write: Some(WriteRows { header: || COLUMNS.join(","), row: write }),
};

const COLUMNS: [&str; 3] = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"];

fn recognise(first_line: &str) -> Recognised {
    let columns = first_line.split(',').map(|column| column.trim().trim_matches('"'));
    if columns.eq(COLUMNS) { Recognised::Yes } else { Recognised::No }
}

/// The line end comes first: the last row of the format has none.
fn write(text: &mut String, record: &TraceRecord, origin: Timestamp) {
    let at = origin + record.at;
    let second = Timestamp::from_second(at.second());
    let date_time = second.to_string();
    let date_time = date_time.trim_end_matches('Z').replace('T', " ");
    let decimals = at.since(second).as_nanos() / 100;
    let (input, output) = (record.input.get(), record.output.get());
    text.push_str(&format!("\r\n{date_time}.{decimals:07},{input},{output}"));
}

#[derive(Default)]
struct Azure {
    rows: CsvRows,
}

impl ReadRows for Azure {
    fn read(&mut self, line: Line<'_>) -> Result<Option<Row>, TraceErrorKind> {
        let row = self.rows.read_of(COLUMNS.len(), line)?;
        if row[2].is_empty() && !line.is_terminated {
            return Err(TraceErrorKind::CutOff);
        }
        parse(row).map(Some)
    }
}

fn parse(row: &StringRecord) -> Result<(Timestamp, TraceRecord), TraceErrorKind> {
    let [time, context, generated] = COLUMNS;
    let at =
        parse_time(&row[0]).ok_or_else(|| TraceErrorKind::value(time, &row[0], TIME_ALLOWED))?;
    let tokens = |column, cell: &str| {
        let count = whole(cell).ok_or_else(|| TraceErrorKind::value(column, cell, TOKENS_ALLOWED));
        count.map(Tokens::new)
    };
    let (input, output) = (tokens(context, &row[1])?, tokens(generated, &row[2])?);
    Ok((at, TraceRecord { input, output, ..TraceRecord::default() }))
}

/// `2023-11-16 18:17:03.9799600`, in UTC whether it says so or not.
fn parse_time(text: &str) -> Option<Timestamp> {
    let local = text.strip_suffix("+00:00").unwrap_or(text);
    // jiff reads more than this format has: dates alone, other zones, annotations.
    let is_plain = local.len() >= "2023-11-16 18:17:03".len()
        && local.as_bytes()[10] == b' '
        && local.bytes().all(|byte| byte.is_ascii_digit() || b"-:. ".contains(&byte));
    let date_time: jiff::civil::DateTime = is_plain.then(|| local.parse().ok())??;
    let instant = jiff::tz::Offset::UTC.to_timestamp(date_time).ok()?;
    i64::try_from(instant.as_nanosecond()).ok().map(Timestamp::from_nanos)
}

const TIME_ALLOWED: &str = "a UTC time such as 2023-11-16 18:17:03.9799600, with +00:00 or without";
const TOKENS_ALLOWED: &str = "a whole number from 0 to 4294967295";

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
        for (text, instant) in good {
            assert_eq!(parse_time(text), Some(instant.parse().unwrap()), "{text}");
        }
        let bad = [
            "",
            "2023-11-16",
            "2023-11-16 18:17:03+01:00",
            "2023-11-16T18:17:03",
            "2023-02-29 18:17:03",
            "2023-11-16 24:17:03",
            "2023-11-16 18:17:03.97996001234",
            "1600-11-16 18:17:03",
            "2023-11-1é 18:17:03",
        ];
        for text in bad {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}
