//! Profiles made by hand, for the tests of what is told of a trace.

use super::document::{TraceSource, TraceStats};
use super::meter::ProfileMeter;
use crate::chance::mix;
use crate::trace::{Accounting, TraceFormat, TraceReader, TraceRecord};
use crate::units::{Duration, ModelId, Money, Timestamp, Tokens, VersionId};

/// Twenty minutes of two versions, the second of which fails often in the tenth minute.
pub(crate) fn observed_stats() -> TraceStats {
    let source = TraceSource {
        file: "gateway.jsonl".to_owned(),
        sha256: Some("ab12".repeat(16)),
        began: Some("2026-03-15T11:00:00Z".parse::<Timestamp>().unwrap()),
        accounting: accounting(2_400),
        dequantized: Some(Duration::from_secs(3)),
        window: Some([Duration::from_secs(600), Duration::from_secs(1_200)]),
    };
    TraceStats::new(source, profile_of(&observed_records()))
}

/// A quarter of an hour of requests with tokens only.
pub(crate) fn plain_stats() -> TraceStats {
    let records = (0..900_u64).map(|second| TraceRecord {
        at: Duration::from_millis(second * 1_000 + bits(second, 800)),
        input: Some(Tokens::new(100 + bits(second ^ 77, 4_000) as u32)),
        output: Some(Tokens::new(1 + bits(second ^ 99, 500) as u32)),
        ..TraceRecord::default()
    });
    let source = TraceSource {
        file: "plain.csv".to_owned(),
        sha256: None,
        began: None,
        accounting: accounting(900),
        dequantized: None,
        window: None,
    };
    TraceStats::new(source, profile_of(&records.collect::<Vec<_>>()))
}

/// So many requests at one instant, of which nothing else is known.
pub(crate) fn bare_stats(requests: u64) -> TraceStats {
    let records: Vec<_> = (0..requests).map(|_| TraceRecord::default()).collect();
    let source = TraceSource {
        file: "bare.csv".to_owned(),
        accounting: accounting(requests),
        ..plain_stats().source
    };
    TraceStats::new(source, profile_of(&records))
}

/// Two requests a second; every fifth is answered by `v2`.
pub(crate) fn observed_records() -> Vec<TraceRecord> {
    let record = |number: u64| {
        let is_canary = number.is_multiple_of(5);
        let at = Duration::from_millis(number * 500 + bits(number, 400));
        let is_bad = is_canary && (540..600).contains(&at.as_secs()) && bits(number ^ 5, 10) < 6;
        let status = if is_bad {
            503
        } else if number.is_multiple_of(397) {
            429
        } else {
            200
        };
        let first_token = Duration::from_millis(80 + bits(number ^ 11, 200));
        let output = 20 + bits(number ^ 13, 400);
        let each = if is_canary { 12 } else { 17 };
        let answered = (status == 200).then_some(first_token);
        let duration = match status {
            200 => first_token + Duration::from_millis(each * output),
            _ => Duration::from_millis(30),
        };
        TraceRecord {
            at,
            model: Some(ModelId::new("gpt-4").unwrap()),
            version: Some(VersionId::new(if is_canary { "v2" } else { "v1" }).unwrap()),
            user: Some(bits(number ^ 17, 150)),
            session: Some(number / 3),
            input: Some(Tokens::new(200 + bits(number ^ 19, 3_000) as u32)),
            output: Some(Tokens::new(if status == 200 { output as u32 } else { 0 })),
            stream: Some(!number.is_multiple_of(4)),
            status: Some(status),
            first_token: answered,
            duration: Some(duration),
            cost: Some(Money::from_pico_usd(u128::from(output) * 30_000_000)),
            ..TraceRecord::default()
        }
    };
    (0..2_400).map(record).collect()
}

fn profile_of(records: &[TraceRecord]) -> super::figures::Profile {
    let mut meter = ProfileMeter::default();
    records.iter().for_each(|record| meter.add(record));
    meter.profile()
}

/// A number below `limit` that looks like one drawn.
fn bits(number: u64, limit: u64) -> u64 {
    mix(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1) % limit
}

/// All of so many rows were read and handed on.
fn accounting(rows: u64) -> Accounting {
    let text = "#coalmine-trace 1\nat_ns,input_tokens,output_tokens\n";
    let reader = TraceReader::new(text.as_bytes()).unwrap();
    let begun = reader.accounting().clone();
    Accounting { format: TraceFormat::CoalmineCsv, read: rows, emitted: rows, ..begun }
}
