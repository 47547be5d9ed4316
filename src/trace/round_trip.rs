//! What is exported is imported again: any record, in every foreign format, as far as the format
//! has room for it. Holds tests alone.

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::fixture::arb_record;
    use crate::exchange::Ending;
    use crate::trace::*;
    use crate::units::{Duration, Timestamp, Tokens};

    const FOREIGN: [TraceFormat; 8] = [
        TraceFormat::BurstGpt,
        TraceFormat::Bailian,
        TraceFormat::Litellm,
        TraceFormat::Otel,
        TraceFormat::Nginx,
        TraceFormat::Envoy,
        TraceFormat::Har,
        TraceFormat::Vegeta,
    ];

    fn began() -> Timestamp {
        "2026-03-14T09:00:00.123Z".parse().unwrap()
    }

    /// Records in order of time, of those that `format` takes.
    fn taken(format: TraceFormat, records: &[TraceRecord]) -> Vec<TraceRecord> {
        let is_taken = |record: &&TraceRecord| {
            TraceWriter::new(Vec::new(), format, Some(began())).unwrap().write(record).is_ok()
        };
        records.iter().filter(is_taken).cloned().collect()
    }

    fn written(format: TraceFormat, records: &[TraceRecord]) -> Vec<u8> {
        let mut writer = TraceWriter::new(Vec::new(), format, Some(began())).unwrap();
        for record in records {
            writer.write(record).unwrap();
        }
        writer.finish().unwrap()
    }

    /// As written in `format`: their times count from when the trace began, not from the first.
    fn read(format: TraceFormat, bytes: &[u8], begin: Duration) -> Vec<TraceRecord> {
        let options = SourceOptions { any_order: true, ..SourceOptions::default() };
        let mut reader = TraceReader::with(bytes, options).unwrap();
        assert_eq!(reader.accounting().format, format);
        let mut records = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            let at = if format == TraceFormat::Bailian { record.at } else { record.at + begin };
            records.push(TraceRecord { at, ..record });
        }
        records
    }

    fn to_millis(time: Duration) -> Duration {
        Duration::from_millis(time.as_nanos() / 1_000_000)
    }

    /// What `format` keeps of the record.
    fn kept(format: TraceFormat, record: &TraceRecord, number: u64) -> TraceRecord {
        let record = record.clone();
        let ending = record.ending();
        let has_failed = record.has_failed();
        let streamed = record.streamed_first_token();
        let clear = record.failure.filter(|failure| {
            *failure != Failure::Other || record.status.is_none_or(|status| status < 400)
        });
        match format {
            TraceFormat::BurstGpt => {
                let output = if has_failed { Tokens::new(0) } else { record.output.unwrap() };
                TraceRecord {
                    at: record.at,
                    model: record.model,
                    session: record.session,
                    input: record.input,
                    output: Some(output),
                    duration: record.duration,
                    status: (!has_failed).then_some(200),
                    failure: has_failed.then_some(Failure::Other),
                    ..TraceRecord::default()
                }
            }
            TraceFormat::Bailian => TraceRecord {
                at: record.at,
                input: record.input,
                output: record.output,
                prefix: record.prefix,
                session: record.session.or(Some(number)),
                parent: record.parent,
                ..TraceRecord::default()
            },
            TraceFormat::Litellm => {
                let known = |tokens: Option<Tokens>| {
                    tokens.filter(|tokens| !has_failed || *tokens != Tokens::new(0))
                };
                let code = record.status.filter(|status| has_failed && *status >= 400);
                TraceRecord {
                    input: known(record.input),
                    output: known(record.output),
                    status: if ending == Some(Ending::Success) { Some(200) } else { code },
                    failure: match record.failure {
                        Some(Failure::Other) | None => {
                            (has_failed && code.is_none()).then_some(Failure::Other)
                        }
                        known => known,
                    },
                    first_token: streamed,
                    parent: None,
                    prefix: None,
                    ..record
                }
            }
            TraceFormat::Otel => {
                TraceRecord { failure: clear, parent: None, prefix: None, ..record }
            }
            TraceFormat::Nginx => {
                let told = match record.failure {
                    Some(Failure::ClientClosed) => Some(499),
                    Some(Failure::Timeout) if record.status.is_none_or(|it| it < 400) => Some(504),
                    Some(_) if record.status.is_none_or(|it| it < 400) => Some(502),
                    _ => record.status,
                };
                let failure = (told == Some(499)).then_some(Failure::ClientClosed);
                in_millis(TraceRecord { status: told, failure, ..record }, to_millis)
            }
            TraceFormat::Envoy => {
                let (status, failure) = match record.failure {
                    Some(Failure::Other) => {
                        (Some(record.status.filter(|status| *status >= 400).unwrap_or(500)), None)
                    }
                    Some(Failure::Truncated | Failure::ErrorInStream) => {
                        (record.status, Some(Failure::Reset))
                    }
                    failure => (record.status, failure),
                };
                in_millis(TraceRecord { status, failure, ..record }, |at| at)
            }
            TraceFormat::Har => TraceRecord {
                at: record.at,
                version: record.version,
                stream: record.stream,
                status: record.status,
                failure: record.failure,
                first_token: streamed,
                duration: record.duration,
                ..TraceRecord::default()
            },
            TraceFormat::Vegeta => TraceRecord {
                at: record.at,
                status: record.status,
                failure: clear,
                duration: record.duration,
                ..TraceRecord::default()
            },
            _ => record,
        }
    }

    /// What an access log keeps: durations in milliseconds, the first token of streamed answers.
    fn in_millis(record: TraceRecord, start: impl Fn(Duration) -> Duration) -> TraceRecord {
        TraceRecord {
            at: start(record.at),
            duration: record.duration.map(to_millis),
            first_token: record.streamed_first_token().map(to_millis),
            parent: None,
            prefix: None,
            ..record
        }
    }

    /// A record whose times are those of a life, and that says what formats cannot do without.
    fn tamed(record: TraceRecord, is_whole: bool) -> TraceRecord {
        let mut record = record;
        let short = |time: Duration| Duration::from_nanos(time.as_nanos() % 1_000_000_000_000_000);
        record.at = short(record.at);
        record.duration = record.duration.map(short);
        record.first_token = record
            .first_token
            .map(|first| short(first).min(record.duration.unwrap_or(Duration::MAX)));
        record.session = record.session.map(|session| session % 3);
        if is_whole {
            record.input = Some(Tokens::new(record.input.unwrap_or_default().get() % 50));
            record.output = record.output.or(Some(Tokens::new(3)));
            record.duration = record.duration.or(record.first_token).or(Some(Duration::ZERO));
            let input = u64::from(record.input.unwrap_or_default().get());
            let hashes = (0..input.div_ceil(16)).collect();
            record.prefix = Some(Prefix { block: 16, hashes });
        }
        record
    }

    /// A conversation has the number that Bailian knows it by only where its first row is there, and
    /// follows none; a row without a conversation is the first of its own.
    fn with_first_rows(mut records: Vec<TraceRecord>) -> Vec<TraceRecord> {
        let mut met = BTreeSet::new();
        for record in &mut records {
            if record.session.is_none_or(|session| met.insert(session)) {
                record.parent = None;
            }
        }
        records
    }

    fn arb_records() -> impl Strategy<Value = Vec<TraceRecord>> {
        let record = (arb_record(), any::<bool>()).prop_map(|(record, whole)| tamed(record, whole));
        prop::collection::vec(record, 1..8).prop_map(|mut records| {
            records.sort_by_key(|record| record.at);
            records
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_exported_is_imported_as_far_as_the_format_has_room(records in arb_records()) {
            for format in FOREIGN {
                let records = with_first_rows(taken(format, &records));
                let Some(first) = records.first() else { continue };
                let begin = kept(format, first, 0).at;
                let imported = read(format, &written(format, &records), begin);
                let expected = records.iter().enumerate();
                let expected = expected.map(|(row, record)| kept(format, record, row as u64));
                prop_assert_eq!(&imported, &expected.collect::<Vec<_>>(), "{}", format);
                let again = read(format, &written(format, &imported), begin);
                prop_assert_eq!(&again, &imported, "{}", format);
            }
        }
    }

    #[test]
    fn what_would_come_back_as_something_else_is_refused() {
        let is_taken =
            |format, record: &TraceRecord| !taken(format, std::slice::from_ref(record)).is_empty();
        let (input, output) = (Some(Tokens::new(9)), Some(Tokens::new(0)));
        let empty = TraceRecord { input, output, status: Some(200), ..TraceRecord::default() };
        assert!(!is_taken(TraceFormat::BurstGpt, &empty), "no tokens are a failure there");
        assert!(is_taken(TraceFormat::BurstGpt, &TraceRecord { status: Some(503), ..empty }));
        assert!(!is_taken(TraceFormat::Otel, &TraceRecord::default()), "no error is a success");
    }

    #[test]
    fn a_format_keeps_outcomes_or_says_that_it_does_not() {
        let whole = tamed(TraceRecord { status: Some(503), ..TraceRecord::default() }, true);
        let record = TraceRecord { at: Duration::ZERO, failure: None, ..whole };
        // Blocks are of another size there.
        let bare = TraceRecord { prefix: None, ..record.clone() };
        let others = [TraceFormat::Azure, TraceFormat::Mooncake].map(|format| (format, &bare));
        for (format, record) in FOREIGN.map(|format| (format, &record)).into_iter().chain(others) {
            let bytes = written(format, std::slice::from_ref(record));
            let found = read(format, &bytes, Duration::ZERO);
            let keeps = found[0].status.is_some() || found[0].failure.is_some();
            assert_eq!(keeps, format.keeps_outcomes(), "{format}");
        }
    }

    #[test]
    fn every_foreign_format_takes_a_whole_record() {
        let record = tamed(TraceRecord { status: Some(200), ..TraceRecord::default() }, true);
        for format in FOREIGN {
            assert_eq!(taken(format, std::slice::from_ref(&record)).len(), 1, "{format}");
        }
    }
}
