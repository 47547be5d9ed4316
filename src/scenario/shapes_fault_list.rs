//! The format of lists of faults: what may be wrong with a canary, whatever the scenario.

use super::shape::Literal as L;
use super::shape::Shape::{List, One, Record as RecordOf};
use super::shape::{Record, Shape, defaulted, optional, required};
use super::shapes_fault::FAULT_LIST;

/// A file with a list of faults.
pub(crate) const FAULT_FILE: Shape = RecordOf(&FILE);

static FILE: Record = Record {
    name: "list of faults",
    fields: &[
        required("schema", One(L::Integer(1, 1)), "number of the format, 1"),
        optional("title", One(L::Text), "what the faults have in common, in a line"),
        required("faults", List(&RecordOf(&NAMED_FAULT)), "at least one"),
    ],
};

static NAMED_FAULT: Record = Record {
    name: "bad release",
    fields: &[
        required("name", One(L::Text), "what it is called in reports, unique"),
        defaulted(
            "weight",
            One(L::Number(1e-6, 1e6)),
            "1",
            "how often it is expected beside the others, 0.000001 to 1000000",
        ),
        defaulted(
            "held_out",
            One(L::Bool),
            "false",
            "whether a search may not see it: what was found is tried on it",
        ),
        required(
            "canary",
            FAULT_LIST,
            "what is wrong with the canary, as the faults of a phase: times count from the \
             beginning of the phase in which it has its first traffic",
        ),
    ],
};
