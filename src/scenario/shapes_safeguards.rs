//! The safeguards in a scenario file.

use super::shape::Literal as L;
use super::shape::Shape::One;
use super::shape::{Record, optional};

/// What engine and gateway guard against, each switched on or off.
pub(crate) static SAFEGUARDS: Record = Record {
    name: "safeguards",
    fields: &[
        optional(
            "keys_survive_rollback",
            One(L::Bool),
            "a rollback leaves access keys valid; off: those that were made for a version whose \
             traffic it takes are refused until they are regenerated (default: true)",
        ),
        optional(
            "keep_tags",
            One(L::Bool),
            "splits and rollbacks leave tags alone; off: a version that loses its traffic by them \
             loses its tags (default: true)",
        ),
        optional(
            "no_store",
            One(L::Bool),
            "answers forbid caches to keep them; off: they do not (default: true)",
        ),
        optional(
            "refuse_long_interval",
            One(L::Bool),
            "a rule whose check interval is longer than its duration is refused; off: it is \
             taken, and may stay silent (default: true)",
        ),
    ],
};
