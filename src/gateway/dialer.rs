//! Connects to an upstream: name, socket and TLS within one limit.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::{Service, ServiceExt};

/// Connects to an upstream.
#[derive(Clone, Debug)]
pub(super) struct Dialer {
    connector: HttpsConnector<HttpConnector>,
    to: Uri,
    limit: Duration,
}

/// What a connection to an upstream goes over.
pub(super) type Socket = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Why there is no connection.
pub(super) type DialError = Box<dyn Error + Send + Sync>;

impl Dialer {
    /// One whose connections lead to the host of `to`, and stand within `limit`.
    ///
    /// They are of HTTP/1.1. One connection of HTTP/2 for each thread would make requests wait for
    /// each other, and each other's lost packets, where nobody sees whose fault that is.
    pub(super) fn new(tls: rustls::ClientConfig, to: Uri, limit: Duration) -> Self {
        let mut sockets = HttpConnector::new();
        sockets.enforce_http(false);
        sockets.set_nodelay(true);
        sockets.set_keepalive(Some(KEEPALIVE));
        // Several addresses of one name share the limit.
        sockets.set_connect_timeout(Some(limit));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(sockets);
        Self { connector, to, limit }
    }

    /// Connects.
    ///
    /// # Errors
    /// Why it cannot; of [`io::ErrorKind::TimedOut`] after the limit.
    pub(super) async fn dial(&self) -> Result<Socket, DialError> {
        let mut connector = self.connector.clone();
        let dialing = async { connector.ready().await?.call(self.to.clone()).await };
        let dialed = tokio::time::timeout(self.limit, dialing).await;
        dialed.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}

/// When the system asks a silent peer whether it is there. Chosen: below the minutes after which
/// the boxes between forget a connection.
const KEEPALIVE: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A peer that takes the connection and never says a word of TLS.
    #[tokio::test]
    async fn tls_belongs_to_the_connection_that_must_stand_in_time() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to: Uri = format!("https://{}/", silent.local_addr().unwrap()).parse().unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let error = Dialer::new(tls, to, Duration::from_millis(50)).dial().await.unwrap_err();
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        assert_eq!(kind, Some(io::ErrorKind::TimedOut), "{error}");
    }
}
