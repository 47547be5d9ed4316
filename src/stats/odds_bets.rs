//! Bets that an event is more probable than it may be. Knows nothing of what the event is.

use crate::math;

/// The capital of someone who starts with 1 and bets, event by event, that hits are more probable
/// than a bound allows.
///
/// A bet on odds that are m times those of the bound q0 multiplies what was put on it by
/// `m^x / (1 - q0 + q0 m)`, x = 1 for a hit and 0 for a miss: 1 on average where hits have the
/// probability q0, less where they have less. So as long as every hit has at most the probability
/// of its bound, given all before it, the capital is a nonnegative supermartingale: it reaches
/// 1 / alpha with probability at most alpha over all time, whatever the rule for looking or
/// stopping (Ville). It is evidence that the bound is broken, therefore.
///
/// The m are 12 from 1.1 to 1000, the logarithm of each about 1.5 times the last one's, so that the
/// nearest to the truth loses little on it, near 1 too. Equally much is put on all.
///
/// Half of the capital is bet from the first event on, the other half kept and put in bit by bit:
/// after n events `1/2 pace / (pace + n)` is left of it. A wrong that begins late is found by what
/// is put in then, however much was lost on the quiet time before. This mixture over beginnings is
/// a supermartingale as well, for each of its parts is one from its beginning on.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct OddsBets {
    /// What was put on each of [`MULTIPLES`] and has become of it.
    stakes: [f64; POINTS],
    /// What is not bet yet.
    kept: f64,
    pace: f64,
    events: u64,
    /// All stakes and what is kept.
    capital: f64,
    /// The bound last seen, and what a miss and a hit multiply under it.
    bound: f64,
    factors: [[f64; POINTS]; 2],
}

impl OddsBets {
    /// Before the first event. What is kept is halved after the first `pace` > 0 events.
    pub(super) const fn new(pace: f64) -> Self {
        Self {
            stakes: [(1.0 - KEPT) / POINTS as f64; POINTS],
            kept: KEPT,
            pace,
            events: 0,
            capital: 1.0,
            bound: 0.0,
            factors: [[1.0; POINTS]; 2],
        }
    }

    /// Takes in an event that was to be a hit with at most the probability `bound`. With a bound of
    /// 0 or 1 there are no odds to bet on, and once the capital suffices for any alpha, it stays.
    pub(super) fn record(&mut self, hit: bool, bound: f64) {
        if bound <= 0.0 || bound >= 1.0 || self.capital >= SUFFICIENT {
            return;
        }
        if bound != self.bound {
            self.bound = bound;
            self.factors = factors(bound);
        }
        self.events += 1;
        let left = KEPT * self.pace / (self.pace + self.events as f64);
        let added = (self.kept - left) / POINTS as f64;
        self.kept = left;
        let mut capital = left;
        for (stake, factor) in self.stakes.iter_mut().zip(&self.factors[usize::from(hit)]) {
            *stake = (*stake + added) * factor;
            capital += *stake;
        }
        self.capital = capital;
    }

    /// The natural logarithm of the capital; 0 before the first event. It stops growing at about
    /// 576, that of 1e250.
    pub(super) fn ln_capital(&self) -> f64 {
        math::ln(self.capital)
    }
}

/// What a miss and a hit multiply on each of the odds.
fn factors(bound: f64) -> [[f64; POINTS]; 2] {
    let mean = MULTIPLES.map(|multiple| 1.0 - bound + bound * multiple);
    let miss = mean.map(|mean| 1.0 / mean);
    let mut hit = MULTIPLES;
    hit.iter_mut().zip(mean).for_each(|(factor, mean)| *factor /= mean);
    [miss, hit]
}

/// The odds that are bet on, as multiples of the bound's. Chosen: nearer ones than 1.1 take
/// thousands of hits to show; ones beyond 1000 gain nothing unless the bound is under 0.1 %.
pub(super) const MULTIPLES: [f64; POINTS] =
    [1.1, 1.17, 1.26, 1.4, 1.65, 2.1, 3.0, 5.0, 11.0, 32.0, 130.0, 1_000.0];
pub(super) const POINTS: usize = 12;

/// Chosen: to start with all would find a wrong from the beginning mostly less than 10 % sooner
/// (13 % in some cells of 400 runs), and one after 1,000 quiet events three to nine times later.
const KEPT: f64 = 0.5;

/// Chosen: evidence for any alpha that one can ask for, and far from what a float cannot hold.
const SUFFICIENT: f64 = 1e250;
