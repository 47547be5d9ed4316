//! The engine's semantics as stories: each test states conditions, lets requests end, and says what
//! the checks must find.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod assignment;
mod catalog;
mod journal;
mod judges;
mod keys;
mod lives;
mod metrics;
mod operations;
mod policies;
mod ratio_judges;
mod rollback;
mod rollout;
mod rules;
mod world;
