//! The fuzz targets on the inputs that are kept: the seeds under `fuzz/seeds/`, among them every
//! input that once broke something. `fuzz/` itself is a package of its own that needs libFuzzer.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// What takes the bytes of an input, and panics if something is wrong.
type Body = fn(&[u8]);

/// Every target with its body; `fuzz/src/bin/` holds a file for each.
const TARGETS: &[(&str, Body)] = &[
    ("assertion", coalmine::assertion::fuzz_assertion),
    ("gateway", coalmine::scenario::fuzz_gateway),
    ("operations", coalmine::testing::fuzz_operations),
    ("rehearsal", coalmine::report::fuzz_rehearsal),
    ("rules", coalmine::scenario::fuzz_rules),
    ("scenario", coalmine::scenario::fuzz_scenario),
    ("sweep", coalmine::study::fuzz_sweep),
    ("trace", coalmine::trace::fuzz_trace),
    ("trace_bailian", |bytes| coalmine::trace::fuzz_trace_format("bailian", bytes)),
    ("trace_burstgpt", |bytes| coalmine::trace::fuzz_trace_format("burstgpt", bytes)),
    ("trace_envoy", |bytes| coalmine::trace::fuzz_trace_format("envoy", bytes)),
    ("trace_har", |bytes| coalmine::trace::fuzz_trace_format("har", bytes)),
    ("trace_litellm", |bytes| coalmine::trace::fuzz_trace_format("litellm", bytes)),
    ("trace_nginx", |bytes| coalmine::trace::fuzz_trace_format("nginx", bytes)),
    ("trace_otel", |bytes| coalmine::trace::fuzz_trace_format("otel", bytes)),
    ("trace_vegeta", |bytes| coalmine::trace::fuzz_trace_format("vegeta", bytes)),
    ("wire", coalmine::wire::fuzz_wire),
];

/// The files in a folder of `fuzz/`, by name.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn the_seeds_of_every_target_break_nothing() {
    for (target, body) in TARGETS {
        let seeds = files(&format!("seeds/{target}"));
        assert!(!seeds.is_empty(), "{target} has no seeds");
        for seed in seeds {
            // The name of what runs, should it panic.
            eprintln!("{}", seed.display());
            body(&fs::read(seed).unwrap());
        }
    }
}

#[test]
fn every_body_has_its_target_and_its_seeds() {
    let stems = |folder: &str| -> Vec<_> {
        let stem = |file: &PathBuf| file.file_stem().unwrap().to_str().unwrap().to_owned();
        files(folder).iter().map(stem).collect()
    };
    let listed: Vec<_> = TARGETS.iter().map(|(target, _)| *target).collect();
    assert_eq!(stems("src/bin"), listed);
    assert_eq!(stems("seeds"), listed);
}
