//! TLS for webhooks, and for whoever else calls a server once: ring's cryptography, the machine's
//! root certificates, no state that the whole process shares. Knows no address.

use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt;
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};

/// How webhooks are reached over TLS.
#[derive(Debug)]
pub(crate) struct WebTls {
    /// For the client.
    pub(crate) config: ClientConfig,
    /// Whether this machine has root certificates: without any, TLS can trust nobody.
    pub(crate) has_roots: bool,
}

impl WebTls {
    /// With the root certificates of this machine. That there are none is no error: webhooks
    /// without TLS work all the same.
    ///
    /// # Errors
    /// What rustls says of its versions and its cryptography.
    pub(crate) fn of_machine() -> Result<Self, rustls::Error> {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?;
        let (builder, has_roots) = match builder.clone().with_native_roots() {
            Ok(builder) => (builder, true),
            Err(_) => (builder.with_root_certificates(RootCertStore::empty()), false),
        };
        Ok(Self { config: builder.with_no_client_auth(), has_roots })
    }
}
