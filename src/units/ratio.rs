//! Ratios in [0, 1] and the weights of a split.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A share or probability: a number in [0, 1], never NaN.
#[derive(Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Ratio(f64);

impl Ratio {
    /// None.
    pub const ZERO: Self = Self(0.0);
    /// All.
    pub const ONE: Self = Self(1.0);

    /// `value` as a ratio.
    ///
    /// # Errors
    /// Outside [0, 1], or NaN.
    pub fn new(value: f64) -> Result<Self, RatioError> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(RatioError { value }) }
    }

    /// `percent` of a hundred.
    ///
    /// # Panics
    /// More than 100.
    pub const fn from_percent(percent: u8) -> Self {
        assert!(percent <= 100, "a ratio above 100 %");
        Self(percent as f64 / 100.0)
    }

    /// `part` of `whole`, correctly rounded; `None` where the whole is empty or smaller than the
    /// part.
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        (whole > 0 && part <= whole).then(|| Self(part as f64 / whole as f64))
    }

    /// The number in [0, 1].
    pub const fn get(self) -> f64 {
        self.0
    }

    /// 1 - this.
    pub fn complement(self) -> Self {
        Self(1.0 - self.0)
    }

    /// The threshold t in [0, 2^64] for which a uniform 64-bit draw lies below t with this
    /// probability, exactly to 2^-53: Bernoulli trials by integer comparison.
    pub fn threshold(self) -> u128 {
        (self.0 * 18_446_744_073_709_551_616.0) as u128
    }
}

impl TryFrom<f64> for Ratio {
    type Error = RatioError;
    fn try_from(value: f64) -> Result<Self, RatioError> {
        Self::new(value)
    }
}

impl From<Ratio> for f64 {
    fn from(ratio: Ratio) -> Self {
        ratio.0
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A number that is no ratio.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{value} is not a ratio: allowed are 0 to 1 (0 % to 100 %)")]
pub struct RatioError {
    value: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_from_zero_to_one_are_ratios() {
        assert!(Ratio::new(f64::NAN).is_err());
        assert!(Ratio::new(-0.001).is_err());
        assert!(Ratio::new(1.000_000_1).is_err());
        assert_eq!(Ratio::new(1.0).unwrap(), Ratio::ONE);
        assert_eq!(Ratio::from_percent(5).get(), 0.05);
    }

    #[test]
    fn five_of_a_hundred_is_exactly_the_literal_five_percent() {
        for n in 1..2000_u64 {
            assert_eq!(Ratio::of(5 * n, 100 * n).unwrap().get(), 0.05);
        }
        assert_eq!(Ratio::of(1, 0), None);
        assert_eq!(Ratio::of(2, 1), None);
    }

    #[test]
    fn thresholds_cover_never_and_always() {
        assert_eq!(Ratio::ZERO.threshold(), 0);
        assert_eq!(Ratio::ONE.threshold(), 1 << 64);
        assert_eq!(Ratio::new(0.25).unwrap().threshold(), 1 << 62);
    }
}
