//! Comparisons made by hand, for the tests of what is computed, written and drawn of them.

use serde_json::json;

use super::{RunComparison, RunInput, Settings, compare};
use crate::exchange::Ending;
use crate::record::Tally;
use crate::result::ResultFile;
use crate::result::example::rolled_back_result;
use crate::units::Duration;

/// [`rolled_back_result`] has 1,000 successes of 1 to 1,000 ms and 5 failures in its first column;
/// this one 900 of 151 to 1,050 ms and 30 failures.
pub(crate) fn slower() -> ResultFile {
    let mut result = rolled_back_result();
    let mut tally = Tally { assigned: 930, succeeded: 900, ..Tally::default() };
    (151..=1_050).for_each(|millis| tally.latency.record(Duration::from_millis(millis)));
    (0..30).for_each(|_| tally.failed.add(Ending::Status(503)));
    tally.input_tokens = 900 * 300;
    tally.output_tokens = 900 * 100;
    tally.output_tokens_squared = 900 * 10_000;
    tally.input_tokens_squared = 900 * 90_000;
    tally.input_by_output_tokens = 900 * 30_000;
    result.record.cells[0].tally = tally;
    result.record.blasts[0].failed = 9;
    result
}

/// [`slower`] under another seed and another rule, against [`rolled_back_result`].
pub(crate) fn slower_comparison() -> RunComparison {
    let (mut first, mut other) = (rolled_back_result(), slower());
    let resolved = |threshold: f64| {
        let conditions =
            json!([{"id": format!("error_rate > {threshold}"), "threshold": threshold}]);
        json!({"models": [{"id": "gpt-4", "rules": {"conditions": conditions}}]})
    };
    first.scenario.resolved = resolved(0.05);
    other.scenario.resolved = resolved(0.04);
    other.scenario.seed = 43;
    of(&[("reports/main", &first), ("reports/branch", &other)])
}

/// Eight runs: the first, itself again, and the slower one six times.
pub(crate) fn eight_runs() -> RunComparison {
    let (first, other) = (rolled_back_result(), slower());
    let labels = ["main", "again", "c", "d", "e", "f", "g", "h"];
    let results = labels.iter().enumerate();
    let results = results.map(|(run, label)| (*label, if run < 2 { &first } else { &other }));
    of(&results.collect::<Vec<_>>())
}

fn of(runs: &[(&str, &ResultFile)]) -> RunComparison {
    let sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let inputs = runs.iter().map(|(label, result)| RunInput { label, sha256, result });
    let settings = Settings { across: true, ..Settings::default() };
    compare(&inputs.collect::<Vec<_>>(), &settings).unwrap()
}
