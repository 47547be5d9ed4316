//! Scenarios from the repository, played with any seed.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::thread;

use coalmine::gate::{Judged, Judgement, Verdict};
use coalmine::record::{Record, RuleHealth, Tally};
use coalmine::result::{ResultFile, evaluate};
use coalmine::run::{Rehearsal, run_virtual};
use coalmine::scenario::{Document, Files, Loaded, Scenario, load};
use coalmine::suite::Played;
use coalmine::units::Duration;
use coalmine::workload::TraceInput;

/// The repository's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The shipped scenario `name`, changed by `settings`.
pub(crate) fn shipped(name: &str, settings: &[&str]) -> Loaded {
    let path = Path::new("scenarios").join(name).with_extension("yaml");
    let bytes = fs::read(root().join(&path)).unwrap();
    load_bytes(&path, &bytes, settings)
}

/// The scenario that `text` is, as if it lay in the folder of the shipped ones.
pub(crate) fn written(text: &str) -> Loaded {
    load_bytes(Path::new("scenarios/written.yaml"), text.as_bytes(), &[])
}

/// A run of `loaded` under `seed`.
pub(crate) fn play(loaded: &Loaded, seed: u64) -> Rehearsal {
    run_virtual(&loaded.scenario, seed, traces_of(&loaded.scenario), &mut |_| {}).unwrap()
}

/// Results of `loaded` under each of `seeds`, in their order, made on two threads; of each what
/// `look` takes.
pub(crate) fn results<T: Send>(
    loaded: &Loaded,
    seeds: &[u64],
    look: impl Fn(ResultFile) -> T + Sync,
) -> Vec<T> {
    let (first, second) = seeds.split_at(seeds.len() / 2);
    let several = |seeds: &[u64]| -> Vec<T> {
        seeds.iter().map(|seed| look(result(loaded, *seed))).collect()
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| several(second));
        let mut all = several(first);
        all.extend(other.join().unwrap());
        all
    })
}

/// The result of a run of `loaded` under `seed`, as its file has it.
pub(crate) fn result(loaded: &Loaded, seed: u64) -> ResultFile {
    evaluate(loaded, Vec::new(), seed, play(loaded, seed))
}

/// The result of the shipped scenario `name`, changed by `settings`, under its own seed.
pub(crate) fn shipped_result(name: &str, settings: &[&str]) -> ResultFile {
    let loaded = shipped(name, settings);
    result(&loaded, loaded.scenario.seed)
}

/// The verdict on a shipped scenario, judged on as many runs as it says.
pub(crate) fn gated(name: &str) -> Verdict {
    let loaded = shipped(name, &[]);
    let Scenario { seed, seeds, .. } = loaded.scenario;
    let seeds: Vec<u64> = (seed..seed + seeds).collect();
    let records = results(&loaded, &seeds, |result| result.record);
    let played = Played { loaded: &loaded, files: &[], records: &records, traces: &[] };
    played.gate(None).judgement.verdict().expect("it has a gate")
}

/// What the gate found.
pub(crate) fn judged(result: &ResultFile) -> &Judged {
    match &result.gate {
        Judgement::Judged(judged) => judged,
        Judgement::NothingToEvaluate => panic!("{} has no gate", result.scenario.name),
    }
}

/// How the trigger whose name begins with `name` fared on the one version that it watched.
pub(crate) fn health<'a>(record: &'a Record, name: &str) -> &'a RuleHealth {
    let mut found = record.rules.iter().filter(|rule| rule.trigger.starts_with(name));
    let health = found.next().unwrap_or_else(|| panic!("no trigger {name}"));
    assert!(found.next().is_none(), "several triggers {name}");
    health
}

/// Requests assigned and requests ended, over the whole run.
pub(crate) fn totals(record: &Record) -> (u64, u64) {
    let assigned = record.cells.iter().map(|cell| cell.tally.assigned);
    let ended = record
        .cells
        .iter()
        .map(|cell| cell.tally.completed() + cell.finals.as_ref().map_or(0, Tally::completed));
    (assigned.sum(), ended.sum())
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        fs::read(root().join(path)).map_err(|error| error.to_string())
    }
}

fn load_bytes(path: &Path, bytes: &[u8], settings: &[&str]) -> Loaded {
    let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
    let document = Document {
        path,
        bytes,
        settings: &settings,
        working_directory: root(),
        allow_outside: true,
    };
    load(document, &Disk).unwrap_or_else(|error| panic!("{error}"))
}

/// The traces that the scenario replays.
pub(crate) fn traces_of(scenario: &Scenario) -> Vec<TraceInput> {
    let open =
        |path| -> TraceInput { Box::new(BufReader::new(File::open(root().join(path)).unwrap())) };
    scenario.traffic.files().iter().map(open).collect()
}
