//! The format of arrivals: each model as it describes itself, their sum, and traces.

use crate::arrivals::{self, Form, Key, Kind, Model, arrival_models};

use super::shape::Literal as L;
use super::shape::Shape::{
    Choice as ChoiceOf, FileOr, List, One, Record as RecordOf, Short as ShortOf,
};
use super::shape::{Absent, Choice, Field, Record, Shape, Short, defaulted, optional, required};
use super::shapes_distribution::{DURATIONS, RATES};
use super::shapes_users::USERS;

/// When requests arrive.
pub(crate) static ARRIVALS: Choice = Choice { name: "arrivals", choices: &SOURCES, beside: &[] };

/// What may come in a phase in the place of the workload's.
pub(crate) static OWN_ARRIVALS: Choice =
    Choice { name: "arrivals of a phase", choices: &PROCESSES, beside: &[] };

/// What may be superposed.
static PART: Choice = Choice { name: "part of the sum", choices: &SOURCES, beside: &SENDERS };

/// What may be superposed in a phase.
static OWN_PART: Choice =
    Choice { name: "part of a phase's sum", choices: &PROCESSES, beside: &SENDERS };

/// Who sends a part of a sum.
static SENDERS: [Field; 2] = [
    optional(
        "client",
        One(L::Key),
        "the client by whose access key its requests are sent (default: by the shares)",
    ),
    optional(
        "users",
        ShortOf(&USERS),
        "the users who send its requests and no others, but for those whom a trace names \
         (default: those of the workload)",
    ),
];

/// The models, each with a shape of its own, and what a phase can sum up.
macro_rules! processes {
    ($($model:ident in $file:ident,)+) => {
        static PROCESSES: [Field; MODELS + 1] = [
            $({
                type Described = arrivals::$model;
                static FIELDS: [Field; count(Described::FORM)] = fields(Described::FORM);
                static RECORD: Record = Record { name: Described::NAME, fields: &FIELDS };
                required(Described::NAME, written(Described::FORM, &RECORD), Described::ABOUT)
            },)+
            sum(&ChoiceOf(&OWN_PART)),
        ];
        const MODELS: usize = [$(arrivals::$model::NAME),+].len();
    };
}
arrival_models!(processes);

static SOURCES: [Field; MODELS + 2] = {
    let trace = required("trace", ShortOf(&TRACE), "a recorded trace, by the path of its file");
    let mut sources = [trace; MODELS + 2];
    let mut index = 0;
    while index < MODELS {
        sources[index] = PROCESSES[index];
        index += 1;
    }
    sources[MODELS] = sum(&ChoiceOf(&PART));
    sources
};

const fn sum(part: &'static Shape) -> Field {
    required("sum", List(part), "all of these at the same time")
}

static TRACE: Short = Short {
    literal: L::Path,
    field: "file",
    full: RecordOf(&Record {
        name: "trace",
        fields: &[
            required("file", One(L::Path), "the trace, with its arrivals and token counts"),
            optional(
                "dequantize",
                One(L::Duration),
                "what the recorded times are rounded to: rows of one time are spread at random \
                 over so long, in their order",
            ),
            optional(
                "window",
                RecordOf(&WINDOW),
                "the stretch that is replayed (default: all of the trace)",
            ),
            defaulted(
                "sample",
                One(L::Ratio),
                "100%",
                "share that is replayed, of whole sessions where the trace has them, 0% to 100%",
            ),
            defaulted(
                "speed",
                One(L::Number(0.001, 1_000.0)),
                "1",
                "how much faster than recorded, 0.001 to 1000 times",
            ),
            optional(
                "limit",
                One(L::Integer(1, 1_000_000_000_000)),
                "how many requests of it are replayed at most, those of all turns (default: all)",
            ),
            defaulted(
                "loop",
                One(L::Bool),
                "false",
                "whether it begins anew whenever it has come to its end: after the window, or a \
                 mean gap after its last row",
            ),
        ],
    }),
};

static WINDOW: Record = Record {
    name: "window",
    fields: &[
        defaulted("from", One(L::Duration), "0s", "where it begins, from the trace's beginning"),
        required("for", One(L::Duration), "how long it is, more than 0s"),
    ],
};

const fn written(form: Form, record: &'static Record) -> Shape {
    match form {
        Form::One(kind) => shape(kind),
        Form::Map(_) => RecordOf(record),
    }
}

/// How many keys a form has.
const fn count(form: Form) -> usize {
    match form {
        Form::One(_) => 0,
        Form::Map(keys) => keys.len(),
    }
}

/// The keys of a form.
const fn fields<const COUNT: usize>(form: Form) -> [Field; COUNT] {
    let mut fields = [required("", One(L::Text), ""); COUNT];
    let Form::Map(keys) = form else { return fields };
    let mut index = 0;
    while index < COUNT {
        let Key { name, kind, absent, about } = keys[index];
        let absent = match absent {
            arrivals::Absent::Refused => Absent::Refused,
            arrivals::Absent::Default(text) => Absent::Default(text),
            arrivals::Absent::Nothing => Absent::Nothing,
        };
        fields[index] = Field { name, absent, shape: shape(kind), about };
        index += 1;
    }
    fields
}

const fn shape(kind: Kind) -> Shape {
    match kind {
        Kind::Rate => One(L::Rate),
        Kind::Duration => One(L::Duration),
        Kind::Ratio => One(L::Ratio),
        Kind::Number(least, most) => One(L::Number(least, most)),
        Kind::Count(least, most) => One(L::Integer(least, most)),
        Kind::Durations => DURATIONS,
        Kind::Rates => RATES,
        Kind::RateList => FileOr(&List(&One(L::Rate))),
    }
}
