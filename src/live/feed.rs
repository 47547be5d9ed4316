//! The events of a gateway elsewhere, on their way to the conductor. Knows not what they mean.
//!
//! A stream that breaks is taken up after the last journal entry that came, so that no entry is
//! missed or comes twice. What the journal does not have is missed that happens meanwhile.

use std::ops::ControlFlow;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration as Wait;

use serde_json::Value;
use tokio::sync::oneshot;

use super::error::LiveError;
use super::feed_event::FeedEvent;
use super::notice::Notice;
use super::operator::{EventSource, Operator};
use crate::clock::{TimeScale, WallClock};
use crate::units::{Duration, Timestamp};
use crate::wire::EventLines;

/// Follows the events of a gateway until it is dropped.
#[derive(Debug)]
pub(super) struct Feed {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Feed {
    /// Tells `conductor` all that happens from the journal entry after `after` on. No entry is
    /// missed that is made once this returns.
    pub(super) fn follow(
        operator: &Operator,
        after: u64,
        conductor: Sender<Notice>,
    ) -> Result<Self, LiveError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let source = operator.events()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (stands, standing) = channel();
        let mut listener = Listener {
            source,
            conductor: conductor.clone(),
            stands: stands.clone(),
            last: after,
            has_stood: false,
            cut_at: None,
            clock: WallClock::new(TimeScale::REAL),
        };
        let following = move || {
            let listening = async {
                tokio::select! {
                    ended = listener.listen_on() => Some(ended),
                    _ = stopped => None,
                }
            };
            if let Some(why) = runtime.block_on(listening) {
                // Whoever still waits for the first event is told too.
                let _ = stands.send(Err(why.clone()));
                let _ = conductor.send(Notice::FeedEnded(why));
            }
        };
        let thread = Builder::new().name("feed".to_owned()).spawn(following)?;
        let feed = Self { stop: Some(stop), thread: Some(thread) };
        match standing.recv_timeout(STANDS_WITHIN) {
            Ok(Ok(())) => Ok(feed),
            Ok(Err(why)) => Err(ended(&why)),
            Err(RecvTimeoutError::Timeout) => Err(ended("the first of them does not come")),
            Err(RecvTimeoutError::Disconnected) => Err(ended("its thread is gone")),
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// That there are no more events, and why.
pub(super) fn ended(why: &str) -> LiveError {
    LiveError::Interface(format!("its events have ended: {why}"))
}

/// Who listens to the events.
struct Listener {
    source: EventSource,
    conductor: Sender<Notice>,
    /// Whoever waits for the first event.
    stands: Sender<Result<(), String>>,
    /// The last journal entry that came.
    last: u64,
    /// Whether the stream has ever stood.
    has_stood: bool,
    /// Since when it has not; `None`: it does.
    cut_at: Option<Timestamp>,
    clock: WallClock,
}

/// Why a stream has ended.
struct End {
    why: String,
    /// Whether another one would end alike.
    is_final: bool,
}

impl End {
    fn broken(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_final: false }
    }
}

impl Listener {
    /// Hands the events on, over one stream after the other, until no more come; tells why.
    async fn listen_on(&mut self) -> String {
        loop {
            let End { why, is_final } = self.listen().await;
            let now = self.clock.now();
            let cut_at = *self.cut_at.get_or_insert(now);
            let is_given_up = now.since(cut_at) >= STANDS_AGAIN_WITHIN;
            if is_final || is_given_up || !self.has_stood {
                return why;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// Hands the events of one stream on, until it ends.
    async fn listen(&mut self) -> End {
        let mut response = match self.source.request(self.last).send().await {
            Ok(response) if response.status().is_success() => response,
            Ok(response) => {
                let status = response.status().as_u16();
                let is_final = matches!(status, 401 | 403);
                return End { why: format!("they are refused with {status}"), is_final };
            }
            Err(error) => return End::broken(error.without_url().to_string()),
        };
        let mut lines = EventLines::default();
        let mut end = End::broken("the connection was closed");
        loop {
            let bytes = match response.chunk().await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return end,
                Err(error) => return End::broken(error.without_url().to_string()),
            };
            let pushed = lines.push(&bytes, |event| self.hear(event.into(), &mut end));
            if pushed.is_err() {
                return End { why: "an event was too long".to_owned(), is_final: true };
            }
            if end.is_final {
                return end;
            }
        }
    }

    fn hear(&mut self, event: FeedEvent, end: &mut End) -> ControlFlow<()> {
        match event.name.as_str() {
            // Once a second, the first of them as soon as all entries have come that there were.
            "metrics" => self.stands(),
            "end" | "lagged" => *end = End::broken(message(&event.data)),
            // Another journal took the place of the one that was followed.
            "lost" => {
                *end = End { why: message(&event.data), is_final: true };
                return ControlFlow::Break(());
            }
            _ => {
                self.last = event.entry.unwrap_or(self.last).max(self.last);
                let _ = self.conductor.send(Notice::Fed(event));
            }
        }
        ControlFlow::Continue(())
    }

    fn stands(&mut self) {
        self.has_stood = true;
        let _ = self.stands.send(Ok(()));
        if let Some(cut_at) = self.cut_at.take() {
            let cut_for = self.clock.now().since(cut_at);
            let _ = self.conductor.send(Notice::FedAgain { cut_for });
        }
    }
}

/// What the gateway says of its own feed.
fn message(data: &str) -> String {
    let data: Value = serde_json::from_str(data).unwrap_or_default();
    data["message"].as_str().unwrap_or("no reason was given").to_owned()
}

/// How long it is waited for the first event. Chosen: they come once a second, the first at once.
const STANDS_WITHIN: Wait = Wait::from_secs(10);
/// For how long a stream that broke is taken up again. Chosen: what a proxy, or the gateway itself,
/// takes to begin anew, and no longer than a run can be conducted blindly.
pub(super) const STANDS_AGAIN_WITHIN: Duration = Duration::from_secs(10);
/// Chosen: far below what either takes, and no load for it.
const AGAIN_AFTER: Wait = Wait::from_millis(100);
