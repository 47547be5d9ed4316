//! What came of a case: how often what happened.

use std::collections::BTreeMap;

/// Something that can happen in a case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Happening {
    Routed,
    Pinned,
    PinRefused,
    RoutedEven,
    RoutedSticky,
    Retried,
    RetriedElsewhere,
    FellBack,
    Abandoned,
    CommandAccepted,
    CommandRefused,
    Fired,
    RolledBackByRule,
    RolledBackByCommand,
    RollbackRefused,
    Redeployed,
    RolloutStarted,
    StepOver,
    StepWaits,
    Paused,
    Resumed,
    Aborted,
    Promoted,
    Baked,
    TagDropped,
    Authenticated,
    Denied,
    InGrace,
    KeysInvalidated,
    Drained,
    ClockBack,
    Restarted,
    ObservationLost,
    VersionsFull,
}

impl Happening {
    /// All of them.
    pub const ALL: [Self; 34] = [
        Self::Routed,
        Self::Pinned,
        Self::PinRefused,
        Self::RoutedEven,
        Self::RoutedSticky,
        Self::Retried,
        Self::RetriedElsewhere,
        Self::FellBack,
        Self::Abandoned,
        Self::CommandAccepted,
        Self::CommandRefused,
        Self::Fired,
        Self::RolledBackByRule,
        Self::RolledBackByCommand,
        Self::RollbackRefused,
        Self::Redeployed,
        Self::RolloutStarted,
        Self::StepOver,
        Self::StepWaits,
        Self::Paused,
        Self::Resumed,
        Self::Aborted,
        Self::Promoted,
        Self::Baked,
        Self::TagDropped,
        Self::Authenticated,
        Self::Denied,
        Self::InGrace,
        Self::KeysInvalidated,
        Self::Drained,
        Self::ClockBack,
        Self::Restarted,
        Self::ObservationLost,
        Self::VersionsFull,
    ];
}

/// How often what happened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Played {
    happenings: BTreeMap<Happening, u64>,
}

impl Played {
    pub(super) fn note(&mut self, happening: Happening) {
        *self.happenings.entry(happening).or_default() += 1;
    }

    /// How often this happened.
    pub fn count(&self, happening: Happening) -> u64 {
        self.happenings.get(&happening).copied().unwrap_or_default()
    }

    /// All that happened, and how often.
    pub fn happenings(&self) -> impl Iterator<Item = (Happening, u64)> {
        self.happenings.iter().map(|(happening, count)| (*happening, *count))
    }
}
