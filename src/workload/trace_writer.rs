//! Writes records as a trace: coalmine's own formats keep all of a record, Azure's keeps the time,
//! to 100 ns, and the tokens.

use std::io::{self, Write};

use super::trace_format::{AZURE_COLUMNS, TraceFormat};
use super::trace_record::{Column, ColumnKind, TraceRecord};
use crate::units::{Duration, Timestamp};

/// Writes a trace to any writer, row by row.
///
/// No cell needs quotes: names of models and versions have neither commas, quotes nor line ends.
pub struct TraceWriter<W> {
    output: W,
    format: TraceFormat,
    origin: Timestamp,
    latest: Duration,
    row: String,
}

impl<W: Write> TraceWriter<W> {
    /// Writes the header of `format`. Where the format has dates, the trace begins at `origin`.
    ///
    /// # Errors
    /// The output does not take it.
    pub fn new(mut output: W, format: TraceFormat, origin: Timestamp) -> io::Result<Self> {
        match format {
            TraceFormat::CoalmineCsv => {
                let columns = Column::ALL.map(Column::name).join(",");
                writeln!(output, "{}\n{columns}", format.first_line())?;
            }
            TraceFormat::CoalmineJsonl => writeln!(output, "{}", format.first_line())?,
            TraceFormat::Azure => write!(output, "{}", AZURE_COLUMNS.join(","))?,
        }
        Ok(Self { output, format, origin, latest: Duration::ZERO, row: String::new() })
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
        match self.format {
            TraceFormat::CoalmineCsv => self.push_csv(record),
            TraceFormat::CoalmineJsonl => self.push_json(record),
            TraceFormat::Azure => self.push_azure(record),
        }
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

    fn push_csv(&mut self, record: &TraceRecord) {
        for (index, column) in Column::ALL.into_iter().enumerate() {
            if index > 0 {
                self.row.push(',');
            }
            self.row.extend(record.text(column));
        }
        self.row.push('\n');
    }

    fn push_json(&mut self, record: &TraceRecord) {
        let mut before = "{\"";
        for column in Column::ALL {
            let Some(value) = record.text(column) else { continue };
            let quote = if column.kind() == ColumnKind::Text { "\"" } else { "" };
            self.row.extend([before, column.name(), "\":", quote, &value, quote]);
            before = ",\"";
        }
        self.row.push_str("}\n");
    }

    /// The line end comes first: the last row of the format has none.
    fn push_azure(&mut self, record: &TraceRecord) {
        let at = self.origin + record.at;
        let second = Timestamp::from_second(at.second()).to_string();
        let date_time = second.trim_end_matches('Z').replace('T', " ");
        let decimals = at.since(Timestamp::from_second(at.second())).as_nanos() / 100;
        let (input, output) = (record.input.get(), record.output.get());
        self.row.push_str(&format!("\r\n{date_time}.{decimals:07},{input},{output}"));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chance::{Chance, Distribution};
    use crate::units::{ModelId, Rate, Ratio, Tokens, VersionId};
    use crate::workload::{Arrivals, Piecewise, Source, TraceReader, Workload};

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

    /// The fixture is generated by the project itself; `COALMINE_BLESS=1 cargo test peak_hour` writes
    /// it anew.
    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/peak-hour.csv");

    /// Requests in each minute, 9,797 in all: a hump with a rush in its second half. Chosen so that
    /// the dispersion at 60 s, 27, lies between those of real hours, 16 for Azure's conversations and
    /// 167 for its code assistant; a steady Poisson process has 1.
    const PER_MINUTE: [u16; 60] = [
        157, 143, 191, 116, 175, 149, 161, 166, 173, 131, 123, 133, 159, 179, 172, 192, 159, 129,
        135, 165, 246, 246, 173, 172, 165, 149, 189, 149, 142, 100, 94, 86, 72, 110, 105, 134, 194,
        281, 342, 336, 231, 331, 328, 249, 202, 192, 164, 164, 153, 176, 148, 161, 157, 116, 71,
        67, 74, 68, 79, 73,
    ];

    fn peak_hour() -> Vec<u8> {
        let minute = Duration::from_secs(60);
        let rates = PER_MINUTE.map(|count| Rate::per(f64::from(count), minute).unwrap());
        let workload = Workload {
            arrivals: Arrivals::Piecewise(Piecewise::new(minute, rates.to_vec()).unwrap()),
            requests: None,
            input: Distribution::lognormal_mean_p99(1_155.0, 4_142.0).unwrap(),
            output: Distribution::lognormal_mean_p99(211.0, 900.0).unwrap(),
            users: 1.try_into().unwrap(),
            stream: Ratio::ZERO,
        };
        let mut source = Source::generate(&workload, Chance::new(20_240_315, 0));
        let start = "2024-03-15T11:00:00Z".parse().unwrap();
        let mut writer = TraceWriter::new(Vec::new(), TraceFormat::Azure, start).unwrap();
        while let Some(arrival) = source.next().unwrap() {
            let (at, input, output) = (arrival.at, arrival.request.input, arrival.request.output);
            writer.write(&TraceRecord { at, input, output, ..TraceRecord::default() }).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn the_peak_hour_fixture_is_what_its_workload_gives() {
        let made = peak_hour();
        if option_env!("COALMINE_BLESS").is_some() {
            std::fs::write(PATH, &made).unwrap();
        }
        let committed = std::fs::read(PATH).unwrap();
        assert!(made == committed, "made anew it differs: COALMINE_BLESS=1 cargo test peak_hour");
    }
}
