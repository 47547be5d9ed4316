//! What tests and fuzz targets share: operations on an engine, and a player that carries them out
//! and holds the engine to what must always hold.
//!
//! A case is a list of [`Operation`]s, which a person can read, keep and run again: each has a JSON
//! form of one line. Knows nothing of where cases come from.

mod operation;
mod player;
mod refuted;

pub use operation::{Ladder, Operation, Rules, read_operations, write_operations};
pub use player::{Played, play};
pub use refuted::{Claim, Refuted};
