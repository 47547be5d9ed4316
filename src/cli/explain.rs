//! `coalmine explain`: what a scenario means, with every default.

use super::arguments::{ExplainArguments, OutputFormat};
use super::exit::Exit;
use super::explain_models::model_lines;
use super::explain_rules::rule_lines;
use super::explain_traffic::traffic_lines;
use super::judges::false_alarm_lines;
use super::open::{Opened, open};
use super::terminal::{Failure, print};
use crate::engine::{CommandKind, Ladder};
use crate::exchange::ModelIndex;
use crate::middlebox::{CacheSettings, KeyPart};
use crate::report::order_text;
use crate::scenario::{
    Awaited, CommandPlan, Instruction, NamedVersion, PhaseEnd, PhasePlan, Scenario,
};
use crate::units::Duration;

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
        lines.push(String::new());
        lines.extend(model_lines(model));
    }
    lines.extend([String::new(), "Phases".to_owned()]);
    for phase in &scenario.phases {
        lines.extend(phase_lines(scenario, phase));
    }
    for model in (0..scenario.models.len() as u16).map(ModelIndex) {
        lines.extend(rule_lines(scenario, model));
    }
    let judges = false_alarm_lines(scenario);
    if !judges.is_empty() {
        lines.extend([String::new(), "False alarms".to_owned()]);
        lines.extend(judges.iter().map(|line| format!("  {line}")));
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
    let name = |named: &NamedVersion| match named {
        NamedVersion::Fixed(_) => scenario.name_of(named).to_owned(),
        NamedVersion::Holder { tag, .. } => format!("whoever is {tag} by then"),
    };
    let split = match &phase.split {
        None => "the split stays as it is".to_owned(),
        Some(shares) => {
            let share = |(named, weight): &(_, _)| format!("{} {weight}", name(named));
            shares.iter().map(share).collect::<Vec<_>>().join(", ")
        }
    };
    let mut lines = vec![format!("  {}: {end}; {split}", phase.name)];
    lines.extend(phase.workload.as_ref().map(|change| format!("    workload: {change}")));
    if let Some(rollout) = &phase.rollout {
        let version = name(&rollout.version);
        lines.push(format!("    rollout of {version}{}", climb(rollout.bake)));
        lines.extend(steps(&rollout.ladder));
    }
    for (named, fault) in &phase.faults {
        let lasts = fault
            .lasts
            .map_or_else(|| "to the end of the phase".to_owned(), |lasts| format!("for {lasts}"));
        lines.push(format!("    fault on {} at {} {lasts}: {fault}", name(named), fault.at));
    }
    if let Some(cause) = early_end(scenario, phase).filter(|_| phase.commands.iter().any(is_late)) {
        lines.push(format!("    a command after {cause} is never given, which the run tells"));
    }
    for command in &phase.commands {
        lines.extend(command_lines(scenario, command));
    }
    lines
}

/// What may end a phase before the times of its commands; `None` where nothing may.
fn early_end(scenario: &Scenario, phase: &PhasePlan) -> Option<&'static str> {
    let arrivals = phase.workload.as_ref().and_then(|change| change.arrivals());
    match phase.end {
        PhaseEnd::After(_) if scenario.traffic.is_endless(arrivals) => None,
        PhaseEnd::Requests(_) => Some("the last of these requests"),
        PhaseEnd::Event { .. } => Some("the event that ends the phase"),
        PhaseEnd::After(_) | PhaseEnd::Rest => Some("the end of the traffic"),
    }
}

/// Whether a command comes after the beginning of its phase.
fn is_late(command: &CommandPlan) -> bool {
    !command.at.is_zero()
}

fn command_lines(scenario: &Scenario, command: &CommandPlan) -> Vec<String> {
    let of = match (scenario.models.as_slice(), command.model) {
        ([_], _) | (_, None) => String::new(),
        (models, Some(model)) => format!(" for {}", models[usize::from(model.0)].id),
    };
    let line =
        format!("    command{of} at {}: {}", command.at, order_text(&command.instruction.order()));
    match &command.instruction {
        Instruction::Engine(CommandKind::StartRollout { steps: ladder, bake, .. }) => {
            [line + &climb(*bake)].into_iter().chain(steps(ladder)).collect()
        }
        _ => vec![line],
    }
}

/// What follows on the last step of a rollout.
fn climb(bake: Duration) -> String {
    format!(", then promotion and a bake of {bake}")
}

fn steps(ladder: &Ladder) -> impl Iterator<Item = String> {
    ladder.steps().iter().map(|step| {
        let require = match step.require {
            Some(count) => format!("{count} requests"),
            None => "the requests that the most demanding rule asks for".to_owned(),
        };
        let pause = if step.pause { ", and until it is resumed" } else { "" };
        let (weight, hold) = (step.weight, step.hold);
        format!("      {weight} for {hold} and {require} at least{pause}")
    })
}
