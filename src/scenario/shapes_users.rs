//! The format of users: how many there are, and how uneven they are.

use super::shape::Literal as L;
use super::shape::Shape::{One, Record as RecordOf};
use super::shape::{Record, Short, defaulted, required};

/// Users, of a workload or of a part of its arrivals.
pub(crate) static USERS: Short = Short {
    literal: L::Integer(1, 4_294_967_295),
    field: "count",
    full: RecordOf(&Record {
        name: "users",
        fields: &[
            required("count", One(L::Integer(1, 4_294_967_295)), "how many, 1 to 4294967295"),
            defaulted("zipf", One(L::Number(0.0, 10.0)), "0", ZIPF),
        ],
    }),
};

/// What an exponent of Zipf's law does.
pub(crate) const ZIPF: &str = "how uneven they are, 0 to 10: the k-th most frequent comes in \
                               proportion to k^-zipf, and at 0 all come equally often";
