//! Who conducts a live run: hears what all its threads tell, follows the plan's phases and tells
//! the record.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration as Wait;

use super::error::LiveError;
use super::far::Far;
use super::feed::ended;
use super::live_watch::LiveWatch;
use super::notice::Notice;
use super::pace::Pace;
use super::requests::Requests;
use super::rule_numbers::RuleNumbers;
use super::secrets::Secrets;
use super::shadows::Shadows;
use super::stage::Stage;
use crate::clock::WallClock;
use crate::director::{Director, Meant, Told, TriggerHealth};
use crate::engine::RuleSet;
use crate::exchange::{ModelIndex, VersionIndex};
use crate::load::{Control, Keys};
use crate::record::{Happening, Observer, Outcome, Recorder};
use crate::scenario::Scenario;
use crate::units::{Duration, RequestId, Timestamp};

/// Conducts one run.
pub(super) struct Conductor<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) stage: &'a Stage,
    pub(super) clock: WallClock,
    pub(super) director: Director<'a>,
    /// Whom the phase means that began last.
    pub(super) meant: Meant,
    pub(super) pace: Pace,
    pub(super) control: Control,
    pub(super) inbox: Receiver<Notice>,
    pub(super) requests: Requests,
    pub(super) shadows: Shadows,
    pub(super) recorder: Recorder,
    pub(super) rules: Arc<Mutex<RuleNumbers>>,
    /// The rules of each model as they are.
    pub(super) present: Vec<RuleSet>,
    /// How the triggers fared of rule sets that were replaced.
    pub(super) ended: Vec<TriggerHealth>,
    pub(super) secrets: Secrets,
    pub(super) keys: Keys,
    /// What is known of a gateway elsewhere; `None`: it is the harness's own.
    pub(super) far: Option<Far<'a>>,
    /// When the last thing happened that belongs to the run.
    pub(super) latest: Timestamp,
    /// When the last thing happened that a phase may end by.
    pub(super) heard: Timestamp,
    /// Whether the load has ended.
    pub(super) is_over: bool,
}

impl Conductor<'_> {
    /// Begins the first phase: then requests may be sent.
    pub(super) fn begin(&mut self, watch: &mut LiveWatch<'_>) -> Result<(), LiveError> {
        if self.far.is_some() {
            self.look_around()?;
        }
        self.hear_told(watch)?;
        self.follow_cues(self.scenario.start, watch)
    }

    /// Conducts until the load has ended and all is known of its requests.
    pub(super) fn conduct(&mut self, watch: &mut LiveWatch<'_>) -> Result<(), LiveError> {
        while !self.is_over {
            self.hear_until(self.next_time(), watch)?;
            if (watch.is_asked_to_stop)() {
                return Err(LiveError::Interrupted);
            }
            (watch.tick)(self.control.ended());
            self.take_secrets()?;
            while let Some(at) = self.director.next_time().filter(|at| *at <= self.clock.now()) {
                let late = self.clock.now().since(at);
                self.far.iter_mut().for_each(|far| far.late = far.late.max(late));
                self.director.advance(at);
                self.follow_cues(at, watch)?;
            }
        }
        // The gateway may still have to notice that a client has left.
        let until = self.clock.now() + self.in_its_time(SETTLED_WITHIN);
        while !self.requests.is_settled() && self.clock.now() < until {
            self.hear_until(until, watch)?;
        }
        self.requests.give_up();
        self.director.run_over();
        self.follow_cues(self.latest, watch)
    }

    /// How every trigger fared, those of rule sets that were replaced included.
    pub(super) fn trigger_health(&self) -> Result<Vec<TriggerHealth>, LiveError> {
        let mut all = Vec::new();
        for model in (0..self.scenario.models.len() as u16).map(ModelIndex) {
            all.extend(self.health(model)?);
        }
        all.extend(self.ended.iter().copied());
        Ok(all)
    }

    /// How the triggers of a model's present rules fare.
    pub(super) fn health(&self, model: ModelIndex) -> Result<Vec<TriggerHealth>, LiveError> {
        let (numbers, rules) = (self.rules(), &self.present[usize::from(model.0)]);
        let number = |trigger| numbers.number(model, trigger);
        self.stage.health(self.scenario, (model, rules), number)
    }

    pub(super) fn rules(&self) -> MutexGuard<'_, RuleNumbers> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When something is to be done next, at the latest.
    fn next_time(&self) -> Timestamp {
        let next = self.director.next_time().into_iter().chain(self.secrets.next_at()).min();
        next.unwrap_or(Timestamp::MAX)
    }

    /// Hears what is told until `at`, and no longer than a moment, with all that was told at once;
    /// and does what the director wants by it.
    fn hear_until(&mut self, at: Timestamp, watch: &mut LiveWatch<'_>) -> Result<(), LiveError> {
        self.hear_next(at, watch)?;
        self.hear_told(watch)?;
        self.follow_cues(self.heard, watch)
    }

    /// Hears one thing, if it is told until `at`.
    pub(super) fn hear_next(
        &mut self,
        at: Timestamp,
        watch: &mut LiveWatch<'_>,
    ) -> Result<(), LiveError> {
        let told = self.inbox.recv_timeout(self.clock.until(at).min(MOMENT));
        if let Ok(notice) = told {
            self.hear(notice, watch)?;
        }
        self.hear_mock(watch)
    }

    /// Hears what has been told.
    pub(super) fn hear_told(&mut self, watch: &mut LiveWatch<'_>) -> Result<(), LiveError> {
        while let Ok(notice) = self.inbox.try_recv() {
            self.hear(notice, watch)?;
        }
        Ok(())
    }

    pub(super) fn hear(
        &mut self,
        notice: Notice,
        watch: &mut LiveWatch<'_>,
    ) -> Result<(), LiveError> {
        match &notice {
            Notice::Fed(event) => return self.hear_feed(event, watch),
            Notice::FeedEnded(why) => return Err(ended(why)),
            Notice::FedAgain { cut_for } => {
                self.far.iter_mut().for_each(|far| far.cuts.push(*cut_for));
                return Ok(());
            }
            Notice::Finished(end) if self.far.is_some() => self.ended_far(end, watch)?,
            _ => {}
        }
        let Self { requests, recorder, director, .. } = self;
        match notice {
            Notice::Fed(_) | Notice::FedAgain { .. } | Notice::FeedEnded(_) => {}
            Notice::Taken { at, phase, request } => {
                requests.taken(phase, request);
                // One that was taken as the phase ended is none of the next.
                if phase == director.phase() {
                    director.request_assigned(at);
                    self.heard = at;
                }
                self.hear_early(request.id, watch)?;
            }
            Notice::Assigned { at, id, version, arm, stable } => {
                requests.assigned(at, id, (version, arm), recorder);
                if director.onset(version).is_some() {
                    self.harmed(at, id, stable.filter(|stable| *stable != version));
                }
            }
            Notice::AttemptBegan { at, id, version, arm } => {
                requests.attempt_began(at, id, (version, arm), recorder);
            }
            Notice::AttemptEnded { at, id, attempt, ended } => {
                let outcome = requests.attempt_ended(at, (id, attempt), ended, recorder);
                self.completed(outcome, watch);
            }
            Notice::KeyRefused { at, id, reason } => {
                requests.key_refused(at, id, reason, recorder);
            }
            Notice::Finished(end) => {
                let outcome = requests.finished(end);
                self.latest = self.latest.max(end.ended);
                self.completed(outcome, watch);
            }
            Notice::Told(Told::Journalled(entry)) => recorder.journalled(&entry),
            Notice::Told(Told::Happened { at, happening }) => {
                director.told(at, &happening);
                self.heard = at;
                self.happened(at, happening);
            }
            Notice::Over(ended) => {
                self.is_over = true;
                (*ended)?;
            }
        }
        Ok(())
    }

    /// A request was assigned to a bad version; `stable`: who could have had it instead.
    fn harmed(&mut self, sent: Timestamp, id: RequestId, stable: Option<VersionIndex>) {
        let Some(request) = self.requests.request(id) else { return };
        let by = self.present[usize::from(request.model.0)].classification;
        let instead = stable.and_then(|stable| self.shadows.instead(stable, request, sent));
        self.requests.harmed(id, instead.map(|instead| (instead, instead.ending.class(by))));
    }

    /// Tells of something that has happened.
    pub(super) fn happened(&mut self, at: Timestamp, happening: Happening) {
        self.latest = self.latest.max(at);
        self.recorder.happened(at, happening);
    }

    /// Tells what became of a request.
    fn completed(&mut self, outcome: Option<Outcome>, watch: &mut LiveWatch<'_>) {
        let Some(outcome) = outcome else { return };
        self.recorder.completed(&outcome);
        (watch.sink)(&outcome);
    }

    /// Lets clients take the secrets that it is time for.
    fn take_secrets(&mut self) -> Result<(), LiveError> {
        for coming in self.secrets.due(self.clock.now()) {
            self.keys.replace(coming.client, &coming.secret)?;
        }
        Ok(())
    }

    /// A time on the wall in that of the run.
    pub(super) fn in_its_time(&self, wall: Wait) -> Duration {
        Duration::from_nanos(wall.as_nanos() as u64).mul_f64(self.clock.scale().times())
    }
}

/// How long nothing needs to be told before it is looked whether somebody asks to stop. Chosen: as
/// soon as people expect it.
pub(super) const MOMENT: Wait = Wait::from_millis(50);
/// How long is waited for what the gateway still has to tell. Chosen: on a machine that is busy it
/// takes a moment; what takes longer is lost.
const SETTLED_WITHIN: Wait = Wait::from_secs(5);
