//! Hands a mail to the mail server, once. Knows neither what it says nor whether it is tried again.

use std::error::Error;

use lettre::Message;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;

use super::attempts::std_duration;
use super::line::causes;
use super::{Failure, MailLogin, MailSecurity, MailSettings, StartError};
use crate::units::Duration;

/// The mail server, as the settings describe it.
#[derive(Debug)]
pub(super) struct MailServer {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    hello: ClientId,
}

/// How the connection is secured.
#[derive(Debug)]
enum Security {
    StartTls(Tls),
    Tls(Tls),
    Plain,
}

impl MailServer {
    /// The server of `settings`; nothing is sent yet. `has_roots`: whether this machine has root
    /// certificates.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(super) fn new(settings: &MailSettings, has_roots: bool) -> Result<Self, StartError> {
        let host = settings.host.clone();
        let tls = || Tls::new(&host, has_roots);
        let security = match settings.security {
            MailSecurity::StartTls => Security::StartTls(tls()?),
            MailSecurity::Tls => Security::Tls(tls()?),
            MailSecurity::Plain => Security::Plain,
        };
        let credentials = |MailLogin { user, password }| Credentials::new(user, password);
        Ok(Self {
            port: settings.port,
            security,
            credentials: settings.login.clone().map(credentials),
            hello: ClientId::default(),
            host,
        })
    }

    /// Hands `message` over.
    ///
    /// # Errors
    /// No connection, one that cannot be secured, or a command that the server refuses.
    pub(super) async fn send(&self, message: &Message) -> Result<(), Failure> {
        let text = message.formatted();
        let mut connection = self.connect().await?;
        connection.send(message.envelope(), &text).await.map_err(|error| failure(&error))?;
        // The mail has been taken: a server that is slow to part must not make it seem lost, or it
        // would be sent once more.
        drop(tokio::spawn(async move {
            drop(timeout(std_duration(FAREWELL), connection.quit()).await);
        }));
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let server = (self.host.as_str(), self.port);
        let tls = match &self.security {
            Security::Tls(tls) => Some(tls.parameters()?),
            Security::StartTls(_) | Security::Plain => None,
        };
        let connection =
            AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, tls, None).await;
        let mut connection = connection.map_err(|error| failure(&error))?;
        if let Security::StartTls(tls) = &self.security {
            connection
                .starttls(tls.parameters()?, &self.hello)
                .await
                .map_err(|error| failure(&error))?;
        }
        if let Some(credentials) = &self.credentials {
            connection
                .auth(DEFAULT_MECHANISMS, credentials)
                .await
                .map_err(|error| failure(&error))?;
        }
        Ok(connection)
    }
}

/// TLS to the mail server, as far as this machine can trust anybody.
struct Tls(Option<TlsParameters>);

impl Tls {
    fn new(host: &str, has_roots: bool) -> Result<Self, StartError> {
        let error = |error| StartError::Mail { host: host.to_owned(), error };
        let parameters = has_roots.then(|| TlsParameters::new(host.to_owned()));
        Ok(Self(parameters.transpose().map_err(error)?))
    }

    fn parameters(&self) -> Result<TlsParameters, Failure> {
        self.0.clone().ok_or(Failure::NoRoots)
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tls {{ has_roots: {} }}", self.0.is_some())
    }
}

fn failure(error: &SmtpError) -> Failure {
    let cause = error.source().map_or_else(String::new, |error| causes(error, LONGEST_CAUSE));
    match error.status() {
        Some(code) => Failure::Reply { code: code.into(), said: cause },
        None if error.is_client() => Failure::Unusable { cause },
        None => Failure::Connection { cause },
    }
}

/// Chosen: who says QUIT waits for a reply that changes nothing.
const FAREWELL: Duration = Duration::from_secs(5);

/// Chosen: room for a reply of a few lines.
const LONGEST_CAUSE: usize = 300;

#[cfg(test)]
mod tests {
    use super::super::notice::tests::rollback;
    use super::super::stand_in::{MailStandIn, read_mail};
    use super::super::{MailAddress, mail};
    use super::*;

    fn settings(server: &MailStandIn) -> MailSettings {
        MailSettings {
            host: server.address.ip().to_string(),
            port: server.address.port(),
            security: MailSecurity::Plain,
            from: MailAddress::new("canary@example.com").unwrap(),
            login: None,
        }
    }

    async fn sent(settings: &MailSettings) -> Result<(), Failure> {
        let to = MailAddress::new("ops@example.org").unwrap();
        let message = mail(&rollback(), &settings.from, &to).unwrap();
        MailServer::new(settings, true).unwrap().send(&message).await
    }

    #[tokio::test]
    async fn a_mail_is_handed_over_whole() {
        let server = MailStandIn::start(|_, _| None).await;
        assert_eq!(sent(&settings(&server)).await, Ok(()));
        let (headers, body) = read_mail(&server.mails().remove(0));
        let subject = headers.iter().find(|(name, _)| name == "Subject").unwrap();
        assert!(subject.1.starts_with("[coalmine] openai/gpt-4: gpt-4-turbo-v2"), "{subject:?}");
        assert!(body.contains("All traffic now goes to gpt-4-v1.\r\n"), "{body}");
        let said = server.said();
        assert!(said[0].starts_with("EHLO "), "{said:?}");
        assert_eq!(
            said[1..4],
            ["MAIL FROM:<canary@example.com>", "RCPT TO:<ops@example.org>", "DATA"]
        );
    }

    #[tokio::test]
    async fn a_refused_recipient_is_told_in_the_servers_words() {
        let server = MailStandIn::start(|_, line| {
            line.starts_with("RCPT").then_some("550-5.1.1 no such user\r\n550 5.1.1 here\r\n")
        });
        let server = server.await;
        let failure = sent(&settings(&server)).await.unwrap_err();
        assert_eq!(failure.to_string(), "the mail server answered 550: 5.1.1 no such user here");
        assert!(!failure.may_pass() && server.mails().is_empty());
    }

    #[tokio::test]
    async fn a_server_that_says_later_may_take_it_later() {
        let server = MailStandIn::start(|connection, line| {
            let greylisted = connection == 0 && line.starts_with("RCPT");
            greylisted.then_some("450 4.7.1 greylisted\r\n")
        });
        let server = server.await;
        let failure = sent(&settings(&server)).await.unwrap_err();
        assert!(failure.may_pass(), "{failure}");
        assert_eq!(sent(&settings(&server)).await, Ok(()));
    }

    #[tokio::test]
    async fn a_server_that_does_not_part_has_the_mail_all_the_same() {
        let server = MailStandIn::start(|_, line| (line == "QUIT").then_some("")).await;
        assert_eq!(sent(&settings(&server)).await, Ok(()));
        assert_eq!(server.mails().len(), 1);
    }

    #[tokio::test]
    async fn a_login_is_given_before_the_mail() {
        let server = MailStandIn::start(|_, _| None).await;
        let login = MailLogin { user: "ops".to_owned(), password: "hunter2".to_owned() };
        let settings = MailSettings { login: Some(login), ..settings(&server) };
        assert_eq!(sent(&settings).await, Ok(()));
        // "\0ops\0hunter2" in base64, RFC 4616.
        assert_eq!(server.said()[1], "AUTH PLAIN AG9wcwBodW50ZXIy");
        let refusing = MailStandIn::start(|_, line| {
            line.starts_with("AUTH").then_some("535 5.7.8 who are you\r\n")
        });
        let refusing = refusing.await;
        let settings = MailSettings { port: refusing.address.port(), ..settings };
        let failure = sent(&settings).await.unwrap_err();
        assert!(!failure.may_pass(), "{failure}");
        assert!(!format!("{failure:?}").contains("hunter2"));
        assert!(refusing.mails().is_empty());
    }

    #[tokio::test]
    async fn a_server_that_offers_no_starttls_gets_neither_mail_nor_password() {
        let server = MailStandIn::start(|_, _| None).await;
        let login = MailLogin { user: "ops".to_owned(), password: "hunter2".to_owned() };
        let security = MailSecurity::StartTls;
        let settings = MailSettings { security, login: Some(login), ..settings(&server) };
        let failure = MailServer {
            security: Security::StartTls(Tls(Some(no_roots()))),
            ..MailServer::new(&settings, false).unwrap()
        };
        let message = mail(&rollback(), &settings.from, &settings.from).unwrap();
        let failure = failure.send(&message).await.unwrap_err();
        assert_eq!(
            failure.to_string(),
            "the mail server cannot be used: STARTTLS is not supported on this server"
        );
        assert!(server.mails().is_empty() && server.said().len() == 1, "{:?}", server.said());
    }

    #[tokio::test]
    async fn without_root_certificates_tls_is_not_tried() {
        let server = MailStandIn::start(|_, _| None).await;
        let settings = MailSettings { security: MailSecurity::Tls, ..settings(&server) };
        let message = mail(&rollback(), &settings.from, &settings.from).unwrap();
        let failure = MailServer::new(&settings, false).unwrap().send(&message).await;
        assert_eq!(failure, Err(Failure::NoRoots));
    }

    fn no_roots() -> TlsParameters {
        use lettre::transport::smtp::client::CertificateStore;
        let builder = TlsParameters::builder("127.0.0.1".to_owned());
        builder.certificate_store(CertificateStore::None).build().unwrap()
    }
}
