//! The safeguards against four ways in which canaries have gone wrong.

use serde::{Deserialize, Serialize};

/// What the engine and the gateway around it guard against. All are on unless a scenario switches
/// one off to show what happens without it; a gateway that serves never does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Safeguards {
    /// Access keys belong to the deployment: a rollback never invalidates one. Off: a rollback
    /// invalidates the keys that were made for a version whose traffic it takes, until they are
    /// regenerated.
    pub keys_survive_rollback: bool,
    /// Deploy, rollback and promotion leave tags alone, but for `stable` at a promotion. Off: a
    /// deploy or rollback drops the tags of the versions that lose their traffic by it.
    pub keep_tags: bool,
    /// Answers forbid caches to keep them, so that none between can pin a version. Off: they do
    /// not.
    pub no_store: bool,
    /// A check interval above the duration of its condition is refused. Off: it is accepted, and a
    /// timer that is not refreshed within its duration is forgotten.
    pub refuse_long_interval: bool,
}

impl Safeguards {
    /// The names of those that are off.
    pub fn switched_off(self) -> impl Iterator<Item = &'static str> {
        let all = [
            ("keys_survive_rollback", self.keys_survive_rollback),
            ("keep_tags", self.keep_tags),
            ("no_store", self.no_store),
            ("refuse_long_interval", self.refuse_long_interval),
        ];
        all.into_iter().filter(|(_, on)| !on).map(|(name, _)| name)
    }
}

impl Default for Safeguards {
    /// All on.
    fn default() -> Self {
        Self {
            keys_survive_rollback: true,
            keep_tags: true,
            no_store: true,
            refuse_long_interval: true,
        }
    }
}
