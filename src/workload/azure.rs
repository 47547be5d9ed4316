//! The Azure LLM inference traces: <https://github.com/Azure/AzurePublicDataset>.
//!
//! When, tokens in, tokens out; nothing was observed of the answers. Times have seven decimals and
//! no zone (2023) or `+00:00` (2024); lines end in CR LF, but the last one does not.

use std::io::BufRead;

use csv::StringRecord;

use super::csv_rows::CsvRows;
use super::line_feed::LineFeed;
use super::trace_error::TraceErrorKind;
use super::trace_format::AZURE_COLUMNS;
use super::trace_record::{TraceRecord, whole};
use crate::units::{Timestamp, Tokens};

/// The rows of an Azure file.
pub(super) struct Azure<R> {
    rows: CsvRows<R>,
}

impl<R: BufRead> Azure<R> {
    /// The rows from the line after the current one on.
    pub(super) fn new(feed: LineFeed<R>) -> Self {
        Self { rows: CsvRows::new(feed) }
    }

    /// A row and when it was sent.
    pub(super) fn next(&mut self) -> Result<Option<(Timestamp, TraceRecord)>, TraceErrorKind> {
        let Some(row) = self.rows.next_of(AZURE_COLUMNS.len())? else {
            return Ok(None);
        };
        let last_is_empty = row[2].is_empty();
        let parsed = parse(row);
        if last_is_empty && !self.rows.feed().is_terminated() {
            return Err(TraceErrorKind::CutOff);
        }
        parsed.map(Some)
    }

    pub(super) fn feed(&self) -> &LineFeed<R> {
        self.rows.feed()
    }
}

fn parse(row: &StringRecord) -> Result<(Timestamp, TraceRecord), TraceErrorKind> {
    let [time, context, generated] = AZURE_COLUMNS;
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
