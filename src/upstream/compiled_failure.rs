//! A failure compiled for sampling, and the plan of a response that fails so.

use super::pace::Times;
use super::{Failure, FailureKind, ResponsePlan};
use crate::chance::{Draws, Purpose, Sampler};
use crate::exchange::{Ending, Request};
use crate::units::{Draw, Duration, Ratio, Tokens};

/// A failure ready to be drawn.
#[derive(Clone, Debug)]
pub(super) struct CompiledFailure {
    kind: FailureKind,
    threshold: u128,
    /// How long it takes, where it ends a request in its own time.
    latency: Option<Sampler>,
}

impl CompiledFailure {
    pub(super) fn new(failure: &Failure) -> Self {
        let fast = || failure.kind.is_fast().then(Failure::default_latency);
        let latency = failure.latency.clone().or_else(fast);
        Self {
            kind: failure.kind,
            threshold: failure.probability.threshold(),
            latency: latency.as_ref().map(Sampler::new),
        }
    }

    /// Its probability at `strength` in [0, 1], as a threshold.
    pub(super) fn threshold(&self, strength: f64) -> u128 {
        if strength >= 1.0 {
            return self.threshold;
        }
        let share = self.threshold as f64 / Ratio::ONE.threshold() as f64 * strength;
        Ratio::new(share).map_or(self.threshold, Ratio::threshold)
    }

    /// What happens to `request`, whose complete answer would have had these `times`.
    pub(super) fn plan(
        &self,
        request: &Request,
        draws: Draws,
        times: impl FnOnce() -> Times,
    ) -> ResponsePlan {
        let own = self.latency.as_ref().map(|sampler| {
            Duration::from_secs_f64(sampler.sample(draws.draw(Purpose::FailureLatency, 0)))
        });
        let without_answer = ResponsePlan::without_answer;
        let plan = match self.kind {
            FailureKind::Status(status) => {
                without_answer(Ending::Status(status), own.unwrap_or_default())
            }
            FailureKind::Refused => without_answer(Ending::Refused, own.unwrap_or_default()),
            FailureKind::Timeout => ResponsePlan::NEVER,
            FailureKind::Reset { at: None } => {
                without_answer(Ending::Reset, own.unwrap_or_default())
            }
            FailureKind::Reset { at: Some(at) } => {
                Answer::new(request, times()).part(at, Ending::Reset)
            }
            FailureKind::Truncated { at } => {
                Answer::new(request, times()).broken(at, Ending::Truncated)
            }
            FailureKind::ErrorInStream { at } => {
                Answer::new(request, times()).broken(at, Ending::ErrorInStream)
            }
            FailureKind::Malformed | FailureKind::WrongContentType => {
                let end = own.unwrap_or_else(|| {
                    let times = times();
                    if request.stream { times.first } else { times.total }
                });
                without_answer(Ending::Malformed, end)
            }
            FailureKind::Empty => {
                without_answer(Ending::Success, own.unwrap_or_else(|| times().first))
            }
            FailureKind::DuplicateChunk => {
                let answer = Answer::new(request, times()).complete();
                // What is not streamed has no chunks.
                ResponsePlan { repeats: request.stream, ..answer }
            }
            FailureKind::SlowDrip { rate } => {
                let times = times();
                let gaps = f64::from(request.output.get().saturating_sub(1));
                let drip = Duration::from_secs_f64(gaps / rate.per_second());
                let last = times.total.saturating_sub(times.tail);
                let last = last.max(times.first.saturating_add(drip));
                let total = times.total.max(last);
                let tail = total.saturating_sub(last);
                Answer::new(request, Times { total, tail, ..times }).complete()
            }
            FailureKind::Stall { after, lasts } => {
                let mut times = times();
                if tokens_of(request, after) == Tokens::ZERO {
                    times.first = times.first.saturating_add(lasts);
                }
                times.total = times.total.saturating_add(lasts);
                Answer::new(request, times).complete()
            }
        };
        ResponsePlan { failure: Some(self.kind), ..plan }
    }
}

/// The failure whose stretch of [0, sum of probabilities) `draw` falls into.
pub(super) fn pick(failures: &[CompiledFailure], draw: Draw) -> Option<&CompiledFailure> {
    pick_above(failures, 1.0, &mut 0, draw)
}

/// The failure that `draw` falls into where the stretches begin at `bound` and are shrunk to
/// `strength`; `bound` moves to their end.
pub(super) fn pick_above<'a>(
    failures: &'a [CompiledFailure],
    strength: f64,
    bound: &mut u128,
    draw: Draw,
) -> Option<&'a CompiledFailure> {
    failures.iter().find(|failure| {
        *bound += failure.threshold(strength);
        draw.is_below(*bound)
    })
}

/// The probability that any of `failures` happens, as a threshold.
pub(super) fn total(failures: &[CompiledFailure]) -> u128 {
    failures.iter().map(|failure| failure.threshold).sum()
}

/// An answer with its times.
pub(super) struct Answer<'a> {
    request: &'a Request,
    times: Times,
}

impl<'a> Answer<'a> {
    pub(super) const fn new(request: &'a Request, times: Times) -> Self {
        Self { request, times }
    }

    /// It comes whole.
    pub(super) fn complete(&self) -> ResponsePlan {
        ResponsePlan {
            ending: Ending::Success,
            latency: self.times.total,
            tail: self.times.tail,
            first_token: self.request.stream.then_some(self.times.first),
            output: self.request.output,
            repeats: false,
            retry_after: None,
            failure: None,
        }
    }

    /// It ends after a share of its tokens.
    fn part(&self, at: Ratio, ending: Ending) -> ResponsePlan {
        let output = tokens_of(self.request, at);
        let any = self.request.stream && output > Tokens::ZERO;
        ResponsePlan {
            ending,
            latency: self.times.at(at.get()),
            tail: Duration::ZERO,
            first_token: any.then_some(self.times.first),
            output,
            repeats: false,
            retry_after: None,
            failure: None,
        }
    }

    /// A stream that ends after a share of its tokens; an answer that is not streamed cannot be
    /// read when it comes.
    fn broken(&self, at: Ratio, ending: Ending) -> ResponsePlan {
        if self.request.stream {
            self.part(at, ending)
        } else {
            ResponsePlan::without_answer(Ending::Malformed, self.times.total)
        }
    }
}

/// A share of the tokens of a complete answer.
fn tokens_of(request: &Request, share: Ratio) -> Tokens {
    Tokens::new((f64::from(request.output.get()) * share.get()) as u32)
}
