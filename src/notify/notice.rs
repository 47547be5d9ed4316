//! What is told: one rollback, refusal, pause or firing, in the words that every channel uses.
//! Knows not how it is sent, nor to whom.

use reqwest::Url;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::engine::NoTarget;
use crate::units::{ModelId, Timestamp, VersionId};

/// Something that people are told of.
#[derive(Clone, PartialEq, Debug)]
pub struct Notice {
    /// In whose deployment it happened.
    pub model: ModelId,
    /// The version at fault; `None` for a command that names none.
    pub version: Option<VersionId>,
    /// What happened.
    pub kind: NoticeKind,
    /// When.
    pub at: Timestamp,
    /// Why, in words: what the trigger saw, with its figures, or who gave the command. Any text.
    pub evidence: String,
    /// The journal's entry, as it is shown to others; null where there is none.
    pub entry: serde_json::Value,
    /// Where more is to be seen: the dashboard, say. It is shown whole: no secret belongs in it.
    pub link: Option<Url>,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoticeKind {
    /// All traffic went to another version.
    RolledBack {
        /// Which one.
        target: VersionId,
    },
    /// A rollback was wanted and had nowhere to go.
    RollbackRefused {
        /// Why.
        why: NoTarget,
    },
    /// The rollout under way stopped where it is.
    Paused,
    /// A rule fired that only tells.
    Fired,
}

impl Notice {
    /// What happened, on one line, with the model first: the subject of a mail, say.
    pub fn title(&self) -> String {
        let model = &self.model;
        let version = self.version.as_ref();
        let of = |version: &VersionId| format!(" of {version}");
        let of_version = version.map_or_else(String::new, of);
        match &self.kind {
            NoticeKind::RolledBack { target } => match version {
                Some(version) => format!("{model}: {version} rolled back to {target}"),
                None => format!("{model}: rolled back to {target}"),
            },
            NoticeKind::RollbackRefused { .. } => format!("{model}: rollback{of_version} REFUSED"),
            NoticeKind::Paused => format!("{model}: rollout{of_version} paused"),
            NoticeKind::Fired => match version {
                Some(version) => format!("{model}: a rule fired on {version}"),
                None => format!("{model}: a rule fired"),
            },
        }
    }

    /// What that means for the traffic, in a sentence.
    pub fn consequence(&self) -> String {
        let version = self.version.as_ref().map_or("the canary", VersionId::as_str);
        match &self.kind {
            NoticeKind::RolledBack { target } => format!("All traffic now goes to {target}."),
            NoticeKind::RollbackRefused { why } => {
                format!("Traffic was not moved, {version} keeps its share: {}.", why.words())
            }
            NoticeKind::Paused => {
                "The weights stay as they are until the rollout is resumed.".to_owned()
            }
            NoticeKind::Fired => "Traffic was not moved: the rule only tells.".to_owned(),
        }
    }

    /// The number of its journal entry, if there is one.
    pub fn entry_number(&self) -> Option<u64> {
        self.entry.get("number").and_then(serde_json::Value::as_u64)
    }

    /// The same for every attempt and channel, another one for every other notice: 32 hexadecimal
    /// digits, by which who receives a message twice can tell.
    pub fn id(&self) -> String {
        // The entry's number and chain of hashes are in it; without an entry, instant and words.
        let all = (&self.title(), &self.evidence, self.at, &self.entry);
        let mut text = serde_json::to_string(&all).unwrap_or_default();
        text.push_str(self.kind.name());
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl NoticeKind {
    /// Its name in messages that programs read: `rolled_back`, `rollback_refused`, `paused`,
    /// `fired`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RolledBack { .. } => "rolled_back",
            Self::RollbackRefused { .. } => "rollback_refused",
            Self::Paused => "paused",
            Self::Fired => "fired",
        }
    }

    /// Where all traffic went.
    pub const fn target(&self) -> Option<&VersionId> {
        match self {
            Self::RolledBack { target } => Some(target),
            _ => None,
        }
    }
}

impl Serialize for NoticeKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A rollback by a rule, with every field set.
    pub(in super::super) fn rollback() -> Notice {
        Notice {
            model: ModelId::new("openai/gpt-4").unwrap(),
            version: Some(VersionId::new("gpt-4-turbo-v2").unwrap()),
            kind: NoticeKind::RolledBack { target: VersionId::new("gpt-4-v1").unwrap() },
            at: "2024-03-15T11:01:30Z".parse().unwrap(),
            evidence: "errors: error_rate 12.00 % (24 of 200 requests) > 5 % in 60 s, \
                       held for 60 s"
                .to_owned(),
            entry: serde_json::json!({"number": 17, "cause": {"trigger": {}}}),
            link: Some(Url::parse("https://canary.example.com/").unwrap()),
        }
    }

    fn told(kind: NoticeKind, version: Option<&str>) -> String {
        let version = version.map(|version| VersionId::new(version).unwrap());
        let notice = Notice { kind, version, ..rollback() };
        format!("{} | {}", notice.title(), notice.consequence())
    }

    #[test]
    fn every_kind_says_what_happened_and_what_it_means_for_the_traffic() {
        let target = VersionId::new("v1").unwrap();
        let refused = |why| NoticeKind::RollbackRefused { why };
        let cases = [
            (
                told(NoticeKind::RolledBack { target: target.clone() }, Some("v2")),
                "openai/gpt-4: v2 rolled back to v1 | All traffic now goes to v1.",
            ),
            (
                told(NoticeKind::RolledBack { target }, None),
                "openai/gpt-4: rolled back to v1 | All traffic now goes to v1.",
            ),
            (
                told(refused(NoTarget::Missing), Some("v2")),
                "openai/gpt-4: rollback of v2 REFUSED | Traffic was not moved, v2 keeps its \
                 share: there is no other version to go to.",
            ),
            (
                told(refused(NoTarget::AtFault), None),
                "openai/gpt-4: rollback REFUSED | Traffic was not moved, the canary keeps its \
                 share: what the rule names is the version itself.",
            ),
            (
                told(refused(NoTarget::RolledBack), Some("v2")),
                "openai/gpt-4: rollback of v2 REFUSED | Traffic was not moved, v2 keeps its \
                 share: what it would go to was rolled back itself.",
            ),
            (
                told(NoticeKind::Paused, Some("v2")),
                "openai/gpt-4: rollout of v2 paused | The weights stay as they are until the \
                 rollout is resumed.",
            ),
            (
                told(NoticeKind::Fired, Some("v2")),
                "openai/gpt-4: a rule fired on v2 | Traffic was not moved: the rule only tells.",
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_notice_has_an_id_of_its_own_and_keeps_it() {
        let notice = rollback();
        assert_eq!(notice.id(), rollback().id());
        assert_eq!(notice.id().len(), 32);
        let later = Notice { at: notice.at + crate::units::Duration::from_secs(1), ..rollback() };
        let entry = Notice { entry: serde_json::json!({"number": 18}), ..rollback() };
        let paused = Notice { kind: NoticeKind::Paused, ..rollback() };
        for other in [later, entry, paused] {
            assert_ne!(other.id(), notice.id());
        }
    }
}
