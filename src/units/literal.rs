//! The literals of scenario files: text with its unit to a quantity, or an error that says what
//! was found, what is allowed and what was probably meant.

use super::{Duration, Money, Quota, Rate, Ratio, Timestamp, Tokens};

/// A text that is no literal of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not {wanted}: {allowed}")]
pub struct LiteralError {
    found: String,
    wanted: &'static str,
    allowed: &'static str,
    suggestion: Option<String>,
}

impl LiteralError {
    fn new(found: &str, wanted: &'static str, allowed: &'static str) -> Self {
        let found = found.chars().take(60).collect();
        Self { found, wanted, allowed, suggestion: None }
    }

    fn suggest(mut self, suggestion: impl Into<Option<String>>) -> Self {
        self.suggestion = suggestion.into();
        self
    }

    /// A literal that was probably meant.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }
}

impl Duration {
    /// A duration such as `250ms`, `2s`, `1.5s`, `7m`, `1h30m`.
    ///
    /// # Errors
    /// No unit, an unknown or repeated unit, a negative or too long duration.
    pub fn parse(text: &str) -> Result<Self, LiteralError> {
        let error = || LiteralError::new(text, "a duration", DURATION_ALLOWED);
        let trimmed = text.trim();
        if let Ok(number) = trimmed.parse::<f64>() {
            let meant = (number >= 0.0).then(|| format!("{trimmed}s"));
            return Err(error().suggest(meant));
        }
        if let Some(positive) = trimmed.strip_prefix('-') {
            return Err(error().suggest(Self::parse(positive).ok().map(|_| positive.to_owned())));
        }
        let mut rest = trimmed;
        let mut total: u64 = 0;
        let mut last_unit = u64::MAX;
        while !rest.is_empty() {
            let (number, after) = take_number(rest).ok_or_else(error)?;
            let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
            let unit = unit_nanos(&after[..end]).ok_or_else(error)?;
            if unit >= last_unit {
                return Err(error());
            }
            let nanos = scale(number, unit).ok_or_else(error)?;
            total = total.checked_add(nanos).ok_or_else(error)?;
            last_unit = unit;
            rest = after[end..].trim_start();
        }
        if trimmed.is_empty() || total > LONGEST {
            return Err(error());
        }
        Ok(Self::from_nanos(total))
    }

    /// The shortest literal for exactly this duration: `1h30m`, `250ms`.
    pub fn to_literal(self) -> String {
        let mut nanos = self.as_nanos();
        if nanos == 0 {
            return "0s".to_owned();
        }
        let mut text = String::new();
        for (name, size) in UNITS {
            if nanos >= size {
                text.push_str(&format!("{}{name}", nanos / size));
                nanos %= size;
            }
        }
        text
    }
}

impl Ratio {
    /// A ratio such as `5%` or `0.05`.
    ///
    /// # Errors
    /// Not a number, or outside 0 to 1 (0 % to 100 %).
    pub fn parse(text: &str) -> Result<Self, LiteralError> {
        let error = || LiteralError::new(text, "a ratio", RATIO_ALLOWED);
        let trimmed = text.trim();
        let value = match trimmed.strip_suffix('%') {
            Some(percent) => decimal(percent.trim_end()).and_then(percent_to_ratio),
            None => decimal(trimmed),
        };
        let value = value.ok_or_else(error)?;
        let meant = (1.0..=100.0).contains(&value) && !trimmed.ends_with('%');
        Self::new(value).map_err(|_| error().suggest(meant.then(|| format!("{trimmed}%"))))
    }
}

impl Rate {
    /// A rate such as `25/s`, `10000/h`, `90/m`, `300000/d`.
    ///
    /// # Errors
    /// Not a number followed by `/s`, `/m`, `/min`, `/h` or `/d`, or outside 0 to 10^9 per second.
    pub fn parse(text: &str) -> Result<Self, LiteralError> {
        let error = || LiteralError::new(text, "a rate", RATE_ALLOWED);
        let trimmed = text.trim();
        if !trimmed.contains('/') {
            let meant = decimal(trimmed).filter(|n| *n > 0.0).map(|_| format!("{trimmed}/s"));
            return Err(error().suggest(meant));
        }
        per_time(trimmed).and_then(|(events, time)| Self::per(events, time)).ok_or_else(error)
    }
}

impl Quota {
    /// A quota such as `500/m` or `90000/m`: the time is the one in which so much may be used up,
    /// so that `10/s` and `600/m` differ.
    ///
    /// # Errors
    /// Not a number followed by `/s`, `/m`, `/min`, `/h` or `/d`, 0, or above 10^9 per second.
    pub fn parse(text: &str) -> Result<Self, LiteralError> {
        let error = || LiteralError::new(text, "a quota", QUOTA_ALLOWED);
        let trimmed = text.trim();
        if !trimmed.contains('/') {
            let meant = decimal(trimmed).filter(|n| *n > 0.0).map(|_| format!("{trimmed}/m"));
            return Err(error().suggest(meant));
        }
        per_time(trimmed).and_then(|(amount, time)| Self::per(amount, time)).ok_or_else(error)
    }
}

/// The number and the time of `25/s`.
fn per_time(text: &str) -> Option<(f64, Duration)> {
    let (number, unit) = text.split_once('/')?;
    let seconds = match unit.trim() {
        "s" | "sec" | "second" => 1,
        "m" | "min" | "minute" => 60,
        "h" | "hour" => 3_600,
        "d" | "day" => 86_400,
        _ => return None,
    };
    Some((decimal(number.trim_end())?, Duration::from_secs(seconds)))
}

impl Money {
    /// An amount such as `0.008 USD`; at most 10^6 USD, at least 10^-12 USD fine.
    ///
    /// # Errors
    /// No currency, another currency, negative, too fine or too large.
    pub fn parse(text: &str) -> Result<Self, LiteralError> {
        let error = || LiteralError::new(text, "an amount of money", MONEY_ALLOWED);
        let trimmed = text.trim();
        let Some(number) = trimmed.strip_suffix("USD") else {
            let bare = trimmed.trim_start_matches('$');
            return Err(error().suggest(decimal(bare).map(|_| format!("{bare} USD"))));
        };
        let pico = scale(number.trim(), 1_000_000_000_000).filter(|pico| *pico <= DEAREST);
        pico.map(|pico| Self::from_pico_usd(u128::from(pico))).ok_or_else(error)
    }
}

impl Tokens {
    /// A number of tokens such as `512 tokens` or `512`.
    ///
    /// # Errors
    /// Not a whole number from 0 to 4,294,967,295.
    pub fn parse(text: &str) -> Result<Self, LiteralError> {
        let bare = text.trim().trim_end_matches("tokens").trim_end_matches("token").trim_end();
        bare.parse()
            .map(Self::new)
            .map_err(|_| LiteralError::new(text, "a number of tokens", TOKENS_ALLOWED))
    }
}

/// A number of requests such as `500 requests` or `500`.
///
/// # Errors
/// Not a whole number from 0 to 10^15.
pub fn parse_requests(text: &str) -> Result<u64, LiteralError> {
    let bare = text.trim().trim_end_matches("requests").trim_end_matches("request").trim_end();
    let count = bare.parse().ok().filter(|count| *count <= MOST_REQUESTS);
    count.ok_or_else(|| LiteralError::new(text, "a number of requests", REQUESTS_ALLOWED))
}

impl std::str::FromStr for Timestamp {
    type Err = LiteralError;
    fn from_str(text: &str) -> Result<Self, LiteralError> {
        parse_timestamp(text)
    }
}

/// RFC 3339 with a zone: `2024-03-15T11:00:00Z`.
fn parse_timestamp(text: &str) -> Result<Timestamp, LiteralError> {
    let error = || LiteralError::new(text, "a point in time", TIMESTAMP_ALLOWED);
    let trimmed = text.trim();
    let parse = |text: &str| {
        let nanos = text.parse::<jiff::Timestamp>().ok()?.as_nanosecond();
        i64::try_from(nanos).ok().map(Timestamp::from_nanos)
    };
    parse(trimmed).ok_or_else(|| {
        let zoned = format!("{trimmed}Z");
        let day = format!("{trimmed}T00:00:00Z");
        error().suggest([zoned, day].into_iter().find(|text| parse(text).is_some()))
    })
}

/// A plain decimal number: digits with at most one point, no sign but `+`, no exponent but as in
/// `1e-9`, no `nan` or `inf`.
fn decimal(text: &str) -> Option<f64> {
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+');
    if !text.chars().all(numeric) {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// `5` as 0.05: parsed anew with the exponent shifted, so that `5%` and `0.05` are the same number.
fn percent_to_ratio(percent: f64) -> Option<f64> {
    format!("{percent}e-2").parse().ok()
}

/// The leading decimal number of `text` and what follows it.
fn take_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    (!number.is_empty() && number != ".").then(|| (number, rest.trim_start()))
}

/// `number` (a decimal without sign) times `unit`, exactly; `None` if it is no number, finer than
/// the unit can express, or too large.
fn scale(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()?.checked_mul(unit)? };
    if fraction.is_empty() {
        return Some(whole);
    }
    let denominator = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let numerator = fraction.parse::<u128>().ok()?.checked_mul(u128::from(unit))?;
    if numerator % denominator != 0 {
        return None;
    }
    whole.checked_add(u64::try_from(numerator / denominator).ok()?)
}

fn unit_nanos(name: &str) -> Option<u64> {
    let name = if name == "us" { "µs" } else { name };
    UNITS.iter().find(|(unit, _)| *unit == name).map(|(_, nanos)| *nanos)
}

const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// Chosen: 100 years in nanoseconds. Start + duration stays inside [`Timestamp`]'s range.
const LONGEST: u64 = 100 * 365 * 86_400_000_000_000;
/// Chosen: a million dollars per 1,000 tokens is a mistake, not a price.
const DEAREST: u64 = 1_000_000_000_000_000_000;

const DURATION_ALLOWED: &str = "write a number with its unit (d, h, m, s, ms, us, ns), largest \
     first, such as 250ms or 1h30m, from 0s to 100 years";
const RATIO_ALLOWED: &str = "write 0% to 100%, or 0 to 1";
const RATE_ALLOWED: &str = "write events per /s, /m, /h or /d, such as 25/s, up to 1e9/s";
const QUOTA_ALLOWED: &str = "write an amount per second, minute, hour or day, such as 500/m, more \
                             than 0";
const MONEY_ALLOWED: &str =
    "write dollars with their currency, such as 0.008 USD, up to 1000000 USD";
/// Chosen: more than any system answers in a year.
const MOST_REQUESTS: u64 = 1_000_000_000_000_000;
const REQUESTS_ALLOWED: &str = "write a whole number, such as 500 or 500 requests, up to 10^15";
const TOKENS_ALLOWED: &str = "write a whole number, such as 512 or 512 tokens, up to 4294967295";
const TIMESTAMP_ALLOWED: &str =
    "write date, time and zone, such as 2024-03-15T11:00:00Z, from 1678 to 2261";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_numbers_with_units() {
        let cases = [
            ("250ms", Duration::from_millis(250)),
            ("2s", Duration::from_secs(2)),
            ("1h30m", Duration::from_secs(5_400)),
            ("1.5s", Duration::from_millis(1_500)),
            ("0s", Duration::ZERO),
            ("1h 2m 3s", Duration::from_secs(3_723)),
            ("0.1ms", Duration::from_micros(100)),
        ];
        for (text, duration) in cases {
            assert_eq!(Duration::parse(text), Ok(duration), "{text}");
        }
    }

    #[test]
    fn durations_without_sense_are_refused() {
        let cases = [
            "",
            "5",
            "-5s",
            "5 parsecs",
            "NaNs",
            "1m1h",
            "1s1s",
            "s",
            "1.2.3s",
            "0.1ns",
            "999999d",
        ];
        for text in cases {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
        assert_eq!(Duration::parse("5").unwrap_err().suggestion(), Some("5s"));
        assert_eq!(Duration::parse("-5s").unwrap_err().suggestion(), Some("5s"));
    }

    #[test]
    fn duration_literals_come_back_the_same() {
        for nanos in [0, 1, 1_001, 250_000_000, 5_400_000_000_000, 90_061_001_002_003] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(Duration::parse(&duration.to_literal()), Ok(duration));
        }
    }

    #[test]
    fn five_percent_is_the_same_number_as_its_ratio() {
        assert_eq!(Ratio::parse("5%").unwrap().get(), 0.05);
        assert_eq!(Ratio::parse("0.08 %").unwrap().get(), 0.0008);
        assert_eq!(Ratio::parse("0.07%").unwrap().get(), 0.0007);
        assert_eq!(Ratio::parse("1e-9").unwrap().get(), 1e-9);
        for text in ["101%", "-1%", "nan", "inf%", "", "5 percent", "1.01"] {
            assert!(Ratio::parse(text).is_err(), "{text}");
        }
        assert_eq!(Ratio::parse("50").unwrap_err().suggestion(), Some("50%"));
    }

    #[test]
    fn rates_and_money_and_tokens_carry_their_unit() {
        assert_eq!(Rate::parse("30000/h").unwrap().per_second(), 30_000.0 / 3_600.0);
        assert_eq!(Rate::parse("5").unwrap_err().suggestion(), Some("5/s"));
        assert!(Rate::parse("-5/s").is_err());
        assert!(Rate::parse("5/fortnight").is_err());
        let quota = Quota::parse("600/m").unwrap();
        assert_eq!((quota.amount(), quota.period()), (600.0, Duration::from_secs(60)));
        assert_ne!(quota, Quota::parse("10/s").unwrap());
        assert_eq!(Quota::parse("500").unwrap_err().suggestion(), Some("500/m"));
        assert!(Quota::parse("0/m").is_err());
        assert_eq!(Money::parse("0.008 USD").unwrap().as_pico_usd(), 8_000_000_000);
        assert_eq!(Money::parse("$0.01").unwrap_err().suggestion(), Some("0.01 USD"));
        assert!(Money::parse("1 EUR").is_err());
        assert_eq!(Tokens::parse("512 tokens"), Ok(Tokens::new(512)));
        assert_eq!((parse_requests("500 requests"), parse_requests("1")), (Ok(500), Ok(1)));
        assert!(parse_requests("500 tokens").is_err());
        assert!(Tokens::parse("1.5").is_err());
    }

    #[test]
    fn points_in_time_need_a_zone() {
        assert!("2024-03-15T11:00:00Z".parse::<Timestamp>().is_ok());
        assert_eq!(
            "2024-03-15T12:00:00+01:00".parse::<Timestamp>().unwrap().to_string(),
            "2024-03-15T11:00:00Z"
        );
        let error = "2024-03-15T11:00:00".parse::<Timestamp>().unwrap_err();
        assert_eq!(error.suggestion(), Some("2024-03-15T11:00:00Z"));
        let error = "2024-03-15".parse::<Timestamp>().unwrap_err();
        assert_eq!(error.suggestion(), Some("2024-03-15T00:00:00Z"));
    }
}
