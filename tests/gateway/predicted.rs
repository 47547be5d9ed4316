//! What a rehearsal predicts is what the gateway does: one scenario, a canary that breaks down at a
//! given second, played by the simulator and served by the gateway at the same rate. The rule must
//! take the canary back at the same check.
//!
//! The gateway's clock runs fast, and everything hangs on it, the upstream's breakdown too: what a
//! busy machine delays is delayed in seconds of that clock. The canary fails each request from the
//! breakdown on and none before, so that the check at which the rule fires hangs neither on how many
//! requests came by then nor on when exactly. There is no tolerance in the time of the rollback, but
//! some must come in each window: nothing may stand still for most of one, 2.7 s on the wall.

use std::path::Path;
use std::sync::Arc;

use coalmine::clock::{TimeScale, WallClock};
use coalmine::engine::{Evidence, Reading};
use coalmine::run::run_virtual;
use coalmine::scenario::{Document, load};
use coalmine::units::{Duration, Timestamp};
use serde_json::Value;

use crate::upstream::{Step, Upstream, answer, json as json_response};
use crate::world::{NoFiles, World, ask, two};

/// Between two checks, in seconds; a window is as long.
const INTERVAL: u64 = 60;
/// For how long a breach must hold.
const DURATION: u64 = 60;
/// When the canary breaks down, after the activation.
const BREAKDOWN: u64 = 66;
/// Requests in a second, half of them the canary's.
const RATE: u64 = 4;
/// How fast the gateway's clock runs.
const TIMES: f64 = 20.0;
/// Connections that requests come on in turns, so that no answer keeps the next request waiting.
const CONNECTIONS: u64 = 8;

/// What either says of the rollback.
#[derive(PartialEq, Debug)]
struct Rollback {
    /// After the activation.
    at: Duration,
    first_breach: Duration,
    held: Duration,
    version: String,
    target: String,
    /// The share of errors in the last window.
    share: f64,
}

/// The first check after the breakdown sees some failures, and any is too many; from there on the
/// breach must have been seen to hold for the duration, which is so many checks more.
fn by_formula() -> Rollback {
    let found = (BREAKDOWN / INTERVAL + 1) * INTERVAL;
    let fires = found + DURATION.div_ceil(INTERVAL) * INTERVAL;
    Rollback {
        at: Duration::from_secs(fires),
        first_breach: Duration::from_secs(found),
        held: Duration::from_secs(fires - found),
        version: "v2".to_owned(),
        target: "v1".to_owned(),
        share: 1.0,
    }
}

#[test]
fn a_canary_that_breaks_down_under_load_is_taken_back_at_the_check_that_was_predicted() {
    let predicted = simulated();
    assert_eq!(predicted, by_formula());
    assert_eq!(served(), predicted);
}

/// The rules of both.
fn rules() -> String {
    format!(
        "    assignment: even
    rules:
      conditions:
        - {{metric: error_rate, operator: '>', threshold: 0.005, duration_seconds: {DURATION},
           check_interval_seconds: {INTERVAL}, window_seconds: {INTERVAL}, min_requests: 1,
           action: rollback_to_last_stable}}
"
    )
}

impl Rollback {
    fn new(at: Timestamp, target: &str, evidence: &Evidence, start: Timestamp) -> Self {
        let Reading::Share { hits, requests, .. } = evidence.reading else {
            panic!("{evidence:?}")
        };
        assert_eq!(evidence.check, at, "it takes effect at the check that fires");
        Self {
            at: at.since(start),
            first_breach: evidence.first_breach.since(start),
            held: evidence.held,
            version: evidence.version.to_string(),
            target: target.to_owned(),
            share: hits as f64 / requests as f64,
        }
    }
}

/// As the simulator plays it.
fn simulated() -> Rollback {
    let requests = RATE * (by_formula().at.as_secs() + INTERVAL);
    let text = format!(
        "schema: 1
name: predicted
workload: {{arrivals: {{constant: {RATE}/s}}, requests: {requests}, tokens: {{input: 10, output: 10}}}}
models:
  gpt-4:
    versions:
      v1: {{tags: [stable], upstream: {{latency: 2ms}}}}
      v2: {{upstream: {{latency: 2ms}}}}
{}phases:
  - name: all
    for: rest
    split: {{v1: 50%, v2: 50%}}
    faults: {{v2: [{{at: {BREAKDOWN}s, failures: {{\"500\": 100%}}}}]}}
",
        rules()
    );
    let document = Document {
        path: Path::new("predicted.yaml"),
        bytes: text.as_bytes(),
        settings: &[],
        working_directory: Path::new("/"),
        allow_outside: true,
    };
    let loaded = load(document, &NoFiles).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let record = run_virtual(&loaded.scenario, 1, Vec::new(), &mut |_| {}).unwrap().record;
    let [rollback] = &record.rollbacks[..] else { panic!("{:?}", record.rollbacks) };
    let target = record.models[0].versions[usize::from(rollback.target.0)].id.to_string();
    Rollback::new(rollback.at, &target, &rollback.evidence, record.start)
}

/// As the gateway serves it.
fn served() -> Rollback {
    let clock = WallClock::new(TimeScale::new(TIMES).unwrap());
    let stable = Upstream::plain();
    // The activation is only known when the gateway has begun: nothing comes before that.
    let breakdown = Arc::new(std::sync::OnceLock::new());
    let breaks_down = Arc::clone(&breakdown);
    let canary = Upstream::new(move |_, came| {
        let at: &Timestamp = breaks_down.get().unwrap();
        let fails = clock.now() >= *at;
        vec![Step::Send(if fails { json_response(500, "{}") } else { answer(came) })]
    });
    let yaml = two(&stable.url(), &canary.url(), "{v1: 50%, v2: 50%}", &rules());
    let world = World::at(&yaml, clock).unwrap();
    let activation = activation(&world);
    breakdown.set(activation + Duration::from_secs(BREAKDOWN)).unwrap();
    let end = activation + by_formula().at + Duration::from_secs(INTERVAL / 4);
    std::thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            scope.spawn({
                let world = &world;
                move || load_on(world, clock, (activation, end), connection)
            });
        }
    });
    let history = world.client().get("/v1/models/gpt-4/history?limit=1000").json();
    let entries = history.as_array().unwrap();
    let rolled_back = |entry: &&Value| !entry["change"]["rolled_back"].is_null();
    let found: Vec<&Value> = entries.iter().filter(rolled_back).collect();
    let [entry] = &found[..] else { panic!("{history}") };
    let evidence = serde_json::from_value(entry["cause"]["trigger"].clone())
        .unwrap_or_else(|error| panic!("{error}: {entry}"));
    let target = entry["change"]["rolled_back"]["target"].as_str().unwrap();
    Rollback::new(time_of(entry), target, &evidence, activation)
}

/// When the versions were activated: as the split came into force, rounded up to a second.
fn activation(world: &World) -> Timestamp {
    let history = world.client().get("/v1/models/gpt-4/history").json();
    let is_split = |entry: &&Value| !entry["change"]["split"].is_null();
    let split = history.as_array().unwrap().iter().find(is_split).unwrap();
    time_of(split).ceil_second()
}

fn time_of(entry: &Value) -> Timestamp {
    let at: jiff::Timestamp = entry["at"].as_str().unwrap().parse().unwrap();
    Timestamp::from_nanos(at.as_nanosecond() as i64)
}

/// Every so many-th request of the workload, each at its time, however long the last one took.
fn load_on(
    world: &World,
    clock: WallClock,
    (from, until): (Timestamp, Timestamp),
    connection: u64,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut client = world.client();
    for number in (connection..).step_by(CONNECTIONS as usize) {
        let at = from + Duration::from_millis(number * 1_000 / RATE);
        if at >= until {
            return;
        }
        runtime.block_on(clock.sleep_until(at));
        client.chat(&ask("gpt-4"));
    }
}
