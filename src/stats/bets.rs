//! Capital spread over bets against a hypothesis. Knows nothing of what the bets are about.

use crate::math;

/// The capital of someone who starts with 1 and bets against a hypothesis, round by round, on `N`
/// things at once.
///
/// Where the hypothesis holds and no bet is better than fair under it, the capital is a
/// nonnegative supermartingale that starts at 1: it reaches 1 / alpha with probability at most
/// alpha over all time, whatever the rule for looking or stopping (Ville). It is evidence against
/// the hypothesis, therefore.
///
/// Half of the capital is bet from the first round on, the other half kept and put in bit by bit:
/// after n rounds `1/2 pace / (pace + n)` is left of it. A wrong that begins late is found by what
/// is put in then, however much was lost on the quiet time before. That mixture over beginnings is
/// a supermartingale as well, for each of its parts is one from its beginning on.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Bets<const N: usize> {
    /// What was put on each and has become of it.
    stakes: [f64; N],
    pace: f64,
    rounds: u64,
    /// All stakes and what is kept.
    capital: f64,
}

impl<const N: usize> Bets<N> {
    /// Before the first round. What is kept is halved after the first `pace` > 0 rounds.
    pub(super) const fn new(pace: f64) -> Self {
        Self { stakes: [(1.0 - KEPT) / N as f64; N], pace, rounds: 0, capital: 1.0 }
    }

    /// One round: every stake is multiplied by its factor, at least 0 and at most 1 on average
    /// where the hypothesis holds. Once the capital suffices for any alpha, it stays.
    pub(super) fn settle(&mut self, factors: &[f64; N]) {
        if self.capital >= SUFFICIENT {
            return;
        }
        let kept = self.kept();
        self.rounds += 1;
        let left = self.kept();
        let added = (kept - left) / N as f64;
        let mut capital = left;
        for (stake, factor) in self.stakes.iter_mut().zip(factors) {
            *stake = (*stake + added) * factor;
            capital += *stake;
        }
        self.capital = capital;
    }

    /// The natural logarithm of the capital; 0 before the first round, at most that of 1e250 and
    /// one round's gain.
    pub(super) fn ln_capital(&self) -> f64 {
        math::ln(self.capital)
    }

    fn kept(&self) -> f64 {
        KEPT * self.pace / (self.pace + self.rounds as f64)
    }
}

/// Chosen: to start with all would find a wrong from the beginning ln 2 sooner, and one after a
/// long quiet time hardly ever.
const KEPT: f64 = 0.5;

/// Chosen: evidence for any alpha that one can ask for, and far from what a float can hold.
const SUFFICIENT: f64 = 1e250;
