//! The requests of a workload, one after the other, generated or read from a trace.

use std::io::{BufRead, Seek};

use super::identity::Identities;
use super::playback::{Playback, PlaybackOptions};
use super::population::Population;
use super::tokens::{SizeSamplers, TokenSizes};
use crate::arrivals::{ArrivalTimes, Arrivals, Coming};
use crate::chance::{Chance, Purpose};
use crate::exchange::{Arrival, ModelIndex, Request};
use crate::trace::{TraceError, TraceErrorKind, TraceReader, TraceRecord};
use crate::units::{Duration, ModelId, RequestId};

/// A workload that is generated.
#[derive(Clone, PartialEq, Debug)]
pub struct Workload {
    /// When requests are sent.
    pub arrivals: Arrivals,
    /// How many at most.
    pub requests: Option<u64>,
    /// How large they are, by the model that they ask for; one alone holds for all models.
    pub sizes: Vec<TokenSizes>,
    /// Who sends them.
    pub population: Population,
}

impl Workload {
    /// How many requests to expect, for showing progress; `None` where they do not end.
    pub fn expected_requests(&self) -> Option<u64> {
        let arriving = self.arrivals.expected_count().map(|count| (count + 0.5) as u64);
        [arriving, self.requests].into_iter().flatten().min()
    }

    /// The number of the first user who waits for answers: where all do, there are no others.
    fn first_waiting_user(&self) -> u32 {
        if self.arrivals.is_closed() { 0 } else { self.population.users.count().get() }
    }
}

/// A workload that is read from a trace; what the trace does not say is drawn.
#[derive(Clone, PartialEq, Debug)]
pub struct Replay {
    /// How many requests at most.
    pub requests: Option<u64>,
    /// The plan's models.
    pub models: Vec<ModelId>,
    /// Who sends the requests, where the trace does not say.
    pub population: Population,
    /// What is done with the trace.
    pub playback: PlaybackOptions,
}

/// A trace that can be read, and read again.
pub type TraceInput = Box<dyn Recording>;

/// What a [`TraceInput`] must be able to do.
pub trait Recording: BufRead + Seek + Send {}

impl<R: BufRead + Seek + Send> Recording for R {}

/// Yields the requests of a workload in the order of their times.
///
/// ```
/// use coalmine::arrivals::{Arrivals, Constant};
/// use coalmine::chance::{Chance, Distribution};
/// use coalmine::units::{Duration, Rate};
/// use coalmine::workload::{Population, Source, TokenSizes, Workload};
///
/// let tokens = Distribution::constant(100.0).unwrap();
/// let workload = Workload {
///     arrivals: Constant::new(Rate::per(4.0, Duration::from_secs(1)).unwrap()).into(),
///     requests: Some(2),
///     sizes: vec![TokenSizes { input: tokens.clone(), output: tokens }],
///     population: Population::of_users(10.try_into().unwrap()),
/// };
/// let mut source = Source::generate(&workload, Chance::new(42, 0));
/// assert_eq!(source.next_at().unwrap(), Some(Duration::ZERO));
/// assert_eq!(source.take().unwrap().request.input.get(), 100);
/// assert_eq!(source.next_at().unwrap(), Some(Duration::from_millis(250)));
/// assert_eq!(source.take().unwrap().at, Duration::from_millis(250));
/// assert_eq!(source.next_at().unwrap(), None);
/// ```
pub struct Source {
    chance: Chance,
    sent: u64,
    limit: u64,
    waits_for_answers: bool,
    identities: Identities,
    origin: Origin,
}

enum Origin {
    Generated { times: ArrivalTimes, sizes: Vec<SizeSamplers> },
    Trace { playback: Box<Playback<TraceInput>>, models: Vec<ModelId>, next: Option<Arrival> },
}

impl Source {
    /// The requests of `workload` under `chance`.
    ///
    /// # Panics
    /// No sizes are given, or neither one nor one for each model.
    pub fn generate(workload: &Workload, chance: Chance) -> Self {
        let (models, sizes) = (workload.population.models.len(), workload.sizes.len());
        assert!(sizes == 1 || sizes == models, "{sizes} sizes for {models} models");
        Self {
            chance,
            sent: 0,
            limit: workload.requests.unwrap_or(u64::MAX),
            waits_for_answers: workload.arrivals.closed_users() > 0,
            identities: Identities::new(&workload.population, chance),
            origin: Origin::Generated {
                times: ArrivalTimes::new(&workload.arrivals, chance, workload.first_waiting_user()),
                sizes: workload.sizes.iter().map(SizeSamplers::new).collect(),
            },
        }
    }

    /// The requests of the trace behind `reader`.
    pub fn replay(reader: TraceReader<TraceInput>, replay: Replay, chance: Chance) -> Self {
        Self {
            chance,
            sent: 0,
            limit: replay.requests.unwrap_or(u64::MAX),
            waits_for_answers: false,
            identities: Identities::new(&replay.population, chance),
            origin: Origin::Trace {
                playback: Box::new(Playback::new(reader, replay.playback, chance)),
                models: replay.models,
                next: None,
            },
        }
    }

    /// The trace that is read, with its accounting; `None` where requests are generated.
    pub const fn trace(&self) -> Option<&TraceReader<TraceInput>> {
        match &self.origin {
            Origin::Generated { .. } => None,
            Origin::Trace { playback, .. } => Some(playback.reader()),
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
    /// The trace is broken, or asks for a model that the plan does not have. Generated requests
    /// never fail.
    #[inline]
    pub fn next_at(&mut self) -> Result<Option<Duration>, TraceError> {
        if self.sent >= self.limit {
            return Ok(None);
        }
        match &mut self.origin {
            Origin::Generated { times, .. } => Ok(times.next_at()),
            Origin::Trace { next: Some(next), .. } => Ok(Some(next.at)),
            Origin::Trace { .. } => self.read_on(),
        }
    }

    /// Reads the next request of a trace.
    #[inline(never)]
    fn read_on(&mut self) -> Result<Option<Duration>, TraceError> {
        let Origin::Trace { playback, models, next } = &mut self.origin else { return Ok(None) };
        let Some(record) = playback.next_record()? else { return Ok(None) };
        let model = match &record.model {
            Some(name) => Some(place_of(name, models).map_err(|kind| playback.error(kind))?),
            None => None,
        };
        let id = RequestId(self.sent);
        *next = Some(recorded(&record, id, model, self.chance, &mut self.identities));
        Ok(Some(record.at))
    }

    /// The request whose time [`next_at`](Self::next_at) has told, which now counts as sent; `None`
    /// where there was none.
    #[inline]
    pub fn take(&mut self) -> Option<Arrival> {
        if self.sent >= self.limit {
            return None;
        }
        let arrival = match &mut self.origin {
            Origin::Generated { times, sizes } => {
                generated(times.take()?, self.sent, &mut self.identities, sizes)
            }
            Origin::Trace { next, .. } => next.take()?,
        };
        self.sent += 1;
        Some(arrival)
    }

    /// The client of `request` got its answer, or gave up, at `at`. Whoever waits for it may send
    /// on, and then before what [`next_at`](Self::next_at) said.
    pub fn completed(&mut self, request: &Request, at: Duration) {
        if let Origin::Generated { times, .. } = &mut self.origin {
            times.completed(request.id, at);
        }
    }
}

#[inline]
fn generated(
    coming: Coming,
    number: u64,
    identities: &mut Identities,
    sizes: &[SizeSamplers],
) -> Arrival {
    let Coming { at, id, draws, user } = coming;
    let user = user.unwrap_or_else(|| identities.user(draws));
    let model = identities.model(draws);
    let size = if let [all] = sizes { all } else { &sizes[usize::from(model.0)] };
    let prompt = identities.prompt(draws);
    let request = Request {
        id,
        model,
        user,
        session: identities.session(user, at, number, draws),
        client: identities.client(draws),
        prompt,
        input: size.input.sample(|| identities.prompt_size(prompt, draws)),
        output: size.output.sample(|| draws.draw(Purpose::OutputTokens, 0)),
        stream: identities.stream(draws),
    };
    Arrival { at, request }
}

fn recorded(
    record: &TraceRecord,
    id: RequestId,
    model: Option<ModelIndex>,
    chance: Chance,
    identities: &mut Identities,
) -> Arrival {
    let draws = chance.request(id, 0);
    let user = record.user.unwrap_or_else(|| identities.user(draws));
    let request = Request {
        id,
        model: model.unwrap_or_else(|| identities.model(draws)),
        user,
        session: match record.session {
            // Sessions are numbered: what is beyond 32 bits tells none apart.
            Some(session) => session as u32,
            None => identities.session(user, record.at, id.0, draws),
        },
        client: identities.client(draws),
        // The trace has the sizes: equal prompts may have different ones.
        prompt: identities.prompt(draws),
        input: record.input,
        output: record.output,
        stream: record.stream.unwrap_or_else(|| identities.stream(draws)),
    };
    Arrival { at: record.at, request }
}

fn place_of(name: &ModelId, models: &[ModelId]) -> Result<ModelIndex, TraceErrorKind> {
    let place = models.iter().position(|model| model == name);
    place.and_then(|place| u16::try_from(place).ok()).map(ModelIndex).ok_or_else(|| {
        let known = models.iter().map(ModelId::as_str).collect::<Vec<_>>().join(", ");
        TraceErrorKind::UnknownModel { model: name.to_string(), known }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrivals::{Constant, Piecewise, Poisson};
    use crate::chance::{Distribution, Zipf};
    use crate::trace::{TraceFormat, TraceWriter};
    use crate::units::{KeyId, Rate, Ratio, Tokens};
    use crate::workload::{Client, Sessions};

    fn workload() -> Workload {
        Workload {
            arrivals: Poisson::new(Rate::per(8.0, Duration::from_secs(1)).unwrap()).into(),
            requests: Some(100_000),
            sizes: vec![sizes((620.0, 3_500.0), (210.0, 900.0))],
            population: population(),
        }
    }

    /// Log-normal, by mean and P99.
    fn sizes(input: (f64, f64), output: (f64, f64)) -> TokenSizes {
        let lognormal = |(mean, p99)| Distribution::lognormal_mean_p99(mean, p99).unwrap();
        TokenSizes { input: lognormal(input), output: lognormal(output) }
    }

    fn population() -> Population {
        let stream = Ratio::new(0.3).unwrap();
        Population { stream, ..Population::of_users(2_000.try_into().unwrap()) }
    }

    fn generate(workload: &Workload, chance: Chance) -> Vec<Arrival> {
        let mut source = Source::generate(workload, chance);
        std::iter::from_fn(|| next(&mut source).unwrap()).collect()
    }

    fn next(source: &mut Source) -> Result<Option<Arrival>, TraceError> {
        source.next_at()?;
        Ok(source.take())
    }

    fn replay(text: &'static str) -> Source {
        let input: TraceInput = Box::new(std::io::Cursor::new(text));
        let models = ["gpt-4", "llama"].map(|name| ModelId::new(name).unwrap()).to_vec();
        let playback = PlaybackOptions::default();
        let replay = Replay { requests: None, models, population: population(), playback };
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
        changed.sizes[0].input = Distribution::constant(5.0).unwrap();
        changed.population.stream = Ratio::ONE;
        changed.population.sessions = Some(Sessions {
            requests: Distribution::constant(3.0).unwrap(),
            gap: Duration::from_secs(60),
        });
        let halves = ["one", "other"].map(|key| {
            let (key, share) = (KeyId::new(key).unwrap(), Ratio::new(0.5).unwrap());
            Client { key, share, made_for: None, pin: None }
        });
        changed.population.clients = halves.to_vec();
        changed.population.prompts = Some(Zipf::new(9.try_into().unwrap(), 1.0).unwrap());
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
            workload.sizes[0].input = Distribution::constant(tokens).unwrap();
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
        let first = next(&mut source).unwrap().unwrap();
        assert_eq!(first.at, Duration::from_nanos(5));
        assert_eq!((first.request.model, first.request.user), (ModelIndex(1), 7));
        assert!(first.request.stream);
        let second = next(&mut source).unwrap().unwrap().request;
        let (id, input) = (RequestId(1), Tokens::new(13));
        assert_eq!((second.id, second.model, second.input), (id, ModelIndex(0), input));
        let like = &generate(&workload(), Chance::new(1, 0))[1].request;
        assert_eq!((second.user, second.stream), (like.user, like.stream));
        assert_eq!(next(&mut source).unwrap(), None);
        assert_eq!(source.trace().unwrap().accounting().emitted, 2);
    }

    /// Binomial standard deviations at 100,000 requests.
    #[test]
    fn models_get_their_shares_and_nothing_else_changes() {
        let plain = generate(&workload(), Chance::new(3, 0));
        let shares = [0.5, 0.2, 0.0, 0.3];
        let mut several = workload();
        several.population.models = shares.map(|share| Ratio::new(share).unwrap()).to_vec();
        let several = generate(&several, Chance::new(3, 0));
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
    fn each_model_has_its_own_sizes_where_it_has_any() {
        let mut workload = workload();
        workload.population.models = vec![Ratio::new(0.5).unwrap(); 2];
        let constant = |tokens| Distribution::constant(tokens).unwrap();
        let sizes = |tokens| TokenSizes { input: constant(tokens), output: constant(2.0 * tokens) };
        workload.sizes = vec![sizes(10.0), sizes(30.0)];
        let arrivals = generate(&workload, Chance::new(3, 0));
        for request in arrivals.iter().map(|arrival| arrival.request) {
            let input = [10, 30][usize::from(request.model.0)];
            assert_eq!((request.input.get(), request.output.get()), (input, 2 * input));
        }
    }

    #[test]
    fn a_model_that_the_plan_does_not_have_is_an_error_with_its_line() {
        let mut source = replay(
            "#coalmine-trace 1\nat_ns,model,input_tokens,output_tokens\n5,gpt-4,1,1\n6,gpt-5,1,1\n",
        );
        next(&mut source).unwrap();
        let error = next(&mut source).unwrap_err().to_string();
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
            sizes: vec![sizes((1_155.0, 4_142.0), (211.0, 900.0))],
            population: Population::of_users(1.try_into().unwrap()),
        };
        let mut source = Source::generate(&workload, Chance::new(20_240_315, 0));
        let start = "2024-03-15T11:00:00Z".parse().unwrap();
        let mut writer = TraceWriter::new(Vec::new(), TraceFormat::Azure, start).unwrap();
        while let Some(arrival) = next(&mut source).unwrap() {
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
