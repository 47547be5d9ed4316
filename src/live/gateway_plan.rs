//! The plan of the gateway that serves a scenario, and what the mock behind it is to be.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::Sender;

use serde_json::Map;

use super::error::LiveError;
use crate::chance::Distribution;
use crate::clock::WallClock;
use crate::engine::ModelSettings;
use crate::mock::{DescribedBehaviour, MockNews, MockSettings, MockVersion, Numbering};
use crate::scenario::{
    EndpointUrl, GatewayModel, GatewayPlan, GatewayVersion, KeysPlan, Limits, LogFormat, LogLevel,
    LogPlan, ModelPlan, NotifyPlan, Scenario, StatePlan, StickyBy, StickySource, Timeouts,
    UpstreamEndpoint, VersionPlan,
};
use crate::units::Duration;

/// The gateway of `scenario`, whose versions are all answered for by the mock at `mock`. Nothing is
/// deployed until its interface is asked to.
pub(super) fn gateway_plan(
    scenario: &Scenario,
    mock: SocketAddr,
) -> Result<GatewayPlan, LiveError> {
    let limit = scenario.limits.upstream;
    let timeouts = Timeouts {
        connect: limit,
        first_byte: limit,
        idle: limit,
        total: limit,
        idle_connection: KEPT,
    };
    let url = EndpointUrl::new(&format!("http://{mock}/v1"))
        .map_err(|error| LiveError::Interface(error.to_string()))?;
    let upstream = |version: &VersionPlan| UpstreamEndpoint {
        name: version.id.to_string(),
        url: url.clone(),
        key: None,
        headers: Vec::new(),
        timeouts,
        concurrency: None,
    };
    Ok(GatewayPlan {
        listen: vec![ANY_PORT],
        state: StatePlan::Memory,
        upstreams: scenario.versions().map(upstream).collect(),
        models: scenario.models.iter().map(model).collect(),
        limits: LIMITS,
        keys: KeysPlan { grace: Duration::ZERO },
        notify: NotifyPlan::default(),
        drain_delay: Duration::ZERO,
        drain: Duration::ZERO,
        record: None,
        log: LogPlan { format: LogFormat::Text, level: LogLevel::Error },
    })
}

/// The mock of all upstreams of `scenario`, each under the name of its version, whose requests say
/// their numbers so.
pub(super) fn mock_settings(
    scenario: &Scenario,
    (seed, clock): (u64, WallClock),
    news: Sender<MockNews>,
    numbering: Numbering,
) -> Result<MockSettings, LiveError> {
    let version = |version: &VersionPlan| {
        let behaviour = version.behaviour()?.clone();
        let models = vec![version.id.to_string()];
        Some(MockVersion { models, behaviour: DescribedBehaviour::undescribed(behaviour) })
    };
    // Every request says how many tokens its answer is to have.
    let tokens =
        Distribution::constant(1.0).map_err(|error| LiveError::Interface(error.to_string()))?;
    Ok(MockSettings {
        versions: scenario.versions().filter_map(version).collect(),
        seed,
        clock,
        tokens,
        numbering,
        news: Some(news),
    })
}

fn model(plan: &ModelPlan) -> GatewayModel {
    let version = |version: &VersionPlan| GatewayVersion {
        id: version.id.clone(),
        upstream: version.id.to_string(),
        tags: version.tags.clone(),
        // The mock knows its versions by their ids.
        parameters: Map::from_iter([("model".to_owned(), version.id.as_str().into())]),
        price: version.price,
        notes: String::new(),
        concurrency: None,
    };
    GatewayModel {
        id: plan.id.clone(),
        max_versions: ModelSettings::new(plan.id.clone()).max_versions,
        versions: plan.versions.iter().map(version).collect(),
        split: Vec::new(),
        assignment: plan.assignment,
        sticky_by: match plan.sticky_by {
            StickyBy::User => StickySource::User,
            StickyBy::Session => StickySource::Session,
            StickyBy::Client => StickySource::Client,
        },
        policies: plan.policies.clone(),
        rules: plan.rules.clone(),
        rollout: None,
    }
}

/// Any free port of this machine, for itself alone.
pub(super) const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// How long connections to the mock are kept, which keeps them itself. Chosen: longer than runs
/// pause.
const KEPT: Duration = Duration::from_secs(86_400);
/// What clients are not to meet: a scenario knows no such limits.
const LIMITS: Limits = Limits {
    body_bytes: 64 << 20,
    header_bytes: 64 << 10,
    headers: 100,
    answer_bytes: 64 << 20,
    requests: None,
    connections: None,
    read_timeout: Duration::from_secs(600),
    idle_timeout: Duration::from_secs(3_600),
    write_timeout: Duration::from_secs(3_600),
};
