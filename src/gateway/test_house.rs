//! A gateway for tests: all of it but its sockets and its upstreams.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, oneshot};
use tower::ServiceExt;

use super::access_secret::AccessSecret;
use super::admin::router;
use super::desk::Desk;
use super::endpoint::Endpoint;
use super::front::Front;
use super::house::{House, ModelSetting, Settings};
use super::job::{Answered, Job};
use super::keeper::Keeper;
use super::meters::Meters;
use super::notices::Notices;
use super::post::Post;
use super::room::Room;
use super::told::Told;
use crate::chance::Chance;
use crate::clock::{TimeScale, WallClock};
use crate::engine::{
    Command, CommandKind, DurableState, Engine, ModelSettings, NewKey, Scope, Target, Version,
};
use crate::exchange::ModelIndex;
use crate::notify::{NotifySettings, Now};
use crate::scenario::{EndpointUrl, Limits, StickySource, Timeouts, UpstreamEndpoint};
use crate::store::{SqliteJournal, fold};
use crate::units::{Duration, KeyId, ModelId, Ratio, TagName, Timestamp, VersionId};

/// A gateway with the models `gpt-4`, `org/name` and `claude-sonnet`, two versions each.
pub(super) struct TestHouse {
    pub(super) front: Arc<Front>,
    pub(super) router: Router,
    /// An access key of scope admin.
    pub(super) key: String,
    keeper: Option<JoinHandle<()>>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    /// Null where the body is no JSON.
    pub(super) body: Value,
}

impl TestHouse {
    pub(super) async fn new() -> Self {
        Self::at_scale(1.0).await
    }

    /// One whose clock runs so many times as fast.
    pub(super) async fn at_scale(times: f64) -> Self {
        let mut house = Self::start(None, times, 1_000);
        house.furnish().await;
        house
    }

    /// One that keeps its journal in a file.
    pub(super) async fn in_file(path: &Path) -> Self {
        let mut house = Self::start(Some(path), 1.0, 1_000);
        house.furnish().await;
        house
    }

    /// One that goes on where another one ended.
    pub(super) fn again(path: &Path, key: &str) -> Self {
        let mut house = Self::start(Some(path), 1.0, 1_000);
        key.clone_into(&mut house.key);
        house
    }

    /// One whose listeners are told no more than `backlog` events at once.
    pub(super) async fn with_backlog(backlog: usize) -> Self {
        let mut house = Self::start(None, 1.0, backlog);
        house.furnish().await;
        house
    }

    pub(super) fn desk(&self) -> &Desk {
        &self.front.house.desk
    }

    /// Sends a request with the admin key; `body` is JSON.
    pub(super) async fn call(&self, method: &str, path: &str, body: Option<&str>) -> Reply {
        self.call_with(method, path, body, &[]).await
    }

    /// The same with more headers; one that is there already is replaced.
    pub(super) async fn call_with(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&'static str, &str)],
    ) -> Reply {
        Reply::of(self.send(method, path, body, headers).await).await
    }

    /// The same; the body of the response is left where it is.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&'static str, &str)],
    ) -> Response<Body> {
        let mut request = Request::new(Body::from(body.unwrap_or_default().to_owned()));
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = path.parse().unwrap();
        let bearer = format!("Bearer {}", self.key);
        request.headers_mut().insert("authorization", bearer.parse().unwrap());
        if body.is_some() {
            request.headers_mut().insert("content-type", "application/json".parse().unwrap());
        }
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Another access key.
    pub(super) async fn new_key(&self, id: &str, scope: Scope, models: Option<&[&str]>) -> String {
        let id = KeyId::new(id).unwrap();
        let secret = AccessSecret::new(id.clone()).unwrap();
        let models = models.map(|all| all.iter().map(|id| ModelId::new(id).unwrap()).collect());
        let digest = secret.digest();
        let new = NewKey { id, digest, scope, models, version: None };
        self.command(0, CommandKind::CreateKey(Box::new(new))).await;
        secret.to_text()
    }

    pub(super) async fn command(&self, model: u16, kind: CommandKind) {
        let command = Command { model: ModelIndex(model), by: "start".to_owned(), kind };
        let answer = |_: &_, _: Option<&_>| Answered { status: 200, body: String::new() };
        self.front.command(command, None, answer).await.unwrap();
    }

    fn start(path: Option<&Path>, times: f64, backlog: usize) -> Self {
        let Idle { keeper, jobs, taken, listeners } = Idle::new(path, times, backlog);
        let house = Arc::clone(keeper.house());
        let keeper = std::thread::spawn(move || keeper.run(&taken));
        let front = Arc::new(Front::new(house, jobs, listeners, Duration::from_secs(300)));
        let router = router(Arc::clone(&front));
        Self { front, router, key: String::new(), keeper: Some(keeper) }
    }

    /// The versions and tags that the seed's programs speak of, and the admin key.
    async fn furnish(&mut self) {
        self.key = self.new_key("ops", Scope::Admin, None).await;
        for (index, (versions, tag)) in VERSIONS.into_iter().enumerate() {
            let model = index as u16;
            for id in versions {
                let id = VersionId::new(id).unwrap();
                let version = Version::new(id, "mock", Timestamp::from_second(1_700_000_000));
                self.command(model, CommandKind::Register(Box::new(version))).await;
            }
            for tag in ["stable", tag] {
                let (tag, version) = (TagName::new(tag).unwrap(), target(versions[0]));
                let kind = CommandKind::Tag { tag, version, preserve_previous: true };
                self.command(model, kind).await;
            }
            let half = Ratio::from_percent(50);
            let shares = versions.map(|id| (target(id), half)).to_vec();
            self.command(model, CommandKind::Split { shares, redeploy: false }).await;
        }
    }
}

/// A keeper that has not begun to work, and what it would be reached by.
pub(super) struct Idle {
    pub(super) keeper: Keeper<SqliteJournal>,
    jobs: mpsc::Sender<Job>,
    taken: mpsc::Receiver<Job>,
    listeners: broadcast::Sender<Arc<Told>>,
}

impl Idle {
    pub(super) fn new(path: Option<&Path>, times: f64, backlog: usize) -> Self {
        let (journal, state, runtime) = open(path.map(Path::to_owned));
        let clock = WallClock::new(TimeScale::new(times).unwrap());
        let models = MODELS.map(|id| ModelId::new(id).unwrap());
        let settings = models.iter().cloned().map(ModelSettings::new);
        let engine = Engine::restore(clock.now(), settings, state);
        let (jobs, taken) = mpsc::channel();
        let desk = Arc::new(Desk::new(clock, models.to_vec(), engine, jobs.clone()));
        let setting = ModelSetting { sticky_by: StickySource::User, may_retry: false };
        let settings = Settings {
            link: None,
            sends_mail: false,
            room: Room::new(None),
            limits: limits(),
            endpoints: vec![Arc::new(endpoint())],
            models: vec![setting; models.len()],
            concurrency: BTreeMap::new(),
            rooms: Arc::default(),
        };
        let house = Arc::new(House::new(desk, Arc::new(Meters::new()), settings));
        // What a restart has told is the keeper's.
        house.desk.with(|inner, _| {
            let models = house.desk.models();
            let routes = house.settings().routes(&house.meters, models, &mut inner.engine);
            inner.routes = routes.unwrap();
        });
        let (listeners, _) = broadcast::channel(backlog);
        let around = (Chance::new(0, 0), Now::new(|| Timestamp::EPOCH));
        let post = Post::start(NotifySettings::default(), around, |_| {}).unwrap();
        let told = (Notices::default(), Vec::new());
        let keeper =
            Keeper::new(Arc::clone(&house), journal, runtime, listeners.clone(), post, told);
        Self { keeper, jobs, taken, listeners }
    }
}

impl Drop for TestHouse {
    fn drop(&mut self) {
        let (done, _) = oneshot::channel();
        let stopped = self.front.ask(Job::Stop { patience: Duration::ZERO, done }).is_ok();
        if let Some(keeper) = self.keeper.take().filter(|_| stopped) {
            let _ = keeper.join();
        }
    }
}

impl Reply {
    async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status: head.status.as_u16(), headers: head.headers, text, body }
    }

    /// The member `message` of an error.
    pub(super) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    /// Status, `code` and `param` of an error.
    pub(super) fn error(&self) -> (u16, &str, &str) {
        let member = |name: &str| self.body["error"][name].as_str().unwrap_or_default();
        (self.status, member("code"), member("param"))
    }
}

pub(super) fn target(name: &str) -> Target {
    Target::new(name).unwrap()
}

/// The journal, what it leads to, and the runtime that is its own: made on another thread, since no
/// runtime starts within another.
fn open(path: Option<std::path::PathBuf>) -> (SqliteJournal, DurableState, Runtime) {
    let opening = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (journal, state) = runtime.block_on(async {
            let mut journal = match path {
                Some(path) => SqliteJournal::open(&path).await.unwrap(),
                None => SqliteJournal::in_memory().await.unwrap(),
            };
            let state = fold(&mut journal).await.unwrap();
            (journal, state)
        });
        (journal, state, runtime)
    });
    opening.join().unwrap()
}

fn endpoint() -> Endpoint {
    let second = Duration::from_secs(1);
    let plan = UpstreamEndpoint {
        name: "mock".to_owned(),
        url: EndpointUrl::new("http://127.0.0.1:1/v1").unwrap(),
        key: None,
        headers: Vec::new(),
        timeouts: Timeouts {
            connect: second,
            first_byte: second,
            idle: second,
            total: second,
            idle_connection: second,
        },
        concurrency: None,
    };
    Endpoint::new(&plan, None).unwrap()
}

fn limits() -> Limits {
    Limits {
        body_bytes: 100_000,
        header_bytes: 16_384,
        headers: 100,
        answer_bytes: 100_000,
        requests: None,
        connections: None,
        read_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(10),
        write_timeout: Duration::from_secs(10),
    }
}

const MODELS: [&str; 3] = ["gpt-4", "org/name", "claude-sonnet"];
const VERSIONS: [([&str; 2], &str); 3] = [
    (["gpt-4-v1", "gpt-4-turbo-v2"], "stable-v2024.03.15"),
    (["name-1", "name-2"], "first"),
    (["claude-1", "claude-2"], "stable-v4.3"),
];
