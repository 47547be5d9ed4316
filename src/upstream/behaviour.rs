//! The normal behaviour of a version's upstream.

use std::fmt;

use super::{Capacity, Failure, RateLimit};
use crate::chance::Distribution;
use crate::units::{Duration, Ratio};

/// How an upstream answers when nothing is wrong with it.
#[derive(Clone, PartialEq, Debug)]
pub struct Behaviour {
    /// How long an answer takes.
    pub latency: Latency,
    /// How it fails; the probabilities, with those of [`Correlation::Burst`], sum to at most 1.
    pub failures: Vec<Failure>,
    /// Which requests fail together.
    pub correlation: Correlation,
    /// How much it answers at once; `None`: whatever comes.
    pub capacity: Option<Capacity>,
    /// By which factor answers take longer where all slots of its capacity are occupied, 1 to 1000;
    /// every occupied slot adds the same to it.
    pub slowdown_at_full: f64,
    /// How much it accepts over time.
    pub rate_limit: RateLimit,
}

/// How long an answer takes, in seconds.
#[derive(Clone, PartialEq, Debug)]
pub enum Latency {
    /// Drawn as a whole, whatever the number of tokens.
    Total {
        /// Time to the complete answer.
        total: Distribution,
        /// The share of it that passes until the first token.
        first_token: Ratio,
    },
    /// Made up of parts. The first token comes after `connect`, `first_token` and `per_input_token`
    /// for each token of the prompt; the answer is complete after `per_output_token` for each
    /// further token, and `tail`; and after `at_most` where that is less.
    Parts(Box<LatencyParts>),
}

/// The parts of a latency, in seconds. Each is drawn once for a request: a request whose tokens
/// come slowly is slow throughout.
#[derive(Clone, PartialEq, Debug)]
pub struct LatencyParts {
    /// Until the connection stands.
    pub connect: Distribution,
    /// From there to the first token, of an empty prompt.
    pub first_token: Distribution,
    /// For each token of the prompt.
    pub per_input_token: Distribution,
    /// Between two tokens of the answer.
    pub per_output_token: Distribution,
    /// From the last token to the end of the answer.
    pub tail: Distribution,
    /// The longest that an answer takes, before faults and load make it longer; `None`: any time.
    pub at_most: Option<Duration>,
}

/// Which requests fail together.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Correlation {
    /// Each for itself.
    #[default]
    Request,
    /// All of a user's: whether and how a request fails is drawn once for each user.
    User,
    /// Those of one stretch of time.
    Burst(Bursts),
}

/// Stretches of time with more failures: a chain of two states that may change at every second of
/// engine time (E. N. Gilbert, Bell System Technical Journal 39, 1960; E. O. Elliott, ibid. 42,
/// 1963). It begins in its stationary state, so that a share enter / (enter + leave) of all seconds
/// is bad on average; bad stretches last 1 / leave seconds on average.
#[derive(Clone, PartialEq, Debug)]
pub struct Bursts {
    /// How probable it is that a bad stretch begins in a second.
    pub enter: Ratio,
    /// How probable it is that it ends in a second.
    pub leave: Ratio,
    /// The failures of its time, beside the normal ones.
    pub failures: Vec<Failure>,
}

impl Behaviour {
    /// Whether what it does with a request depends on others.
    pub const fn is_limited(&self) -> bool {
        self.capacity.is_some() || !self.rate_limit.is_none()
    }
}

/// `1.25 s on average, P99 2.16 s`.
impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mean = |part: &Distribution| Duration::from_secs_f64(part.mean());
        match self {
            Self::Total { total, .. } => {
                let p99 = Duration::from_secs_f64(total.p99());
                write!(f, "{} on average, P99 {p99}", mean(total))
            }
            Self::Parts(parts) => {
                let LatencyParts {
                    connect,
                    first_token,
                    per_input_token,
                    per_output_token,
                    tail,
                    at_most,
                } = &**parts;
                let first = mean(connect) + mean(first_token);
                write!(f, "first token after {first} on average")?;
                if !mean(per_input_token).is_zero() {
                    write!(f, " and {} for each of the prompt", mean(per_input_token))?;
                }
                write!(f, ", then {} for each", mean(per_output_token))?;
                if !mean(tail).is_zero() {
                    write!(f, ", {} to the end", mean(tail))?;
                }
                at_most.map_or(Ok(()), |at_most| write!(f, ", at most {at_most}"))
            }
        }
    }
}
