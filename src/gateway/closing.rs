//! The last moment of a gateway: what is under way still when its time to end is over is told so,
//! and cut off. One for each thread that serves.

use tokio::sync::watch;

use super::fault::retry_soon;
use crate::wire::ApiError;

/// Tells whoever answers a request that the gateway ends now.
#[derive(Debug)]
pub(super) struct Closing(watch::Sender<bool>);

impl Default for Closing {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Closing {
    /// From now on it ends.
    pub(super) fn begin(&self) {
        let _ = self.0.send_replace(true);
    }

    /// Waits until then; for ever where that does not come.
    pub(super) fn begun(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut heard = self.0.subscribe();
        async move {
            if heard.wait_for(|begun| *begun).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// What clients are told.
    pub(super) fn error() -> ApiError {
        ApiError::overloaded("the gateway is stopping: the answer is cut off", retry_soon())
    }
}
