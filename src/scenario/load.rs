//! From a scenario file to its checked plan.
//!
//! In passes, each over the whole document, so that all problems come out at once: the text becomes
//! a tree; settings and files are put into it; the tree is checked against the description of the
//! format; defaults are written out; the plan is made from what can be read, and what several parts
//! say together is checked. Only a document without a problem has a plan.

use serde_json::Value;

use crate::exchange::ModelIndex;

use super::check::check;
use super::decode_gate;
use super::decode_key_commands::ClientKeys;
use super::decode_middlebox;
use super::decode_model::Draft;
use super::decode_outputs::{self, Known};
use super::decode_phases::{self, Surroundings};
use super::decode_policies;
use super::decode_recorded;
use super::decode_safeguards;
use super::decode_workload;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::document::Document;
use super::error::{ScenarioError, ScenarioWarnings, conclude};
use super::files::{Files, Folder, Reading};
use super::fill::fill;
use super::moved_tags::MovedTags;
use super::names::Names;
use super::odd_rollbacks;
use super::place::Sources;
use super::plan::{Expectation, Scenario};
use super::presets;
use super::read;
use super::resolved;
use super::shape::Absent;
use super::shapes::SCENARIO;
use super::shorthand;
use super::tree::Node;
use super::write::write;

/// A scenario without a flaw.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The plan.
    pub scenario: Scenario,
    /// The plan with every default spelled out, as JSON with sorted keys: equal for two documents
    /// that mean the same, so its digest tells scenarios apart. Versions are a list, since their
    /// order has a meaning; durations are literals, ratios numbers.
    pub resolved: Value,
    /// What is odd about it.
    pub warnings: ScenarioWarnings,
    yaml: String,
}

impl Loaded {
    /// The plan with every default spelled out, as a scenario file that has the same plan if it
    /// stands in the folder of the file that was read.
    pub fn to_yaml(&self) -> &str {
        &self.yaml
    }
}

/// The plan of the scenario that `document` is.
///
/// # Errors
/// All problems of the document, of its settings and of the files that it names, each with its
/// place and a remedy.
pub fn load(document: Document<'_>, files: &dyn Files) -> Result<Loaded, ScenarioError> {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let mut folder = Folder::new(document.path, document.working_directory, document.allow_outside);
    let mut reading = Reading::new(files, &mut folder, &mut sources, &mut diagnostics);
    let made = document.assemble(SCENARIO, &mut reading).and_then(|mut root| {
        presets::expand(&mut root, &mut sources, &mut diagnostics);
        check(&root, SCENARIO, &mut diagnostics);
        let names = Names::collect(root.entry("models")?, &mut diagnostics);
        shorthand::expand(&mut root, &names, &mut diagnostics);
        fill(&mut root, SCENARIO);
        let mut scenario = decode(&root, &names, &folder, &sources, &mut diagnostics)?;
        decode_recorded::complete(&root, &mut scenario, &mut diagnostics);
        decode_safeguards::check_pins(&root, &scenario, &mut diagnostics);
        decode_middlebox::warn(&root, &scenario, &mut diagnostics);
        let keep_tags = scenario.models.iter().map(|model| model.safeguards.keep_tags).collect();
        odd_rollbacks::warn(&root, &names, keep_tags, &mut diagnostics);
        decode_policies::warn(&root, &scenario, &mut diagnostics);
        resolved::complete(&mut root, &scenario);
        let yaml = write(&root, SCENARIO, &|path| folder.relocate(path));
        Some((scenario, resolved::resolve(&root), yaml))
    });
    let warnings = conclude(diagnostics, sources)?;
    let made = made.expect("whatever keeps a plan from being made is reported");
    let (scenario, resolved, yaml) = made;
    let warnings = warnings.for_runs(scenario.seeds);
    Ok(Loaded { scenario, resolved, warnings, yaml })
}

/// The keys that every scenario has and this one lacks, laid over those that it extends: with some
/// lacking, a file is a part for other scenarios to build on at most. `None` where it cannot be
/// read. `files` is asked for all that the document names, whatever else is wrong with it.
pub fn lacking(document: Document<'_>, files: &dyn Files) -> Option<Vec<&'static str>> {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let mut folder = Folder::new(document.path, document.working_directory, document.allow_outside);
    let mut reading = Reading::new(files, &mut folder, &mut sources, &mut diagnostics);
    let root = document.assemble(SCENARIO, &mut reading)?;
    let always = SCENARIO.fields().filter(|field| field.absent == Absent::Refused);
    Some(always.map(|field| field.name).filter(|name| root.get(name).is_none()).collect())
}

fn decode(
    root: &Node,
    names: &Names,
    folder: &Folder,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Scenario> {
    let models = root.entry("models")?;
    let drafts = (0..).map(ModelIndex).zip(models.node.entries());
    let safeguards = root.get("safeguards");
    let draft = |(index, entry)| Draft::decode(entry, index, safeguards, names, diagnostics);
    let drafts: Vec<_> = drafts.map(draft).collect();
    let versions: Vec<_> = drafts.iter().flat_map(Draft::versions).map(Option::as_ref).collect();
    decode_policies::check_sticky(root, diagnostics);
    let workload = root.entry("workload");
    let by_session = decode_policies::sticks_by_session(root);
    let traffic = workload
        .and_then(|entry| decode_workload::decode(entry, names, folder, by_session, diagnostics));
    let limits = workload.and_then(|entry| decode_workload::limits(&entry.node, diagnostics));
    let cache = match root.get("middlebox") {
        Some(node) => decode_middlebox::decode(node, diagnostics).map(Some),
        None => Some(None),
    };
    let phases = root.entry("phases").and_then(|entry| {
        let models: Vec<_> = drafts.iter().map(Draft::fixed).collect();
        let (traffic, keys) = (traffic.as_ref(), ClientKeys::of(workload.map(|entry| &entry.node)));
        let (versions, models, keys) = (&versions, &models, &keys);
        let around = Surroundings { names, versions, traffic, models, keys };
        decode_phases::decode(entry, &around, diagnostics)
    });
    let phase_names = root.get("phases").map_or(&[][..], Node::items).iter();
    let known = Known {
        names,
        moved: MovedTags::of(root.get("phases").map_or(&[][..], Node::items), names),
        phases: phase_names.map(|phase| read::text(phase, "name").unwrap_or_default()).collect(),
        columns: decode_outputs::titles(root.get("columns"), &names.versions()),
    };
    let columns = decode_outputs::columns(root.get("columns"), &known, diagnostics);
    let references = match root.get("reference") {
        Some(node) => decode_outputs::references(node, &known, diagnostics),
        None => Some(Vec::new()),
    };
    let gate = match root.get("gate") {
        Some(node) => decode_gate::gate(node, &known, sources, diagnostics),
        None => Some(Vec::new()),
    };
    let expect = expectation(root, diagnostics);
    let against_baseline = decode_gate::against_baseline(root, diagnostics);
    let seeds = decode_gate::seeds(root, gate.as_deref(), diagnostics);
    let name = read::text(root, "name")?.to_owned();
    Some(Scenario {
        title: read::text(root, "title").map_or_else(|| name.clone(), str::to_owned),
        start: read::text(root, "start")?.parse().ok()?,
        seed: read::integer(root, "seed")?,
        traffic: traffic?,
        limits: limits?,
        cache: cache?,
        models: drafts.into_iter().map(Draft::finish).collect::<Option<_>>()?,
        phases: phases?,
        columns: columns?,
        references: references?,
        gate: gate?,
        seeds,
        against_baseline: against_baseline?,
        expect,
        name,
    })
}

fn expectation(root: &Node, diagnostics: &mut Diagnostics) -> Option<Expectation> {
    let expect = root.entry("expect")?;
    if root.get("gate").is_none_or(|gate| gate.text().is_none() && gate.items().is_empty()) {
        let message = "`expect` without a gate: there is no verdict to turn round";
        let help = "write the assertions that must not hold into `gate`";
        diagnostics.report(Diagnostic::new(expect.place, message).help(help));
    }
    match expect.node.text()? {
        "fail" => Some(Expectation::Fail),
        "inconclusive" => Some(Expectation::Inconclusive),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::chance::Distribution;
    use crate::exchange::VersionIndex;
    use crate::metric::Metric;
    use crate::scenario::{Awaited, NamedVersion, PhaseEnd, Traffic, Truth};
    use crate::units::{Duration, Money, Ratio, Timestamp};
    use crate::upstream::{FailureKind, Latency, LatencyChange};

    const TEN_THOUSAND: &str = include_str!("../../tests/golden/accepted/ten-thousand.yaml");
    const EVERYTHING: &str = include_str!("../../tests/golden/accepted/everything.yaml");
    const SUM_OF_TRACES: &str = include_str!("../../tests/golden/accepted/sum-of-traces.yaml");
    const SMALLEST: &str = include_str!("../../tests/golden/accepted/smallest.yaml");

    struct One(&'static str, &'static str);

    impl Files for One {
        fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
            let found = path == Path::new(self.0);
            if found { Ok(self.1.into()) } else { Err(format!("no file {}", path.display())) }
        }
    }

    fn load_with(text: &str, settings: &[&str], files: &One) -> Result<Loaded, String> {
        let settings: Vec<String> = settings.iter().map(|text| (*text).to_owned()).collect();
        let document = Document {
            path: Path::new("scenarios/a.yaml"),
            bytes: text.as_bytes(),
            settings: &settings,
            working_directory: Path::new("/work"),
            allow_outside: false,
        };
        load(document, files).map_err(|error| error.to_string())
    }

    fn loaded(text: &str) -> Loaded {
        load_with(text, &[], &One("", "")).unwrap_or_else(|error| panic!("{error}"))
    }

    fn ratio(value: f64) -> Ratio {
        Ratio::new(value).unwrap()
    }

    #[test]
    fn the_documents_scenario_becomes_its_plan() {
        let scenario = loaded(TEN_THOUSAND).scenario;
        assert_eq!((scenario.name.as_str(), scenario.seed), ("ten-thousand", 20_240_315));
        assert_eq!(scenario.start, "2024-03-15T11:00:00Z".parse::<Timestamp>().unwrap());
        let Traffic::Generated(workload) = &scenario.traffic else { panic!("generated") };
        assert_eq!(
            (workload.requests, workload.population.users.count().get()),
            (Some(10_000), 2_000)
        );
        assert_eq!(scenario.limits.client, Duration::from_secs(30));
        assert_eq!(scenario.limits.upstream, Duration::from_secs(60));
        let ends: Vec<_> = scenario.phases.iter().map(|phase| phase.end).collect();
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let rollback = PhaseEnd::Event { event: Awaited::Rollback, within: minutes(5) };
        let seven = PhaseEnd::After(minutes(7));
        assert_eq!(ends, [seven, seven, rollback, PhaseEnd::Rest]);
        let half = ratio(0.5);
        let split = [0, 1].map(|index| (NamedVersion::Fixed(VersionIndex(index)), half));
        assert_eq!(scenario.phases[1].split, Some(split.to_vec()));
        assert_eq!(scenario.phases[2].split, None);
        let [(version, fault)] = &scenario.phases[2].faults[..] else { panic!("one fault") };
        assert_eq!(*version, NamedVersion::Fixed(VersionIndex(1)));
        assert_eq!(fault.failures[0].kind, FailureKind::Status(503));
        assert_eq!((fault.at, fault.lasts, fault.ramp), (Duration::ZERO, None, Duration::ZERO));
        let old = &scenario.models[0].versions[0];
        assert_eq!(old.tags.len(), 2);
        assert_eq!(old.price.unwrap().output_per_1k, Money::from_pico_usd(8_000_000_000));
        let behaviour = old.behaviour().unwrap();
        let Latency::Total { total: latency, first_token } = &behaviour.latency else {
            panic!("a total");
        };
        assert_eq!(first_token.get(), 0.2);
        assert!((latency.mean() - 1.247).abs() < 1e-12 && (latency.p99() - 2.156).abs() < 1e-12);
        let failures: Vec<_> = behaviour.failures.iter().map(|f| (f.kind, f.probability)).collect();
        let status = FailureKind::Status;
        assert_eq!(failures, [(status(429), ratio(0.0004)), (status(500), ratio(0.0008))]);
        assert_eq!(behaviour.failures[0].latency, Distribution::constant(0.04).ok());
        assert_eq!(scenario.columns[2].phase, Some(3));
        let figure = scenario.references.iter().find(|figure| figure.metric == Metric::LatencyAvg);
        assert_eq!(figure.unwrap().value, 1.247);
        assert_eq!((scenario.gate.len(), scenario.gate[0].line), (5, 56));
        assert_eq!(scenario.gate[0].file, "scenarios/a.yaml");
    }

    #[test]
    fn every_form_of_the_format_is_understood() {
        let scenario = loaded(EVERYTHING).scenario;
        assert_eq!(scenario.start, "2024-03-15T11:00:00Z".parse::<Timestamp>().unwrap());
        assert_eq!(scenario.expect, Some(Expectation::Inconclusive));
        let rollout = scenario.phases[3].rollout.as_ref().unwrap();
        assert_eq!(rollout.version, NamedVersion::Fixed(VersionIndex(1)));
        assert_eq!(rollout.bake, Duration::from_secs(600));
        let steps: Vec<_> = rollout
            .ladder
            .steps()
            .iter()
            .map(|step| (step.weight.get(), step.hold.as_secs(), step.require, step.pause))
            .collect();
        let expected =
            [(0.05, 10, None, false), (0.25, 10, Some(50), false), (1.0, 0, Some(10), true)];
        assert_eq!(steps, expected);
        let promotion =
            PhaseEnd::Event { event: Awaited::Promotion, within: Duration::from_secs(60) };
        assert_eq!(scenario.phases[3].end, promotion);
        let Traffic::Generated(workload) = &scenario.traffic else { panic!("generated") };
        // Arrivals that never end: the limit is what to expect.
        assert_eq!(workload.expected_requests(), Some(500));
        let arrivals = workload.arrivals.to_string();
        assert!(arrivals.starts_with("Poisson with 4 rates, 30 s each + constant, "), "{arrivals}");
        assert_eq!((arrivals.matches(" + ").count(), workload.arrivals.closed_users()), (9, 20));
        assert_eq!(workload.sizes[0].output.quantile(0.5), 120.0);
        let truths: Vec<_> =
            scenario.models[0].versions.iter().map(|version| version.truth).collect();
        assert_eq!(truths[..3], [Truth::Healthy, Truth::DuringFaults, Truth::Bad]);
        let split = scenario.phases[1].split.as_ref().unwrap();
        let fixed = |index| NamedVersion::Fixed(VersionIndex(index));
        assert_eq!(split[0], (fixed(0), ratio(0.75)));
        assert_eq!(split[2], (fixed(2), Ratio::ZERO));
        let faults = &scenario.phases[1].faults;
        assert_eq!(faults[0].1.lasts, Some(Duration::from_secs(5)));
        assert_eq!(faults[1].1.latency, Some(LatencyChange::Add(Duration::from_millis(500))));
        assert_eq!(faults[2].0, fixed(2));
        assert!(!scenario.models[0].rules.enable);
        let triggers = |model: usize| scenario.models[model].rules.triggers.len();
        assert_eq!((triggers(0), triggers(1)), (5, 6));
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let Loaded { scenario, resolved, warnings, .. } = loaded(SMALLEST);
        assert_eq!(warnings.count(), 0);
        assert_eq!((scenario.title.as_str(), scenario.seed), ("smallest", 1));
        assert_eq!(scenario.columns.len(), 1);
        assert_eq!(scenario.columns[0].title, "v1");
        assert!(!scenario.models[0].rules.enable);
        assert_eq!(resolved["workload"]["client_timeout"], "30s");
        assert_eq!(resolved["models"][0]["versions"][0]["upstream"]["first_token"], 0.2);
        assert_eq!(resolved["models"][0]["rules"]["enable"], false);
    }

    #[test]
    fn scenarios_that_mean_the_same_resolve_to_the_same() {
        let plain = loaded(TEN_THOUSAND).resolved;
        let other = TEN_THOUSAND
            .replace("mean: 1247ms", "mean: 1.247s")
            .replace("gpt-4-v1: 50%, gpt-4-turbo-v2: 50%", "beta: 0.5, gpt-4-v1: 0.50")
            .replace("stream: 30%", "stream: 0.3\n  client_timeout: 30000ms")
            .replace("0.08%, \"429\": 0.04%}", "{probability: 0.08%, latency: 40ms}, 429: 0.04%}")
            .replace("11:00:00Z", "12:00:00+01:00");
        let other = loaded(&other).resolved;
        assert_eq!(plain["workload"], other["workload"]);
        assert_eq!(plain["models"], other["models"]);
        assert_eq!(plain["start"], other["start"]);
        assert_ne!(
            plain,
            loaded(&TEN_THOUSAND.replace("50%,", "0.5,").replace("7m", "8m")).resolved
        );
    }

    #[test]
    fn rules_resolve_with_their_effective_defaults() {
        let resolved = loaded(TEN_THOUSAND).resolved;
        let condition = &resolved["models"][0]["rules"]["conditions"][0];
        assert_eq!(condition["check_interval_seconds"], 15.0);
        assert_eq!(condition["window_seconds"], 60.0);
        assert_eq!(condition["min_requests"], 10);
    }

    #[test]
    fn settings_and_named_files_come_into_the_plan() {
        let rules = r#"{"conditions": [{"judge": "sequential", "action": "notify"}]}"#;
        let files = One("fixtures/rules.json", rules);
        let settings = [
            "models.m.rules=../fixtures/rules.json",
            "seed=9",
            "models.m.rules.conditions.0.prior_strength=5",
            "workload.arrivals.trace=../fixtures/t.csv",
        ];
        let text = SMALLEST.replace(", \"tokens\": {\"input\": 5, \"output\": 5}", "");
        let scenario = load_with(&text, &settings, &files).unwrap().scenario;
        assert_eq!(scenario.seed, 9);
        assert_eq!(scenario.models[0].rules.triggers.len(), 1);
        let Traffic::Replayed { files, replay } = &scenario.traffic else { panic!("a trace") };
        assert_eq!((&files[..], replay.requests), (&["fixtures/t.csv".into()][..], Some(10)));
    }

    #[test]
    fn the_plan_spelled_out_has_the_same_plan() {
        let mut texts: Vec<String> =
            [EVERYTHING, TEN_THOUSAND, SMALLEST, SUM_OF_TRACES].map(str::to_owned).to_vec();
        texts.push(
            SMALLEST.replace("\"smallest\"", "\"smallest\", \"title\": \"$${x}: 'a' # \\\\ é\""),
        );
        for text in texts {
            let first = load_with(&text, &[], &One("", "")).unwrap();
            let again = load_with(first.to_yaml(), &[], &One("", ""));
            let again = again.unwrap_or_else(|error| panic!("{error}\n{}", first.to_yaml()));
            assert_eq!(again.resolved, first.resolved, "{}", first.to_yaml());
            assert_eq!(again.to_yaml(), first.to_yaml());
        }
    }

    #[test]
    fn a_document_is_a_part_of_one_while_keys_of_every_scenario_are_lacking() {
        let lacking_in = |text: &str| {
            let document = Document {
                path: Path::new("a.yaml"),
                bytes: text.as_bytes(),
                settings: &[],
                working_directory: Path::new("/work"),
                allow_outside: false,
            };
            lacking(document, &One("base.yaml", SMALLEST))
        };
        assert_eq!(lacking_in(SMALLEST), Some(vec![]));
        assert_eq!(lacking_in("extends: [base.yaml]"), Some(vec![]));
        assert_eq!(lacking_in("extends: [base.yaml]\nphases: ~"), Some(vec!["phases"]));
        assert_eq!(
            lacking_in("name: 5 !\nphases: 7\nmodels: []\nworkload: x\nschema: 9"),
            Some(vec![])
        );
        let all = Some(vec!["schema", "name", "workload", "models", "phases"]);
        assert_eq!((lacking_in("- 1"), lacking_in("a: 1")), (all.clone(), all));
        assert_eq!((lacking_in("a: ["), lacking_in("")), (None, None));
    }

    #[test]
    fn all_problems_of_all_files_come_at_once() {
        let files = One("scenarios/rules.json", "{\"conditions\": [\n  {\"judge\": \"fast\"}]}");
        let error =
            load_with(SMALLEST, &["models.m.rules=rules.json", "seed=x"], &files).unwrap_err();
        assert!(error.contains("error: scenarios/rules.json:2:"), "{error}");
        assert!(error.contains("error: --set seed: "), "{error}");
    }

    #[test]
    fn an_empty_condition_lacks_what_every_condition_has() {
        let files = One("scenarios/rules.json", "{\"conditions\": [{}]}");
        let error = load_with(SMALLEST, &["models.m.rules=rules.json"], &files).unwrap_err();
        assert!(error.contains("condition has no"), "{error}");
    }
}
