//! `GET /v1/deploy/events`: what happens, as server-sent events: every journal entry exactly once
//! and in its order, what the engine tells besides, and once a second how everything stands.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use futures_util::stream;
use http::Response;
use serde_json::{Value, json};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::admin_request::AdminRequest;
use super::chronicle::Pasts;
use super::denied::{forbidden_error, wrong_key};
use super::entry_view::entry_json;
use super::journal_page::read_page;
use super::office::Office;
use super::room::Seat;
use super::status_view::{Span, StatusView};
use super::told::Told;
use crate::engine::{Digest, Scope, Sealed};
use crate::exchange::{ModelIndex, RetryAfter};
use crate::units::ModelId;
use crate::wire::ApiError;

/// `GET /v1/deploy/events`
pub(super) fn events(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let models = request.models(Scope::Admin)?;
    if models.is_empty() {
        request.all_models(Scope::Admin)?;
    }
    let key = super::access_secret::Presented::of(&request.head.headers)?;
    let resume = resume(request)?;
    let seat = request.office.listeners.enter().ok_or_else(|| {
        let wait = RetryAfter::of(crate::units::Duration::from_secs(5));
        ApiError::overloaded("as many listen to events as may", wait)
    })?;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = Feed {
        // From here on nothing is missed: what comes before is read from the journal.
        told: request.office.front.listen(),
        office: Arc::clone(&request.office),
        sees_keys: request.all_models(Scope::Admin).is_ok(),
        models,
        key: (key.id.to_owned(), key.secret),
        ready: VecDeque::new(),
        pasts: None,
        last: None,
        resume,
        behind: None,
        ticks,
        is_over: false,
        _seat: seat,
    };
    let events = stream::unfold(feed, |mut feed| async {
        let event = feed.next().await?;
        Some((Ok::<_, Infallible>(event), feed))
    });
    Ok(Sse::new(events).into_response())
}

/// What one listener is told.
struct Feed {
    office: Arc<Office>,
    told: Receiver<Arc<Told>>,
    /// Those that the listener may know of.
    models: Vec<(ModelId, ModelIndex)>,
    /// Whether it may know of what all models share: access keys.
    sees_keys: bool,
    /// By what the listener was authenticated: it is asked again each second.
    key: (String, Digest),
    ready: VecDeque<Event>,
    /// What the journal says; `None`: it has grown since it was read.
    pasts: Option<Pasts>,
    /// The last journal entry that was passed; `None`: none yet.
    last: Option<u64>,
    /// The entry after which the journal is to be read.
    resume: Option<u64>,
    /// The journal is read on behind `last`, a page at a time, before anything else is told: up to
    /// before the entry that comes with it, or to its end.
    behind: Option<Behind>,
    ticks: Interval,
    is_over: bool,
    _seat: Seat,
}

/// Why the journal is read.
enum Behind {
    /// The listener comes again.
    Resumed,
    /// An entry was told, and those before it were not.
    Missed(Arc<Told>, u64),
}

impl Feed {
    /// The next event; `None`: there are no more.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            if let Some(after) = self.resume.take() {
                self.begin_after(after).await;
                continue;
            }
            if let Some(behind) = self.behind.take() {
                self.catch_up(behind).await;
                continue;
            }
            tokio::select! {
                told = self.told.recv() => self.hear(told),
                _ = self.ticks.tick() => self.tick().await,
            }
        }
    }

    /// Reads the journal from the entry after `after`, which must be there.
    async fn begin_after(&mut self, after: u64) {
        // Nothing comes before the first entry; any other must be one of this journal.
        let known = match after.checked_sub(1) {
            None => Ok(true),
            Some(before) => read_page(&self.office.front, before).await.map(|p| !p.is_empty()),
        };
        match known {
            Ok(true) => {
                self.last = Some(after);
                self.behind = Some(Behind::Resumed);
            }
            Ok(false) => {
                let words = format!("this journal has no entry {after}: it is told from now on");
                self.say("lost", &json!({"message": words}));
            }
            Err(error) => self.end(&error.message),
        }
    }

    /// Passes the next page of what the journal has after the last entry that was passed.
    async fn catch_up(&mut self, behind: Behind) {
        let Some(last) = self.last else { return };
        let page = match read_page(&self.office.front, last).await {
            Ok(page) => page,
            Err(error) => return self.end(&error.message),
        };
        let until = match &behind {
            Behind::Resumed => None,
            Behind::Missed(_, number) => Some(*number),
        };
        let due = |sealed: &&Sealed| until.is_none_or(|until| sealed.entry().number < until);
        let before = self.last;
        for sealed in page.iter().filter(due) {
            let entry = sealed.entry();
            self.last = Some(entry.number);
            if self.may_know(entry.model.as_ref()) {
                self.pass_entry(entry.number, &entry_json(sealed));
            }
        }
        match behind {
            behind if self.last != before => self.behind = Some(behind),
            Behind::Missed(told, number) => self.pass_told(&told, number),
            Behind::Resumed => {}
        }
    }

    /// Passes an entry as it was told.
    fn pass_told(&mut self, told: &Told, number: u64) {
        self.last = Some(number);
        if self.may_know(told.model.as_ref()) {
            self.pass_entry(number, &told.data);
        }
    }

    fn hear(&mut self, told: Result<Arc<Told>, RecvError>) {
        let told = match told {
            Ok(told) => told,
            Err(RecvError::Closed) => return self.end("the gateway is stopping"),
            Err(RecvError::Lagged(missed)) => {
                let words = "this listener is too slow: reconnect with Last-Event-ID";
                self.say("lagged", &json!({"message": words, "missed": missed}));
                self.is_over = true;
                return;
            }
        };
        let Some(number) = told.entry else {
            if self.may_know(told.model.as_ref()) {
                let Told { at, model, data, .. } = &*told;
                let data = json!({"at": at.to_string(), "model": model, "data": data});
                self.say(told.event, &data);
            }
            return;
        };
        self.pasts = None;
        if self.last.is_some_and(|last| number <= last) {
            return;
        }
        // What was told before it came to the disk, to nobody that is listening now.
        if self.last.is_some_and(|last| number > last + 1) {
            self.behind = Some(Behind::Missed(told, number));
        } else {
            self.pass_told(&told, number);
        }
    }

    async fn tick(&mut self) {
        let house = &self.office.front.house;
        if house.readiness.is_draining() {
            return self.end("the gateway is stopping");
        }
        let (id, secret) = &self.key;
        let caller = house.desk.authenticate(id, secret);
        let permits = |(model, _): &(ModelId, ModelIndex)| {
            caller.as_ref().map_err(|_| wrong_key()).and_then(|caller| {
                let permitted = caller.permits(Scope::Admin, model);
                permitted.map_err(|forbidden| forbidden_error(&forbidden))
            })
        };
        if let Err(error) = self.models.iter().try_for_each(permits) {
            return self.end(&error.message);
        }
        // Not each second: a look at the journal keeps its thread from writing.
        let pasts = match self.pasts.take() {
            Some(pasts) => pasts,
            None => self.office.chronicle.pasts(&self.office.front).await,
        };
        let status = StatusView::of(&house.desk, &self.models, &pasts, Span::Minute);
        self.pasts = Some(pasts);
        self.say("metrics", &json!(status));
    }

    fn may_know(&self, model: Option<&ModelId>) -> bool {
        match model {
            Some(model) => self.models.iter().any(|(known, _)| known == model),
            None => self.sees_keys,
        }
    }

    fn pass_entry(&mut self, number: u64, data: &Value) {
        let event = Event::default().id(number.to_string()).event("journal");
        self.ready.push_back(event.data(data.to_string()));
    }

    fn say(&mut self, name: &str, data: &Value) {
        let event = Event::default().event(name).retry(RECONNECT).data(data.to_string());
        self.ready.push_back(event);
    }

    fn end(&mut self, why: &str) {
        self.say("end", &json!({"message": why}));
        self.is_over = true;
    }
}

/// After which entry the listener goes on.
fn resume(request: &AdminRequest) -> Result<Option<u64>, ApiError> {
    let Some(value) = request.head.headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    let number = number.ok_or_else(|| {
        let words = format!("Last-Event-ID is {value:?}; allowed are numbers of journal entries");
        ApiError::invalid("Last-Event-ID", words)
    })?;
    Ok(Some(number))
}

pub(super) const LAST_EVENT_ID: &str = "last-event-id";
/// From the interface's description.
const TICK: Duration = Duration::from_secs(1);
/// How soon a listener that was cut off comes again. Chosen: as often as it is told how all stands.
const RECONNECT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::super::test_house::{TestHouse, target};
    use super::*;
    use crate::engine::CommandKind;

    const PATH: &str = "/v1/deploy/events";

    /// An event: its id, its name and its data.
    type Seen = (String, String, Value);

    /// Events as they come.
    struct Listener(Body, String);

    impl Listener {
        async fn new(house: &TestHouse, headers: &[(&'static str, &str)]) -> Self {
            let response = house.send("GET", PATH, None, headers).await;
            assert_eq!(response.headers()["content-type"], "text/event-stream");
            Self(response.into_body(), String::new())
        }

        /// The next event; `None`: the stream has ended.
        async fn next(&mut self) -> Option<Seen> {
            loop {
                if let Some((event, rest)) = self.1.split_once("\n\n") {
                    let field = |name: &str| {
                        let lines = event.lines();
                        let found = lines.filter_map(|line| line.strip_prefix(name)).next();
                        found.unwrap_or_default().to_owned()
                    };
                    let data = serde_json::from_str(&field("data: ")).unwrap();
                    let seen = (field("id: "), field("event: "), data);
                    self.1 = rest.to_owned();
                    return Some(seen);
                }
                let frame = self.0.frame().await?.unwrap().into_data().unwrap();
                self.1.push_str(std::str::from_utf8(&frame).unwrap());
            }
        }

        /// The next event of this name.
        async fn next_called(&mut self, name: &str) -> Seen {
            loop {
                let seen = self.next().await.unwrap();
                if seen.1 == name {
                    return seen;
                }
            }
        }
    }

    async fn roll_back(house: &TestHouse, version: &str) {
        house.command(1, CommandKind::Rollback(Some(target(version)))).await;
    }

    #[tokio::test]
    async fn a_listener_is_told_at_once_how_things_stand_and_then_what_happens() {
        let house = TestHouse::new().await;
        let mut listener = Listener::new(&house, &[]).await;
        let (id, name, data) = listener.next().await.unwrap();
        assert_eq!((id.as_str(), name.as_str()), ("", "metrics"));
        assert_eq!(data["models"][1]["split"]["name-1"], json!(0.5));
        roll_back(&house, "name-1").await;
        let (_, _, told) = listener.next_called("rolled_back").await;
        assert_eq!(
            (&told["model"], &told["data"]["target"]),
            (&json!("org/name"), &json!("name-1"))
        );
        let (id, _, entry) = listener.next_called("journal").await;
        assert_eq!(id, entry["number"].to_string());
        assert!(entry["change"]["rolled_back"].is_object(), "{entry}");
        let (_, _, status) = listener.next_called("metrics").await;
        assert_eq!(status["journal_entries"], entry["number"]);
        assert_eq!(status["models"][1]["last_rollback"]["journal_entry"], entry["number"]);
    }

    #[tokio::test]
    async fn a_listener_that_comes_again_gets_each_entry_once_and_in_order() {
        let house = TestHouse::new().await;
        let entries = house.desk().with(|inner, _| inner.engine.durable().entries());
        let after = (entries - 3).to_string();
        let mut listener = Listener::new(&house, &[("last-event-id", after.as_str())]).await;
        // These are told while the journal is still to be read.
        for version in ["name-1", "name-2", "name-1"] {
            let shares = vec![(target(version), crate::units::Ratio::ONE)];
            house.command(1, CommandKind::Split { shares, redeploy: true }).await;
        }
        let mut seen = Vec::new();
        while seen.last() != Some(&(entries + 3)) {
            let (id, _, entry) = listener.next_called("journal").await;
            assert_eq!(entry["number"].to_string(), id);
            seen.push(id.parse::<u64>().unwrap());
        }
        assert_eq!(seen, (entries - 2..=entries + 3).collect::<Vec<_>>());
        // What was read has been told as well, and does not come again.
        roll_back(&house, "name-2").await;
        let (id, ..) = listener.next_called("journal").await;
        assert_eq!(id, (entries + 4).to_string());
    }

    #[tokio::test]
    async fn an_entry_is_told_in_the_same_bytes_whether_live_or_from_the_journal() {
        let house = TestHouse::new().await;
        let mut live = Listener::new(&house, &[]).await;
        live.next().await.unwrap();
        roll_back(&house, "name-1").await;
        let told = live.next_called("journal").await;
        let before = (told.0.parse::<u64>().unwrap() - 1).to_string();
        let mut again = Listener::new(&house, &[("last-event-id", before.as_str())]).await;
        assert_eq!(again.next_called("journal").await, told);
    }

    #[tokio::test]
    async fn an_entry_of_another_journal_is_no_place_to_go_on_from() {
        let house = TestHouse::new().await;
        let mut listener = Listener::new(&house, &[("last-event-id", "1000000")]).await;
        let (_, name, _) = listener.next().await.unwrap();
        assert_eq!(name, "lost");
        roll_back(&house, "name-1").await;
        listener.next_called("journal").await;
        let from_start = [("last-event-id", "0")];
        let mut listener = Listener::new(&house, &from_start).await;
        assert_eq!(listener.next().await.unwrap().0, "1");
    }

    #[tokio::test]
    async fn a_listener_that_is_too_slow_is_told_so_and_cut_off() {
        let house = TestHouse::with_backlog(4).await;
        let mut listener = Listener::new(&house, &[]).await;
        listener.next().await.unwrap();
        for version in ["name-1", "name-2", "name-1", "name-2"] {
            let shares = vec![(target(version), crate::units::Ratio::ONE)];
            house.command(1, CommandKind::Split { shares, redeploy: true }).await;
        }
        let (_, _, data) = listener.next_called("lagged").await;
        assert!(data["missed"].as_u64().unwrap() >= 1, "{data}");
        assert_eq!(listener.next().await, None);
    }

    #[tokio::test]
    async fn a_listener_hears_nothing_of_models_and_keys_that_are_not_its_own() {
        let house = TestHouse::new().await;
        let one = house.new_key("one", Scope::Admin, Some(&["org/name"])).await;
        let bearer = format!("Bearer {one}");
        let headers = [("authorization", bearer.as_str()), ("last-event-id", "0")];
        let mut listener = Listener::new(&house, &headers).await;
        roll_back(&house, "name-1").await;
        loop {
            let (_, name, data) = listener.next().await.unwrap();
            if name == "rolled_back" {
                break;
            }
            if name == "metrics" {
                assert_eq!(data["models"].as_array().unwrap().len(), 1);
            } else {
                assert_eq!(data["model"], "org/name", "{name}: {data}");
            }
        }
    }

    #[tokio::test]
    async fn a_stream_ends_when_its_key_does_or_the_gateway() {
        let house = TestHouse::new().await;
        let deputy = house.new_key("deputy", Scope::Admin, None).await;
        let bearer = format!("Bearer {deputy}");
        let mut of_deputy = Listener::new(&house, &[("authorization", bearer.as_str())]).await;
        let mut of_admin = Listener::new(&house, &[]).await;
        house.call("DELETE", "/v1/auth/keys/deputy", None).await;
        let (_, _, data) = of_deputy.next_called("end").await;
        assert!(data["message"].as_str().unwrap().contains("not valid"), "{data}");
        assert_eq!(of_deputy.next().await, None);
        house.front.house.readiness.drain();
        let (_, _, data) = of_admin.next_called("end").await;
        assert_eq!(data["message"], "the gateway is stopping");
        assert_eq!(of_admin.next().await, None);
    }
}
