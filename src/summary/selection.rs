//! Which requests a metric is taken over, and their counts merged.

use super::estimate::{Estimate, Method};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::metric::{Measure, Metric};
use crate::record::{Arm, Cell, KeyRejections, Record, Tally};
use crate::units::{Duration, Money, Price};

/// Which requests a metric is taken over: those that all its parts select. Default: all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// Those of one phase (an index into the record's phases).
    pub phase: Option<usize>,
    /// Those of one model.
    pub model: Option<ModelIndex>,
    /// Those of one version.
    pub version: Option<VersionIndex>,
    /// Those of one side of the split.
    pub arm: Option<Arm>,
    /// How long an answer may take to be good: asked by [`Metric::Goodput`] only.
    pub within: Option<Duration>,
}

/// The metrics of a run.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    record: &'a Record,
}

impl<'a> Summary<'a> {
    /// The metrics of the run that left `record` behind.
    pub const fn of(record: &'a Record) -> Self {
        Self { record }
    }

    /// What the metrics are read from.
    pub const fn record(&self) -> &'a Record {
        self.record
    }

    /// The requests of a selection, counted once for any number of metrics.
    pub fn select(&self, selection: Selection) -> Selected<'a> {
        let mut tally = Tally::default();
        let mut finals = None;
        let mut cost = Some(Money::ZERO);
        let cells = || self.record.cells.iter().filter(|cell| selection.holds(self.record, cell));
        for cell in cells() {
            tally.merge(&cell.tally);
            cost = cost.zip(cost_of(self.record, cell)).map(|(sum, of_cell)| sum + of_cell);
        }
        if cells().any(|cell| cell.attempts.is_some() || cell.finals.is_some()) {
            let seen = finals.insert(tally.clone());
            cells().filter_map(|cell| cell.finals.as_ref()).for_each(|other| seen.merge(other));
            let attempts = cells().filter_map(|cell| cell.attempts.as_ref());
            attempts.for_each(|other| tally.merge(other));
        }
        Selected { record: self.record, selection, tally, finals, cost }
    }
}

impl Selection {
    /// Whether the requests of `cell` belong to it.
    pub fn holds(&self, record: &Record, cell: &Cell) -> bool {
        self.holds_phase(usize::from(cell.phase))
            && self.holds_version(record, cell.version)
            && self.arm.is_none_or(|arm| arm == cell.arm)
    }

    /// Whether requests of this phase belong to it.
    pub(super) fn holds_phase(&self, phase: usize) -> bool {
        self.phase.is_none_or(|selected| selected == phase)
    }

    /// Whether requests of this version belong to it.
    pub(super) fn holds_version(&self, record: &Record, version: VersionIndex) -> bool {
        self.version.is_none_or(|selected| selected == version)
            && self.model.is_none_or(|selected| record.model_of(version) == Some(selected))
    }
}

/// The requests of one selection.
#[derive(Clone, Debug)]
pub struct Selected<'a> {
    pub(super) record: &'a Record,
    pub(super) selection: Selection,
    /// Every attempt at the selected versions: what they did.
    pub(super) tally: Tally,
    /// The requests assigned to them, as their clients saw them; `None` where no request took
    /// several attempts, so that the two are the same.
    finals: Option<Tally>,
    /// `None` where a version that answered has no price.
    pub(super) cost: Option<Money>,
}

impl Selected<'_> {
    /// Whether some request took several attempts, so that these are more.
    pub(super) fn took_several_attempts(&self) -> bool {
        self.finals.as_ref().is_some_and(|finals| finals.completed() != self.tally.completed())
    }

    /// The requests as their clients saw them, each counted once.
    pub fn requests(&self) -> &Tally {
        self.finals.as_ref().unwrap_or(&self.tally)
    }

    /// Every attempt at the selected versions: what they did.
    pub const fn attempts(&self) -> &Tally {
        &self.tally
    }

    /// The selected attempts with the price of the version that they were at; those at versions
    /// without a price are left out.
    pub(super) fn priced_tallies(&self) -> impl Iterator<Item = (Price, &Tally)> {
        let record = self.record;
        let cells = record.cells.iter().filter(|cell| self.selection.holds(record, cell));
        cells.flat_map(move |cell| {
            let price = record.version(cell.version).and_then(|version| version.price);
            let tallies = [Some(&cell.tally), cell.attempts.as_ref()].into_iter().flatten();
            price.into_iter().flat_map(move |price| tallies.clone().map(move |one| (price, one)))
        })
    }

    /// The model that all selected requests are of; `None` where they can be of several.
    pub(super) fn only_model(&self) -> Option<ModelIndex> {
        let Selection { model, version, .. } = self.selection;
        let of_version = version.and_then(|version| self.record.model_of(version));
        let single = (self.record.models.len() == 1).then_some(ModelIndex(0));
        model.or(of_version).or(single)
    }

    /// Requests of the selected phase and model that were refused for their key.
    pub(super) fn key_rejections(&self) -> impl Iterator<Item = &KeyRejections> {
        self.record.key_rejections.iter().filter(|rejections| {
            self.selection.holds_phase(usize::from(rejections.phase))
                && self.selection.model.is_none_or(|model| model == rejections.model)
        })
    }

    /// How many of the selected requests were refused for their key: none where a version or an arm
    /// is selected, for they were assigned to none.
    pub(super) fn refused_for_keys(&self) -> u64 {
        if self.selection.version.is_some() || self.selection.arm.is_some() {
            return 0;
        }
        self.key_rejections().map(|rejections| rejections.count).sum()
    }

    /// A metric over these requests. Without data where the selected phase was never reached or
    /// the selected model or version does not exist.
    pub fn estimate(&self, metric: Metric, method: Method) -> Estimate {
        let Selection { phase, model, version, .. } = self.selection;
        let reached = phase.is_none_or(|phase| phase < self.record.phases.len());
        let has_model = model.is_none_or(|model| !self.record.versions_of(model).is_empty());
        let has_version = version.is_none_or(|version| self.record.version(version).is_some());
        if !reached || !has_model || !has_version {
            Estimate::absent(metric)
        } else if metric.measure() == Measure::OfRun {
            self.of_run(metric, method)
        } else {
            self.of_requests(metric, method)
        }
    }
}

/// What the tokens of a cell cost; `None` where there are tokens and no price.
fn cost_of(record: &Record, cell: &Cell) -> Option<Money> {
    let tallies = [Some(&cell.tally), cell.attempts.as_ref()].into_iter().flatten();
    let (input, output) = tallies.fold((0, 0), |(input, output), tally| {
        (input + tally.input_tokens, output + tally.output_tokens)
    });
    if input == 0 && output == 0 {
        return Some(Money::ZERO);
    }
    let version = record.version(cell.version)?;
    version.price.map(|price| price.cost(input, output))
}
