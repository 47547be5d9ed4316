//! Values as they are written in a scenario.

use crate::units::{Duration, Money};

use super::quantile_table::significant;

/// A number, in plain decimal notation.
pub(super) fn number(value: f64) -> String {
    format!("{value}")
}

/// Requests per second.
pub(super) fn rate(per_second: f64) -> String {
    format!("{per_second}/s")
}

/// A length of time, exact to the nanosecond.
pub(super) fn duration(seconds: f64) -> String {
    Duration::from_secs_f64(seconds).to_literal()
}

/// A share; nine digits after the point of the percentage.
pub(super) fn ratio(share: f64) -> String {
    // Scaled and rounded in decimal: 0.07 times 100 is not 7 in binary.
    let text = format!("{:.9}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A price for 1,000 tokens; to four significant digits.
pub(super) fn money(usd: f64) -> String {
    let pico = (significant(usd, 4) * 1e12).round() as u128;
    // Decimal by digits: exact, and never in exponents.
    let pico = Money::from_pico_usd(pico).as_pico_usd();
    let (whole, rest) = (pico / 1_000_000_000_000, pico % 1_000_000_000_000);
    let text = format!("{whole}.{rest:012}");
    format!("{} USD", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A text in double quotes.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text.replace("${", "$${")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Rate, Ratio};

    #[test]
    fn what_is_written_is_read_back() {
        for share in [0.0, 1e-9, 0.07, 0.123_456_789, 1.0 / 3.0, 0.999, 1.0] {
            let read = Ratio::parse(&ratio(share)).unwrap().get();
            assert!((read - share).abs() <= 5.1e-12, "{share}: {}", ratio(share));
        }
        assert_eq!((ratio(0.07), ratio(1.0)), ("7%".to_owned(), "100%".to_owned()));
        for seconds in [0.0, 1e-9, 0.04, 1.234_5, 86_400.5] {
            let read = Duration::parse(&duration(seconds)).unwrap().as_secs_f64();
            assert!((read - seconds).abs() < 1e-9, "{seconds}");
        }
        assert_eq!(Rate::parse(&rate(0.000_25)).unwrap().per_second(), 0.000_25);
        for usd in [0.008, 1e-9, 2.5, 0.000_123_4] {
            assert_eq!(Money::parse(&money(usd)).unwrap().as_usd(), usd);
        }
    }
}
