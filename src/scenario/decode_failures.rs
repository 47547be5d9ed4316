//! Failures by status or kind, and what their probabilities sum to.

use crate::units::{Rate, Ratio, format_significant};
use crate::upstream::{Failure, FailureKind};

use super::decode_distribution;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::place::Place;
use super::read::{self, Quantity};
use super::tree::{Entry, Node};

/// The failures of a map, in the order in which they are drawn.
pub(crate) fn decode(node: &Node, diagnostics: &mut Diagnostics) -> Option<Vec<Failure>> {
    let decoded: Vec<_> = node.entries().iter().map(|entry| failure(entry, diagnostics)).collect();
    let mut failures = decoded.into_iter().collect::<Option<Vec<_>>>()?;
    // The order in a file has no meaning, and must not have one for the draws either.
    failures.sort_by_key(|failure| failure.kind.rank());
    Some(failures)
}

fn failure(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Failure> {
    let node = &entry.node;
    let latency = match node.get("latency") {
        Some(latency) => {
            decode_distribution::decode(latency, Quantity::Seconds, diagnostics).map(Some)
        }
        None => Some(None),
    };
    let kind = kind(entry, diagnostics);
    Some(Failure { kind: kind?, probability: read::ratio(node, "probability")?, latency: latency? })
}

fn kind(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<FailureKind> {
    let node = &entry.node;
    let at = || read::ratio(node, "at");
    Some(match entry.key.as_str() {
        "timeout" => FailureKind::Timeout,
        "reset" => {
            let (at, latency) = (node.entry("at"), node.entry("latency"));
            if let (Some(at), Some(latency)) = (at, latency) {
                let message = "a reset comes `at` a share of the answer, or after a `latency`";
                let both = Diagnostic::new(latency.place, message);
                diagnostics.report(both.note(at.place, "`at` stands here").help("keep one"));
            }
            match at {
                Some(_) => FailureKind::Reset { at: Some(read::ratio(node, "at")?) },
                None => FailureKind::Reset { at: None },
            }
        }
        "refused" => FailureKind::Refused,
        "malformed" => FailureKind::Malformed,
        "truncated" => FailureKind::Truncated { at: at()? },
        "empty" => FailureKind::Empty,
        "stall" => {
            let lasts = node.get("for")?;
            let lasts = read::positive_duration("for", lasts, diagnostics)?;
            FailureKind::Stall { after: read::ratio(node, "after")?, lasts }
        }
        "duplicate_chunk" => FailureKind::DuplicateChunk,
        "wrong_content_type" => FailureKind::WrongContentType,
        "slow_drip" => FailureKind::SlowDrip { rate: drip(node.get("rate")?, diagnostics)? },
        "error_in_stream" => FailureKind::ErrorInStream { at: at()? },
        status => FailureKind::Status(status.parse().ok()?),
    })
}

fn drip(node: &Node, diagnostics: &mut Diagnostics) -> Option<Rate> {
    let rate = Rate::parse(node.text()?).ok()?;
    if rate == Rate::ZERO {
        let message = "at a rate of 0 no token ever comes: allowed is more than 0/s";
        diagnostics.report(Diagnostic::new(node.place, message).help("or write `timeout`"));
        return None;
    }
    Some(rate)
}

/// Reports failures whose probabilities sum to more than 100 %: `own`, and beside them `others` by
/// what they are.
pub(crate) fn check_sum(
    own: f64,
    others: &[(&str, f64)],
    place: Place,
    diagnostics: &mut Diagnostics,
) {
    let total = own + others.iter().map(|(_, sum)| sum).sum::<f64>();
    if total <= 1.0 + TOLERANCE {
        return;
    }
    let percent = |sum: f64| format!("{}%", format_significant(sum * 100.0, 6));
    let mut message = format!("the failure probabilities sum to {}", percent(total));
    for (what, sum) in others.iter().filter(|(_, sum)| *sum > 0.0) {
        message.push_str(&format!(", {} of them {what}", percent(*sum)));
    }
    message.push_str(": at most 100% are allowed");
    diagnostics.report(Diagnostic::new(place, message));
}

/// The sum of the probabilities.
pub(crate) fn sum(failures: &[Failure]) -> f64 {
    failures.iter().map(|failure| failure.probability).map(Ratio::get).sum()
}

/// What sums of decimal fractions may be off by.
pub(crate) const TOLERANCE: f64 = 1e-9;
