//! What is made of a run: columns, published figures, the gate.

use crate::assertion::{Assertion, Selector};
use crate::exchange::VersionIndex;
use crate::metric::{Metric, Unit};
use crate::units::{Duration, Money, Rate, Ratio};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::moved_tags::{MovedTags, Naming};
use super::names::Names;
use super::place::{Place, Sources};
use super::plan::{Column, GateLine, Reference};
use super::read;
use super::shape::{as_number, quote};
use super::suggest::{listing, nearest};
use super::tree::{Entry, Node};

/// What columns and gate lines may refer to.
pub(crate) struct Known<'a> {
    /// The versions.
    pub(crate) names: &'a Names,
    /// The tags that phases can move.
    pub(crate) moved: MovedTags,
    /// The phases, in their order.
    pub(crate) phases: Vec<&'a str>,
    /// The columns, in their order.
    pub(crate) columns: Vec<String>,
}

impl Known<'_> {
    fn phase(&self, name: &str, place: Place, diagnostics: &mut Diagnostics) -> Option<usize> {
        let phases = || self.phases.iter().copied();
        self.find("phase", name, place, phases(), diagnostics)
    }

    fn column(&self, title: &str, place: Place, diagnostics: &mut Diagnostics) -> Option<usize> {
        let columns = self.columns.iter().map(String::as_str);
        self.find("column", title, place, columns, diagnostics)
    }

    fn find<'a>(
        &self,
        what: &str,
        name: &str,
        place: Place,
        known: impl Iterator<Item = &'a str> + Clone,
        diagnostics: &mut Diagnostics,
    ) -> Option<usize> {
        let found = known.clone().position(|known| known == name);
        if found.is_none() {
            let diagnostic =
                Diagnostic::new(place, format!("{} is no {what} of the scenario", quote(name)));
            diagnostics.report(match nearest(name, known.clone()) {
                Some(meant) => diagnostic.suggest(Some(meant)),
                None => diagnostic.help(format!("known {what}s: {}", listing(known))),
            });
        }
        found
    }
}

/// The titles of the columns that the scenario gives; of one for each version if it gives none.
pub(crate) fn titles(columns: Option<&Node>, versions: &[&str]) -> Vec<String> {
    match columns {
        Some(node) => {
            let title = |node| read::text(node, "title").unwrap_or_default().to_owned();
            node.items().iter().map(title).collect()
        }
        None => versions.iter().map(|version| (*version).to_owned()).collect(),
    }
}

/// The columns of the comparison table.
pub(crate) fn columns(
    node: Option<&Node>,
    known: &Known<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Column>> {
    let Some(node) = node else {
        let column = |(index, title): (usize, &String)| {
            let version = Some(VersionIndex(u16::try_from(index).ok()?));
            Some(Column { title: title.clone(), phase: None, model: None, version })
        };
        return known.columns.iter().enumerate().map(column).collect();
    };
    if node.text().is_some() {
        return None;
    }
    let mut titles: Vec<(&str, Place)> = Vec::new();
    let mut decoded = Vec::new();
    for node in node.items() {
        let phase = node
            .get("phase")
            .map(|node| node.text().and_then(|name| known.phase(name, node.place, diagnostics)));
        let model = node.get("model").map(|node| {
            node.text().and_then(|name| known.names.resolve_model(name, node.place, diagnostics))
        });
        let version = node.get("version").map(|node| {
            let model = model.flatten();
            let name = node.text()?;
            let version = known.names.resolve_in(model, name, node.place, diagnostics)?;
            let naming = Naming { name, version, phase: phase.flatten(), instead: None };
            known.moved.warn(naming, node.place, diagnostics);
            Some(version)
        });
        let Some(title) = node.get("title") else {
            decoded.push(None);
            continue;
        };
        if let Some(text) = title.text() {
            if let Some((_, first)) = titles.iter().find(|(known, _)| *known == text) {
                let message = format!("a second column titled {}", quote(text));
                let twice = Diagnostic::new(title.place, message).note(*first, "the first is here");
                diagnostics.report(twice.help("give each column a title of its own"));
            }
            titles.push((text, title.place));
        }
        let clear = phase != Some(None) && model != Some(None) && version != Some(None);
        decoded.push(title.text().filter(|_| clear).map(|title| Column {
            title: title.to_owned(),
            phase: phase.flatten(),
            model: model.flatten(),
            version: version.flatten(),
        }));
    }
    decoded.into_iter().collect()
}

/// The published figures.
pub(crate) fn references(
    node: &Node,
    known: &Known<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Reference>> {
    if node.text().is_some() {
        return None;
    }
    let mut decoded = Vec::new();
    for entry in node.entries() {
        let column = known.column(&entry.key, entry.place, diagnostics);
        if entry.node.text().is_some() {
            decoded.push(None);
        }
        for figure in entry.node.entries() {
            let value = self::figure(figure, diagnostics);
            decoded.push(match (column, value) {
                (Some(column), Some((metric, value))) => Some(Reference { column, metric, value }),
                _ => None,
            });
        }
    }
    decoded.into_iter().collect()
}

fn figure(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<(Metric, f64)> {
    let metric = Metric::by_name(&entry.key)?;
    if !metric.is_of_requests() {
        let message = format!("{metric} is a figure of a whole run: a column has none");
        diagnostics.report(Diagnostic::new(entry.place, message).help("assert it in `gate`"));
        return None;
    }
    let text = entry.node.text()?;
    let parsed = match metric.unit() {
        Unit::Time => Duration::parse(text).map(Duration::as_secs_f64),
        Unit::Ratio | Unit::PValue => Ratio::parse(text).map(Ratio::get),
        Unit::Money => Money::parse(text).map(Money::as_usd),
        Unit::TokensPerSecond | Unit::RequestsPerSecond => Rate::parse(text).map(Rate::per_second),
        Unit::Count | Unit::Tokens => {
            let bare = text.trim_end_matches("tokens").trim_end();
            let Some(number) = as_number(bare).filter(|number| (0.0..=1e15).contains(number))
            else {
                let message = format!("{} is not a number from 0 to 1e15", quote(text));
                diagnostics.report(Diagnostic::new(entry.node.place, message));
                return None;
            };
            Ok(number)
        }
    };
    match parsed {
        Ok(value) => Some((metric, value)),
        Err(error) => {
            let diagnostic = Diagnostic::new(entry.node.place, format!("{metric}: {error}"));
            diagnostics.report(diagnostic.suggest(error.suggestion()));
            None
        }
    }
}

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
    let mut decoded = Vec::new();
    for node in node.items() {
        decoded.push(gate_line(node, known, sources, diagnostics));
    }
    decoded.into_iter().collect()
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
    for selector in assertion.selectors() {
        valid &= check_selector(selector, node.place, known, diagnostics);
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
