//! What a live run is played on: a mock of the upstreams, a gateway before it, and the keys of the
//! clients. The gateway is the harness's own, at a free port of this machine, or one that runs
//! elsewhere.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};

use super::elsewhere::Elsewhere;
use super::error::LiveError;
use super::far_gateway::FarGateway;
use super::feed::Feed;
use super::gateway_plan::{ANY_PORT, gateway_plan, mock_settings};
use super::left_behind::LeftBehind;
use super::live_settings::LiveSettings;
use super::notice::Notice;
use super::operator::Operator;
use super::orders::Ask;
use super::rule_numbers::RuleNumbers;
use super::secrets::shown;
use super::tap::Tap;
use crate::chance::Chance;
use crate::clock::{TimeScale, WallClock};
use crate::director::TriggerHealth;
use crate::engine::RuleSet;
use crate::exchange::{ModelIndex, VersionIndex};
use crate::gateway::{Gateway, Harness};
use crate::load::{Http, Message, MessageParts, Target};
use crate::mock::{Lateness, MockAdmin, MockNews, MockPlace, MockServer, Numbering};
use crate::notify::WebTls;
use crate::scenario::{Scenario, StickyBy, VersionPlan};
use crate::units::{Duration, Timestamp};
use crate::upstream::FailureKind;
use crate::wire::RequestNumber;

/// A mock and a gateway that serve, and who operates the gateway.
pub(super) struct Stage {
    pub(super) mock: MockServer,
    gateway: Serving,
    pub(super) operator: Rc<Operator>,
    /// What each client presents, in the order of the plan; without clients one for all.
    pub(super) keys: Vec<String>,
    target: Target,
    /// By what header requests say their number.
    header: String,
    pub(super) clock: WallClock,
}

/// Who serves.
enum Serving {
    Here(Box<Gateway>),
    Elsewhere {
        far: Box<FarGateway>,
        /// What is told comes by it.
        _feed: Feed,
        /// The last journal entry before the run.
        entries: u64,
        /// When the run begins.
        start: Timestamp,
    },
}

/// Who is told of what.
pub(super) struct Tellers {
    pub(super) conductor: Sender<Notice>,
    pub(super) news: Sender<MockNews>,
    pub(super) rules: Arc<Mutex<RuleNumbers>>,
}

/// What is known once all has ended.
pub(super) struct Left {
    /// How late the mock's answers were.
    pub(super) lateness: Lateness,
    /// How many requests of others came to the mock.
    pub(super) strangers: u64,
    /// What is left at a gateway elsewhere.
    pub(super) behind: LeftBehind,
}

impl Stage {
    /// Sets up all that `scenario` has under `seed`.
    pub(super) fn set_up(
        scenario: &Arc<Scenario>,
        (seed, chance): (u64, Chance),
        settings: &LiveSettings,
        tellers: Tellers,
    ) -> Result<Self, LiveError> {
        let Tellers { conductor, news, rules } = tellers;
        let threads = settings.threads;
        // What is set up meanwhile takes none of the run's time.
        let clock = WallClock::starting_at(scenario.start, settings.scale, SET_UP_WITHIN);
        let mock = mock_settings(scenario, (seed, clock), news, Numbering::Header)?;
        let mock = MockServer::start(mock, place(ANY_PORT, threads))?;
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
        let url = format!("http://{address}");
        let operator = Operator::new(&url, &admin)?;
        let mut keys = Vec::new();
        for client in &scenario.population().clients {
            let made = operator.ask(&Ask::new_key(&client.key))?;
            let made = made.map_err(|refused| LiveError::Refused {
                what: format!("the access key {}", client.key),
                why: refused.why,
            })?;
            keys.push(shown(&made, &client.key)?);
        }
        if keys.is_empty() {
            keys.push(admin);
        }
        let (gateway, operator) = (Serving::Here(Box::new(gateway)), Rc::new(operator));
        let header = format!("{}: {{request}}", RequestNumber::HEADER);
        let target = target(&url)?;
        Ok(Self { mock, gateway, operator, keys, target, header, clock })
    }

    /// Sets up a mock of what `scenario` has under `seed` for a gateway elsewhere, and that for the
    /// run. The mock tells of all that it is asked, and `heard` hears it.
    pub(super) fn set_up_elsewhere(
        scenario: &Scenario,
        seed: u64,
        (elsewhere, threads): (&Elsewhere, NonZeroUsize),
        tellers: Tellers,
        heard: &Receiver<MockNews>,
        is_asked_to_stop: &dyn Fn() -> bool,
    ) -> Result<Self, LiveError> {
        let Tellers { conductor, news, .. } = tellers;
        let target = target(&format!("{}/v1", elsewhere.url.trim_end_matches('/')))?;
        let mut far = FarGateway::find(elsewhere, scenario, is_asked_to_stop)?;
        // The run's time is the gateway's, so that what it tells of its own falls into place. It
        // begins with a second, as a simulation does: so do checks.
        let start = (far.time.now + PREPARED_WITHIN).ceil_second();
        let held = start.since(far.time.now);
        let clock = WallClock::starting_at(start, TimeScale::REAL, held);
        let keeps_connections = !breaks_connections(scenario);
        let numbering = Numbering::RequestIds { prefix: far.prefix.clone(), keeps_connections };
        let mock = mock_settings(scenario, (seed, clock), news, numbering)?;
        let mock = MockServer::start(mock, place(elsewhere.mock, threads))?;
        let followed = far
            .prepare(elsewhere, scenario, heard, is_asked_to_stop)
            .and_then(|()| far.entries())
            .and_then(|entries| Ok((Feed::follow(&far.operator, entries, conductor)?, entries)));
        let (feed, entries) = followed.map_err(|error| error.having_left(far.leave()))?;
        // Where that took longer, a later second.
        let is_late = clock.now() > start;
        let start = if is_late { clock.now().ceil_second() } else { start };
        if is_late {
            far.operator.wait_for(clock.sleep_until(start));
        }
        let header = format!("x-request-id: {}{{request}}", far.prefix);
        let (operator, keys) = (Rc::clone(&far.operator), far.keys.clone());
        let far = Box::new(far);
        let gateway = Serving::Elsewhere { far, _feed: feed, entries, start };
        Ok(Self { mock, gateway, operator, keys, target, header, clock })
    }

    /// When a run begins that begins now.
    pub(super) fn start(&self) -> Timestamp {
        match &self.gateway {
            Serving::Here(_) => self.clock.now(),
            Serving::Elsewhere { start, .. } => *start,
        }
    }

    /// Where the load goes.
    pub(super) fn target(&self) -> Target {
        self.target.clone()
    }

    /// The gateway where it is one elsewhere, and the last journal entry before the run.
    pub(super) const fn elsewhere(&self) -> Option<(&FarGateway, u64)> {
        match &self.gateway {
            Serving::Here(_) => None,
            Serving::Elsewhere { far, entries, .. } => Some((far, *entries)),
        }
    }

    /// What the requests of `scenario` say.
    pub(super) fn message(&self, scenario: &Scenario, seed: u64) -> Result<Message, LiveError> {
        let mut headers = vec![self.header.clone()];
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

    /// How the triggers of a model's rules fare, which are `rules` at present; `number` tells the
    /// plan's number of each.
    pub(super) fn health(
        &self,
        scenario: &Scenario,
        (model, rules): (ModelIndex, &RuleSet),
        number: impl Fn(usize) -> usize,
    ) -> Result<Vec<TriggerHealth>, LiveError> {
        let gateway = match &self.gateway {
            Serving::Here(gateway) => gateway,
            Serving::Elsewhere { far, .. } => return far.health(scenario, (model, rules), number),
        };
        let first = scenario.first_version(model);
        let told = gateway.health(model).into_iter().map(|(trigger, slot, health)| {
            let version = VersionIndex(first.0 + slot.0);
            TriggerHealth { model, trigger: number(trigger), version, health }
        });
        Ok(told.collect())
    }

    /// Ends gateway and mock; one elsewhere goes on, as it was found.
    pub(super) fn take_down(self) -> Result<Left, LiveError> {
        let mut behind = LeftBehind::default();
        let stopped = match self.gateway {
            Serving::Here(gateway) => gateway.stop(),
            Serving::Elsewhere { mut far, .. } => {
                behind = far.leave();
                Ok(())
            }
        };
        let report = self.mock.stop(Duration::ZERO);
        stopped?;
        Ok(Left { lateness: report.lateness, strangers: report.strangers, behind })
    }
}

/// Whether an upstream of the scenario may break connections.
fn breaks_connections(scenario: &Scenario) -> bool {
    let normal = scenario.versions().filter_map(VersionPlan::behaviour);
    let normal = normal.flat_map(|behaviour| &behaviour.failures);
    let faults = scenario.phases.iter().flat_map(|phase| &phase.faults);
    let failures = normal.chain(faults.flat_map(|(_, fault)| &fault.failures));
    let mut kinds = failures.map(|failure| failure.kind);
    kinds.any(|kind| matches!(kind, FailureKind::Reset { .. } | FailureKind::Refused))
}

const fn place(clients: SocketAddr, threads: NonZeroUsize) -> MockPlace {
    MockPlace { clients, admin: MockAdmin::Nowhere, threads }
}

fn target(url: &str) -> Result<Target, LiveError> {
    let target = Target::new(url).map_err(|error| LiveError::Interface(error.to_string()))?;
    let target = target.over(Http::One);
    if !target.is_secure() {
        return Ok(target);
    }
    let tls = WebTls::of_machine().map_err(|error| LiveError::Interface(error.to_string()))?;
    Ok(target.with_tls(tls.config))
}

/// For how long the clock stands still while mock, gateway and keys are set up. Chosen: a machine
/// that is not busy needs a part of it.
const SET_UP_WITHIN: Duration = Duration::from_millis(500);
/// The same, at least, where a gateway elsewhere can serve and is to be given all that the scenario
/// begins with. Chosen: many times what a dozen ways there and back take.
const PREPARED_WITHIN: Duration = Duration::from_millis(700);
