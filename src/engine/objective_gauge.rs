//! What a judge of an objective looks at: each request of one version, with what the metric counts
//! or without.

use std::collections::VecDeque;

use super::finding::Finding;
use super::judge::Objective;
use super::judged_end::JudgedEnd;
use super::meter::share_hit;
use super::time_meter::duration_of;
use super::{AgainstObjective, Reading};
use crate::math;
use crate::metric::Measure;
use crate::stats::ObjectiveTest;
use crate::units::{Duration, Ratio, Timestamp};

/// A judge of an objective with its evidence since the version's activation.
///
/// A version that turns bad late has a long good past to outweigh. So part of what is bet is put in
/// anew every five minutes, on what begins from then on: the evidence is the sum over these stakes,
/// each a supermartingale from its beginning, and all of them together are worth 1 at first.
#[derive(Clone, Debug)]
pub(super) struct ObjectiveGauge {
    objective: Objective,
    alpha: Ratio,
    test: ObjectiveTest,
    /// That of the beginning, then the latest, the oldest first.
    stakes: VecDeque<Stake>,
    next_stake: Timestamp,
    /// How many were put in after the first.
    staked: u32,
    /// As the evidence was when it first sufficed.
    rejected: Option<Reading>,
}

/// What was bet from one moment on.
#[derive(Clone, Copy, Debug)]
struct Stake {
    /// How much of all.
    part: f64,
    /// Requests that began in this second or before are none of its.
    after: i64,
    /// How many had begun by then.
    begun_before: u64,
    /// How many have begun by now.
    begun: u64,
    hits: u64,
}

impl ObjectiveGauge {
    /// One that begins at `now`, when `begun` requests have begun on the version.
    pub(super) fn new(objective: &Objective, now: Timestamp, begun: u64) -> Self {
        let first = Stake { part: 0.5, after: now.second(), begun_before: begun, begun, hits: 0 };
        Self {
            objective: *objective,
            alpha: Ratio::ONE,
            test: ObjectiveTest::new(objective.share),
            stakes: VecDeque::from([first]),
            next_stake: now + STAKED_EVERY,
            staked: 0,
            rejected: None,
        }
    }

    /// As that of [`ArmsGauge`](super::arms_gauge::ArmsGauge).
    pub(super) fn share_alpha(&mut self, share: Ratio) {
        if share.get() < self.alpha.get() {
            self.alpha = share;
        }
    }

    /// Takes in the end of a request of the version.
    pub(super) fn record(&mut self, end: &JudgedEnd<'_>) {
        if end.at >= self.next_stake {
            self.stake(end);
        }
        let hit = self.is_hit(end);
        for stake in &mut self.stakes {
            stake.begun = end.begun;
            stake.hits += u64::from(hit && end.began > stake.after);
        }
        // Only what the metric counts raises the evidence.
        if hit && self.rejected.is_none() && self.ln_evidence() >= -math::ln(self.alpha.get()) {
            self.rejected = Some(self.current());
        }
    }

    /// Puts the next part in: of the half that is not bet at first the n-th is worth
    /// 1 / (n (n + 1)). Of the old ones the first stays, and those of the last hour and a half.
    #[cold]
    fn stake(&mut self, end: &JudgedEnd<'_>) {
        self.staked += 1;
        let number = f64::from(self.staked);
        self.next_stake = end.at + STAKED_EVERY;
        if self.stakes.len() == MOST_STAKES {
            self.stakes.remove(1);
        }
        self.stakes.push_back(Stake {
            part: 0.5 / (number * (number + 1.0)),
            after: end.at.second(),
            begun_before: end.begun,
            begun: end.begun,
            hits: 0,
        });
    }

    /// That of all stakes; what is not staked yet is left out.
    fn ln_evidence(&self) -> f64 {
        let worth = self.stakes.iter().map(|stake| {
            let evidence = self.test.ln_evidence(stake.hits, stake.begun - stake.begun_before);
            math::ln(stake.part) + evidence
        });
        let largest = worth.clone().fold(f64::NEG_INFINITY, f64::max);
        largest + math::ln(worth.map(|one| math::exp(one - largest)).sum::<f64>())
    }

    fn is_hit(&self, end: &JudgedEnd<'_>) -> bool {
        let hit = match (self.objective.metric.measure(), self.objective.limit) {
            (Measure::Quantile(sample, _), Some(limit)) => {
                duration_of(sample, end.class, end.observed).map(|duration| duration > limit)
            }
            (measure, _) => share_hit(measure, end.class, end.observed),
        };
        hit == Some(true)
    }

    pub(super) fn check(&self) -> Finding {
        match (&self.rejected, self.all().begun) {
            (Some(_), _) => Finding::Breach,
            (None, begun) if begun == self.all().begun_before => Finding::NoData,
            (None, _) => Finding::Clear,
        }
    }

    pub(super) fn reading(&self) -> Reading {
        self.rejected.clone().unwrap_or_else(|| self.current())
    }

    /// Told by the stake that has most of the evidence: what happened since it was put in.
    fn current(&self) -> Reading {
        let worth = |stake: &Stake| {
            let evidence = self.test.ln_evidence(stake.hits, stake.begun - stake.begun_before);
            math::ln(stake.part) + evidence
        };
        let all = self.stakes.iter().map(|stake| (worth(stake), stake));
        let best = all.max_by(|(one, _), (other, _)| one.total_cmp(other));
        let best = best.map_or_else(|| self.all(), |(_, stake)| stake);
        Reading::Objective(AgainstObjective {
            metric: self.objective.metric,
            hits: best.hits,
            requests: best.begun - best.begun_before,
            objective: self.objective.share,
            limit: self.objective.limit,
            ln_evidence: self.ln_evidence(),
            alpha: self.alpha,
        })
    }

    /// The stake of the beginning.
    fn all(&self) -> &Stake {
        self.stakes.front().expect("the first stays")
    }
}

/// Chosen: a version that turns bad is judged by at most five minutes of its good past.
const STAKED_EVERY: Duration = Duration::from_secs(300);
/// Chosen: the first and an hour and a half.
const MOST_STAKES: usize = 19;
