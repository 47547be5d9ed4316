//! `coalmine fidelity`: a live run held against the simulated one of the same scenario.

use std::path::Path;

use super::digest::digest;
use super::exit::Exit;
use super::fidelity_arguments::{FidelityArguments, FidelityFailOn, FidelityFormat};
use super::open::{StoredResult, open_result};
use super::output::{RESULT_JSON, chart_files, check_folder, style, write_files};
use super::terminal::{Failure, print};
use crate::compare::RunInput;
use crate::fidelity::{
    Fidelity, Finding, Harness, Settings, Sides, Tolerances, fidelity as held_against,
};
use crate::page::fidelity_page;
use crate::report::{fidelity_charts, fidelity_markdown, fidelity_text};
use crate::result::ResultFile;

pub(super) fn fidelity(arguments: &FidelityArguments) -> Result<Exit, Failure> {
    if let Some(out) = &arguments.out {
        check_folder(out, "--out")?;
        if out.join(RESULT_JSON).exists() {
            return Err(usage(&format!(
                "error: {} holds the report of a run: name another folder with --out",
                out.display()
            )));
        }
    }
    let simulated = open_result(&arguments.simulated)?;
    let live = open_result(&arguments.live)?;
    if simulated.result.live.is_some() {
        let named = arguments.simulated.display();
        return Err(usage(&format!(
            "error: {named} is of a live run: name the simulated run first, then the live one"
        )));
    }
    let run = |named: &Path, stored: &StoredResult| {
        let sha256 = digest(&stored.path, stored.text.as_bytes()).sha256;
        (named.display().to_string(), sha256)
    };
    let names = [run(&arguments.simulated, &simulated), run(&arguments.live, &live)];
    let input = |place: usize, result| {
        let (label, sha256) = &names[place];
        RunInput { label, sha256, result }
    };
    let sides = Sides::new(input(0, &simulated.result), input(1, &live.result));
    let harness = harness(arguments, &live.result);
    let told = held_against(&sides, &harness, &settings(arguments))
        .map_err(|refused| usage(&format!("error: {refused}")))?;
    if let Some(out) = &arguments.out {
        write_files(out, files(&told, [&simulated.result, &live.result]))?;
    }
    print(&match arguments.format {
        FidelityFormat::Text => fidelity_text(&told, style(true)),
        FidelityFormat::Json => told.to_json(),
        FidelityFormat::Markdown => fidelity_markdown(&told),
    })?;
    if let Some(out) = arguments.out.as_ref().filter(|_| arguments.format == FidelityFormat::Text) {
        print(&format!("\nFidelity files: {}\n", out.display()))?;
    }
    Ok(exit(told.verdict, arguments.fail_on))
}

fn settings(arguments: &FidelityArguments) -> Settings {
    let changes = arguments.tolerance.iter().copied();
    let tolerances = changes.fold(Tolerances::default(), Tolerances::with);
    Settings { tolerances, confidence: arguments.confidence }
}

/// What the live run says of it; at the speed of the command line, if that names one.
fn harness(arguments: &FidelityArguments, live: &ResultFile) -> Harness {
    let told = Harness::of(live.live.as_ref());
    Harness { speed: arguments.speed.unwrap_or(told.speed), ..told }
}

/// Everything that is written of it, each file with its name.
fn files(told: &Fidelity, results: [&ResultFile; 2]) -> Vec<(String, Vec<u8>)> {
    let charts = fidelity_charts(told, results);
    let texts = [
        ("fidelity.json", told.to_json()),
        ("fidelity.md", fidelity_markdown(told)),
        ("fidelity.html", fidelity_page(told, &charts)),
    ];
    let texts = texts.map(|(name, text)| (name.to_owned(), text.into_bytes()));
    texts.into_iter().chain(charts.iter().flat_map(chart_files)).collect()
}

const fn exit(verdict: Finding, fail_on: Option<FidelityFailOn>) -> Exit {
    match (verdict, fail_on) {
        (Finding::Beyond, Some(_)) => Exit::GateFailed,
        (Finding::Undecided, Some(FidelityFailOn::Undecided)) => Exit::Inconclusive,
        (Finding::Unjudged, Some(_)) => Exit::NothingToEvaluate,
        _ => Exit::Pass,
    }
}

fn usage(message: &str) -> Failure {
    Failure { exit: Exit::Usage, message: message.to_owned() }
}
