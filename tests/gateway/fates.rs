//! What becomes of streams: what their upstream does, what their client does, and how the gateway
//! must count them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

use crate::upstream::{DONE, HELLO, chunk, response, stream_head};
use crate::world::drawn;

/// What becomes of a stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Fate {
    Whole,
    /// Its client takes it byte by byte.
    TakenSlowly,
    /// Its client leaves before it has begun.
    LeftEarly,
    /// Its client leaves after a piece.
    LeftMidway,
    ResetEarly,
    ResetMidway,
    /// It closes without an end.
    Truncated,
    ErrorInStream,
    /// What comes is no HTTP.
    Garbage,
    /// An event is no JSON.
    BrokenJson,
    /// An event is no UTF-8.
    BrokenUtf8,
    Refused,
    /// Nothing ever comes.
    Hangs,
    /// Pieces come for ever.
    NeverEnds,
}

impl Fate {
    const ALL: [Self; 14] = [
        Self::Whole,
        Self::TakenSlowly,
        Self::LeftEarly,
        Self::LeftMidway,
        Self::ResetEarly,
        Self::ResetMidway,
        Self::Truncated,
        Self::ErrorInStream,
        Self::Garbage,
        Self::BrokenJson,
        Self::BrokenUtf8,
        Self::Refused,
        Self::Hangs,
        Self::NeverEnds,
    ];

    /// That of the stream of this number.
    pub(crate) fn of(stream: usize) -> Self {
        Self::ALL[drawn(stream as u64, Self::ALL.len() as u64) as usize]
    }

    /// How the gateway must say that it ended.
    pub(crate) const fn ending(self) -> &'static str {
        match self {
            Self::Whole | Self::TakenSlowly => "success",
            Self::LeftEarly | Self::LeftMidway => "client_closed",
            Self::ResetEarly | Self::ResetMidway => "reset",
            Self::Truncated => "truncated",
            Self::ErrorInStream => "error_in_stream",
            Self::Garbage | Self::BrokenJson | Self::BrokenUtf8 => "malformed",
            Self::Refused => "503",
            Self::Hangs | Self::NeverEnds => "timeout",
        }
    }

    /// Whether its end is a timeout: such a stream goes to the version that has little patience,
    /// and does not wait for the others.
    pub(crate) const fn is_timed(self) -> bool {
        matches!(self, Self::Hangs | Self::NeverEnds)
    }

    /// What its upstream sends after the gate has opened; the head has gone out where `begins`.
    fn last_piece(self) -> Vec<u8> {
        match self {
            Self::Whole | Self::TakenSlowly => [&chunk("{}", "\"stop\""), DONE].concat(),
            Self::ErrorInStream => b"data: {\"error\": {\"message\": \"overloaded\"}}\n\n".to_vec(),
            Self::BrokenJson => b"data: {\"choices\": [\n\n".to_vec(),
            Self::BrokenUtf8 => b"data: {\"choices\": [\"\xff\xfe\"]}\n\n".to_vec(),
            Self::Garbage => b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec(),
            Self::Refused => response(503, "content-type: application/json\r\n", "{\"error\": {}}"),
            _ => Vec::new(),
        }
    }

    /// Whether its upstream sends a head and a piece before the gate opens.
    const fn begins(self) -> bool {
        !matches!(
            self,
            Self::LeftEarly | Self::ResetEarly | Self::Garbage | Self::Refused | Self::Hangs
        )
    }
}

/// Where streams wait for each other, so that all are under way at once: opened when all have come
/// to their upstream.
pub(crate) struct Gate {
    arrived: AtomicUsize,
    expected: usize,
    pub(crate) is_full: Notify,
    is_open: watch::Sender<bool>,
}

impl Gate {
    pub(crate) fn new(expected: usize) -> Arc<Self> {
        let (arrived, is_full) = (AtomicUsize::new(0), Notify::new());
        Arc::new(Self { arrived, expected, is_full, is_open: watch::Sender::new(false) })
    }

    pub(crate) fn open(&self) {
        let _ = self.is_open.send_replace(true);
    }

    /// Waits until it is open.
    pub(crate) async fn pass(&self) {
        self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
    }

    fn arrive(&self) {
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.expected {
            self.is_full.notify_one();
        }
    }
}

/// An upstream that deals with each stream as its number, which is the request's id, says.
pub(crate) struct FatefulUpstream {
    pub(crate) address: SocketAddr,
    gate: watch::Sender<Arc<Gate>>,
}

impl FatefulUpstream {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (gate, seen) = watch::channel(Gate::new(0));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // Errors are those of a gateway whose client has left.
                tokio::spawn(converse(stream, seen.clone()));
            }
        });
        Self { address, gate }
    }

    /// Streams that come from now on wait at this gate.
    pub(crate) fn wait_at(&self, gate: &Arc<Gate>) {
        self.gate.send_replace(Arc::clone(gate));
    }
}

async fn converse(mut stream: TcpStream, gate: watch::Receiver<Arc<Gate>>) -> io::Result<()> {
    let head = read_request(&mut stream).await?;
    let (_, rest) = head.split_once("x-request-id: ").expect("the gateway sends it");
    let number: usize = rest.split("\r\n").next().unwrap().parse().unwrap();
    let fate = Fate::of(number);
    if fate.begins() {
        stream.write_all(&[stream_head(), chunk(HELLO, "null")].concat()).await?;
    }
    if fate == Fate::NeverEnds {
        loop {
            stream.write_all(b": still there\n\n").await?;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    if !fate.is_timed() {
        let gate = Arc::clone(&gate.borrow());
        gate.arrive();
        gate.pass().await;
    }
    stream.write_all(&fate.last_piece()).await?;
    match fate {
        Fate::ResetEarly | Fate::ResetMidway => {
            socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO))
        }
        // Until the gateway has gone.
        Fate::LeftEarly | Fate::LeftMidway | Fate::Hangs => {
            stream.read_to_end(&mut Vec::new()).await.map(|_| ())
        }
        _ => Ok(()),
    }
}

/// The head of a request, after all of it has come.
async fn read_request(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let (_, length) = head.split_once("content-length: ").expect("the gateway sends it");
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        if body.len() >= length {
            return Ok(head.to_owned());
        }
    }
}
