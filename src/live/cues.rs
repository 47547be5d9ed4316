//! What the director wants, and how it is done on servers.

use std::mem;
use std::time::Duration as Wait;

use super::conductor::Conductor;
use super::error::LiveError;
use super::live_watch::LiveWatch;
use crate::director::{Cue, Meant, PhaseCommand, rollout_command, split_commands, target_named};
use crate::exchange::ModelIndex;
use crate::record::{Happening, Observer, Order, PhasePart, Refusal};
use crate::scenario::{NamedVersion, PhaseEnd};
use crate::units::Timestamp;
use crate::upstream::Fault;
use crate::workload::Change;

impl Conductor<'_> {
    /// Does what the director wants, until it has no cue left. Nothing is sent while a phase
    /// begins, and what has been sent before is assigned before.
    pub(super) fn follow_cues(
        &mut self,
        now: Timestamp,
        watch: &mut LiveWatch<'_>,
    ) -> Result<(), LiveError> {
        let mut begins = false;
        let mut any = false;
        while let Some(cue) = self.director.poll_cue() {
            if !begins && matches!(cue, Cue::OpenFaultsEnd | Cue::PhaseBegins(_)) {
                begins = true;
                self.hold(watch)?;
            }
            any = true;
            self.follow(now, cue, watch)?;
        }
        if any {
            // What has begun or ended may have made room.
            self.stage.mock.admit();
            self.pace.expect(self.later());
            self.control.nudge();
        }
        if begins {
            let phase = self.director.phase();
            let end = self.scenario.phases[usize::from(phase)].end;
            self.pace.go_on(phase, end);
            self.control.nudge();
        }
        Ok(())
    }

    /// Holds requests back, and waits until those that were sent have been assigned.
    fn hold(&mut self, watch: &mut LiveWatch<'_>) -> Result<(), LiveError> {
        self.pace.hold();
        let until = self.clock.now() + self.in_its_time(ASSIGNED_WITHIN);
        while self.requests.unassigned() > 0 && self.clock.now() < until && !self.is_over {
            // Of what the mock of a gateway elsewhere is asked nobody wakes who waits here.
            let soon = match self.far {
                Some(_) => until.min(self.clock.now() + self.in_its_time(LOOKED_AT)),
                None => until,
            };
            self.hear_next(soon, watch)?;
        }
        Ok(())
    }

    /// Whether a phase that is to come brings requests of its own; `None`: none comes.
    fn later(&self) -> Option<bool> {
        let next = usize::from(self.director.phase()) + 1;
        let later = self.scenario.phases.get(next..).filter(|later| !later.is_empty())?;
        self.director.next_time()?;
        let brings = |workload: &Change| workload.arrivals().is_some();
        Some(later.iter().any(|phase| phase.workload.as_ref().is_some_and(brings)))
    }

    fn follow(
        &mut self,
        now: Timestamp,
        cue: Cue,
        watch: &mut LiveWatch<'_>,
    ) -> Result<(), LiveError> {
        match cue {
            Cue::PhaseBegins(phase) => self.begin_phase(now, phase)?,
            Cue::WaitEnded(phase) => {
                if let PhaseEnd::Event { event, .. } = self.scenario.phases[usize::from(phase)].end
                {
                    let what = event.noun().to_owned();
                    self.happened(now, Happening::WaitEnded { phase, what });
                }
            }
            Cue::Split(phase) => {
                let standing = self.stage.operator.standing(self.scenario)?;
                let plan = &self.scenario.phases[usize::from(phase)];
                for command in split_commands(&standing, self.scenario, plan, &self.meant) {
                    self.begin_with((now, phase), command, watch)?;
                }
            }
            Cue::Rollout(phase) => {
                let standing = self.stage.operator.standing(self.scenario)?;
                let plan = &self.scenario.phases[usize::from(phase)];
                let version = self.meant.rollout;
                let command = rollout_command(&standing, self.scenario, plan, version);
                if let Some(command) = command {
                    self.begin_with((now, phase), command, watch)?;
                }
            }
            Cue::FaultsScheduled(phase) => self.schedule_faults(now, phase),
            Cue::FaultBegins { version, phase, fault } => {
                let what = self.fault(phase, fault).to_string();
                self.happened(now, Happening::FaultBegan { version, what });
            }
            Cue::FaultEnds { version, phase, fault } => {
                let what = self.fault(phase, fault).to_string();
                self.happened(now, Happening::FaultEnded { version, what });
            }
            Cue::FaultMissed { version, phase, fault } => {
                let what = self.fault(phase, fault).to_string();
                self.happened(now, Happening::FaultMissed { version, what });
            }
            Cue::Command { phase, command } => self.command(now, (phase, command), watch)?,
            Cue::CommandMissed { phase, command } => {
                let plan = &self.scenario.phases[usize::from(phase)].commands[command];
                let (model, order) = (plan.model, plan.instruction.order());
                self.happened(now, Happening::CommandMissed { model, order });
            }
            Cue::OpenFaultsEnd => {
                self.shadows.end_open_faults(now);
                self.stage.mock.end_open_faults(now);
            }
            Cue::BecameBad(version) => self.recorder.became_bad(now, version),
            Cue::Finish => {
                self.pace.finish();
                self.control.nudge();
            }
        }
        Ok(())
    }

    fn begin_phase(&mut self, now: Timestamp, phase: u16) -> Result<(), LiveError> {
        self.happened(now, Happening::PhaseBegan { phase });
        let plan = &self.scenario.phases[usize::from(phase)];
        self.meant = Meant::by(&self.stage.operator.standing(self.scenario)?, plan);
        self.pace.change(now, plan.workload.as_ref())?;
        if let Some(change) = &plan.workload {
            self.happened(now, Happening::WorkloadChanged { what: change.to_string() });
        }
        Ok(())
    }

    /// Puts the faults of a phase on the versions that they hit; those that hit none are told.
    fn schedule_faults(&mut self, now: Timestamp, phase: u16) {
        let faults = &self.scenario.phases[usize::from(phase)].faults;
        let hit = mem::take(&mut self.meant.faults);
        let began = self.director.phase_start();
        let mut missed: Vec<&NamedVersion> = Vec::new();
        for ((named, fault), version) in faults.iter().zip(&hit) {
            if let Some(version) = *version {
                let onset = began + fault.at;
                let until = fault.lasts.map(|lasts| onset + lasts);
                self.shadows.begin_fault(version, fault, onset, until);
                self.stage.mock.begin_fault(usize::from(version.0), fault, onset, until);
            } else if !missed.contains(&named) {
                missed.push(named);
            }
        }
        for named in missed {
            let (model, tag) = (self.scenario.model_of_named(named), self.scenario.name_of(named));
            let version = target_named(tag);
            let why = Refusal::NoHolder { tag: version.clone() };
            self.not_begun((now, phase), model, PhasePart::Faults { version }, why);
        }
        self.director.faults_hit(now, phase, hit);
    }

    /// Gives the command of a phase that begins. That it is refused is told, and the run goes on.
    fn begin_with(
        &mut self,
        at: (Timestamp, u16),
        command: PhaseCommand,
        watch: &mut LiveWatch<'_>,
    ) -> Result<(), LiveError> {
        let PhaseCommand { model, kind, first, part } = command;
        let mut result = self.give(model, &kind, watch)?;
        if result.as_ref().is_err_and(|refused| refused.status == CONFLICT)
            && self.is_in_rollout(model)?
        {
            result = match self.give(model, &first, watch)? {
                Ok(_) => self.give(model, &kind, watch)?,
                refused => refused,
            };
        }
        if let Err(refused) = result {
            self.not_begun(at, model, part, Refusal::Told(refused.why));
        }
        Ok(())
    }

    /// Tells of a part of a phase with which it does not begin, and why.
    fn not_begun(
        &mut self,
        (at, phase): (Timestamp, u16),
        model: ModelIndex,
        with: PhasePart,
        why: Refusal,
    ) {
        let order = Order::Begin { phase, with };
        self.happened(at, Happening::CommandRefused { model: Some(model), order, why });
    }

    fn fault(&self, phase: u16, fault: usize) -> &Fault {
        &self.scenario.phases[usize::from(phase)].faults[fault].1
    }
}

/// What a gateway says where a rollout is in the way.
const CONFLICT: u16 = 409;
/// How long is waited at most until what was sent has been assigned. Chosen: many times what that
/// takes, and no long pause of a run whose gateway hangs.
const ASSIGNED_WITHIN: Wait = Wait::from_millis(500);
/// Chosen: a part of what the way to a mock takes.
const LOOKED_AT: Wait = Wait::from_millis(1);
