//! Failures that come in bursts: a hidden chain of good and bad seconds, as likely as possible.

use super::outcome_counts::Outcomes;

/// Gilbert and Elliott's chain as upstreams have it: a good second is followed by a bad one with
/// probability `enter`, a bad one by a good one with `leave`.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct FailureChain {
    pub(super) enter: f64,
    pub(super) leave: f64,
    /// How probable a failure is in a good second and in a bad one.
    pub(super) good: f64,
    pub(super) bad: f64,
    /// How probable it is, of each second, that it was bad.
    pub(super) badness: Vec<f64>,
    pub(super) ln_likelihood: f64,
}

impl FailureChain {
    /// The likeliest chain: expectation and maximisation in turn (L. E. Baum, T. Petrie, G. Soules
    /// and N. Weiss, Annals of Mathematical Statistics 41, 1970, doi:10.1214/aoms/1177697196), from
    /// several beginnings, of which the likeliest end counts. `None` where there is nothing to
    /// tell two states by, and of a recording [that is too long](Self::is_too_long).
    pub(super) fn fit(seconds: &[Outcomes]) -> Option<Self> {
        if Self::is_too_long(seconds) {
            return None;
        }
        let total = seconds.iter().fold(Outcomes::default(), |sum, second| sum.and(*second));
        let share = total.share();
        if seconds.len() < 2 || share <= 0.0 || share >= 1.0 {
            return None;
        }
        let begin = |(bad, leave): (f64, f64)| Self {
            enter: 0.01,
            leave,
            good: 0.3 * share,
            bad: bad.max(2.0 * share).min(0.98),
            badness: Vec::new(),
            ln_likelihood: f64::NEG_INFINITY,
        };
        let fitted = BEGINNINGS.into_iter().map(|beginning| begin(beginning).climbed(seconds));
        let best = fitted.max_by(|a, b| a.ln_likelihood.total_cmp(&b.ln_likelihood))?;
        (best.bad > best.good && best.enter > 0.0 && best.leave > 0.0).then_some(best)
    }

    /// Whether it would take minutes. A part would not do: its likelihood could be held against
    /// nothing that describes the whole.
    pub(super) const fn is_too_long(seconds: &[Outcomes]) -> bool {
        seconds.len() > MOST_SECONDS
    }

    fn climbed(mut self, seconds: &[Outcomes]) -> Self {
        for _ in 0..MOST_ITERATIONS {
            let next = self.step(seconds);
            let gain = next.ln_likelihood - self.ln_likelihood;
            self = next;
            if gain < LEAST_GAIN {
                break;
            }
        }
        if self.bad < self.good {
            std::mem::swap(&mut self.good, &mut self.bad);
            std::mem::swap(&mut self.enter, &mut self.leave);
            self.badness.iter_mut().for_each(|bad| *bad = 1.0 - *bad);
        }
        self
    }

    /// One expectation of the states, and the parameters that are likeliest under it; with the
    /// likelihood of the present ones.
    fn step(&self, seconds: &[Outcomes]) -> Self {
        let moves = [[1.0 - self.enter, self.enter], [self.leave, 1.0 - self.leave]];
        let (forward, ln_likelihood) = self.forward(seconds, &moves);
        let mut badness = vec![0.0; seconds.len()];
        let mut backward = [1.0, 1.0];
        // Expected: moves from state to state, requests and failures in each.
        let (mut moved, mut counts) = ([[0.0; 2]; 2], [[0.0; 2]; 2]);
        for place in (0..seconds.len()).rev() {
            let weights = [forward[place][0] * backward[0], forward[place][1] * backward[1]];
            let bad = weights[1] / (weights[0] + weights[1]);
            badness[place] = bad;
            let second = seconds[place];
            for (state, weight) in [1.0 - bad, bad].into_iter().enumerate() {
                counts[state][0] += weight * f64::from(second.ended);
                counts[state][1] += weight * f64::from(second.failed);
            }
            if place == 0 {
                break;
            }
            let seen = self.seen(second);
            let onward = [seen[0] * backward[0], seen[1] * backward[1]];
            let mut joint = [[0.0; 2]; 2];
            let mut total = 0.0;
            for (from, to) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                joint[from][to] = forward[place - 1][from] * moves[from][to] * onward[to];
                total += joint[from][to];
            }
            for (from, to) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                moved[from][to] += joint[from][to] / total;
            }
            let next = [0, 1].map(|from| moves[from][0] * onward[0] + moves[from][1] * onward[1]);
            backward = next.map(|value| value / (next[0] + next[1]));
        }
        let share = |part: f64, rest: f64| if part > 0.0 { part / (part + rest) } else { 0.0 };
        let failing = |state: usize| {
            let [ended, failed]: [f64; 2] = counts[state];
            if ended > 0.0 { (failed / ended).clamp(LEAST, 1.0 - LEAST) } else { 0.5 }
        };
        Self {
            enter: share(moved[0][1], moved[0][0]).clamp(LEAST, 1.0 - LEAST),
            leave: share(moved[1][0], moved[1][1]).clamp(LEAST, 1.0 - LEAST),
            good: failing(0),
            bad: failing(1),
            badness,
            ln_likelihood,
        }
    }

    /// How probable each state is after each second, given all so far.
    fn forward(&self, seconds: &[Outcomes], moves: &[[f64; 2]; 2]) -> (Vec<[f64; 2]>, f64) {
        let bad = self.enter / (self.enter + self.leave);
        let mut state = [1.0 - bad, bad];
        let mut ln_likelihood = 0.0;
        let mut states = Vec::with_capacity(seconds.len());
        for (place, second) in seconds.iter().enumerate() {
            if place > 0 {
                state = [0, 1].map(|to| state[0] * moves[0][to] + state[1] * moves[1][to]);
            }
            let seen = self.seen(*second);
            let joint = [state[0] * seen[0], state[1] * seen[1]];
            let total = joint[0] + joint[1];
            state = joint.map(|value| value / total);
            ln_likelihood += crate::math::ln(total) + self.scale(*second);
            states.push(state);
        }
        (states, ln_likelihood)
    }

    /// The likelihood of a second in either state, over that of the likelier.
    fn seen(&self, second: Outcomes) -> [f64; 2] {
        if second.ended == 0 {
            return [1.0, 1.0];
        }
        let scale = self.scale(second);
        [self.good, self.bad].map(|p| crate::math::exp(second.ln_likelihood(p) - scale))
    }

    fn scale(&self, second: Outcomes) -> f64 {
        second.ln_likelihood(self.good).max(second.ln_likelihood(self.bad))
    }
}

/// How probable a failure in a bad second is, and the end of a bad stretch, to begin with.
const BEGINNINGS: [(f64, f64); 4] = [(0.1, 0.05), (0.5, 0.02), (0.5, 0.2), (0.95, 0.1)];
const MOST_ITERATIONS: usize = 60;
const LEAST_GAIN: f64 = 1e-4;
/// Keeps likelihoods above 0.
const LEAST: f64 = 1e-9;
/// Chosen: two days and more.
const MOST_SECONDS: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Chance, Purpose};

    /// An hour and a half at 5 requests a second, a stretch of 20 s in 320 bad: expected are 17
    /// stretches of a mean length of which the estimate scatters by a quarter, as does that of the
    /// distance; failures of 60 % over 1,700 requests by 1.2 %.
    #[test]
    fn a_chain_is_found_again() {
        let chance = Chance::new(3, 0);
        let mut is_bad = false;
        let seconds: Vec<Outcomes> = (0..5_400)
            .map(|second| {
                let draws = chance.second(0, second);
                let change = draws.draw(Purpose::Burst, 0).unit();
                is_bad ^= change < if is_bad { 0.05 } else { 1.0 / 300.0 };
                let p = if is_bad { 0.6 } else { 0.002 };
                let fails = |n: &u32| draws.draw(Purpose::Failure, *n).unit() < p;
                Outcomes { ended: 5, failed: (0..5).filter(fails).count() as u32 }
            })
            .collect();
        let chain = FailureChain::fit(&seconds).unwrap();
        let ratio = |found: f64, meant: f64| (found / meant - 1.0).abs();
        assert!(ratio(chain.leave, 0.05) < 0.6, "{}", chain.leave);
        assert!(ratio(chain.enter, 1.0 / 300.0) < 0.7, "{}", chain.enter);
        assert!((chain.bad - 0.6).abs() < 0.05, "{}", chain.bad);
        assert!((chain.good - 0.002).abs() < 0.0015, "{}", chain.good);
    }
}
