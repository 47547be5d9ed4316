//! Requests of one arrival process that come from senders of their own.

use crate::arrivals::Arrivals;
use crate::chance::{Draws, Purpose, Zipf};
use crate::units::RequestId;

/// Who sends the requests of one arrival process, where that is not who sends all.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tenant {
    /// By whose access key: a place in the population's list of clients. `None`: by the shares.
    pub client: Option<u16>,
    /// The users who send them and nothing else; they come beside those of the population and are
    /// numbered after them. `None`: the population's.
    pub users: Option<Zipf>,
}

impl Tenant {
    /// How many users it has to itself.
    pub fn own_users(&self) -> u64 {
        self.users.as_ref().map_or(0, |users| u64::from(users.count().get()))
    }
}

/// The tenants by their processes; empty where none says anything.
pub(super) struct Tenants(Vec<Seat>);

struct Seat {
    client: Option<u16>,
    /// The number of the first, and who they are.
    users: Option<(u32, Zipf)>,
}

impl Tenants {
    /// Those of processes in their order; their users count from `first_user`.
    pub(super) fn new(tenants: &[Tenant], first_user: u32) -> Self {
        let mut next = first_user;
        let seat = |tenant: &Tenant| {
            let first = next;
            let users = tenant.users.clone().map(|users| (first, users));
            next = next.saturating_add(tenant.own_users() as u32);
            Seat { client: tenant.client, users }
        };
        Self(tenants.iter().map(seat).collect())
    }

    /// The client of request `id`, where its process says so.
    #[inline]
    pub(super) fn client(&self, id: RequestId) -> Option<u16> {
        self.of(id)?.client
    }

    /// The user who sends request `id`, where its process has users of its own.
    #[inline]
    pub(super) fn user(&self, id: RequestId, draws: Draws) -> Option<u32> {
        let (first, users) = self.of(id)?.users.as_ref()?;
        Some(first + users.rank(draws.draw(Purpose::User, 0)))
    }

    #[inline]
    fn of(&self, id: RequestId) -> Option<&Seat> {
        if self.0.is_empty() { None } else { self.0.get(Arrivals::process_of(id)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrivals::Poisson;
    use crate::chance::{Chance, Distribution};
    use crate::exchange::Request;
    use crate::units::{Duration, Rate};
    use crate::workload::{Population, Source, TokenSizes, Workload};

    fn requests(tenants: Vec<Tenant>) -> Vec<Request> {
        let poisson =
            |rate| Arrivals::from(Poisson::new(Rate::per(rate, Duration::from_secs(1)).unwrap()));
        let tokens = Distribution::constant(9.0).unwrap();
        let workload = Workload {
            arrivals: Arrivals::sum(vec![poisson(3.0), poisson(5.0), poisson(2.0)]).unwrap(),
            requests: Some(10_000),
            sizes: vec![TokenSizes::independent(tokens.clone(), tokens)],
            population: Population { tenants, ..Population::of_users(200.try_into().unwrap()) },
        };
        let mut source = Source::generate(&workload, Chance::new(4, 0));
        let next = || {
            source.next_at().unwrap()?;
            source.take()
        };
        std::iter::from_fn(next).map(|arrival| arrival.request).collect()
    }

    #[test]
    fn a_tenants_requests_have_its_client_and_its_users_and_the_others_stay_as_they_are() {
        let own = |count: u32| Some(Zipf::uniform(count.try_into().unwrap()));
        let tenants = vec![
            Tenant { client: None, users: own(30) },
            Tenant::default(),
            Tenant { client: Some(3), users: own(7) },
        ];
        let mut seen = [0; 3];
        for (request, before) in requests(tenants).into_iter().zip(requests(Vec::new())) {
            let process = Arrivals::process_of(request.id);
            seen[process] += 1;
            let users = [200..230, 0..200, 230..237][process].clone();
            assert!(users.contains(&request.user), "{process}: {}", request.user);
            assert_eq!(request.client, [0, 0, 3][process]);
            let (user, client) = (before.user, before.client);
            assert_eq!(Request { user, client, ..request }, before);
            assert!(process != 1 || request == before);
        }
        assert!(seen.iter().all(|count| *count > 1_500), "{seen:?}");
    }
}
