//! The routing and rollback engine: which version answers a request, and when a version loses its
//! traffic.
//!
//! Sans-IO: the engine owns no clock, socket, file, generator or log. Whatever it needs comes in as
//! an argument, whatever follows comes out as an [`Event`], and simulator, live harness and gateway
//! drive the same code.
//!
//! # The contract
//!
//! - **Time is an argument and never goes back.** Every call takes `now`; an earlier one is raised
//!   to the largest seen. Before a call does its own work, all checks that are due are carried out,
//!   at their nominal times: a driver that calls late changes when a rollback is noticed, not what
//!   it is decided on.
//! - **Order at one instant:** an abort or a rollback by command, completions, checks, other
//!   commands, steps of rollouts, arrivals.
//! - **Events are drained after every call**, by [`Engine::poll_event`] until it returns `None`
//!   (asserted in debug builds).
//! - **A [`Ticket`] is handed back exactly once**, by [`Engine::complete`] or [`Engine::abandon`]:
//!   one ticket is one attempt, and where a request is attempted again, another follows.
//!   The engine keeps counters, no map of requests; what was routed before a version lost its
//!   traffic is drained and is no evidence about what comes after.
//! - **State changes by commands and triggers only**, and each change is a journal [`Entry`] with
//!   its resolved effects. Catalog, split, rules and rollback marks are durable; windows, timers
//!   and counts of what is in flight are not.
//!
//! # Windows and checks
//!
//! A version is activated when its weight rises from 0: at this instant, rounded up to a whole
//! second, its windows and timers begin empty. Its triggers are checked at the activation plus
//! k check intervals, k = 1, 2, .... A window of w seconds at a check at t covers [t - w, t); the
//! time of a completion decides where it belongs.

mod access_key;
mod action;
mod arms_gauge;
mod assigner;
mod assignment;
mod attempts;
mod backoff;
mod canonical;
mod catalog;
mod change;
mod channel;
mod check_interval;
mod command;
mod comparison;
mod condition;
mod core;
mod decision;
mod delivered;
mod deployment;
mod digest;
mod due;
mod durable;
mod evaluation;
mod event;
mod evidence;
mod finding;
mod gauge;
mod in_flight;
mod interleave;
mod journal;
mod judge;
mod judge_fields;
mod judge_gauge;
mod judged_end;
mod judgement;
mod key_changes;
mod keys;
mod ladder;
mod look;
mod meter;
mod model_state;
mod no_target;
mod objective_gauge;
mod owners;
mod policy;
mod policy_error;
mod prepared;
mod progress;
mod rank_gauge;
mod raw_rules;
mod restore;
mod retry;
mod retry_on;
mod rollout;
mod rule_changes;
mod rule_error;
mod rules;
mod safeguards;
mod settings;
mod slow_limit;
mod split;
mod split_check;
mod status;
mod sticky_hash;
mod sticky_map;
mod ticket;
mod time_meter;
mod transition;
mod trigger;
mod undelivered;
mod version;
mod watch;
mod watched;
mod watching;

pub use self::core::{ABANDON_AFTER, Engine};
pub use access_key::{AuthError, Forbidden, KeyStatus, MadeFor, NewKey, Principal, Scope};
pub use action::{Action, NoName, Target};
pub use assignment::Assignment;
pub use backoff::Backoff;
pub use canonical::CanonicalError;
pub use catalog::{Catalog, Slot, TagMove};
pub use change::{Change, Shift, Weights};
pub use channel::Channel;
pub use command::{Command, CommandError, CommandKind};
pub use comparison::{Operator, Relation, Threshold};
pub use condition::{Condition, NoData};
pub use delivered::Delivered;
pub use digest::{Digest, DigestError};
pub use durable::{BrokenJournal, DurableState, JournalFault};
pub use evaluation::{Evaluation, Verdict};
pub use event::{Event, EventKind};
pub use evidence::{
    AgainstObjective, Comparison, ErrorShares, EventRatio, Evidence, Level, RankShift, Reading,
};
pub use journal::{Cause, Entry, SealError, Sealed};
pub use judge::{Judge, JudgeTest, Objective, Ranks, Slowness};
pub use judgement::Judgement;
pub use ladder::{Ladder, LadderError, RolloutStep, StageIndex};
pub use look::Look;
pub use meter::share_hit;
pub use model_state::{Inapplicable, ModelState};
pub use no_target::NoTarget;
pub use policy::{Fallback, Policies, RetryPolicy};
pub use policy_error::PolicyError;
pub use prepared::{Accepted, Prepared};
pub use progress::Waiting;
pub use raw_rules::{RawNotification, RawRules, RawTrigger};
pub use retry::{Completion, Retry};
pub use retry_on::{RetryOn, RetryOnError};
pub use rollout::{DEFAULT_BAKE, Rollout};
pub use rule_error::{RuleError, RuleProblem};
pub use rules::{Notification, RuleSet, RulesError};
pub use safeguards::Safeguards;
pub use settings::ModelSettings;
pub use split::{Split, SplitError};
pub use split_check::{PinShare, SKEW_ALPHA, SplitSkew};
pub use status::{Status, VersionStatus};
pub use sticky_hash::StickyKey;
pub use ticket::{Ask, RouteError, Ticket};
pub use transition::{Refused, RolloutState};
pub use trigger::{Trigger, TriggerKind};
pub use undelivered::Undelivered;
pub use version::Version;
pub use watch::{Breach, Health};
