//! What a run knows of a gateway elsewhere.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;

use super::retelling::{Retelling, Whose};
use crate::exchange::{Ending, VersionIndex};
use crate::mock::MockNews;
use crate::run::OwnAnswers;
use crate::scenario::Scenario;
use crate::units::{Duration, RequestId, Timestamp, format_counted, format_duration};
use crate::wire::RequestNumber;

/// What is known of a gateway elsewhere.
pub(super) struct Far<'a> {
    pub(super) retelling: Retelling<'a>,
    /// What the mock tells.
    pub(super) mock: Receiver<MockNews>,
    /// What came to the mock of requests that the workload has not been heard to give yet:
    /// the two are told by different ways, and either may be heard first.
    pub(super) early: BTreeMap<RequestId, Vec<Came>>,
    /// Answers that named another version than the mock was asked for, or none.
    pub(super) contradicted: u64,
    /// For how long its events were cut off, each time.
    pub(super) cuts: Vec<Duration>,
    /// How long after its time something of the plan was done, at the most.
    pub(super) late: Duration,
    /// Why it was conducted no further, and when; `None`: the run came to its end.
    pub(super) broken_off: Option<(Timestamp, String)>,
    /// Why it is not known how its rules fared.
    pub(super) health_unknown: Option<String>,
    /// How often it ended a request in each way of which no attempt has reached the mock.
    pub(super) by_itself: BTreeMap<Ending, u64>,
}

impl<'a> Far<'a> {
    /// Of which nothing has been heard, in a run of `scenario`, which is `whose`; its journal has
    /// so many entries.
    pub(super) fn new(
        scenario: &'a Scenario,
        whose: Whose,
        mock: Receiver<MockNews>,
        entries: u64,
    ) -> Self {
        Self {
            retelling: Retelling::new(scenario, whose, entries),
            mock,
            early: BTreeMap::new(),
            contradicted: 0,
            cuts: Vec::new(),
            late: Duration::ZERO,
            broken_off: None,
            health_unknown: None,
            by_itself: BTreeMap::new(),
        }
    }

    /// The run is over.
    pub(super) fn end(self) -> FarEnd {
        let own = |(ending, count): (&Ending, &u64)| OwnAnswers {
            ending: ending.name().into_owned(),
            count: *count,
        };
        let broken_off = self.broken_off.as_ref().map(|(at, why)| {
            format!("the run was broken off at {at}, and what is told ends there: {why}")
        });
        FarEnd {
            contradicted: self.contradicted,
            own_answers: self.by_itself.iter().map(own).collect(),
            notes: self.notes(),
            doubts: self.retelling.doubts().told().into_iter().chain(broken_off).collect(),
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.cuts.is_empty() {
            let (times, all) = (
                self.cuts.len() as u64,
                self.cuts.iter().fold(Duration::ZERO, |all, cut| all + *cut),
            );
            notes.push(format!(
                "its events were cut off {}, for {} in all: what its journal has was told \
                 afterwards, and which breaches began or ended and which versions drained \
                 meanwhile is missing",
                format_counted(times, "time", "times"),
                format_duration(all)
            ));
        }
        if self.late > LATE {
            notes.push(format!(
                "phases and commands of the plan came up to {} after their time, as the answers \
                 before them did not come sooner",
                format_duration(self.late)
            ));
        }
        notes.extend(self.health_unknown.iter().map(|why| {
            format!("how often its rules were checked is not known, for it did not say so: {why}")
        }));
        notes
    }
}

/// Above which it is told how late the plan was. Chosen: checks are a second apart at least.
const LATE: Duration = Duration::from_secs(1);

/// What is left to be told of a gateway elsewhere once a run is over.
#[derive(Clone, Debug, Default)]
pub(super) struct FarEnd {
    /// Answers that named another version than the mock was asked for, or none.
    pub(super) contradicted: u64,
    /// The requests that it ended by itself.
    pub(super) own_answers: Vec<OwnAnswers>,
    /// What is missing, in sentences.
    pub(super) notes: Vec<String>,
    /// What speaks against the run, in sentences.
    pub(super) doubts: Vec<String>,
}

/// An attempt that has come to the mock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Came {
    pub(super) number: RequestNumber,
    pub(super) version: VersionIndex,
    pub(super) at: Timestamp,
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::scenario::fixture::load_phases;

    #[test]
    fn what_is_missing_is_told_and_what_broke_off_is_doubted() {
        let scenario = load_phases("", &["split: {v1: 100%}"]).unwrap().scenario;
        let far = || Far::new(&scenario, Whose::default(), channel().1, 3);
        let FarEnd { notes, doubts, .. } = far().end();
        assert_eq!((notes, doubts), (Vec::new(), Vec::new()));
        let mut cut = far();
        cut.cuts = [1_500, 500].map(Duration::from_millis).to_vec();
        cut.late = Duration::from_millis(2_500);
        cut.health_unknown = Some("503: busy".to_owned());
        cut.broken_off = Some((Timestamp::from_second(9), "it is gone".to_owned()));
        let FarEnd { notes, doubts, .. } = cut.end();
        assert!(
            notes[0].starts_with("its events were cut off 2 times, for 2 s in all"),
            "{notes:?}"
        );
        assert!(notes[1].contains("came up to 2.5 s after their time"), "{notes:?}");
        assert!(notes[2].ends_with("did not say so: 503: busy"), "{notes:?}");
        assert_eq!(
            doubts,
            ["the run was broken off at 1970-01-01T00:00:09Z, and what is told ends there: it is \
              gone"]
        );
    }
}
