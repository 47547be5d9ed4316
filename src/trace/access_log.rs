//! What the access logs of gateways have in common: a time stamp, and beside the server's own
//! variables what teams add to them about models and tokens.

use super::date_time::common_log;
use super::error::TraceErrorKind;
use super::foreign_name::{model, version};
use super::json_line::JsonLine;
use super::json_members::Members;
use super::json_scalar::Scalar;
use super::names::{Names, written_name};
use super::options::TimeUnit;
use super::record::TraceRecord;
use crate::units::{ModelId, Timestamp, VersionId};

/// An instant: a date and time, or a number of units since 1970.
pub(super) fn instant(
    (column, value): (&'static str, Scalar<'_>),
    unit: TimeUnit,
) -> Result<Timestamp, TraceErrorKind> {
    let instant = value.read(column, TIME_ALLOWED, |text| {
        super::json_scalar::instant(text, Some(unit)).or_else(|| common_log(text))
    })?;
    instant.ok_or(TraceErrorKind::MissingColumn { name: column })
}

/// An HTTP status; `None` for 0 and `-`, where there was no answer.
pub(super) fn status(column: &'static str, text: &str) -> Result<Option<u16>, TraceErrorKind> {
    if matches!(text, "" | "-") {
        return Ok(None);
    }
    let status = super::number::whole(text).filter(|status| matches!(status, 0 | 100..=599));
    let status = status.ok_or_else(|| TraceErrorKind::value(column, text, STATUS_ALLOWED))?;
    Ok(Some(status).filter(|status| *status > 0))
}

/// Sets what teams add of their own accord, and the version by those of `versions` too.
pub(super) fn set_extras(
    members: &Members<'_>,
    versions: &[&'static str],
    names: &mut Names,
    record: &mut TraceRecord,
) -> Result<(), TraceErrorKind> {
    let text = |keys: &[&'static str]| members.first_text(keys, Scalar::text);
    record.model = text(MODEL)?.and_then(|text| model(&text));
    record.version = text(VERSION)?.and_then(|text| version(&text));
    if record.version.is_none() {
        let upstreams = text(versions)?;
        record.version = upstreams.and_then(|text| version(last_of_list(upstream(&text))?));
    }
    record.user = text(USER)?.map(|user| names.user(&user));
    record.session = text(SESSION)?.map(|session| names.session(&session));
    let (column, tokens) = members.first(INPUT)?;
    record.input = tokens.tokens(column)?;
    let (column, tokens) = members.first(OUTPUT)?;
    record.output = tokens.tokens(column)?;
    let (column, cost) = members.first(COST)?;
    record.cost = cost.usd(column)?;
    let content = text(CONTENT)?;
    let is_streamed = content.map(|content| content.starts_with("text/event-stream"));
    let (column, stream) = members.first(STREAM)?;
    let is_streamed = is_streamed.filter(|is_streamed| *is_streamed);
    record.stream = stream.flag(column)?.or(is_streamed);
    Ok(())
}

/// The last of a list that says something.
pub(super) fn last_of_list(text: &str) -> Option<&str> {
    parts_of_list(text).filter(|part| !matches!(*part, "" | "-")).last()
}

/// One for each upstream that nginx tried, in that order, also where it says nothing (`-`):
/// separated by commas, and by colons where the request was redirected within.
pub(super) fn parts_of_list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').flat_map(|part| part.split(" : ")).map(str::trim)
}

/// What tells one upstream from another in its name: of Istio's `outbound|80|canary|host` the
/// subset, where there is one.
pub(super) fn upstream(name: &str) -> &str {
    let mut parts = name.split('|').skip(2);
    let (subset, host) = (parts.next(), parts.next());
    subset.filter(|subset| host.is_some() && !subset.is_empty()).unwrap_or(name)
}

/// Writes what [`set_extras`] reads.
pub(super) fn write_extras(line: &mut JsonLine<'_>, record: &TraceRecord, cost: Option<&str>) {
    line.text("model", record.model.as_ref().map(ModelId::as_str))
        .text("x_model_version", record.version.as_ref().map(VersionId::as_str))
        .text("user", record.user.map(written_name).as_deref())
        .text("session_id", record.session.map(written_name).as_deref())
        .number("input_tokens", record.input.map(|tokens| tokens.get().into()))
        .number("output_tokens", record.output.map(|tokens| tokens.get().into()))
        .flag("stream", record.stream)
        .raw("cost", cost);
}

const MODEL: &[&str] =
    &["gen_ai.request.model", "model", "request_model", "x-ai-eg-model", "http_x_model"];
const VERSION: &[&str] = &[
    "x_model_version",
    "x-model-version",
    "model_version",
    "upstream_http_x_model_version",
    "sent_http_x_model_version",
    "gen_ai.response.model",
    "response_model",
];
const USER: &[&str] = &["end_user", "user", "user_id", "x-user-id", "remote_user"];
const SESSION: &[&str] =
    &["session_id", "session.id", "session", "x-session-id", "gen_ai.conversation.id"];
const INPUT: &[&str] =
    &["input_tokens", "gen_ai.usage.input_tokens", "prompt_tokens", "gen_ai.usage.prompt_tokens"];
const OUTPUT: &[&str] = &[
    "output_tokens",
    "gen_ai.usage.output_tokens",
    "completion_tokens",
    "gen_ai.usage.completion_tokens",
];
const COST: &[&str] = &["cost", "response_cost", "gen_ai.usage.cost"];
const STREAM: &[&str] = &["stream", "gen_ai.request.stream"];
const CONTENT: &[&str] = &[
    "content_type",
    "content-type",
    "sent_http_content_type",
    "upstream_http_content_type",
    "response_content_type",
];
const TIME_ALLOWED: &str = "seconds since 1970 such as 1711459200.123, 2024-03-26T13:20:00.123Z \
                            or 26/Mar/2024:13:20:00 +0000, up to the year 2262; numbers of \
                            another unit need `--unit`";
/// What a status may be.
pub(super) const STATUS_ALLOWED: &str = "an HTTP status from 100 to 599, or 0 without an answer";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_list_the_last_that_says_something_counts() {
        let cases = [
            ("10.0.0.1:80", Some("10.0.0.1:80")),
            ("10.0.0.1:80, 10.0.0.2:80", Some("10.0.0.2:80")),
            ("0.010, 0.250 : 0.001", Some("0.001")),
            ("0.010, -", Some("0.010")),
            ("-", None),
            ("", None),
        ];
        for (text, last) in cases {
            assert_eq!(last_of_list(text), last, "{text}");
        }
    }

    #[test]
    fn of_istios_clusters_the_subset_tells_the_version() {
        assert_eq!(upstream("outbound|8080|canary|chat.prod.svc.cluster.local"), "canary");
        assert_eq!(upstream("outbound|8080||chat.prod"), "outbound|8080||chat.prod");
        assert_eq!(upstream("chat-v2"), "chat-v2");
    }
}
