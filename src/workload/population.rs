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
    /// The share that asks for each of the plan's models, of the requests whose client does not say
    /// it; they sum to 1.
    pub models: Vec<Ratio>,
    /// The share of requests whose answer is streamed.
    pub stream: Ratio,
}

impl Population {
    /// How many users the tenants have to themselves.
    pub fn tenants_users(&self) -> u64 {
        self.tenants.iter().map(Tenant::own_users).sum()
    }

    /// The share of all requests that asks for `model` and for no version of it: those that its
    /// split decides on. `None` where it depends on how many requests each part of the arrivals
    /// sends: parts have clients of their own, and clients differ in what they ask for.
    pub fn share_by_split(&self, model: ModelIndex) -> Option<f64> {
        let by_shares = self.models.get(usize::from(model.0)).map_or(1.0, |share| share.get());
        let pins = |client: &Client| client.pin.as_ref().is_some_and(|pin| pin.model == model);
        if !self.clients.iter().any(|client| client.model.is_some() || pins(client)) {
            return Some(by_shares);
        }
        if self.tenants.iter().any(|tenant| tenant.client.is_some()) {
            return None;
        }
        let asks = self.clients.iter().filter(|client| !pins(client)).map(|client| {
            let share = match client.model {
                Some(own) => f64::from(u8::from(own == model)),
                None => by_shares,
            };
            client.share.get() * share
        });
        Some(asks.sum())
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
    /// The model that its requests ask for; `None`: any, by the shares of the models.
    pub model: Option<ModelIndex>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(share: f64) -> Ratio {
        Ratio::new(share).unwrap()
    }

    fn client(share: f64, model: Option<u16>, pins: Option<u16>) -> Client {
        let key = KeyId::new("key").unwrap();
        let version = Target::new("beta").unwrap();
        let pin = pins.map(|model| Pin { model: ModelIndex(model), version });
        Client { key, share: ratio(share), made_for: None, model: model.map(ModelIndex), pin }
    }

    #[test]
    fn a_split_decides_on_what_asks_for_its_model_and_for_no_version() {
        let mut population = Population::of_users(NonZeroU32::MIN);
        population.models = vec![ratio(0.3), ratio(0.7)];
        let shares = |population: &Population| {
            [0, 1].map(|model| population.share_by_split(ModelIndex(model)))
        };
        assert_eq!(shares(&population), [Some(0.3), Some(0.7)]);
        // 20 % ask for the first by the shares' 30 %, 50 % for it always, 30 % for the second; of
        // these a third pins a version of it.
        let bound = |share, pins| client(share, Some(1), pins);
        population.clients = vec![
            client(0.2, None, None),
            client(0.5, Some(0), None),
            bound(0.2, None),
            bound(0.1, Some(1)),
        ];
        let [first, second] = shares(&population).map(Option::unwrap);
        assert!((first - (0.2 * 0.3 + 0.5)).abs() < 1e-12, "{first}");
        assert!((second - (0.2 * 0.7 + 0.2)).abs() < 1e-12, "{second}");
        population.tenants = vec![Tenant { client: Some(1), ..Tenant::default() }];
        assert_eq!(shares(&population), [None, None]);
    }
}
