//! What a live run is played on: a mock of the upstreams and a gateway before it, at free ports of
//! this machine, and the keys of the clients.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use super::error::LiveError;
use super::gateway_plan::{ANY_PORT, gateway_plan, mock_settings};
use super::notice::Notice;
use super::operator::Operator;
use super::orders::Ask;
use super::rule_numbers::RuleNumbers;
use super::tap::Tap;
use crate::chance::Chance;
use crate::clock::WallClock;
use crate::director::TriggerHealth;
use crate::exchange::{ModelIndex, VersionIndex};
use crate::gateway::{Gateway, Harness};
use crate::load::{Http, Message, MessageParts, Target};
use crate::mock::{Lateness, MockPlace, MockServer, Planned};
use crate::scenario::{Scenario, StickyBy};
use crate::units::Duration;
use crate::wire::RequestNumber;

/// A mock and a gateway that serve, and who operates the gateway.
pub(super) struct Stage {
    pub(super) mock: MockServer,
    gateway: Gateway,
    pub(super) operator: Operator,
    /// What each client presents, in the order of the plan; without clients the operator's key, for
    /// all.
    pub(super) keys: Vec<String>,
    address: SocketAddr,
}

/// Who is told of what.
pub(super) struct Tellers {
    pub(super) conductor: Sender<Notice>,
    pub(super) planned: Sender<Planned>,
    pub(super) rules: Arc<Mutex<RuleNumbers>>,
}

impl Stage {
    /// Sets up all that `scenario` has under `seed`.
    pub(super) fn set_up(
        scenario: &Arc<Scenario>,
        (seed, chance): (u64, Chance),
        clock: WallClock,
        threads: NonZeroUsize,
        tellers: Tellers,
    ) -> Result<Self, LiveError> {
        let Tellers { conductor, planned, rules } = tellers;
        let settings = mock_settings(scenario, seed, clock, planned)?;
        let place = MockPlace { clients: ANY_PORT, admin: None, threads };
        let mock = MockServer::start(settings, place)?;
        let plan = gateway_plan(scenario, mock.address())?;
        let witness = Box::new(Tap::new(scenario, &rules, conductor));
        let mut admin = String::new();
        let mut show = |key: &str| {
            admin = key.to_owned();
            Ok(())
        };
        let harness = Harness { chance, witness };
        let gateway = Gateway::start_in_harness(&plan, clock, threads, &mut show, harness)?;
        let address = gateway.addresses().first().copied().unwrap_or(ANY_PORT);
        let operator = Operator::new(&format!("http://{address}"), &admin)?;
        let mut keys = Vec::new();
        for client in &scenario.population().clients {
            let made = operator.ask(&Ask::new_key(&client.key))?;
            let made = made.map_err(|refused| LiveError::Refused {
                what: format!("the access key {}", client.key),
                why: refused.why,
            })?;
            keys.push(made["api_key"].as_str().unwrap_or_default().to_owned());
        }
        if keys.is_empty() {
            keys.push(admin);
        }
        Ok(Self { mock, gateway, operator, keys, address })
    }

    /// Where the load goes.
    pub(super) fn target(&self) -> Result<Target, LiveError> {
        let target = Target::new(&format!("http://{}", self.address));
        let target = target.map_err(|error| LiveError::Interface(error.to_string()))?;
        Ok(target.over(Http::One))
    }

    /// What the requests of `scenario` say.
    pub(super) fn message(&self, scenario: &Scenario, seed: u64) -> Result<Message, LiveError> {
        let mut headers = vec![format!("{}: {{request}}", RequestNumber::HEADER)];
        if scenario.models.iter().any(|model| model.sticky_by == StickyBy::Session) {
            headers.push("x-session-id: {session}".to_owned());
        }
        let clients = (0..).zip(&scenario.population().clients);
        let pins = clients.filter_map(|(number, client)| {
            let pin = client.pin.as_ref()?;
            let model = &scenario.models[usize::from(pin.model.0)].id;
            Some((number, (pin.model, format!("{model}@{}", pin.version.as_str()))))
        });
        let parts = MessageParts {
            models: scenario.models.iter().map(|model| model.id.to_string()).collect(),
            headers,
            keys: self.keys.clone(),
            pins: pins.collect(),
            tells_user: true,
            seed,
            ..MessageParts::default()
        };
        Ok(Message::new(&parts)?)
    }

    /// How the triggers of a model's present rules fare; `number` tells the plan's number of each.
    pub(super) fn health(
        &self,
        scenario: &Scenario,
        model: ModelIndex,
        number: impl Fn(usize) -> usize,
    ) -> Vec<TriggerHealth> {
        let first = scenario.first_version(model);
        let told = self.gateway.health(model).into_iter().map(|(trigger, slot, health)| {
            let version = VersionIndex(first.0 + slot.0);
            TriggerHealth { model, trigger: number(trigger), version, health }
        });
        told.collect()
    }

    /// Ends gateway and mock; how late the mock's answers were.
    pub(super) fn take_down(self) -> Result<Lateness, LiveError> {
        let stopped = self.gateway.stop();
        let report = self.mock.stop(Duration::ZERO);
        stopped?;
        Ok(report.lateness)
    }
}
