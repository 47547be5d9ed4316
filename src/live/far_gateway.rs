//! A gateway elsewhere that is ready for a run: its clock, the access keys that were made for the
//! run, and whether each version leads to the mock.

use std::fmt;
use std::mem;
use std::rc::Rc;
use std::sync::mpsc::Receiver;
use std::time::Duration as Wait;

use futures_util::future::{Either, join_all, select};
use serde_json::Value;

use super::elsewhere::{Elsewhere, ElsewhereError};
use super::error::LiveError;
use super::found::Found;
use super::left_behind::LeftBehind;
use super::operator::{Operator, Refused};
use super::orders::Ask;
use super::preparation::{Preparation, Touched};
use super::retelling::Whose;
use super::secrets::shown;
use super::status::of_model;
use crate::clock::{TimeScale, WallClock};
use crate::director::TriggerHealth;
use crate::engine::{Health, RuleSet};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::mock::MockNews;
use crate::scenario::Scenario;
use crate::units::{Duration, KeyId, ModelId, Ratio, RequestId, Timestamp};

/// A gateway elsewhere, ready for a run. Dropped, it is left as it was found.
pub(super) struct FarGateway {
    pub(super) operator: Rc<Operator>,
    url: String,
    /// By what URL it must reach the mock.
    mock: String,
    made: Vec<KeyId>,
    found: Found,
    touched: Touched,
    /// What each client presents, in the order of the plan; without clients one for all.
    pub(super) keys: Vec<String>,
    /// What the ids of this run's requests begin with, and no other's.
    pub(super) prefix: String,
    pub(super) time: FarTime,
}

/// The time that a gateway elsewhere tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FarTime {
    pub(super) now: Timestamp,
    /// How far that may be from the truth either way: half of what the question took.
    pub(super) within: Duration,
}

impl FarGateway {
    /// The gateway at `elsewhere`, if it can serve `scenario`. Nothing of it is changed.
    pub(super) fn find(
        elsewhere: &Elsewhere,
        scenario: &Scenario,
        is_asked_to_stop: &dyn Fn() -> bool,
    ) -> Result<Self, LiveError> {
        let operator = Rc::new(Operator::far(&elsewhere.url, &elsewhere.key)?);
        Preparation::new(&operator, scenario, elsewhere, is_asked_to_stop).check()?;
        let found = Found::look(&operator, scenario)?;
        let time = ask_time(&operator)?;
        Ok(Self {
            operator,
            url: elsewhere.url.clone(),
            mock: elsewhere.mock_url(),
            made: Vec::new(),
            found,
            touched: Touched::default(),
            keys: Vec::new(),
            // Two runs do not begin at one nanosecond.
            prefix: format!("coalmine-{:x}-", time.now.as_nanos()),
            time,
        })
    }

    /// Gives it all that `scenario` begins with, once it is sure that its versions lead to the
    /// mock, which serves already, and of which `heard` hears.
    ///
    /// # Errors
    /// What it refuses; what was changed of it until then [`Self::leave`] puts back and tells.
    pub(super) fn prepare(
        &mut self,
        elsewhere: &Elsewhere,
        scenario: &Scenario,
        heard: &Receiver<MockNews>,
        is_asked_to_stop: &dyn Fn() -> bool,
    ) -> Result<(), LiveError> {
        let operator = Rc::clone(&self.operator);
        let mut preparation = Preparation::new(&operator, scenario, elsewhere, is_asked_to_stop);
        let prepared = preparation
            .register_missing()
            .and_then(|()| self.probe(scenario, heard, is_asked_to_stop))
            .and_then(|()| preparation.set_tags_and_rules())
            .and_then(|()| preparation.go_on())
            .and_then(|()| self.make_keys(scenario));
        self.touched = preparation.touched();
        prepared
    }

    /// Makes the keys of the clients or, where there are none, one for all requests: none is sent
    /// with the operator's own.
    fn make_keys(&mut self, scenario: &Scenario) -> Result<(), LiveError> {
        let models: Vec<&ModelId> = scenario.models.iter().map(|model| &model.id).collect();
        let clients = scenario.population().clients.iter();
        let mut keys: Vec<KeyId> = clients.map(|client| client.key.clone()).collect();
        if keys.is_empty() {
            let key = KeyId::new(&format!("{}load", self.prefix));
            keys.push(key.map_err(|error| LiveError::Interface(error.to_string()))?);
        }
        for key in keys {
            // Before it is asked for: it may be made and the answer get lost.
            self.made.push(key.clone());
            let made = self.operator.ask(&Ask::new_key_for(&key, &models))?;
            let made = made.map_err(|Refused { why, .. }| {
                self.made.pop();
                LiveError::Refused {
                    what: format!("the access key {key}"),
                    why: format!("{why}; `coalmine keys revoke {key}` makes room"),
                }
            })?;
            self.keys.push(shown(&made, &key)?);
        }
        Ok(())
    }

    /// Puts back what was found of it, and revokes the keys that were made for the run; tells how
    /// it stands by that. Once that was done there is nothing left to do.
    pub(super) fn leave(&mut self) -> LeftBehind {
        let Touched { registered, is_set } = mem::take(&mut self.touched);
        let keys = self.forget_keys();
        let mut models = if is_set { self.found.put_back(&self.operator) } else { Vec::new() };
        if !registered.is_empty() {
            let versions = registered.join(", ");
            models.push(format!("registered for the run were and stay its versions {versions}"));
        }
        LeftBehind { models, keys }
    }

    /// Revokes the keys that were made for the run; those that may be left because the gateway
    /// does not do it.
    fn forget_keys(&mut self) -> Vec<KeyId> {
        let (mut made, mut left) = (mem::take(&mut self.made).into_iter(), Vec::new());
        while let Some(key) = made.next() {
            match self.operator.ask_shortly(&Ask::revoke(&key)) {
                // The plan may have revoked it.
                Ok(Ok(_) | Err(Refused { status: NOT_FOUND, .. })) => {}
                Ok(Err(_)) => left.push(key),
                // Who does not answer now would not for the others either.
                Err(_) => {
                    left.push(key);
                    left.extend(made);
                    break;
                }
            }
        }
        left
    }

    /// What of it is the run's.
    pub(super) fn whose(&self) -> Whose {
        Whose { operator: self.operator.key_id.clone(), keys: self.made.clone() }
    }

    /// How many entries the journal has.
    pub(super) fn entries(&self) -> Result<u64, LiveError> {
        let status = self.operator.read(&Ask::status())?;
        Ok(status["journal_entries"].as_u64().unwrap_or_default())
    }

    /// Asks every version for an answer, by its name, until the mock has been asked for it; nobody
    /// waits for the answers. The mock is `heard`.
    ///
    /// # Errors
    /// A version leads elsewhere: requests of the run would go there.
    fn probe(
        &self,
        scenario: &Scenario,
        heard: &Receiver<MockNews>,
        is_asked_to_stop: &dyn Fn() -> bool,
    ) -> Result<(), LiveError> {
        let mut names = Vec::new();
        for model in &scenario.models {
            names.extend(model.versions.iter().map(|it| (model.id.to_string(), it.id.to_string())));
        }
        let asking = names.iter().enumerate().map(|(place, (model, version))| {
            let id = format!("{}{}", self.prefix, PROBES.0 + place as u64);
            self.operator.probe((model, version), id)
        });
        let mut met: Vec<Option<VersionIndex>> = vec![None; names.len()];
        let mut hear = || {
            for news in heard.try_iter() {
                // By its plan all is told of it.
                let MockNews::Planned(plan) = news else { continue };
                let place = plan.number.id.0.checked_sub(PROBES.0).map(|place| place as usize);
                if let Some(met) = place.and_then(|place| met.get_mut(place)) {
                    *met = Some(plan.version);
                }
            }
            met.iter().all(Option::is_some)
        };
        let answers = self.operator.wait_for(async {
            let hearing = async {
                let mut looks = LOOKS;
                while looks > 0 && !hear() && !is_asked_to_stop() {
                    looks -= 1;
                    tokio::time::sleep(LOOK).await;
                }
            };
            match select(Box::pin(join_all(asking)), Box::pin(hearing)).await {
                Either::Left((answers, _)) => answers,
                Either::Right(_) => Vec::new(),
            }
        });
        // What was answered before all were heard has been told before.
        hear();
        if is_asked_to_stop() {
            return Err(LiveError::Interrupted);
        }
        let problem = |(place, (model, version)): (usize, &(String, String))| {
            let led = met[place];
            if led == Some(VersionIndex(place as u16)) {
                return None;
            }
            let said = answers.get(place).map_or("no answer came", String::as_str);
            let mock = &self.mock;
            Some(match led {
                Some(_) => format!(
                    "its version {version} of {model} asks the mock for another version: its \
                     parameters must say `model: {version}`"
                ),
                None => format!(
                    "its version {version} of {model} does not lead to the mock: the URL of its \
                     upstream must be one by which the gateway reaches {mock}, and its \
                     parameters must say `model: {version}` (a request for it: {said})"
                ),
            })
        };
        let problems: Vec<String> = names.iter().enumerate().filter_map(problem).collect();
        if problems.is_empty() {
            return Ok(());
        }
        Err(LiveError::Elsewhere { url: self.url.clone(), why: ElsewhereError::Unfit(problems) })
    }

    /// How the triggers of a model's rules fare, which are `rules` at present; `number` tells the
    /// plan's number of each.
    pub(super) fn health(
        &self,
        scenario: &Scenario,
        (model, rules): (ModelIndex, &RuleSet),
        number: impl Fn(usize) -> usize,
    ) -> Result<Vec<TriggerHealth>, LiveError> {
        let plan = &scenario.models[usize::from(model.0)];
        let first = scenario.first_version(model);
        let status = self.operator.read(&Ask::status())?;
        let state = of_model(&status, &plan.id);
        let told = state.and_then(|state| state["rules"].as_array()).into_iter().flatten();
        let health = told.filter_map(|told| {
            let (id, version) = (told["id"].as_str()?, told["version"].as_str()?);
            let trigger = rules.triggers.iter().position(|trigger| trigger.id == id)?;
            let place = plan.versions.iter().position(|known| known.id.as_str() == version)?;
            let version = VersionIndex(first.0 + place as u16);
            Some(TriggerHealth { model, trigger: number(trigger), version, health: health(told) })
        });
        Ok(health.collect())
    }
}

impl Drop for FarGateway {
    fn drop(&mut self) {
        // Whoever can tell what is left has asked before.
        let _ = self.leave();
    }
}

impl fmt::Debug for FarGateway {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FarGateway").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What the gateway's clock shows now, by the answer that came soonest: others may have had to wait
/// for a connection.
fn ask_time(operator: &Operator) -> Result<FarTime, LiveError> {
    let clock = WallClock::new(TimeScale::REAL);
    let (mut now, mut best) = (Timestamp::EPOCH, None);
    for _ in 0..QUESTIONS {
        let asked = clock.now();
        let status = operator.read(&Ask::status())?;
        let answered = clock.now();
        let within = answered.since(asked).mul_f64(0.5);
        let at = status["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let at = at.ok_or_else(|| LiveError::Interface("its status says no time".to_owned()))?;
        if best.is_none_or(|(best, _)| within < best) {
            (now, best) = (at + within, Some((within, answered)));
        }
    }
    let (within, answered) = best.unwrap_or_else(|| (Duration::ZERO, clock.now()));
    Ok(FarTime { now: now + clock.now().since(answered), within })
}

fn health(told: &Value) -> Health {
    let count = |name: &str| told[name].as_u64().unwrap_or_default();
    Health {
        checks: count("checks"),
        no_data: count("no_data"),
        breaches: count("breaches"),
        firings: count("firings"),
        longest_timer: Duration::from_secs_f64(
            told["longest_timer_seconds"].as_f64().unwrap_or_default(),
        ),
        progress: told["progress"].as_f64().and_then(|part| Ratio::new(part).ok()),
    }
}

/// How often the gateway is asked for its time.
const QUESTIONS: usize = 3;
/// The numbers of the requests that look where versions lead: no workload comes so far.
const PROBES: RequestId = RequestId(u64::MAX - u16::MAX as u64);
/// How long it is waited for them, in looks. Chosen: 10 s, of which a gateway nearby needs a
/// hundredth.
const LOOKS: u32 = 2_000;
const LOOK: Wait = Wait::from_millis(5);
/// What a gateway says of a key that it does not have.
const NOT_FOUND: u16 = 404;
