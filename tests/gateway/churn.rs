//! Thousands of streams at once that end in every way there is. Each is counted as what it was, and
//! nothing of them stays: no request under way, no descriptor, no memory.
//!
//! `GATEWAY_STREAMS` says how many (300): as many of them at once as the descriptors that the
//! system allows leave room for.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::fates::{Fate, FatefulUpstream, Gate};
use crate::program::Program;
use crate::world::two;

/// What `/metrics` says of attempts: by their ending, and how many are under way.
#[derive(Clone, PartialEq, Debug)]
struct Counted {
    endings: BTreeMap<String, u64>,
    in_flight: u64,
}

/// A gateway under streams.
struct Churn {
    program: Program,
    upstream: FatefulUpstream,
    key: String,
    /// Looks at the gateway; always the same connection, so that it is one descriptor.
    watcher: Client,
    /// Streams at once.
    at_once: usize,
    /// The most that were under way at once, as the gateway says.
    most: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_end_in_every_way_are_counted_as_they_ended_and_leave_nothing_behind() {
    let streams = std::env::var_os("GATEWAY_STREAMS").map(|all| all.into_string().unwrap());
    let streams: usize = streams.map_or(300, |all| all.parse().unwrap());
    let mut churn = Churn::start(streams).await;
    let descriptors = churn.descriptors_at_rest();
    let mut expected = BTreeMap::new();
    for stream in 0..streams {
        *expected.entry(Fate::of(stream).ending().to_owned()).or_insert(0) += 1;
    }
    let mut memory = vec![churn.program.memory()];
    for wave in 1..=WAVES {
        churn.wave(streams).await;
        let endings = expected.iter().map(|(ending, count)| (ending.clone(), count * wave));
        // Their sum is the number of requests; none is under way any more.
        let wanted = Counted { endings: endings.collect(), in_flight: 0 };
        assert_eq!(churn.counted_settle(&wanted), wanted);
        assert_eq!(churn.descriptors_settle(descriptors), descriptors, "descriptors have leaked");
        memory.push(churn.program.memory());
    }
    let most = churn.most;
    churn.program.kill();
    let log = churn.program.gone();
    assert!(!log.contains("panicked"), "{log}");
    let told = format!("{WAVES} waves of {streams} streams, {most} of them at once");
    let memory: Option<Vec<u64>> = memory.into_iter().collect();
    let Some(memory) = memory else {
        println!("{told}; the system does not tell a process's memory: not looked at");
        return;
    };
    println!("{told}; resident bytes before and after each {memory:?}");
    // What the first one took is what the allocator needs for so many at once; it takes some more
    // until every kind of hole has been made. What is left behind is left by every wave.
    let grew = |wave: usize| memory[wave].saturating_sub(memory[wave - 1]);
    let last = (WAVES as usize - 2..=WAVES as usize).map(grew).min().unwrap();
    assert!(last < grew(1) / 20, "each wave leaves {last} bytes behind, or more: {memory:?}");
}

impl Churn {
    async fn start(streams: usize) -> Self {
        let upstream = FatefulUpstream::start().await;
        let folder = tempfile::tempdir().unwrap();
        let url = format!("http://{}/v1", upstream.address);
        let yaml = two(&url, &url, "{v1: 100%}", "log: {level: error}");
        // The one waits for as long as it takes, the other for next to nothing.
        let patience = "connect: 10m, first_byte: 10m, idle: 10m, total: 10m";
        let none = "connect: 300ms, first_byte: 300ms, idle: 300ms, total: 300ms";
        let yaml = yaml
            .replace(&format!("one: {{url: '{url}'}}"), &with(&url, "one", patience))
            .replace(&format!("other: {{url: '{url}'}}"), &with(&url, "other", none));
        let config = folder.path().join("gateway.yaml");
        std::fs::write(&config, format!("schema: 1\nlisten: 127.0.0.1:0\n{yaml}")).unwrap();
        let mut program = Program::serve(&config);
        let key = program.first_key();
        let watcher = program.client(&key);
        let at_once = streams.min(room());
        Self { program, upstream, key, watcher, at_once, most: 0 }
    }

    /// Opens this many streams and waits until all have ended.
    async fn wave(&mut self, streams: usize) {
        for from in (0..streams).step_by(self.at_once) {
            self.part(from..streams.min(from + self.at_once)).await;
        }
    }

    /// Those that go together: all are under way before the first may end by itself.
    async fn part(&mut self, streams: std::ops::Range<usize>) {
        let waiting = streams.clone().filter(|stream| !Fate::of(*stream).is_timed()).count();
        let gate = Gate::new(waiting);
        self.upstream.wait_at(&gate);
        let connecting = Arc::new(Semaphore::new(CONNECTING));
        let mut clients = JoinSet::new();
        for stream in streams {
            let (gate, connecting) = (Arc::clone(&gate), Arc::clone(&connecting));
            let (address, key) = (self.program.address, self.key.clone());
            clients.spawn(async move {
                let permit = connecting.acquire_owned().await.unwrap();
                let socket = TcpStream::connect(address).await.unwrap();
                follow(socket, stream, &key, (&gate, permit)).await;
            });
        }
        // Those that time out may end meanwhile; whoever fails ends the test.
        loop {
            tokio::select! {
                () = gate.is_full.notified() => break,
                ended = clients.join_next() => match ended {
                    Some(ended) => ended.unwrap(),
                    None => break,
                },
            }
        }
        let under_way = counted(&mut self.watcher).in_flight;
        assert!(under_way >= waiting as u64, "{under_way} of {waiting}");
        self.most = self.most.max(under_way);
        gate.open();
        while let Some(ended) = clients.join_next().await {
            ended.unwrap();
        }
    }

    /// What is counted, as soon as it is what is `wanted`. The gateway hears of a client that has
    /// left a little later than the client leaves.
    fn counted_settle(&mut self, wanted: &Counted) -> Counted {
        for _ in 0..LOOKS {
            if counted(&mut self.watcher) == *wanted {
                break;
            }
        }
        counted(&mut self.watcher)
    }

    /// How many descriptors it has when it serves nobody but the watcher.
    fn descriptors_at_rest(&mut self) -> Option<usize> {
        // The kernel spreads connections over its threads: that all of so many are answered means
        // that every thread has begun, and has opened what it needs for itself.
        for _ in 0..64 {
            assert_eq!(self.program.client(&self.key).get("/healthz").status, 200);
        }
        // The last of those are closed a little later.
        let looks = (0..100).map(|_| {
            counted(&mut self.watcher);
            self.program.descriptors()
        });
        looks.min().unwrap()
    }

    /// How many descriptors it has, as soon as they are as many as `wanted`.
    fn descriptors_settle(&mut self, wanted: Option<usize>) -> Option<usize> {
        for _ in 0..LOOKS {
            if self.program.descriptors() == wanted {
                break;
            }
            // An answer, so that the gateway has had a turn.
            counted(&mut self.watcher);
        }
        self.program.descriptors()
    }
}

/// An upstream with these timeouts.
fn with(url: &str, name: &str, timeouts: &str) -> String {
    format!("{name}: {{url: '{url}', timeouts: {{{timeouts}}}}}")
}

/// What a client does, until its connection has ended. It asks once it is connected; its permit is
/// for so long.
async fn follow(
    mut socket: TcpStream,
    stream: usize,
    key: &str,
    (gate, permit): (&Gate, tokio::sync::OwnedSemaphorePermit),
) {
    let fate = Fate::of(stream);
    let version = if fate.is_timed() { "v2" } else { "v1" };
    let body = json!({"model": "gpt-4", "stream": true, "messages": []}).to_string();
    let length = body.len();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n\
         x-request-id: {stream}\r\nx-canary-version: {version}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    drop(permit);
    match fate {
        Fate::LeftEarly => gate.pass().await,
        Fate::LeftMidway => {
            socket.read_u8().await.unwrap();
            gate.pass().await;
        }
        Fate::TakenSlowly => while socket.read_u8().await.is_ok() {},
        _ => {
            let mut all = Vec::new();
            socket.read_to_end(&mut all).await.unwrap();
            assert!(all.starts_with(b"HTTP/1.1 "), "{fate:?}: a client that stays is answered");
        }
    }
}

fn counted(watcher: &mut Client) -> Counted {
    let text = watcher.get("/metrics").text();
    let mut counted = Counted { endings: BTreeMap::new(), in_flight: 0 };
    for line in text.lines() {
        let value = || line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
        if line.starts_with("coalmine_attempts_in_flight{") {
            counted.in_flight += value();
        } else if line.starts_with("coalmine_attempts_total{") && value() > 0 {
            let (_, ending) = line.split_once("ending=\"").unwrap();
            let ending = ending.split('"').next().unwrap().to_owned();
            *counted.endings.entry(ending).or_insert(0) += value();
        }
    }
    counted
}

/// How many streams may be open at once: each takes two descriptors of this process and two of the
/// gateway's, beside those of the tests that run meanwhile.
fn room() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = files.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    soft.map_or(FEW, |soft| soft.saturating_sub(OTHERS) / 2).max(1)
}

/// Chosen: in one of the last three the allocator takes some fiftieth of what it took first.
const WAVES: u64 = 8;
/// Connections that are being made at once: more would overrun the kernel's queue.
const CONNECTING: usize = 256;
/// Where a system does not tell how many files may be open; macOS allows 256.
const FEW: usize = 64;
/// Descriptors for the other tests.
const OTHERS: usize = 300;
/// How often is looked before what has not happened counts as never happening.
const LOOKS: usize = 20_000;
