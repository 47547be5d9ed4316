//! From a plan to the settings of notifications, with the secrets that it names.

use super::settings::ReadSecret;
use crate::notify::{
    MailAddress, MailLogin, MailSecurity, MailSettings, NotifySettings, SigningSecret, WebhookUrl,
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
    let url = |plan: &Option<WebhookPlan>, what| {
        plan.as_ref().map(|webhook| webhook_url(webhook, what, read)).transpose()
    };
    let secret = plan.webhook_secret.as_ref().map(|credential| {
        let what = "the webhook's secret";
        let text = read(credential).map_err(|why| NotifyFault::Secret { what, why })?;
        Ok::<_, NotifyFault>(SigningSecret::new(text.trim()))
    });
    let mail = plan.smtp.as_ref().map(|smtp| mail(smtp, read));
    Ok(NotifySettings {
        mail: mail.transpose()?,
        slack: url(&plan.slack, "the Slack webhook's URL")?,
        webhook: url(&plan.webhook, "the webhook's URL")?,
        signing: secret.transpose()?,
        ..NotifySettings::default()
    })
}

fn webhook_url(
    webhook: &WebhookPlan,
    what: &'static str,
    read: ReadSecret<'_>,
) -> Result<WebhookUrl, NotifyFault> {
    let text = match webhook {
        WebhookPlan::Plain(url) => url.expose().to_string(),
        WebhookPlan::Stored(credential) => {
            read(credential).map_err(|why| NotifyFault::Secret { what, why })?
        }
    };
    WebhookUrl::new(text.trim())
        .map_err(|error| NotifyFault::Value { what, why: error.to_string() })
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
