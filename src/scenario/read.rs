//! Values of a checked tree. What the check has refused reads as nothing here, so that it is told
//! once and the rest of the plan is checked all the same.

use std::num::NonZeroU32;

use crate::units::{Duration, Money, Rate, Ratio, Tokens};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::shape::as_number;
use super::tree::{Node, Scalar};

/// The text at `key`.
pub(crate) fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::text)
}

/// The duration at `key`.
pub(crate) fn duration(node: &Node, key: &str) -> Option<Duration> {
    text(node, key).and_then(|text| Duration::parse(text).ok())
}

/// The ratio at `key`.
pub(crate) fn ratio(node: &Node, key: &str) -> Option<Ratio> {
    text(node, key).and_then(|text| Ratio::parse(text).ok())
}

/// The amount of money at `key`.
pub(crate) fn money(node: &Node, key: &str) -> Option<Money> {
    text(node, key).and_then(|text| Money::parse(text).ok())
}

/// The whole number at `key`.
pub(crate) fn integer(node: &Node, key: &str) -> Option<u64> {
    text(node, key).and_then(|text| text.parse().ok())
}

/// The number at `key`.
pub(crate) fn number(node: &Node, key: &str) -> Option<f64> {
    text(node, key).and_then(as_number)
}

/// The boolean at `key`.
pub(crate) fn boolean(node: &Node, key: &str) -> Option<bool> {
    node.get(key).and_then(Node::scalar).and_then(Scalar::as_bool)
}

/// The duration of `node`, the value of `key`, which must be more than none: reported where it is
/// not.
pub(crate) fn positive_duration(
    key: &str,
    node: &Node,
    diagnostics: &mut Diagnostics,
) -> Option<Duration> {
    let duration = Duration::parse(node.text()?).ok()?;
    if duration.is_zero() {
        let message = format!("`{key}` is 0s: allowed is more than 0s");
        diagnostics.report(Diagnostic::new(node.place, message));
        return None;
    }
    Some(duration)
}

/// The number of things at once that `key` says, if it stands.
pub(crate) fn at_once(node: &Node, key: &str) -> Option<Option<NonZeroU32>> {
    if node.get(key).is_none() {
        return Some(None);
    }
    let count: u32 = integer(node, key)?.try_into().ok()?;
    NonZeroU32::new(count).map(Some)
}

/// The number of seconds, of tokens, of events per second or of things that a value of a
/// distribution stands for.
pub(crate) fn quantity(text: &str, kind: Quantity) -> Option<f64> {
    match kind {
        Quantity::Seconds => Duration::parse(text).ok().map(Duration::as_secs_f64),
        Quantity::Tokens => Tokens::parse(text).ok().map(|tokens| f64::from(tokens.get())),
        Quantity::PerSecond => Rate::parse(text).ok().map(Rate::per_second),
        Quantity::Number => as_number(text),
    }
}

/// What the values of a distribution are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Quantity {
    /// Lengths of time.
    Seconds,
    /// Numbers of tokens.
    Tokens,
    /// Rates.
    PerSecond,
    /// Numbers of things.
    Number,
}
