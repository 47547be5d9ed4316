//! Broken traces and what is answered to them: every file of `tests/golden/traces/bad/` has its
//! expected answer beside it. Those that are large or packed are made here.
//!
//! Where an answer differs, the actual one is written below the target folder, for comparing and
//! copying.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use coalmine::trace::{DropReason, SourceOptions, TraceError, TraceReader};

fn read(bytes: &[u8]) -> Result<u64, TraceError> {
    let mut reader = TraceReader::new(bytes)?;
    while reader.next_record()?.is_some() {}
    Ok(reader.accounting().emitted)
}

fn answer(name: &str, bytes: &[u8]) -> String {
    match read(bytes) {
        Err(error) => error.to_string(),
        Ok(rows) => panic!("{name} is read: {rows} rows"),
    }
}

fn inputs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/traces/bad");
    let mut inputs: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.retain(|path| path.extension().is_some_and(|extension| extension != "txt"));
    inputs.sort();
    inputs
}

#[test]
fn every_broken_trace_is_answered_with_place_and_remedy() {
    let mut wrong = Vec::new();
    for path in inputs() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let actual = answer(name, &fs::read(&path).unwrap()) + "\n";
        let expected = fs::read_to_string(path.with_file_name(format!("{name}.txt")));
        if expected.ok().as_deref() != Some(actual.as_str()) {
            let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.txt"));
            fs::write(&out, &actual).unwrap();
            wrong.push(format!("{name} is answered otherwise: see {}\n  {actual}", out.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_at_least_thirty_broken_traces() {
    assert!(inputs().len() >= 30);
}

/// Where one row may be broken, `rows` are read of `text`, and these lines are broken.
fn assert_read_past_one(text: &str, rows: u64, broken: &[u64]) {
    let options = SourceOptions { skip_bad: 1, ..SourceOptions::default() };
    let mut reader = TraceReader::with(text.as_bytes(), options).unwrap();
    while reader.next_record().unwrap_or_else(|e| panic!("{text}: {e}")).is_some() {}
    let accounting = reader.accounting();
    assert_eq!(accounting.emitted, rows, "{text}");
    let lines = accounting.dropped.get(&DropReason::Malformed).map(|rows| rows.lines.as_slice());
    assert_eq!(lines.unwrap_or_default(), broken, "{text}");
}

/// What stands whole before the cut, of which there are two.
fn whole(parts: &[String; 2], cut: &str) -> u64 {
    parts.iter().filter(|part| cut.contains(part.as_str())).count() as u64
}

/// Wherever the second of four lines is cut, be it behind a whole span.
#[test]
fn of_a_line_of_spans_that_is_cut_off_the_rest_is_lost_and_no_other_line() {
    let span = |second: u32| {
        format!(
            "{{\"startTimeUnixNano\":\"17734788{second:02}000000000\",\"attributes\":\
             [{{\"key\":\"gen_ai.request.model\",\"value\":{{\"stringValue\":\"m\"}}}}]}}"
        )
    };
    let spans = |second: u32| [span(second), span(second + 1)];
    let line = |second: u32| {
        let spans = spans(second).join(",");
        format!("{{\"resourceSpans\": [{{\"scopeSpans\":[{{\"spans\":[{spans}]}}]}}]}}")
    };
    let text = |second: &str| format!("{}\n{second}\n{}\n{}\n", line(0), line(4), line(6));
    let second = line(2);
    assert_read_past_one(&text(&second), 8, &[]);
    for end in 1..second.len() {
        let cut = &second[..end];
        assert_read_past_one(&text(cut), 6 + whole(&spans(2), cut), &[2]);
    }
    let error = answer("spans", text(&second[..second.len() - 1]).as_bytes());
    assert_eq!(
        error,
        "line 2, entry 4: the document was cut off on this line, before its end: another begins on \
         the next"
    );
}

/// Nor is anything told twice of the archive that ends there.
#[test]
fn of_an_archive_that_is_cut_off_the_entries_before_are_read() {
    let entry = |second: u32| {
        format!(
            "{{\"startedDateTime\":\"2026-03-14T09:00:{second:02}Z\",\"time\":20,\"x\":\"\\\"\",\
             \"response\":{{\"status\":200}}}}"
        )
    };
    let entries = [entry(0), entry(1)];
    let text = format!("{{\"log\":{{\"entries\":[{}],\"comment\":\"c\"}}}}", entries.join(","));
    assert_read_past_one(&text, 2, &[]);
    for end in "{\"log\":{".len()..text.len() {
        let cut = &text[..end];
        assert_read_past_one(cut, whole(&entries, cut), &[1]);
    }
}

/// It could be what is left of an entry or a document.
#[test]
fn what_stands_between_entries_or_documents_is_a_broken_row() {
    let entry =
        "{\"startedDateTime\":\"2026-03-14T09:00:00Z\",\"time\":20,\"response\":{\"status\":200}}";
    for stray in ["null", "-7.5e+3", "\"a\\\",]}\"", "[{\"time\":1},[[2]]]", "#"] {
        let text = format!("{{\"log\":{{\"entries\":[{entry},{stray} ,{entry}]}}}}\n");
        assert_read_past_one(&text, 2, &[1]);
    }
    let span = "{\"startTimeUnixNano\":\"1773478800000000000\",\"attributes\":\
                [{\"key\":\"gen_ai.request.model\",\"value\":{\"stringValue\":\"m\"}}]}";
    let line = format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{span}]}}]}}]}}");
    for stray in ["Killed: [9] {\"x\":\"", "[]", "}]}]}]}", span, "{}"] {
        assert_read_past_one(&format!("{line}\n{stray}\n{line}\n"), 2, &[2]);
        assert_read_past_one(&format!("{line} {stray}\n{line}\n"), 2, &[1]);
    }
}

const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// Enough rows that packed ones are of some size.
fn rows() -> String {
    let row = |second: u32| {
        let (minute, second, tokens) = (second / 60, second % 60, second * 7_919 % 4_001);
        format!("2026-03-14 09:{minute:02}:{second:02}.0000000,{tokens},10\n")
    };
    AZURE.to_owned() + &(0..2_000).map(row).collect::<String>()
}

#[test]
fn packed_traces_that_are_cut_off_or_damaged_are_not_taken_for_whole_ones() {
    let text = rows();
    let gzipped = gzip(&text);
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let zstd = ruzstd::encoding::compress_to_vec(text.as_bytes(), level);
    for (name, packed) in [("gzip", gzipped), ("zstd", zstd)] {
        assert_eq!(read(&packed).unwrap(), 2_000, "{name}");
        for cut in [packed.len() / 2, packed.len() - 1] {
            let error = answer(name, &packed[..cut]);
            assert!(error.starts_with("line "), "{name}: {error}");
            assert!(error.contains("cannot be read"), "{name}: {error}");
        }
        let mut damaged = packed.clone();
        let place = packed.len() - 6;
        damaged[place] ^= 0xff;
        let error = answer(name, &damaged);
        assert!(error.contains("cannot be read"), "{name}: {error}");
    }
}

#[test]
fn a_line_of_10_megabytes_ends_the_reading() {
    let error = answer("long", format!("{AZURE}{}\n", "7".repeat(10 << 20)).as_bytes());
    assert_eq!(error, "line 2: the line is longer than 1048576 bytes");
}

/// Brackets beyond the depth that a parser on a stack could follow.
#[test]
fn a_hundred_thousand_brackets_break_nothing() {
    let brackets = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let call = format!(
        "{{\"startTime\":1773478800.5,\"endTime\":1773478802,\"call_type\":\"a\",\"status\":\
         \"success\",\"prompt_tokens\":1,\"completion_tokens\":1,\"messages\":{brackets}}}\n"
    );
    assert_eq!(read(call.as_bytes()).unwrap(), 1, "what is not read is passed over");
    let misplaced = call.replace("\"prompt_tokens\":1", &format!("\"prompt_tokens\":{brackets}"));
    let error = answer("tokens", misplaced.as_bytes());
    assert!(error.starts_with("line 1: prompt_tokens is \"[[["), "{error}");
    for text in [brackets.clone(), format!("{{\"log\":{brackets}")] {
        let error = answer("brackets", text.as_bytes());
        assert!(error.starts_with("line 1"), "{error}");
    }
    let entry = format!("{{\"log\":{{\"entries\":[{{\"x\":{brackets}}}]}}}}");
    assert!(answer("har", entry.as_bytes()).contains("startedDateTime"));
}
