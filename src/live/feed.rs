//! The events of a gateway elsewhere, on their way to the conductor. Knows not what they mean.

use std::ops::ControlFlow;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration as Wait;

use serde_json::Value;
use tokio::sync::oneshot;

use super::error::LiveError;
use super::feed_event::FeedEvent;
use super::notice::Notice;
use super::operator::Operator;
use crate::wire::EventLines;

/// Follows the events of a gateway until it is dropped.
#[derive(Debug)]
pub(super) struct Feed {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Feed {
    /// Tells `conductor` all that happens from the journal entry after `after` on. Nothing is
    /// missed that happens once this returns.
    pub(super) fn follow(
        operator: &Operator,
        after: u64,
        conductor: Sender<Notice>,
    ) -> Result<Self, LiveError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let request = operator.events(after)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (stands, standing) = channel();
        let following = move || {
            let listening = async {
                tokio::select! {
                    ended = listen(request, &conductor, &stands) => Some(ended),
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

/// Hands the events on, and says with the first of them that the stream stands; tells why it has
/// ended.
async fn listen(
    request: reqwest::RequestBuilder,
    conductor: &Sender<Notice>,
    stands: &Sender<Result<(), String>>,
) -> String {
    let mut response = match request.send().await {
        Ok(response) if response.status().is_success() => response,
        Ok(response) => return format!("they are refused with {}", response.status().as_u16()),
        Err(error) => return error.without_url().to_string(),
    };
    let mut lines = EventLines::default();
    let mut why = "the connection was closed".to_owned();
    loop {
        let bytes = match response.chunk().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return why,
            Err(error) => return error.without_url().to_string(),
        };
        let pushed = lines.push(&bytes, |event| {
            let event = FeedEvent::from(event);
            match event.name.as_str() {
                // Once a second, the first of them at once.
                "metrics" => drop(stands.send(Ok(()))),
                "end" | "lagged" | "lost" => why = message(&event.data),
                _ => drop(conductor.send(Notice::Fed(event))),
            }
            ControlFlow::Continue(())
        });
        if pushed.is_err() {
            return "an event was too long".to_owned();
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
