//! Tells people what the rules did: of rollbacks, of refused ones, of pauses, over Slack, e-mail
//! and a webhook.
//!
//! [`Notifier::notify`] hands a [`Notice`] over and returns at once: it never waits and never
//! fails, so nothing that happens here can delay or undo a rollback. What became of each message
//! comes out as a [`Delivery`]. The texts are pure functions of a notice: [`slack_body`], [`mail`],
//! [`webhook_body`].
//!
//! Webhook addresses and passwords are secrets: nothing here shows more of an address than its
//! scheme and host. Knows nothing of the gateway, the journal's store or the clock; chance and the
//! present instant are handed in, and time passes as tokio's.

mod attempts;
mod delivery;
mod failure;
mod line;
mod mail;
mod mail_address;
mod mail_server;
mod notice;
mod notifier;
mod pace;
mod poster;
mod settings;
mod signature;
mod slack;
#[cfg(test)]
mod stand_in;
mod start_error;
mod tls;
mod ways;
mod webhook;
mod webhook_url;

pub use delivery::{Delivery, DropReason, NoticeNumber, Outcome};
pub use failure::{Failure, Undeliverable};
pub(crate) use line::causes;
pub use mail::mail;
pub use mail_address::{MailAddress, NoAddress};
pub use notice::{Notice, NoticeKind};
pub use notifier::{Around, Notifier};
pub use pace::Pace;
pub use settings::{MailLogin, MailSecurity, MailSettings, NotifySettings};
pub use signature::{Now, SigningSecret};
pub use slack::slack_body;
pub use start_error::StartError;
pub(crate) use tls::WebTls;
pub use ways::Ways;
pub use webhook::webhook_body;
pub use webhook_url::{NoWebhook, WebhookUrl};
