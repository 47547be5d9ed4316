//! From a scenario file to its checked plan.
//!
//! In passes, each over the whole document, so that all problems come out at once: the text becomes
//! a tree; settings and files are put into it; the tree is checked against the description of the
//! format; defaults are written out; the plan is made from what can be read, and what several parts
//! say together is checked. Only a document without a problem has a plan.

use std::path::Path;

use serde_json::Value;

use crate::engine::RuleSet;
use crate::workload::Arrivals;

use super::check::check;
use super::decode_model::{self, Names};
use super::decode_outputs::{self, Known};
use super::decode_phases::{self, Surroundings};
use super::decode_rules;
use super::decode_workload;
use super::diagnostic::{Diagnostic, Diagnostics, ScenarioError};
use super::files::{Files, Folder, Reading};
use super::fill::fill;
use super::parse::parse_file;
use super::place::Sources;
use super::plan::{Expectation, ModelPlan, Scenario, Traffic};
use super::read;
use super::resolved;
use super::set;
use super::shapes::SCENARIO;
use super::tree::Node;

/// A scenario file as it was read, and what the command line says about it.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Its path, as named by whoever runs it; other paths are relative to its folder.
    pub path: &'a Path,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Settings `PATH=VALUE` that change it, in their order.
    pub settings: &'a [String],
    /// The working directory, an absolute path: files in it may be read.
    pub working_directory: &'a Path,
    /// Whether files outside the scenario's folder and the working directory may be read.
    pub allow_outside: bool,
}

/// A scenario without a flaw.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The plan.
    pub scenario: Scenario,
    /// The plan with every default spelled out, as JSON with sorted keys: equal for two documents
    /// that mean the same, so its digest tells scenarios apart. Versions are a list, since their
    /// order has a meaning; durations are literals, ratios numbers.
    pub resolved: Value,
}

/// The plan of the scenario that `document` is.
///
/// # Errors
/// All problems of the document, of its settings and of the files that it names, each with its
/// place and a remedy.
pub fn load(document: Document<'_>, files: &dyn Files) -> Result<Loaded, ScenarioError> {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let folder = Folder::of(document.path, document.working_directory, document.allow_outside);
    let name = document.path.display().to_string();
    let loaded =
        parse_file(&name, document.bytes, &mut sources, &mut diagnostics).and_then(|root| {
            let mut root = root;
            let mut reading = Reading {
                files,
                folder: &folder,
                sources: &mut sources,
                diagnostics: &mut diagnostics,
            };
            for setting in document.settings {
                set::apply(&mut root, SCENARIO, setting, &mut reading);
            }
            reading.inline(&mut root, SCENARIO);
            check(&root, SCENARIO, &mut diagnostics);
            fill(&mut root, SCENARIO);
            let scenario = decode(&root, &folder, &sources, &mut diagnostics)?;
            let resolved = resolved::resolve(&root, &scenario);
            Some(Loaded { scenario, resolved })
        });
    match diagnostics.into_error(sources) {
        Some(error) => Err(error),
        None => Ok(loaded.expect("whatever keeps a plan from being made is reported")),
    }
}

fn decode(
    root: &Node,
    folder: &Folder,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Scenario> {
    let models = root.entry("models")?;
    let (names, model) = Names::collect(models, diagnostics);
    let versions = model.map(|model| decode_model::decode_versions(model, diagnostics));
    let versions = versions.unwrap_or_default();
    let rules = match model.and_then(|model| model.node.get("rules")) {
        Some(node) => decode_rules::decode(node, &names, diagnostics),
        None => Some(RuleSet::disabled()),
    };
    let workload = root.entry("workload");
    let traffic = workload.and_then(|entry| {
        decode_workload::decode(entry, names.model.as_ref(), folder, diagnostics)
    });
    let limits = workload.and_then(|entry| decode_workload::limits(&entry.node, diagnostics));
    let phases = root.entry("phases").and_then(|entry| {
        let endless = traffic.as_ref().is_some_and(is_endless);
        let around = Surroundings { names: &names, versions: &versions, endless };
        decode_phases::decode(entry, &around, diagnostics)
    });
    let phase_names = root.get("phases").map_or(&[][..], Node::items).iter();
    let known = Known {
        names: &names,
        phases: phase_names.map(|phase| read::text(phase, "name").unwrap_or_default()).collect(),
        columns: decode_outputs::titles(root.get("columns"), &names.versions()),
    };
    let columns = decode_outputs::columns(root.get("columns"), &known, diagnostics);
    let references = match root.get("reference") {
        Some(node) => decode_outputs::references(node, &known, diagnostics),
        None => Some(Vec::new()),
    };
    let gate = match root.get("gate") {
        Some(node) => decode_outputs::gate(node, &known, sources, diagnostics),
        None => Some(Vec::new()),
    };
    let expect = expectation(root, diagnostics);
    let name = read::text(root, "name")?.to_owned();
    Some(Scenario {
        title: read::text(root, "title").map_or_else(|| name.clone(), str::to_owned),
        start: read::text(root, "start")?.parse().ok()?,
        seed: read::integer(root, "seed")?,
        traffic: traffic?,
        limits: limits?,
        model: ModelPlan {
            id: names.model?,
            versions: versions.into_iter().collect::<Option<_>>()?,
            rules: rules?,
        },
        phases: phases?,
        columns: columns?,
        references: references?,
        gate: gate?,
        expect,
        name,
    })
}

/// Whether requests go on for ever.
fn is_endless(traffic: &Traffic) -> bool {
    match traffic {
        Traffic::Trace { .. } => false,
        Traffic::Generated(workload) => {
            workload.requests.is_none() && !matches!(workload.arrivals, Arrivals::Piecewise(_))
        }
    }
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
