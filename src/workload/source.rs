//! The requests of a workload, one after the other, generated or read from a trace.

use std::io::BufRead;
use std::num::NonZeroU32;

use crate::arrivals::{ArrivalTimes, Arrivals, Coming};
use crate::chance::{Chance, Distribution, Draws, Purpose, Sampler};
use crate::exchange::{Arrival, ModelIndex, Request};
use crate::trace::{TraceError, TraceErrorKind, TraceReader, TraceRecord};
use crate::units::{Duration, ModelId, Ratio, RequestId, Tokens};

/// A workload that is generated.
#[derive(Clone, PartialEq, Debug)]
pub struct Workload {
    /// When requests are sent.
    pub arrivals: Arrivals,
    /// How many at most.
    pub requests: Option<u64>,
    /// Tokens of a prompt; rounded, at least 1.
    pub input: Distribution,
    /// Tokens of an answer; rounded, at least 1.
    pub output: Distribution,
    /// How many users there are, each as likely to send a request; beside them those of closed
    /// arrivals, which are numbered after them.
    pub users: NonZeroU32,
    /// The share of requests whose answer is streamed.
    pub stream: Ratio,
    /// The share of requests that asks for each of the plan's models; they sum to 1.
    pub models: Vec<Ratio>,
}

impl Workload {
    /// How many requests to expect, for showing progress; `None` where they do not end.
    pub fn expected_requests(&self) -> Option<u64> {
        let arriving = self.arrivals.expected_count().map(|count| (count + 0.5) as u64);
        [arriving, self.requests].into_iter().flatten().min()
    }

    /// The number of the first user who waits for answers: where all do, there are no others.
    fn first_waiting_user(&self) -> u32 {
        if self.arrivals.is_closed() { 0 } else { self.users.get() }
    }
}

/// A workload that is read from a trace; what the trace does not say is drawn.
#[derive(Clone, PartialEq, Debug)]
pub struct Replay {
    /// How many requests at most.
    pub requests: Option<u64>,
    /// The plan's models, each with its share of the requests whose record has no model; the
    /// shares sum to 1.
    pub models: Vec<(ModelId, Ratio)>,
    /// How many users there are, where the trace has none.
    pub users: NonZeroU32,
    /// The share of requests whose answer is streamed, where the trace does not say.
    pub stream: Ratio,
}

/// Any trace that requests can be read from.
pub type TraceInput = Box<dyn BufRead + Send>;

/// Yields the requests of a workload in the order of their times.
///
/// ```
/// use coalmine::arrivals::{Arrivals, Constant};
/// use coalmine::chance::{Chance, Distribution};
/// use coalmine::units::{Duration, Rate, Ratio};
/// use coalmine::workload::{Source, Workload};
///
/// let tokens = Distribution::constant(100.0).unwrap();
/// let workload = Workload {
///     arrivals: Constant::new(Rate::per(4.0, Duration::from_secs(1)).unwrap()).into(),
///     requests: Some(2),
///     input: tokens.clone(),
///     output: tokens,
///     users: 10.try_into().unwrap(),
///     stream: Ratio::ZERO,
///     models: vec![Ratio::ONE],
/// };
/// let mut source = Source::generate(&workload, Chance::new(42, 0));
/// assert_eq!(source.next().unwrap().unwrap().at, Duration::ZERO);
/// assert_eq!(source.next().unwrap().unwrap().at, Duration::from_millis(250));
/// assert_eq!(source.next().unwrap(), None);
/// ```
pub struct Source {
    chance: Chance,
    sent: u64,
    limit: u64,
    waits_for_answers: bool,
    users: NonZeroU32,
    stream: Chooser,
    model: ModelChooser,
    origin: Origin,
}

enum Origin {
    Generated { times: ArrivalTimes, input: TokenSampler, output: TokenSampler },
    Trace { reader: Box<TraceReader<TraceInput>>, models: Vec<ModelId>, next: Option<TraceRecord> },
}

impl Source {
    /// The requests of `workload` under `chance`.
    pub fn generate(workload: &Workload, chance: Chance) -> Self {
        Self {
            chance,
            sent: 0,
            waits_for_answers: workload.arrivals.closed_users() > 0,
            limit: workload.requests.unwrap_or(u64::MAX),
            users: workload.users,
            stream: Chooser::new(workload.stream),
            model: ModelChooser::new(workload.models.iter().copied()),
            origin: Origin::Generated {
                times: ArrivalTimes::new(&workload.arrivals, chance, workload.first_waiting_user()),
                input: TokenSampler::new(&workload.input),
                output: TokenSampler::new(&workload.output),
            },
        }
    }

    /// The requests of the trace behind `reader`.
    pub fn replay(reader: TraceReader<TraceInput>, replay: Replay, chance: Chance) -> Self {
        Self {
            chance,
            sent: 0,
            waits_for_answers: false,
            limit: replay.requests.unwrap_or(u64::MAX),
            users: replay.users,
            stream: Chooser::new(replay.stream),
            model: ModelChooser::new(replay.models.iter().map(|(_, share)| *share)),
            origin: Origin::Trace {
                reader: Box::new(reader),
                models: replay.models.into_iter().map(|(model, _)| model).collect(),
                next: None,
            },
        }
    }

    /// The trace that is read, with its accounting; `None` where requests are generated.
    pub const fn trace(&self) -> Option<&TraceReader<TraceInput>> {
        match &self.origin {
            Origin::Generated { .. } => None,
            Origin::Trace { reader, .. } => Some(reader),
        }
    }

    /// Whether some requests come from users who wait for answers: then [`completed`] must be told
    /// of every answer.
    ///
    /// [`completed`]: Self::completed
    pub const fn waits_for_answers(&self) -> bool {
        self.waits_for_answers
    }

    /// When the next request is sent, as far as is known; `None` once there are no more, or while
    /// all users wait for answers.
    ///
    /// # Errors
    /// The trace is broken. Generated requests never fail.
    #[inline]
    pub fn next_at(&mut self) -> Result<Option<Duration>, TraceError> {
        if self.sent >= self.limit {
            return Ok(None);
        }
        match &mut self.origin {
            Origin::Generated { times, .. } => Ok(times.next_at()),
            Origin::Trace { reader, next, .. } => {
                if next.is_none() {
                    *next = reader.next_record()?;
                }
                Ok(next.as_ref().map(|record| record.at))
            }
        }
    }

    /// The next request as far as is known, which now counts as sent; `None` as for
    /// [`next_at`](Self::next_at).
    ///
    /// # Errors
    /// The trace is broken, or asks for a model that the plan does not have. Generated requests
    /// never fail.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "an iterator would read on after an error")]
    pub fn next(&mut self) -> Result<Option<Arrival>, TraceError> {
        if self.sent >= self.limit {
            return Ok(None);
        }
        let number = self.sent;
        let (users, stream, model) = (self.users, self.stream, &self.model);
        let arrival = match &mut self.origin {
            Origin::Generated { times, input, output } => {
                let Some(Coming { at, id, draws, user: sender }) = times.next() else {
                    return Ok(None);
                };
                let request = Request {
                    id,
                    model: model.choose(draws),
                    user: sender.unwrap_or_else(|| user(users, draws)),
                    session: number as u32,
                    client: 0,
                    prompt: None,
                    input: input.sample(draws, Purpose::InputTokens),
                    output: output.sample(draws, Purpose::OutputTokens),
                    stream: stream.choose(draws),
                };
                Arrival { at, request }
            }
            Origin::Trace { reader, models, next } => {
                let record = match next.take() {
                    Some(record) => Some(record),
                    None => reader.next_record()?,
                };
                let Some(record) = record else { return Ok(None) };
                let id = RequestId(number);
                let draws = self.chance.request(id, 0);
                let request = Request {
                    id,
                    model: match &record.model {
                        Some(name) => place_of(name, models).map_err(|kind| reader.error(kind))?,
                        None => model.choose(draws),
                    },
                    user: record.user.unwrap_or_else(|| user(users, draws)),
                    session: number as u32,
                    client: 0,
                    prompt: None,
                    input: record.input,
                    output: record.output,
                    stream: record.stream.unwrap_or_else(|| stream.choose(draws)),
                };
                Arrival { at: record.at, request }
            }
        };
        self.sent += 1;
        Ok(Some(arrival))
    }

    /// The client of `request` got its answer, or gave up, at `at`. Whoever waits for it may send
    /// on, and then before what [`next_at`](Self::next_at) said.
    pub fn completed(&mut self, request: &Request, at: Duration) {
        if let Origin::Generated { times, .. } = &mut self.origin {
            times.completed(request.id, at);
        }
    }
}

fn place_of(name: &ModelId, models: &[ModelId]) -> Result<ModelIndex, TraceErrorKind> {
    let place = models.iter().position(|model| model == name);
    place.and_then(|place| u16::try_from(place).ok()).map(ModelIndex).ok_or_else(|| {
        let known = models.iter().map(ModelId::as_str).collect::<Vec<_>>().join(", ");
        TraceErrorKind::UnknownModel { model: name.to_string(), known }
    })
}

/// One of `users`, each equally likely to within 2^-32.
#[inline]
fn user(users: NonZeroU32, draws: Draws) -> u32 {
    if users == NonZeroU32::MIN {
        return 0;
    }
    let bits = draws.draw(Purpose::User, 0).bits();
    ((u128::from(bits) * u128::from(users.get())) >> 64) as u32
}

/// Which requests are streamed; without a draw where all or none are.
#[derive(Clone, Copy)]
enum Chooser {
    Always(bool),
    Below(u128),
}

impl Chooser {
    fn new(share: Ratio) -> Self {
        if share == Ratio::ZERO || share == Ratio::ONE {
            Self::Always(share == Ratio::ONE)
        } else {
            Self::Below(share.threshold())
        }
    }

    #[inline]
    fn choose(self, draws: Draws) -> bool {
        match self {
            Self::Always(chosen) => chosen,
            Self::Below(threshold) => draws.draw(Purpose::Stream, 0).is_below(threshold),
        }
    }
}

/// Which model is asked for; without a draw where there is but one.
enum ModelChooser {
    Only(ModelIndex),
    /// For each model with a share the sum of the shares up to its own, as a threshold.
    Below(Vec<(u128, ModelIndex)>),
}

impl ModelChooser {
    fn new(shares: impl Iterator<Item = Ratio>) -> Self {
        let mut bound = 0;
        let mut bounds: Vec<_> = (0..)
            .map(ModelIndex)
            .zip(shares)
            .filter(|(_, share)| share.get() > 0.0)
            .map(|(model, share)| {
                bound += share.threshold();
                (bound, model)
            })
            .collect();
        match bounds[..] {
            [] => Self::Only(ModelIndex(0)),
            [(_, only)] => Self::Only(only),
            [.., ref mut last] => {
                // What rounding left over is the last one's.
                last.0 = Ratio::ONE.threshold();
                Self::Below(bounds)
            }
        }
    }

    #[inline]
    fn choose(&self, draws: Draws) -> ModelIndex {
        match self {
            Self::Only(model) => *model,
            Self::Below(bounds) => {
                let draw = draws.draw(Purpose::Model, 0);
                let hit = bounds.iter().find(|(bound, _)| draw.is_below(*bound));
                hit.expect("the last bound is above every draw").1
            }
        }
    }
}

/// Token counts of one kind; without a draw where there is but one.
enum TokenSampler {
    Constant(Tokens),
    Drawn(Sampler),
}

impl TokenSampler {
    fn new(distribution: &Distribution) -> Self {
        let smallest = distribution.quantile(0.0);
        if smallest == distribution.quantile(1.0) {
            Self::Constant(tokens(smallest))
        } else {
            Self::Drawn(Sampler::new(distribution))
        }
    }

    #[inline]
    fn sample(&self, draws: Draws, purpose: Purpose) -> Tokens {
        match self {
            Self::Constant(count) => *count,
            Self::Drawn(sampler) => tokens(sampler.sample(draws.draw(purpose, 0))),
        }
    }
}

/// Rounded, at least 1, at most what a count holds.
#[inline]
fn tokens(count: f64) -> Tokens {
    Tokens::new(((count + 0.5) as u32).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrivals::{Constant, Piecewise, Poisson};
    use crate::trace::{TraceFormat, TraceWriter};
    use crate::units::Rate;

    fn workload() -> Workload {
        Workload {
            arrivals: Poisson::new(Rate::per(8.0, Duration::from_secs(1)).unwrap()).into(),
            requests: Some(100_000),
            input: Distribution::lognormal_mean_p99(620.0, 3_500.0).unwrap(),
            output: Distribution::lognormal_mean_p99(210.0, 900.0).unwrap(),
            users: 2_000.try_into().unwrap(),
            stream: Ratio::new(0.3).unwrap(),
            models: vec![Ratio::ONE],
        }
    }

    fn generate(workload: &Workload, chance: Chance) -> Vec<Arrival> {
        let mut source = Source::generate(workload, chance);
        std::iter::from_fn(|| source.next().unwrap()).collect()
    }

    fn replay(text: &'static str) -> Source {
        let input: TraceInput = Box::new(text.as_bytes());
        let shares = [("gpt-4", Ratio::ONE), ("llama", Ratio::ZERO)];
        let models = shares.map(|(name, share)| (ModelId::new(name).unwrap(), share)).to_vec();
        let (users, stream) = (2_000.try_into().unwrap(), Ratio::new(0.3).unwrap());
        let replay = Replay { requests: None, models, users, stream };
        Source::replay(TraceReader::new(input).unwrap(), replay, Chance::new(1, 0))
    }

    fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
        let count = values.len() as f64;
        values.sum::<f64>() / count
    }

    #[test]
    fn one_seed_and_run_give_one_sequence_and_others_give_others() {
        let first = generate(&workload(), Chance::new(42, 0));
        assert_eq!(first.len(), 100_000);
        assert_eq!(first, generate(&workload(), Chance::new(42, 0)));
        for other in [Chance::new(43, 0), Chance::new(42, 1)] {
            assert_ne!(first, generate(&workload(), other));
        }
    }

    #[test]
    fn what_one_part_of_a_workload_is_does_not_touch_the_draws_of_the_others() {
        let plain = generate(&workload(), Chance::new(7, 0));
        let mut changed = workload();
        changed.arrivals = Constant::new(Rate::per(1.0, Duration::from_secs(1)).unwrap()).into();
        changed.input = Distribution::constant(5.0).unwrap();
        changed.stream = Ratio::ONE;
        for (before, after) in plain.iter().zip(generate(&changed, Chance::new(7, 0))) {
            assert_eq!(before.request.id, after.request.id);
            assert_eq!(before.request.output, after.request.output);
            assert_eq!(before.request.user, after.request.user);
            assert_eq!((after.request.input.get(), after.request.stream), (5, true));
        }
    }

    /// Standard deviations of the log-normals, by sigma = z - (z^2 - 2 ln(p99 / mean))^1/2 and
    /// sd = mean (exp(sigma^2) - 1)^1/2: 726.7 and 180.8 tokens; of a uniform user 577.4.
    #[test]
    fn requests_have_the_means_that_the_workload_says() {
        let arrivals = generate(&workload(), Chance::new(3, 0));
        let requests = || arrivals.iter().map(|arrival| arrival.request);
        let root = (arrivals.len() as f64).sqrt();
        let close = |found: f64, expected: f64, deviation: f64| {
            assert!((found - expected).abs() < 4.0 * deviation / root, "{found} {expected}");
        };
        close(mean(requests().map(|request| f64::from(request.input.get()))), 620.0, 726.7);
        close(mean(requests().map(|request| f64::from(request.output.get()))), 210.0, 180.8);
        close(mean(requests().map(|request| f64::from(request.user))), 999.5, 577.4);
        close(mean(requests().map(|request| f64::from(u8::from(request.stream)))), 0.3, 0.4583);
        assert!(requests().all(|request| request.user < 2_000));
    }

    #[test]
    fn a_request_has_at_least_one_token_and_no_more_than_a_count_holds() {
        for (tokens, count) in [(0.0, 1), (0.4, 1), (2.5, 3), (1e18, u32::MAX)] {
            let mut workload = workload();
            workload.requests = Some(1);
            workload.input = Distribution::constant(tokens).unwrap();
            let arrivals = generate(&workload, Chance::new(3, 0));
            assert_eq!(arrivals[0].request.input.get(), count);
        }
    }

    #[test]
    fn the_expected_number_is_the_smaller_of_limit_and_arrivals() {
        let mut workload = workload();
        assert_eq!(workload.expected_requests(), Some(100_000));
        workload.requests = None;
        assert_eq!(workload.expected_requests(), None);
        let rates = vec![Rate::per(2.0, Duration::from_secs(1)).unwrap(); 3];
        let piecewise = Piecewise::new(Duration::from_secs(60), rates).unwrap();
        workload.arrivals = piecewise.into();
        assert_eq!(workload.expected_requests(), Some(360));
        workload.requests = Some(100);
        assert_eq!(workload.expected_requests(), Some(100));
    }

    #[test]
    fn a_replay_takes_from_the_trace_what_it_says_and_draws_the_rest() {
        let mut source = replay(
            "#coalmine-trace 1\nat_ns,model,user,input_tokens,output_tokens,stream\n\
             5,llama,7,11,12,true\n6,,,13,14,\n",
        );
        let first = source.next().unwrap().unwrap();
        assert_eq!(first.at, Duration::from_nanos(5));
        assert_eq!((first.request.model, first.request.user), (ModelIndex(1), 7));
        assert!(first.request.stream);
        let second = source.next().unwrap().unwrap().request;
        let (id, input) = (RequestId(1), Tokens::new(13));
        assert_eq!((second.id, second.model, second.input), (id, ModelIndex(0), input));
        let like = &generate(&workload(), Chance::new(1, 0))[1].request;
        assert_eq!((second.user, second.stream), (like.user, like.stream));
        assert_eq!(source.next().unwrap(), None);
        assert_eq!(source.trace().unwrap().accounting().emitted, 2);
    }

    /// Binomial standard deviations at 100,000 requests.
    #[test]
    fn models_get_their_shares_and_nothing_else_changes() {
        let plain = generate(&workload(), Chance::new(3, 0));
        let shares = [0.5, 0.2, 0.0, 0.3];
        let models = shares.map(|share| Ratio::new(share).unwrap()).to_vec();
        let several = generate(&Workload { models, ..workload() }, Chance::new(3, 0));
        let mut counts = [0_u32; 4];
        for (before, after) in plain.iter().zip(&several) {
            let model = after.request.model;
            counts[usize::from(model.0)] += 1;
            let same = Request { model: ModelIndex(0), ..after.request };
            assert_eq!((before.request, before.at), (same, after.at));
        }
        for (share, count) in shares.into_iter().zip(counts) {
            let deviation = (100_000.0 * share * (1.0 - share)).sqrt();
            assert!((f64::from(count) - 100_000.0 * share).abs() <= 4.0 * deviation, "{counts:?}");
        }
    }

    #[test]
    fn a_model_that_the_plan_does_not_have_is_an_error_with_its_line() {
        let mut source = replay(
            "#coalmine-trace 1\nat_ns,model,input_tokens,output_tokens\n5,gpt-4,1,1\n6,gpt-5,1,1\n",
        );
        source.next().unwrap();
        let error = source.next().unwrap_err().to_string();
        assert_eq!(error, "line 4: model \"gpt-5\" is not in the plan: there are gpt-4, llama");
    }

    /// The fixture is generated by the project itself; `COALMINE_BLESS=1 cargo test peak_hour` writes
    /// it anew.
    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/peak-hour.csv");

    /// Requests in each minute, 9,797 in all: a hump with a rush in its second half. Chosen so that
    /// the dispersion at 60 s, 27, lies between those of real hours, 16 for Azure's conversations and
    /// 167 for its code assistant; a steady Poisson process has 1.
    const PER_MINUTE: [u16; 60] = [
        157, 143, 191, 116, 175, 149, 161, 166, 173, 131, 123, 133, 159, 179, 172, 192, 159, 129,
        135, 165, 246, 246, 173, 172, 165, 149, 189, 149, 142, 100, 94, 86, 72, 110, 105, 134, 194,
        281, 342, 336, 231, 331, 328, 249, 202, 192, 164, 164, 153, 176, 148, 161, 157, 116, 71,
        67, 74, 68, 79, 73,
    ];

    fn peak_hour() -> Vec<u8> {
        let minute = Duration::from_secs(60);
        let rates = PER_MINUTE.map(|count| Rate::per(f64::from(count), minute).unwrap());
        let workload = Workload {
            arrivals: Piecewise::new(minute, rates.to_vec()).unwrap().into(),
            requests: None,
            input: Distribution::lognormal_mean_p99(1_155.0, 4_142.0).unwrap(),
            output: Distribution::lognormal_mean_p99(211.0, 900.0).unwrap(),
            users: 1.try_into().unwrap(),
            stream: Ratio::ZERO,
            models: vec![Ratio::ONE],
        };
        let mut source = Source::generate(&workload, Chance::new(20_240_315, 0));
        let start = "2024-03-15T11:00:00Z".parse().unwrap();
        let mut writer = TraceWriter::new(Vec::new(), TraceFormat::Azure, start).unwrap();
        while let Some(arrival) = source.next().unwrap() {
            let (at, input, output) = (arrival.at, arrival.request.input, arrival.request.output);
            writer.write(&TraceRecord { at, input, output, ..TraceRecord::default() }).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn the_peak_hour_fixture_is_what_its_workload_gives() {
        let made = peak_hour();
        if option_env!("COALMINE_BLESS").is_some() {
            std::fs::write(PATH, &made).unwrap();
        }
        let committed = std::fs::read(PATH).unwrap();
        assert!(made == committed, "made anew it differs: COALMINE_BLESS=1 cargo test peak_hour");
    }
}
