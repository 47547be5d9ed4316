//! Commands as numbers: what a random choice or a byte can say.

use serde::{Deserialize, Serialize};

use super::rule_choice::RuleChoice;
use crate::engine::{
    Assignment, Backoff, CommandKind, Digest, Evaluation, Fallback, Ladder, NewKey, Policies,
    RetryOn, RetryPolicy, RolloutStep, Safeguards, Scope, Target, Verdict, Version,
};
use crate::units::{Duration, KeyId, ModelId, Money, Price, Ratio, TagName, Timestamp, VersionId};

/// A command.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// A version is registered.
    Register(u8),
    /// A run's results are attached to a version.
    Evaluate(Name),
    /// A tag (0 is `stable`) is set to a version.
    Tag {
        /// The tag.
        tag: u8,
        /// The version.
        version: Name,
        /// Whether earlier holders are remembered.
        preserve_previous: bool,
    },
    /// The weights are set, in parts of their sum.
    Split {
        /// By version.
        parts: [u8; 4],
        /// Whether what was rolled back is deployed again.
        redeploy: bool,
    },
    /// How the split chooses.
    Assignment(Assignment),
    /// The policies are set.
    Policies {
        /// How many attempts may follow the first; 0: none.
        attempts: u8,
        /// Whether what failed goes to the stable at last.
        fallback: bool,
    },
    /// The rules are set.
    Rules(RuleChoice),
    /// All traffic to a version, or to the last stable.
    Rollback(Option<Name>),
    /// A rollout begins.
    Start {
        /// The canary.
        version: Name,
        /// The steps.
        ladder: LadderChoice,
        /// Whether it may have been rolled back.
        redeploy: bool,
    },
    /// A version is promoted.
    Promote {
        /// Which.
        version: Name,
        /// Whether it may have been rolled back.
        redeploy: bool,
    },
    /// The rollout pauses.
    Pause,
    /// It is resumed.
    Resume,
    /// It is aborted.
    Abort,
    /// A key is made.
    CreateKey {
        /// Which.
        key: u8,
        /// Its secret.
        secret: u8,
        /// Whether it may change what is deployed.
        admin: bool,
        /// Whether it is for the command's model alone.
        own_model: bool,
        /// The version that it is made for.
        version: Option<Name>,
    },
    /// A key gets another secret.
    RegenerateKey {
        /// Which.
        key: u8,
        /// Its secret.
        secret: u8,
        /// For how many seconds the old one stays valid.
        grace: u8,
        /// The version that it is made for.
        version: Option<Name>,
    },
    /// A key is forgotten.
    RevokeKey(u8),
}

/// A version by its number, or by a tag's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// `v0` to `v3`.
    Version(u8),
    /// `stable`, `beta` or `old`.
    Tag(u8),
}

/// Ladders that orders choose from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LadderChoice {
    /// One step to all traffic.
    One,
    /// Three steps of some seconds.
    Three,
    /// Two steps, the second of which waits for a command.
    Paused,
}

impl Order {
    /// The command, for a model of this name and these safeguards. Rules that the safeguards
    /// refuse are none.
    pub(super) fn command(&self, model: &ModelId, safeguards: Safeguards) -> CommandKind {
        match self {
            Self::Register(version) => register(*version),
            Self::Evaluate(version) => evaluate(*version),
            Self::Tag { tag, version, preserve_previous } => CommandKind::Tag {
                tag: tag_name(*tag),
                version: target(*version),
                preserve_previous: *preserve_previous,
            },
            Self::Split { parts, redeploy } => split(*parts, *redeploy),
            Self::Assignment(assignment) => CommandKind::Assignment(*assignment),
            Self::Policies { attempts, fallback } => policies(*attempts, *fallback),
            Self::Rules(rules) => CommandKind::Rules(rules.rule_set(safeguards)),
            Self::Rollback(version) => CommandKind::Rollback(version.map(target)),
            Self::Start { version, ladder, redeploy } => CommandKind::StartRollout {
                version: target(*version),
                steps: ladder.ladder(),
                bake: Duration::from_secs(20),
                redeploy: *redeploy,
            },
            Self::Promote { version, redeploy } => {
                CommandKind::Promote { version: target(*version), redeploy: *redeploy }
            }
            Self::Pause => CommandKind::Pause,
            Self::Resume => CommandKind::Resume,
            Self::Abort => CommandKind::Abort,
            Self::CreateKey { key, secret, admin, own_model, version } => {
                CommandKind::CreateKey(Box::new(NewKey {
                    id: key_id(*key),
                    digest: digest(*secret),
                    scope: if *admin { Scope::Admin } else { Scope::Inference },
                    models: own_model.then(|| vec![model.clone()]),
                    version: version.map(target),
                }))
            }
            Self::RegenerateKey { key, secret, grace, version } => CommandKind::RegenerateKey {
                key: key_id(*key),
                digest: digest(*secret),
                grace: Duration::from_secs(u64::from(*grace)),
                version: version.map(target),
            },
            Self::RevokeKey(key) => CommandKind::RevokeKey(key_id(*key)),
        }
    }
}

impl LadderChoice {
    pub(super) fn ladder(self) -> Ladder {
        let step = |weight: f64, seconds: u64| RolloutStep {
            weight: Ratio::new(weight).unwrap_or_default(),
            hold: Duration::from_secs(seconds),
            require: Some(0),
            pause: false,
        };
        let steps = match self {
            Self::One => vec![step(1.0, 0)],
            Self::Three => {
                vec![step(0.1, 2), RolloutStep { require: None, ..step(0.5, 3) }, step(0.75, 1)]
            }
            Self::Paused => vec![step(0.2, 1), RolloutStep { pause: true, ..step(0.6, 1) }],
        };
        Ladder::new(steps).expect("the steps rise")
    }
}

/// What every model begins with.
pub(super) fn beginning() -> [CommandKind; 4] {
    let first = || target(Name::Version(0));
    let stable = CommandKind::Tag { tag: tag_name(0), version: first(), preserve_previous: true };
    let all = CommandKind::Split { shares: vec![(first(), Ratio::ONE)], redeploy: false };
    [register(0), register(1), stable, all]
}

pub(super) fn target(name: Name) -> Target {
    let name = match name {
        Name::Version(version) => version_name(version),
        Name::Tag(tag) => tag_name(tag).as_str().to_owned(),
    };
    Target::new(&name).expect("a valid name")
}

pub(super) fn key_id(key: u8) -> KeyId {
    KeyId::new(&format!("k{}", key % KEYS)).expect("a valid name")
}

pub(super) fn digest(secret: u8) -> Digest {
    Digest::of(&[secret % SECRETS])
}

fn register(version: u8) -> CommandKind {
    let id = VersionId::new(&version_name(version)).expect("a valid name");
    let price = Some(price(version));
    let version = Version { price, ..Version::new(id, "upstream", Timestamp::EPOCH) };
    CommandKind::Register(Box::new(version))
}

/// What a version charges: a thousandth of a dollar for 1,000 tokens of input, and more with its
/// number and for output.
pub(super) fn price(version: u8) -> Price {
    let version = u128::from(version % 4);
    let mills = |mills: u128| Money::from_pico_usd(mills * 1_000_000_000);
    Price { input_per_1k: mills(1 + version), output_per_1k: mills(2 + 2 * version) }
}

fn evaluate(version: Name) -> CommandKind {
    let evaluation = Evaluation {
        scenario: "case".to_owned(),
        seed: 7,
        verdict: Verdict::Pass,
        metrics: [("error_rate".to_owned(), 0.25)].into(),
    };
    CommandKind::Evaluate { version: target(version), evaluation: Box::new(evaluation) }
}

fn split(parts: [u8; 4], redeploy: bool) -> CommandKind {
    let sum = parts.iter().map(|part| f64::from(*part)).sum::<f64>().max(1.0);
    let weight = |part: u8| Ratio::new(f64::from(part) / sum).unwrap_or_default();
    let shares = (0..).zip(parts).filter(|(_, part)| *part > 0);
    let shares = shares.map(|(version, part)| (target(Name::Version(version)), weight(part)));
    CommandKind::Split { shares: shares.collect(), redeploy }
}

fn policies(attempts: u8, fallback: bool) -> CommandKind {
    let on = vec![RetryOn::ServerErrors, RetryOn::Timeout, RetryOn::Reset];
    let retry = RetryPolicy::new(attempts % 4, on, Backoff::default()).ok();
    let fallback = fallback.then_some(Fallback::Stable);
    CommandKind::Policies(Box::new(Policies { retry, fallback, ..Policies::default() }))
}

pub(super) fn version_name(version: u8) -> String {
    format!("v{}", version % 4)
}

fn tag_name(tag: u8) -> TagName {
    let name = ["stable", "beta", "old"][usize::from(tag % 3)];
    TagName::new(name).expect("a valid name")
}

/// How many keys there can be.
pub(super) const KEYS: u8 = 3;
/// How many secrets.
pub(super) const SECRETS: u8 = 6;
