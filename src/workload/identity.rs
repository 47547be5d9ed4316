//! Gives each request its identity: who sends it, within which session, by whose key, and what it
//! asks for.

use super::population::{Population, Sessions};
use super::shares::Shares;
use super::tenant::{Tenant, Tenants};
use crate::chance::{Chance, Draws, Purpose, Sampler, Zipf};
use crate::exchange::ModelIndex;
use crate::units::{Draw, Duration, Ratio, RequestId};
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// Draws what a [`Population`] leaves to chance.
pub(super) struct Identities {
    chance: Chance,
    tenants: Tenants,
    users: Zipf,
    has_one_user: bool,
    /// The number of the first of them.
    first_user: u32,
    sessions: Option<Box<OpenSessions>>,
    client: Shares,
    prompts: Option<Zipf>,
    model: Shares,
    /// The model that each client asks for, where it says so; empty where none does.
    model_of_client: Vec<Option<ModelIndex>>,
    stream: Stream,
}

impl Identities {
    /// Draws users from `first_user` on.
    pub(super) fn new(population: &Population, first_user: u32, chance: Chance) -> Self {
        let mut model_of_client: Vec<_> =
            population.clients.iter().map(|client| client.model).collect();
        if model_of_client.iter().all(Option::is_none) {
            model_of_client.clear();
        }
        Self {
            chance,
            first_user,
            model_of_client,
            tenants: Tenants::new(&[], 0),
            has_one_user: population.users.count() == NonZeroU32::MIN,
            users: population.users.clone(),
            sessions: population.sessions.as_ref().map(|plan| Box::new(OpenSessions::new(plan))),
            client: Shares::new(population.clients.iter().map(|client| client.share)),
            prompts: population.prompts.clone(),
            model: Shares::new(population.models.iter().copied()),
            stream: Stream::new(population.stream),
        }
    }

    /// With the tenants of the arrivals, whose users count from `first_user`.
    pub(super) fn with_tenants(self, tenants: &[Tenant], first_user: u32) -> Self {
        Self { tenants: Tenants::new(tenants, first_user), ..self }
    }

    /// Who sends request `id` of the arrivals.
    #[inline]
    pub(super) fn user_of(&self, id: RequestId, draws: Draws) -> u32 {
        self.tenants.user(id, draws).unwrap_or_else(|| self.user(draws))
    }

    /// By whose key request `id` of the arrivals is sent.
    #[inline]
    pub(super) fn client_of(&self, id: RequestId, draws: Draws) -> u16 {
        self.tenants.client(id).unwrap_or_else(|| self.client(draws))
    }

    /// Who sends a request.
    #[inline]
    pub(super) fn user(&self, draws: Draws) -> u32 {
        let rank =
            if self.has_one_user { 0 } else { self.users.rank(draws.draw(Purpose::User, 0)) };
        self.first_user + rank
    }

    /// The session of the request that `user` sends at `at`, and which is number `number` of all.
    #[inline]
    pub(super) fn session(&mut self, user: u32, at: Duration, number: u64, draws: Draws) -> u32 {
        match &mut self.sessions {
            None => number as u32,
            Some(open) => open.session(user, at, draws),
        }
    }

    /// By whose key a request is sent.
    #[inline]
    pub(super) fn client(&self, draws: Draws) -> u16 {
        self.client.choose(draws, Purpose::Client)
    }

    /// Which model a request of `client` asks for.
    #[inline]
    pub(super) fn model(&self, client: u16, draws: Draws) -> ModelIndex {
        let own = self.model_of_client.get(usize::from(client)).copied().flatten();
        own.unwrap_or_else(|| ModelIndex(self.model.choose(draws, Purpose::Model)))
    }

    /// From now on this share of answers is streamed.
    pub(super) fn set_stream(&mut self, share: Ratio) {
        self.stream = Stream::new(share);
    }

    /// Whether an answer is streamed.
    #[inline]
    pub(super) fn stream(&self, draws: Draws) -> bool {
        self.stream.choose(draws)
    }

    /// What a request says; `None`: something of its own.
    #[inline]
    pub(super) fn prompt(&self, draws: Draws) -> Option<NonZeroU32> {
        let rank = self.prompts.as_ref()?.rank(draws.draw(Purpose::Prompt, 0));
        NonZeroU32::new(rank.saturating_add(1))
    }

    /// The draw for the size of a prompt: that of the request, or one that all requests with this
    /// prompt share.
    #[inline]
    pub(super) fn prompt_size(&self, prompt: Option<NonZeroU32>, draws: Draws) -> Draw {
        match prompt {
            None => draws.draw(Purpose::InputTokens, 0),
            Some(prompt) => {
                let id = RequestId(prompt.get().into());
                self.chance.request(id, 0).draw(Purpose::PromptTokens, 0)
            }
        }
    }
}

/// Which requests are streamed; without a draw where all or none are.
#[derive(Clone, Copy)]
enum Stream {
    Always(bool),
    Below(u128),
}

impl Stream {
    fn new(share: Ratio) -> Self {
        if share == Ratio::ZERO || share == Ratio::ONE {
            Self::Always(share == Ratio::ONE)
        } else {
            Self::Below(share.threshold())
        }
    }

    #[inline]
    fn choose(self, draws: Draws) -> bool {
        match self {
            Self::Always(chosen) => chosen,
            Self::Below(threshold) => draws.draw(Purpose::Stream, 0).is_below(threshold),
        }
    }
}

/// The session that each user is in.
struct OpenSessions {
    length: Sampler,
    gap: Duration,
    /// How many sessions have begun.
    begun: u32,
    /// By user, of those that are drawn.
    users: Vec<Option<Open>>,
    /// Of those beyond, whom a trace names by whatever number.
    named: BTreeMap<u32, Option<Open>>,
}

#[derive(Clone, Copy)]
struct Open {
    last: Duration,
    session: u32,
    requests_left: u32,
}

impl OpenSessions {
    fn new(plan: &Sessions) -> Self {
        let length = Sampler::new(&plan.requests);
        Self { length, gap: plan.gap, begun: 0, users: Vec::new(), named: BTreeMap::new() }
    }

    fn session(&mut self, user: u32, at: Duration, draws: Draws) -> u32 {
        let open = if user < Sessions::MOST_USERS {
            let user = user as usize;
            if user >= self.users.len() {
                self.users.resize(user + 1, None);
            }
            &mut self.users[user]
        } else {
            self.named.entry(user).or_default()
        };
        match open {
            Some(open) if open.requests_left > 0 && at.saturating_sub(open.last) <= self.gap => {
                open.requests_left -= 1;
                open.last = at;
                open.session
            }
            _ => {
                let length = self.length.sample(draws.draw(Purpose::SessionLength, 0));
                let session = self.begun;
                self.begun = self.begun.wrapping_add(1);
                // The first of them is this one.
                let requests_left = ((length + 0.5) as u32).saturating_sub(1);
                *open = Some(Open { last: at, session, requests_left });
                session
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Distribution;
    use crate::units::KeyId;
    use crate::workload::Client;

    fn draws(id: u64) -> Draws {
        Chance::new(6, 0).request(RequestId(id), 0)
    }

    fn with_sessions(requests: Distribution) -> Identities {
        let mut population = Population::of_users(10.try_into().unwrap());
        population.sessions = Some(Sessions { requests, gap: Duration::from_secs(60) });
        Identities::new(&population, 0, Chance::new(6, 0))
    }

    #[test]
    fn a_session_ends_after_its_requests_or_a_longer_pause_than_its_gap() {
        let mut identities = with_sessions(Distribution::constant(3.0).unwrap());
        let mut session = |user, seconds| {
            identities.session(user, Duration::from_secs(seconds), 0, draws(seconds))
        };
        assert_eq!([session(4, 0), session(4, 60), session(4, 61)], [0, 0, 0]);
        assert_eq!([session(4, 62), session(2, 63), session(4, 64)], [1, 2, 1]);
        // 61 s after its last request.
        assert_eq!([session(4, 125), session(2, 123), session(2, 130)], [3, 2, 2]);
    }

    /// Rounded exponential lengths of at least 1 have the mean 1 + the sum over n >= 1 of
    /// P(X >= n + 1/2), 1 + e^(-3/2m) / (1 - e^(-1/m)) for mean m; with m = 4: 4.107.
    #[test]
    fn sessions_are_as_long_as_they_should_be() {
        let mut identities = with_sessions(Distribution::exponential(4.0).unwrap());
        let mut last = 0;
        for id in 0..100_000 {
            let user = identities.user(draws(id));
            last = last.max(identities.session(user, Duration::ZERO, id, draws(id)));
        }
        let mean = 100_000.0 / f64::from(last + 1);
        assert!((mean / 4.107 - 1.0).abs() < 0.03, "{mean}");
    }

    #[test]
    fn a_client_asks_for_its_own_model_and_the_others_by_the_shares() {
        let mut population = Population::of_users(10.try_into().unwrap());
        population.models = vec![Ratio::ZERO, Ratio::ONE, Ratio::ZERO];
        let client = |model: Option<u16>| Client {
            key: KeyId::new("key").unwrap(),
            share: Ratio::ZERO,
            made_for: None,
            model: model.map(ModelIndex),
            pin: None,
        };
        population.clients = vec![client(Some(2)), client(None)];
        let identities = Identities::new(&population, 0, Chance::new(6, 0));
        let asked = [0, 1].map(|client| identities.model(client, draws(9)));
        assert_eq!(asked, [ModelIndex(2), ModelIndex(1)]);
    }

    #[test]
    fn without_sessions_each_request_stands_alone() {
        let population = Population::of_users(10.try_into().unwrap());
        let mut identities = Identities::new(&population, 0, Chance::new(6, 0));
        assert_eq!(identities.session(3, Duration::ZERO, 17, draws(0)), 17);
    }

    #[test]
    fn one_prompt_has_one_size_whoever_sends_it() {
        let mut population = Population::of_users(10.try_into().unwrap());
        population.prompts = Some(Zipf::new(5.try_into().unwrap(), 1.0).unwrap());
        let identities = Identities::new(&population, 0, Chance::new(6, 0));
        let mut sizes = [None; 6];
        for id in 0..1_000 {
            let prompt = identities.prompt(draws(id));
            let size = identities.prompt_size(prompt, draws(id));
            let known = &mut sizes[prompt.unwrap().get() as usize];
            assert_eq!(*known.get_or_insert(size), size);
        }
        assert_eq!(sizes.iter().flatten().count(), 5);
        assert!(sizes[0].is_none());
        let alone = identities.prompt_size(None, draws(7));
        assert_eq!(alone, draws(7).draw(Purpose::InputTokens, 0));
    }
}
