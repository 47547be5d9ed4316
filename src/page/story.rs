//! What happened, in the order of time.

use super::escape::escape;
use super::markup::{Cell, Column, Kind, Table, list, section};
use crate::report::{Line, Narrative, ellipsis, run_facts};
use crate::result::ResultFile;
use crate::units::format_elapsed;

/// The timeline, drawn in `figures`, as a table of events, and what else is to be said of the run.
/// What is to be said of its rules stands beside their health.
pub(super) fn timeline_section(result: &ResultFile, figures: &str) -> String {
    let narrative = Narrative::of(&result.record, MOST_SENTENCES);
    let rows = narrative.lines.iter().map(|line| match line {
        Line::Sentence(told) => {
            let after = format!("+{}", format_elapsed(told.after));
            let seconds = told.after.as_secs_f64();
            let at = format!("<time>{}</time>", escape(&told.at.to_string()));
            vec![Cell::figure(&after, seconds), Cell::text(&told.text), Cell::markup(at)]
        }
        Line::Omitted(omitted) => {
            vec![Cell::default(), Cell::text(&ellipsis(*omitted)), Cell::default()]
        }
    });
    let rows: Vec<_> = rows.collect();
    let columns = vec![
        Column { title: "After".to_owned(), kind: Kind::Figure },
        Column::text("What"),
        Column::text("At"),
    ];
    let events = match rows.is_empty() {
        true => String::new(),
        false => Table { caption: "Events", columns, rows, sortable: true }.render(),
    };
    let facts = list("facts", run_facts(result).into_iter().map(|fact| fact + "."));
    section("timeline", "Timeline", &(figures.to_owned() + &facts + &events))
}

/// Chosen: more events nobody reads, and they keep the page within its size.
const MOST_SENTENCES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::{crowded, rolled_back_result};

    #[test]
    fn events_stand_in_the_order_of_time_with_their_seconds() {
        let markup = timeline_section(&rolled_back_result(), "");
        let values = markup.split("data-value=\"").skip(1);
        let seconds: Vec<f64> =
            values.map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect();
        assert_eq!(seconds.len(), 9);
        assert!(seconds.is_sorted());
        assert!(markup.contains("rollback of gpt-4-turbo-v2 to gpt-4-v1, 75 s after the onset"));
    }

    #[test]
    fn a_long_timeline_says_how_much_is_left_out() {
        let mut result = rolled_back_result();
        result.record = crowded();
        let once = result.record.timeline.events.clone();
        for _ in 0..3 {
            result.record.timeline.events.extend(once.iter().cloned());
        }
        let omitted = result.record.timeline.events.len() - MOST_SENTENCES;
        let markup = timeline_section(&result, "");
        assert!(markup.contains(&format!("… {omitted} more events")));
    }
}
