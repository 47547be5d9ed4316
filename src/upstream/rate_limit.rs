//! How much an upstream accepts over time.

use crate::exchange::Request;
use crate::units::{Duration, Quota, Timestamp};

/// What an upstream accepts over time; beyond it answers 429. Each quota is a bucket that is full
/// at first, from which every accepted request takes its share, and which fills evenly in its
/// period.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct RateLimit {
    /// Requests; `None`: any number.
    pub requests: Option<Quota>,
    /// Tokens of prompt and complete answer, counted when the request comes; `None`: any number.
    pub tokens: Option<Quota>,
}

impl RateLimit {
    /// Whether nothing is limited.
    pub const fn is_none(&self) -> bool {
        self.requests.is_none() && self.tokens.is_none()
    }

    /// What is limited: `at most 500 in 1 min requests`.
    pub(crate) fn words(&self) -> impl Iterator<Item = String> {
        let requests = self.requests.map(|quota| format!("at most {quota} requests"));
        let tokens = self.tokens.map(|quota| format!("at most {quota} tokens"));
        requests.into_iter().chain(tokens)
    }
}

/// The state of both buckets of a rate limit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Buckets {
    requests: Bucket,
    tokens: Bucket,
}

impl Buckets {
    /// Whether `request` is accepted `now`, and charged; else after which time it would be, `None`
    /// where a bucket is too small for it.
    pub(super) fn accept(
        &mut self,
        limit: &RateLimit,
        request: &Request,
        now: Timestamp,
    ) -> Result<(), Option<Duration>> {
        let tokens = f64::from(request.input.get()) + f64::from(request.output.get());
        let requests = self.requests.charged(limit.requests, 1.0, now);
        let tokens = self.tokens.charged(limit.tokens, tokens, now);
        match (requests, tokens) {
            (Ok(requests), Ok(tokens)) => {
                *self = Self { requests, tokens };
                Ok(())
            }
            (Err(wait), Ok(_)) | (Ok(_), Err(wait)) => Err(wait),
            (Err(one), Err(other)) => Err(one.zip(other).map(|(one, other)| one.max(other))),
        }
    }
}

/// A token bucket as the generic cell rate algorithm keeps it (ITU-T I.371): by the instant at
/// which it will be full. What has been taken from it is then time still to pass: a change of quota
/// leaves it filled to the same share.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// `None`: nothing has ever been taken from it.
    full_at: Option<Timestamp>,
}

impl Bucket {
    /// The bucket after `amount` is taken from it.
    fn charged(
        self,
        quota: Option<Quota>,
        amount: f64,
        now: Timestamp,
    ) -> Result<Self, Option<Duration>> {
        let Some(quota) = quota else { return Ok(self) };
        let period = quota.period();
        let cost = period.mul_f64(amount / quota.amount());
        if cost > period {
            return Err(None);
        }
        let full_at = self.full_at.map_or(now, |full_at| full_at.max(now)) + cost;
        let taken = full_at.since(now);
        if taken > period {
            return Err(Some(taken.saturating_sub(period)));
        }
        Ok(Self { full_at: Some(full_at) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::ModelIndex;
    use crate::units::{RequestId, Tokens};

    fn request(tokens: u32) -> Request {
        Request {
            id: RequestId(0),
            model: ModelIndex(0),
            user: 0,
            session: 0,
            client: 0,
            prompt: None,
            input: Tokens::new(tokens / 2),
            output: Tokens::new(tokens - tokens / 2),
            stream: false,
        }
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::EPOCH + Duration::from_millis(millis)
    }

    fn limit(requests: &str, tokens: &str) -> RateLimit {
        RateLimit { requests: Quota::parse(requests).ok(), tokens: Quota::parse(tokens).ok() }
    }

    #[test]
    fn a_full_bucket_is_used_up_at_once_and_fills_evenly() {
        let limit = limit("6/m", "");
        let mut buckets = Buckets::default();
        for _ in 0..6 {
            assert_eq!(buckets.accept(&limit, &request(10), at(0)), Ok(()));
        }
        // One every 10 s.
        let wait = |millis| Err(Some(Duration::from_millis(millis)));
        assert_eq!(buckets.accept(&limit, &request(10), at(0)), wait(10_000));
        assert_eq!(buckets.accept(&limit, &request(10), at(9_999)), wait(1));
        assert_eq!(buckets.accept(&limit, &request(10), at(10_000)), Ok(()));
        assert_eq!(buckets.accept(&limit, &request(10), at(10_000)), wait(10_000));
        // After a quiet minute it is full again, and not more than full.
        for _ in 0..6 {
            assert_eq!(buckets.accept(&limit, &request(10), at(300_000)), Ok(()));
        }
        assert!(buckets.accept(&limit, &request(10), at(300_000)).is_err());
    }

    #[test]
    fn a_refused_request_is_charged_to_neither_bucket() {
        let limit = limit("2/m", "100/m");
        let mut buckets = Buckets::default();
        assert_eq!(buckets.accept(&limit, &request(80), at(0)), Ok(()));
        // 60 of 100 tokens are missing 40: 24 s.
        let wait = Err(Some(Duration::from_secs(24)));
        assert_eq!(buckets.accept(&limit, &request(60), at(0)), wait);
        assert_eq!(buckets.accept(&limit, &request(60), at(0)), wait);
        assert_eq!(buckets.accept(&limit, &request(20), at(0)), Ok(()), "one request is left");
        assert_eq!(buckets.accept(&limit, &request(101), at(0)), Err(None), "it never will be");
    }

    #[test]
    fn in_the_long_run_the_quota_is_accepted() {
        // 10/s at 40/s for 1,000 s: 10,000 and the 10 that the bucket held.
        let limit = limit("10/s", "");
        let mut buckets = Buckets::default();
        let accepted =
            (0..40_000).filter(|n| buckets.accept(&limit, &request(1), at(n * 25)).is_ok()).count();
        assert!((10_008..=10_010).contains(&accepted), "{accepted}");
    }
}
