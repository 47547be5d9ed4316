//! `coalmine validate`: checks scenario files, and reads the traces that they replay to the end.

use std::path::Path;

use super::arguments::ValidateArguments;
use super::exit::Exit;
use super::judges::false_alarm_lines;
use super::open::{Opened, open, open_traces, trace_failure};
use super::scenario_files::ScenarioFiles;
use super::terminal::{Failure, complain, print};
use crate::chance::Chance;
use crate::scenario::{Scenario, Traffic};
use crate::trace::{Accounting, Shape, ShapeMeter, TokenShape, TraceError, TraceReader};
use crate::units::{format_count, format_counted, format_significant};
use crate::workload::{Playback, PlaybackOptions, Replay, SourceError, TraceInput, check_record};

pub(super) fn validate(arguments: &ValidateArguments) -> Result<Exit, Failure> {
    let ScenarioFiles { files, left_out } =
        ScenarioFiles::find(&arguments.scenarios, &arguments.reading)?;
    for part in &left_out {
        complain(&part.to_string());
    }
    let mut exit = Exit::Pass;
    for path in &files {
        let checked = open(path, &arguments.reading).and_then(|Opened { loaded, .. }| {
            Ok((summary(&loaded.scenario), read_traces(&loaded.scenario)?))
        });
        match checked {
            Ok((summary, trace)) => print(&format!("{}: ok: {summary}{trace}\n", path.display()))?,
            Err(failure) => {
                complain(&failure.message);
                exit = failure.exit;
            }
        }
    }
    Ok(exit)
}

fn summary(scenario: &Scenario) -> String {
    let of = match &scenario.models[..] {
        [only] => only.id.to_string(),
        several => format_counted(several.len() as u64, "model", "models"),
    };
    let judges: String =
        false_alarm_lines(scenario).iter().map(|line| format!("\n  {line}")).collect();
    let rules = scenario.models.iter().map(|model| model.rules.triggers.len()).sum::<usize>();
    format!(
        "{}, {} of {of}, {}, {}",
        format_counted(scenario.phases.len() as u64, "phase", "phases"),
        format_counted(scenario.versions().count() as u64, "version", "versions"),
        format_counted(rules as u64, "rule", "rules"),
        format_counted(scenario.gate.len() as u64, "gate line", "gate lines"),
    ) + &judges
}

/// Reads the traces that the scenario replays to their ends, and says what is sent of each.
fn read_traces(scenario: &Scenario) -> Result<String, Failure> {
    let Traffic::Replayed { files, replay } = &scenario.traffic else { return Ok(String::new()) };
    let traces = open_traces(scenario)?.into_iter().zip(replay.traces()).zip(files).enumerate();
    let mut said = String::new();
    for (trace, ((input, (place, options)), file)) in traces {
        let failed = |error| trace_failure(scenario, &SourceError { trace, error });
        let reader = TraceReader::new(input).map_err(failed)?;
        // The draws of the run that the scenario's own seed gives.
        let chance = Chance::new(scenario.seed, 0);
        let one_turn = PlaybackOptions { repeat: false, ..options };
        let mut playback = Playback::new(reader, one_turn, chance, place);
        let shape = read_turn(&mut playback, replay, options.repeat).map_err(failed)?;
        said.push_str(&told(playback.reader().accounting(), file));
        said.push_str(&describe(&shape));
    }
    Ok(said)
}

/// Reads one turn of a trace: its shape. It `repeats` or not.
fn read_turn(
    playback: &mut Playback<TraceInput>,
    replay: &Replay,
    repeats: bool,
) -> Result<Shape, TraceError> {
    let mut meter = ShapeMeter::default();
    let mut left = replay.requests;
    while let Some(record) = playback.next_record()? {
        // What is never sent need not fit.
        if left != Some(0) {
            check_record(&record, &replay.models, replay.needs_sessions)
                .map_err(|kind| playback.error(kind))?;
        }
        left = left.map(|left| left.saturating_sub(1));
        meter.add(record.at, record.input, record.output);
    }
    if repeats && left != Some(0) {
        playback.check_repeat()?;
    }
    Ok(meter.shape())
}

/// What became of the rows of the trace in `file`, in a line.
fn told(accounting: &Accounting, file: &Path) -> String {
    let (read, emitted) = (format_count(accounting.read), format_count(accounting.emitted));
    let (Accounting { format, unit, .. }, file) = (accounting, file.display());
    // A row that is not sound has ended the reading.
    let mut rows =
        format!("\n  trace {file} ({format}, times in {unit}): {read} rows read, {read} sound");
    if accounting.emitted < accounting.read {
        rows.push_str(&format!(", {emitted} of them replayed"));
    }
    rows
}

/// The figures that tell one trace from another.
fn describe(shape: &Shape) -> String {
    let mut text =
        format!("\n  {} in {}", format_counted(shape.requests, "request", "requests"), shape.span);
    if let Some(rate) = shape.rate {
        text.push_str(&format!(", {rate}"));
    }
    if let Some(gap_cv) = shape.gap_cv {
        text.push_str(&format!("; gap CV {}", format_significant(gap_cv, 4)));
    }
    if let [Some(second), Some(ten), Some(minute)] = shape.dispersion {
        let [second, ten, minute] = [second, ten, minute].map(|d| format_significant(d, 3));
        text.push_str(&format!("; dispersion {second} / {ten} / {minute} at 1 / 10 / 60 s"));
    }
    for (name, tokens) in [("input", shape.input), ("output", shape.output)] {
        if let Some(TokenShape { mean, p50, p99 }) = tokens {
            let [mean, p50, p99] = [mean, p50, p99].map(|count| format_significant(count, 4));
            text.push_str(&format!("\n  {name} tokens: mean {mean}, P50 {p50}, P99 {p99}"));
        }
    }
    text
}
