//! The words for one request and its fate, shared by all who produce and all who judge them.
//!
//! Knows nothing of who sends requests, who answers them, or what follows from it.

mod recorded_answer;
mod request;
mod retry_after;

pub use recorded_answer::RecordedAnswer;
pub use request::{
    Arrival, Class, Classification, Ending, Finish, ModelIndex, Observed, Request, Usage,
    VersionIndex,
};
pub use retry_after::RetryAfter;
