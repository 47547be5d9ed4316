//! A version as requests reach it: its upstream, and what is put into their bodies. Made anew when
//! a version is registered or the configuration is read again; never changed.

use std::sync::Arc;

use http::HeaderValue;

use super::endpoint::Endpoint;
use super::meters::VersionMeters;
use super::room::Room;
use crate::engine::Version;
use crate::units::{ModelId, Price, VersionId};
use crate::wire::{Parameters, ParametersError};

/// A version as requests reach it.
#[derive(Debug)]
pub(super) struct VersionRoute {
    pub(super) id: VersionId,
    /// Its name as a header's value.
    pub(super) header: HeaderValue,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) parameters: Parameters,
    pub(super) price: Option<Price>,
    pub(super) room: Room,
    pub(super) meters: Arc<VersionMeters>,
}

/// Why nothing can be sent to a version.
#[derive(Debug, thiserror::Error)]
pub enum RouteFault {
    /// It names an upstream that the configuration does not have.
    #[error("version {version} names the upstream {upstream:?}; the configuration has {known}")]
    UnknownUpstream {
        /// The version.
        version: VersionId,
        /// What it names.
        upstream: String,
        /// What there is.
        known: String,
    },
    /// Versions that are needed name upstreams that the configuration does not have.
    #[error(
        "versions that are in use name upstreams that the configuration does not have: {}; it has \
         {known}: put the upstreams back, or give their traffic to others first",
        .needed.join("; ")
    )]
    Needed {
        /// Which, and for what.
        needed: Vec<String>,
        /// What there is.
        known: String,
    },
    /// Its parameters cannot be put into a request.
    #[error("version {version}: {source}")]
    Parameters {
        /// The version.
        version: VersionId,
        /// Why.
        source: ParametersError,
    },
}

impl VersionRoute {
    /// The way to `version` of `model`, by one of `endpoints`.
    pub(super) fn new(
        model: &ModelId,
        version: &Version,
        endpoints: &[Arc<Endpoint>],
        concurrency: Option<u32>,
        meters: Arc<VersionMeters>,
    ) -> Result<Self, RouteFault> {
        let found = endpoints.iter().find(|endpoint| endpoint.name() == version.upstream);
        let endpoint = found.ok_or_else(|| RouteFault::UnknownUpstream {
            version: version.id.clone(),
            upstream: version.upstream.clone(),
            known: names(endpoints),
        })?;
        Self::to(model, version, Arc::clone(endpoint), (concurrency, meters))
    }

    /// The way to `version` of `model` by `endpoint`.
    pub(super) fn to(
        model: &ModelId,
        version: &Version,
        endpoint: Arc<Endpoint>,
        (concurrency, meters): (Option<u32>, Arc<VersionMeters>),
    ) -> Result<Self, RouteFault> {
        let parameters = Parameters::new(model.as_str(), &version.parameters)
            .map_err(|source| RouteFault::Parameters { version: version.id.clone(), source })?;
        let header = HeaderValue::from_str(version.id.as_str())
            .expect("names are made of characters that headers may have");
        let room = Room::new(concurrency);
        let (id, price) = (version.id.clone(), version.price);
        Ok(Self { id, header, endpoint, parameters, price, room, meters })
    }
}

/// The names of `endpoints`, in words.
pub(super) fn names(endpoints: &[Arc<Endpoint>]) -> String {
    let known: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.name()).collect();
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}
