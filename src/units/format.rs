//! The one set of formatters: how every figure looks wherever a person reads it.

use std::fmt;

use super::{Duration, Money, Quota, Rate, Ratio, Tokens};

/// A length of time for reading: three significant digits, the unit that fits.
///
/// ```
/// use coalmine::units::{Duration, format_duration};
/// assert_eq!(format_duration(Duration::from_millis(892)), "892 ms");
/// assert_eq!(format_duration(Duration::from_millis(1_247)), "1.25 s");
/// assert_eq!(format_duration(Duration::from_secs(450)), "7m 30s");
/// ```
pub fn format_duration(duration: Duration) -> String {
    let secs = duration.as_secs_f64();
    if duration.is_zero() {
        "0 s".to_owned()
    } else if secs < 1e-6 {
        format!("{} ns", duration.as_nanos())
    } else if secs < 999.5e-6 {
        format!("{} µs", format_significant(secs * 1e6, 3))
    } else if secs < 0.9995 {
        format!("{} ms", format_significant(secs * 1e3, 3))
    } else if secs < 120.0 {
        format!("{} s", format_significant(secs, 3))
    } else {
        clock_like(duration)
    }
}

/// `7m 30s`, `2h 5m`, `3d 4h`: the two leading units.
fn clock_like(duration: Duration) -> String {
    let seconds = duration.saturating_add(Duration::from_millis(500)).as_secs();
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let first = units.iter().position(|(_, size)| seconds >= *size).unwrap_or(3);
    let (name, size) = units[first];
    let mut text = format!("{}{name}", format_count(seconds / size));
    if let Some((name, smaller)) = units.get(first + 1) {
        let rest = seconds % size / smaller;
        if rest > 0 {
            text.push_str(&format!(" {rest}{name}"));
        }
    }
    text
}

/// How long after a beginning something happened: the seconds that have passed, in all units that
/// they make, so that events of a day can still be told apart.
///
/// ```
/// use coalmine::units::{Duration, format_elapsed};
/// assert_eq!(format_elapsed(Duration::from_millis(3_675_900)), "1h 1m 15s");
/// assert_eq!(format_elapsed(Duration::from_millis(75_400)), "75 s");
/// ```
pub fn format_elapsed(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    if seconds < 120 {
        return format!("{seconds} s");
    }
    let parts = [("d", seconds / 86_400), ("h", seconds / 3_600 % 24), ("m", seconds / 60 % 60)];
    let parts = parts.into_iter().chain([("s", seconds % 60)]);
    let parts = parts.filter(|(_, count)| *count > 0);
    let parts: Vec<_> =
        parts.map(|(unit, count)| format!("{}{unit}", format_count(count))).collect();
    parts.join(" ")
}

/// Milliseconds with a thousands separator, as the comparison table shows latencies: `1,247 ms`;
/// a decimal where there are fewer than 10.
pub fn format_millis(duration: Duration) -> String {
    let millis = duration.as_millis_f64();
    if millis < 9.95 {
        format!("{millis:.1} ms")
    } else {
        format!("{} ms", format_count((duration.as_nanos() + 500_000) / 1_000_000))
    }
}

/// A percentage for reading: `0.12 %`, `99.88 %`; small ones keep two significant digits.
///
/// ```
/// use coalmine::units::format_percent;
/// assert_eq!(format_percent(0.9988), "99.88 %");
/// assert_eq!(format_percent(0.000_001_2), "0.00012 %");
/// ```
pub fn format_percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    if percent == 0.0 || percent.abs() >= 0.1 {
        format!("{percent:.2} %")
    } else {
        format!("{} %", format_significant(percent, 2))
    }
}

/// A share that somebody set, in as many digits as it has: `5 %`, `12.5 %`.
pub fn format_set_share(ratio: f64) -> String {
    format!("{} %", format_significant(ratio * 100.0, 3))
}

/// The probability of what was seen under a hypothesis, as statistics write it: two significant
/// digits, and nothing finer than 0.0001.
///
/// ```
/// use coalmine::units::format_p_value;
/// assert_eq!(format_p_value(0.003), "0.003");
/// assert_eq!(format_p_value(0.000_004), "< 0.0001");
/// ```
pub fn format_p_value(probability: f64) -> String {
    if probability < LEAST_P_VALUE {
        format!("< {LEAST_P_VALUE}")
    } else {
        format_significant(probability, 2)
    }
}

/// Dollars for reading: `$0.008`, `$12.50`; small amounts keep three significant digits.
pub fn format_money(usd: f64) -> String {
    if usd == 0.0 {
        "$0".to_owned()
    } else if usd >= 1_000.0 {
        format!("${}", group_thousands(&format!("{usd:.2}")))
    } else if usd >= 1.0 {
        format!("${usd:.2}")
    } else {
        format!("${}", format_significant(usd, 3))
    }
}

/// A whole number with thousands separators: `10,000`.
pub fn format_count(count: u64) -> String {
    group_thousands(&count.to_string())
}

/// A number with the word for the things counted: `1 phase`, `10,000 phases`.
pub fn format_counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", format_count(count), if count == 1 { one } else { many })
}

/// A rate in the unit that reads best: `8.33/s`, `1.68/min`.
pub fn format_rate(rate: Rate) -> String {
    let per_second = rate.per_second();
    if per_second == 0.0 {
        "0/s".to_owned()
    } else if per_second >= 0.1 {
        format!("{}/s", format_significant(per_second, 3))
    } else if per_second >= 0.1 / 60.0 {
        format!("{}/min", format_significant(per_second * 60.0, 3))
    } else {
        format!("{}/h", format_significant(per_second * 3_600.0, 3))
    }
}

/// A change in percent with its sign: `-28.5 %`, `+3 %`, `±0 %`; above +1,000 % the multiple that
/// it makes: `512 times`.
pub fn format_change(percent: f64) -> String {
    if percent > MOST_PERCENT {
        return format!("{} times", format_significant(percent / 100.0 + 1.0, 3));
    }
    let digits = if percent.abs() >= 100.0 { 4 } else { 3 };
    let rounded = format_significant((percent * 10.0).round() / 10.0, digits);
    match rounded.as_str() {
        "0" | "-0" => "±0 %".to_owned(),
        text if text.starts_with('-') => format!("{text} %"),
        text => format!("+{text} %"),
    }
}

/// Chosen: who reads +1,000 % still sees eleven times as much, and +51,099 % nobody does.
const MOST_PERCENT: f64 = 1_000.0;

/// `value` rounded to `digits` significant digits, in plain decimal notation without trailing
/// zeros: `0.0121`, `12.5`, `1,250`. Digits before the point are never rounded away.
pub fn format_significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    // Scientific notation rounds correctly and tells the exponent after rounding.
    let scientific = format!("{value:.*e}", digits.saturating_sub(1));
    let exponent: i32 =
        scientific.split_once('e').and_then(|(_, text)| text.parse().ok()).unwrap_or(0);
    let wanted = i32::try_from(digits).unwrap_or(i32::MAX) - 1 - exponent;
    let decimals = usize::try_from(wanted).unwrap_or(0);
    let mut text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    group_thousands(&text)
}

/// Puts a comma between each group of three digits before the point.
fn group_thousands(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut grouped = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(*self))
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_rate(*self))
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `500 in 1 min`, as it was stated.
impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", format_significant(self.amount(), 6), self.period())
    }
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tokens", format_count(u64::from(self.get())))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_money(self.as_usd()))
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_percent(self.get()))
    }
}

/// From the customs of statistical reports: what is smaller says nothing more.
const LEAST_P_VALUE: f64 = 0.0001;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_carry_their_sign_and_one_decimal() {
        let cases = [
            (-28.467, "-28.5 %"),
            (3.0, "+3 %"),
            (0.04, "±0 %"),
            (-0.04, "±0 %"),
            (-100.0, "-100 %"),
            (99.97, "+100 %"),
            (1_000.0, "+1,000 %"),
            // 1 + 12.3456, 1 + 510.99 and 1 + 1,234,566 of what there was.
            (1_234.56, "13.3 times"),
            (51_099.0, "512 times"),
            (123_456_600.0, "1,234,567 times"),
        ];
        for (percent, text) in cases {
            assert_eq!(format_change(percent), text);
        }
    }

    #[test]
    fn durations_take_the_unit_that_fits() {
        let cases = [
            (0, "0 s"),
            (15, "15 ns"),
            (1_500, "1.5 µs"),
            (999_700, "1 ms"),
            (40_000_000, "40 ms"),
            (999_600_000, "1 s"),
            (75_000_000_000, "75 s"),
            (119_960_000_000, "120 s"),
            (120_000_000_000, "2m"),
            (7_500_000_000_000, "2h 5m"),
            (9_000_000_000_000_000, "104d 4h"),
            (u64::MAX, "213,503d 23h"),
        ];
        for (nanos, text) in cases {
            assert_eq!(format_duration(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn table_figures_look_like_the_published_ones() {
        assert_eq!(format_millis(Duration::from_micros(1_247_400)), "1,247 ms");
        assert_eq!(format_millis(Duration::from_micros(1_234)), "1.2 ms");
        assert_eq!(format_percent(0.0012), "0.12 %");
        assert_eq!(format_percent(0.0008), "0.08 %");
        assert_eq!(format_percent(0.0), "0.00 %");
        assert_eq!(format_money(0.008), "$0.008");
        assert_eq!(format_money(1234.5), "$1,234.50");
        assert_eq!(format_count(1_234_567), "1,234,567");
    }

    #[test]
    fn p_values_are_plain_numbers_with_a_least_one() {
        let cases = [
            (1.0, "1"),
            (0.999_9, "1"),
            (0.048_7, "0.049"),
            (0.003, "0.003"),
            (0.000_1, "0.0001"),
            (0.000_099_9, "< 0.0001"),
            (0.0, "< 0.0001"),
        ];
        for (p_value, text) in cases {
            assert_eq!(format_p_value(p_value), text);
        }
    }

    #[test]
    fn significant_digits_survive_rounding_up_to_the_next_power() {
        assert_eq!(format_significant(0.009_996, 3), "0.01");
        assert_eq!(format_significant(9.996, 3), "10");
        assert_eq!(format_significant(12_345.0, 3), "12,345");
        assert_eq!(format_significant(-0.5, 2), "-0.5");
    }

    #[test]
    fn rates_take_the_unit_that_fits() {
        let hour = Duration::from_secs(3_600);
        assert_eq!(format_rate(Rate::per(30_000.0, hour).unwrap()), "8.33/s");
        assert_eq!(format_rate(Rate::per(100.0, hour).unwrap()), "1.67/min");
        assert_eq!(format_rate(Rate::per(2.0, hour).unwrap()), "2/h");
    }
}
