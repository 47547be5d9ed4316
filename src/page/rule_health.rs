//! How the rules fared: what they saw, and whether they could have told anything.

use super::markup::{Cell, Column, Table, list, paragraph, section};
use crate::record::RuleHealth;
use crate::report::{blind_rules, version_name};
use crate::result::ResultFile;
use crate::units::{format_count, format_duration};

/// Of each condition and judge on each version that it watched: checks, breaches, firings.
pub(super) fn rule_health_section(result: &ResultFile) -> String {
    let record = &result.record;
    let markup = if record.rules.is_empty() {
        paragraph("note", "No version was watched by a rule.")
    } else {
        let rows =
            record.rules.iter().map(|health| row(health, version_name(record, health.version)));
        let mut columns = ["Rule", "Version"].map(Column::text).to_vec();
        columns.extend(
            ["Checks", "Without data", "Breaches", "Longest timer", "Firings"].map(Column::figure),
        );
        let rows = rows.collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::{eventful, rolled_back_result, without_gate};

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
