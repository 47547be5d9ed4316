//! `coalmine explain`: what a scenario means, with every default.

use super::arguments::{ExplainArguments, OutputFormat};
use super::exit::Exit;
use super::explain_traffic::traffic_lines;
use super::open::{Opened, open};
use super::terminal::{Failure, print};
use crate::engine::{
    Action, Assignment, Condition, Relation, RuleSet, Threshold, Trigger, TriggerKind,
};
use crate::exchange::VersionIndex;
use crate::metric::Unit;
use crate::middlebox::{CacheSettings, KeyPart};
use crate::scenario::{
    Awaited, ModelPlan, Outlook, PhaseEnd, PhasePlan, RolloutPlan, Scenario, StickyBy, VersionPlan,
};
use crate::summary::format_value;
use crate::units::format_significant;

pub(super) fn explain(arguments: &ExplainArguments) -> Result<Exit, Failure> {
    let Opened { loaded, .. } = open(&arguments.scenario, &arguments.reading)?;
    if arguments.resolved {
        let path = arguments.scenario.display();
        print(&format!("# {path} with every default; paths are relative to its folder.\n"))?;
        print(loaded.to_yaml())?;
        return Ok(Exit::Pass);
    }
    let text = match arguments.format {
        OutputFormat::Json => {
            serde_json::to_string_pretty(&loaded.resolved).map_err(Failure::internal)? + "\n"
        }
        OutputFormat::Text => describe(&loaded.scenario),
    };
    print(&text)?;
    Ok(Exit::Pass)
}

fn describe(scenario: &Scenario) -> String {
    let mut lines = vec![
        format!("{}: {}", scenario.name, scenario.title),
        format!("  begins {}, seed {}", scenario.start, scenario.seed),
    ];
    lines.extend(traffic_lines(scenario));
    lines.push(format!(
        "  clients wait {}, the gateway waits {} for an upstream",
        scenario.limits.client, scenario.limits.upstream
    ));
    lines.extend(scenario.cache.map(cache_line));
    for model in &scenario.models {
        lines.extend([String::new(), format!("Model {}", model.id)]);
        lines.extend(model.versions.iter().map(version));
        lines.extend(assignment_line(model));
        let off: Vec<_> = model.safeguards.switched_off().collect();
        if !off.is_empty() {
            lines.push(format!("  safeguards switched off: {}", off.join(", ")));
        }
    }
    lines.extend([String::new(), "Phases".to_owned()]);
    for phase in &scenario.phases {
        lines.extend(phase_lines(scenario, phase));
    }
    for model in &scenario.models {
        lines.push(String::new());
        let of =
            if scenario.models.len() > 1 { format!(" of {}", model.id) } else { String::new() };
        lines.extend(rule_lines(&model.rules, &of));
    }
    lines.extend([String::new(), "Gate".to_owned()]);
    match scenario.gate.as_slice() {
        [] => lines.push("  nothing is asked: a run has no verdict".to_owned()),
        gate => lines.extend(gate.iter().map(|line| format!("  {}", line.text))),
    }
    lines.push(String::new());
    lines.join("\n")
}

fn cache_line(cache: CacheSettings) -> String {
    let parts = KeyPart::ALL.into_iter().filter(|part| cache.key.contains(*part));
    let parts: Vec<_> = parts.map(KeyPart::name).collect();
    let honours =
        if cache.honours_no_store { "unless they say no-store" } else { "whatever they say" };
    let CacheSettings { ttl, entries, latency, .. } = cache;
    format!(
        "  a cache before the gateway keeps {entries} answers for {ttl}, {honours}, by {}, and \
         gives them in {latency}",
        parts.join(" and ")
    )
}

fn version(version: &VersionPlan) -> String {
    let tags: Vec<_> = version.tags.iter().map(|tag| tag.as_str()).collect();
    let tags = if tags.is_empty() { String::new() } else { format!(" [{}]", tags.join(", ")) };
    let latency = &version.behaviour.latency;
    let failures = version.behaviour.failures.iter();
    let failures: Vec<_> =
        failures.map(|failure| format!("{} {}", failure.probability, failure.kind)).collect();
    let failures = if failures.is_empty() { "none".to_owned() } else { failures.join(", ") };
    format!("  {}{tags}: latency {latency}; failures: {failures}", version.id)
}

/// How requests are assigned, where it is not each by its own draw.
fn assignment_line(model: &ModelPlan) -> Option<String> {
    match model.assignment {
        Assignment::Random => None,
        Assignment::Even => Some("  requests are assigned in turns".to_owned()),
        Assignment::Sticky => {
            let owner = match model.sticky_by {
                StickyBy::User => "user",
                StickyBy::Session => "session",
                StickyBy::Client => "client",
            };
            Some(format!("  requests of one {owner} stick to one version"))
        }
    }
}

fn phase_lines(scenario: &Scenario, phase: &PhasePlan) -> Vec<String> {
    let end = match phase.end {
        PhaseEnd::After(length) => format!("for {length}"),
        PhaseEnd::Requests(count) => format!("for {count} requests"),
        PhaseEnd::Event { event, within } => {
            let what = match event {
                Awaited::Rollback => "a rollback",
                Awaited::Promotion => "a promotion",
                Awaited::Drained => "the last request of a version that was rolled back",
            };
            format!("until {what}, at most {within}")
        }
        PhaseEnd::Rest => "until the traffic ends".to_owned(),
    };
    let name = |version: VersionIndex| scenario.version(version).id.as_str();
    let split = match &phase.split {
        None => "the split stays as it is".to_owned(),
        Some(shares) => {
            let share = |(version, weight): &(_, _)| format!("{} {weight}", name(*version));
            shares.iter().map(share).collect::<Vec<_>>().join(", ")
        }
    };
    let mut lines = vec![format!("  {}: {end}; {split}", phase.name)];
    if let Some(rollout) = &phase.rollout {
        lines.extend(rollout_lines(name(rollout.version), rollout));
    }
    for (version, fault) in &phase.faults {
        let lasts = fault
            .lasts
            .map_or_else(|| "to the end of the phase".to_owned(), |lasts| format!("for {lasts}"));
        lines.push(format!("    fault on {} at {} {lasts}: {fault}", name(*version), fault.at));
    }
    for command in &phase.commands {
        let of = match (scenario.models.as_slice(), command.model) {
            ([_], _) | (_, None) => String::new(),
            (models, Some(model)) => format!(" for {}", models[usize::from(model.0)].id),
        };
        lines.push(format!("    command{of} at {}: {}", command.at, command.what));
    }
    lines
}

fn rollout_lines(version: &str, rollout: &RolloutPlan) -> Vec<String> {
    let mut lines =
        vec![format!("    rollout of {version}, then promotion and a bake of {}", rollout.bake)];
    for step in rollout.ladder.steps() {
        let require = match step.require {
            Some(count) => format!("{count} requests"),
            None => "the requests that the most demanding rule asks for".to_owned(),
        };
        let pause = if step.pause { ", and until it is resumed" } else { "" };
        let (weight, hold) = (step.weight, step.hold);
        lines.push(format!("      {weight} for {hold} and {require} at least{pause}"));
    }
    lines
}

/// The rules of a model; `of` names it where there are several.
fn rule_lines(rules: &RuleSet, of: &str) -> Vec<String> {
    if !rules.enable || rules.triggers.is_empty() {
        return vec![format!("Rules{of}: none; nothing rolls back")];
    }
    let mut lines = vec![format!("Rules{of}, in order of precedence")];
    if rules.judges() > 0 {
        lines.push(format!(
            "  the judges together fire with a probability of at most {} on canaries that are no \
             worse and deployed together",
            format_significant(rules.alpha.get(), 3)
        ));
    }
    for trigger in &rules.triggers {
        lines.push(format!("  {}", trigger.id));
        lines.push(format!("    {}", meaning(trigger)));
        lines.push(format!("    {}", outlook(trigger)));
    }
    lines
}

fn meaning(trigger: &Trigger) -> String {
    let action = match &trigger.action {
        Action::RollbackToLastStable => "roll back to the last stable".to_owned(),
        Action::RollbackTo(target) => format!("roll back to {}", target.as_str()),
        Action::Pause => "pause the rollout".to_owned(),
        Action::Notify => "tell, and change nothing".to_owned(),
    };
    let every = trigger.check_interval;
    match &trigger.kind {
        TriggerKind::Judge(judge) => format!(
            "every {every}: {action} once the canary's share of errors is too large to be chance \
             (prior strength {})",
            judge.prior_strength
        ),
        TriggerKind::Condition(condition) => {
            let Condition { metric, operator, threshold, duration, window, min_requests, .. } =
                condition;
            let threshold = match threshold {
                Threshold::Ratio(ratio) => ratio.to_string(),
                Threshold::Time(time) => time.to_string(),
                Threshold::Count(count) => count.to_string(),
                Threshold::Number(number) => format_value(metric.unit(), *number),
                Threshold::Money(money) => format_value(metric.unit(), money.as_usd()),
                Threshold::Stable(Relation::Times(factor)) => {
                    format!("{} times the stable's", format_significant(*factor, 6))
                }
                Threshold::Stable(Relation::Plus(more)) => {
                    let base = if metric.unit() == Unit::Time { more / 1e9 } else { *more };
                    let sign = if base < 0.0 { "less" } else { "plus" };
                    format!("the stable's {sign} {}", format_value(metric.unit(), base.abs()))
                }
            };
            format!(
                "every {every}: {action} once {metric} {} {threshold} over the last {window} has \
                 held for {duration}; under {min_requests} requests in the window there is no data",
                operator.symbol()
            )
        }
    }
}

fn outlook(trigger: &Trigger) -> String {
    let Outlook { earliest_firing, shortest_outage } = Outlook::of(trigger);
    let earliest = format!("fires {earliest_firing} after the activation at the earliest");
    match shortest_outage {
        Some(shortest) => {
            format!(
                "{earliest}; once its windows are full it sees a total outage of {shortest} or \
                 more, never a shorter one"
            )
        }
        None => earliest,
    }
}
