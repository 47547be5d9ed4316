//! How the latencies of a slot of time are spread, coarsely: what a heat map shows.

use serde::{Deserialize, Serialize};

use crate::stats::Bin;
use crate::units::Duration;

/// Latencies counted by quarters of octaves: each octave from one power of two (in nanoseconds) to
/// the next is cut into four steps of equal width, so that a step is at most a quarter of its lower
/// edge wide.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Spread {
    /// The number of the first step.
    pub first: u16,
    /// How many latencies fell into it and each one after it.
    pub counts: Vec<u32>,
}

impl Spread {
    /// The spread of latencies that are counted by bins in ascending order; `None` where there are
    /// none.
    pub(super) fn of(bins: &[(Bin, u32)]) -> Option<Self> {
        let step = |bin: Bin| bin.index() / BINS_PER_STEP;
        let (first, last) = (step(bins.first()?.0), step(bins.last()?.0));
        let mut counts = vec![0_u32; last - first + 1];
        for (bin, count) in bins {
            let own = &mut counts[step(*bin) - first];
            *own = own.saturating_add(*count);
        }
        Some(Self { first: u16::try_from(first).ok()?, counts })
    }

    /// Each step's number with its count.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u32)> {
        (self.first..).zip(self.counts.iter().copied())
    }

    /// The shortest latency of a step; [`Duration::MAX`] beyond the last step of all.
    pub const fn lower_edge(step: u16) -> Duration {
        let bin = step as usize * BINS_PER_STEP;
        if bin >= Bin::COUNT { Duration::MAX } else { Bin::from_index(bin).lower_edge() }
    }
}

const BINS_PER_STEP: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_quarter_of_an_octave() {
        let step = |nanos: u64| {
            let bins = [(Bin::of(Duration::from_nanos(nanos)), 1)];
            Spread::of(&bins).unwrap().first
        };
        let octave = 1 << 30;
        let first = step(octave);
        for (part, number) in [(4, 0), (5, 1), (6, 2), (7, 3), (8, 4)] {
            let edge = octave / 4 * part;
            assert_eq!(step(edge), first + number);
            assert_eq!(step(edge - 1), first + number - 1);
            assert_eq!(Spread::lower_edge(first + number), Duration::from_nanos(edge));
        }
        assert_eq!(Spread::lower_edge(u16::MAX), Duration::MAX);
    }

    #[test]
    fn latencies_of_one_step_are_counted_together() {
        let bin = |millis| Bin::of(Duration::from_millis(millis));
        let spread = Spread::of(&[(bin(1_100), 3), (bin(1_110), 4), (bin(2_500), 5)]).unwrap();
        let told: Vec<_> = spread.iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(told, [(spread.first, 7), (spread.first + 4, 5)]);
        assert_eq!(Spread::of(&[]), None);
    }
}
