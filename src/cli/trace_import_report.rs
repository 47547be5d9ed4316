//! What `coalmine trace import` tells: what became of the rows, and what is odd about them.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use super::shared_arguments::OutputFormat;
use super::terminal::Failure;
use crate::trace::{Accounting, Dropped, Imported, Provenance, TimeUnit};
use crate::units::{Duration, Timestamp, format_count, format_duration};

/// Which files an import has read and written.
pub(super) struct Written<'a> {
    pub(super) source: &'a Path,
    /// `None`: stdout.
    pub(super) trace: Option<&'a Path>,
    /// The file of users' names, and how many these are.
    pub(super) names: Option<(&'a Path, usize)>,
}

/// What is told of an import to a machine.
#[derive(Serialize)]
struct Report<'a> {
    source: String,
    trace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<String>,
    began: Option<Timestamp>,
    span_ns: Duration,
    #[serde(flatten)]
    provenance: &'a Provenance,
}

/// What became of the rows.
pub(super) fn report<F>(
    imported: &Imported<F>,
    written: &Written<'_>,
    format: OutputFormat,
) -> Result<String, Failure> {
    if format == OutputFormat::Text {
        return Ok(text(imported, written));
    }
    let report = Report {
        source: written.source.display().to_string(),
        trace: written.trace.map(|path| path.display().to_string()),
        names: written.names.map(|(path, _)| path.display().to_string()),
        began: imported.began,
        span_ns: imported.span,
        provenance: &imported.provenance,
    };
    let text = serde_json::to_string_pretty(&report)
        .map_err(|error| Failure::internal(format!("error: {error}")))?;
    Ok(text + "\n")
}

fn text<F>(imported: &Imported<F>, written: &Written<'_>) -> String {
    let accounting = &imported.provenance.accounting;
    let Accounting { format, unit, read, emitted, dropped, late } = accounting;
    let mut text = format!("{}: {format}, times as {unit}\n", written.source.display());
    let mut line = |label: &str, count: u64, more: &str| {
        let count = format_count(count);
        let _ = writeln!(text, "  {label:<12}{count:>12}{more}");
    };
    line("read", *read, "");
    line("imported", *emitted, "");
    for (reason, rows) in dropped {
        let more = format!("  {}: {}", reason.words(), examples(accounting, rows));
        line("dropped", rows.count, &more);
    }
    if let Some(late) = late {
        let rows = examples(accounting, late);
        line("late", late.count, &format!("  sent before the row before them, sorted: {rows}"));
    }
    let began = imported.began.map(|began| format!(" from {began} on")).unwrap_or_default();
    let _ = writeln!(text, "  span        {:>12}{began}", format_duration(imported.span));
    if let Some(sha256) = &imported.provenance.source_sha256 {
        let _ = writeln!(text, "  SHA-256     {sha256}");
    }
    if let Some(trace) = written.trace {
        let _ = writeln!(text, "  written to  {}", trace.display());
    }
    if let Some((path, count)) = written.names {
        let (path, count) = (path.display(), format_count(count as u64));
        let _ = writeln!(text, "  names       {count:>12}  of users, written to {path}");
    }
    text
}

/// `lines 3, 17, 18 and others`.
fn examples(accounting: &Accounting, rows: &Dropped) -> String {
    let Dropped { count, lines } = rows;
    let listed: Vec<_> = lines.iter().map(u64::to_string).collect();
    let others = if *count > lines.len() as u64 { " and others" } else { "" };
    let plural = if *count == 1 { "" } else { "s" };
    format!("{}{plural} {}{others}", accounting.numbered(), listed.join(", "))
}

/// What to look at again: no gateway has logged requests for models in the last century, which is
/// what becomes of dates whose unit is taken for a smaller one.
pub(super) fn odd<F>(imported: &Imported<F>, unit: Option<TimeUnit>) -> Option<String> {
    let began = imported.began.filter(|began| *began < Timestamp::from_nanos(YEAR_2001))?;
    let remedy = match unit {
        Some(unit) => format!("is the unit of its times not `--unit {}`?", unit.symbol()),
        None => "if that is not so, say the unit of its times by `--unit`".to_owned(),
    };
    Some(format!("warning: the trace begins on {began}: {remedy}"))
}

/// 1,000,000,000 s since 1970, in September 2001.
const YEAR_2001: i64 = 1_000_000_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Provenance;

    fn imported(began: &str) -> Imported<()> {
        let (provenance, began) = (Provenance::made_up(3), Some(began.parse().unwrap()));
        Imported { file: (), provenance, began, span: Duration::from_secs(1) }
    }

    #[test]
    fn a_trace_of_the_last_century_is_odd() {
        assert_eq!(odd(&imported("2026-11-02T09:00:00Z"), None), None);
        let told = |unit| odd(&imported("1970-01-21T18:13:30Z"), unit).unwrap();
        assert!(told(Some(TimeUnit::Millis)).ends_with("of its times not `--unit ms`?"));
        assert!(told(None).contains("begins on 1970-01-21T18:13:30Z"), "{}", told(None));
    }
}
