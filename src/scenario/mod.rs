//! Scenario files, and the configurations of gateways: from their text to a checked plan, all
//! errors at once, each with its place.
//!
//! [`load`] turns a document into a [`Scenario`], [`load_gateway`] into a [`GatewayPlan`], and
//! either every problem of the document into a line of [`ScenarioError`]: file, line, column, what
//! was found, what is allowed, what was probably meant. [`json_schema`] and [`gateway_schema`]
//! describe the formats for editors; both come from one description, `shapes`.
//! Reads no files: the caller brings [`Files`]. Knows no drivers and nothing of results.

mod check;
mod command_plan;
mod decode_arrivals;
mod decode_commands;
mod decode_credential;
mod decode_distribution;
mod decode_failures;
mod decode_faults;
mod decode_gate;
mod decode_gateway;
mod decode_gateway_models;
mod decode_gateway_upstreams;
mod decode_headers;
mod decode_key_commands;
mod decode_load;
mod decode_middlebox;
mod decode_model;
mod decode_notify;
mod decode_outputs;
mod decode_phase_workload;
mod decode_phases;
mod decode_policies;
mod decode_population;
mod decode_recorded;
mod decode_rollout;
mod decode_rules;
mod decode_safeguards;
mod decode_split;
mod decode_trace;
mod decode_upstream;
mod decode_workload;
mod dependences;
mod diagnostic;
mod document;
mod endpoint_url;
mod error;
mod extend;
mod false_alarms;
mod fault_list;
mod files;
mod fill;
#[cfg(test)]
pub(crate) mod fixture;
mod free;
mod fuzz;
mod gateway_plan;
mod gateway_secrets;
mod holders;
mod json_schema;
mod literal;
mod load;
mod load_gateway;
mod load_rules;
mod load_steps;
mod merge;
mod moved_tags;
mod named_version;
mod names;
mod odd_rollbacks;
mod outlook;
mod parse;
mod place;
mod plan;
mod presets;
mod problem;
mod quote;
mod read;
mod reference;
mod render;
mod resolved;
mod secret_url;
mod set;
mod shape;
mod shapes;
mod shapes_arrivals;
mod shapes_commands;
mod shapes_distribution;
mod shapes_fault;
mod shapes_fault_list;
mod shapes_gateway;
mod shapes_gateway_service;
mod shapes_middlebox;
mod shapes_policies;
mod shapes_rollout;
mod shapes_rules;
mod shapes_safeguards;
mod shapes_upstream;
mod shapes_users;
mod shapes_workload;
mod shorthand;
mod suggest;
mod supply;
mod tenure;
mod tree;
mod vars;
mod write;

pub use command_plan::{CommandPlan, Instruction};
pub use dependences::dependences;
pub use document::Document;
pub use endpoint_url::{EndpointUrl, UrlError};
pub use error::{ScenarioError, ScenarioWarnings};
pub use false_alarms::FalseAlarms;
pub use fault_list::{NamedFault, is_fault_list, is_scenario, load_faults};
pub use files::Files;
pub(crate) use files::normal;
#[doc(hidden)]
pub use fuzz::{fuzz_gateway, fuzz_rules, fuzz_scenario};
pub use gateway_plan::{
    Credential, GatewayModel, GatewayPlan, GatewayRollout, GatewayVersion, KeysPlan, Limits,
    LogFormat, LogLevel, LogPlan, NotifyPlan, RecordPlan, SmtpLogin, SmtpPlan, SmtpSecurity,
    StatePlan, StickySource, Timeouts, UpstreamEndpoint, UpstreamKey, WebhookPlan,
};
pub use json_schema::{faults_schema, gateway_schema, json_schema};
pub use load::{Loaded, lacking, load};
pub use load_gateway::{LoadedGateway, load_gateway};
pub use load_rules::{RuleNames, load_rules};
pub use load_steps::load_steps;
pub use named_version::NamedVersion;
pub(crate) use names::STABLE;
pub use outlook::Outlook;
pub use plan::{
    AgainstBaseline, Awaited, Column, Expectation, GateLine, ModelPlan, PhaseEnd, PhasePlan,
    Reference, RolloutPlan, Scenario, StickyBy, Traffic, Truth, UpstreamPlan, VersionPlan,
};
pub(crate) use presets::PRESETS;
pub use problem::{Note, Problem, ProblemKind, Severity, Spot};
pub use reference::{Section, reference};
pub use secret_url::SecretUrl;
pub use shapes::MOST_SEEDS;
pub use supply::Supply;
pub use tenure::Reach;
