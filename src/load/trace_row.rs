//! A request that has ended as a row of a trace.

use super::finished::Finished;
use crate::exchange::{Ending, Usage};
use crate::trace::{Failure, TraceRecord};
use crate::units::{ModelId, Timestamp, VersionId};

/// The row of a request in a trace that began at `start`: sent when it was to be sent, since that
/// is what its latency counts from. `model` is the name that was asked for. Names that no trace can
/// have are left out.
pub fn trace_row(finished: &Finished<'_>, start: Timestamp, model: Option<&str>) -> TraceRecord {
    let request = &finished.request;
    let usage = finished.usage;
    let is_success = finished.ending == Ending::Success;
    // Of a failure nobody knows how many tokens there would have been.
    let counted = |of: fn(Usage) -> _| usage.filter(|_| is_success).map(of);
    TraceRecord {
        at: finished.intended.since(start),
        model: model.and_then(|name| ModelId::new(name).ok()),
        version: finished.served.and_then(|name| VersionId::new(name).ok()),
        user: Some(request.user.into()),
        session: Some(request.session.into()),
        input: counted(|usage| usage.input).or(Some(request.input)),
        output: counted(|usage| usage.output).or_else(|| is_success.then_some(finished.output)),
        stream: Some(request.stream),
        status: finished.status,
        failure: Failure::of(finished.ending),
        first_token: finished.first_token(),
        duration: Some(finished.latency()),
        ..TraceRecord::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::finished::tests::stream;
    use crate::units::{Duration, Tokens};

    #[test]
    fn a_row_counts_from_the_intended_time_and_says_how_it_ended() {
        let start = Timestamp::from_nanos(-5_000_000);
        let finished = Finished { served: Some("v1"), ..stream([42, 82], &[], 3) };
        let row = trace_row(&finished, start, Some("gpt-4"));
        assert_eq!(row.at, Duration::from_millis(5));
        assert_eq!(row.duration, Some(Duration::from_millis(100)));
        assert_eq!(row.first_token, Some(Duration::from_millis(42)));
        assert_eq!(row.ending(), Some(Ending::Success));
        assert_eq!((row.input, row.output), (Some(Tokens::new(10)), Some(Tokens::new(3))));
        assert_eq!(row.version.unwrap().as_str(), "v1");
        for ending in [Ending::Timeout, Ending::Truncated, Ending::Reset, Ending::Status(503)] {
            let status = if let Ending::Status(status) = ending { status } else { 200 };
            let failed = Finished { ending, status: Some(status), ..finished };
            let row = trace_row(&failed, start, Some("no name!"));
            assert_eq!(row.ending(), Some(ending));
            assert_eq!((row.output, row.model), (None, None));
        }
    }
}
