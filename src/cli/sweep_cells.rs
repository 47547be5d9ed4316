//! The cells of a sweep: from a scenario file and what is varied, or from a plan, to scenarios that
//! are ready to run. Everything that is wrong with any of them is told before the first run.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::digest::Digested;
use super::disk;
use super::exit::Exit;
use super::open::{Opened, read_scenario};
use super::shared_arguments::ScenarioArguments;
use super::sweep_arguments::TermsArguments;
use super::terminal::{Failure, complain};
use crate::result::FileDigest;
use crate::scenario::{Document, GateLine, Loaded, Scenario, load};
use crate::study::{
    Cell, LineError, Lines, Plan, Seeds, Terms, Variation, cell_count, given_line, grid,
};
use crate::units::{format_count, format_counted};

/// The plan of a sweep with its cells.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) cells: Vec<Cell>,
}

impl Planned {
    /// Of a scenario file and what is varied.
    pub(super) fn of(
        arguments: &TermsArguments,
        reading: &ScenarioArguments,
    ) -> Result<Self, Failure> {
        check_size(arguments)?;
        let given = given_lines(&arguments.gate)?;
        let cells = load_all(arguments, reading, &given)?;
        let first = arguments.seed.unwrap_or(cells[0].loaded.scenario.seed);
        let terms = Terms {
            scenario: arguments.scenario.display().to_string(),
            variations: arguments.vary.clone(),
            seeds: Seeds { first, count: arguments.seeds },
            precision: arguments.precision,
            rare: arguments.rare,
            gate: arguments.gate.clone(),
            traces: digests(&cells)?,
        };
        Ok(Self { plan: Plan::new(terms, &cells), cells })
    }

    /// Of the file of a plan.
    pub(super) fn read(path: &Path, allow_outside: bool) -> Result<Self, Failure> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::input(format!("error: cannot read the plan {shown}: {error}"))
        })?;
        let failed = |error: &dyn Display| Failure::input(format!("error: {shown}: {error}"));
        let plan = Plan::from_json(&text).map_err(|error| failed(&error))?;
        let given = given_lines(&plan.gate)?;
        let cells = (0..plan.cells.len()).map(|index| {
            let loaded = load_planned(&plan, index, allow_outside)?;
            let loaded = plan.restored(index, loaded).map_err(|error| failed(&error))?;
            let lines = lines_of(&loaded.scenario, &given, plan.rare);
            let lines = lines.map_err(|error| failed(&error))?;
            Ok(Cell { loaded, files: Vec::new(), lines })
        });
        let cells = cells.collect::<Result<_, Failure>>()?;
        Ok(Self { plan, cells })
    }

    /// Refuses traces that are not those of the plan.
    pub(super) fn check_traces(&self) -> Result<(), Failure> {
        let found = digests(&self.cells)?;
        let differs = found.iter().find(|trace| !self.plan.traces.contains(trace));
        match differs {
            None => Ok(()),
            Some(trace) => Err(Failure::input(format!(
                "error: {} is not the trace that the plan was made with: its SHA-256 is another",
                trace.path
            ))),
        }
    }
}

/// Refuses a sweep of which no end could be seen, and one that varies what it says itself.
fn check_size(arguments: &TermsArguments) -> Result<(), Failure> {
    let variations = &arguments.vary;
    for (place, variation) in variations.iter().enumerate() {
        let path = &variation.path;
        if variations[..place].iter().any(|other| other.path == *path) {
            return Err(Failure::usage(format!(
                "error: --vary {path} stands there twice: write all its values into one"
            )));
        }
        if matches!(path.as_str(), "seed" | "seeds") {
            return Err(Failure::usage(format!(
                "error: --vary {path}: all combinations are run under the same seeds; write \
                 --seeds and --seed instead"
            )));
        }
    }
    let cells = cell_count(variations).filter(|cells| *cells <= MOST_CELLS);
    let runs = cells.map(|cells| (cells as u64).saturating_mul(arguments.seeds));
    match runs.filter(|runs| *runs <= MOST_RUNS) {
        Some(_) => Ok(()),
        None => Err(Failure::usage(format!(
            "error: so many values and seeds are too many: allowed are {} combinations of values, \
             and {} runs in all",
            format_count(MOST_CELLS as u64),
            format_count(MOST_RUNS)
        ))),
    }
}

fn given_lines(texts: &[String]) -> Result<Vec<GateLine>, Failure> {
    let lines = texts
        .iter()
        .zip(1..)
        .map(|(text, number)| given_line(text, number).map_err(|error| not_judged(text, &error)));
    lines.collect()
}

/// The lines that are judged on a cell.
fn lines_of(scenario: &Scenario, given: &[GateLine], rare: bool) -> Result<Lines, LineError> {
    if rare { Lines::of_rare(scenario, given) } else { Lines::of(scenario, given) }
}

fn not_judged(text: &str, error: &dyn Display) -> Failure {
    Failure::usage(format!("error: --gate {text:?}: {error}"))
}

/// Reads the scenario once for each cell; all that is wrong with any of them is told at once.
fn load_all(
    arguments: &TermsArguments,
    reading: &ScenarioArguments,
    given: &[GateLine],
) -> Result<Vec<Cell>, Failure> {
    let TermsArguments { scenario, vary, .. } = arguments;
    let mut cells = Vec::new();
    let mut told = Told::default();
    for values in grid(vary) {
        let own = vary.iter().zip(&values).map(|(variation, value)| variation.setting(*value));
        let own: Vec<String> = own.collect();
        let settings = reading.settings.iter().chain(&own).cloned().collect();
        let reading = ScenarioArguments { settings, ..reading.clone() };
        match read_scenario(scenario, &reading) {
            Ok(Opened { loaded, files }) => {
                let warnings = loaded.warnings.clone().for_runs(arguments.seeds);
                if warnings.count() > 0 {
                    told.warn(warnings.to_string());
                }
                match lines_of(&loaded.scenario, given, arguments.rare) {
                    Ok(lines) => cells.push(Cell { loaded, files, lines }),
                    Err(error) => {
                        let failure = Failure::usage(format!("error: --gate: {error}"));
                        told.refuse(failure, own)?;
                    }
                }
            }
            Err(refusal) => told.refuse(as_varied(refusal.failure, vary), own)?,
        }
    }
    told.finish(vary)?;
    Ok(cells)
}

/// A failure in the words of whoever varies: settings of these paths stand in `--vary`.
fn as_varied(failure: Failure, variations: &[Variation]) -> Failure {
    let varied = |message: String, variation: &Variation| {
        let path = &variation.path;
        message.replace(&format!("--set {path}"), &format!("--vary {path}"))
    };
    let message = variations.iter().fold(failure.message, varied);
    Failure { message, ..failure }
}

/// What is wrong with cells and what is odd about them, each thing once.
#[derive(Default)]
struct Told {
    /// Each with the settings of the cells that it is wrong with.
    refused: Vec<(Failure, Vec<Vec<String>>)>,
    warnings: Vec<String>,
}

impl Told {
    fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// A failure of ours or of the machine ends the command.
    fn refuse(&mut self, failure: Failure, settings: Vec<String>) -> Result<(), Failure> {
        if !matches!(failure.exit, Exit::InvalidInput | Exit::Usage) {
            return Err(failure);
        }
        match self.refused.iter_mut().find(|(known, _)| *known == failure) {
            Some((_, cells)) => cells.push(settings),
            None => self.refused.push((failure, vec![settings])),
        }
        Ok(())
    }

    fn finish(self, variations: &[Variation]) -> Result<(), Failure> {
        self.warnings.iter().for_each(|warning| complain(warning));
        let Some((first, _)) = self.refused.first() else { return Ok(()) };
        let exit = first.exit;
        let all = cell_count(variations).unwrap_or(usize::MAX);
        let told = self.refused.iter().take(MOST_REFUSED).map(|(failure, cells)| {
            let place = where_refused(cells, all);
            format!("{}{place}", failure.message.trim_end())
        });
        let mut told: Vec<String> = told.collect();
        let rest: usize =
            self.refused.iter().skip(MOST_REFUSED).map(|(_, cells)| cells.len()).sum();
        if rest > 0 {
            let combinations = format_counted(rest as u64, "combination", "combinations");
            told.push(format!("and something is wrong with {combinations} more"));
        }
        Err(Failure { exit, message: told.join("\n\n") })
    }
}

/// In which of `all` cells something is wrong: in all of them it is not what is varied.
fn where_refused(cells: &[Vec<String>], all: usize) -> String {
    if cells.len() == all || cells[0].is_empty() {
        return String::new();
    }
    let with = cells[0].join(", ");
    let more = match cells.len() - 1 {
        0 => String::new(),
        more => format!(", and in {} more combinations", format_count(more as u64)),
    };
    format!("\n   in the combination {with}{more}")
}

/// The scenario of a planned cell, from the plan alone.
fn load_planned(plan: &Plan, index: usize, allow_outside: bool) -> Result<Loaded, Failure> {
    let working_directory = disk::working_directory()?;
    let document = Document {
        path: Path::new(&plan.scenario),
        bytes: plan.cells[index].yaml.as_bytes(),
        settings: &[],
        working_directory: &working_directory,
        allow_outside,
    };
    load(document, &Digested::default()).map_err(|error| Failure::input(&error))
}

/// The traces that cells replay, each once.
fn digests(cells: &[Cell]) -> Result<Vec<FileDigest>, Failure> {
    trace_digests(cells.iter().map(|cell| &cell.loaded.scenario))
}

/// The traces that scenarios replay, each once.
pub(super) fn trace_digests<'a>(
    scenarios: impl Iterator<Item = &'a Scenario>,
) -> Result<Vec<FileDigest>, Failure> {
    let mut digests: Vec<FileDigest> = Vec::new();
    for path in scenarios.flat_map(|scenario| scenario.traffic.files()) {
        let shown = path.display().to_string();
        if digests.iter().any(|known| known.path == shown) {
            continue;
        }
        let unreadable =
            |error: io::Error| Failure::input(format!("error: cannot read trace {shown}: {error}"));
        let sha256 = digest_of(path).map_err(unreadable)?;
        digests.push(FileDigest { path: shown, sha256 });
    }
    Ok(digests)
}

/// The SHA-256 of a file, however large.
fn digest_of(path: &Path) -> io::Result<String> {
    let mut file = BufReader::with_capacity(disk::READ_AHEAD, File::open(path)?);
    let mut hash = Sha256::new();
    loop {
        let bytes = file.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(bytes);
        file.consume(length);
    }
}

/// Chosen: each is a scenario in memory, and more make no chart or table that anybody reads.
const MOST_CELLS: usize = 10_000;
/// Chosen: a wrong path is refused with each of its values, hundreds of times.
const MOST_REFUSED: usize = 10;
/// Chosen: some two gigabytes of rows.
const MOST_RUNS: u64 = 10_000_000;
