//! Carries out operations on an engine, and looks after each whether all holds that must.

use super::account::Account;
use super::case::Case;
use super::key_account::{KeyAccount, Standing};
use super::operation::Operation;
use super::order::{KEYS, Name, Order, beginning, digest, key_id, target};
use super::played::{Happening, Played};
use super::refuted::{Checked, Claim, Refuted, claim};
use super::routing::{Assigned, Attempted, FALLBACK, check_further, following};
use super::rule_book::{Began, RuleBook, Underway};
use super::seen::Seen;
use crate::engine::{
    Ask, Assignment, Cause, Change, Command, CommandError, CommandKind, Completion, DurableState,
    Engine, ModelSettings, Retry, Scope, Sealed, StickyKey, Ticket,
};
use crate::exchange::{Ending, Finish, ModelIndex, Observed, Usage};
use crate::units::{Draw, Duration, ModelId, Timestamp, Tokens};

/// Plays a case.
///
/// # Errors
/// Something does not hold that must.
pub fn play(case: &Case) -> Result<Played, Refuted> {
    let mut player = Player::new(case);
    let at = |operation| move |(claim, found)| Refuted { claim, operation, found };
    player.begin().map_err(at(None))?;
    for (index, operation) in case.operations.iter().enumerate() {
        player.carry_out(operation).map_err(at(Some(index)))?;
    }
    player.finish().map_err(at(case.operations.len().checked_sub(1)))?;
    Ok(player.played)
}

/// An engine, and all that is known of it without asking it.
pub(super) struct Player {
    pub(super) engine: Engine,
    settings: Vec<ModelSettings>,
    /// What the driver's clock says: it can jump back.
    clock: Timestamp,
    /// The latest that it ever said since the last restart: the engine's time.
    pub(super) now: Timestamp,
    pub(super) models: Vec<Known>,
    pub(super) keys: KeyAccount,
    pub(super) journal: Vec<Sealed>,
    /// The fold of the journal.
    pub(super) folded: DurableState,
    /// How much of the journal was there when the two states were compared last.
    compared: usize,
    flights: Vec<Flight>,
    waiting: Vec<Waiting>,
    pub(super) played: Played,
}

/// All that is known of a model.
pub(super) struct Known {
    pub(super) account: Account,
    pub(super) assigned: Assigned,
    pub(super) book: RuleBook,
    /// A rule has fired, and what it leads to is yet to be told.
    pub(super) fired: bool,
}

/// An attempt in flight.
struct Flight {
    ticket: Ticket,
    model: usize,
    user: Option<u8>,
    attempted: Attempted,
    life: u32,
    /// The number of the split that it began under.
    split: u32,
}

impl Flight {
    const fn began(&self) -> Began {
        Began { life: self.life, split: self.split, owner: self.ticket.owner() }
    }
}

/// A request between two attempts.
struct Waiting {
    retry: Retry,
    model: usize,
    user: Option<u8>,
    failed: Attempted,
    number: u8,
}

impl Player {
    fn new(case: &Case) -> Self {
        let settings = case.models.iter().zip(0..).map(|(model, index)| ModelSettings {
            id: ModelId::new(&format!("m{index}")).expect("a valid name"),
            max_versions: u16::from(model.max_versions),
            safeguards: model.safeguards,
        });
        let settings: Vec<ModelSettings> = settings.collect();
        let known = settings.iter().map(|settings| Known {
            account: Account::new(settings.safeguards),
            assigned: Assigned::default(),
            book: RuleBook::default(),
            fired: false,
        });
        Self {
            engine: Engine::new(settings.clone()),
            models: known.collect(),
            settings,
            clock: Timestamp::from_second(1_000),
            now: Timestamp::from_second(1_000),
            keys: KeyAccount::default(),
            journal: Vec::new(),
            folded: DurableState::default(),
            compared: 0,
            flights: Vec::new(),
            waiting: Vec::new(),
            played: Played::default(),
        }
    }

    fn begin(&mut self) -> Checked {
        for model in 0..self.models.len() {
            for kind in beginning() {
                self.command(model, kind)?;
            }
        }
        self.check_known()
    }

    /// What holds between any two operations.
    fn check_known(&mut self) -> Checked {
        let entries = self.journal.len();
        let before = std::mem::replace(&mut self.compared, entries);
        self.check_state(entries > before)
    }

    fn carry_out(&mut self, operation: &Operation) -> Checked {
        match operation {
            Operation::Wait(millis) => self.wait(*millis)?,
            Operation::Route { model, draw, user, pin } => {
                let draw = Draw::from_bits(u64::from(*draw) << 32);
                self.route(self.model(*model), draw, *user, *pin)?;
            }
            Operation::Complete { request, ending, latency, token, output } => {
                if let Some(flight) = self.flight(*request) {
                    let latency = Duration::from_millis(u64::from(*latency));
                    let first_token = token.then_some(latency);
                    let observed = observed((*ending).into(), latency, *output);
                    self.complete(flight, &Observed { first_token, ..observed })?;
                }
            }
            Operation::Retry { request, draw } => self.retry(*request, *draw)?,
            Operation::GiveUp(request) => drop(take(&mut self.waiting, *request)),
            Operation::Abandon(request) => self.abandon(*request)?,
            Operation::Traffic { model, requests, failing, latency } => {
                self.traffic(self.model(*model), *requests, *failing, *latency)?;
            }
            Operation::Authenticate { key, secret } => self.authenticate(*key, *secret)?,
            Operation::Command { model, order } => self.order(self.model(*model), order)?,
            Operation::Restart => self.restart()?,
        }
        self.check_known()?;
        let counted = |model: usize| self.flights.iter().filter(|f| f.model == model).count();
        for model in 0..self.models.len() {
            let (found, counted) = (self.engine.in_flight(index(model)), counted(model) as u64);
            let said = || format!("{found}, not {counted}");
            claim(found == counted, Claim::RequestsAddUp, said)?;
        }
        Ok(())
    }

    /// Every attempt in flight ends, and the whole journal is folded.
    fn finish(&mut self) -> Checked {
        for place in (0..self.flights.len()).rev() {
            let observed = Observed::without_answer(Ending::Reset, Duration::from_secs(1));
            self.complete(place, &observed)?;
        }
        self.check_whole_fold().map(drop)
    }

    pub(super) fn max_versions(&self, model: usize) -> u16 {
        self.settings[model].max_versions
    }

    fn model(&self, number: u8) -> usize {
        usize::from(number) % self.models.len()
    }

    fn wait(&mut self, millis: i32) -> Checked {
        let length = Duration::from_millis(u64::from(millis.unsigned_abs()));
        if millis < 0 {
            self.played.note(Happening::ClockBack);
            self.set_clock(self.clock - length);
        } else {
            self.set_clock(self.clock + length);
        }
        self.engine.advance(self.clock);
        self.settle(true)?;
        let due = self.engine.next_check();
        let later = due.is_none_or(|due| due > self.now);
        claim(later, Claim::DueIsDone, || format!("{due:?} is due"))?;
        for key in 0..KEYS {
            for secret in KeyAccount::secrets() {
                self.authenticate(key, secret)?;
            }
        }
        Ok(())
    }

    fn set_clock(&mut self, clock: Timestamp) {
        self.clock = clock;
        self.now = self.now.max(clock);
    }

    fn route(&mut self, model: usize, draw: Draw, user: Option<u8>, pin: Option<Name>) -> Checked {
        let name = pin.map(target);
        let sticky = user.map(|user| StickyKey::Number(u64::from(user)));
        let ask = Ask { model: index(model), pin: name.as_ref(), draw, sticky };
        let routed = self.engine.route(self.clock, ask);
        self.settle(true)?;
        let Known { account, assigned, .. } = &mut self.models[model];
        let wanted = name.as_ref().map(|name| account.resolve(name.as_str()));
        let found = || format!("{routed:?} for {wanted:?}");
        let Ok(ticket) = routed.as_ref() else {
            self.played.note(Happening::PinRefused);
            return claim(wanted == Some(None), Claim::PinIsKept, found);
        };
        let version = ticket.attempted();
        match wanted {
            Some(wanted) => {
                self.played.note(Happening::Pinned);
                claim(wanted == Some(version), Claim::PinIsKept, found)?;
            }
            None => assigned.check(account, version, draw, user)?,
        }
        self.played.note(match (account.assignment, user) {
            (Assignment::Even, _) => Happening::RoutedEven,
            (Assignment::Sticky, Some(_)) => Happening::RoutedSticky,
            _ => Happening::Routed,
        });
        let attempted = Attempted { version, number: 0, pinned: pin.is_some() };
        if let Ok(ticket) = routed {
            self.take_off(ticket, model, user, attempted);
        }
        Ok(())
    }

    fn take_off(&mut self, ticket: Ticket, model: usize, user: Option<u8>, attempted: Attempted) {
        let book = &self.models[model].book;
        let (life, split) = (book.life(attempted.version), book.split());
        self.flights.push(Flight { ticket, model, user, attempted, life, split });
    }

    fn flight(&self, request: u8) -> Option<usize> {
        usize::from(request).checked_rem(self.flights.len())
    }

    fn complete(&mut self, place: usize, observed: &Observed) -> Checked {
        let Observed { ending, first_token, .. } = *observed;
        // Checks that are due before the end still see it in flight.
        let underway = self.underway();
        let flight = self.flights.swap_remove(place);
        let (began, Flight { ticket, model, user, attempted, .. }) = (flight.began(), flight);
        let completion = self.engine.complete(self.clock, ticket, observed);
        self.settle_with(false, &underway)?;
        self.see(model, attempted, began, observed);
        let account = &self.models[model].account;
        let expected = following(account, attempted, ending, first_token.is_some());
        let found = match &completion {
            Completion::Done => None,
            Completion::Retry(retry) => Some(retry.attempt()),
        };
        let said = || format!("{found:?}, not {expected:?}, follows on {attempted:?}: {ending:?}");
        claim(found == expected, Claim::PoliciesAreKept, said)?;
        if let Completion::Retry(retry) = completion {
            let number = retry.attempt();
            self.waiting.push(Waiting { retry, model, user, failed: attempted, number });
        }
        Ok(())
    }

    fn retry(&mut self, request: u8, draw: u32) -> Checked {
        let Some(waiting) = take(&mut self.waiting, request) else { return Ok(()) };
        let Waiting { retry, model, user, failed, number } = waiting;
        let sticky = user.map(|user| StickyKey::Number(u64::from(user)));
        let draw = Draw::from_bits(u64::from(draw) << 32);
        let ticket = self.engine.retry(self.clock, retry, draw, sticky);
        self.settle(true)?;
        let version = ticket.attempted();
        let attempted = Attempted { version, number, pinned: failed.pinned };
        check_further(&self.models[model].account, failed.version, attempted)?;
        let same = ticket.attempt() == number;
        claim(same, Claim::PoliciesAreKept, || format!("{ticket:?} is not attempt {number}"))?;
        self.played.note(match number {
            FALLBACK => Happening::FellBack,
            _ if version == failed.version => Happening::Retried,
            _ => Happening::RetriedElsewhere,
        });
        self.take_off(ticket, model, user, attempted);
        Ok(())
    }

    fn abandon(&mut self, request: u8) -> Checked {
        let Some(place) = self.flight(request) else { return Ok(()) };
        self.played.note(Happening::Abandoned);
        let underway = self.underway();
        let flight = self.flights.swap_remove(place);
        let (began, Flight { ticket, model, attempted, .. }) = (flight.began(), flight);
        let latency = self.now.since(ticket.start());
        let ending = self.engine.abandon(self.clock, ticket, None);
        self.settle_with(false, &underway)?;
        self.see(model, attempted, began, &Observed::without_answer(ending, latency));
        Ok(())
    }

    /// Tells the rules' account of an attempt that ended.
    fn see(&mut self, model: usize, attempted: Attempted, began: Began, observed: &Observed) {
        let known = &mut self.models[model];
        let class = observed.ending.class(known.account.rules.classification);
        let Attempted { version, number, pinned } = attempted;
        if !pinned {
            let seen = Seen { at: self.now, version, class, observed: *observed };
            known.book.end(began, seen, number == 0);
        }
    }

    fn traffic(
        &mut self,
        model: usize,
        requests: u8,
        failing: Option<u8>,
        latency: u16,
    ) -> Checked {
        for number in 0..u64::from(requests % MOST_REQUESTS) {
            let before = self.flights.len();
            let draw = Draw::from_bits(GOLDEN.wrapping_mul(number + 1));
            self.route(model, draw, Some(number as u8), None)?;
            if self.flights.len() > before {
                let version = self.flights[before].attempted.version;
                let fails = failing.is_some_and(|failing| u16::from(failing % 4) == version.0);
                let ending = if fails { Ending::Status(503) } else { Ending::Success };
                let latency = Duration::from_millis(u64::from(latency));
                // From none to six, so that none is among them.
                let output = (number % 7) as u8;
                self.complete(before, &observed(ending, latency, output))?;
            }
        }
        Ok(())
    }

    fn authenticate(&mut self, key: u8, secret: u8) -> Checked {
        let known = self.engine.authenticate(self.clock, key_id(key).as_str(), &digest(secret));
        self.settle(true)?;
        let expected = self.keys.standing(key, secret, self.now);
        let found = || format!("key {key} with secret {secret}: {known:?}, expected {expected:?}");
        let as_expected = known.is_ok() == (expected != Standing::Refused);
        claim(as_expected, Claim::KeysStayValid, found)?;
        self.played.note(match expected {
            Standing::Current => Happening::Authenticated,
            Standing::InGrace => Happening::InGrace,
            Standing::Refused => Happening::Denied,
        });
        let Ok(principal) = known else { return Ok(()) };
        for settings in &self.settings {
            for scope in [Scope::Inference, Scope::Admin] {
                let expected = self.keys.permits(key, scope, &settings.id);
                let permitted = principal.permits(scope, &settings.id).is_ok();
                let found = || format!("{principal:?} permits {scope:?}: {permitted}");
                claim(permitted == expected, Claim::KeysStayValid, found)?;
            }
        }
        Ok(())
    }

    fn order(&mut self, model: usize, order: &Order) -> Checked {
        let ModelSettings { id, safeguards, .. } = &self.settings[model];
        let kind = order.command(id, *safeguards);
        self.command(model, kind)
    }

    fn command(&mut self, model: usize, kind: CommandKind) -> Checked {
        // These two come before the checks of their instant.
        let first = matches!(kind, CommandKind::Rollback(_) | CommandKind::Abort);
        let command = Command { model: index(model), by: COMMANDER.to_owned(), kind };
        let before = self.journal.len();
        let answer = self.engine.apply(self.clock, &command);
        self.settle(!first)?;
        let by_command = self.journal[before..].iter().filter(|sealed| {
            matches!(&sealed.entry().cause, Cause::Command { .. })
                && !matches!(&sealed.entry().change, Change::KeysInvalidated { .. })
        });
        let (changes, most) = (by_command.count(), usize::from(answer.is_ok()));
        let found = || format!("{changes} changes by {command:?}: {answer:?}");
        claim(changes <= most, Claim::CommandIsOneChange, found)?;
        if let Err(CommandError::TooManyVersions { .. }) = answer {
            self.played.note(Happening::VersionsFull);
        }
        let accepted = answer.is_ok();
        self.played.note(if accepted {
            Happening::CommandAccepted
        } else {
            Happening::CommandRefused
        });
        Ok(())
    }

    fn restart(&mut self) -> Checked {
        let state = self.check_whole_fold()?;
        self.played.note(Happening::Restarted);
        self.flights.clear();
        self.waiting.clear();
        let last = self.journal.last().map(|sealed| sealed.entry().at);
        self.now = last.map_or(self.clock, |last| last.max(self.clock));
        self.engine = Engine::restore(self.clock, self.settings.clone(), state);
        // Beyond what a restart itself journals, which is yet to be told.
        if self.engine.durable().entries() == self.folded.entries() {
            let same = self.engine.durable().to_bytes() == self.folded.to_bytes();
            let found = || format!("{:?}, not {:?}", self.engine.durable(), self.folded);
            claim(same, Claim::RestoredIsTheSame, found)?;
        }
        for known in &mut self.models {
            known.book.restart(self.now, &known.account);
            known.assigned = Assigned::default();
        }
        self.settle(true)
    }

    /// Takes the events of the last call, which carried out all checks before now, or up to it.
    fn settle(&mut self, including: bool) -> Checked {
        let underway = self.underway();
        self.settle_with(including, &underway)
    }

    fn settle_with(&mut self, including: bool, underway: &[Vec<Underway>]) -> Checked {
        while let Some(event) = self.engine.poll_event() {
            self.hear(event, underway)?;
        }
        let now = self.now;
        for (known, underway) in self.models.iter_mut().zip(underway) {
            known.book.run(now, including, &known.account, underway);
            known.book.is_all_told()?;
            let fired = known.fired;
            claim(!fired, Claim::RulesDoAsTheySay, || "a firing led to nothing".to_owned())?;
        }
        Ok(())
    }

    /// What is in flight and is evidence, by model.
    fn underway(&self) -> Vec<Vec<Underway>> {
        let mut all = vec![Vec::new(); self.models.len()];
        for flight in self.flights.iter().filter(|flight| !flight.attempted.pinned) {
            let (version, start) = (flight.attempted.version, flight.ticket.start());
            all[flight.model].push(Underway { version, life: flight.life, start });
        }
        all
    }
}

/// What is seen of an attempt that ended so: a complete answer has as many tokens, and was cut off
/// if they are 200 or more.
fn observed(ending: Ending, latency: Duration, output: u8) -> Observed {
    let nothing = Observed::without_answer(ending, latency);
    if ending != Ending::Success {
        return nothing;
    }
    let usage = Usage { input: INPUT, output: Tokens::new(u32::from(output)) };
    let finish = Some(if output >= CUT_OFF { Finish::Length } else { Finish::Stop });
    Observed { usage, finish, ..nothing }
}

pub(super) fn index(model: usize) -> ModelIndex {
    ModelIndex(model as u16)
}

fn take<T>(list: &mut Vec<T>, number: u8) -> Option<T> {
    let place = usize::from(number).checked_rem(list.len())?;
    Some(list.swap_remove(place))
}

/// Who gives the commands.
const COMMANDER: &str = "case";
/// The tokens of every prompt.
const INPUT: Tokens = Tokens::new(3);
/// An answer of so many tokens was cut off.
const CUT_OFF: u8 = 200;
/// Requests of one operation are fewer.
const MOST_REQUESTS: u8 = 32;
/// 2^64 by the golden ratio: its multiples spread evenly.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
