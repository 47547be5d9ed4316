//! Arrival processes side by side: tenants of one gateway.

use std::fmt;

use super::error::ArrivalsError;
use super::key::Given;
use super::lane::{Coming, Lane};
use super::registry::{Process, ProcessTimes, arrival_models};
use crate::chance::Chance;
use crate::units::{Duration, Rate, RequestId};

/// When requests are sent: one process, or several superposed.
///
/// ```
/// use coalmine::arrivals::{Arrivals, Constant, Poisson};
/// use coalmine::units::{Duration, Rate};
///
/// let per_second = |events| Rate::per(events, Duration::from_secs(1)).unwrap();
/// let steady = Arrivals::from(Constant::new(per_second(4.0)));
/// let random = Arrivals::from(Poisson::new(per_second(2.5)));
/// let both = Arrivals::sum(vec![steady, random]).unwrap();
/// assert_eq!(both.to_string(), "constant, 4/s + Poisson, 2.5/s");
/// assert_eq!(both.expected_count(), None);
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Arrivals(Vec<Process>);

macro_rules! from_each {
    ($($model:ident in $file:ident,)+) => {
        $(impl From<super::$file::$model> for Arrivals {
            fn from(model: super::$file::$model) -> Self {
                Self(vec![Process::$model(model)])
            }
        })+
    };
}
arrival_models!(from_each);

impl Arrivals {
    /// All of `parts` at the same time. What each sends does not depend on the others, and neither
    /// on those that follow it in the list.
    ///
    /// # Errors
    /// No parts, or more than 256 processes in them.
    pub fn sum(parts: Vec<Self>) -> Result<Self, ArrivalsError> {
        let processes: Vec<_> = parts.into_iter().flat_map(|part| part.0).collect();
        if !(1..=Lane::MOST).contains(&processes.len()) {
            return Err(ArrivalsError::Parts { count: processes.len(), most: Lane::MOST });
        }
        Ok(Self(processes))
    }

    /// The model called `name` with these parameters; `None` if there is no such model.
    pub(crate) fn build(name: &str, given: &Given) -> Option<Result<Self, ArrivalsError>> {
        Some(Process::build(name, given)?.map(|process| Self(vec![process])))
    }

    /// How many arrivals there will be on average; `None` where they do not end.
    pub fn expected_count(&self) -> Option<f64> {
        self.0.iter().map(Process::expected_count).sum()
    }

    /// The highest mean rate that it can have, in requests per second: that of all processes if
    /// their busiest times fall together, with bursts at their mean, and with answers that take no
    /// time to users who wait for them.
    pub fn highest_rate(&self) -> f64 {
        self.0.iter().map(Process::highest_rate).sum()
    }

    /// The mean rate where all of it is Poisson at a steady rate; `None` of anything else. Such
    /// arrivals do not depend on each other: left out one by one by chance, they are what they were
    /// at a lower rate.
    pub fn poisson_rate(&self) -> Option<Rate> {
        let rate = |process: &Process| match process {
            Process::Poisson(poisson) => Some(poisson.rate().per_second()),
            _ => None,
        };
        let sum = self.0.iter().map(rate).sum::<Option<f64>>()?;
        Rate::per(sum, Duration::from_secs(1))
    }

    /// How many users wait for each answer before they send on; 0 where none do.
    pub fn closed_users(&self) -> u64 {
        self.0.iter().filter_map(Process::users).map(u64::from).sum()
    }

    /// How many processes it has.
    pub(crate) fn processes(&self) -> usize {
        self.0.len()
    }

    /// How many processes can be told apart in one run.
    pub(crate) const MOST_PROCESSES: usize = Lane::MOST;

    /// Request `number` of the process at `place`. Numbers of more than 56 bits reach into the
    /// place: good for draws, not for telling requests apart.
    #[inline]
    pub(crate) const fn id_of(place: usize, number: u64) -> RequestId {
        Lane::id_of(place, number)
    }

    /// Which of the processes, in their order, sends request `id`.
    #[inline]
    pub(crate) const fn process_of(id: RequestId) -> usize {
        Lane::place_of(id)
    }

    /// Whether all requests come from users who wait for each answer before they send on.
    pub fn is_closed(&self) -> bool {
        self.0.iter().all(|process| process.users().is_some())
    }
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, process) in self.0.iter().enumerate() {
            let before = if place == 0 { "" } else { " + " };
            write!(f, "{before}{process}")?;
        }
        Ok(())
    }
}

/// What others have taken that requests are told apart by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Taken {
    /// How many processes.
    pub(crate) processes: usize,
    /// How many users.
    pub(crate) users: u32,
}

/// The times of [`Arrivals`], one after the other; of those at one instant the first in the list
/// comes first.
pub(crate) struct ArrivalTimes {
    running: Vec<Running>,
    /// The place of the first of them.
    first_place: usize,
}

/// A process, and the request that it sends next.
struct Running {
    times: ProcessTimes,
    lane: Lane,
    next: Option<Coming>,
    is_closed: bool,
}

impl ArrivalTimes {
    /// From the beginning on, beside what is taken: processes, and users who wait, count on.
    pub(crate) fn new(arrivals: &Arrivals, chance: Chance, taken: Taken) -> Self {
        let (first_place, mut first_user) = (taken.processes, taken.users);
        let mut running = Vec::with_capacity(arrivals.0.len());
        for (place, process) in (first_place..).zip(&arrivals.0) {
            running.push(Running {
                times: process.times(first_user),
                lane: Lane::new(chance, place),
                next: None,
                is_closed: process.users().is_some(),
            });
            first_user = first_user.saturating_add(process.users().unwrap_or(0));
        }
        Self { running, first_place }
    }

    /// When the next request is sent, as far as is known: `None` once all is over, or while all
    /// that is left waits for answers.
    #[inline]
    pub(crate) fn next_at(&mut self) -> Option<Duration> {
        if let [only] = self.running.as_mut_slice() {
            return only.next_at();
        }
        self.running.iter_mut().filter_map(Running::next_at).min()
    }

    /// The request whose time [`next_at`](Self::next_at) has told.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Coming> {
        if let [only] = self.running.as_mut_slice() {
            return only.next.take();
        }
        let times = self.running.iter().map(|process| Some(process.next?.at)).enumerate();
        let (_, place) = times.filter_map(|(place, at)| Some((at?, place))).min()?;
        self.running[place].next.take()
    }

    /// The next request.
    #[cfg(test)]
    pub(crate) fn next(&mut self) -> Option<Coming> {
        self.next_at()?;
        self.take()
    }

    /// The answer to request `id` came, or was given up, at `at`. Those of others do not matter.
    pub(crate) fn completed(&mut self, id: RequestId, at: Duration) {
        let place = Lane::place_of(id).checked_sub(self.first_place);
        let Some(process) = place.and_then(|place| self.running.get_mut(place)) else { return };
        if process.is_closed {
            let ahead = process.next.take();
            process.times.completed(&process.lane, id, at, ahead);
        }
    }

    /// What would be sent before `until` is not: how many requests. Users who wait for answers
    /// think on as though they had got theirs at once.
    pub(crate) fn skip_until(&mut self, until: Duration) -> u64 {
        let mut skipped = 0;
        for process in &mut self.running {
            while process.next_at().is_some_and(|at| at < until) {
                let Some(Coming { id, at, .. }) = process.next.take() else { break };
                if process.is_closed {
                    process.times.completed(&process.lane, id, at, None);
                }
                skipped += 1;
            }
        }
        skipped
    }
}

impl Running {
    #[inline]
    fn next_at(&mut self) -> Option<Duration> {
        if self.next.is_none() {
            self.next = self.times.next(&mut self.lane);
        }
        self.next.as_ref().map(|next| next.at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::closed::Closed;
    use super::super::constant::Constant;
    use super::super::fixture::{assert_close, counts, moments, per_second, times};
    use super::super::poisson::Poisson;
    use super::*;
    use crate::chance::Distribution;
    use std::collections::BTreeSet;

    fn all(arrivals: &Arrivals, count: usize) -> Vec<Coming> {
        let mut times = ArrivalTimes::new(arrivals, Chance::new(9, 0), Taken::default());
        std::iter::from_fn(|| times.next()).take(count).collect()
    }

    fn poisson(rate: f64) -> Arrivals {
        Poisson::new(per_second(rate)).into()
    }

    #[test]
    fn a_sum_sends_what_its_parts_send_in_the_order_of_time() {
        let constant = Arrivals::from(Constant::new(per_second(5.0)));
        let sum = Arrivals::sum(vec![constant.clone(), poisson(3.0)]).unwrap();
        let sum = all(&sum, 2_000);
        assert!(sum.is_sorted_by_key(|coming| coming.at));
        let of = |place| sum.iter().filter(move |coming| Lane::place_of(coming.id) == place);
        let first: Vec<Coming> = of(0).copied().collect();
        assert_eq!(first, all(&constant, first.len()));
        assert_eq!(first.len() + of(1).count(), 2_000);
        let numbers = of(1).map(|coming| Lane::number_of(coming.id));
        assert!(numbers.eq(0..of(1).count() as u64));
    }

    #[test]
    fn what_a_part_sends_does_not_depend_on_those_after_it() {
        let two = Arrivals::sum(vec![poisson(3.0), poisson(1.0)]).unwrap();
        let three = Arrivals::sum(vec![two.clone(), poisson(10.0)]).unwrap();
        let mut among: Vec<Coming> = all(&three, 3_000);
        among.retain(|coming| Lane::place_of(coming.id) < 2);
        assert_eq!(among, all(&two, among.len()));
    }

    #[test]
    fn the_sum_of_poisson_processes_is_one_of_the_summed_rate() {
        let sum = Arrivals::sum(vec![poisson(3.0), poisson(1.0), poisson(4.0)]).unwrap();
        let windows = counts(times(sum, 6), Duration::from_secs(1), 5_000);
        let (mean, variance) = moments(&windows);
        assert_close(mean, 8.0, 4.0 * (8.0_f64 / 5_000.0).sqrt(), "mean");
        assert_close(variance / mean, 1.0, 4.0 * (2.0_f64 / 5_000.0).sqrt(), "dispersion");
    }

    #[test]
    fn what_is_beside_others_is_told_apart_from_them_and_does_not_hear_of_their_answers() {
        let arrivals = Arrivals::sum(vec![
            poisson(3.0),
            Closed::new(2, Distribution::constant(1.0).unwrap()).unwrap().into(),
        ]);
        let arrivals = arrivals.unwrap();
        let chance = Chance::new(9, 0);
        let mut times = ArrivalTimes::new(&arrivals, chance, Taken { processes: 5, users: 70 });
        let sent: Vec<Coming> = std::iter::from_fn(|| times.next()).take(100).collect();
        assert!(sent.iter().all(|coming| [5, 6].contains(&Lane::place_of(coming.id))));
        let users: BTreeSet<u32> = sent.iter().filter_map(|coming| coming.user).collect();
        assert!(users.iter().eq([70, 71].iter()));
        let next_at = times.next_at();
        times.completed(RequestId(0), Duration::ZERO);
        times.completed(RequestId(7 << 56), Duration::ZERO);
        assert_eq!(times.next_at(), next_at);
    }

    #[test]
    fn what_is_skipped_leaves_the_rest_as_it_was() {
        let until = Duration::from_secs(100);
        let sum = Arrivals::sum(vec![poisson(3.0), Constant::new(per_second(5.0)).into()]).unwrap();
        let mut rest = all(&sum, 2_000);
        rest.retain(|coming| coming.at >= until);
        let mut times = ArrivalTimes::new(&sum, Chance::new(9, 0), Taken::default());
        times.next();
        times.skip_until(until);
        let after: Vec<_> = std::iter::from_fn(|| times.next()).take(rest.len()).collect();
        assert_eq!(after, rest);
    }

    /// Answered at once, a user sends every second.
    #[test]
    fn users_whose_requests_are_skipped_think_on() {
        let think = Distribution::constant(1.0).unwrap();
        let closed = Closed::new(50, think).unwrap().into();
        let first = |until: u64| {
            let mut times = ArrivalTimes::new(&closed, Chance::new(9, 0), Taken::default());
            times.skip_until(Duration::from_secs(until));
            std::iter::from_fn(|| times.next()).collect::<Vec<_>>()
        };
        let (begun, later) = (first(0), first(60));
        assert_eq!((begun.len(), later.len()), (50, 50));
        for (begun, later) in begun.iter().zip(&later) {
            assert_eq!(later.at, begun.at + Duration::from_secs(60));
            assert_eq!(later.user, begun.user);
            assert_eq!(Lane::number_of(later.id), Lane::number_of(begun.id) + 60);
        }
    }

    #[test]
    fn a_sum_of_nothing_or_of_too_many_is_refused() {
        assert_eq!(Arrivals::sum(vec![]), Err(ArrivalsError::Parts { count: 0, most: 256 }));
        let many = Arrivals::sum(vec![poisson(1.0); 257]);
        assert_eq!(many, Err(ArrivalsError::Parts { count: 257, most: 256 }));
    }
}
