//! How long is waited for what.

use crate::units::Duration;

/// How long is waited for a request, in the time of the generator's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// For a connection: name, socket and TLS.
    pub connect: Duration,
    /// For the next piece of an answer that has begun; `None`: as long as for all of it.
    pub idle: Option<Duration>,
    /// For all of it, from when it was sent.
    pub total: Duration,
}

impl Default for Patience {
    /// 10 s to connect, 5 minutes in all. Chosen: as the official clients, which wait for 10
    /// minutes, but so that a run that has gone wrong ends while somebody watches.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), idle: None, total: Duration::from_secs(300) }
    }
}
