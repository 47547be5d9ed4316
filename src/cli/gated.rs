//! A scenario of a suite: its runs, what became of it, how to gate it again.

use std::path::Path;

use super::baselines::Baselines;
use super::exit::Exit;
use super::gate_arguments::{GateArguments, GateFormat};
use super::playing::{Played, Task};
use super::quoting::shell_word;
use super::terminal::{Failure, complain};
use crate::suite::{self, GatedScenario, Outcome};
use crate::units::{Duration, VersionId};

/// A scenario, its runs, and what became of it.
pub(super) struct Gated {
    pub(super) told: GatedScenario,
    pub(super) played: Option<Played>,
    pub(super) baseline: Option<suite::Baseline>,
    pub(super) took: Duration,
}

impl Gated {
    pub(super) fn judge(
        task: &Task,
        played: Played,
        arguments: &GateArguments,
        baselines: &Baselines,
    ) -> Result<Self, Failure> {
        let scenario = &task.opened.loaded.scenario;
        let judged = suite::Played {
            loaded: &task.opened.loaded,
            files: &task.opened.files,
            records: &played.records,
            traces: &played.traces,
        };
        let needed = scenario.needs_baseline();
        let stored = match needed.then(|| baselines.find(&scenario.name)).transpose() {
            Ok(stored) => stored.flatten(),
            Err(failure) => return Self::unreadable(&task.file, &failure, arguments),
        };
        let stored = stored.as_ref().map(|(file, baseline)| (file.as_str(), baseline));
        let suite::Gated { judgement, against } = judged.gate(stored);
        let outcome = Outcome::of(&judgement);
        let report = arguments.out.as_ref().map(|out| out.join(&scenario.name));
        let told = GatedScenario {
            file: task.file.clone(),
            name: scenario.name.clone(),
            title: scenario.title.clone(),
            outcome,
            error: None,
            seeds: task.seeds.clone(),
            requests: played.records.iter().map(|record| record.requests()).sum(),
            judgement: Some(judgement),
            baseline: against,
            report: report.map(|folder| folder.display().to_string()),
            repeat: repeat_command(&task.file, arguments),
        };
        let baseline = match arguments.save_baseline {
            Some(_) if judged.is_worth_storing(&told) => Some(judged.baseline()),
            Some(_) => {
                complain(&format!(
                    "{}: not stored as a baseline: {}; what was stored before stays",
                    scenario.name,
                    why_not_stored(outcome)
                ));
                None
            }
            None => None,
        };
        let took = played.took;
        Ok(Self { told, played: Some(played), baseline, took })
    }

    /// What cannot be read; a failure of ours or of the machine ends the command.
    pub(super) fn unreadable(
        file: &str,
        failure: &Failure,
        arguments: &GateArguments,
    ) -> Result<Self, Failure> {
        if failure.exit != Exit::InvalidInput {
            return Err(failure.clone());
        }
        // The text for people tells it as well.
        if arguments.format != GateFormat::Text {
            complain(&failure.message);
        }
        let told = GatedScenario {
            file: file.to_owned(),
            name: name_of_file(Path::new(file)),
            title: String::new(),
            outcome: Outcome::Unreadable,
            error: Some(failure.message.clone()),
            seeds: Vec::new(),
            requests: 0,
            judgement: None,
            baseline: None,
            report: None,
            repeat: repeat_command(file, arguments),
        };
        Ok(Self { told, played: None, baseline: None, took: Duration::ZERO })
    }
}

/// Why runs are nothing to hold later ones against.
fn why_not_stored(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Inconclusive => "its gate cannot be decided against the baseline that there is",
        Outcome::Invalid => "its runs cannot be trusted",
        _ => "its gate does not hold (without --baseline a worsening that is wanted is stored)",
    }
}

/// The command that gates one scenario again.
fn repeat_command(file: &str, arguments: &GateArguments) -> String {
    let mut command = format!("coalmine gate {}", shell_word(file));
    if let Some(seed) = arguments.seed {
        command.push_str(&format!(" --seed {seed}"));
    }
    if let Some(seeds) = arguments.seeds {
        command.push_str(&format!(" --seeds {seeds}"));
    }
    command.push_str(&arguments.reading.as_given());
    if let Some(baseline) = &arguments.baseline {
        command.push_str(&format!(" --baseline {}", shell_word(&baseline.display().to_string())));
    }
    command
}

/// What a file that cannot be read is called: the name that it gives itself, if that can be seen,
/// else that of the file without its ending.
pub(super) fn name_of_file(path: &Path) -> String {
    let text = std::fs::read(path).ok().filter(|_| path.is_file());
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let own = text.lines().find_map(|line| line.strip_prefix("name:"));
    let own = own.map(|name| name.trim().trim_matches(['"', '\'']).to_owned());
    own.filter(|name| VersionId::new(name).is_ok())
        .unwrap_or_else(|| path.file_stem().unwrap_or_default().to_string_lossy().into_owned())
}
