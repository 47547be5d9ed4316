//! How late the tokens of `coalmine mock` are, and what a stream costs it, as a client of its own
//! sees it: `cargo bench --bench mock`, or with numbers of streams at once:
//! `cargo bench --bench mock -- 100 5000`.
//!
//! Each stream has 50 tokens a second for ten seconds. A token is late by what passes from when it
//! is due, counted from when its request was sent, to when its client has read it: the way of the
//! request and the client's own work are part of that, and so is what both sides take from each
//! other on the same cores. Beside it stands what the mock says of itself.

#![expect(clippy::print_stdout, reason = "its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot begin fails")]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use coalmine::clock::{TimeScale, WallClock};
use coalmine::stats::DurationHistogram;
use coalmine::units::{Duration, Timestamp};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// To the first token: all streams are under way by then.
const FIRST: Duration = Duration::from_secs(3);
const GAP: Duration = Duration::from_millis(20);
const TOKENS: u32 = 500;
/// Over which the beginnings of the streams are spread.
const SPREAD: Duration = Duration::from_secs(2);

/// The mock's process.
struct Mock {
    child: Child,
    address: SocketAddr,
}

impl Mock {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_coalmine"))
            .args(["mock", "--preset", "gpt-4", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.split(' ').nth(2).unwrap().parse().unwrap();
        Self { child, address }
    }

    /// Its resident memory in KiB, where the system says.
    fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// The processor time that it has taken, in ticks of 10 ms, where the system says.
    fn ticks(&self) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        let mut fields = stat.rsplit(") ").next()?.split(' ').skip(11);
        Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
    }

    /// The body of an answer.
    async fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: m\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
        serde_json::from_str(body).unwrap()
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One stream from its request to its end; how late each token was.
async fn stream(clock: WallClock, mut socket: TcpStream, start: Timestamp) -> DurationHistogram {
    let body = json!({"model": "gpt-4", "messages": [], "stream": true, "max_tokens": TOKENS});
    let body = body.to_string();
    let length = body.len();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: m\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    clock.sleep_until(start).await;
    let sent = clock.now();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut late = DurationHistogram::default();
    let (mut events, mut piece, mut cut) = (0, [0; 4_096], Vec::new());
    loop {
        let read = socket.read(&mut piece).await.unwrap();
        if read == 0 {
            break;
        }
        let now = clock.now();
        // The end of an event may come with the next piece.
        cut.extend_from_slice(&piece[..read]);
        let ends = cut.windows(2).filter(|pair| *pair == b"\n\n").count() as u64;
        cut.drain(..cut.len() - 1);
        for event in events..events + ends {
            // The first says who speaks; two come after the tokens.
            if (1..=u64::from(TOKENS)).contains(&event) {
                late.record(now.since(sent + FIRST + GAP * (event - 1)));
            }
        }
        events += ends;
    }
    assert_eq!(events, u64::from(TOKENS) + 3, "a stream is not whole");
    late
}

async fn measure(clock: WallClock, streams: u64) {
    let mock = Mock::start();
    let upstream = json!({"gpt-4": {"latency": {
        "first_token": FIRST.to_string().replace(' ', ""),
        "per_output_token": GAP.to_string().replace(' ', ""),
    }}});
    mock.ask("PUT", "/admin/behaviour", &upstream.to_string()).await;
    let before = mock.memory();
    let mut sockets = Vec::new();
    for _ in 0..streams {
        sockets.push(TcpStream::connect(mock.address).await.unwrap());
    }
    let start = clock.now() + Duration::from_millis(200);
    let running: Vec<_> = (0..streams)
        .zip(sockets)
        .map(|(number, socket)| {
            let start = start + SPREAD.mul_f64(number as f64 / streams as f64);
            tokio::spawn(stream(clock, socket, start))
        })
        .collect();
    // All tokens flow from here on, for some seconds.
    clock.sleep_until(start + SPREAD + FIRST).await;
    let ticks = mock.ticks();
    let middle = Duration::from_secs(5);
    clock.sleep_until(start + SPREAD + FIRST + middle).await;
    let (memory, ticks) = (mock.memory().zip(before), mock.ticks().zip(ticks));
    let mut late = DurationHistogram::default();
    for one in join_all(running).await {
        late.merge(&one.unwrap());
    }
    let own = mock.ask("GET", "/admin/stats", "").await["lateness"].take();
    let of = |rank| late.quantile(rank).unwrap().as_micros();
    let unknown = || "?".to_owned();
    let each = memory.map_or_else(unknown, |(now, before)| {
        format!("{:.1}", now.saturating_sub(before) as f64 / streams as f64)
    });
    let cores = ticks.map_or_else(unknown, |(now, then)| {
        format!("{:.2}", (now - then) as f64 / 100.0 / middle.as_secs_f64())
    });
    println!(
        "| {streams} | {} | {} | {} | {} | {} | {} | {} | {each} | {cores} |",
        streams * 50,
        of(500),
        of(990),
        late.max().unwrap().as_micros(),
        own["p50_us"],
        own["p99_us"],
        own["max_us"],
    );
}

fn main() {
    let asked = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let mut streams: Vec<u64> = asked.collect();
    if streams.is_empty() {
        streams = vec![100, 1_000, 5_000];
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clock = WallClock::new(TimeScale::REAL);
    println!(
        "| streams | tokens/s | read late, us: P50 | P99 | most | sent late, us: P50 | P99 | most \
         | KiB each | cores |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for streams in streams {
        runtime.block_on(measure(clock, streams));
    }
}
