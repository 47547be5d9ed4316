//! From a plan to the settings that threads share: secrets are read, addresses made.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use reqwest::Url;

use super::endpoint::Endpoint;
use super::house::{ModelSetting, Settings};
use super::room::Room;
use crate::scenario::{Credential, GatewayModel, GatewayPlan, UpstreamEndpoint};

/// Reads a secret, or says in words why it cannot be read. The words do not hold it.
pub type ReadSecret<'a> = &'a dyn Fn(&Credential) -> Result<String, String>;

/// Why an upstream cannot be reached as the plan says.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UpstreamFault {
    /// Its secret cannot be read.
    #[error("the key of upstream {upstream:?} cannot be read: {why}")]
    Secret {
        /// The upstream.
        upstream: String,
        /// Why.
        why: String,
    },
    /// Its secret cannot be sent.
    #[error("the key of upstream {upstream:?} has a character that no header may have")]
    NoHeader {
        /// The upstream.
        upstream: String,
    },
    /// Its URL and the path of chat completions make no address.
    #[error("the URL of upstream {upstream:?} makes no address of chat completions")]
    NoAddress {
        /// The upstream.
        upstream: String,
    },
}

impl Settings {
    /// What `plan` says, with the secrets that it names.
    pub(super) fn new(plan: &GatewayPlan, read: ReadSecret<'_>) -> Result<Self, UpstreamFault> {
        let endpoints = plan.upstreams.iter().map(|upstream| endpoint(upstream, read));
        let of_version = |model: &GatewayModel| {
            let limited = model.versions.iter().filter_map(|version| {
                Some(((model.id.clone(), version.id.clone()), version.concurrency?.get()))
            });
            limited.collect::<Vec<_>>()
        };
        let setting = |model: &GatewayModel| ModelSetting {
            sticky_by: model.sticky_by.clone(),
            may_retry: model.policies.retry.is_some() || model.policies.fallback.is_some(),
        };
        Ok(Self {
            limits: plan.limits,
            sends_mail: plan.notify.smtp.is_some(),
            link: plan.notify.base_url.as_ref().and_then(|url| Url::parse(&url.to_string()).ok()),
            room: Room::new(plan.limits.requests.map(NonZeroU32::get)),
            endpoints: endpoints.collect::<Result<_, _>>()?,
            models: plan.models.iter().map(setting).collect(),
            concurrency: plan.models.iter().flat_map(of_version).collect::<BTreeMap<_, _>>(),
            rooms: Arc::default(),
        })
    }
}

fn endpoint(
    upstream: &UpstreamEndpoint,
    read: ReadSecret<'_>,
) -> Result<Arc<Endpoint>, UpstreamFault> {
    let name = || upstream.name.clone();
    let secret = match &upstream.key {
        None => None,
        Some(key) => {
            let secret = read(&key.credential)
                .map_err(|why| UpstreamFault::Secret { upstream: name(), why })?;
            let value = if key.header == AUTHORIZATION {
                format!("Bearer {}", secret.trim())
            } else {
                secret.trim().to_owned()
            };
            let value = HeaderValue::try_from(value);
            Some(value.map_err(|_| UpstreamFault::NoHeader { upstream: name() })?)
        }
    };
    let made = Endpoint::new(upstream, secret);
    Ok(Arc::new(made.map_err(|_| UpstreamFault::NoAddress { upstream: name() })?))
}
