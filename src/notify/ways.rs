//! The ways by which notices go, ready for use: made of settings, which a configuration that is
//! read again replaces. Sends nothing by itself.

use super::mail_server::MailServer;
use super::poster::Poster;
use super::tls::WebTls;
use super::{MailAddress, NotifySettings, Pace, SigningSecret, StartError, WebhookUrl};

/// The ways by which notices go.
#[derive(Debug)]
pub struct Ways {
    pub(super) poster: Poster,
    pub(super) mail: Option<(MailServer, MailAddress)>,
    pub(super) slack: Option<WebhookUrl>,
    pub(super) webhook: Option<WebhookUrl>,
    pub(super) signing: Option<SigningSecret>,
    pub(super) pace: Pace,
}

impl Ways {
    /// Those that `settings` mean.
    ///
    /// # Errors
    /// TLS or a client cannot be set up.
    pub fn new(settings: NotifySettings) -> Result<Self, StartError> {
        let tls = WebTls::of_machine()?;
        let server = |settings: &_| MailServer::new(settings, tls.has_roots);
        let server = settings.mail.as_ref().map(server).transpose()?;
        Ok(Self {
            mail: server.zip(settings.mail.map(|mail| mail.from)),
            poster: Poster::new(tls, settings.proxies_from_environment)?,
            slack: settings.slack,
            webhook: settings.webhook,
            signing: settings.signing,
            pace: settings.pace,
        })
    }
}
