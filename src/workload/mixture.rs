//! Generated and recorded requests side by side: the parts of a [`Replay`], the earliest first.
//!
//! Each part has places of its own among the processes, so that what it sends does not depend on
//! the others, and all its draws are its own.

use super::answers::Answers;
use super::generated::generated;
use super::identity::Identities;
use super::playback::PlaybackOptions;
use super::replay::{Part, Replay};
use super::replayed::{Numbers, Replayed, Seat, TraceInput, place_of};
use super::tokens::SizeSamplers;
use crate::arrivals::{ArrivalTimes, Taken};
use crate::chance::Chance;
use crate::exchange::{Arrival, ModelIndex};
use crate::trace::{TraceError, TraceErrorKind, TracePlace, TraceReader, TraceRecord};
use crate::units::{Duration, RequestId};

/// What is wrong with one of the traces of a workload.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct SourceError {
    /// Which trace, of those of the workload in their order.
    pub trace: usize,
    /// What is wrong with it.
    pub error: TraceError,
}

/// The parts of a workload as they are sent.
pub(super) struct Mixture {
    parts: Vec<Running>,
    /// What versions answered in the traces.
    answers: Answers,
}

enum Running {
    Generated(ArrivalTimes),
    Recorded(Box<Replayed>),
}

impl Mixture {
    /// The parts of `replay` with the traces that they replay, in their order. The users of closed
    /// arrivals count from `first_user`.
    ///
    /// # Errors
    /// A trace cannot be read, or is in no known format.
    ///
    /// # Panics
    /// There are not as many traces as parts that replay one.
    pub(super) fn new(
        replay: &Replay,
        traces: Vec<TraceInput>,
        chance: Chance,
        first_user: u32,
    ) -> Result<Self, SourceError> {
        let (wanted, given) = (replay.traces().count(), traces.len());
        assert!(wanted == given, "{given} traces for {wanted} parts that replay one");
        let is_alone = replay.parts.len() == 1;
        let (answers, traces) = look_ahead(replay, traces)?;
        let mut traces = (0..).zip(traces);
        let mut users = first_user;
        let recorded = |place: usize, options: PlaybackOptions, trace: usize, input: TraceInput| {
            let numbers = match is_alone {
                true => Numbers::Own,
                false => Numbers::InTurns { trace: trace as u32, traces: wanted as u32 },
            };
            let reader = TraceReader::new(input).map_err(|error| SourceError { trace, error })?;
            Ok(Replayed::new(reader, options, replay, chance, Seat { place, numbers }))
        };
        let mut parts = Vec::with_capacity(replay.parts.len());
        for (place, part) in replay.placed() {
            parts.push(match part {
                Part::Generated(arrivals) => {
                    let taken = Taken { processes: place, users };
                    users = users.saturating_add(arrivals.closed_users() as u32);
                    Running::Generated(ArrivalTimes::new(arrivals, chance, taken))
                }
                Part::Recorded(options) => {
                    let (trace, input) = traces.next().expect("there is one for each such part");
                    Running::Recorded(Box::new(recorded(place, *options, trace, input)?))
                }
            });
        }
        Ok(Self { parts, answers })
    }

    /// The traces that are read, in their order.
    pub(super) fn traces(&self) -> impl Iterator<Item = &TraceReader<TraceInput>> {
        self.parts.iter().filter_map(|part| match part {
            Running::Generated(_) => None,
            Running::Recorded(replayed) => Some(replayed.reader()),
        })
    }

    /// When the next request is sent, as far as is known.
    ///
    /// # Errors
    /// A trace is broken, or a row of it does not fit the plan.
    pub(super) fn next_at(&mut self) -> Result<Option<Duration>, SourceError> {
        let (mut next, mut trace) = (None, 0);
        for part in &mut self.parts {
            let at = match part {
                Running::Generated(times) => times.next_at(),
                Running::Recorded(replayed) => {
                    trace += 1;
                    let failed = |error| SourceError { trace: trace - 1, error };
                    replayed.next_at().map_err(failed)?
                }
            };
            next = [next, at].into_iter().flatten().min();
        }
        Ok(next)
    }

    /// The request whose time [`next_at`](Self::next_at) has told, number `number` of all, and
    /// whether it was recorded. Of those at one instant that of the first part comes first.
    pub(super) fn take(
        &mut self,
        number: u64,
        chance: Chance,
        identities: &mut Identities,
        sizes: &[SizeSamplers],
    ) -> Option<(Arrival, bool)> {
        let times = self.parts.iter_mut().map(Running::peek).enumerate();
        let (_, place) = times.filter_map(|(place, at)| Some((at?, place))).min()?;
        match &mut self.parts[place] {
            Running::Generated(times) => {
                self.answers.take(None);
                Some((generated(times.take()?, number, identities, sizes), false))
            }
            Running::Recorded(replayed) => {
                let answers = &mut self.answers;
                Some((replayed.take(number, chance, identities, sizes, answers)?, true))
            }
        }
    }

    /// What versions answered in the traces.
    pub(super) const fn answers(&self) -> &Answers {
        &self.answers
    }

    pub(super) const fn answers_mut(&mut self) -> &mut Answers {
        &mut self.answers
    }

    /// The answer to request `id` came, or was given up, at `at`.
    pub(super) fn completed(&mut self, id: RequestId, at: Duration) {
        for part in &mut self.parts {
            if let Running::Generated(times) = part {
                times.completed(id, at);
            }
        }
    }

    /// What would be sent before `until` is not: how many requests.
    ///
    /// # Errors
    /// As for [`next_at`](Self::next_at).
    pub(super) fn skip_until(&mut self, until: Duration) -> Result<u64, SourceError> {
        let (mut skipped, mut trace) = (0, 0);
        for part in &mut self.parts {
            skipped += match part {
                Running::Generated(times) => times.skip_until(until),
                Running::Recorded(replayed) => {
                    trace += 1;
                    let failed = |error| SourceError { trace: trace - 1, error };
                    replayed.skip_until(until).map_err(failed)?
                }
            };
        }
        Ok(skipped)
    }
}

/// Whether `traces` have an answer of each version that answers as they have recorded it.
///
/// # Errors
/// They have none of one, or cannot be read so far.
pub fn check_answers(replay: &Replay, traces: Vec<TraceInput>) -> Result<(), SourceError> {
    look_ahead(replay, traces).map(drop)
}

/// The first answers of the versions that answer as recorded; and the traces again, from their
/// beginning.
fn look_ahead(
    replay: &Replay,
    traces: Vec<TraceInput>,
) -> Result<(Answers, Vec<TraceInput>), SourceError> {
    let mut answers = Answers::new(&replay.recorded);
    if replay.recorded.is_empty() {
        return Ok((answers, traces));
    }
    // A row that names no model asks for the first, which is what all do where there is but one.
    let model_of = |record: &TraceRecord| match &record.model {
        Some(model) => place_of(model, &replay.models).ok(),
        None => Some(ModelIndex(0)),
    };
    let mut again = Vec::with_capacity(traces.len());
    let mut place = TracePlace::Line(1);
    for (trace, input) in traces.into_iter().enumerate() {
        let failed = |error| SourceError { trace, error };
        let mut reader = TraceReader::new(input).map_err(failed)?;
        answers.look_ahead(&mut reader, model_of).map_err(failed)?;
        place = reader.place();
        let mut input = reader.into_input();
        input
            .rewind()
            .map_err(|error| failed(TraceError::new(place, TraceErrorKind::Read(error))))?;
        again.push(input);
    }
    if let Some(version) = answers.unknown() {
        let kind = TraceErrorKind::NoAnswer { version: version.to_string() };
        return Err(SourceError { trace: again.len() - 1, error: TraceError::new(place, kind) });
    }
    Ok((answers, again))
}

impl Running {
    /// The time of the next request, as far as it is known.
    fn peek(&mut self) -> Option<Duration> {
        match self {
            Self::Generated(times) => times.next_at(),
            Self::Recorded(replayed) => replayed.peek(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrivals::{Arrivals, Constant, Poisson};
    use crate::chance::{Distribution, Zipf};
    use crate::exchange::Request;
    use crate::units::{ModelId, Rate, Ratio};
    use crate::workload::{Population, Source, Tenant, TokenSizes, Window, Workload};
    use std::collections::BTreeSet;

    fn per_second(rate: f64) -> Rate {
        Rate::per(rate, Duration::from_secs(1)).unwrap()
    }

    fn replay(parts: Vec<Part>) -> Replay {
        let tokens = Distribution::constant(100.0).unwrap();
        Replay {
            parts,
            requests: None,
            sizes: vec![TokenSizes::independent(tokens.clone(), tokens)],
            models: vec![ModelId::new("gpt-4").unwrap()],
            recorded: Vec::new(),
            needs_sessions: false,
            population: Population::of_users(50.try_into().unwrap()),
        }
    }

    /// A row at each of these seconds, with so many input tokens.
    fn trace(rows: &[(u64, u32)]) -> TraceInput {
        let rows = rows.iter().map(|(at, input)| format!("{at}000000000,{input},1\n"));
        let head = "#coalmine-trace 1\nat_ns,input_tokens,output_tokens\n".to_owned();
        Box::new(std::io::Cursor::new(head + &rows.collect::<String>()))
    }

    fn sent(replay: &Replay, traces: Vec<TraceInput>, until: u64) -> Vec<Arrival> {
        let mut source = Source::replay(traces, replay, Chance::new(5, 0)).unwrap();
        let mut sent = Vec::new();
        while source.next_at().unwrap().is_some_and(|at| at < Duration::from_secs(until)) {
            sent.push(source.take().unwrap());
        }
        sent
    }

    fn looped() -> Part {
        Part::Recorded(PlaybackOptions { repeat: true, ..PlaybackOptions::default() })
    }

    /// 4 s from second 2 on, twice as fast.
    fn windowed() -> Part {
        let window = Window { from: Duration::from_secs(2), length: Duration::from_secs(4) };
        let window = Some(window);
        Part::Recorded(PlaybackOptions { window, speed: 2.0, ..PlaybackOptions::default() })
    }

    const FIRST: [(u64, u32); 3] = [(1, 11), (4, 12), (9, 13)];
    const SECOND: [(u64, u32); 5] = [(0, 21), (2, 22), (3, 23), (5, 24), (8, 25)];

    /// Worked out by hand: the first has gaps of 3 and 5 s, so that its turns take 9 + 4 s; of the
    /// second the rows at 2, 3 and 5 s come at 0, 0.5 and 1.5 s.
    #[test]
    fn parts_come_in_the_order_of_time_each_looped_and_windowed_on_its_own() {
        let constant = Part::Generated(Constant::new(per_second(0.5)).into());
        let replay = replay(vec![looped(), constant, windowed()]);
        let sent = sent(&replay, vec![trace(&FIRST), trace(&SECOND)], 19);
        let found: Vec<_> = sent
            .iter()
            .map(|Arrival { at, request }| {
                let id = request.id.0;
                (at.as_millis_f64(), id >> 56, id & 0xff_ffff, request.input.get())
            })
            .collect();
        let expected = [
            (0.0, 1, 0, 100),
            (0.0, 2, 0, 22),
            (500.0, 2, 1, 23),
            (1_000.0, 0, 0, 11),
            (1_500.0, 2, 2, 24),
            (2_000.0, 1, 1, 100),
            (4_000.0, 0, 1, 12),
            (4_000.0, 1, 2, 100),
            (6_000.0, 1, 3, 100),
            (8_000.0, 1, 4, 100),
            (9_000.0, 0, 2, 13),
            (10_000.0, 1, 5, 100),
            (12_000.0, 1, 6, 100),
            (14_000.0, 0, 3, 11),
            (14_000.0, 1, 7, 100),
            (16_000.0, 1, 8, 100),
            (17_000.0, 0, 4, 12),
            (18_000.0, 1, 9, 100),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_a_part_sends_it_would_send_alone() {
        let poisson = Arrivals::from(Poisson::new(per_second(3.0)));
        let mixed = replay(vec![Part::Generated(poisson.clone()), looped(), windowed()]);
        let traces = || vec![trace(&FIRST), trace(&SECOND)];
        let all = sent(&mixed, traces(), 400);
        assert_eq!(all, sent(&mixed, traces(), 400), "the same again");
        assert!(all.is_sorted_by_key(|arrival| arrival.at));
        let Replay { sizes, population, .. } = replay(Vec::new());
        let workload = Workload { arrivals: poisson, requests: None, sizes, population };
        let mut alone = Source::generate(&workload, Chance::new(5, 0));
        let of = |place| all.iter().filter(move |a| Arrivals::process_of(a.request.id) == place);
        for arrival in of(0) {
            alone.next_at().unwrap();
            let Arrival { at, request } = alone.take().unwrap();
            // Whoever stands alone is numbered among all.
            let session = arrival.request.session;
            assert_eq!(*arrival, Arrival { at, request: Request { session, ..request } });
        }
        // 1,200 with a standard deviation of 34.6.
        assert!((of(0).count() as f64 - 1_200.0).abs() < 140.0, "{}", of(0).count());
        // Turns begin every 13 s: thirty end before 390 s, then come those at 391, 394 and 399 s.
        assert_eq!((of(1).count(), of(2).count()), (93, 3));
        let sessions: BTreeSet<u32> = all.iter().map(|arrival| arrival.request.session).collect();
        assert_eq!(sessions.len(), all.len(), "each stands alone");
    }

    #[test]
    fn users_and_sessions_of_traces_are_told_apart_and_the_unnamed_are_the_parts_own() {
        let rows = "#coalmine-trace 1\nat_ns,user,session,input_tokens,output_tokens\n\
                    0,7,3,1,1\n1000000000,,,2,1\n2000000000,7,3,3,1\n";
        let input = || -> TraceInput { Box::new(std::io::Cursor::new(rows)) };
        let once = || Part::Recorded(PlaybackOptions::default());
        let mut both = replay(vec![once(), once()]);
        let users = Some(Zipf::uniform(4.try_into().unwrap()));
        both.population.tenants = vec![Tenant::default(), Tenant { client: Some(2), users }];
        let sent = sent(&both, vec![input(), input()], 10);
        let of = |place: usize| {
            let own = sent.iter().filter(|a| Arrivals::process_of(a.request.id) == place);
            own.map(|arrival| arrival.request).collect::<Vec<_>>()
        };
        let (first, second) = (of(0), of(1));
        for requests in [&first, &second] {
            let named = |request: &Request| (request.user, request.session);
            assert_eq!(named(&requests[0]), named(&requests[2]));
        }
        assert_ne!(first[0].user, second[0].user);
        assert_ne!(first[0].session, second[0].session);
        assert!(first[1].user < 50 && (50..54).contains(&second[1].user));
        assert!(first.iter().all(|request| request.client == 0));
        assert!(second.iter().all(|request| request.client == 2));
    }

    /// Binomial: of 4,000 rows a quarter is in both samples, with a standard deviation of 27.
    #[test]
    fn each_trace_has_a_sample_of_its_own() {
        let rows: Vec<_> = (0..4_000).map(|row| (u64::from(row), row + 1)).collect();
        let sample = Ratio::new(0.5).unwrap();
        let half = || Part::Recorded(PlaybackOptions { sample, ..PlaybackOptions::default() });
        let sent = sent(&replay(vec![half(), half()]), vec![trace(&rows), trace(&rows)], 5_000);
        let [mut first, second] = [0, 1].map(|place| {
            let own = sent.iter().filter(|a| Arrivals::process_of(a.request.id) == place);
            own.map(|arrival| arrival.request.input.get()).collect::<BTreeSet<u32>>()
        });
        assert!((first.len() as f64 - 2_000.0).abs() < 130.0, "{}", first.len());
        first.retain(|row| second.contains(row));
        assert!((first.len() as f64 - 1_000.0).abs() < 110.0, "{}", first.len());
    }

    #[test]
    fn an_error_says_which_trace_is_broken() {
        let parts = || vec![looped(), Part::Recorded(PlaybackOptions::default())];
        let unknown: TraceInput = Box::new(std::io::Cursor::new("a,b\n1,2\n"));
        let begun =
            Source::replay(vec![trace(&FIRST), unknown], &replay(parts()), Chance::new(5, 0));
        assert_eq!(begun.err().unwrap().trace, 1);
        let back = trace(&[(3, 1), (2, 1)]);
        let mut source =
            Source::replay(vec![trace(&FIRST), back], &replay(parts()), Chance::new(5, 0)).unwrap();
        let failed = loop {
            match source.next_at() {
                Ok(_) => source.take(),
                Err(failed) => break failed,
            };
        };
        assert_eq!((failed.trace, failed.error.line()), (1, Some(4)));
    }
}
