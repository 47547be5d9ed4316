//! What a thread of the load tells of its requests.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::notice::{ClientEnd, Notice};
use crate::exchange::VersionIndex;
use crate::load::{Finished, Observer};
use crate::scenario::Scenario;

/// Tells the conductor of every request that has ended.
#[derive(Debug)]
pub(super) struct ClientMeter {
    pub(super) scenario: Arc<Scenario>,
    pub(super) conductor: Sender<Notice>,
}

impl ClientMeter {
    /// The version that an answer says it is of.
    fn served(&self, finished: &Finished<'_>) -> Option<VersionIndex> {
        let (model, name) = (finished.request.model, finished.served?);
        let versions = &self.scenario.models.get(usize::from(model.0))?.versions;
        let place = versions.iter().position(|version| version.id.as_str() == name)?;
        Some(VersionIndex(self.scenario.first_version(model).0 + place as u16))
    }
}

impl Observer for ClientMeter {
    fn ended(&mut self, finished: &Finished<'_>) {
        let end = ClientEnd {
            id: finished.request.id,
            intended: finished.intended,
            ended: finished.ended,
            ending: finished.ending,
            observed: finished.observed(),
            served: self.served(finished),
            first_token: finished.first_token(),
            lag: finished.lag(),
        };
        // Nobody listens any more after a fault: then nobody needs it.
        let _ = self.conductor.send(Notice::Finished(end));
    }
}
