//! What all threads of the gateway share.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use reqwest::Url;

use super::desk::Desk;
use super::endpoint::Endpoint;
use super::meters::Meters;
use super::readiness::Readiness;
use super::room::Room;
use super::tape::Tape;
use super::version_route::{RouteFault, VersionRoute, names};
use crate::engine::{Catalog, Engine, Slot, Version};
use crate::exchange::ModelIndex;
use crate::scenario::{Limits, StickySource};
use crate::units::{ModelId, VersionId};

/// What all threads of the gateway share.
#[derive(Debug)]
pub(super) struct House {
    pub(super) desk: Arc<Desk>,
    pub(super) meters: Arc<Meters>,
    pub(super) readiness: Readiness,
    /// Where requests are recorded, if they are.
    pub(super) tape: OnceLock<Tape>,
    settings: RwLock<Arc<Settings>>,
}

/// What a new reading of the configuration can change.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) limits: Limits,
    /// Whether e-mails are sent.
    pub(super) sends_mail: bool,
    /// Where people reach the gateway: what notices link to.
    pub(super) link: Option<Url>,
    /// For requests at once.
    pub(super) room: Room,
    pub(super) endpoints: Vec<Arc<Endpoint>>,
    /// By model.
    pub(super) models: Vec<ModelSetting>,
    /// How many requests of a version may be under way, where that is limited.
    pub(super) concurrency: BTreeMap<(ModelId, VersionId), u32>,
    /// The rooms of all versions that ways were made to; those of other settings too.
    pub(super) rooms: Rooms,
}

/// The rooms of versions: whatever their settings become, requests under way are counted.
pub(super) type Rooms = Arc<Mutex<BTreeMap<(ModelId, VersionId), Room>>>;

/// How requests for a model are dealt with.
#[derive(Clone, Debug)]
pub(super) struct ModelSetting {
    pub(super) sticky_by: StickySource,
    /// Whether another attempt may follow on one that failed before its first token: then streams
    /// are held back until there is one.
    pub(super) may_retry: bool,
}

impl House {
    pub(super) fn new(desk: Arc<Desk>, meters: Arc<Meters>, settings: Settings) -> Self {
        desk.models().for_each(|(model, _)| meters.serves(model));
        let (tape, settings) = (OnceLock::new(), RwLock::new(Arc::new(settings)));
        Self { desk, meters, readiness: Readiness::default(), tape, settings }
    }

    /// The present settings.
    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The way to `version` of `model`.
    pub(super) fn route(
        &self,
        model: &ModelId,
        version: &Version,
    ) -> Result<VersionRoute, RouteFault> {
        self.settings().route(&self.meters, model, version)
    }

    /// Replaces the settings, and the ways to all versions, at one instant; requests under way keep
    /// theirs.
    ///
    /// # Errors
    /// To some version there would be no way: nothing is replaced.
    pub(super) fn replace(&self, mut settings: Settings) -> Result<(), RouteFault> {
        settings.succeed(&self.settings());
        self.desk.with(|inner, _| {
            let models = self.desk.models();
            inner.routes = settings.routes(&self.meters, models, &mut inner.engine)?;
            let settings = Arc::new(settings);
            *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
            Ok(())
        })
    }

    /// Whether an endpoint is one of the present ones.
    pub(super) fn is_current(&self, number: u64) -> bool {
        self.settings().endpoints.iter().any(|endpoint| endpoint.number() == number)
    }
}

impl Settings {
    /// Goes on from the settings before: requests under way are counted on.
    fn succeed(&mut self, before: &Self) {
        self.room = before.room.with(self.limits.requests.map(NonZeroU32::get));
        self.rooms = Arc::clone(&before.rooms);
        for endpoint in &mut self.endpoints {
            let known = before.endpoints.iter().find(|known| known.name() == endpoint.name());
            // Nobody else has them yet.
            if let (Some(known), Some(endpoint)) = (known, Arc::get_mut(endpoint)) {
                endpoint.succeed(known);
            }
        }
    }

    /// The ways to all versions that are registered, by model and slot, of which the engine is told
    /// those that lead nowhere: their upstreams are gone, and nothing needs them.
    ///
    /// # Errors
    /// A version that is needed could not be reached; the engine is told nothing.
    pub(super) fn routes<'a>(
        &self,
        meters: &Meters,
        models: impl Iterator<Item = (&'a ModelId, ModelIndex)>,
        engine: &mut Engine,
    ) -> Result<Vec<Vec<Arc<VersionRoute>>>, RouteFault> {
        let (mut routes, mut gone, mut needed) = (Vec::new(), Vec::new(), Vec::new());
        for (model, place) in models {
            let versions = engine.catalog(place).into_iter().flat_map(Catalog::versions);
            let (mut of_model, mut unreachable) = (Vec::new(), BTreeSet::new());
            for (number, version) in versions.enumerate() {
                let slot = Slot(number as u16);
                let route = match self.route(meters, model, version) {
                    Err(RouteFault::UnknownUpstream { upstream, .. }) => {
                        if let Some(why) = engine.need_of(place, slot) {
                            let id = &version.id;
                            needed.push(format!("{id} of {model} ({upstream:?}; {why})"));
                        }
                        unreachable.insert(slot);
                        let meters = meters.version(model, &version.id);
                        let gone = Arc::new(Endpoint::gone(&upstream));
                        VersionRoute::to(model, version, gone, (None, meters))
                    }
                    route => route,
                };
                of_model.push(Arc::new(route?));
            }
            routes.push(of_model);
            gone.push((place, unreachable));
        }
        if !needed.is_empty() {
            return Err(RouteFault::Needed { needed, known: names(&self.endpoints) });
        }
        gone.into_iter().for_each(|(place, versions)| engine.set_unreachable(place, versions));
        Ok(routes)
    }

    /// The way to a version.
    pub(super) fn route(
        &self,
        meters: &Meters,
        model: &ModelId,
        version: &Version,
    ) -> Result<VersionRoute, RouteFault> {
        let key = (model.clone(), version.id.clone());
        let most = self.concurrency.get(&key).copied();
        let meters = meters.version(model, &version.id);
        let mut route = VersionRoute::new(model, version, &self.endpoints, most, meters)?;
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        route.room = rooms.entry(key).or_insert_with(|| Room::new(None)).with(most);
        Ok(route)
    }
}
