//! Why an attempt brought no answer, and what its client is told of it.

use crate::exchange::{Ending, RetryAfter};
use crate::scenario::Timeouts;
use crate::units::Duration;
use crate::wire::ApiError;

/// Why an attempt brought no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub(super) ending: Ending,
    /// Which limit had passed, if one had.
    limit: Option<Limit>,
}

/// What an upstream took too long for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Limit {
    Connect,
    FirstByte,
    Idle,
    Total,
}

impl Fault {
    /// An ending by itself.
    pub(super) const fn of(ending: Ending) -> Self {
        Self { ending, limit: None }
    }

    /// Something took longer than this limit.
    pub(super) const fn late(limit: Limit) -> Self {
        Self { ending: Ending::Timeout, limit: Some(limit) }
    }

    /// The name of the limit that had passed, if one had.
    pub(super) fn limit_name(self) -> Option<&'static str> {
        self.limit.map(Limit::name)
    }

    /// What its client is told.
    pub(super) fn to_error(self, timeouts: Timeouts) -> ApiError {
        if let Some(limit) = self.limit {
            return limit.to_error(timeouts);
        }
        match self.ending {
            Ending::Timeout => Limit::Total.to_error(timeouts),
            Ending::Status(408) => ApiError {
                message: "the upstream says that it took too long".to_owned(),
                ..ApiError::upstream_timed_out(timeouts.total)
            },
            Ending::Refused => ApiError::upstream_failed("the upstream cannot be reached"),
            Ending::Reset => ApiError::upstream_failed("the upstream broke off its answer"),
            Ending::Status(404) => ApiError::upstream_failed(
                "the upstream answered 404: the path of its URL or the name of its model is wrong, \
                 in the gateway's configuration",
            ),
            Ending::Status(status @ (401 | 403)) => ApiError::upstream_failed(format!(
                "the upstream answered {status}: the gateway's credentials for it are wrong"
            )),
            Ending::Status(429) => {
                ApiError::rate_limited("the upstream has too many requests", retry_soon())
            }
            Ending::Status(503) => {
                ApiError::overloaded("the upstream has too much to do", retry_soon())
            }
            Ending::Status(status) => {
                let words = format!("the upstream answered {status}");
                ApiError { status: status.max(500), ..ApiError::upstream_failed(words) }
            }
            Ending::ErrorInStream => {
                ApiError::upstream_failed("the upstream's answer was an error")
            }
            Ending::Truncated => {
                ApiError::upstream_failed("the upstream's answer stopped without an end")
            }
            Ending::Malformed | Ending::Success | Ending::ClientClosed => {
                ApiError::upstream_failed("the upstream's answer cannot be read")
            }
        }
    }
}

impl Limit {
    /// Its name among an upstream's `timeouts`.
    const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::FirstByte => "first_byte",
            Self::Idle => "idle",
            Self::Total => "total",
        }
    }

    const fn of(self, timeouts: Timeouts) -> Duration {
        match self {
            Self::Connect => timeouts.connect,
            Self::FirstByte => timeouts.first_byte,
            Self::Idle => timeouts.idle,
            Self::Total => timeouts.total,
        }
    }

    fn to_error(self, timeouts: Timeouts) -> ApiError {
        let limit = self.of(timeouts);
        let error = ApiError::upstream_timed_out(limit);
        let message = match self {
            Self::Connect => format!("no connection to the upstream stood within {limit}"),
            Self::FirstByte => format!("the upstream began no answer within {limit}"),
            Self::Idle => format!("the upstream said nothing more for {limit}"),
            Self::Total => return error,
        };
        ApiError { message, ..error }
    }
}

/// When to come again where nobody says. Chosen: the shortest that the header can say.
pub(super) fn retry_soon() -> RetryAfter {
    RetryAfter::of(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_too_long_is_told_with_its_own_limit() {
        let [connect, first_byte, idle, total, idle_connection] =
            [1, 2, 3, 4, 5].map(Duration::from_secs);
        let timeouts = Timeouts { connect, first_byte, idle, total, idle_connection };
        for (limit, seconds) in [
            (Limit::Connect, "within 1 s"),
            (Limit::FirstByte, "within 2 s"),
            (Limit::Idle, "for 3 s"),
            (Limit::Total, "within 4 s"),
        ] {
            let error = Fault::late(limit).to_error(timeouts);
            assert_eq!((error.status, error.code.as_deref()), (504, Some("upstream_timed_out")));
            assert!(error.message.ends_with(seconds), "{}: {}", limit.name(), error.message);
        }
    }
}
