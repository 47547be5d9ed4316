//! What was to be told and may not have been: notices whose journal entries are there, and the ends
//! of whose messages are not. Sends nothing.
//!
//! The end of every message is an entry, so that a start can tell which ones a crash has cut off.
//! They are sent then, as are those that an orderly end has cut off, each at least once: one that
//! had arrived before its entry was written
//! arrives a second time, under the same id.

use std::collections::{BTreeMap, BTreeSet};

use super::notices::Notices;
use crate::engine::{Change, Channel, Notification, Sealed};
use crate::notify::Notice;
use crate::units::{Duration, Timestamp};

/// What was to be told and may not have been.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    notices: Notices,
    /// Those whose messages may not all have ended, by the number of their entry.
    open: BTreeMap<u64, Untold>,
}

/// A notice, some of whose messages may not have ended.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Untold {
    pub(super) notice: Notice,
    pub(super) recipients: Notification,
    /// By which ways it was told, or could not be told.
    pub(super) ended: BTreeSet<Channel>,
}

impl Outbox {
    /// Takes the journal's next entry in.
    pub(super) fn follow(&mut self, sealed: &Sealed) {
        let entry = sealed.entry();
        let ended = match &entry.change {
            Change::Delivered { message } => message.about.zip(Some(message.channel)),
            Change::Undelivered { message } => message.about.zip(Some(message.channel)),
            _ => None,
        };
        if let Some((about, channel)) = ended
            && let Some(untold) = self.open.get_mut(&about)
        {
            untold.ended.insert(channel);
        }
        if let Some((notice, recipients)) = self.notices.follow(sealed) {
            let untold = Untold { notice, recipients, ended: BTreeSet::new() };
            self.open.insert(entry.number, untold);
        }
        // Else a long journal would be kept whole.
        self.forget(entry.at);
    }

    /// What is to be told at `now`, the oldest first, and who tells what follows.
    pub(super) fn into_untold(mut self, now: Timestamp) -> (Notices, Vec<Untold>) {
        self.forget(now);
        (self.notices, self.open.into_values().collect())
    }

    fn forget(&mut self, now: Timestamp) {
        self.open.retain(|_, untold| now.since(untold.notice.at) <= LONGEST);
    }
}

/// How old a notice may be to be told after a restart. Chosen: a supervisor restarts within
/// minutes, and a machine within the hour; who is told later still is told of what is no longer so,
/// and who configures a webhook is not to get the news of a day.
const LONGEST: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        Command, CommandKind, Delivered, Engine, EventKind, ModelSettings, RawRules, RuleSet,
        Safeguards, Target, Undelivered, Version,
    };
    use crate::exchange::ModelIndex;
    use crate::units::{ModelId, Ratio, TagName, VersionId};

    const MODEL: ModelIndex = ModelIndex(0);

    /// An engine whose rules tell Slack and an address, and what follows its journal.
    struct Story {
        engine: Engine,
        outbox: Outbox,
    }

    impl Story {
        fn new() -> Self {
            let engine = Engine::new([ModelSettings::new(ModelId::new("gpt-4").unwrap())]);
            let mut story = Self { engine, outbox: Outbox::default() };
            let raw: RawRules = serde_json::from_value(serde_json::json!({
                "conditions": [], "notification": {
                    "slack_webhook": "https://hooks.example.com/secret", "email": "ops@example.com"
                }
            }))
            .unwrap();
            let version = |id| {
                let id = VersionId::new(id).unwrap();
                CommandKind::Register(Box::new(Version::new(id, "one", Timestamp::EPOCH)))
            };
            let stable = TagName::new("stable").unwrap();
            for kind in [
                version("v1"),
                version("v2"),
                CommandKind::Tag { tag: stable, version: target("v1"), preserve_previous: true },
                CommandKind::Rules(RuleSet::new(&raw, Safeguards::default()).unwrap()),
            ] {
                story.command(at(0), kind);
            }
            story
        }

        fn command(&mut self, now: Timestamp, kind: CommandKind) {
            let command = Command { model: MODEL, by: "ops".to_owned(), kind };
            self.engine.apply(now, &command).unwrap();
            self.follow();
        }

        /// A split, and its rollback; the number of its entry.
        fn roll_back(&mut self, now: Timestamp) -> u64 {
            let shares = vec![(target("v2"), Ratio::from_percent(100))];
            self.command(now, CommandKind::Split { shares, redeploy: true });
            self.command(now, CommandKind::Rollback(None));
            self.engine.durable().entries()
        }

        fn follow(&mut self) {
            while let Some(event) = self.engine.poll_event() {
                if let EventKind::Journal(sealed) = event.kind {
                    self.outbox.follow(&sealed);
                }
            }
        }

        fn untold(self, now: Timestamp) -> Vec<Untold> {
            self.outbox.into_untold(now).1
        }
    }

    fn target(name: &str) -> Target {
        Target::new(name).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second)
    }

    #[test]
    fn a_notice_is_open_until_each_of_its_messages_has_an_end() {
        let mut story = Story::new();
        let entry = story.roll_back(at(1));
        let (about, recipient) = (Some(entry), String::new());
        let message = Delivered { about, channel: Channel::Slack, recipient: recipient.clone() };
        story.engine.delivered(at(2), MODEL, message);
        story.follow();
        let outcome = "given up".to_owned();
        let message = Undelivered { about, channel: Channel::Mail, recipient, outcome };
        story.engine.undelivered(at(3), MODEL, message);
        story.follow();
        let untold = story.untold(at(4));
        assert_eq!(untold.len(), 1);
        assert_eq!(untold[0].notice.entry_number(), Some(entry));
        assert_eq!(untold[0].recipients.email.as_deref(), Some("ops@example.com"));
        assert_eq!(untold[0].ended, BTreeSet::from([Channel::Slack, Channel::Mail]));
    }

    #[test]
    fn what_is_older_than_an_hour_is_told_no_more() {
        let mut story = Story::new();
        story.roll_back(at(1));
        let second = story.roll_back(at(2));
        let untold = story.untold(at(3_602));
        let entries: Vec<_> = untold.iter().map(|untold| untold.notice.entry_number()).collect();
        assert_eq!(entries, [Some(second)]);
    }

    #[test]
    fn a_long_journal_is_not_kept() {
        let mut story = Story::new();
        for hour in 0..100 {
            story.roll_back(at(hour * 3_600));
        }
        assert_eq!(story.outbox.open.len(), 2);
    }
}
