//! A request that is recorded: who asked for what, and what became of it. Prompts and answers are
//! not among it.

use std::sync::{Arc, Mutex, PoisonError};

use super::house::House;
use super::tape::{Tape, TapeRow};
use super::version_route::VersionRoute;
use crate::exchange::{Ending, Observed};
use crate::trace::{Failure, TraceRecord};
use crate::units::{Duration, ModelId, Price, Timestamp, VersionId};

/// A request that is to be recorded when it has ended: when nobody holds it any more.
#[derive(Debug)]
pub(super) struct TapedRequest {
    tape: Tape,
    house: Arc<House>,
    /// `None`: its row was sent.
    subject: Option<Subject>,
    last: Mutex<Option<Last>>,
}

/// Who asked for what.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) sent: Timestamp,
    pub(super) model: ModelId,
    /// The member `user` of the request's body, or else the access key.
    pub(super) user: String,
    pub(super) session: Option<String>,
    pub(super) is_stream: bool,
}

/// What became of the last attempt.
#[derive(Debug)]
struct Last {
    version: Option<(VersionId, Option<Price>)>,
    began: Timestamp,
    observed: Observed,
}

impl TapedRequest {
    /// `None`: the gateway records nothing.
    pub(super) fn new(
        house: &Arc<House>,
        subject: impl FnOnce() -> Option<Subject>,
    ) -> Option<Arc<Self>> {
        let tape = house.tape.get()?.clone();
        let (house, subject) = (Arc::clone(house), subject()?);
        tape.began(subject.sent);
        Some(Arc::new(Self { tape, house, subject: Some(subject), last: Mutex::default() }))
    }

    /// An attempt that began at `began` ended so. Another may follow.
    pub(super) fn ended(&self, route: &VersionRoute, began: Timestamp, observed: &Observed) {
        let version = Some((route.id.clone(), route.price));
        self.set(Some(Last { version, began, observed: *observed }));
    }

    /// The gateway itself answered with this status.
    pub(super) fn refused(&self, status: u16) {
        let began = self.house.desk.now();
        let ending = Ending::Status(status);
        let observed = Observed::without_answer(ending, Duration::ZERO);
        self.set(Some(Last { version: None, began, observed }));
    }

    /// Another attempt follows: a client that leaves meanwhile has left.
    pub(super) fn goes_on(&self) {
        self.set(None);
    }

    fn set(&self, last: Option<Last>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }
}

impl Drop for TapedRequest {
    fn drop(&mut self) {
        let Some(subject) = self.subject.take() else { return };
        let last = self.last.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let last = last.unwrap_or_else(|| {
            let latency = self.house.desk.now().since(subject.sent);
            let observed = Observed::without_answer(Ending::ClientClosed, latency);
            Last { version: None, began: subject.sent, observed }
        });
        if !self.tape.send(row(subject, last)) {
            self.house.meters.operation.not_recorded(1);
        }
    }
}

/// Latencies count from when the request came, whatever attempts there were before the last.
fn row(subject: Subject, last: Last) -> TapeRow {
    let Subject { sent, model, user, session, is_stream } = subject;
    let Last { version, began, observed } = last;
    let before = began.since(sent);
    let is_success = observed.ending == Ending::Success;
    let usage = observed.usage;
    // Of an answer that does not tell its tokens the output is an estimate, and the input unknown.
    let input = (is_success && !observed.is_estimated).then_some(usage.input);
    let price = version.as_ref().and_then(|(_, price)| *price);
    let cost = input.and_then(|input| {
        price.map(|price| price.cost(input.get().into(), usage.output.get().into()))
    });
    let record = TraceRecord {
        model: Some(model),
        version: version.map(|(id, _)| id),
        input,
        output: is_success.then_some(usage.output),
        stream: Some(is_stream),
        status: observed.ending.answered_status(),
        failure: Failure::of(observed.ending),
        first_token: observed.first_token.map(|first| before + first),
        duration: Some(before + observed.latency),
        cost,
        ..TraceRecord::default()
    };
    TapeRow { sent, user, session, record }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Usage;
    use crate::units::{Money, Tokens};

    fn subject() -> Subject {
        Subject {
            sent: Timestamp::from_second(100),
            model: ModelId::new("gpt-4").unwrap(),
            user: "alice".to_owned(),
            session: None,
            is_stream: true,
        }
    }

    fn last(ending: Ending) -> Last {
        let usage = Usage { input: Tokens::new(600), output: Tokens::new(400) };
        let observed = Observed::without_answer(ending, Duration::from_millis(40));
        let first_token = Some(Duration::from_millis(10));
        let price = Price::blended(Money::from_pico_usd(8_000_000_000));
        Last {
            version: Some((VersionId::new("v1").unwrap(), Some(price))),
            began: Timestamp::from_second(102),
            observed: Observed { usage, first_token, ..observed },
        }
    }

    #[test]
    fn latencies_count_from_when_the_request_came() {
        let told = row(subject(), last(Ending::Success)).record;
        assert_eq!(told.duration, Some(Duration::from_millis(2_040)));
        assert_eq!(told.first_token, Some(Duration::from_millis(2_010)));
        assert_eq!(
            (told.status, told.failure, told.ending()),
            (Some(200), None, Some(Ending::Success))
        );
        // 1,000 tokens at $0.008 per 1,000.
        assert_eq!(told.cost, Some(Money::from_pico_usd(8_000_000_000)));
        assert_eq!((told.input, told.output), (Some(Tokens::new(600)), Some(Tokens::new(400))));
    }

    #[test]
    fn what_an_answer_does_not_tell_is_not_made_up() {
        let told = last(Ending::Success);
        let observed = Observed { is_estimated: true, ..told.observed };
        let told = row(subject(), Last { observed, ..told }).record;
        assert_eq!((told.input, told.output, told.cost), (None, Some(Tokens::new(400)), None));
        for ending in
            [Ending::Timeout, Ending::Truncated, Ending::Status(503), Ending::ClientClosed]
        {
            let told = row(subject(), last(ending)).record;
            assert_eq!((told.ending(), told.output), (Some(ending), None), "{ending:?}");
        }
    }
}
