//! The second reading of a trace: every rule set is tried on it, each in an engine of its own.

use super::candidate::Candidate;
use super::error::BacktestError;
use super::identity::Identity;
use super::observation::Unusable;
use super::plan::Plan;
use super::replay::{Ended, Replay, model_id};
use super::report::{BacktestReport, TraceInfo, UsedSplit, UsedVersion};
use super::requirement::{Requirement, judge};
use crate::engine::{Assignment, RuleSet, Slot};
use crate::record::{Happening, ModelInfo, Observer, Record, Recorder, RunHeader, VersionInfo};
use crate::trace::TraceRecord;
use crate::units::{Duration, format_elapsed};

/// The second reading of a trace.
pub struct Trial<'a> {
    plan: &'a Plan,
    /// The files of the rules, with their digests.
    names: Vec<(String, String)>,
    replays: Vec<Replay<'a>>,
    /// What cannot be used, again.
    unusable: Unusable,
}

/// What is told of a trace that its records do not say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// The version of coalmine.
    pub coalmine: String,
    /// The trace's file.
    pub file: String,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

/// What a backtest found, and the traffic as it was recorded.
#[derive(Clone, PartialEq, Debug)]
pub struct Tried {
    /// What was found.
    pub report: BacktestReport,
    /// The recorded traffic, by version and over time.
    pub recorded: Record,
}

impl<'a> Trial<'a> {
    /// A trial of `rules`, each with its file and the SHA-256 of that, on the recording that `plan`
    /// is of. The first is that of the day.
    ///
    /// # Errors
    /// The engine refuses the versions or the rules.
    ///
    /// # Panics
    /// There are no rules.
    pub fn new(plan: &'a Plan, rules: &[(String, String, RuleSet)]) -> Result<Self, BacktestError> {
        assert!(!rules.is_empty(), "rules of the day");
        let mut recorder = Some(recorder(plan));
        let replays = rules.iter().map(|(_, _, rules)| Replay::new(plan, rules, recorder.take()));
        Ok(Self {
            plan,
            names: rules.iter().map(|(file, sha, _)| (file.clone(), sha.clone())).collect(),
            replays: replays.collect::<Result<_, _>>()?,
            unusable: Unusable::default(),
        })
    }

    /// Takes in the next record, in the order of time.
    ///
    /// # Errors
    /// The trace is not the one that the plan is of.
    pub fn add(&mut self, record: &TraceRecord) -> Result<(), BacktestError> {
        let found = &self.plan.found;
        if found.asked && record.model != found.model {
            return Ok(());
        }
        let Some(observed) = self.unusable.take(record) else { return Ok(()) };
        let place = record.version.as_ref().and_then(|id| found.place(id));
        let place = place.filter(|_| record.at <= found.end);
        let version = Slot(place.ok_or(BacktestError::Changed)? as u16);
        self.replays.iter_mut().try_for_each(|replay| replay.add(record.at, version, &observed))
    }

    /// What was found, and what became of `requirements`: each must hold of every rule set but that
    /// of the day, or of that where there is no other.
    ///
    /// # Errors
    /// The engine refuses a split.
    pub fn finish(
        self,
        about: About,
        requirements: &[Requirement],
    ) -> Result<Tried, BacktestError> {
        let Self { plan, names, replays, .. } = self;
        let ended = replays.into_iter().map(Replay::finish);
        let mut ended: Vec<Ended> = ended.collect::<Result<_, _>>()?;
        let candidates = names.into_iter().zip(&ended);
        let mut candidates: Vec<Candidate> =
            candidates.map(|(names, ended)| Candidate::of(plan, names, ended)).collect();
        let identity = Identity::of(plan, &candidates[0], &ended[0]);
        let day = candidates[0].clone();
        let first = usize::from(candidates.len() > 1);
        if !requirements.is_empty() {
            for candidate in &mut candidates[first..] {
                let judgement = judge(requirements, plan, (candidate, &day), &identity.reasons);
                candidate.judgement = Some(judgement);
            }
        }
        let day = &ended[0];
        let mut notes = plan.oddities();
        notes.extend(day.seen.skewed.map(|at| {
            format!(
                "requests do not fall on the versions as the weights say, as it turned out at {}: \
                 judges need the weights that were in force, say them with --split",
                format_elapsed(at)
            )
        }));
        let report = BacktestReport {
            schema: BacktestReport::SCHEMA,
            coalmine: about.coalmine,
            trace: TraceInfo {
                file: about.file,
                sha256: about.sha256,
                began: plan.began,
                model: plan.model().cloned(),
                requests: plan.found.requests,
                unusable: plan.found.unusable,
                others: plan.found.others,
                end: plan.found.end,
            },
            versions: used_versions(plan, day),
            stable: plan.id(plan.stable).clone(),
            stable_said: plan.stable_said,
            splits: used_splits(plan),
            pinned: day.seen.pinned,
            ends: plan.canary_ends().cloned().collect(),
            incident_from: plan.incident.map(|incident| incident.from),
            incident_to: plan.incident.and_then(|incident| incident.said_to),
            identity,
            candidates,
            notes,
        };
        let recorder = ended[0].recorder.take().expect("the first replay records");
        let recorded = recorder.finish(plan.instant(plan.found.end), Vec::new(), Vec::new());
        Ok(Tried { report, recorded })
    }
}

fn recorder(plan: &Plan) -> Recorder {
    let start = plan.instant(Duration::ZERO);
    let versions = plan.found.versions.iter().enumerate().map(|(index, tenure)| {
        let own = plan.tags().filter(|(_, slot)| usize::from(slot.0) == index);
        let tags = own.map(|(tag, _)| tag).collect();
        VersionInfo { id: tenure.id.clone(), tags, price: None }
    });
    let model = ModelInfo {
        id: model_id(plan),
        assignment: Assignment::Random,
        versions: versions.collect(),
        triggers: Vec::new(),
    };
    let mut recorder = Recorder::new(RunHeader {
        seed: 0,
        start,
        models: vec![model],
        clients: Vec::new(),
        phases: vec!["recording".to_owned()],
    });
    recorder.happened(start, Happening::PhaseBegan { phase: 0 });
    recorder
}

fn used_versions(plan: &Plan, day: &Ended) -> Vec<UsedVersion> {
    let counted = plan.found.versions.iter().zip(&day.seen.counts);
    let used = counted.map(|(tenure, count)| UsedVersion {
        id: tenure.id.clone(),
        requests: count.requests,
        failed: count.failed,
        first: tenure.first.at,
        last: tenure.last.at,
    });
    used.collect()
}

fn used_splits(plan: &Plan) -> Vec<UsedSplit> {
    let splits = plan.splits_of_day();
    let used = splits.iter().map(|split| {
        let shares = split.shares.iter();
        let shares = shares.map(|(slot, weight)| (plan.id(*slot).clone(), weight.get())).collect();
        UsedSplit { from: split.from, observed: split.observed, shares }
    });
    used.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::example::{error_rate, id, incident, incident_from, request, rules, tried};
    use super::super::{Finding, RolledBackBy, SaidEnd, SaidSplit, Terms};
    use super::*;
    use crate::gate::{Judgement, Verdict};
    use crate::units::{ModelId, Ratio};

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn report(rules: &[RuleSet], terms: &Terms) -> BacktestReport {
        tried(&incident(), rules, terms, &[]).unwrap().report
    }

    /// By pencil. The canary's first request comes at 242 s, so that its checks lie at 242 s + 15 k.
    /// At 362 s nothing has failed. At 377 s the window from 317 s on holds 24 completions, of which
    /// those at 362.2, 367.2 and 372.2 s failed: 12.5 % is above 5 %, the timer starts, and 60 s
    /// later, at 437 s, it fires. From 437 s to 539.5 s the canary has a request each 2.5 s: 42, of
    /// which 21 fail. Meanwhile there are 206 requests in all, so 164 of v1, of which number 1,000
    /// fails.
    #[test]
    fn a_rule_fires_when_its_window_says_so_and_spares_what_came_after() {
        let report = report(&[error_rate(0.9, 60), error_rate(0.05, 60)], &Terms::default());
        let told = report.candidates[1].rolled_back.as_ref().unwrap();
        assert_eq!(told.firing.at, millis(437_000));
        assert_eq!(told.firing.first_breach, millis(377_000));
        assert_eq!(told.firing.version, id("v2"));
        assert_eq!(told.earlier, Some(102_500_000_000));
        let moved = &told.moved;
        assert_eq!((moved.requests, moved.failed), (42, 21));
        assert_eq!((moved.target_requests, moved.target_failed), (164, 1));
        assert_eq!((moved.spared.least, moved.spared.most), (-21, 21));
        assert!((moved.spared.expected.unwrap().value - (21.0 - 42.0 / 164.0)).abs() < 1e-12);
        // From 242 s to 434.5 s: 78 requests, of which from 362 s on 15 of 30 failed.
        let b = &report.candidates[1];
        assert_eq!((b.harmed_requests, b.harmed_failed), (78, 15));
        // The rules of the day never see 90 %.
        assert_eq!(report.identity.finding, Finding::ByHand);
        assert!(report.identity.holds && report.candidates[0].rolled_back.is_none());
        assert_eq!(report.candidates[0].harmed_failed, 36);
    }

    #[test]
    fn what_the_recording_shows_is_found_in_one_reading() {
        let report = report(&[error_rate(0.9, 60)], &Terms::default());
        assert_eq!((report.stable.clone(), report.stable_said), (id("v1"), false));
        let told: Vec<(u64, u64, u64, u64)> = report
            .versions
            .iter()
            .map(|version| {
                let at = |at: Duration| at.as_nanos() / 1_000_000;
                (version.requests, version.failed, at(version.first), at(version.last))
            })
            .collect();
        // Of v1 fail the numbers 0, 200, ..., 1,400.
        assert_eq!(told, [(1_320, 8, 0, 719_500), (120, 36, 242_000, 539_500)]);
        // 120 of 597 requests is a share p of 20.1 %: (1 - p)^31 is the first below 0.1 %, and of
        // the marks that are kept 33 is the first from there on: request 1,112.
        let end = &report.ends[0];
        assert_eq!((end.earliest, end.latest), (millis(539_500), millis(556_000)));
        assert_eq!((end.requests_after, end.said), (360, false));
        let weights: Vec<Vec<f64>> = report
            .splits
            .iter()
            .map(|split| split.shares.iter().map(|(_, weight)| *weight).collect())
            .collect();
        assert_eq!(weights, [vec![1.0], vec![476.0 / 596.0, 120.0 / 596.0], vec![1.0]]);
        assert_eq!(report.splits[1].from, millis(242_000));
        assert_eq!(report.notes, [""; 0]);
    }

    /// Errors in a row, all on the canary, that reject at alpha = 5 % with a fifth of the traffic:
    /// 4, 6 and 15 for a prior strength of 2, 10 and 100 (the table of the statistics' design, after
    /// Lindon and Malek).
    #[test]
    fn a_judge_fires_at_the_error_that_its_table_says() {
        for (strength, errors) in [(2, 4), (10, 6), (100, 15)] {
            for given in [errors - 1, errors] {
                let record = |number: u64| {
                    let (canary, at) = (number % 5 == 4, number * 1_000);
                    let failed = canary && number / 5 < given;
                    let version = if canary { "v2" } else { "v1" };
                    request(at, version, if failed { 500 } else { 200 }, 100)
                };
                let records: Vec<TraceRecord> = (0..200).map(record).collect();
                let share = |version: &str, weight| (id(version), Ratio::new(weight).unwrap());
                let said = SaidSplit {
                    from: Duration::ZERO,
                    shares: vec![share("v1", 0.8), share("v2", 0.2)],
                };
                let terms =
                    Terms { stable: Some(id("v1")), splits: vec![said], ..Terms::default() };
                let judge = format!(
                    "{{\"judge\": \"sequential\", \"prior_strength\": {strength}, \
                     \"action\": \"rollback_to_last_stable\"}}"
                );
                let report = tried(&records, &[rules(&judge)], &terms, &[]).unwrap().report;
                let fired = report.candidates[0].rolled_back.as_ref().map(|told| told.firing.at);
                // The last error ends 100 ms after it came; checks lie at 5 s + 5 k.
                let last = (5 * (errors - 1) + 4) * 1_000 + 100;
                let check = millis(last.div_ceil(5_000) * 5_000);
                assert_eq!(fired, (given == errors).then_some(check), "{strength}: {given}");
            }
        }
    }

    #[test]
    fn rules_that_would_have_fired_earlier_are_not_those_of_the_day() {
        let told = report(&[error_rate(0.05, 60)], &Terms::default());
        assert_eq!(told.identity.finding, Finding::TooEarly);
        assert_eq!(told.verdict(), Verdict::Invalid);
        let reason = &told.identity.reasons[0];
        for part in ["v2 at 7m 17s", "102 s before its traffic ends", "42 requests follow"] {
            assert!(reason.contains(part), "{part}: {reason}");
        }
        // It never ended: the rules would have ended it.
        let never = Terms { rolled_back: Some(SaidEnd::Never), ..Terms::default() };
        assert_eq!(report(&[error_rate(0.05, 60)], &never).identity.finding, Finding::TooEarly);
        assert_eq!(report(&[error_rate(0.9, 60)], &never).identity.finding, Finding::Quiet);
    }

    /// For 150 s the interval is 38 s: the breach is seen first at 394 s, by the 7 failures among 60
    /// completions since 244 s, and has held for 152 s at 546 s, the first check after the canary's
    /// last request at 539.5 s. What fires there is what the recording shows.
    #[test]
    fn rules_that_fire_where_the_traffic_ends_are_those_of_the_day() {
        let day = error_rate(0.05, 150);
        let told = report(std::slice::from_ref(&day), &Terms::default());
        let fired = told.candidates[0].rolled_back.as_ref().unwrap();
        assert_eq!(fired.firing.at, millis(546_000));
        assert_eq!(told.identity.finding, Finding::Reproduced);
        assert_eq!(fired.moved.requests, 0);
        let rules = |by| Terms { rolled_back_by: Some(by), ..Terms::default() };
        assert!(report(std::slice::from_ref(&day), &rules(RolledBackBy::Rules)).identity.holds);
        let missing = report(&[error_rate(0.9, 60)], &rules(RolledBackBy::Rules));
        assert_eq!(missing.identity.finding, Finding::Missing);
        assert!(report(&[error_rate(0.9, 60)], &rules(RolledBackBy::Hand)).identity.holds);
    }

    /// By pencil: checks lie at 242 s + 10 k. At 382 s the window holds 56 completions, of which 4
    /// failed: 7.1 %; 180 s later, at 562 s, it fires, after the end is certain at 556 s.
    #[test]
    fn rules_look_on_for_one_interval_whatever_is_tried_beside_them() {
        let slow = rules(
            "{\"metric\": \"error_rate\", \"operator\": \">\", \"threshold\": 0.05, \
             \"duration_seconds\": 180, \"check_interval_seconds\": 10, \
             \"window_seconds\": 250, \"action\": \"rollback_to_last_stable\"}",
        );
        let by_rules = Terms { rolled_back_by: Some(RolledBackBy::Rules), ..Terms::default() };
        let alone = report(std::slice::from_ref(&slow), &by_rules);
        let fired = alone.candidates[0].rolled_back.as_ref().map(|told| told.firing.at);
        assert_eq!((fired, alone.identity.finding), (Some(millis(562_000)), Finding::Reproduced));
        assert_eq!(alone.splits[2].from, millis(567_000));
        let beside = report(&[slow.clone(), error_rate(0.9, 3_600)], &by_rules);
        assert_eq!(beside.candidates[0], alone.candidates[0]);
        assert_eq!(beside.splits, alone.splits);
        let second = report(&[error_rate(0.9, 3_600), slow.clone()], &Terms::default());
        assert_eq!(second.candidates[1].rolled_back, alone.candidates[0].rolled_back);
        assert_eq!(alone.notes, [""; 0], "the weights of the canary are kept, and that is no skew");
        // Where the user says when it was over, the same: one interval longer than that.
        let share = |version: &str, weight| (id(version), Ratio::new(weight).unwrap());
        let said = |from, shares| SaidSplit { from: millis(from), shares };
        let both = vec![share("v1", 0.8), share("v2", 0.2)];
        let splits = vec![said(240_000, both), said(556_000, vec![share("v1", 1.0)])];
        let told = report(&[slow], &Terms { splits, ..by_rules });
        assert_eq!(told.identity.finding, Finding::Reproduced);
        assert_eq!((told.splits.len(), told.splits[2].from), (3, millis(567_000)));
    }

    #[test]
    fn a_version_that_takes_over_at_the_next_request_has_its_beginning() {
        let record = |number: u64| {
            let version = if number < 600 { "v1" } else { "v2" };
            let failed = number >= 600 && number.is_multiple_of(3);
            request(number * 500, version, if failed { 503 } else { 200 }, 200)
        };
        let records: Vec<TraceRecord> = (0..1_440).map(record).collect();
        let told = tried(&records, &[error_rate(0.9, 60)], &Terms::default(), &[]).unwrap().report;
        let splits: Vec<(Duration, usize)> =
            told.splits.iter().map(|split| (split.from, split.shares.len())).collect();
        assert_eq!(splits, [(Duration::ZERO, 1), (millis(300_000), 1)]);
        assert_eq!(told.splits[1].shares, [(id("v2"), 1.0)]);
        assert_eq!(told.pinned, 0);
    }

    #[test]
    fn a_version_may_be_called_as_the_tag_of_the_stable() {
        let named = |stable: &str, canary: &str| {
            let rename = |mut record: TraceRecord| {
                let is_stable = record.version == Some(id("v1"));
                record.version = Some(id(if is_stable { stable } else { canary }));
                record
            };
            incident().into_iter().map(rename).collect::<Vec<TraceRecord>>()
        };
        let rules = [error_rate(0.9, 60), error_rate(0.05, 60)];
        let told = tried(&named("stable", "canary"), &rules, &Terms::default(), &[]).unwrap();
        let rolled_back = told.report.candidates[1].rolled_back.as_ref().unwrap();
        assert_eq!(rolled_back.firing.at, millis(437_000));
        assert_eq!(rolled_back.moved.target, id("stable"));
        assert!(!told.report.to_json().contains("stable:0"), "the report has the trace's names");
        // A canary of that name and the stable that holds the tag are told apart by nobody.
        let refused = tried(&named("v1", "stable"), &rules, &Terms::default(), &[]).unwrap_err();
        assert_eq!(refused, BacktestError::StableIsCanary(id("v1")));
    }

    /// Every fifth request goes to v2 from minute 2 to minute 5, half of which fail, and to v3 from
    /// minute 15 on, of which every fifth fails. Of v2 are 72 requests, of which 36 failed.
    #[test]
    fn an_incident_without_an_end_is_over_when_its_canary_has_lost_its_traffic() {
        let record = |number: u64| {
            let (at, fifth) = (number * 500, number % 5 == 4);
            match at {
                120_000..300_000 if fifth => (at, "v2", number.is_multiple_of(2)),
                900_000.. if fifth => (at, "v3", number % 25 == 4),
                _ => (at, "v1", false),
            }
        };
        let records = (0..2_880).map(record).map(|(at, version, failed)| {
            request(at, version, if failed { 503 } else { 200 }, if failed { 200 } else { 1_000 })
        });
        let records: Vec<TraceRecord> = records.collect();
        let rules = [error_rate(0.9, 60), error_rate(0.05, 60)];
        let told = tried(&records, &rules, &incident_from(2, None), &[]).unwrap().report;
        let (day, other) = (&told.candidates[0], &told.candidates[1]);
        assert_eq!((day.harmed_requests, day.harmed_failed), (72, 36));
        assert!(other.time_to_rollback.is_some());
        let alarms: Vec<&str> = other
            .firings
            .iter()
            .filter(|firing| firing.false_alarm == Some(true))
            .map(|firing| firing.version.as_str())
            .collect();
        assert!(!alarms.is_empty() && alarms.iter().all(|version| *version == "v3"), "{alarms:?}");
        assert_eq!(other.false_alarms, Some(alarms.len() as u64));
        // What is said is kept as it is said.
        assert_eq!((told.incident_to, told.incident_end()), (None, Some(told.ends[0].latest)));
    }

    #[test]
    fn what_the_trace_does_not_hold_is_left_out_and_told() {
        let first = rules(
            "{\"metric\": \"ttft_p99\", \"operator\": \">\", \"threshold_ms\": 500, \
             \"duration_seconds\": 60, \"action\": \"notify\"}",
        );
        let blind = |records: &[TraceRecord]| {
            let told = tried(records, std::slice::from_ref(&first), &Terms::default(), &[]);
            told.unwrap().report.candidates[0].blind.clone()
        };
        let mut records = incident();
        let told = blind(&records);
        let [(_, what)] = &told[..] else { panic!("it has nothing to read") };
        assert!(what.contains("first token"), "{what}");
        for record in &mut records {
            record.first_token = Some(millis(100));
        }
        assert!(blind(&records).is_empty());
    }

    #[test]
    fn firings_outside_the_incident_are_false_alarms() {
        // Bad from minute 6 on: the firing at 437 s comes 77 s after its beginning.
        let rules = [error_rate(0.9, 60), error_rate(0.05, 60)];
        let told = report(&rules, &incident_from(6, Some(9)));
        let b = &told.candidates[1];
        assert_eq!(b.false_alarms, Some(0));
        assert_eq!(b.time_to_rollback, Some(millis(77_000)));
        assert_eq!(b.time_to_detect, Some(millis(17_000)));
        // Requests from 360 s to 437 s: from 362 s to 434.5 s, 30 with 15 failures.
        assert_eq!((b.harmed_requests, b.harmed_failed), (30, 15));
        // Had it been bad from minute 8 on only, the same firing had been a false alarm.
        let told = report(&rules, &incident_from(8, None));
        let b = &told.candidates[1];
        assert_eq!((b.false_alarms, b.time_to_rollback), (Some(1), None));
        assert_eq!(b.firings[0].false_alarm, Some(true));
    }

    #[test]
    fn requirements_are_judged_of_every_rule_set_but_that_of_the_day() {
        let rules = [error_rate(0.9, 60), error_rate(0.05, 60), error_rate(0.05, 120)];
        let lines = [
            "time_to_rollback <= 77s",
            "false_rollbacks == 0",
            "rollbacks == 1",
            "blast_radius.failed < 16",
            "blast_radius.failed < baseline(blast_radius.failed)",
        ];
        let told = tried(&incident(), &rules, &incident_from(6, Some(9)), &lines).unwrap().report;
        let verdicts = |index: usize| match &told.candidates[index].judgement {
            Some(Judgement::Judged(judged)) => {
                judged.lines.iter().map(|line| line.verdict).collect::<Vec<_>>()
            }
            _ => Vec::new(),
        };
        assert_eq!(verdicts(0), []);
        assert_eq!(verdicts(1), [Verdict::Pass; 5]);
        // Twice the duration is too late for two of them.
        let [late, _, one, harm, less] = verdicts(2)[..] else { panic!("{:?}", verdicts(2)) };
        assert_eq!([late, harm], [Verdict::Fail; 2]);
        assert_eq!([one, less], [Verdict::Pass; 2]);
        assert_eq!(told.verdict(), Verdict::Fail);
    }

    #[test]
    fn what_is_not_known_is_refused_with_what_is() {
        let refused = |line| Requirement::parse(line, false).unwrap_err().to_string();
        assert!(refused("error_rate < 1%").contains("known are rollbacks, false_rollbacks"));
        assert!(refused("time_to_rollback < 1m").contains("--incident"));
        assert!(refused("rolbacks == 1").contains("rollbacks"));
        assert!(refused("rollbacks{version=v2} == 1").contains("rollbacks{"));
        assert!(Requirement::parse("rollbacks == 1", false).is_ok());
    }

    #[test]
    fn recordings_that_say_too_little_are_refused() {
        let refused = |records: &[TraceRecord], terms: &Terms| {
            tried(records, &[error_rate(0.05, 60)], terms, &[]).unwrap_err()
        };
        let all = incident();
        let without = |strip: fn(&mut TraceRecord)| {
            let mut records = all.clone();
            records.iter_mut().for_each(strip);
            refused(&records, &Terms::default())
        };
        for strip in [
            (|record| record.version = None) as fn(&mut TraceRecord),
            |record| record.duration = None,
            |record| record.status = None,
        ] {
            assert!(matches!(without(strip), BacktestError::NothingUsable { rows: 1_440, .. }));
        }
        let one = without(|record| record.version = Some(id("v1")));
        assert_eq!(one, BacktestError::NoCanary(id("v1")));
        let together = refused(&all[480..], &Terms::default());
        assert_eq!(together, BacktestError::WhichStable(vec![id("v1"), id("v2")]));
        let terms = Terms { stable: Some(id("v3")), ..Terms::default() };
        assert!(matches!(refused(&all, &terms), BacktestError::UnknownVersion { .. }));
        let early = Terms { rolled_back: Some(SaidEnd::At(millis(480_000))), ..Terms::default() };
        assert!(matches!(refused(&all, &early), BacktestError::GoesOn { .. }));
        let mut models = all.clone();
        for (record, name) in models.iter_mut().zip(["a", "b"].into_iter().cycle()) {
            record.model = Some(ModelId::new(name).unwrap());
        }
        assert!(matches!(refused(&models, &Terms::default()), BacktestError::SeveralModels(_)));
        let terms = Terms { model: ModelId::new("c").ok(), ..Terms::default() };
        assert!(matches!(refused(&models, &terms), BacktestError::UnknownModel { .. }));
    }

    #[test]
    fn rules_that_could_never_fire_say_so() {
        // 24 requests a minute are fewer than 100.
        let blind = "{\"metric\": \"error_rate\", \"operator\": \">\", \"threshold\": 0.05, \
                     \"duration_seconds\": 60, \"min_requests\": 100, \
                     \"action\": \"rollback_to_last_stable\"}, \
                     {\"metric\": \"length_finish_rate\", \"operator\": \">\", \
                     \"threshold\": 0.5, \"duration_seconds\": 60, \"action\": \"notify\"}";
        let told = report(&[rules(blind)], &Terms::default());
        let [health] = &told.candidates[0].health[..] else { panic!("one rule watches") };
        assert!(health.checks > 10 && health.no_data == health.checks);
        assert_eq!(told.candidates[0].blind.len(), 1);
    }

    #[test]
    fn weights_that_are_said_are_those_that_are_played() {
        let share = |version: &str, weight| (id(version), Ratio::new(weight).unwrap());
        let said = |from, shares| SaidSplit { from: millis(from), shares };
        let both = vec![share("v1", 0.75), share("v2", 0.25)];
        let terms = Terms { splits: vec![said(240_000, both.clone())], ..Terms::default() };
        let told = report(&[error_rate(0.9, 60)], &terms);
        let from: Vec<Duration> = told.splits.iter().map(|split| split.from).collect();
        assert_eq!(from[..2], [Duration::ZERO, millis(240_000)]);
        assert_eq!((told.splits.len(), told.pinned), (3, 0));
        // Until minute 5 the canary is said to get nothing: its 24 requests are no evidence.
        let late = Terms { splits: vec![said(300_000, both.clone())], ..Terms::default() };
        assert_eq!(report(&[error_rate(0.9, 60)], &late).pinned, 24);
        let refused = |splits| {
            let terms = Terms { splits, ..Terms::default() };
            tried(&incident(), &[error_rate(0.9, 60)], &terms, &[]).unwrap_err()
        };
        let half = vec![share("v1", 0.5)];
        assert!(matches!(refused(vec![said(0, half)]), BacktestError::SplitSum { .. }));
        let back = vec![said(9_000, both.clone()), said(1_000, both)];
        assert!(matches!(refused(back), BacktestError::SplitOrder { .. }));
    }

    /// Plain counting, with nothing of this module but the instant at which the rule fires.
    #[derive(Debug, PartialEq, Eq, Default)]
    struct Plain {
        requests: [(u64, u64); 2],
        moved: (u64, u64),
        target: (u64, u64),
        harmed: (u64, u64),
    }

    fn plain(records: &[TraceRecord], fired: Option<Duration>) -> Plain {
        let mut plain = Plain::default();
        let add = |sum: &mut (u64, u64), failed: bool| {
            sum.0 += 1;
            sum.1 += u64::from(failed);
        };
        let is_canary = |record: &TraceRecord| record.version == Some(id("v2"));
        let last = records.iter().rposition(is_canary);
        for (index, record) in records.iter().enumerate() {
            let canary = is_canary(record);
            let failed = record.status.is_some_and(|status| status >= 500);
            add(&mut plain.requests[usize::from(canary)], failed);
            let after = fired.is_some_and(|fired| record.at >= fired);
            match (after, canary) {
                (true, true) => add(&mut plain.moved, failed),
                (true, false) if Some(index) < last => add(&mut plain.target, failed),
                (false, true) => add(&mut plain.harmed, failed),
                _ => {}
            }
        }
        plain
    }

    proptest! {
        #[test]
        fn counts_are_those_of_plain_counting(
            rows in proptest::collection::vec((0_u64..3_000, 0_u8..10, 0_u8..10, 1_u64..9_000), 300),
            bad in 0_u8..10,
            seconds in 5_u64..40,
        ) {
            let mut at = 0;
            let mut records = Vec::new();
            for (index, (gap, arm, luck, duration)) in rows.into_iter().enumerate() {
                at += gap;
                let canary = index >= 100 && arm < 4;
                let failed = luck < if canary { bad } else { 1 };
                let version = if canary { "v2" } else { "v1" };
                records.push(request(at, version, if failed { 502 } else { 200 }, duration));
            }
            let rules = [error_rate(0.3, seconds), error_rate(0.5, seconds)];
            let tried = match tried(&records, &rules, &Terms::default(), &[]) {
                Err(BacktestError::NoCanary(_)) => return Ok(()),
                tried => tried.unwrap(),
            };
            let report = tried.report;
            for candidate in &report.candidates {
                let told = candidate.rolled_back.as_ref();
                let found = plain(&records, told.map(|told| told.firing.at));
                let counted = report.versions.iter().map(|told| (told.requests, told.failed));
                prop_assert!(counted.eq(found.requests));
                let harmed = (candidate.harmed_requests, candidate.harmed_failed);
                prop_assert_eq!(harmed, found.harmed);
                let moved = told.map(|told| &told.moved);
                prop_assert_eq!(moved.map_or((0, 0), |m| (m.requests, m.failed)), found.moved);
                let target = moved.map_or((0, 0), |m| (m.target_requests, m.target_failed));
                prop_assert_eq!(target, found.target);
            }
            // The shares of the stretch that has both are those of its requests.
            let both = report.splits.iter().find(|split| split.shares.len() == 2);
            // Where the last requests are all the canary's, the stable has ended as well.
            let both = both.filter(|_| report.splits.len() == 2 + report.ends.len());
            let is_canary = |record: &TraceRecord| record.version == Some(id("v2"));
            let first = records.iter().position(is_canary).unwrap();
            let canaries = records.iter().filter(|record| is_canary(record)).count();
            let to = match report.ends.first() {
                Some(_) => records.iter().rposition(is_canary).unwrap() + 1,
                None => records.len(),
            };
            let share = canaries as f64 / (to - first) as f64;
            if let Some(both) = both {
                prop_assert!((both.shares[1].1 - share).abs() < 1e-12);
            }
            // What was recorded for the chart is what was counted.
            let assigned: u64 = tried.recorded.cells.iter().map(|cell| cell.tally.assigned).sum();
            prop_assert_eq!(assigned, 300);
        }
    }
}
