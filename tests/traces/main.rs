//! Traces from files. The real ones are no part of the project: the tests skip, and say so, where
//! the files do not lie beside the checkout, in `../shared/traces`.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::print_stderr, reason = "a test that skips says so")]

mod azure;
mod broken;
mod fit;
mod formats;
mod mooncake;
mod stats;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use coalmine::profile::{Shape, ShapeMeter};
use coalmine::trace::TraceReader;

/// The trace `name`, if it is there.
fn open(name: &str) -> Option<TraceReader<BufReader<File>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/traces").join(name);
    let Ok(file) = File::open(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    Some(TraceReader::new(BufReader::new(file)).unwrap())
}

/// What describes the records of `reader`.
fn shape_of(reader: &mut TraceReader<BufReader<File>>) -> Shape {
    let mut meter = ShapeMeter::default();
    while let Some(record) = reader.next_record().unwrap() {
        meter.add(record.at, record.input, record.output);
    }
    meter.shape()
}
