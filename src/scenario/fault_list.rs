//! Lists of faults: what may be wrong with a canary, in a file of its own, for whatever scenario.
//!
//! A fault is checked as one of a scenario's phase is; whether it fits beside what a version fails
//! anyway is known only once it is put on one: [`NamedFault::failing`] says how much it fails.

use crate::upstream::Fault;

use super::check::check;
use super::decode_failures::sum;
use super::decode_faults;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::error::{ScenarioError, ScenarioWarnings, conclude};
use super::fill::fill;
use super::parse::parse_file;
use super::place::{Place, Sources};
use super::read;
use super::shape::quote;
use super::shapes_fault_list::FAULT_FILE;
use super::tree::{Entry, Node};

/// Something that may be wrong with a canary.
#[derive(Clone, PartialEq, Debug)]
pub struct NamedFault {
    /// What it is called; unique in its list.
    pub name: String,
    /// How often it is expected beside the others of its list, more than 0.
    pub weight: f64,
    /// Whether a search may not see it: what was found is tried on it.
    pub held_out: bool,
    /// What is wrong, from the beginning of the phase in which the canary has its first traffic.
    pub faults: Vec<Fault>,
}

impl NamedFault {
    /// The greatest share of requests that it fails: what its parts fail that are on together.
    pub fn failing(&self) -> f64 {
        let on_at = |fault: &Fault, at| {
            let over = fault.lasts.is_some_and(|lasts| fault.at.saturating_add(lasts) <= at);
            fault.at <= at && !over
        };
        let at_onset_of = |one: &Fault| {
            let on = self.faults.iter().filter(|other| on_at(other, one.at));
            on.map(|other| sum(&other.failures)).sum::<f64>()
        };
        self.faults.iter().map(at_onset_of).fold(0.0, f64::max)
    }
}

/// The faults that the file `name` lists, YAML or JSON.
///
/// # Errors
/// All problems of the file, each with its place and a remedy.
pub fn load_faults(
    name: &str,
    bytes: &[u8],
) -> Result<(Vec<NamedFault>, ScenarioWarnings), ScenarioError> {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let made = parse_file(name, bytes, &mut sources, &mut diagnostics).and_then(|mut root| {
        check(&root, FAULT_FILE, &mut diagnostics);
        fill(&mut root, FAULT_FILE);
        decode(root.entry("faults")?, &mut diagnostics)
    });
    let warnings = conclude(diagnostics, sources)?;
    Ok((made.expect("whatever keeps a list from being made is reported"), warnings))
}

/// Whether these bytes are, or were meant to be, a list of faults and no scenario or part of one:
/// what they hold besides may be wrong.
pub fn is_fault_list(bytes: &[u8]) -> bool {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let root = parse_file("", bytes, &mut sources, &mut diagnostics);
    root.is_some_and(|root| {
        let of_scenarios = ["models", "phases", "workload", "extends", "name"];
        root.get("faults").is_some() && of_scenarios.iter().all(|key| root.get(key).is_none())
    })
}

/// Whether these bytes are, or were meant to be, a scenario or a part of one.
pub fn is_scenario(bytes: &[u8]) -> bool {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let root = parse_file("", bytes, &mut sources, &mut diagnostics);
    let of_scenarios = ["models", "phases", "workload", "extends"];
    root.is_some_and(|root| {
        root.get("faults").is_none() && of_scenarios.iter().any(|key| root.get(key).is_some())
    })
}

fn decode(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Vec<NamedFault>> {
    let items = entry.node.items();
    if items.is_empty() && entry.node.text().is_none() && entry.node.entries().is_empty() {
        let message = "there are no faults: write at least one";
        diagnostics.report(Diagnostic::new(entry.place, message));
    }
    let mut names: Vec<(&str, Place)> = Vec::new();
    for name in items.iter().filter_map(|item| item.get("name")) {
        let Some(text) = name.text() else { continue };
        if let Some((_, first)) = names.iter().find(|(known, _)| *known == text) {
            let message = format!("a second fault named {}", quote(text));
            let twice = Diagnostic::new(name.place, message).note(*first, "the first is here");
            diagnostics.report(twice.help("give each fault a name of its own"));
        }
        names.push((text, name.place));
    }
    let decoded: Vec<_> = items.iter().map(|item| named_fault(item, diagnostics)).collect();
    decoded.into_iter().collect()
}

fn named_fault(node: &Node, diagnostics: &mut Diagnostics) -> Option<NamedFault> {
    let canary = node.entry("canary")?;
    let parts = canary.node.items();
    if parts.is_empty() && canary.node.text().is_none() && canary.node.entries().is_empty() {
        let message = "nothing is wrong with the canary: write at least one fault";
        let help = "such as `canary: [{failures: {\"500\": 2%}}]`";
        diagnostics.report(Diagnostic::new(canary.place, message).help(help));
    }
    let faults: Vec<_> =
        parts.iter().map(|part| decode_faults::fault(part, None, diagnostics)).collect();
    if !parts.is_empty()
        && faults.iter().all(|one| one.as_ref().is_some_and(Fault::changes_nothing))
    {
        let message = "nothing is wrong with the canary: the fault changes nothing";
        diagnostics.report(Diagnostic::new(canary.place, message));
    }
    Some(NamedFault {
        name: read::text(node, "name")?.to_owned(),
        weight: read::number(node, "weight")?,
        held_out: read::boolean(node, "held_out")?,
        faults: faults.into_iter().collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::LatencyChange;

    fn load(text: &str) -> Result<Vec<NamedFault>, String> {
        let loaded = load_faults("faults.yaml", text.as_bytes());
        loaded.map(|(faults, _)| faults).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_read_with_its_defaults() {
        let text = "schema: 1\nfaults:\n- {name: a, canary: [{failures: {\"500\": 2%}}]}\n\
                    - {name: b, weight: 3, held_out: true, canary: [{latency: {times: 1.5}}]}\n";
        let faults = load(text).unwrap();
        assert_eq!((faults[0].weight, faults[0].held_out), (1.0, false));
        assert_eq!((faults[1].weight, faults[1].held_out), (3.0, true));
        assert_eq!(faults[1].faults[0].latency, Some(LatencyChange::Times(1.5)));
        assert!((faults[0].failing() - 0.02).abs() < 1e-12 && faults[1].failing() == 0.0);
    }

    #[test]
    fn a_list_of_faults_is_told_from_a_scenario_by_its_keys() {
        assert!(is_fault_list(b"schema: 1\ntitle: x\nfaults: [{name: 7}]\n"));
        for other in ["schema: 1\nname: a\nfaults: []", "faults: []\nphases: []", "a: [", "", "- 1"]
        {
            assert!(!is_fault_list(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_fault_of_nothing_is_refused() {
        for nothing in ["{failures: {\"500\": 0%}}", "{latency: {times: 1}}, {latency: {add: 0s}}"]
        {
            let text = format!("schema: 1\nfaults: [{{name: a, canary: [{nothing}]}}]\n");
            assert!(load(&text).unwrap_err().contains("the fault changes nothing"), "{nothing}");
        }
    }

    #[test]
    fn what_fails_together_adds_up_and_what_does_not_does_not() {
        let text = "schema: 1\nfaults: [{name: a, canary: [\
                    {failures: {\"500\": 20%}, for: 1m}, \
                    {at: 30s, failures: {\"503\": 30%}, for: 1m}, \
                    {at: 90s, failures: {\"429\": 40%}}]}]";
        // 50 % from 30 s to 60 s, 30 % to 90 s, 40 % from there on.
        assert!((load(text).unwrap()[0].failing() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_a_remedy() {
        let cases = [
            ("schema: 1\nfaults: []", "faults.yaml:2:1: there are no faults"),
            ("schema: 1\nfaults: [{name: a, canary: []}]", "nothing is wrong with the canary"),
            ("schema: 1\nfaults: [{name: a, canary: [{}]}]", "the fault changes nothing"),
            (
                "schema: 1\nfaults:\n- {name: a, canary: [{failures: {\"500\": 2%}}]}\n\
                 - {name: a, canary: [{failures: {\"500\": 2%}}]}",
                "faults.yaml:4:10: a second fault named",
            ),
            (
                "schema: 1\nfaults: [{name: a, canary: [{failures: {\"500\": 2}}]}]",
                "faults.yaml:2:",
            ),
            ("schema: 1\nfaults: [{name: a, wieght: 2, canary: [{}]}]", "did you mean `weight`?"),
            ("schema: 1\nfaults: [{name: a}]", "canary"),
            (
                "schema: 1\nfaults: [{name: a, canary: [{latency: {times: 2}, shape: drift}]}]",
                "write how long it lasts",
            ),
            ("", "the file is empty"),
        ];
        for (text, part) in cases {
            let error = load(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
