//! Writes records as a trace: coalmine's own formats keep all of a record, others what they have
//! room for (Azure's the time, to 100 ns, and the tokens).

use std::io::{self, Write};

use super::description::WriteRows;
use super::format::TraceFormat;
use super::record::TraceRecord;
use crate::units::{Duration, Timestamp};

/// Writes a trace to any writer, row by row.
pub struct TraceWriter<W> {
    output: W,
    rows: &'static WriteRows,
    origin: Timestamp,
    latest: Duration,
    row: String,
}

impl<W: Write> TraceWriter<W> {
    /// Writes the header of `format`. Where the format has dates, the trace begins at `origin`.
    ///
    /// # Errors
    /// The output does not take it, or the format holds what a record has not and cannot be written
    /// ([`io::ErrorKind::Unsupported`]).
    pub fn new(mut output: W, format: TraceFormat, origin: Timestamp) -> io::Result<Self> {
        let Some(rows) = &format.description().write else {
            return Err(io::Error::from(io::ErrorKind::Unsupported));
        };
        output.write_all((rows.header)().as_bytes())?;
        Ok(Self { output, rows, origin, latest: Duration::ZERO, row: String::new() })
    }

    /// Writes `record` as the next row.
    ///
    /// # Errors
    /// The output does not take it.
    ///
    /// # Panics
    /// The record is earlier than the one before it: no reader would take the trace.
    pub fn write(&mut self, record: &TraceRecord) -> io::Result<()> {
        let (at, latest) = (record.at, self.latest);
        assert!(at >= latest, "a row at {at} cannot follow one at {latest}");
        self.latest = at;
        self.row.clear();
        (self.rows.row)(&mut self.row, record, self.origin);
        self.output.write_all(self.row.as_bytes())
    }

    /// Flushes and hands the writer back.
    ///
    /// # Errors
    /// The output does not take what is left.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.flush()?;
        Ok(self.output)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trace::TraceReader;
    use crate::units::{ModelId, Tokens, VersionId};

    fn written(format: TraceFormat, records: &[TraceRecord]) -> Vec<u8> {
        let origin = "2023-11-16T18:17:03.97996Z".parse().unwrap();
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
        let (input, output) = (Tokens::new(input), Tokens::new(output));
        TraceRecord { at, input, output, ..TraceRecord::default() }
    }

    #[test]
    fn the_azure_format_is_written_byte_for_byte_as_azure_does() {
        let rows = [record(Duration::ZERO, 4_808, 10), record(Duration::from_millis(52), 3_180, 8)];
        let text = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\
                    \r\n2023-11-16 18:17:04.0319600,3180,8";
        assert_eq!(String::from_utf8(written(TraceFormat::Azure, &rows)).unwrap(), text);
    }

    fn arb_record() -> impl Strategy<Value = TraceRecord> {
        let time = || (0..=i64::MAX as u64).prop_map(Duration::from_nanos);
        let identity = (
            prop::option::of("[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,20}"),
            prop::option::of("[a-zA-Z0-9][a-zA-Z0-9._:-]{0,20}"),
            any::<Option<u32>>(),
            any::<Option<u64>>(),
        );
        let content = (time(), any::<u32>(), any::<u32>(), any::<Option<bool>>());
        let observed =
            (prop::option::of(100..600_u16), prop::option::of(time()), prop::option::of(time()));
        (identity, content, observed).prop_map(|(identity, content, observed)| TraceRecord {
            at: content.0,
            model: identity.0.map(|name| ModelId::new(&name).unwrap()),
            version: identity.1.map(|name| VersionId::new(&name).unwrap()),
            user: identity.2,
            session: identity.3,
            input: Tokens::new(content.1),
            output: Tokens::new(content.2),
            stream: content.3,
            status: observed.0,
            first_token: observed.1.map(|time| time.min(observed.2.unwrap_or(Duration::MAX))),
            duration: observed.2,
        })
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
