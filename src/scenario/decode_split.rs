//! Splits: which weights a phase gives to which versions.

use crate::exchange::ModelIndex;
use crate::units::{Ratio, format_significant};

use super::decode_failures::TOLERANCE;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::holders::Holders;
use super::named_version::NamedVersion;
use super::names::Names;
use super::place::Place;
use super::shape::quote;
use super::tree::{Entry, Node, Value};

/// The weights that `entry` gives, in the order of the versions, those of tags that may have moved
/// last. Of each model that it names the weights sum to 1.
pub(crate) fn decode(
    entry: &Entry,
    holders: &Holders<'_>,
    names: &Names,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<(NamedVersion, Ratio)>> {
    let arms = entry.node.entries();
    let mut seen: Vec<(NamedVersion, Ratio, Place)> = Vec::new();
    let mut complete = !arms.is_empty();
    for arm in arms {
        let version = holders.resolve(&arm.key, arm.place, diagnostics);
        let (Some(version), Some(weight)) = (version, weight(&arm.node)) else {
            complete = false;
            continue;
        };
        if let Some((.., first)) = seen.iter().find(|(known, ..)| *known == version) {
            let message = format!("{} is a version that has a weight already", quote(&arm.key));
            diagnostics.report(Diagnostic::new(arm.place, message).note(*first, "it stands here"));
        }
        seen.push((version, weight, arm.place));
    }
    // Whatever is no map is told already.
    if matches!(entry.node.value, Value::Map(_)) {
        check_sums(entry, &seen, complete, names, diagnostics);
    }
    seen.sort_by(|(one, ..), (next, ..)| one.cmp(next));
    let split = seen.into_iter().map(|(version, weight, _)| (version, weight)).collect();
    complete.then_some(split)
}

/// The weights of the first phase: as `written`, and of each model that is not named there all to
/// its stable.
pub(crate) fn first(
    written: Vec<(NamedVersion, Ratio)>,
    names: &Names,
) -> Vec<(NamedVersion, Ratio)> {
    let mut split = written;
    for (model, _) in (0..).map(ModelIndex).zip(names.models()) {
        let named = split.iter().any(|(version, _)| names.model_of_named(version) == Some(model));
        if let Some(stable) = names.stable(model).filter(|_| !named) {
            split.push((NamedVersion::Fixed(stable), Ratio::ONE));
        }
    }
    split.sort_by(|(one, _), (next, _)| one.cmp(next));
    split
}

fn weight(node: &Node) -> Option<Ratio> {
    node.text().and_then(|text| Ratio::parse(text).ok())
}

/// Reports each model whose weights do not sum to 1. Where versions could not be made out, the sum
/// over all weights still tells if there is but one model; where weights could not, nothing does.
fn check_sums(
    entry: &Entry,
    seen: &[(NamedVersion, Ratio, Place)],
    complete: bool,
    names: &Names,
    diagnostics: &mut Diagnostics,
) {
    let arms = entry.node.entries();
    let weights: Option<Vec<f64>> =
        arms.iter().map(|arm| weight(&arm.node).map(Ratio::get)).collect();
    let Some(weights) = weights else { return };
    if names.models().count() <= 1 {
        check_sum("weights", "the versions", weights.iter().sum(), entry, diagnostics);
        return;
    }
    if !complete && !arms.is_empty() {
        return;
    }
    if arms.is_empty() {
        check_sum("weights", "the versions", 0.0, entry, diagnostics);
    }
    for (model, id) in (0..).map(ModelIndex).zip(names.models()) {
        let of_model = |(version, ..): &&(NamedVersion, Ratio, Place)| {
            names.model_of_named(version) == Some(model)
        };
        let mut own = seen.iter().filter(of_model).peekable();
        if own.peek().is_some() {
            let sum = own.map(|(_, weight, _)| weight.get()).sum();
            let what = format!("weights of {}", quote(id));
            check_sum(&what, "its versions", sum, entry, diagnostics);
        }
    }
}

/// Reports `sum` of `what` (such as weights) over `parts` (such as versions) where it is not 1, at
/// the setting that wrote one of them, else at the key of the `whole`, and says where those come
/// from that do not stand there.
pub(crate) fn check_sum(
    what: &str,
    parts: &str,
    sum: f64,
    whole: &Entry,
    diagnostics: &mut Diagnostics,
) {
    if (sum - 1.0).abs() <= TOLERANCE {
        return;
    }
    let percent = |ratio: f64| format_significant(ratio * 100.0, 9);
    let message = format!("the {what} sum to {}%: they must sum to 100%", percent(sum));
    let help = if sum < 1.0 {
        format!("give the remaining {}% to one of {parts}", percent(1.0 - sum))
    } else {
        format!("take {}% from one of {parts}", percent(sum - 1.0))
    };
    let diagnostic = Diagnostic::new(whole.place_of_whole(), message).help(help);
    diagnostics.report_whole(diagnostic, &whole.node);
}
