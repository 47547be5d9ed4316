//! How far the step of a rollout has come, and whether it is over.
//!
//! A step is over when its hold has passed, the canary has completed the requests that it requires,
//! and every condition on the canary had data at its last check and was not in breach. Until then
//! it is looked at again every second. Volatile: after a restart the requests of a step are counted
//! anew.

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::watch::Watch;
use super::{Rollout, RolloutState, RolloutStep, RuleSet, TriggerKind};
use crate::units::{Duration, Timestamp};

/// How far the step that is under way has come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Progress {
    /// When it is looked at next; `None`: nothing is under way, or it is paused.
    due: Option<Timestamp>,
    /// What the canary had completed before it.
    completed_before: u64,
    /// What was told last of what it waits for.
    told: Option<Waiting>,
}

/// What a step waits for that has lasted long enough.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// Too little was seen of the canary to go on.
    InsufficientData {
        /// Requests that the canary has completed in this step.
        requests: u64,
        /// Requests that it must complete.
        required: u64,
        /// The conditions that had no data at their last check (places in the rule set).
        without_data: Vec<usize>,
    },
    /// Conditions, or judges, were in breach at their last check.
    InBreach {
        /// Which (places in the rule set).
        triggers: Vec<usize>,
    },
}

impl Waiting {
    /// Whether it is the same but for the requests that have come in the meantime.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::InsufficientData { requests, required, without_data },
                Self::InsufficientData { requests: r, required: q, without_data: w },
            ) => (requests < required) == (r < q) && without_data == w,
            _ => self == other,
        }
    }
}

impl Progress {
    /// When the rollout's step is to be looked at next.
    pub(super) const fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// The rollout may have gone on at `now`: its step is looked at when its hold has passed.
    /// `begins` says that a step has just begun, and `completed` what the canary has completed.
    pub(super) fn follow(
        &mut self,
        now: Timestamp,
        rollout: &Rollout,
        begins: bool,
        completed: u64,
    ) {
        if begins {
            *self = Self { due: None, completed_before: completed, told: None };
        }
        self.due = match (rollout.state(), rollout.step()) {
            (RolloutState::Stepping(_), Some((_, step, since))) => {
                Some(self.due.unwrap_or_else(|| now.max(since + step.hold)))
            }
            _ => None,
        };
    }

    /// What a step that is looked at at `at` still waits for; `None`: nothing. `completed` is what
    /// the canary has completed, and `watches` are those on the canary.
    pub(super) fn look(
        &mut self,
        at: Timestamp,
        step: &RolloutStep,
        rules: &RuleSet,
        completed: u64,
        watches: &[Watch],
    ) -> Option<Waiting> {
        let requests = completed - self.completed_before;
        let required = step.require.unwrap_or_else(|| most_demanding(rules));
        let waiting = waiting(watches, requests, required);
        self.due = waiting.as_ref().map(|_| at + LOOK_AGAIN);
        waiting
    }

    /// Whether this is to be told: nothing like it was, of this step.
    pub(super) fn is_news(&mut self, waiting: &Waiting) -> bool {
        let news = !self.told.as_ref().is_some_and(|told| told.is_like(waiting));
        if news {
            self.told = Some(waiting.clone());
        }
        news
    }
}

fn waiting(watches: &[Watch], requests: u64, required: u64) -> Option<Waiting> {
    let mut without_data = Vec::new();
    let mut triggers = Vec::new();
    for watch in watches {
        match watch.last_finding() {
            Some(Finding::Breach) => triggers.push(watch.trigger),
            None | Some(Finding::NoData) => without_data.push(watch.trigger),
            _ => {}
        }
    }
    if !triggers.is_empty() {
        return Some(Waiting::InBreach { triggers });
    }
    let insufficient = requests < required || !without_data.is_empty();
    insufficient.then_some(Waiting::InsufficientData { requests, required, without_data })
}

/// The largest number of requests that a condition asks for in its window.
fn most_demanding(rules: &RuleSet) -> u64 {
    let asked = rules.triggers.iter().filter_map(|trigger| match &trigger.kind {
        TriggerKind::Condition(condition) => Some(condition.min_requests),
        TriggerKind::Judge(_) => None,
    });
    asked.max().filter(|_| rules.enable).unwrap_or(0)
}

/// How soon a step that waits is looked at again: the grain of the windows.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
