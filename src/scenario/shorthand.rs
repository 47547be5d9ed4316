//! Thresholds beside a split, that of a phase, of a command or of a gateway's model:
//! `fallback_threshold` and `latency_threshold_ms` are short for conditions of the models that the
//! split names, and `canary_rules` is another name of a phase's `split`, and of a gateway's model.
//!
//! Rewrites the tree, so that all that follows knows the long form alone. Those of the first phase,
//! and of a gateway's model, join the rules of their models; later ones replace the rules by a
//! command.

use std::mem;

use crate::exchange::ModelIndex;
use crate::units::{Duration, Ratio};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::holders::Holders;
use super::names::Names;
use super::place::Place;
use super::shape::as_number;
use super::tree::{Entry, Node, Scalar, Value};

/// Writes out all that is short. Whatever is wrong with the names and values in it is told by the
/// passes that read the long form, or was told by the check.
pub(crate) fn expand(root: &mut Node, names: &Names, diagnostics: &mut Diagnostics) {
    let Some(models) = root.entry("models") else { return };
    let standing = |entry: &Entry| Standing::of(&entry.node);
    let standing = models.node.entries().iter().map(standing).collect();
    // Whose tags are kept makes no difference to which model they are of.
    let mut course = Course { names, holders: Holders::new(names, Vec::new()), standing };
    let mut of_first: Vec<(ModelIndex, Node)> = Vec::new();
    let phases = root.get_mut("phases").map_or(&mut [][..], Node::items_mut);
    for (index, phase) in phases.iter_mut().enumerate() {
        rename_split(phase, diagnostics);
        let thresholds = take_thresholds(phase);
        let models = course.models_of_phase(phase, &thresholds, diagnostics);
        let now = (Duration::ZERO, phase.place);
        let set = course.put_in_force(&thresholds, now, &models, diagnostics);
        let commands = if index == 0 {
            of_first = set;
            Vec::new()
        } else {
            set.into_iter()
                .filter_map(|(model, rules)| course.command(None, model, rules))
                .collect()
        };
        course.follow_commands(phase, diagnostics);
        add_commands(phase, commands);
    }
    let models = root.get_mut("models").map_or(&mut [][..], Node::entries_mut);
    for (model, rules) in of_first {
        if let Some(entry) = models.get_mut(usize::from(model.0)) {
            put(&mut entry.node, "rules", rules);
        }
    }
}

/// Writes out all that is short in the models of a gateway.
pub(crate) fn expand_gateway(root: &mut Node, diagnostics: &mut Diagnostics) {
    for Entry { node: model, .. } in root.get_mut("models").map_or(&mut [][..], Node::entries_mut) {
        rename_split(model, diagnostics);
        let thresholds = take_thresholds(model);
        if split_beside(model, &thresholds, diagnostics).is_none() {
            continue;
        }
        let mut standing = Standing::of(model);
        standing.refuse_disabled(&thresholds, diagnostics);
        let conditions: Vec<Node> = thresholds.iter().filter_map(condition).collect();
        let rules = standing.with(model.place, conditions);
        put(model, "rules", rules);
    }
}

/// Where the rules of the models stand as the plan goes on.
struct Course<'a> {
    names: &'a Names,
    holders: Holders<'a>,
    standing: Vec<Standing>,
}

impl Course<'_> {
    /// The models that the thresholds of a phase are for: those that its split names.
    fn models_of_phase(
        &self,
        phase: &Node,
        thresholds: &[Entry],
        diagnostics: &mut Diagnostics,
    ) -> Vec<ModelIndex> {
        let Some(split) = split_beside(phase, thresholds, diagnostics) else { return Vec::new() };
        let mut models: Vec<ModelIndex> = Vec::new();
        for arm in split.entries() {
            let named = self.holders.resolve(&arm.key, arm.place, &mut Diagnostics::default());
            let model = named.and_then(|named| self.names.model_of_named(&named));
            models.extend(model.filter(|model| !models.contains(model)));
        }
        models
    }

    /// The model that the thresholds of a command are for: that of its split.
    fn model_of_command(
        &self,
        command: &Node,
        thresholds: &[Entry],
        diagnostics: &mut Diagnostics,
    ) -> Option<ModelIndex> {
        let split = split_beside(command, thresholds, diagnostics)?;
        // What is wrong with the names is told where the command is read.
        let mut untold = Diagnostics::default();
        let given = self.names.model_given(command, &mut untold);
        let mut arms = split.entries().iter();
        arms.find_map(|arm| self.holders.resolve_model(given, &arm.key, arm.place, &mut untold))
    }

    /// The rules with which these thresholds come into force, of each of `models` whose rules they
    /// change: `at` this time of the phase, where they stand at this place.
    fn put_in_force(
        &mut self,
        thresholds: &[Entry],
        (at, place): (Duration, Place),
        models: &[ModelIndex],
        diagnostics: &mut Diagnostics,
    ) -> Vec<(ModelIndex, Node)> {
        let conditions: Vec<Node> = thresholds.iter().filter_map(condition).collect();
        let mut changed = Vec::new();
        for model in models {
            let Some(standing) = self.standing.get_mut(usize::from(model.0)) else { continue };
            standing.refuse_disabled(thresholds, diagnostics);
            let conditions = standing.joined(&conditions);
            if !standing.are_beside(&conditions) {
                changed.push((*model, standing.with(place, conditions)));
            }
            standing.since = thresholds.first().map(|first| (at, first.clone()));
        }
        changed
    }

    /// Goes through the commands of a phase in the order of their times: thresholds beside a split
    /// become a command of their own behind it, and rules take the place of those that stand.
    fn follow_commands(&mut self, phase: &mut Node, diagnostics: &mut Diagnostics) {
        self.holders.follow(phase);
        let commands = phase.get_mut("commands").map_or(&mut [][..], Node::items_mut);
        let at = |command: &Node| command.get("at").and_then(Node::text).map(Duration::parse);
        let at = |command: &Node| at(command).and_then(Result::ok).unwrap_or_default();
        let mut order: Vec<usize> = (0..commands.len()).collect();
        order.sort_by_key(|index| at(&commands[*index]));
        let mut behind: Vec<(usize, Node)> = Vec::new();
        for index in order {
            let (at, thresholds) = (at(&commands[index]), take_thresholds(&mut commands[index]));
            let command = &commands[index];
            if let Some(model) = self.model_of_command(command, &thresholds, diagnostics) {
                let now = (at, command.place);
                for (model, rules) in self.put_in_force(&thresholds, now, &[model], diagnostics) {
                    let set = self.command(command.entry("at"), model, rules);
                    behind.extend(set.map(|set| (index, set)));
                }
            }
            if let (Some(rules), Some(model)) =
                (command.entry("rules"), model_of(command, self.names))
                && let Some(standing) = self.standing.get_mut(usize::from(model.0))
            {
                standing.refuse_at_once(at, rules, diagnostics);
                let rules = Some(rules.node.clone());
                *standing = Standing { rules, beside: Vec::new(), since: None };
            }
        }
        // Those of the phases to come are at another time.
        self.standing.iter_mut().for_each(|standing| standing.since = None);
        behind.sort_by_key(|(index, _)| *index);
        if let Some(Node { value: Value::List(items), .. }) = phase.get_mut("commands") {
            for (index, command) in behind.into_iter().rev() {
                items.insert(index + 1, command);
            }
        }
    }

    /// The command that replaces the rules of a model, at the time that `at` says.
    fn command(&self, at: Option<&Entry>, model: ModelIndex, rules: Node) -> Option<Node> {
        let model = self.names.models().nth(usize::from(model.0))?;
        let place = rules.place;
        let at = at.cloned().unwrap_or_else(|| plain("at", AT_ONCE, place));
        let rules = Entry { place, key: "rules".to_owned(), node: rules };
        Some(map(place, vec![at, plain("model", model, place), rules]))
    }
}

/// The rules of a model that the phases so far lead to.
struct Standing {
    /// Those written in full.
    rules: Option<Node>,
    /// The conditions that the last thresholds beside a split of the model stand for.
    beside: Vec<Node>,
    /// When thresholds came into force in the present phase, and the first of them.
    since: Option<(Duration, Entry)>,
}

impl Standing {
    /// Those of this model.
    fn of(model: &Node) -> Self {
        Self { rules: model.get("rules").cloned(), beside: Vec::new(), since: None }
    }

    /// These conditions, and of the other kinds of thresholds those that are in force already.
    fn joined(&self, conditions: &[Node]) -> Vec<Node> {
        let metric =
            |condition: &Node| condition.get("metric").and_then(Node::text).map(str::to_owned);
        let replaced = |kept: &&Node| !conditions.iter().any(|new| metric(new) == metric(kept));
        let kept = self.beside.iter().filter(replaced);
        let mut joined: Vec<Node> = conditions.iter().chain(kept).cloned().collect();
        joined.sort_by_key(|condition| metric(condition).as_deref() != Some(ERROR_RATE));
        joined
    }

    /// Whether these conditions are in force already: of the same kinds and values.
    fn are_beside(&self, conditions: &[Node]) -> bool {
        fn texts(conditions: &[Node]) -> Vec<Option<&str>> {
            conditions.iter().flat_map(Node::entries).map(|entry| entry.node.text()).collect()
        }
        texts(&self.beside) == texts(conditions)
    }

    /// The rules written in full and after them these conditions, which are in force from now on.
    /// `place` is where there are none.
    fn with(&mut self, place: Place, conditions: Vec<Node>) -> Node {
        let none = || map(place, Vec::new());
        let mut rules = self.rules.clone().unwrap_or_else(none);
        if rules.get("conditions").is_none() {
            let place = rules.place;
            put(&mut rules, "conditions", Node { place, value: Value::List(Vec::new()) });
        }
        if let Some(Node { value: Value::List(items), .. }) = rules.get_mut("conditions") {
            items.extend_from_slice(&conditions);
        }
        self.beside = conditions;
        rules
    }

    /// Reports rules that a command sets at the instant at which thresholds come into force.
    fn refuse_at_once(&self, at: Duration, rules: &Entry, diagnostics: &mut Diagnostics) {
        let Some((_, first)) = self.since.as_ref().filter(|(since, _)| *since == at) else {
            return;
        };
        let message = format!("these rules would take the place of `{}` at once", first.key);
        let clash = Diagnostic::new(rules.place, message).note(first.place, "it stands here");
        let help = "write the threshold as a condition of these rules, or let them come later";
        diagnostics.report(clash.help(help));
    }

    /// Reports thresholds that join rules which are not checked.
    fn refuse_disabled(&self, thresholds: &[Entry], diagnostics: &mut Diagnostics) {
        let enable = self.rules.as_ref().and_then(|rules| rules.get("enable"));
        if let (Some(first), Some(enable)) = (thresholds.first(), enable)
            && enable.scalar().and_then(Scalar::as_bool) == Some(false)
        {
            let message = format!("`{}` joins rules that are switched off", first.key);
            let off = Diagnostic::new(first.place, message).note(enable.place, "they are here");
            diagnostics.report(off.help("write `enable: true` there, or leave the threshold out"));
        }
    }
}

/// `canary_rules` becomes `split` in all phases of a document, and in all models of a gateway,
/// where not both stand: documents that are laid over each other may each use either name.
pub(crate) fn rename_splits(root: &mut Node) {
    let rename = |node: &mut Node| {
        if node.get("split").is_none() {
            rename_split(node, &mut Diagnostics::default());
        }
    };
    root.get_mut("phases").map_or(&mut [][..], Node::items_mut).iter_mut().for_each(rename);
    let models = root.get_mut("models").map_or(&mut [][..], Node::entries_mut);
    models.iter_mut().map(|entry| &mut entry.node).for_each(rename);
}

/// The key that `key` is another name of.
pub(crate) fn renamed(key: &str) -> &str {
    if key == OTHER_NAME { "split" } else { key }
}

/// `canary_rules` becomes `split`.
fn rename_split(phase: &mut Node, diagnostics: &mut Diagnostics) {
    let split = phase.entry("split").map(|entry| entry.place);
    let Value::Map(entries) = &mut phase.value else { return };
    let Some(other) = entries.iter_mut().find(|entry| entry.key == OTHER_NAME) else { return };
    match split {
        Some(split) => {
            let message = format!("`{OTHER_NAME}` is another name of `split`, which stands too");
            let both = Diagnostic::new(other.place, message).note(split, "it stands here");
            diagnostics.report(both.help("keep one of them"));
            entries.retain(|entry| entry.key != OTHER_NAME);
        }
        None => "split".clone_into(&mut other.key),
    }
}

/// Takes the thresholds out of a phase or a command, the error rate's first.
fn take_thresholds(node: &mut Node) -> Vec<Entry> {
    let Value::Map(entries) = &mut node.value else { return Vec::new() };
    let is_threshold = |entry: &Entry| THRESHOLDS.contains(&entry.key.as_str());
    let (mut taken, kept) = mem::take(entries).into_iter().partition::<Vec<_>, _>(is_threshold);
    *entries = kept;
    taken.sort_by_key(|entry| THRESHOLDS.iter().position(|key| *key == entry.key));
    taken
}

/// The split beside thresholds; reported where there is none.
fn split_beside<'a>(
    node: &'a Node,
    thresholds: &[Entry],
    diagnostics: &mut Diagnostics,
) -> Option<&'a Node> {
    let first = thresholds.first()?;
    let split = node.get("split");
    if split.is_none() {
        let message = format!("`{}` stands beside a `split`, and there is none", first.key);
        let help = "write the `split` too, or conditions into the `rules` of the model";
        diagnostics.report(Diagnostic::new(first.place, message).help(help));
    }
    split
}

/// The model that a command says it is for, or the first: where there are more it must say.
fn model_of(command: &Node, names: &Names) -> Option<ModelIndex> {
    let Some(node) = command.get("model") else { return Some(ModelIndex(0)) };
    // What is wrong with it is told where the command is read.
    names.resolve_model(node.text()?, node.place, &mut Diagnostics::default())
}

/// The condition that a threshold is short for; `None` where its value is none, which is told.
fn condition(threshold: &Entry) -> Option<Node> {
    let Entry { place, key, node } = threshold;
    let text = node.text()?;
    let (metric, field, value, least) = if key == THRESHOLDS[0] {
        (ERROR_RATE, "threshold", Ratio::parse(text).ok()?.get().to_string(), LEAST_OF_RATE)
    } else {
        as_number(text).filter(|millis| *millis > 0.0)?;
        ("latency_p99", "threshold_ms", text.to_owned(), LEAST_OF_P99)
    };
    let entries = vec![
        plain("metric", metric, *place),
        plain("operator", ">", *place),
        plain(field, &value, node.place),
        plain("duration_seconds", "0", *place),
        plain("window_seconds", WINDOW_SECONDS, *place),
        plain("min_requests", least, *place),
        plain("action", "rollback_to_last_stable", *place),
    ];
    Some(map(*place, entries))
}

/// Puts commands before those of a phase.
fn add_commands(phase: &mut Node, mut commands: Vec<Node>) {
    let Some(place) = commands.first().map(|command| command.place) else { return };
    match phase.get_mut("commands") {
        Some(Node { value: Value::List(items), .. }) => {
            commands.append(items);
            *items = commands;
        }
        _ => put(phase, "commands", Node { place, value: Value::List(commands) }),
    }
}

/// Writes a value at the key of a map.
fn put(node: &mut Node, key: &str, value: Node) {
    let place = value.place;
    let Value::Map(entries) = &mut node.value else { return };
    match entries.iter_mut().find(|entry| entry.key == key) {
        Some(entry) => entry.node = value,
        None => entries.push(Entry { place, key: key.to_owned(), node: value }),
    }
}

fn plain(key: &str, text: &str, place: Place) -> Entry {
    let scalar = Scalar { text: text.to_owned(), quoted: false };
    Entry { place, key: key.to_owned(), node: Node { place, value: Value::Scalar(scalar) } }
}

fn map(place: Place, entries: Vec<Entry>) -> Node {
    Node { place, value: Value::Map(entries) }
}

/// The keys of the thresholds, in the order in which their conditions take precedence.
const THRESHOLDS: [&str; 2] = ["fallback_threshold", "latency_threshold_ms"];
const ERROR_RATE: &str = "error_rate";
const OTHER_NAME: &str = "canary_rules";
const AT_ONCE: &str = "0s";
/// From the design of the rules: over a minute, at the first breach.
const WINDOW_SECONDS: &str = "60";
/// From the design of the rules: with fewer a single failure is more than most thresholds.
const LEAST_OF_RATE: &str = "20";
/// 3 / (1 - 0.99): with fewer the 99th percentile is the greatest value or nearly so.
const LEAST_OF_P99: &str = "300";

#[cfg(test)]
mod tests {
    use crate::scenario::Loaded;
    use crate::scenario::fixture::load_text;

    /// A scenario with these rules of its model and these phases.
    fn loaded(rules: &str, phases: &[&str]) -> Result<Loaded, String> {
        let phases: String = phases.iter().map(|phase| format!("  - {{{phase}}}\n")).collect();
        let text = format!(
            "schema: 1
name: short
workload: {{arrivals: {{poisson: 10/s}}, tokens: {{input: 10, output: 10}}}}
models:
  m:
    {rules}
    versions:
      v1: {{tags: [stable], upstream: {{latency: 1s}}}}
      v2: {{upstream: {{latency: 1s}}}}
phases:
{phases}"
        );
        load_text(&text)
    }

    #[track_caller]
    fn assert_same(short: Result<Loaded, String>, long: Result<Loaded, String>) {
        let (short, long) = (short.unwrap(), long.unwrap());
        assert_eq!(short.resolved, long.resolved);
        assert_eq!(short.to_yaml(), long.to_yaml());
    }

    const SPLIT: &str = "{v1: 50%, v2: 50%}";
    const OWN: &str = "{id: own, metric: latency_p50, operator: '>', threshold_ms: 900, \
                       duration_seconds: 30, action: notify}";

    /// What the design of the rules says of a threshold of the error rate, and of one of the
    /// latency.
    fn long(error_rate: &str, latency_ms: &str) -> String {
        format!(
            "{{metric: error_rate, operator: '>', threshold: {error_rate}, duration_seconds: 0, \
             window_seconds: 60, min_requests: 20, action: rollback_to_last_stable}}, \
             {{metric: latency_p99, operator: '>', threshold_ms: {latency_ms}, \
             duration_seconds: 0, window_seconds: 60, min_requests: 300, \
             action: rollback_to_last_stable}}"
        )
    }

    #[test]
    fn the_documents_configuration_is_short_for_two_conditions() {
        let short = format!(
            "name: a, for: 1m, latency_threshold_ms: 2000, fallback_threshold: 0.05, \
             canary_rules: {SPLIT}"
        );
        let split = format!("name: a, for: 1m, split: {SPLIT}");
        let rules = format!("rules: {{conditions: [{}]}}", long("0.05", "2000"));
        assert_same(loaded("", &[&short]), loaded(&rules, &[&split]));
        // After those that the model has.
        let own = format!("rules: {{conditions: [{OWN}]}}");
        let both = format!("rules: {{conditions: [{OWN}, {}]}}", long("0.05", "2000"));
        assert_same(loaded(&own, &[&short]), loaded(&both, &[&split]));
    }

    #[test]
    fn thresholds_of_a_later_phase_hold_from_its_beginning_on() {
        let first = format!("name: a, for: 1m, split: {SPLIT}, fallback_threshold: 5%");
        let same = format!("name: b, for: 1m, split: {SPLIT}, fallback_threshold: 5%");
        let other = format!("name: c, for: 1m, split: {SPLIT}, latency_threshold_ms: 700");
        let text = long("0.05", "700");
        let (errors, _) = text.split_once("}, ").unwrap();
        let rules = format!("rules: {{conditions: [{OWN}, {errors}}}]}}");
        let (before, unchanged) = (
            format!("name: a, for: 1m, split: {SPLIT}"),
            format!("name: b, for: 1m, split: {SPLIT}"),
        );
        let replaced = format!(
            "name: c, for: 1m, split: {SPLIT}, \
             commands: [{{at: 0s, model: m, rules: {{conditions: [{OWN}, {text}]}}}}]"
        );
        let own = format!("rules: {{conditions: [{OWN}]}}");
        assert_same(
            loaded(&own, &[&first, &same, &other]),
            loaded(&rules, &[&before, &unchanged, &replaced]),
        );
    }

    #[test]
    fn rules_by_command_do_not_wipe_the_thresholds_of_their_own_beginning() {
        let phase = |at: &str| {
            let first = format!("name: a, for: 1m, split: {SPLIT}");
            let second = format!(
                "name: b, for: 1m, split: {SPLIT}, fallback_threshold: 1%, \
                 commands: [{{at: {at}, rules: {{conditions: [{OWN}]}}}}]"
            );
            loaded("", &[&first, &second])
        };
        let told = phase("0s").unwrap_err();
        assert!(told.contains("take the place of `fallback_threshold` at once"), "{told}");
        assert!(phase("1s").is_ok());
    }

    #[test]
    fn thresholds_join_the_rules_that_a_command_has_set() {
        let commanded = format!(
            "name: a, for: 1m, split: {SPLIT}, commands: [{{at: 9s, rules: {{conditions: [{OWN}]}}}}]"
        );
        let short = format!("name: b, for: 1m, split: {SPLIT}, fallback_threshold: 1%");
        let text = long("0.01", "1");
        let (errors, _) = text.split_once("}, ").unwrap();
        let replaced = format!(
            "name: b, for: 1m, split: {SPLIT}, \
             commands: [{{at: 0s, model: m, rules: {{conditions: [{OWN}, {errors}}}]}}}}]"
        );
        assert_same(loaded("", &[&commanded, &short]), loaded("", &[&commanded, &replaced]));
    }

    /// One threshold of the error rate in full, and one of the latency.
    fn long_ones(error_rate: &str, latency_ms: &str) -> (String, String) {
        let both = long(error_rate, latency_ms);
        let (errors, latency) = both.split_once("}, {").unwrap();
        (format!("{errors}}}"), format!("{{{latency}"))
    }

    #[test]
    fn beside_the_split_of_a_command_they_hold_from_its_time_on() {
        let (errors, latency) = long_ones("0.01", "700");
        let phases = |first: &str, second: &str| {
            loaded(
                "",
                &[
                    &format!("name: a, for: 1m, commands: [{first}]"),
                    &format!("name: b, for: 1m, commands: [{second}]"),
                ],
            )
        };
        let split = format!("at: 9s, split: {SPLIT}");
        let rules =
            |at: &str, of: &str| format!("{{at: {at}, model: m, rules: {{conditions: [{of}]}}}}");
        assert_same(
            phases(
                &format!("{{{split}, fallback_threshold: 1%}}"),
                &format!(
                    "{{split: {SPLIT}, fallback_threshold: 1%}}, {{at: 20s, split: {SPLIT}, \
                     latency_threshold_ms: 700}}"
                ),
            ),
            phases(
                &format!("{{{split}}}, {}", rules("9s", &errors)),
                &format!(
                    "{{split: {SPLIT}}}, {{at: 20s, split: {SPLIT}}}, {}",
                    rules("20s", &format!("{errors}, {latency}"))
                ),
            ),
        );
        // By time they join the rules that stand, wherever these are in the file.
        let own = rules("5s", OWN);
        assert_same(
            phases(&format!("{{{split}, latency_threshold_ms: 700}}, {own}"), ""),
            phases(
                &format!("{{{split}}}, {}, {own}", rules("9s", &format!("{OWN}, {latency}"))),
                "",
            ),
        );
    }

    #[test]
    fn beside_tags_that_commands_make_they_are_for_their_model() {
        let made = "name: a, for: 1m, commands: [{at: 1s, tag: {tag: golden, version: v2}}]";
        let (errors, _) = long_ones("0.01", "1");
        let rules = format!("{{at: 0s, model: m, rules: {{conditions: [{errors}]}}}}");
        let phase =
            |more: &str| format!("name: b, for: 1m, split: {{v1: 50%, golden: 50%}}, {more}");
        assert_same(
            loaded("", &[made, &phase("fallback_threshold: 1%")]),
            loaded("", &[made, &phase(&format!("commands: [{rules}]"))]),
        );
        let command = "{split: {v1: 50%, golden: 50%}";
        let phase = |commands: &str| format!("name: b, for: 1m, commands: [{commands}]");
        assert_same(
            loaded("", &[made, &phase(&format!("{command}, fallback_threshold: 1%}}"))]),
            loaded("", &[made, &phase(&format!("{command}}}, {rules}"))]),
        );
    }

    #[test]
    fn what_is_wrong_with_those_of_a_command_is_told() {
        let told = |commands: &str| {
            loaded("", &[&format!("name: a, for: 1m, commands: [{commands}]")]).unwrap_err()
        };
        let alone = told("{at: 1s, promote: v2, fallback_threshold: 1%}");
        assert!(alone.contains("`fallback_threshold` stands beside a `split`"), "{alone}");
        let split = format!("{{at: 1s, split: {SPLIT}, latency_threshold_ms: 700}}");
        let clash = told(&format!("{split}, {{at: 1s, rules: {{conditions: [{OWN}]}}}}"));
        assert!(clash.contains("take the place of `latency_threshold_ms` at once"), "{clash}");
        let wrong = told(&split.replace("700", "2s"));
        assert!(wrong.contains("\"2s\" is not a number from 1 to 86400000"), "{wrong}");
    }
}
