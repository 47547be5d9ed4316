//! Where the page's figures come from, and how to get them again.

use super::escape::escape;
use super::markup::{code, section, within};
use crate::result::{FileDigest, ResultFile};
use crate::run::TraceReport;
use crate::units::{Duration, format_count, format_duration};

/// What may differ between two runs of one seed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provenance {
    /// When the run began, as RFC 3339.
    pub started_at: String,
    /// How long it took.
    pub took: Duration,
    /// What it was made on, in words.
    pub machine: String,
    /// The command that repeats it.
    pub command: String,
}

/// Version, seed, hashes; machine and command where they are known.
pub(super) fn provenance_section(result: &ResultFile, run: Option<&Provenance>) -> String {
    let scenario = &result.scenario;
    let mut entries = Vec::new();
    if let Some(run) = run {
        entries.push(("Repeat with", format!("<pre><code>{}</code></pre>", escape(&run.command))));
    }
    entries.push((
        "coalmine",
        format!("{} (result file of schema {})", escape(&result.coalmine), result.schema),
    ));
    entries.push(("Seed", scenario.seed.to_string()));
    entries.push(("Scenario, SHA-256", lines(scenario.files.iter().map(digest))));
    let trace = |trace: &TraceReport| {
        let sha256 = trace.sha256.as_deref().map_or_else(|| "unknown".to_owned(), code);
        match &trace.file {
            Some(file) => format!("{} {sha256}", code(file)),
            None => sha256,
        }
    };
    if !result.traces.is_empty() {
        entries.push(("Trace, SHA-256", lines(result.traces.iter().map(trace))));
    }
    let journal = &result.record.journal;
    if let Some(head) = &journal.head {
        let count = format_count(journal.entries.len() as u64 + journal.omitted);
        let head = code(&head.to_string());
        entries.push(("Journal", format!("{count} entries, head {head}")));
    }
    match run {
        Some(run) => {
            let took = format_duration(run.took);
            let when = format!("{}, took {took}", escape(&run.started_at));
            entries.push(("Run", when));
            entries.push(("Machine", escape(&run.machine)));
        }
        None => {
            let unknown = "not known: there was no <code>run.json</code> beside the result";
            entries.push(("Run", unknown.to_owned()));
        }
    }
    let entries = entries
        .iter()
        .map(|(name, markup)| format!("<div><dt>{name}</dt><dd>{markup}</dd></div>\n"));
    let entries: String = entries.collect();
    section("provenance", "Provenance", &format!("<dl class=\"provenance\">\n{entries}</dl>\n"))
}

fn digest(file: &FileDigest) -> String {
    format!("{} {}", code(&file.path), code(&file.sha256))
}

/// Pieces of markup below each other, as many as there is room for.
fn lines(pieces: impl Iterator<Item = String>) -> String {
    let (lines, left_out) = within(MOST_BYTES, pieces.map(|piece| piece + "<br>"));
    match left_out {
        0 => lines.trim_end_matches("<br>").to_owned(),
        _ => format!("{lines}… and {} more", format_count(left_out)),
    }
}

/// Chosen: more files than any scenario of a person's is read from.
const MOST_BYTES: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::rolled_back_result;

    #[test]
    fn seed_hashes_machine_and_command_are_told() {
        let result = rolled_back_result();
        let run = Provenance {
            started_at: "2024-03-15T12:00:00Z".to_owned(),
            took: Duration::from_millis(5),
            machine: "linux x86_64, 2 processors".to_owned(),
            command: "coalmine run 'a b.yaml' --seed 42".to_owned(),
        };
        let markup = provenance_section(&result, Some(&run));
        for part in [
            "<dd>42</dd>",
            &"00".repeat(32),
            &"ab".repeat(32),
            "2 processors",
            "coalmine run &#39;a b.yaml&#39; --seed 42",
            "took 5 ms",
        ] {
            assert!(markup.contains(part), "{part}: {markup}");
        }
        assert!(provenance_section(&result, None).contains("not known"));
    }
}
