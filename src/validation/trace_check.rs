//! A trace that a scenario replays, read to its end.

use std::path::PathBuf;

use crate::chance::Chance;
use crate::profile::{Shape, ShapeMeter};
use crate::scenario::{Problem, ProblemKind, Scenario, Spot, Traffic};
use crate::trace::{Accounting, TraceError, TraceErrorKind, TracePlace, TraceReader};
use crate::workload::{
    Playback, PlaybackOptions, Replay, SourceError, TraceInput, check_answers, check_record,
};

/// What is in a trace, as the scenario replays it.
#[derive(Clone, PartialEq, Debug)]
pub struct TraceCheck {
    /// Its path, as [`Traffic::files`] has it.
    pub file: PathBuf,
    /// What became of its rows in one turn.
    pub accounting: Accounting,
    /// The shape of what is sent in one turn.
    pub shape: Shape,
}

/// Reads the trace of `scenario` with this number, from 0 in the order of [`Traffic::files`], to
/// its end.
///
/// # Errors
/// The first row that cannot be replayed.
///
/// # Panics
/// The scenario replays no trace of this number.
pub fn check_trace(
    scenario: &Scenario,
    trace: usize,
    input: TraceInput,
) -> Result<TraceCheck, SourceError> {
    let Traffic::Replayed { files, replay } = &scenario.traffic else {
        panic!("the scenario {:?} replays no trace", scenario.name)
    };
    let (place, options) = replay.traces().nth(trace).expect("there is a trace of this number");
    let failed = |error| SourceError { trace, error };
    let reader = TraceReader::new(input).map_err(failed)?;
    // The draws of the run that the scenario's own seed gives.
    let chance = Chance::new(scenario.seed, 0);
    let one_turn = PlaybackOptions { repeat: false, ..options };
    let mut playback = Playback::new(reader, one_turn, chance, place);
    let shape = read_turn(&mut playback, replay, options.repeat).map_err(failed)?;
    let accounting = playback.reader().accounting().clone();
    // What comes after the window is not replayed, but out of order it can have ended it.
    playback.read_rest().map_err(failed)?;
    Ok(TraceCheck { file: files[trace].clone(), accounting, shape })
}

/// Whether the traces of `scenario` have an answer of each version that answers as recorded.
///
/// # Errors
/// They have none of one.
pub fn check_recorded(scenario: &Scenario, traces: Vec<TraceInput>) -> Result<(), SourceError> {
    match &scenario.traffic {
        Traffic::Replayed { replay, .. } => check_answers(replay, traces),
        Traffic::Generated(_) => Ok(()),
    }
}

/// What keeps a trace of `scenario` from being replayed, at its place in the trace.
pub fn trace_problem(scenario: &Scenario, failed: &SourceError) -> Problem {
    let SourceError { trace, error } = failed;
    let file = scenario.traffic.files().get(*trace);
    broken_trace(file.map_or_else(String::new, |file| file.display().to_string()), error)
}

/// What is wrong with the trace `file`, at its place in it.
pub fn broken_trace(file: String, error: &TraceError) -> Problem {
    let place = match error.line() {
        Some(line) => Spot::line(file, line),
        None => Spot::file(file),
    };
    let message = match error.place() {
        TracePlace::Line(_) => error.kind().to_string(),
        TracePlace::Entry { .. } | TracePlace::Row(_) | TracePlace::Byte(_) => error.to_string(),
    };
    Problem::new(ProblemKind::BrokenTrace, place, message)
}

/// Reads one turn of a trace: its shape. It `repeats` or not.
fn read_turn(
    playback: &mut Playback<TraceInput>,
    replay: &Replay,
    repeats: bool,
) -> Result<Shape, TraceError> {
    let mut meter = ShapeMeter::default();
    let mut left = replay.requests;
    let (mut without, mut of, mut first) = (0, 0, None::<TraceError>);
    while let Some(record) = playback.next_record()? {
        // What is never sent need not fit.
        if left != Some(0) {
            of += 1;
            match check_record(&record, &replay.models, replay.needs()) {
                // How many there are says whether they are failed calls, or the trace has none.
                Err(kind @ TraceErrorKind::NoTokens) => {
                    without += 1;
                    first.get_or_insert_with(|| playback.error(kind));
                }
                checked => drop(checked.map_err(|kind| playback.error(kind))?),
            }
        }
        left = left.map(|left| left.saturating_sub(1));
        meter.add(record.at, record.input, record.output);
    }
    if let Some(first) = first {
        let kind = TraceErrorKind::SomeWithoutTokens { without, of };
        return Err(TraceError::new(first.place(), kind));
    }
    if repeats && left != Some(0) {
        playback.check_repeat()?;
    }
    Ok(meter.shape())
}
