//! The arguments of `coalmine admin`.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::admin_connection::ConnectionArguments;
use super::shared_arguments::{time, told};
use crate::engine::Target;
use crate::units::{Duration, ModelId, Ratio, TagName, VersionId};

#[derive(Clone, Debug, Args)]
pub(super) struct AdminArguments {
    #[command(flatten)]
    pub(super) connection: ConnectionArguments,
    #[command(subcommand)]
    pub(super) command: AdminCommands,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum AdminCommands {
    /// How all stands: splits, rollouts, the last minute of each version, timers of rules
    #[command(after_help = STATUS_HELP)]
    Status(StatusArguments),
    /// The versions of a model, or one of them
    #[command(after_help = VERSIONS_HELP)]
    Versions(VersionsArguments),
    /// Register a version
    #[command(after_help = REGISTER_HELP)]
    Register(RegisterArguments),
    /// Let a tag name a version
    #[command(after_help = TAG_HELP)]
    Tag(TagArguments),
    /// Attach to a version what a rehearsal said of it
    #[command(after_help = EVALUATE_HELP)]
    Evaluate(EvaluateArguments),
    /// Set how the traffic of a model is split
    #[command(after_help = SPLIT_HELP)]
    Split(SplitArguments),
    /// Raise a canary's weight step by step, and make it the stable at the end
    #[command(after_help = ROLLOUT_HELP)]
    Rollout(RolloutArguments),
    /// Make a version the stable, with all traffic, at once
    #[command(after_help = PROMOTE_HELP)]
    Promote(PromoteArguments),
    /// Stop the rollout of a model where it is
    #[command(after_help = "Examples:\n  coalmine admin pause gpt-4")]
    Pause(ModelArguments),
    /// Let the rollout of a model go on
    #[command(after_help = "Examples:\n  coalmine admin resume gpt-4")]
    Resume(ModelArguments),
    /// End the rollout of a model, and give its traffic back to the stable
    #[command(after_help = "Examples:\n  coalmine admin abort gpt-4")]
    Abort(ModelArguments),
    /// All traffic of a model to a version
    #[command(after_help = ROLLBACK_HELP)]
    Rollback(RollbackArguments),
    /// The rollback rules in force; or other ones from a file
    #[command(after_help = RULES_HELP)]
    Rules(RulesArguments),
    /// The journal entries of a model, a line each, oldest first
    #[command(after_help = HISTORY_HELP)]
    History(HistoryArguments),
    /// What happens, as it happens
    #[command(after_help = EVENTS_HELP)]
    Events(EventsArguments),
}

/// How a command is known if it comes again.
#[derive(Clone, Debug, Args)]
pub(super) struct RepeatArguments {
    /// A command that comes again under its key within a day is answered as the first time and
    /// changes nothing [default: one that is drawn]
    #[arg(long, value_name = "KEY", value_parser = idempotency_key)]
    pub(super) idempotency_key: Option<String>,
}

impl RepeatArguments {
    pub(super) fn key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }
}

#[derive(Clone, Debug, Args)]
pub(super) struct StatusArguments {
    /// Only this model
    #[arg(value_parser = model)]
    pub(super) model: Option<ModelId>,
}

#[derive(Clone, Debug, Args)]
pub(super) struct VersionsArguments {
    /// The model
    #[arg(value_parser = model)]
    pub(super) model: ModelId,
    /// Only this version, by its id or a tag, with all that is known of it
    #[arg(value_parser = target)]
    pub(super) version: Option<Target>,
}

#[derive(Clone, Debug, Args)]
pub(super) struct RegisterArguments {
    /// The model
    #[arg(value_parser = model)]
    pub(super) model: ModelId,
    /// The id of the new version
    #[arg(value_parser = version)]
    pub(super) version: VersionId,
    /// What is to answer its requests, by its name in the gateway's configuration
    #[arg(long, value_name = "NAME")]
    pub(super) upstream: String,
    /// What is put into the bodies of its requests: a JSON object
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub(super) parameters: Option<serde_json::Map<String, serde_json::Value>>,
    /// What it charges for 1,000 tokens, in USD
    #[arg(long, value_name = "USD", conflicts_with_all = ["input_per_1k", "output_per_1k"])]
    pub(super) per_1k: Option<f64>,
    /// What it charges for 1,000 tokens of input, in USD
    #[arg(long, value_name = "USD", requires = "output_per_1k")]
    pub(super) input_per_1k: Option<f64>,
    /// What it charges for 1,000 tokens of output, in USD
    #[arg(long, value_name = "USD", requires = "input_per_1k")]
    pub(super) output_per_1k: Option<f64>,
    /// What is to be said of it
    #[arg(long, value_name = "TEXT")]
    pub(super) notes: Option<String>,
    #[command(flatten)]
    pub(super) repeat: RepeatArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct TagArguments {
    /// The model
    #[arg(value_parser = model)]
    pub(super) model: ModelId,
    /// The version, by its id or by another tag
    #[arg(value_parser = target)]
    pub(super) version: Target,
    /// The tag
    #[arg(value_parser = tag)]
    pub(super) tag: TagName,
    /// Do not keep in the tag's history which version it named before
    #[arg(long)]
    pub(super) forget_previous: bool,
    #[command(flatten)]
    pub(super) repeat: RepeatArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct EvaluateArguments {
    /// The model
    #[arg(value_parser = model)]
    pub(super) model: ModelId,
    /// The version, by its id or by a tag
    #[arg(value_parser = target)]
    pub(super) version: Target,
    /// The result of the run: its result.json, or the folder that holds it
    #[arg(long, value_name = "PATH", conflicts_with_all = ["scenario", "seed", "verdict"])]
    pub(super) result: Option<PathBuf>,
    /// The scenario that was run
    #[arg(long, value_name = "NAME", required_unless_present = "result")]
    pub(super) scenario: Option<String>,
    /// Its seed
    #[arg(long, value_name = "N", required_unless_present = "result")]
    pub(super) seed: Option<u64>,
    /// What its gate answered: pass, inconclusive, fail or invalid
    #[arg(long, value_name = "VERDICT", required_unless_present = "result")]
    pub(super) verdict: Option<String>,
    /// A metric, in seconds, shares, dollars or a count; may be repeated
    #[arg(long = "metric", value_name = "NAME=VALUE", value_parser = metric)]
    pub(super) metrics: Vec<(String, f64)>,
    #[command(flatten)]
    pub(super) repeat: RepeatArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct SplitArguments {
    /// The model
    #[arg(value_parser = model)]
    pub(super) model: ModelId,
    /// Versions, by id or tag, with their shares, which sum to 100%; the others get nothing
    #[arg(required = true, value_name = "VERSION=SHARE", value_parser = share)]
    pub(super) shares: Vec<Share>,
    /// Deploy versions that were rolled back all the same
    #[arg(long)]
    pub(super) redeploy: bool,
    #[command(flatten)]
    pub(super) repeat: RepeatArguments,
}

/// A version with its share of the traffic.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub(super) version: Target,
    pub(super) weight: Ratio,
}

#[derive(Clone, Debug, Args)]
pub(super) struct RolloutArguments {
    /// The model
    #[arg(value_parser = model)]
    pub(super) model: ModelId,
    /// The canary, by its id or a tag
    #[arg(value_parser = target)]
    pub(super) version: Target,
    /// The steps, as a scenario's rollout lists them
    #[arg(long, value_name = "STEPS")]
    pub(super) steps: String,
    /// How long the rules still cover it after its promotion [default: 1h]
    #[arg(long, value_name = "DURATION", value_parser = time)]
    pub(super) bake: Option<Duration>,
    /// Deploy it even if it was rolled back
    #[arg(long)]
    pub(super) redeploy: bool,
    #[command(flatten)]
    pub(super) repeat: RepeatArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct PromoteArguments {
    /// The model
    #[arg(value_parser = model)]
    pub(super) model: ModelId,
    /// The version, by its id or a tag; while a rollout is under way, its canary
    #[arg(value_parser = target)]
    pub(super) version: Target,
    /// Deploy it even if it was rolled back
    #[arg(long)]
    pub(super) redeploy: bool,
    #[command(flatten)]
    pub(super) repeat: RepeatArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ModelArguments {
    /// The model
    #[arg(value_parser = model)]
    pub(super) model: ModelId,
    #[command(flatten)]
    pub(super) repeat: RepeatArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct RollbackArguments {
    /// The model
    #[arg(value_parser = model)]
    pub(super) model: ModelId,
    /// The version that is to get all traffic, by its id or a tag [default: the last stable]
    #[arg(value_parser = target)]
    pub(super) version: Option<Target>,
    #[command(flatten)]
    pub(super) repeat: RepeatArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct RulesArguments {
    /// The model [default: the rules of all models that have none of their own]
    #[arg(value_parser = model)]
    pub(super) model: Option<ModelId>,
    /// Replace the rules by those of a JSON file; -: by what comes on stdin
    #[arg(long, value_name = "FILE")]
    pub(super) set: Option<PathBuf>,
    /// Take the model its own rules away: it has those of all models then
    #[arg(long, requires = "model", conflicts_with = "set")]
    pub(super) unset: bool,
    #[command(flatten)]
    pub(super) repeat: RepeatArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct HistoryArguments {
    /// The model
    #[arg(value_parser = model)]
    pub(super) model: ModelId,
    /// Only what came after entry number N
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) after: u64,
    /// At most so many entries [default: all]
    #[arg(long, value_name = "N", conflicts_with = "follow")]
    pub(super) limit: Option<NonZeroU64>,
    /// Only the last N entries
    #[arg(long, value_name = "N", conflicts_with_all = ["follow", "limit"])]
    pub(super) last: Option<NonZeroU64>,
    /// Go on with the entries that are still to come
    #[arg(long)]
    pub(super) follow: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct EventsArguments {
    /// Begin with the journal entries after entry number N [default: with what happens from now on]
    #[arg(long, value_name = "N")]
    pub(super) after: Option<u64>,
    /// Show how the versions fare as well, each second
    #[arg(long)]
    pub(super) metrics: bool,
}

pub(super) fn model(text: &str) -> Result<ModelId, String> {
    ModelId::new(text).map_err(|error| error.to_string())
}

fn version(text: &str) -> Result<VersionId, String> {
    VersionId::new(text).map_err(|error| error.to_string())
}

fn tag(text: &str) -> Result<TagName, String> {
    TagName::new(text).map_err(|error| error.to_string())
}

/// A version, or a tag: the two are written alike.
fn target(text: &str) -> Result<Target, String> {
    Target::new(text)
        .ok_or_else(|| VersionId::new(text).err().map_or_else(String::new, |e| e.to_string()))
}

fn share(text: &str) -> Result<Share, String> {
    let Some((version, weight)) = text.split_once('=') else {
        return Err("a share is VERSION=SHARE, such as gpt-4-v1=90%".to_owned());
    };
    let weight = Ratio::parse(weight).map_err(|error| told(&error))?;
    Ok(Share { version: target(version)?, weight })
}

fn metric(text: &str) -> Result<(String, f64), String> {
    let parts = text.split_once('=').and_then(|(name, value)| Some((name, value.parse().ok()?)));
    match parts {
        Some((name, value)) if !name.is_empty() && f64::is_finite(value) => {
            Ok((name.to_owned(), value))
        }
        _ => Err("allowed is NAME=VALUE with a finite number, such as error_rate=0.012".to_owned()),
    }
}

fn object(text: &str) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("{error}; allowed is a JSON object, such as {{\"top_p\": 0.9}}"))
}

fn idempotency_key(text: &str) -> Result<String, String> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && (1..=LONGEST_KEY).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err(format!("allowed are 1 to {LONGEST_KEY} visible ASCII characters"))
}

/// As the gateway has it.
const LONGEST_KEY: usize = 255;

pub(super) const ADMIN_HELP: &str = "\
The access key comes from the environment variable COALMINE_KEY, or from the file that --key-file \
names. No argument takes it: it would stand in the list of processes and in the shell's history.

A command is sent under an idempotency key. If the connection breaks before the answer has come it \
is sent once more under the same key, and carried out once in any case.

Exit codes:
  0 done   1 no answer, or the gateway failed   2 usage, or the gateway refuses it   3 invalid file

Examples:
  export COALMINE_URL=https://gateway.internal COALMINE_KEY=ops.5f0c...
  coalmine admin status
  coalmine admin split gpt-4 gpt-4-v1=90% gpt-4-turbo-v2=10%
  coalmine admin rollback gpt-4
  coalmine admin history gpt-4 --follow";

const STATUS_HELP: &str = "\
Examples:
  coalmine admin status
  coalmine admin status org/name --url https://gateway.internal
  coalmine admin status --format json | jq '.models[] | {model, split}'";

const VERSIONS_HELP: &str = "\
Examples:
  coalmine admin versions gpt-4
  coalmine admin versions gpt-4 stable
  coalmine admin versions org/name --format json | jq -r '.[].id'";

const REGISTER_HELP: &str = "\
A version never changes: to register it again with the same content changes nothing, and with \
another content is refused.

Examples:
  coalmine admin register gpt-4 gpt-4-turbo-v3 --upstream openai
  coalmine admin register gpt-4 gpt-4-turbo-v3 --upstream openai \\
    --parameters '{\"model\": \"gpt-4-turbo\"}' --input-per-1k 0.01 --output-per-1k 0.03";

const TAG_HELP: &str = "\
Every other tag stays where it is.

Examples:
  coalmine admin tag gpt-4 gpt-4-turbo-v2 beta
  coalmine admin tag gpt-4 beta stable";

const EVALUATE_HELP: &str = "\
What a version was rehearsed with is shown with it, and kept in the journal. Scenario, seed and \
verdict are those of the result of a run that had a gate, or are stated.

Examples:
  coalmine admin evaluate gpt-4 gpt-4-turbo-v2 --result out/
  coalmine admin evaluate gpt-4 beta --scenario peak-hour --seed 7 --verdict pass \\
    --metric error_rate=0.0012 --metric latency_p99=1.84";

const SPLIT_HELP: &str = "\
Shares are written as in a scenario: 5% or 0.05.

Examples:
  coalmine admin split gpt-4 gpt-4-v1=90% gpt-4-turbo-v2=10%
  coalmine admin split gpt-4 stable=0.5 beta=0.5 --redeploy";

const ROLLOUT_HELP: &str = "\
Steps are written as `steps` of a scenario's rollout: each with its weight, above that of the step \
before; with how long it lasts at least (hold); if it is to be said, with how many requests the \
canary must complete (require); and whether it waits for `coalmine admin resume` as well (pause).

Examples:
  coalmine admin rollout gpt-4 beta --steps '[{weight: 5%, hold: 10m}, {weight: 25%, hold: 1h}]'
  coalmine admin rollout gpt-4 gpt-4-turbo-v2 --bake 2h \\
    --steps '[{weight: 1%, hold: 5m, require: 500}, {weight: 50%, hold: 1h, pause: true}]'";

const PROMOTE_HELP: &str = "\
Examples:
  coalmine admin promote gpt-4 gpt-4-turbo-v2";

const ROLLBACK_HELP: &str = "\
Examples:
  coalmine admin rollback gpt-4
  coalmine admin rollback gpt-4 gpt-4-v1";

const RULES_HELP: &str = "\
The file is that of `rules` of a scenario, as JSON; the gateway checks it, and changes nothing \
unless all models can take the rules. A model whose rules are set has its own from then on, and no \
longer those of all models.

Examples:
  coalmine admin rules
  coalmine admin rules --set fixtures/rollback-rules.json
  coalmine admin rules gpt-4 --unset
  coalmine admin rules gpt-4 --set fixtures/rollback-rules.json
  coalmine admin rules gpt-4 --format json | jq '.conditions[0].threshold = 0.02' |
    coalmine admin rules gpt-4 --set -";

const HISTORY_HELP: &str = "\
The lines are those of `coalmine journal show`; the hash of every entry is worked out anew. With \
--follow entries are printed as they are made, of JSON a line each, until it is interrupted.

Examples:
  coalmine admin history gpt-4
  coalmine admin history gpt-4 --after 120 --limit 20
  coalmine admin history gpt-4 --follow --format json | jq .change";

const EVENTS_HELP: &str = "\
Journal entries are printed as `coalmine journal show` does, and what the engine tells besides: \
breaches that begin and end, rules that fire, versions that have drained. It goes on until it is \
interrupted; a stream that is lost is taken up after the last entry.

Examples:
  coalmine admin events
  coalmine admin events --metrics
  coalmine admin events --after 120 --format json | jq 'select(.event == \"fired\")'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_version_and_a_ratio() {
        let Share { version, weight } = share("v1=12.5%").unwrap();
        assert_eq!((version.as_str(), weight.get()), ("v1", 0.125));
        for (wrong, told) in [
            ("v1", "VERSION=SHARE"),
            ("v1=90", "did you mean 90%?"),
            ("v1=150%", "0 to 1"),
            ("=10%", "no valid name"),
            ("org/v1=10%", "no valid name"),
        ] {
            let why = share(wrong).unwrap_err();
            assert!(why.contains(told), "{wrong}: {why}");
        }
    }

    #[test]
    fn idempotency_keys_are_what_gateways_take() {
        assert!(idempotency_key("deploy-17").is_ok() && idempotency_key(&"k".repeat(255)).is_ok());
        for wrong in ["", "a b", "ü", &"k".repeat(256)] {
            assert!(idempotency_key(wrong).is_err(), "{wrong}");
        }
    }
}
