//! Meters by name: as many as there is room for, and one for all others.

use super::figures::Group;
use super::group_meter::GroupMeter;
use crate::trace::TraceRecord;
use crate::units::Duration;

/// A meter for each name, in the order in which they came.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Groups<N> {
    named: Vec<(N, GroupMeter)>,
    /// The requests of names for which there is no room.
    others: Option<Box<GroupMeter>>,
}

impl<N> Default for Groups<N> {
    fn default() -> Self {
        Self { named: Vec::new(), others: None }
    }
}

impl<N: Clone + PartialEq> Groups<N> {
    /// The meter of a name that `is` recognises and `own` makes.
    pub(super) fn add(
        &mut self,
        record: &TraceRecord,
        is: impl Fn(&N) -> bool,
        own: impl FnOnce() -> N,
    ) {
        let place = self.named.iter().position(|(name, _)| is(name));
        self.meter(place, own).add(record);
    }

    /// Adds what a meter has seen whose requests came after those of this one: the same as if one
    /// meter had seen all, as long as there was room for every name.
    pub(super) fn merge(&mut self, later: &Self) {
        for (name, meter) in &later.named {
            let place = self.named.iter().position(|(own, _)| own == name);
            self.meter(place, || name.clone()).merge(meter);
        }
        if let Some(others) = &later.others {
            self.others.get_or_insert_default().merge(others);
        }
    }

    /// The figures of each name, named by `named`, and last those of all others.
    pub(super) fn figures(
        &self,
        shares: &[u32],
        slot: Duration,
        named: impl Fn(&N, Group) -> Group,
    ) -> Vec<Group> {
        let groups =
            self.named.iter().map(|(name, meter)| named(name, meter.figures(shares, slot)));
        groups.chain(self.others.iter().map(|others| others.figures(shares, slot))).collect()
    }

    fn meter(&mut self, place: Option<usize>, name: impl FnOnce() -> N) -> &mut GroupMeter {
        match place {
            Some(place) => &mut self.named[place].1,
            None if self.named.len() < MOST_NAMES => {
                self.named.push((name(), GroupMeter::default()));
                &mut self.named.last_mut().expect("it was pushed").1
            }
            None => self.others.get_or_insert_default(),
        }
    }
}

/// Chosen: more rows no longer make a table.
pub(super) const MOST_NAMES: usize = 40;
