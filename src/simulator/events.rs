//! The engine's events on their way to the observer and the director.

use super::telling;
use super::virtual_run::VirtualRun;
use crate::engine::{Event, EventKind, RolloutState, Slot};
use crate::exchange::ModelIndex;
use crate::record::{Happening, Observer};
use crate::scenario::Awaited;
use crate::units::{TagName, Timestamp};

impl<O: Observer> VirtualRun<'_, O> {
    /// Tells the observer and the director what happened in the engine. Whether there was anything.
    #[inline]
    pub(super) fn drain_events(&mut self) -> bool {
        let mut any = false;
        while let Some(event) = self.engine.poll_event() {
            any = true;
            self.take_event(event);
        }
        any
    }

    #[cold]
    fn take_event(&mut self, event: Event) {
        let Event { at, model, kind } = event;
        if kind == EventKind::SplitChanged {
            self.tell_split(at, model);
        } else if let EventKind::Journal(entry) = &kind {
            self.observer.journalled(entry);
            let place = |slot| self.models[usize::from(model.0)].place(slot);
            self.models[usize::from(model.0)].stable = self.engine.stable(model).map(place);
            self.tell_lost_tags(at, model);
        }
        let ends = match kind {
            EventKind::RolledBack { .. } => Some(Awaited::Rollback),
            EventKind::RolloutMoved { to: RolloutState::Promoted, .. } => Some(Awaited::Promotion),
            EventKind::Drained(_) => Some(Awaited::Drained),
            _ => None,
        };
        let state = &self.models[usize::from(model.0)];
        if let Some(happening) = telling::happening(kind, model, state) {
            self.observer.happened(at, happening);
        }
        if let Some(event) = ends {
            self.director.came(at, event);
        }
    }

    fn tell_split(&mut self, at: Timestamp, model: ModelIndex) {
        let Some(split) = self.engine.split(model) else { return };
        let weights = split.weights().to_vec();
        let first = self.models[usize::from(model.0)].first_version;
        self.director.split_changed(at, first, &weights);
        self.observer.happened(at, Happening::SplitChanged { model, weights });
    }

    /// Tells of the tags of a model that named a version before the last change and do no more.
    fn tell_lost_tags(&mut self, at: Timestamp, model: ModelIndex) {
        let Some(catalog) = self.engine.catalog(model) else { return };
        let state = &mut self.models[usize::from(model.0)];
        let tagged = |(tag, slot): (&TagName, Slot)| (tag.clone(), state.place(slot));
        let now = catalog.tags().map(tagged).collect();
        for (tag, version) in std::mem::replace(&mut state.tags, now) {
            if !state.tags.iter().any(|(known, _)| *known == tag) {
                self.observer.happened(at, Happening::TagLost { tag, version });
            }
        }
    }
}
