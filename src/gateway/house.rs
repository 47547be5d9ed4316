//! What all threads of the gateway share.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::desk::Desk;
use super::endpoint::Endpoint;
use super::meters::Meters;
use super::readiness::Readiness;
use super::room::Room;
use super::version_route::{RouteFault, VersionRoute};
use crate::engine::Version;
use crate::scenario::{Limits, StickySource};
use crate::units::{ModelId, VersionId};

/// What all threads of the gateway share.
#[derive(Debug)]
pub(super) struct House {
    pub(super) desk: Arc<Desk>,
    pub(super) meters: Arc<Meters>,
    pub(super) readiness: Readiness,
    /// For requests at once.
    pub(super) room: Room,
    settings: RwLock<Arc<Settings>>,
}

/// What a new reading of the configuration can change.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) limits: Limits,
    pub(super) endpoints: Vec<Arc<Endpoint>>,
    /// By model.
    pub(super) models: Vec<ModelSetting>,
    /// How many requests of a version may be under way, where that is limited.
    pub(super) concurrency: BTreeMap<(ModelId, VersionId), u32>,
}

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
        let room = Room::new(settings.limits.requests.map(std::num::NonZeroU32::get));
        let (readiness, settings) = (Readiness::default(), RwLock::new(Arc::new(settings)));
        Self { desk, meters, readiness, room, settings }
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
        let settings = self.settings();
        let most = settings.concurrency.get(&(model.clone(), version.id.clone())).copied();
        let meters = self.meters.version(model, &version.id);
        VersionRoute::new(model, version, &settings.endpoints, most, meters)
    }

    /// Replaces them; requests under way keep theirs.
    pub(super) fn replace(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// Takes former settings again.
    pub(super) fn restore(&self, settings: Arc<Settings>) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// Whether an endpoint is one of the present ones.
    pub(super) fn is_current(&self, number: u64) -> bool {
        self.settings().endpoints.iter().any(|endpoint| endpoint.number() == number)
    }
}
