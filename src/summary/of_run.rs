//! Metrics of a whole run: rollbacks, the time to them, the harm done, shares and sums.

use super::estimate::{Estimate, Method};
use super::selection::{Selected, Selection};
use crate::engine::Assignment;
use crate::exchange::VersionIndex;
use crate::math;
use crate::metric::Metric;
use crate::record::{Blast, Rollback};
use crate::stats::ln_share_evidence;
use crate::units::Timestamp;

impl Selected<'_> {
    /// A metric of the run over the selected phase and version.
    pub(super) fn of_run(&self, metric: Metric, method: Method) -> Estimate {
        match metric {
            Metric::CostTotal => match self.cost {
                Some(cost) => Estimate::exact(metric, cost.as_usd(), self.tally.succeeded),
                None => Estimate::absent(metric),
            },
            Metric::Share => Estimate::of(metric, &self.basis(metric), method),
            Metric::SplitPValue => self.split_p_value(metric),
            Metric::Goodput => self.goodput(metric),
            Metric::Rollbacks => self.count(metric, self.rollbacks().count() as u64),
            Metric::FalseRollbacks => {
                let healthy = self.rollbacks().filter(|rollback| rollback.onset.is_none());
                self.count(metric, healthy.count() as u64)
            }
            Metric::KeysRejected => {
                let rejected = self.key_rejections().map(|rejections| rejections.count);
                self.count(metric, rejected.sum())
            }
            Metric::Promotions => {
                let promotions = self.record.promotions.iter();
                let own =
                    promotions.filter(|promoted| self.holds(promoted.phase, promoted.version));
                self.count(metric, own.count() as u64)
            }
            Metric::TagsLost => {
                let lost = self.record.lost_tags.iter();
                let own = lost.filter(|lost| self.holds(lost.phase, lost.version));
                self.count(metric, own.count() as u64)
            }
            Metric::CommandsRefused => self.undone_commands(metric, true),
            Metric::CommandsMissed => self.undone_commands(metric, false),
            Metric::TimeToRollback => self.time_from_onset(metric, |rollback| rollback.at),
            Metric::TimeToDetect => {
                self.time_from_onset(metric, |rollback| rollback.evidence.first_breach)
            }
            Metric::BlastRadiusRequests => self.blast(metric, |blast| blast.requests),
            Metric::BlastRadiusFailed => self.blast(metric, |blast| blast.failed),
            Metric::BlastRadiusFailedExcess => {
                self.blast(metric, |blast| blast.failed.saturating_sub(blast.failed_anyway))
            }
            Metric::BlastRadiusSlowed => self.blast(metric, |blast| blast.slowed),
            _ => Estimate::absent(metric),
        }
    }

    /// Commands of the selected phase and model that were refused, or never given.
    fn undone_commands(&self, metric: Metric, given: bool) -> Estimate {
        let Selection { model, .. } = self.selection;
        let undone = self.record.undone_commands.iter().filter(|undone| {
            undone.given == given
                && self.selection.holds_phase(usize::from(undone.phase))
                && model.is_none_or(|model| undone.model == Some(model))
        });
        self.count(metric, undone.count() as u64)
    }

    /// The multinomial test of what clients were told against the weights, over all splits of the
    /// selected phase and model: the evidence of disjoint stretches multiplies.
    fn split_p_value(&self, metric: Metric) -> Estimate {
        let Selection { phase, model, version, .. } = self.selection;
        let model = model.or_else(|| version.and_then(|version| self.record.model_of(version)));
        let spans = self.record.splits.iter().filter(|span| {
            let info = self.record.models.get(usize::from(span.model.0));
            let sticks = info.is_some_and(|info| info.assignment == Assignment::Sticky);
            phase.is_none_or(|phase| phase == usize::from(span.phase))
                && model.is_none_or(|model| model == span.model)
                && !sticks
        });
        let (mut requests, mut evidence) = (0, 0.0);
        for span in spans {
            requests += span.observed.iter().sum::<u64>();
            let counts = span.weights.iter().copied().zip(span.observed.iter().copied());
            evidence += ln_share_evidence(PRIOR_STRENGTH, counts);
        }
        if requests == 0 {
            return Estimate::absent(metric);
        }
        Estimate::exact(metric, math::exp(-evidence).min(1.0), requests)
    }

    /// Good answers per second of the selected phase, or of the whole run.
    fn goodput(&self, metric: Metric) -> Estimate {
        let latency = &self.requests().latency;
        let good = self
            .selection
            .within
            .map_or_else(|| latency.count(), |limit| latency.count_up_to(limit));
        let (start, end) =
            match self.selection.phase.and_then(|phase| self.record.phases.get(phase)) {
                Some(phase) => (phase.start, phase.end),
                None => (self.record.start, self.record.end),
            };
        let seconds = end.since(start).as_secs_f64();
        if seconds == 0.0 {
            return Estimate::absent(metric);
        }
        Estimate::exact(metric, good as f64 / seconds, self.requests().completed())
    }

    /// How many requests a share is taken of: all of the selected phase; where a version or an arm
    /// is selected, those of its model.
    pub(super) fn whole(&self) -> u64 {
        let Selection { phase, model, version, arm, within: _ } = self.selection;
        let of_version = version.and_then(|version| self.record.model_of(version));
        let model = of_version.or_else(|| model.filter(|_| arm.is_some()));
        let all = Selection { phase, model, ..Selection::default() };
        let cells = self.record.cells.iter().filter(|cell| all.holds(self.record, cell));
        cells.map(|cell| cell.tally.assigned).sum()
    }

    /// Whether what concerned a version in a phase belongs to the selection.
    fn holds(&self, phase: u16, version: VersionIndex) -> bool {
        self.selection.holds_phase(usize::from(phase))
            && self.selection.holds_version(self.record, version)
    }

    fn count(&self, metric: Metric, count: u64) -> Estimate {
        Estimate::exact(metric, count as f64, self.tally.completed())
    }

    /// From the onset to `when`, of the first rollback of a version that was bad.
    fn time_from_onset(&self, metric: Metric, when: impl Fn(&Rollback) -> Timestamp) -> Estimate {
        let first = self.rollbacks().find_map(|rollback| Some((rollback, rollback.onset?)));
        first.map_or_else(
            || Estimate::never(metric),
            |(rollback, onset)| {
                let time = when(rollback).since(onset).as_secs_f64();
                Estimate::exact(metric, time, self.tally.completed())
            },
        )
    }

    /// The sum over the blasts that began in the selected phase.
    fn blast(&self, metric: Metric, part: impl Fn(&Blast) -> u64) -> Estimate {
        let selected = || self.record.blasts.iter().filter(|blast| self.holds_blast(blast));
        let sum: u64 = selected().map(part).sum();
        let requests = selected().map(|blast| blast.requests).sum();
        let open_ended = selected().any(|blast| blast.drained.is_none());
        Estimate { open_ended, ..Estimate::exact(metric, sum as f64, requests) }
    }

    fn holds_blast(&self, blast: &Blast) -> bool {
        let began_in = |index: usize| {
            let phase = self.record.phases.get(index);
            phase.is_some_and(|phase| (phase.start..phase.end).contains(&blast.onset))
        };
        self.selection.holds_version(self.record, blast.version)
            && self.selection.phase.is_none_or(began_in)
    }

    fn rollbacks(&self) -> impl Iterator<Item = &Rollback> {
        let all = self.record.rollbacks.iter();
        all.filter(|rollback| self.holds(rollback.phase, rollback.version))
    }
}

/// That of the engine's own check of its split.
const PRIOR_STRENGTH: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::super::fixture::{NEW, OLD, at, record};
    use super::super::selection::Summary;
    use super::*;
    use crate::exchange::ModelIndex;
    use crate::record::{
        Arm, KeyFault, KeyRejections, LostTag, Promotion, Record, SplitSpan, UndoneCommand,
    };
    use crate::units::{Duration, ModelId, Ratio, TagName};

    fn value(record: &Record, selection: Selection, metric: Metric) -> Option<f64> {
        Summary::of(record).select(selection).estimate(metric, Method::Display).value
    }

    fn all(metric: Metric) -> Option<f64> {
        value(&record(), Selection::default(), metric)
    }

    #[test]
    fn the_rollback_is_timed_from_the_onset() {
        assert_eq!(all(Metric::Rollbacks), Some(1.0));
        assert_eq!(all(Metric::FalseRollbacks), Some(0.0));
        assert_eq!(all(Metric::TimeToRollback), Some(75.0));
        assert_eq!(all(Metric::TimeToDetect), Some(15.0));
    }

    #[test]
    fn harm_is_summed_over_the_blasts_of_the_selection() {
        assert_eq!(all(Metric::BlastRadiusRequests), Some(150.0));
        assert_eq!(all(Metric::BlastRadiusFailed), Some(50.0));
        assert_eq!(all(Metric::BlastRadiusFailedExcess), Some(49.0));
        assert_eq!(all(Metric::BlastRadiusSlowed), Some(7.0));
        let failed = |selection| value(&record(), selection, Metric::BlastRadiusFailed);
        let old = Selection { version: Some(OLD), ..Selection::default() };
        assert_eq!(failed(old), Some(0.0));
        let phase = |phase| Selection { phase: Some(phase), ..Selection::default() };
        assert_eq!(failed(phase(1)), Some(0.0));
        assert_eq!(failed(phase(2)), Some(50.0));
    }

    #[test]
    fn harm_without_an_end_says_so() {
        let mut record = record();
        record.blasts[0].drained = None;
        let all = Summary::of(&record).select(Selection::default());
        let failed = all.estimate(Metric::BlastRadiusFailed, Method::Display);
        assert_eq!(failed.to_string(), "50 to the end of the run");
    }

    #[test]
    fn a_rollback_that_never_came_takes_for_ever() {
        let mut record = record();
        record.rollbacks[0].onset = None;
        for metric in [Metric::TimeToRollback, Metric::TimeToDetect] {
            let all = Summary::of(&record).select(Selection::default());
            let found = all.estimate(metric, Method::Display);
            assert!(found.infinite && found.exact && found.value.is_none(), "{found:?}");
        }
        assert_eq!(value(&record, Selection::default(), Metric::FalseRollbacks), Some(1.0));
    }

    #[test]
    fn a_false_rollback_before_the_true_one_does_not_stop_the_clock() {
        let mut record = record();
        let early = Rollback { at: at(500), onset: None, ..record.rollbacks[0].clone() };
        record.rollbacks.insert(0, early);
        assert_eq!(value(&record, Selection::default(), Metric::TimeToRollback), Some(75.0));
        assert_eq!(value(&record, Selection::default(), Metric::Rollbacks), Some(2.0));
    }

    #[test]
    fn shares_that_clients_see_are_held_against_the_split() {
        let mut record = record();
        let half = Ratio::new(0.5).unwrap();
        let span = |phase, weights: [Ratio; 2], observed: [u64; 2]| SplitSpan {
            model: ModelIndex(0),
            phase,
            at: at(0),
            weights: weights.to_vec(),
            observed: observed.to_vec(),
        };
        record.splits = vec![
            span(0, [Ratio::ONE, Ratio::ZERO], [900, 0]),
            span(1, [half, half], [600, 400]),
            span(3, [Ratio::ONE, Ratio::ZERO], [100, 1]),
        ];
        let p = |phase| {
            let selection = Selection { phase, ..Selection::default() };
            value(&record, selection, Metric::SplitPValue)
        };
        assert_eq!(p(Some(0)), Some(1.0));
        // scipy.special.gammaln in the formula: ln E of 600 and 400 at 0.5 each, k = 10.
        let expected = math::exp(-17.621_208_302_095_51);
        assert!((p(Some(1)).unwrap() / expected - 1.0).abs() < 1e-6, "{:?}", p(Some(1)));
        assert_eq!(p(Some(3)), Some(0.0), "a cache knows a version that gets nothing");
        assert_eq!(p(Some(2)), None);
        record.models[0].assignment = Assignment::Sticky;
        assert_eq!(value(&record, Selection::default(), Metric::SplitPValue), None);
    }

    #[test]
    fn goodput_counts_answers_in_time() {
        // Of the baseline's 420 s, latencies of 1 to 1,000 ms, one each; bins of 0.1 %.
        let good = |within| {
            let selection = Selection { phase: Some(0), within, ..Selection::default() };
            value(&record(), selection, Metric::Goodput).unwrap()
        };
        assert_eq!(good(None), 1_000.0 / 420.0);
        let half = good(Some(Duration::from_micros(500_400)));
        assert!((half - 500.0 / 420.0).abs() < 1.5 / 420.0, "{half}");
        assert_eq!(good(Some(Duration::ZERO)), 0.0);
        // All 2,400 successes in 1,200 s.
        assert_eq!(all(Metric::Goodput), Some(2.0));
    }

    #[test]
    fn commands_that_came_to_nothing_are_counted_by_phase_and_model() {
        let mut record = record();
        let undone = |phase, model, given| UndoneCommand { at: at(500), phase, model, given };
        let model = Some(ModelIndex(0));
        record.undone_commands =
            vec![undone(1, model, true), undone(1, None, true), undone(2, model, false)];
        let of = |selection, metric| value(&record, selection, metric);
        let phase = |phase| Selection { phase: Some(phase), ..Selection::default() };
        let all = Selection::default();
        assert_eq!(of(all, Metric::CommandsRefused), Some(2.0));
        assert_eq!(of(all, Metric::CommandsMissed), Some(1.0));
        assert_eq!(of(phase(2), Metric::CommandsRefused), Some(0.0));
        assert_eq!(of(phase(2), Metric::CommandsMissed), Some(1.0));
        let of_model = Selection { model, ..Selection::default() };
        assert_eq!(of(of_model, Metric::CommandsRefused), Some(1.0));
    }

    #[test]
    fn promotions_refused_keys_and_lost_tags_are_counted_in_their_phase() {
        let mut record = record();
        let model = ModelIndex(0);
        let (client, reason) = (Some(0), Some(KeyFault::Replaced));
        record.key_rejections = vec![KeyRejections { phase: 2, model, client, reason, count: 7 }];
        let tag = TagName::new("beta").unwrap();
        record.lost_tags = vec![LostTag { at: at(920), phase: 3, version: NEW, tag }];
        record.promotions = vec![Promotion { at: at(500), phase: 1, version: NEW }];
        let of =
            |phase, metric| value(&record, Selection { phase, ..Selection::default() }, metric);
        assert_eq!(of(None, Metric::KeysRejected), Some(7.0));
        assert_eq!(of(Some(1), Metric::KeysRejected), Some(0.0));
        assert_eq!(of(None, Metric::TagsLost), Some(1.0));
        assert_eq!(of(Some(3), Metric::TagsLost), Some(1.0));
        assert_eq!(of(Some(1), Metric::Promotions), Some(1.0));
        assert_eq!(of(Some(2), Metric::Promotions), Some(0.0));
        let of_old = Selection { version: Some(OLD), ..Selection::default() };
        assert_eq!(value(&record, of_old, Metric::TagsLost), Some(0.0));
    }

    #[test]
    fn figures_of_a_model_are_those_of_its_versions() {
        let mut record = record();
        let mut other = record.models[0].clone();
        other.id = ModelId::new("claude").unwrap();
        other.versions.truncate(1);
        record.models.insert(0, other);
        for cell in &mut record.cells {
            cell.version.0 += 1;
        }
        record.rollbacks[0].version = VersionIndex(2);
        record.blasts[0].version = VersionIndex(2);
        let mut first = record.cells[1].clone();
        (first.version, first.tally.assigned) = (VersionIndex(0), 4_000);
        record.cells.push(first);
        let of = |model, metric| {
            let model = Some(ModelIndex(model));
            value(&record, Selection { model, phase: None, ..Selection::default() }, metric)
        };
        assert_eq!((of(0, Metric::Rollbacks), of(1, Metric::Rollbacks)), (Some(0.0), Some(1.0)));
        assert_eq!(of(0, Metric::BlastRadiusFailed), Some(0.0));
        assert_eq!(of(1, Metric::BlastRadiusFailed), Some(50.0));
        assert_eq!(of(2, Metric::Rollbacks), None, "there is no third model");
        let share = |model, version| {
            let selection = Selection { phase: Some(1), model, version, ..Selection::default() };
            value(&record, selection, Metric::Share)
        };
        assert_eq!(share(None, Some(VersionIndex(2))), Some(0.3), "of its own model's requests");
        assert_eq!(share(Some(ModelIndex(1)), None), Some(0.2), "of all requests");
    }

    #[test]
    fn a_share_is_taken_of_all_requests_of_its_phases() {
        // scipy.stats.binomtest(300, 1000).proportion_ci(0.95, "wilson").
        let record = record();
        let canary = Selection { phase: Some(1), version: Some(NEW), ..Selection::default() };
        let share = Summary::of(&record).select(canary).estimate(Metric::Share, Method::Display);
        assert_eq!((share.value, share.n), (Some(0.3), 1_000));
        let limits = share.interval.unwrap();
        assert!((limits.low.unwrap() - 0.27240684247700486).abs() < 1e-12);
        assert!((limits.high.unwrap() - 0.32912386091721724).abs() < 1e-12);
        let stable = Selection { phase: Some(1), arm: Some(Arm::Stable), ..Selection::default() };
        assert_eq!(value(&record, stable, Metric::Share), Some(0.7));
    }
}
