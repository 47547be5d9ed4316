//! Why a notifier cannot start. Knows no settings.

/// Why a notifier cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// TLS cannot be set up.
    #[error("set up TLS for webhooks: {0}")]
    Tls(#[from] rustls::Error),
    /// The client for webhooks cannot be built.
    #[error("set up the client for webhooks: {0}")]
    Client(#[from] reqwest::Error),
    /// What the settings say of the mail server cannot be used.
    #[error("set up mail by {host:?}: {error}")]
    Mail {
        /// The mail server.
        host: String,
        /// What is wrong.
        error: lettre::transport::smtp::Error,
    },
}
