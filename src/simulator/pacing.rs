//! What phases change about the workload, and whether requests are still to come.

use super::SimulationError;
use super::virtual_run::VirtualRun;
use crate::record::{Happening, Observer};
use crate::units::Timestamp;
use crate::workload::Change;

impl<O: Observer> VirtualRun<'_, O> {
    /// The workload becomes that of a phase, which begins now.
    pub(super) fn change_workload(&mut self, phase: u16) -> Result<(), SimulationError> {
        let change = self.scenario.phases[usize::from(phase)].workload.as_ref();
        self.source.change(self.now.since(self.scenario.start), change)?;
        if let Some(change) = change {
            let what = change.to_string();
            self.observer.happened(self.now, Happening::WorkloadChanged { what });
        }
        self.look_ahead()
    }

    /// Whether another phase can bring requests where none are under way and none are to come.
    #[cold]
    pub(super) fn could_go_on(&mut self) -> Result<bool, SimulationError> {
        let next = usize::from(self.director.phase()) + 1;
        let later = self.scenario.phases.get(next..).unwrap_or_default();
        if self.finished || later.is_empty() || self.cue_at == Timestamp::MAX {
            return Ok(false);
        }
        let brings = |workload: &Change| workload.arrivals().is_some();
        let brings = later.iter().any(|phase| phase.workload.as_ref().is_some_and(brings));
        Ok(self.source.could_go_on(brings)?)
    }
}
