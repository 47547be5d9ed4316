//! The routing and rollback engine (contract to come with the calls).

mod rules;

pub use rules::{
    Action, Condition, Judge, NoData, Notification, Operator, RawTrigger, RuleError, RuleProblem,
    RuleSet, Target, Threshold, Trigger, TriggerKind,
};
