//! What goes over the wire for one request, and when: a plan, spelled out.
//!
//! Pure: says what is sent, not how. Times are from the beginning of the request, in engine time.

use super::pace::TokenPace;
use crate::exchange::{Ending, Request, RetryAfter};
use crate::units::{Duration, Ratio};
use crate::upstream::{FailureKind, ResponsePlan};

/// All that is sent for one request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Script {
    /// Nothing, for as long as the client waits.
    Nothing,
    /// The connection is reset before any answer. That a connection is refused cannot be shown
    /// once there is one: this comes closest.
    Reset { at: Duration },
    /// A status and an error as its body.
    Status { at: Duration, status: u16, retry_after: Option<RetryAfter> },
    /// A body with its length.
    Whole { content: Content, delivery: Delivery },
    /// Events.
    Stream(Stream),
}

/// What a body says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Content {
    /// An answer of so many tokens.
    Answer { tokens: u32 },
    /// This share of an answer's bytes and never the last, as if that were all.
    Part { share: Ratio },
    /// A page of a proxy, in HTML.
    Page,
    /// An error under the status of a success.
    Error,
}

/// How a body comes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Delivery {
    /// At once.
    Whole { at: Duration },
    /// This share of its bytes, then the connection is reset.
    Cut { at: Duration, share: Ratio },
    /// This share of its bytes, nothing for a while, the rest.
    Paused { first: Duration, share: Ratio, rest: Duration },
    /// In so many pieces, evenly.
    Dripped { first: Duration, last: Duration, pieces: u32 },
}

/// A stream of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stream {
    /// When its head and its first event come, which has no content: at half of the time to the
    /// first token, so that whoever takes the first byte for it is wrong by much.
    pub(super) head: Duration,
    /// When its tokens come.
    pub(super) pace: TokenPace,
    /// When it ends.
    pub(super) end: Duration,
    /// Which token comes twice.
    pub(super) twice: Option<u32>,
    /// How it ends.
    pub(super) close: Close,
}

/// How a stream ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Close {
    /// With its finish and `[DONE]`.
    Finish,
    /// With nothing: the connection ends between two events, its chunked framing without an end.
    Cut,
    /// With a reset.
    Reset,
    /// With an event that says an error, and no finish.
    Error,
    /// With an event that is no JSON.
    BadEvent,
}

impl Script {
    /// What is sent for `request` by this plan.
    pub(super) fn new(request: &Request, plan: &ResponsePlan) -> Self {
        let at = plan.latency;
        match plan.ending {
            Ending::Timeout | Ending::ClientClosed => Self::Nothing,
            Ending::Status(status) => Self::Status { at, status, retry_after: plan.retry_after },
            Ending::Refused => Self::Reset { at },
            Ending::Reset if !matches!(plan.failure, Some(FailureKind::Reset { at: Some(_) })) => {
                Self::Reset { at }
            }
            Ending::Malformed if plan.failure == Some(FailureKind::WrongContentType) => {
                Self::Whole { content: Content::Page, delivery: Delivery::Whole { at } }
            }
            _ if request.stream => Self::Stream(Stream::new(plan)),
            _ => Self::plain(request, plan),
        }
    }

    /// An answer that is not streamed.
    fn plain(request: &Request, plan: &ResponsePlan) -> Self {
        let at = plan.latency;
        let all = Content::Answer { tokens: request.output.get() };
        let (content, delivery) = match (plan.ending, plan.failure) {
            (Ending::Success, Some(FailureKind::Stall { after, lasts })) => {
                let first = at.saturating_sub(lasts);
                (all, Delivery::Paused { first, share: after, rest: at })
            }
            (Ending::Success, Some(FailureKind::SlowDrip { rate })) => {
                let pieces = request.output.get();
                let gaps = f64::from(pieces.saturating_sub(1));
                let length = Duration::from_secs_f64(gaps / rate.per_second());
                let first = at.saturating_sub(length);
                (all, Delivery::Dripped { first, last: at, pieces })
            }
            (Ending::Success, _) => {
                (Content::Answer { tokens: plan.output.get() }, Delivery::Whole { at })
            }
            (Ending::Reset, Some(FailureKind::Reset { at: Some(share) })) => {
                (all, Delivery::Cut { at, share })
            }
            // To its client it is a whole body that cannot be read: one that breaks off is a reset.
            (_, Some(FailureKind::Truncated { at: share })) => {
                (Content::Part { share }, Delivery::Whole { at })
            }
            (_, Some(FailureKind::ErrorInStream { .. })) => {
                (Content::Error, Delivery::Whole { at })
            }
            _ => (Content::Part { share: HALF }, Delivery::Whole { at }),
        };
        Self::Whole { content, delivery }
    }
}

impl Stream {
    fn new(plan: &ResponsePlan) -> Self {
        let (count, end) = (plan.output.get(), plan.latency);
        let last = end.saturating_sub(plan.tail);
        let close = match plan.ending {
            Ending::Success => Close::Finish,
            Ending::Reset => Close::Reset,
            Ending::ErrorInStream => Close::Error,
            Ending::Malformed => Close::BadEvent,
            _ => Close::Cut,
        };
        let pause = match plan.failure {
            // A pause before the first token is part of the time to it.
            Some(FailureKind::Stall { after, lasts }) => {
                let after = (f64::from(count) * after.get()) as u32;
                (after > 0).then_some((after, lasts))
            }
            _ => None,
        };
        let pace = match plan.first_token {
            Some(first) if count > 0 => {
                TokenPace { count, first, end: last, complete: close == Close::Finish, pause }
            }
            _ => TokenPace::none(end),
        };
        let twice = (plan.repeats && count > 0).then_some(count / 2);
        Self { head: pace.first.mul_f64(0.5), pace, end, twice, close }
    }
}

/// Of an answer that is malformed. Chosen: JSON that is cut there cannot be read.
const HALF: Ratio = Ratio::from_percent(50);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;
    use crate::exchange::{ModelIndex, VersionIndex};
    use crate::mock::DescribedBehaviour;
    use crate::units::{RequestId, Timestamp, Tokens};
    use crate::upstream::{Responder, Setting};

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Answers of 5 tokens take 1 s, 200 ms of it to the first, and always fail so.
    fn script(failures: &serde_json::Value, stream: bool) -> Script {
        of(&serde_json::json!({"latency": "1s", "failures": failures}), stream)
    }

    /// Answers of 5 tokens of this upstream.
    fn of(upstream: &serde_json::Value, stream: bool) -> Script {
        let read = DescribedBehaviour::read(upstream).unwrap();
        let (version, start) = (VersionIndex(0), Timestamp::EPOCH);
        let chance = Chance::new(1, 0);
        let setting = Setting { chance, version, start, may_be_limited: false };
        let request = Request {
            id: RequestId(0),
            model: ModelIndex(0),
            user: 0,
            session: 0,
            client: 0,
            prompt: None,
            input: Tokens::new(10),
            output: Tokens::new(5),
            stream,
        };
        let draws = chance.request(request.id, 0);
        let plan = Responder::new(read.behaviour(), setting).answer(&request, start, draws);
        Script::new(&request, &plan)
    }

    fn both(failure: &str) -> [Script; 2] {
        [true, false].map(|stream| script(&serde_json::json!({failure: "100%"}), stream))
    }

    fn stream(failures: &serde_json::Value) -> Stream {
        match script(failures, true) {
            Script::Stream(stream) => stream,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_success_comes_whole() {
        let whole = stream(&serde_json::json!({}));
        assert_eq!((whole.head, whole.close, whole.twice), (millis(100), Close::Finish, None));
        assert_eq!([0, 4].map(|token| whole.pace.at(token)), [millis(200), millis(1_000)]);
        assert_eq!(whole.end, millis(1_000));
        let delivery = Delivery::Whole { at: millis(1_000) };
        let plain = Script::Whole { content: Content::Answer { tokens: 5 }, delivery };
        assert_eq!(script(&serde_json::json!({}), false), plain);
    }

    #[test]
    fn the_end_comes_behind_the_last_token_by_the_tail() {
        let latency = serde_json::json!({
            "first_token": "200ms", "per_output_token": "100ms", "tail": "50ms",
        });
        let Script::Stream(whole) = of(&serde_json::json!({"latency": latency}), true) else {
            panic!("no stream")
        };
        assert_eq!([0, 1, 4].map(|token| whole.pace.at(token)), [200, 300, 600].map(millis));
        assert_eq!(whole.end, millis(650));
    }

    #[test]
    fn failures_without_an_answer_are_the_same_streamed_and_plain() {
        let status = Script::Status { at: millis(40), status: 503, retry_after: None };
        assert_eq!(both("503"), [status; 2]);
        assert_eq!(both("timeout"), [Script::Nothing; 2]);
        assert_eq!(both("reset"), [Script::Reset { at: millis(40) }; 2]);
        assert_eq!(both("refused"), [Script::Reset { at: millis(40) }; 2]);
        let page = |at| Script::Whole { content: Content::Page, delivery: Delivery::Whole { at } };
        assert_eq!(both("wrong_content_type"), [page(millis(200)), page(millis(1_000))]);
    }

    #[test]
    fn a_stream_that_is_cut_has_its_share_of_tokens() {
        for (kind, close) in
            [("truncated", Close::Cut), ("error_in_stream", Close::Error), ("reset", Close::Reset)]
        {
            let cut = stream(&serde_json::json!({kind: {"probability": "100%", "at": "50%"}}));
            assert_eq!((cut.close, cut.pace.count), (close, 2), "{kind}");
            assert_eq!(cut.pace.end, millis(600), "{kind}");
        }
    }

    #[test]
    fn a_plain_answer_is_cut_stopped_or_spoilt() {
        let plain = |kind: &str, key: &str, value: &str| {
            let failure = serde_json::json!({kind: {"probability": "100%", key: value}});
            match script(&failure, false) {
                Script::Whole { content, delivery } => (content, delivery),
                other => panic!("{other:?}"),
            }
        };
        let all = Content::Answer { tokens: 5 };
        let share = Ratio::from_percent(40);
        let whole = Delivery::Whole { at: millis(1_000) };
        assert_eq!(plain("truncated", "at", "40%"), (Content::Part { share }, whole));
        assert_eq!(plain("reset", "at", "40%"), (all, Delivery::Cut { at: millis(520), share }));
        let paused = Delivery::Paused { first: millis(1_000), share, rest: millis(31_000) };
        assert_eq!(plain("stall", "after", "40%"), (all, paused));
        let dripped = Delivery::Dripped { first: millis(200), last: millis(2_200), pieces: 5 };
        assert_eq!(plain("slow_drip", "rate", "2/s"), (all, dripped));
        assert_eq!(plain("error_in_stream", "at", "40%"), (Content::Error, whole));
        let content = Content::Part { share: Ratio::from_percent(50) };
        let bad = Script::Whole { content, delivery: whole };
        assert_eq!(both("malformed")[1], bad);
    }

    #[test]
    fn a_stream_stalls_repeats_and_drips_as_it_fails() {
        let stalled = stream(&serde_json::json!({"stall": {"probability": 1, "for": "10s"}}));
        assert_eq!(stalled.pace.at(1), millis(400));
        assert_eq!(stalled.pace.at(2), millis(10_600));
        let twice = stream(&serde_json::json!({"duplicate_chunk": 1}));
        assert_eq!((twice.twice, twice.pace.count), (Some(2), 5));
        let drip = stream(&serde_json::json!({"slow_drip": {"probability": 1, "rate": "2/s"}}));
        assert_eq!(drip.pace.at(1), millis(700));
        let empty = stream(&serde_json::json!({"empty": 1}));
        assert_eq!((empty.pace, empty.close), (TokenPace::none(millis(200)), Close::Finish));
        let bad = stream(&serde_json::json!({"malformed": 1}));
        assert_eq!((bad.pace, bad.close), (TokenPace::none(millis(200)), Close::BadEvent));
    }
}
