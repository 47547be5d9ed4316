//! How the rules fared: what they saw, and whether they could have told anything.

use super::markup::{Cell, Column, Table, list, paragraph, section};
use crate::record::RuleHealth;
use crate::report::{blind_rules, version_name};
use crate::result::ResultFile;
use crate::units::{format_count, format_duration, format_percent};

/// Of each condition and judge on each version that it watched: checks, breaches, firings.
pub(super) fn rule_health_section(result: &ResultFile) -> String {
    let record = &result.record;
    let markup = if record.rules.is_empty() {
        paragraph("note", "No version was watched by a rule.")
    } else {
        let has_judges = record.rules.iter().any(|health| health.progress.is_some());
        let row = |health: &RuleHealth| {
            let mut cells = row(health, version_name(record, health.version));
            if has_judges {
                cells.push(progress(health));
            }
            cells
        };
        let rows = record.rules.iter().map(row).collect();
        let mut columns = ["Rule", "Version"].map(Column::text).to_vec();
        columns.extend(
            ["Checks", "Without data", "Breaches", "Longest timer", "Firings"].map(Column::figure),
        );
        columns.extend(has_judges.then(|| Column::figure("Way to a breach")));
        let caption = "How each rule fared on each version that it watched";
        let table = Table { caption, columns, rows, sortable: true };
        let blind = blind_rules(record).map(|sentence| sentence + ".");
        list("facts", blind) + &table.render()
    };
    section("rules", "Rule health", &markup)
}

fn row(health: &RuleHealth, version: &str) -> Vec<Cell> {
    let count = |count: u64| Cell::figure(&format_count(count), count as f64);
    let timer = health.longest_timer;
    vec![
        Cell::text(&health.trigger),
        Cell::text(version),
        count(health.checks),
        count(health.no_data),
        count(health.breaches),
        Cell::figure(&format_duration(timer), timer.as_secs_f64()),
        count(health.firings),
    ]
}

/// How far a judge came; a condition is there or not.
fn progress(health: &RuleHealth) -> Cell {
    match health.progress {
        Some(part) => Cell::figure(&format_percent(part.get()), part.get()),
        None => Cell::text("–"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::{eventful, rolled_back_result, without_gate};
    use crate::units::Ratio;

    #[test]
    fn a_judge_stands_with_how_far_it_came() {
        let mut result = rolled_back_result();
        assert!(!rule_health_section(&result).contains("Way to a breach"), "there is no judge");
        let condition = result.record.rules[0].clone();
        let progress = Ratio::new(0.4331).ok();
        let judge = RuleHealth { trigger: "judge".to_owned(), judge: true, progress, ..condition };
        result.record.rules.push(judge);
        let markup = rule_health_section(&result);
        assert!(markup.contains("Way to a breach") && markup.contains("43.31 %"), "{markup}");
    }

    #[test]
    fn a_rule_stands_with_its_checks_breaches_timer_and_firings() {
        let markup = rule_health_section(&rolled_back_result());
        let cells: Vec<&str> = markup
            .split("data-value=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert_eq!(cells, ["240", "4", "5", "60", "1"]);
    }

    #[test]
    fn a_rule_that_could_not_fire_is_told_in_a_sentence() {
        let mut result = without_gate();
        assert!(!rule_health_section(&result).contains("could not fire"));
        result.record = eventful();
        assert!(rule_health_section(&result).contains("so it could not fire."));
        result.record.rules.clear();
        assert!(rule_health_section(&result).contains("No version was watched"));
    }
}
