//! A proxy before a gateway, which breaks connections when it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A proxy before one gateway. Its threads end with the connections, or with the process.
pub(crate) struct Shaky {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    gateway: SocketAddr,
    /// The connections by which events come.
    events: Mutex<Vec<TcpStream>>,
    /// How the requests begin whose next answers get lost.
    losing: Mutex<Vec<&'static str>>,
}

impl Shaky {
    /// One before the gateway at this address.
    pub(crate) fn before(gateway: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared =
            Arc::new(Shared { gateway, events: Mutex::default(), losing: Mutex::default() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&accepting);
                thread::spawn(move || shared.pass(client));
            }
        });
        Self { url, shared }
    }

    /// Breaks the streams of events that stand; how many did.
    pub(crate) fn cut_events(&self) -> usize {
        let streams = std::mem::take(&mut *self.shared.events.lock().unwrap());
        streams.iter().for_each(close);
        streams.len()
    }

    /// The gateway gets the next request that begins so, and its client gets no answer.
    pub(crate) fn lose_answer_to(&self, request: &'static str) {
        self.shared.losing.lock().unwrap().push(request);
    }
}

impl Shared {
    fn pass(&self, mut client: TcpStream) {
        let Ok(mut gateway) = TcpStream::connect(self.gateway) else { return close(&client) };
        let is_doomed = Arc::new(AtomicBool::new(false));
        let back = {
            let (mut gateway, mut client) =
                (gateway.try_clone().unwrap(), client.try_clone().unwrap());
            let is_doomed = Arc::clone(&is_doomed);
            move || {
                pump(&mut gateway, &mut client, |_| !is_doomed.load(Ordering::SeqCst));
            }
        };
        let back = thread::spawn(back);
        let copy = client.try_clone().unwrap();
        pump(&mut client, &mut gateway, |bytes| {
            if bytes.starts_with(b"GET /v1/deploy/events") {
                self.events.lock().unwrap().push(copy.try_clone().unwrap());
            }
            let mut losing = self.losing.lock().unwrap();
            if let Some(place) = losing.iter().position(|it| bytes.starts_with(it.as_bytes())) {
                losing.remove(place);
                is_doomed.store(true, Ordering::SeqCst);
            }
            true
        });
        back.join().unwrap();
    }
}

/// Passes on what comes, as long as it comes and `may_pass`; then both ends are closed.
fn pump(from: &mut TcpStream, to: &mut TcpStream, mut may_pass: impl FnMut(&[u8]) -> bool) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if !may_pass(&bytes[..count]) || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    close(from);
    close(to);
}

fn close(stream: &TcpStream) {
    // It may be closed already.
    let _ = stream.shutdown(Shutdown::Both);
}
