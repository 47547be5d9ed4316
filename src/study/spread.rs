//! Values from one literal to another, equally far from each other, and where literals lie on an
//! axis.

use crate::units::Duration;

/// `count` values (at least 2) from `from` to `to`, both among them, written as these are; `None`
/// where they are no two different numbers of one unit.
pub(super) fn spread(from: &str, to: &str, count: usize) -> Option<Vec<String>> {
    if from == to {
        return None;
    }
    if let (Ok(first), Ok(last)) = (Duration::parse(from), Duration::parse(to)) {
        return Some(times(first, last, count));
    }
    let ((first, unit), (last, of_last)) = (figure(from)?, figure(to)?);
    let differ = first.total_cmp(&last).is_ne() && unit == of_last;
    let value = |index: usize| {
        let value = first + (last - first) * index as f64 / (count - 1) as f64;
        format!("{}{unit}", rounded(value))
    };
    differ.then(|| (0..count).map(value).collect())
}

fn times(first: Duration, last: Duration, count: usize) -> Vec<String> {
    let [first, last] = [first, last].map(|time| i128::from(time.as_nanos()));
    let steps = count as i128 - 1;
    let value = |index: i128| {
        let nanos = first + (last - first) * index / steps;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0)).to_literal()
    };
    (0..=steps).map(value).collect()
}

/// What the values of an axis are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AxisUnit {
    /// Lengths of time, in seconds.
    Seconds,
    /// Shares, 0.01 for 1 %.
    Share,
    /// Numbers, of whatever unit.
    Number,
}

/// The numbers that values stand for, if all are numbers of one kind: they can be an axis.
pub fn numbers(values: &[String]) -> Option<(AxisUnit, Vec<f64>)> {
    let seconds = |value: &String| Some(Duration::parse(value).ok()?.as_secs_f64());
    if let Some(seconds) = values.iter().map(seconds).collect() {
        return Some((AxisUnit::Seconds, seconds));
    }
    let figures: Vec<(f64, &str)> =
        values.iter().map(|value| figure(value)).collect::<Option<_>>()?;
    let (_, unit) = figures.first()?;
    if figures.iter().any(|(_, other)| other != unit) {
        return None;
    }
    let (axis, whole) = match *unit {
        "%" => (AxisUnit::Share, 100.0),
        _ => (AxisUnit::Number, 1.0),
    };
    Some((axis, figures.iter().map(|(number, _)| number / whole).collect()))
}

/// A decimal number and the unit behind it.
fn figure(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let part = |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | '-');
    let end = text.find(|letter| !part(letter)).unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    // A unit has no digits: 1e5 and 1h30m are no figures of this kind.
    let unit = &text[end..];
    (number.is_finite() && !unit.contains(|letter: char| letter.is_ascii_digit()))
        .then_some((number, unit))
}

/// A number in twelve significant digits at most: a sum of steps has noise behind them.
fn rounded(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_no_noise_behind_their_digits() {
        let spread = |from, to, count| spread(from, to, count).unwrap().join(" ");
        assert_eq!(spread("0.1", "0.7", 7), "0.1 0.2 0.3 0.4 0.5 0.6 0.7");
        assert_eq!(spread("0", "1", 4), "0 0.333333333333 0.666666666667 1");
        assert_eq!(spread("-1", "1", 3), "-1 0 1");
        assert_eq!(spread("25/s", "100/s", 4), "25/s 50/s 75/s 100/s");
        assert_eq!(spread("100 requests", "300 requests", 2), "100 requests 300 requests");
        assert_eq!(spread("1s", "100ms", 3), "1s 550ms 100ms");
    }

    #[test]
    fn values_of_one_kind_lie_on_an_axis() {
        let of = |values: &[&str]| {
            numbers(&values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of(&["30s", "2m"]), Some((AxisUnit::Seconds, vec![30.0, 120.0])));
        assert_eq!(of(&["1%", "25%"]), Some((AxisUnit::Share, vec![0.01, 0.25])));
        assert_eq!(of(&["5", "0.5"]), Some((AxisUnit::Number, vec![5.0, 0.5])));
        assert_eq!(of(&["5%", "0.5"]), None);
        assert_eq!(of(&["even", "random"]), None);
        assert_eq!(of(&["{poisson: 3/s}"]), None);
    }
}
