//! What a recorded request says to rules, where it says enough.

use serde::{Deserialize, Serialize};

use crate::exchange::{Ending, Finish, Observed, Usage};
use crate::trace::TraceRecord;

/// Requests that cannot be used, by what they lack. A request counts once, for what it lacks first.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Unusable {
    /// The version that answered.
    pub without_version: u64,
    /// How long it took.
    pub without_duration: u64,
    /// How it ended.
    pub without_ending: u64,
}

impl Unusable {
    /// How many there are.
    pub const fn sum(&self) -> u64 {
        self.without_version + self.without_duration + self.without_ending
    }

    /// What `record` says to rules; `None` where it lacks something, which is counted.
    pub(super) fn take(&mut self, record: &TraceRecord) -> Option<Observed> {
        let lacks = match (&record.version, record.duration, record.ending()) {
            (None, ..) => &mut self.without_version,
            (_, None, _) => &mut self.without_duration,
            (_, _, None) => &mut self.without_ending,
            (_, Some(latency), Some(ending)) => {
                let first_token = record.first_token.filter(|_| record.stream != Some(false));
                let observed = Observed::without_answer(ending, latency);
                let observed = Observed { first_token, ..observed };
                if ending != Ending::Success {
                    return Some(observed);
                }
                let usage = Usage {
                    input: record.input.unwrap_or_default(),
                    output: record.output.unwrap_or_default(),
                };
                // Why an answer ended a trace does not say.
                return Some(Observed { usage, finish: Some(Finish::Other), ..observed });
            }
        };
        *lacks += 1;
        None
    }
}
