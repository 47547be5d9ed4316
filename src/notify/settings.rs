//! Where notices go beside the addresses that rules name: the mail server, the webhook. Plain data;
//! knows not how anything is sent.

use std::fmt;

use super::{MailAddress, Pace, SigningSecret, WebhookUrl};

/// How notices are sent, whatever the rules.
#[derive(Clone, Debug, Default)]
pub struct NotifySettings {
    /// The server that takes mail; without one no mail is sent, and each that rules want is told as
    /// undeliverable.
    pub mail: Option<MailSettings>,
    /// The Slack incoming webhook of rules that name none.
    pub slack: Option<WebhookUrl>,
    /// A webhook that every notice is posted to.
    pub webhook: Option<WebhookUrl>,
    /// By what messages to that webhook are signed; `None`: they are not.
    pub signing: Option<SigningSecret>,
    /// Whether webhooks are reached through the proxies that the environment names.
    pub proxies_from_environment: bool,
    /// How often and how long a message is tried.
    pub pace: Pace,
}

/// A mail server that takes messages for delivery.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// Its name or address.
    pub host: String,
    /// Its port: by custom 587 with STARTTLS, 465 with TLS, 25 without.
    pub port: u16,
    /// How the connection is secured.
    pub security: MailSecurity,
    /// Whom mails come from.
    pub from: MailAddress,
    /// The account there; `None`: the server asks for none.
    pub login: Option<MailLogin>,
}

/// How the connection to a mail server is secured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MailSecurity {
    /// It begins plain and must turn to TLS before anything is said: a server that does not offer
    /// STARTTLS gets no mail.
    StartTls,
    /// It is TLS from its first byte.
    Tls,
    /// It is plain, password and all: for a server on the same machine.
    Plain,
}

/// An account on a mail server.
#[derive(Clone)]
pub struct MailLogin {
    /// Its name.
    pub user: String,
    /// Its password; never shown.
    pub password: String,
}

impl fmt::Debug for MailLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailLogin").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_show_no_secret() {
        let login = MailLogin { user: "ops".to_owned(), password: "hunter2".to_owned() };
        let settings = NotifySettings {
            mail: Some(MailSettings {
                host: "mail.example.com".to_owned(),
                port: 587,
                security: MailSecurity::StartTls,
                from: MailAddress::new("canary@example.com").unwrap(),
                login: Some(login),
            }),
            webhook: WebhookUrl::new("https://example.com/hook/hunter2").ok(),
            slack: WebhookUrl::new("https://example.com/slack/hunter2").ok(),
            signing: Some(SigningSecret::new("hunter2")),
            ..NotifySettings::default()
        };
        let shown = format!("{settings:?}");
        assert!(shown.contains("mail.example.com") && !shown.contains("hunter2"), "{shown}");
    }
}
