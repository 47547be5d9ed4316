//! Coordinated omission: a server that stands still must show in the latencies of all who came, or
//! would have come, meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration as Wait;

use coalmine::exchange::Ending;
use tokio::sync::watch;

use crate::server::{Server, Step, answer};
use crate::world::{World, millis};

/// Requests a second, all requests, the first that meets a server that stands still, and the one
/// with whose coming it goes on.
const RATE: u64 = 1_000;
const REQUESTS: u64 = 1_000;
const FIRST: u64 = 200;
const LAST: u64 = 700;

/// Answers at once, but for the requests `FIRST` to `LAST`, which it answers when the last of them
/// has come. Requests say their numbers: they may come in another order than they are sent.
fn standing_still() -> Server {
    let (open, gate) = watch::channel(false);
    Server::new(move |asked| {
        let number: u64 = asked.header("x-number").unwrap().parse().unwrap();
        if number == LAST {
            let _ = open.send_replace(true);
        }
        let held = (FIRST..=LAST).contains(&number).then(|| Step::Gate(gate.clone()));
        held.into_iter().chain([Step::Send(answer(""))]).collect()
    })
}

/// Request i is to be sent at i / R. It stands still from the first, f, until the last, l, has been
/// sent, which is at l / R or later. So request i of these waits for (l - i) / R at least, and of
/// all n requests those with a latency of x or more are at least (l - xR + 1) - f, as long as x is
/// at most (l - f) / R. The q-quantile is the value of rank ceil(qn), which (1 - q) n requests are
/// above: it is at least the x for which l - xR + 1 - f = (1 - q) n + 1, that is
///
///     x = (l - f - (1 - q) n) / R
///
/// With f = 200, l = 700, n = 1000 and R = 1000/s: P99 490 ms, P90 400 ms, P75 250 ms, P50 0.
#[test]
fn an_open_loop_shows_what_everybody_waited() {
    let server = standing_still();
    let mut world = World::new(&server.url(), REQUESTS);
    world.parts.headers.push("X-Number: {number}".to_owned());
    let (load, notes) = world.load();
    assert!(!load.is_closed);
    assert_eq!(notes.meter.ended_as(Ending::Success), REQUESTS);
    for told in &notes.told {
        let waited = LAST.saturating_sub(told.number);
        if told.number >= FIRST && told.number <= LAST {
            let least = millis(waited * 1_000 / RATE);
            assert!(told.latency >= least, "{}: {} < {least}", told.number, told.latency);
        }
        assert_eq!(
            told.latency.as_nanos(),
            told.lag.as_nanos() + told.service_time.as_nanos(),
            "lag is told apart and is a part of the latency"
        );
    }
    for per_mille in [990, 900, 750, 500] {
        let beyond = (1_000 - per_mille) * REQUESTS / 1_000;
        let least = millis(((LAST - FIRST).saturating_sub(beyond)) * 1_000 / RATE);
        let found = notes.meter.latency().quantile(per_mille).unwrap();
        // A quantile is told to within a thousandth.
        assert!(found >= least.mul_f64(0.999), "quantile {per_mille}: {found} < {least}");
    }
}

/// The same server and number of requests. A loop of one user never has a second request under way:
/// nobody else comes while the server stands still, be that as long as the 500 in the test above
/// take to come. One request in a thousand is above P99, which so shows nothing of it.
#[test]
fn a_closed_loop_leaves_out_all_but_one() {
    let stall = Wait::from_millis((LAST - FIRST) * 1_000 / RATE);
    let stands_still = Arc::new(AtomicBool::new(false));
    let met = Arc::new(AtomicUsize::new(0));
    let (still, meeting) = (Arc::clone(&stands_still), Arc::clone(&met));
    let server = Server::new(move |asked| {
        meeting.fetch_add(usize::from(still.load(Ordering::SeqCst)), Ordering::SeqCst);
        if asked.number as u64 != FIRST {
            return vec![Step::Send(answer(""))];
        }
        let set = |to| {
            let still = Arc::clone(&still);
            Step::Do(Arc::new(move || still.store(to, Ordering::SeqCst)))
        };
        vec![set(true), Step::Pause(stall), set(false), Step::Send(answer(""))]
    });
    let (load, notes) = World::new(&server.url(), REQUESTS).closed(1).load();
    assert!(load.is_closed, "and it says so");
    assert_eq!(notes.meter.ended_as(Ending::Success), REQUESTS);
    assert_eq!(met.load(Ordering::SeqCst), 0);
    let waited = notes.told[FIRST as usize].latency;
    assert!(waited.as_nanos() >= stall.as_nanos() as u64);
    let lags: Vec<_> = notes.told.iter().filter(|told| told.lag > told.latency).collect();
    assert!(lags.is_empty(), "{lags:?}");
}
