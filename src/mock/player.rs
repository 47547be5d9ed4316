//! Plays a script: sends what it says when it says so.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use http_body::Frame;
use http_body_util::{BodyExt, Either, StreamBody};

use super::form::Form;
use super::lane::Seat;
use super::line::{Broken, Line};
use super::reply::{self, JSON, Reply};
use super::script::{Close, Content, Delivery, Script, Stream};
use super::speech::Speech;
use crate::chance::Draws;
use crate::clock::Pacer;
use crate::exchange::{Ending, Request, Usage};
use crate::units::{Duration, Timestamp, Tokens};
use crate::wire::{AnswerWriter, ApiError, FinishReason, Said, ToolCall};

/// Who answers one request, from its beginning to the last byte.
#[derive(Debug)]
pub(super) struct Player {
    pub(super) timing: Timing,
    pub(super) request: Request,
    pub(super) draws: Draws,
    /// Whether a stream ends with its usage.
    pub(super) wants_usage: bool,
    /// How many answers are given at once.
    pub(super) choices: u32,
    pub(super) form: Form,
    /// Its id.
    pub(super) id: String,
    pub(super) writer: AnswerWriter,
    pub(super) seat: Seat,
}

/// The time of one request, and where its bytes go.
#[derive(Debug)]
pub(super) struct Timing {
    pub(super) pacer: Arc<Pacer>,
    pub(super) line: Line,
    pub(super) began: Timestamp,
    /// When its turn came: nothing is due earlier.
    pub(super) turn: Timestamp,
}

/// Something that is done at its time.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    Send(Bytes),
    /// The connection ends here, by a reset or by a plain end.
    Break {
        reset: bool,
    },
}

impl Player {
    /// Plays `script`, after which the request has ended so. Returns when the head of the answer is
    /// to be sent.
    ///
    /// # Errors
    /// The connection ends without an answer.
    pub(super) async fn play(mut self, script: Script, ending: Ending) -> Result<Reply, Broken> {
        match script {
            Script::Nothing => {
                // Whoever leaves has waited for too long.
                self.seat.will_end(ending);
                std::future::pending().await
            }
            Script::Reset { at } => {
                self.timing.wait(at).await;
                self.timing.line.reset();
                self.seat.end(ending);
                Err(Broken)
            }
            Script::Status { at, status, retry_after } => {
                self.timing.wait_to_send(at).await;
                self.seat.end(ending);
                Ok(reply::error(&reply::failure(status, retry_after)))
            }
            Script::Whole { content, delivery } => Ok(self.whole(content, delivery, ending).await),
            Script::Stream(stream) => {
                self.timing.wait(stream.head).await;
                let steps = events(&self, stream);
                let mut reply = self.in_steps(steps, ending);
                reply.headers_mut().insert(http::header::CONTENT_TYPE, EVENTS);
                Ok(reply)
            }
        }
    }

    /// A body of known length.
    async fn whole(self, content: Content, delivery: Delivery, ending: Ending) -> Reply {
        let (content_type, body) = self.body(content);
        let length = body.len();
        let share_of = |share: f64| (length as f64 * share) as usize;
        let mut body = Bytes::from(body);
        let mut steps = Vec::new();
        match delivery {
            Delivery::Whole { at } => {
                self.timing.wait_to_send(at).await;
                self.seat.end(ending);
                return reply::whole(content_type, body);
            }
            Delivery::Cut { at, share } => {
                // The last byte never comes.
                body.truncate(share_of(share.get()).min(length.saturating_sub(1)));
                steps.extend([(at, Step::Send(body)), (at, Step::Break { reset: true })]);
            }
            Delivery::Paused { first, share, rest } => {
                let head = body.split_to(share_of(share.get()));
                steps.extend([(first, Step::Send(head)), (rest, Step::Send(body))]);
            }
            Delivery::Dripped { first, last, pieces } => {
                let pieces = pieces.clamp(1, u32::try_from(length).unwrap_or(u32::MAX).max(1));
                let span = last.saturating_sub(first);
                for left in (1..=pieces).rev() {
                    let gaps = f64::from(pieces - 1).max(1.0);
                    let passed = span.mul_f64(f64::from(pieces - left) / gaps);
                    let at = first.saturating_add(passed);
                    let piece = body.split_to(body.len() / left as usize);
                    steps.push((at, Step::Send(piece)));
                }
            }
        }
        let first = steps.first().map_or(Duration::ZERO, |(at, _)| *at);
        self.timing.wait(first).await;
        let mut reply = self.in_steps(steps.into_iter(), ending);
        reply.headers_mut().insert(http::header::CONTENT_TYPE, content_type);
        reply.headers_mut().insert(CONTENT_LENGTH, length.into());
        reply
    }

    fn body(&self, content: Content) -> (HeaderValue, Vec<u8>) {
        match content {
            Content::Answer { tokens } => (JSON, self.answer(tokens)),
            Content::Part { share } => {
                let mut body = self.answer(self.request.output.get());
                let length = (body.len() as f64 * share.get()) as usize;
                body.truncate(length.min(body.len().saturating_sub(1)));
                (JSON, body)
            }
            Content::Page => (HTML, PAGE.to_vec()),
            Content::Error => (JSON, error().to_json()),
        }
    }

    /// A whole answer of so many tokens.
    fn answer(&self, tokens: u32) -> Vec<u8> {
        let all = self.request.output.get();
        let speech = |choice| Speech::new(&self.form, self.draws, choice, all).text(tokens);
        let texts: Vec<_> = (0..self.choices).map(speech).collect();
        let ids: Vec<_> = (0..self.choices).map(|choice| call_id(&self.id, choice)).collect();
        let said = texts.iter().zip(&ids).map(|(text, id)| match &self.form {
            Form::Call { name, .. } if tokens > 0 => {
                Said::Call(ToolCall { id, name, arguments: text })
            }
            _ => Said::Text(text),
        });
        self.writer.plain(said, self.usage(tokens), self.finish(tokens))
    }

    fn usage(&self, output: u32) -> Usage {
        let output = Tokens::new(output.saturating_mul(self.choices));
        Usage { input: self.request.input, output }
    }

    const fn finish(&self, tokens: u32) -> FinishReason {
        match self.form {
            Form::Call { .. } if tokens > 0 => FinishReason::ToolCalls,
            _ => FinishReason::Stop,
        }
    }

    /// A body that comes in steps, after the last of which the request has ended.
    fn in_steps(
        self,
        steps: impl Iterator<Item = (Duration, Step)> + Send + 'static,
        ending: Ending,
    ) -> Reply {
        let Self { timing, seat, .. } = self;
        let playing = Some((steps.peekable(), timing, seat));
        let frames = stream::unfold(playing, move |playing| async move {
            let (mut steps, timing, seat) = playing?;
            let (at, step) = steps.next()?;
            match step {
                // The end is told with the last step: after it, nobody may ask for another.
                Step::Send(bytes) => {
                    timing.wait_to_send(at).await;
                    if steps.peek().is_none() {
                        seat.end(ending);
                        return Some((Ok(Frame::data(bytes)), None));
                    }
                    Some((Ok(Frame::data(bytes)), Some((steps, timing, seat))))
                }
                Step::Break { reset } => {
                    timing.wait(at).await;
                    // What was sent before goes out while this waits.
                    tokio::task::yield_now().await;
                    if reset {
                        timing.line.reset();
                    }
                    seat.end(ending);
                    Some((Err(Broken), None))
                }
            }
        });
        http::Response::new(Either::Right(StreamBody::new(frames).boxed_unsync()))
    }
}

impl Timing {
    /// Waits for this time of the request.
    async fn wait(&self, at: Duration) {
        self.pacer.sleep_until(self.due(at)).await;
    }

    /// The same, before something is sent.
    async fn wait_to_send(&self, at: Duration) {
        let due = self.due(at);
        self.pacer.sleep_until(due).await;
        self.line.sends(due);
    }

    fn due(&self, at: Duration) -> Timestamp {
        (self.began + at).max(self.turn)
    }
}

/// The events of a stream. Those of one token, one for each choice, are sent together.
fn events(player: &Player, stream: Stream) -> impl Iterator<Item = (Duration, Step)> + use<> {
    let Stream { head, pace, end, twice, close } = stream;
    let writer = player.writer.clone();
    let choices = player.choices;
    let mut role = Vec::new();
    (0..choices).for_each(|choice| role.extend(writer.role_chunk(choice)));
    let last = ending(player, pace.count, close);
    let all = player.request.output.get();
    let speech = |choice| Speech::new(&player.form, player.draws, choice, all);
    let mut speeches: Vec<_> = (0..choices).map(speech).collect();
    let (form, id) = (player.form.clone(), player.id.clone());
    let tokens = (0..pace.count).map(move |number| {
        let mut event = Vec::new();
        for (choice, speech) in (0..).zip(&mut speeches) {
            let piece = speech.next().unwrap_or_default();
            let written = match &form {
                Form::Call { name, .. } if number == 0 => {
                    let (id, arguments) = (&*call_id(&id, choice), &*piece);
                    writer.call_chunk(choice, ToolCall { id, name, arguments })
                }
                Form::Call { .. } => writer.arguments_chunk(choice, &piece),
                _ => writer.content_chunk(choice, &piece),
            };
            if twice == Some(number) && choice == 0 {
                event.extend_from_slice(&written);
            }
            if event.is_empty() {
                event = written;
            } else {
                event.extend(written);
            }
        }
        (pace.at(number), Step::Send(event.into()))
    });
    std::iter::once((head, Step::Send(role.into())))
        .chain(tokens)
        .chain(std::iter::once((end, last)))
}

/// What comes after the `count` tokens of a stream.
fn ending(player: &Player, count: u32, close: Close) -> Step {
    let writer = &player.writer;
    let mut end = Vec::new();
    match close {
        Close::Finish => {
            let finish = player.finish(count);
            (0..player.choices).for_each(|choice| end.extend(writer.finish_chunk(choice, finish)));
            if player.wants_usage {
                end.extend(writer.usage_chunk(player.usage(count)));
            }
            end.extend_from_slice(AnswerWriter::DONE);
        }
        Close::Error => end.extend(error().to_event()),
        Close::BadEvent => {
            let event = writer.content_chunk(0, "canary");
            end.extend_from_slice(&event[..event.len() / 2]);
            end.extend_from_slice(b"\n\n");
        }
        Close::Cut => return Step::Break { reset: false },
        Close::Reset => return Step::Break { reset: true },
    }
    Step::Send(end.into())
}

/// The id of a choice's call of a tool.
fn call_id(answer: &str, choice: u32) -> String {
    let number = answer.strip_prefix("chatcmpl-").unwrap_or(answer);
    format!("call_{number}_{choice}")
}

/// What a behaviour's error is told as where the status is that of a success.
fn error() -> ApiError {
    reply::failure(500, None)
}

const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const HTML: HeaderValue = HeaderValue::from_static("text/html");

/// What a proxy says whose upstream is away.
const PAGE: &[u8] = b"<html>\n<head><title>Service unavailable</title></head>\n<body>\n\
    <h1>Service unavailable</h1>\n</body>\n</html>\n";
