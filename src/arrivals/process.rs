//! What an arrival model is: how it is written, and how its times come about.

use std::fmt;

use super::error::ArrivalsError;
use super::key::{Form, Given};
use super::lane::{Coming, Lane};
use crate::units::{Duration, RequestId};

/// A model with its parameters. Its `Display` describes it in a few words.
pub(crate) trait Model: Sized + fmt::Display {
    /// How it is called where it is written.
    const NAME: &'static str;
    /// What it is: one sentence.
    const ABOUT: &'static str;
    /// How it is written.
    const FORM: Form;
    /// Its times.
    type Times: Times;

    /// The model with these parameters.
    fn build(given: &Given) -> Result<Self, ArrivalsError>;

    /// How many requests it sends on average; `None` where it does not end.
    fn expected_count(&self) -> Option<f64> {
        None
    }

    /// The highest mean rate that it ever has, in requests per second; of users who wait, that if
    /// answers took no time. Bursts that come by chance count with their mean.
    fn highest_rate(&self) -> f64;

    /// How many users it has, where it is closed: they wait for each answer before they send on.
    fn users(&self) -> Option<u32> {
        None
    }

    /// Its times from the beginning on; its users, if it has any, count from `first_user`.
    fn times(&self, first_user: u32) -> Self::Times;
}

/// The times of a process, one after the other.
pub(crate) trait Times {
    /// The next request as far as is known; `None` once it is all over, or while all users wait.
    fn next(&mut self, lane: &mut Lane) -> Option<Coming>;

    /// The answer to request `id` came, or was given up, at `at`. `ahead` is a request that `next`
    /// gave and that was not sent yet: it is kept for later, as another may now come before it.
    /// Open processes do not mind.
    fn completed(&mut self, _lane: &Lane, _id: RequestId, _at: Duration, _ahead: Option<Coming>) {}
}
