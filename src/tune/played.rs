//! One run with rules in force, and what of it tells how good they are.

use super::present::acts;
use super::subject::Subject;
use crate::engine::RuleSet;
use crate::record::{Record, RuleHealth};
use crate::units::Duration;

/// What came of one run of a bad release under rules that act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Played {
    /// Requests of the bad canary that failed, or were answered more than 20 % slower than the
    /// stable would have.
    pub harm: u64,
    /// From the onset to the rollback; `None`: it was not rolled back, or before the onset.
    pub found_after: Option<Duration>,
    /// By trigger that can roll the canary back, how it fared on it.
    pub health: Vec<Health>,
}

/// How a trigger fared in one run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Health {
    /// Checks.
    pub checks: u64,
    /// Those of them without enough data.
    pub no_data: u64,
    /// Those of them that were in breach.
    pub breaches: u64,
}

impl Played {
    /// What is kept of the run that left `record` behind, in which `rules` were in force.
    pub fn of(record: &Record, subject: &Subject, rules: &RuleSet) -> Self {
        let canary = subject.canary();
        let own = record.blasts.iter().filter(|blast| blast.version == canary);
        let rollbacks = record.rollbacks.iter().filter(|one| one.version == canary);
        let found = rollbacks.filter_map(|one| Some(one.at.since(one.onset?))).next();
        let of_trigger = |id: &str| {
            let is_own = |health: &&RuleHealth| health.trigger == id && health.version == canary;
            let health = record.rules.iter().find(is_own);
            health.map_or_else(Health::default, |health| Health {
                checks: health.checks,
                no_data: health.no_data,
                breaches: health.breaches,
            })
        };
        let acting = rules.triggers.iter().filter(|trigger| acts(trigger, subject));
        Self {
            harm: own.map(|blast| blast.failed + blast.slowed).sum(),
            found_after: found,
            health: acting.map(|trigger| of_trigger(&trigger.id)).collect(),
        }
    }
}
