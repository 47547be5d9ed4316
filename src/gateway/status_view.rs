//! How everything stands now: what is deployed, what was seen of it in the last minute, which rules
//! are about to fire.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::chronicle::{Past, Pasts};
use super::desk::{Desk, Inner};
use super::entry_view::{RefusalView, RollbackView};
use super::judgement_view::JudgementView;
use super::latency_view::LatencyView;
use super::recent::{Point, Recent, Slice};
use super::version_route::VersionRoute;
use super::version_view::StatusWord;
use super::warnings::{warnings, watched};
use crate::engine::{Breach, Health, Judgement, RolloutState, Slot};
use crate::exchange::ModelIndex;
use crate::units::{Duration, ModelId, Price, Ratio, Timestamp};

/// How everything stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeployStatus")]
pub(super) struct StatusView {
    /// When, in RFC 3339.
    at: String,
    /// How many entries the journal has, which is the number of the last one.
    journal_entries: u64,
    models: Vec<ModelView>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ModelStatus")]
struct ModelView {
    model: String,
    /// The version that the tag `stable` names; null: none.
    stable: Option<String>,
    /// Where a rollback by command goes that names no version; null: it would be refused.
    rollback_target: Option<String>,
    /// Versions that get traffic, with their shares.
    split: BTreeMap<String, f64>,
    rollout: RolloutView,
    /// Attempts under way.
    in_flight: u64,
    /// The newest first.
    versions: Vec<VersionStateView>,
    /// How the rules fared, for each version that they watched.
    rules: Vec<RuleView>,
    /// The last rollback, a restart of the gateway notwithstanding; null: there was none.
    last_rollback: Option<RollbackView>,
    /// The last rollback that a rule wanted and that had nowhere to go; null: there was none.
    last_refusal: Option<RefusalView>,
    /// What is wrong, or about to be, in words, the worst first.
    warnings: Vec<String>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "RolloutStatus")]
struct RolloutView {
    /// `idle`, `stepping`, `paused`, `promoted`, `rolled_back` or `aborted`.
    state: &'static str,
    /// How many rollouts have been started.
    number: u32,
    /// The canary, or the promoted version while rules cover it; null: none.
    version: Option<String>,
    /// The step under way, counted from 1; null: none.
    step: Option<u32>,
    /// The canary's weight in it.
    step_weight: Option<f64>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "VersionState")]
struct VersionStateView {
    id: String,
    status: StatusWord,
    weight: f64,
    tags: Vec<String>,
    /// Whether the configuration has its upstream: if not it can get no traffic.
    reachable: bool,
    /// Where a rollback of it to the last stable would go; null: nowhere, or no rule watches it.
    rollback_target: Option<String>,
    /// Attempts under way.
    in_flight: u64,
    window: WindowView,
    /// Of the successes since it got traffic, or the last time that it did; null: no request has
    /// begun since.
    latency: Option<LatencyView>,
    /// The ten minutes before, the oldest first; absent in events, which come each second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<PointView>,
}

/// What was seen of a version in the minute before an instant.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "WindowPoint")]
struct PointView {
    /// The instant, in RFC 3339.
    at: String,
    error_rate: Option<f64>,
    latency_p99_ms: Option<f64>,
}

/// What was seen of a version in the last minute. Shares and times are null where nothing was.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Window")]
struct WindowView {
    /// How long a time it covers at most.
    window_seconds: f64,
    /// Attempts that count: successes and errors.
    requests: u64,
    errors: u64,
    error_rate: Option<f64>,
    success_rate: Option<f64>,
    latency_avg_ms: Option<f64>,
    latency_p50_ms: Option<f64>,
    latency_p95_ms: Option<f64>,
    latency_p99_ms: Option<f64>,
    ttft_p50_ms: Option<f64>,
    ttft_p99_ms: Option<f64>,
    input_tokens: u64,
    output_tokens: u64,
    /// Successes whose answer did not tell its tokens: their output is estimated, their input
    /// missing, and the cost is that of the others.
    usage_estimated: u64,
    /// In USD; null: nothing was seen, or the version has no price.
    cost_per_1k_tokens: Option<f64>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "RuleStatus")]
struct RuleView {
    /// Its name.
    id: String,
    version: String,
    /// Checks made.
    checks: u64,
    /// Checks that had too little data.
    no_data: u64,
    /// Checks at which the comparison held.
    breaches: u64,
    firings: u64,
    longest_timer_seconds: f64,
    /// The timer that runs; null: none does.
    timer: Option<TimerView>,
    /// How far a judge had come on the way to a breach when it ceased to look, or has come by now,
    /// 1 of one that found one; null of rules on thresholds.
    progress: Option<f64>,
    /// What a judge has seen; null of rules on thresholds, and where it no longer looks.
    judge: Option<JudgementView>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "BreachTimer")]
struct TimerView {
    /// The check at which the comparison began to hold, in RFC 3339.
    since: String,
    /// For how long it has been seen to hold.
    held_seconds: f64,
    /// For how long it must hold for the rule to fire.
    duration_seconds: f64,
}

/// What of a version is worked out when the engine is free again.
struct Seen {
    status: StatusWord,
    weight: f64,
    tags: Vec<String>,
    is_reachable: bool,
    rollback_target: Option<String>,
    price: Option<Price>,
    /// How often it has been activated.
    life: u32,
    route: Arc<VersionRoute>,
}

/// What a judge of each of the model's rules has seen, in their order.
type Judgements = Vec<Option<Judgement>>;

/// How far back the figures of versions reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Span {
    /// The last minute.
    Minute,
    /// And how that was at instants of the ten minutes before.
    TenMinutes,
}

impl StatusView {
    /// How `models` stand.
    pub(super) fn of(
        desk: &Desk,
        models: &[(ModelId, ModelIndex)],
        pasts: &Pasts,
        span: Span,
    ) -> Self {
        let now = desk.now();
        let none = Past::default();
        let one = |(id, index): &(ModelId, ModelIndex)| {
            let past = pasts.get(id).map_or(&none, |past| &**past);
            ModelView::of(desk, (id, *index), past, (now, span))
        };
        let journal_entries = desk.with(|inner, _| inner.engine.entries());
        Self { at: now.to_string(), journal_entries, models: models.iter().map(one).collect() }
    }
}

impl ModelView {
    fn of(
        desk: &Desk,
        (id, index): (&ModelId, ModelIndex),
        past: &Past,
        (now, span): (Timestamp, Span),
    ) -> Self {
        let ((mut view, judgements), seen, limited_is_error) = desk.with(|inner, _| {
            let rules = inner.engine.rules(index);
            let limited = rules.is_some_and(|rules| rules.classification.rate_limited_is_error);
            (Self::of_engine(inner, id, index, past), seen(inner, index), limited)
        });
        for (rule, judgement) in view.rules.iter_mut().zip(judgements) {
            rule.judge = judgement.map(JudgementView::from);
        }
        let history = |recent: &Recent| match span {
            Span::Minute => Vec::new(),
            Span::TenMinutes => recent
                .history()
                .into_iter()
                .map(|point| PointView::of(point, limited_is_error))
                .collect(),
        };
        let state = |seen: Seen| VersionStateView {
            id: seen.route.id.to_string(),
            status: seen.status,
            weight: seen.weight,
            tags: seen.tags,
            reachable: seen.is_reachable,
            rollback_target: seen.rollback_target,
            in_flight: seen.route.meters.in_flight(),
            window: WindowView::of(
                &seen.route.meters.recent.sum(now),
                limited_is_error,
                seen.price,
            ),
            latency: seen.route.meters.recent.so_far(seen.life).as_ref().map(LatencyView::from),
            history: history(&seen.route.meters.recent),
        };
        Self { versions: seen.into_iter().map(state).collect(), ..view }
    }

    /// Without what is kept of the versions, and with what is put into words when the engine is
    /// free again.
    fn of_engine(
        inner: &Inner,
        id: &ModelId,
        index: ModelIndex,
        past: &Past,
    ) -> (Self, Judgements) {
        let engine = &inner.engine;
        let name = |slot: Slot| {
            let catalog = engine.catalog(index);
            catalog.map_or_else(String::new, |catalog| catalog.id(slot).to_string())
        };
        let versions = engine.versions(index);
        let deployed = versions.iter().filter(|version| version.weight.get() > 0.0);
        let split = deployed.map(|v| (v.version.id.to_string(), v.weight.get())).collect();
        let rollout = engine.rollout(index).map_or_else(RolloutView::none, |rollout| {
            let (state, stage) = state_word(rollout.state());
            RolloutView {
                state,
                number: rollout.number(),
                version: rollout.version().map(name),
                step: stage,
                step_weight: rollout.step_weight().map(Ratio::get),
            }
        });
        let breaches = engine.breaches(index);
        let rule = |(trigger, slot, health): (usize, Slot, Health)| {
            let rules = engine.rules(index);
            let found = rules.and_then(|rules| rules.triggers.get(trigger));
            let id = found.map_or_else(String::new, |trigger| trigger.id.clone());
            let is_its = |breach: &&Breach| (breach.trigger, breach.version) == (trigger, slot);
            let timer = breaches.iter().find(is_its).map(TimerView::from);
            RuleView::new(id, name(slot), health, timer)
        };
        let health = engine.health(index);
        let mut judgements = engine.judgements(index);
        let judgement = |(trigger, slot, _): &(usize, Slot, Health)| {
            let is_its = |one: &Judgement| (one.trigger, one.version) == (*trigger, *slot);
            let place = judgements.iter().position(is_its)?;
            Some(judgements.swap_remove(place))
        };
        let judgements = health.iter().map(judgement).collect();
        let view = Self {
            model: id.to_string(),
            stable: engine.stable(index).map(name),
            rollback_target: engine.last_stable(index).map(name),
            split,
            rollout,
            in_flight: engine.in_flight(index),
            versions: Vec::new(),
            rules: health.into_iter().map(rule).collect(),
            last_rollback: past.last_rollback.clone(),
            last_refusal: past.last_refusal.clone(),
            warnings: warnings(engine, index, past),
        };
        (view, judgements)
    }
}

impl RolloutView {
    const fn none() -> Self {
        Self { state: "idle", number: 0, version: None, step: None, step_weight: None }
    }
}

impl RuleView {
    fn new(id: String, version: String, health: Health, timer: Option<TimerView>) -> Self {
        let Health { checks, no_data, breaches, firings, longest_timer, progress } = health;
        let longest_timer_seconds = longest_timer.as_secs_f64();
        Self {
            id,
            version,
            checks,
            no_data,
            breaches,
            firings,
            longest_timer_seconds,
            timer,
            progress: progress.map(Ratio::get),
            judge: None,
        }
    }
}

impl From<&Breach> for TimerView {
    fn from(breach: &Breach) -> Self {
        Self {
            since: breach.since.to_string(),
            held_seconds: breach.held.as_secs_f64(),
            duration_seconds: breach.duration.as_secs_f64(),
        }
    }
}

impl PointView {
    fn of(point: Point, limited_is_error: bool) -> Self {
        Self {
            at: point.at.to_string(),
            error_rate: point.counts.error_rate(limited_is_error),
            latency_p99_ms: point.p99.map(Duration::as_millis_f64),
        }
    }
}

impl WindowView {
    fn of(sum: &Slice, limited_is_error: bool, price: Option<Price>) -> Self {
        let (errors, requests) = sum.counts.judged(limited_is_error);
        let error_rate = sum.counts.error_rate(limited_is_error);
        let millis = |time: Option<Duration>| time.map(Duration::as_millis_f64);
        let tokens = sum.input_tokens + sum.told_output_tokens;
        let cost = price.filter(|_| tokens > 0).map(|price| {
            price.cost(sum.input_tokens, sum.told_output_tokens).as_usd() * 1_000.0 / tokens as f64
        });
        Self {
            window_seconds: Recent::WINDOW.as_secs_f64(),
            requests,
            errors,
            error_rate,
            success_rate: error_rate.map(|_| sum.counts.successes as f64 / requests as f64),
            latency_avg_ms: millis(sum.latencies.mean()),
            latency_p50_ms: millis(sum.latencies.quantile(500)),
            latency_p95_ms: millis(sum.latencies.quantile(950)),
            latency_p99_ms: millis(sum.latencies.quantile(990)),
            ttft_p50_ms: millis(sum.first_tokens.quantile(500)),
            ttft_p99_ms: millis(sum.first_tokens.quantile(990)),
            input_tokens: sum.input_tokens,
            output_tokens: sum.output_tokens,
            usage_estimated: sum.estimated,
            cost_per_1k_tokens: cost,
        }
    }
}

fn seen(inner: &Inner, index: ModelIndex) -> Vec<Seen> {
    let routes = &inner.routes[usize::from(index.0)];
    let engine = &inner.engine;
    let watched = watched(engine, index);
    let target_of = |version: Slot| {
        let target =
            watched.contains(&version).then(|| engine.rollback_target(index, None, version));
        let id = engine.catalog(index).zip(target?.ok());
        id.map(|(catalog, target)| catalog.id(target).to_string())
    };
    let one = |version: crate::engine::VersionStatus<'_>| {
        Some(Seen {
            status: version.status.into(),
            rollback_target: target_of(version.slot),
            weight: version.weight.get(),
            tags: version.tags.iter().map(ToString::to_string).collect(),
            is_reachable: version.is_reachable,
            price: version.version.price,
            life: engine.life(index, version.slot),
            route: Arc::clone(routes.get(usize::from(version.slot.0))?),
        })
    };
    engine.versions(index).into_iter().filter_map(one).collect()
}

/// A state in a word, and its step, counted from 1.
fn state_word(state: RolloutState) -> (&'static str, Option<u32>) {
    let counted = |stage: crate::engine::StageIndex| Some(u32::from(stage.0) + 1);
    match state {
        RolloutState::Idle => ("idle", None),
        RolloutState::Stepping(stage) => ("stepping", counted(stage)),
        RolloutState::Paused(stage) => ("paused", counted(stage)),
        RolloutState::Promoted => ("promoted", None),
        RolloutState::RolledBack => ("rolled_back", None),
        RolloutState::Aborted => ("aborted", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{Ending, Observed};
    use crate::units::Money;

    #[test]
    fn shares_and_costs_of_a_window_are_those_of_what_was_seen() {
        let recent = Recent::default();
        let at = Timestamp::from_second(100);
        let success = Observed::without_answer(Ending::Success, Duration::from_millis(40));
        let usage = crate::exchange::Usage {
            input: crate::units::Tokens::new(600),
            output: crate::units::Tokens::new(400),
        };
        recent.record(None, at, &Observed { usage, ..success });
        recent.record(None, at, &Observed::without_answer(Ending::Status(429), Duration::ZERO));
        let price = Some(Price::blended(Money::from_pico_usd(8_000_000_000)));
        let window = WindowView::of(&recent.sum(at), true, price);
        assert_eq!((window.requests, window.errors, window.error_rate), (2, 1, Some(0.5)));
        assert_eq!((window.latency_avg_ms, window.cost_per_1k_tokens), (Some(40.0), Some(0.008)));
        let lenient = WindowView::of(&recent.sum(at), false, None);
        assert_eq!((lenient.requests, lenient.error_rate), (1, Some(0.0)));
        assert_eq!(lenient.cost_per_1k_tokens, None);
        let nothing = WindowView::of(&Slice::default(), true, price);
        assert_eq!((nothing.error_rate, nothing.cost_per_1k_tokens), (None, None));
    }
}
