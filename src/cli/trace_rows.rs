//! The rows of a trace, or of a stretch of it, one by one, with progress on stderr. What is made of
//! them is not its business.

use std::path::Path;

use super::open::{broken_trace_failure, open_trace_or_stdin};
use super::progress::Progress;
use super::shared_arguments::time;
use super::terminal::Failure;
use crate::chance::Chance;
use crate::trace::{TraceError, TraceReader, TraceRecord};
use crate::units::Duration;
use crate::workload::{Playback, PlaybackOptions, TraceInput, Window};

/// A trace that was read to its end, or to that of its stretch.
pub(super) type Played = Playback<TraceInput>;

/// Hands on the rows of the trace at `path` (`-`: stdin), spread and cut as asked for.
pub(super) fn play(
    path: &Path,
    dequantize: Option<Duration>,
    window: Option<Window>,
    seed: u64,
    take: &mut dyn FnMut(&TraceRecord) -> Result<(), Failure>,
) -> Result<Played, Failure> {
    let failed = |error: TraceError| broken_trace_failure(path, &error);
    let reader = TraceReader::new(open_trace_or_stdin(path)?).map_err(failed)?;
    let options = PlaybackOptions { dequantize, window, ..PlaybackOptions::default() };
    let mut playback = Playback::new(reader, options, Chance::new(seed, 0), 0);
    let mut progress = Progress::of_rows();
    let mut seen = 0_u64;
    let read = loop {
        match playback.next_record() {
            Ok(Some(record)) => {
                if let Err(failure) = take(&record) {
                    break Err(failure);
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(failed(error)),
        }
        seen += 1;
        if seen.is_multiple_of(TOLD_EVERY) {
            progress.show(seen);
        }
    };
    progress.clear();
    read?;
    Ok(playback)
}

/// A stretch of a trace: `10m..30m`.
pub(super) fn window(text: &str) -> Result<Window, String> {
    let Some((from, to)) = text.split_once("..") else {
        return Err(
            "a stretch is two times with two dots between them, such as 10m..30m".to_owned()
        );
    };
    let (from, to) = (time(from)?, time(to)?);
    let length = to.saturating_sub(from);
    if length.is_zero() {
        return Err(format!("{to} does not come after {from}"));
    }
    Ok(Window { from, length })
}

/// Chosen: some hundred times a second.
const TOLD_EVERY: u64 = 8_192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_two_times_in_their_order() {
        let found = window("10m..30m").unwrap();
        let expected = [600, 1_200].map(Duration::from_secs);
        assert_eq!([found.from, found.length], expected);
        assert!(window("0s..1h").is_ok());
        for bad in ["10m", "30m..10m", "10m..10m", "..", "10..20", "1h..x"] {
            assert!(window(bad).is_err(), "{bad}");
        }
    }
}
