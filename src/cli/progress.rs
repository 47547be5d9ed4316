//! A progress bar on stderr for runs that take long, if a person is there to see it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how much has been simulated.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// `expected`: how many requests there will be, where that is known.
    pub(super) fn new(expected: Option<u64>) -> Self {
        // Drawn at most five times a second, and not at all where stderr is no terminal.
        let target = ProgressDrawTarget::stderr_with_hz(5);
        let bar = ProgressBar::with_draw_target(expected, target);
        let template = match expected {
            Some(_) => "{bar:30} {human_pos} of {human_len} requests, {per_sec}, {eta} left",
            None => "{spinner} {human_pos} requests, {per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Of so many runs.
    pub(super) fn of_runs(expected: u64) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(5);
        let bar = ProgressBar::with_draw_target(Some(expected), target);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} runs, {eta} left")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Of rows, nobody knows how many.
    pub(super) fn of_rows() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} rows, {per_sec}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(super) fn show(&mut self, done: u64) {
        self.0.set_position(done);
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
