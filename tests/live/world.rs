//! Scenarios that are played both ways.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use coalmine::clock::TimeScale;
use coalmine::live::{LiveError, LiveSettings, LiveWatch, run_live};
use coalmine::record::{Arm, Happening, Outcome, Record};
use coalmine::run::{Rehearsal, run_virtual};
use coalmine::scenario::{Document, Files, Loaded, load};
use coalmine::units::Duration;

/// Two runs of one scenario under one seed.
pub(crate) struct Both {
    pub(crate) simulated: Record,
    pub(crate) live: Record,
    /// The requests of the live one, as they ended.
    pub(crate) outcomes: Vec<Outcome>,
}

/// The files of the shipped scenarios.
pub(crate) struct Folder;

impl Files for Folder {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::read(root.join(path)).map_err(|error| error.to_string())
    }
}

/// The scenario that `text` is, as if it lay in the folder of the shipped ones.
pub(crate) fn written(text: &str) -> Loaded {
    let document = Document {
        path: Path::new("scenarios/written.yaml"),
        bytes: text.as_bytes(),
        settings: &[],
        working_directory: Path::new("/"),
        allow_outside: true,
    };
    load(document, &Folder).unwrap_or_else(|error| panic!("{error}"))
}

/// `loaded` over HTTP, so many times as fast as the wall; however late requests are sent.
pub(crate) fn live(
    loaded: &Loaded,
    times: f64,
    outcomes: &mut Vec<Outcome>,
) -> Result<Rehearsal, LiveError> {
    let settings = LiveSettings {
        scale: TimeScale::new(times).unwrap(),
        threads: NonZeroUsize::MIN,
        lag_limit: Duration::from_secs(3_600),
        elsewhere: None,
    };
    let watch = LiveWatch {
        is_asked_to_stop: &|| false,
        tick: &mut |_| {},
        sink: &mut |outcome: &Outcome| outcomes.push(*outcome),
    };
    run_live(&loaded.scenario, loaded.scenario.seed, Vec::new(), &settings, watch)
}

/// The scenario that `text` is, both ways.
pub(crate) fn both(text: &str, times: f64) -> Both {
    let loaded = written(text);
    let (scenario, seed) = (&loaded.scenario, loaded.scenario.seed);
    let simulated = run_virtual(scenario, seed, Vec::new(), &mut |_| {}).unwrap().record;
    let mut outcomes = Vec::new();
    let rehearsal = live(&loaded, times, &mut outcomes).unwrap();
    assert_eq!(rehearsal.live.unwrap().lost, 0);
    Both { simulated, live: rehearsal.record, outcomes }
}

/// How the requests of a run ended, over all phases, by version: those that count, then the others.
pub(crate) fn endings(record: &Record) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut all: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for cell in &record.cells {
        let version = record.versions().nth(usize::from(cell.version.0)).unwrap();
        let parts = [("", Some(&cell.tally)), ("attempt ", cell.attempts.as_ref())];
        let parts = parts.into_iter().chain([("final ", cell.finals.as_ref())]);
        for (part, tally) in parts.filter_map(|(part, tally)| Some((part, tally?))) {
            let counts = all.entry(version.id.to_string()).or_default();
            let mut add = |what: &str, count: u64| {
                if count > 0 {
                    *counts.entry(format!("{part}{what}")).or_default() += count;
                }
            };
            add("assigned", tally.assigned);
            add("success", tally.succeeded);
            add("empty", tally.empty);
            add("repeated", tally.repeated);
            add("input tokens", tally.input_tokens);
            add("output tokens", tally.output_tokens);
            tally.failed.iter().for_each(|(ending, count)| add(ending, count));
            tally.uncounted.iter().for_each(|(ending, count)| add(ending, count));
        }
    }
    all
}

/// How many requests the split gave to each version in each phase.
pub(crate) fn assigned(record: &Record) -> BTreeMap<(u16, u16, Arm), u64> {
    let cells = record.cells.iter().filter(|cell| cell.tally.assigned > 0);
    cells.map(|cell| ((cell.phase, cell.version.0, cell.arm), cell.tally.assigned)).collect()
}

/// What happened beside requests and breaches, in words, sorted: of what happens at almost one
/// instant the threads decide which is told first.
pub(crate) fn happenings(record: &Record) -> Vec<String> {
    let told = record.timeline.events.iter().filter_map(|event| {
        Some(match &event.happening {
            Happening::BreachBegan { .. } | Happening::BreachEnded { .. } => return None,
            Happening::Fired { trigger, version, .. } => {
                format!("rule {trigger} fired on {version:?}")
            }
            Happening::CommandRefused { order, .. } => format!("refused {order:?}"),
            Happening::LockedOut { client, reason, .. } => {
                format!("client {client} locked out: {reason:?}")
            }
            other => format!("{other:?}"),
        })
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}
