//! The thread from which people are told: it has a runtime of its own, so that nothing else waits
//! for a webhook.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use crate::chance::Chance;
use crate::engine::{Channel, Notification};
use crate::notify::{Around, Delivery, Notice, Notifier, NotifySettings, Now, Outcome, StartError};
use crate::units::Duration;

/// The thread from which people are told.
#[derive(Debug)]
pub(super) struct Post {
    notifier: Arc<Notifier>,
    stop: Option<oneshot::Sender<Duration>>,
    thread: Option<JoinHandle<()>>,
}

/// Why nobody can be told.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The notifier cannot begin.
    #[error(transparent)]
    Notifier(#[from] StartError),
    /// Its thread cannot.
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] io::Error),
}

impl Post {
    /// Begins. Of the end of each message `ended` is told.
    pub(super) fn start(
        settings: NotifySettings,
        (chance, now): (Chance, Now),
        ended: impl Fn(Delivery) + Send + 'static,
    ) -> Result<Self, PostError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (outcomes, mut ends) = mpsc::channel(OUTCOMES);
        let around = Around { runtime: runtime.handle().clone(), chance, now, outcomes };
        let notifier = Notifier::start(around, settings)?;
        let notifier = Arc::new(notifier);
        let (stop, stopped) = oneshot::channel::<Duration>();
        let draining = Arc::clone(&notifier);
        let run = move || {
            runtime.block_on(async move {
                let tell = move |delivery: Delivery| {
                    log(&delivery);
                    ended(delivery);
                };
                // The sender is dropped where the gateway could not begin.
                let drained = async move {
                    let patience = stopped.await.unwrap_or(Duration::ZERO);
                    draining.drain(patience).await;
                };
                tokio::pin!(drained);
                loop {
                    tokio::select! {
                        Some(delivery) = ends.recv() => tell(delivery),
                        () = &mut drained => break,
                    }
                }
                // What has ended is told to the last.
                ends.close();
                while let Some(delivery) = ends.recv().await {
                    tell(delivery);
                }
            });
        };
        let thread = std::thread::Builder::new().name("notify".to_owned()).spawn(run)?;
        Ok(Self { notifier, stop: Some(stop), thread: Some(thread) })
    }

    /// Tells of a notice, but by none of the channels `ended`; returns at once.
    pub(super) fn notify(
        &self,
        notice: Notice,
        recipients: &Notification,
        ended: &BTreeSet<Channel>,
    ) {
        self.notifier.notify_rest(notice, recipients, ended);
    }

    /// Who sends them: for another configuration.
    pub(super) const fn notifier(&self) -> &Arc<Notifier> {
        &self.notifier
    }

    /// Waits so long for what is under way.
    pub(super) fn stop(&mut self, patience: Duration) {
        if let Some(stop) = self.stop.take() {
            // The thread has ended where nobody receives it.
            let _ = stop.send(patience);
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that notifies has panicked");
        }
    }
}

fn log(delivery: &Delivery) {
    let Delivery { notice, channel, recipient, outcome, .. } = delivery;
    let notice = notice.0;
    match outcome {
        Outcome::Delivered { attempts } => tracing::info!(
            target: "coalmine::notify", notice, ?channel, recipient, attempts, "delivered"
        ),
        lost => tracing::warn!(
            target: "coalmine::notify", notice, ?channel, recipient, outcome = ?lost,
            "not delivered"
        ),
    }
}

/// Chosen: as many as can be under way at once.
const OUTCOMES: usize = 1_024;
