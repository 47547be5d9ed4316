//! Where a mock's requests come in: which of its answers each gets.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::watch;

use super::chat_request::ChatRequest;
use super::line::{Broken, Line};
use super::news::MockNews;
use super::numbering::Counter;
use super::planned::Planned;
use super::player::{Player, Timing};
use super::punctuality::{Lateness, Punctuality};
use super::reply::{self, JSON, Reply};
use super::script::Script;
use super::settings::MockSettings;
use super::version::Version;
use crate::chance::{Chance, Draws, Purpose, Sampler};
use crate::clock::{Pacer, WallClock};
use crate::exchange::{ModelIndex, Request, VersionIndex};
use crate::units::{Timestamp, Tokens};
use crate::upstream::{ResponsePlan, Setting};
use crate::wire::{AnswerWriter, ApiError, ModelEntry, RequestNumber, model_list, model_object};

/// A mock but for its sockets.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) versions: Vec<Version>,
    chance: Chance,
    pub(super) clock: WallClock,
    start: Timestamp,
    tokens: Sampler,
    pub(super) counter: Counter,
    news: Option<mpsc::Sender<MockNews>>,
    /// Of each serving thread.
    punctuality: Mutex<Vec<Arc<Punctuality>>>,
    /// Whether all versions refuse all requests.
    pub(super) refuses: watch::Sender<bool>,
    /// Whether each of the ports is open that are closed then.
    pub(super) doors: Mutex<Vec<watch::Receiver<bool>>>,
}

/// What a request came by.
#[derive(Clone, Debug)]
pub(super) struct Outlet {
    pub(super) line: Line,
    pub(super) pacer: Arc<Pacer>,
    pub(super) part: Part,
}

/// What a port is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    All,
    /// All but administration.
    Clients,
    /// Administration.
    Admin,
}

impl Desk {
    /// A mock of these settings, which have been checked.
    pub(super) fn new(settings: MockSettings) -> Self {
        let MockSettings { versions, seed, clock, tokens, numbering, news } = settings;
        let (chance, start) = (Chance::new(seed, 0), clock.now());
        let version = |(version, index)| {
            let version_index = VersionIndex(index);
            // A fault may come that limits what has no limit of its own.
            let setting = Setting { chance, version: version_index, start, may_be_limited: true };
            Version::new(version, setting, clock)
        };
        let versions: Vec<_> = versions.into_iter().zip(0_u16..).map(version).collect();
        let refuses = watch::Sender::new(versions.iter().all(Version::refuses_all));
        Self {
            versions,
            chance,
            clock,
            start,
            tokens: Sampler::new(&tokens),
            counter: Counter::new(numbering),
            news,
            punctuality: Mutex::default(),
            refuses,
            doors: Mutex::default(),
        }
    }

    /// How late one more serving thread is.
    pub(super) fn new_punctuality(&self) -> Arc<Punctuality> {
        let punctuality = Arc::new(Punctuality::new(self.clock));
        let mut all = self.punctuality.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::clone(&punctuality));
        punctuality
    }

    /// How late all of them have been.
    pub(super) fn lateness(&self) -> Lateness {
        let mut lateness = Lateness::default();
        let all = self.punctuality.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().for_each(|punctuality| lateness.merge(&punctuality.lateness()));
        lateness
    }

    /// Whoever can have a turn now gets it, at every version.
    pub(super) fn admit(&self) {
        let now = self.clock.now();
        self.versions.iter().for_each(|version| version.lane().admit(now));
    }

    /// Answers one request.
    ///
    /// # Errors
    /// The connection ends without an answer.
    pub(super) async fn answer<B>(
        self: Arc<Self>,
        request: http::Request<B>,
        outlet: Outlet,
    ) -> Result<Reply, Broken>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let (head, body) = request.into_parts();
        let (method, path) = (&head.method, head.uri.path());
        let is_admin = path.starts_with(ADMIN);
        match outlet.part {
            Part::Clients if is_admin => return Ok(elsewhere("administered at another address")),
            Part::Admin if !is_admin => return Ok(elsewhere("asked at another address")),
            _ => {}
        }
        match path {
            "/v1/chat/completions" if method == Method::POST => {
                let body = match read(body).await? {
                    Ok(body) => body,
                    Err(error) => return Ok(reply::error(&error)),
                };
                match self.prepare(&head.headers, &body) {
                    Ok(asked) => self.complete(asked, outlet).await,
                    Err(error) => Ok(reply::error(&error)),
                }
            }
            _ if is_admin => {
                let body = if method == Method::PUT { read(body).await? } else { Ok(Bytes::new()) };
                Ok(match body {
                    Ok(body) => self.administer(method, path, &body, &outlet.pacer).await,
                    Err(error) => reply::error(&error),
                })
            }
            "/v1/models" if method == Method::GET => Ok(self.models()),
            _ => Ok(self.other(method, path)),
        }
    }

    /// What is asked for, and by whom it will be answered.
    fn prepare(&self, headers: &HeaderMap, body: &[u8]) -> Result<Asked<'_>, ApiError> {
        let asked = ChatRequest::read(body)?;
        let version = self.versions.iter().position(|version| version.answers_to(&asked.model));
        let Some(index) = version else { return Err(ApiError::model_not_found(&asked.model)) };
        let number = self.counter.number(headers)?;
        let draws = self.chance.request(number.id, number.attempt);
        let output = asked.output.unwrap_or_else(|| self.output(draws));
        let (choices, most) = (asked.choices, ChatRequest::MOST_TOKENS);
        if choices > 1 && output.get().saturating_mul(choices) > most {
            let message =
                format!("n is {choices} with {output} each: allowed are {most} tokens in all");
            return Err(ApiError::invalid("n", message));
        }
        let request = Request {
            id: number.id,
            model: ModelIndex(0),
            user: asked.user,
            session: 0,
            client: 0,
            prompt: None,
            input: asked.input,
            output,
            stream: asked.stream,
        };
        let place = VersionIndex(index as u16);
        Ok(Asked { asked, number, request, draws, place, version: &self.versions[index] })
    }

    /// The tokens of an answer whose request does not say.
    fn output(&self, draws: Draws) -> Tokens {
        let tokens = self.tokens.sample(draws.draw(Purpose::OutputTokens, 0)).round();
        Tokens::new(tokens.clamp(1.0, f64::from(ChatRequest::MOST_TOKENS)) as u32)
    }

    async fn complete(&self, asked: Asked<'_>, outlet: Outlet) -> Result<Reply, Broken> {
        let Asked { asked, number, request, draws, place, version } = asked;
        let began = self.clock.now();
        self.tell(MockNews::Came { number, version: place, at: began });
        let (seat, plan) = version.lane().enter(request, draws, began).await;
        let ResponsePlan { ending, latency, first_token, .. } = plan;
        let (version, came) = (place, began);
        let planned = Planned { number, version, came, ending, latency, first_token };
        self.tell(MockNews::Planned(planned));
        let id = match number.attempt {
            0 => format!("chatcmpl-{}", number.id.0),
            attempt => format!("chatcmpl-{}-{attempt}", number.id.0),
        };
        let Outlet { line, pacer, .. } = outlet;
        let player = Player {
            timing: Timing { pacer, line, began, turn: self.clock.now() },
            request,
            draws,
            wants_usage: asked.wants_usage,
            choices: asked.choices,
            form: asked.form,
            writer: AnswerWriter::new(&id, &asked.model, began),
            id,
            seat,
        };
        player.play(Script::new(&request, &plan), plan.ending).await
    }

    fn tell(&self, news: MockNews) {
        if let Some(told) = &self.news {
            // Nobody may be left to listen.
            let _ = told.send(news);
        }
    }

    fn models(&self) -> Reply {
        let names = self.versions.iter().flat_map(Version::names);
        reply::whole(JSON, model_list(names.map(|name| self.entry(name))))
    }

    /// One model, or an error.
    fn other(&self, method: &Method, path: &str) -> Reply {
        let allowed = match path {
            "/v1/chat/completions" => "POST",
            "/v1/models" => "GET",
            _ => match path.strip_prefix("/v1/models/") {
                Some(model) if method == Method::GET => return self.model(model),
                Some(_) => "GET",
                None => return no_such_path(),
            },
        };
        reply::error(&ApiError::method_not_allowed(method.as_str(), allowed))
    }

    fn model(&self, model: &str) -> Reply {
        if self.versions.iter().any(|version| version.answers_to(model)) {
            reply::whole(JSON, model_object(self.entry(model)))
        } else {
            reply::error(&ApiError::model_not_found(model))
        }
    }

    const fn entry<'a>(&self, name: &'a str) -> ModelEntry<'a> {
        ModelEntry { id: name, created: self.start, owned_by: "coalmine" }
    }
}

/// A request that can be answered.
struct Asked<'a> {
    asked: ChatRequest,
    number: RequestNumber,
    request: Request,
    draws: Draws,
    place: VersionIndex,
    version: &'a Version,
}

/// The whole body of a request; an error for the client where there is too much of it.
async fn read<B>(body: B) -> Result<Result<Bytes, ApiError>, Broken>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => Ok(Ok(body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(Err(ApiError::too_large(LARGEST_BODY))),
        // The client has left in the middle of it.
        Err(_) => Err(Broken),
    }
}

fn elsewhere(what: &str) -> Reply {
    reply::error(&ApiError::not_found(format!("this mock is {what}")))
}

pub(super) fn no_such_path() -> Reply {
    let paths = "/v1/chat/completions, /v1/models, /admin/behaviour, /admin/faults, /admin/stats";
    reply::error(&ApiError::not_found(format!("a mock has no such path: it has {paths}")))
}

/// Where administration is.
const ADMIN: &str = "/admin/";

/// Chosen: room for prompts of a million tokens.
const LARGEST_BODY: usize = 32 << 20;
