//! What the engine has told, with names in place of numbers: for the log and for whoever listens.

use serde::Serialize;
use serde_json::{Value, json};

use super::desk::{Desk, Inner};
use crate::engine::{Event, EventKind, Slot};
use crate::exchange::ModelIndex;
use crate::store::ExportedEntry;
use crate::units::{ModelId, Timestamp};

/// Something that has happened.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct Told {
    /// The number of the journal entry, if it is one: listeners resume after it.
    #[serde(skip)]
    pub(super) entry: Option<u64>,
    /// What happened, in a word.
    pub(super) event: &'static str,
    /// When.
    pub(super) at: Timestamp,
    /// In whose deployment; `None`: in what all share.
    pub(super) model: Option<ModelId>,
    /// The rest of it.
    pub(super) data: Value,
    /// Whether somebody should look at it.
    #[serde(skip)]
    pub(super) is_alarm: bool,
}

impl Told {
    /// What `events` say.
    pub(super) fn of(desk: &Desk, events: &[Event]) -> Vec<Self> {
        if events.is_empty() {
            return Vec::new();
        }
        let inner = desk.lock();
        events.iter().map(|event| Self::one(desk, &inner, event)).collect()
    }

    /// Writes it to the log.
    pub(super) fn log(&self) {
        let model = self.model.as_ref().map_or("-", |model| model.as_str());
        let (event, at) = (self.event, self.at);
        if let Some(entry) = self.entry {
            // The entry itself can hold what is no log's business: a webhook's URL.
            let field = |name: &str| self.data.get(name).unwrap_or(&Value::Null);
            let kinds = field("change").as_object().map(|change| change.keys());
            let change = kinds.and_then(|mut kinds| kinds.next());
            let change = change.map_or("", String::as_str);
            let by = field("by").as_str().unwrap_or_default();
            tracing::info!(
                target: "coalmine::engine", event, %at, model, entry, change, by, "engine"
            );
            return;
        }
        let data = &self.data;
        if self.is_alarm {
            tracing::warn!(target: "coalmine::engine", event, %at, model, %data, "engine");
        } else {
            tracing::info!(target: "coalmine::engine", event, %at, model, %data, "engine");
        }
    }

    fn one(desk: &Desk, inner: &Inner, event: &Event) -> Self {
        let (word, data) = words(inner, event.model, &event.kind);
        let entry = match &event.kind {
            EventKind::Journal(sealed) => Some(sealed.entry().number),
            _ => None,
        };
        let of_model = !matches!(&event.kind, EventKind::Journal(s) if s.entry().model.is_none());
        let is_alarm = matches!(
            event.kind,
            EventKind::Fired { .. }
                | EventKind::RolledBack { .. }
                | EventKind::RollbackRefused { .. }
                | EventKind::ObservationLost { .. }
                | EventKind::SplitSkew(_)
                | EventKind::PinShare(_)
                | EventKind::KeysInvalidated { .. }
        );
        let model = desk.model_id(event.model).filter(|_| of_model).cloned();
        Self { entry, event: word, at: event.at, model, data, is_alarm }
    }
}

/// What happened, in a word, and the rest of it.
fn words(inner: &Inner, model: ModelIndex, kind: &EventKind) -> (&'static str, Value) {
    let name = |slot: &Slot| {
        let catalog = inner.engine.catalog(model);
        catalog.map_or(Value::Null, |catalog| json!(catalog.id(*slot)))
    };
    let names = |slots: &[Slot]| slots.iter().map(name).collect::<Vec<_>>();
    let rule = |trigger: usize| {
        let rules = inner.engine.rules(model);
        rules.and_then(|rules| rules.triggers.get(trigger)).map(|found| json!(found.id))
    };
    match kind {
        EventKind::SplitChanged => ("split_changed", split(inner, model)),
        EventKind::BreachBegan { trigger, version } => {
            ("breach_began", json!({"rule": rule(*trigger), "version": name(version)}))
        }
        EventKind::BreachEnded { trigger, version } => {
            ("breach_ended", json!({"rule": rule(*trigger), "version": name(version)}))
        }
        EventKind::Fired { trigger, version, evidence } => (
            "fired",
            json!({"rule": rule(*trigger), "version": name(version), "evidence": evidence}),
        ),
        EventKind::Notified { trigger, version, .. } => {
            ("notified", json!({"rule": rule(*trigger), "version": name(version)}))
        }
        EventKind::RolledBack { version, target } => {
            ("rolled_back", json!({"version": version.as_ref().map(name), "target": name(target)}))
        }
        EventKind::RollbackRefused { version, action, why } => (
            "rollback_refused",
            json!({
                "version": name(version), "action": action.to_string(), "why": format!("{why:?}")
            }),
        ),
        EventKind::Drained(version) => ("drained", json!({"version": name(version)})),
        EventKind::RolloutMoved { version, from, to } => {
            ("rollout_moved", json!({"version": name(version), "from": from, "to": to}))
        }
        EventKind::StepWaits { version, stage, waiting } => (
            "step_waits",
            json!({"version": name(version), "stage": stage, "waiting": format!("{waiting:?}")}),
        ),
        EventKind::ObservationLost { versions } => {
            ("observation_lost", json!({"versions": names(versions)}))
        }
        EventKind::SplitSkew(skew) => ("split_skew", json!({"found": format!("{skew:?}")})),
        EventKind::PinShare(share) => ("pin_share", json!({"found": format!("{share:?}")})),
        EventKind::KeysInvalidated { version, keys } => {
            ("keys_invalidated", json!({"version": name(version), "keys": keys}))
        }
        EventKind::Journal(sealed) => ("journal", json!(ExportedEntry::from(&**sealed))),
    }
}

fn split(inner: &Inner, model: ModelIndex) -> Value {
    let versions = inner.engine.versions(model);
    let weights = versions.iter().filter(|version| version.weight.get() > 0.0);
    let weights = weights.map(|status| (status.version.id.to_string(), json!(status.weight.get())));
    json!({"split": weights.collect::<serde_json::Map<_, _>>()})
}
