//! The load generator as a server meets it, and what it tells of servers that do as the tests say,
//! byte by byte. Nothing asserts how fast anything is: bounds hold by what the server waits for.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]

mod endings;
mod http2;
mod mocked;
mod omission;
mod pacing;
mod program;
mod server;
mod streams;
mod world;
