//! The gateway as its clients and operators meet it, over sockets: above all what has gone wrong in
//! other gateways. Upstreams do as the tests tell them, byte by byte.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]

mod backup;
mod churn;
mod client;
mod commands;
mod evaluations;
mod failures;
mod fates;
mod http2;
mod killed;
mod latencies;
mod limits;
mod notices;
mod operation;
mod operators;
mod predicted;
mod prices;
mod program;
mod python_clients;
mod recording;
mod removal;
mod requests;
mod restart;
mod slow_clients;
mod split;
mod streams;
mod torn;
mod upstream;
mod warnings;
mod world;
