//! Which request of a workload a request is: by that a mock draws for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderValue};

use crate::units::RequestId;
use crate::wire::{ApiError, RequestNumber};

/// How requests say which request of a workload they are.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum Numbering {
    /// They do not: they are counted as they come.
    #[default]
    Counted,
    /// By the header `x-coalmine-request: <number>[/<attempt>]`; those without are counted.
    Header,
    /// By this prefix and a number in the header `x-request-id`, which gateways pass on where other
    /// headers stay behind. Those with one number are the attempts at one request, in the order in
    /// which they come. Any other request is a stranger's and is refused.
    RequestIds {
        /// What only the requests of one run begin with.
        prefix: String,
        /// Whether a connection is good for more than one request. A gateway sends once more what
        /// got lost on a connection that it had used before, and that is no further attempt: where
        /// connections are broken on purpose each must have its own.
        keeps_connections: bool,
    },
}

/// Numbers the requests of a mock.
#[derive(Debug, Default)]
pub(super) struct Counter {
    numbering: Numbering,
    counted: AtomicU64,
    /// How many attempts there were at each request, where ids number them: those of several parts,
    /// so that serving threads seldom wait for each other.
    attempts: [Mutex<BTreeMap<RequestId, u8>>; PARTS],
    strangers: AtomicU64,
}

impl Counter {
    pub(super) fn new(numbering: Numbering) -> Self {
        Self { numbering, ..Self::default() }
    }

    /// How many strangers were refused.
    pub(super) fn strangers(&self) -> u64 {
        self.strangers.load(Ordering::Relaxed)
    }

    /// Whether a connection is good for more than one request.
    pub(super) const fn keeps_connections(&self) -> bool {
        match self.numbering {
            Numbering::RequestIds { keeps_connections, .. } => keeps_connections,
            Numbering::Counted | Numbering::Header => true,
        }
    }

    /// The number of a request with these headers.
    ///
    /// # Errors
    /// It says it in another form, or is a stranger's.
    pub(super) fn number(&self, headers: &HeaderMap) -> Result<RequestNumber, ApiError> {
        match &self.numbering {
            Numbering::Counted => Ok(self.count()),
            Numbering::Header => match headers.get(RequestNumber::HEADER) {
                Some(header) => RequestNumber::read(header.as_bytes()),
                None => Ok(self.count()),
            },
            Numbering::RequestIds { prefix, .. } => {
                let told = headers.get(REQUEST_ID).map_or(&[][..], HeaderValue::as_bytes);
                self.of_id(prefix, told).ok_or_else(|| {
                    self.strangers.fetch_add(1, Ordering::Relaxed);
                    ApiError::conflict("this mock plays a rehearsal and answers to nobody else")
                })
            }
        }
    }

    fn count(&self) -> RequestNumber {
        RequestNumber { id: RequestId(self.counted.fetch_add(1, Ordering::Relaxed)), attempt: 0 }
    }

    fn of_id(&self, prefix: &str, told: &[u8]) -> Option<RequestNumber> {
        let digits = str::from_utf8(told).ok()?.strip_prefix(prefix)?;
        let id = RequestId(digits.parse().ok()?);
        let part = &self.attempts[(id.0 % PARTS as u64) as usize];
        let mut attempts = part.lock().unwrap_or_else(PoisonError::into_inner);
        let next = attempts.entry(id).or_default();
        let attempt = *next;
        *next = next.saturating_add(1);
        Some(RequestNumber { id, attempt })
    }
}

const REQUEST_ID: &str = "x-request-id";
/// Chosen: several times as many as there are threads that serve.
const PARTS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let value = HeaderValue::try_from(value).unwrap();
        HeaderMap::from_iter([(http::HeaderName::from_static(name), value)])
    }

    #[test]
    fn attempts_at_one_request_are_counted_by_its_id_and_strangers_are_refused() {
        let counter = Counter::new(Numbering::RequestIds {
            prefix: "run-1-".to_owned(),
            keeps_connections: false,
        });
        let told = |id: &str| {
            let number = counter.number(&headers("x-request-id", id));
            number.map(|number| (number.id.0, number.attempt)).map_err(|error| error.status)
        };
        let all = ["run-1-7", "run-1-8", "run-1-7", "run-2-7", "run-1-x", "run-1-7"].map(told);
        assert_eq!(all, [Ok((7, 0)), Ok((8, 0)), Ok((7, 1)), Err(409), Err(409), Ok((7, 2))]);
        assert_eq!(counter.number(&headers("x-coalmine-request", "7")).unwrap_err().status, 409);
        assert_eq!(counter.strangers(), 3);
    }

    #[test]
    fn attempts_are_counted_once_each_whichever_threads_they_come_by() {
        let counter = Counter::new(Numbering::RequestIds {
            prefix: "run-".to_owned(),
            keeps_connections: true,
        });
        let ask = || -> Vec<RequestNumber> {
            let ids = (0..480_u64).map(|turn| format!("run-{}", turn % 40));
            ids.map(|id| counter.number(&headers("x-request-id", &id)).unwrap()).collect()
        };
        let mut all = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        all.sort_by_key(|number| (number.id, number.attempt));
        let expected = (0..40).flat_map(|id| (0..48).map(move |attempt| (id, attempt)));
        let expected = expected.map(|(id, attempt)| RequestNumber { id: RequestId(id), attempt });
        assert_eq!(all, expected.collect::<Vec<_>>());
    }

    #[test]
    fn the_harness_has_a_header_of_its_own_that_others_cannot_use() {
        let told = headers("x-coalmine-request", "17/2");
        let harnessed = Counter::new(Numbering::Header);
        let number = |id, attempt| Ok(RequestNumber { id: RequestId(id), attempt });
        assert_eq!(harnessed.number(&told), number(17, 2));
        assert_eq!(harnessed.number(&HeaderMap::new()), number(0, 0));
        let counted = Counter::default();
        assert_eq!([counted.number(&told), counted.number(&told)], [number(0, 0), number(1, 0)]);
    }
}
