//! A notice as the body of a generic webhook. Knows not how it is sent.

use serde_json::{Value, json};

use super::Notice;

/// What is posted to a generic webhook: what happened in fields and in words, and the journal's
/// entry as it is. Times are RFC 3339 in UTC outside of the entry.
pub fn webhook_body(notice: &Notice) -> Value {
    json!({
        "id": notice.id(),
        "event": notice.kind,
        "model": notice.model,
        "version": notice.version,
        "target": notice.kind.target(),
        "at": notice.at.to_string(),
        "title": notice.title(),
        "consequence": notice.consequence(),
        "evidence": notice.evidence,
        "link": notice.link.as_ref().map(reqwest::Url::as_str),
        "journal_entry": notice.entry,
    })
}

#[cfg(test)]
mod tests {
    use super::super::NoticeKind;
    use super::super::notice::tests::rollback;
    use super::*;

    #[test]
    fn a_rollback_carries_its_journal_entry() {
        let notice = rollback();
        let expected = json!({
            "id": notice.id(),
            "event": "rolled_back",
            "model": "openai/gpt-4",
            "version": "gpt-4-turbo-v2",
            "target": "gpt-4-v1",
            "at": "2024-03-15T11:01:30Z",
            "title": "openai/gpt-4: gpt-4-turbo-v2 rolled back to gpt-4-v1",
            "consequence": "All traffic now goes to gpt-4-v1.",
            "evidence": "errors: error_rate 12.00 % (24 of 200 requests) > 5 % in 60 s, held for \
                         60 s",
            "link": "https://canary.example.com/",
            "journal_entry": {"number": 17, "cause": {"trigger": {}}},
        });
        assert_eq!(webhook_body(&notice), expected);
    }

    #[test]
    fn what_there_is_not_is_null() {
        let kind = NoticeKind::Paused;
        let body = webhook_body(&Notice { kind, version: None, link: None, ..rollback() });
        assert_eq!(body["event"], "paused");
        for field in ["version", "target", "link"] {
            assert!(body[field].is_null(), "{field}");
        }
    }
}
