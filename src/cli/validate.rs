//! `coalmine validate`: checks scenario files, and reads the traces that they replay to the end.

use std::path::Path;

use super::arguments::{ScenarioArguments, ValidateArguments, ValidationFormat};
use super::disk::working_directory;
use super::exit::Exit;
use super::judges::false_alarm_lines;
use super::open::{Opened, Refusal, open_trace, read_scenario};
use super::scenario_files::{LeftOut, ScenarioFiles};
use super::terminal::{Failure, complain, print};
use crate::profile::{Shape, TokenShape};
use crate::scenario::{Loaded, Problem, Scenario, UpstreamPlan};
use crate::trace::Accounting;
use crate::units::{format_count, format_counted, format_significant};
use crate::validation::{
    Contents, PartLeftOut, TraceCheck, ValidatedFile, Validation, check_recorded, check_trace,
    sarif,
};

pub(super) fn validate(arguments: &ValidateArguments) -> Result<Exit, Failure> {
    let found = ScenarioFiles::find(&arguments.scenarios, &arguments.reading)?;
    let mut files = Vec::new();
    if arguments.format == ValidationFormat::Text {
        found.left_out.iter().for_each(|part| complain(&part.to_string()));
    }
    for path in &found.files {
        let checked = check(path, &arguments.reading)?;
        if arguments.format == ValidationFormat::Text {
            checked.tell(path)?;
        }
        files.push(checked.into_file(path));
    }
    let validation = Validation::new(files, found.left_out.iter().map(part_left_out).collect());
    match arguments.format {
        ValidationFormat::Text => (),
        ValidationFormat::Json => print(&validation.to_json())?,
        ValidationFormat::Sarif => print(&sarif(&validation, &working_directory()?))?,
    }
    Ok(if validation.ok { Exit::Pass } else { Exit::InvalidInput })
}

/// What came of a scenario file.
struct Checked {
    /// The scenario and those of its traces that can be replayed, if it is valid by itself.
    loaded: Option<(Loaded, Vec<TraceCheck>)>,
    refusals: Vec<Refusal>,
}

/// Checks the scenario at `path` and the traces that it replays.
fn check(path: &Path, reading: &ScenarioArguments) -> Result<Checked, Failure> {
    let loaded = match read_scenario(path, reading) {
        Ok(Opened { loaded, .. }) => loaded,
        Err(refusal) if refusal.problems.is_empty() => return Err(refusal.failure),
        Err(refusal) => return Ok(Checked { loaded: None, refusals: vec![refusal] }),
    };
    let (mut traces, mut refusals) = (Vec::new(), Vec::new());
    for (trace, file) in loaded.scenario.traffic.files().iter().enumerate() {
        let checked = open_trace(file).and_then(|input| {
            check_trace(&loaded.scenario, trace, input)
                .map_err(|failed| Refusal::of_trace(&loaded.scenario, &failed))
        });
        match checked {
            Ok(check) => traces.push(check),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty()
        && let Err(refusal) = check_answers(&loaded.scenario)
    {
        refusals.push(refusal);
    }
    Ok(Checked { loaded: Some((loaded, traces)), refusals })
}

/// Whether versions that answer as recorded have answers in the traces.
fn check_answers(scenario: &Scenario) -> Result<(), Refusal> {
    let answers = scenario.models.iter().flat_map(|model| &model.versions);
    if !{ answers }.any(|version| version.upstream == UpstreamPlan::Recorded) {
        return Ok(());
    }
    let traces = scenario.traffic.files().iter().map(|file| open_trace(file));
    let traces = traces.collect::<Result<Vec<_>, Refusal>>()?;
    check_recorded(scenario, traces).map_err(|failed| Refusal::of_trace(scenario, &failed))
}

impl Checked {
    /// Says it to a person: what is valid on stdout, all else on stderr.
    fn tell(&self, path: &Path) -> Result<(), Failure> {
        if let Some((loaded, _)) = &self.loaded
            && loaded.warnings.count() > 0
        {
            complain(&loaded.warnings.to_string());
        }
        self.refusals.iter().for_each(|refusal| complain(&refusal.failure.message));
        match &self.loaded {
            Some((loaded, traces)) if self.refusals.is_empty() => {
                let traces: String =
                    traces.iter().map(|trace| told(trace) + &describe(&trace.shape)).collect();
                print(&format!("{}: ok: {}{traces}\n", path.display(), summary(&loaded.scenario)))
            }
            _ => Ok(()),
        }
    }

    fn into_file(self, path: &Path) -> ValidatedFile {
        let mut problems: Vec<Problem> =
            self.refusals.into_iter().flat_map(|refusal| refusal.problems).collect();
        let contents = self.loaded.map(|(loaded, traces)| {
            problems.extend(loaded.warnings.problems());
            Contents::of(&loaded.scenario, &traces)
        });
        ValidatedFile::new(path.display().to_string(), problems, contents)
    }
}

fn part_left_out(LeftOut { path, part_of, lacks }: &LeftOut) -> PartLeftOut {
    let [file, part_of] = [path, part_of].map(|path| path.display().to_string());
    PartLeftOut { file, part_of, lacks: lacks.clone() }
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

/// What became of the rows of a trace, in a line.
fn told(TraceCheck { file, accounting, .. }: &TraceCheck) -> String {
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
