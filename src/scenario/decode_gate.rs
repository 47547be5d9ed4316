//! The gate of a scenario: its lines, over how many runs they are judged, and how against a
//! baseline.

use crate::assertion::{Assertion, OverRuns, Selector};
use crate::units::Ratio;

use super::decode_outputs::Known;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::moved_tags::Naming;
use super::place::{Place, Sources};
use super::plan::{AgainstBaseline, GateLine};
use super::problem::ProblemKind;
use super::read;
use super::tree::Node;

/// The lines of the gate.
pub(crate) fn gate(
    node: &Node,
    known: &Known<'_>,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<GateLine>> {
    if node.text().is_some() {
        return None;
    }
    diagnostics.told_as(ProblemKind::InvalidGateLine, |diagnostics| {
        let mut decoded = Vec::new();
        for node in node.items() {
            decoded.push(gate_line(node, known, sources, diagnostics));
        }
        decoded.into_iter().collect()
    })
}

fn gate_line(
    node: &Node,
    known: &Known<'_>,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<GateLine> {
    let text = node.text()?;
    let assertion = match Assertion::parse(text) {
        Ok(assertion) => assertion,
        Err(error) => {
            // The text of a quoted scalar begins behind its quote.
            let quoted = node.scalar().is_some_and(|scalar| scalar.quoted);
            let offset = u32::try_from(error.column() - 1 + usize::from(quoted)).unwrap_or(0);
            let column = node.place.column.saturating_add(offset);
            // With vars in it, the text is not the one that stands there.
            let place = match diagnostics.is_from_elsewhere(node.place) {
                true => node.place,
                false => Place { column, length: 1, ..node.place },
            };
            diagnostics.report(Diagnostic::new(place, error.to_string()));
            return None;
        }
    };
    let mut valid = true;
    for reading in assertion.readings() {
        valid &= check_selector(&reading.selector, node.place, known, diagnostics);
    }
    valid.then(|| GateLine {
        text: text.to_owned(),
        assertion,
        file: sources.name(node.place).to_owned(),
        line: node.place.line,
    })
}

fn check_selector(
    selector: &Selector,
    place: Place,
    known: &Known<'_>,
    diagnostics: &mut Diagnostics,
) -> bool {
    let phase = selector.phase().map(|name| known.phase(name, place, diagnostics));
    let column = selector.column().map(|name| known.column(name, place, diagnostics).is_some());
    let model = selector.model().map(|name| known.names.resolve_model(name, place, diagnostics));
    let version = match model {
        // Of a model that there is not, no version can be told.
        Some(None) => None,
        _ => selector.version().map(|name| {
            let version = known.names.resolve_in(model.flatten(), name, place, diagnostics);
            if let Some(version) = version {
                let (phase, instead) = (phase.flatten(), Some("arm=stable"));
                let naming = Naming { name, version, phase, instead };
                known.moved.warn(naming, place, diagnostics);
            }
            version.is_some()
        }),
    };
    let (phase, model) = (phase.map(|phase| phase.is_some()), model.map(|model| model.is_some()));
    [phase, column, version, model].into_iter().all(|found| found != Some(false))
}

/// Over how many runs the gate is judged. Warns of lines over runs, for the case that there is only
/// one.
pub(crate) fn seeds(root: &Node, gate: Option<&[GateLine]>, diagnostics: &mut Diagnostics) -> u64 {
    let seeds = read::integer(root, "seeds");
    let lines = root.get("gate").map_or(&[][..], Node::items);
    for (line, node) in gate.unwrap_or_default().iter().zip(lines) {
        let mut readings = line.assertion.readings();
        let over = readings.find(|reading| reading.over_runs != OverRuns::Itself);
        if let Some(reading) = over {
            let message = format!("{reading} is over runs, and there is only one");
            let help = match seeds {
                Some(2..) => "`coalmine gate` makes as many runs as `seeds` says",
                _ => "write `seeds: 100` beside `gate`, or give `--seeds`",
            };
            diagnostics.warn(Diagnostic::new(node.place, message).help(help).of_one_run());
        }
    }
    seeds.unwrap_or(1)
}

/// How lines with `baseline(...)` are judged.
pub(crate) fn against_baseline(
    root: &Node,
    diagnostics: &mut Diagnostics,
) -> Option<AgainstBaseline> {
    let written = root.get("baseline");
    let ratio = |key| written.and_then(|node| read::ratio(node, key));
    let alpha = ratio("alpha").unwrap_or(Ratio::from_percent(5));
    if !(f64::MIN_POSITIVE..=0.5).contains(&alpha.get()) {
        let place =
            written.and_then(|node| node.get("alpha")).map_or(root.place, |node| node.place);
        let message = "allowed are more than 0% and at most 50%";
        diagnostics.report(Diagnostic::new(place, message).help("leave it out for 5%"));
        return None;
    }
    Some(AgainstBaseline { smallest_effect: ratio("smallest_effect").unwrap_or_default(), alpha })
}
