//! The feed of a gateway's events, followed over broken connections. Knows not what they mean.

use std::ops::ControlFlow;
use std::time::Duration;

use super::admin_ask::Ask;
use super::admin_client::{Client, Fault, fault};
use super::terminal::{Failure, complain};
use crate::report::visible;
use crate::wire::{EventLines, ServerEvent};

/// Something that a gateway tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Happening {
    /// The number of the journal entry, where it is one.
    pub(super) entry: Option<u64>,
    /// What it is, in a word.
    pub(super) name: String,
    /// JSON.
    pub(super) data: String,
}

/// How a stream of events ended.
enum Ended {
    /// Whoever listens has had enough.
    Enough,
    /// It can be taken up again.
    Lost(String),
}

/// Hands on what happens until `each` has had enough; `after`: after which journal entry the feed
/// begins; `None`: with what happens from now on. Where it is lost, it is taken up again after the
/// last entry, for as many seconds as an answer may take.
pub(super) async fn follow(
    client: &Client,
    after: Option<u64>,
    mut each: impl FnMut(&Happening) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    let ask = Ask::read("/v1/deploy/events".to_owned());
    let mut last = after;
    // None at all before it stood once.
    let mut tries_left = 0;
    loop {
        let headers = last.map(|number| ("last-event-id", number.to_string()));
        let opened = client.open(&ask, headers.as_slice()).await?;
        let lost = match opened {
            Ok(mut response) => {
                let mut hear = |happening: &Happening| {
                    tries_left = client.timeout_seconds();
                    last = happening.entry.or(last);
                    each(happening)
                };
                match listen(&mut response, &mut hear).await? {
                    Ended::Enough => return Ok(()),
                    Ended::Lost(why) => Fault::Broken(why),
                }
            }
            Err(fault) => fault,
        };
        if tries_left == 0 {
            return Err(client.failure(&ask, &lost));
        }
        if let Fault::Broken(why) = &lost {
            complain(&format!("the stream of events ended ({why}): taking it up again"));
        }
        tries_left -= 1;
        tokio::time::sleep(RECONNECT).await;
    }
}

/// Hands on the events of one stream.
async fn listen(
    response: &mut reqwest::Response,
    each: &mut impl FnMut(&Happening) -> Result<ControlFlow<()>, Failure>,
) -> Result<Ended, Failure> {
    let mut lines = EventLines::default();
    let mut why = "the connection was closed".to_owned();
    loop {
        let bytes = match response.chunk().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Ended::Lost(why)),
            Err(error) => {
                return Ok(Ended::Lost(match fault(&error) {
                    Fault::NoConnection(why) | Fault::Broken(why) => why,
                    Fault::TimedOut | Fault::Unready(_) => "nothing came any more".to_owned(),
                }));
            }
        };
        let mut heard = Ok(ControlFlow::Continue(()));
        let pushed = lines.push(&bytes, |event| {
            let happening = Happening::from(event);
            match happening.name.as_str() {
                "end" | "lagged" => why = message(&happening.data),
                "lost" => complain(&message(&happening.data)),
                _ => heard = each(&happening),
            }
            if matches!(heard, Ok(ControlFlow::Continue(()))) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        if heard?.is_break() {
            return Ok(Ended::Enough);
        }
        if pushed.is_err() {
            return Ok(Ended::Lost("an event was too long".to_owned()));
        }
    }
}

/// What the gateway says of its own feed.
fn message(data: &str) -> String {
    let data: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
    visible(data["message"].as_str().unwrap_or("no reason was given"))
}

impl From<ServerEvent<'_>> for Happening {
    fn from(event: ServerEvent<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let entry = text(event.id).parse().ok();
        Self { entry, name: text(event.name), data: text(event.data) }
    }
}

/// As the gateway asks for it.
const RECONNECT: Duration = Duration::from_secs(1);
