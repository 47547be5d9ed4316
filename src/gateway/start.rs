//! A gateway from its plan: the journal is read and verified, the engine goes on from it, the
//! threads begin. And its end: requests under way are finished, and the journal is closed.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use tokio::sync::{Semaphore, broadcast, oneshot, watch};

use super::access_secret::AccessSecret;
use super::admin::router;
use super::desk::Desk;
use super::drift::{after_reload, after_start, unreachable};
use super::front::Front;
use super::house::{House, Settings};
use super::job::{CommandFailure, Job};
use super::keeper::Keeper;
use super::meters::Meters;
use super::notify_plan::notify_settings;
use super::opening::opening;
use super::outbox::Outbox;
use super::post::Post;
use super::server::{Serving, ServingThread, bind};
use super::settings::ReadSecret;
use super::start_error::{ReloadError, StartError};
use super::tape_file::{TapeThread, check_tape};
use super::tls::client_tls;
use super::told::Told;
use super::witness::{Harness, Witness};
use super::worker::Worker;
use crate::chance::Chance;
use crate::clock::{TimeScale, WallClock};
use crate::engine::{
    Command, CommandError, CommandKind, DurableState, Engine, Health, NewKey, Scope, Slot,
};
use crate::exchange::ModelIndex;
use crate::notify::{Delivery, Notifier, Now, Ways};
use crate::scenario::{GatewayPlan, StatePlan};
use crate::store::{Journal, SqliteJournal, fold, walk};
use crate::trace::Names;
use crate::units::{Duration, KeyId, ModelId, Timestamp};

/// A gateway that serves.
#[derive(Debug)]
pub struct Gateway {
    addresses: Vec<SocketAddr>,
    house: Arc<House>,
    notifier: Arc<Notifier>,
    jobs: mpsc::Sender<Job>,
    stop: watch::Sender<bool>,
    serving: Vec<ServingThread>,
    keeper: JoinHandle<()>,
    /// Writes down requests and their outcomes, if anything does.
    recording: Option<TapeThread>,
    /// As it was started: a reading behind it takes a part alone.
    plan: GatewayPlan,
}

/// Shows an access key to whoever starts a gateway.
type Show<'a> = &'a mut dyn FnMut(&str) -> io::Result<()>;

impl Gateway {
    /// Begins to serve `plan` on `threads` threads; when this returns it can be reached. Where
    /// there is no access key one is made, which `show` is given, once.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is left behind but the journal.
    pub fn start(
        plan: &GatewayPlan,
        clock: WallClock,
        read_secret: ReadSecret<'_>,
        threads: NonZeroUsize,
        show: Show<'_>,
    ) -> Result<Self, StartError> {
        Self::begin(plan, clock, read_secret, threads, (show, None))
    }

    /// Begins to serve `plan`, which names no secrets, in a rehearsal: see [`Harness`].
    ///
    /// # Errors
    /// As [`Gateway::start`].
    pub fn start_in_harness(
        plan: &GatewayPlan,
        clock: WallClock,
        threads: NonZeroUsize,
        show: Show<'_>,
        harness: Harness,
    ) -> Result<Self, StartError> {
        let no_secrets = |_: &_| Err("a rehearsal has no secrets".to_owned());
        Self::begin(plan, clock, &no_secrets, threads, (show, Some(harness)))
    }

    fn begin(
        plan: &GatewayPlan,
        clock: WallClock,
        read_secret: ReadSecret<'_>,
        threads: NonZeroUsize,
        (show, harness): (Show<'_>, Option<Harness>),
    ) -> Result<Self, StartError> {
        let (jobs, inbox) = mpsc::channel();
        let (listeners, _) = broadcast::channel(LISTENERS_LAG);
        let (chance, witness) = harness.map(|it| (it.chance, it.witness)).unzip();
        let told = (jobs.clone(), listeners.clone());
        let mut keeper = open(plan, clock, read_secret, told, witness)?;
        let house = Arc::clone(keeper.house());
        let sockets = bind(&plan.listen, threads.get()).map_err(StartError::Listen)?;
        open_models(plan, &mut keeper)?;
        first_key(&mut keeper, show)?;
        let recording = record(plan, clock, &house)?;
        let front = Front::new(Arc::clone(&house), jobs.clone(), listeners, plan.keys.grace);
        let (stop, stopped) = watch::channel(false);
        let front = Arc::new(front);
        let (addresses, serving) = serve(plan, &front, sockets, &stopped, chance)?;
        let notifier = Arc::clone(keeper.post().notifier());
        // Only now: a start that fails tells nobody.
        keeper.tell_rest();
        let keeper = std::thread::Builder::new()
            .name("keeper".to_owned())
            .spawn(move || keeper.run(&inbox))
            .map_err(StartError::Thread)?;
        {
            let engine = &house.desk.lock().engine;
            for words in after_start(plan, engine).into_iter().chain(unreachable(plan, engine)) {
                tracing::warn!("{words}");
            }
        }
        let plan = plan.clone();
        Ok(Self { addresses, house, notifier, jobs, stop, serving, keeper, recording, plan })
    }

    /// Whether a gateway could begin with `plan`, and go on from its journal if there is one. Only
    /// whether its addresses are free is not tried.
    ///
    /// # Errors
    /// As [`Gateway::start`].
    pub fn check(plan: &GatewayPlan, read_secret: ReadSecret<'_>) -> Result<(), StartError> {
        let settings = Settings::new(plan, read_secret)?;
        notify_settings(&plan.notify, read_secret)?;
        client_tls(plan)?;
        check_places(plan)?;
        let state = match &plan.state {
            StatePlan::File(path) if path.exists() => {
                let runtime = runtime()?;
                let mut journal = runtime.block_on(SqliteJournal::open_read_only(path))?;
                runtime.block_on(fold(&mut journal))?
            }
            _ => DurableState::default(),
        };
        rehearse(plan, &settings, state, WallClock::new(TimeScale::REAL).now())
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// How the triggers of a model's rules fare, each with its place in the rule set and with the
    /// version that it watches.
    pub fn health(&self, model: ModelIndex) -> Vec<(usize, Slot, Health)> {
        self.house.desk.with(|inner, _| inner.engine.health(model))
    }

    /// Takes another configuration: upstreams, timeouts, limits but that of connections, by whom
    /// requests stick, how many requests versions may have at once, and notifications. What is
    /// under way keeps what it had. Its new versions are for the interface to register.
    ///
    /// # Errors
    /// It is not taken, whole.
    pub fn reload(
        &self,
        plan: &GatewayPlan,
        read_secret: ReadSecret<'_>,
    ) -> Result<(), ReloadError> {
        let taken = self.take(plan, read_secret);
        self.house.meters.operation.reloaded(self.house.desk.now(), taken.is_ok());
        taken
    }

    /// Counts a configuration that could not even be read as one that was not taken.
    pub fn reload_failed(&self) {
        self.house.meters.operation.reloaded(self.house.desk.now(), false);
    }

    fn take(&self, plan: &GatewayPlan, read_secret: ReadSecret<'_>) -> Result<(), ReloadError> {
        let list = |plan: &GatewayPlan| {
            let ids = plan.models.iter().map(|model| model.id.as_str());
            ids.collect::<Vec<_>>().join(", ")
        };
        let (now, before) = (list(plan), list(&self.plan));
        if now != before {
            return Err(ReloadError::Models { now, before });
        }
        let ways = Ways::new(notify_settings(&plan.notify, read_secret)?)?;
        let settings = Settings::new(plan, read_secret)?;
        let state = self.house.desk.with(|inner, _| inner.engine.durable());
        check_places(plan)
            .and_then(|()| rehearse(plan, &settings, state, self.house.desk.now()))
            .map_err(|error| ReloadError::NextStart(Box::new(error)))?;
        self.house.replace(settings)?;
        self.notifier.replace(ways);
        let engine = &self.house.desk.lock().engine;
        for words in after_reload(&self.plan, plan).into_iter().chain(unreachable(plan, engine)) {
            tracing::warn!("{words}");
        }
        Ok(())
    }

    /// Says that it is not ready, takes requests for as long as the plan says all the same, and
    /// then no more; waits for those under way as long as the plan says, and closes the journal.
    ///
    /// # Errors
    /// A thread has ended before, by a fault of the system.
    pub fn stop(self) -> io::Result<()> {
        let Self { house, jobs, stop, serving, keeper, recording, plan, .. } = self;
        let drain = plan.drain;
        house.readiness.drain();
        let end = house.desk.now() + plan.drain_delay + drain;
        // Threads that have ended do not listen any more.
        let _ = stop.send(true);
        let mut ended = Ok(());
        for thread in serving {
            let one = thread
                .thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a thread that served has panicked")));
            ended = ended.and(one);
        }
        let (done, is_done) = oneshot::channel();
        // Requests and notifications have the same time, not one after the other.
        let patience = Duration::from_nanos(house.desk.until(end).as_nanos() as u64);
        if jobs.send(Job::Stop { patience, done }).is_ok()
            && let Ok(Err(unwritten)) = is_done.blocking_recv()
        {
            ended = ended.and_then(|()| Err(io::Error::other(unwritten)));
        }
        keeper.join().map_err(|_| io::Error::other("the keeper of the journal has panicked"))?;
        // The journal comes first.
        if let Some(recording) = recording {
            recording.finish(house.desk.until(end).max(LAST_ROWS));
        }
        ended
    }
}

/// The store's runtime.
fn runtime() -> Result<tokio::runtime::Runtime, StartError> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(StartError::Thread)
}

/// Whether the files that the configuration names could be written.
fn check_places(plan: &GatewayPlan) -> Result<(), StartError> {
    if let StatePlan::File(path) = &plan.state {
        SqliteJournal::check_place(path)?;
    }
    if let Some(record) = &plan.record {
        check_tape(record).map_err(StartError::Record)?;
    }
    Ok(())
}

/// Whether all that the configuration asks for can follow on `state`, and each version be reached.
fn rehearse(
    plan: &GatewayPlan,
    settings: &Settings,
    state: DurableState,
    now: Timestamp,
) -> Result<(), StartError> {
    let models = plan.models.iter().map(|model| model.settings());
    let mut engine = Engine::restore(now, models, state);
    while engine.poll_event().is_some() {}
    let meters = Meters::new();
    for (index, model) in plan.models.iter().enumerate() {
        let index = ModelIndex(index as u16);
        for command in opening(&engine, index, model, now) {
            let refused = |error: CommandError| StartError::Refused {
                model: model.id.clone(),
                why: error.to_string(),
            };
            engine.apply(now, &command).map_err(refused)?;
            while engine.poll_event().is_some() {}
        }
    }
    let places = plan.models.iter().enumerate();
    let places = places.map(|(place, model)| (&model.id, ModelIndex(place as u16)));
    settings.routes(&meters, places, &mut engine).map(drop)?;
    Ok(())
}

/// The shared state, gone on from what the journal says, and who writes it on.
fn open(
    plan: &GatewayPlan,
    clock: WallClock,
    read_secret: ReadSecret<'_>,
    (jobs, listeners): (mpsc::Sender<Job>, broadcast::Sender<Arc<Told>>),
    witness: Option<Box<dyn Witness>>,
) -> Result<Keeper<SqliteJournal>, StartError> {
    let settings = Settings::new(plan, read_secret)?;
    let runtime = runtime()?;
    let mut journal = runtime.block_on(async {
        match &plan.state {
            StatePlan::Memory => SqliteJournal::in_memory().await,
            StatePlan::File(path) => SqliteJournal::open(path).await,
        }
    })?;
    let mut outbox = Outbox::default();
    let state = runtime.block_on(walk(&mut journal, |sealed| {
        outbox.follow(sealed);
        Ok(())
    }))?;
    // Before the first entry, so that a start that is refused leaves the journal as it was.
    rehearse(plan, &settings, state.clone(), clock.now())?;
    let models = plan.models.iter().map(|model| model.settings());
    let engine = Engine::restore(clock.now(), models, state);
    let ids: Vec<_> = plan.models.iter().map(|model| model.id.clone()).collect();
    let desk = Desk::new(clock, ids, engine, jobs.clone());
    let house = House::new(Arc::new(desk), Arc::new(Meters::new()), settings);
    {
        let mut inner = house.desk.lock();
        inner.witness = witness;
        let models = house.desk.models();
        inner.routes = house.settings().routes(&house.meters, models, &mut inner.engine)?;
    }
    let notify = notify_settings(&plan.notify, read_secret)?;
    let meters = Arc::clone(&house.meters);
    let ended = move |delivery: Delivery| {
        meters.operation.notified(&delivery);
        // Once the keeper has ended nobody writes the journal; the log has it.
        let _ = jobs.send(Job::Delivered(Box::new(delivery)));
    };
    let around = (Chance::new(getrandom::u64()?, 0), Now::new(move || clock.now()));
    let post = Post::start(notify, around, ended)?;
    house.meters.operation.watch(post.notifier());
    house.meters.operation.configured(clock.now());
    let told = outbox.into_untold(clock.now());
    let mut keeper = Keeper::new(Arc::new(house), journal, runtime, listeners, post, told);
    keeper.begin();
    Ok(keeper)
}

/// Serves at these listeners, a set for each thread: where, and the threads.
fn serve(
    plan: &GatewayPlan,
    front: &Arc<Front>,
    sets: Vec<Vec<TcpListener>>,
    stopped: &watch::Receiver<bool>,
    harness: Option<Chance>,
) -> Result<(Vec<SocketAddr>, Vec<ServingThread>), StartError> {
    let tls = client_tls(plan)?;
    let addresses = sets.first().into_iter().flatten().map(TcpListener::local_addr);
    let addresses = addresses.collect::<io::Result<_>>().map_err(StartError::Listen)?;
    let most = plan.limits.connections.map_or(Semaphore::MAX_PERMITS, |most| most.get() as usize);
    let connections = Arc::new(Semaphore::new(most));
    let others = router(Arc::clone(front));
    let mut serving = Vec::new();
    for (number, listeners) in sets.into_iter().enumerate() {
        let chance = Chance::new(getrandom::u64()?, number as u64);
        let worker = Worker::new(Arc::clone(&front.house), tls.clone(), chance);
        let with = Serving {
            worker: Arc::new(worker.with_harness(harness)),
            others: others.clone(),
            connections: Arc::clone(&connections),
            stop: stopped.clone(),
            delay: plan.drain_delay,
            drain: plan.drain,
        };
        let thread = ServingThread::start(number, listeners, with);
        serving.push(thread.map_err(StartError::Thread)?);
    }
    Ok((addresses, serving))
}

/// Begins the recording, if there is to be one.
fn record(
    plan: &GatewayPlan,
    clock: WallClock,
    house: &Arc<House>,
) -> Result<Option<TapeThread>, StartError> {
    let Some(plan) = &plan.record else { return Ok(None) };
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    // Drawn anew at each start: a recording names nobody, and neither do two of them.
    let names = Names::with_key(&key);
    let meters = Arc::clone(&house.meters);
    let thread = TapeThread::start(plan, clock, names, meters).map_err(StartError::Record)?;
    let _ = house.tape.set(thread.tape());
    Ok(Some(thread))
}

/// Does what the configuration asks for and the journal does not have.
fn open_models<J: Journal>(plan: &GatewayPlan, keeper: &mut Keeper<J>) -> Result<(), StartError> {
    let house = Arc::clone(keeper.house());
    for (index, model) in plan.models.iter().enumerate() {
        let commands = {
            let inner = house.desk.lock();
            opening(&inner.engine, ModelIndex(index as u16), model, house.desk.now())
        };
        for command in commands {
            keeper.apply(&command).map_err(|failure| refused(&model.id, failure))?;
        }
    }
    Ok(())
}

/// Makes an access key for everything, if there is none. It is shown before it is valid: one that
/// nobody has seen would lock everybody out.
fn first_key<J: Journal>(
    keeper: &mut Keeper<J>,
    show: &mut dyn FnMut(&str) -> io::Result<()>,
) -> Result<(), StartError> {
    let house = Arc::clone(keeper.house());
    let has_key = !house.desk.lock().engine.keys(house.desk.now()).is_empty();
    let Ok(id) = KeyId::new(FIRST_KEY) else { return Ok(()) };
    if has_key {
        return Ok(());
    }
    let secret = AccessSecret::new(id.clone())?;
    let new =
        NewKey { id, digest: secret.digest(), scope: Scope::Admin, models: None, version: None };
    let kind = CommandKind::CreateKey(Box::new(new));
    let command = Command { model: ModelIndex(0), by: "first start".to_owned(), kind };
    let Some(model) = house.desk.model_id(ModelIndex(0)).cloned() else { return Ok(()) };
    show(&secret.to_text()).map_err(StartError::Show)?;
    keeper.apply(&command).map_err(|failure| refused(&model, failure))
}

fn refused(model: &ModelId, failure: CommandFailure) -> StartError {
    match failure {
        CommandFailure::Store(error) => StartError::Store(error),
        CommandFailure::Route(fault) => StartError::Route(fault),
        other => StartError::Refused { model: model.clone(), why: other.to_string() },
    }
}

/// The id of the first access key.
const FIRST_KEY: &str = "admin";
/// How long the end of a recording is waited for at least. Chosen: a disk that works takes less.
const LAST_ROWS: std::time::Duration = std::time::Duration::from_secs(2);
/// Chosen: how many events a listener may be behind before it is told that it missed some.
const LISTENERS_LAG: usize = 1_024;
