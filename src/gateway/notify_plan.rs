//! From a plan to the settings of notifications, with the secrets that it names.

use super::settings::ReadSecret;
use crate::notify::{
    MailAddress, MailLogin, MailSecurity, MailSettings, NotifySettings, WebhookUrl,
};
use crate::scenario::{NotifyPlan, SmtpPlan, SmtpSecurity, WebhookPlan};

/// Why notifications cannot be sent as the plan says.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotifyFault {
    /// A secret cannot be read.
    #[error("{what} cannot be read: {why}")]
    Secret {
        /// Which.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// A webhook's URL, or an address, is none.
    #[error("{what}: {why}")]
    Value {
        /// Which.
        what: &'static str,
        /// Why.
        why: String,
    },
}

/// The settings that `plan` means.
pub(super) fn notify_settings(
    plan: &NotifyPlan,
    read: ReadSecret<'_>,
) -> Result<NotifySettings, NotifyFault> {
    let webhook = plan.webhook.as_ref().map(|webhook| {
        let what = "the webhook's URL";
        let text = match webhook {
            WebhookPlan::Plain(url) => url.expose().to_string(),
            WebhookPlan::Stored(credential) => {
                read(credential).map_err(|why| NotifyFault::Secret { what, why })?
            }
        };
        WebhookUrl::new(text.trim())
            .map_err(|error| NotifyFault::Value { what, why: error.to_string() })
    });
    let mail = plan.smtp.as_ref().map(|smtp| mail(smtp, read));
    Ok(NotifySettings {
        mail: mail.transpose()?,
        webhook: webhook.transpose()?,
        ..NotifySettings::default()
    })
}

fn mail(smtp: &SmtpPlan, read: ReadSecret<'_>) -> Result<MailSettings, NotifyFault> {
    let login = smtp.login.as_ref().map(|login| {
        let password = read(&login.password)
            .map_err(|why| NotifyFault::Secret { what: "the mail server's password", why })?;
        Ok::<_, NotifyFault>(MailLogin { user: login.user.clone(), password })
    });
    let from = MailAddress::new(&smtp.from).map_err(|error| NotifyFault::Value {
        what: "the address that mails come from",
        why: error.to_string(),
    })?;
    Ok(MailSettings {
        host: smtp.host.clone(),
        port: smtp.port.get(),
        security: match smtp.security {
            SmtpSecurity::StartTls => MailSecurity::StartTls,
            SmtpSecurity::Tls => MailSecurity::Tls,
            SmtpSecurity::None => MailSecurity::Plain,
        },
        from,
        login: login.transpose()?,
    })
}
