//! The plan of a gateway: what its configuration means, without a flaw.
//!
//! Plain data of the engine's and of unit types. Secrets are not in it: a [`Credential`] says where
//! one is found, and a [`SecretUrl`] that stands in the file shows its host alone.

use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::engine::{Assignment, Ladder, ModelSettings, Policies, RuleSet, Version};
use crate::units::{Duration, ModelId, Price, Ratio, TagName, Timestamp, VersionId};

use super::endpoint_url::EndpointUrl;
use super::secret_url::SecretUrl;

/// What a gateway serves, from where, and how.
#[derive(Clone, PartialEq, Debug)]
pub struct GatewayPlan {
    /// The addresses that it listens at, at least one, none twice; the port 0 means any free one.
    pub listen: Vec<SocketAddr>,
    /// Where its journal is kept.
    pub state: StatePlan,
    /// What answers its requests, in the order of the file, each with a name of its own.
    pub upstreams: Vec<UpstreamEndpoint>,
    /// The models that clients can ask for, in the order of the file. At least one.
    pub models: Vec<GatewayModel>,
    /// What it takes from clients at most.
    pub limits: Limits,
    /// How access keys are dealt with.
    pub keys: KeysPlan,
    /// Where notifications go beside what the rules say.
    pub notify: NotifyPlan,
    /// How long it goes on taking requests at its end, while it says that it is not ready; zero: it
    /// takes no more at once.
    pub drain_delay: Duration,
    /// How long it then waits for the requests under way; zero: not at all.
    pub drain: Duration,
    /// What it logs.
    pub log: LogPlan,
    /// Where requests and their outcomes are recorded; `None`: nowhere.
    pub record: Option<RecordPlan>,
}

/// Where the requests of a gateway and their outcomes are recorded, as a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordPlan {
    /// The file, whose path is relative to the working directory if the configuration's is. Those
    /// before it stand beside it, under its name with a number.
    pub file: PathBuf,
    /// How many bytes it has when the next one is begun, 1 MiB at least.
    pub bytes: u64,
    /// How many of those before it are kept; `None`: all.
    pub keep: Option<NonZeroU32>,
}

impl RecordPlan {
    /// In this file, 256 MiB at a time, all of which are kept.
    pub const fn new(file: PathBuf) -> Self {
        Self { file, bytes: 256 << 20, keep: None }
    }
}

impl GatewayPlan {
    /// The upstream of this name.
    pub fn upstream(&self, name: &str) -> Option<&UpstreamEndpoint> {
        self.upstreams.iter().find(|upstream| upstream.name == name)
    }
}

/// Where the journal of a gateway is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StatePlan {
    /// In memory: it ends with the process.
    Memory,
    /// In this file, whose path is relative to the working directory if the configuration's is.
    File(PathBuf),
}

/// What answers the requests of versions: a server that speaks the OpenAI protocol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpstreamEndpoint {
    /// What versions name it by.
    pub name: String,
    /// What the paths of requests are appended to (`/chat/completions`).
    pub url: EndpointUrl,
    /// The secret that is sent along; `None`: none is.
    pub key: Option<UpstreamKey>,
    /// Headers that are sent along, no name twice. None of them is one of the protocol's own or
    /// carries a secret.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// How many requests are under way at it at once; `None`: any number.
    pub concurrency: Option<NonZeroU32>,
}

/// The secret that is sent to an upstream, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpstreamKey {
    /// Where it is found.
    pub credential: Credential,
    /// The header that carries it: in `Authorization` it follows `Bearer `, in any other it stands
    /// alone.
    pub header: HeaderName,
}

/// Where a secret is found. The driver reads it; white space around it is no part of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Credential {
    /// In the environment variable of this name.
    Env(String),
    /// In this file, whose path is relative to the working directory if the configuration's is.
    File(PathBuf),
}

/// How long an upstream may take. Each is more than zero; no part is longer than `total`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// Until a connection stands, its TLS included.
    pub connect: Duration,
    /// From there until the head of the answer.
    pub first_byte: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
    /// For the attempt as a whole.
    pub total: Duration,
    /// How long a connection is kept that nobody uses; it may be longer than `total`.
    pub idle_connection: Duration,
}

/// A model that clients can ask for.
#[derive(Clone, PartialEq, Debug)]
pub struct GatewayModel {
    /// What clients ask for.
    pub id: ModelId,
    /// The most versions that it may have, those of the file included.
    pub max_versions: u16,
    /// Those that are registered when the gateway starts, in the order of the file. Unless there
    /// are none, one has the tag `stable`.
    pub versions: Vec<GatewayVersion>,
    /// What is deployed at the first start, in the order of the versions: weights that sum to 1,
    /// each version once. Empty where there are no versions: then nothing is.
    pub split: Vec<(VersionId, Ratio)>,
    /// How the split chooses.
    pub assignment: Assignment,
    /// What requests stick by, where they do.
    pub sticky_by: StickySource,
    /// What becomes of requests whose attempts fail.
    pub policies: Policies,
    /// What rolls back.
    pub rules: RuleSet,
    /// A rollout that begins at the first start, from all weight at the stable.
    pub rollout: Option<GatewayRollout>,
}

impl GatewayModel {
    /// What the engine is to know of it from the start.
    pub fn settings(&self) -> ModelSettings {
        ModelSettings { max_versions: self.max_versions, ..ModelSettings::new(self.id.clone()) }
    }
}

/// A version of a model.
#[derive(Clone, PartialEq, Debug)]
pub struct GatewayVersion {
    /// Its name.
    pub id: VersionId,
    /// The name of what answers its requests, one of the plan's upstreams.
    pub upstream: String,
    /// The tags that name it at the first start.
    pub tags: Vec<TagName>,
    /// What is put into the bodies of its requests.
    pub parameters: Map<String, Value>,
    /// What it charges, where stated.
    pub price: Option<Price>,
    /// What its maker says about it; may be empty.
    pub notes: String,
    /// How many of its requests are under way at once; `None`: any number.
    pub concurrency: Option<NonZeroU32>,
}

impl GatewayVersion {
    /// Whether it would be registered as something else than `other`, or be tagged otherwise.
    pub fn is_other_than(&self, other: &Self) -> bool {
        (&self.upstream, &self.parameters, self.price, &self.notes, &self.tags)
            != (&other.upstream, &other.parameters, other.price, &other.notes, &other.tags)
    }

    /// The version as it is registered at `created_at`.
    pub fn to_version(&self, created_at: Timestamp) -> Version {
        Version {
            parameters: self.parameters.clone(),
            price: self.price,
            notes: self.notes.clone(),
            ..Version::new(self.id.clone(), &self.upstream, created_at)
        }
    }
}

/// What the requests of one owner have in common, where they stick to their version.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum StickySource {
    /// The member `user` of their body.
    #[default]
    User,
    /// Their header `X-Session-Id`.
    Session,
    /// The access key of their client.
    Client,
    /// Another header.
    Header(HeaderName),
}

/// A rollout that begins at the first start.
#[derive(Clone, PartialEq, Debug)]
pub struct GatewayRollout {
    /// The canary, none that is the stable.
    pub version: VersionId,
    /// Its steps.
    pub ladder: Ladder,
    /// How long the rules cover it after its promotion.
    pub bake: Duration,
}

/// What a gateway takes from its clients at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The bytes of a request's body: more is answered by 413.
    pub body_bytes: u64,
    /// The bytes of a request's head: more is answered by 431.
    pub header_bytes: u32,
    /// The headers of a request: more is answered by 431.
    pub headers: u16,
    /// The bytes of an upstream's plain answer: more counts as a malformed one.
    pub answer_bytes: u64,
    /// The requests under way at once: one more is answered by 503. `None`: any number.
    pub requests: Option<NonZeroU32>,
    /// The connections open at once: one more waits. `None`: any number.
    pub connections: Option<NonZeroU32>,
    /// How long the head of a request may take to come, and then its body; more than zero.
    pub read_timeout: Duration,
    /// How long a connection is kept between two requests, with the head of the second; more than
    /// zero.
    pub idle_timeout: Duration,
    /// How long a client may take none of what it is sent; more than zero.
    pub write_timeout: Duration,
}

/// How access keys are dealt with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeysPlan {
    /// How long the old secret of a regenerated key is valid still, unless the command says
    /// otherwise.
    pub grace: Duration,
}

/// Where notifications go beside what the rules say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NotifyPlan {
    /// What takes e-mails; `None`: none can be sent.
    pub smtp: Option<SmtpPlan>,
    /// The Slack incoming webhook of models whose rules name none.
    pub slack: Option<WebhookPlan>,
    /// What every notification is posted to, with its journal entry.
    pub webhook: Option<WebhookPlan>,
    /// The secret by which messages to that are signed; `None`: they are not.
    pub webhook_secret: Option<Credential>,
    /// Where people reach the gateway: what links in notifications begin with.
    pub base_url: Option<EndpointUrl>,
}

/// A server that takes e-mails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmtpPlan {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: NonZeroU16,
    /// The address that e-mails come from: `NAME@HOST`, or `TEXT <NAME@HOST>`.
    pub from: String,
    /// How the connection is secured.
    pub security: SmtpSecurity,
    /// Who is logged in; `None`: nobody is.
    pub login: Option<SmtpLogin>,
}

/// Who is logged in at a server that takes e-mails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmtpLogin {
    /// The name.
    pub user: String,
    /// Where the password is found.
    pub password: Credential,
}

/// How a connection to a server that takes e-mails is secured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SmtpSecurity {
    /// It begins in the clear and must go on in TLS (port 587).
    #[default]
    StartTls,
    /// In TLS from the first byte (port 465).
    Tls,
    /// Not at all (port 25).
    None,
}

impl SmtpSecurity {
    /// The port where it is spoken, unless another is said.
    pub const fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// What notifications are posted to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WebhookPlan {
    /// The URL that stands in the file.
    Plain(SecretUrl),
    /// The URL that is found there, a [`SecretUrl`] too.
    Stored(Credential),
}

/// What a gateway logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogPlan {
    /// The form of a line.
    pub format: LogFormat,
    /// The least that is logged.
    pub level: LogLevel,
}

/// The form of a line of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object.
    Json,
}

/// How much is logged, from the least to the most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What is odd as well.
    Warn,
    /// What happened as well.
    Info,
    /// How it came about as well.
    Debug,
    /// Everything.
    Trace,
}
