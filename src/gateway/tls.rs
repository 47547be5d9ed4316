//! How upstreams are known over TLS: by the certificates that the system trusts.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use crate::scenario::GatewayPlan;

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Nothing is trusted, so that no upstream would be.
    #[error(
        "the system has no certificates to know https upstreams by{}: install its package of CA \
         certificates, or set SSL_CERT_FILE",
        why.as_deref().map_or_else(String::new, |why| format!(" ({why})"))
    )]
    NoRoots {
        /// Why, where the system says so.
        why: Option<String>,
    },
    /// The library refuses its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// The settings of connections to upstreams.
///
/// # Errors
/// One of `plan` is reached over TLS, and the system trusts nobody.
pub(super) fn client_tls(plan: &GatewayPlan) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    // A later configuration may have the first upstream over TLS: then each request fails, and the
    // log says why.
    if added == 0 && plan.upstreams.iter().any(|upstream| upstream.url.is_secure()) {
        let why = found.errors.first().map(ToString::to_string);
        return Err(TlsError::NoRoots { why });
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
