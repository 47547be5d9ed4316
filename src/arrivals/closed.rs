//! Users who wait: each sends a request, waits for its answer, thinks, and sends the next.
//!
//! It answers another question than the open models: when answers get slower, less is sent. What
//! an overloaded upstream would have been sent by users who do not wait is missing, and with it the
//! worst latencies ("coordinated omission"), so reports mark such runs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

use super::error::ArrivalsError;
use super::key::{Form, Given, Key, Kind};
use super::lane::{Coming, Lane};
use super::nanos::{NANOS_PER_SECOND, instant, round};
use super::process::{Model, Times};
use crate::chance::{Distribution, Purpose, Sampler};
use crate::units::{Duration, RequestId};

/// Users who each have one request under way at most.
#[derive(Clone, PartialEq, Debug)]
pub struct Closed {
    users: u32,
    think: Distribution,
}

impl Closed {
    /// So many users, 1 to 1,000,000, who wait `think`, in seconds, between an answer and their
    /// next request, on average at least 1 ms. The first requests are spread over such a time.
    ///
    /// # Errors
    /// A parameter out of range.
    pub fn new(users: u32, think: Distribution) -> Result<Self, ArrivalsError> {
        if !(1..=MOST_USERS).contains(&users) {
            let (value, allowed) = (users.to_string(), format!("1 to {MOST_USERS}"));
            return Err(ArrivalsError::OutOfRange { key: "users", value, allowed });
        }
        let mean = Duration::from_secs_f64(think.mean());
        if mean < SHORTEST {
            let (value, allowed) = (format!("{mean} on average"), format!("at least {SHORTEST}"));
            return Err(ArrivalsError::OutOfRange { key: "think", value, allowed });
        }
        Ok(Self { users, think })
    }
}

impl Model for Closed {
    const NAME: &'static str = "closed";
    const ABOUT: &'static str =
        "users who wait for each answer before they send on: slow answers make for less traffic";
    const FORM: Form = Form::Map(&[
        Key::required("users", Kind::Count(1, MOST_USERS as u64), "how many users, 1 to 1000000"),
        Key::required(
            "think",
            Kind::Durations,
            "time from an answer to its user's next request, on average at least 1ms",
        ),
    ]);
    type Times = ClosedTimes;

    fn build(given: &Given) -> Result<Self, ArrivalsError> {
        let users = u32::try_from(given.count("users")?).unwrap_or(u32::MAX);
        Self::new(users, given.distribution("think")?)
    }

    fn highest_rate(&self) -> f64 {
        f64::from(self.users) / self.think.mean()
    }

    fn users(&self) -> Option<u32> {
        Some(self.users)
    }

    fn times(&self, first_user: u32) -> ClosedTimes {
        ClosedTimes {
            think: Sampler::new(&self.think),
            not_begun: self.users,
            first_user,
            coming: BinaryHeap::with_capacity(self.users as usize),
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let think = Duration::from_secs_f64(self.think.mean());
        write!(f, "{} users who wait for each answer and think {think} on average", self.users)
    }
}

/// The times of a [`Closed`] process.
pub(crate) struct ClosedTimes {
    think: Sampler,
    /// Users whose first request has no time yet.
    not_begun: u32,
    first_user: u32,
    /// The requests that will be sent, with their number: the user's in the upper half, below it
    /// how many the user has sent before.
    coming: BinaryHeap<Reverse<(u64, u64)>>,
}

impl Times for ClosedTimes {
    #[inline(never)]
    fn next(&mut self, lane: &mut Lane) -> Option<Coming> {
        for user in 0..std::mem::take(&mut self.not_begun) {
            let number = u64::from(user) << COUNT_BITS;
            let spread = lane.draws(number).draw(Purpose::Start, 0).unit();
            let seconds = spread * self.think_before(lane, number);
            self.coming.push(Reverse((round(seconds * NANOS_PER_SECOND), number)));
        }
        let Reverse((at, number)) = self.coming.pop()?;
        let user = self.first_user + (number >> COUNT_BITS) as u32;
        Some(lane.of_user(user, number, instant(at)?))
    }

    fn completed(&mut self, lane: &Lane, id: RequestId, at: Duration, ahead: Option<Coming>) {
        if let Some(Coming { at, id, .. }) = ahead {
            self.coming.push(Reverse((at.as_nanos(), Lane::number_of(id))));
        }
        let number = Lane::number_of(id) + 1;
        let think = round(self.think_before(lane, number) * NANOS_PER_SECOND);
        self.coming.push(Reverse((at.as_nanos().saturating_add(think), number)));
    }
}

impl ClosedTimes {
    /// In seconds.
    fn think_before(&self, lane: &Lane, number: u64) -> f64 {
        self.think.sample(lane.draws(number).draw(Purpose::Think, 0))
    }
}

/// Chosen: as many requests can be in flight, and more fit into no simulation.
const MOST_USERS: u32 = 1_000_000;
/// Chosen: users who send on at once would, where answers take no time, send for ever at one
/// instant.
const SHORTEST: Duration = Duration::from_millis(1);
/// Leaves a user 2^32 requests.
const COUNT_BITS: u32 = 32;

#[cfg(test)]
mod tests {
    use super::super::superposition::{ArrivalTimes, Arrivals, Taken};
    use super::*;
    use crate::chance::Chance;

    fn closed(users: u32, think: Distribution) -> ArrivalTimes {
        let arrivals = Arrivals::from(Closed::new(users, think).unwrap());
        let taken = Taken { processes: 0, users: 100 };
        ArrivalTimes::new(&arrivals, Chance::new(4, 0), taken)
    }

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_user_sends_again_only_after_the_answer_and_a_thought() {
        let mut times = closed(1, Distribution::constant(2.0).unwrap());
        let first = times.next().unwrap();
        assert!(first.at <= seconds(2.0));
        assert_eq!(first.user, Some(100));
        assert_eq!((times.next_at(), times.next()), (None, None));
        times.completed(first.id, seconds(10.0));
        assert_eq!(times.next_at(), Some(seconds(12.0)));
        let second = times.next().unwrap();
        assert_eq!((second.at, second.user), (seconds(12.0), Some(100)));
        assert_ne!(second.id, first.id);
    }

    #[test]
    fn an_answer_can_bring_a_request_before_the_one_that_was_next() {
        let mut earlier = 0;
        for seed in 0..50 {
            let closed = Closed::new(2, Distribution::exponential(1.0).unwrap()).unwrap();
            let mut times =
                ArrivalTimes::new(&closed.into(), Chance::new(seed, 0), Taken::default());
            let first = times.next().unwrap();
            let other_at = times.next_at().unwrap();
            times.completed(first.id, first.at);
            let [next, last] = [times.next().unwrap(), times.next().unwrap()];
            assert!(next.at <= last.at);
            if next.at < other_at {
                assert_eq!((next.user, last.user), (first.user, Some(1 - first.user.unwrap())));
                assert_eq!(last.at, other_at);
                earlier += 1;
            }
        }
        assert!((5..45).contains(&earlier), "{earlier}");
    }

    /// The interactive response time law: N users who wait R and think Z send N / (R + Z).
    #[test]
    fn users_send_as_the_response_time_law_says() {
        let (users, wait, end) = (200, 1.5, 2_000.0);
        let mut times = closed(users, Distribution::exponential(3.5).unwrap());
        let mut waiting = BinaryHeap::new();
        let mut sent = 0;
        while let Some(at) = times.next_at() {
            match waiting.peek() {
                Some(Reverse((answered, id))) if *answered <= at => {
                    times.completed(*id, *answered);
                    waiting.pop();
                }
                _ if at > seconds(end) => break,
                _ => {
                    let coming = times.next().unwrap();
                    sent += 1;
                    waiting.push(Reverse((coming.at + seconds(wait), coming.id)));
                }
            }
        }
        let expected = f64::from(users) * end / (3.5 + wait);
        let found = f64::from(sent);
        assert!((found / expected - 1.0).abs() < 0.01, "{found} against {expected}");
    }

    #[test]
    fn what_a_user_draws_does_not_depend_on_when_it_was_answered() {
        let think = || Distribution::exponential(5.0).unwrap();
        let thoughts = |wait: f64| {
            let mut times = closed(3, think());
            let mut thoughts = vec![Vec::new(); 3];
            for _ in 0..30 {
                let coming = times.next().unwrap();
                let answered = coming.at + seconds(wait * f64::from(1 + coming.user.unwrap()));
                times.completed(coming.id, answered);
                let user = coming.user.unwrap() as usize - 100;
                thoughts[user].push((coming.id, coming.draws));
            }
            thoughts
        };
        for (quick, slow) in thoughts(0.001).iter().zip(thoughts(0.002)) {
            assert!(quick.iter().zip(&slow).all(|(one, other)| one == other));
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let think = |seconds| Distribution::constant(seconds).unwrap();
        assert_eq!(Closed::new(0, think(1.0)).unwrap_err().key(), Some("users"));
        assert_eq!(Closed::new(1_000_001, think(1.0)).unwrap_err().key(), Some("users"));
        assert_eq!(Closed::new(1, think(0.0)).unwrap_err().key(), Some("think"));
    }
}
