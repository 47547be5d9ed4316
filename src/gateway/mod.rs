//! The gateway: the engine behind an OpenAI-compatible HTTP interface.
//!
//! The engine that is rehearsed routes the requests and takes them from a version that breaks its
//! rules; here are the sockets, the clock and the threads around it.

mod access_secret;
mod admin;
mod admin_error;
mod admin_request;
mod amount_text;
mod attempt;
mod chat;
mod chronicle;
mod dashboard_handler;
mod denied;
mod deploy_handler;
mod desk;
mod dialer;
mod drift;
mod endpoint;
mod entry_view;
mod evaluation_handler;
mod event_feed;
mod fault;
mod flow;
mod front;
mod house;
mod job;
mod journal_page;
mod keeper;
mod key_handlers;
mod meters;
mod notices;
mod notify_plan;
mod office;
mod open_api;
mod opening;
mod operation_meters;
mod outbox;
mod pass_headers;
mod post;
mod readiness;
mod recent;
mod recovery;
mod relay;
mod room;
mod route;
mod route_path;
mod route_table;
mod rules_handlers;
mod send;
mod server;
mod service;
mod settings;
mod sieve;
mod start;
mod state_handlers;
mod status_view;
#[cfg(test)]
mod test_house;
mod ticket_guard;
mod tls;
mod told;
mod version_handlers;
mod version_route;
mod version_view;
mod watchman;
mod without;
mod worker;

pub use notify_plan::NotifyFault;
pub use post::PostError;
pub use recovery::{RecoverError, recover_key};
pub use settings::{ReadSecret, UpstreamFault};
pub use start::{Gateway, ReloadError, StartError};
pub use tls::TlsError;
pub use version_route::RouteFault;
