//! The harness of a rehearsal: what a gateway draws by, and who is told of all that its requests
//! and its engine do, in the order in which the engine is called. No configuration leads here.

use std::fmt;

use crate::chance::Chance;
use crate::engine::{AuthError, Engine, Event, Slot};
use crate::exchange::{Class, ModelIndex, Observed};
use crate::units::{RequestId, Timestamp};
use crate::wire::RequestNumber;

/// What a gateway is given that is started by a harness. Its requests say by the header
/// `x-coalmine-request` which request of the workload they are, and each attempt says it to the
/// upstream: so splits, waits between attempts and answers are those that a simulation draws.
#[derive(Debug)]
pub struct Harness {
    /// What all draws derive from.
    pub chance: Chance,
    /// Who is told.
    pub witness: Box<dyn Witness>,
}

/// Is told of all that requests and the engine do. It is called while the engine waits: what takes
/// long here delays every request.
pub trait Witness: Send + fmt::Debug {
    /// A request was assigned to a version, and its first attempt began.
    fn assigned(&mut self, at: Timestamp, attempt: Attempting);

    /// Another attempt at a request began.
    fn attempt_began(&mut self, at: Timestamp, attempt: Attempting);

    /// An attempt ended; `is_followed`: another is to follow.
    fn attempt_ended(
        &mut self,
        at: Timestamp,
        attempt: Attempting,
        ended: (Class, Observed),
        is_followed: bool,
    );

    /// A request was refused for its access key.
    fn key_refused(&mut self, at: Timestamp, request: RequestId, why: &AuthError);

    /// `engine` has told this.
    fn told(&mut self, engine: &Engine, event: &Event);
}

/// An attempt at a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempting {
    /// Of which request, and which attempt at it.
    pub number: RequestNumber,
    /// The model that is asked for.
    pub model: ModelIndex,
    /// The version that it is sent to.
    pub version: Slot,
    /// Whether the request asked for its version.
    pub is_pinned: bool,
}
