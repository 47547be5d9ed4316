//! A way by which people are told. Knows not how.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A way by which people are told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A Slack incoming webhook, which rules name.
    Slack,
    /// E-mail to an address that rules name.
    Mail,
    /// The webhook of whoever runs the engine.
    Webhook,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Slack, Self::Mail, Self::Webhook];

    /// Its name: `slack`, `mail`, `webhook`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
