//! What people are told of: from the engine's events to notices. Sends nothing.

use super::desk::{Desk, Inner};
use crate::engine::{Action, Cause, Event, EventKind, Notification, RolloutState, Sealed, Slot};
use crate::exchange::ModelIndex;
use crate::notify::{Notice, NoticeKind};
use crate::record::evidence_text;
use crate::store::ExportedEntry;
use crate::units::VersionId;

/// The notices of `events`, each with those whom the model's rules name: of rollbacks by whomever,
/// of pauses, of rollbacks that had nowhere to go, and of rules that only tell.
pub(super) fn notices(desk: &Desk, events: &[Event]) -> Vec<(Notice, Notification)> {
    let is_told = |event: &&Event| is_told(&event.kind);
    if !events.iter().any(|event| is_told(&event)) {
        return Vec::new();
    }
    let inner = desk.lock();
    let with_places = events.iter().enumerate().filter(|(_, event)| is_told(event));
    with_places.filter_map(|(place, event)| notice(desk, &inner, events, place, event)).collect()
}

fn is_told(kind: &EventKind) -> bool {
    match kind {
        EventKind::RolledBack { .. }
        | EventKind::RollbackRefused { .. }
        | EventKind::Notified { .. } => true,
        EventKind::RolloutMoved { to, .. } => matches!(to, RolloutState::Paused { .. }),
        _ => false,
    }
}

fn notice(
    desk: &Desk,
    inner: &Inner,
    events: &[Event],
    place: usize,
    event: &Event,
) -> Option<(Notice, Notification)> {
    let name = |slot: Slot| name(inner, event.model, slot);
    let (version, kind) = match &event.kind {
        EventKind::RolledBack { version, target } => {
            (version.map(name), NoticeKind::RolledBack { target: name(*target)? })
        }
        EventKind::RollbackRefused { version, why, .. } => {
            (Some(name(*version)), NoticeKind::RollbackRefused { why: *why })
        }
        EventKind::RolloutMoved { version, .. } => (Some(name(*version)), NoticeKind::Paused),
        // Where the firing does more, that is told.
        EventKind::Notified { trigger, version, .. } if only_tells(inner, event, *trigger) => {
            (Some(name(*version)), NoticeKind::Fired)
        }
        _ => return None,
    };
    let entry = entry_after(&events[place..]);
    let rules = inner.engine.rules(event.model)?;
    let notice = Notice {
        model: desk.model_id(event.model)?.clone(),
        version: version.flatten(),
        kind,
        at: event.at,
        evidence: evidence(&events[..place], entry, event.model),
        entry: entry.map_or(serde_json::Value::Null, |sealed| {
            serde_json::json!(ExportedEntry::from(sealed))
        }),
        link: None,
    };
    Some((notice, rules.notification.clone()))
}

/// The entry that belongs to an event: the engine tells it after what follows from it.
fn entry_after(events: &[Event]) -> Option<&Sealed> {
    events.iter().find_map(|event| match &event.kind {
        EventKind::Journal(sealed) => Some(&**sealed),
        _ => None,
    })
}

/// Why it happened: what a trigger saw, or who wanted it.
fn evidence(before: &[Event], entry: Option<&Sealed>, model: ModelIndex) -> String {
    if let Some(Cause::Command { by }) = entry.map(|sealed| &sealed.entry().cause) {
        return format!("by command of {by}");
    }
    let fired = before.iter().rev().find_map(|event| match &event.kind {
        EventKind::Fired { evidence, .. } if event.model == model => {
            Some(evidence_text(evidence, "requests"))
        }
        _ => None,
    });
    fired.unwrap_or_default()
}

fn only_tells(inner: &Inner, event: &Event, trigger: usize) -> bool {
    let rules = inner.engine.rules(event.model);
    let found = rules.and_then(|rules| rules.triggers.get(trigger));
    found.is_some_and(|trigger| trigger.action == Action::Notify)
}

fn name(inner: &Inner, model: ModelIndex, slot: Slot) -> Option<VersionId> {
    inner.engine.catalog(model).map(|catalog| catalog.id(slot).clone())
}
