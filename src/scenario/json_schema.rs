//! The description of the format as a JSON Schema, for editors and for checks by other tools.

use serde_json::{Map, Value, json};

use super::shape::{Absent, Choice, Field, Literal, Open, Record, Shape};
use super::shapes::SCENARIO;
use super::shapes_fault_list::FAULT_FILE;
use super::shapes_gateway::GATEWAY;

/// The JSON Schema (draft 2020-12) of scenario files.
///
/// Whatever [`load`](super::load) accepts is valid under it; what it cannot express (names that
/// must exist, weights that sum to 1) is left to `coalmine validate`. A file that extends others
/// may leave out whatever they bring.
pub fn json_schema() -> Value {
    described("coalmine scenario", SCENARIO)
}

/// The JSON Schema (draft 2020-12) of the configurations of gateways, likewise of
/// [`load_gateway`](super::load_gateway).
pub fn gateway_schema() -> Value {
    described("coalmine gateway", GATEWAY)
}

/// The JSON Schema (draft 2020-12) of lists of faults, likewise of
/// [`load_faults`](super::load_faults).
pub fn faults_schema() -> Value {
    let mut definitions = Definitions::default();
    let mut whole = definitions.shape(FAULT_FILE);
    whole["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    whole["title"] = json!("coalmine faults");
    let variable = json!({"type": "string", "pattern": VARIABLE});
    definitions.map.insert("variable".to_owned(), variable);
    whole["$defs"] = definitions.map.into();
    whole
}

fn described(title: &str, shape: Shape) -> Value {
    let mut definitions = Definitions::default();
    let whole = definitions.shape(shape);
    definitions.partial = true;
    let partial = definitions.shape(shape);
    let variable = json!({"type": "string", "pattern": VARIABLE});
    definitions.map.insert("variable".to_owned(), variable);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "if": {"required": ["extends"]},
        "then": partial,
        "else": whole,
        "$defs": definitions.map,
    })
}

/// The schemas of records and choices, each under its own name, so that they may refer to
/// themselves and to each other.
#[derive(Default)]
struct Definitions {
    map: Map<String, Value>,
    /// Which shape took which name, as a whole or as a part.
    taken: Vec<(*const (), bool, String)>,
    /// Whether they are those of a file that is laid over others: nothing must stand, and nothing
    /// in a key's place takes the key away.
    partial: bool,
}

impl Definitions {
    fn shape(&mut self, shape: Shape) -> Value {
        match shape {
            Shape::One(literal) => self::literal(literal),
            Shape::Either(literals) => {
                any_of(&literals.iter().map(|kind| literal(*kind)).collect::<Vec<_>>())
            }
            Shape::List(item) => json!({"type": "array", "items": self.shape(*item)}),
            Shape::Table(table) => json!({
                "type": "object",
                "propertyNames": key(table.key),
                "additionalProperties": self.value(table.value),
            }),
            Shape::Record(record) => {
                self.define(std::ptr::from_ref(record).cast(), record.name, |definitions| {
                    definitions.record(record)
                })
            }
            Shape::Open(open) => {
                self.define(std::ptr::from_ref(open).cast(), open.name, |definitions| {
                    definitions.open(open)
                })
            }
            Shape::Choice(choice) => {
                self.define(std::ptr::from_ref(choice.choices).cast(), choice.name, |definitions| {
                    definitions.choice(choice)
                })
            }
            Shape::Short(short) => any_of(&[literal(short.literal), self.shape(short.full)]),
            Shape::FileOr(shape) => any_of(&[literal(Literal::Path), self.shape(*shape)]),
            Shape::OneOrMore(kind) => {
                any_of(&[literal(kind), json!({"type": "array", "items": literal(kind)})])
            }
            Shape::Free => json!({}),
        }
    }

    fn define(
        &mut self,
        identity: *const (),
        name: &str,
        make: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        // A shape that is being made is told by its address, so that it may refer to itself. What
        // was made is told by its content: the compiler may give one shape several addresses.
        let word = name.replace(' ', "_");
        let word = if self.partial { format!("partial_{word}") } else { word };
        let known = self.taken.iter().find(|(taken, partial, of)| {
            *taken == identity && *partial == self.partial && base(of) == word
        });
        if let Some((.., name)) = known {
            return reference(name);
        }
        let names: std::collections::BTreeSet<_> =
            self.taken.iter().map(|(.., taken)| taken).collect();
        let alike = names.into_iter().filter(|taken| base(taken) == word).count();
        let word = if alike == 0 { word } else { format!("{word}.{}", alike + 1) };
        self.taken.push((identity, self.partial, word.clone()));
        let made = make(self);
        if let Some(same) = self.same_as(&word, &made) {
            self.taken.retain(|(.., taken)| *taken != word);
            self.taken.push((identity, self.partial, same.clone()));
            return reference(&same);
        }
        self.map.insert(word.clone(), made);
        reference(&word)
    }

    /// The definition that `made` is, but for what it calls itself: it was made as `word`.
    fn same_as(&self, word: &str, made: &Value) -> Option<String> {
        let called = |name: &str, text: String| {
            text.replace(&reference(name).to_string(), &reference(base(word)).to_string())
        };
        let made = called(word, made.to_string());
        let alike = self.map.iter().filter(|(name, _)| base(name) == base(word));
        let same = alike.into_iter().find(|(name, of)| called(name, of.to_string()) == made);
        same.map(|(name, _)| name.clone())
    }

    fn record(&mut self, record: &Record) -> Value {
        json!({
            "type": "object",
            "properties": self.properties(record.fields),
            "required": self.required(record.fields),
            "additionalProperties": false,
        })
    }

    /// The names of those fields that must stand.
    fn required(&self, fields: &[Field]) -> Vec<&'static str> {
        let required = fields.iter().filter(|field| field.absent == Absent::Refused);
        if self.partial { Vec::new() } else { required.map(|field| field.name).collect() }
    }

    fn open(&mut self, open: &Open) -> Value {
        let names: Vec<_> = open.fields.iter().map(|field| field.name).collect();
        json!({
            "type": "object",
            "properties": self.properties(open.fields),
            "propertyNames": any_of(&[json!({"enum": names}), key(open.key)]),
            "additionalProperties": self.value(open.value),
        })
    }

    fn choice(&mut self, choice: &Choice) -> Value {
        let mut properties = self.properties(choice.choices);
        properties.extend(self.properties(choice.beside));
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "required": self.required(choice.beside),
            "additionalProperties": false,
        });
        if !self.partial {
            let one = choice.choices.iter().map(|field| json!({"required": [field.name]}));
            let mut one: Vec<_> = one.collect();
            if choice.may_be_left_out() {
                one.push(json!({"not": {"anyOf": one.clone()}}));
            }
            schema["oneOf"] = one.into();
        }
        schema
    }

    /// What stands at a key.
    fn value(&mut self, shape: Shape) -> Value {
        let value = self.shape(shape);
        if self.partial { any_of(&[value, json!({"type": "null"})]) } else { value }
    }

    fn properties(&mut self, fields: &[Field]) -> Map<String, Value> {
        let mut properties = Map::new();
        for field in fields {
            let Value::Object(mut schema) = self.value(field.shape) else {
                unreachable!("every shape has an object for its schema")
            };
            schema.insert("description".to_owned(), json!(field.about));
            if let Absent::Default(default) = field.absent {
                schema.insert("default".to_owned(), default_value(default));
            }
            properties.insert(field.name.to_owned(), Value::Object(schema));
        }
        properties
    }
}

/// A name without the number that tells it from others alike.
fn base(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn any_of(alternatives: &[Value]) -> Value {
    json!({"anyOf": alternatives})
}

fn default_value(text: &str) -> Value {
    match text {
        "true" => json!(true),
        "false" => json!(false),
        text => text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number)),
    }
}

/// The schema of a key: keys are texts in JSON whatever they mean.
fn key(literal: Literal) -> Value {
    match literal {
        Literal::Text => json!({"type": "string"}),
        Literal::Status => pattern("^[45][0-9][0-9]$"),
        Literal::Ratio => pattern(RATIO),
        Literal::Metric => self::literal(Literal::Metric),
        other => {
            let mut schema = plain(other);
            schema["type"] = json!("string");
            schema
        }
    }
}

/// The schema of a value, or of the name of one.
fn literal(literal: Literal) -> Value {
    let schema = plain(literal);
    if schema.get("type").is_some_and(|kind| *kind == "string" || kind.is_array()) {
        return schema;
    }
    any_of(&[schema, reference("variable")])
}

fn plain(literal: Literal) -> Value {
    match literal {
        Literal::Duration => {
            pattern(r"^\s*(([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*(d|h|m|s|ms|us|µs|ns)\s*)+$")
        }
        Literal::Ratio => {
            any_of(&[pattern(RATIO), json!({"type": "number", "minimum": 0, "maximum": 1})])
        }
        Literal::Rate => {
            pattern(r"^\s*[0-9.eE+-]+\s*/\s*(s|sec|second|m|min|minute|h|hour|d|day)\s*$")
        }
        Literal::Quota => {
            pattern(r"^\s*[0-9.eE+-]+\s*/\s*(s|sec|second|m|min|minute|h|hour|d|day)\s*$")
        }
        Literal::Money => pattern(r"^\s*([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*USD\s*$"),
        Literal::Tokens => any_of(&[
            pattern(r"^\s*\+?[0-9]+\s*(tokens?)*\s*$"),
            json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        ]),
        Literal::Requests => any_of(&[
            pattern(r"^\s*\+?[0-9]+\s*(requests?)*\s*$"),
            json!({"type": "integer", "minimum": 0, "maximum": 1_000_000_000_000_000_u64}),
        ]),
        Literal::Timestamp => {
            let Value::Object(mut schema) = pattern(r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}[ tT].*$")
            else {
                unreachable!("a pattern is an object")
            };
            schema.insert("examples".to_owned(), json!(["2024-03-15T11:00:00Z"]));
            Value::Object(schema)
        }
        Literal::Figure | Literal::Text => json!({"type": ["string", "number"]}),
        Literal::Integer(least, most) => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Literal::Number(least, most) if least.is_finite() => {
            json!({"type": "number", "minimum": least, "maximum": most})
        }
        Literal::Number(..) => json!({"type": "number"}),
        Literal::Bool => json!({"type": "boolean"}),
        Literal::Slug => named(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
        Literal::Model => named(r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$"),
        Literal::Version | Literal::Tag | Literal::Key => {
            named(r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")
        }
        Literal::Metric => {
            let names: Vec<_> =
                crate::metric::Metric::all().map(crate::metric::Metric::name).collect();
            json!({"enum": names})
        }
        Literal::Status => json!({"type": "integer", "minimum": 400, "maximum": 599}),
        Literal::Word(words) => json!({"enum": words}),
        Literal::Path => json!({"type": ["string", "number"]}),
        Literal::Variable => json!({"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]*$"}),
        Literal::Environment => {
            json!({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,127}$"})
        }
        Literal::Address => pattern(r"^(\[[0-9A-Fa-f:.%]+\]|[0-9.]+):[0-9]{1,5}$"),
        Literal::Url => pattern(r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@]+[^\s?#]*$"),
        Literal::SecretUrl => pattern(r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@]+[^\s#]*$"),
        Literal::Host => pattern(r"^[A-Za-z0-9:._\[\]-]+$"),
        Literal::Header => named(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$"),
        Literal::Upstream => named(r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"),
        Literal::Any => json!({"type": ["string", "number", "boolean"]}),
    }
}

/// A name, which YAML may take for a number where it is not in quotes.
fn named(pattern: &str) -> Value {
    let pattern = format!("{pattern}|{VARIABLE}");
    json!({"type": ["string", "number", "boolean"], "pattern": pattern})
}

fn pattern(pattern: &str) -> Value {
    json!({"type": "string", "pattern": format!("{pattern}|{VARIABLE}")})
}

/// Where a value may stand, its name may.
const VARIABLE: &str = r"\$\{";

const RATIO: &str = r"^\s*[0-9.eE+-]+\s*%?\s*$";

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::scenario::diagnostic::Diagnostics;
    use crate::scenario::parse::parse_file;
    use crate::scenario::place::Sources;
    use crate::scenario::tree::{Node, Scalar, Value as Part};

    fn scenarios() -> Vec<PathBuf> {
        files(&["tests/golden/accepted", "scenarios"])
    }

    fn files(folders: &[&str]) -> Vec<PathBuf> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        for entry in
            folders.iter().filter_map(|folder| fs::read_dir(root.join(folder)).ok()).flatten()
        {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                found.push(path);
            }
        }
        assert!(found.len() >= 2, "{found:?}");
        found
    }

    fn as_json(bytes: &[u8]) -> Value {
        let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
        to_json(&parse_file("a.yaml", bytes, &mut sources, &mut diagnostics).unwrap())
    }

    fn to_json(node: &Node) -> Value {
        match &node.value {
            Part::List(items) => items.iter().map(to_json).collect(),
            Part::Map(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), to_json(&entry.node))).collect()
            }
            Part::Scalar(scalar) => scalar_to_json(scalar),
        }
    }

    /// By the core schema of YAML 1.2.2, chapter 10.3.
    fn scalar_to_json(scalar: &Scalar) -> Value {
        let number = scalar.text.parse::<u64>().map(Value::from).ok();
        let float = || scalar.text.parse::<f64>().ok().filter(|number| number.is_finite());
        match scalar.as_bool() {
            _ if scalar.is_null() => Value::Null,
            _ if scalar.quoted => json!(scalar.text),
            Some(boolean) => json!(boolean),
            None => {
                number.or_else(|| float().map(Value::from)).unwrap_or_else(|| json!(scalar.text))
            }
        }
    }

    #[test]
    fn every_accepted_scenario_is_valid_under_the_schema() {
        every_one_is_valid(&scenarios(), &json_schema());
    }

    #[test]
    fn every_accepted_gateway_is_valid_under_its_schema() {
        let mut gateways = files(&["tests/golden/gateways"]);
        gateways.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gateway.yaml"));
        every_one_is_valid(&gateways, &gateway_schema());
        assert!(jsonschema::draft202012::meta::is_valid(&gateway_schema()));
    }

    fn every_one_is_valid(paths: &[PathBuf], schema: &Value) {
        let validator = jsonschema::draft202012::new(schema).unwrap();
        for path in paths {
            let instance = as_json(&fs::read(path).unwrap());
            let errors: Vec<_> = validator
                .iter_errors(&instance)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{}: {}", path.display(), errors.join("\n"));
        }
    }

    #[test]
    fn the_schema_is_valid_under_its_own_draft() {
        assert!(jsonschema::draft202012::meta::is_valid(&json_schema()));
    }

    #[test]
    fn the_schema_refuses_unknown_keys_and_wrong_literals() {
        let validator = jsonschema::draft202012::new(&json_schema()).unwrap();
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/accepted/smallest.yaml");
        let valid = as_json(&fs::read(path).unwrap());
        assert!(validator.is_valid(&valid));
        let changes = [
            ("", "extend", json!(["base.yaml"])),
            ("", "vars", json!({"a b": 1})),
            ("/workload", "request", json!(5)),
            ("/workload", "stream", json!(30)),
            ("/workload", "client_timeout", json!(30)),
            ("/workload", "client_timeout", json!("thirty seconds")),
            ("/workload/arrivals", "poisson", json!("5/s")),
            ("/models/m/versions/v1", "truth", json!("unknown")),
            ("/models/m/versions/v1/upstream", "failures", json!({"200": "1%"})),
            ("/models/m/versions/v1/upstream", "latency", json!({"lognorml": {}})),
            ("/phases/0", "for", json!("forever")),
        ];
        for (place, key, value) in changes {
            let mut invalid = valid.clone();
            invalid.pointer_mut(place).unwrap()[key] = value;
            assert!(!validator.is_valid(&invalid), "{place}/{key}");
        }
    }

    #[test]
    fn every_key_is_described() {
        let schema = json_schema();
        for (name, definition) in schema["$defs"].as_object().unwrap() {
            // All but the name of a value have keys.
            for (key, property) in definition["properties"].as_object().into_iter().flatten() {
                assert!(property["description"].is_string(), "{name}.{key}");
            }
        }
    }
}
