//! `multi-model`: a rollback of one model is nobody else's business.

use coalmine::gate::Verdict;

use super::world::{judged, shipped_result};

#[test]
fn only_the_model_on_a_canary_changes_its_split() {
    let result = shipped_result("multi-model", &[]);
    let record = &result.record;
    let [rollback] = &record.rollbacks[..] else { panic!("{:?}", record.rollbacks) };
    assert_eq!(rollback.evidence.version.as_str(), "claude-sonnet-4.4");
    let of = |name: &str| {
        let mut versions = record.versions();
        let version = versions.position(|version| version.id.as_str() == name);
        let version = version.unwrap() as u16;
        let cells = record.cells.iter().filter(move |cell| cell.version.0 == version);
        cells.map(|cell| cell.tally.assigned).sum::<u64>()
    };
    let total: u64 = record.cells.iter().map(|cell| cell.tally.assigned).sum();
    let share = |count: u64| count as f64 / total as f64;
    let claude = of("claude-sonnet-4.3") + of("claude-sonnet-4.4");
    // Four standard deviations of a share of 5,800 requests are 2.6 % at the most.
    for (got, expected) in [
        (of("gpt-4-turbo-v2"), 0.4),
        (claude, 0.3),
        (of("gemini-flash-2"), 0.2),
        (of("deepseek-v3-0324"), 0.1),
    ] {
        assert!((share(got) - expected).abs() < 0.026, "{got} of {total}, {expected}");
    }
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}
