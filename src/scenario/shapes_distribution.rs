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

        pub(crate) static $families: [Field; 12] = [
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
                "normal",
                RecordOf(&Record {
                    name: "normal",
                    fields: &[
                        required("mean", One($literal), "the mean before it is cut off at 0"),
                        required("sd", One($literal), "the standard deviation, likewise"),
                    ],
                }),
                "the normal distribution, cut off at 0: what would be negative is drawn anew",
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
                "exponential",
                RecordOf(&Record {
                    name: "exponential",
                    fields: &[required("mean", One($literal), "the mean")],
                }),
                "the exponential distribution",
            ),
            required(
                "gamma",
                RecordOf(&Record {
                    name: "gamma",
                    fields: &[
                        required("mean", One($literal), "the mean, more than 0"),
                        required(
                            "cv",
                            One(L::Number(0.01, 20.0)),
                            "standard deviation over mean, 0.01 to 20; 1 is the exponential \
                             distribution",
                        ),
                    ],
                }),
                "the gamma distribution",
            ),
            required(
                "weibull",
                RecordOf(&Record {
                    name: "weibull",
                    fields: &[
                        optional(
                            "scale",
                            One($literal),
                            "the value that a share 1/e, 36.8 %, lies above; more than 0",
                        ),
                        optional("mean", One($literal), "the mean, more than 0; instead of scale"),
                        required(
                            "shape",
                            One(L::Number(0.1, 100.0)),
                            "0.1 to 100: below 1 the tail is heavier than an exponential one, \
                             above 1 lighter",
                        ),
                    ],
                }),
                "the Weibull distribution by {scale, shape} or {mean, shape}",
            ),
            required(
                "pareto",
                RecordOf(&Record {
                    name: "pareto",
                    fields: &[
                        optional("min", One($literal), "the smallest value, more than 0"),
                        optional("mean", One($literal), "the mean, more than 0; instead of min"),
                        required(
                            "shape",
                            One(L::Number(0.1, 1_000.0)),
                            "0.1 to 1000: a share (min / x)^shape lies above x; at 1 or less there \
                             is no mean, and it must be clamped",
                        ),
                    ],
                }),
                "the Pareto distribution, a power law, by {min, shape} or {mean, shape}",
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
                "shifted",
                ChoiceOf(&Choice {
                    name: "shifted distribution",
                    choices: &$families,
                    beside: &[required("by", One($literal), "what is added to every value")],
                }),
                "a distribution with something added to every value",
            ),
            required(
                "clamped",
                ChoiceOf(&Choice {
                    name: "clamped distribution",
                    choices: &$families,
                    beside: &[
                        optional(
                            "min",
                            One($literal),
                            "what every smaller value is raised to (default: none is)",
                        ),
                        optional(
                            "max",
                            One($literal),
                            "what every larger value is lowered to, at least `min` (default: none \
                             is)",
                        ),
                    ],
                }),
                "a distribution whose values are kept within bounds",
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
distributions! {
    /// A distribution of rates.
    RATES, RATE_FAMILIES, L::Rate, "distribution of rates"
}
distributions! {
    /// A distribution of numbers of things.
    COUNTS, COUNT_FAMILIES, L::Number(0.0, 1e9), "distribution of numbers"
}
