//! The JSON Schema of what a gate of several scenarios found: what each field means, for programs.
//!
//! A test holds it to what is written; `docs/gate.schema.json` is its published copy.

use serde_json::{Map, Value, json};

use super::outcome::Outcome;
use super::suite_report::SuiteReport;
use crate::json::{list, object, reference, text, whole};
use crate::result::{gate_definitions, gate_schema};

/// The JSON Schema (draft 2020-12) of what `coalmine gate --format json` prints.
pub fn suite_schema() -> Value {
    let definitions = gate_definitions().into_iter().chain([("gate", gate_schema())]);
    let definitions: Map<_, _> =
        definitions.map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "coalmine gate",
        "description": "What became of several gated scenarios. Equal bytes for equal scenarios, \
                        seeds, baselines and build. What is not known is absent.",
        "type": "object",
        "required": ["schema", "coalmine", "outcome", "counts", "scenarios"],
        "properties": {
            "schema": {"const": SuiteReport::SCHEMA, "description": "the number of the format"},
            "coalmine": text("the version that gated"),
            "outcome": outcome("the gravest of all; nothing_to_evaluate where there is none"),
            "counts": counts(),
            "scenarios": list(scenario()),
            "left_out": list(left_out()),
        },
        "additionalProperties": false,
        "$defs": definitions,
    })
}

fn outcome(about: &str) -> Value {
    json!({"enum": Outcome::ALL.map(Outcome::name), "description": about})
}

fn counts() -> Value {
    object(
        "how many scenarios came out how",
        &[
            ("scenarios", whole("all")),
            ("passed", whole("whose gate holds, or comes to the verdict that is expected")),
            ("failed", whole("whose gate does not hold")),
            ("inconclusive", whole("whose gate cannot be decided with the data there is")),
            ("invalid", whole("whose runs cannot be trusted")),
            ("nothing_to_evaluate", whole("without a gate")),
            ("unreadable", whole("that cannot be read, or whose traces cannot")),
        ],
        &[],
    )
}

fn scenario() -> Value {
    let baseline = object(
        "the baseline that the gate was held against",
        &[
            ("file", text("its file")),
            ("runs", whole("how many runs it holds")),
            ("pairs", whole("how many of them have the seed of a run that was judged")),
        ],
        &[(
            "differing",
            list(text("a value in which its scenario differs: its path and both values")),
        )],
    );
    object(
        "what became of a scenario",
        &[
            ("file", text("its file, as named or found")),
            ("name", text("its name; that of its file where it cannot be read")),
            ("outcome", outcome("what became of it")),
            ("requests", whole("requests of all its runs")),
            ("repeat", text("the command that gates it again")),
        ],
        &[
            ("title", text("what it shows, in a line")),
            ("error", text("why it cannot be read or run, in lines")),
            ("seeds", list(whole("the seed of a run"))),
            ("judgement", reference("gate")),
            ("baseline", baseline),
            ("report", text("the folder of its report files")),
        ],
    )
}

fn left_out() -> Value {
    object(
        "a file that was found and is no scenario by itself",
        &[("file", text("its path")), ("why", text("why it is left out"))],
        &[],
    )
}

#[cfg(test)]
mod tests {
    use super::super::example::{failing, suite};
    use super::*;
    use crate::json::{invalid_places, undescribed_fields};

    fn problems(report: &Value) -> Vec<String> {
        invalid_places(&suite_schema(), report)
    }

    #[test]
    fn what_is_written_is_valid() {
        for report in [suite(), failing(2, 10), SuiteReport::of(Vec::new(), Vec::new())] {
            let value: Value = serde_json::from_str(&report.to_json()).unwrap();
            assert_eq!(problems(&value), [""; 0]);
        }
    }

    #[test]
    fn unknown_and_missing_fields_are_invalid_at_every_depth() {
        let value = serde_json::to_value(suite()).unwrap();
        let checkout = "/scenarios/2";
        for place in [
            "",
            "/counts",
            "/left_out/0",
            checkout,
            &format!("{checkout}/baseline"),
            &format!("{checkout}/judgement"),
            &format!("{checkout}/judgement/lines/0"),
            &format!("{checkout}/judgement/lines/1/left/measured"),
            &format!("{checkout}/judgement/lines/1/difference"),
            &format!("{checkout}/judgement/lines/2/left/worked"),
            &format!("{checkout}/judgement/lines/2/left/worked/parts/0"),
        ] {
            let mut unknown = value.clone();
            unknown.pointer_mut(place).unwrap()["wind"] = json!(3);
            assert_ne!(problems(&unknown), [""; 0], "{place}");
            for field in value.pointer(place).unwrap().as_object().unwrap().keys() {
                let optional = [
                    "title",
                    "error",
                    "seeds",
                    "judgement",
                    "baseline",
                    "report",
                    "left_out",
                    "differing",
                    "distrust",
                    "expected",
                    "requests_needed",
                    "runs_needed",
                    "failing_seeds",
                    "difference",
                    "adjusted_p_value",
                    "bound",
                    "value",
                    "interval",
                    "parts",
                    "infinite",
                ];
                let mut missing = value.clone();
                let object = missing.pointer_mut(place).unwrap().as_object_mut().unwrap();
                object.remove(field);
                let is_fine = problems(&missing).is_empty();
                assert_eq!(is_fine, optional.contains(&field.as_str()), "{place}/{field}");
            }
        }
    }

    #[test]
    fn every_outcome_is_in_the_schema() {
        for outcome in Outcome::ALL {
            let mut value = serde_json::to_value(suite()).unwrap();
            value["outcome"] = json!(outcome);
            assert_eq!(problems(&value), [""; 0], "{outcome:?}");
        }
    }

    #[test]
    fn every_field_says_what_it_means() {
        assert_eq!(undescribed_fields(&suite_schema()), [""; 0]);
    }
}
