//! Plays a script: sends what it says when it says so.

use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use http_body::Frame;
use http_body_util::{BodyExt, Either, StreamBody};

use super::answer_text::AnswerText;
use super::lane::Seat;
use super::line::{Broken, Line};
use super::reply::{self, JSON, Reply};
use super::script::{Close, Content, Delivery, Script, Stream};
use crate::chance::Draws;
use crate::clock::{Lag, WallClock};
use crate::exchange::{Ending, Finish, Request, Usage};
use crate::units::{Duration, Timestamp, Tokens};
use crate::wire::{AnswerWriter, ApiError};

/// Who answers one request, from its beginning to the last byte.
#[derive(Debug)]
pub(super) struct Player {
    pub(super) timing: Timing,
    pub(super) request: Request,
    pub(super) draws: Draws,
    /// Whether a stream ends with its usage.
    pub(super) wants_usage: bool,
    pub(super) writer: AnswerWriter,
    pub(super) line: Line,
    pub(super) seat: Seat,
}

/// The time of one request.
#[derive(Debug)]
pub(super) struct Timing {
    pub(super) clock: WallClock,
    pub(super) began: Timestamp,
    /// When its turn came: nothing is due earlier.
    pub(super) turn: Timestamp,
    /// Told how late everything is.
    pub(super) lag: std::sync::Arc<Lag>,
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
                self.line.reset();
                self.seat.end(ending);
                Err(Broken)
            }
            Script::Status { at, status, retry_after } => {
                self.timing.wait(at).await;
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
                self.timing.wait(at).await;
                self.seat.end(ending);
                return reply::whole(content_type, body);
            }
            Delivery::Cut { at, share, reset } => {
                // The last byte never comes.
                body.truncate(share_of(share.get()).min(length.saturating_sub(1)));
                steps.extend([(at, Step::Send(body)), (at, Step::Break { reset })]);
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
        let answer = |tokens| {
            let text = AnswerText::new(self.draws).text(tokens);
            self.writer.plain(&text, self.usage(tokens), Finish::Stop)
        };
        match content {
            Content::Answer { tokens } => (JSON, answer(tokens)),
            Content::BadJson => {
                let mut body = answer(self.request.output.get());
                body.truncate(body.len() / 2);
                (JSON, body)
            }
            Content::Page => (HTML, PAGE.to_vec()),
            Content::Error => (JSON, error().to_json()),
        }
    }

    fn usage(&self, output: u32) -> Usage {
        Usage { input: self.request.input, output: Tokens::new(output) }
    }

    /// A body that comes in steps, after the last of which the request has ended.
    fn in_steps(
        self,
        steps: impl Iterator<Item = (Duration, Step)> + Send + 'static,
        ending: Ending,
    ) -> Reply {
        let Self { timing, line, seat, .. } = self;
        let playing = Some((steps.peekable(), timing, line, seat));
        let frames = stream::unfold(playing, move |playing| async move {
            let (mut steps, timing, line, seat) = playing?;
            let (at, step) = steps.next()?;
            timing.wait(at).await;
            match step {
                // The end is told with the last step: after it, nobody may ask for another.
                Step::Send(bytes) if steps.peek().is_none() => {
                    seat.end(ending);
                    Some((Ok(Frame::data(bytes)), None))
                }
                Step::Send(bytes) => {
                    Some((Ok(Frame::data(bytes)), Some((steps, timing, line, seat))))
                }
                Step::Break { reset } => {
                    // What was sent before goes out while this waits.
                    tokio::task::yield_now().await;
                    if reset {
                        line.reset();
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
        let late = self.clock.sleep_until((self.began + at).max(self.turn)).await;
        self.lag.record(late);
    }
}

/// The events of a stream.
fn events(player: &Player, stream: Stream) -> impl Iterator<Item = (Duration, Step)> + use<> {
    let Stream { head, pace, twice, close } = stream;
    let writer = player.writer.clone();
    let mut end = Vec::new();
    match close {
        Close::Finish => {
            end.extend(writer.finish_chunk(Finish::Stop));
            if player.wants_usage {
                end.extend(writer.usage_chunk(player.usage(pace.count)));
            }
            end.extend_from_slice(AnswerWriter::DONE);
        }
        Close::Error => end.extend(error().to_event()),
        Close::BadEvent => {
            let event = writer.content_chunk("canary");
            end.extend_from_slice(&event[..event.len() / 2]);
            end.extend_from_slice(b"\n\n");
        }
        Close::Cut | Close::Reset => {}
    }
    let end = match close {
        Close::Cut => Step::Break { reset: false },
        Close::Reset => Step::Break { reset: true },
        _ => Step::Send(end.into()),
    };
    let role = Step::Send(writer.role_chunk().into());
    let words = AnswerText::new(player.draws);
    let tokens = (0..pace.count).zip(words).flat_map(move |(number, word)| {
        let event = Bytes::from(writer.content_chunk(word));
        let times = if twice == Some(number) { 2 } else { 1 };
        std::iter::repeat_n((pace.at(number), Step::Send(event)), times)
    });
    std::iter::once((head, role)).chain(tokens).chain(std::iter::once((pace.end, end)))
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
