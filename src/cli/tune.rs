//! `coalmine tune`: rules that let the least harm happen, of those that leave a healthy release
//! alone.

use std::path::Path;

use super::digest::digest;
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::open::open;
use super::output::{chart_files, check_folder, replace_files, style};
use super::shared_arguments::ScenarioArguments;
use super::sweep_cells::trace_digests;
use super::terminal::{Failure, complain, print};
use super::tune_arguments::{TuneArguments, TuneFormat};
use super::tune_playing::Playing;
use crate::engine::{RawRules, RawTrigger};
use crate::json::outline;
use crate::page::tune_page;
use crate::report::{tune_charts, tune_markdown, tune_text};
use crate::result::FileDigest;
use crate::scenario::{
    Loaded, NamedFault, RuleNames, Scenario, is_scenario, load_faults, load_rules,
};
use crate::study::{Seeds, SweptScenario, grid};
use crate::tune::{Combination, Goal, KnownFault, Subject, TuneReport, Tuning};

pub(super) fn tune(arguments: &TuneArguments) -> Result<Exit, Failure> {
    let interrupt = Interrupt::notice()?;
    if let Some(out) = &arguments.out {
        check_folder(out, "--out")?;
    }
    let Listed { faults, lists } = faults(arguments)?;
    // All that is wrong with any combination is told before the first run.
    let combinations = combinations(arguments)?;
    let searches = combinations.len();
    let sought = combinations
        .into_iter()
        .map(|(values, loaded)| {
            let tuning = begin(&loaded.scenario, &faults, searches, arguments)?;
            Ok((values, loaded, tuning))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    if sought.iter().any(|(_, _, tuning)| !tuning.can_prove()) {
        complain(
            "warning: so few runs of the healthy release (--healthy) cannot prove the limit, even \
             if none is rolled back: nothing will be recommended",
        );
    }
    let first = sought[0].1.scenario.clone();
    let mut found = Vec::new();
    for (values, loaded, tuning) in sought {
        let playing = Playing {
            scenario: &loaded.scenario,
            file: &arguments.scenario.display().to_string(),
            jobs: arguments.jobs,
            interrupt: &interrupt,
        };
        found.push(Combination { values, tuned: playing.play(tuning)? });
    }
    let report = report(arguments, &first, (&faults, lists), found)?;
    let rules = recommended(&report, &first, arguments)?;
    tell(&report, rules.as_deref(), arguments)
}

/// The recommended rules as a file, with whom the present ones notify.
fn recommended(
    report: &TuneReport,
    scenario: &Scenario,
    arguments: &TuneArguments,
) -> Result<Option<String>, Failure> {
    let best = report.best.and_then(|place| report.combinations[place].tuned.best());
    let subject = subject(scenario, arguments)?;
    let notification = subject.rules().to_raw().notification;
    Ok(best.map(|best| outline(&RawRules { notification, ..best.rules.clone() })))
}

fn subject(scenario: &Scenario, arguments: &TuneArguments) -> Result<Subject, Failure> {
    let shown = arguments.scenario.display();
    Subject::of(scenario, arguments.model.as_deref())
        .map_err(|error| Failure::input(format!("error: {shown}: {error}")))
}

/// The faults of all lists, and these.
struct Listed {
    faults: Vec<NamedFault>,
    lists: Vec<FileDigest>,
}

/// The faults of all files, whose names must differ.
fn faults(arguments: &TuneArguments) -> Result<Listed, Failure> {
    let mut lists = Vec::new();
    let mut all: Vec<(NamedFault, &Path)> = Vec::new();
    for path in &arguments.against {
        let shown = path.display().to_string();
        if path.is_dir() {
            return Err(Failure::input(format!(
                "error: {shown} is a folder: name its lists of faults, as by {shown}/*.yaml"
            )));
        }
        let bytes = std::fs::read(path).map_err(|error| {
            Failure::input(format!("error: cannot read the list of faults {shown}: {error}"))
        })?;
        lists.push(digest(path, &bytes));
        let (faults, warnings) = load_faults(&shown, &bytes).map_err(|error| {
            Failure::input(match is_scenario(&bytes) {
                true => format!(
                    "error: {shown} is a scenario, no list of faults\n  help: scenarios/faults has \
                     lists; `coalmine schema faults` says what stands in one"
                ),
                false => error.to_string(),
            })
        })?;
        if warnings.count() > 0 {
            complain(&warnings.to_string());
        }
        for fault in faults {
            if let Some((_, other)) = all.iter().find(|(known, _)| known.name == fault.name) {
                return Err(Failure::input(format!(
                    "error: {shown}: a fault named {:?} stands in {} already\n  help: give each \
                     fault a name of its own",
                    fault.name,
                    other.display()
                )));
            }
            all.push((fault, path));
        }
    }
    Ok(Listed { faults: all.into_iter().map(|(fault, _)| fault).collect(), lists })
}

/// The scenario under each value of what is varied.
fn combinations(arguments: &TuneArguments) -> Result<Vec<(Vec<String>, Loaded)>, Failure> {
    let TuneArguments { scenario, vary, reading, .. } = arguments;
    let cells = grid(vary);
    if cells.len() > MOST_COMBINATIONS {
        return Err(Failure::usage(format!(
            "error: {} combinations of values: allowed are {MOST_COMBINATIONS}, since each is a \
             search of its own",
            cells.len()
        )));
    }
    let of_cell = |indices: Vec<usize>| {
        let chosen = || vary.iter().zip(&indices);
        let own = chosen().map(|(variation, value)| variation.setting(*value));
        let settings = reading.settings.iter().cloned().chain(own).collect();
        let reading = ScenarioArguments { settings, ..reading.clone() };
        let loaded = open(scenario, &reading)?.loaded;
        let values = chosen().map(|(variation, value)| variation.values[*value].clone());
        Ok((values.collect(), loaded))
    };
    cells.into_iter().map(of_cell).collect()
}

fn begin(
    scenario: &Scenario,
    faults: &[NamedFault],
    searches: usize,
    arguments: &TuneArguments,
) -> Result<Tuning, Failure> {
    let subject = subject(scenario, arguments)?;
    let given = match &arguments.triggers {
        Some(path) => Some(triggers(path, scenario, &subject)?),
        None => None,
    };
    let seeds = Seeds { first: arguments.seed.unwrap_or(scenario.seed), count: arguments.seeds };
    let goal =
        Goal { limit: arguments.false_rollback, seeds, healthy: arguments.healthy, searches };
    let shown = arguments.scenario.display();
    Tuning::new(subject, faults.to_vec(), goal, given)
        .map_err(|error| Failure::input(format!("error: {shown}: {error}")))
}

/// The triggers of a file of rules.
fn triggers(
    path: &Path,
    scenario: &Scenario,
    subject: &Subject,
) -> Result<Vec<RawTrigger>, Failure> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::input(format!("error: cannot read the rules {shown}: {error}"))
    })?;
    let versions = &scenario.models[usize::from(subject.model().0)].versions;
    let tags = versions
        .iter()
        .enumerate()
        .flat_map(|(place, version)| version.tags.iter().map(move |tag| (tag.as_str(), place)));
    let names = RuleNames {
        versions: versions.iter().map(|version| version.id.as_str()).collect(),
        tags: tags.collect(),
    };
    let (rules, warnings) =
        load_rules(&shown, &bytes, &names).map_err(|error| Failure::input(&error))?;
    if warnings.count() > 0 {
        complain(&warnings.to_string());
    }
    Ok(Tuning::candidates(&rules, subject))
}

fn report(
    arguments: &TuneArguments,
    scenario: &Scenario,
    (faults, against): (&[NamedFault], Vec<FileDigest>),
    combinations: Vec<Combination>,
) -> Result<TuneReport, Failure> {
    let subject = subject(scenario, arguments)?;
    Ok(TuneReport {
        schema: TuneReport::SCHEMA,
        coalmine: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: SweptScenario {
            file: arguments.scenario.display().to_string(),
            name: scenario.name.clone(),
            title: scenario.title.clone(),
            traces: trace_digests(std::iter::once(scenario))?,
        },
        model: scenario.models[usize::from(subject.model().0)].id.to_string(),
        limit: arguments.false_rollback,
        seeds: Seeds { first: arguments.seed.unwrap_or(scenario.seed), count: arguments.seeds },
        healthy: arguments.healthy.unwrap_or(0),
        settings: arguments.reading.settings.clone(),
        against,
        faults: faults.iter().map(KnownFault::of).collect(),
        variations: arguments.vary.clone(),
        best: TuneReport::best_of(&combinations),
        combinations,
    })
}

/// Writes and prints what was found; `rules` are the recommended ones.
fn tell(
    report: &TuneReport,
    rules: Option<&str>,
    arguments: &TuneArguments,
) -> Result<Exit, Failure> {
    if let Some(out) = &arguments.out {
        let drawn = if arguments.no_charts { Vec::new() } else { tune_charts(report) };
        let mut files = vec![
            ("tune.json".to_owned(), report.to_json().into_bytes()),
            ("summary.md".to_owned(), tune_markdown(report).into_bytes()),
            ("tune.html".to_owned(), tune_page(report, &drawn).into_bytes()),
        ];
        files.extend(rules.map(|rules| ("rules.json".to_owned(), rules.as_bytes().to_vec())));
        files.extend(drawn.iter().flat_map(chart_files));
        // Rules that an earlier search has recommended are not taken for those of this one.
        let own = ["rules.json", "charts/frontier.svg", "charts/frontier.png"];
        replace_files(out, files, &own.map(str::to_owned))?;
    }
    match arguments.format {
        TuneFormat::Text => print(&tune_text(report, style(true)))?,
        TuneFormat::Json => print(&report.to_json())?,
        TuneFormat::Markdown => print(&tune_markdown(report))?,
        TuneFormat::Rules => match rules {
            Some(rules) => print(rules)?,
            None => complain("no rules are recommended: there is nothing to print"),
        },
    }
    if let (Some(out), TuneFormat::Text) = (&arguments.out, arguments.format) {
        print(&format!("\nFiles: {}\n", out.display()))?;
    }
    Ok(if rules.is_some() { Exit::Pass } else { Exit::Inconclusive })
}

/// Chosen: each is a search of minutes.
const MOST_COMBINATIONS: usize = 100;
