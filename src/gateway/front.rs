//! What the administrative interface works with: the shared state, and the way to the keeper.

use std::sync::{Arc, mpsc};

use tokio::sync::{broadcast, oneshot};

use super::house::House;
use super::job::{Answered, Before, CommandFailure, Errand, Job};
use super::told::Told;
use crate::engine::{Command, Digest, Sealed};
use crate::units::Duration;

/// What the administrative interface works with.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) house: Arc<House>,
    jobs: mpsc::Sender<Job>,
    listeners: broadcast::Sender<Arc<Told>>,
    /// How long the old secret of a regenerated key is valid, unless the command says otherwise.
    pub(super) grace: Duration,
}

impl Front {
    pub(super) const fn new(
        house: Arc<House>,
        jobs: mpsc::Sender<Job>,
        listeners: broadcast::Sender<Arc<Told>>,
        grace: Duration,
    ) -> Self {
        Self { house, jobs, listeners, grace }
    }

    /// Gives a command to the keeper, and waits until it is on the disk.
    pub(super) async fn command(
        &self,
        command: Command,
        repeat: Option<(String, Digest)>,
        answer: impl FnOnce(&Before, Option<&Sealed>) -> Answered + Send + 'static,
    ) -> Result<Answered, CommandFailure> {
        let (reply, answered) = oneshot::channel();
        let errand = Errand { command, answer: Box::new(answer), repeat, reply };
        let sent = self.jobs.send(Job::Command(Box::new(errand)));
        sent.map_err(|_| CommandFailure::Stopping)?;
        answered.await.map_err(|_| CommandFailure::Stopping)?
    }

    /// Gives the keeper another job.
    pub(super) fn ask(&self, job: Job) -> Result<(), CommandFailure> {
        self.jobs.send(job).map_err(|_| CommandFailure::Stopping)
    }

    /// What happens from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Arc<Told>> {
        self.listeners.subscribe()
    }
}
