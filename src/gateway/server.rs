//! The threads that serve: each accepts connections at listeners of its own, and has its own
//! connections to the upstreams, so that a request stays on one core.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use axum::Router;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutStream;

use super::service::answer;
use super::worker::{Worker, std_duration};
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
    /// Becomes true when no more connections are to be taken.
    pub(super) stop: watch::Receiver<bool>,
    /// How long the requests under way may then take.
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
    let mut accepting = tokio::task::JoinSet::new();
    for listener in listeners {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        accepting.spawn(accept(listener, Arc::clone(&serving)));
    }
    while accepting.join_next().await.is_some() {}
    Ok(())
}

/// Takes connections until it is told to stop, and waits for those that it has.
async fn accept(listener: tokio::net::TcpListener, serving: Arc<Serving>) {
    let graceful = GracefulShutdown::new();
    let mut stop = serving.stop.clone();
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&serving.connections).acquire_owned() => permit,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok(permit) = permit else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match stream {
            Ok((stream, _)) => {
                let connection = connection(stream, &serving);
                let watched = graceful.watch(connection);
                tokio::spawn(async move {
                    if let Err(error) = watched.await {
                        tracing::debug!(target: "coalmine::connection", %error, "connection ended");
                    }
                    drop(permit);
                });
            }
            // Too many open files, most of all: some will be closed.
            Err(error) => {
                tracing::warn!(target: "coalmine::connection", %error, "no connection accepted");
                drop(permit);
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let patience = tokio::time::timeout(std_duration(serving.drain), graceful.shutdown());
    if patience.await.is_err() {
        tracing::warn!(drain = %serving.drain, "requests under way were cut off");
    }
}

/// A connection and what answers on it.
fn connection(
    stream: TcpStream,
    serving: &Arc<Serving>,
) -> impl hyper_util::server::graceful::GracefulConnection<
    Error = Box<dyn std::error::Error + Send + Sync>,
> + Send
+ 'static {
    // A failure to set it costs latency alone.
    let _ = stream.set_nodelay(true);
    let limits = serving.worker.house.settings().limits;
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(std_duration(limits.write_timeout)));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(std_duration(limits.read_timeout))
        .max_headers(usize::from(limits.headers))
        .max_buf_size(limits.header_bytes as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(limits.header_bytes)
        .max_concurrent_streams(STREAMS);
    let serving = Arc::clone(serving);
    let service = service_fn(move |request| {
        answer(Arc::clone(&serving.worker), serving.others.clone(), request)
    });
    builder.serve_connection(TokioIo::new(Box::pin(stream)), service).into_owned()
}

/// Chosen: as other servers have it; the kernel may allow less.
const BACKLOG: i32 = 1_024;
/// Of one connection of HTTP/2 at once. Chosen: as other servers have it.
const STREAMS: u32 = 250;
/// Chosen: long enough not to fill the log.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);
