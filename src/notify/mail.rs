//! A notice as an e-mail. Knows not how it is sent.

use std::time::UNIX_EPOCH;

use lettre::Message;
use lettre::message::SinglePart;
use lettre::message::header::{HeaderName, HeaderValue};

use super::attempts::std_duration;
use super::line::one_line;
use super::{MailAddress, Notice, Undeliverable};
use crate::units::Timestamp;

/// The mail that tells `to` of a notice: plain text, dated at what happened, with an id that is
/// the same for every attempt, marked as sent by a machine so that no machine replies.
///
/// # Errors
/// What cannot be said in a mail.
pub fn mail(
    notice: &Notice,
    from: &MailAddress,
    to: &MailAddress,
) -> Result<Message, Undeliverable> {
    let id = format!("<{}@{}>", notice.id(), from.mailbox().email.domain());
    // Years before 1970 cannot be written in a mail's date.
    let since_epoch = std_duration(notice.at.since(Timestamp::EPOCH));
    let builder = Message::builder()
        .from(from.mailbox().clone())
        .to(to.mailbox().clone())
        .subject(format!("[coalmine] {}", one_line(&notice.title(), LONGEST_TITLE)))
        .date(UNIX_EPOCH + since_epoch)
        .message_id(Some(id))
        .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()));
    let message = builder.singlepart(SinglePart::plain(body(notice)));
    message.map_err(|error| Undeliverable::Form { cause: error.to_string() })
}

fn body(notice: &Notice) -> String {
    let mut lines = vec![format!("{}.", notice.title()), notice.consequence()];
    let evidence = one_line(&notice.evidence, LONGEST_EVIDENCE);
    let about = [
        ("Why", (!evidence.is_empty()).then_some(evidence)),
        ("When", Some(notice.at.to_string())),
        ("Entry", notice.entry.get("number").map(ToString::to_string)),
        ("More", notice.link.as_ref().map(ToString::to_string)),
    ];
    lines.push(String::new());
    let about = about.into_iter().filter_map(|(name, text)| Some((name, text?)));
    lines.extend(about.map(|(name, text)| format!("{:6} {text}", format!("{name}:"))));
    lines.join("\n")
}

/// RFC 3834, 5.
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// Three names of 128 characters and the words between them.
const LONGEST_TITLE: usize = 500;

/// Chosen: some screens of text; what a trigger saw takes two lines.
const LONGEST_EVIDENCE: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::super::notice::tests::rollback;
    use super::super::stand_in::read_mail;
    use super::*;

    fn written(notice: &Notice) -> String {
        let from = MailAddress::new("Canary <canary@example.com>").unwrap();
        let to = MailAddress::new("ops@example.org").unwrap();
        String::from_utf8(mail(notice, &from, &to).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_rollback_reads_as_it_should() {
        let (headers, body) = read_mail(&written(&rollback()));
        let id = format!("<{}@example.com>", rollback().id());
        let expected = [
            ("From", "Canary <canary@example.com>"),
            ("To", "ops@example.org"),
            ("Subject", "[coalmine] openai/gpt-4: gpt-4-turbo-v2 rolled back to gpt-4-v1"),
            ("Date", "Fri, 15 Mar 2024 11:01:30 +0000"),
            ("Message-ID", &id),
            ("Auto-Submitted", "auto-generated"),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "quoted-printable"),
        ];
        let found: Vec<_> = headers.iter().map(|(name, text)| (&**name, &**text)).collect();
        assert_eq!(found, expected);
        let expected = "openai/gpt-4: gpt-4-turbo-v2 rolled back to gpt-4-v1.\r\n\
            All traffic now goes to gpt-4-v1.\r\n\
            \r\n\
            Why:   errors: error_rate 12.00 % (24 of 200 requests) > 5 % in 60 s, held for 60 s\r\n\
            When:  2024-03-15T11:01:30Z\r\n\
            Entry: 17\r\n\
            More:  https://canary.example.com/\r\n";
        // A line of more than 76 characters is broken on the way, RFC 2045, 6.7.
        assert_eq!(body.replace("=\r\n", ""), expected);
    }

    #[test]
    fn no_text_of_a_notice_can_add_a_header() {
        let evidence = "x\r\nBcc: evil@example.com\r\n\r\n.\r\nRCPT TO:<a@b.c>".to_owned();
        let entry = serde_json::json!({"number": "1\r\nBcc: evil@example.com"});
        let text = written(&Notice { evidence, entry, ..rollback() });
        let (headers, body) = read_mail(&text);
        assert_eq!(headers.len(), 9, "{text}");
        assert!(body.contains("Why:   x Bcc: evil@example.com . RCPT TO:<a@b.c>\r\n"), "{body}");
        assert!(body.contains("Entry: \"1\\r\\nBcc: evil@example.com\"\r\n"), "{body}");
        for name in ["a\r\nBcc: b", "a\nb", "a b"] {
            assert!(crate::units::ModelId::new(name).is_err(), "no such model: {name:?}");
        }
    }

    #[test]
    fn other_letters_and_early_times_can_be_written() {
        let notice = Notice {
            evidence: "latency_p99 3.1 s > 250 µs".to_owned(),
            at: Timestamp::from_second(-5),
            ..rollback()
        };
        let text = written(&notice);
        assert!(text.is_ascii() && text.contains("250 =C2=B5s"), "{text}");
        assert!(text.contains("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"), "{text}");
    }
}
