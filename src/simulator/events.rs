//! The engine's events on their way to the observer and the director.

use super::virtual_run::VirtualRun;
use crate::director::Told;
use crate::engine::Event;
use crate::record::Observer;

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
        let Self { engine, narrator, director, observer, .. } = self;
        narrator.follow(engine, event, &mut |told| match told {
            Told::Journalled(entry) => observer.journalled(&entry),
            Told::Happened { at, happening } => {
                director.told(at, &happening);
                observer.happened(at, happening);
            }
        });
    }
}
