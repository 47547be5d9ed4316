//! Why a message did not arrive, and whether another attempt can help. Shows no secret: of an
//! address its host at most.

use super::{NoAddress, NoWebhook};
use crate::units::Duration;

/// Why an attempt failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// The webhook answered with a status that is no success.
    #[error("answered {status}{}", said_text(said.as_deref()))]
    Status {
        /// The status, RFC 9110: 100 to 999.
        status: u16,
        /// The word that it gave as its reason, as Slack does.
        said: Option<String>,
        /// How long it asks to wait, at most a day.
        retry_after: Option<Duration>,
    },
    /// The mail server refused a command.
    #[error("the mail server answered {code}: {said}")]
    Reply {
        /// The code, RFC 5321: 400 to 599.
        code: u16,
        /// Its text.
        said: String,
    },
    /// The mail server cannot do what the settings or the message need.
    #[error("the mail server cannot be used: {cause}")]
    Unusable {
        /// What it cannot.
        cause: String,
    },
    /// No connection, or one that broke.
    #[error("the connection failed: {cause}")]
    Connection {
        /// Why.
        cause: String,
    },
    /// No answer in time.
    #[error("no answer within {after}")]
    Timeout {
        /// How long was waited.
        after: Duration,
    },
    /// This machine has no root certificates, so nobody can be trusted over TLS.
    #[error("no root certificates are installed on this machine, so TLS can trust nobody")]
    NoRoots,
}

/// Why a message cannot even be tried: the settings or the rules are at fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Undeliverable {
    /// The rules name an address that is none.
    #[error(transparent)]
    Address(#[from] NoAddress),
    /// The rules name a webhook that is none.
    #[error(transparent)]
    Webhook(#[from] NoWebhook),
    /// The rules want mail, and the settings name no mail server.
    #[error("no mail server is configured")]
    NoMailServer,
    /// No mail can be made of it.
    #[error("no mail can be made of it: {cause}")]
    Form {
        /// Why.
        cause: String,
    },
}

impl Failure {
    /// Whether another attempt can help: not where the message itself or its address is refused.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(*status, 408 | 429 | 500..),
            Self::Reply { code, .. } => *code < 500,
            Self::Connection { .. } | Self::Timeout { .. } => true,
            Self::Unusable { .. } | Self::NoRoots => false,
        }
    }

    /// How long the other side asks to wait before another attempt.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn said_text(said: Option<&str>) -> String {
    said.map_or_else(String::new, |said| format!(" ({said})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_otherwise_later_is_tried_again() {
        let status = |status| Failure::Status { status, said: None, retry_after: None };
        for code in [408, 429, 500, 502, 503, 504, 599] {
            assert!(status(code).may_pass(), "{code}");
        }
        for code in [301, 302, 307, 400, 401, 403, 404, 405, 410, 413, 422, 499] {
            assert!(!status(code).may_pass(), "{code}");
        }
        let reply = |code| Failure::Reply { code, said: String::new() };
        assert!(reply(450).may_pass() && reply(421).may_pass());
        assert!(!reply(550).may_pass() && !reply(535).may_pass());
        assert!(Failure::Timeout { after: Duration::ZERO }.may_pass());
        assert!(!Failure::NoRoots.may_pass());
    }

    #[test]
    fn failures_say_what_was_answered() {
        let said = Some("no_service".to_owned());
        let status = Failure::Status { status: 404, said, retry_after: None };
        assert_eq!(status.to_string(), "answered 404 (no_service)");
        let timeout = Failure::Timeout { after: Duration::from_secs(10) };
        assert_eq!(timeout.to_string(), "no answer within 10 s");
    }
}
