//! Ctrl-C and the signal to end: noticed, so that nothing is left half done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::exit::Exit;
use super::terminal::Failure;

/// Whether the process was asked to end.
#[derive(Clone, Debug)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on a signal to end is noticed; a second one ends the process at once, unless it
    /// follows so closely that it is the same.
    #[expect(clippy::disallowed_methods, reason = "a signal has no time of its own")]
    pub(super) fn notice() -> Result<Self, Failure> {
        let noticed = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&noticed);
        let mut first = None;
        let handler = move || {
            asked.store(true, Ordering::SeqCst);
            let now = Instant::now();
            if is_another(*first.get_or_insert(now), now) {
                leave();
            }
        };
        ctrlc::set_handler(handler)
            .map_err(|error| Failure::internal(format!("error: cannot notice signals: {error}")))?;
        Ok(Self(noticed))
    }

    /// Ends the command where it was asked to.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.is_asked() {
            true => Err(Failure {
                exit: Exit::Interrupted,
                message: "interrupted: no verdict, and nothing was written".to_owned(),
            }),
            false => Ok(()),
        }
    }

    /// Ends a command that writes a file where it was asked to: the file is not there then.
    pub(super) fn check_writing(&self) -> Result<(), Failure> {
        match self.is_asked() {
            true => Err(Failure {
                exit: Exit::Interrupted,
                message: "interrupted: nothing was written".to_owned(),
            }),
            false => Ok(()),
        }
    }

    /// Whether the command was asked to end.
    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Whether a signal says more than the first one did. `timeout -s INT` signals its command and then
/// the command's group, and some shells do likewise: that is nobody's impatience.
fn is_another(first: Instant, now: Instant) -> bool {
    now.duration_since(first) >= ONE_SIGNAL
}

/// Chosen: well above what two signals of one sender are apart, below what a hand needs for two.
const ONE_SIGNAL: Duration = Duration::from_millis(100);

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "whoever asks twice does not want to wait for anything"
)]
fn leave() {
    std::process::exit(Exit::Interrupted as i32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an instant can be had in no other way")]
    fn the_signals_of_one_sender_are_one() {
        let first = Instant::now();
        assert!(!is_another(first, first));
        assert!(!is_another(first, first + Duration::from_millis(99)));
        assert!(is_another(first, first + Duration::from_millis(100)));
    }
}
