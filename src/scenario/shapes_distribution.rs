//! The format of distributions: the families, over times or over token counts.

use super::shape::Literal as L;
use super::shape::Shape::{
    Choice as ChoiceOf, FileOr, List, One, Record as RecordOf, Short as ShortOf, Table as TableOf,
};
use super::shape::{Choice, Field, Record, Shape, Short, Table, optional, required};

/// The families of distributions over one kind of value: they differ in the literal only.
macro_rules! distributions {
    ($(#[$doc:meta])* $shape:ident, $families:ident, $literal:expr, $what:literal) => {
        $(#[$doc])*
        pub(crate) const $shape: Shape = ShortOf(&Short {
            literal: $literal,
            field: "constant",
            full: ChoiceOf(&Choice { name: $what, choices: &$families, beside: &[] }),
        });

        static $families: [Field; 6] = [
            required("constant", One($literal), "always this value"),
            required(
                "uniform",
                RecordOf(&Record {
                    name: "uniform",
                    fields: &[
                        required("min", One($literal), "the smallest value"),
                        required("max", One($literal), "the largest value, at least `min`"),
                    ],
                }),
                "equally likely from `min` to `max`",
            ),
            required(
                "exponential",
                RecordOf(&Record {
                    name: "exponential",
                    fields: &[required("mean", One($literal), "the mean")],
                }),
                "the exponential distribution",
            ),
            required(
                "lognormal",
                RecordOf(&Record {
                    name: "lognormal",
                    fields: &[
                        optional(
                            "mean",
                            One($literal),
                            "the mean, more than 0; with p99, median or cv",
                        ),
                        optional(
                            "p99",
                            One($literal),
                            "the 99th percentile, 1 to 14.97 times the mean",
                        ),
                        optional(
                            "median",
                            One($literal),
                            "the median, more than 0; with sigma or mean",
                        ),
                        optional(
                            "sigma",
                            One(L::Number(0.0, 8.0)),
                            "standard deviation of the logarithm, 0 to 8; with median",
                        ),
                        optional(
                            "cv",
                            One(L::Number(0.0, 1_000.0)),
                            "standard deviation over mean, 0 to 1000; with mean",
                        ),
                    ],
                }),
                "the log-normal distribution by {mean, p99}, {median, sigma}, {mean, median} or \
                 {mean, cv}",
            ),
            required(
                "empirical",
                RecordOf(&Record {
                    name: "empirical",
                    fields: &[required(
                        "quantiles",
                        FileOr(&TableOf(&Table {
                            key: L::Ratio,
                            value: One($literal),
                            ordered: false,
                        })),
                        "the value at each probability, rising from 0% to 100%, or the path of a \
                         file with such a table",
                    )],
                }),
                "measured quantiles, linear between the points",
            ),
            required(
                "mixture",
                List(&ChoiceOf(&Choice {
                    name: "part of the mixture",
                    choices: &$families,
                    beside: &[required(
                        "weight",
                        One(L::Number(0.0, 1e18)),
                        "how often it is chosen, in proportion to the other weights, 0 to 1e18",
                    )],
                })),
                "one of several distributions, chosen by weight",
            ),
        ];
    };
}

distributions! {
    /// A distribution of times.
    DURATIONS, DURATION_FAMILIES, L::Duration, "distribution of times"
}
distributions! {
    /// A distribution of token counts.
    TOKEN_SIZES, TOKEN_FAMILIES, L::Tokens, "distribution of token counts"
}
