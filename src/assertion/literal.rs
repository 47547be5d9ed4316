//! A figure of an assertion with its unit.

use std::fmt;

use super::kind::Kind;
use crate::metric::Unit;
use crate::units::{Duration, LiteralError, Money, Rate, Ratio, Tokens};

/// A figure with its unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Literal {
    /// A number of things, at most 2^53: every one of them is exact as a double.
    Count(u64),
    /// A share.
    Ratio(Ratio),
    /// A probability under a hypothesis.
    Probability(Ratio),
    /// A length of time.
    Time(Duration),
    /// Tokens.
    Tokens(Tokens),
    /// Tokens per second.
    Speed(Rate),
    /// Requests per second.
    Flow(Rate),
    /// Dollars.
    Money(Money),
    /// A number, or a percentage that need not lie between 0 and 100 %: a factor, a difference.
    Number(f64),
}

impl Literal {
    /// Its number in the base unit: seconds, a ratio, dollars, a count.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Ratio(ratio) | Self::Probability(ratio) => ratio.get(),
            Self::Time(duration) => duration.as_secs_f64(),
            Self::Tokens(tokens) => f64::from(tokens.get()),
            Self::Speed(rate) | Self::Flow(rate) => rate.per_second(),
            Self::Money(money) => money.as_usd(),
            Self::Number(number) => number,
        }
    }

    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Count(_) => Kind::Of(Unit::Count),
            Self::Ratio(_) => Kind::Of(Unit::Ratio),
            Self::Probability(_) => Kind::Of(Unit::PValue),
            Self::Time(_) => Kind::Of(Unit::Time),
            Self::Tokens(_) => Kind::Of(Unit::Tokens),
            Self::Speed(_) => Kind::Of(Unit::TokensPerSecond),
            Self::Flow(_) => Kind::Of(Unit::RequestsPerSecond),
            Self::Money(_) => Kind::Of(Unit::Money),
            Self::Number(_) => Kind::Number,
        }
    }

    /// `text` as a figure of `unit`.
    pub(super) fn of_unit(unit: Unit, text: &str) -> Result<Self, NoLiteral> {
        let literal = match unit {
            Unit::Ratio => Ratio::parse(text).map(Self::Ratio),
            Unit::PValue => Ratio::parse(text).map(Self::Probability),
            Unit::Time => Duration::parse(text).map(Self::Time),
            Unit::Tokens => Tokens::parse(text).map(Self::Tokens),
            Unit::TokensPerSecond => Rate::parse(text).map(Self::Speed),
            Unit::RequestsPerSecond => Rate::parse(text).map(Self::Flow),
            Unit::Money => Money::parse(text).map(Self::Money),
            Unit::Count => {
                let count = text.parse::<u64>().ok().filter(|count| *count <= LARGEST_COUNT);
                return count.map(Self::Count).ok_or(NoLiteral::Count);
            }
        };
        literal.map_err(NoLiteral::Unit)
    }

    /// `text` as a number or percentage, with a sign or without: `1.2`, `-5%`.
    pub(super) fn number(text: &str) -> Option<Self> {
        let (digits, percent) = match text.strip_suffix('%') {
            Some(digits) => (digits.trim_end(), true),
            None => (text, false),
        };
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b".+-eE".contains(&b));
        let number: f64 = digits.parse().ok().filter(|number: &f64| plain && number.is_finite())?;
        // Parsed anew with the exponent shifted, so that 5% and 0.05 are the same number.
        match percent {
            true => format!("{number}e-2").parse().ok().map(Self::Number),
            false => Some(Self::Number(number)),
        }
    }

    /// Nothing, in the same unit.
    pub(super) fn nothing(self) -> Self {
        match self {
            Self::Count(_) => Self::Count(0),
            Self::Ratio(_) => Self::Ratio(Ratio::ZERO),
            Self::Probability(_) => Self::Probability(Ratio::ZERO),
            Self::Time(_) => Self::Time(Duration::ZERO),
            Self::Tokens(_) => Self::Tokens(Tokens::new(0)),
            Self::Speed(_) => Self::Speed(Rate::ZERO),
            Self::Flow(_) => Self::Flow(Rate::ZERO),
            Self::Money(_) => Self::Money(Money::ZERO),
            Self::Number(_) => Self::Number(0.0),
        }
    }

    /// `text` as a figure of the unit that it names itself; `None` where it names none.
    pub(super) fn of_its_own(text: &str) -> Option<Self> {
        let units = [Unit::Time, Unit::Tokens, Unit::RequestsPerSecond, Unit::Money];
        let number = Self::number(text);
        number.or_else(|| units.into_iter().find_map(|unit| Self::of_unit(unit, text).ok()))
    }
}

/// Why a text is no figure of a unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum NoLiteral {
    Unit(LiteralError),
    Count,
}

/// 2^53: every smaller count is exact as a double.
const LARGEST_COUNT: u64 = 9_007_199_254_740_992;

/// The literal that is read back as the same value.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Ratio(ratio) | Self::Probability(ratio) => {
                // A percentage reads better; where it is not the same number, the ratio itself.
                let percent = format!("{}%", ratio.get() * 100.0);
                match Ratio::parse(&percent) {
                    Ok(same) if same == *ratio => f.write_str(&percent),
                    _ => write!(f, "{}", ratio.get()),
                }
            }
            Self::Time(duration) => f.write_str(&duration.to_literal()),
            Self::Tokens(tokens) => write!(f, "{} tokens", tokens.get()),
            Self::Speed(rate) | Self::Flow(rate) => write!(f, "{}/s", rate.per_second()),
            Self::Money(money) => {
                let pico = money.as_pico_usd();
                let fraction = format!("{:012}", pico % PICO_PER_USD);
                let fraction = fraction.trim_end_matches('0');
                let point = if fraction.is_empty() { "" } else { "." };
                write!(f, "{}{point}{fraction} USD", pico / PICO_PER_USD)
            }
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

const PICO_PER_USD: u128 = 1_000_000_000_000;
