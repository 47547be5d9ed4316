//! `coalmine backtest`: rollback rules tried on recorded traffic.

use std::path::Path;

use super::backtest_arguments::{BacktestArguments, BacktestFormat};
use super::digest::digest;
use super::exit::Exit;
use super::open::{broken_trace_failure, open_trace};
use super::output::{check_folder, style, write_files};
use super::terminal::{Failure, complain, print};
use crate::backtest::{
    About, BacktestError, BacktestReport, Plan, Requirement, Survey, Terms, Trial, Tried,
    rule_names,
};
use crate::engine::RuleSet;
use crate::gate::Verdict;
use crate::report::{backtest_chart, backtest_markdown, backtest_text};
use crate::scenario::{RuleNames, load_rules};
use crate::trace::{TraceReader, TraceRecord};
use crate::units::Timestamp;

pub(super) fn backtest(arguments: &BacktestArguments) -> Result<Exit, Failure> {
    if let Some(out) = &arguments.out {
        check_folder(out, "--out")?;
    }
    let incident = arguments.incident.is_some();
    let requirements = arguments.require.iter().map(|line| {
        Requirement::parse(line, incident)
            .map_err(|error| usage(format!("error: --require {line:?}: {error}")))
    });
    let requirements: Vec<Requirement> = requirements.collect::<Result<_, _>>()?;
    let files = arguments.rules.iter().map(|path| RulesFile::read(path));
    let files: Vec<RulesFile> = files.collect::<Result<_, _>>()?;
    let tried = attempt(arguments, &files, &requirements)?;
    if let Some(out) = &arguments.out {
        write(&tried, out)?;
    }
    print(&printed(&tried.report, arguments.format))?;
    let out = arguments.out.as_ref().filter(|_| arguments.format == BacktestFormat::Text);
    if let Some(out) = out {
        print(&format!("\nBacktest files: {}\n", out.display()))?;
    }
    Ok(match tried.report.verdict() {
        Verdict::Pass => Exit::Pass,
        Verdict::Inconclusive => Exit::Inconclusive,
        Verdict::Fail => Exit::GateFailed,
        Verdict::Invalid => Exit::InvalidRun,
    })
}

/// Both readings of the trace.
fn attempt(
    arguments: &BacktestArguments,
    files: &[RulesFile],
    requirements: &[Requirement],
) -> Result<Tried, Failure> {
    let path = &arguments.trace;
    check_file(path)?;
    let failed = |error| failure(path, &error);
    let mut survey = Survey::new(arguments.model.clone());
    let first = read(path, &mut |record| survey.add(record))?;
    let found = survey.finish().map_err(failed)?;
    let terms = terms(arguments);
    let rules = load_all(files, &rule_names(&found, &terms).map_err(failed)?)?;
    let (_, _, day) = &rules[0];
    let plan = Plan::new(found, &terms, first.began, day).map_err(failed)?;
    let mut trial = Trial::new(&plan, &rules).map_err(failed)?;
    let second = read(path, &mut |record| trial.add(record))?;
    if second.sha256 != first.sha256 {
        return Err(failed(BacktestError::Changed));
    }
    let about = About {
        coalmine: env!("CARGO_PKG_VERSION").to_owned(),
        file: path.display().to_string(),
        sha256: first.sha256,
    };
    trial.finish(about, requirements).map_err(failed)
}

/// A file of rules as it lies on the disk.
struct RulesFile {
    name: String,
    sha256: String,
    bytes: Vec<u8>,
}

impl RulesFile {
    fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path)
            .map_err(|error| Failure::input(format!("error: cannot read rules {name}: {error}")))?;
        let sha256 = digest(path, &bytes).sha256;
        Ok(Self { name, sha256, bytes })
    }
}

/// What a reading of a trace tells beside its records.
struct Reading {
    began: Option<Timestamp>,
    sha256: String,
}

/// Refuses what can be read only once, by whatever name. What is not there is told when it is
/// opened.
fn check_file(path: &Path) -> Result<(), Failure> {
    let found = std::fs::metadata(path);
    let once = found.is_ok_and(|found| !found.is_file() && !found.is_dir());
    if once || path == Path::new("-") {
        return Err(usage(
            "error: the trace is read twice, so it cannot come from a pipe: name a file".to_owned(),
        ));
    }
    Ok(())
}

/// Reads a trace and hands on each record.
fn read(
    path: &Path,
    take: &mut dyn FnMut(&TraceRecord) -> Result<(), BacktestError>,
) -> Result<Reading, Failure> {
    let failed = |error| broken_trace_failure(path, &error);
    let mut reader = TraceReader::new(open_trace(path)?).map_err(failed)?;
    while let Some(record) = reader.next_record().map_err(failed)? {
        take(&record).map_err(|error| failure(path, &error))?;
    }
    let sha256 = reader.sha256().unwrap_or_default();
    Ok(Reading { began: reader.began(), sha256 })
}

fn terms(arguments: &BacktestArguments) -> Terms {
    Terms {
        model: arguments.model.clone(),
        stable: arguments.stable.clone(),
        tags: arguments.tag.clone(),
        splits: arguments.split.clone(),
        rolled_back: arguments.rolled_back,
        rolled_back_by: arguments.rolled_back_by.map(Into::into),
        incident: arguments.incident,
    }
}

fn load_all(
    files: &[RulesFile],
    names: &RuleNames<'_>,
) -> Result<Vec<(String, String, RuleSet)>, Failure> {
    let loaded = files.iter().map(|file| {
        let RulesFile { name, sha256, bytes } = file;
        let (rules, warnings) = load_rules(name, bytes, names).map_err(|e| Failure::input(&e))?;
        if warnings.count() > 0 {
            complain(&warnings.to_string());
        }
        Ok((name.clone(), sha256.clone(), rules))
    });
    loaded.collect()
}

fn printed(report: &BacktestReport, format: BacktestFormat) -> String {
    match format {
        BacktestFormat::Text => backtest_text(report, style(true)),
        BacktestFormat::Json => report.to_json(),
        BacktestFormat::Markdown => backtest_markdown(report),
    }
}

/// Writes the files of a backtest into `folder`. Everything is rendered before the first file is
/// touched.
fn write(tried: &Tried, folder: &Path) -> Result<(), Failure> {
    let chart = backtest_chart(&tried.report, &tried.recorded);
    let files = vec![
        ("backtest.json".to_owned(), tried.report.to_json().into_bytes()),
        ("backtest.md".to_owned(), backtest_markdown(&tried.report).into_bytes()),
        ("backtest.svg".to_owned(), chart.svg().into_bytes()),
        ("backtest.png".to_owned(), chart.png()),
    ];
    write_files(folder, files)
}

/// What to say of a trace that cannot be used, and what to do about it.
fn failure(path: &Path, error: &BacktestError) -> Failure {
    let (exit, remedy) = match error {
        BacktestError::NothingUsable { .. } => (
            Exit::NothingToEvaluate,
            "rules are tried on requests whose version, duration and status or failure were \
             recorded: docs/traces.md says how each format holds them",
        ),
        BacktestError::NoCanary(_) => (
            Exit::NothingToEvaluate,
            "take a log of a time at which a canary had requests; where the versions stand under \
             another name, write them into the column `version` of what `coalmine trace export \
             TRACE --format coalmine-csv` writes, and try that",
        ),
        BacktestError::TooManyVersions(_) => (
            Exit::InvalidInput,
            "write what was the version into the column `version` of what `coalmine trace export \
             TRACE --format coalmine-csv` writes, and try that",
        ),
        BacktestError::IncidentOutside { .. } => {
            (Exit::Usage, "write --incident FROM..TO with times since the trace began")
        }
        BacktestError::Changed => (Exit::InvalidInput, "try it again once it is written"),
        BacktestError::Refused(_) => (Exit::InvalidInput, "change the rules"),
        BacktestError::SeveralModels(_) | BacktestError::UnknownModel { .. } => {
            (Exit::Usage, "write --model and one of them")
        }
        BacktestError::WhichStable(_) => (Exit::Usage, "write --stable and one of them"),
        BacktestError::UnknownVersion { .. } => (Exit::Usage, "write one of these"),
        BacktestError::SplitSum { .. }
        | BacktestError::NamedTwice { .. }
        | BacktestError::SplitOrder { .. } => {
            (Exit::Usage, "write --split 0s=v1:100% --split 20m=v1:80%,v2:20%")
        }
        BacktestError::GoesOn { .. } => {
            (Exit::Usage, "write --rolled-back and a later time, or never, or leave it out")
        }
        BacktestError::StableIsCanary(_) => (
            Exit::Usage,
            "write --stable stable if it was, or give that version another name in the column \
             `version` of what `coalmine trace export TRACE --format coalmine-csv` writes",
        ),
        BacktestError::TagIsVersion(_) => (Exit::Usage, "give --tag another name"),
    };
    let message = format!("error: {}: {error}\n  help: {remedy}", path.display());
    Failure { exit, message }
}

fn usage(message: String) -> Failure {
    Failure { exit: Exit::Usage, message }
}
