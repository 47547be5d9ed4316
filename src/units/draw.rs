//! A uniform draw, as data.

/// 64 uniform random bits that somebody drew: randomness is handed in, never made, below the
/// floors that own a generator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draw(u64);

impl Draw {
    /// The draw with these bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The 64 bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The draw as a number in the open interval (0, 1): the midpoint of its cell of 2^-52,
    /// which a double holds exactly.
    pub fn unit(self) -> f64 {
        ((self.0 >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
    }

    /// Whether the draw lies under `threshold` of [`Ratio::threshold`](super::Ratio::threshold).
    pub const fn is_below(self, threshold: u128) -> bool {
        (self.0 as u128) < threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_interval_is_open() {
        assert!(Draw::from_bits(0).unit() > 0.0);
        assert!(Draw::from_bits(u64::MAX).unit() < 1.0);
        assert_eq!(Draw::from_bits(1 << 63).unit() - 0.5, 0.5 / 4_503_599_627_370_496.0);
    }

    #[test]
    fn a_certain_event_always_happens_and_an_impossible_one_never() {
        assert!(Draw::from_bits(u64::MAX).is_below(1 << 64));
        assert!(!Draw::from_bits(0).is_below(0));
    }
}
