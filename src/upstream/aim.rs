//! A draw of an answer that somebody else has chosen: how rare events are looked for.

use crate::chance::Purpose;
use crate::units::Draw;

/// A part of all draws: stretches between two thresholds each ([`Ratio::threshold`]), in their
/// order and apart from each other.
///
/// [`Ratio::threshold`]: crate::units::Ratio::threshold
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Region(Vec<(u128, u128)>);

/// What takes the place of one draw of the next answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Aim {
    /// Which draw: [`Purpose::Failure`] or [`Purpose::Latency`].
    pub purpose: Purpose,
    /// The draw.
    pub draw: Draw,
}

impl Region {
    /// The draws of these stretches; empty ones are left out.
    ///
    /// # Panics
    /// They are not in order, overlap, or end above 2^64.
    pub fn new(stretches: impl IntoIterator<Item = (u128, u128)>) -> Self {
        let stretches: Vec<_> = stretches.into_iter().filter(|(low, high)| low < high).collect();
        let apart = stretches.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        assert!(apart && stretches.last().is_none_or(|last| last.1 <= ALL), "{stretches:?}");
        Self(stretches)
    }

    /// The probability that a draw falls into it.
    pub fn probability(&self) -> f64 {
        self.size() as f64 / ALL as f64
    }

    /// Whether a draw lies in it.
    pub fn contains(&self, draw: Draw) -> bool {
        let bits = u128::from(draw.bits());
        self.0.iter().any(|(low, high)| (*low..*high).contains(&bits))
    }

    /// The draw that lies in it, or outside of it, where `draw` lies among all: one that is uniform
    /// there if `draw` is uniform. `None` where there is no such draw.
    pub fn lead(&self, draw: Draw, inside: bool) -> Option<Draw> {
        let room = if inside { self.size() } else { ALL - self.size() };
        let mut place = (u128::from(draw.bits()) * room) >> 64;
        let find = |(low, high): (u128, u128)| {
            let length = high - low;
            let found = (place < length).then(|| low + place);
            place = place.saturating_sub(length);
            found
        };
        let bits = match inside {
            true => self.0.iter().copied().find_map(find),
            false => self.gaps().find_map(find),
        };
        bits.and_then(|bits| u64::try_from(bits).ok()).map(Draw::from_bits)
    }

    fn size(&self) -> u128 {
        self.0.iter().map(|(low, high)| high - low).sum()
    }

    /// What lies between its stretches, before and behind them.
    fn gaps(&self) -> impl Iterator<Item = (u128, u128)> + '_ {
        let lows = std::iter::once(0).chain(self.0.iter().map(|(_, high)| *high));
        let highs = self.0.iter().map(|(low, _)| *low).chain([ALL]);
        lows.zip(highs)
    }
}

/// How many draws there are.
const ALL: u128 = 1 << 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_led_into_a_region_and_out_of_it_evenly() {
        let quarter = ALL / 4;
        let region =
            Region::new([(0, quarter / 2), (quarter, quarter), (2 * quarter, ALL - quarter)]);
        assert!((region.probability() - 0.375).abs() < 1e-15);
        let all = (0..1_000_u64).map(|n| Draw::from_bits(n << 54 | n));
        let mut below = 0;
        for draw in all {
            let inside = region.lead(draw, true).unwrap();
            let outside = region.lead(draw, false).unwrap();
            assert!(region.contains(inside) && !region.contains(outside), "{draw:?}");
            below += u32::from(u128::from(inside.bits()) < quarter);
        }
        // A third of the region lies in its first stretch: of 1,000 places of 1,024 that is 342.
        assert!((below as i32 - 342).abs() <= 1, "{below}");
    }

    #[test]
    fn nothing_is_led_where_nothing_is() {
        let draw = Draw::from_bits(u64::MAX);
        assert_eq!(Region::default().lead(draw, true), None);
        assert_eq!(Region::default().lead(draw, false), Some(draw));
        assert_eq!(Region::new([(0, ALL)]).lead(draw, false), None);
        assert_eq!(Region::new([(0, ALL)]).lead(draw, true), Some(draw));
    }
}
