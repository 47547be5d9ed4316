//! A notice as the body of a Slack incoming webhook. Knows not how it is sent.

use serde_json::{Value, json};

use super::Notice;
use super::line::{cut, one_line};

/// What is posted to a Slack incoming webhook: `text` for notifications on a phone, `blocks` for
/// the channel. Slack's own signs in foreign text are escaped, so that no rule's name can address
/// a channel; every text is within the length that Slack accepts.
pub fn slack_body(notice: &Notice) -> Value {
    let title = one_line(&notice.title(), LONGEST_TITLE);
    let evidence = escape(&one_line(&notice.evidence, LONGEST_EVIDENCE));
    let happened = format!("{}\n{evidence}", escape(&notice.consequence()));
    let mut blocks = vec![
        json!({"type": "header", "text": {"type": "plain_text", "text": title, "emoji": false}}),
        json!({"type": "section", "text": {"type": "mrkdwn", "text": happened.trim_end()}}),
    ];
    let link = notice.link.as_ref().map(|link| escape(&cut(link.as_str(), LONGEST_LINK)));
    let link = link.map_or_else(String::new, |link| format!(" · <{link}|open coalmine>"));
    let context = format!("{}{link}", notice.at);
    blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": context}]}));
    let text = format!("{}: {evidence}", escape(&title));
    json!({"text": text.trim_end_matches(": "), "blocks": blocks})
}

/// As <https://docs.slack.dev/messaging/formatting-message-text/#escaping> has it. The bar parts an
/// address from its label.
fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('|', "¦")
}

/// Slack's limit for a header (<https://docs.slack.dev/reference/block-kit/blocks/header-block>).
const LONGEST_TITLE: usize = 150;

/// Slack accepts 3,000 characters in a section; escaped ones can take five each.
const LONGEST_EVIDENCE: usize = 500;

/// Chosen: an address that is longer is of no use cut off, but must not void the message.
const LONGEST_LINK: usize = 300;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::notice::tests::rollback;
    use super::*;

    #[test]
    fn a_rollback_reads_as_it_should() {
        let expected = json!({
            "text": "openai/gpt-4: gpt-4-turbo-v2 rolled back to gpt-4-v1: errors: error_rate \
                     12.00 % (24 of 200 requests) &gt; 5 % in 60 s, held for 60 s",
            "blocks": [
                {"type": "header", "text": {
                    "type": "plain_text",
                    "text": "openai/gpt-4: gpt-4-turbo-v2 rolled back to gpt-4-v1",
                    "emoji": false,
                }},
                {"type": "section", "text": {
                    "type": "mrkdwn",
                    "text": "All traffic now goes to gpt-4-v1.\nerrors: error_rate 12.00 % (24 \
                             of 200 requests) &gt; 5 % in 60 s, held for 60 s",
                }},
                {"type": "context", "elements": [{
                    "type": "mrkdwn",
                    "text": "2024-03-15T11:01:30Z · <https://canary.example.com/|open coalmine>",
                }]},
            ],
        });
        assert_eq!(slack_body(&rollback()), expected);
    }

    #[test]
    fn without_evidence_and_link_nothing_dangles() {
        let body = slack_body(&Notice { evidence: String::new(), link: None, ..rollback() });
        assert_eq!(body["text"], "openai/gpt-4: gpt-4-turbo-v2 rolled back to gpt-4-v1");
        assert_eq!(body["blocks"][1]["text"]["text"], "All traffic now goes to gpt-4-v1.");
        assert_eq!(body["blocks"][2]["elements"][0]["text"], "2024-03-15T11:01:30Z");
    }

    #[test]
    fn a_rules_name_cannot_address_a_channel() {
        let evidence = "<!channel> & <https://evil.example|here>\nhello".to_owned();
        let body = slack_body(&Notice { evidence, ..rollback() });
        let text = body["text"].as_str().unwrap();
        let escaped = "&lt;!channel&gt; &amp; &lt;https://evil.example¦here&gt; hello";
        assert!(text.ends_with(escaped), "{text}");
        assert!(body["blocks"][1]["text"]["text"].as_str().unwrap().ends_with(escaped));
    }

    proptest! {
        #[test]
        fn no_text_is_longer_than_slack_accepts(evidence in ".{0,4000}", name in "[a-z]{1,128}") {
            let version = crate::units::VersionId::new(&name).unwrap();
            let kind = super::super::NoticeKind::RolledBack { target: version.clone() };
            let notice = Notice { evidence, version: Some(version), kind, ..rollback() };
            let body = slack_body(&notice);
            let length = |text: &Value| text.as_str().unwrap().chars().count();
            prop_assert!(length(&body["blocks"][0]["text"]["text"]) <= 150);
            prop_assert!(length(&body["blocks"][1]["text"]["text"]) <= 3_000);
            prop_assert!(length(&body["text"]) <= 4_000);
        }
    }
}
