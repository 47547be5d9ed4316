//! What people are told of: from the journal's entries to notices. Sends nothing.
//!
//! A notice follows from the journal alone, so that one that a crash has cut off is the same after
//! the restart, its id included.

use std::collections::BTreeMap;

use crate::engine::{
    Action, Cause, Change, Entry, Evidence, Notification, RolloutState, RuleSet, Sealed,
};
use crate::notify::{Notice, NoticeKind, WebhookUrl};
use crate::record::evidence_text;
use crate::store::ExportedEntry;
use crate::units::{ModelId, VersionId};

/// What of the entries before decides on what people are told of the next one.
#[derive(Clone, Debug, Default)]
pub(super) struct Notices {
    models: BTreeMap<ModelId, Known>,
    /// Of models that have none of their own.
    rules: RuleSet,
}

#[derive(Clone, Debug, Default)]
struct Known {
    /// Its own; `None`: it has those of all models.
    rules: Option<RuleSet>,
    /// The canary of the last rollout.
    canary: Option<VersionId>,
}

impl Notices {
    /// Takes the next entry in. What people are told of it, and whom the model's rules name: of
    /// rollbacks by whomever, of pauses, of rollbacks that had nowhere to go, and of rules that
    /// only tell.
    pub(super) fn follow(&mut self, sealed: &Sealed) -> Option<(Notice, Notification)> {
        let entry = sealed.entry();
        if let Change::DefaultRules { rules } = &entry.change {
            self.rules.clone_from(rules);
        }
        let model = entry.model.as_ref()?;
        let known = self.models.entry(model.clone()).or_default();
        known.follow(&entry.change);
        let rules = known.rules.as_ref().unwrap_or(&self.rules);
        let (version, kind) = known.told(entry, rules)?;
        let notice = Notice {
            model: model.clone(),
            version,
            kind,
            at: entry.at,
            evidence: cause_text(&entry.cause),
            entry: entry_without_secrets(sealed),
            link: None,
        };
        Some((notice, rules.notification.clone()))
    }
}

impl Known {
    fn follow(&mut self, change: &Change) {
        match change {
            Change::Rules { rules } => self.rules = Some((**rules).clone()),
            Change::DefaultRulesFollowed { .. } => self.rules = None,
            Change::RolloutStarted { version, .. } => self.canary = Some(version.clone()),
            _ => {}
        }
    }

    fn told(&self, entry: &Entry, rules: &RuleSet) -> Option<(Option<VersionId>, NoticeKind)> {
        match &entry.change {
            Change::RolledBack { version, target, .. } => {
                Some((version.clone(), NoticeKind::RolledBack { target: target.clone() }))
            }
            Change::RolloutPaused { .. }
            | Change::RolloutStarted { state: RolloutState::Paused(_), .. }
            | Change::RolloutStepped { state: RolloutState::Paused(_), .. } => {
                Some((self.canary.clone(), NoticeKind::Paused))
            }
            Change::Notified { refused, .. } => {
                let Cause::Trigger(evidence) = &entry.cause else { return None };
                let kind = match refused {
                    Some(why) => NoticeKind::RollbackRefused { why: *why },
                    // Where the firing did more, that is told.
                    None if only_tells(rules, evidence) => NoticeKind::Fired,
                    None => return None,
                };
                Some((Some(evidence.version.clone()), kind))
            }
            _ => None,
        }
    }
}

fn only_tells(rules: &RuleSet, evidence: &Evidence) -> bool {
    let found = rules.triggers.iter().find(|trigger| trigger.id == evidence.trigger);
    found.is_some_and(|trigger| trigger.action == Action::Notify)
}

/// An entry as others are told of it: of a webhook, whose address is a secret, the host alone.
fn entry_without_secrets(sealed: &Sealed) -> serde_json::Value {
    let mut entry = serde_json::json!(ExportedEntry::from(sealed));
    if let Some(url) = entry.pointer_mut("/change/notified/recipients/slack_webhook") {
        let shown = url.as_str().map(WebhookUrl::new);
        *url = match shown {
            Some(Ok(shown)) => shown.to_string().into(),
            _ => serde_json::Value::Null,
        };
    }
    entry
}

/// Why it happened: what a trigger saw, or who wanted it.
pub(super) fn cause_text(cause: &Cause) -> String {
    match cause {
        Cause::Command { by } => format!("by command of {by}"),
        Cause::Trigger(evidence) => evidence_text(evidence, "requests"),
        _ => String::new(),
    }
}
