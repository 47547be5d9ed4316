//! Scenarios over HTTP beside the same ones in virtual time, under the same seed: what is drawn
//! must be the same, and nothing asserts how fast anything is. Runs are short and much faster than
//! the wall, and nothing depends on the machine's speed but how long they take.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]

mod broken;
mod course;
mod elsewhere;
mod far_world;
mod kinds;
mod left;
mod program;
mod refused;
mod shaky;
mod unfit_gateways;
mod world;
