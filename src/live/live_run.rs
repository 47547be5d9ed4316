//! One live run, from its plan to its record.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

use super::client_meter::ClientMeter;
use super::conductor::Conductor;
use super::error::LiveError;
use super::far::{Far, FarEnd};
use super::live_settings::LiveSettings;
use super::live_watch::LiveWatch;
use super::notice::Notice;
use super::overheads::Overheads;
use super::pace::Pace;
use super::requests::Requests;
use super::rule_numbers::RuleNumbers;
use super::secrets::Secrets;
use super::shadows::Shadows;
use super::stage::{Stage, Tellers};
use super::unfit::unfit;
use crate::chance::Chance;
use crate::clock::TimeScale;
use crate::director::{Director, Meant};
use crate::load::{Control, LoadSettings, Pacing, Patience, generate};
use crate::mock::MockNews;
use crate::record::{Record, Recorder};
use crate::run::{
    FIRST_RUN, GatewayFacts, LiveFacts, Overhead, Rehearsal, TraceReport, header, rule_health,
    source_of, trace_reports,
};
use crate::scenario::Scenario;
use crate::upstream::Limits;
use crate::workload::{Source, TraceInput};

/// Plays `scenario` under `seed` over HTTP: see the [module](super). `traces` are those that it
/// replays, in the order of their files in the plan.
///
/// # Errors
/// The scenario has what servers cannot be made to play, a trace is broken, the machine fails, or
/// somebody asks for the end. A gateway elsewhere is left as it was found, as far as that can be.
///
/// # Panics
/// There are not as many traces as the scenario replays: a bug of the caller.
pub fn run_live(
    scenario: &Scenario,
    seed: u64,
    traces: Vec<TraceInput>,
    settings: &LiveSettings,
    mut watch: LiveWatch<'_>,
) -> Result<Rehearsal, LiveError> {
    let reasons = unfit(scenario);
    if !reasons.is_empty() {
        return Err(LiveError::Unfit(reasons));
    }
    if settings.elsewhere.is_some() && settings.scale != TimeScale::REAL {
        let times = settings.scale.times();
        return Err(LiveError::Unfit(vec![format!(
            "its time cannot run {times} times as fast as the wall's: the clock of a gateway \
             elsewhere does not"
        )]));
    }
    let chance = Chance::new(seed, FIRST_RUN);
    let source = source_of(scenario, traces, chance)?;
    let (conductor, inbox) = channel();
    let (news, heard) = channel();
    let rules = Arc::<Mutex<RuleNumbers>>::default();
    let tellers = Tellers { conductor: conductor.clone(), news, rules: Arc::clone(&rules) };
    let plan = Arc::new(scenario.clone());
    let stage = match &settings.elsewhere {
        None => Stage::set_up(&plan, (seed, chance), settings, tellers)?,
        Some(elsewhere) => {
            let place = (elsewhere, settings.threads);
            Stage::set_up_elsewhere(scenario, seed, place, tellers, &heard, watch.is_asked_to_stop)?
        }
    };
    let scenario = Arc::new(started(scenario, &stage));
    let set = Set { scenario: &scenario, stage: &stage, seed };
    let heard = Heard { conductor, inbox, mock: heard, rules };
    let played = play(&set, source, heard, &mut watch);
    let within = stage.elsewhere().map(|(far, _)| far.time.within);
    let left = stage.take_down();
    let behind = left.as_ref().map(|left| left.behind.clone()).unwrap_or_default();
    let played = played.map_err(|error| error.having_left(behind))?;
    let (Played { record, overheads, traces, far }, left) = (played, left?);
    let mut live = facts(settings, &overheads, Overhead::of(left.lateness.sent()));
    live.gateway = settings.elsewhere.as_ref().map(|elsewhere| GatewayFacts {
        url: elsewhere.url.clone(),
        clock_within: within.unwrap_or_default(),
        strangers: left.strangers,
        contradicted: far.contradicted,
        own_answers: far.own_answers,
        notes: far.notes,
        doubts: far.doubts,
        left: left.behind.models,
        keys_left: left.behind.keys.iter().map(ToString::to_string).collect(),
    });
    Ok(Rehearsal { record, traces, live: Some(live) })
}

/// What a run is played with.
#[derive(Clone, Copy)]
struct Set<'a> {
    scenario: &'a Arc<Scenario>,
    stage: &'a Stage,
    seed: u64,
}

/// What is told, and by what.
struct Heard {
    conductor: Sender<Notice>,
    inbox: Receiver<Notice>,
    mock: Receiver<MockNews>,
    rules: Arc<Mutex<RuleNumbers>>,
}

/// What a run has left behind.
struct Played {
    record: Record,
    overheads: Overheads,
    traces: Vec<TraceReport>,
    /// Of a gateway elsewhere alone.
    far: FarEnd,
}

/// Plays the requests of `source`.
fn play(
    set: &Set<'_>,
    source: Source,
    heard: Heard,
    watch: &mut LiveWatch<'_>,
) -> Result<Played, LiveError> {
    let Set { scenario, stage, seed } = *set;
    let clock = stage.clock;
    let Heard { conductor, inbox, mock, rules } = heard;
    let message = stage.message(scenario, seed)?;
    let pace = Pace::new(source, scenario.start, conductor.clone());
    let clients = scenario.population().clients.iter().map(|client| client.key.clone());
    let control = Control::default();
    // Of a gateway elsewhere the conductor hears the mock itself.
    let (mock, far_mock) = match stage.elsewhere() {
        None => (mock, None),
        Some((far, entries)) => (channel().1, Some((mock, far.whose(), entries))),
    };
    let far = far_mock.map(|(mock, whose, entries)| Far::new(scenario, whose, mock, entries));
    let mut conducting = Conductor {
        scenario,
        stage,
        clock,
        director: Director::new(scenario),
        meant: Meant::default(),
        pace: pace.clone(),
        control: control.clone(),
        inbox,
        requests: Requests::new(mock),
        shadows: Shadows::new(scenario, Chance::new(seed, FIRST_RUN)),
        recorder: Recorder::new(header(scenario, seed)),
        rules,
        present: scenario.models.iter().map(|model| model.rules.clone()).collect(),
        ended: Vec::new(),
        secrets: Secrets::new(clients.zip(stage.keys.iter().cloned()).collect()),
        keys: message.keys(),
        far,
        latest: scenario.start,
        heard: scenario.start,
        is_over: false,
    };
    conducting.begin(watch)?;
    let meter = ClientMeter { scenario: Arc::clone(scenario), conductor };
    let load = LoadSettings {
        target: stage.target(),
        message,
        clock,
        start: Some(scenario.start),
        pacing: Pacing::Open,
        most_in_flight: MOST_IN_FLIGHT,
        until: None,
        patience: patience(scenario.limits),
    };
    let loading = begin_load(load, pace.clone(), meter, &control)?;
    let conducted = conducting.conduct(watch);
    // After its end that does nothing.
    control.stop();
    let _ = loading.join();
    conducting.break_off(conducted)?;
    let (end, health) = (conducting.latest, conducting.last_health()?);
    let Conductor { recorder, requests, shadows, far, .. } = conducting;
    let far = far.map(Far::end).unwrap_or_default();
    let record = recorder.finish(end, rule_health(scenario, &health), shadows.bursts(end));
    let traces = pace.with_source(|source| trace_reports(scenario, source));
    Ok(Played { record, overheads: requests.overheads, traces, far })
}

/// The plan with the time at which it really begins: later than it says where setting up took long,
/// and in the time of a gateway elsewhere.
fn started(scenario: &Scenario, stage: &Stage) -> Scenario {
    Scenario { start: stage.start(), ..scenario.clone() }
}

fn begin_load(
    settings: LoadSettings,
    pace: Pace,
    meter: ClientMeter,
    control: &Control,
) -> Result<JoinHandle<()>, LiveError> {
    let control = control.clone();
    let conductor = meter.conductor.clone();
    let generating = move || {
        let observers = vec![meter];
        let ended = generate(settings, pace, observers, &control).map(drop);
        // Nobody listens any more where the run has failed.
        let _ = conductor.send(Notice::Over(Box::new(ended)));
    };
    Ok(Builder::new().name("load".to_owned()).spawn(generating)?)
}

/// How long clients wait. Where the gateway waits as long as they do it is the first to give up, as
/// it is in a simulation.
fn patience(limits: Limits) -> Patience {
    let total = if limits.client == limits.upstream {
        limits.client.mul_f64(AFTER_THE_GATEWAY)
    } else {
        limits.client
    };
    Patience { connect: total, idle: None, total }
}

fn facts(settings: &LiveSettings, overheads: &Overheads, upstream_lateness: Overhead) -> LiveFacts {
    let [overhead, service_overhead] = overheads.added(settings.scale);
    LiveFacts {
        speed: settings.scale.times(),
        dispatch_lag: overheads.dispatch_lag(settings.scale),
        upstream_lateness,
        overhead,
        service_overhead,
        lag_limit: settings.lag_limit,
        lost: overheads.lost,
        gateway: None,
    }
}

/// How many requests may be under way. Chosen: as many as sockets can be had.
const MOST_IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(20_000).unwrap();
/// Chosen: above what a timer is late by.
const AFTER_THE_GATEWAY: f64 = 1.05;
