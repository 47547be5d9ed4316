//! The one thread that writes the journal: it carries out commands, wakes the engine when a check
//! is due, and tells whoever listens what has happened, once that is on the disk.
//!
//! While a command's entry is written requests go on, and the engine's time stands still: nothing
//! becomes due between the decision and its effect. What the engine does by itself takes effect at
//! once and is written after.

use std::collections::BTreeSet;
use std::sync::{Arc, mpsc};

use tokio::runtime::Runtime;
use tokio::sync::broadcast;

use super::desk::Inner;
use super::house::House;
use super::job::{Answered, Before, CommandFailure, Errand, Job, MakeAnswer, Unwritten};
use super::notices::Notices;
use super::outbox::Untold;
use super::post::Post;
use super::told::Told;
use super::version_route::VersionRoute;
use crate::engine::{
    Accepted, Channel, Command, CommandKind, Delivered, Event, EventKind, KeyStatus, Notification,
    Scope, Sealed, Undelivered,
};
use crate::exchange::ModelIndex;
use crate::notify::{Delivery, Notice};
use crate::store::{Journal, Reply, StoreError, entry_line};
use crate::units::{KeyId, Timestamp};

/// Writes the journal.
pub(super) struct Keeper<J> {
    house: Arc<House>,
    journal: J,
    /// The store's own, on this thread.
    runtime: Runtime,
    listeners: broadcast::Sender<Arc<Told>>,
    post: Post,
    notices: Notices,
    /// What a crash has cut off.
    untold: Vec<Untold>,
    /// What the engine has done and the journal does not have yet.
    backlog: Vec<Sealed>,
    /// Why it does not.
    fault: Option<StoreError>,
    /// Whether nobody is told of anything: whoever the rules name has nothing to do with a
    /// rehearsal.
    is_silent: bool,
}

impl<J: Journal> Keeper<J> {
    pub(super) fn new(
        house: Arc<House>,
        journal: J,
        runtime: Runtime,
        listeners: broadcast::Sender<Arc<Told>>,
        post: Post,
        (notices, untold): (Notices, Vec<Untold>),
    ) -> Self {
        let is_silent = house.desk.lock().witness.is_some();
        let (backlog, fault) = (Vec::new(), None);
        Self {
            house,
            journal,
            runtime,
            listeners,
            post,
            notices,
            untold,
            backlog,
            fault,
            is_silent,
        }
    }

    pub(super) const fn house(&self) -> &Arc<House> {
        &self.house
    }

    pub(super) const fn post(&self) -> &Post {
        &self.post
    }

    /// Writes down and tells what the engine has told as it was restored: its next call must find
    /// nothing untaken.
    pub(super) fn begin(&mut self) {
        let events = self.house.desk.lock().take_told();
        self.take(&events);
    }

    /// Tells what was not told, or of which it is not known, as the gateway ended.
    pub(super) fn tell_rest(&mut self) {
        let untold = std::mem::take(&mut self.untold);
        for Untold { notice, recipients, ended } in untold {
            self.send(notice, &recipients, &ended);
        }
    }

    /// Works until it is told to stop.
    pub(super) fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        loop {
            let job = jobs.recv_timeout(self.pause());
            let job = match job {
                Ok(job) => job,
                Err(mpsc::RecvTimeoutError::Timeout) => Job::Wake,
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            };
            match job {
                Job::Wake => self.advance(),
                Job::Command(errand) => self.carry_out(*errand),
                Job::Read { model, after, limit, reply } => {
                    let read = self.runtime.block_on(async {
                        match &model {
                            Some(model) => self.journal.read_of(model, after, limit).await,
                            None => self.journal.read(after, limit).await,
                        }
                    });
                    // Who asked and does not wait any more has no use for it.
                    let _ = reply.send(read);
                }
                Job::Delivered(delivery) => self.take_down(&delivery),
                Job::Stop { patience, done } => {
                    self.advance();
                    self.post.stop(patience);
                    // By now all deliveries have ended.
                    for job in jobs.try_iter() {
                        if let Job::Delivered(delivery) = job {
                            self.take_down(&delivery);
                        }
                    }
                    let _ = done.send(self.close());
                    return;
                }
            }
        }
    }

    /// Closes the journal; what it could not be told is told to the log.
    fn close(self) -> Result<(), Unwritten> {
        for sealed in &self.backlog {
            tracing::error!(entry = entry_line(sealed), "lost: the journal does not have it");
        }
        if let Err(error) = self.runtime.block_on(self.journal.close()) {
            tracing::warn!(%error, "the journal could not be closed; nothing is lost by that");
        }
        match (self.backlog.len(), self.fault) {
            (0, _) => Ok(()),
            (entries, fault) => Err(Unwritten { entries, fault }),
        }
    }

    /// Carries out a command and answers.
    pub(super) fn carry_out(&mut self, errand: Errand) {
        let Errand { command, answer, repeat, reply } = errand;
        let answered = match self.repeated(repeat.as_ref()) {
            Ok(Some(answered)) => Ok(answered),
            Ok(None) => self.command(&command, answer, repeat),
            Err(failure) => Err(failure),
        };
        let _ = reply.send(answered);
    }

    /// Carries out a command for which nobody waits.
    pub(super) fn apply(&mut self, command: &Command) -> Result<(), CommandFailure> {
        let answer = Box::new(|_: &Before, _: Option<&Sealed>| Answered {
            status: 200,
            body: String::new(),
        });
        self.command(command, answer, None).map(|_| ())
    }

    /// How long until the engine must be woken.
    fn pause(&self) -> std::time::Duration {
        let next = self.house.desk.lock().engine.next_check();
        let wait = next.map_or(LONGEST_PAUSE, |at| self.house.desk.until(at));
        wait.min(LONGEST_PAUSE)
    }

    /// Carries out what is due, and writes down what the engine has done.
    fn advance(&mut self) {
        let desk = Arc::clone(&self.house.desk);
        let events = {
            let mut inner = desk.lock();
            let now = desk.now();
            inner.engine.advance(now);
            inner.take_told()
        };
        self.take(&events);
    }

    /// Takes down that a message has arrived, or will not.
    fn take_down(&mut self, delivery: &Delivery) {
        if delivery.outcome.is_for_the_next() {
            // Without an entry of its end it is sent after the next start, as after a crash.
            tracing::warn!(
                %delivery,
                "not told before the end: a start within the hour does, from a journal in a file"
            );
            return;
        }
        let desk = Arc::clone(&self.house.desk);
        let Some((_, model)) = desk.models().find(|(id, _)| **id == delivery.model) else { return };
        let (about, channel) = (delivery.entry, delivery.channel);
        let (recipient, outcome) = (delivery.recipient.clone(), delivery.outcome.to_string());
        let events = {
            let mut inner = desk.lock();
            if delivery.outcome.is_delivered() {
                let message = Delivered { about, channel, recipient };
                inner.engine.delivered(desk.now(), model, message);
            } else {
                let message = Undelivered { about, channel, recipient, outcome };
                inner.engine.undelivered(desk.now(), model, message);
            }
            inner.take_told()
        };
        self.take(&events);
    }

    /// Writes down and tells what the engine has told.
    fn take(&mut self, events: &[Event]) {
        let entries = events.iter().filter_map(entry_of).cloned();
        self.backlog.extend(entries);
        self.write_backlog();
        self.tell(events);
    }

    fn write_backlog(&mut self) {
        // Where nothing is to be written it is tried whether the journal could be, so that a fault
        // that has passed keeps nobody away.
        if self.backlog.is_empty() && self.house.readiness.journal_is_sound() {
            // Nor does anybody notice a file that was deleted, until it is too late.
            if let Err(error) = self.journal.check_place() {
                self.fail(error);
            }
            return;
        }
        let entries: Vec<&Sealed> = self.backlog.iter().collect();
        match append(&self.runtime, &mut self.journal, &entries, None) {
            Ok(()) => {
                self.written(entries.len());
                self.backlog.clear();
            }
            Err(error) => self.fail(error),
        }
    }

    /// The journal has this many entries more, and all that there are.
    fn written(&mut self, entries: usize) {
        if self.fault.take().is_some() {
            tracing::info!("the journal can be written again");
        }
        self.house.meters.operation.written(entries);
        self.house.readiness.journal_is(true, 0);
    }

    /// The journal cannot be written.
    fn fail(&mut self, error: StoreError) {
        self.house.readiness.journal_is(false, self.backlog.len());
        if self.fault.is_none() {
            tracing::error!(
                %error,
                entries = self.backlog.len(),
                "the journal cannot be written: no command is taken until it can"
            );
        }
        self.fault = Some(error);
    }

    /// The answer that the same request got before.
    fn repeated(
        &mut self,
        repeat: Option<&(String, crate::engine::Digest)>,
    ) -> Result<Option<Answered>, CommandFailure> {
        let Some((key, request)) = repeat else { return Ok(None) };
        let now = self.house.desk.now();
        let Some(reply) = self.runtime.block_on(self.journal.reply(key, now))? else {
            return Ok(None);
        };
        if reply.request != *request {
            return Err(CommandFailure::OtherRequest(key.clone()));
        }
        Ok(Some(Answered { status: reply.status, body: reply.answer }))
    }

    fn command(
        &mut self,
        command: &Command,
        answer: MakeAnswer,
        repeat: Option<(String, crate::engine::Digest)>,
    ) -> Result<Answered, CommandFailure> {
        let desk = Arc::clone(&self.house.desk);
        let mut inner = desk.lock();
        let route = self.route_for(command)?;
        let now = desk.now();
        // What is due comes first, so that its entries stand before the command's.
        inner.engine.advance(now);
        let earlier = inner.take_told();
        let decided = decide(&mut inner, now, command, answer);
        // Requests go on while the entry is written.
        inner.held = decided.is_ok().then_some(now);
        drop(inner);
        let (accepted, answered) = match decided {
            Ok(decided) => decided,
            Err(failure) => {
                // What was due has happened all the same.
                self.take(&earlier);
                return Err(failure);
            }
        };
        let reply = repeat.map(|(key, request)| Reply {
            key,
            request,
            status: answered.status,
            answer: answered.body.clone(),
            entry: accepted.entry().map(|sealed| sealed.entry().number),
            at: now,
        });
        let written = self.write(&earlier, accepted.entry(), reply.as_ref());
        let mut inner = desk.lock();
        inner.held = None;
        if let Err(error) = written {
            drop(inner);
            self.house.readiness.journal_is(false, self.backlog.len());
            self.take(&earlier);
            return Err(error.into());
        }
        let known = inner.routes[usize::from(command.model.0)].len();
        inner.engine.commit(accepted);
        let catalog = inner.engine.catalog(command.model);
        if catalog.is_some_and(|catalog| catalog.versions().len() > known)
            // Made anew: another configuration may have been read meanwhile. Where that one has no
            // way to the version, the old one holds until it is read again.
            && let Some(route) = self.route_for(command).unwrap_or(route)
        {
            inner.routes[usize::from(command.model.0)].push(Arc::new(route));
        }
        let later = inner.take_told();
        drop(inner);
        self.backlog.clear();
        self.tell(&earlier);
        self.tell(&later);
        Ok(answered)
    }

    /// Writes down what the journal does not have yet, an entry behind it, and the reply to it.
    fn write(
        &mut self,
        earlier: &[Event],
        entry: Option<&Sealed>,
        reply: Option<&Reply>,
    ) -> Result<(), StoreError> {
        let entries = self.backlog.iter().chain(earlier.iter().filter_map(entry_of));
        let entries: Vec<&Sealed> = entries.chain(entry).collect();
        if entries.is_empty() && reply.is_none() {
            return Ok(());
        }
        append(&self.runtime, &mut self.journal, &entries, reply)?;
        self.written(entries.len());
        Ok(())
    }

    /// The way to a version that is to be registered.
    fn route_for(&self, command: &Command) -> Result<Option<VersionRoute>, CommandFailure> {
        let CommandKind::Register(version) = &command.kind else { return Ok(None) };
        let Some(model) = self.house.desk.model_id(command.model) else { return Ok(None) };
        Ok(Some(self.house.route(model, version)?))
    }

    /// Tells people of a notice, but not by the channels `ended`.
    fn send(&self, notice: Notice, recipients: &Notification, ended: &BTreeSet<Channel>) {
        if self.is_silent {
            return;
        }
        let link = self.house.settings().link.clone();
        self.post.notify(Notice { link, ..notice }, recipients, ended);
    }

    fn tell(&mut self, events: &[Event]) {
        for sealed in events.iter().filter_map(entry_of) {
            if let Some((notice, recipients)) = self.notices.follow(sealed) {
                self.send(notice, &recipients, &BTreeSet::new());
            }
        }
        for told in Told::of(&self.house.desk, events) {
            told.log();
            // Nobody may be listening.
            let _ = self.listeners.send(Arc::new(told));
        }
    }
}

/// Writes entries. One that failed as it was confirmed can be on the disk all the same: then it is
/// there, and the head says so.
fn append<J: Journal>(
    runtime: &Runtime,
    journal: &mut J,
    entries: &[&Sealed],
    reply: Option<&Reply>,
) -> Result<(), StoreError> {
    let written = runtime.block_on(journal.append(entries, reply));
    let (Err(error), Some(last)) = (&written, entries.last()) else { return written };
    let is_there = runtime
        .block_on(journal.head())
        .is_ok_and(|head| (head.entries, head.hash) == (last.entry().number, last.hash()));
    if is_there {
        tracing::warn!(%error, "the journal reported a failure, and has the entry");
        return Ok(());
    }
    written
}

/// What a command leads to at `now`, and its answer.
fn decide(
    inner: &mut Inner,
    now: Timestamp,
    command: &Command,
    answer: MakeAnswer,
) -> Result<(Accepted, Answered), CommandFailure> {
    if let CommandKind::RevokeKey(key) = &command.kind
        && is_last_admin(&inner.engine.keys(now), key)
    {
        return Err(CommandFailure::LastAdmin(key.clone()));
    }
    let before = before(inner, command.model);
    let accepted = inner.engine.prepare(now, command)?.set_aside();
    // What could not be read back would end the journal at the next start.
    if let Some(Err(error)) = accepted.entry().map(Sealed::read_back) {
        return Err(CommandFailure::Unreadable(error));
    }
    let answered = answer(&before, accepted.entry());
    Ok((accepted, answered))
}

/// Whether without this key nobody could manage keys.
fn is_last_admin(keys: &[KeyStatus], key: &KeyId) -> bool {
    let manages =
        |key: &&KeyStatus| key.scope == Scope::Admin && key.models.is_none() && !key.is_invalid;
    let mut managers = keys.iter().filter(manages);
    managers.next().is_some_and(|first| first.id == *key) && managers.next().is_none()
}

fn before(inner: &Inner, model: ModelIndex) -> Before {
    let versions = inner.engine.catalog(model).into_iter();
    let versions = versions.flat_map(|catalog| catalog.versions().map(|version| &version.id));
    Before::new(inner.engine.split(model), versions)
}

fn entry_of(event: &Event) -> Option<&Sealed> {
    match &event.kind {
        EventKind::Journal(sealed) => Some(sealed),
        _ => None,
    }
}

/// Chosen: how soon a disk that was full is tried again.
const LONGEST_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::test_house::{Idle, target};
    use super::*;
    use crate::engine::{Ask, RawRules, RuleSet, Safeguards, Slot, Version};
    use crate::exchange::{Ending, Observed};
    use crate::store::fold;
    use crate::units::{Draw, Duration, Ratio, RequestId, TagName, Timestamp, VersionId};

    const MODEL: ModelIndex = ModelIndex(0);

    /// A keeper of a model with a stable and a canary that share its traffic, and a rule that is
    /// checked every five seconds.
    fn keeper() -> Keeper<crate::store::SqliteJournal> {
        let mut keeper = Idle::new(None, 20.0, 16).keeper;
        let version = |id| {
            let id = VersionId::new(id).unwrap();
            CommandKind::Register(Box::new(Version::new(id, "mock", Timestamp::EPOCH)))
        };
        let stable = TagName::new("stable").unwrap();
        let raw: RawRules = serde_json::from_value(json!({"conditions": [{
            "metric": "error_rate", "operator": ">", "threshold": 0.5, "duration_seconds": 0,
            "check_interval_seconds": 5, "window_seconds": 5, "action": "rollback_to_last_stable",
        }]}))
        .unwrap();
        let half = Ratio::from_percent(50);
        let shares = vec![(target("v1"), half), (target("v2"), half)];
        for kind in [
            version("v1"),
            version("v2"),
            CommandKind::Tag { tag: stable, version: target("v1"), preserve_previous: true },
            CommandKind::Rules(RuleSet::new(&raw, Safeguards::default()).unwrap()),
            CommandKind::Split { shares, redeploy: false },
        ] {
            keeper.apply(&Command { model: MODEL, by: "test".to_owned(), kind }).unwrap();
        }
        keeper
    }

    fn wait(keeper: &Keeper<crate::store::SqliteJournal>, until: Timestamp) {
        while keeper.house().desk.now() < until {
            std::thread::yield_now();
        }
    }

    /// A journal that looks at the engine while it writes.
    #[derive(Debug)]
    struct Watching {
        journal: crate::store::SqliteJournal,
        desk: Arc<crate::gateway::desk::Desk>,
        seen: Vec<Timestamp>,
        /// Whether it takes nothing.
        fails: bool,
    }

    impl Watching {
        /// The keeper with such a journal in the place of its own.
        fn keep(keeper: Keeper<crate::store::SqliteJournal>) -> Keeper<Self> {
            let Keeper { house, journal, runtime, listeners, post, notices, .. } = keeper;
            let desk = Arc::clone(&house.desk);
            let journal = Self { journal, desk, seen: Vec::new(), fails: false };
            Keeper::new(house, journal, runtime, listeners, post, (notices, Vec::new()))
        }
    }

    impl Journal for Watching {
        async fn append(
            &mut self,
            entries: &[&Sealed],
            reply: Option<&Reply>,
        ) -> Result<(), StoreError> {
            if self.fails {
                return Err(StoreError::ReadOnly);
            }
            let desk = Arc::clone(&self.desk);
            let mut look = || {
                let desk = Arc::clone(&desk);
                // On a thread of its own: one that has the lock already would be let in.
                let looked = std::thread::spawn(move || desk.with(|_, now| now)).join();
                self.seen.push(looked.unwrap());
            };
            look();
            let before = self.desk.now();
            while self.desk.now() == before {
                std::thread::yield_now();
            }
            look();
            self.journal.append(entries, reply).await
        }

        async fn read(
            &mut self,
            after: u64,
            limit: std::num::NonZeroU16,
        ) -> Result<Vec<Sealed>, StoreError> {
            self.journal.read(after, limit).await
        }

        fn check_place(&mut self) -> Result<(), StoreError> {
            self.journal.check_place()
        }

        async fn read_of(
            &mut self,
            model: &crate::units::ModelId,
            after: u64,
            limit: std::num::NonZeroU16,
        ) -> Result<Vec<Sealed>, StoreError> {
            self.journal.read_of(model, after, limit).await
        }

        async fn head(&mut self) -> Result<crate::store::Head, StoreError> {
            self.journal.head().await
        }

        async fn reply(&mut self, key: &str, now: Timestamp) -> Result<Option<Reply>, StoreError> {
            self.journal.reply(key, now).await
        }

        async fn close(self) -> Result<(), StoreError> {
            self.journal.close().await
        }
    }

    /// A disk that stalls would else stop all requests.
    #[test]
    fn while_a_command_is_written_requests_go_on_and_the_engines_time_stands_still() {
        let mut keeper = Watching::keep(keeper());
        let desk = Arc::clone(&keeper.house().desk);
        let shares = vec![(target("v1"), Ratio::from_percent(100))];
        let kind = CommandKind::Split { shares, redeploy: false };
        keeper.apply(&Command { model: MODEL, by: "test".to_owned(), kind }).unwrap();
        let seen = &keeper.journal.seen;
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0], seen[1]);
        assert!(desk.with(|_, now| now) > seen[1], "time goes on again");
        let stable = desk.lock().engine.split(MODEL).unwrap().weight(Slot(0));
        assert_eq!(stable, Ratio::from_percent(100));
    }

    /// What the engine does by itself has happened, whether it can be written or not.
    #[test]
    fn what_cannot_be_written_waits_and_is_counted_until_it_can() {
        let mut keeper = Watching::keep(keeper());
        let house = Arc::clone(keeper.house());
        let waiting = || (house.readiness.journal_is_sound(), house.readiness.entries_waiting());
        assert_eq!(waiting(), (true, 0));
        let before = house.desk.lock().engine.entries();
        keeper.journal.fails = true;
        for number in 1..=2 {
            let (about, channel, recipient) = (Some(1), Channel::Mail, String::new());
            let message = Delivered { about, channel, recipient };
            house.desk.with(|inner, now| inner.engine.delivered(now, MODEL, message));
            keeper.advance();
            assert_eq!(waiting(), (false, number));
        }
        let kind = CommandKind::Rollback(Some(target("v1")));
        let refused = keeper.apply(&Command { model: MODEL, by: "test".to_owned(), kind });
        assert!(matches!(refused, Err(CommandFailure::Store(_))), "{refused:?}");
        assert_eq!(waiting(), (false, 2));
        keeper.journal.fails = false;
        keeper.advance();
        assert_eq!(waiting(), (true, 0));
        let head = keeper.runtime.block_on(keeper.journal.head()).unwrap();
        assert_eq!(head.entries, before + 2);
    }

    /// A check that is due as a refused command comes has rolled back: the journal must have it, or
    /// nothing could ever be appended to it again.
    #[test]
    fn what_was_due_is_written_though_the_command_is_refused() {
        let mut keeper = keeper();
        let desk = Arc::clone(&keeper.house().desk);
        let check = desk.lock().engine.next_check().unwrap();
        // What ends before the activation, five seconds earlier, is in no window.
        wait(&keeper, check - Duration::from_secs(5));
        // Every second draw lies in the upper half, which is the canary's.
        for number in 0..40_u64 {
            let ask =
                Ask { model: MODEL, pin: None, draw: Draw::from_bits(number << 63), sticky: None };
            let ticket = desk.with(|inner, now| inner.engine.route(now, ask)).unwrap();
            let failed = ticket.attempted() == Slot(1);
            let ending = if failed { Ending::Status(500) } else { Ending::Success };
            let observed = Observed::without_answer(ending, Duration::from_millis(1));
            let _ = desk.complete(RequestId(number), ticket, &observed);
        }
        wait(&keeper, check);
        let nowhere = vec![(target("nowhere"), Ratio::from_percent(100))];
        let kind = CommandKind::Split { shares: nowhere, redeploy: false };
        let refused = keeper.apply(&Command { model: MODEL, by: "test".to_owned(), kind });
        assert!(matches!(refused, Err(CommandFailure::Refused(_))), "{refused:?}");
        let stable = desk.lock().engine.split(MODEL).unwrap().weight(Slot(0));
        assert_eq!(stable, Ratio::from_percent(100));
        let written = keeper.runtime.block_on(fold(&mut keeper.journal)).unwrap();
        assert_eq!(written, desk.lock().engine.durable());
    }
}
