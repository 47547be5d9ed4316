//! Connects to upstreams: name, socket and TLS within one limit. A connection knows whether it has
//! brought an answer before.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

/// Connects to an upstream.
#[derive(Clone, Debug)]
pub(super) struct Dialer {
    inner: HttpsConnector<HttpConnector>,
    limit: Duration,
}

/// A connection to an upstream.
#[derive(Debug)]
pub(super) struct Line {
    stream: MaybeHttpsStream<TokioIo<TcpStream>>,
    uses: Uses,
}

/// Whether a connection has brought an answer.
#[derive(Clone, Default, Debug)]
pub(super) struct Uses(Arc<AtomicBool>);

impl Uses {
    pub(super) fn add(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_used(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Dialer {
    /// One whose connections stand within `limit`.
    ///
    /// They are of HTTP/1.1. One connection of HTTP/2 for each thread would make requests wait for
    /// each other, and each other's lost packets, where nobody sees whose fault that is.
    pub(super) fn new(tls: rustls::ClientConfig, limit: Duration) -> Self {
        let mut sockets = HttpConnector::new();
        sockets.enforce_http(false);
        sockets.set_nodelay(true);
        sockets.set_keepalive(Some(KEEPALIVE));
        // Several addresses of one name share the limit.
        sockets.set_connect_timeout(Some(limit));
        let inner = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(sockets);
        Self { inner, limit }
    }
}

impl Service<Uri> for Dialer {
    type Response = Line;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Line, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let dialing = tokio::time::timeout(self.limit, self.inner.call(to));
        Box::pin(async move {
            let stream = dialing.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            Ok(Line { stream, uses: Uses::default() })
        })
    }
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.uses.clone())
    }
}

impl Read for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl Write for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
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
        let dialing = Dialer::new(tls, Duration::from_millis(50)).call(to);
        let error = dialing.await.unwrap_err();
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        assert_eq!(kind, Some(io::ErrorKind::TimedOut), "{error}");
    }
}
