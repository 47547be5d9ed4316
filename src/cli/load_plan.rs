//! What a load is to send, from the command line, a scenario or a trace.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Seek};
use std::num::NonZeroU32;
use std::path::Path;

use super::exit::Exit;
use super::load_arguments::{ArrivalKind, LoadArguments};
use super::open::{broken_trace_failure, open, open_trace_or_stdin, open_traces, trace_failure};
use super::terminal::Failure;
use crate::arrivals::{Arrivals, Constant, Poisson};
use crate::chance::{Chance, Distribution, Zipf};
use crate::exchange::{Arrival, ModelIndex, Request};
use crate::load::{MessageParts, Schedule};
use crate::scenario::{Scenario, Traffic};
use crate::trace::TraceReader;
use crate::units::{Duration, ModelId, Rate, Ratio, format_counted};
use crate::workload::{
    Part, PlaybackOptions, Population, Replay, Source, SourceError, TokenSizes, TraceInput,
    Workload,
};

/// What is to be sent.
pub(super) struct LoadPlan {
    pub(super) source: Source,
    /// What it is, in words.
    pub(super) words: String,
    /// When nothing more is sent.
    pub(super) until: Option<Duration>,
    /// How many requests to expect, where that is known.
    pub(super) expected: Option<u64>,
    /// The names of models and versions.
    pub(super) models: Vec<String>,
    pub(super) pins: BTreeMap<u16, (ModelIndex, String)>,
    pub(super) seed: u64,
    /// What to say of a schedule that cannot be read on.
    pub(super) broken: Box<dyn Fn(&SourceError) -> Failure>,
}

/// A source whose requests are all streamed, or none.
pub(super) struct Forced {
    pub(super) source: Source,
    pub(super) stream: Option<bool>,
}

impl Schedule for Forced {
    fn next_at(&mut self) -> Result<Option<Duration>, SourceError> {
        Schedule::next_at(&mut self.source)
    }

    fn take(&mut self) -> Option<Arrival> {
        let mut arrival = Schedule::take(&mut self.source)?;
        arrival.request.stream = self.stream.unwrap_or(arrival.request.stream);
        Some(arrival)
    }

    fn completed(&mut self, request: &Request, at: Duration) {
        Schedule::completed(&mut self.source, request, at);
    }

    fn waits_for_answers(&self) -> bool {
        Schedule::waits_for_answers(&self.source)
    }
}

impl LoadPlan {
    /// What the command line asks for.
    pub(super) fn of(arguments: &LoadArguments) -> Result<Self, Failure> {
        match (&arguments.scenario, &arguments.trace) {
            (Some(path), _) => of_scenario(arguments, path),
            (None, Some(path)) => of_trace(arguments, path),
            (None, None) => of_rate(arguments),
        }
    }

    /// The names of what is asked for.
    pub(super) fn names(&self) -> MessageParts {
        let (models, pins) = (self.models.clone(), self.pins.clone());
        MessageParts { models, pins, seed: self.seed, ..MessageParts::default() }
    }
}

fn of_rate(arguments: &LoadArguments) -> Result<LoadPlan, Failure> {
    let model = arguments.model.clone().ok_or_else(|| {
        Failure::usage("error: no model is named: say which one with --model NAME")
    })?;
    let sizes = sizes(arguments.tokens.unwrap_or(TOKENS))?;
    // In a closed loop the times are passed over.
    let rate = arguments.rate.or_else(|| Rate::per(1.0, Duration::from_secs(1)));
    let rate = rate.unwrap_or(Rate::ZERO);
    let arrivals: Arrivals = match arguments.arrivals {
        ArrivalKind::Constant => Constant::new(rate).into(),
        ArrivalKind::Poisson => Poisson::new(rate).into(),
    };
    let paced = match arguments.concurrency {
        Some(_) => "each as soon as one was answered".to_owned(),
        None => arrivals.to_string(),
    };
    let workload = Workload {
        arrivals,
        requests: arguments.requests,
        sizes: vec![sizes.clone()],
        population: population(arguments, 1),
    };
    let until = arguments.length.or_else(|| arguments.requests.is_none().then_some(LENGTH));
    let coming = match arguments.concurrency {
        Some(_) => None,
        None => until.map(|until| (rate.per_second() * until.as_secs_f64()).ceil() as u64),
    };
    let seed = arguments.seed.unwrap_or(SEED);
    Ok(LoadPlan {
        source: Source::generate(&workload, Chance::new(seed, 0)),
        words: format!("{paced}, {sizes}"),
        until,
        expected: coming.into_iter().chain(arguments.requests).min(),
        models: vec![model],
        pins: BTreeMap::new(),
        seed,
        broken: Box::new(|error| Failure::internal(format!("error: {error}"))),
    })
}

fn of_scenario(arguments: &LoadArguments, path: &Path) -> Result<LoadPlan, Failure> {
    let scenario = open(path, &arguments.reading)?.loaded.scenario;
    let is_endless = scenario.traffic.is_endless(None);
    if is_endless && arguments.requests.is_none() && arguments.length.is_none() {
        return Err(Failure::usage(format!(
            "error: the workload of {} does not end: say when it does with --for or --requests",
            path.display()
        )));
    }
    let seed = arguments.seed.unwrap_or(scenario.seed);
    let chance = Chance::new(seed, 0);
    let fewer = |requests: Option<u64>| requests.into_iter().chain(arguments.requests).min();
    let source = match &scenario.traffic {
        Traffic::Generated(workload) => {
            let requests = fewer(workload.requests);
            Source::generate(&Workload { requests, ..workload.clone() }, chance)
        }
        Traffic::Replayed { replay, .. } => {
            let requests = fewer(replay.requests);
            let replay = Replay { requests, ..replay.clone() };
            Source::replay(open_traces(&scenario)?, &replay, chance)
                .map_err(|error| trace_failure(&scenario, &error))?
        }
    };
    let models = scenario.models.iter().map(|model| model.id.to_string());
    let models = match &arguments.model {
        Some(name) => models.map(|_| name.clone()).collect(),
        None => models.collect(),
    };
    let expected = match &scenario.traffic {
        Traffic::Generated(workload) if arguments.length.is_none() => workload.expected_requests(),
        _ => None,
    };
    let pins = if arguments.model.is_none() { pins(&scenario) } else { BTreeMap::new() };
    Ok(LoadPlan {
        source,
        words: format!("the workload of the scenario {}", scenario.name),
        until: arguments.length,
        expected: fewer(expected),
        models,
        pins,
        seed,
        broken: Box::new(move |error| trace_failure(&scenario, error)),
    })
}

/// The versions that clients of a scenario ask for, as a gateway takes their names.
fn pins(scenario: &Scenario) -> BTreeMap<u16, (ModelIndex, String)> {
    let clients = scenario.population().clients.iter().zip(0_u16..);
    let pinned = clients.filter_map(|(client, number)| {
        let pin = client.pin.as_ref()?;
        let model = scenario.models.get(usize::from(pin.model.0))?;
        Some((number, (pin.model, format!("{}@{}", model.id, pin.version.as_str()))))
    });
    pinned.collect()
}

fn of_trace(arguments: &LoadArguments, path: &Path) -> Result<LoadPlan, Failure> {
    let mut input = open_trace_or_stdin(path)?;
    let found = Found::of(&mut input, path)?;
    input.rewind().map_err(|error| Failure::internal(format!("error: {error}")))?;
    let names = match (&arguments.model, found.models.is_empty()) {
        (Some(name), _) => vec![name.clone(); found.models.len().max(1)],
        (None, true) => {
            return Err(Failure::usage(format!(
                "error: {} names no model: say which one is asked for with --model NAME",
                path.display()
            )));
        }
        (None, false) => found.models.iter().map(ToString::to_string).collect(),
    };
    let options = PlaybackOptions {
        window: arguments.window,
        speed: arguments.speed.unwrap_or(1.0),
        ..PlaybackOptions::default()
    };
    let replay = Replay {
        parts: vec![Part::Recorded(options)],
        requests: arguments.requests,
        sizes: arguments.tokens.map(sizes).transpose()?.into_iter().collect(),
        population: population(arguments, found.models.len().max(1)),
        models: found.models,
        recorded: Vec::new(),
        needs_sessions: false,
    };
    let seed = arguments.seed.unwrap_or(SEED);
    let shown = path.to_owned();
    let broken = move |failed: &SourceError| broken_trace_failure(&shown, &failed.error);
    let source = Source::replay(vec![input], &replay, Chance::new(seed, 0))
        .map_err(|error| broken(&error))?;
    let rows = format_counted(found.rows, "row", "rows");
    let speed =
        arguments.speed.map_or_else(String::new, |times| format!(", {times} times as fast"));
    let whole = arguments.window.is_none() && arguments.length.is_none();
    Ok(LoadPlan {
        source,
        words: format!("the trace {}, {rows}{speed}", super::open::trace_name(path)),
        until: arguments.length,
        expected: whole.then_some(found.rows).into_iter().chain(arguments.requests).min(),
        models: names,
        pins: BTreeMap::new(),
        seed,
        broken: Box::new(broken),
    })
}

/// What a trace holds, before it is replayed.
struct Found {
    rows: u64,
    models: Vec<ModelId>,
}

impl Found {
    fn of(input: &mut TraceInput, path: &Path) -> Result<Self, Failure> {
        Self::read(input).map_err(|error| match error {
            Some(error) => broken_trace_failure(path, &error),
            None => Failure {
                exit: Exit::InvalidInput,
                message: format!("error: {} names more than 1,000 models", path.display()),
            },
        })
    }

    fn read(input: impl BufRead) -> Result<Self, Option<crate::trace::TraceError>> {
        let (mut rows, mut models) = (0, BTreeSet::new());
        let mut reader = TraceReader::new(input).map_err(Some)?;
        while let Some(record) = reader.next_record().map_err(Some)? {
            rows += 1;
            if let Some(model) = record.model.filter(|model| !models.contains(model)) {
                models.insert(model);
            }
            if models.len() > MOST_MODELS {
                return Err(None);
            }
        }
        Ok(Self { rows, models: models.into_iter().collect() })
    }
}

fn sizes([input, output]: [u32; 2]) -> Result<TokenSizes, Failure> {
    let constant = |tokens| Distribution::constant(f64::from(tokens)).map_err(Failure::internal);
    Ok(TokenSizes::independent(constant(input)?, constant(output)?))
}

/// Users who ask for the first of the models, where a trace does not say which.
fn population(arguments: &LoadArguments, models: usize) -> Population {
    let users = NonZeroU32::new(arguments.users).unwrap_or(NonZeroU32::MIN);
    let mut shares = vec![Ratio::ZERO; models];
    shares[0] = Ratio::ONE;
    Population { users: Zipf::uniform(users), models: shares, ..Population::of_users(users) }
}

/// Tokens of prompts and answers, unless others are named.
const TOKENS: [u32; 2] = [600, 200];
/// How long is sent where nobody says. As wrk has it.
const LENGTH: Duration = Duration::from_secs(10);
const SEED: u64 = 1;
/// Chosen: what a plan can tell apart many times over; a column of something else has more.
const MOST_MODELS: usize = 1_000;
