//! Where a mock's requests come in: which of its answers each gets.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value, json};

use super::DescribedBehaviour;
use super::chat_request::ChatRequest;
use super::line::{Broken, Line};
use super::player::{Player, Timing};
use super::reply::{self, JSON, Reply};
use super::request_number::RequestNumber;
use super::script::Script;
use super::settings::MockSettings;
use super::version::Version;
use crate::chance::{Chance, Draws, Purpose, Sampler};
use crate::clock::{Lag, WallClock};
use crate::exchange::{ModelIndex, Request, VersionIndex};
use crate::units::{RequestId, Timestamp, Tokens};
use crate::upstream::Setting;
use crate::wire::{AnswerWriter, ApiError, ModelEntry, model_list, model_object};

/// A mock but for its sockets.
#[derive(Debug)]
pub(super) struct Desk {
    versions: Vec<Version>,
    chance: Chance,
    clock: WallClock,
    start: Timestamp,
    tokens: Sampler,
    trust_harness: bool,
    count: AtomicU64,
    lag: Arc<Lag>,
}

impl Desk {
    /// A mock of these settings, which have been checked.
    pub(super) fn new(settings: MockSettings) -> Self {
        let MockSettings { versions, seed, clock, tokens, trust_harness } = settings;
        let (chance, start) = (Chance::new(seed, 0), clock.now());
        let version = |(version, index)| {
            let version_index = VersionIndex(index);
            let setting = Setting { chance, version: version_index, start, may_be_limited: false };
            Version::new(version, setting, clock)
        };
        Self {
            versions: versions.into_iter().zip(0_u16..).map(version).collect(),
            chance,
            clock,
            start,
            tokens: Sampler::new(&tokens),
            trust_harness,
            count: AtomicU64::new(0),
            lag: Arc::default(),
        }
    }

    /// Answers one request, which came over `line`.
    ///
    /// # Errors
    /// The connection ends without an answer.
    pub(super) async fn answer<B>(
        self: Arc<Self>,
        request: http::Request<B>,
        line: Line,
    ) -> Result<Reply, Broken>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let (head, body) = request.into_parts();
        let (method, path) = (&head.method, head.uri.path());
        match path {
            "/v1/chat/completions" if method == Method::POST => {
                let body = match read(body).await? {
                    Ok(body) => body,
                    Err(error) => return Ok(reply::error(&error)),
                };
                match self.prepare(&head.headers, &body) {
                    Ok(asked) => self.complete(asked, line).await,
                    Err(error) => Ok(reply::error(&error)),
                }
            }
            "/admin/behaviour" if method == Method::PUT => {
                let body = read(body).await?;
                Ok(match body.and_then(|body| self.change(&body)) {
                    Ok(()) => reply::json(&self.behaviours()),
                    Err(error) => reply::error(&error),
                })
            }
            "/admin/behaviour" if method == Method::GET => Ok(reply::json(&self.behaviours())),
            "/admin/stats" if method == Method::GET => Ok(reply::json(&self.stats())),
            "/v1/models" if method == Method::GET => Ok(self.models()),
            _ => Ok(self.other(method, path)),
        }
    }

    /// What is asked for, and by whom it will be answered.
    fn prepare(&self, headers: &HeaderMap, body: &[u8]) -> Result<Asked<'_>, ApiError> {
        let asked = ChatRequest::read(body)?;
        let version = self.versions.iter().position(|version| version.answers_to(&asked.model));
        let Some(index) = version else { return Err(ApiError::model_not_found(&asked.model)) };
        let told = headers.get(RequestNumber::HEADER).filter(|_| self.trust_harness);
        let number = match told {
            Some(header) => RequestNumber::read(header.as_bytes())?,
            None => {
                let id = RequestId(self.count.fetch_add(1, Ordering::Relaxed));
                RequestNumber { id, attempt: 0 }
            }
        };
        let draws = self.chance.request(number.id, number.attempt);
        let request = Request {
            id: number.id,
            model: ModelIndex(0),
            user: asked.user,
            session: 0,
            client: 0,
            prompt: None,
            input: asked.input,
            output: asked.output.unwrap_or_else(|| self.output(draws)),
            stream: asked.stream,
        };
        Ok(Asked { asked, number, request, draws, version: &self.versions[index] })
    }

    /// The tokens of an answer whose request does not say.
    fn output(&self, draws: Draws) -> Tokens {
        let tokens = self.tokens.sample(draws.draw(Purpose::OutputTokens, 0)).round();
        Tokens::new(tokens.clamp(1.0, f64::from(ChatRequest::MOST_TOKENS)) as u32)
    }

    async fn complete(&self, asked: Asked<'_>, line: Line) -> Result<Reply, Broken> {
        let Asked { asked, number, request, draws, version } = asked;
        let began = self.clock.now();
        let (seat, cue) = version.lane().enter(request, draws, began).await;
        let id = match number.attempt {
            0 => format!("chatcmpl-{}", number.id.0),
            attempt => format!("chatcmpl-{}-{attempt}", number.id.0),
        };
        let player = Player {
            timing: Timing {
                clock: self.clock,
                began,
                turn: self.clock.now(),
                lag: Arc::clone(&self.lag),
            },
            request,
            draws,
            wants_usage: asked.wants_usage,
            writer: AnswerWriter::new(&id, &asked.model, began),
            line,
            seat,
        };
        player.play(Script::new(&request, &cue.plan, cue.kind), cue.plan.ending).await
    }

    fn models(&self) -> Reply {
        let names = self.versions.iter().flat_map(Version::names);
        reply::whole(JSON, model_list(names.map(|name| self.entry(name))))
    }

    /// One model, or an error.
    fn other(&self, method: &Method, path: &str) -> Reply {
        let allowed = match path {
            "/v1/chat/completions" => "POST",
            "/admin/behaviour" => "GET, PUT",
            "/admin/stats" | "/v1/models" => "GET",
            _ => match path.strip_prefix("/v1/models/") {
                Some(model) if method == Method::GET => return self.model(model),
                Some(_) => "GET",
                None => {
                    let error = ApiError::not_found("a mock has no such path");
                    return reply::error(&error);
                }
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

    fn behaviours(&self) -> Value {
        let described = self.versions.iter().map(|it| (it.name().to_owned(), it.description()));
        Value::Object(described.collect())
    }

    /// Puts behaviours in force, all that `body` describes or, where one is wrong, none.
    fn change(&self, body: &[u8]) -> Result<(), ApiError> {
        let described: BTreeMap<String, Value> = serde_json::from_slice(body)
            .map_err(|error| ApiError::malformed(format!("read the behaviours: {error}")))?;
        let mut changes = Vec::new();
        for (name, upstream) in &described {
            let version = self.versions.iter().find(|version| version.answers_to(name));
            let version = version.ok_or_else(|| ApiError::model_not_found(name))?;
            let behaviour = DescribedBehaviour::read(upstream)
                .map_err(|error| ApiError::invalid(name, error.to_string()))?;
            changes.push((version, behaviour));
        }
        for (version, behaviour) in changes {
            version.behave(&behaviour);
        }
        Ok(())
    }

    fn stats(&self) -> Value {
        let versions: Map<_, _> =
            self.versions.iter().map(|it| (it.name().to_owned(), it.counts())).collect();
        let lag = self.lag.histogram();
        let micros = |late: Option<crate::units::Duration>| late.map(|late| late.as_micros());
        json!({
            "versions": versions,
            "lateness": {
                "waits": lag.count(),
                "p50_us": micros(lag.quantile(500)),
                "p99_us": micros(lag.quantile(990)),
                "max_us": micros(lag.max()),
            },
        })
    }
}

/// A request that can be answered.
struct Asked<'a> {
    asked: ChatRequest,
    number: RequestNumber,
    request: Request,
    draws: Draws,
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

/// Chosen: room for prompts of a million tokens.
const LARGEST_BODY: usize = 32 << 20;
