//! The access keys of the workload's clients: made at the start, presented with every request.

use std::collections::BTreeSet;

use crate::director::by_id;
use crate::engine::{CommandKind, Digest, Engine, NewKey, Scope, StickyKey, Target};
use crate::exchange::{ModelIndex, Request, VersionIndex};
use crate::record::KeyFault;
use crate::scenario::{Scenario, StickyBy};
use crate::units::{KeyId, Timestamp};
use crate::workload::{Client, Pin, Population};

/// What each client presents, in the order of the plan; nobody, where the plan has no clients: then
/// requests are let in unasked.
#[derive(Clone, Debug)]
pub(super) struct Gatekeeper {
    clients: Vec<(KeyId, Digest)>,
    made_for: Vec<Option<VersionIndex>>,
    /// What each client pins; empty where none does.
    pins: Vec<Option<Pin>>,
    /// Secrets that clients will take, in the order of time.
    coming: Vec<Coming>,
    /// How many secrets were made beside the first ones.
    made: u64,
    /// The clients whose last request was refused.
    locked_out: BTreeSet<u16>,
}

/// What becomes of a request at the door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    /// It is let in.
    Free,
    /// It is let in, the first of its client since one was refused.
    Again,
    /// It is refused.
    Refused(KeyFault),
}

/// A secret that a client will take.
#[derive(Clone, Copy, Debug)]
struct Coming {
    at: Timestamp,
    /// A place in the list of clients.
    client: usize,
    secret: Digest,
}

impl Gatekeeper {
    /// The clients among those who send requests.
    pub(super) fn new(population: &Population) -> Self {
        // A rehearsal has no secrets to keep: one that follows from the key's name does.
        let secret = |client: &Client| Digest::of(client.key.as_str().as_bytes());
        let presents = |client: &Client| (client.key.clone(), secret(client));
        let made_for = population.clients.iter().map(|client| client.made_for).collect();
        let mut pins: Vec<_> = population.clients.iter().map(|client| client.pin.clone()).collect();
        if pins.iter().all(Option::is_none) {
            pins.clear();
        }
        let clients = population.clients.iter().map(presents).collect();
        Self { clients, made_for, pins, coming: Vec::new(), made: 0, locked_out: BTreeSet::new() }
    }

    /// The commands that make the clients' keys, each given to the model of the version that the
    /// key is made for.
    pub(super) fn keys(&self, scenario: &Scenario) -> Vec<(ModelIndex, CommandKind)> {
        let key = |((id, digest), made_for): (&(KeyId, Digest), &Option<VersionIndex>)| {
            let model = made_for.map_or(ModelIndex(0), |version| scenario.model_of(version));
            let version = made_for.map(|version| by_id(scenario, version));
            let (id, digest, scope) = (id.clone(), *digest, Scope::Inference);
            let new = NewKey { id, digest, scope, models: None, version };
            (model, CommandKind::CreateKey(Box::new(new)))
        };
        self.clients.iter().zip(&self.made_for).map(key).collect()
    }

    /// Another secret for a key.
    pub(super) fn new_secret(&mut self, key: &KeyId) -> Digest {
        self.made += 1;
        Digest::of(format!("{key}, secret {}", self.made).as_bytes())
    }

    /// From `at` on, who has `key` presents `secret`.
    pub(super) fn adopt(&mut self, key: &KeyId, secret: Digest, at: Timestamp) {
        let client = self.clients.iter().position(|(known, _)| known == key);
        let client = client.expect("a checked plan regenerates keys of clients alone");
        // Nobody goes back to a secret that was made earlier.
        self.coming.retain(|coming| coming.client != client || coming.at < at);
        self.coming.push(Coming { at, client, secret });
        self.coming.sort_by_key(|coming| coming.at);
    }

    #[cold]
    fn take_secrets(&mut self, now: Timestamp) {
        let due = self.coming.partition_point(|coming| coming.at <= now);
        for coming in self.coming.drain(..due) {
            self.clients[coming.client].1 = coming.secret;
        }
    }

    /// Whom a request belongs to, where those of one owner stick to their version.
    #[inline]
    pub(super) fn owner(&self, by: StickyBy, request: &Request) -> Option<StickyKey<'_>> {
        match by {
            StickyBy::User => Some(StickyKey::Number(u64::from(request.user))),
            StickyBy::Session => Some(StickyKey::Number(u64::from(request.session))),
            StickyBy::Client => {
                let client = self.clients.get(usize::from(request.client));
                client.map(|(key, _)| StickyKey::Text(key.as_str()))
            }
        }
    }

    /// The version that a request asks for, in place of what the split would choose.
    #[inline]
    pub(super) fn pin(&self, request: &Request) -> Option<&Target> {
        let pin = self.pins.get(usize::from(request.client))?.as_ref()?;
        (pin.model == request.model).then_some(&pin.version)
    }

    /// Whether the engine lets the request of a client in.
    #[inline]
    pub(super) fn lets_in(
        &mut self,
        engine: &mut Engine,
        now: Timestamp,
        request: &Request,
    ) -> Entry {
        if self.coming.first().is_some_and(|coming| coming.at <= now) {
            self.take_secrets(now);
        }
        match self.clients.get(usize::from(request.client)) {
            Some((key, secret)) => match engine.authenticate(now, key.as_str(), secret) {
                Ok(_) if self.locked_out.is_empty() || !self.locked_out.remove(&request.client) => {
                    Entry::Free
                }
                Ok(_) => Entry::Again,
                Err(error) => {
                    self.locked_out.insert(request.client);
                    Entry::Refused(KeyFault::from(&error))
                }
            },
            None => Entry::Free,
        }
    }
}
