//! The ports of a mock: how it listens, also with several threads, and how it stops listening where
//! all connections are to be refused.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::desk::Part;

/// A port that one thread accepts connections at.
#[derive(Debug)]
pub(super) struct Door {
    listener: Option<tokio::net::TcpListener>,
    part: Part,
    closing: Option<Closing>,
}

/// How a port is closed and opened again.
#[derive(Debug)]
struct Closing {
    address: SocketAddr,
    /// Whether it is to be closed.
    refuses: watch::Receiver<bool>,
    /// Told whether it is open.
    is_open: watch::Sender<bool>,
}

impl Door {
    /// A port that stays open.
    pub(super) const fn open(listener: tokio::net::TcpListener, part: Part) -> Self {
        Self { listener: Some(listener), part, closing: None }
    }

    /// A port for clients, closed for as long as `refuses` says so, with a listener unless it does;
    /// `is_open` is told what it is. Needs a [`Hold`] on its address, without which another might
    /// take it meanwhile.
    pub(super) fn closable(
        address: SocketAddr,
        listener: Option<tokio::net::TcpListener>,
        refuses: watch::Receiver<bool>,
        is_open: watch::Sender<bool>,
    ) -> Self {
        is_open.send_replace(listener.is_some());
        let closing = Some(Closing { address, refuses, is_open });
        Self { listener, part: Part::Clients, closing }
    }

    /// What it is for.
    pub(super) const fn part(&self) -> Part {
        self.part
    }

    /// The next connection. Nothing is lost where this is dropped.
    pub(super) async fn accept(&mut self) -> io::Result<TcpStream> {
        while let Some(closing) = &mut self.closing {
            if *closing.refuses.borrow_and_update() {
                // Who has not been accepted is refused from now on.
                self.listener = None;
                closing.is_open.send_replace(false);
            } else if self.listener.is_none() {
                let listener = listen(closing.address, true)?;
                self.listener = Some(tokio::net::TcpListener::from_std(listener)?);
                closing.is_open.send_replace(true);
            }
            let Some(listener) = &self.listener else {
                if closing.refuses.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                continue;
            };
            tokio::select! {
                accepted = listener.accept() => return accepted.map(|(stream, _)| stream),
                changed = closing.refuses.changed() => if changed.is_err() { break },
            }
        }
        match &self.listener {
            Some(listener) => listener.accept().await.map(|(stream, _)| stream),
            None => std::future::pending().await,
        }
    }
}

/// An address that is this process's, whether anybody listens there or not.
#[derive(Debug)]
pub(super) struct Hold {
    address: SocketAddr,
    /// Bound, and never listening: connections to it alone are refused.
    _socket: Socket,
}

impl Hold {
    /// Takes an address; where its port is 0, one with any free port.
    pub(super) fn take(address: SocketAddr) -> io::Result<Self> {
        // With the others' leave to share it, a second mock would take half of the connections.
        let alone = listen(address, false)?;
        let address = alone.local_addr()?;
        drop(alone);
        let socket = bind(address, true)?;
        // Who would reuse an address where nobody listens finds that it may not.
        #[cfg(unix)]
        socket.set_reuse_address(false)?;
        Ok(Self { address, _socket: socket })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A listener; `shared`: with others of this process.
pub(super) fn listen(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = bind(address, shared)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn bind(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // The kernel spreads connections over the threads' listeners.
    #[cfg(unix)]
    {
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(shared)?;
    }
    #[cfg(not(unix))]
    let _ = shared;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Waited where no connection can be accepted, as when there are too many: some will end.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// Chosen: thousands of streams that begin at once; the kernel may allow less.
const BACKLOG: i32 = 4_096;
