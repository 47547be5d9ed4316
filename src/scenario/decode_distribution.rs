//! Distributions: `{lognormal: {mean: 892ms, p99: 1423ms}}`.

use crate::chance::{Distribution, DistributionError, Parameter};
use crate::units::{Duration, Ratio, format_duration, format_significant};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::place::Place;
use super::read::{self, Quantity};
use super::tree::{Entry, Node};

/// The distribution that `node` describes, in seconds or tokens.
pub(crate) fn decode(
    node: &Node,
    kind: Quantity,
    diagnostics: &mut Diagnostics,
) -> Option<Distribution> {
    let entry = node.entries().iter().find(|entry| FAMILIES.contains(&entry.key.as_str()))?;
    let inner = &entry.node;
    let value = |key: &str| read::text(inner, key).and_then(|text| read::quantity(text, kind));
    let made = match entry.key.as_str() {
        "constant" => Distribution::constant(read::quantity(inner.text()?, kind)?),
        "uniform" => Distribution::uniform(value("min")?, value("max")?),
        "exponential" => Distribution::exponential(value("mean")?),
        "lognormal" => return lognormal(entry, kind, diagnostics),
        "empirical" => return empirical(entry, kind, diagnostics),
        "mixture" => {
            let parts: Vec<_> = inner
                .items()
                .iter()
                .map(|part| Some((read::number(part, "weight")?, decode(part, kind, diagnostics)?)))
                .collect();
            Distribution::mixture(parts.into_iter().collect::<Option<_>>()?)
        }
        _ => return None,
    };
    accept(made, entry, kind, diagnostics)
}

fn lognormal(entry: &Entry, kind: Quantity, diagnostics: &mut Diagnostics) -> Option<Distribution> {
    let node = &entry.node;
    let mut given: Vec<&str> = node.entries().iter().map(|entry| entry.key.as_str()).collect();
    given.retain(|key| ["mean", "p99", "median", "sigma", "cv"].contains(key));
    given.sort_unstable();
    let value = |key: &str| read::text(node, key).and_then(|text| read::quantity(text, kind));
    let number = |key: &str| read::number(node, key);
    let made = match given.as_slice() {
        ["mean", "p99"] => Distribution::lognormal_mean_p99(value("mean")?, value("p99")?),
        ["median", "sigma"] => {
            Distribution::lognormal_median_sigma(value("median")?, number("sigma")?)
        }
        ["mean", "median"] => Distribution::lognormal_mean_median(value("mean")?, value("median")?),
        ["cv", "mean"] => Distribution::lognormal_mean_cv(value("mean")?, number("cv")?),
        // Not a map: told before.
        [] if node.entries().is_empty() && node.text().is_some() => return None,
        given => {
            let found = if given.is_empty() { "nothing".to_owned() } else { given.join(", ") };
            let message = format!("a log-normal distribution is not defined by {found}");
            let help = "give mean and p99, or median and sigma, or mean and median, or mean and cv";
            diagnostics.report(Diagnostic::new(entry.place, message).help(help));
            return None;
        }
    };
    accept(made, entry, kind, diagnostics)
}

fn empirical(entry: &Entry, kind: Quantity, diagnostics: &mut Diagnostics) -> Option<Distribution> {
    let table = entry.node.get("quantiles")?;
    let point = |entry: &Entry| {
        let probability = Ratio::parse(&entry.key).ok()?.get();
        Some((probability, read::quantity(entry.node.text()?, kind)?))
    };
    if table.text().is_some() {
        return None;
    }
    let points: Option<Vec<_>> = table.entries().iter().map(point).collect();
    let error = match Distribution::empirical(points?) {
        Ok(distribution) => return Some(distribution),
        Err(error) => error,
    };
    let place = match &error {
        DistributionError::Unordered { index, .. } => {
            table.entries().get(*index).map_or(table.place, |entry| entry.place)
        }
        _ => table.place,
    };
    let help = "write one line per point, such as `0%: 80ms`, `50%: 400ms`, `100%: 9s`, with \
                rising probabilities from 0% to 100% and values that never fall";
    diagnostics.report(Diagnostic::new(place, explain(error, kind)).help(help));
    None
}

fn accept(
    made: Result<Distribution, DistributionError>,
    entry: &Entry,
    kind: Quantity,
    diagnostics: &mut Diagnostics,
) -> Option<Distribution> {
    let error = match made {
        Ok(distribution) => return Some(distribution),
        Err(error) => error,
    };
    let parameter = match &error {
        DistributionError::OutOfRange { parameter, .. } => {
            entry.node.entry(&parameter.to_string()).map(|entry| entry.node.place)
        }
        _ => None,
    };
    let place: Place = parameter.unwrap_or(entry.place);
    diagnostics.report(Diagnostic::new(place, explain(error, kind)));
    None
}

/// The error with its numbers in the unit that the file has them in.
fn explain(error: DistributionError, kind: Quantity) -> String {
    let show = |parameter: Parameter, value: f64| match (parameter, kind) {
        (Parameter::Probability, _) => format!("{}%", format_significant(value * 100.0, 6)),
        (Parameter::Sigma | Parameter::Cv | Parameter::Weight, _) => format_significant(value, 4),
        (_, Quantity::Seconds) => format_duration(Duration::from_secs_f64(value)),
        (_, Quantity::Tokens) => format!("{} tokens", format_significant(value, 4)),
    };
    match error {
        DistributionError::OutOfRange { parameter, value, low, high } => {
            let found = show(parameter, value);
            if low < 1e-9 && value <= 0.0 {
                return format!("{parameter} {found} is out of range: allowed is more than 0");
            }
            if high >= 1e18 {
                let low = show(parameter, low);
                return format!("{parameter} {found} is out of range: allowed is at least {low}");
            }
            let (low, high) = (show(parameter, low), show(parameter, high));
            format!("{parameter} {found} is out of range: allowed are {low} to {high}")
        }
        DistributionError::Unordered { parameter, value, previous, .. } => {
            let (value, previous) = (show(parameter, value), show(parameter, previous));
            format!("{parameter} {value} may not follow {previous}")
        }
        DistributionError::OpenEnds { first, last } => {
            let show = |value| show(Parameter::Probability, value);
            format!(
                "probabilities from {} to {} do not run from 0% to 100%",
                show(first),
                show(last)
            )
        }
        other => other.to_string(),
    }
}

const FAMILIES: [&str; 6] =
    ["constant", "uniform", "exponential", "lognormal", "empirical", "mixture"];
