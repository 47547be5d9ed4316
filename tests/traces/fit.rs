//! Twins of the published hours.

use std::path::Path;

use coalmine::chance::Chance;
use coalmine::fit::{Figure, Fitted, Goodness, Observed, RecordingSource};
use coalmine::run::{Recorded, record_run};
use coalmine::scenario::{Document, Files, load};
use coalmine::units::Duration;
use coalmine::workload::{Playback, PlaybackOptions};

use super::open;

/// The figures of a twin of the trace `file`, and the tokens of 216,000 of its requests, whenever
/// they come: so many that chance moves no figure by a percent.
fn twin(file: &str, dequantize: Option<Duration>) -> Option<(Goodness, [Vec<u32>; 2])> {
    let options = PlaybackOptions { dequantize, ..PlaybackOptions::default() };
    let mut playback = Playback::new(open(file)?, options, Chance::new(1, 0), 0);
    let mut observed = Observed::default();
    while let Some(record) = playback.next_record().unwrap() {
        observed.add(&record).unwrap();
    }
    let fitted = Fitted::of(&observed, None).unwrap();
    assert!(fitted.arrivals.candidate().fits, "{:?}", fitted.arrivals);
    let source = RecordingSource::default();
    let goodness = Goodness::of(&observed, &fitted, "twin", &source, 1).unwrap();
    let mut complete = fitted;
    // Neither recording says how long answers took.
    complete.give_latency(Duration::from_secs(1));
    let yaml = complete.to_yaml("twin", &source);
    let settings = ["workload.arrivals={poisson: 5/s}", "phases.0.for=12h"].map(str::to_owned);
    let document = Document {
        path: Path::new("twin.yaml"),
        bytes: yaml.as_bytes(),
        settings: &settings,
        working_directory: Path::new("/"),
        allow_outside: false,
    };
    let loaded = load(document, &NoFiles).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    let mut tokens = [Vec::new(), Vec::new()];
    record_run(&loaded.scenario, 1, Vec::new(), Recorded::Requests, &mut |_, record| {
        for (all, one) in tokens.iter_mut().zip([record.input, record.output]) {
            all.push(one.unwrap().get());
        }
    })
    .unwrap();
    tokens.iter_mut().for_each(|all| all.sort_unstable());
    Some((goodness, tokens))
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
        Err("not here".to_owned())
    }
}

/// Dispersion at 1, 10 and 60 s within 25 % by the median of many twins, mean, P50 and P99 of
/// tokens within 3 %; `recorded` are the published figures.
fn assert_near((goodness, tokens): &(Goodness, [Vec<u32>; 2]), recorded: [f64; 3]) {
    let figure = |of: &str, name: &str| -> &Figure {
        let mut all = goodness.figures.iter();
        all.find(|figure| figure.of == of && figure.name == name).unwrap()
    };
    let apart = |figure: &Figure| (figure.twin / figure.recorded - 1.0).abs();
    let windows = ["dispersion at 1 s", "dispersion at 10 s", "dispersion at 60 s"];
    for (name, published) in windows.into_iter().zip(recorded) {
        let figure = figure("arrivals", name);
        assert!((figure.recorded / published - 1.0).abs() < 0.05, "{figure:?}");
        eprintln!("{name}: {} and {}", figure.recorded, figure.twin);
        assert!(apart(figure) <= 0.25, "{figure:?}");
    }
    for (of, sent) in ["input tokens", "output tokens"].into_iter().zip(tokens) {
        let mean = sent.iter().map(|count| f64::from(*count)).sum::<f64>() / sent.len() as f64;
        let quantile = |percent: usize| f64::from(sent[(sent.len() - 1) * percent / 100]);
        for (name, twin) in [("mean", mean), ("P50", quantile(50)), ("P99", quantile(99))] {
            let recorded = figure(of, name).recorded;
            eprintln!("{of} {name}: {recorded} and {twin} of {} requests", sent.len());
            assert!((twin / recorded - 1.0).abs() <= 0.03, "{of} {name}: {recorded} and {twin}");
        }
    }
}

#[test]
fn the_twin_of_the_code_assistant_is_as_bursty_and_as_large() {
    let Some(twin) = twin("AzureLLMInferenceTrace_code.csv", None) else { return };
    assert_near(&twin, [13.2, 71.9, 167.0]);
}

#[test]
fn the_twin_of_the_conversations_is_as_bursty_and_as_large() {
    let dequantize = Some(Duration::from_secs(3));
    let Some(twin) = twin("mooncake_conversation_trace.jsonl", dequantize) else { return };
    assert_near(&twin, [1.07, 1.51, 2.91]);
}
