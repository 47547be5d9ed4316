//! A mock with threads of its own.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError};
use std::thread::{Builder, JoinHandle};

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::desk::{Desk, Part};
use super::door::{Door, Hold, listen};
use super::lane::ScheduledFault;
use super::punctuality::Lateness;
use super::server::{MockReport, Stop, serve_doors};
use super::settings::{MockError, MockSettings};
use crate::units::{Duration, Timestamp};
use crate::upstream::Fault;

/// Where a mock serves, and with what.
#[derive(Clone, Copy, Debug)]
pub struct MockPlace {
    /// Where clients ask; the port 0 is any free one.
    pub clients: SocketAddr,
    /// Where it is administered.
    pub admin: MockAdmin,
    /// How many threads serve. Each has its own connections, so that a stream stays on one core.
    /// One where the system does not share a port between listeners.
    pub threads: NonZeroUsize,
}

/// Where a mock is administered. Nobody needs a key for that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MockAdmin {
    /// Where clients ask.
    Beside,
    /// At an address of its own. Only then can the clients' port be closed, so that connections are
    /// really refused, for as long as every version refuses every request.
    At(SocketAddr),
    /// Nowhere: whoever started it alone says how it behaves.
    Nowhere,
}

/// A mock that is being served. Dropped, it ends at once.
#[derive(Debug)]
pub struct MockServer {
    clients: Hold,
    admin: Option<SocketAddr>,
    desk: Arc<Desk>,
    stop: watch::Sender<Stop>,
    threads: Vec<JoinHandle<()>>,
}

impl MockServer {
    /// Serves a mock of these settings; ready when it returns.
    ///
    /// # Errors
    /// The settings make no mock, nobody can listen there, or the system has no thread left.
    pub fn start(settings: MockSettings, place: MockPlace) -> Result<Self, MockError> {
        settings.check()?;
        let failed = |address| move |error| MockError::Listen { address, error };
        let hold = Hold::take(place.clients).map_err(failed(place.clients))?;
        let own = match place.admin {
            MockAdmin::At(address) => Some(address),
            MockAdmin::Beside | MockAdmin::Nowhere => None,
        };
        let admin = own.map(|address| {
            listen(address, false).map_err(|error| MockError::Listen { address, error })
        });
        let mut admin = admin.transpose()?;
        let admin_address = admin.as_ref().and_then(|listener| listener.local_addr().ok());
        let desk = Arc::new(Desk::new(settings));
        let stop = watch::Sender::new(Stop::Not);
        let count = if cfg!(unix) { place.threads.get() } else { 1 };
        let mut ready = Vec::new();
        for _ in 0..count {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| MockError::Thread { error })?;
            let door = door(&runtime, &desk, hold.address(), place.admin);
            let mut doors = vec![door.map_err(failed(hold.address()))?];
            if let Some(listener) = admin.take() {
                let address = own.unwrap_or(place.clients);
                let listener = of_runtime(&runtime, listener).map_err(failed(address))?;
                doors.push(Door::open(listener, Part::Admin));
            }
            ready.push((runtime, doors));
        }
        let mut threads = Vec::new();
        for (number, (runtime, doors)) in ready.into_iter().enumerate() {
            let serving = serve_doors(doors, Arc::clone(&desk), stop.subscribe());
            let thread = Builder::new().name(format!("mock-{number}"));
            let thread = thread.spawn(move || runtime.block_on(serving));
            threads.push(thread.map_err(|error| MockError::Thread { error })?);
        }
        Ok(Self { clients: hold, admin: admin_address, desk, stop, threads })
    }

    /// Where clients ask.
    pub const fn address(&self) -> SocketAddr {
        self.clients.address()
    }

    /// Where it is administered, if it is anywhere.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.unwrap_or_else(|| self.address())
    }

    /// Puts a fault on a version (a place in the settings' list) beside those that it has, from
    /// `onset` until an instant or until it is taken off. The interface times faults from when it
    /// is asked; this is for who follows a plan. Requests that wait are looked at when
    /// [`admit`](Self::admit) is called.
    pub fn begin_fault(
        &self,
        version: usize,
        fault: &Fault,
        onset: Timestamp,
        until: Option<Timestamp>,
    ) {
        if let Some(version) = self.desk.versions.get(version) {
            version.begin_fault(ScheduledFault { fault: fault.clone(), onset, until });
        }
    }

    /// Ends every fault at `now` that has no end of its own.
    pub fn end_open_faults(&self, now: Timestamp) {
        self.desk.versions.iter().for_each(|version| version.end_open_faults(now));
    }

    /// Whoever waits and can have a turn now gets it: a fault has begun or ended.
    pub fn admit(&self) {
        self.desk.admit();
    }

    /// How late its answers have been.
    pub fn lateness(&self) -> Lateness {
        self.desk.lateness()
    }

    /// Takes no more requests, waits until those under way have ended, but no longer than
    /// `patience`, and ends the rest.
    pub fn stop(self, patience: Duration) -> MockReport {
        self.stop.send_replace(Stop::Within(std::time::Duration::from_nanos(patience.as_nanos())));
        for thread in self.threads {
            // One that has panicked has ended too.
            let _ = thread.join();
        }
        MockReport::of(&self.desk)
    }
}

/// The clients' port for one thread.
fn door(runtime: &Runtime, desk: &Desk, address: SocketAddr, admin: MockAdmin) -> io::Result<Door> {
    let part = match admin {
        MockAdmin::Beside => Some(Part::All),
        MockAdmin::Nowhere => Some(Part::Clients),
        MockAdmin::At(_) => None,
    };
    if let Some(part) = part {
        let listener = of_runtime(runtime, listen(address, true)?)?;
        return Ok(Door::open(listener, part));
    }
    let is_open = watch::Sender::new(false);
    let mut doors = desk.doors.lock().unwrap_or_else(PoisonError::into_inner);
    doors.push(is_open.subscribe());
    let refuses = *desk.refuses.borrow();
    let listener = match refuses {
        true => None,
        false => Some(of_runtime(runtime, listen(address, true)?)?),
    };
    Ok(Door::closable(address, listener, desk.refuses.subscribe(), is_open))
}

fn of_runtime(
    runtime: &Runtime,
    listener: std::net::TcpListener,
) -> io::Result<tokio::net::TcpListener> {
    let _guard = runtime.enter();
    tokio::net::TcpListener::from_std(listener)
}
