//! Who sends requests, and what they ask for: what gives a request its identity.

use std::num::NonZeroU32;

use super::tenant::Tenant;
use crate::chance::{Distribution, Zipf};
use crate::engine::Target;
use crate::exchange::{ModelIndex, VersionIndex};
use crate::units::{Duration, KeyId, Ratio};

/// Who sends the requests, and what they ask for. Where a trace says it of a request, the trace
/// wins.
#[derive(Clone, PartialEq, Debug)]
pub struct Population {
    /// Who the users are. Those of closed arrivals come beside them and are numbered after them.
    pub users: Zipf,
    /// How a user's requests belong together; `None`: each stands alone.
    pub sessions: Option<Sessions>,
    /// By whose access keys requests are sent; none: there are no keys.
    pub clients: Vec<Client>,
    /// Who sends the requests of each arrival process, in their order, where that is said of any.
    pub tenants: Vec<Tenant>,
    /// What requests say; `None`: each something else.
    pub prompts: Option<Zipf>,
    /// The share of requests that asks for each of the plan's models; they sum to 1.
    pub models: Vec<Ratio>,
    /// The share of requests whose answer is streamed.
    pub stream: Ratio,
}

impl Population {
    /// How many users the tenants have to themselves.
    pub fn tenants_users(&self) -> u64 {
        self.tenants.iter().map(Tenant::own_users).sum()
    }

    /// So many users, equally likely, who ask one model for answers in one piece.
    pub fn of_users(count: NonZeroU32) -> Self {
        Self {
            users: Zipf::uniform(count),
            sessions: None,
            clients: Vec::new(),
            tenants: Vec::new(),
            prompts: None,
            models: vec![Ratio::ONE],
            stream: Ratio::ZERO,
        }
    }
}

/// How requests of one user form sessions: one session at a time.
#[derive(Clone, PartialEq, Debug)]
pub struct Sessions {
    /// How many requests a session has; rounded, at least 1.
    pub requests: Distribution,
    /// How long a user pauses within a session at most: whoever comes later begins a new one.
    pub gap: Duration,
}

impl Sessions {
    /// How many users there may be: each takes 16 bytes.
    pub const MOST_USERS: u32 = 10_000_000;
}

/// A client of the gateway.
#[derive(Clone, PartialEq, Debug)]
pub struct Client {
    /// Its access key.
    pub key: KeyId,
    /// Its share of the requests; those of all clients sum to 1.
    pub share: Ratio,
    /// The version that its key was made for, where it was for one.
    pub made_for: Option<VersionIndex>,
    /// The version that its requests ask for, instead of what the split would choose.
    pub pin: Option<Pin>,
}

/// A version that requests ask for by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pin {
    /// The model that knows the name: requests for others ask for no version.
    pub model: ModelIndex,
    /// The id, or a tag: then whatever version holds it at the time.
    pub version: Target,
}
