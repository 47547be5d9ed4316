//! What tests and fuzz targets share: operations on an engine, and a player that carries them out
//! and holds the engine to what must always hold.
//!
//! A [`Case`] is a list of [`Operation`]s, which a person can read, keep and run again: each has a
//! JSON form of one line. The player keeps account of what the journal tells, of what it sent and
//! what ended, and works out from that alone what the engine must answer: it shares no state with
//! it. Knows nothing of where cases come from.

mod account;
mod case;
mod case_bytes;
mod checks;
mod fuzz;
mod key_account;
mod operation;
mod order;
mod played;
mod player;
mod refuted;
mod retelling;
mod routing;
mod rule_audit;
mod rule_book;
mod rule_choice;
mod rule_errors;
mod rule_figure;
mod rule_timer;
mod rule_watch;
mod seen;

pub use case::{Case, CaseError, ModelSetting};
pub use fuzz::fuzz_operations;
pub use operation::{End, Operation};
pub use order::{LadderChoice, Name, Order};
pub use played::{Happening, Played};
pub use player::play;
pub use refuted::{Claim, Refuted};
pub use rule_audit::{Ended, RuleAudit};
pub use rule_choice::RuleChoice;
