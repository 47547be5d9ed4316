//! A load that is generated against a server of the test.

use std::num::{NonZeroU32, NonZeroUsize};

use coalmine::arrivals::{Arrivals, Constant};
use coalmine::chance::{Chance, Distribution};
use coalmine::clock::{TimeScale, WallClock};
use coalmine::exchange::{Ending, Finish, Usage};
use coalmine::load::{
    Control, Finished, Load, LoadMeter, LoadSettings, Message, MessageParts, Observer, Pacing,
    Patience, Target, generate,
};
use coalmine::units::{Duration, Rate, Ratio, Timestamp};
use coalmine::workload::{Population, Source, TokenSizes, Workload};

/// A request as its observer was told of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Told {
    pub(crate) number: u64,
    pub(crate) intended: Timestamp,
    pub(crate) ending: Ending,
    pub(crate) status: Option<u16>,
    pub(crate) lag: Duration,
    pub(crate) latency: Duration,
    pub(crate) service_time: Duration,
    pub(crate) first_token: Option<Duration>,
    pub(crate) last_token: Option<Duration>,
    pub(crate) gaps: Vec<Duration>,
    pub(crate) usage: Option<Usage>,
    pub(crate) output: u32,
    pub(crate) finish: Option<Finish>,
    pub(crate) served: Option<String>,
    pub(crate) assigned: Option<String>,
    pub(crate) is_new: bool,
    pub(crate) bytes: [u64; 2],
    pub(crate) cause: Option<String>,
}

/// Keeps what it is told, and measures it.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) told: Vec<Told>,
    pub(crate) meter: LoadMeter,
}

impl Observer for Notes {
    fn ended(&mut self, finished: &Finished<'_>) {
        self.meter.ended(finished);
        self.told.push(Told {
            number: finished.number,
            intended: finished.intended,
            ending: finished.ending,
            status: finished.status,
            lag: finished.lag(),
            latency: finished.latency(),
            service_time: finished.service_time(),
            first_token: finished.first_token(),
            last_token: finished.last_content.map(|at| at.since(finished.intended)),
            gaps: finished.gaps.to_vec(),
            usage: finished.usage,
            output: finished.output.get(),
            finish: finished.finish,
            served: finished.served.map(str::to_owned),
            assigned: finished.assigned.map(str::to_owned),
            is_new: finished.connect.is_some(),
            bytes: [finished.bytes_sent, finished.bytes_received],
            cause: finished.cause.map(str::to_owned),
        });
    }
}

/// What is sent, and how.
pub(crate) struct World {
    pub(crate) target: Target,
    pub(crate) parts: MessageParts,
    pub(crate) arrivals: Arrivals,
    pub(crate) requests: u64,
    pub(crate) stream: bool,
    pub(crate) pacing: Pacing,
    pub(crate) most_in_flight: usize,
    pub(crate) threads: usize,
    pub(crate) patience: Patience,
    pub(crate) until: Option<Duration>,
    pub(crate) control: Control,
}

impl World {
    /// So many requests, a thousand a second, for plain answers.
    pub(crate) fn new(url: &str, requests: u64) -> Self {
        Self {
            target: Target::new(url).unwrap(),
            parts: MessageParts { models: vec!["m".to_owned()], ..MessageParts::default() },
            arrivals: Constant::new(Rate::per(1_000.0, Duration::from_secs(1)).unwrap()).into(),
            requests,
            stream: false,
            pacing: Pacing::Open,
            most_in_flight: 10_000,
            threads: 1,
            patience: Patience::default(),
            until: None,
            control: Control::default(),
        }
    }

    pub(crate) fn closed(self, concurrency: usize) -> Self {
        let concurrency = NonZeroUsize::new(concurrency).unwrap();
        Self { pacing: Pacing::Closed { concurrency }, ..self }
    }

    /// Generates it; what was told is in the order of the requests' numbers.
    pub(crate) fn load(self) -> (Load<()>, Notes) {
        let tokens = |count| Distribution::constant(count).unwrap();
        let stream = if self.stream { Ratio::ONE } else { Ratio::ZERO };
        let workload = Workload {
            arrivals: self.arrivals,
            requests: Some(self.requests),
            sizes: vec![TokenSizes::independent(tokens(12.0), tokens(7.0))],
            population: Population { stream, ..Population::of_users(NonZeroU32::new(9).unwrap()) },
        };
        let source = Source::generate(&workload, Chance::new(1, 0));
        let settings = LoadSettings {
            start: None,
            target: self.target,
            message: Message::new(&self.parts).unwrap(),
            clock: WallClock::new(TimeScale::REAL),
            pacing: self.pacing,
            most_in_flight: NonZeroUsize::new(self.most_in_flight).unwrap(),
            until: self.until,
            patience: self.patience,
        };
        let observers = (0..self.threads).map(|_| Notes::default()).collect();
        let load = generate(settings, source, observers, &self.control).unwrap();
        let mut all = Notes::default();
        for notes in load.observers {
            all.meter.merge(&notes.meter);
            all.told.extend(notes.told);
        }
        all.told.sort_by_key(|told| told.number);
        let Load { start, ended, sent, unfinished, is_closed, .. } = load;
        (Load { observers: Vec::new(), start, ended, sent, unfinished, is_closed }, all)
    }
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
