//! A request on its way: what the engine must be handed back when it ends.

use super::{CommandError, Slot, StickyKey, Target};
use crate::exchange::ModelIndex;
use crate::units::{Draw, Timestamp};

/// A request that wants to be routed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ask<'a> {
    /// The model asked for.
    pub model: ModelIndex,
    /// The version asked for, if the split is not to choose.
    pub pin: Option<&'a Target>,
    /// The request's draw for its assignment.
    pub draw: Draw,
    /// Whom the request belongs to, where [`Assignment::Sticky`](super::Assignment::Sticky) is to
    /// keep requests of one owner together; `None`: nobody, and the draw decides.
    pub sticky: Option<StickyKey<'a>>,
}

/// An attempt at a request, on its way. It is held by the driver and handed back to
/// [`Engine::complete`](super::Engine::complete) or [`Engine::abandon`](super::Engine::abandon)
/// exactly once: the engine keeps counters, no map of requests.
#[must_use = "a ticket is handed back when its request ends, or its request stays in flight"]
#[derive(PartialEq, Eq, Debug)]
pub struct Ticket {
    pub(super) model: ModelIndex,
    pub(super) assigned: Slot,
    pub(super) attempted: Slot,
    pub(super) pinned: bool,
    pub(super) attempt: u8,
    /// Which activation of the version this is: an older one has been drained.
    pub(super) activation: u32,
    /// Which life of the version this is.
    pub(super) life: u32,
    /// Which split was in force.
    pub(super) split: u32,
    /// The end of its owner's place, where requests of one owner stick together.
    pub(super) owner: Option<u16>,
    pub(super) start: Timestamp,
}

impl Ticket {
    /// The model that is asked for.
    pub const fn model(&self) -> ModelIndex {
        self.model
    }

    /// Whether the request asked for its version, and the split had no part in it.
    pub const fn is_pinned(&self) -> bool {
        self.pinned
    }

    /// The version that the split (or the pin) chose.
    pub const fn assigned(&self) -> Slot {
        self.assigned
    }

    /// The version that the request is sent to.
    pub const fn attempted(&self) -> Slot {
        self.attempted
    }

    /// Which attempt at the request this is: 0 is the first, 1 to 10 are further ones, 255 is the
    /// one that falls back to the stable.
    pub const fn attempt(&self) -> u8 {
        self.attempt
    }

    /// The last 16 bits of its owner's place, where requests of one owner stick together.
    pub const fn owner(&self) -> Option<u16> {
        self.owner
    }

    /// Which life of the attempted version it belongs to: see
    /// [`Engine::life`](super::Engine::life). `None`: to none. The split had no part in it, or it
    /// is a further attempt: that there is one depends on how the first one fared.
    pub const fn life(&self) -> Option<u32> {
        if self.pinned || self.attempt > 0 { None } else { Some(self.life) }
    }

    /// When the attempt began.
    pub const fn start(&self) -> Timestamp {
        self.start
    }
}

/// Why a request cannot be routed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum RouteError {
    /// The pin, or the model, is unknown.
    #[error(transparent)]
    Unknown(#[from] CommandError),
    /// No split has been set yet.
    #[error("the model has no split yet: nothing is deployed")]
    NothingDeployed,
}
