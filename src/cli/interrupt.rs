//! Ctrl-C and the signal to end: noticed, so that nothing is left half done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::exit::Exit;
use super::terminal::Failure;

/// Whether the process was asked to end.
#[derive(Clone, Debug)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on a signal to end is noticed; a second one ends the process at once.
    pub(super) fn notice() -> Result<Self, Failure> {
        let noticed = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&noticed);
        let handler = move || {
            if asked.swap(true, Ordering::SeqCst) {
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

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "whoever asks twice does not want to wait for anything"
)]
fn leave() {
    std::process::exit(Exit::Interrupted as i32);
}
