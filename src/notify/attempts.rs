//! The loop of attempts at one message. Knows not what an attempt does.

use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::{Failure, Outcome, Pace};
use crate::chance::{Draws, Purpose};
use crate::units::Duration;

/// Makes attempts until one succeeds, until one fails for good, or as often as `pace` allows. Each
/// takes a place in `lane`, which it gives back while it waits for the next: those who cannot be
/// reached do not keep others waiting.
pub(super) async fn attempt<One>(
    pace: Pace,
    lane: &Semaphore,
    draws: Draws,
    mut one: impl FnMut() -> One,
) -> Outcome
where
    One: Future<Output = Result<(), Failure>>,
{
    let mut attempts = 0;
    loop {
        attempts += 1;
        let place = lane.acquire().await;
        let ended = timeout(std_duration(pace.timeout), one()).await;
        drop(place);
        let why = match ended {
            Ok(Ok(())) => return Outcome::Delivered { attempts },
            Ok(Err(why)) => why,
            Err(_) => Failure::Timeout { after: pace.timeout },
        };
        if attempts >= pace.attempts || !why.may_pass() {
            return Outcome::GivenUp { attempts, why };
        }
        let draw = draws.draw(Purpose::Backoff, attempts.into());
        sleep(std_duration(pace.wait(attempts, why.retry_after(), draw))).await;
    }
}

/// As tokio's clock wants it.
pub(super) const fn std_duration(duration: Duration) -> std::time::Duration {
    std::time::Duration::from_nanos(duration.as_nanos())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;
    use crate::chance::Chance;
    use crate::units::RequestId;

    fn status(status: u16, retry_after: Option<u64>) -> Failure {
        let retry_after = retry_after.map(Duration::from_secs);
        Failure::Status { status, said: None, retry_after }
    }

    fn draws() -> Draws {
        Chance::new(7, 0).request(RequestId(1), 0)
    }

    /// The outcome of attempts that fail with `failures` and then succeed, and when each began, in
    /// milliseconds of tokio's paused time.
    async fn outcome(failures: &[Failure]) -> (Outcome, Vec<u128>) {
        let (began, mut at) = (Instant::now(), Vec::new());
        let lane = Semaphore::new(1);
        let outcome = attempt(Pace::default(), &lane, draws(), || {
            at.push(began.elapsed().as_millis());
            let failure = failures.get(at.len() - 1).cloned();
            async { failure.map_or(Ok(()), Err) }
        });
        (outcome.await, at)
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_tried_until_it_arrives() {
        let (found, at) = outcome(&[status(500, None), status(502, None)]).await;
        assert_eq!(found, Outcome::Delivered { attempts: 3 });
        assert!(at[1] <= 1_001 && at[2] - at[1] <= 4_001, "{at:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_fourth_failure_is_the_last() {
        let failures = [500, 501, 502, 503, 504].map(|code| status(code, None));
        let (found, at) = outcome(&failures).await;
        assert_eq!(found, Outcome::GivenUp { attempts: 4, why: status(503, None) });
        assert_eq!(at.len(), 4);
        assert!(at[3] <= 21_003, "1 s, 4 s and 16 s at the most: {at:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_not_tried_again() {
        let (found, at) = outcome(&[status(404, None)]).await;
        assert_eq!(found, Outcome::GivenUp { attempts: 1, why: status(404, None) });
        assert_eq!(at, [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_server_asks_for_is_waited_up_to_a_minute() {
        let (found, at) = outcome(&[status(429, Some(30)), status(429, Some(3_600))]).await;
        assert_eq!(found, Outcome::Delivered { attempts: 3 });
        assert_eq!([at[1], at[2]], [30_000, 90_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_hangs_ends_after_ten_seconds() {
        let (began, tried) = (Instant::now(), Cell::new(0));
        let lane = Semaphore::new(1);
        let found = attempt(Pace::default(), &lane, draws(), || {
            tried.set(tried.get() + 1);
            pending()
        });
        let why = Failure::Timeout { after: Duration::from_secs(10) };
        assert_eq!(found.await, Outcome::GivenUp { attempts: 4, why });
        assert_eq!(tried.get(), 4);
        assert!((40..=61).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_another_attempt_holds_up_nobody() {
        let lane = Semaphore::new(1);
        let patient =
            attempt(Pace::default(), &lane, draws(), || async { Err(status(429, Some(60))) });
        let began = Instant::now();
        let quick = async {
            tokio::task::yield_now().await;
            let found = attempt(Pace::default(), &lane, draws(), || async { Ok(()) }).await;
            (found, began.elapsed().as_secs())
        };
        let (_, quick) = tokio::join!(patient, quick);
        assert_eq!(quick, (Outcome::Delivered { attempts: 1 }, 0));
    }
}
