//! How a load goes, on stderr: in place on a terminal, else a line each second if that is wanted.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::complain;
use crate::clock::WallClock;
use crate::load::{Control, Recent};
use crate::units::{Duration, Timestamp, format_count, format_elapsed, format_millis};

/// Shows how a load goes.
pub(super) struct LoadProgress {
    clock: WallClock,
    began: Timestamp,
    shown: Timestamp,
    recent: Vec<Arc<Mutex<Recent>>>,
    failed: u64,
    expected: Option<u64>,
    bar: Option<ProgressBar>,
    wants_lines: bool,
}

impl LoadProgress {
    /// Of a load whose threads tell `recent`; `wants_lines`: also where stderr is no terminal.
    pub(super) fn new(
        clock: WallClock,
        recent: Vec<Arc<Mutex<Recent>>>,
        expected: Option<u64>,
        wants_lines: bool,
    ) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        let now = clock.now();
        let (began, shown, failed) = (now, now, 0);
        Self { clock, began, shown, recent, failed, expected, bar, wants_lines }
    }

    /// Shows what has happened since it was shown last, if that is long enough ago.
    pub(super) fn show(&mut self, control: &Control) {
        let now = self.clock.now();
        let passed = now.since(self.shown);
        if passed < EVERY || (self.bar.is_none() && !self.wants_lines) {
            return;
        }
        self.shown = now;
        let mut recent = Recent::default();
        self.recent.iter().for_each(|other| recent.take_from(other));
        self.failed += recent.failed;
        let line = self.line(&recent, passed, now.since(self.began), control);
        match &self.bar {
            Some(bar) => {
                bar.set_message(line);
                bar.tick();
            }
            None => complain(&line),
        }
    }

    pub(super) fn clear(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }

    fn line(
        &self,
        recent: &Recent,
        passed: Duration,
        elapsed: Duration,
        control: &Control,
    ) -> String {
        let rate = recent.ended as f64 / passed.as_secs_f64();
        let p99 = recent.latency.quantile(990).map_or_else(|| "-".to_owned(), format_millis);
        let of = self.expected.map(|count| format!(" of {}", format_count(count)));
        format!(
            "{}  {} sent{}, {}/s, {} in flight, {} failed, p99 {p99}",
            format_elapsed(elapsed),
            format_count(control.sent()),
            of.unwrap_or_default(),
            format_count(rate.round() as u64),
            format_count(control.in_flight()),
            format_count(self.failed),
        )
    }
}

/// Chosen: a rate can be read, and a P99 is that of enough requests.
const EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TimeScale;

    #[test]
    fn a_line_has_rate_flight_failures_and_the_latency_of_the_last_second() {
        let clock = WallClock::new(TimeScale::REAL);
        let progress = LoadProgress::new(clock, Vec::new(), Some(60_000), true);
        let mut recent = Recent { ended: 4_000, failed: 3, ..Recent::default() };
        recent.latency.record(Duration::from_millis(34));
        let [two, twelve] = [2, 12].map(Duration::from_secs);
        let line = progress.line(&recent, two, twelve, &Control::default());
        assert_eq!(line, "12 s  0 sent of 60,000, 2,000/s, 0 in flight, 0 failed, p99 34 ms");
    }
}
