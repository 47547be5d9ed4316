//! The mock as its clients meet it, over sockets: what each failure is on the wire, and what the
//! simulator says of the same request; the program; clients of others.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]

mod client;
mod kinds;
mod limits;
mod program;
mod python_client;
mod refused;
