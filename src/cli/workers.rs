//! Work that is done piece by piece on several threads.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration as Wait;

/// Does so many pieces of work, at most `jobs` at once (default: one for each processor). Each
/// answer comes with the number of its piece as soon as it is made; when all have come, or nobody
/// listens any more, the threads end.
pub(super) fn start<T: Send + 'static>(
    pieces: usize,
    jobs: Option<NonZeroUsize>,
    make: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Receiver<(usize, T)> {
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let workers = jobs.map_or_else(processors, usize::from).min(pieces);
    let (sender, answers) = channel();
    let (next, make) = (Arc::new(AtomicUsize::new(0)), Arc::new(make));
    for _ in 0..workers {
        let (next, make, sender) = (Arc::clone(&next), Arc::clone(&make), sender.clone());
        thread::spawn(move || {
            loop {
                let piece = next.fetch_add(1, Ordering::Relaxed);
                // Nobody waits for it any more: the command was interrupted.
                if piece >= pieces || sender.send((piece, make(piece))).is_err() {
                    return;
                }
            }
        });
    }
    answers
}

/// Chosen: a signal is noticed within a tenth of a second, and waiting costs nothing.
pub(super) const PATIENCE: Wait = Wait::from_millis(100);
