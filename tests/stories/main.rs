//! Whole rehearsals: that every shipped scenario tells the story of its head comment, that results
//! are true to the model and the same for the same seed, and what holds of any plan.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod attempts;
mod bursty_upstream;
mod closed_users;
mod commanded;
mod determinism;
mod false_alarm;
mod fidelity;
mod flapping;
mod gate_against_baseline;
mod incident;
mod invariants;
mod kept_answers;
mod late_failure;
mod low_traffic;
mod moving_tags;
mod multi_model;
mod must_fail;
mod overload;
mod phase_workloads;
mod pinned;
mod pitfalls;
mod plan_changes;
mod plan_models;
mod plans;
mod progressive;
mod provider_outage;
mod quiet_failures;
mod rate_limit_storm;
mod recorded_peak;
mod retry_mask;
mod sticky_users;
mod streaming_truncation;
mod ten_thousand;
mod witness;
mod world;
