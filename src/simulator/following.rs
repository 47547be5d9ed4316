//! What the director wants at an instant, and how it is done.

use std::mem;

use super::SimulationError;
use super::virtual_run::VirtualRun;
use crate::director::{
    Cue, Meant, PhaseCommand, Standing, rollout_command, split_commands, target_named,
};
use crate::engine::CommandError;
use crate::exchange::ModelIndex;
use crate::record::{Happening, Observer, Order, PhasePart, Refusal};
use crate::scenario::{NamedVersion, PhaseEnd};
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
                let plan = &self.scenario.phases[usize::from(phase)];
                self.meant = Meant::by(&self.standing(), plan);
                self.change_workload(phase)?;
            }
            Cue::WaitEnded(phase) => {
                if let PhaseEnd::Event { event, .. } = self.scenario.phases[usize::from(phase)].end
                {
                    let what = event.noun().to_owned();
                    self.observer.happened(now, Happening::WaitEnded { phase, what });
                }
            }
            Cue::Split(phase) => {
                let plan = &self.scenario.phases[usize::from(phase)];
                let standing = self.standing();
                for command in split_commands(&standing, self.scenario, plan, &self.meant) {
                    self.begin_with(phase, command);
                }
            }
            Cue::Rollout(phase) => {
                let plan = &self.scenario.phases[usize::from(phase)];
                let version = self.meant.rollout;
                let command = rollout_command(&self.standing(), self.scenario, plan, version);
                if let Some(command) = command {
                    self.begin_with(phase, command);
                }
            }
            Cue::FaultsScheduled(phase) => self.schedule_faults(now, phase),
            Cue::FaultBegins { version, phase, fault } => {
                let (_, fault) = &self.scenario.phases[usize::from(phase)].faults[fault];
                let what = fault.to_string();
                self.observer.happened(now, Happening::FaultBegan { version, what });
            }
            Cue::FaultEnds { version, phase, fault } => {
                let (_, fault) = &self.scenario.phases[usize::from(phase)].faults[fault];
                let what = fault.to_string();
                self.observer.happened(now, Happening::FaultEnded { version, what });
            }
            Cue::FaultMissed { version, phase, fault } => {
                let (_, fault) = &self.scenario.phases[usize::from(phase)].faults[fault];
                let what = fault.to_string();
                self.observer.happened(now, Happening::FaultMissed { version, what });
            }
            Cue::Command { phase, command } => self.command(phase, command),
            Cue::CommandMissed { phase, command } => {
                let plan = &self.scenario.phases[usize::from(phase)].commands[command];
                let (model, order) = (plan.model, plan.instruction.order());
                self.observer.happened(now, Happening::CommandMissed { model, order });
            }
            Cue::OpenFaultsEnd => self.upstreams.end_open_faults(now),
            Cue::BecameBad(version) => self.observer.became_bad(now, version),
            Cue::Finish => {
                self.finished = true;
                self.arrival_at = Timestamp::MAX;
                self.tell_nothing_comes();
            }
        }
        Ok(())
    }

    fn standing(&self) -> Standing {
        Standing::of(&self.engine, self.scenario)
    }

    /// Puts the faults of a phase on the versions that they hit; those that hit none are told.
    fn schedule_faults(&mut self, now: Timestamp, phase: u16) {
        let faults = &self.scenario.phases[usize::from(phase)].faults;
        let hit = mem::take(&mut self.meant.faults);
        self.upstreams.schedule(faults, &hit, self.director.phase_start());
        let mut missed: Vec<&NamedVersion> = Vec::new();
        for ((named, _), version) in faults.iter().zip(&hit) {
            if version.is_none() && !missed.contains(&named) {
                missed.push(named);
            }
        }
        for named in missed {
            let (model, tag) = (self.scenario.model_of_named(named), self.scenario.name_of(named));
            let version = target_named(tag);
            let why = Refusal::NoHolder { tag: version.clone() };
            self.not_begun(phase, model, PhasePart::Faults { version }, why);
        }
        self.director.faults_hit(now, phase, hit);
    }

    /// Gives the command of a phase that begins. That it is refused is told, and the run goes on.
    fn begin_with(&mut self, phase: u16, command: PhaseCommand) {
        let PhaseCommand { model, kind, first, part } = command;
        let mut result = self.give(model, kind.clone());
        if let Err(CommandError::Rollout(_)) = result {
            result = self.give(model, first).and_then(|()| self.give(model, kind));
        }
        if let Err(error) = result {
            self.not_begun(phase, model, part, Refusal::Reason(error));
        }
    }

    /// Tells of a part of a phase with which it does not begin, and why.
    fn not_begun(&mut self, phase: u16, model: ModelIndex, with: PhasePart, why: Refusal) {
        let order = Order::Begin { phase, with };
        let refused = Happening::CommandRefused { model: Some(model), order, why };
        self.observer.happened(self.now, refused);
    }
}
