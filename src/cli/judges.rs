//! How often judges fire by chance in the course of a run: a line for each model that has some.

use crate::engine::RuleSet;
use crate::exchange::ModelIndex;
use crate::scenario::{FalseAlarms, Scenario};
use crate::units::{format_counted, format_significant};

/// The lines, and one about all models where several have judges that look at something.
pub(super) fn false_alarm_lines(scenario: &Scenario) -> Vec<String> {
    let alarms = (0..).zip(&scenario.models).map(|(index, model)| {
        let alarms = scenario.false_alarms(ModelIndex(index));
        (model, alarms)
    });
    let judged: Vec<_> = alarms.filter(|(_, alarms)| !alarms.shares.is_empty()).collect();
    let of = |model: &str| match scenario.models.len() {
        1 => String::new(),
        _ => format!(" of {model}"),
    };
    let mut lines: Vec<_> = judged
        .iter()
        .map(|(model, alarms)| {
            format!("judges{}: {}", of(model.id.as_str()), bound(alarms, &model.rules))
        })
        .collect();
    if let [_, _, ..] = judged.as_slice() {
        let shares = judged.iter().flat_map(|(_, alarms)| &alarms.shares).copied();
        let all = FalseAlarms { shares: shares.collect() };
        let sum = format_significant(all.sum(), DIGITS);
        lines.push(format!("judges of all models: at most {sum} together"));
    }
    lines
}

fn bound(alarms: &FalseAlarms, rules: &RuleSet) -> String {
    let sum = format_significant(alarms.sum(), DIGITS);
    let shares: Vec<_> =
        alarms.shares.iter().map(|share| format_significant(*share, DIGITS)).collect();
    let parts = match shares.as_slice() {
        [_] => String::new(),
        shares if shares.len() <= MOST_PARTS => format!(" = {}", shares.join(" + ")),
        shares => {
            let begun = format_counted(shares.len() as u64, "beginning", "beginnings");
            format!(", the sum over {begun} of a judge's look at a canary")
        }
    };
    format!(
        "over the run as planned they fire with a probability of at most {sum}{parts} on {}",
        innocent(rules)
    )
}

/// Of whom a false alarm would be.
pub(super) fn innocent(rules: &RuleSet) -> &'static str {
    match rules.judges().any(|(_, judge)| !judge.is_relative()) {
        true => "canaries that are no worse and versions that meet their objectives",
        false => "canaries that are no worse",
    }
}

/// Chosen: more terms nobody adds up.
const MOST_PARTS: usize = 6;

const DIGITS: usize = 3;
