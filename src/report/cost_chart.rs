//! What answers cost and how many tokens they took, by column.

use super::column::{Column, columns};
use crate::chart::{Axis, Bar, BarGroup, Canvas, StackedBars, kind_ink};
use crate::record::{Record, Tally};
use crate::result::ResultFile;
use crate::units::{format_money, format_significant};

/// For each column the tokens of a success and the price of a thousand successes, by input and
/// output; `None` where nothing succeeded.
pub(super) fn cost_chart(result: &ResultFile) -> Option<Canvas> {
    let columns = columns(result);
    let columns: Vec<_> =
        columns.iter().filter(|column| column.selected.attempts().succeeded > 0).collect();
    let tokens: Vec<Bar> = columns.iter().map(|column| token_bar(column)).collect();
    let costs: Vec<Bar> =
        columns.iter().filter_map(|column| cost_bar(&result.record, column)).collect();
    let greatest =
        |bars: &[Bar]| bars.iter().map(|bar| bar.parts.iter().sum::<f64>()).fold(0.0, f64::max);
    if tokens.is_empty() {
        return None;
    }
    let alternative = alternative(&tokens, &costs);
    let tokens = BarGroup {
        title: "Tokens of a success, on average".to_owned(),
        axis: Axis::counts(greatest(&tokens).ceil() as u64),
        bars: tokens,
    };
    let costs = (!costs.is_empty()).then(|| BarGroup {
        title: "Cost of 1,000 successes".to_owned(),
        axis: Axis::dollars(greatest(&costs)),
        bars: costs,
    });
    let kinds = ["input", "output"].into_iter().enumerate();
    let kinds = kinds.map(|(index, name)| (name.to_owned(), kind_ink(index))).collect();
    let chart = StackedBars { kinds, groups: [tokens].into_iter().chain(costs).collect() };
    Some(chart.chart("Cost and tokens", alternative))
}

fn token_bar(column: &Column<'_>) -> Bar {
    let tally = column.selected.attempts();
    let each = |tokens: u64| tokens as f64 / tally.succeeded as f64;
    let parts = vec![each(tally.input_tokens), each(tally.output_tokens)];
    let all: f64 = parts.iter().sum();
    Bar {
        label: column.title.to_owned(),
        total: format!("{} tokens", format_significant(all, 4)),
        parts,
    }
}

/// `None` where a version that answered has no price.
fn cost_bar(record: &Record, column: &Column<'_>) -> Option<Bar> {
    let thousands = column.selected.attempts().succeeded as f64 / 1_000.0;
    let (mut input, mut output) = (0.0, 0.0);
    for cell in record.cells.iter().filter(|cell| column.selection.holds(record, cell)) {
        let attempts = [Some(&cell.tally), cell.attempts.as_ref()];
        let answered = |tally: &&Tally| tally.succeeded > 0;
        for tally in attempts.into_iter().flatten().filter(answered) {
            let price = record.version(cell.version)?.price?;
            input += price.cost(tally.input_tokens, 0).as_usd();
            output += price.cost(0, tally.output_tokens).as_usd();
        }
    }
    let parts = vec![input / thousands, output / thousands];
    let total = format_money(parts.iter().sum());
    Some(Bar { label: column.title.to_owned(), parts, total })
}

fn alternative(tokens: &[Bar], costs: &[Bar]) -> String {
    let mut text = "Cost and tokens.".to_owned();
    for bar in tokens {
        let cost = costs.iter().find(|cost| cost.label == bar.label);
        let cost = cost.map_or_else(
            || "without a price".to_owned(),
            |cost| format!("{} for 1,000 successes", cost.total),
        );
        text.push_str(&format!(" {}: {} for a success, {cost}.", bar.label, bar.total));
    }
    text
}
