//! Where notifications of a gateway go, and how.

use std::num::NonZeroU16;

use super::decode_credential;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::endpoint_url::EndpointUrl;
use super::files::Folder;
use super::gateway_plan::{NotifyPlan, SmtpLogin, SmtpPlan, SmtpSecurity, WebhookPlan};
use super::read;
use super::secret_url::SecretUrl;
use super::shape::{Literal, quote};
use super::tree::{Entry, Node};

/// What the configuration `root` says of notifications. Warns of those that rules ask for and that
/// cannot be sent.
pub(crate) fn decode(
    root: &Node,
    folder: &Folder,
    diagnostics: &mut Diagnostics,
) -> Option<NotifyPlan> {
    let notify = root.get("notify");
    for model in root.get("models").map_or(&[][..], Node::entries) {
        warn(&model.node, notify, diagnostics);
    }
    let Some(node) = notify else { return Some(NotifyPlan::default()) };
    let smtp = match node.entry("smtp") {
        Some(entry) => smtp(entry, folder, diagnostics).map(Some),
        None => Some(None),
    };
    let [slack, url] = ["slack", "webhook"].map(|key| match node.get(key) {
        Some(node) => webhook(node, folder).map(Some),
        None => Some(None),
    });
    let webhook_secret = match node.get("webhook").and_then(|webhook| webhook.get("secret")) {
        Some(secret) => decode_credential::decode(secret, folder).map(Some),
        None => Some(None),
    };
    let base_url = match node.get("base_url") {
        Some(url) => EndpointUrl::new(url.text()?).ok().map(Some),
        None => Some(None),
    };
    let (slack, webhook) = (slack?, url?);
    let (webhook_secret, base_url) = (webhook_secret?, base_url?);
    Some(NotifyPlan { smtp: smtp?, slack, webhook, webhook_secret, base_url })
}

fn webhook(node: &Node, folder: &Folder) -> Option<WebhookPlan> {
    match read::text(node, "url") {
        Some(url) => SecretUrl::new(url).ok().map(WebhookPlan::Plain),
        None => decode_credential::decode(node, folder).map(WebhookPlan::Stored),
    }
}

fn smtp(entry: &Entry, folder: &Folder, diagnostics: &mut Diagnostics) -> Option<SmtpPlan> {
    let node = &entry.node;
    let security = match read::text(node, "security")? {
        "starttls" => Some(SmtpSecurity::StartTls),
        "tls" => Some(SmtpSecurity::Tls),
        "none" => Some(SmtpSecurity::None),
        _ => None,
    };
    let login = login(entry, security, folder, diagnostics);
    if let Some(from) = node.get("from")
        && let Some(text) = from.text().filter(|text| !is_mailbox(text))
    {
        let message = format!("{} is no address of e-mail", quote(text));
        let help = "write NAME@HOST, or TEXT <NAME@HOST>";
        diagnostics.report(Diagnostic::new(from.place, message).help(help));
    }
    let host = node.get("host")?;
    Literal::Host.check(host.scalar()?).ok()?;
    let security = security?;
    let port = match node.get("port") {
        Some(_) => read::integer(node, "port")?.try_into().ok()?,
        None => security.port(),
    };
    Some(SmtpPlan {
        host: host.text()?.to_owned(),
        port: NonZeroU16::new(port)?,
        from: read::text(node, "from")?.to_owned(),
        security,
        login: login?,
    })
}

fn login(
    entry: &Entry,
    security: Option<SmtpSecurity>,
    folder: &Folder,
    diagnostics: &mut Diagnostics,
) -> Option<Option<SmtpLogin>> {
    let (user, password) = (entry.node.entry("user"), entry.node.entry("password"));
    let (there, lacks) = match (user, password) {
        (None, None) => return Some(None),
        (Some(user), Some(password)) => {
            if security == Some(SmtpSecurity::None) {
                let message = "the password goes over the network in the clear";
                let help = "write `security: starttls` or `security: tls`";
                diagnostics.warn(Diagnostic::new(password.place, message).help(help));
            }
            let password = decode_credential::decode(&password.node, folder)?;
            return Some(Some(SmtpLogin { user: user.node.text()?.to_owned(), password }));
        }
        (Some(user), None) => (user, "password: {env: NAME}"),
        (None, Some(password)) => (password, "user: NAME"),
    };
    let message = format!("`{}` without its other half: nobody could log in", there.key);
    let help = format!("write `{lacks}` beside it");
    diagnostics.report(Diagnostic::new(there.place, message).help(help));
    None
}

/// Warns of notifications that the rules of `model` ask for and that cannot be sent.
fn warn(model: &Node, notify: Option<&Node>, diagnostics: &mut Diagnostics) {
    let Some(told) = model.get("rules").and_then(|rules| rules.get("notification")) else { return };
    if let Some(email) = told.entry("email") {
        let text = email.node.text().unwrap_or_default();
        if !text.is_empty() && !is_mailbox(text) {
            let message = format!("{} is no address of e-mail: none can be sent", quote(text));
            diagnostics.warn(Diagnostic::new(email.node.place, message));
        } else if notify.and_then(|notify| notify.get("smtp")).is_none() {
            let message = "no e-mail can be sent: there is no `notify.smtp`";
            let help = "write `notify: {smtp: {host: HOST, from: NAME@HOST}}`";
            diagnostics.warn(Diagnostic::new(email.place, message).help(help));
        }
    }
    if let Some(webhook) = told.entry("slack_webhook")
        && let Some(Err(error)) = webhook.node.text().map(SecretUrl::new)
    {
        let message = format!("`slack_webhook` cannot be reached: {error}");
        diagnostics.warn(Diagnostic::new(webhook.node.place, message));
    }
}

/// Whether `text` can be the address of an e-mail, alone or in angle brackets behind a name: what
/// no address can be without, and no more. RFC 5321, 4.1.2, leaves the rest to the server.
fn is_mailbox(text: &str) -> bool {
    let address = match text.strip_suffix('>') {
        Some(named) => named.rsplit_once('<').map_or("", |(_, address)| address),
        None => text,
    };
    let plain = |part: &str| {
        !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "<>,;@".contains(c))
    };
    address.rsplit_once('@').is_some_and(|(name, host)| plain(name) && plain(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_e_mail_are_told_from_other_texts() {
        for text in ["ops@example.com", "coalmine <coalmine@localhost>", "a.b+c@[::1]"] {
            assert!(is_mailbox(text), "{text}");
        }
        for text in ["[email protected]", "ops", "@x", "ops@", "a@b, c@d", "a <b@c", "<>", "a b@c"]
        {
            assert!(!is_mailbox(text), "{text}");
        }
    }
}
