//! Why what a gateway elsewhere tells of itself is not the whole truth of a run, or not of the run
//! alone.

use std::collections::BTreeSet;

use serde_json::json;

use crate::engine::Entry;
use crate::units::{VersionId, format_counted};

/// What was heard that speaks against a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Doubts {
    /// Changes of the run's models and keys that the run did not ask for and no rule caused.
    of_others: u64,
    /// The first of them, in words.
    first: Option<String>,
    /// Events that are not what this version of coalmine knows.
    unreadable: u64,
    /// How often the gateway began anew.
    restarts: u64,
    /// Versions that got traffic and that the scenario does not have.
    strange: BTreeSet<VersionId>,
}

impl Doubts {
    /// Somebody else has changed what the run has for itself.
    pub(super) fn of_others(&mut self, entry: &Entry) {
        self.of_others += 1;
        self.first.get_or_insert_with(|| {
            let change = json!(entry.change);
            // A change without anything beside it is a word, any other has its word before it.
            let of_map = change.as_object().and_then(|change| change.keys().next());
            let word = of_map.map_or(change.as_str(), |word| Some(word));
            let word = word.unwrap_or_default().replace('_', " ");
            let what = entry.model.as_ref().map_or_else(String::new, |it| format!(" of {it}"));
            format!("{word}{what} by {} at {}", entry.cause.by(), entry.at)
        });
    }

    /// An event could not be read.
    pub(super) const fn unreadable(&mut self) {
        self.unreadable += 1;
    }

    /// The gateway began anew.
    pub(super) const fn restarted(&mut self) {
        self.restarts += 1;
    }

    /// A version that the scenario does not have got traffic.
    pub(super) fn strange(&mut self, version: &VersionId) {
        self.strange.insert(version.clone());
    }

    /// A version that the scenario does not have and that got traffic: the run's requests go where
    /// something is really served.
    pub(super) fn strange_version(&self) -> Option<&VersionId> {
        self.strange.first()
    }

    /// In sentences; none: nothing speaks against the run.
    pub(super) fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        if let Some(first) = &self.first {
            let count = format_counted(self.of_others, "change", "changes");
            told.push(format!(
                "{count} in the gateway's journal that the run did not ask for and no rule caused: \
                 it did not have its models and keys for itself (the first: {first})"
            ));
        }
        if self.unreadable > 0 {
            let count = format_counted(self.unreadable, "event", "events");
            told.push(format!(
                "{count} of the gateway could not be read: what it says is missing here (is it \
                 another version of coalmine?)"
            ));
        }
        if self.restarts > 0 {
            told.push(
                "the gateway was started anew in the midst of the run: windows and timers of its \
                 rules began anew"
                    .to_owned(),
            );
        }
        for version in &self.strange {
            told.push(format!(
                "the gateway gave traffic to its version {version}, which the scenario does not \
                 have"
            ));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Cause, Change, Digest, Shift};
    use crate::units::{ModelId, Timestamp};

    fn entry(change: Change) -> Entry {
        Entry {
            number: 7,
            at: Timestamp::from_second(3),
            model: Some(ModelId::new("gpt-4").unwrap()),
            cause: Cause::Command { by: "somebody".to_owned() },
            change,
            previous: Digest::of(b""),
        }
    }

    #[test]
    fn what_speaks_against_a_run_is_counted_and_the_first_of_it_named() {
        let mut doubts = Doubts::default();
        assert_eq!(doubts.told(), [""; 0]);
        doubts.of_others(&entry(Change::Split { shift: Shift::default() }));
        doubts.of_others(&entry(Change::BakeOver));
        let told = doubts.told();
        assert!(told[0].starts_with("2 changes in the gateway's journal"), "{told:?}");
        assert!(told[0].contains("split of gpt-4 by somebody at 1970-01-01T00:00:03Z"), "{told:?}");
        let mut doubts = Doubts::default();
        doubts.of_others(&entry(Change::BakeOver));
        doubts.unreadable();
        doubts.restarted();
        doubts.strange(&VersionId::new("real").unwrap());
        let told = doubts.told();
        assert_eq!(told.len(), 4);
        assert!(told[0].contains("bake over of gpt-4"), "{told:?}");
        assert!(told[1].starts_with("1 event of the gateway could not be read"), "{told:?}");
        assert!(told[2].contains("started anew") && told[3].contains("version real"), "{told:?}");
    }
}
