//! How late waits end, by the clock's timer and by the runtime's: `cargo bench --bench timer`.
//!
//! One, a hundred and a thousand sleepers wait for 10 to 30 ms again and again, three seconds long.

#![expect(clippy::print_stdout, reason = "its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot begin fails")]

use std::sync::Arc;

use coalmine::clock::{Lag, TimeScale, WallClock};
use coalmine::units::Duration;
use futures_util::future::join_all;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap();
    let clock = WallClock::new(TimeScale::REAL);
    for sleepers in [1_u64, 100, 1_000] {
        for is_ours in [true, false] {
            let lag = Arc::new(Lag::default());
            let until = clock.now() + Duration::from_secs(3);
            let sleeper =
                |number| runtime.spawn(sleep(clock, Arc::clone(&lag), until, number, is_ours));
            runtime.block_on(join_all((0..sleepers).map(sleeper).collect::<Vec<_>>()));
            let histogram = lag.histogram();
            let [p50, p99] = [500, 990].map(|rank| histogram.quantile(rank).unwrap());
            let whose = if is_ours { "the clock's" } else { "the runtime's" };
            let (waits, max) = (histogram.count(), histogram.max().unwrap());
            println!(
                "{sleepers} sleepers, {whose}: {waits} waits, p50 {p50}, p99 {p99}, max {max}"
            );
        }
    }
}

async fn sleep(
    clock: WallClock,
    lag: Arc<Lag>,
    until: coalmine::units::Timestamp,
    number: u64,
    is_ours: bool,
) {
    let mut step = number;
    while clock.now() < until {
        step = step.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let at = clock.now() + Duration::from_micros(10_000 + step % 20_000);
        if !is_ours {
            tokio::time::sleep(clock.until(at)).await;
        }
        // Where the runtime has waited, this ends at once, and is as late as that was.
        lag.record(clock.sleep_until(at).await);
    }
}
