//! What is to be known of a comparison's intervals and p-values.

use super::run::RunInput;
use crate::scenario::dependences as of_scenario;

/// The notes on these runs, in sentences.
pub(super) fn notes(runs: &[RunInput<'_>]) -> Vec<String> {
    paired(runs).into_iter().chain(dependent(runs)).collect()
}

/// Runs of one seed meet the same draws.
fn paired(runs: &[RunInput<'_>]) -> Option<String> {
    let seed = runs[0].result.scenario.seed;
    let shared = runs[1..].iter().any(|run| run.result.scenario.seed == seed);
    shared.then(|| {
        format!(
            "Runs of seed {seed} share their draws, so their differences come of what was changed \
             more than of chance; intervals and p-values take them for independent, which makes \
             intervals wider and p-values larger than they need be"
        )
    })
}

/// Scenarios whose requests bear on each other.
fn dependent(runs: &[RunInput<'_>]) -> Option<String> {
    let reasons = dependences(runs);
    (!reasons.is_empty()).then(|| {
        format!(
            "Requests are not independent here ({}): the true uncertainty is greater than the \
             intervals say, so that nothing is found better or worse: what would be is undecided; \
             runs under several seeds tell more",
            reasons.join(", "),
        )
    })
}

/// What makes the requests of any of the runs bear on each other, in words.
pub(super) fn dependences(runs: &[RunInput<'_>]) -> Vec<&'static str> {
    let mut reasons: Vec<&str> = Vec::new();
    for run in runs {
        let scenario = &run.result.scenario;
        for reason in of_scenario(&scenario.resolved, scenario.closed_users.is_some()) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::result::ResultFile;
    use crate::result::example::rolled_back_result;

    fn notes_of(first: &ResultFile, other: &ResultFile) -> Vec<String> {
        let inputs = [first, other].map(|result| RunInput { label: "", sha256: "", result });
        notes(&inputs)
    }

    #[test]
    fn runs_of_one_seed_are_told_to_be_paired() {
        let mut other = rolled_back_result();
        let [note] = &notes_of(&rolled_back_result(), &other)[..] else { panic!("one note") };
        assert!(note.starts_with("Runs of seed 42 share their draws"), "{note}");
        other.scenario.seed = 43;
        assert_eq!(notes_of(&rolled_back_result(), &other), [""; 0]);
    }

    #[test]
    fn what_binds_requests_to_each_other_is_told() {
        let mut other = rolled_back_result();
        other.scenario.seed = 43;
        other.scenario.closed_users = Some(7);
        let upstream = json!({"capacity": {"slots": 4}, "correlate": "user", "failures": {}});
        let versions = json!([{"id": "v1", "upstream": upstream}]);
        other.scenario.resolved = json!({"models": [{"id": "gpt-4", "versions": versions}]});
        let [note] = &notes_of(&rolled_back_result(), &other)[..] else { panic!("one note") };
        let reasons = "(upstreams answer only so many at once, all requests of a user fail \
                       together, users wait for their answers)";
        assert!(note.contains(reasons), "{note}");
    }
}
