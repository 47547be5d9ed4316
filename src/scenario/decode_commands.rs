//! The commands of phases: what an operator does while traffic goes on.
//!
//! What is certain to be refused is an error of the file; whether the rest is depends on how the
//! engine stands by then.

use crate::engine::{Assignment, CommandKind, RuleSet, Safeguards, Target};
use crate::exchange::ModelIndex;
use crate::units::{Duration, Ratio, TagName, format_duration};

use super::command_plan::{CommandPlan, Instruction};
use super::decode_key_commands::ClientKeys;
use super::decode_policies;
use super::decode_rollout;
use super::decode_rules;
use super::decode_split::check_sum;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::holders::Holders;
use super::names::Names;
use super::read;
use super::shape::quote;
use super::shapes_commands::COMMAND;
use super::tree::{Entry, Node};

/// What commands are checked against.
pub(crate) struct Commanded<'a> {
    /// The names at the start.
    pub(crate) names: &'a Names,
    /// The tags that there may be by the end of the phase.
    pub(crate) holders: &'a Holders<'a>,
    /// Of each model, what is fixed about it.
    pub(crate) models: &'a [(Assignment, Safeguards)],
    /// The keys of the workload's clients.
    pub(crate) keys: &'a ClientKeys<'a>,
}

/// A command in the making: its model, and what it asks for.
type Made = (Option<ModelIndex>, Instruction);

impl Commanded<'_> {
    /// The commands of a phase that lasts at most `longest`, in the order of their times.
    pub(crate) fn decode(
        &self,
        node: &Node,
        longest: Option<Duration>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Vec<CommandPlan>> {
        let mut decoded = Vec::new();
        for item in node.items() {
            decoded.push(self.command(item, longest, diagnostics));
        }
        if node.text().is_some() {
            return None;
        }
        let mut commands: Vec<CommandPlan> = decoded.into_iter().collect::<Option<_>>()?;
        commands.sort_by_key(|command| command.at);
        Some(commands)
    }

    fn command(
        &self,
        node: &Node,
        longest: Option<Duration>,
        diagnostics: &mut Diagnostics,
    ) -> Option<CommandPlan> {
        let at = read::duration(node, "at");
        if let (Some(at), Some(longest)) = (at, longest)
            && at >= longest
            && let Some(place) = node.get("at").map(|node| node.place)
        {
            let message = format!(
                "the command is given {} into a phase that lasts at most {}: it never would be",
                format_duration(at),
                format_duration(longest)
            );
            let help = "`at` counts from the beginning of the phase";
            diagnostics.report(Diagnostic::new(place, message).help(help));
        }
        let chosen = |entry: &&Entry| COMMAND.choices.iter().any(|choice| choice.name == entry.key);
        let entry = node.entries().iter().find(chosen)?;
        let redeploy = read::boolean(node, "redeploy");
        if redeploy == Some(true)
            && !["split", "rollout", "promote"].contains(&entry.key.as_str())
            && let Some(place) = node.entry("redeploy").map(|entry| entry.place)
        {
            let message = format!("a command to {} brings no version back", verb(&entry.key));
            let help = "remove `redeploy`: it is for `split`, `rollout` and `promote`";
            diagnostics.report(Diagnostic::new(place, message).help(help));
        }
        if let Some(model) = node.entry("model").filter(|_| is_of_all_models(entry)) {
            let message =
                format!("keys are those of all models: a command to {} has none", verb(&entry.key));
            diagnostics.report(Diagnostic::new(model.place, message).help("remove `model`"));
        }
        let given = self.names.model_given(node, diagnostics);
        if given.is_none() && node.get("model").is_some() {
            return None;
        }
        let (model, instruction) = self.made(entry, given, redeploy?, diagnostics)?;
        Some(CommandPlan { at: at?, model, instruction })
    }

    /// The command at `entry`.
    fn made(
        &self,
        entry: &Entry,
        given: Option<ModelIndex>,
        redeploy: bool,
        diagnostics: &mut Diagnostics,
    ) -> Option<Made> {
        let node = &entry.node;
        match entry.key.as_str() {
            "regenerate_key" => {
                let version = node.get("version");
                let target = match version {
                    Some(version) => Some(self.target(given, version, diagnostics)?),
                    None => None,
                };
                let (model, version) = target.unzip();
                Some((model, self.keys.regenerate(node, version, diagnostics)?))
            }
            "revoke_key" => Some((None, self.keys.revoke(node, diagnostics)?)),
            _ => {
                let (model, kind) = self.kind(entry, given, redeploy, diagnostics)?;
                Some((Some(model), Instruction::Engine(kind)))
            }
        }
    }

    /// The command at `entry` that is for one model.
    fn kind(
        &self,
        entry: &Entry,
        given: Option<ModelIndex>,
        redeploy: bool,
        diagnostics: &mut Diagnostics,
    ) -> Option<(ModelIndex, CommandKind)> {
        let node = &entry.node;
        match entry.key.as_str() {
            "rollback" => match node.entry("to") {
                Some(to) => {
                    let (model, target) = self.target(given, &to.node, diagnostics)?;
                    Some((model, CommandKind::Rollback(Some(target))))
                }
                None if node.text().is_some() => None,
                None => Some((self.model(given, entry, diagnostics)?, CommandKind::Rollback(None))),
            },
            "split" => self.split(entry, given, redeploy, diagnostics),
            "rollout" => {
                let target = node.get("version");
                let target = target.and_then(|name| self.target(given, name, diagnostics));
                let (steps, bake) = decode_rollout::course(node, diagnostics)?;
                let (model, version) = target?;
                Some((model, CommandKind::StartRollout { version, steps, bake, redeploy }))
            }
            "promote" => {
                let (model, version) = self.target(given, node, diagnostics)?;
                Some((model, CommandKind::Promote { version, redeploy }))
            }
            "tag" => self.tag(node, given, diagnostics),
            "rules" => {
                let model = self.model(given, entry, diagnostics)?;
                let rules = self.rules(entry, model, diagnostics)?;
                Some((model, CommandKind::Rules(rules)))
            }
            word => {
                let kind = match word {
                    "pause" => CommandKind::Pause,
                    "resume" => CommandKind::Resume,
                    "abort" => CommandKind::Abort,
                    _ => return None,
                };
                Some((self.model(given, entry, diagnostics)?, kind))
            }
        }
    }

    fn split(
        &self,
        entry: &Entry,
        given: Option<ModelIndex>,
        redeploy: bool,
        diagnostics: &mut Diagnostics,
    ) -> Option<(ModelIndex, CommandKind)> {
        let arms = entry.node.entries();
        let mut model = given;
        let mut shares: Vec<(Target, Ratio)> = Vec::new();
        let mut complete = !arms.is_empty() && entry.node.text().is_none();
        for arm in arms {
            let of = self.holders.resolve_model(model, &arm.key, arm.place, diagnostics);
            let weight = arm.node.text().and_then(|text| Ratio::parse(text).ok());
            match (of, Target::new(&arm.key), weight) {
                (Some(of), Some(target), Some(weight)) => {
                    model = Some(of);
                    shares.push((target, weight));
                }
                _ => complete = false,
            }
        }
        if complete {
            let sum = shares.iter().map(|(_, weight)| weight.get()).sum();
            check_sum("weights", "the versions", sum, entry, diagnostics);
        } else if arms.is_empty() && entry.node.text().is_none() {
            check_sum("weights", "the versions", 0.0, entry, diagnostics);
        }
        complete.then_some((model?, CommandKind::Split { shares, redeploy }))
    }

    fn tag(
        &self,
        node: &Node,
        given: Option<ModelIndex>,
        diagnostics: &mut Diagnostics,
    ) -> Option<(ModelIndex, CommandKind)> {
        let name = node.get("tag").and_then(|tag| Some((tag.text()?, tag.place)));
        if let Some((name, place)) = name
            && self.names.versions().contains(&name)
        {
            let message = format!("the tag {} is the name of a version", quote(name));
            diagnostics.report(Diagnostic::new(place, message).help("name the tag otherwise"));
            return None;
        }
        let (model, version) = self.target(given, node.get("version")?, diagnostics)?;
        let tag = TagName::new(name?.0).ok()?;
        let preserve_previous = read::boolean(node, "preserve_previous")?;
        Some((model, CommandKind::Tag { tag, version, preserve_previous }))
    }

    fn rules(
        &self,
        entry: &Entry,
        model: ModelIndex,
        diagnostics: &mut Diagnostics,
    ) -> Option<RuleSet> {
        let (assignment, safeguards) = *self.models.get(usize::from(model.0))?;
        let rules = decode_rules::decode(&entry.node, model, self.names, safeguards, diagnostics)?;
        if let Some(message) = decode_policies::blind_judge(assignment, &rules) {
            let help = "take the judge out, or write `assignment: random` for the model";
            diagnostics.report(Diagnostic::new(entry.place, message).help(help));
        }
        Some(rules)
    }

    /// The version or tag that `node` names, with its model.
    fn target(
        &self,
        given: Option<ModelIndex>,
        node: &Node,
        diagnostics: &mut Diagnostics,
    ) -> Option<(ModelIndex, Target)> {
        let name = node.text()?;
        let model = self.holders.resolve_model(given, name, node.place, diagnostics)?;
        Some((model, Target::new(name)?))
    }

    /// The model that a command is for which names no version.
    fn model(
        &self,
        given: Option<ModelIndex>,
        entry: &Entry,
        diagnostics: &mut Diagnostics,
    ) -> Option<ModelIndex> {
        if given.is_none() && self.names.models().count() > 1 {
            let message = format!("nothing says for which model to {}", verb(&entry.key));
            let first = self.names.models().next().unwrap_or_default();
            let help = format!("write `model: {first}` beside it");
            diagnostics.report(Diagnostic::new(entry.place, message).help(help));
            return None;
        }
        Some(given.unwrap_or(ModelIndex(0)))
    }
}

/// Whether the command at `entry` has to do with no model.
fn is_of_all_models(entry: &Entry) -> bool {
    let about_keys = ["regenerate_key", "revoke_key"].contains(&entry.key.as_str());
    about_keys && entry.node.get("version").is_none()
}

/// What one does who gives a command.
fn verb(key: &str) -> &str {
    match key {
        "rollback" => "roll back",
        "rules" => "set rules",
        "pause" => "pause a rollout",
        "resume" => "resume a rollout",
        "abort" => "abort a rollout",
        "regenerate_key" => "regenerate a key",
        "revoke_key" => "revoke a key",
        other => other,
    }
}
