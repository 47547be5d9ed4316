//! The wrappers around the gate for CI systems: `action.yml`, the template for GitLab, the hooks for
//! pre-commit and the shell scripts of `ci/`. They run here as their systems would run them, with
//! the runner's variables faked; nothing leaves the machine.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod action;
mod code_scanning;
mod embedded;
mod github;
mod gitlab;
mod install;
mod linted;
mod machine;
mod pinned;
mod pipelines;
mod rehearsed;
mod server;
mod yaml;
