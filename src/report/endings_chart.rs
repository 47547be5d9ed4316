//! How requests ended that were not answered, by column.

use std::collections::BTreeMap;

use super::column::{Column, columns};
use crate::chart::{Axis, Bar, BarGroup, Canvas, StackedBars, kind_ink};
use crate::record::Tally;
use crate::result::ResultFile;
use crate::units::{format_count, format_percent};

/// For each column the shares of its requests that failed or say nothing of the version, by how
/// they ended; `None` where all succeeded.
pub(super) fn endings_chart(result: &ResultFile) -> Option<Canvas> {
    let columns = columns(result);
    let tallies: Vec<&Tally> = columns.iter().map(|column| column.selected.requests()).collect();
    let kinds = kinds(&tallies);
    if kinds.is_empty() {
        return None;
    }
    let bars: Vec<Bar> = columns.iter().map(|column| bar(column, &kinds)).collect();
    let greatest = bars.iter().map(|bar| bar.parts.iter().sum::<f64>()).fold(0.0, f64::max);
    let alternative = alternative(&bars, &kinds);
    let names = kinds.iter().enumerate().map(|(index, kind)| (kind.name(), kind_ink(index)));
    let chart = StackedBars {
        kinds: names.collect(),
        groups: vec![BarGroup {
            title: "Share of the requests that did not succeed, by how they ended".to_owned(),
            axis: Axis::shares(greatest),
            bars,
        }],
    };
    Some(chart.chart("How requests ended", alternative))
}

/// Endings of one name.
struct Kind {
    /// Those that are told one by one; several for the rest.
    endings: Vec<String>,
    /// Whether they count as failures of the version.
    failures: bool,
}

impl Kind {
    fn name(&self) -> String {
        let name = match &self.endings[..] {
            [only] => only.replace('_', " "),
            others => format!("{} others", others.len()),
        };
        if self.failures { name } else { format!("{name} (not counted)") }
    }

    fn count(&self, tally: &Tally) -> u64 {
        let counts = if self.failures { &tally.failed } else { &tally.uncounted };
        self.endings.iter().map(|ending| counts.of(ending)).sum()
    }
}

/// The most frequent endings first; the rest together.
fn kinds(tallies: &[&Tally]) -> Vec<Kind> {
    let mut totals: BTreeMap<(bool, &str), u64> = BTreeMap::new();
    for tally in tallies {
        for (failures, counts) in [(true, &tally.failed), (false, &tally.uncounted)] {
            for (name, count) in counts.iter() {
                *totals.entry((failures, name)).or_default() += count;
            }
        }
    }
    let mut ordered: Vec<_> = totals.into_iter().collect();
    ordered.sort_by_key(|((failures, _), count)| (!failures, std::cmp::Reverse(*count)));
    let kind = |failures, endings| Kind { endings, failures };
    let mut kinds = Vec::new();
    for failures in [true, false] {
        let own = ordered.iter().filter(|((of, _), _)| *of == failures);
        let mut names: Vec<String> = own.map(|((_, name), _)| (*name).to_owned()).collect();
        let rest = names.split_off(names.len().min(MOST_KINDS));
        kinds.extend(names.into_iter().map(|name| kind(failures, vec![name])));
        if !rest.is_empty() {
            kinds.push(kind(failures, rest));
        }
    }
    kinds
}

fn bar(column: &Column<'_>, kinds: &[Kind]) -> Bar {
    let tally = column.selected.requests();
    let all = tally.completed();
    let counts: Vec<u64> = kinds.iter().map(|kind| kind.count(tally)).collect();
    let share = |count: u64| count as f64 / all.max(1) as f64;
    let sum = counts.iter().sum();
    Bar {
        label: column.title.to_owned(),
        parts: counts.iter().map(|count| share(*count)).collect(),
        total: format!(
            "{} ({} of {})",
            format_percent(share(sum)),
            format_count(sum),
            format_count(all)
        ),
    }
}

fn alternative(bars: &[Bar], kinds: &[Kind]) -> String {
    let mut text = "Requests that did not succeed.".to_owned();
    for bar in bars {
        let parts = kinds.iter().zip(&bar.parts).filter(|(_, part)| **part > 0.0);
        let parts = parts.map(|(kind, part)| format!("{} {}", kind.name(), format_percent(*part)));
        let parts: Vec<String> = parts.collect();
        let told = if parts.is_empty() { "none".to_owned() } else { parts.join(", ") };
        text.push_str(&format!(" {}: {told}.", bar.label));
    }
    text
}

/// Chosen: three kinds of failures and three others, each with its rest, are told apart by seven
/// colours but one.
const MOST_KINDS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Ending;

    #[test]
    fn the_rarest_endings_are_counted_together() {
        let mut tally = Tally::default();
        for (status, count) in [(500, 9), (502, 1), (503, 5), (504, 7), (529, 2)] {
            for _ in 0..count {
                tally.failed.add(Ending::Status(status));
            }
        }
        tally.uncounted.add(Ending::ClientClosed);
        let kinds = kinds(&[&tally]);
        let told: Vec<_> = kinds.iter().map(|kind| (kind.name(), kind.count(&tally))).collect();
        let expected = [
            ("500", 9),
            ("504", 7),
            ("503", 5),
            ("2 others", 3),
            ("client closed (not counted)", 1),
        ];
        assert_eq!(told, expected.map(|(name, count)| (name.to_owned(), count)));
    }
}
