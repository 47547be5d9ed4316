//! The body of the fuzz target for traces, kept here so that ordinary builds compile and run it.

use super::description::Origin;
use super::error::{TraceError, TraceErrorKind, TracePlace};
use super::format::TraceFormat;
use super::reader::TraceReader;
use super::record::TraceRecord;
use super::source_options::SourceOptions;
use super::writer::TraceWriter;
use crate::units::Timestamp;

/// Reads `bytes` as a trace. Whatever they are, the reader ends, its rows balance, its errors name
/// a line that exists, and what it hands on is in order of time.
///
/// # Panics
/// One of that does not hold.
pub fn fuzz_trace(bytes: &[u8]) {
    let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    // What is packed has other lines than its bytes.
    let is_packed = bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"\x28\xb5\x2f\xfd");
    let assert_exists = |error: &TraceError| match error.place() {
        TracePlace::Line(line) | TracePlace::Entry { line, .. } => {
            assert!(line >= 1 && (is_packed || line <= lines), "{error}");
        }
        TracePlace::Row(_) => assert!(is_packed, "{error}"),
        TracePlace::Byte(byte) => assert!(is_packed || byte <= bytes.len() as u64, "{error}"),
    };
    let mut reader = match TraceReader::new(bytes) {
        Ok(reader) => reader,
        Err(error) => {
            assert_exists(&error);
            return;
        }
    };
    let mut emitted = 0;
    let mut latest = None;
    let error = loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                assert!(latest <= Some(record.at), "{record:?} follows {latest:?}");
                latest = Some(record.at);
                emitted += 1;
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let accounting = reader.accounting();
    assert!(accounting.is_balanced(), "{accounting:?}");
    assert_eq!(accounting.emitted, emitted);
    match error {
        None => assert_eq!(accounting.read, emitted),
        Some(error) => {
            assert_exists(&error);
            let kind = error.kind();
            let has_row = !matches!(
                kind,
                TraceErrorKind::NoRows
                    | TraceErrorKind::Read(_)
                    | TraceErrorKind::CutOffPacked { .. }
                    | TraceErrorKind::Damaged { .. }
            );
            assert_eq!(accounting.read, emitted + u64::from(has_row), "{error}");
            assert!(matches!(reader.next_record(), Ok(None)), "read on after {error}");
        }
    }
}

/// Reads `bytes` as [`fuzz_trace`] does, then as a trace in the format of this name, whose rows may
/// come in any order. What was read and can be written is read back equal.
///
/// # Panics
/// One of that does not hold, or there is no such format.
pub fn fuzz_trace_format(name: &str, bytes: &[u8]) {
    fuzz_trace(bytes);
    let format = TraceFormat::ALL.iter().find(|format| format.name() == name);
    let format = *format.expect("the name is that of a format");
    let (records, began) = read_as(format, bytes);
    let Some(written) = write_as(format, &records, began) else { return };
    let (once, began) = read_as(format, &written);
    assert_eq!(once.len(), records.len(), "rows are lost");
    let Some(written) = write_as(format, &once, began) else { return };
    let (twice, _) = read_as(format, &written);
    assert_eq!(once, twice);
}

/// All records up to the first broken one, in order of time.
fn read_as(format: TraceFormat, bytes: &[u8]) -> (Vec<TraceRecord>, Option<Timestamp>) {
    let options =
        SourceOptions { format: Some(format), any_order: true, ..SourceOptions::default() };
    let Ok(mut reader) = TraceReader::with(bytes, options) else { return (Vec::new(), None) };
    let mut rows = Vec::new();
    let mut record = TraceRecord::default();
    while let Ok(Some(at)) = reader.read_row(&mut record) {
        rows.push((at, record.clone()));
    }
    assert!(reader.accounting().is_balanced(), "{:?}", reader.accounting());
    rows.sort_by_key(|(at, _)| *at);
    // Where rows begin with the first, that is the earliest of them.
    let has_beginning = format.description().origin == Origin::Beginning;
    let begin = rows.first().map_or(Timestamp::EPOCH, |(at, _)| *at);
    let begin = if has_beginning { Timestamp::EPOCH } else { begin };
    let has_dates = format.description().origin == Origin::Dates;
    let records =
        rows.into_iter().map(|(at, record)| TraceRecord { at: at.since(begin), ..record });
    (records.collect(), has_dates.then_some(begin))
}

/// `None` where the format does not take one of the records.
fn write_as(
    format: TraceFormat,
    records: &[TraceRecord],
    began: Option<Timestamp>,
) -> Option<Vec<u8>> {
    let mut writer = TraceWriter::new(Vec::new(), format, began).ok()?;
    for record in records {
        writer.write(record).ok()?;
    }
    writer.finish().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALID: [&str; 4] = [
        "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\r\n\
         2023-11-16 18:17:04.0319600,3180,8",
        "#coalmine-trace 1\nat_ns,model,version,user,input_tokens,output_tokens,stream\n\
         0,gpt-4,v1,7,620,210,true\n5,,,,1,2,\n",
        "{\"coalmine_trace\":1}\n{\"at_ns\":0,\"input_tokens\":1,\"output_tokens\":2}\n\
         {\"at_ns\":9,\"model\":\"gpt-4\",\"input_tokens\":1,\"output_tokens\":2,\"stream\":true}\n",
        "{\"timestamp\": 0, \"input_length\": 600, \"output_length\": 5, \"hash_ids\": [0, 1]}\n\
         {\"timestamp\": 3000, \"input_length\": 6, \"output_length\": 5, \"hash_ids\": [0]}\n",
    ];

    /// A valid file with some of its bytes replaced, removed or inserted.
    fn arb_mutated() -> impl Strategy<Value = Vec<u8>> {
        let interesting = prop_oneof![
            any::<u8>(),
            prop::sample::select(b"\n\r,\"{}:-+.0 9\0\xff\xef#".to_vec()),
        ];
        let mutation = (any::<prop::sample::Index>(), interesting, 0..3_u8);
        let mutations = prop::collection::vec(mutation, 1..6);
        (prop::sample::select(VALID.to_vec()), mutations).prop_map(|(valid, mutations)| {
            let mut bytes = valid.as_bytes().to_vec();
            for (place, byte, how) in mutations {
                let at = place.index(bytes.len().max(1));
                match how {
                    0 if at < bytes.len() => bytes[at] = byte,
                    1 if at < bytes.len() => bytes.truncate(at),
                    _ => bytes.insert(at, byte),
                }
            }
            bytes
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2_000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn random_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            fuzz_trace(&bytes);
        }

        #[test]
        fn random_rows_under_a_valid_header_are_read_or_refused(
            header in prop::sample::select(VALID.map(|valid| valid.split('\n').next()).to_vec()),
            rows in prop::collection::vec("[0-9,\"{}a-z:. \\-\\r]{0,40}", 0..5),
        ) {
            fuzz_trace(format!("{}\n{}", header.unwrap_or_default(), rows.join("\n")).as_bytes());
        }

        #[test]
        fn damaged_files_are_read_or_refused(bytes in arb_mutated()) {
            fuzz_trace(&bytes);
        }
    }
}
