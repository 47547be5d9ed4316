//! Whoever operates the gateway in a live run: asks its interface, as a user's program does.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration as Wait;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Url};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::error::LiveError;
use super::orders::{Again, Ask};
use super::status::of_model;
use crate::clock::{TimeScale, WallClock};
use crate::director::{ModelStanding, Standing};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::notify::{WebTls, causes};
use crate::scenario::Scenario;
use crate::units::TagName;

/// Asks one gateway.
pub(super) struct Operator {
    runtime: Runtime,
    http: reqwest::Client,
    /// Without a slash at its end.
    base: String,
    key: HeaderValue,
    /// What its access key is called.
    pub(super) key_id: String,
    /// For how long it asks; `None`: once, for as long as that takes.
    patience: Option<Patience>,
    /// What repeated requests are known by begins with this, and ends with their number.
    name: String,
    named: Cell<u64>,
}

/// For how long a gateway elsewhere is asked.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// Until an answer has come.
    each: Wait,
    /// Until one has come of several requests for the same, as the way there may be cut for a
    /// moment; `None`: there is but one.
    total: Option<Wait>,
}

/// Where the events of a gateway come from.
#[derive(Debug)]
pub(super) struct EventSource {
    http: reqwest::Client,
    url: Url,
    key: HeaderValue,
}

impl EventSource {
    /// The request for the events after a journal entry.
    pub(super) fn request(&self, after: u64) -> RequestBuilder {
        let request = self.http.get(self.url.clone()).header(AUTHORIZATION, self.key.clone());
        request.header("last-event-id", after)
    }
}

/// That a gateway refuses what it is asked for, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) why: String,
}

/// An answer, or a refusal.
pub(super) type Answer = Result<Value, Refused>;

impl Operator {
    /// One of the harness's own gateway at `base`, such as `http://127.0.0.1:8080`, with an access
    /// key of scope admin: it answers, however busy the machine is.
    pub(super) fn new(base: &str, key: &str) -> Result<Self, LiveError> {
        Self::with(base, key, None)
    }

    /// One of a gateway elsewhere, which may never answer, or not at once.
    pub(super) fn far(base: &str, key: &str) -> Result<Self, LiveError> {
        Self::with(base, key, Some(PATIENCE))
    }

    fn with(base: &str, key: &str, patience: Option<Patience>) -> Result<Self, LiveError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let base = base.trim_end_matches('/').to_owned();
        let key_id = key.split('.').next().unwrap_or_default().to_owned();
        let http = client(patience.map(|patience| patience.each))?;
        // No two runs begin at one nanosecond.
        let name = format!("coalmine-{:x}-", WallClock::new(TimeScale::REAL).now().as_nanos());
        let (key, named) = (bearer(key)?, Cell::new(0));
        Ok(Self { runtime, http, base, key, key_id, patience, name, named })
    }

    /// Asks with the operator's own key.
    pub(super) fn ask(&self, ask: &Ask) -> Result<Answer, LiveError> {
        self.ask_as(ask, &self.key, self.patience)
    }

    /// Asks with the operator's own key, and once: who does not answer is not there.
    pub(super) fn ask_once(&self, ask: &Ask) -> Result<Answer, LiveError> {
        let once = |Patience { each, total }| Patience { each: total.unwrap_or(each), total: None };
        self.ask_as(ask, &self.key, self.patience.map(once))
    }

    /// Asks with the operator's own key, for a short while.
    pub(super) fn ask_shortly(&self, ask: &Ask) -> Result<Answer, LiveError> {
        self.ask_as(ask, &self.key, self.patience.and(Some(SHORT)))
    }

    /// Asks with the key of a client.
    pub(super) fn ask_by(&self, ask: &Ask, key: &str) -> Result<Answer, LiveError> {
        self.ask_as(ask, &bearer(key)?, self.patience)
    }

    /// Asks for what no gateway refuses.
    pub(super) fn read(&self, ask: &Ask) -> Result<Value, LiveError> {
        let refused = |Refused { status, why }| LiveError::Interface(format!("{status}: {why}"));
        self.ask(ask)?.map_err(refused)
    }

    /// How the deployments of `scenario` stand.
    pub(super) fn standing(&self, scenario: &Scenario) -> Result<Standing, LiveError> {
        let status = self.read(&Ask::status())?;
        let mut models = Vec::new();
        for (model, plan) in (0..).map(ModelIndex).zip(&scenario.models) {
            let versions = self.read(&Ask::versions(&plan.id))?;
            let rollout = of_model(&status, &plan.id).map(|state| &state["rollout"]);
            let place = |name: &str| {
                let place = plan.versions.iter().position(|it| it.id.as_str() == name)?;
                Some(VersionIndex(scenario.first_version(model).0 + place as u16))
            };
            models.push(standing(&versions, rollout, place));
        }
        Ok(Standing { models })
    }

    /// Where events come from, for whoever follows them on a thread of its own: nothing of it
    /// depends on this one.
    pub(super) fn events(&self) -> Result<EventSource, LiveError> {
        let (http, url) = (client(Some(SILENCE))?, self.url("/v1/deploy/events")?);
        Ok(EventSource { http, url, key: self.key.clone() })
    }

    /// Asks a version of a model for the shortest of answers, as the request `id`; tells what is
    /// said to that.
    pub(super) async fn probe(&self, (model, version): (&str, &str), id: String) -> String {
        let body = json!({
            "model": format!("{model}@{version}"),
            "messages": [{"role": "user", "content": "probe"}],
            "max_tokens": 1,
        });
        let Ok(url) = self.url("/v1/chat/completions") else { return String::new() };
        let request = self.http.post(url).header(AUTHORIZATION, self.key.clone());
        let request = request.header("content-type", "application/json");
        let request = request.header("x-request-id", id).body(body.to_string());
        let answer = async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            let text = response.text().await?;
            Ok::<_, reqwest::Error>((status, text))
        };
        match answer.await {
            Ok((status, text)) => {
                let value = serde_json::from_str(&text).unwrap_or(Value::Null);
                let words = value["error"]["message"].as_str().unwrap_or("an answer");
                format!("{status}, {words}")
            }
            Err(error) => causes(&error.without_url(), LONGEST_CAUSE),
        }
    }

    /// Waits for `future`.
    pub(super) fn wait_for<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn url(&self, path: &str) -> Result<Url, LiveError> {
        Url::parse(&format!("{}{path}", self.base)).map_err(|error| failed(&error))
    }

    fn ask_as(
        &self,
        ask: &Ask,
        key: &HeaderValue,
        patience: Option<Patience>,
    ) -> Result<Answer, LiveError> {
        let request = self.request(ask, key, patience)?;
        self.runtime.block_on(async {
            let Some(total) = patience.and_then(|patience| patience.total) else {
                return answer(&request).await.map_err(|failed| failed.error);
            };
            let mut last = None;
            let asking = async {
                loop {
                    match answer(&request).await {
                        Err(failed) if failed.may_be_repeated(ask.again()) => {
                            last = Some(failed.error);
                        }
                        other => return other.map_err(|failed| failed.error),
                    }
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            };
            let answered = tokio::time::timeout(total, asking).await;
            let unanswered = || LiveError::Interface("no answer comes".to_owned());
            answered.unwrap_or_else(|_| Err(last.unwrap_or_else(unanswered)))
        })
    }

    fn request(
        &self,
        ask: &Ask,
        key: &HeaderValue,
        patience: Option<Patience>,
    ) -> Result<RequestBuilder, LiveError> {
        let Ask { method, path, body } = ask;
        // Of the methods that requests here have all are known.
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        let mut request = self.http.request(method, self.url(path)?).header(AUTHORIZATION, key);
        if let Some(Patience { each, .. }) = patience {
            request = request.timeout(each);
        }
        if ask.again() == Again::Known {
            let number = self.named.get();
            self.named.set(number + 1);
            request = request.header("idempotency-key", format!("{}{number}", self.name));
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        Ok(request)
    }
}

/// That no answer came, or one of a server that is not well.
struct Failed {
    error: LiveError,
    /// Whether the gateway may have got the request.
    may_have_come: bool,
}

impl Failed {
    fn may_be_repeated(&self, again: Again) -> bool {
        again != Again::Never || !self.may_have_come
    }
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        let may_have_come = !error.is_connect();
        Self { error: failed(&error.without_url()), may_have_come }
    }
}

/// Sends a request once.
async fn answer(request: &RequestBuilder) -> Result<Answer, Failed> {
    let Some(request) = request.try_clone() else {
        let error = LiveError::Interface("a request cannot be sent twice".to_owned());
        return Err(Failed { error, may_have_come: false });
    };
    let response = request.send().await?;
    let (status, text) = (response.status(), response.text().await?);
    let value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(Ok(value));
    }
    if status.is_server_error() {
        let error = LiveError::Interface(format!("{}: {}", status.as_u16(), words(&value)));
        return Err(Failed { error, may_have_come: true });
    }
    Ok(Err(Refused { status: status.as_u16(), why: words(&value) }))
}

/// A client of gateways; `patience`: how long it waits for a connection, and for each part of an
/// answer.
fn client(patience: Option<Wait>) -> Result<reqwest::Client, LiveError> {
    let tls = WebTls::of_machine().map_err(|error| failed(&error))?;
    let mut client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.config)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .user_agent(concat!("coalmine/", env!("CARGO_PKG_VERSION")));
    if let Some(patience) = patience {
        // Of each reading: events come once a second at least.
        client = client.connect_timeout(patience).read_timeout(patience);
    }
    client.build().map_err(|error| failed(&error))
}

/// How a model stands by the list of its versions and the state of its rollout; `place` knows where
/// a version stands in the plan.
fn standing(
    versions: &Value,
    rollout: Option<&Value>,
    place: impl Fn(&str) -> Option<VersionIndex>,
) -> ModelStanding {
    let mut standing = ModelStanding::default();
    for version in versions.as_array().into_iter().flatten() {
        let Some(index) = version["id"].as_str().and_then(&place) else { continue };
        let tags = version["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
        standing.tags.extend(tags.filter_map(|tag| Some((TagName::new(tag).ok()?, index))));
        if version["status"] == "rolled_back" {
            standing.rolled_back.push(index);
        }
    }
    let promoted = rollout.filter(|rollout| rollout["state"] == "promoted");
    standing.promoted = promoted.and_then(|rollout| rollout["version"].as_str()).and_then(place);
    standing
}

/// What an error of the interface says.
fn words(value: &Value) -> String {
    value["error"]["message"].as_str().unwrap_or("it says no more").to_owned()
}

fn bearer(key: &str) -> Result<HeaderValue, LiveError> {
    let value = HeaderValue::try_from(format!("Bearer {key}"));
    let mut value = value.map_err(|_| {
        LiveError::Interface("the access key has a character that no header may have".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn failed(error: &(dyn Error + 'static)) -> LiveError {
    LiveError::Interface(causes(error, LONGEST_CAUSE))
}

/// Chosen: as long as people wait for a gateway that is busy, or is started anew.
const PATIENCE: Patience = Patience { each: Wait::from_secs(5), total: Some(Wait::from_secs(10)) };
/// Of who wants to end. Chosen: many times what an answer takes, and no long wait.
const SHORT: Patience = Patience { each: Wait::from_secs(2), total: Some(Wait::from_secs(2)) };
/// Chosen: far below what a gateway takes to begin, and no load for it.
const AGAIN_AFTER: Wait = Wait::from_millis(100);
/// After what silence a stream of events counts as broken. Chosen: some come each second.
const SILENCE: Wait = Wait::from_secs(5);
/// Chosen: room for a chain of three or four errors.
const LONGEST_CAUSE: usize = 300;

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn tags_rollbacks_and_promotions_are_read_off_the_interface() {
        let versions = json!([
            {"id": "old", "tags": ["stable", "first"], "status": "stable"},
            {"id": "new", "tags": [], "status": "rolled_back"},
            {"id": "unknown", "tags": ["beta"], "status": "idle"},
        ]);
        let place = |name: &str| {
            let place = ["old", "new"].iter().position(|known| *known == name)?;
            Some(VersionIndex(4 + place as u16))
        };
        let rollout = json!({"state": "promoted", "version": "old"});
        let read = standing(&versions, Some(&rollout), place);
        let tag = |name: &str| (TagName::new(name).unwrap(), VersionIndex(4));
        assert_eq!(read.tags, [tag("stable"), tag("first")]);
        assert_eq!(read.rolled_back, [VersionIndex(5)]);
        assert_eq!(read.promoted, Some(VersionIndex(4)));
        let idle = json!({"state": "idle", "version": null});
        assert_eq!(standing(&versions, Some(&idle), place).promoted, None);
    }
}
