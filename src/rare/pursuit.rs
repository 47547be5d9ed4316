//! How probable a hit is made, request by request: as the most probable course has it, and more or
//! less as the windows of the breach still lack hits or have them already.
//!
//! Hits that are drawn by fixed probabilities are too few in half of all runs and too many in the
//! other, and what is too many weighs next to nothing. What is lacking is known at each request, so
//! nearly every run can end with as many as it takes.

use super::counted::Counted;
use super::profile::{Course, Tilt, Window};

/// A course with what comes of it on average.
#[derive(Clone, Debug)]
pub(super) struct Pursuit {
    /// How each cell is tilted, the one before the check first.
    pub(super) tilts: Vec<Tilt>,
    /// The hits and the requests of so many cells before the check.
    ahead: Vec<Counts<f64>>,
    /// The windows of the breach: from and until which cell before the check.
    windows: Vec<(usize, usize)>,
}

/// How many requests, and how many of them are hits.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Counts<T> {
    pub(super) hits: T,
    pub(super) requests: T,
}

/// Where a request stands in a course.
pub(super) struct Standing<F> {
    /// In which cell before the check, from 1.
    pub(super) back: usize,
    /// The part of that cell which is still to come.
    pub(super) rest: f64,
    /// What was counted since the beginning of a cell before the check, from 1.
    pub(super) since: F,
}

impl Pursuit {
    /// Of a course and its tilts.
    pub(super) fn of(course: &Course, tilts: Vec<Tilt>) -> Self {
        let mut sum = Counts::default();
        let mut ahead = vec![sum];
        for (tilt, requests) in tilts.iter().zip(&course.requests) {
            let requests = requests * course.share(tilt);
            sum.requests += requests;
            sum.hits += requests * tilt.hit;
            ahead.push(sum);
        }
        let whole = |window: &Window| {
            (window.from.floor() as usize, (window.until.ceil() as usize).min(tilts.len()))
        };
        let windows = course.windows.iter().map(whole).collect();
        Self { tilts, ahead, windows }
    }

    /// The probability with which the next request is made a hit, where it is `usual` otherwise.
    pub(super) fn hit(
        &self,
        counted: &Counted,
        usual: f64,
        standing: &Standing<impl Fn(usize) -> Counts<u64>>,
    ) -> f64 {
        let Standing { back, rest, ref since } = *standing;
        let planned = self.tilts[back - 1].hit;
        if planned <= usual {
            return usual;
        }
        let of_cell = Counts {
            hits: self.ahead[back].hits - self.ahead[back - 1].hits,
            requests: self.ahead[back].requests - self.ahead[back - 1].requests,
        };
        let mut urgency = LEAST_URGENT;
        for (from, until) in &self.windows {
            if back <= *from || back > *until {
                continue;
            }
            let (near, far) = (self.ahead[*from], self.ahead[back - 1]);
            let to_come = Counts {
                hits: far.hits - near.hits + rest * of_cell.hits,
                requests: far.requests - near.requests + rest * of_cell.requests,
            };
            let so_far = since(*until);
            let lacking =
                counted.breaching(so_far.requests as f64 + to_come.requests) - so_far.hits as f64;
            if lacking > 0.0 {
                urgency = urgency.max(lacking / to_come.hits.max(f64::MIN_POSITIVE));
            }
        }
        (planned * urgency.min(MOST_URGENT)).clamp(usual, MOST_PROBABLE.max(planned))
    }
}

/// By which part of what is planned a hit is made probable at least, even where none is lacking:
/// how many it takes is a guess as long as requests are to come, and a hit that is taken for
/// needless and was not would weigh too much. Chosen: with 0 a thousandth of the runs decided some
/// estimates.
const LEAST_URGENT: f64 = 0.4;
/// By how much more than planned a hit is made probable at most. Chosen: what is further behind has
/// failed, and to force it would make a run of a great weight.
const MOST_URGENT: f64 = 4.0;
/// Chosen: that a hit does not come must not be next to impossible where it is not at all.
const MOST_PROBABLE: f64 = 0.9;

#[cfg(test)]
mod tests {
    use super::super::profile::Reach;
    use super::*;
    use crate::chance::Purpose;
    use crate::units::Duration;
    use crate::upstream::Region;

    /// More than a tenth of 40 requests in a window of four cells: five hits.
    fn counted() -> Counted {
        Counted {
            purpose: Purpose::Failure,
            region: Region::new([(0, 1 << 57)]),
            limit: 0.1,
            at_limit: false,
            window: Duration::from_secs(20),
            duration: Duration::ZERO,
            interval: Duration::from_secs(5),
            least: 1,
            delay: Duration::ZERO,
        }
    }

    fn hit(back: usize, rest: f64, hits: u64, requests: u64) -> f64 {
        let course = Course {
            requests: vec![10.0; 4],
            windows: vec![Window { from: 0.0, until: 4.0, limit: 0.125 }],
            hit: 0.01,
            part: 1.0,
            least_part: 0.0,
            reach: Reach::Fixed,
        };
        let pursuit = Pursuit::of(&course, course.tilts().0);
        let since = |_| Counts { hits, requests };
        pursuit.hit(&counted(), 0.01, &Standing { back, rest, since })
    }

    #[test]
    fn a_hit_is_as_probable_as_what_is_lacking_asks_for() {
        // At the beginning 5 of 40; in the middle with 1 of 20 the other 4 of 20; with all, 0.4 of
        // what was planned.
        let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 2e-3, "{found}");
        near(hit(4, 1.0, 0, 0), 0.125);
        near(hit(2, 1.0, 1, 20), 0.2);
        near(hit(2, 1.0, 5, 20), 0.05);
        // Too late: no more than four times as probable as planned.
        near(hit(1, 0.1, 0, 39), 0.5);
    }
}
