//! The threads that serve: each accepts connections at listeners of its own, and has its own
//! connections to the upstreams, so that a request stays on one core.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use axum::Router;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;

use super::service::{SMALLEST_BUFFER, answer};
use super::worker::{Worker, std_duration};
use crate::scenario::Limits;
use crate::units::Duration;

/// Listeners at these addresses, a set for each thread. Where the port is 0 all sets have the port
/// that the first one got.
pub(super) fn bind(addresses: &[SocketAddr], threads: usize) -> io::Result<Vec<Vec<TcpListener>>> {
    let mut addresses = addresses.to_vec();
    let mut sets = Vec::new();
    for address in &mut addresses {
        // With the others' leave to share it, a second gateway would take half of the connections.
        let alone = bind_one(*address, false).map_err(|error| of(*address, &error))?;
        address.set_port(alone.local_addr()?.port());
    }
    for _ in 0..threads {
        let mut set = Vec::new();
        for address in &addresses {
            set.push(bind_one(*address, true).map_err(|error| of(*address, &error))?);
        }
        sets.push(set);
    }
    Ok(sets)
}

fn of(address: SocketAddr, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{address}: {error}"))
}

/// A listener at `address`; `shared`: with others of this process.
fn bind_one(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // The kernel spreads connections over the threads' listeners.
    #[cfg(unix)]
    {
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(shared)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A thread that serves.
#[derive(Debug)]
pub(super) struct ServingThread {
    pub(super) thread: JoinHandle<io::Result<()>>,
}

/// What a thread serves with.
pub(super) struct Serving {
    pub(super) worker: Arc<Worker>,
    pub(super) others: Router,
    /// For connections at once, of all threads.
    pub(super) connections: Arc<Semaphore>,
    /// Becomes true when the gateway is to end.
    pub(super) stop: watch::Receiver<bool>,
    /// How long connections are then taken still: whoever spreads requests has to notice first.
    pub(super) delay: Duration,
    /// How long the requests under way may take after that.
    pub(super) drain: Duration,
}

impl ServingThread {
    /// Serves at `listeners` on a thread of its own.
    pub(super) fn start(
        number: usize,
        listeners: Vec<TcpListener>,
        serving: Serving,
    ) -> io::Result<Self> {
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(serve(listeners, serving))
        };
        let thread = Builder::new().name(format!("serve-{number}")).spawn(run)?;
        Ok(Self { thread })
    }
}

async fn serve(listeners: Vec<TcpListener>, serving: Serving) -> io::Result<()> {
    let serving = Arc::new(serving);
    let worker = Arc::clone(&serving.worker);
    let sweeping = tokio::spawn(async move { worker.keep_sweeping().await });
    let mut accepting = tokio::task::JoinSet::new();
    for listener in listeners {
        let listener = Arc::new(tokio::net::TcpListener::from_std(listener)?);
        accepting.spawn(keep_accepting(listener, Arc::clone(&serving)));
    }
    while accepting.join_next().await.is_some() {}
    sweeping.abort();
    Ok(())
}

/// Takes connections until it is told to stop, whatever happens: where nobody took any more, their
/// clients would wait for ever.
async fn keep_accepting(listener: Arc<tokio::net::TcpListener>, serving: Arc<Serving>) {
    loop {
        let accepting = tokio::spawn(accept(Arc::clone(&listener), Arc::clone(&serving)));
        let Err(error) = accepting.await else { return };
        tracing::error!(
            target: "coalmine::connection", %error,
            "a bug: accepting connections has broken off, and begins again"
        );
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

/// Takes connections until it is told to stop, and waits for those that it has.
async fn accept(listener: Arc<tokio::net::TcpListener>, serving: Arc<Serving>) {
    let graceful = GracefulShutdown::new();
    let mut stop = serving.stop.clone();
    // One for the whole loop: each connection would begin the delay anew.
    let mut over = pin!(async {
        // Without a sender the gateway is gone.
        let _ = stop.wait_for(|stop| *stop).await;
        tokio::time::sleep(std_duration(serving.delay)).await;
    });
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut over => break,
        };
        let stream = match stream {
            Ok((stream, _)) => stream,
            // Too many open files, most of all: some will be closed.
            Err(error) => {
                tracing::warn!(target: "coalmine::connection", %error, "no connection accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Only now: a permit that waited for a connection would be missing at another listener.
        let permit = tokio::select! {
            permit = Arc::clone(&serving.connections).acquire_owned() => permit,
            () = &mut over => break,
        };
        let Ok(permit) = permit else { break };
        tokio::spawn(converse(stream, Arc::clone(&serving), graceful.watcher(), permit));
    }
    drop(listener);
    let mut ended = pin!(graceful.shutdown());
    if tokio::time::timeout(std_duration(serving.drain), &mut ended).await.is_err() {
        tracing::warn!(drain = %serving.drain, "requests under way are cut off");
        serving.worker.house.desk.end();
        serving.worker.closing.begin();
        let _ = tokio::time::timeout(FAREWELL, ended).await;
    }
}

/// Answers what comes on a connection until it ends, or until it is clear that nothing will come.
async fn converse(
    stream: TcpStream,
    serving: Arc<Serving>,
    watcher: Watcher,
    _permit: OwnedSemaphorePermit,
) {
    let limits = serving.worker.house.settings().limits;
    let has_asked = Arc::new(AtomicBool::new(false));
    let connection = connection(stream, &serving, limits, Arc::clone(&has_asked));
    let mut connection = pin!(watcher.watch(connection));
    // Which version of HTTP it is shows in its first bytes, and nobody else limits how long they
    // may take, nor how long one of HTTP/2 may ask for nothing.
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = tokio::time::sleep(std_duration(limits.read_timeout)) => {
            if !has_asked.load(Ordering::Relaxed) {
                tracing::debug!(target: "coalmine::connection", "connection asked for nothing");
                return;
            }
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(target: "coalmine::connection", ?error, "connection ended");
    }
}

/// A connection and what answers on it.
fn connection(
    stream: TcpStream,
    serving: &Arc<Serving>,
    limits: Limits,
    has_asked: Arc<AtomicBool>,
) -> impl hyper_util::server::graceful::GracefulConnection<
    Error = Box<dyn std::error::Error + Send + Sync>,
> + Send
+ 'static {
    // A failure to set it costs latency alone.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(std_duration(limits.write_timeout)));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Of the first one `converse` knows more.
        .header_read_timeout(std_duration(limits.idle_timeout))
        .max_headers(usize::from(limits.headers))
        // Where less is allowed, the head is measured when it has come.
        .max_buf_size(limits.header_bytes.max(SMALLEST_BUFFER) as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG)
        .max_header_list_size(limits.header_bytes)
        .max_concurrent_streams(STREAMS);
    let serving = Arc::clone(serving);
    let service = service_fn(move |request| {
        has_asked.store(true, Ordering::Relaxed);
        answer(Arc::clone(&serving.worker), serving.others.clone(), request)
    });
    builder.serve_connection(TokioIo::new(Box::pin(stream)), service).into_owned()
}

/// How often a connection of HTTP/2 is asked whether its client is still there. Chosen: below the
/// minutes after which the boxes between forget a connection.
const PING: std::time::Duration = std::time::Duration::from_secs(30);
/// How long the client may take to say so. Chosen: far above any network's delay.
const PONG: std::time::Duration = std::time::Duration::from_secs(20);
/// How long clients may take to hear that they are cut off. Chosen: a few round trips.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(1);
/// Chosen: as other servers have it; the kernel may allow less.
const BACKLOG: i32 = 1_024;
/// Of one connection of HTTP/2 at once. Chosen: as other servers have it.
const STREAMS: u32 = 250;
/// Chosen: long enough not to fill the log.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);
