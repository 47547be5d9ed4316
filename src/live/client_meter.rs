//! What a thread of the load tells of its requests.

use std::sync::mpsc::Sender;

use super::notice::{ClientEnd, Notice};
use crate::load::{Finished, Observer};

/// Tells the conductor of every request that has ended.
#[derive(Debug)]
pub(super) struct ClientMeter(pub(super) Sender<Notice>);

impl Observer for ClientMeter {
    fn ended(&mut self, finished: &Finished<'_>) {
        let end = ClientEnd {
            id: finished.request.id,
            intended: finished.intended,
            ended: finished.ended,
            ending: finished.ending,
            first_token: finished.first_token(),
            lag: finished.lag(),
        };
        // Nobody listens any more after a fault: then nobody needs it.
        let _ = self.0.send(Notice::Finished(end));
    }
}
