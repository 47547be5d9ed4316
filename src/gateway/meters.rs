//! What the gateway counts for Prometheus. Names, units and buckets are those of OpenTelemetry's
//! conventions for generative AI where there is one; the others begin with `coalmine_`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::operation_meters::OperationMeters;
use super::recent::Recent;
use super::since_activation::Turn;
use crate::exchange::{Ending, Observed};
use crate::units::{Duration, ModelId, Ratio, Timestamp, VersionId};

/// All that is counted.
#[derive(Debug)]
pub(super) struct Meters {
    registry: Registry,
    duration: Family<OfVersion, Histogram, Buckets>,
    first_token: Family<OfVersion, Histogram, Buckets>,
    per_token: Family<OfVersion, Histogram, Buckets>,
    tokens: Family<OfTokens, Histogram, Buckets>,
    endings: Family<OfEnding, Counter>,
    /// Successes whose answer did not tell its tokens.
    estimated: Family<OfVersion, Counter>,
    in_flight: Family<OfVersion, Gauge>,
    /// Requests that were sent to no version.
    refused: Family<OfRefusal, Counter>,
    weights: Family<OfVersion, Gauge<f64, AtomicU64>>,
    rollbacks: Family<OfRollback, Counter>,
    rollbacks_refused: Family<OfModel, Counter>,
    entries: Counter,
    recent: Mutex<BTreeMap<(ModelId, VersionId), Arc<Recent>>>,
    pub(super) operation: OperationMeters,
}

/// What is counted of one version.
#[derive(Debug)]
pub(super) struct VersionMeters {
    version: OfVersion,
    duration: Histogram,
    first_token: Histogram,
    per_token: Histogram,
    input: Histogram,
    output: Histogram,
    success: Counter,
    estimated: Counter,
    endings: Family<OfEnding, Counter>,
    in_flight: Gauge,
    /// The second in which it was said last why an attempt failed.
    told: AtomicI64,
    pub(super) recent: Arc<Recent>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfVersion {
    model: String,
    version: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfModel {
    model: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfRollback {
    model: String,
    /// `rule` or `command`.
    by: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfTokens {
    model: String,
    version: String,
    gen_ai_token_type: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfEnding {
    model: String,
    version: String,
    ending: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfRefusal {
    status: u16,
}

/// Makes histograms with these bounds.
#[derive(Clone, Copy, Debug)]
struct Buckets(&'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

impl Meters {
    pub(super) fn new() -> Self {
        let family = |buckets| Family::new_with_constructor(Buckets(buckets));
        let mut registry = Registry::default();
        let operation = OperationMeters::new(&mut registry);
        let mut meters = Self {
            registry,
            duration: family(DURATIONS),
            first_token: Family::new_with_constructor(Buckets(FIRST_TOKENS)),
            per_token: Family::new_with_constructor(Buckets(PER_TOKEN)),
            tokens: Family::new_with_constructor(Buckets(TOKENS)),
            endings: Family::default(),
            estimated: Family::default(),
            in_flight: Family::default(),
            refused: Family::default(),
            weights: Family::default(),
            rollbacks: Family::default(),
            rollbacks_refused: Family::default(),
            entries: Counter::default(),
            recent: Mutex::default(),
            operation,
        };
        meters.register();
        meters.register_deployment();
        meters
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let seconds = || Unit::Seconds;
        registry.register_with_unit(
            "gen_ai_server_request_duration",
            "From an attempt at a version to its end",
            seconds(),
            self.duration.clone(),
        );
        registry.register_with_unit(
            "gen_ai_server_time_to_first_token",
            "From an attempt to the first content of a streamed answer",
            seconds(),
            self.first_token.clone(),
        );
        registry.register_with_unit(
            "gen_ai_server_time_per_output_token",
            "Time for each token of a streamed answer after the first",
            seconds(),
            self.per_token.clone(),
        );
        registry.register(
            "gen_ai_client_token_usage",
            "Tokens of prompts and answers, by request",
            self.tokens.clone(),
        );
        registry.register(
            "coalmine_attempts",
            "Attempts that ended, by how they did",
            self.endings.clone(),
        );
        registry.register(
            "coalmine_usage_estimated",
            "Successes whose answer did not tell its tokens: the output is estimated",
            self.estimated.clone(),
        );
        registry.register(
            "coalmine_attempts_in_flight",
            "Attempts under way",
            self.in_flight.clone(),
        );
        registry.register(
            "coalmine_refused",
            "Requests that were sent to no version, by the status that they got",
            self.refused.clone(),
        );
    }

    fn register_deployment(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "coalmine_split_weight",
            "Share of the traffic that a version gets",
            self.weights.clone(),
        );
        registry.register(
            "coalmine_rollbacks",
            "Rollbacks in the journal, by rules and by command",
            self.rollbacks.clone(),
        );
        registry.register(
            "coalmine_rollbacks_refused",
            "Rollbacks in the journal that a rule wanted and that had nowhere to go",
            self.rollbacks_refused.clone(),
        );
        registry.register(
            "coalmine_journal_entries",
            "Entries of the journal",
            self.entries.clone(),
        );
    }

    /// A version has this share of the traffic.
    pub(super) fn weighs(&self, model: &ModelId, version: &VersionId, weight: Ratio) {
        let of = OfVersion { model: model.to_string(), version: version.to_string() };
        self.weights.get_or_create(&of).set(weight.get());
    }

    /// The series of `model` are there from the start, at 0: an alert on the first rollback needs
    /// something that it rose from.
    pub(super) fn serves(&self, model: &ModelId) {
        let model = model.to_string();
        for by in [BY_RULE, BY_COMMAND] {
            drop(self.rollbacks.get_or_create(&OfRollback { model: model.clone(), by }));
        }
        drop(self.rollbacks_refused.get_or_create(&OfModel { model }));
    }

    /// Another entry of the journal was read.
    pub(super) fn journalled(&self) {
        self.entries.inc();
    }

    /// A rollback was read.
    pub(super) fn rolled_back(&self, model: &ModelId, is_by_rule: bool) {
        let by = if is_by_rule { BY_RULE } else { BY_COMMAND };
        self.rollbacks.get_or_create(&OfRollback { model: model.to_string(), by }).inc();
    }

    /// A rollback was read that had nowhere to go.
    pub(super) fn rollback_refused(&self, model: &ModelId) {
        self.rollbacks_refused.get_or_create(&OfModel { model: model.to_string() }).inc();
    }

    /// Those of a version; the same however often it is asked for.
    pub(super) fn version(&self, model: &ModelId, version: &VersionId) -> Arc<VersionMeters> {
        let recent = {
            let mut all = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry((model.clone(), version.clone())).or_default())
        };
        let (model, version) = (model.to_string(), version.to_string());
        let of_tokens = |gen_ai_token_type| OfTokens {
            model: model.clone(),
            version: version.clone(),
            gen_ai_token_type,
        };
        let (input, output) = (of_tokens("input"), of_tokens("output"));
        let ending = |ending: Ending| OfEnding {
            model: model.clone(),
            version: version.clone(),
            ending: ending.name().into_owned(),
        };
        let success = self.endings.get_or_create_owned(&ending(Ending::Success));
        let version = OfVersion { model: model.clone(), version: version.clone() };
        Arc::new(VersionMeters {
            duration: self.duration.get_or_create_owned(&version),
            first_token: self.first_token.get_or_create_owned(&version),
            per_token: self.per_token.get_or_create_owned(&version),
            input: self.tokens.get_or_create_owned(&input),
            output: self.tokens.get_or_create_owned(&output),
            success,
            estimated: self.estimated.get_or_create_owned(&version),
            endings: self.endings.clone(),
            in_flight: self.in_flight.get_or_create_owned(&version),
            told: AtomicI64::new(i64::MIN),
            recent,
            version,
        })
    }

    /// A request was answered with this status by the gateway itself, and sent nowhere.
    pub(super) fn refused(&self, status: u16) {
        self.refused.get_or_create(&OfRefusal { status }).inc();
    }

    /// All of it in OpenMetrics' text.
    pub(super) fn to_text(&self) -> Result<String, std::fmt::Error> {
        let mut all = String::new();
        text::encode(&mut all, &self.registry)?;
        Ok(all)
    }
}

impl VersionMeters {
    /// An attempt begins at `at` in this life of the version, or in none. What comes back is handed
    /// to what is told of its end.
    pub(super) fn began(&self, life: Option<u32>, at: Timestamp) -> Option<Turn> {
        self.in_flight.inc();
        self.recent.begin(life, at)
    }

    /// Its model.
    pub(super) fn model(&self) -> &str {
        &self.version.model
    }

    /// Whether it may be said why an attempt fails: once in a second.
    pub(super) fn may_tell(&self, now: Timestamp) -> bool {
        self.told.swap(now.second(), Ordering::Relaxed) != now.second()
    }

    /// How many attempts are under way.
    pub(super) fn in_flight(&self) -> u64 {
        u64::try_from(self.in_flight.get()).unwrap_or_default()
    }

    /// An attempt was not made: the version or its upstream has as many as it may have.
    pub(super) fn declined(&self, turn: Option<Turn>) {
        self.in_flight.dec();
        self.recent.withdraw(turn);
        let OfVersion { model, version } = self.version.clone();
        let ending = "overloaded".to_owned();
        self.endings.get_or_create(&OfEnding { model, version, ending }).inc();
    }

    /// An attempt ended so at `at`.
    pub(super) fn ended(&self, turn: Option<Turn>, at: Timestamp, observed: &Observed) {
        self.in_flight.dec();
        self.recent.record(turn, at, observed);
        self.duration.observe(observed.latency.as_secs_f64());
        if observed.ending != Ending::Success {
            let OfVersion { model, version } = self.version.clone();
            let ending = observed.ending.name().into_owned();
            self.endings.get_or_create(&OfEnding { model, version, ending }).inc();
            return;
        }
        self.success.inc();
        let (input, output) = (observed.usage.input.get(), observed.usage.output.get());
        if observed.is_estimated {
            self.estimated.inc();
        } else {
            self.input.observe(f64::from(input));
        }
        self.output.observe(f64::from(output));
        if let Some(first) = observed.first_token {
            self.first_token.observe(first.as_secs_f64());
            if output > 1 {
                let rest: Duration = observed.latency.saturating_sub(first);
                self.per_token.observe(rest.as_secs_f64() / f64::from(output - 1));
            }
        }
    }
}

const BY_RULE: &str = "rule";
const BY_COMMAND: &str = "command";

// Source of all four: OpenTelemetry, semantic conventions for generative AI metrics.
const DURATIONS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const FIRST_TOKENS: &[f64] =
    &[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const PER_TOKEN: &[f64] =
    &[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];
const TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
