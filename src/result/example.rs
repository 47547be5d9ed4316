//! A run made by hand, for the tests of what is drawn and written of a run.

use std::collections::BTreeMap;

use super::file::{ColumnInfo, FileDigest, GateInfo, ReferenceInfo, ResultFile, ScenarioInfo};

use crate::assertion::Assertion;
use crate::engine::{
    Command, CommandError, CommandKind, Engine, EventKind, Evidence, ModelSettings, Notification,
    Operator, Reading, RolloutState, StageIndex, Version, Waiting,
};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::gate::{Gate, Judgement, Line, Runs, Settings};
use crate::metric::Metric;
use crate::record::{
    Blast, Bursts, Happening, JournalCopy, KeyFault, KeyRejections, LostTag, ModelInfo, Order,
    PhaseSpan, Promotion, Record, Refusal, Rollback, RuleHealth, Series, SeriesPoint, SplitSpan,
    Spread, Timeline, UndoneCommand, VersionInfo,
};
use crate::run::TraceReport;
use crate::summary::{ColumnSpec, ReferenceSpec, Selection, Summary, Table, fixture};
use crate::trace::{Accounting, DropReason, Dropped, TraceFormat};
use crate::units::{Duration, KeyId, ModelId, Ratio, TagName, Timestamp, VersionId};

pub(super) const STABLE: VersionIndex = VersionIndex(0);
const CANARY: VersionIndex = VersionIndex(1);

/// An hour at `rate` requests a second: 10 % go to a canary that fails 8 % from minute 20 on and is
/// rolled back 75 s later.
pub(crate) fn rolled_back(rate: f64) -> Record {
    let start: Timestamp = "2024-03-15T11:00:00Z".parse().unwrap();
    let at = |second: u64| start + Duration::from_secs(second);
    let mut timeline = Timeline::default();
    let what = || "8 % of requests answered 503".to_owned();
    for (phase, second) in (0..).zip([0, 300, 1_200]) {
        timeline.push(at(second), Happening::PhaseBegan { phase });
    }
    timeline.push(at(1_200), Happening::FaultBegan { version: CANARY, what: what() });
    timeline.push(at(1_215), Happening::BreachBegan { trigger: 0, version: CANARY });
    let evidence = evidence(at(1_215), at(1_275));
    let fired = Box::new(evidence.clone());
    timeline.push(at(1_275), Happening::Fired { trigger: 0, version: CANARY, evidence: fired });
    let target = STABLE;
    timeline.push(at(1_275), Happening::RolledBack { version: Some(CANARY), target });
    timeline.push(at(1_277), Happening::Drained { version: CANARY });
    timeline.push(at(2_400), Happening::FaultEnded { version: CANARY, what: what() });
    let phase = |name: &str, a, b| PhaseSpan { name: name.to_owned(), start: at(a), end: at(b) };
    Record {
        seed: 42,
        start,
        end: at(3_600),
        models: vec![ModelInfo {
            triggers: vec!["error_rate > 5 % for 60 s".to_owned()],
            ..fixture::record().models.remove(0)
        }],
        clients: Vec::new(),
        phases: vec![
            phase("warm up", 0, 300),
            phase("canary at 10 %", 300, 1_200),
            phase("degraded", 1_200, 1_275),
            phase("after the rollback", 1_275, 3_600),
        ],
        cells: fixture::record().cells,
        series: series(start, rate),
        splits: vec![split_span(at(300))],
        timeline,
        rollbacks: vec![Rollback {
            at: at(1_275),
            phase: 2,
            version: CANARY,
            target: STABLE,
            evidence,
            onset: Some(at(1_200)),
        }],
        promotions: Vec::new(),
        lost_tags: Vec::new(),
        undone_commands: Vec::new(),
        blasts: vec![Blast {
            version: CANARY,
            onset: at(1_200),
            drained: Some(at(1_277)),
            requests: 75,
            failed: 6,
            failed_anyway: 0,
            slowed: 3,
        }],
        bursts: Vec::new(),
        key_rejections: Vec::new(),
        rules: vec![fired_once()],
        journal: JournalCopy::default(),
    }
}

/// The rule that rolled the canary back.
fn fired_once() -> RuleHealth {
    RuleHealth {
        trigger: "error_rate > 5 % for 60 s".to_owned(),
        judge: false,
        version: CANARY,
        checks: 240,
        no_data: 4,
        breaches: 5,
        firings: 1,
        longest_timer: Duration::from_secs(60),
        progress: None,
    }
}

/// 10 % on the canary, and as many requests.
fn split_span(at: Timestamp) -> SplitSpan {
    SplitSpan {
        model: ModelIndex(0),
        phase: 1,
        at,
        weights: vec![Ratio::new(0.9).unwrap(), Ratio::new(0.1).unwrap()],
        observed: vec![405, 45],
    }
}

/// A day with six versions, fourteen phases, many breaches and a latency that spans decades.
pub(crate) fn crowded() -> Record {
    let mut record = rolled_back(0.02);
    let (start, width) = (record.start, Duration::from_secs(360));
    record.end = start + width * 240;
    record.series.width = width;
    let ids = ["gpt-4-v3", "gpt-4-v4-with-a-rather-long-name", "mistral-large", "v6"];
    for (id, (tag, factor)) in ids.iter().zip([("next", 2), ("b", 3), ("c", 9), ("d", 30)]) {
        record.models[0].versions.push(info(id, tag));
        let slower = |point: &SeriesPoint| SeriesPoint {
            p50: point.p50.map(|latency| latency * factor),
            p99: point.p99.map(|latency| latency * factor),
            spread: None,
            ..point.clone()
        };
        let points = record.series.versions[0].iter().map(slower).collect();
        record.series.versions.push(points);
    }
    let phase = |index: u64| PhaseSpan {
        name: format!("step {index} of the ladder"),
        start: start + width * (index * index),
        end: start + width * ((index + 1) * (index + 1)).min(240),
    };
    record.phases = (0..16).map(phase).collect();
    for index in 0..40 {
        let at = start + width * (60 + 4 * index);
        record.timeline.push(at, Happening::BreachBegan { trigger: 0, version: CANARY });
        let until = at + width * (index % 3);
        record.timeline.push(until, Happening::BreachEnded { trigger: 0, version: CANARY });
    }
    record
}

/// [`rolled_back`] with everything else that a record can tell: a rollout that waits and ends in a
/// promotion, a lost tag, refused keys, requests that took several attempts, a journal.
pub(crate) fn eventful() -> Record {
    let mut record = rolled_back(0.5);
    let at = record.start + Duration::from_secs(600);
    let step = StageIndex(0);
    let states = [
        (RolloutState::Idle, RolloutState::Stepping(step)),
        (RolloutState::Stepping(step), RolloutState::Paused(step)),
        (RolloutState::Paused(step), RolloutState::Promoted),
        (RolloutState::Promoted, RolloutState::Idle),
    ];
    let without_data = vec![0];
    let waits = [
        Waiting::InsufficientData { requests: 7, required: 10, without_data },
        Waiting::InBreach { triggers: vec![0] },
    ];
    let tag = TagName::new("beta").unwrap();
    let moves = states.map(|(from, to)| Happening::RolloutMoved { version: CANARY, from, to });
    let waits = waits.map(|waiting| Happening::StepWaits { version: CANARY, stage: step, waiting });
    let what = "rollback".to_owned();
    let recipients = Notification {
        slack_webhook: Some("https://hooks.slack.example/T0/B0".to_owned()),
        email: Some("ops@example.com".to_owned()),
    };
    let (model, order) = (Some(ModelIndex(0)), Order::Rollback { to: None });
    let why = Refusal::Reason(CommandError::NoStable);
    let until = Some(at + Duration::from_secs(90));
    let rest = [
        Happening::TagLost { tag: tag.clone(), version: CANARY },
        Happening::WaitEnded { phase: 2, what },
        Happening::FaultMissed { version: CANARY, what: "latency x 4".to_owned() },
        Happening::WorkloadChanged { what: "2 times as fast".to_owned() },
        Happening::Commanded { model, order: order.clone() },
        Happening::CommandRefused { model, order: order.clone(), why },
        Happening::CommandMissed { model, order },
        Happening::CommandIdle { model, order: Order::Pause },
        Happening::Notified { trigger: 0, version: CANARY, recipients },
        Happening::LockedOut { client: 0, reason: KeyFault::Replaced, requests: 3, until },
        Happening::LockedOut { client: 1, reason: KeyFault::Unknown, requests: 1, until: None },
    ];
    for happening in moves.into_iter().chain(waits).chain(rest) {
        record.timeline.push(at, happening);
    }
    let later = |seconds| at + Duration::from_secs(seconds);
    let stretches = [(at, later(20)), (later(300), later(345))];
    record.bursts = vec![Bursts::new(CANARY, stretches)];
    record.promotions = vec![Promotion { at, phase: 1, version: CANARY }];
    record.lost_tags = vec![LostTag { at, phase: 1, version: CANARY, tag }];
    record.undone_commands =
        [true, false].map(|given| UndoneCommand { at, phase: 1, model, given }).to_vec();
    record.clients = ["web", "batch"].map(|key| KeyId::new(key).unwrap()).to_vec();
    let rejections = |client, reason, count| KeyRejections {
        phase: 1,
        model: ModelIndex(0),
        client: Some(client),
        reason: Some(reason),
        count,
    };
    record.key_rejections =
        vec![rejections(0, KeyFault::Replaced, 3), rejections(1, KeyFault::Unknown, 1)];
    record.cells[1].attempts = Some(record.cells[0].tally.clone());
    record.cells[1].finals = Some(record.cells[3].tally.clone());
    let blind =
        RuleHealth { checks: 12, no_data: 12, breaches: 0, firings: 0, ..record.rules[0].clone() };
    record.rules.push(blind);
    record.journal = journal();
    record
}

/// Two entries as an engine writes them.
fn journal() -> JournalCopy {
    let model = ModelSettings::new(ModelId::new("gpt-4").unwrap());
    let mut engine = Engine::new([model]);
    let mut journal = JournalCopy::default();
    for id in ["gpt-4-v1", "gpt-4-turbo-v2"] {
        let version = Version::new(VersionId::new(id).unwrap(), id, Timestamp::EPOCH);
        let kind = CommandKind::Register(Box::new(version));
        let command = Command { model: ModelIndex(0), by: "test".to_owned(), kind };
        engine.apply(Timestamp::EPOCH, &command).unwrap();
        while let Some(event) = engine.poll_event() {
            if let EventKind::Journal(sealed) = event.kind {
                journal.head = Some(sealed.hash());
                journal.entries.push(sealed.entry().clone());
            }
        }
    }
    journal
}

/// The result of [`rolled_back`] with a gate of three lines, of which one is undecided and one
/// fails, four published figures and a trace.
pub(crate) fn rolled_back_result() -> ResultFile {
    let lines = [
        ("time_to_rollback <= 90s", 41),
        ("error_rate{phase='canary at 10 %'} < 0.1%", 42),
        ("blast_radius.failed < 5", 43),
    ];
    let record = rolled_back(0.5);
    let (gate, table) = (judge(&record, &lines), table(&record));
    let gate_info =
        |(text, line)| GateInfo { text: str::to_owned(text), file: FILE.to_owned(), line };
    let scenario = ScenarioInfo {
        name: "ten-thousand".to_owned(),
        title: "Ten thousand requests through a canary of gpt-4".to_owned(),
        files: vec![FileDigest { path: FILE.to_owned(), sha256: "00".repeat(32) }],
        seed: 42,
        columns: vec![
            column("GPT-4", "warm up", None),
            column("GPT-4 Turbo (canary)", "canary at 10 %", Some("gpt-4-turbo-v2")),
            column("After the rollback", "after the rollback", None),
        ],
        references: REFERENCES.map(reference_info).to_vec(),
        gate: lines.map(gate_info).to_vec(),
        closed_users: None,
        expect: None,
        resolved: serde_json::json!({"seed": 42}),
    };
    ResultFile::new(scenario, vec![trace()], gate, table, record)
}

/// The result of [`crowded`]: six columns, long names and letters of other scripts, a line of the
/// gate that is longer than most terminals are wide.
pub(crate) fn crowded_result() -> ResultFile {
    let long = "latency_p99{phase='canary at 10 %', version=gpt-4-turbo-v2} < \
                latency_p99{phase='warm up', version=gpt-4-v1}";
    let lines = [("error_rate < 5%", 7), (long, 8)];
    let titles = [
        ("GPT-4", 0),
        ("GPT-4 Turbo (canary at 10 %)", 1),
        ("Während der Störung", 2),
        ("发布后的基线模型", 3),
        ("a-title-without-a-single-blank-that-is-too-long", 1),
        ("p", 0),
    ];
    let record = crowded();
    let spec = |(title, phase): (&str, usize)| ColumnSpec {
        title: title.to_owned(),
        selection: Selection { phase: Some(phase), ..Selection::default() },
    };
    let reference = ReferenceSpec { column: 3, metric: Metric::LatencyAvg, value: 0.5 };
    let table = Table::of(&Summary::of(&record), &titles.map(spec), &[reference]);
    let info = |(title, phase): (&str, usize)| ColumnInfo {
        title: title.to_owned(),
        phase: Some(record.phases[phase].name.clone()),
        model: None,
        version: None,
    };
    let columns = titles.map(info).to_vec();
    let gate_info =
        |(text, line)| GateInfo { text: str::to_owned(text), file: FILE.to_owned(), line };
    let scenario = ScenarioInfo {
        name: "crowded".to_owned(),
        title: "Sechs Fassungen · 六个版本 · six versions side by side, told at great length"
            .to_owned(),
        columns,
        references: vec![reference_info((3, Metric::LatencyAvg, 0.5))],
        gate: lines.map(gate_info).to_vec(),
        ..rolled_back_result().scenario
    };
    // The names of phases that the gate's lines know.
    let named = rolled_back(0.02);
    ResultFile::new(scenario, Vec::new(), judge(&named, &lines), table, record)
}

/// That of [`rolled_back_result`] without gate, published figures, trace and events.
pub(crate) fn without_gate() -> ResultFile {
    let mut result = rolled_back_result();
    result.scenario.gate.clear();
    result.scenario.references.clear();
    result.table.references.clear();
    result.gate = Judgement::NothingToEvaluate;
    result.traces.clear();
    result.record.timeline = Timeline::default();
    result.record.blasts.clear();
    result
}

fn judge(record: &Record, lines: &[(&str, u32)]) -> Judgement {
    let parsed = lines.iter().map(|(text, _)| Assertion::parse(text).unwrap());
    let assertions: Vec<Assertion> = parsed.collect();
    let lines = lines.iter().zip(&assertions).map(|(&(text, line), assertion)| Line {
        text,
        assertion,
        file: FILE,
        line,
    });
    let lines: Vec<Line<'_>> = lines.collect();
    let settings = Settings::default();
    let gate = Gate { lines: &lines, expected: None, distrust: &[], settings };
    gate.judge(&Runs::of_records(&[record], &[], &[]), None)
}

pub(super) fn table(record: &Record) -> Table {
    let column = |title: &str, phase, version| ColumnSpec {
        title: title.to_owned(),
        selection: Selection { phase: Some(phase), version, ..Selection::default() },
    };
    let columns = [
        column("GPT-4", 0, None),
        column("GPT-4 Turbo (canary)", 1, Some(CANARY)),
        column("After the rollback", 3, None),
    ];
    let reference = |(column, metric, value)| ReferenceSpec { column, metric, value };
    Table::of(&Summary::of(record), &columns, &REFERENCES.map(reference))
}

fn column(title: &str, phase: &str, version: Option<&str>) -> ColumnInfo {
    ColumnInfo {
        title: title.to_owned(),
        phase: Some(phase.to_owned()),
        model: None,
        version: version.map(str::to_owned),
    }
}

fn reference_info((column, metric, value): (usize, Metric, f64)) -> ReferenceInfo {
    ReferenceInfo { column, metric: metric.name().to_owned(), value }
}

fn trace() -> TraceReport {
    let accounting = Accounting {
        format: TraceFormat::Azure,
        unit: "RFC 3339".to_owned(),
        read: 8_819,
        emitted: 8_817,
        dropped: BTreeMap::from([(
            DropReason::OutOfOrder,
            Dropped { count: 2, lines: vec![17, 4_002] },
        )]),
        late: None,
    };
    let file = Some("traces/azure.csv".to_owned());
    TraceReport { file, accounting, sha256: Some("ab".repeat(32)), answered: Vec::new(), turns: 1 }
}

/// Holds a text against the snapshot of that name.
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../tests/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

const FILE: &str = "scenarios/ten-thousand.yaml";

const REFERENCES: [(usize, Metric, f64); 4] = [
    (0, Metric::LatencyAvg, 0.495),
    (0, Metric::CostPer1kTokens, 0.008),
    (1, Metric::LatencyAvg, 0.89),
    (1, Metric::LatencyP90, 0.5),
];

fn evidence(first_breach: Timestamp, check: Timestamp) -> Evidence {
    Evidence {
        trigger: "error_rate > 5 % for 60 s".to_owned(),
        version: VersionId::new("gpt-4-turbo-v2").unwrap(),
        check,
        first_breach,
        held: check.since(first_breach),
        duration: Duration::from_secs(60),
        reading: Reading::Share {
            metric: Metric::ErrorRate,
            hits: 5,
            requests: 61,
            operator: Operator::Above,
            threshold: Ratio::new(0.05).unwrap(),
            window: Duration::from_secs(60),
        },
    }
}

pub(super) fn info(id: &str, tag: &str) -> VersionInfo {
    let tags = vec![TagName::new(tag).unwrap()];
    VersionInfo { id: VersionId::new(id).unwrap(), tags, price: None }
}

/// Slots of 15 s with some noise, the same on every call.
fn series(start: Timestamp, rate: f64) -> Series {
    let mut state = 7_u64;
    let mut noise = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let mut point = |requests: f64, error_rate: f64, median: f64| {
        let assigned = (requests * (0.8 + 0.4 * noise()) + noise()) as u32;
        let failed = (f64::from(assigned) * error_rate * 2.0 * noise() + noise()) as u32;
        let failed = failed.min(assigned);
        let latency = |secs: f64| (assigned > failed).then(|| Duration::from_secs_f64(secs));
        let p50 = latency(median * (0.9 + 0.2 * noise()));
        let p99 = latency(median * (2.2 + 0.9 * noise()));
        // From 750 ms on, in quarters of octaves.
        let spread = p50.map(|_| Spread { first: 97, counts: vec![1, 3, 9, 6, 2, 1] });
        SeriesPoint { assigned, completed: assigned, failed, p50, p99, spread }
    };
    let mut versions = vec![Vec::new(), Vec::new()];
    for second in (0..3_600).step_by(15) {
        let canary = (300..1_275).contains(&second);
        let share = if canary { 0.1 } else { 0.0 };
        versions[0].push(point(rate * 15.0 * (1.0 - share), 0.0012, 1.24));
        let error_rate = if second < 1_200 { 0.0008 } else { 0.08 };
        let traffic = point(rate * 15.0 * share, error_rate, 0.89);
        versions[1].push(if canary { traffic } else { SeriesPoint::default() });
    }
    Series { start, width: Duration::from_secs(15), versions }
}
