//! A recording against its twin, as text.

use super::comparison::Grid;
use super::figures::signed_value;
use super::layout::fill;
use super::text_table::text_table;
use crate::fit::{Figure, FigureUnit, Fitted, Goodness, Missing};
use crate::metric::Unit;
use crate::units::{
    Duration, format_change, format_count, format_duration, format_percent, format_significant,
};

/// How well the twin `fitted` does, for a terminal of this width: how its arrivals were chosen, the
/// figures of both, and what it does not do.
pub fn twin_text(fitted: &Fitted, goodness: &Goodness, width: usize) -> String {
    let mut text = String::new();
    for words in &goodness.choices {
        paragraph(words, width, &mut text);
    }
    for version in fitted.models.iter().flat_map(|model| &model.versions) {
        if let Some((_, lines)) = version.fault() {
            let advice = "The scenario has it as a fault of its phase. To rehearse without it, \
                          remove `faults`, or fit a stretch of the recording with --window. The \
                          fault:";
            paragraph(advice, width, &mut text);
            text.push_str(&fault_text(&lines));
        }
    }
    if !goodness.missing.is_empty() {
        let missing: Vec<String> = goodness.missing.iter().map(Missing::in_words).collect();
        text.push('\n');
        let words = "Not recorded, and to be added before the scenario can be run";
        paragraph(&format!("{words}: {}.", missing.join(", ")), width, &mut text);
    }
    text.push('\n');
    text.push_str(&text_table(&grid(goodness), width));
    let (fits, all) = goodness.fitting();
    let [recorded, twin] = goodness.requests.map(format_count);
    let verdict = if fits == all {
        format!("All {all} figures that were recorded fit")
    } else {
        format!("{fits} of {all} figures that were recorded fit")
    };
    let verdict = format!(
        "{verdict}: {recorded} requests recorded, {twin} in the twin under seed {}. The tolerance \
         is what is asked for (3 % of rate and tokens, 5 % of latencies and error rates, 25 % of \
         dispersions and of the variation of gaps, 1 % of shares, 0.03 of a correlation) and three \
         standard errors of the twin's figure.",
        goodness.seed
    );
    text.push('\n');
    paragraph(&verdict, width, &mut text);
    if !goodness.not_reproduced.is_empty() {
        text.push_str("\nNot reproduced:\n");
        for words in &goodness.not_reproduced {
            paragraph(&format!("- {words}"), width, &mut text);
        }
    }
    text
}

fn paragraph(words: &str, width: usize, text: &mut String) {
    for line in fill(words.split(' '), width) {
        text.push_str(&line);
        text.push('\n');
    }
}

/// The lines of a fault as an item of a list.
fn fault_text(lines: &[String]) -> String {
    let line = |(place, line): (usize, &String)| {
        format!("    {}{line}\n", if place == 0 { "- " } else { "  " })
    };
    lines.iter().enumerate().map(line).collect()
}

fn grid(goodness: &Goodness) -> Grid {
    let header = ["Figure", "recorded", "twin", "difference", "tolerance", ""];
    let row = |figure: &Figure| {
        let value = |value: f64| figure_text(value, figure.unit);
        let spread = figure.spread.map(|spread| {
            format!("{} ({} to {})", value(spread.median), value(spread.low), value(spread.high))
        });
        let apart = figure.twin - figure.recorded;
        // Of a share the percentage points: a percent of percents would be taken for them.
        let (change, tolerance) = match figure.unit {
            FigureUnit::Share => {
                let points = format_percent(figure.tolerance).replace('%', "pp");
                (signed_value(Unit::Ratio, apart), points)
            }
            _ if figure.recorded == 0.0 => (String::new(), value(figure.tolerance)),
            _ => (format_change(apart / figure.recorded * 100.0), value(figure.tolerance)),
        };
        vec![
            format!("{}: {}", figure.of, figure.name),
            value(figure.recorded),
            spread.unwrap_or_else(|| value(figure.twin)),
            change,
            format!("± {tolerance}"),
            if figure.fits { "fits" } else { "does not fit" }.to_owned(),
        ]
    };
    let rows = goodness.figures.iter().map(row).collect();
    Grid { header: header.map(str::to_owned).to_vec(), rows, names: None }
}

/// A figure with its unit.
pub(super) fn figure_text(value: f64, unit: FigureUnit) -> String {
    match unit {
        FigureUnit::PerSecond => format!("{}/s", format_significant(value, 3)),
        FigureUnit::Seconds => format_duration(Duration::from_secs_f64(value)),
        FigureUnit::Share => format_percent(value),
        FigureUnit::Tokens => format_significant(value, 4),
        FigureUnit::Number => format_significant(value, 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(unit: FigureUnit, recorded: f64, twin: f64, tolerance: f64) -> Figure {
        let (of, name) = ("v".to_owned(), "figure".to_owned());
        Figure { of, name, unit, recorded, twin, spread: None, tolerance, fits: true }
    }

    /// 7 instead of 4 in a thousand are 0.3 percentage points more, where 2 s are 25 % more than 1.6.
    #[test]
    fn shares_differ_by_percentage_points() {
        let goodness = Goodness {
            seed: 1,
            requests: [1, 1],
            choices: Vec::new(),
            figures: vec![
                figure(FigureUnit::Share, 0.004, 0.007, 0.0025),
                figure(FigureUnit::Share, 0.0, 0.001, 0.0),
                figure(FigureUnit::Seconds, 1.6, 2.0, 0.5),
            ],
            missing: Vec::new(),
            not_reproduced: Vec::new(),
            curves: Vec::new(),
            dispersions: Vec::new(),
        };
        let rows = grid(&goodness).rows;
        let told: Vec<[&str; 2]> = rows.iter().map(|row| [row[3].as_str(), &row[4]]).collect();
        let expected =
            [["+0.30 pp", "± 0.25 pp"], ["+0.10 pp", "± 0.00 pp"], ["+25 %", "± 500 ms"]];
        assert_eq!(told, expected);
    }
}
