//! Phases by time, by count, until an event, or for the rest of the workload.

use std::collections::VecDeque;
use std::mem;

use super::truth::TruthKeeper;
use crate::engine::RolloutState;
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::Happening;
use crate::scenario::{Awaited, PhaseEnd, Scenario, Truth};
use crate::units::{Ratio, Timestamp};

/// Something to be done or told, at the time of the call that brought it out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cue {
    /// A phase begins (an index into the plan's phases).
    PhaseBegins(u16),
    /// The present phase ends without the event that it was to last until.
    WaitEnded(u16),
    /// The weights of this phase (an index) are to be set, those of the models that it names.
    Split(u16),
    /// The rollout of this phase (an index) is to begin.
    Rollout(u16),
    /// The faults of this phase (an index) are to be put on the upstreams of the versions that they
    /// hit, with their instants, and [`Director::faults_hit`] is to be told which these are.
    FaultsScheduled(u16),
    /// A fault begins: the place in its phase's list.
    FaultBegins {
        /// On which version.
        version: VersionIndex,
        /// The phase (an index).
        phase: u16,
        /// The fault (an index into the phase's faults).
        fault: usize,
    },
    /// A fault ends.
    FaultEnds {
        /// On which version.
        version: VersionIndex,
        /// The phase (an index).
        phase: u16,
        /// The fault (an index into the phase's faults).
        fault: usize,
    },
    /// A fault never begins: all traffic was over before its time.
    FaultMissed {
        /// On which version.
        version: VersionIndex,
        /// The phase (an index).
        phase: u16,
        /// The fault (an index into the phase's faults).
        fault: usize,
    },
    /// A command is to be given.
    Command {
        /// The phase (an index).
        phase: u16,
        /// The command (an index into the phase's commands).
        command: usize,
    },
    /// A command is never given: the phase, or all traffic, was over before its time.
    CommandMissed {
        /// The phase (an index).
        phase: u16,
        /// The command (an index into the phase's commands).
        command: usize,
    },
    /// Every fault without an end of its own is to be taken off.
    OpenFaultsEnd,
    /// A version became bad.
    BecameBad(VersionIndex),
    /// The last phase is over: nothing more is to be sent.
    Finish,
}

/// Follows a plan's phases through a run.
#[derive(Clone, Debug)]
pub struct Director<'a> {
    scenario: &'a Scenario,
    phase: usize,
    phase_start: Timestamp,
    /// Requests of the present phase.
    assigned: u64,
    /// How many of them end it; `u64::MAX` where it does not end by count.
    assigned_limit: u64,
    /// The versions that the faults of the present phase hit, as far as is known.
    hit: Vec<Option<VersionIndex>>,
    /// Beginnings and ends of faults that are still to come.
    fault_times: Vec<FaultTime>,
    /// Commands of the present phase that have been given.
    commanded: usize,
    truth: TruthKeeper,
    finished: bool,
    cues: VecDeque<Cue>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct FaultTime {
    at: Timestamp,
    phase: usize,
    fault: usize,
    version: VersionIndex,
    begins: bool,
}

impl<'a> Director<'a> {
    /// A director at the first instant of `scenario`; its first cues are ready to be taken.
    pub fn new(scenario: &'a Scenario) -> Self {
        let mut director = Self {
            scenario,
            phase: 0,
            phase_start: scenario.start,
            assigned: 0,
            assigned_limit: u64::MAX,
            hit: Vec::new(),
            fault_times: Vec::new(),
            commanded: 0,
            truth: TruthKeeper::new(truths(scenario)),
            finished: false,
            cues: VecDeque::new(),
        };
        director.begin_phase(0, scenario.start);
        director.advance(scenario.start);
        director
    }

    /// The phase that requests are assigned in now (an index).
    pub fn phase(&self) -> u16 {
        self.phase as u16
    }

    /// When the present phase began.
    pub fn phase_start(&self) -> Timestamp {
        self.phase_start
    }

    /// When a version became bad, if it is and gets traffic.
    #[inline]
    pub fn onset(&self, version: VersionIndex) -> Option<Timestamp> {
        self.truth.onset(version)
    }

    /// When [`Director::advance`] must be called next; `None`: nothing is scheduled.
    pub fn next_time(&self) -> Option<Timestamp> {
        let faults = self.fault_times.iter().map(|time| time.at);
        faults.chain(self.phase_deadline()).chain(self.next_command()).min()
    }

    /// Does what is due at `now`.
    pub fn advance(&mut self, now: Timestamp) {
        if self.finished {
            return;
        }
        if self.phase_deadline().is_some_and(|deadline| deadline <= now) {
            if matches!(self.present_end(), Some(PhaseEnd::Event { .. })) {
                self.cues.push_back(Cue::WaitEnded(self.phase as u16));
            }
            self.end_phase(now);
        }
        self.tell_due_faults(now);
        while self.next_command().is_some_and(|at| at <= now) {
            let (phase, command) = (self.phase as u16, self.commanded);
            self.cues.push_back(Cue::Command { phase, command });
            self.commanded += 1;
        }
        self.tell_onsets(now);
    }

    /// A request was assigned in the present phase. Whether this ended the phase: then there are
    /// cues to be taken before the next request.
    #[inline]
    pub fn request_assigned(&mut self, now: Timestamp) -> bool {
        self.assigned += 1;
        let ends = self.assigned >= self.assigned_limit;
        if ends {
            self.end_phase(now);
            self.tell_onsets(now);
        }
        ends
    }

    /// The engine has told this, which happened at `now`. What is heard of only in a later phase
    /// than that in which it happened does not end that one.
    pub fn told(&mut self, now: Timestamp, happening: &Happening) {
        match happening {
            Happening::SplitChanged { model, weights } => {
                self.split_changed(now, self.scenario.first_version(*model), weights);
            }
            Happening::RolledBack { .. } => self.came(now, Awaited::Rollback),
            Happening::RolloutMoved { to: RolloutState::Promoted, .. } => {
                self.came(now, Awaited::Promotion);
            }
            Happening::Drained { .. } => self.came(now, Awaited::Drained),
            _ => {}
        }
    }

    /// Something came that a phase can wait for.
    fn came(&mut self, now: Timestamp, came: Awaited) {
        if let Some(PhaseEnd::Event { event, .. }) = self.present_end()
            && event == came
            && now >= self.phase_start
        {
            self.end_phase(now);
        }
        self.tell_onsets(now);
    }

    /// The weights of a model changed, by whatever cause: `first` is its first version.
    fn split_changed(&mut self, now: Timestamp, first: VersionIndex, weights: &[Ratio]) {
        for (index, weight) in (first.0..).zip(weights) {
            self.truth.set_active(VersionIndex(index), weight.get() > 0.0);
        }
        self.tell_onsets(now);
    }

    /// The faults of `phase` (an index) hit these versions, in the order of the plan; `None`: none.
    /// What begins with the phase begins before all else of this instant that is still to be done.
    pub fn faults_hit(&mut self, now: Timestamp, phase: u16, versions: Vec<Option<VersionIndex>>) {
        let phase = usize::from(phase);
        // Of a phase that is over already none begins.
        if phase != self.phase || self.finished {
            return;
        }
        let faults = &self.scenario.phases[phase].faults;
        for (fault, ((_, plan), version)) in faults.iter().zip(&versions).enumerate() {
            let Some(version) = *version else { continue };
            let at = self.phase_start + plan.at;
            self.fault_times.push(FaultTime { at, phase, fault, version, begins: true });
            if let Some(lasts) = plan.lasts {
                let at = at + lasts;
                self.fault_times.push(FaultTime { at, phase, fault, version, begins: false });
            }
        }
        self.hit = versions;
        let waiting = mem::take(&mut self.cues);
        self.tell_due_faults(now);
        self.cues.extend(waiting);
        self.tell_onsets(now);
    }

    /// Nothing more happens, though a phase may have some time left: what faults there still are in
    /// it never begin, and what commands in it and in later ones are never given.
    pub fn run_over(&mut self) {
        if !self.finished {
            let missed = self.fault_times.iter().filter(|time| time.begins);
            let missed = missed.map(|time| {
                let FaultTime { version, phase, fault, .. } = *time;
                Cue::FaultMissed { version, phase: phase as u16, fault }
            });
            self.cues.extend(missed);
            (self.phase..self.scenario.phases.len()).for_each(|phase| self.miss_commands(phase));
        }
    }

    /// The next thing to be done; to be called until it returns `None`, after every other call.
    pub fn poll_cue(&mut self) -> Option<Cue> {
        self.cues.pop_front()
    }

    fn present_end(&self) -> Option<PhaseEnd> {
        (!self.finished).then(|| self.scenario.phases[self.phase].end)
    }

    fn phase_deadline(&self) -> Option<Timestamp> {
        match self.present_end()? {
            PhaseEnd::After(length) | PhaseEnd::Event { within: length, .. } => {
                Some(self.phase_start + length)
            }
            PhaseEnd::Requests(_) | PhaseEnd::Rest => None,
        }
    }

    /// When the next command of the present phase is to be given.
    fn next_command(&self) -> Option<Timestamp> {
        let commands = &self.scenario.phases[self.phase].commands;
        let next = commands.get(self.commanded).filter(|_| !self.finished)?;
        Some(self.phase_start + next.at)
    }

    fn end_phase(&mut self, now: Timestamp) {
        let phase = self.phase;
        let faults = &self.scenario.phases[phase].faults;
        // What has not begun never will; what has and knows no end of its own ends here.
        let mut over = Vec::new();
        self.fault_times.retain(|time| time.phase != phase || !time.begins);
        for (fault, (_, plan)) in faults.iter().enumerate() {
            let onset = self.phase_start + plan.at;
            let ends = self.fault_times.iter().position(|t| t.phase == phase && t.fault == fault);
            match (plan.lasts, ends) {
                (None, _) if onset < now => {
                    let version = self.hit.get(fault).copied().flatten();
                    over.extend(version.map(|version| (fault, version)));
                }
                (Some(_), Some(index)) if onset >= now => {
                    self.fault_times.remove(index);
                }
                _ => {}
            }
        }
        for (fault, version) in over {
            self.tell_fault(FaultTime { at: now, phase, fault, version, begins: false });
        }
        self.miss_commands(phase);
        self.cues.push_back(Cue::OpenFaultsEnd);
        if phase + 1 < self.scenario.phases.len() {
            self.begin_phase(phase + 1, now);
        } else {
            self.finished = true;
            self.fault_times.clear();
            self.cues.push_back(Cue::Finish);
        }
    }

    /// Tells of the commands of a phase that have not been given.
    fn miss_commands(&mut self, phase: usize) {
        let given = if phase == self.phase { self.commanded } else { 0 };
        let missed = given..self.scenario.phases[phase].commands.len();
        let phase = phase as u16;
        self.cues.extend(missed.map(|command| Cue::CommandMissed { phase, command }));
    }

    fn begin_phase(&mut self, phase: usize, now: Timestamp) {
        let plan = &self.scenario.phases[phase];
        self.phase = phase;
        self.phase_start = now;
        self.assigned = 0;
        self.commanded = 0;
        self.hit.clear();
        self.assigned_limit = match plan.end {
            PhaseEnd::Requests(count) => count,
            _ => u64::MAX,
        };
        self.cues.push_back(Cue::PhaseBegins(phase as u16));
        if plan.split.is_some() {
            self.cues.push_back(Cue::Split(phase as u16));
        }
        if plan.rollout.is_some() {
            self.cues.push_back(Cue::Rollout(phase as u16));
        }
        if !plan.faults.is_empty() {
            self.cues.push_back(Cue::FaultsScheduled(phase as u16));
        }
    }

    fn tell_due_faults(&mut self, now: Timestamp) {
        self.fault_times.sort_by_key(|time| (time.at, time.begins, time.phase, time.fault));
        let due = self.fault_times.partition_point(|time| time.at <= now);
        for time in self.fault_times.drain(..due).collect::<Vec<_>>() {
            self.tell_fault(time);
        }
    }

    fn tell_fault(&mut self, time: FaultTime) {
        let FaultTime { phase, fault, version, begins, .. } = time;
        let phase = phase as u16;
        if begins {
            self.truth.fault_began(version);
            self.cues.push_back(Cue::FaultBegins { version, phase, fault });
        } else {
            self.truth.fault_ended(version);
            self.cues.push_back(Cue::FaultEnds { version, phase, fault });
        }
    }

    fn tell_onsets(&mut self, now: Timestamp) {
        let onsets = self.truth.new_onsets(now);
        self.cues.extend(onsets.into_iter().map(Cue::BecameBad));
    }
}

fn truths(scenario: &Scenario) -> impl Iterator<Item = (ModelIndex, Truth)> {
    (0..)
        .map(ModelIndex)
        .zip(&scenario.models)
        .flat_map(|(index, model)| model.versions.iter().map(move |version| (index, version.truth)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fixture::load_text;
    use crate::units::Duration;

    const SCENARIO: &str = "
schema: 1
name: waiting
workload: {arrivals: {poisson: 10/s}, tokens: {input: 10, output: 10}}
models:
  m: {versions: {v1: {tags: [stable], upstream: {latency: 1s}}}}
phases:
  - {name: before, for: 10s, split: {v1: 100%}}
  - {name: waits, until: rollback, within: 60s}
  - {name: after, for: 10s}
";

    #[test]
    fn what_happened_before_a_phase_does_not_end_it_however_late_it_is_heard_of() {
        let loaded = load_text(SCENARIO).unwrap();
        let at = |second| loaded.scenario.start + Duration::from_secs(second);
        let mut director = Director::new(&loaded.scenario);
        director.advance(at(10));
        assert_eq!(director.phase(), 1);
        let happening = Happening::RolledBack { version: None, target: VersionIndex(0) };
        director.told(at(9), &happening);
        assert_eq!(director.phase(), 1);
        director.told(at(11), &happening);
        assert_eq!(director.phase(), 2);
    }
}
