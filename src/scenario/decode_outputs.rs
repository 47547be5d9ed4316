//! What is made of a run: columns and published figures.

use crate::exchange::VersionIndex;
use crate::metric::{Metric, Unit};
use crate::units::{Duration, Money, Rate, Ratio};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::moved_tags::{MovedTags, Naming};
use super::names::Names;
use super::place::Place;
use super::plan::{Column, Reference};
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
    pub(crate) fn phase(
        &self,
        name: &str,
        place: Place,
        diagnostics: &mut Diagnostics,
    ) -> Option<usize> {
        let phases = || self.phases.iter().copied();
        self.find("phase", name, place, phases(), diagnostics)
    }

    pub(crate) fn column(
        &self,
        title: &str,
        place: Place,
        diagnostics: &mut Diagnostics,
    ) -> Option<usize> {
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
