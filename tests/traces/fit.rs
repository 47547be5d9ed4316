//! Twins of the published hours.

use coalmine::chance::Chance;
use coalmine::fit::{Figure, Fitted, Goodness, Observed, RecordingSource};
use coalmine::units::Duration;
use coalmine::workload::{Playback, PlaybackOptions};

use super::open;

/// The figures of a twin of the trace `file`.
fn goodness(file: &str, dequantize: Option<Duration>) -> Option<Goodness> {
    let options = PlaybackOptions { dequantize, ..PlaybackOptions::default() };
    let mut playback = Playback::new(open(file)?, options, Chance::new(1, 0), 0);
    let mut observed = Observed::default();
    while let Some(record) = playback.next_record().unwrap() {
        observed.add(&record).unwrap();
    }
    let fitted = Fitted::of(&observed, None).unwrap();
    assert!(fitted.arrivals.candidate().fits, "{:?}", fitted.arrivals);
    let yaml = fitted.to_yaml("twin", &RecordingSource::default());
    Some(Goodness::of(&observed, &fitted, &yaml, 1).unwrap())
}

/// Dispersion at 1, 10 and 60 s within 25 % by the median of many twins, mean, P50 and P99 of
/// tokens within 3 %; `recorded` are the published figures.
fn assert_near(goodness: &Goodness, recorded: [f64; 3]) {
    let figure = |of: &str, name: &str| -> &Figure {
        let mut all = goodness.figures.iter();
        all.find(|figure| figure.of == of && figure.name == name).unwrap()
    };
    let apart = |figure: &Figure| (figure.twin / figure.recorded - 1.0).abs();
    let windows = ["dispersion at 1 s", "dispersion at 10 s", "dispersion at 60 s"];
    for (name, published) in windows.into_iter().zip(recorded) {
        let figure = figure("arrivals", name);
        assert!((figure.recorded / published - 1.0).abs() < 0.05, "{figure:?}");
        assert!(apart(figure) <= 0.25, "{figure:?}");
    }
    for of in ["input tokens", "output tokens"] {
        for name in ["mean", "P50", "P99"] {
            let figure = figure(of, name);
            assert!(apart(figure) <= 0.03, "{figure:?}");
        }
    }
}

#[test]
fn the_twin_of_the_code_assistant_is_as_bursty_and_as_large() {
    let Some(goodness) = goodness("AzureLLMInferenceTrace_code.csv", None) else { return };
    assert_near(&goodness, [13.2, 71.9, 167.0]);
}

#[test]
fn the_twin_of_the_conversations_is_as_bursty_and_as_large() {
    let dequantize = Some(Duration::from_secs(3));
    let Some(goodness) = goodness("mooncake_conversation_trace.jsonl", dequantize) else { return };
    assert_near(&goodness, [1.07, 1.51, 2.91]);
}
