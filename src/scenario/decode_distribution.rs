//! Distributions: `{lognormal: {mean: 892ms, p99: 1423ms}}`.

use crate::chance::{Distribution, DistributionError, Parameter};
use crate::units::{Duration, Ratio, format_duration, format_significant};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::place::Place;
use super::read::{self, Quantity};
use super::shape::Shape;
use super::shapes_distribution::DURATION_FAMILIES;
use super::tree::{Entry, Node};

/// The distribution that `node` describes, in seconds, tokens or events per second.
pub(crate) fn decode(
    node: &Node,
    kind: Quantity,
    diagnostics: &mut Diagnostics,
) -> Option<Distribution> {
    let entry = chosen(node)?;
    let distribution = part(entry, kind, diagnostics)?;
    if distribution.mean().is_infinite() {
        let message = format!("the {} distribution has no finite mean", entry.key);
        let help = "give a `shape` above 1, or an upper bound: `clamped: {max: ..., pareto: ...}`";
        diagnostics.report(Diagnostic::new(entry.place, message).help(help));
        return None;
    }
    Some(distribution)
}

/// Whether `node` has a family among its keys.
pub(crate) fn is_given(node: &Node) -> bool {
    chosen(node).is_some()
}

/// The family among the keys of `node`.
fn chosen(node: &Node) -> Option<&Entry> {
    let is_family = |key: &str| DURATION_FAMILIES.iter().any(|family| family.name == key);
    node.entries().iter().find(|entry| is_family(&entry.key))
}

/// A distribution that may be a part of another one.
fn part(entry: &Entry, kind: Quantity, diagnostics: &mut Diagnostics) -> Option<Distribution> {
    let node = &entry.node;
    let value = |key: &str| read::text(node, key).and_then(|text| read::quantity(text, kind));
    let number = |key: &str| number(entry, key);
    let made = match entry.key.as_str() {
        "constant" => Distribution::constant(read::quantity(node.text()?, kind)?),
        "uniform" => Distribution::uniform(value("min")?, value("max")?),
        "normal" => Distribution::normal_mean_sd(value("mean")?, value("sd")?),
        "exponential" => Distribution::exponential(value("mean")?),
        "gamma" => Distribution::gamma_mean_cv(value("mean")?, number("cv")?),
        "lognormal" | "weibull" | "pareto" => by_pair(entry, kind, diagnostics)?,
        "empirical" => return empirical(entry, kind, diagnostics),
        "mixture" => {
            let weighted = |node: &Node| {
                Some((read::number(node, "weight")?, part(chosen(node)?, kind, diagnostics)?))
            };
            let parts: Vec<_> = node.items().iter().map(weighted).collect();
            Distribution::mixture(parts.into_iter().collect::<Option<_>>()?)
        }
        "shifted" => part(chosen(node)?, kind, diagnostics)?.shifted(value("by")?),
        "clamped" => {
            let of = part(chosen(node)?, kind, diagnostics)?;
            // A bound that was refused is told already: without it the clamping means another one.
            let bound = |key: &str| match node.get(key) {
                Some(_) => value(key).map(Some),
                None => Some(None),
            };
            of.clamped(bound("min")?.unwrap_or(0.0), bound("max")?)
        }
        _ => return None,
    };
    accept(made, entry, kind, diagnostics)
}

/// A family that is given by one of several pairs of parameters.
fn by_pair(
    entry: &Entry,
    kind: Quantity,
    diagnostics: &mut Diagnostics,
) -> Option<Result<Distribution, DistributionError>> {
    let node = &entry.node;
    let value = |key: &str| read::text(node, key).and_then(|text| read::quantity(text, kind));
    let number = |key: &str| number(entry, key);
    let mut given: Vec<&str> = node.entries().iter().map(|entry| entry.key.as_str()).collect();
    given.retain(|key| PAIRED.contains(key));
    given.sort_unstable();
    Some(match (entry.key.as_str(), given.as_slice()) {
        ("lognormal", ["mean", "p99"]) => {
            Distribution::lognormal_mean_p99(value("mean")?, value("p99")?)
        }
        ("lognormal", ["median", "sigma"]) => {
            Distribution::lognormal_median_sigma(value("median")?, number("sigma")?)
        }
        ("lognormal", ["mean", "median"]) => {
            Distribution::lognormal_mean_median(value("mean")?, value("median")?)
        }
        ("lognormal", ["cv", "mean"]) => {
            Distribution::lognormal_mean_cv(value("mean")?, number("cv")?)
        }
        ("weibull", ["scale", "shape"]) => {
            Distribution::weibull_scale_shape(value("scale")?, number("shape")?)
        }
        ("weibull", ["mean", "shape"]) => {
            Distribution::weibull_mean_shape(value("mean")?, number("shape")?)
        }
        ("pareto", ["min", "shape"]) => {
            Distribution::pareto_min_shape(value("min")?, number("shape")?)
        }
        ("pareto", ["mean", "shape"]) => {
            Distribution::pareto_mean_shape(value("mean")?, number("shape")?)
        }
        // Without its shape, or no map at all: told before.
        ("weibull" | "pareto", given) if !given.contains(&"shape") => return None,
        (_, []) if node.entries().is_empty() && node.text().is_some() => return None,
        (family, given) => {
            let found = if given.is_empty() { "nothing".to_owned() } else { given.join(", ") };
            let (family, help) = match family {
                "weibull" => ("Weibull", "give scale and shape, or mean and shape"),
                "pareto" => ("Pareto", "give min and shape, or mean and shape"),
                _ => (
                    "log-normal",
                    "give mean and p99, or median and sigma, or mean and median, or mean and cv",
                ),
            };
            let message = format!("a {family} distribution is not defined by {found}");
            diagnostics.report(Diagnostic::new(entry.place, message).help(help));
            return None;
        }
    })
}

/// The number at `key` of a family; nothing where it is out of the range that the format states,
/// which is told before.
fn number(entry: &Entry, key: &str) -> Option<f64> {
    let family = DURATION_FAMILIES.iter().find(|family| family.name == entry.key)?;
    let Shape::One(literal) = family.shape.field(key)?.shape else { return None };
    literal.check(entry.node.get(key)?.scalar()?).ok()?;
    read::number(&entry.node, key)
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
        (Parameter::Sigma | Parameter::Cv | Parameter::Shape | Parameter::Weight, _) => {
            format_significant(value, 4)
        }
        (_, Quantity::Seconds) => format_duration(Duration::from_secs_f64(value)),
        (_, Quantity::Tokens) => format!("{} tokens", format_significant(value, 4)),
        (_, Quantity::PerSecond) => format!("{}/s", format_significant(value, 4)),
        (_, Quantity::Number) => format_significant(value, 4),
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

/// The parameters that come in pairs.
const PAIRED: [&str; 8] = ["mean", "p99", "median", "sigma", "cv", "scale", "shape", "min"];
