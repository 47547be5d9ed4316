//! What all requests to the administrative interface share: the way to the keeper, what has been
//! read of the journal, and room for listeners.

use std::sync::Arc;

use super::chronicle::Chronicle;
use super::front::Front;
use super::room::Room;

/// What all requests to the administrative interface share.
#[derive(Debug)]
pub(super) struct Office {
    pub(super) front: Arc<Front>,
    pub(super) chronicle: Chronicle,
    /// For those who listen to events.
    pub(super) listeners: Room,
}

impl Office {
    pub(super) fn new(front: Arc<Front>) -> Self {
        let listeners = Room::new(Some(LISTENERS));
        Self { front, chronicle: Chronicle::default(), listeners }
    }
}

/// Chosen: far more dashboards than are open at once, and a bound to what they cost each second.
const LISTENERS: u32 = 256;
