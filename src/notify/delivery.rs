//! What became of a message: the end of every delivery. Knows not how it was sent.

use std::fmt;

use super::{Failure, Undeliverable};
use crate::engine::Channel;
use crate::units::{ModelId, format_counted};

/// What became of one message of a notice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Which notice.
    pub notice: NoticeNumber,
    /// In whose deployment it happened.
    pub model: ModelId,
    /// The number of the journal entry that the notice is of; `None`: it is of none.
    pub entry: Option<u64>,
    /// By which way.
    pub channel: Channel,
    /// To whom: an e-mail address, or of a webhook its scheme and host; empty where what the rules
    /// name is no webhook.
    pub recipient: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// The number of a notice, counted from 1 since the notifier started.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NoticeNumber(pub u64);

/// How a delivery ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The other side took it.
    Delivered {
        /// At which attempt, counted from 1.
        attempts: u8,
    },
    /// No attempt succeeded, and there will be no other.
    GivenUp {
        /// How many there were.
        attempts: u8,
        /// Why the last one failed.
        why: Failure,
    },
    /// It cannot be tried: a matter for a warning, as what the rules name may be a placeholder.
    Undeliverable {
        /// Why.
        why: Undeliverable,
    },
    /// It was not tried, or not to the end.
    Dropped {
        /// Why.
        why: DropReason,
    },
}

/// Why a message was not tried to the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DropReason {
    /// As many messages as there is room for were waiting.
    QueueFull,
    /// The notifier was shutting down.
    ShuttingDown,
}

impl Outcome {
    /// What [`Outcome::name`] can answer.
    pub const NAMES: [&'static str; 4] = ["delivered", "given_up", "undeliverable", "dropped"];

    /// How it ended, in a word.
    pub const fn name(&self) -> &'static str {
        let [delivered, given_up, undeliverable, dropped] = Self::NAMES;
        match self {
            Self::Delivered { .. } => delivered,
            Self::GivenUp { .. } => given_up,
            Self::Undeliverable { .. } => undeliverable,
            Self::Dropped { .. } => dropped,
        }
    }

    /// Whether whoever is there next is to send it: it was cut off by the end of the notifier
    /// alone.
    pub const fn is_for_the_next(&self) -> bool {
        matches!(self, Self::Dropped { why: DropReason::ShuttingDown })
    }

    /// Whether the other side has it.
    pub const fn is_delivered(&self) -> bool {
        matches!(self, Self::Delivered { .. })
    }
}

impl fmt::Display for NoticeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |attempts: u8| format_counted(attempts.into(), "attempt", "attempts");
        match self {
            Self::Delivered { attempts } => write!(f, "delivered after {}", counted(*attempts)),
            Self::GivenUp { attempts, why } => {
                write!(f, "given up after {}: {why}", counted(*attempts))
            }
            Self::Undeliverable { why } => write!(f, "undeliverable: {why}"),
            Self::Dropped { why } => write!(f, "dropped: {why}"),
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::QueueFull => "too many messages are waiting",
            Self::ShuttingDown => "the notifier is shutting down",
        })
    }
}

/// `notice 3 by slack to https://hooks.slack.com: delivered after 2 attempts`.
impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "notice {} by {}", self.notice, self.channel)?;
        if !self.recipient.is_empty() {
            write!(f, " to {}", self.recipient)?;
        }
        write!(f, ": {}", self.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Duration;

    #[test]
    fn every_end_reads_as_a_line_of_a_log() {
        let told = |channel, recipient: &str, outcome| {
            let (notice, recipient) = (NoticeNumber(3), recipient.to_owned());
            let model = ModelId::new("gpt-4").unwrap();
            Delivery { notice, model, entry: None, channel, recipient, outcome }.to_string()
        };
        let slack = "https://hooks.slack.com";
        assert_eq!(
            told(Channel::Slack, slack, Outcome::Delivered { attempts: 1 }),
            "notice 3 by slack to https://hooks.slack.com: delivered after 1 attempt"
        );
        let why = Failure::Timeout { after: Duration::from_secs(10) };
        assert_eq!(
            told(Channel::Mail, "ops@example.com", Outcome::GivenUp { attempts: 4, why }),
            "notice 3 by mail to ops@example.com: given up after 4 attempts: no answer within 10 s"
        );
        let why = Undeliverable::NoMailServer;
        assert_eq!(
            told(Channel::Mail, "", Outcome::Undeliverable { why }),
            "notice 3 by mail: undeliverable: no mail server is configured"
        );
        let why = DropReason::QueueFull;
        assert_eq!(
            told(Channel::Webhook, "http://[::1]", Outcome::Dropped { why }),
            "notice 3 by webhook to http://[::1]: dropped: too many messages are waiting"
        );
    }
}
