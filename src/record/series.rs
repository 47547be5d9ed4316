//! Traffic over time, in slots that double in width when there are too many of them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::Spread;
use crate::exchange::{Class, VersionIndex};
use crate::stats::Bin;
use crate::units::{Duration, Timestamp};

/// Traffic over time: one row of points per version, all with the same slots.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Series {
    /// Where the first slot begins.
    pub start: Timestamp,
    /// The width of a slot.
    pub width: Duration,
    /// For each version the points of its slots, in order.
    pub versions: Vec<Vec<SeriesPoint>>,
}

impl Series {
    /// Of a run whose traffic over time was not kept.
    pub(super) fn without_slots(start: Timestamp, versions: usize) -> Self {
        Self { start, width: FIRST_WIDTH, versions: vec![Vec::new(); versions] }
    }

    /// The same with each version's quantiles between its least and its greatest latency, which are
    /// known exactly: the middle of a slot's bin may lie beyond them.
    pub(super) fn within(mut self, limits: &[Option<[Duration; 2]>]) -> Self {
        for (points, limits) in self.versions.iter_mut().zip(limits) {
            let Some([least, greatest]) = *limits else { continue };
            let quantiles = points.iter_mut().flat_map(|point| [&mut point.p50, &mut point.p99]);
            quantiles.flatten().for_each(|value| *value = (*value).clamp(least, greatest));
        }
        self
    }
}

/// One version's traffic in one slot.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SeriesPoint {
    /// Requests assigned in the slot.
    pub assigned: u32,
    /// Requests that ended in the slot and count.
    pub completed: u32,
    /// Those of them that failed.
    pub failed: u32,
    /// The median latency of the slot's successes, to within 1 %; absent where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<Duration>,
    /// Their 99th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<Duration>,
    /// How they are spread; absent where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
}

/// Builds a [`Series`] from requests that come in the order of time.
#[derive(Clone, Debug)]
pub(super) struct SeriesBuilder {
    start: Timestamp,
    width: Duration,
    /// The first instant after the open slot: one comparison tells whether it must be closed.
    open_until: Timestamp,
    versions: Vec<VersionSlots>,
}

impl SeriesBuilder {
    pub(super) fn new(start: Timestamp, versions: usize) -> Self {
        let versions = (0..versions).map(|_| VersionSlots::default()).collect();
        Self { start, width: FIRST_WIDTH, open_until: start + FIRST_WIDTH, versions }
    }

    #[inline]
    pub(super) fn assigned(&mut self, at: Timestamp, version: VersionIndex) {
        self.advance(at);
        self.versions[usize::from(version.0)].open.assigned += 1;
    }

    /// An attempt ended: those that say nothing of the version are left out.
    #[inline(always)]
    pub(super) fn completed(
        &mut self,
        at: Timestamp,
        version: VersionIndex,
        class: Class,
        latency: Duration,
    ) {
        if matches!(class, Class::ClientError | Class::Neutral) {
            return;
        }
        self.advance(at);
        let open = &mut self.versions[usize::from(version.0)].open;
        open.completed += 1;
        match class {
            Class::Success => open.record(latency),
            _ => open.failed += 1,
        }
    }

    pub(super) fn finish(mut self) -> Series {
        for version in &mut self.versions {
            version.close();
        }
        while self.slots() > FEWEST_SLOTS && self.median_completed() < ENOUGH_REQUESTS {
            self.coarsen();
        }
        let points = |version: &VersionSlots| version.slots.iter().map(Slot::point).collect();
        let versions = self.versions.iter().map(points).collect();
        Series { start: self.start, width: self.width, versions }
    }

    #[inline]
    fn advance(&mut self, at: Timestamp) {
        if at >= self.open_until {
            self.close_until(at);
        }
    }

    #[cold]
    fn close_until(&mut self, at: Timestamp) {
        while at >= self.open_until {
            for version in &mut self.versions {
                version.close();
            }
            if self.slots() == MOST_SLOTS {
                self.coarsen();
            }
            let until = self.width * (self.slots() as u64 + 1);
            self.open_until = self.start + until;
        }
    }

    fn coarsen(&mut self) {
        self.width = self.width + self.width;
        self.versions.iter_mut().for_each(VersionSlots::halve);
    }

    fn slots(&self) -> usize {
        self.versions.first().map_or(0, |version| version.slots.len())
    }

    /// The median number of requests in the slots that have any, of the version with the fewest.
    fn median_completed(&self) -> u32 {
        let medians = self.versions.iter().filter_map(VersionSlots::median_completed);
        medians.min().unwrap_or(ENOUGH_REQUESTS)
    }
}

#[derive(Clone, Debug, Default)]
struct VersionSlots {
    open: OpenSlot,
    slots: Vec<Slot>,
}

impl VersionSlots {
    fn close(&mut self) {
        self.slots.push(self.open.take());
    }

    fn median_completed(&self) -> Option<u32> {
        let counts = self.slots.iter().map(|slot| slot.completed);
        let mut counts: Vec<u32> = counts.filter(|count| *count > 0).collect();
        counts.sort_unstable();
        counts.get(counts.len() / 2).copied()
    }

    /// Merges each pair of neighbours.
    fn halve(&mut self) {
        let mut slots = std::mem::take(&mut self.slots).into_iter();
        while let Some(first) = slots.next() {
            self.slots.push(match slots.next() {
                Some(second) => first.merge(&second),
                None => first,
            });
        }
    }
}

/// The slot that requests fall into now: a dense histogram, of which only the touched part is read
/// and cleared.
#[derive(Clone, Debug)]
struct OpenSlot {
    assigned: u32,
    completed: u32,
    failed: u32,
    counts: Vec<u32>,
    lowest: usize,
    highest: usize,
}

impl Default for OpenSlot {
    fn default() -> Self {
        let counts = Vec::new();
        Self { assigned: 0, completed: 0, failed: 0, counts, lowest: usize::MAX, highest: 0 }
    }
}

impl OpenSlot {
    #[inline]
    fn record(&mut self, latency: Duration) {
        let bin = Bin::of(latency).index();
        if bin >= self.counts.len() {
            self.counts.resize(bin + 1, 0);
        }
        self.counts[bin] += 1;
        self.lowest = self.lowest.min(bin);
        self.highest = self.highest.max(bin);
    }

    fn take(&mut self) -> Slot {
        let mut counts = Vec::new();
        if self.lowest <= self.highest {
            for bin in self.lowest..=self.highest {
                let count = std::mem::take(&mut self.counts[bin]);
                if count > 0 {
                    counts.push((Bin::from_index(bin), count));
                }
            }
        }
        let slot = Slot {
            assigned: self.assigned,
            completed: self.completed,
            failed: self.failed,
            counts,
        };
        (self.assigned, self.completed, self.failed) = (0, 0, 0);
        (self.lowest, self.highest) = (usize::MAX, 0);
        slot
    }
}

/// A slot that is over: bins in ascending order with their counts.
#[derive(Clone, Debug, Default)]
struct Slot {
    assigned: u32,
    completed: u32,
    failed: u32,
    counts: Vec<(Bin, u32)>,
}

impl Slot {
    fn merge(&self, other: &Self) -> Self {
        let mut counts = Vec::with_capacity(self.counts.len() + other.counts.len());
        let (mut left, mut right) = (&self.counts[..], &other.counts[..]);
        while let (Some(a), Some(b)) = (left.first(), right.first()) {
            let order = a.0.cmp(&b.0);
            counts.push(match order {
                Ordering::Less => *a,
                Ordering::Greater => *b,
                Ordering::Equal => (a.0, a.1.saturating_add(b.1)),
            });
            left = &left[usize::from(order.is_le())..];
            right = &right[usize::from(order.is_ge())..];
        }
        counts.extend_from_slice(left);
        counts.extend_from_slice(right);
        Self {
            assigned: self.assigned.saturating_add(other.assigned),
            completed: self.completed.saturating_add(other.completed),
            failed: self.failed.saturating_add(other.failed),
            counts,
        }
    }

    fn point(&self) -> SeriesPoint {
        SeriesPoint {
            assigned: self.assigned,
            completed: self.completed,
            failed: self.failed,
            p50: self.quantile(500),
            p99: self.quantile(990),
            spread: Spread::of(&self.counts),
        }
    }

    fn quantile(&self, per_mille: u64) -> Option<Duration> {
        let total: u64 = self.counts.iter().map(|(_, count)| u64::from(*count)).sum();
        let rank = (total * per_mille).div_ceil(1_000);
        let mut seen = 0;
        let reached = self.counts.iter().find(|(_, count)| {
            seen += u64::from(*count);
            seen >= rank && rank > 0
        });
        reached.map(|(bin, _)| bin.middle())
    }
}

/// As fine as the engine's own buckets.
const FIRST_WIDTH: Duration = Duration::from_secs(1);
/// Chosen: a chart 640 pixels wide shows no more; even, so that halving leaves no rest.
const MOST_SLOTS: usize = 256;
/// Chosen: with fewer requests to a slot one error more or less moves its error rate by over 5 %.
const ENOUGH_REQUESTS: u32 = 20;
/// Chosen: with fewer slots the time of a change can no longer be read. A run keeps more than half
/// as many, however few its requests.
const FEWEST_SLOTS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    const ONLY: VersionIndex = VersionIndex(0);

    #[test]
    fn a_long_run_keeps_its_counts_in_few_slots() {
        let mut builder = SeriesBuilder::new(Timestamp::EPOCH, 1);
        for second in 0..100_000 {
            let at = Timestamp::from_second(second);
            builder.assigned(at, ONLY);
            let class = if second % 10 == 0 { Class::Error } else { Class::Success };
            builder.completed(at, ONLY, class, Duration::from_millis(100));
        }
        let series = builder.finish();
        let points = &series.versions[0];
        assert!(points.len() <= MOST_SLOTS, "{}", points.len());
        assert_eq!(series.width, Duration::from_secs(512));
        assert_eq!(points.iter().map(|point| u64::from(point.assigned)).sum::<u64>(), 100_000);
        assert_eq!(points.iter().map(|point| u64::from(point.failed)).sum::<u64>(), 10_000);
        assert_eq!(points[0].completed, 512);
    }

    #[test]
    fn merged_slots_have_the_quantiles_of_all_their_requests() {
        let mut builder = SeriesBuilder::new(Timestamp::EPOCH, 1);
        for second in 0..2_048 {
            let latency = Duration::from_millis(if second % 2 == 0 { 100 } else { 900 });
            builder.completed(Timestamp::from_second(second), ONLY, Class::Success, latency);
        }
        let series = builder.finish();
        let point = &series.versions[0][0];
        assert_eq!(point.completed, 16);
        let (p50, p99) = (point.p50.unwrap(), point.p99.unwrap());
        assert!((p50.as_secs_f64() / 0.1 - 1.0).abs() < 0.01, "{p50}");
        assert!((p99.as_secs_f64() / 0.9 - 1.0).abs() < 0.01, "{p99}");
    }

    /// In a slot 892 ms are the middle of their bin, 893 and some.
    #[test]
    fn quantiles_lie_between_the_least_and_the_greatest_latency() {
        let millis = Duration::from_millis;
        let mut builder = SeriesBuilder::new(Timestamp::EPOCH, 2);
        for version in [0, 1].map(VersionIndex) {
            builder.completed(Timestamp::EPOCH, version, Class::Success, millis(892));
        }
        let series = builder.finish();
        let middle = series.versions[1][0].p99.unwrap();
        assert!(middle > millis(892), "{middle}");
        let series = series.within(&[Some([millis(892); 2]), None]);
        let quantiles = [0, 1].map(|version: usize| {
            let point = &series.versions[version][0];
            [point.p50.unwrap(), point.p99.unwrap()]
        });
        assert_eq!(quantiles, [[millis(892); 2], [middle; 2]]);
    }

    #[test]
    fn few_requests_get_wide_slots_but_not_too_few_of_them() {
        let slots = |every: i64, seconds: i64| {
            let mut builder = SeriesBuilder::new(Timestamp::EPOCH, 1);
            for second in (0..seconds).step_by(every as usize) {
                let at = Timestamp::from_second(second);
                builder.completed(at, ONLY, Class::Error, Duration::ZERO);
            }
            let series = builder.finish();
            (series.versions[0].len(), series.width.as_secs())
        };
        // One a second over 68 minutes: 16 to a slot are too few.
        assert_eq!(slots(1, 4_096), (128, 32));
        // One in 40 s: no width would do.
        assert_eq!(slots(40, 4_096), (128, 32));
        assert_eq!(slots(1, 50), (50, 1));
    }
}
