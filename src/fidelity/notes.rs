//! What is to be known of the errors between two runs.

use super::harness::Harness;
use super::settings::Sides;
use super::version_errors::MOST_JUDGED_SPEED;
use crate::scenario::dependences as of_scenario;
use crate::units::format_significant;

/// The notes on these runs, in sentences without a full stop.
pub(super) fn notes(sides: &Sides<'_>, harness: &Harness) -> Vec<String> {
    let notes = [
        simulated_too(sides),
        Some(draws(sides)),
        dependent(sides),
        fast(harness),
        overheads(harness),
    ];
    notes.into_iter().flatten().collect()
}

fn simulated_too(sides: &Sides<'_>) -> Option<String> {
    let is_live = sides.live.result.live.is_some();
    (!is_live).then(|| {
        "The second run was simulated as well: this says nothing about a live one".to_owned()
    })
}

fn draws(sides: &Sides<'_>) -> String {
    match sides.share_draws {
        true => format!(
            "Both runs met the draws of seed {}, request by request, so most of what chance does \
             is the same in both; intervals take the runs for independent, and are wider than \
             they need be",
            sides.simulated.result.scenario.seed
        ),
        false => "The runs do not share their draws: where an interval reaches beyond the \
                  tolerance on both sides, the error is undecided, however small"
            .to_owned(),
    }
}

fn dependent(sides: &Sides<'_>) -> Option<String> {
    let reasons = dependences(sides);
    let so = match sides.share_draws {
        true => "what was found beyond can be that too",
        false => "what would be found beyond is undecided",
    };
    (!reasons.is_empty()).then(|| {
        format!(
            "Requests are not independent here ({}): a small difference of one moves others, and \
             the true uncertainty is greater than the intervals say; {so}",
            reasons.join(", ")
        )
    })
}

fn fast(harness: &Harness) -> Option<String> {
    let speed = harness.speed.times();
    (speed > MOST_JUDGED_SPEED).then(|| {
        format!(
            "At {} times the speed of the wall only split, errors and rollbacks are judged: above \
             {} times what a machine adds to a latency is too much of it",
            format_significant(speed, 6),
            format_significant(MOST_JUDGED_SPEED, 6)
        )
    })
}

fn overheads(harness: &Harness) -> Option<String> {
    harness.spreads().is_empty().then(|| {
        "Nothing is known of what the harness of the live run added to its latencies: errors are \
         as measured"
            .to_owned()
    })
}

/// What makes the requests of the runs bear on each other, in words.
pub(super) fn dependences(sides: &Sides<'_>) -> Vec<&'static str> {
    // Both are of one scenario.
    let scenario = &sides.simulated.result.scenario;
    of_scenario(&scenario.resolved, scenario.closed_users.is_some())
}
