//! Scenarios that build on others: `extends: [base.yaml]`.
//!
//! The files named are laid one over the other in their order, and the one that names them on top;
//! each may build on others in turn. Every part keeps the place that it was written at. A file that
//! is built on need not be a scenario by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::check::check;
use super::diagnostic::Diagnostic;
use super::files::Reading;
use super::merge::merge;
use super::shape::{Shape, quote};
use super::shapes::EXTENDS;
use super::shorthand::rename_splits;
use super::tree::{Node, Value};

/// Lays the document `root`, of `shape` and read from `path`, over those that it extends.
pub(crate) fn extend(root: Node, path: &Path, shape: Shape, reading: &mut Reading<'_>) -> Node {
    let place = root.place;
    let mut extending = Extending {
        reading,
        shape,
        opened: vec![path.to_owned()],
        made: BTreeMap::new(),
        nodes: 0,
        stopped: false,
        incomplete: false,
    };
    let root = extending.build(root);
    if extending.incomplete {
        // What the rest would have brought is not missing as well.
        reading.diagnostics.leave(place);
    }
    root
}

struct Extending<'a, 'b> {
    reading: &'a mut Reading<'b>,
    /// What the documents are.
    shape: Shape,
    /// The files that are being built, each named by the one before.
    opened: Vec<PathBuf>,
    /// Those that are built; `None` for one that could not be.
    made: BTreeMap<PathBuf, Option<Node>>,
    nodes: usize,
    /// Whether there is more to read than is read.
    stopped: bool,
    /// Whether a file could not be laid under another.
    incomplete: bool,
}

impl Extending<'_, '_> {
    fn build(&mut self, mut root: Node) -> Node {
        rename_splits(&mut root);
        let Value::Map(entries) = &mut root.value else { return root };
        let Some(index) = entries.iter().position(|entry| entry.key == "extends") else {
            return root;
        };
        let extends = entries.remove(index).node;
        check(&extends, EXTENDS, self.reading.diagnostics);
        let mut below: Option<Node> = None;
        for item in extends.items() {
            let Some(base) = self.base(item) else {
                self.incomplete = true;
                continue;
            };
            below = Some(match below {
                None => base,
                Some(below) => self.lay(below, base),
            });
        }
        match below {
            None => root,
            Some(below) => self.lay(below, root),
        }
    }

    fn lay(&mut self, below: Node, over: Node) -> Node {
        let reading = &mut *self.reading;
        let mut open = |node: &Node| reading.open(node.scalar()?, node.place);
        merge(below, over, self.shape, &mut open)
    }

    /// The document that `item` names, with those that it extends in turn.
    fn base(&mut self, item: &Node) -> Option<Node> {
        if self.stopped {
            return None;
        }
        let path = self.reading.locate(item.scalar()?, item.place)?;
        if let Some(start) = self.opened.iter().position(|opened| *opened == path) {
            let ring = self.opened[start..].iter().chain([&path]);
            let ring: Vec<_> = ring.map(|path| path.display().to_string()).collect();
            let message = format!("the files extend each other in a ring: {}", ring.join(" -> "));
            let diagnostic = Diagnostic::new(item.place, message);
            self.reading.diagnostics.report(diagnostic.help("take one of them out of `extends`"));
            return None;
        }
        if self.opened.len() >= DEEPEST {
            return self
                .stop(item, format!("more than {DEEPEST} files extend each other in a row"));
        }
        if let Some(made) = self.made.get(&path) {
            let made = made.clone();
            return self.bounded(made?, item);
        }
        if self.made.len() + self.opened.len() > MOST_FILES {
            return self.stop(item, format!("more than {MOST_FILES} files are built on in all"));
        }
        self.opened.push(path);
        let read = self.reading.open(item.scalar()?, item.place);
        let read = read.and_then(|root| match root.value {
            Value::Map(_) => self.bounded(root, item).map(|root| self.build(root)),
            _ => {
                let message = format!("found {} where a scenario is wanted", root.kind());
                self.reading.diagnostics.report(Diagnostic::new(root.place, message));
                None
            }
        });
        if let Some(path) = self.opened.pop() {
            self.made.insert(path, read.clone());
        }
        read
    }

    /// `root`, if the documents together stay within what is read.
    fn bounded(&mut self, root: Node, item: &Node) -> Option<Node> {
        self.nodes += root.size();
        if self.nodes <= MOST_NODES {
            return Some(root);
        }
        let message = format!(
            "with {} the files hold more than {MOST_NODES} values, counted wherever they are built \
             on",
            quote(item.text().unwrap_or_default())
        );
        self.stop(item, message)
    }

    /// Reads no file any more: each could name as many again. Told once.
    fn stop<T>(&mut self, item: &Node, message: String) -> Option<T> {
        if !self.stopped {
            self.reading.diagnostics.report(Diagnostic::new(item.place, message));
        }
        self.stopped = true;
        None
    }
}

/// Chosen: a person does not follow more; recursion needs a bound.
const DEEPEST: usize = 32;
/// Chosen: more are a mistake.
const MOST_FILES: usize = 128;
/// Chosen: as many as one file may hold.
const MOST_NODES: usize = 400_000;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use crate::scenario::Files;
    use crate::scenario::{Document, Loaded, load};

    const BASE: &str = r"
schema: 1
name: base
vars: {rate: 5/s}
workload: {arrivals: {poisson: '${rate}'}, tokens: {input: 5, output: 5}}
models:
  m:
    versions:
      v1: {tags: [stable], upstream: {latency: 1s, failures: {500: 1%}}}
      v2: {upstream: {latency: {lognormal: {mean: 1s, p99: 2s}}}}
    rules: rules.json
phases:
  - {name: before, for: 5m, split: {v1: 100%}}
  - {name: canary, for: 5m, split: {v1: 50%, v2: 50%}}
gate: [rollbacks == 0, error_rate < 5%]
";
    const RULES: &str =
        r#"{"conditions": [{"judge": "sequential", "action": "notify", "id": "judge"}]}"#;

    struct Texts(BTreeMap<&'static str, String>);

    impl Files for Texts {
        fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
            let text = self.0.get(path.to_str().unwrap());
            text.map(|text| text.clone().into_bytes()).ok_or_else(|| "no such file".to_owned())
        }
    }

    fn load_files(files: &[(&'static str, &str)], settings: &[&str]) -> Result<Loaded, String> {
        let files = files.iter().map(|(path, text)| (*path, (*text).to_owned()));
        let mut texts = Texts(files.collect());
        texts.0.insert("lib/base.yaml", BASE.to_owned());
        texts.0.insert("lib/rules.json", RULES.to_owned());
        let settings: Vec<_> = settings.iter().map(|text| (*text).to_owned()).collect();
        let document = Document {
            path: Path::new("a.yaml"),
            bytes: texts.0["a.yaml"].as_bytes(),
            settings: &settings,
            working_directory: Path::new("/project"),
            allow_outside: false,
        };
        load(document, &texts).map_err(|error| error.to_string())
    }

    fn over_base(text: &str, settings: &[&str]) -> Result<Loaded, String> {
        load_files(&[("a.yaml", &format!("extends: [lib/base.yaml]\n{text}"))], settings)
    }

    #[test]
    fn what_is_not_said_is_as_in_the_base() {
        let loaded = over_base("name: a", &[]).unwrap();
        let mut base =
            load_files(&[("a.yaml", &BASE.replace("rules.json", "lib/rules.json"))], &[])
                .unwrap()
                .resolved;
        assert_eq!(loaded.scenario.name, "a");
        (base["name"], base["title"]) = ("a".into(), "a".into());
        assert_eq!(loaded.resolved, base);
    }

    #[test]
    fn maps_merge_choices_and_lists_of_texts_replace_and_named_things_merge_by_name() {
        let text = "workload: {arrivals: {constant: 2/s}}
models: {m: {versions: {v1: {upstream: {failures: {503: 2%}}}, v3: {upstream: {latency: 2s}}}}}
phases: [{name: canary, split: {v1: 90%, v2: 10%}}, {name: last, for: 1m}]
gate: [rollbacks == 1]";
        let loaded = over_base(text, &[]).unwrap();
        let resolved = &loaded.resolved;
        assert_eq!(resolved["workload"]["arrivals"], serde_json::json!({"constant": "2/s"}));
        let versions = &resolved["models"][0]["versions"];
        assert_eq!(versions[0]["upstream"]["failures"]["500"]["probability"], 0.01);
        assert_eq!(versions[0]["upstream"]["failures"]["503"]["probability"], 0.02);
        assert_eq!(versions[2]["id"], "v3");
        let names: Vec<_> = loaded.scenario.phases.iter().map(|phase| phase.name.clone()).collect();
        assert_eq!(names, ["before", "canary", "last"]);
        assert_eq!(resolved["phases"][1]["for"], "5m");
        assert_eq!(resolved["phases"][1]["split"]["v2"], 0.1);
        assert_eq!(loaded.scenario.gate.len(), 1);
        assert!(loaded.warnings.to_string().contains("nothing uses the var \"rate\""));
    }

    #[test]
    fn both_names_of_a_split_are_one_part() {
        let text = "phases: [{name: canary, canary_rules: {v1: 70%, v2: 30%}}]";
        let of_v2 = |loaded: Loaded| loaded.resolved["phases"][1]["split"]["v2"].clone();
        assert_eq!(of_v2(over_base(text, &[]).unwrap()), 0.3);
        let settings = ["phases.canary.canary_rules.v1=60%", "phases.canary.canary_rules.v2=40%"];
        assert_eq!(of_v2(over_base("name: a", &settings).unwrap()), 0.4);
        assert_eq!(of_v2(over_base(text, &settings).unwrap()), 0.4);
        let base = BASE.replace("split: {v1: 50%", "canary_rules: {v1: 50%");
        let split = "phases: [{name: canary, split: {v1: 80%, v2: 20%}}]";
        let files = [("a.yaml", format!("extends: [lib/other.yaml]\n{split}"))];
        let files = [(files[0].0, files[0].1.as_str()), ("lib/other.yaml", base.as_str())];
        assert_eq!(of_v2(load_files(&files, &[]).unwrap()), 0.2);
    }

    #[test]
    fn a_file_that_stands_for_a_part_is_opened_to_be_laid_under_what_is_said() {
        let text =
            "models: {m: {rules: {enable: false, conditions: [{id: judge, prior_strength: 5}]}}}";
        let loaded = over_base(text, &[]).unwrap();
        let rules = &loaded.resolved["models"][0]["rules"];
        assert_eq!(rules["enable"], false);
        assert_eq!(rules["conditions"][0]["prior_strength"], 5.0);
        assert_eq!(rules["conditions"][0]["action"], "notify");
    }

    #[test]
    fn nothing_in_a_keys_place_takes_the_key_away() {
        let loaded = over_base("gate: ~\nmodels: {m: {rules: ~}}", &[]).unwrap();
        assert!(loaded.scenario.gate.is_empty());
        assert_eq!(loaded.resolved["models"][0]["rules"]["enable"], false);
        let error = over_base("title: ~", &[]).unwrap_err();
        assert!(error.contains("a.yaml:2:1: no value"), "{error}");
    }

    #[test]
    fn the_last_of_several_files_is_uppermost() {
        let files = [
            ("a.yaml", "extends: [lib/base.yaml, b.yaml, c.yaml]"),
            ("b.yaml", "seed: 2\ntitle: b"),
            ("c.yaml", "extends: [d.yaml]\nseed: 3"),
            ("d.yaml", "seed: 4\nstart: 2024-05-05T00:00:00Z"),
        ];
        let scenario = load_files(&files, &[]).unwrap().scenario;
        assert_eq!((scenario.seed, scenario.title.as_str()), (3, "b"));
        assert_eq!(scenario.start.to_string(), "2024-05-05T00:00:00Z");
    }

    #[test]
    fn vars_are_those_of_all_files_and_settings() {
        for (text, settings, rate) in [
            ("seed: 2", &[][..], "5/s"),
            ("vars: {rate: 6/s}", &[], "6/s"),
            ("vars: {rate: 6/s}", &["vars.rate=7/s"], "7/s"),
            ("vars: {other: 8/s}", &["workload.arrivals.poisson=${other}"], "8/s"),
        ] {
            let resolved = over_base(text, settings).unwrap().resolved;
            assert_eq!(resolved["workload"]["arrivals"]["poisson"], rate, "{text}");
        }
        let error = over_base("seed: 2", &["vars.rat=6/s"]).unwrap_err();
        assert!(error.contains("did you mean `rate`"), "{error}");
        let error = over_base("seed: 2", &["extends=[]"]).unwrap_err();
        assert!(error.contains("put together before anything is set"), "{error}");
    }

    #[test]
    fn problems_are_told_in_the_file_that_they_stand_in() {
        let text = "vars: {rate: fast}\nphases: [{name: canary, split: {v2: 60%}}]";
        let error = over_base(text, &[]).unwrap_err();
        assert!(error.contains("error: lib/base.yaml:5:32: \"fast\" is not a rate"), "{error}");
        assert!(error.contains("note: a.yaml:2:14: \"rate\" is \"fast\" here"), "{error}");
        assert!(error.contains("error: a.yaml:3:25: the weights sum to 110%"), "{error}");
    }

    #[test]
    fn paths_are_relative_to_the_file_that_they_stand_in() {
        let text = "workload: {tokens: ~, arrivals: {trace: t.csv}}";
        let files = [("a.yaml", "extends: [lib/b.yaml]"), ("lib/b.yaml", text)];
        let text = format!("extends: [base.yaml]\n{text}");
        let files = [files[0], ("lib/b.yaml", &text)];
        let loaded = load_files(&files, &[]).unwrap();
        let [path] = loaded.scenario.traffic.files() else { panic!("a trace") };
        assert_eq!(path, Path::new("lib/t.csv"));
        let yaml = loaded.to_yaml();
        assert!(yaml.contains("\n      file: lib/t.csv\n"), "{yaml}");
    }

    #[test]
    fn rings_and_files_that_are_none_are_told() {
        let ring = [("a.yaml", "extends: [b.yaml]"), ("b.yaml", "extends: [lib/../a.yaml]")];
        let error = load_files(&ring, &[]).unwrap_err();
        assert!(error.contains("error: b.yaml:1:11: the files extend each other"), "{error}");
        assert!(error.contains("in a ring: a.yaml -> b.yaml -> a.yaml"), "{error}");
        for (text, expected) in [
            ("extends: [a.yaml]", "in a ring: a.yaml -> a.yaml"),
            ("extends: [c.yaml]", "cannot read c.yaml: no such file"),
            ("extends: c.yaml", "found \"c.yaml\" where a list is wanted"),
            ("extends: ['../../c.yaml']", "lies outside"),
            ("vars: {c: 1}\nextends: ['${c}.yaml']", "write the path out"),
            ("extends: [lib/rules.json]\nvars: 5", "unknown key \"conditions\""),
        ] {
            let error = load_files(&[("a.yaml", text)], &[]).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn files_that_repeat_files_are_bounded() {
        let wide = format!("x: [{}]", "1, ".repeat(50_000));
        let files =
            [("a.yaml", &*format!("extends: [{}]", "b.yaml, ".repeat(20))), ("b.yaml", &*wide)];
        let error = load_files(&files, &[]).unwrap_err();
        assert!(error.contains("more than 400000 values"), "{error}");
    }

    /// Every file names as many more, each a folder further down, and the deepest name none.
    struct Branching {
        each: usize,
        deepest: usize,
    }

    impl Files for Branching {
        fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
            if path.components().count() > self.deepest {
                return Ok(b"seed: 1".to_vec());
            }
            let names: Vec<_> = (0..self.each).map(|number| format!("{number}/a.yaml")).collect();
            Ok(format!("extends: [{}]", names.join(", ")).into_bytes())
        }
    }

    #[test]
    fn files_that_name_ever_more_files_are_bounded_and_told_once() {
        for (each, deepest, expected) in [
            (1, 99, "more than 32 files extend each other in a row"),
            (2, 99, "more than 32 files extend each other in a row"),
            (12, 2, "more than 128 files are built on in all"),
        ] {
            let files = Branching { each, deepest };
            let path = Path::new("a.yaml");
            let document = Document {
                path,
                bytes: &files.read(path).unwrap(),
                settings: &[],
                working_directory: Path::new("/project"),
                allow_outside: false,
            };
            let error = load(document, &files).map_err(|error| error.to_string()).unwrap_err();
            assert_eq!(error.matches("more than").count(), 1, "{error}");
            assert!(error.contains(expected), "{error}");
        }
    }
}
