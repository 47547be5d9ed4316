//! A case told as a scenario: the same commands at the same times, and traffic and failures like
//! its own, for a person to run, to look at and to change.
//!
//! A scenario draws its requests, where a case names each. So it tells of the traffic between two
//! waits as ten times as many requests that come during the wait, and of a version that fails as a
//! fault. What rests on a single request must be played as a case.

use std::fmt::Write as _;

use super::order::{price, target, version_name};
use super::{Case, LadderChoice, ModelSetting, Name, Operation, Order};
use crate::engine::{Assignment, RolloutStep, Safeguards};
use crate::units::Price;

impl Case {
    /// The scenario; `None` where the case has what no scenario says: several models, a clock that
    /// jumps back, restarts, requests of their own, keys, or what is decided before the first
    /// request.
    pub fn to_scenario(&self) -> Option<String> {
        let [model] = self.models.as_slice() else { return None };
        let mut story = Story { safeguards: model.safeguards, ..Story::default() };
        self.operations.iter().try_for_each(|operation| story.tell(operation))?;
        story.wait(GRAIN);
        let has_traffic = story.rates.iter().any(|rate| *rate > 0);
        has_traffic.then(|| story.write(model))
    }
}

/// What is known of a scenario so far.
#[derive(Debug, Default)]
struct Story {
    safeguards: Safeguards,
    millis: u64,
    /// Requests per second by stretches of [`GRAIN`] milliseconds.
    rates: Vec<u64>,
    /// Those of the traffic that the next wait spreads.
    requests: u64,
    failing: Option<u8>,
    latency: u16,
    faults: Vec<String>,
    commands: Vec<String>,
    /// Keys of the model.
    model: Vec<String>,
}

impl Story {
    fn tell(&mut self, operation: &Operation) -> Option<()> {
        match operation {
            Operation::Wait(millis) => self.wait(u64::try_from(*millis).ok()?),
            Operation::Traffic { requests, failing, latency, .. } => {
                self.requests += u64::from(*requests) * MORE;
                self.failing = *failing;
                self.latency = *latency;
            }
            Operation::Command { order: Order::Assignment(Assignment::Random), .. } => {}
            Operation::Command { order: Order::Policies { attempts, fallback }, .. } => {
                // A timeline has no policies.
                let first = self.millis == 0 && self.model.is_empty();
                first.then(|| self.model.extend(policies(*attempts, *fallback)))?;
            }
            Operation::Command { order, .. } => {
                let told = command(order, self.safeguards)?;
                let at = self.millis;
                self.commands.extend(told.map(|told| format!("{{at: {at}ms, {told}}}")));
            }
            // Nobody waits for another attempt without policies, and nobody has a key.
            Operation::Retry { .. } | Operation::GiveUp(_) | Operation::Authenticate { .. } => {}
            Operation::Route { .. }
            | Operation::Complete { .. }
            | Operation::Abandon(_)
            | Operation::Restart => return None,
        }
        Some(())
    }

    fn wait(&mut self, millis: u64) {
        let stretches = millis.div_ceil(GRAIN).max(1);
        let rate = self.requests * 1_000 / (stretches * GRAIN);
        self.rates.extend((0..stretches).map(|_| rate));
        let (at, length) = (self.millis, stretches * GRAIN);
        if self.requests > 0 {
            let (version, failures) = match self.failing {
                Some(version) => (version_name(version), ", failures: {\"503\": 100%}"),
                None => (version_name(0), ""),
            };
            let slow = self.latency;
            let latency = format!("{{at: {at}ms, for: {length}ms, latency: {{add: {slow}ms}}}}");
            self.faults.push(format!("\"*\": {latency}"));
            if !failures.is_empty() {
                self.faults.push(format!("{version}: {{at: {at}ms, for: {length}ms{failures}}}"));
            }
        }
        self.millis += length;
        (self.requests, self.failing) = (0, None);
    }

    fn write(&self, model: &ModelSetting) -> String {
        let safe = model.safeguards;
        let rates: Vec<_> = self.rates.iter().map(|rate| format!("{rate}/s")).collect();
        let mut text = format!(
            "schema: 1\nname: case\nworkload:\n  arrivals: {{piecewise: {{every: {GRAIN}ms, rates: \
             [{}]}}}}\n  tokens: {{input: 1, output: 1}}\nsafeguards: {{keys_survive_rollback: {}, \
             keep_tags: {}, refuse_long_interval: {}}}\nmodels:\n  m0:\n",
            rates.join(", "),
            safe.keys_survive_rollback,
            safe.keep_tags,
            safe.refuse_long_interval,
        );
        self.model.iter().for_each(|key| text += &format!("    {key}\n"));
        text += "    versions:\n";
        for version in 0..4 {
            // A scenario's rules name tags that are there from the beginning.
            let tags = match version {
                0 => "tags: [stable], ",
                3 => "tags: [beta, old], ",
                _ => "",
            };
            let name = version_name(version);
            let Price { input_per_1k: input, output_per_1k: output } = price(version);
            let price =
                format!("{{input: {} USD, output: {} USD}}", input.as_usd(), output.as_usd());
            let _ = writeln!(
                text,
                "      {name}: {{{tags}price: {price}, upstream: {{latency: 1ms}}}}"
            );
        }
        let _ = writeln!(text, "phases:\n  - name: case\n    for: {}ms", self.millis);
        let mut versions: Vec<_> =
            self.faults.iter().filter_map(|fault| fault.split(": ").next()).collect();
        versions.sort_unstable();
        versions.dedup();
        if !versions.is_empty() {
            text += "    faults:\n";
        }
        for version in versions {
            let own = self.faults.iter().filter_map(|fault| {
                fault.strip_prefix(version).and_then(|rest| rest.strip_prefix(": "))
            });
            let _ = writeln!(text, "      {version}:");
            own.for_each(|fault| text += &format!("        - {fault}\n"));
        }
        if !self.commands.is_empty() {
            text += "    commands:\n";
        }
        self.commands.iter().for_each(|command| text += &format!("      - {command}\n"));
        text
    }
}

fn policies(attempts: u8, fallback: bool) -> Option<String> {
    let retry = (!attempts.is_multiple_of(4))
        .then(|| format!("retry: {{attempts: {}, on: [5xx, timeout, reset]}}", attempts % 4));
    let fallback = fallback.then(|| "fallback: stable".to_owned());
    let keys: Vec<_> = retry.into_iter().chain(fallback).collect();
    (!keys.is_empty()).then(|| format!("policies: {{{}}}", keys.join(", ")))
}

/// A command as a timeline has it: one that changes nothing there is none; `None`: it has no such
/// command.
fn command(order: &Order, safeguards: Safeguards) -> Option<Option<String>> {
    let again = |redeploy: bool| if redeploy { ", redeploy: true" } else { "" };
    let told = match order {
        // All versions are there from the beginning.
        Order::Register(_) => return Some(None),
        Order::Split { parts, redeploy } => {
            let sum: u32 = parts.iter().map(|part| u32::from(*part)).sum();
            if sum == 0 {
                return Some(None);
            }
            let share = |(version, part): (u8, &u8)| {
                let percent = f64::from(*part) * 100.0 / f64::from(sum);
                format!("{}: {percent:.12}%", version_name(version))
            };
            let shares = (0..).zip(parts).filter(|(_, part)| **part > 0).map(share);
            let shares = shares.collect::<Vec<_>>().join(", ");
            format!("split: {{{shares}}}{}", again(*redeploy))
        }
        Order::Rules(rules) => format!("model: m0, rules: {}", rules.under(safeguards).to_json()),
        Order::Start { version, ladder, redeploy } => {
            let version = name(*version);
            format!("rollout: {{version: {version}, {}}}{}", steps(*ladder), again(*redeploy))
        }
        Order::Promote { version, redeploy } => {
            format!("model: m0, promote: {}{}", name(*version), again(*redeploy))
        }
        Order::Pause => "model: m0, pause: rollout".to_owned(),
        Order::Resume => "model: m0, resume: rollout".to_owned(),
        Order::Abort => "model: m0, abort: rollout".to_owned(),
        Order::Rollback(None) => "model: m0, rollback: {}".to_owned(),
        Order::Rollback(Some(version)) => {
            format!("model: m0, rollback: {{to: {}}}", name(*version))
        }
        Order::Tag { tag, version, preserve_previous } => format!(
            "model: m0, tag: {{tag: {}, version: {}, preserve_previous: {preserve_previous}}}",
            name(Name::Tag(*tag)),
            name(*version)
        ),
        _ => return None,
    };
    Some(Some(told))
}

fn name(version: Name) -> String {
    target(version).as_str().to_owned()
}

fn steps(ladder: LadderChoice) -> String {
    let step = |step: &RolloutStep| {
        let (weight, hold) = (step.weight.get() * 100.0, step.hold.as_secs());
        let pause = if step.pause { ", pause: true" } else { "" };
        let require = if step.require.is_some() { ", require: 0 requests" } else { "" };
        format!("{{weight: {weight:.1}%, hold: {hold}s{require}{pause}}}")
    };
    let ladder = ladder.ladder();
    let steps: Vec<_> = ladder.steps().iter().map(step).collect();
    format!("steps: [{}], bake: 20s", steps.join(", "))
}

/// How many requests are told of for each: enough for the counts that rules ask for.
const MORE: u64 = 10;
/// How long a rate of arrivals holds at least.
const GRAIN: u64 = 250;

#[cfg(test)]
mod tests {
    use super::super::RuleChoice;
    use super::*;
    use crate::scenario::Loaded;
    use crate::scenario::fixture::load_text;

    fn case(operations: Vec<Operation>) -> Case {
        let safeguards = Safeguards { keep_tags: false, ..Safeguards::default() };
        Case { models: vec![ModelSetting { max_versions: 4, safeguards }], operations }
    }

    fn loaded(case: &Case) -> Loaded {
        let text = case.to_scenario().unwrap();
        load_text(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn command(order: Order) -> Operation {
        Operation::Command { model: 0, order }
    }

    #[test]
    fn every_order_that_a_timeline_knows_is_told_as_it_reads_it() {
        let traffic = Operation::Traffic { model: 0, requests: 5, failing: Some(1), latency: 300 };
        let one = Name::Version(1);
        let mut operations = vec![
            command(Order::Policies { attempts: 2, fallback: true }),
            command(Order::Tag { tag: 1, version: one, preserve_previous: false }),
            command(Order::Split { parts: [1, 1, 1, 0], redeploy: false }),
            traffic,
            Operation::Wait(4_300),
            command(Order::Rollback(Some(Name::Tag(0)))),
            command(Order::Split { parts: [3, 0, 0, 0], redeploy: true }),
        ];
        for ladder in [LadderChoice::One, LadderChoice::Three, LadderChoice::Paused] {
            operations.push(command(Order::Start { version: one, ladder, redeploy: true }));
            operations.extend([Order::Pause, Order::Resume, Order::Abort].map(command));
        }
        operations.push(command(Order::Promote { version: one, redeploy: false }));
        operations.push(command(Order::Rollback(None)));
        operations.extend(RuleChoice::ALL.map(|rules| command(Order::Rules(rules))));
        let told = operations.iter().filter(|it| matches!(it, Operation::Command { .. })).count();
        let case = case(operations);
        let loaded = loaded(&case);
        let phase = &loaded.resolved["phases"][0];
        // All but the policies, which are the model's from the beginning.
        assert_eq!(phase["commands"].as_array().unwrap().len(), told - 1);
        assert_eq!(phase["for"], "4s750ms");
        let text = case.to_scenario().unwrap();
        assert!(text.contains("policies: {retry: {attempts: 2, on: [5xx, timeout, reset]}, "));
        assert!(text.contains("- {at: 0ms, for: 4500ms, failures: {\"503\": 100%}}"), "{text}");
    }

    #[test]
    fn what_no_scenario_says_is_not_told() {
        let traffic = Operation::Traffic { model: 0, requests: 5, failing: None, latency: 0 };
        assert!(case(vec![traffic.clone()]).to_scenario().is_some());
        for other in [Operation::Restart, Operation::Wait(-1), command(Order::RevokeKey(0))] {
            assert_eq!(case(vec![traffic.clone(), other]).to_scenario(), None);
        }
        assert_eq!(case(vec![Operation::Wait(5)]).to_scenario(), None, "no request");
    }
}
