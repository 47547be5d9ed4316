//! Amounts that are summed: tokens and money.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// A number of tokens of one request, at most 2^32 - 1.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Tokens(u32);

impl Tokens {
    /// None.
    pub const ZERO: Self = Self(0);

    /// `count` tokens.
    pub const fn new(count: u32) -> Self {
        Self(count)
    }

    /// How many.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// An amount of money: a whole number of pico-dollars (10^-12 USD), never negative.
///
/// Integers, so that sums do not depend on their order; 128 bits hold any sum of a study.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(u128);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `pico` times 10^-12 USD.
    pub const fn from_pico_usd(pico: u128) -> Self {
        Self(pico)
    }

    /// Dollars.
    pub fn as_usd(self) -> f64 {
        self.0 as f64 / PICO_PER_USD
    }

    /// In units of 10^-12 USD.
    pub const fn as_pico_usd(self) -> u128 {
        self.0
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

/// What a version charges, per 1,000 tokens of input and of output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Price {
    /// For 1,000 input tokens.
    pub input_per_1k: Money,
    /// For 1,000 output tokens.
    pub output_per_1k: Money,
}

impl Price {
    /// One figure for input and output alike.
    pub const fn blended(per_1k: Money) -> Self {
        Self { input_per_1k: per_1k, output_per_1k: per_1k }
    }

    /// What `input` and `output` tokens cost, rounded down to a pico-dollar.
    pub const fn cost(self, input: u64, output: u64) -> Money {
        let pico = self.input_per_1k.0 * input as u128 + self.output_per_1k.0 * output as u128;
        Money(pico / 1_000)
    }
}

const PICO_PER_USD: f64 = 1e12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blended_price_charges_input_and_output_alike() {
        let price = Price::blended(Money::from_pico_usd(8_000_000_000));
        assert_eq!(price.cost(600, 400), Money::from_pico_usd(8_000_000_000));
        assert_eq!(price.cost(1, 0).as_pico_usd(), 8_000_000);
    }
}
