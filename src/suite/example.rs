//! A suite made by hand, for the tests of what is written and shown of one: every outcome, and
//! texts that would break out of each format.

use super::outcome::Outcome;
use super::suite_report::{AgainstStored, GatedScenario, LeftOut, SuiteReport};
use crate::gate::{
    Judged, Judgement, LineResult, PairedDifference, Part, Side, ValueUnit, Verdict, Worked,
};
use crate::metric::Metric;
use crate::summary::{Estimate, Limits};
use crate::units::Duration;

/// A scenario of every outcome, in the order of their files.
pub(crate) fn suite() -> SuiteReport {
    let scenarios = vec![
        broken(),
        canary(),
        checkout(),
        hostile(),
        must_fail(),
        must_fail_no_more(),
        no_gate(),
        quiet(),
        truncated(),
    ];
    let left_out = vec![LeftOut {
        file: "scenarios/parts/base.yaml".to_owned(),
        why: "it is only a part: scenarios/canary.yaml is made with it".to_owned(),
    }];
    SuiteReport::of(scenarios, left_out)
}

/// How long each took.
pub(crate) fn took() -> Vec<Duration> {
    let millis = [0, 1_250, 3_004, 20, 45, 40, 7, 1_000, 333];
    millis.map(Duration::from_millis).to_vec()
}

/// `count` scenarios that fail, each with `letters` of evidence.
pub(crate) fn failing(count: usize, letters: usize) -> SuiteReport {
    let scenario = |index: usize| {
        let mut scenario = checkout();
        scenario.name = format!("failing-{index}");
        scenario.file = format!("scenarios/failing-{index}.yaml");
        let Some(Judgement::Judged(judged)) = &mut scenario.judgement else { return scenario };
        for line in &mut judged.lines {
            line.evidence = "a|".repeat(letters / 2);
        }
        scenario
    };
    SuiteReport::of((0..count).map(scenario).collect(), Vec::new())
}

/// What steers a terminal, ends a section of XML, a cell, a code span, an attribute, a command.
pub(crate) const HOSTILE: &str = "]]> <script>alert('x' & \"y\")</script> a|b `c` ``d`` *e* \
                                  \u{1b}[31mred\u{1b}[0m \0\u{7}\u{202e} \u{fffe} 🚀 模型 100%, \
                                  k: v ::error::x ##[error]y @all";

fn scenario(name: &str, title: &str, outcome: Outcome) -> GatedScenario {
    GatedScenario {
        file: format!("scenarios/{name}.yaml"),
        name: name.to_owned(),
        title: title.to_owned(),
        outcome,
        error: None,
        seeds: vec![42],
        requests: 18_000,
        judgement: None,
        baseline: None,
        report: None,
        repeat: format!("coalmine gate scenarios/{name}.yaml"),
    }
}

fn judgement(found: Verdict, lines: Vec<LineResult>) -> Option<Judgement> {
    let (verdict, distrust) = (found, Vec::new());
    Some(Judgement::Judged(Judged { verdict, found, expected: None, distrust, lines }))
}

/// That of a scenario that fails its gate if all goes well.
fn expecting(verdict: Verdict, found: Verdict, lines: Vec<LineResult>) -> Option<Judgement> {
    let expected = Some(Verdict::Fail);
    Some(Judgement::Judged(Judged { verdict, found, expected, distrust: Vec::new(), lines }))
}

/// A line on an error rate, without evidence.
fn line(name: &str, number: u32, text: &str, verdict: Verdict) -> LineResult {
    LineResult {
        text: text.to_owned(),
        file: format!("scenarios/{name}.yaml"),
        line: number,
        verdict,
        left: error_rate(0.005, 0.0016, 0.0116, 1_005),
        right: Side::Stated(0.01),
        bound: None,
        confidence: 0.95,
        evidence: String::new(),
        requests_needed: None,
        runs_needed: None,
        failing_seeds: Vec::new(),
        difference: None,
        adjusted_p_value: None,
    }
}

fn error_rate(value: f64, low: f64, high: f64, n: u64) -> Side {
    let interval = Some(Limits { low: Some(low), high: Some(high) });
    let absent = Estimate::absent(Metric::ErrorRate);
    Side::Measured(Estimate { value: Some(value), n, interval, ..absent })
}

fn seconds(text: &str, value: f64, runs: u64) -> Side {
    worked(text, ValueUnit::Seconds, value, runs)
}

fn worked(text: &str, unit: ValueUnit, value: f64, runs: u64) -> Side {
    Side::Worked(Box::new(Worked {
        text: text.to_owned(),
        unit,
        value: Some(value),
        infinite: false,
        interval: None,
        exact: true,
        runs,
        parts: Vec::new(),
    }))
}

fn rollback(name: &str, number: u32, verdict: Verdict, value: f64) -> LineResult {
    LineResult {
        left: seconds("time_to_rollback", value, 1),
        right: Side::Stated(105.0),
        evidence: format!("{value} s"),
        ..line(name, number, "time_to_rollback <= 105s", verdict)
    }
}

fn canary() -> GatedScenario {
    let lines = vec![
        rollback("canary", 73, Verdict::Pass, 75.0),
        LineResult {
            evidence: "0.50 % [0.16 %, 1.16 %] of 1,005 requests".to_owned(),
            ..line("canary", 74, "error_rate < 2%", Verdict::Pass)
        },
    ];
    GatedScenario {
        judgement: judgement(Verdict::Pass, lines),
        report: Some("reports/canary".to_owned()),
        ..scenario("canary", "A canary that is taken back in time", Outcome::Pass)
    }
}

/// Three runs against a baseline; each way in which a line does not pass.
fn checkout() -> GatedScenario {
    let name = "checkout";
    let against_baseline = LineResult {
        left: error_rate(0.0231, 0.0219, 0.0243, 54_000),
        right: error_rate(0.0112, 0.0103, 0.0121, 54_000),
        evidence: "2.31 % [2.19 %, 2.43 %] of 54,000 requests against 1.12 % [1.03 %, 1.21 %] of \
                   54,000 requests in the baseline; left less right: +1.19 % [0.61 %, 1.77 %] over \
                   3 pairs of runs"
            .to_owned(),
        difference: Some(PairedDifference { mean: 0.0119, low: 0.0061, high: 0.0177, pairs: 3 }),
        adjusted_p_value: Some(0.0021),
        ..line(name, 41, "error_rate <= baseline(error_rate)", Verdict::Fail)
    };
    let undecided = LineResult {
        left: Side::Worked(Box::new(Worked {
            text: "latency_p99 / latency_p50".to_owned(),
            unit: ValueUnit::Number,
            value: Some(4.1),
            infinite: false,
            interval: Some(Limits { low: Some(3.2), high: None }),
            exact: false,
            runs: 3,
            parts: vec![Part {
                text: "latency_p99".to_owned(),
                side: seconds("latency_p99", 2.05, 3),
            }],
        })),
        right: Side::Stated(2.0),
        bound: Some(Side::Stated(5.0)),
        evidence: "4.1 [3.2, unbounded]; about 12 runs would decide".to_owned(),
        runs_needed: Some(12),
        requests_needed: Some(216_000),
        ..line(name, 42, "latency_p99 / latency_p50 within 2..5", Verdict::Inconclusive)
    };
    let in_each = LineResult {
        left: seconds("time_to_rollback", 120.0, 3),
        evidence: "75 s to 120 s; it does not hold in 2 of 3 runs: seed 2, 3".to_owned(),
        failing_seeds: vec![2, 3],
        ..rollback(name, 43, Verdict::Fail, 120.0)
    };
    let lines = vec![rollback(name, 40, Verdict::Pass, 75.0), against_baseline, undecided, in_each];
    GatedScenario {
        seeds: vec![1, 2, 3],
        requests: 54_000,
        judgement: judgement(Verdict::Fail, lines),
        baseline: Some(AgainstStored {
            file: "baselines/checkout.baseline.json".to_owned(),
            runs: 4,
            pairs: 3,
            differing: vec![
                "models.gpt-4.rules.conditions[0].threshold: 0.05, was 0.04".to_owned(),
            ],
        }),
        report: Some("reports/checkout".to_owned()),
        repeat: "coalmine gate scenarios/checkout.yaml --seeds 3 --baseline baselines".to_owned(),
        ..scenario(name, "Checkout traffic under a doubled error rate", Outcome::Fail)
    }
}

fn hostile() -> GatedScenario {
    let line = LineResult {
        file: "C:\\shop\\scenarios\\hostile.yaml".to_owned(),
        evidence: format!("{HOSTILE}\n{}", "evidence without end ".repeat(60)),
        ..line("hostile", 9, &format!("error_rate < 1%\n{HOSTILE}"), Verdict::Fail)
    };
    GatedScenario {
        file: "C:\\shop\\scenarios\\hostile.yaml".to_owned(),
        title: format!("line one\nline two\r\n{HOSTILE}"),
        judgement: judgement(Verdict::Fail, vec![line]),
        report: Some("reports\\hostile".to_owned()),
        repeat: format!("coalmine gate 'hostile.yaml' --set 'title={HOSTILE}'"),
        ..scenario("hostile", "", Outcome::Fail)
    }
}

fn must_fail() -> GatedScenario {
    let lines = vec![
        LineResult {
            left: worked("rollbacks", ValueUnit::Count, 0.0, 1),
            right: Side::Stated(0.0),
            evidence: "0".to_owned(),
            ..line("must-fail", 30, "rollbacks == 0", Verdict::Pass)
        },
        rollback("must-fail", 31, Verdict::Fail, 120.0),
    ];
    GatedScenario {
        judgement: expecting(Verdict::Pass, Verdict::Fail, lines),
        report: Some("reports/must-fail".to_owned()),
        ..scenario("must-fail", "A rule that is too slow on purpose", Outcome::Pass)
    }
}

fn must_fail_no_more() -> GatedScenario {
    let lines = vec![rollback("must-fail-no-more", 31, Verdict::Pass, 75.0)];
    GatedScenario {
        judgement: expecting(Verdict::Fail, Verdict::Pass, lines),
        ..scenario("must-fail-no-more", "A rule that is too slow no more", Outcome::Fail)
    }
}

fn no_gate() -> GatedScenario {
    GatedScenario {
        judgement: Some(Judgement::NothingToEvaluate),
        ..scenario("no-gate", "Traffic without a claim", Outcome::NothingToEvaluate)
    }
}

fn quiet() -> GatedScenario {
    let line = LineResult {
        evidence: "0.50 % [0.16 %, 1.16 %] of 1,005 requests; about 1,800 would decide".to_owned(),
        requests_needed: Some(1_800),
        ..line("quiet", 12, "error_rate < 1%", Verdict::Inconclusive)
    };
    GatedScenario {
        requests: 1_005,
        judgement: judgement(Verdict::Inconclusive, vec![line]),
        ..scenario("quiet", "Too little traffic to tell", Outcome::Inconclusive)
    }
}

fn truncated() -> GatedScenario {
    let distrust = vec![
        "the trace ends in the middle of a row".to_owned(),
        "2 of 8,819 rows were out of order".to_owned(),
    ];
    let lines = vec![
        rollback("truncated", 20, Verdict::Pass, 75.0),
        rollback("truncated", 21, Verdict::Fail, 120.0),
    ];
    let (verdict, found) = (Verdict::Invalid, Verdict::Invalid);
    GatedScenario {
        judgement: Some(Judgement::Judged(Judged {
            verdict,
            found,
            expected: None,
            distrust,
            lines,
        })),
        ..scenario("truncated", "A trace that was cut short", Outcome::Invalid)
    }
}

fn broken() -> GatedScenario {
    let excerpt =
        "   |\n 6 |       - gamma: {rate: 0/s, cv: 30}\n   |                                ^^";
    let first = "error: scenarios/broken.yaml:6:32: \"30\" is not a number from 0.01 to 20";
    let second = format!("error: scenarios/broken.yaml:7:9: {HOSTILE}");
    let error = format!("{first}\n{excerpt}\n\n{second}\n");
    GatedScenario {
        error: Some(error),
        seeds: Vec::new(),
        requests: 0,
        ..scenario("broken", "", Outcome::Unreadable)
    }
}
