//! What was observed of many triggers in many runs, and what any set of them would have come to.

use super::observation::Observation;

/// What triggers did in runs of bad releases and of a healthy one: the same runs for all triggers.
#[derive(Clone, Debug)]
pub struct Field {
    triggers: usize,
    /// Runs of bad releases.
    bad: Vec<BadRun>,
    /// By trigger, in which runs of the healthy release it fired: a bit for each.
    fired: Vec<Vec<u64>>,
    healthy: u64,
}

/// A run of a bad release.
#[derive(Clone, Debug)]
struct BadRun {
    /// Which (an index into the list of faults).
    fault: usize,
    /// What it counts for.
    weight: f64,
    /// The harm of all of it.
    whole: u64,
    /// By trigger, the harm with which it would have ended.
    harm: Vec<u64>,
}

impl Field {
    /// Of so many triggers, without runs.
    pub fn new(triggers: usize) -> Self {
        Self { triggers, bad: Vec::new(), fired: vec![Vec::new(); triggers], healthy: 0 }
    }

    /// How many triggers there are.
    pub const fn triggers(&self) -> usize {
        self.triggers
    }

    /// How many runs of the healthy release.
    pub const fn healthy_runs(&self) -> u64 {
        self.healthy
    }

    /// Adds a run of the fault of this index, which is expected so often beside the others.
    pub fn add_bad(&mut self, fault: usize, weight: f64, run: &Observation) {
        let harm = (0..self.triggers).map(|trigger| run.harm_under(trigger)).collect();
        self.bad.push(BadRun { fault, weight, whole: run.harm, harm });
    }

    /// Adds a run of the healthy release in which these triggers fired.
    pub fn add_healthy(&mut self, firing: &[usize]) {
        let (word, bit) = (self.healthy / 64, self.healthy % 64);
        for (trigger, fired) in self.fired.iter_mut().enumerate() {
            if fired.len() as u64 == word {
                fired.push(0);
            }
            if let Some(last) = fired.last_mut() {
                *last |= u64::from(firing.contains(&trigger)) << bit;
            }
        }
        self.healthy += 1;
    }

    /// The same for some of the triggers (their places), in this order.
    pub fn reduced(&self, kept: &[usize]) -> Self {
        let bad = self.bad.iter().map(|run| BadRun {
            harm: kept.iter().map(|trigger| run.harm[*trigger]).collect(),
            ..*run
        });
        Self {
            triggers: kept.len(),
            bad: bad.collect(),
            fired: kept.iter().map(|trigger| self.fired[*trigger].clone()).collect(),
            healthy: self.healthy,
        }
    }

    /// In how many runs of the healthy release any trigger of a set fired.
    pub fn false_alarms(&self, set: &[usize]) -> u64 {
        let words = self.healthy.div_ceil(64) as usize;
        let any = |word: usize| set.iter().fold(0, |bits, one| bits | self.fired[*one][word]);
        (0..words).map(|word| u64::from(any(word).count_ones())).sum()
    }

    /// The expected harm of a bad release under a set of triggers: the mean over runs, each with
    /// the weight of its fault; 0 without runs.
    pub fn harm(&self, set: &[usize]) -> f64 {
        let under = |run: &BadRun| set.iter().map(|one| run.harm[*one]).fold(run.whole, u64::min);
        self.weighted(under)
    }

    /// What [`Field::harm`] comes to with each further trigger in the set.
    pub fn harm_with_each(&self, set: &[usize]) -> Vec<f64> {
        let mut sums = vec![0.0; self.triggers];
        for run in &self.bad {
            let base = set.iter().map(|one| run.harm[*one]).fold(run.whole, u64::min);
            for (sum, harm) in sums.iter_mut().zip(&run.harm) {
                *sum += run.weight * base.min(*harm) as f64;
            }
        }
        let weights = self.weights();
        sums.iter_mut().for_each(|sum| *sum /= weights);
        sums
    }

    /// The mean harm of each trigger by itself under one fault; 0 without runs of it.
    pub fn harm_by_itself(&self, fault: usize) -> Vec<f64> {
        let mut sums = vec![0.0; self.triggers];
        let mut runs = 0;
        for run in self.bad.iter().filter(|run| run.fault == fault) {
            runs += 1;
            sums.iter_mut().zip(&run.harm).for_each(|(sum, harm)| *sum += *harm as f64);
        }
        sums.iter_mut().for_each(|sum| *sum /= f64::from(runs.max(1)));
        sums
    }

    fn weighted(&self, harm: impl Fn(&BadRun) -> u64) -> f64 {
        self.bad.iter().map(|run| run.weight * harm(run) as f64).sum::<f64>() / self.weights()
    }

    /// More than 0 where there are runs; 1 without, so that nothing is divided by 0.
    fn weights(&self) -> f64 {
        let sum: f64 = self.bad.iter().map(|run| run.weight).sum();
        if sum > 0.0 { sum } else { 1.0 }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::observation::Firing;
    use super::*;
    use crate::units::Duration;

    /// A run in which each trigger would have ended with this harm, if any.
    pub(crate) fn run(whole: u64, harm: &[Option<u64>]) -> Observation {
        let firing =
            |harm: &Option<u64>| harm.map(|harm| Firing { after: Duration::from_secs(1), harm });
        let firings = harm.iter().map(firing).collect();
        Observation { onset: Some(Duration::ZERO), firings, harm: whole }
    }

    #[test]
    fn a_set_does_the_least_harm_of_its_triggers_and_all_their_false_alarms() {
        let mut field = Field::new(3);
        field.add_bad(0, 1.0, &run(100, &[Some(10), None, Some(50)]));
        field.add_bad(1, 3.0, &run(40, &[None, Some(20), None]));
        // (1 x 10 + 3 x 40) / 4, (1 x 100 + 3 x 20) / 4, (1 x 10 + 3 x 20) / 4.
        assert_eq!(field.harm(&[0]), 32.5);
        assert_eq!(field.harm(&[1]), 40.0);
        assert_eq!(field.harm(&[0, 1]), 17.5);
        assert_eq!(field.harm(&[]), 55.0);
        assert_eq!(field.harm_with_each(&[0]), [32.5, 17.5, 32.5]);
        assert_eq!(field.harm_by_itself(1), [40.0, 20.0, 40.0]);
        for index in 0..130 {
            let fires = [index == 0, index == 129, index % 65 == 0];
            let firing: Vec<usize> = (0..3).filter(|trigger| fires[*trigger]).collect();
            field.add_healthy(&firing);
        }
        assert_eq!(field.healthy_runs(), 130);
        assert_eq!([0, 1, 2].map(|trigger| field.false_alarms(&[trigger])), [1, 1, 2]);
        // The first and the third fire in one run together.
        assert_eq!(field.false_alarms(&[0, 1, 2]), 3);
        let reduced = field.reduced(&[2, 0]);
        assert_eq!((reduced.triggers(), reduced.false_alarms(&[0])), (2, 2));
        assert_eq!(reduced.harm(&[1]), 32.5);
    }
}
