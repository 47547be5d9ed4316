//! The most probable way in which a count rule fires: how much more often draws have to fall into
//! a region, and how many fewer requests there have to be, at each time before the check.
//!
//! Hits and misses in cells of time are taken for independent Poisson counts; of all courses by
//! which every window of a breach has its hits, the most probable one is the one whose means are
//! `m p exp(sum (1 - l) t)` hits and `m (1 - p) exp(-sum l t)` misses in each cell, summed over the
//! windows that cover it, with l the share of hits that a window needs and t its multiplier (least
//! relative entropy under linear constraints: I. Csiszár, Annals of Probability 3 (1975), 146-158,
//! doi:10.1214/aop/1176996454).
//! The multipliers are found one after the other until all windows are met (cyclic projections).
//! It decides how good an estimate is, never whether it is right.

use crate::math;

/// What has to come together before a check.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Course {
    /// Requests that are to be expected in each cell, the one before the check first.
    pub(super) requests: Vec<f64>,
    /// The windows of a breach.
    pub(super) windows: Vec<Window>,
    /// The probability of a hit.
    pub(super) hit: f64,
    /// The part of the usual requests that comes where the rule is broken, and the least part with
    /// which there is data.
    pub(super) part: f64,
    pub(super) least_part: f64,
    pub(super) reach: Reach,
}

/// A window that has to be broken.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Window {
    /// From which cell before the check on, in cells.
    pub(super) from: f64,
    /// Until which.
    pub(super) until: f64,
    /// The share of hits by which it is broken.
    pub(super) limit: f64,
}

/// The sums of the multipliers of the windows that cover a cell.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Power {
    /// Of what a hit is worth to them.
    hit: f64,
    /// Of what a miss costs them.
    miss: f64,
}

/// How the number of a version's requests can be changed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Reach {
    /// Not at all.
    Fixed,
    /// Arrivals can be left out.
    Arrivals,
    /// Requests can be assigned to others; it has this weight.
    Assignment {
        /// In (0, 1).
        weight: f64,
    },
    /// Both.
    Both {
        /// In (0, 1).
        weight: f64,
    },
}

impl Reach {
    /// The bits of the weight, to tell one from another.
    pub(super) const fn weight_bits(self) -> u64 {
        match self {
            Self::Fixed | Self::Arrivals => 0,
            Self::Assignment { weight } | Self::Both { weight } => weight.to_bits(),
        }
    }
}

/// How draws are tilted in one cell.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Tilt {
    /// The probability of a hit.
    pub(super) hit: f64,
    /// The probability that an arrival is not left out.
    pub(super) keep: f64,
    /// By which factor the odds of being assigned the version change.
    pub(super) odds: f64,
}

impl Tilt {
    /// Everything as it is.
    #[cfg(test)]
    const fn none(hit: f64) -> Self {
        Self { hit, keep: 1.0, odds: 1.0 }
    }

    /// Whether it changes how many requests come.
    pub(super) fn changes_numbers(&self) -> bool {
        self.keep < 1.0 || self.odds != 1.0
    }
}

impl Course {
    /// How each cell is tilted, and the relative entropy of that: about minus the logarithm of the
    /// probability of such a course.
    pub(super) fn tilts(&self) -> (Vec<Tilt>, f64) {
        let powers = self.powers();
        let tilts: Vec<Tilt> = powers.iter().map(|power| self.tilt(*power)).collect();
        let entropy = tilts.iter().zip(&self.requests).map(|(tilt, requests)| {
            let share = self.share(tilt);
            let (p, q) = (self.hit, tilt.hit);
            let answers = q * math::ln(q / p) + (1.0 - q) * math::ln((1.0 - q) / (1.0 - p));
            requests * (share * answers + share * math::ln(share) - share + 1.0)
        });
        let entropy = entropy.sum();
        (tilts, entropy)
    }

    /// What all windows together ask of each cell.
    fn powers(&self) -> Vec<Power> {
        let windows: Vec<(f64, Vec<f64>)> =
            self.windows.iter().map(|window| (window.limit, self.cover(window))).collect();
        let mut multipliers = vec![0.0; windows.len()];
        let mut powers = vec![Power::default(); self.requests.len()];
        for _ in 0..MOST_ROUNDS {
            let mut moved = 0.0_f64;
            for (window, multiplier) in windows.iter().zip(&mut multipliers) {
                let change = self.change(window, &powers, *multiplier);
                *multiplier += change;
                moved = moved.max(change.abs());
                for (power, part) in powers.iter_mut().zip(&window.1) {
                    *power = power.with(change * part, window.0);
                }
            }
            if moved < TOLERANCE {
                break;
            }
        }
        powers
    }

    /// By how much a window's multiplier has to change so that it has its hits; at least 0 is left
    /// of it.
    fn change(&self, (limit, cover): &(f64, Vec<f64>), powers: &[Power], multiplier: f64) -> f64 {
        let lacks = |change: f64| {
            let cells = self.requests.iter().zip(powers).zip(cover);
            let surplus = cells.map(|((requests, power), part)| {
                let tilt = self.tilt(power.with(change * part, *limit));
                requests * part * self.share(&tilt) * (tilt.hit - limit)
            });
            surplus.sum::<f64>() < 0.0
        };
        let (mut low, mut high) = (-multiplier, MOST_POWER - multiplier);
        if !lacks(low) {
            return low;
        }
        while high - low > TOLERANCE {
            let middle = 0.5 * (low + high);
            if lacks(middle) { low = middle } else { high = middle }
        }
        high
    }

    /// How a cell is tilted of which the windows ask so much.
    fn tilt(&self, power: Power) -> Tilt {
        let p = self.hit;
        let hits = p * math::exp(power.hit);
        let misses = (1.0 - p) * math::exp(-power.miss);
        let hit = hits / (hits + misses);
        // Where hits count, as many requests come as with a breach; more than come cannot be made.
        let usual = power == Power::default();
        let part = if usual { 1.0 } else { self.part.min(hits + misses) };
        let share = part.max(self.least_part).min(1.0);
        match self.reach {
            Reach::Fixed => Tilt { hit, keep: 1.0, odds: 1.0 },
            Reach::Arrivals => Tilt { hit, keep: share, odds: 1.0 },
            Reach::Assignment { .. } => Tilt { hit, keep: 1.0, odds: share },
            Reach::Both { weight } => {
                Tilt { hit, keep: weight * share + 1.0 - weight, odds: share }
            }
        }
    }

    /// What part of the usual number of requests comes under a tilt.
    pub(super) fn share(&self, tilt: &Tilt) -> f64 {
        match self.reach {
            Reach::Fixed | Reach::Arrivals => tilt.keep,
            Reach::Assignment { weight } | Reach::Both { weight } => {
                tilt.keep * tilt.odds / (weight * tilt.odds + 1.0 - weight)
            }
        }
    }

    /// Which part of each cell lies in a window.
    fn cover(&self, window: &Window) -> Vec<f64> {
        let part = |cell: usize| {
            let cell = cell as f64;
            (window.until.min(cell + 1.0) - window.from.max(cell)).clamp(0.0, 1.0)
        };
        (0..self.requests.len()).map(part).collect()
    }
}

impl Power {
    /// With so much more of a window that is broken at this share of hits.
    fn with(self, multiplier: f64, limit: f64) -> Self {
        Self { hit: self.hit + (1.0 - limit) * multiplier, miss: self.miss + limit * multiplier }
    }
}

/// Chosen: projections come close in a few dozen rounds, and what is left only makes an estimate a
/// little less precise.
const MOST_ROUNDS: usize = 60;
/// Chosen, likewise.
const TOLERANCE: f64 = 1e-3;
/// Hits by which the odds of a draw change e^40-fold: rarer things than that are not looked for.
const MOST_POWER: f64 = 40.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn course(windows: Vec<(f64, f64)>, reach: Reach) -> Course {
        let window = |(from, until)| Window { from, until, limit: 0.05 };
        let windows = windows.into_iter().map(window).collect();
        let requests = vec![40.0; 12];
        Course { requests, windows, hit: 0.002, part: 1.0, least_part: 0.0, reach }
    }

    #[test]
    fn one_window_is_tilted_to_its_limit_and_loses_requests_by_its_entropy() {
        // q = 0.05; the part of the requests that comes is exp(-KL(0.05, 0.002)):
        // 0.05 ln 25 + 0.95 ln(0.95 / 0.998) = 0.160944 - 0.046813 = 0.114131.
        let (tilts, entropy) = course(vec![(0.0, 6.0)], Reach::Arrivals).tilts();
        assert!((tilts[0].hit - 0.05).abs() < 1e-3, "{:?}", tilts[0]);
        assert!((tilts[0].keep - 0.892_14).abs() < 1e-3, "{:?}", tilts[0]);
        assert_eq!(tilts[6], Tilt::none(0.002));
        // Of 240 Poisson requests the least entropy is 240 (1 - exp(-KL)).
        assert!((entropy - 240.0 * (1.0 - 0.892_14)).abs() < 0.1, "{entropy}");
    }

    #[test]
    fn a_duration_shorter_than_the_window_is_met_by_what_all_windows_share() {
        // Windows of 6 cells, the last check two cells after the first: cells 2 to 5 are in all
        // three, and carry more than those at the ends.
        let windows = vec![(0.0, 6.0), (1.0, 7.0), (2.0, 8.0)];
        let (tilts, _) = course(windows, Reach::Fixed).tilts();
        assert!(tilts[3].hit > 2.0 * tilts[0].hit, "{tilts:?}");
        for window in [0..6, 1..7, 2..8] {
            let hits: f64 = tilts[window.clone()].iter().map(|tilt| 40.0 * tilt.hit).sum();
            assert!(hits >= 0.05 * 240.0 - 0.1, "{window:?}: {hits}");
        }
    }

    #[test]
    fn where_the_limit_is_met_anyway_nothing_is_tilted() {
        let usual = Course { hit: 0.06, ..course(vec![(0.0, 6.0)], Reach::Arrivals) };
        let (tilts, entropy) = usual.tilts();
        assert!(tilts.iter().all(|tilt| *tilt == Tilt::none(0.06)), "{tilts:?}");
        assert!(entropy.abs() < 1e-9);
    }

    #[test]
    fn no_more_requests_are_left_out_than_the_rule_must_see() {
        let reach = Reach::Assignment { weight: 0.1 };
        let few = Course { least_part: 0.96, ..course(vec![(0.0, 6.0)], reach) };
        let (tilts, _) = few.tilts();
        assert!(tilts[0].odds > 0.95, "{:?}", tilts[0]);
    }
}
