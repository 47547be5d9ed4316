//! What people are told of: from the engine's events to notices. Sends nothing.

use reqwest::Url;

use super::desk::{Desk, Inner};
use crate::engine::{
    Action, Cause, Change, Event, EventKind, Notification, RolloutState, Sealed, Slot,
};
use crate::exchange::ModelIndex;
use crate::notify::{Notice, NoticeKind, WebhookUrl};
use crate::record::evidence_text;
use crate::store::ExportedEntry;
use crate::units::VersionId;

/// The notices of `events`, each with those whom the model's rules name: of rollbacks by whomever,
/// of pauses, of rollbacks that had nowhere to go, and of rules that only tell.
pub(super) fn notices(
    desk: &Desk,
    events: &[Event],
    link: Option<&Url>,
) -> Vec<(Notice, Notification)> {
    let is_told = |event: &&Event| is_told(&event.kind);
    if !events.iter().any(|event| is_told(&event)) {
        return Vec::new();
    }
    let inner = desk.lock();
    let places = (0..events.len()).filter(|place| is_told(&&events[*place]));
    places.filter_map(|place| notice(desk, &inner, events, (place, link))).collect()
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
    (place, link): (usize, Option<&Url>),
) -> Option<(Notice, Notification)> {
    let event = &events[place];
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
    let entry = entry_of(events, place);
    let rules = inner.engine.rules(event.model)?;
    let notice = Notice {
        model: desk.model_id(event.model)?.clone(),
        version: version.flatten(),
        kind,
        at: event.at,
        evidence: evidence(&events[..place], entry, event.model),
        entry: entry.map_or(serde_json::Value::Null, entry_without_secrets),
        link: link.cloned(),
    };
    Some((notice, rules.notification.clone()))
}

/// The entry that belongs to an event, of the same model: what moves traffic is told before its
/// entry, what only tells behind it. A rollback that was refused has none but that it was told.
fn entry_of(events: &[Event], place: usize) -> Option<&Sealed> {
    let event = &events[place];
    let of_model = |other: &&Event| other.model == event.model;
    let is_notified = |sealed: &&Sealed| matches!(sealed.entry().change, Change::Notified { .. });
    let (before, after) = events.split_at(place);
    match event.kind {
        EventKind::Notified { .. } => before.iter().rev().filter(of_model).find_map(sealed_of),
        EventKind::RollbackRefused { .. } => {
            after.iter().filter(of_model).filter_map(sealed_of).find(is_notified)
        }
        _ => after.iter().filter(of_model).find_map(sealed_of),
    }
}

fn sealed_of(event: &Event) -> Option<&Sealed> {
    match &event.kind {
        EventKind::Journal(sealed) => Some(sealed),
        _ => None,
    }
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
