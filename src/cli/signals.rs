//! The signals that a server heeds: to end, and to read its configuration again. Where there are
//! none but the keyboard, that ends it.

use tokio::runtime::Runtime;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::terminal::Failure;

/// The signals that a server heeds.
#[cfg(unix)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn notice(runtime: &Runtime) -> Result<Self, Failure> {
        let _guard = runtime.enter();
        let notice = |kind| {
            signal(kind).map_err(|error| {
                Failure::internal(format!("error: signals cannot be noticed: {error}"))
            })
        };
        Ok(Self {
            terminate: notice(SignalKind::terminate())?,
            interrupt: notice(SignalKind::interrupt())?,
            hang_up: notice(SignalKind::hangup())?,
        })
    }

    /// Returns at the first signal to end; calls `reload` at each to read the configuration again.
    pub(super) fn follow(&mut self, runtime: &Runtime, reload: impl Fn()) {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = self.terminate.recv() => return,
                    _ = self.interrupt.recv() => return,
                    _ = self.hang_up.recv() => reload(),
                }
            }
        });
    }

    /// Waits for the next signal to end.
    pub(super) async fn end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What a server heeds on systems without signals: the keyboard.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "on other systems it can fail")]
    pub(super) fn notice(_: &Runtime) -> Result<Self, Failure> {
        Ok(Self)
    }

    /// Returns when it is to end.
    pub(super) fn follow(&mut self, runtime: &Runtime, _: impl Fn()) {
        runtime.block_on(self.end());
    }

    /// Waits until it is to end.
    pub(super) async fn end(&mut self) {
        // Where the keyboard cannot be heard, nothing ends it but its end.
        let _ = tokio::signal::ctrl_c().await;
    }
}
