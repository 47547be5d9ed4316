//! What the director wants at an instant, and how it is done.

use super::SimulationError;
use super::deploying;
use super::virtual_run::VirtualRun;
use crate::director::Cue;
use crate::record::{Happening, Observer};
use crate::scenario::PhaseEnd;
use crate::units::Timestamp;

impl<O: Observer> VirtualRun<'_, O> {
    /// Does what the director wants, until it has no cue left.
    pub(super) fn follow_cues(&mut self, now: Timestamp) -> Result<(), SimulationError> {
        while let Some(cue) = self.director.poll_cue() {
            self.follow(now, cue)?;
        }
        // What has begun or ended may have made room.
        self.admit_everywhere()?;
        self.cue_at = self.director.next_time().unwrap_or(Timestamp::MAX);
        Ok(())
    }

    fn follow(&mut self, now: Timestamp, cue: Cue) -> Result<(), SimulationError> {
        match cue {
            Cue::PhaseBegins(phase) => {
                self.observer.happened(now, Happening::PhaseBegan { phase });
                self.change_workload(phase)?;
            }
            Cue::WaitEnded(phase) => {
                if let PhaseEnd::Event { event, .. } = self.scenario.phases[usize::from(phase)].end
                {
                    let what = event.noun().to_owned();
                    self.observer.happened(now, Happening::WaitEnded { phase, what });
                }
            }
            Cue::Split(weights) => {
                for (model, kind) in deploying::split(&self.engine, self.scenario, &weights) {
                    self.apply(model, kind)?;
                }
            }
            Cue::Rollout(phase) => {
                let Some(plan) = &self.scenario.phases[usize::from(phase)].rollout else {
                    return Ok(());
                };
                for (model, kind) in deploying::rollout(&self.engine, self.scenario, plan) {
                    self.apply(model, kind)?;
                }
            }
            Cue::FaultsScheduled(phase) => {
                let faults = &self.scenario.phases[usize::from(phase)].faults;
                self.upstreams.schedule(faults, self.director.phase_start());
            }
            Cue::FaultBegins { phase, fault } => {
                let (version, fault) = &self.scenario.phases[usize::from(phase)].faults[fault];
                let (version, what) = (*version, fault.to_string());
                self.observer.happened(now, Happening::FaultBegan { version, what });
            }
            Cue::FaultEnds { phase, fault } => {
                let (version, fault) = &self.scenario.phases[usize::from(phase)].faults[fault];
                let (version, what) = (*version, fault.to_string());
                self.observer.happened(now, Happening::FaultEnded { version, what });
            }
            Cue::Command { phase, command } => self.command(phase, command),
            Cue::CommandMissed { phase, command } => {
                let plan = &self.scenario.phases[usize::from(phase)].commands[command];
                let (model, what) = (plan.model, plan.what.clone());
                self.observer.happened(now, Happening::CommandMissed { model, what });
            }
            Cue::OpenFaultsEnd => self.upstreams.end_open_faults(now),
            Cue::BecameBad(version) => self.observer.became_bad(now, version),
            Cue::Finish => {
                self.finished = true;
                self.arrival_at = Timestamp::MAX;
            }
        }
        Ok(())
    }
}
