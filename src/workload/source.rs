//! The requests of a workload, one after the other, generated or read from a trace.

use super::answers::Answered;
use super::change::{Change, Pace};
use super::clock::Clock;
use super::generated::generated;
use super::identity::Identities;
use super::mixture::{Mixture, SourceError};
use super::population::Population;
use super::replay::Replay;
use super::replayed::TraceInput;
use super::tokens::{SizeSamplers, TokenSizes};
use crate::arrivals::{ArrivalTimes, Arrivals, Coming, Taken};
use crate::chance::{Chance, Purpose};
use crate::exchange::{Arrival, RecordedAnswer, Request, VersionIndex};
use crate::trace::TraceReader;
use crate::units::{Draw, Duration, Ratio};

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

    /// The numbers of the first user who waits for answers and of the first of the others. Where
    /// all users wait, others come with a change at most, after them.
    fn first_users(&self) -> (u32, u32) {
        if self.arrivals.is_closed() {
            (0, count(self.arrivals.closed_users()))
        } else {
            (self.population.users.count().get(), 0)
        }
    }
}

/// A number of users, of which a checked plan has no more than can be told apart.
fn count(users: u64) -> u32 {
    u32::try_from(users).unwrap_or(u32::MAX)
}

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
///     sizes: vec![TokenSizes::independent(tokens.clone(), tokens)],
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
    /// By model, or one for all; none where traces bring them for all requests.
    sizes: Vec<SizeSamplers>,
    origin: Origin,
    /// What is different, since there has been any change.
    changed: Option<Box<Changed>>,
    usual: Usual,
    taken: Taken,
}

enum Origin {
    Generated(ArrivalTimes),
    Mixed(Box<Mixture>),
}

/// What holds without a change.
struct Usual {
    sizes: Vec<TokenSizes>,
    stream: Ratio,
}

struct Changed {
    clock: Clock,
    /// How many requests came in the place of the workload's.
    others: u64,
    /// How many of the workload's were not sent.
    skipped: u64,
    instead: Option<Instead>,
    /// Whether it says of requests how large they are, and how they are answered.
    says_sizes: bool,
    says_stream: bool,
}

/// The arrivals that come in the place of the workload's, which began at its time `from`.
struct Instead {
    from: Duration,
    times: ArrivalTimes,
}

impl Source {
    /// The requests of `workload` under `chance`.
    ///
    /// # Panics
    /// No sizes are given, or neither one nor one for each model.
    pub fn generate(workload: &Workload, chance: Chance) -> Self {
        let (models, sizes) = (workload.population.models.len(), workload.sizes.len());
        assert!(sizes == 1 || sizes == models, "{sizes} sizes for {models} models");
        let Workload { arrivals, population, .. } = workload;
        let (waiting, first_user) = workload.first_users();
        let closed_users = count(arrivals.closed_users());
        let begin = Taken { processes: 0, users: waiting };
        let others = population.users.count().get().saturating_add(closed_users);
        Self {
            chance,
            sent: 0,
            limit: workload.requests.unwrap_or(u64::MAX),
            waits_for_answers: closed_users > 0,
            identities: Identities::new(population, first_user, chance)
                .with_tenants(&population.tenants, others),
            sizes: workload.sizes.iter().map(SizeSamplers::new).collect(),
            origin: Origin::Generated(ArrivalTimes::new(arrivals, chance, begin)),
            changed: None,
            usual: Usual { sizes: workload.sizes.clone(), stream: population.stream },
            taken: Taken {
                processes: arrivals.processes(),
                users: others.saturating_add(count(population.tenants_users())),
            },
        }
    }

    /// The requests of `replay` with those of `traces`, in the order of the parts that replay them.
    ///
    /// # Errors
    /// A trace cannot be read, or is in no known format.
    ///
    /// # Panics
    /// There are not as many traces as parts that replay one.
    pub fn replay(
        traces: Vec<TraceInput>,
        replay: &Replay,
        chance: Chance,
    ) -> Result<Self, SourceError> {
        let population = &replay.population;
        let (users, closed_users) = (population.users.count().get(), count(replay.closed_users()));
        let others = users.saturating_add(closed_users);
        Ok(Self {
            chance,
            sent: 0,
            limit: replay.requests.unwrap_or(u64::MAX),
            waits_for_answers: closed_users > 0,
            identities: Identities::new(population, 0, chance)
                .with_tenants(&population.tenants, others),
            sizes: replay.sizes.iter().map(SizeSamplers::new).collect(),
            origin: Origin::Mixed(Box::new(Mixture::new(replay, traces, chance, users)?)),
            changed: None,
            usual: Usual { sizes: replay.sizes.clone(), stream: population.stream },
            taken: Taken {
                processes: replay.processes(),
                users: others.saturating_add(count(population.tenants_users())),
            },
        })
    }

    /// The traces that are read, with their accounting, in their order.
    pub fn traces(&self) -> impl Iterator<Item = &TraceReader<TraceInput>> {
        match &self.origin {
            Origin::Generated(_) => None,
            Origin::Mixed(mixture) => Some(mixture.traces()),
        }
        .into_iter()
        .flatten()
    }

    /// What a version that answers as recorded does with the request that was taken last: its own
    /// answer if it had one, else one that `draw` chooses. `None` where nothing is recorded.
    pub fn answer_latest(&mut self, version: VersionIndex, draw: Draw) -> Option<RecordedAnswer> {
        match &mut self.origin {
            Origin::Generated(_) => None,
            Origin::Mixed(mixture) => mixture.answers_mut().answer_latest(version, draw),
        }
    }

    /// What such a version does with another request, or another attempt at one: an answer that
    /// `draw` chooses.
    pub fn answer_another(&mut self, version: VersionIndex, draw: Draw) -> Option<RecordedAnswer> {
        match &mut self.origin {
            Origin::Generated(_) => None,
            Origin::Mixed(mixture) => mixture.answers_mut().lend(version, draw),
        }
    }

    /// What such a version would have done with another request that it never gets.
    pub fn answer_instead(&self, version: VersionIndex, draw: Draw) -> Option<RecordedAnswer> {
        match &self.origin {
            Origin::Generated(_) => None,
            Origin::Mixed(mixture) => mixture.answers().instead(version, draw),
        }
    }

    /// How many requests each version answered as recorded.
    pub fn answered(&self) -> impl Iterator<Item = Answered> {
        match &self.origin {
            Origin::Generated(_) => None,
            Origin::Mixed(mixture) => Some(mixture.answers().answered()),
        }
        .into_iter()
        .flatten()
    }

    /// Whether some requests come from users who wait for answers: then [`completed`] must be told
    /// of every answer. A change can bring such users.
    ///
    /// [`completed`]: Self::completed
    pub const fn waits_for_answers(&self) -> bool {
        self.waits_for_answers
    }

    /// When the next request is sent, as far as is known; `None` once there are no more, or while
    /// all users wait for answers.
    ///
    /// # Errors
    /// A trace is broken, or asks for a model that the plan does not have. Generated requests
    /// never fail.
    #[inline]
    pub fn next_at(&mut self) -> Result<Option<Duration>, SourceError> {
        if self.sent >= self.limit {
            return Ok(None);
        }
        match &mut self.changed {
            None => self.origin.next_at(),
            Some(changed) => changed.next_at(&mut self.origin),
        }
    }

    /// The request whose time [`next_at`](Self::next_at) has told, which now counts as sent; `None`
    /// where there was none.
    #[inline]
    pub fn take(&mut self) -> Option<Arrival> {
        if self.sent >= self.limit {
            return None;
        }
        let arrival = match (&self.changed, &mut self.origin) {
            // What nearly all runs do, in place.
            (None, Origin::Generated(times)) => {
                generated(times.take()?, self.sent, &mut self.identities, &self.sizes)
            }
            _ => self.take_otherwise()?,
        };
        self.sent += 1;
        Some(arrival)
    }

    /// The request that was taken last is not sent after all: where their number is limited,
    /// another may come in its place.
    pub const fn forgo(&mut self) {
        self.limit = self.limit.saturating_add(1);
    }

    #[inline(never)]
    fn take_otherwise(&mut self) -> Option<Arrival> {
        match self.changed {
            None => self.take_usual(self.sent).map(|(arrival, _)| arrival),
            Some(_) => self.take_changed(),
        }
    }

    /// The next request of the workload itself, which is number `number` of its own, at its own
    /// time, and whether it was recorded.
    fn take_usual(&mut self, number: u64) -> Option<(Arrival, bool)> {
        let identities = &mut self.identities;
        match &mut self.origin {
            Origin::Generated(times) => {
                Some((generated(times.take()?, number, identities, &self.sizes), false))
            }
            Origin::Mixed(mixture) => mixture.take(number, self.chance, identities, &self.sizes),
        }
    }

    fn take_changed(&mut self) -> Option<Arrival> {
        let changed = self.changed.as_mut()?;
        let (mut arrival, is_recorded) = match &mut changed.instead {
            Some(Instead { from, times }) => {
                let coming = times.take()?;
                let coming = Coming { at: *from + coming.at, ..coming };
                // Counted down, so that the numbers of the workload's own requests are theirs.
                changed.others += 1;
                let number = changed.others.wrapping_neg();
                if let Origin::Mixed(mixture) = &mut self.origin {
                    mixture.answers_mut().take(None);
                }
                (generated(coming, number, &mut self.identities, &self.sizes), false)
            }
            None => {
                let number = self.sent - changed.others + changed.skipped;
                self.take_usual(number)?
            }
        };
        let changed = self.changed.as_ref()?;
        if is_recorded {
            let request = &mut arrival.request;
            let draws = self.chance.request(request.id, 0);
            if let Some(size) = self.sizes.first().filter(|_| changed.says_sizes) {
                let input = || self.identities.prompt_size(request.prompt, draws);
                let output = || draws.draw(Purpose::OutputTokens, 0);
                (request.input, request.output) = size.sample(input, output);
            }
            if changed.says_stream {
                request.stream = self.identities.stream(draws);
            }
        }
        arrival.at = changed.clock.run(arrival.at);
        Some(arrival)
    }

    /// From `at` on, and no earlier than the last call, `change` holds; `None`: the workload is as
    /// it was. Another time may be the next, and users may wait for answers who did not before.
    ///
    /// # Errors
    /// A trace is broken in what is not sent of it.
    ///
    /// # Panics
    /// Arrivals come in the place of traces, and nothing says how large their requests are.
    pub fn change(&mut self, at: Duration, change: Option<&Change>) -> Result<(), SourceError> {
        if self.changed.is_none() && change.is_none() {
            return Ok(());
        }
        let changed = self.changed.get_or_insert_with(|| Box::new(Changed::nothing()));
        let own = changed.clock.own(at);
        if changed.instead.take().is_some() {
            changed.skipped += self.origin.skip_until(own)?;
        }
        let (sizes, stream) = change.map_or((None, None), |c| (c.sizes.as_ref(), c.stream));
        if changed.says_sizes || sizes.is_some() {
            let sizes = sizes.map_or(self.usual.sizes.as_slice(), std::slice::from_ref);
            self.sizes = sizes.iter().map(SizeSamplers::new).collect();
        }
        self.identities.set_stream(stream.unwrap_or(self.usual.stream));
        (changed.says_sizes, changed.says_stream) = (sizes.is_some(), stream.is_some());
        let speed = match change.map(|change| &change.pace) {
            Some(Pace::Speed(speed)) => *speed,
            None | Some(Pace::Arrivals(_)) => 1.0,
        };
        changed.clock.set_speed(at, speed);
        if let Some(arrivals) = change.and_then(Change::arrivals) {
            assert!(!self.sizes.is_empty(), "nothing says how large requests are");
            let times = ArrivalTimes::new(arrivals, self.chance, self.taken);
            changed.instead = Some(Instead { from: own, times });
            self.taken.processes += arrivals.processes();
            let users = count(arrivals.closed_users());
            self.taken.users = self.taken.users.saturating_add(users);
            self.waits_for_answers |= users > 0;
        }
        Ok(())
    }

    /// Whether requests could come although [`next_at`](Self::next_at) knows of none and all
    /// answers have come: the workload has more, and stands still or is replaced, or a change
    /// `brings` them that is still to come.
    ///
    /// # Errors
    /// A trace is broken.
    pub fn could_go_on(&mut self, brings: bool) -> Result<bool, SourceError> {
        Ok(self.sent < self.limit && (brings || self.origin.next_at()?.is_some()))
    }

    /// The client of `request` got its answer, or gave up, at `at`. Whoever waits for it may send
    /// on, and then before what [`next_at`](Self::next_at) said.
    pub fn completed(&mut self, request: &Request, at: Duration) {
        let mut own = at;
        if let Some(changed) = &mut self.changed {
            own = changed.clock.own(at);
            if let Some(Instead { from, times }) = &mut changed.instead {
                times.completed(request.id, own.saturating_sub(*from));
            }
        }
        match &mut self.origin {
            Origin::Generated(times) => times.completed(request.id, own),
            Origin::Mixed(mixture) => mixture.completed(request.id, own),
        }
    }
}

impl Origin {
    #[inline]
    fn next_at(&mut self) -> Result<Option<Duration>, SourceError> {
        match self {
            Self::Generated(times) => Ok(times.next_at()),
            Self::Mixed(mixture) => mixture.next_at(),
        }
    }

    /// What would be sent before `until` is not: how many requests.
    fn skip_until(&mut self, until: Duration) -> Result<u64, SourceError> {
        match self {
            Self::Generated(times) => Ok(times.skip_until(until)),
            Self::Mixed(mixture) => mixture.skip_until(until),
        }
    }
}

impl Changed {
    const fn nothing() -> Self {
        Self {
            clock: Clock::new(),
            others: 0,
            skipped: 0,
            instead: None,
            says_sizes: false,
            says_stream: false,
        }
    }

    #[inline(never)]
    fn next_at(&mut self, usual: &mut Origin) -> Result<Option<Duration>, SourceError> {
        let own = match &mut self.instead {
            Some(instead) => instead.times.next_at().map(|at| instead.from + at),
            None => usual.next_at()?,
        };
        Ok(own.map(|own| self.clock.run(own)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrivals::{Constant, Piecewise, Poisson};
    use crate::chance::{Distribution, Zipf};
    use crate::exchange::ModelIndex;
    use crate::trace::{TraceFormat, TraceRecord, TraceWriter};
    use crate::units::{KeyId, ModelId, Rate, RequestId, Tokens};
    use crate::workload::{Client, Part, PlaybackOptions, Sessions};

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
        TokenSizes::independent(lognormal(input), lognormal(output))
    }

    fn population() -> Population {
        let stream = Ratio::new(0.3).unwrap();
        Population { stream, ..Population::of_users(2_000.try_into().unwrap()) }
    }

    fn generate(workload: &Workload, chance: Chance) -> Vec<Arrival> {
        let mut source = Source::generate(workload, chance);
        std::iter::from_fn(|| next(&mut source).unwrap()).collect()
    }

    fn next(source: &mut Source) -> Result<Option<Arrival>, SourceError> {
        source.next_at()?;
        Ok(source.take())
    }

    fn replay(text: &'static str) -> Source {
        let input: TraceInput = Box::new(std::io::Cursor::new(text));
        let models = ["gpt-4", "llama"].map(|name| ModelId::new(name).unwrap()).to_vec();
        let replay = Replay {
            parts: vec![Part::Recorded(PlaybackOptions::default())],
            requests: None,
            sizes: Vec::new(),
            models,
            recorded: Vec::new(),
            needs_sessions: false,
            population: population(),
        };
        Source::replay(vec![input], &replay, Chance::new(1, 0)).unwrap()
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
            Client { key, share, made_for: None, model: None, pin: None }
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
        assert_eq!(source.traces().next().unwrap().accounting().emitted, 2);
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
        let sizes = |tokens| TokenSizes::independent(constant(tokens), constant(2.0 * tokens));
        workload.sizes = vec![sizes(10.0), sizes(30.0)];
        let arrivals = generate(&workload, Chance::new(3, 0));
        for request in arrivals.iter().map(|arrival| arrival.request) {
            let input = [10, 30][usize::from(request.model.0)];
            assert_eq!((request.input.get(), request.output.get()), (input, 2 * input));
        }
    }

    /// What `source` sends before `until`, changed at these times.
    fn changed(source: &mut Source, changes: &[(u64, Option<Change>)], until: u64) -> Vec<Arrival> {
        let mut sent = Vec::new();
        let mut changes = changes.iter().peekable();
        loop {
            let next_at = source.next_at().unwrap();
            let due = |at: &u64| next_at.is_none_or(|next| Duration::from_secs(*at) <= next);
            match (changes.next_if(|(at, _)| due(at)), next_at) {
                (Some((at, change)), _) => {
                    source.change(Duration::from_secs(*at), change.as_ref()).unwrap();
                }
                (None, Some(at)) if at < Duration::from_secs(until) => {
                    sent.extend(source.take());
                }
                _ => return sent,
            }
        }
    }

    fn speed(speed: f64) -> Change {
        Change { pace: Pace::Speed(speed), sizes: None, stream: None }
    }

    fn constant(per_second: f64) -> Arrivals {
        Constant::new(Rate::per(per_second, Duration::from_secs(1)).unwrap()).into()
    }

    fn instead(arrivals: Arrivals) -> Change {
        Change { pace: Pace::Arrivals(arrivals), sizes: None, stream: None }
    }

    #[test]
    fn at_another_speed_the_same_requests_come_sooner_or_later() {
        let plain = generate(&workload(), Chance::new(7, 0));
        let mut source = Source::generate(&workload(), Chance::new(7, 0));
        let changes =
            [(10, Some(speed(4.0))), (20, None), (30, Some(speed(0.5))), (50, Some(speed(2.0)))];
        let changed = changed(&mut source, &changes, 60);
        // Of its own time, 10 s pass in the first 10 s, 40 s in the next, then 10 s, 10 s and 20 s.
        let knots = [(0.0, 0.0), (10.0, 10.0), (50.0, 20.0), (60.0, 30.0), (70.0, 50.0)];
        let speeds = [1.0, 4.0, 1.0, 0.5, 2.0];
        let own_until = Duration::from_secs(90);
        let expected: Vec<_> = plain.iter().take_while(|arrival| arrival.at < own_until).collect();
        assert_eq!(changed.len(), expected.len());
        for (changed, plain) in changed.iter().zip(expected) {
            assert_eq!(changed.request, plain.request);
            let own = plain.at.as_secs_f64();
            let place = knots.partition_point(|(from, _)| *from <= own) - 1;
            let at = knots[place].1 + (own - knots[place].0) / speeds[place];
            assert!((changed.at.as_secs_f64() - at).abs() < 1e-8, "{changed:?} {at}");
        }
    }

    #[test]
    fn other_arrivals_take_the_place_of_the_workloads_and_leave_what_comes_after_them() {
        let plain = generate(&workload(), Chance::new(7, 0));
        let mut source = Source::generate(&workload(), Chance::new(7, 0));
        let changes = [
            (10, Some(instead(constant(2.0)))),
            (20, Some(instead(constant(5.0)))),
            (30, None),
            (31, Some(speed(1.0))),
        ];
        let changed = changed(&mut source, &changes, 60);
        let seconds = |arrival: &Arrival| arrival.at.as_secs_f64();
        let own = |from: f64, to: f64| {
            let within = move |arrival: &&Arrival| (from..to).contains(&seconds(arrival));
            changed.iter().filter(within).copied().collect::<Vec<_>>()
        };
        let grid = |from: u64, gap: u64, count: u64| {
            (0..count).map(move |number| Duration::from_millis(from + gap * number))
        };
        assert!(own(10.0, 20.0).iter().map(|arrival| arrival.at).eq(grid(10_000, 500, 20)));
        assert!(own(20.0, 30.0).iter().map(|arrival| arrival.at).eq(grid(20_000, 200, 50)));
        for (from, to) in [(0.0, 10.0), (30.0, 60.0)] {
            let same = plain.iter().filter(|arrival| (from..to).contains(&seconds(arrival)));
            let found = own(from, to);
            assert!(found.len() > 50);
            assert!(same.eq(found.iter()));
        }
        let ids: std::collections::BTreeSet<_> =
            changed.iter().map(|arrival| arrival.request.id).collect();
        assert_eq!(ids.len(), changed.len());
    }

    #[test]
    fn tokens_and_streaming_hold_for_what_is_sent_meanwhile() {
        let plain = generate(&workload(), Chance::new(7, 0));
        let constant = |tokens| Distribution::constant(tokens).unwrap();
        let sizes = TokenSizes::independent(constant(5.0), constant(6.0));
        let other = Change { sizes: Some(sizes), stream: Some(Ratio::ONE), ..speed(1.0) };
        let mut source = Source::generate(&workload(), Chance::new(7, 0));
        let changed = changed(&mut source, &[(10, Some(other)), (20, None)], 30);
        for (changed, plain) in changed.iter().zip(&plain) {
            let mut expected = *plain;
            if (10..20).contains(&plain.at.as_secs()) {
                let request = &mut expected.request;
                (request.input, request.output) = (Tokens::new(5), Tokens::new(6));
                request.stream = true;
            }
            assert_eq!(*changed, expected);
        }
    }

    #[test]
    fn requests_of_all_arrivals_count_towards_the_limit() {
        let mut workload = workload();
        workload.requests = Some(100);
        let mut source = Source::generate(&workload, Chance::new(7, 0));
        let changes = [(1, Some(instead(constant(20.0)))), (3, None)];
        let changed = changed(&mut source, &changes, 1_000);
        assert_eq!(changed.len(), 100);
        let meanwhile = changed.iter().filter(|arrival| [1, 2].contains(&arrival.at.as_secs()));
        assert_eq!(meanwhile.count(), 40);
        assert!(!source.could_go_on(true).unwrap());
    }

    #[test]
    fn users_who_wait_think_faster_and_pause_while_others_come() {
        let closed = |users| {
            crate::arrivals::Closed::new(users, Distribution::constant(2.0).unwrap()).unwrap()
        };
        let mut workload = workload();
        workload.arrivals = closed(3).into();
        let mut source = Source::generate(&workload, Chance::new(7, 0));
        let at = Duration::from_secs;
        let requests: Vec<_> =
            (0..3).map(|_| next(&mut source).unwrap().unwrap().request).collect();
        assert_eq!(source.next_at().unwrap(), None);
        source.change(at(10), Some(&speed(4.0))).unwrap();
        source.completed(&requests[0], at(11));
        assert_eq!(source.next_at().unwrap(), Some(Duration::from_millis(11_500)));
        // 20 s of its own time have passed at 12.5 s; others come until 22.5 s, its 30 s.
        source.take().unwrap();
        let pause = Duration::from_millis(12_500);
        let others = Arrivals::sum(vec![closed(2).into(), constant(1.0)]).unwrap();
        source.change(pause, Some(&instead(others))).unwrap();
        let mut users = std::collections::BTreeSet::new();
        while let Some(next_at) = source.next_at().unwrap().filter(|next| *next < at(16)) {
            let Arrival { request, at } = source.take().unwrap();
            assert_eq!(at, next_at);
            source.completed(&request, at);
            users.insert(request.user);
        }
        // Three who wait, 2,000 others, two more who wait.
        assert!(users.contains(&2_003) && users.contains(&2_004), "{users:?}");
        assert!(users.iter().all(|user| (3..2_005).contains(user)), "{users:?}");
        assert!(users.len() > 3);
        // Answered at 16 s, when it is 23.5 s, the user would send at 25.5 s, 27.5 s and 29.5 s.
        source.completed(&requests[1], at(16));
        source.change(Duration::from_millis(22_500), None).unwrap();
        assert_eq!(source.next_at().unwrap(), Some(at(24)));
        assert_eq!(source.take().unwrap().request.user, requests[1].user);
    }

    #[test]
    fn what_is_replaced_of_a_trace_is_accounted_for_and_the_rest_keeps_its_identity() {
        let text = "#coalmine-trace 1\nat_ns,input_tokens,output_tokens,stream\n\
                    0,1,10,true\n11000000000,2,20,true\n19000000000,3,30,true\n\
                    20000000000,4,40,true\n31000000000,5,50,true\n";
        let constant_sizes = |tokens| {
            let constant = Distribution::constant(tokens).unwrap();
            Some(TokenSizes::independent(constant.clone(), constant))
        };
        let other = Change { sizes: constant_sizes(7.0), ..instead(constant(0.1)) };
        let sized = Change { sizes: constant_sizes(8.0), stream: Some(Ratio::ZERO), ..speed(2.0) };
        let mut source = replay(text);
        let changes = [(10, Some(other)), (20, None), (30, Some(sized))];
        let sent = changed(&mut source, &changes, 100);
        let seen: Vec<_> = sent
            .iter()
            .map(|Arrival { at, request }| {
                (at.as_millis_f64(), request.id.0, request.input.get(), request.stream)
            })
            .collect();
        let expected = [
            (0.0, 0, 1, true),
            (10_000.0, 1 << 56, 7, false),
            (20_000.0, 3, 4, true),
            (30_500.0, 4, 8, false),
        ];
        assert_eq!(seen[0], expected[0]);
        assert_eq!((seen[1].0, seen[1].1, seen[1].2), (10_000.0, 1 << 56, 7));
        assert_eq!(seen[2..], expected[2..]);
        let accounting = source.traces().next().unwrap().accounting();
        assert_eq!((accounting.read, accounting.emitted), (5, 3));
        assert_eq!(accounting.dropped[&crate::trace::DropReason::Replaced].lines, [4, 5]);
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
        let start = Some("2024-03-15T11:00:00Z".parse().unwrap());
        let mut writer = TraceWriter::new(Vec::new(), TraceFormat::Azure, start).unwrap();
        while let Some(arrival) = next(&mut source).unwrap() {
            let (at, input, output) = (arrival.at, arrival.request.input, arrival.request.output);
            let (input, output) = (Some(input), Some(output));
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
