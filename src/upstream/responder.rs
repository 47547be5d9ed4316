//! From a request and an instant to the plan of its response.

use super::active_fault::ActiveFault;
use super::aim::{Aim, Region};
use super::burst_state::BurstState;
use super::capacity::{Admission, Slots};
use super::compiled_failure::{Answer, CompiledFailure, pick, pick_above, total};
use super::pace::{Pace, Times};
use super::rate_limit::Buckets;
use super::{Behaviour, Capacity, Correlation, Failure, Fault, RateLimit, ResponsePlan, Waiting};
use crate::chance::{Chance, Draws, Purpose};
use crate::exchange::{Ending, Request, RetryAfter, VersionIndex};
use crate::units::{Draw, Duration, Timestamp};

/// A version's upstream: its behaviour, compiled for sampling, the faults on it now, and the
/// requests that it is answering.
///
/// What it does with a request is a function of its behaviour, its faults, the request's own draws
/// and, where its capacity or its rate is limited, of the requests before. A driver calls
///
/// 1. [`Responder::begin`] when a request comes. It has a plan, or it [waits](Begun::Waits): then
///    the driver names it by [`Responder::enqueue`].
/// 2. [`Responder::end`] when a request ended that held a slot, or its client left;
///    [`Responder::leave`] when the client of a waiting one left.
/// 3. [`Responder::admit`] after each of the former and whenever faults have begun or ended, until
///    it yields nothing: for each request that it names, [`Responder::resume`] tells the plan.
#[derive(Clone, Debug)]
pub struct Responder {
    pace: Pace,
    failures: Vec<CompiledFailure>,
    /// The probability that any of `failures` happens, as a threshold.
    any_failure: u128,
    faults: Vec<ActiveFault>,
    /// Whether requests fail each for itself.
    independent: bool,
    /// Whether all requests of a user fail alike.
    by_user: bool,
    bursts: Option<BurstState>,
    chance: Chance,
    /// `None`: neither capacity nor rate are ever limited.
    load: Option<Box<Load>>,
    /// What takes the place of a draw of the next answer.
    aim: Option<Aim>,
}

/// What an upstream needs to know beside its behaviour.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The randomness of the run, for what belongs to a user or to a second.
    pub chance: Chance,
    /// Which version it is of.
    pub version: VersionIndex,
    /// The first instant.
    pub start: Timestamp,
    /// Whether faults may limit its capacity or its rate.
    pub may_be_limited: bool,
}

/// What becomes of a request that has come.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Begun {
    /// This, and its end need not be told.
    Free(ResponsePlan),
    /// This, and it holds a slot until [`Responder::end`].
    InSlot(ResponsePlan),
    /// It waits for its turn.
    Waits,
}

/// What is limited, and how far it is used up.
#[derive(Clone, Debug)]
struct Load {
    capacity: Option<Capacity>,
    slowdown_at_full: f64,
    rate_limit: RateLimit,
    slots: Slots,
    buckets: Buckets,
}

impl Responder {
    /// An upstream of this behaviour, without faults and requests.
    pub fn new(behaviour: &Behaviour, setting: Setting) -> Self {
        let failures: Vec<_> = behaviour.failures.iter().map(CompiledFailure::new).collect();
        let any_failure = total(&failures);
        let Setting { chance, version, start, may_be_limited } = setting;
        let load = (may_be_limited || behaviour.is_limited()).then(|| Load {
            capacity: behaviour.capacity,
            slowdown_at_full: behaviour.slowdown_at_full,
            rate_limit: behaviour.rate_limit,
            slots: Slots::default(),
            buckets: Buckets::default(),
        });
        Self {
            pace: Pace::new(&behaviour.latency),
            failures,
            any_failure,
            faults: Vec::new(),
            independent: behaviour.correlation == Correlation::Request,
            by_user: behaviour.correlation == Correlation::User,
            bursts: match &behaviour.correlation {
                Correlation::Burst(bursts) => Some(BurstState::new(bursts, chance, version, start)),
                _ => None,
            },
            chance,
            load: load.map(Box::new),
            aim: None,
        }
    }

    /// From now on `aim` takes the place of the draws of its purpose, or nothing does.
    pub const fn aim(&mut self, aim: Option<Aim>) {
        self.aim = aim;
    }

    /// The draws of [`Purpose::Failure`] by which a request fails one way or another when no fault
    /// is on the upstream: each way with the stretch of its draws.
    pub fn failures(
        &self,
        request: &Request,
        now: Timestamp,
        draws: Draws,
    ) -> Vec<((u128, u128), ResponsePlan)> {
        let mut low = 0;
        let failures = self.failures.iter().map(|failure| {
            let high = low + failure.threshold(1.0);
            let times = || self.times(request, now, draws, true);
            let stretch = (low, high);
            low = high;
            (stretch, failure.plan(request, draws, times))
        });
        failures.collect()
    }

    /// The draws of [`Purpose::Latency`] by which an answer takes longer than `limit` when no fault
    /// is on the upstream; `None` where no single draw decides that.
    pub fn slower_than(&self, limit: Duration) -> Option<Region> {
        let Pace::Total { total, .. } = &self.pace else { return None };
        let is_slow =
            |bits: u64| Duration::from_secs_f64(total.sample(Draw::from_bits(bits))) > limit;
        // The least draw that is slow, as the time never falls where the draw grows.
        let (mut low, mut high) = (0, 1_u128 << 64);
        while low < high {
            let middle = (low + high) / 2;
            match is_slow(middle as u64) {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        Some(Region::new([(low, 1 << 64)]))
    }

    /// Puts `fault` on the upstream from `onset` to before `until`; `None`: until
    /// [`Responder::end_open_faults`].
    pub fn begin_fault(&mut self, fault: &Fault, onset: Timestamp, until: Option<Timestamp>) {
        self.faults.push(ActiveFault::new(fault, onset, until));
    }

    /// Ends every fault that had no end of its own, and forgets those that are over and those that
    /// have not begun: their phase is over.
    pub fn end_open_faults(&mut self, now: Timestamp) {
        self.faults.retain(|fault| fault.goes_on(now));
    }

    /// Takes all faults off.
    pub fn end_all_faults(&mut self) {
        self.faults.clear();
    }

    /// The bad stretches before `end`, in their order: from when to when. `None` where its failures
    /// do not come in bursts.
    pub fn bursts(&self, end: Timestamp) -> Option<impl Iterator<Item = (Timestamp, Timestamp)>> {
        self.bursts.as_ref().map(|bursts| bursts.stretches(end))
    }

    /// Whether neither capacity nor rate are ever limited: then requests need only be
    /// [answered](Responder::answer).
    #[inline]
    pub const fn is_unlimited(&self) -> bool {
        self.load.is_none()
    }

    /// What happens to a request that comes `now`, where nothing is ever limited.
    #[inline(always)]
    pub fn answer(&self, request: &Request, now: Timestamp, draws: Draws) -> ResponsePlan {
        self.plan(request, now, draws, 1.0)
    }

    /// A request waits that [`Responder::begin`] said must, under this name of the driver's.
    pub fn enqueue(&mut self, request: Waiting) {
        if let Some(load) = &mut self.load {
            load.slots.wait(request);
        }
    }

    /// A request that held a slot has ended, or its client has left.
    pub fn end(&mut self) {
        if let Some(load) = &mut self.load {
            load.slots.release();
        }
    }

    /// The client of a waiting request has left.
    pub fn leave(&mut self, request: Waiting) {
        if let Some(load) = &mut self.load {
            load.slots.leave(request);
        }
    }

    /// The next waiting request whose turn it is `now`. It is to be told to [`Responder::resume`]
    /// before the next one is asked for.
    pub fn admit(&mut self, now: Timestamp) -> Option<Waiting> {
        let capacity = self.capacity(now);
        self.load.as_mut()?.slots.admit(capacity.as_ref())
    }

    /// What happens to an admitted request that had come `wait` before `now`. It holds a slot.
    pub fn resume(
        &mut self,
        request: &Request,
        now: Timestamp,
        draws: Draws,
        wait: Duration,
    ) -> ResponsePlan {
        let plan = self.plan(request, now, draws, self.slowdown(now)).delayed(wait);
        if let Some(load) = &mut self.load {
            load.slots.take();
        }
        plan
    }

    /// What would happen to `request` if it came `now`, when it never does: nothing changes by it.
    /// A wait for its turn is left out, as nobody can tell how long it would be.
    pub fn plan_instead(&self, request: &Request, now: Timestamp, draws: Draws) -> ResponsePlan {
        match self.refusal(request, now) {
            Err(refusal) => refusal,
            Ok(_) => self.plan(request, now, draws, self.slowdown(now)),
        }
    }

    /// A request comes `now`.
    #[inline(never)]
    pub fn begin(&mut self, request: &Request, now: Timestamp, draws: Draws) -> Begun {
        let accepted = match self.refusal(request, now) {
            Ok(accepted) => accepted,
            Err(refusal) => return Begun::Free(refusal),
        };
        let slowdown = self.slowdown(now);
        if let (Some(load), Some((buckets, admission))) = (&mut self.load, accepted) {
            load.buckets = buckets;
            if admission == Admission::Queue {
                return Begun::Waits;
            }
            load.slots.take();
            return Begun::InSlot(self.plan(request, now, draws, slowdown));
        }
        Begun::Free(self.plan(request, now, draws, slowdown))
    }

    /// Where a request comes to stand that arrives `now`, and the buckets after it; or how it is
    /// refused. A request that finds no place is not charged.
    fn refusal(
        &self,
        request: &Request,
        now: Timestamp,
    ) -> Result<Option<(Buckets, Admission)>, ResponsePlan> {
        let Some(load) = &self.load else { return Ok(None) };
        let refused = |status, retry_after: Option<Duration>| {
            let latency = Duration::from_secs_f64(Failure::DEFAULT_LATENCY_SECS);
            let plan = ResponsePlan::without_answer(Ending::Status(status), latency);
            Err(ResponsePlan { retry_after: retry_after.map(RetryAfter::of), ..plan })
        };
        let mut buckets = load.buckets;
        if let Err(retry_after) = buckets.accept(&self.rate_limit(now), request, now) {
            return refused(RATE_LIMITED, retry_after);
        }
        let capacity = self.capacity(now);
        match (load.slots.admission(capacity.as_ref()), capacity) {
            (Admission::Refused, Some(capacity)) => refused(capacity.on_full, None),
            (admission, _) => Ok(Some((buckets, admission))),
        }
    }

    /// By which factor the answer of a request takes longer that takes a slot `now`.
    fn slowdown(&self, now: Timestamp) -> f64 {
        let (Some(load), Some(capacity)) = (&self.load, self.capacity(now)) else { return 1.0 };
        1.0 + (load.slowdown_at_full - 1.0) * load.slots.load(&capacity)
    }

    /// The capacity that is in force `now`: that of the last fault that states one, or the own.
    fn capacity(&self, now: Timestamp) -> Option<Capacity> {
        let by_fault = |fault: &ActiveFault| fault.fault().capacity.filter(|_| fault.is_on(now));
        let of_faults = self.faults.iter().rev().find_map(by_fault);
        of_faults.or(self.load.as_ref()?.capacity)
    }

    /// The rate limit that is in force `now`, likewise for each of its quotas.
    fn rate_limit(&self, now: Timestamp) -> RateLimit {
        let mut limit = self.load.as_ref().map_or_else(RateLimit::default, |load| load.rate_limit);
        for fault in self.faults.iter().filter(|fault| fault.is_on(now)) {
            let of_fault = fault.fault().rate_limit;
            limit.requests = of_fault.requests.or(limit.requests);
            limit.tokens = of_fault.tokens.or(limit.tokens);
        }
        limit
    }

    /// What happens to `request` if it is answered from `now` on, `slowdown` times slower than
    /// normally: a function of the behaviour, the faults and the request's own draws, so that other
    /// rules or splits meet the same answer.
    #[inline(always)]
    fn plan(&self, request: &Request, now: Timestamp, draws: Draws, slowdown: f64) -> ResponsePlan {
        let draw = self.drawn(draws, Purpose::Failure);
        let plain = self.faults.is_empty() && self.independent;
        let failure = if !plain {
            self.pick_among_all(request, now, draw)
        } else if draw.is_below(self.any_failure) {
            pick(&self.failures, draw)
        } else {
            None
        };
        match failure {
            None => {
                let times = self.times(request, now, draws, request.stream);
                Answer::new(request, times.scaled(slowdown)).complete()
            }
            Some(failure) => failure
                .plan(request, draws, || self.times(request, now, draws, true).scaled(slowdown)),
        }
    }

    /// The draw of a purpose, or what takes its place.
    #[inline(always)]
    fn drawn(&self, draws: Draws, purpose: Purpose) -> Draw {
        match self.aim {
            Some(aim) if aim.purpose == purpose => aim.draw,
            _ => draws.draw(purpose, 0),
        }
    }

    /// The failure that `draw` hits when those of a burst, and those of the active faults at their
    /// strength `now`, stand behind the normal ones.
    #[inline(never)]
    fn pick_among_all(
        &self,
        request: &Request,
        now: Timestamp,
        draw: Draw,
    ) -> Option<&CompiledFailure> {
        let user = self.chance.user(request.user);
        let draw = if self.by_user { user.draw(Purpose::Failure, 0) } else { draw };
        if let Some(failure) = pick(&self.failures, draw) {
            return Some(failure);
        }
        let mut bound = self.any_failure;
        if let Some(bursts) = &self.bursts
            && let Some(failure) = pick_above(bursts.failures(now), 1.0, &mut bound, draw)
        {
            return Some(failure);
        }
        let share = user.draw(Purpose::FaultShare, 0);
        self.faults.iter().find_map(|fault| {
            let strength = fault.strength(now, share);
            if strength == 0.0 {
                return None;
            }
            pick_above(fault.failures(), strength, &mut bound, draw)
        })
    }

    /// When the answer to `request` comes; the first token only where it is asked for.
    #[inline(always)]
    fn times(&self, request: &Request, now: Timestamp, draws: Draws, first: bool) -> Times {
        match &self.pace {
            Pace::Total { total, first_token } => {
                let draw = self.drawn(draws, Purpose::Latency);
                let mut total = Duration::from_secs_f64(total.sample(draw));
                if !self.faults.is_empty() {
                    let (first, tail) = (Duration::ZERO, Duration::ZERO);
                    let times = Times { first, total, tail };
                    total = self.changed(times, request, now, draws).total;
                }
                let first = if first { total.mul_f64(*first_token) } else { Duration::ZERO };
                Times { first, total, tail: Duration::ZERO }
            }
            Pace::Parts(parts) => self.changed(parts.times(request, draws), request, now, draws),
        }
    }

    /// `times` as the faults change them, one after the other.
    #[inline(never)]
    fn changed(&self, times: Times, request: &Request, now: Timestamp, draws: Draws) -> Times {
        let draw = draws.draw(Purpose::Latency, 0);
        let user = self.chance.user(request.user).draw(Purpose::FaultShare, 0);
        self.faults
            .iter()
            .fold(times, |times, fault| fault.change(times, fault.strength(now, user), draw))
    }
}

/// Too many requests.
const RATE_LIMITED: u16 = 429;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Distribution;
    use crate::exchange::ModelIndex;
    use crate::units::{Quota, Rate, Ratio, RequestId, Tokens};
    use crate::upstream::{
        Bursts, FailureKind, FaultShape, Latency, LatencyChange, LatencyParts, Limits,
    };

    const CHANCE: Chance = Chance::new(9, 0);
    const MILLI: Duration = Duration::from_millis(1);

    fn ratio(value: f64) -> Ratio {
        Ratio::new(value).unwrap()
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::EPOCH + Duration::from_millis(millis)
    }

    fn constant(millis: f64) -> Distribution {
        Distribution::constant(millis / 1e3).unwrap()
    }

    /// Answers of 101 tokens take 1 s, 200 ms of it to the first token.
    fn plain() -> Behaviour {
        Behaviour {
            latency: Latency::Total { total: constant(1_000.0), first_token: ratio(0.2) },
            failures: Vec::new(),
            correlation: Correlation::Request,
            capacity: None,
            slowdown_at_full: 1.0,
            rate_limit: RateLimit::default(),
        }
    }

    fn failure(kind: FailureKind, probability: f64) -> Failure {
        Failure { kind, probability: ratio(probability), latency: None }
    }

    fn fault() -> Fault {
        Fault {
            at: Duration::ZERO,
            lasts: None,
            ramp: Duration::ZERO,
            shape: FaultShape::Step,
            users: None,
            failures: Vec::new(),
            latency: None,
            capacity: None,
            rate_limit: RateLimit::default(),
        }
    }

    fn responder(behaviour: &Behaviour) -> Responder {
        let version = VersionIndex(0);
        let start = Timestamp::EPOCH;
        Responder::new(behaviour, Setting { chance: CHANCE, version, start, may_be_limited: false })
    }

    fn request(id: u64, stream: bool) -> Request {
        Request {
            id: RequestId(id),
            model: ModelIndex(0),
            user: (id % 1_000) as u32,
            session: 0,
            client: 0,
            prompt: None,
            input: Tokens::new(500),
            output: Tokens::new(101),
            stream,
        }
    }

    fn answer(responder: &mut Responder, request: &Request, now: Timestamp) -> ResponsePlan {
        match responder.begin(request, now, CHANCE.request(request.id, 0)) {
            Begun::Free(plan) | Begun::InSlot(plan) => plan,
            Begun::Waits => panic!("it waits"),
        }
    }

    /// How many of 20,000 requests fulfil `is`, all at `now`.
    fn count(
        responder: &mut Responder,
        now: Timestamp,
        is: impl Fn(&Request, &ResponsePlan) -> bool,
    ) -> u64 {
        (0..20_000)
            .map(|id| request(id, false))
            .filter(|request| is(request, &answer(responder, request, now)))
            .count() as u64
    }

    /// What a failure that always happens does to a streamed answer and to one that is not: ending,
    /// milliseconds to the end, to the first token, and tokens.
    fn what(kind: FailureKind) -> [(Ending, u64, Option<u64>, u32); 2] {
        let mut responder = responder(&Behaviour { failures: vec![failure(kind, 1.0)], ..plain() });
        [true, false].map(|stream| {
            let plan = answer(&mut responder, &request(1, stream), at(0));
            let millis = |time: Duration| time.as_nanos() / MILLI.as_nanos();
            let ResponsePlan { ending, latency, first_token, output, .. } = plan;
            (ending, millis(latency), first_token.map(millis), output.get())
        })
    }

    #[test]
    fn each_kind_of_failure_ends_a_stream_and_a_whole_answer_in_its_way() {
        use FailureKind as Kind;
        let whole = (Ending::Success, 1_000, None, 101);
        let status = (Ending::Status(503), 40, None, 0);
        assert_eq!(what(Kind::Status(503)), [status; 2]);
        assert_eq!(what(Kind::Refused), [(Ending::Refused, 40, None, 0); 2]);
        assert_eq!(what(Kind::Reset { at: None }), [(Ending::Reset, 40, None, 0); 2]);
        // A quarter of the 800 ms after the first token, and of the 101 tokens.
        let part = |ending| (ending, 400, Some(200), 25);
        let quarter = ratio(0.25);
        let reset = (Ending::Reset, 400, None, 25);
        assert_eq!(what(Kind::Reset { at: Some(quarter) }), [part(Ending::Reset), reset]);
        let unreadable = (Ending::Malformed, 1_000, None, 0);
        assert_eq!(what(Kind::Truncated { at: quarter }), [part(Ending::Truncated), unreadable]);
        assert_eq!(
            what(Kind::ErrorInStream { at: quarter }),
            [part(Ending::ErrorInStream), unreadable]
        );
        // Before the first token there is none.
        let none = (Ending::Truncated, 200, None, 0);
        assert_eq!(what(Kind::Truncated { at: Ratio::ZERO })[0], none);
        let at_once = (Ending::Malformed, 200, None, 0);
        assert_eq!(what(Kind::Malformed), [at_once, unreadable]);
        assert_eq!(what(Kind::WrongContentType), [at_once, unreadable]);
        assert_eq!(what(Kind::Empty), [(Ending::Success, 200, None, 0); 2]);
        let streamed = |millis, first| (Ending::Success, millis, Some(first), 101);
        assert_eq!(what(Kind::DuplicateChunk), [streamed(1_000, 200), whole]);
        let lasts = Duration::from_millis(5_000);
        let stalled = (Ending::Success, 6_000, None, 101);
        let stall = |after| Kind::Stall { after: ratio(after), lasts };
        assert_eq!(what(stall(0.5)), [streamed(6_000, 200), stalled]);
        assert_eq!(what(stall(0.0)), [streamed(6_000, 5_200), stalled]);
        // 100 gaps at 20 a second; at 200 a second it would be faster than it is.
        let drip = |rate| Kind::SlowDrip { rate: Rate::parse(rate).unwrap() };
        let dripping = (Ending::Success, 5_200, None, 101);
        assert_eq!(what(drip("20/s")), [streamed(5_200, 200), dripping]);
        assert_eq!(what(drip("200/s")), [streamed(1_000, 200), whole]);
    }

    #[test]
    fn who_waits_for_an_answer_that_never_comes_gives_up() {
        let behaviour = Behaviour { failures: vec![failure(FailureKind::Timeout, 1.0)], ..plain() };
        let plan = answer(&mut responder(&behaviour), &request(1, true), at(0));
        let [client, upstream] = [30, 60].map(Duration::from_secs);
        let seen = plan.observe(&request(1, true), Limits { client, upstream });
        assert_eq!((seen.ending, seen.latency), (Ending::ClientClosed, client));
        let (client, upstream) = (upstream, client);
        let seen = plan.observe(&request(1, true), Limits { client, upstream });
        assert_eq!(
            (seen.ending, seen.latency, seen.first_token),
            (Ending::Timeout, upstream, None)
        );
    }

    #[test]
    fn failures_happen_with_their_probability_however_small() {
        let failures = vec![
            failure(FailureKind::Status(500), 0.1),
            failure(FailureKind::Empty, 0.02),
            failure(FailureKind::Timeout, 1e-9),
        ];
        let mut responder = responder(&Behaviour { failures, ..plain() });
        // Of 20,000 requests 2,000 and 400, standard deviations 42.4 and 19.8.
        let ending = |wanted| {
            move |_: &Request, plan: &ResponsePlan| plan.ending == wanted && plan.output.get() == 0
        };
        let failed = count(&mut responder, at(0), ending(Ending::Status(500)));
        assert!(failed.abs_diff(2_000) < 170, "{failed}");
        let empty = count(&mut responder, at(0), ending(Ending::Success));
        assert!(empty.abs_diff(400) < 80, "{empty}");
        assert_eq!(count(&mut responder, at(0), ending(Ending::Timeout)), 0);
        // 1e-9 of 2^64 draws is 18,446,744,073.
        let compiled = CompiledFailure::new(&failure(FailureKind::Timeout, 1e-9));
        assert_eq!(compiled.threshold(1.0), 18_446_744_073);
    }

    #[test]
    fn a_latency_by_its_parts_adds_up() {
        let parts = LatencyParts {
            connect: constant(30.0),
            first_token: constant(200.0),
            per_input_token: constant(0.1),
            per_output_token: constant(20.0),
            tail: constant(7.0),
            at_most: None,
        };
        let latency = Latency::Parts(Box::new(parts));
        let mut responder = responder(&Behaviour { latency, ..plain() });
        let plan = answer(&mut responder, &request(1, true), at(0));
        // 30 + 200 + 500 * 0.1 to the first token, 100 gaps of 20 and 7 more to the end.
        assert_eq!(plan.first_token, Some(Duration::from_millis(280)));
        assert_eq!(plan.latency, Duration::from_millis(280 + 2_000 + 7));
        assert_eq!(plan.tail, Duration::from_millis(7));
        let one = Request { output: Tokens::new(1), ..request(1, true) };
        assert_eq!(answer(&mut responder, &one, at(0)).latency, Duration::from_millis(287));
    }

    /// 200 ms and 20 for each further token: 100 of them would come to 2,200.
    #[test]
    fn no_answer_takes_longer_than_it_may_unless_a_fault_makes_it() {
        let parts = |at_most: u64| LatencyParts {
            connect: constant(0.0),
            first_token: constant(200.0),
            per_input_token: constant(0.0),
            per_output_token: constant(20.0),
            tail: constant(0.0),
            at_most: Some(Duration::from_millis(at_most)),
        };
        for (at_most, first, total) in [(3_000, 200, 2_200), (1_500, 200, 1_500), (150, 150, 150)] {
            let latency = Latency::Parts(Box::new(parts(at_most)));
            let mut responder = responder(&Behaviour { latency, ..plain() });
            let plan = answer(&mut responder, &request(1, true), at(0));
            assert_eq!((plan.first_token, plan.latency), (Some(MILLI * first), MILLI * total));
            let slow = Fault { latency: Some(LatencyChange::Times(3.0)), ..fault() };
            responder.begin_fault(&slow, at(0), None);
            let plan = answer(&mut responder, &request(1, true), at(0));
            assert_eq!(plan.latency, MILLI * total * 3);
        }
    }

    #[test]
    fn latency_changes_apply_in_order_and_to_the_first_token() {
        let change = |change| Fault { latency: Some(change), ..fault() };
        let faults = [
            change(LatencyChange::Add(Duration::from_millis(500))),
            change(LatencyChange::Times(3.0)),
        ];
        let parts = LatencyParts {
            connect: constant(0.0),
            first_token: constant(200.0),
            per_input_token: constant(0.0),
            per_output_token: constant(8.0),
            tail: constant(0.0),
            at_most: None,
        };
        let latency = Latency::Parts(Box::new(parts));
        let by_parts = Behaviour { latency, ..plain() };
        // 200 and 1,000 ms become 700 and 1,500, then 2,100 and 4,500. Of a total, the first token
        // keeps its share.
        for (behaviour, first) in [(&by_parts, 2_100), (&plain(), 900)] {
            let mut responder = responder(behaviour);
            for fault in &faults {
                responder.begin_fault(fault, at(0), None);
            }
            let plan = answer(&mut responder, &request(1, true), at(0));
            assert_eq!(plan.latency, Duration::from_millis(4_500));
            assert_eq!(plan.first_token, Some(Duration::from_millis(first)));
            responder.end_open_faults(at(1));
            assert_eq!(answer(&mut responder, &request(1, true), at(1)).latency, MILLI * 1_000);
            let replace = change(LatencyChange::Replace(constant(3_000.0)));
            responder.begin_fault(&replace, at(0), Some(at(100)));
            let plan = answer(&mut responder, &request(1, true), at(99));
            assert_eq!(plan.latency, MILLI * 3_000);
            assert_eq!(plan.first_token, Some(MILLI * 600), "the first token in proportion");
            assert_eq!(answer(&mut responder, &request(1, true), at(100)).latency, MILLI * 1_000);
        }
    }

    #[test]
    fn a_chunk_comes_twice_in_a_stream_alone_and_is_seen_by_who_waits_for_its_end() {
        let failures = vec![failure(FailureKind::DuplicateChunk, 1.0)];
        let mut responder = responder(&Behaviour { failures, ..plain() });
        let mut seen = |stream, patience| {
            let request = request(1, stream);
            let limits = Limits { client: MILLI * patience, upstream: MILLI * 60_000 };
            let observed = answer(&mut responder, &request, at(0)).observe(&request, limits);
            (observed.ending, observed.repeats, observed.usage.output.get())
        };
        assert_eq!(seen(true, 5_000), (Ending::Success, true, 101));
        assert_eq!(seen(false, 5_000), (Ending::Success, false, 101));
        assert_eq!(seen(true, 500), (Ending::ClientClosed, false, 0));
    }

    #[test]
    fn faults_stand_behind_the_normal_failures_and_grow_with_their_strength() {
        let failures = vec![failure(FailureKind::Status(500), 0.1)];
        let mut responder = responder(&Behaviour { failures, ..plain() });
        let ramp = Duration::from_secs(100);
        let failures = vec![failure(FailureKind::Status(503), 0.4)];
        responder.begin_fault(&Fault { ramp, failures, ..fault() }, at(0), None);
        let failures = vec![failure(FailureKind::Status(504), 0.5)];
        responder.begin_fault(&Fault { failures, ..fault() }, at(200_000), None);
        let mut of = |status, second: u64| {
            let is = |_: &Request, plan: &ResponsePlan| plan.ending == Ending::Status(status);
            count(&mut responder, at(1_000 * second), is)
        };
        // Shares of 20,000; 280 is more than 4 standard deviations of each.
        for (status, second, expected) in [
            (500, 0, 2_000),
            (503, 0, 0),
            (500, 50, 2_000),
            (503, 50, 4_000),
            (503, 100, 8_000),
            (504, 199, 0),
            (504, 200, 10_000),
        ] {
            let found = of(status, second);
            assert!(found.abs_diff(expected) < 280, "{status} at {second} s: {found}");
        }
    }

    #[test]
    fn a_share_of_users_is_hit_by_every_fault_and_by_every_time() {
        let mut responder = responder(&plain());
        let users = Some(ratio(0.25));
        let failures = vec![failure(FailureKind::Status(503), 1.0)];
        responder.begin_fault(&Fault { users, failures, ..fault() }, at(0), Some(at(1_000)));
        let latency = Some(LatencyChange::Times(2.0));
        let slow = Fault { users: Some(ratio(0.5)), latency, ..fault() };
        responder.begin_fault(&slow, at(1_000), None);
        let hit_at = |responder: &mut Responder, millis: u64| -> Vec<bool> {
            let plan = |user| answer(responder, &request(user, false), at(millis));
            (0..1_000).map(plan).map(|plan| plan.latency != MILLI * 1_000).collect()
        };
        let (failed, again) = (hit_at(&mut responder, 0), hit_at(&mut responder, 500));
        assert_eq!(failed, again, "the same users");
        let share = failed.iter().filter(|hit| **hit).count();
        assert!(share.abs_diff(250) < 55, "{share}");
        let slowed = hit_at(&mut responder, 2_000);
        assert!(failed.iter().zip(&slowed).all(|(failed, slowed)| !failed || *slowed));
    }

    #[test]
    fn failures_by_user_fail_all_requests_of_the_same_users() {
        let failures = vec![failure(FailureKind::Status(500), 0.1)];
        let correlation = Correlation::User;
        let mut responder = responder(&Behaviour { failures, correlation, ..plain() });
        let fails = |responder: &mut Responder, id| {
            answer(responder, &request(id, false), at(0)).ending != Ending::Success
        };
        let first: Vec<bool> = (0..1_000).map(|id| fails(&mut responder, id)).collect();
        for id in 1_000..10_000 {
            assert_eq!(fails(&mut responder, id), first[id as usize % 1_000]);
        }
        let share = first.iter().filter(|fails| **fails).count();
        assert!(share.abs_diff(100) < 40, "{share}");
    }

    #[test]
    fn failures_of_a_burst_come_in_its_seconds_only() {
        let failures = vec![failure(FailureKind::Status(503), 0.8)];
        let bursts = Bursts { enter: ratio(0.02), leave: ratio(0.1), failures };
        let correlation = Correlation::Burst(bursts);
        let mut responder = responder(&Behaviour { correlation, ..plain() });
        // 50 requests a second: a bad one has none that failed with probability 0.2^50.
        let failed = |responder: &mut Responder, second: u64| {
            let ids = second * 50..second * 50 + 50;
            ids.filter(|id| {
                let plan = answer(responder, &request(*id, false), at(1_000 * second + 7));
                plan.ending != Ending::Success
            })
            .count()
        };
        let counts: Vec<_> = (0..20_000).map(|second| failed(&mut responder, second)).collect();
        let bad: Vec<_> = counts.iter().filter(|count| **count > 0).collect();
        // Stationary 1/6; the chain forgets with 0.88 a second, standard deviation 0.0104.
        let share = bad.len() as f64 / 20_000.0;
        assert!((share - 1.0 / 6.0).abs() < 0.042, "{share}");
        let mean = bad.iter().copied().sum::<usize>() as f64 / bad.len() as f64;
        assert!((mean - 40.0).abs() < 0.2, "{mean}");
    }

    #[test]
    fn a_limited_rate_answers_429_and_says_when_to_come_back() {
        let rate_limit = RateLimit { requests: Quota::parse("2/m").ok(), tokens: None };
        let mut responder = responder(&Behaviour { rate_limit, ..plain() });
        let ends = |responder: &mut Responder, id, millis| {
            let plan = answer(responder, &request(id, false), at(millis));
            (plan.ending, plan.retry_after)
        };
        assert_eq!(ends(&mut responder, 0, 0), (Ending::Success, None));
        assert_eq!(ends(&mut responder, 1, 0), (Ending::Success, None));
        let wait = Some(RetryAfter::of(Duration::from_secs(30)));
        assert_eq!(ends(&mut responder, 2, 0), (Ending::Status(429), wait));
        let refused = answer(&mut responder, &request(2, false), at(1));
        let limits = |millis| Limits { client: MILLI * millis, upstream: MILLI * 60_000 };
        let seen = |millis| refused.observe(&request(2, false), limits(millis)).retry_after;
        assert_eq!((seen(1_000), seen(39)), (wait, None), "who has left is told nothing");
        let instead = |responder: &Responder, millis| {
            let draws = CHANCE.request(RequestId(9), 0);
            responder.plan_instead(&request(9, false), at(millis), draws).ending
        };
        assert_eq!(instead(&responder, 1), Ending::Status(429));
        assert_eq!(instead(&responder, 30_000), Ending::Success);
        // What would have happened has charged nothing.
        assert_eq!(ends(&mut responder, 3, 30_000), (Ending::Success, None));
        // A fault's limit stands in place of the own; the bucket is as empty as it was.
        let rate_limit = RateLimit { requests: Quota::parse("1000/m").ok(), tokens: None };
        responder.begin_fault(&Fault { rate_limit, ..fault() }, at(30_000), Some(at(40_000)));
        assert_eq!(ends(&mut responder, 4, 30_059).0, Ending::Status(429));
        assert_eq!(ends(&mut responder, 4, 30_060).0, Ending::Success);
        assert_eq!(ends(&mut responder, 5, 40_000).0, Ending::Status(429));
    }

    #[test]
    fn slots_are_held_until_the_end_and_answers_slow_down_as_they_fill() {
        let capacity = Some(Capacity { concurrency: 2, queue: Some(1), on_full: 503 });
        let limited = Behaviour { capacity, slowdown_at_full: 3.0, ..plain() };
        let mut responder = responder(&limited);
        let begin = |responder: &mut Responder, id, millis| {
            let draws = CHANCE.request(RequestId(id), 0);
            responder.begin(&request(id, false), at(millis), draws)
        };
        let latency = |begun| match begun {
            Begun::InSlot(plan) => plan.latency.as_nanos() / MILLI.as_nanos(),
            other => panic!("{other:?}"),
        };
        assert_eq!(latency(begin(&mut responder, 0, 0)), 2_000);
        assert_eq!(latency(begin(&mut responder, 1, 0)), 3_000);
        assert_eq!(begin(&mut responder, 2, 500), Begun::Waits);
        responder.enqueue(Waiting(2));
        let Begun::Free(refused) = begin(&mut responder, 3, 600) else { panic!("no refusal") };
        assert_eq!((refused.ending, refused.latency), (Ending::Status(503), MILLI * 40));
        assert_eq!(responder.admit(at(700)), None);
        responder.end();
        assert_eq!(responder.admit(at(2_000)), Some(Waiting(2)));
        let (late, draws) = (request(2, true), CHANCE.request(RequestId(2), 0));
        let plan = responder.resume(&late, at(2_000), draws, MILLI * 1_500);
        assert_eq!(plan.latency, MILLI * (1_500 + 3_000));
        assert_eq!(plan.first_token, Some(MILLI * (1_500 + 600)));
        assert_eq!(responder.admit(at(2_000)), None);
    }
}
