//! In what the scenarios and traces of two results differ, as far as it decides how a run goes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::run::RunInput;
use crate::result::{ColumnInfo, ScenarioInfo};
use crate::run::TraceReport;

/// In what the scenario and traces of one run differ from the first's.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunDifferences {
    /// The run (an index).
    pub run: usize,
    /// In the order of the paths; not empty.
    pub differences: Vec<ScenarioDifference>,
}

/// One value that is not the same.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ScenarioDifference {
    /// Where in the resolved scenario, in the form that `--set` takes; `trace FILE` for a trace.
    pub path: String,
    /// The value in the first run; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Value>,
    /// The value in the other run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Value>,
}

impl RunDifferences {
    /// Each difference in a line; where there are more than `most`, the last line says how many.
    pub fn told(&self, most: usize) -> Vec<String> {
        let mut lines: Vec<_> =
            self.differences.iter().take(most).map(ScenarioDifference::told).collect();
        if let Some(more) = self.differences.len().checked_sub(most).filter(|more| *more > 0) {
            lines.push(format!("and {more} more"));
        }
        lines
    }
}

impl ScenarioDifference {
    /// `path: first / other`.
    pub fn told(&self) -> String {
        let value = |value: &Option<Value>| match value {
            None => "absent".to_owned(),
            Some(Value::String(text)) => shortened(text),
            Some(value) => shortened(&value.to_string()),
        };
        format!("{}: {} / {}", self.path, value(&self.first), value(&self.other))
    }
}

/// In what the others differ from the first run; those that differ in nothing are left out.
pub(super) fn differences(runs: &[RunInput<'_>]) -> Vec<RunDifferences> {
    let others = runs.iter().enumerate().skip(1);
    let found = others.map(|(run, other)| {
        let [first, other] =
            [runs[0].result, other.result].map(|result| (&result.scenario, &result.traces[..]));
        let differences = scenario_differences(first, other);
        RunDifferences { run, differences }
    });
    found.filter(|found| !found.differences.is_empty()).collect()
}

/// In what two scenarios differ, each with the traces that it replayed, as far as it decides how
/// their runs go.
pub fn scenario_differences(
    (first, of_first): (&ScenarioInfo, &[TraceReport]),
    (other, of_other): (&ScenarioInfo, &[TraceReport]),
) -> Vec<ScenarioDifference> {
    let (one, two) = (&first.resolved, &other.resolved);
    let mut found = Vec::new();
    match (one, two) {
        (Value::Object(one), Value::Object(two)) => {
            for key in keys(one, two).filter(|key| !SHOWN_ONLY.contains(key)) {
                walk(key.to_owned(), one.get(key), two.get(key), &mut found);
            }
        }
        _ => walk("scenario".to_owned(), Some(one), Some(two), &mut found),
    }
    for own in &first.columns {
        let same = other.columns.iter().find(|column| column.title == own.title);
        let Some(column) = same.filter(|column| *column != own) else { continue };
        let [first, other] = [own, column].map(|column| Some(Value::String(selection(column))));
        found.push(ScenarioDifference { path: format!("columns.{}", own.title), first, other });
    }
    for index in 0..of_first.len().max(of_other.len()) {
        let digest = |traces: &[TraceReport]| traces.get(index)?.sha256.clone();
        let (one, two) = (digest(of_first), digest(of_other));
        if one != two {
            let named = [of_first, of_other].map(|traces| traces.get(index));
            let name = named.into_iter().flatten().find_map(|trace| trace.file.clone());
            let path = format!("trace {}", name.unwrap_or_else(|| index.to_string()));
            let value = |digest: Option<String>| {
                Some(Value::String(digest.map_or_else(
                    || "not read to its end".to_owned(),
                    |digest| format!("SHA-256 {}…", &digest[..SHOWN_DIGITS.min(digest.len())]),
                )))
            };
            found.push(ScenarioDifference { path, first: value(one), other: value(two) });
        }
    }
    found
}

/// Of which requests a column is.
fn selection(column: &ColumnInfo) -> String {
    let ColumnInfo { phase, model, version, .. } = column;
    let parts = [("phase", phase), ("model", model), ("version", version)];
    let parts = parts.iter().filter_map(|(key, name)| Some(format!("{key}={}", name.as_ref()?)));
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "all".to_owned() } else { parts.join(", ") }
}

/// Adds what differs at `path` and below it.
fn walk(
    path: String,
    one: Option<&Value>,
    two: Option<&Value>,
    found: &mut Vec<ScenarioDifference>,
) {
    match (one, two) {
        (one, two) if one == two => {}
        (Some(Value::Object(one)), Some(Value::Object(two))) => {
            for key in keys(one, two) {
                walk(format!("{path}.{key}"), one.get(key), two.get(key), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(two))) => {
            for (step, one, two) in paired(one, two) {
                walk_item(&format!("{path}.{step}"), one, two, found);
            }
            if let Some((one, two)) = reordered(one, two) {
                let (first, other) = (Some(Value::String(one)), Some(Value::String(two)));
                found.push(ScenarioDifference { path: format!("{path} in order"), first, other });
            }
        }
        (first, other) => {
            let (first, other) = (first.cloned(), other.cloned());
            found.push(ScenarioDifference { path, first, other });
        }
    }
}

/// Adds what differs between two items of lists. A name that follows from the rest of the item
/// differs with it: it is told only where nothing else is.
fn walk_item(
    path: &str,
    one: Option<&Value>,
    two: Option<&Value>,
    found: &mut Vec<ScenarioDifference>,
) {
    let mut own = Vec::new();
    walk(path.to_owned(), one, two, &mut own);
    let is_name = |difference: &ScenarioDifference| {
        let last = difference.path.strip_prefix(path).and_then(|rest| rest.strip_prefix('.'));
        last.is_some_and(|last| NAMES.contains(&last))
    };
    if own.iter().any(|difference| !is_name(difference)) {
        own.retain(|difference| !is_name(difference));
    }
    found.extend(own);
}

/// The items of two lists in pairs: first those of the same name, then the rest in their order.
/// Each pair with its step in a path: its name, or its place in the first list, or in the other
/// where the first has none.
fn paired<'a>(
    one: &'a [Value],
    two: &'a [Value],
) -> Vec<(String, Option<&'a Value>, Option<&'a Value>)> {
    let partner = |item: &Value| {
        let name = name(item)?;
        two.iter().position(|other| self::name(other) == Some(name))
    };
    let partners: Vec<_> = one.iter().map(partner).collect();
    let mut rest = (0..two.len()).filter(|index| !partners.contains(&Some(*index)));
    let mut pairs = Vec::new();
    for (index, item) in one.iter().enumerate() {
        let other = partners[index].or_else(|| rest.next());
        let step = match partners[index] {
            Some(_) => name(item).filter(|name| is_step(name)).map(str::to_owned),
            None => None,
        };
        let step = step.unwrap_or_else(|| index.to_string());
        pairs.push((step, Some(item), other.map(|other| &two[other])));
    }
    pairs.extend(rest.map(|index| (index.to_string(), None, Some(&two[index]))));
    pairs
}

/// The names that two lists share, as they follow each other in either; `None` where that is the
/// same. Phases follow each other in time.
fn reordered(one: &[Value], two: &[Value]) -> Option<(String, String)> {
    let names = |list: &'_ [Value], others: &[Value]| {
        let known = |name: &&str| others.iter().any(|other| self::name(other) == Some(name));
        list.iter().filter_map(name).filter(known).collect::<Vec<_>>().join(", ")
    };
    let (one, two) = (names(one, two), names(two, one));
    (one != two).then_some((one, two))
}

fn name(item: &Value) -> Option<&str> {
    NAMES.iter().find_map(|key| item.get(key)?.as_str())
}

/// Whether a name can stand in a path.
fn is_step(name: &str) -> bool {
    let numeric = name.bytes().all(|byte| byte.is_ascii_digit());
    !name.is_empty() && !numeric && !name.contains('=')
}

/// The keys of both, in order.
fn keys<'a>(
    one: &'a Map<String, Value>,
    two: &'a Map<String, Value>,
) -> impl Iterator<Item = &'a str> {
    let mut keys: Vec<&str> = one.keys().chain(two.keys()).map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What names an item of a list.
const NAMES: [&str; 3] = ["name", "id", "title"];

/// The parts of a scenario that say how a run is called and judged, not how it goes. The seed
/// chooses among its runs.
const SHOWN_ONLY: [&str; 10] = [
    "schema",
    "name",
    "title",
    "seed",
    "seeds",
    "columns",
    "reference",
    "gate",
    "baseline",
    "expect",
];

/// Chosen: a value of a scenario file fits; what is longer is told by its beginning.
const LONGEST_VALUE: usize = 60;

/// Those of a digest that are enough to tell two apart.
const SHOWN_DIGITS: usize = 12;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{CompareError, Settings, compare};
    use super::*;
    use crate::result::ResultFile;
    use crate::result::example::rolled_back_result;

    fn between(first: &ResultFile, other: &ResultFile) -> Vec<ScenarioDifference> {
        let [first, other] = [first, other].map(|one| (&one.scenario, &one.traces[..]));
        scenario_differences(first, other)
    }

    fn result(resolved: Value) -> ResultFile {
        let mut result = rolled_back_result();
        result.scenario.resolved = resolved;
        result
    }

    fn refusal(first: &ResultFile, other: &ResultFile) -> Option<CompareError> {
        let inputs = [("a", first), ("b", other)].map(|(label, result)| RunInput {
            label,
            sha256: "",
            result,
        });
        compare(&inputs, &Settings::default()).err()
    }

    fn told(one: Value, two: Value) -> Vec<String> {
        let found = between(&result(one), &result(two));
        found.iter().map(ScenarioDifference::told).collect()
    }

    #[test]
    fn what_differs_is_told_by_its_path_with_both_values() {
        let scenario = |threshold: f64, rate: &str| {
            let id = format!("error_rate > {threshold}");
            let rules = json!({"conditions": [
                {"id": id, "threshold": threshold},
                {"id": "latency_p99 > 3s", "threshold_ms": 3000},
            ]});
            json!({
                "models": [{"id": "gpt-4", "rules": rules}],
                "workload": {"arrivals": {"poisson": rate}},
            })
        };
        assert_eq!(
            told(scenario(0.05, "8/s"), scenario(0.04, "9/s")),
            [
                "models.gpt-4.rules.conditions.0.threshold: 0.05 / 0.04",
                "workload.arrivals.poisson: 8/s / 9/s"
            ]
        );
        assert_eq!(told(scenario(0.05, "8/s"), scenario(0.05, "8/s")), [""; 0]);
    }

    #[test]
    fn items_go_by_their_names_wherever_they_stand() {
        let phase = |name: &str, length: &str| json!({"name": name, "for": length});
        let phases = |list: &[Value]| json!({"phases": list});
        assert_eq!(
            told(
                phases(&[phase("warm up", "1m"), phase("canary", "5m")]),
                phases(&[phase("canary", "7m"), phase("v1.5", "1m"), phase("bake", "2m")]),
            ),
            [
                "phases.0.name: warm up / v1.5",
                "phases.canary.for: 5m / 7m",
                r#"phases.2: absent / {"for":"2m","name":"bake"}"#,
            ]
        );
        let ids = |rate: &str| json!({"models": [{"id": "gpt-3.5", "rate": rate}]});
        assert_eq!(told(ids("1/s"), ids("2/s")), ["models.gpt-3.5.rate: 1/s / 2/s"]);
    }

    #[test]
    fn the_order_of_phases_and_what_a_column_is_of_decide() {
        let phase = |name: &str| json!({"name": name});
        let phases = |list: &[Value]| json!({"phases": list});
        let (one, two) = ([phase("p"), phase("q")], [phase("q"), phase("x"), phase("p")]);
        assert_eq!(
            told(phases(&one), phases(&two)),
            [r#"phases.1: absent / {"name":"x"}"#, "phases in order: p, q / q, p"]
        );
        let (first, mut other) = (result(json!({})), result(json!({})));
        other.scenario.columns[0].version = Some("v9".to_owned());
        let found = between(&first, &other);
        let [only] = &found[..] else { panic!("{found:?}") };
        assert!(
            only.path.starts_with("columns.") && only.told().contains("version=v9"),
            "{only:?}"
        );
    }

    #[test]
    fn how_a_run_is_called_and_judged_decides_nothing() {
        let one = json!({"seed": 1, "name": "a", "gate": ["rollbacks == 1"], "start": "x"});
        let two = json!({"seed": 2, "name": "b", "title": "B", "start": "x"});
        assert_eq!(told(one, two), [""; 0]);
    }

    #[test]
    fn another_trace_is_told_by_its_digest() {
        let mut other = rolled_back_result();
        other.traces[0].sha256 = Some("cd".repeat(32));
        assert_eq!(
            refusal(&rolled_back_result(), &other).unwrap().to_string(),
            "b is not of the same scenario as a:\n  \
             trace traces/azure.csv: SHA-256 abababababab… / SHA-256 cdcdcdcdcdcd…"
        );
        other.traces.clear();
        assert!(refusal(&rolled_back_result(), &other).is_some());
    }

    #[test]
    fn many_differences_are_bounded() {
        let many = |value: u64| {
            let map = (0..15).map(|key| (format!("k{key:02}"), json!(value)));
            Value::Object(map.collect())
        };
        let error = refusal(&result(many(1)), &result(many(2))).unwrap().to_string();
        assert_eq!(error.lines().count(), 1 + 12 + 1);
        assert!(error.ends_with("\n  k11: 1 / 2\n  and 3 more"), "{error}");
    }

    #[test]
    fn across_differences_the_comparison_tells_them() {
        let (first, other) = (result(json!({"start": 1})), result(json!({"start": 2})));
        let inputs = [("a", &first), ("b", &first), ("c", &other)]
            .map(|(label, result)| RunInput { label, sha256: "", result });
        let settings = Settings { across: true, ..Settings::default() };
        let comparison = compare(&inputs, &settings).unwrap();
        assert_eq!(comparison.differing.len(), 1);
        let RunDifferences { run, differences } = &comparison.differing[0];
        assert_eq!((*run, &differences[0].path[..]), (2, "start"));
    }

    #[test]
    fn long_values_are_told_by_their_beginning() {
        let [line] = &told(json!({"start": "é".repeat(80)}), json!({}))[..] else { panic!() };
        assert_eq!(*line, format!("start: {}… / absent", "é".repeat(60)));
    }
}
