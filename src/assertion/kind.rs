//! What kind of value an expression has, and what becomes of kinds in arithmetic.

use std::fmt;

use crate::metric::Unit;

/// The kind of an expression's value: what it can be added to and compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A value of a unit.
    Of(Unit),
    /// The quotient of two values of one unit: a number that can be more than 1.
    Quotient,
    /// A number without a unit, as written: a factor.
    Number,
}

impl Kind {
    /// The kind of a sum or a difference, and of what can be compared; `None` where the two do not
    /// go together.
    pub(super) fn with(self, other: Self) -> Option<Self> {
        match (self, other) {
            (one, other) if one == other => Some(one),
            (Self::Quotient, Self::Of(Unit::Ratio)) | (Self::Of(Unit::Ratio), Self::Quotient) => {
                Some(Self::Quotient)
            }
            (Self::Number, other) | (other, Self::Number) if other.takes_numbers() => Some(other),
            _ => None,
        }
    }

    /// The kind of a product; `None` where it would mean nothing.
    pub(super) fn times(self, other: Self) -> Option<Self> {
        let rate = |kind| match kind {
            Self::Of(Unit::RequestsPerSecond) => Some(Self::Of(Unit::Count)),
            Self::Of(Unit::TokensPerSecond) => Some(Self::Of(Unit::Tokens)),
            _ => None,
        };
        match (self, other) {
            (rated, Self::Of(Unit::Time)) | (Self::Of(Unit::Time), rated)
                if rate(rated).is_some() =>
            {
                rate(rated)
            }
            (Self::Number, kind) | (kind, Self::Number) => Some(kind),
            (share, kind) | (kind, share) if share.is_share() => Some(kind),
            (Self::Of(Unit::Count), kind) | (kind, Self::Of(Unit::Count)) => Some(kind),
            _ => None,
        }
    }

    /// The kind of a quotient; `None` where it would mean nothing.
    pub(super) fn over(self, other: Self) -> Option<Self> {
        match (self, other) {
            (kind, Self::Number) => Some(kind),
            (one, other) if one == other || (one.is_share() && other.is_share()) => {
                Some(Self::Quotient)
            }
            (Self::Of(Unit::Count), Self::Of(Unit::Time)) => {
                Some(Self::Of(Unit::RequestsPerSecond))
            }
            (Self::Of(Unit::Tokens), Self::Of(Unit::Time)) => Some(Self::Of(Unit::TokensPerSecond)),
            (kind, share) if share.is_share() && kind != Self::Number => Some(kind),
            (kind, Self::Of(Unit::Count)) if !kind.is_share() && kind != Self::Number => Some(kind),
            _ => None,
        }
    }

    /// Whether it is a share of something: it scales whatever it is multiplied with.
    const fn is_share(self) -> bool {
        matches!(self, Self::Quotient | Self::Of(Unit::Ratio | Unit::PValue))
    }

    /// Whether a bare number is one of its values.
    pub(super) const fn takes_numbers(self) -> bool {
        match self {
            Self::Number | Self::Quotient => true,
            Self::Of(unit) => {
                matches!(unit, Unit::Count | Unit::Ratio | Unit::PValue | Unit::Tokens)
            }
        }
    }

    /// Whether a tolerance in percent is a share of the value: not of values that are shares
    /// themselves, of which it is a number of percentage points.
    pub(super) const fn has_unit(self) -> bool {
        !self.is_share()
    }
}

/// As errors name it: `a time`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Of(Unit::Count) => "a count",
            Self::Of(Unit::Ratio) => "a ratio",
            Self::Of(Unit::PValue) => "a probability",
            Self::Of(Unit::Time) => "a time",
            Self::Of(Unit::Tokens) => "a number of tokens",
            Self::Of(Unit::TokensPerSecond) => "a number of tokens per second",
            Self::Of(Unit::RequestsPerSecond) => "a number of requests per second",
            Self::Of(Unit::Money) => "an amount of money",
            Self::Quotient => "a quotient",
            Self::Number => "a number",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: Kind = Kind::Of(Unit::Count);
    const RATIO: Kind = Kind::Of(Unit::Ratio);
    const TIME: Kind = Kind::Of(Unit::Time);
    const MONEY: Kind = Kind::Of(Unit::Money);
    const TOKENS: Kind = Kind::Of(Unit::Tokens);

    #[test]
    fn sums_are_of_one_kind() {
        assert_eq!(TIME.with(TIME), Some(TIME));
        assert_eq!(TIME.with(RATIO), None);
        assert_eq!(COUNT.with(RATIO), None);
        assert_eq!(RATIO.with(Kind::Quotient), Some(Kind::Quotient));
        assert_eq!(Kind::Number.with(COUNT), Some(COUNT));
        assert_eq!(Kind::Number.with(TIME), None, "a time has a unit");
    }

    #[test]
    fn products_and_quotients_keep_or_lose_the_unit() {
        assert_eq!(TIME.times(Kind::Number), Some(TIME));
        assert_eq!(RATIO.times(COUNT), Some(COUNT));
        assert_eq!(MONEY.times(COUNT), Some(MONEY));
        assert_eq!(TIME.times(TIME), None);
        assert_eq!(TIME.times(MONEY), None);
        assert_eq!(Kind::Of(Unit::RequestsPerSecond).times(TIME), Some(COUNT));
        assert_eq!(TIME.times(Kind::Of(Unit::TokensPerSecond)), Some(TOKENS));
        assert_eq!(TIME.over(TIME), Some(Kind::Quotient));
        assert_eq!(COUNT.over(COUNT), Some(Kind::Quotient));
        assert_eq!(MONEY.over(COUNT), Some(MONEY));
        assert_eq!(COUNT.over(TIME), Some(Kind::Of(Unit::RequestsPerSecond)));
        assert_eq!(TIME.over(RATIO), Some(TIME));
        assert_eq!(RATIO.over(Kind::Quotient), Some(Kind::Quotient));
        assert_eq!(Kind::Number.over(TIME), None);
        assert_eq!(TIME.over(MONEY), None);
        assert_eq!(RATIO.over(COUNT), None);
    }
}
