//! Connects to the target: name, socket, TLS and the beginning of HTTP within one limit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connection as _, HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use tower::{Service, ServiceExt};

use super::fault::{Fault, Stage};
use super::target::{Http, Target};
use crate::exchange::Ending;

/// A connection that requests can be sent on.
#[derive(Debug)]
pub(super) enum Link {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

/// Connects to one target.
#[derive(Clone, Debug)]
pub(super) struct Dialer {
    connector: HttpsConnector<HttpConnector>,
    origin: Uri,
    http: Http,
    is_secure: bool,
}

impl Link {
    /// Whether the other side has closed it.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::One(sender) => sender.is_closed(),
            Self::Two(sender) => sender.is_closed(),
        }
    }

    /// Waits until a request can be sent on it, if that will ever be: the connection may not have
    /// noticed yet that its last answer is at its end.
    pub(super) async fn is_ready(&mut self) -> bool {
        match self {
            Self::One(sender) => sender.ready().await.is_ok(),
            Self::Two(sender) => !sender.is_closed(),
        }
    }

    /// Sends a request; where it fails before anything of it was sent, the error has it.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        match self {
            Self::One(sender) => sender.try_send_request(request).await,
            Self::Two(sender) => sender.try_send_request(request).await,
        }
    }
}

impl Dialer {
    /// For connections to `target`.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(super) fn new(target: &Target) -> Result<Self, rustls::Error> {
        let tls = match &target.tls {
            Some(tls) => tls.clone(),
            None => trusting_nobody()?,
        };
        let mut sockets = HttpConnector::new();
        sockets.enforce_http(false);
        sockets.set_nodelay(true);
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let connector = match target.http {
            Http::One => builder.enable_http1().wrap_connector(sockets),
            Http::Two => builder.enable_http2().wrap_connector(sockets),
        };
        let (origin, is_secure) = (target.origin(), target.is_secure());
        Ok(Self { connector, origin, http: target.http, is_secure })
    }

    /// A new connection, which must stand within `limit` on the wall.
    pub(super) async fn dial(&self, limit: Duration) -> Result<Link, Fault> {
        let late = || Fault::told(Ending::Timeout, "no connection in time");
        tokio::time::timeout(limit, self.connect()).await.unwrap_or_else(|_| Err(late()))
    }

    async fn connect(&self) -> Result<Link, Fault> {
        let mut connector = self.connector.clone();
        let refused =
            |error: Box<dyn std::error::Error + Send + Sync>| Fault::new(Stage::Connect, &*error);
        let ready = connector.ready().await.map_err(refused)?;
        let io = ready.call(self.origin.clone()).await.map_err(refused)?;
        let unready = |error: hyper::Error| Fault::new(Stage::Connect, &error);
        match self.http {
            Http::One => {
                let (sender, connection) = http1::handshake(io).await.map_err(unready)?;
                // What ends a connection is told to whoever has a request on it.
                tokio::spawn(async move { drop(connection.await) });
                Ok(Link::One(sender))
            }
            Http::Two if self.is_secure && !io.connected().is_negotiated_h2() => {
                Err(Fault::told(Ending::Refused, "the server does not speak HTTP/2 over TLS"))
            }
            Http::Two => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.adaptive_window(true);
                let (sender, connection) = builder.handshake(io).await.map_err(unready)?;
                tokio::spawn(async move { drop(connection.await) });
                Ok(Link::Two(sender))
            }
        }
    }
}

fn trusting_nobody() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}
