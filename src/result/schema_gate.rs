//! The JSON Schema of what a gate found.

use serde_json::{Value, json};

use crate::json::{Part, flag, list, number, object, one_of, reference, text, verdict, whole};

/// What [`gate`] refers to.
pub(crate) fn definitions() -> Vec<Part> {
    let stated = number("a figure of the line, in the base unit of the metric on the other side");
    let side = one_of(&[
        object("a metric of requests", &[("measured", reference("estimate"))], &[]),
        object("a figure", &[("stated", stated)], &[]),
        object("a value that was worked out", &[("worked", reference("worked"))], &[]),
    ]);
    let part = object(
        "a metric that the value was worked out of",
        &[("text", text("as the grammar writes it")), ("side", reference("side"))],
        &[],
    );
    let units = [
        "count",
        "ratio",
        "probability",
        "seconds",
        "tokens",
        "tokens_per_second",
        "requests_per_second",
        "usd",
        "number",
    ];
    let worked = object(
        "a value worked out of metrics, of a baseline, or over several runs",
        &[
            ("text", text("as the grammar writes it")),
            ("unit", json!({"enum": units, "description": "its unit"})),
            ("exact", flag("whether it is exact for the runs that were made, not an estimate")),
            ("runs", whole("how many runs it was made from")),
        ],
        &[
            ("value", number("the value; absent where there is none, or not one for all runs")),
            ("infinite", flag("a time until something that never happened")),
            ("interval", reference("limits")),
            ("parts", list(part)),
        ],
    );
    let parts = [("estimate", estimate()), ("limits", limits()), ("side", side)];
    parts.into_iter().chain([("worked", worked)]).collect()
}

/// A judgement: there is one, or nothing to judge. It refers to
/// [`definitions`].
pub(crate) fn gate() -> Value {
    let side = reference("side");
    let line = object(
        "what became of a line",
        &[
            &place()[..],
            &[
                ("verdict", verdict("whether it holds")),
                ("left", side.clone()),
                ("right", side.clone()),
                ("confidence", number("the coverage of each of the intervals")),
                ("evidence", text("what was measured, in a sentence")),
            ],
        ]
        .concat(),
        &[
            ("bound", side),
            ("requests_needed", whole("about how many requests would decide the line")),
            ("runs_needed", whole("about how many runs would decide it")),
            (
                "failing_seeds",
                list(whole("the seed of a run in which it does not hold, where it must in each")),
            ),
            ("difference", difference()),
            (
                "adjusted_p_value",
                number(
                    "against a baseline: how probable such a failure is where the line holds, \
                     adjusted for all lines that are held against one",
                ),
            ),
        ],
    );
    let judged = object(
        "a verdict and what it rests on",
        &[
            ("state", json!({"const": "judged", "description": "there is a gate"})),
            ("verdict", verdict("the verdict")),
            ("found", verdict("what was found, whatever was expected")),
            ("lines", list(line)),
        ],
        &[
            ("expected", verdict("what was expected instead of a pass")),
            ("distrust", list(text("why the run cannot be trusted"))),
        ],
    );
    let state = json!({"const": "nothing_to_evaluate", "description": "there is no gate"});
    let nothing = object("no gate", &[("state", state)], &[]);
    one_of(&[judged, nothing])
}

fn difference() -> Value {
    object(
        "left less right over pairs of runs of one seed, in the unit of the left side",
        &[
            ("mean", number("the mean")),
            ("low", number("the lower limit of the long-run mean")),
            ("high", number("its upper limit")),
            ("pairs", whole("how many pairs")),
        ],
        &[],
    )
}

/// Text, file and line of a line of the gate.
pub(super) fn place() -> [Part; 3] {
    [
        ("text", text("as written")),
        ("file", text("the file that it stands in")),
        ("line", whole("its line there, from 1")),
    ]
}

fn limits() -> Value {
    object(
        "a confidence interval; a side that is absent could not be bounded",
        &[],
        &[("low", number("in the base unit")), ("high", number("in the base unit"))],
    )
}

fn estimate() -> Value {
    object(
        "the value of a metric; base units are seconds, ratios from 0 to 1, US dollars and counts",
        &[
            ("metric", text("its name")),
            ("n", whole("requests that it was made from")),
            ("exact", flag("a count or time of this run, not an estimate")),
        ],
        &[
            ("value", number("in the base unit; absent without data")),
            ("infinite", flag("a time until something that never happened")),
            ("open_ended", flag("harm that went on to the end of the run")),
            ("of_attempts", flag("n counts attempts, of which some request took several")),
            ("interval", reference("limits")),
        ],
    )
}
