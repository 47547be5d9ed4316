//! The program as its users meet it: arguments in, files, text and exit codes out.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod inputs;
mod outputs;
mod program;
mod readme;
