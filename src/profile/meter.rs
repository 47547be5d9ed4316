//! Gathers a profile request by request.

use super::distinct::DistinctCount;
use super::figures::{Distinct, Group, Identities, Part, PrefixFigures, Profile};
use super::group_meter::GroupMeter;
use super::groups::Groups;
use super::rank_correlation::Pairs;
use super::shape::ShapeMeter;
use super::times::{WHOLE, written};
use crate::trace::{Prefix, TraceRecord};
use crate::units::{Duration, ModelId, VersionId};

/// Gathers a [`Profile`] in one pass and in constant memory: 17 MB for 10 million rows of the
/// public traces, and below 80 MB whatever the trace.
///
/// Every sum is one of integers: meters that have seen consecutive stretches of a trace
/// [`merge`](ProfileMeter::merge) to the one that has seen all.
///
/// ```
/// use coalmine::profile::ProfileMeter;
/// use coalmine::trace::TraceRecord;
/// use coalmine::units::Duration;
/// let mut meter = ProfileMeter::default();
/// for second in 0..=60 {
///     meter.add(&TraceRecord { at: Duration::from_secs(second), ..TraceRecord::default() });
/// }
/// let profile = meter.profile();
/// assert_eq!((profile.requests, profile.gaps.unwrap().cv), (61, Some(0.0)));
/// // As regular as can be: far below the 1 of a Poisson process.
/// assert_eq!(profile.windows[0].dispersion, Some(0.0));
/// ```
#[derive(Clone, PartialEq, Default, Debug)]
pub struct ProfileMeter {
    shape: ShapeMeter,
    pairs: Pairs,
    streamed: u64,
    stream_known: u64,
    users: IdentityMeter,
    sessions: IdentityMeter,
    prefixes: PrefixMeter,
    total: GroupMeter,
    models: Groups<ModelId>,
    versions: Groups<(Option<ModelId>, VersionId)>,
}

impl ProfileMeter {
    /// Counts a request that was sent not before the one added last.
    pub fn add(&mut self, record: &TraceRecord) {
        let TraceRecord { at, model, version, user, session, input, output, stream, .. } = record;
        self.shape.add(*at, *input, *output);
        if let (Some(input), Some(output)) = (input, output) {
            self.pairs.add(input.get(), output.get());
        }
        if let Some(stream) = stream {
            self.stream_known += 1;
            self.streamed += u64::from(*stream);
        }
        self.users.add(*user);
        self.sessions.add(*session);
        if let Some(prefix) = &record.prefix {
            self.prefixes.add(prefix);
        }
        self.total.add(record);
        if let Some(model) = model {
            self.models.add(record, |own| own == model, || model.clone());
        }
        if let Some(version) = version {
            let is = |(of, own): &(Option<ModelId>, VersionId)| own == version && of == model;
            self.versions.add(record, is, || (model.clone(), version.clone()));
        }
    }

    /// The stretch went on `until` this time, whenever its last request came: silence at its end is
    /// part of it.
    pub fn end(&mut self, until: Duration) {
        self.shape.end(until);
        self.total.end(until);
    }

    /// Adds what a meter has seen whose requests came after those of this one. Where it has seen
    /// more models or versions than there is room for, those that share a group may differ from
    /// what one meter would have put together.
    pub fn merge(&mut self, later: &Self) {
        self.shape.merge(&later.shape);
        self.pairs.merge(&later.pairs);
        self.streamed += later.streamed;
        self.stream_known += later.stream_known;
        self.users.merge(&later.users);
        self.sessions.merge(&later.sessions);
        self.prefixes.merge(&later.prefixes);
        self.total.merge(&later.total);
        self.models.merge(&later.models);
        self.versions.merge(&later.versions);
    }

    /// The profile so far.
    pub fn profile(&self) -> Profile {
        let shares = shares();
        let slot = self.total.slot();
        let written: Vec<f64> = shares.iter().map(|share| written(*share)).collect();
        let [input, output] = self.shape.tokens(&written);
        let of_version = |(model, version): &(Option<ModelId>, VersionId), group| Group {
            model: model.clone(),
            version: Some(version.clone()),
            ..group
        };
        let of_model = |model: &ModelId, group| Group { model: Some(model.clone()), ..group };
        Profile {
            requests: self.shape.requests(),
            span: self.shape.span(),
            rate: self.shape.rate(),
            gaps: self.shape.gaps(&shares),
            windows: self.shape.windows(),
            input,
            output,
            correlation: self.pairs.correlation(),
            streamed: (self.stream_known > 0)
                .then_some(Part { count: self.streamed, of: self.stream_known }),
            users: self.users.figures(),
            sessions: self.sessions.figures(),
            prefixes: self.prefixes.figures(),
            total: self.total.figures(&shares, slot),
            models: self.models.figures(&shares, slot, of_model),
            versions: self.versions.figures(&shares, slot, of_version),
        }
    }
}

/// Numbers that requests share.
#[derive(Clone, PartialEq, Default, Debug)]
struct IdentityMeter {
    requests: u64,
    distinct: DistinctCount,
}

impl IdentityMeter {
    fn add(&mut self, number: Option<u64>) {
        if let Some(number) = number {
            self.requests += 1;
            self.distinct.add(number);
        }
    }

    fn merge(&mut self, later: &Self) {
        self.requests += later.requests;
        self.distinct.merge(&later.distinct);
    }

    fn figures(&self) -> Option<Identities> {
        let distinct: Distinct = self.distinct.figure(self.requests);
        let requests_each = self.requests as f64 / distinct.count.max(1) as f64;
        let Self { requests, .. } = *self;
        (requests > 0).then_some(Identities { requests, distinct, requests_each })
    }
}

/// What prompts have in common.
#[derive(Clone, PartialEq, Default, Debug)]
struct PrefixMeter {
    requests: u64,
    block: u32,
    blocks: u64,
    distinct: DistinctCount,
}

impl PrefixMeter {
    fn add(&mut self, prefix: &Prefix) {
        self.requests += 1;
        self.block = self.block.max(prefix.block);
        self.blocks += prefix.hashes.len() as u64;
        prefix.hashes.iter().for_each(|hash| self.distinct.add(*hash));
    }

    fn merge(&mut self, later: &Self) {
        self.requests += later.requests;
        self.block = self.block.max(later.block);
        self.blocks += later.blocks;
        self.distinct.merge(&later.distinct);
    }

    fn figures(&self) -> Option<PrefixFigures> {
        let distinct = self.distinct.figure(self.blocks);
        let new = distinct.count as f64 / self.blocks as f64;
        (self.blocks > 0).then(|| PrefixFigures {
            requests: self.requests,
            block_tokens: u64::from(self.block),
            blocks: self.blocks,
            distinct,
            reused: 1.0 - new,
        })
    }
}

/// The shares at which distributions are told, in parts of [`WHOLE`]: every fiftieth, and finer
/// towards both ends.
fn shares() -> Vec<u32> {
    let middle = (1..50).map(|fiftieth| WHOLE / 50 * fiftieth);
    let low = [0, 100, 500, 1_000];
    let high = [99_000, 99_500, 99_900, 99_950, 99_990, 99_999, WHOLE];
    low.into_iter().chain(middle).chain(high).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::example::{observed_records, observed_stats, plain_stats};
    use super::*;
    use crate::exchange::Ending;
    use crate::units::Tokens;

    fn meter_of(records: &[TraceRecord]) -> ProfileMeter {
        let mut meter = ProfileMeter::default();
        records.iter().for_each(|record| meter.add(record));
        meter
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn meters_of_consecutive_stretches_merge_to_that_of_all(
            from in 0..2_000_usize,
            cuts in prop::collection::vec(0..400_usize, 1..4),
        ) {
            let records = &observed_records()[from..from + 400];
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut merged = ProfileMeter::default();
            let mut begin = 0;
            for end in cuts.into_iter().chain([400]) {
                merged.merge(&meter_of(&records[begin..end]));
                begin = end;
            }
            // Room for tokens that never came makes no difference to what is known.
            prop_assert_eq!(merged.profile(), meter_of(records).profile());
        }
    }

    #[test]
    fn figures_by_version_are_those_of_its_own_records() {
        let records = observed_records();
        let profile = observed_stats().profile;
        let own: Vec<&TraceRecord> = records
            .iter()
            .filter(|record| record.version.as_ref().unwrap().as_str() == "v2")
            .collect();
        let failed = own.iter().filter(|record| record.status.unwrap() != 200).count() as u64;
        let group = profile
            .versions
            .iter()
            .find(|group| group.version.as_ref().unwrap().as_str() == "v2")
            .unwrap();
        let outcomes = group.outcomes.as_ref().unwrap();
        assert_eq!((group.requests, outcomes.observed, outcomes.failed), (480, 480, failed));
        assert!(failed > 5, "{failed}");
        let unavailable = own.iter().filter(|record| record.status == Some(503)).count() as u64;
        let counted = outcomes.endings.iter().find(|counted| counted.ending == Ending::Status(503));
        assert_eq!(counted.unwrap().requests, unavailable);
        // Latency is that of successes, the mean to the nanosecond.
        let good = own.iter().filter(|record| record.status == Some(200));
        let nanos: Vec<u64> = good.map(|record| record.duration.unwrap().as_nanos()).collect();
        let mean = (nanos.iter().sum::<u64>() as f64 / nanos.len() as f64).round() as u64;
        let latency = group.latency.as_ref().unwrap();
        assert_eq!((latency.count, latency.mean), (nanos.len() as u64, Duration::from_nanos(mean)));
        assert_eq!(group.failure_latency.as_ref().unwrap().max, Duration::from_millis(30));
        // Pearson's chi-squared over its degrees of freedom, by its definition.
        let mut windows = std::collections::BTreeMap::<u64, (f64, f64)>::new();
        for record in &own {
            let (requests, failures) = windows.entry(record.at.as_secs() / 10).or_default();
            *requests += 1.0;
            *failures += f64::from(u8::from(record.status != Some(200)));
        }
        let p = failed as f64 / 480.0;
        let squares =
            windows.values().map(|(n, f)| (f - n * p) * (f - n * p) / (n * p * (1.0 - p)));
        let expected = squares.sum::<f64>() / (windows.len() - 1) as f64;
        let clustering = outcomes.clustering.unwrap();
        assert_eq!(clustering.windows, windows.len() as u64);
        assert!((clustering.value - expected).abs() < 1e-9, "{clustering:?} for {expected}");
        assert!(expected > 2.0);
        let seen: u64 = group.course.slots.iter().map(|slot| slot.failed).sum();
        assert_eq!(seen, failed);
    }

    #[test]
    fn users_and_sessions_are_counted() {
        let records = observed_records();
        let profile = observed_stats().profile;
        let users: std::collections::BTreeSet<_> =
            records.iter().map(|record| record.user.unwrap()).collect();
        assert_eq!(profile.users.unwrap().distinct.count, users.len() as u64);
        let sessions = profile.sessions.unwrap();
        assert_eq!((sessions.distinct.count, sessions.requests_each), (800, 3.0));
        assert_eq!(profile.streamed, Some(Part { count: 1_800, of: 2_400 }));
    }

    #[test]
    fn blocks_that_came_before_are_those_that_a_cache_would_have() {
        let mut meter = ProfileMeter::default();
        for hashes in [vec![1, 2, 3], vec![1, 2, 4], vec![1, 5]] {
            let prefix = Some(Prefix { block: 512, hashes });
            meter.add(&TraceRecord { prefix, ..TraceRecord::default() });
        }
        let prefixes = meter.profile().prefixes.unwrap();
        assert_eq!((prefixes.requests, prefixes.blocks, prefixes.distinct.count), (3, 8, 5));
        assert_eq!((prefixes.block_tokens, prefixes.reused), (512, 3.0 / 8.0));
    }

    #[test]
    fn there_are_not_more_users_than_requests_nor_more_different_blocks_than_blocks() {
        // Of about every second set the estimate is above its size.
        for set in 0..6_u64 {
            let mut meter = ProfileMeter::default();
            let numbers = (0..20_000).map(|number| (set << 40) + number);
            for user in numbers.clone() {
                meter.users.add(Some(user));
            }
            meter.prefixes.add(&Prefix { block: 512, hashes: numbers.collect() });
            let profile = meter.profile();
            let (users, prefixes) = (profile.users.unwrap(), profile.prefixes.unwrap());
            assert!(users.distinct.relative_deviation > 0.0, "{users:?}");
            assert!(users.distinct.count <= 20_000 && users.requests_each >= 1.0, "{users:?}");
            assert!(prefixes.distinct.count <= 20_000 && prefixes.reused >= 0.0, "{prefixes:?}");
        }
    }

    #[test]
    fn shares_are_written_as_they_are_read() {
        let written: Vec<f64> = shares().into_iter().map(written).collect();
        for share in [0.0, 0.001, 0.005, 0.01, 0.02, 0.28, 0.98, 0.9995, 0.99999, 1.0] {
            assert!(written.contains(&share), "{share}");
        }
        assert_eq!(written.len(), 60);
    }

    #[test]
    fn what_a_trace_does_not_have_is_absent() {
        let profile = plain_stats().profile;
        let Profile { users, sessions, streamed, prefixes, total, models, versions, .. } = profile;
        assert_eq!((users, sessions, streamed, prefixes), (None, None, None, None));
        assert_eq!((total.outcomes, total.latency, total.cost), (None, None, None));
        assert_eq!((models.len(), versions.len()), (0, 0));
        let bare = meter_of(&[TraceRecord::default()]).profile();
        assert_eq!((bare.requests, bare.rate, bare.gaps, bare.input), (1, None, None, None));
        let nothing = ProfileMeter::default().profile();
        assert_eq!((nothing.requests, nothing.span), (0, Duration::ZERO));
    }

    #[test]
    fn names_for_which_there_is_no_room_are_put_together() {
        let mut meter = ProfileMeter::default();
        for number in 0..100_u64 {
            let version = VersionId::new(&format!("v{}", number % 50)).unwrap();
            let version = Some(version);
            let at = Duration::from_secs(number);
            meter.add(&TraceRecord {
                at,
                version,
                output: Some(Tokens::new(1)),
                ..TraceRecord::default()
            });
        }
        let versions = meter.profile().versions;
        assert_eq!(versions.len(), 41);
        let others = &versions[40];
        assert_eq!((&others.version, others.requests), (&None, 20));
    }
}
