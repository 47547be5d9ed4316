//! The access keys of the workload's clients: made at the start, presented with every request.

use super::deploying::target;
use crate::engine::{CommandKind, Digest, Engine, NewKey, Scope};
use crate::exchange::{ModelIndex, Request, VersionIndex};
use crate::scenario::{Scenario, Traffic};
use crate::units::{KeyId, Timestamp};
use crate::workload::Client;

/// What each client presents, in the order of the plan; nobody, where the plan has no clients: then
/// requests are let in unasked.
#[derive(Clone, Debug)]
pub(super) struct Gatekeeper {
    clients: Vec<(KeyId, Digest)>,
    made_for: Vec<Option<VersionIndex>>,
}

impl Gatekeeper {
    /// The clients of a plan's traffic.
    pub(super) fn new(traffic: &Traffic) -> Self {
        let population = match traffic {
            Traffic::Generated(workload) => &workload.population,
            Traffic::Trace { replay, .. } => &replay.population,
        };
        // A rehearsal has no secrets to keep: one that follows from the key's name does.
        let secret = |client: &Client| Digest::of(client.key.as_str().as_bytes());
        let presents = |client: &Client| (client.key.clone(), secret(client));
        let made_for = population.clients.iter().map(|client| client.made_for).collect();
        Self { clients: population.clients.iter().map(presents).collect(), made_for }
    }

    /// The commands that make the clients' keys, each given to the model of the version that the
    /// key is made for.
    pub(super) fn keys(&self, scenario: &Scenario) -> Vec<(ModelIndex, CommandKind)> {
        let key = |((id, digest), made_for): (&(KeyId, Digest), &Option<VersionIndex>)| {
            let model = made_for.map_or(ModelIndex(0), |version| scenario.model_of(version));
            let version = made_for.map(|version| target(scenario, version));
            let (id, digest, scope) = (id.clone(), *digest, Scope::Inference);
            let new = NewKey { id, digest, scope, models: None, version };
            (model, CommandKind::CreateKey(Box::new(new)))
        };
        self.clients.iter().zip(&self.made_for).map(key).collect()
    }

    /// Whether the engine lets the request of a client in.
    #[inline]
    pub(super) fn lets_in(&self, engine: &mut Engine, now: Timestamp, request: &Request) -> bool {
        match self.clients.get(usize::from(request.client)) {
            Some((key, secret)) => engine.authenticate(now, key.as_str(), secret).is_ok(),
            None => true,
        }
    }
}
