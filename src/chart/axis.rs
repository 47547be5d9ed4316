//! Axes: where a value stands, and the round values that are written beside it.

use crate::math;
use crate::units::{
    Duration, Rate, format_change, format_count, format_duration, format_money, format_percent,
    format_rate, format_significant,
};

/// An axis from its least to its greatest value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    spacing: Spacing,
    wording: Wording,
    pub(crate) ticks: Vec<Tick>,
}

/// A value that is written beside an axis.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) label: String,
}

/// What takes the same room on an axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Spacing {
    /// Equal differences.
    Linear,
    /// Equal factors.
    Logarithmic,
    /// Equal factors of what was before, where values are changes of it.
    Factors,
    /// Equal factors of what lies beyond a quantile: each further nine.
    Nines,
}

/// How a value that was read off is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wording {
    Share,
    Elapsed,
    Latency,
    Rate,
    Count,
    Money,
    Change,
    Quantile,
    Number,
    /// By the tick that it stands at.
    Named,
}

impl Axis {
    /// Shares from 0 to at least `greatest`, at most 1, in percent.
    pub(crate) fn shares(greatest: f64) -> Self {
        let scale = Scale { factor: 100.0, sign: "", unit: " %" };
        let mut axis = Self::from_zero(greatest.clamp(1e-4, 1.0), scale, Wording::Share);
        axis.high = axis.high.min(1.0);
        axis
    }

    /// Requests per second from 0 to at least `greatest`, written per second, minute or hour.
    pub(crate) fn rates(greatest: f64) -> Self {
        let scale = match greatest {
            rate if rate >= 0.5 => Scale { factor: 1.0, sign: "", unit: "/s" },
            rate if rate >= 0.5 / 60.0 => Scale { factor: 60.0, sign: "", unit: "/min" },
            _ => Scale { factor: 3_600.0, sign: "", unit: "/h" },
        };
        Self::from_zero(greatest.max(1e-6), scale, Wording::Rate)
    }

    /// Numbers of things from 0 to at least `greatest`.
    pub(crate) fn counts(greatest: u64) -> Self {
        let scale = match greatest {
            2_000_000.. => Scale { factor: 1e-6, sign: "", unit: "M" },
            5_000.. => Scale { factor: 1e-3, sign: "", unit: "k" },
            _ => Scale { factor: 1.0, sign: "", unit: "" },
        };
        Self::from_zero((greatest as f64).max(4.0), scale, Wording::Count)
    }

    /// Dollars from 0 to at least `greatest`.
    pub(crate) fn dollars(greatest: f64) -> Self {
        let scale = Scale { factor: 1.0, sign: "$", unit: "" };
        Self::from_zero(greatest.max(1e-9), scale, Wording::Money)
    }

    /// Lengths of time in seconds: from 0, or logarithmic where the least and the greatest are so
    /// far apart that the least would lie on the ground.
    pub(crate) fn latencies(least: f64, greatest: f64) -> Self {
        let greatest = greatest.max(1e-6);
        if least > 0.0 && greatest / least > LOGARITHMIC_FROM {
            Self::logarithmic(
                least,
                greatest,
                (latency_scale(greatest), Wording::Latency),
                &DECADES,
            )
        } else {
            Self::from_zero(greatest, latency_scale(greatest), Wording::Latency)
        }
    }

    /// Lengths of time in seconds, logarithmic, with ticks at 1, 2 and 5 times each power of ten.
    pub(crate) fn logarithmic_latencies(least: f64, greatest: f64) -> Self {
        let greatest = greatest.max(1e-6);
        let least = least.clamp(1e-9, greatest / 2.0);
        let wide = greatest / least > MANY_DECADES;
        let parts: &[f64] = if wide { &DECADES } else { &[1.0, 2.0, 5.0] };
        Self::logarithmic(least, greatest, (latency_scale(greatest), Wording::Latency), parts)
    }

    /// Shares from at most `least` to 1, logarithmic, in percent.
    pub(crate) fn logarithmic_shares(least: f64) -> Self {
        let scale = Scale { factor: 100.0, sign: "", unit: " %" };
        Self::logarithmic(least.clamp(1e-9, 0.1), 1.0, (scale, Wording::Share), &DECADES)
    }

    /// Shares from at most `least` to at least `greatest`, logarithmic, in percent.
    pub(crate) fn logarithmic_shares_to(least: f64, greatest: f64) -> Self {
        let scale = Scale { factor: 100.0, sign: "", unit: " %" };
        let greatest = greatest.clamp(1e-8, 1.0);
        let least = least.clamp(1e-9, greatest / 10.0);
        let wide = greatest / least > MANY_DECADES;
        let parts: &[f64] = if wide { &DECADES } else { &[1.0, 2.0, 5.0] };
        Self::logarithmic(least, greatest, (scale, Wording::Share), parts)
    }

    /// Plain numbers, logarithmic.
    pub(crate) fn logarithmic_numbers(least: f64, greatest: f64) -> Self {
        let scale = Scale { factor: 1.0, sign: "", unit: "" };
        let least = least.max(1e-9);
        let greatest = greatest.max(least * 10.0);
        let wide = greatest / least > MANY_DECADES;
        let parts: &[f64] = if wide { &DECADES } else { &[1.0, 2.0, 5.0] };
        Self::logarithmic(least, greatest, (scale, Wording::Number), parts)
    }

    /// Plain numbers from 0 to at least `greatest`, logarithmic where the least would lie on the
    /// ground; from below 0 where the least does.
    pub(crate) fn numbers(least: f64, greatest: f64) -> Self {
        if least > 0.0 && greatest / least > LOGARITHMIC_FROM {
            return Self::logarithmic_numbers(least, greatest);
        }
        let scale = Scale { factor: 1.0, sign: "", unit: "" };
        if least >= 0.0 {
            return Self::from_zero(greatest.max(1e-9), scale, Wording::Number);
        }
        let step = round_up((greatest.max(0.0) - least) / MOST_STEPS);
        let low = (least / step).floor() * step;
        let high = (greatest.max(0.0) / step).ceil() * step;
        let ticks = ticks(low, high, step, scale);
        Self { low, high, spacing: Spacing::Linear, wording: Wording::Number, ticks }
    }

    /// Things side by side, each one wide and named in its middle: the first from 0 to 1.
    pub(crate) fn names(names: &[String]) -> Self {
        let tick = |(place, name): (usize, &String)| Tick {
            value: place as f64 + 0.5,
            label: name.clone(),
        };
        Self {
            low: 0.0,
            high: names.len().max(1) as f64,
            spacing: Spacing::Linear,
            wording: Wording::Named,
            ticks: names.iter().enumerate().map(tick).collect(),
        }
    }

    /// Quantiles from 0 to `1 - rest`, each nine as wide as the one before.
    pub(crate) fn quantiles(rest: f64) -> Self {
        let rest = rest.clamp(1e-9, 0.01);
        let ticks = QUANTILES.iter().filter(|(beyond, _)| *beyond >= rest * 0.999);
        let tick = |(beyond, label): &(f64, &str)| Tick {
            value: 1.0 - beyond,
            label: (*label).to_owned(),
        };
        Self {
            low: 0.0,
            high: 1.0 - rest,
            spacing: Spacing::Nines,
            wording: Wording::Quantile,
            ticks: ticks.map(tick).collect(),
        }
    }

    /// Changes as shares of what was before, around 0 (no change): from `least` to `greatest`,
    /// neither further than is readable beside the other. Changes of many times what was before get
    /// an axis on which equal factors take the same room.
    pub(crate) fn changes(least: f64, greatest: f64) -> Self {
        let low = least.clamp(1.0 / MOST_FACTOR - 1.0, -LEAST_CHANGE);
        let high = greatest.clamp(LEAST_CHANGE, MOST_FACTOR - 1.0);
        let (spacing, values) = if (1.0 + high) / (1.0 + low) > FACTORS_FROM {
            let factors = FACTORS.iter().map(|factor| factor - 1.0);
            (Spacing::Factors, around(&factors.collect::<Vec<_>>(), low, high))
        } else {
            let step = round_up((high - low) / MOST_CHANGE_STEPS);
            let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
            let steps = (first as i64..=last as i64).map(|index| index as f64 * step);
            (Spacing::Linear, steps.collect())
        };
        let (low, high) = (values[0], values[values.len() - 1]);
        let tick = |value: f64| {
            let sign = if value > 0.0 { "+" } else { "" };
            let label = format!("{sign}{} %", format_significant(value * 100.0, 4));
            Tick { value, label }
        };
        let ticks = values.into_iter().map(tick).collect();
        Self { low, high, spacing, wording: Wording::Change, ticks }
    }

    /// Whether a value lies on the axis.
    pub(crate) fn shows(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The time since the start in seconds, with at most `most_ticks` ticks.
    pub(crate) fn times(span: Duration, most_ticks: usize) -> (Self, TimeUnit) {
        let span = span.as_secs_f64().max(1.0);
        let fits = |step: &f64| span / step <= most_ticks as f64;
        let step = TIME_STEPS.iter().copied().find(fits).unwrap_or(span / 4.0);
        let unit = TimeUnit::of(span);
        let scale = Scale { factor: 1.0 / unit.seconds(), sign: "", unit: "" };
        let ticks = ticks(0.0, span, step, scale);
        let (spacing, wording) = (Spacing::Linear, Wording::Elapsed);
        (Self { low: 0.0, high: span, spacing, wording, ticks }, unit)
    }

    /// A value as it is told where it is read off.
    pub(crate) fn text(&self, value: f64) -> String {
        let duration = || format_duration(Duration::from_secs_f64(value));
        match self.wording {
            Wording::Share => format_percent(value),
            Wording::Elapsed => format!("+{}", duration()),
            Wording::Latency => duration(),
            Wording::Rate => {
                let rate = Rate::per(value.max(0.0), Duration::from_secs(1));
                format_rate(rate.unwrap_or(Rate::ZERO))
            }
            Wording::Count => format_count(value.round() as u64),
            Wording::Money => format_money(value),
            Wording::Change => format_change(value * 100.0),
            Wording::Number => format_significant(value, 3),
            Wording::Named => {
                let named = self.ticks.iter().find(|tick| (tick.value - value).abs() <= 0.5);
                named.map_or_else(String::new, |tick| tick.label.clone())
            }
            Wording::Quantile => format!("p{}", format_significant(value * 100.0, 6)),
        }
    }

    /// Where a value stands, from 0 at the axis's least value to 1 at its greatest.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let along = |value: f64| match self.spacing {
            Spacing::Linear => value,
            Spacing::Logarithmic => math::ln(value.max(self.low)),
            Spacing::Factors => math::ln(1.0 + value.max(self.low)),
            Spacing::Nines => -math::ln(1.0 - value.min(self.high)),
        };
        let (low, high) = (along(self.low), along(self.high));
        ((along(value) - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// The value that stands at a place from 0 to 1.
    pub(crate) fn value_at(&self, place: f64) -> f64 {
        match self.spacing {
            Spacing::Logarithmic => {
                let (low, high) = (math::ln(self.low), math::ln(self.high));
                math::exp(low + place * (high - low))
            }
            Spacing::Factors => {
                let (low, high) = (math::ln(1.0 + self.low), math::ln(1.0 + self.high));
                math::exp(low + place * (high - low)) - 1.0
            }
            Spacing::Linear => self.low + place * (self.high - self.low),
            Spacing::Nines => {
                let (low, high) = (math::ln(1.0 - self.low), math::ln(1.0 - self.high));
                1.0 - math::exp(low + place * (high - low))
            }
        }
    }

    fn from_zero(greatest: f64, scale: Scale, wording: Wording) -> Self {
        let shown = greatest * scale.factor;
        let step = round_up(shown / MOST_STEPS);
        let high = (shown / step).ceil() * step / scale.factor;
        let ticks = ticks(0.0, high, step / scale.factor, scale);
        Self { low: 0.0, high, spacing: Spacing::Linear, wording, ticks }
    }

    /// A logarithmic axis with ticks at these parts of each power of ten.
    fn logarithmic(
        least: f64,
        greatest: f64,
        (scale, wording): (Scale, Wording),
        parts: &[f64],
    ) -> Self {
        let (least, greatest) = (least * scale.factor, greatest * scale.factor);
        let mut low = round_up(least);
        while low > least {
            low = round_up(low / 2.6);
        }
        let high = round_up(greatest);
        let mut ticks = Vec::new();
        let mut decade = round_up_to_decade(low) / 10.0;
        while decade <= high {
            let within = |value: &f64| (low..=high * (1.0 + 1e-9)).contains(value);
            let values = parts.iter().map(|part| decade * part).filter(within);
            ticks.extend(values.map(|value| tick(value / scale.factor, scale)));
            decade *= 10.0;
        }
        let (low, high) = (low / scale.factor, high / scale.factor);
        Self { low, high, spacing: Spacing::Logarithmic, wording, ticks }
    }
}

/// Those of `values` (in ascending order) from the last that is not above `low` to the first that
/// is not below `high`.
fn around(values: &[f64], low: f64, high: f64) -> Vec<f64> {
    let first = values.partition_point(|value| *value <= low + 1e-9).max(1) - 1;
    let last = values.partition_point(|value| *value < high - 1e-9).min(values.len() - 1);
    values[first..=last].to_vec()
}

fn latency_scale(greatest: f64) -> Scale {
    match greatest {
        secs if secs >= 2.0 => Scale { factor: 1.0, sign: "", unit: " s" },
        secs if secs >= 2e-3 => Scale { factor: 1e3, sign: "", unit: " ms" },
        _ => Scale { factor: 1e6, sign: "", unit: " µs" },
    }
}

/// In what a time axis is labelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TimeUnit {
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl TimeUnit {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
        }
    }

    fn of(span: f64) -> Self {
        match span {
            span if span <= 180.0 => Self::Seconds,
            span if span <= 3.0 * 3_600.0 => Self::Minutes,
            span if span <= 4.0 * 86_400.0 => Self::Hours,
            _ => Self::Days,
        }
    }

    const fn seconds(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
            Self::Hours => 3_600.0,
            Self::Days => 86_400.0,
        }
    }
}

/// How a value is written: times `factor`, with a sign before it and a unit behind it.
#[derive(Clone, Copy, Debug)]
struct Scale {
    factor: f64,
    sign: &'static str,
    unit: &'static str,
}

fn ticks(low: f64, high: f64, step: f64, scale: Scale) -> Vec<Tick> {
    // Counted, not added up: sums of steps would drift off the round values.
    let count = ((high - low) / step + 1e-6).floor() as u64;
    (0..=count).map(|index| tick(low + index as f64 * step, scale)).collect()
}

fn tick(value: f64, scale: Scale) -> Tick {
    let shown = format_significant(value * scale.factor, 4);
    let label = format!("{}{shown}{}", scale.sign, scale.unit);
    Tick { value, label }
}

/// The least of 1, 2, 2.5 and 5 times a power of ten that is not below `value` (positive).
fn round_up(value: f64) -> f64 {
    let decade = round_up_to_decade(value);
    let fits = |part: &f64| decade * part >= value * (1.0 - 1e-9);
    decade * [0.2, 0.25, 0.5].into_iter().find(fits).unwrap_or(1.0)
}

/// The least power of ten that is not below `value` (positive).
fn round_up_to_decade(value: f64) -> f64 {
    let mut decade = 1.0;
    while decade < value * (1.0 - 1e-9) {
        decade *= 10.0;
    }
    while decade / 10.0 >= value * (1.0 - 1e-9) {
        decade /= 10.0;
    }
    decade
}

const DECADES: [f64; 1] = [1.0];

/// Chosen: on more than this the labels of 2 and 5 would touch those of 1 and 10.
const MANY_DECADES: f64 = 2_000.0;

/// What lies beyond a quantile, with the quantile's name.
const QUANTILES: [(f64, &str); 11] = [
    (1.0, "min"),
    (0.5, "p50"),
    (0.25, "p75"),
    (0.1, "p90"),
    (0.05, "p95"),
    (0.01, "p99"),
    (0.001, "p99.9"),
    (0.000_1, "p99.99"),
    (0.000_01, "p99.999"),
    (0.000_001, "p99.9999"),
    (0.000_000_1, "p99.99999"),
];

/// Chosen: from here on a linear axis would squeeze the least value into the lowest 4 %.
const LOGARITHMIC_FROM: f64 = 25.0;

/// Chosen: four labels fit beside a panel of the timeline chart.
const MOST_STEPS: f64 = 4.0;

/// Chosen: an axis of no change at all still shows how small a change it would show.
const LEAST_CHANGE: f64 = 0.01;
const MOST_FACTOR: f64 = 1_000.0;
/// Chosen: from here on a change of 5 % would vanish beside the greatest.
const FACTORS_FROM: f64 = 6.0;
const MOST_CHANGE_STEPS: f64 = 8.0;
/// Ticks of an axis of factors: changes of -99.9 %, -99 %, -90 %, -50 %, none, +100 % and so on.
const FACTORS: [f64; 11] = [0.001, 0.01, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 100.0, 1_000.0];

/// Steps of a time axis in seconds, at which clocks have round values.
const TIME_STEPS: [f64; 24] = [
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    900.0,
    1_200.0,
    1_800.0,
    3_600.0,
    7_200.0,
    10_800.0,
    21_600.0,
    43_200.0,
    86_400.0,
    172_800.0,
    432_000.0,
    864_000.0,
    1_728_000.0,
    4_320_000.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_zero_unless_that_would_hide_the_least() {
        let labels = |axis: &Axis| {
            axis.ticks.iter().map(|tick| tick.label.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(labels(&Axis::numbers(2.0, 10.0)), "0 2.5 5 7.5 10");
        assert_eq!(labels(&Axis::numbers(1.0, 100.0)), "1 2 5 10 20 50 100");
        let both = Axis::numbers(-3.0, 5.0);
        assert_eq!(labels(&both), "-4 -2 0 2 4 6");
        assert!(both.place(-3.0) > 0.0 && both.place(5.0) < 1.0);
    }

    #[test]
    fn names_stand_in_the_middle_of_what_they_name() {
        let axis = Axis::names(&["even", "random"].map(str::to_owned));
        assert_eq!((axis.place(0.5), axis.place(1.5)), (0.25, 0.75));
        assert_eq!(axis.text(1.4), "random");
        assert_eq!(Axis::names(&[]).text(0.5), "");
    }

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn axes_from_zero_end_at_a_round_value_above_the_greatest() {
        let axis = Axis::shares(0.083);
        assert_eq!(labels(&axis), ["0 %", "2.5 %", "5 %", "7.5 %", "10 %"]);
        assert_eq!(labels(&Axis::shares(1.0)), ["0 %", "25 %", "50 %", "75 %", "100 %"]);
        assert_eq!(axis.place(0.05), 0.5);
        assert_eq!(labels(&Axis::rates(0.028)), ["0/min", "0.5/min", "1/min", "1.5/min", "2/min"]);
        assert_eq!(
            labels(&Axis::latencies(0.4, 1.9)),
            ["0 ms", "500 ms", "1,000 ms", "1,500 ms", "2,000 ms"]
        );
        assert_eq!(labels(&Axis::latencies(0.4, 2.1)), ["0 s", "1 s", "2 s", "3 s"]);
    }

    #[test]
    fn latencies_far_apart_get_a_logarithmic_axis() {
        let axis = Axis::latencies(0.04, 30.0);
        assert_eq!(labels(&axis), ["0.1 s", "1 s", "10 s"]);
        assert!(axis.place(0.04) >= 0.0 && axis.place(30.0) <= 1.0);
        let equal_factors = axis.place(10.0) - axis.place(1.0) - axis.place(1.0) + axis.place(0.1);
        assert!(equal_factors.abs() < 1e-12);
    }

    #[test]
    fn shares_and_numbers_have_decades_of_equal_width() {
        let axis = Axis::logarithmic_shares(0.002);
        assert_eq!(labels(&axis), ["1 %", "10 %", "100 %"]);
        assert!((axis.place(0.1) - axis.place(0.01) - (1.0 - axis.place(0.1))).abs() < 1e-12);
        assert_eq!(axis.text(0.05), "5.00 %");
        let axis = Axis::logarithmic_shares_to(2e-5, 8e-4);
        assert_eq!(labels(&axis), ["0.002 %", "0.005 %", "0.01 %", "0.02 %", "0.05 %", "0.1 %"]);
        let axis = Axis::logarithmic_numbers(3.0, 180.0);
        assert_eq!(labels(&axis), ["2", "5", "10", "20", "50", "100", "200"]);
        assert_eq!(axis.text(13.152), "13.2");
        let axis = Axis::logarithmic_numbers(1.0, 90_000.0);
        assert_eq!(labels(&axis), ["1", "10", "100", "1,000", "10,000", "100,000"]);
    }

    #[test]
    fn every_nine_of_a_quantile_axis_is_as_wide_as_the_one_before() {
        let axis = Axis::quantiles(0.001);
        let expected = ["min", "p50", "p75", "p90", "p95", "p99", "p99.9"];
        assert_eq!(labels(&axis), expected);
        for (quantile, place) in [(0.0, 0.0), (0.9, 1.0 / 3.0), (0.99, 2.0 / 3.0), (0.999, 1.0)] {
            assert!((axis.place(quantile) - place).abs() < 1e-9, "{quantile}");
        }
        assert_eq!(axis.text(0.999), "p99.9");
    }

    #[test]
    fn logarithmic_latencies_have_ticks_within_decades_where_there_is_room() {
        let axis = Axis::logarithmic_latencies(0.3, 9.0);
        assert_eq!(labels(&axis), ["0.2 s", "0.5 s", "1 s", "2 s", "5 s", "10 s"]);
        let wide = Axis::logarithmic_latencies(0.001, 20.0);
        assert_eq!(labels(&wide), ["0.001 s", "0.01 s", "0.1 s", "1 s", "10 s"]);
    }

    #[test]
    fn changes_lie_around_none() {
        let axis = Axis::changes(-0.12, 0.31);
        let expected = ["-20 %", "-10 %", "0 %", "+10 %", "+20 %", "+30 %", "+40 %"];
        assert_eq!(labels(&axis), expected);
        assert!((axis.place(0.0) - 1.0 / 3.0).abs() < 1e-12);
        assert!(axis.shows(0.4) && !axis.shows(0.41));
        assert_eq!(labels(&Axis::changes(0.0, 0.0))[4], "0 %");
        // From a half to ten times: ln 2 of ln 20 lies below none.
        let factors = Axis::changes(-0.3, 8.0);
        assert_eq!(labels(&factors), ["-50 %", "0 %", "+100 %", "+300 %", "+900 %"]);
        assert!((factors.place(0.0) - 0.231_378).abs() < 1e-6);
        assert!((factors.value_at(factors.place(2.0)) - 2.0).abs() < 1e-12);
        assert_eq!(factors.text(-0.285), "-28.5 %");
        assert_eq!(Axis::changes(-1.0, 1e9).ticks.len(), FACTORS.len());
    }

    #[test]
    fn what_is_read_off_carries_its_unit() {
        assert_eq!(Axis::shares(1.0).text(0.125), "12.50 %");
        assert_eq!(Axis::rates(5.0).text(8.33), "8.33/s");
        assert_eq!(Axis::latencies(0.1, 1.0).text(0.892), "892 ms");
        assert_eq!(Axis::counts(20_000).text(12_500.0), "12,500");
        assert_eq!(labels(&Axis::counts(20_000)), ["0k", "5k", "10k", "15k", "20k"]);
        assert_eq!(Axis::dollars(1.0).text(0.25), "$0.25");
        let (axis, _) = Axis::times(Duration::from_secs(600), 8);
        assert_eq!(axis.text(75.0), "+75 s");
    }

    #[test]
    fn times_are_labelled_in_the_unit_that_fits() {
        let (axis, unit) = Axis::times(Duration::from_secs(3_600), 8);
        assert_eq!(
            (labels(&axis), unit.name()),
            (vec!["0", "10", "20", "30", "40", "50", "60"], "minutes")
        );
        let (axis, unit) = Axis::times(Duration::from_secs(7 * 86_400), 8);
        assert_eq!((labels(&axis).len(), unit.name()), (8, "days"));
        let (axis, unit) = Axis::times(Duration::from_secs(90), 8);
        assert_eq!((labels(&axis)[1], unit.name()), ("15", "seconds"));
    }
}
