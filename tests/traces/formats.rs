//! Small files of every format, each with a quirk that it is named after: `FORMAT-QUIRK.EXT` under
//! `tests/golden/traces/`. What must be read of one stands beside it, written by hand as a trace of
//! coalmine's own; there users and conversations are numbers in the order of their appearance.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use coalmine::trace::{SourceOptions, TraceFormat, TraceReader, TraceRecord};
use coalmine::units::Timestamp;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/traces")
}

/// The files, and the format that each is in.
fn fixtures() -> Vec<(PathBuf, TraceFormat)> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut fixtures = Vec::new();
    for path in files.filter(|path| path.is_file()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".expected.csv") {
            continue;
        }
        let prefix = name.split('-').next().unwrap();
        let format = TraceFormat::ALL.iter().find(|format| format.name() == prefix);
        fixtures.push((path, *format.unwrap_or_else(|| panic!("{name} is of no format"))));
    }
    fixtures.sort_by(|one, other| one.0.cmp(&other.0));
    fixtures
}

/// The records in order of time, which counts from the first unless the format says otherwise.
fn read(path: &Path, format: Option<TraceFormat>) -> (Vec<TraceRecord>, TraceFormat) {
    let options = SourceOptions { format, any_order: true, ..SourceOptions::default() };
    let name = path.display();
    let bytes = fs::read(path).unwrap();
    let mut reader =
        TraceReader::with(&bytes[..], options).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut rows = Vec::new();
    let mut record = TraceRecord::default();
    while let Some(at) = reader.read_row(&mut record).unwrap_or_else(|e| panic!("{name}: {e}")) {
        rows.push((at, record.clone()));
    }
    assert!(reader.accounting().is_balanced(), "{name}");
    rows.sort_by_key(|(at, _)| *at);
    let format = reader.accounting().format;
    let counts_from_beginning =
        matches!(format, TraceFormat::Bailian | TraceFormat::Mooncake | TraceFormat::CoalmineCsv);
    let begin = if counts_from_beginning { Timestamp::EPOCH } else { rows[0].0 };
    let records =
        rows.into_iter().map(|(at, record)| TraceRecord { at: at.since(begin), ..record });
    (records.collect(), format)
}

/// Numbers the users and conversations anew, by their appearance.
fn renumbered(mut records: Vec<TraceRecord>) -> Vec<TraceRecord> {
    let (mut users, mut sessions) = (BTreeMap::new(), BTreeMap::new());
    for record in &mut records {
        for (names, name) in [(&mut users, &mut record.user), (&mut sessions, &mut record.session)]
        {
            let next = names.len() as u64 + 1;
            *name = name.map(|name| *names.entry(name).or_insert(next));
        }
    }
    records
}

#[test]
fn every_quirk_is_read_as_its_expectation_says() {
    for (path, format) in fixtures() {
        let (records, detected) = read(&path, None);
        assert_eq!(detected, format, "{}", path.display());
        let (expected, _) = read(&path.with_extension("expected.csv"), None);
        let (records, expected) = (renumbered(records), renumbered(expected));
        for (row, pair) in records.iter().zip(&expected).enumerate() {
            assert_eq!(pair.0, pair.1, "row {} of {}", row + 1, path.display());
        }
        assert_eq!(records.len(), expected.len(), "{}", path.display());
    }
}

#[test]
fn a_format_that_is_told_is_read_as_one_that_is_found_out() {
    for (path, format) in fixtures() {
        assert_eq!(read(&path, Some(format)), read(&path, None), "{}", path.display());
    }
}

/// Only its beginning could tell it from others; who says what it is need not rely on that.
#[test]
fn an_archive_that_is_told_to_be_one_may_begin_with_any_key() {
    let text = "{\"comment\":\"kept\",\"log\":{\"entries\":[\n\
                {\"startedDateTime\":\"2026-03-14T09:00:00Z\",\"time\":20,\
                \"response\":{\"status\":503}}]}}\n";
    assert!(TraceReader::new(text.as_bytes()).is_err());
    let format = Some(TraceFormat::Har);
    let options = SourceOptions { format, ..SourceOptions::default() };
    let mut reader = TraceReader::with(text.as_bytes(), options).unwrap();
    assert_eq!(reader.next_record().unwrap().unwrap().status, Some(503));
    assert_eq!(reader.next_record().unwrap(), None);
}

#[test]
fn every_foreign_format_has_fixtures() {
    for name in ["bailian", "burstgpt", "envoy", "har", "litellm", "nginx", "otel", "vegeta"] {
        assert!(fixtures().iter().any(|(_, format)| format.name() == name), "{name}");
    }
}

/// The fixtures of every format, and the beginnings that the formats tell of themselves.
#[test]
fn no_file_of_one_format_is_taken_for_another() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.is_file()).map(|path| fs::read(path).unwrap());
    let examples = TraceFormat::ALL.iter().map(|format| format.begins().as_bytes().to_vec());
    let mut taken = 0;
    for bytes in files.chain(examples.filter(|begins| !begins.is_empty())) {
        let takers = TraceFormat::takers(&bytes);
        let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert!(takers.len() <= 1, "{beginning} is taken by {takers:?}");
        taken += takers.len();
    }
    assert!(taken >= 50, "{taken}");
}
