//! Writes records as a trace: coalmine's own formats keep all of a record, others what they have
//! room for (Azure's the time, to 100 ns, and the tokens).

use std::io::{self, Write};

use super::description::{WriteRows, Written};
use super::error::TraceErrorKind;
use super::format::TraceFormat;
use super::mooncake;
use super::record::TraceRecord;
use crate::units::{Duration, Timestamp};

/// Writes a trace to any writer, row by row.
pub struct TraceWriter<W> {
    output: W,
    rows: &'static WriteRows,
    origin: Timestamp,
    /// The time of the last row; `None`: rows come in any order.
    latest: Option<Duration>,
    /// How many rows were written.
    count: u64,
    /// How many blocks of prompts were made up.
    blocks: u64,
    row: String,
}

/// Why a row cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The output does not take it.
    #[error(transparent)]
    Output(#[from] io::Error),
    /// The format needs what the record does not have, or has no room for what it has.
    #[error("row {row}: {kind}")]
    Row {
        /// Which row, counted from 1.
        row: u64,
        /// What is wrong with it.
        kind: TraceErrorKind,
    },
}

impl<W: Write> TraceWriter<W> {
    /// Writes the header of `format`, for a trace that `began` on this date; where the format has
    /// dates and none is known, it began in 1970.
    ///
    /// # Errors
    /// The output does not take it, or the format is not written row by row
    /// ([`io::ErrorKind::Unsupported`]).
    pub fn new(mut output: W, format: TraceFormat, began: Option<Timestamp>) -> io::Result<Self> {
        let Some(rows) = &format.description().write else {
            return Err(io::Error::from(io::ErrorKind::Unsupported));
        };
        output.write_all((rows.header)(began).as_bytes())?;
        let (origin, latest) = (began.unwrap_or(Timestamp::EPOCH), Some(Duration::ZERO));
        Ok(Self { output, rows, origin, latest, count: 0, blocks: 0, row: String::new() })
    }

    /// The same for rows that come in another order than that of their times, as requests end:
    /// what is written is for [`import`](super::import), which sorts it.
    ///
    /// # Errors
    /// As [`TraceWriter::new`].
    pub fn in_any_order(
        output: W,
        format: TraceFormat,
        began: Option<Timestamp>,
    ) -> io::Result<Self> {
        Ok(Self { latest: None, ..Self::new(output, format, began)? })
    }

    /// Where it writes to.
    pub const fn get_ref(&self) -> &W {
        &self.output
    }

    /// Where it writes to. What is written there beside the rows stands among them.
    pub const fn get_mut(&mut self) -> &mut W {
        &mut self.output
    }

    /// Writes `record` as the next row.
    ///
    /// # Errors
    /// The output does not take it, or the format does not: then nothing of the row was written.
    ///
    /// # Panics
    /// The record is earlier than the one before it: no reader would take the trace, unless it was
    /// begun for any order.
    pub fn write(&mut self, record: &TraceRecord) -> Result<(), WriteError> {
        if let Some(latest) = &mut self.latest {
            assert!(record.at >= *latest, "a row at {} cannot follow one at {latest}", record.at);
            *latest = record.at;
        }
        self.row.clear();
        let (origin, blocks) = (self.origin, self.blocks);
        let number = self.count;
        self.count += 1;
        (self.rows.row)(&mut self.row, &Written { record, number, origin, blocks })
            .map_err(|kind| WriteError::Row { row: self.count, kind })?;
        self.blocks += mooncake::made_up(record);
        Ok(self.output.write_all(self.row.as_bytes())?)
    }

    /// Hands the writer back as it is.
    pub fn into_inner(self) -> W {
        self.output
    }

    /// Writes what comes after the last row, flushes and hands the writer back.
    ///
    /// # Errors
    /// The output does not take what is left.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.write_all(self.rows.footer.as_bytes())?;
        self.output.flush()?;
        Ok(self.output)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::description::Origin;
    use super::super::fixture::arb_record;
    use super::*;
    use crate::trace::TraceReader;
    use crate::units::Tokens;

    fn written(format: TraceFormat, records: &[TraceRecord]) -> Vec<u8> {
        let origin = Some("2023-11-16T18:17:03.97996Z".parse().unwrap());
        let mut writer = TraceWriter::new(Vec::new(), format, origin).unwrap();
        for record in records {
            writer.write(record).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Vec<TraceRecord> {
        let mut reader = TraceReader::new(bytes).unwrap();
        std::iter::from_fn(|| reader.next_record().unwrap()).collect()
    }

    fn record(at: Duration, input: u32, output: u32) -> TraceRecord {
        let (input, output) = (Some(Tokens::new(input)), Some(Tokens::new(output)));
        TraceRecord { at, input, output, ..TraceRecord::default() }
    }

    #[test]
    fn the_azure_format_is_written_byte_for_byte_as_azure_does() {
        let rows = [record(Duration::ZERO, 4_808, 10), record(Duration::from_millis(52), 3_180, 8)];
        let text = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\
                    \r\n2023-11-16 18:17:04.0319600,3180,8";
        assert_eq!(String::from_utf8(written(TraceFormat::Azure, &rows)).unwrap(), text);
    }

    #[test]
    fn a_time_that_cannot_be_expressed_is_refused_in_every_format_with_dates() {
        let late = TraceRecord {
            status: Some(200),
            duration: Some(Duration::ZERO),
            ..record(Duration::from_nanos(1), 1, 1)
        };
        let last = TraceRecord { at: Duration::ZERO, ..late.clone() };
        for format in TraceFormat::ALL.iter().filter(|it| it.description().write.is_some()) {
            if format.description().origin != Origin::Dates {
                continue;
            }
            let begin = || TraceWriter::new(Vec::new(), *format, Some(Timestamp::MAX)).unwrap();
            begin().write(&last).unwrap_or_else(|error| panic!("{format}: {error}"));
            let refused = begin().write(&late).unwrap_err();
            let is_told =
                matches!(refused, WriteError::Row { row: 1, kind: TraceErrorKind::NoRoom { .. } });
            assert!(is_told, "{format}: {refused}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_in_coalmines_formats_is_read_back_exactly(
            mut records in prop::collection::vec(arb_record(), 1..8),
        ) {
            records.sort_by_key(|record| record.at);
            for format in [TraceFormat::CoalmineCsv, TraceFormat::CoalmineJsonl] {
                prop_assert_eq!(&read(&written(format, &records)), &records);
            }
        }

        #[test]
        fn azure_keeps_time_to_100_ns_and_tokens(
            steps in prop::collection::vec((0..1_000_000_000_u64, any::<u32>(), any::<u32>()), 1..8),
        ) {
            let mut at = 0;
            let records = steps.iter().map(|(step, input, output)| {
                at += step * 100;
                record(Duration::from_nanos(at - steps[0].0 * 100), *input, *output)
            });
            let records = records.collect::<Vec<_>>();
            prop_assert_eq!(&read(&written(TraceFormat::Azure, &records)), &records);
        }
    }
}
