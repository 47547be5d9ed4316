//! The bad stretches of an upstream whose failures come in bursts.

use serde::{Deserialize, Serialize};

use crate::exchange::VersionIndex;
use crate::units::{Duration, Timestamp};

/// When the upstream of a version was in its bad state, whether requests came or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Bursts {
    /// The version.
    pub version: VersionIndex,
    /// How many stretches there were.
    pub count: u64,
    /// How long they lasted together.
    pub total: Duration,
    /// The first of them, at most [`Bursts::CAPACITY`], in order.
    pub stretches: Vec<Stretch>,
}

/// A bad stretch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

impl Bursts {
    /// How many stretches are kept. Chosen: more of them run into one in a chart.
    pub const CAPACITY: usize = 200;

    /// Those of a version: from when to when, in order.
    pub fn new(
        version: VersionIndex,
        stretches: impl IntoIterator<Item = (Timestamp, Timestamp)>,
    ) -> Self {
        let mut bursts = Self { version, count: 0, total: Duration::ZERO, stretches: Vec::new() };
        for (from, until) in stretches {
            bursts.count += 1;
            bursts.total += until.since(from);
            if bursts.stretches.len() < Self::CAPACITY {
                bursts.stretches.push(Stretch { from, until });
            }
        }
        bursts
    }

    /// Whether every stretch is kept.
    pub fn is_whole(&self) -> bool {
        self.count == self.stretches.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stretch_counts_and_the_first_are_kept() {
        let at = Timestamp::from_second;
        let stretches = (0..250).map(|index| (at(10 * index), at(10 * index + 3)));
        let bursts = Bursts::new(VersionIndex(1), stretches);
        assert_eq!((bursts.count, bursts.total), (250, Duration::from_secs(750)));
        assert_eq!(bursts.stretches.len(), Bursts::CAPACITY);
        assert_eq!(bursts.stretches[1], Stretch { from: at(10), until: at(13) });
        assert!(!bursts.is_whole());
        assert!(Bursts::new(VersionIndex(0), []).is_whole());
    }
}
