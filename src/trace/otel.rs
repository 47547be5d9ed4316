//! Spans of calls of models, by OpenTelemetry's semantic conventions for generative AI:
//! <https://opentelemetry.io/docs/specs/semconv/gen-ai/>.
//!
//! Reads what the collector's file exporter writes (OTLP as JSON), and spans as SDKs print them,
//! one a line. Attributes may have their present names or those of 2023 and 2024. Spans of tools,
//! agents and everything else that calls no model are no rows. Messages are not read.

use serde::Deserialize;

use super::access_log::{STATUS_ALLOWED, status};
use super::decimal::unscaled;
use super::description::{
    Description, Entries, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::TraceErrorKind;
use super::foreign_name::{model, version};
use super::json_line::{JsonLine, flag};
use super::json_members::Members;
use super::json_scalar::{Scalar, instant, object, set_first_token};
use super::names::{Names, written_name};
use super::number::{nanos, whole};
use super::options::TimeUnit;
use super::record::{Failure, TraceRecord};
use super::symptom;
use super::unasked::no_blocks;
use crate::units::{ModelId, Timestamp, VersionId};

/// The file exporter writes all that is observed to the same file, if so configured.
const ENTRIES: Entries = Entries {
    key: "spans",
    outermost: &["resourceSpans", "resourceLogs", "resourceMetrics", "resourceProfiles"],
    bracket: b'[',
    is_only_form: false,
};
const NAME: &str = "otel";

/// The format.
pub(super) static FORMAT: Description = Description {
    name: NAME,
    begins: "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[]}]}]}",
    time_unit: "nanoseconds since 1970, or dates and times",
    origin: Origin::Dates,
    first_line: FirstLine::Row,
    order: Order::Other,
    entries: Some(ENTRIES),
    recognise,
    read: |options| {
        no_blocks(options, NAME)?;
        Ok(Box::new(Otel { unit: options.unit, names: options.names.clone() }))
    },
    write: Some(WriteRows::lines(write)),
};

/// A document, or a span that is printed by itself.
fn recognise(first_line: &str) -> Recognised {
    let is_own = serde_json::from_str(first_line).is_ok_and(|members: Members<'_>| {
        members.has_any(&["attributes", "Attributes"])
            && members.has_any(&["context", "SpanContext", "traceId", "trace_id"])
            && members.has_any(START_KEYS)
    });
    Recognised::when(is_own || ENTRIES.are_in(first_line.as_bytes()))
}

struct Otel {
    /// Of plain numbers; those whose key says nanoseconds are nanoseconds.
    unit: Option<TimeUnit>,
    names: Names,
}

impl ReadRows for Otel {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        let span: Span<'_> = object(line)?;
        // Where spans stand one a line, a document of them would be passed over with all it holds.
        if span.document != Scalar::Absent {
            return Err(TraceErrorKind::Shape { shape: SHAPE });
        }
        let attributes = &span.attributes;
        if !is_call(attributes)? {
            return Ok(None);
        }
        let start =
            self.instant("startTimeUnixNano", span.start_nanos, "start_time", span.start)?;
        let start = start.ok_or(TraceErrorKind::MissingColumn { name: "startTimeUnixNano" })?;
        let end = self.instant("endTimeUnixNano", span.end_nanos, "end_time", span.end)?;
        // An end of 0 is none.
        let end = end.filter(|end| *end > Timestamp::EPOCH || start <= Timestamp::EPOCH);
        if end.is_some_and(|end| end < start) {
            let shown = span.end_nanos.text().or_else(|| span.end.text()).unwrap_or_default();
            return Err(TraceErrorKind::value(
                "end of the span",
                &shown,
                "no time before its start",
            ));
        }
        record.duration = end.map(|end| end.since(start));
        self.set_content(attributes, record)?;
        set_ending(span.status, attributes, record)?;
        Ok(Some(start))
    }
}

impl Otel {
    /// Nanoseconds behind the one key, or whatever stands behind the other.
    fn instant(
        &self,
        nanos_key: &'static str,
        nanos_value: Scalar<'_>,
        key: &'static str,
        value: Scalar<'_>,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        let since = nanos_value.read(nanos_key, NANOS_ALLOWED, nanos)?;
        if let Some(since) = since {
            self.check_unit("nanoseconds")?;
            return Ok(Some(Timestamp::EPOCH + since));
        }
        // Seconds and nanoseconds, as the SDK of JavaScript has them.
        if let Scalar::Nested(text) = value
            && let Ok([seconds, nanos]) = serde_json::from_str::<[u32; 2]>(text)
            && nanos < 1_000_000_000
        {
            self.check_unit("seconds and nanoseconds")?;
            let nanos = i64::from(seconds) * 1_000_000_000 + i64::from(nanos);
            return Ok(Some(Timestamp::from_nanos(nanos)));
        }
        if value.text().is_some_and(|text| text.trim().parse::<f64>().is_err()) {
            self.check_unit("dates")?;
        }
        let allowed = if self.unit.is_some() { TIME_ALLOWED } else { DATE_ALLOWED };
        value.read(key, allowed, |text| instant(text, self.unit))
    }

    /// An error where a unit is asked for, and a time has its own.
    fn check_unit(&self, has: &'static str) -> Result<(), TraceErrorKind> {
        match self.unit {
            Some(unit) => Err(TraceErrorKind::FixedUnit { format: NAME, has, unit }),
            None => Ok(()),
        }
    }

    fn set_content(
        &mut self,
        attributes: &Members<'_>,
        record: &mut TraceRecord,
    ) -> Result<(), TraceErrorKind> {
        let first = |keys| attributes.first(keys).map(|(key, value)| (key, any_value(value)));
        let text =
            |keys: &[&'static str]| attributes.first_text(keys, |value| any_value(value).text());
        record.model = text(REQUEST_MODEL)?.and_then(|text| model(&text));
        record.version = text(RESPONSE_MODEL)?.and_then(|text| version(&text));
        let (key, tokens) = first(INPUT)?;
        record.input = tokens.tokens(key)?;
        let (key, tokens) = first(OUTPUT)?;
        record.output = tokens.tokens(key)?;
        let (key, cost) = first(COST)?;
        record.cost = cost.usd(key)?;
        let (key, stream) = first(STREAM)?;
        record.stream = stream.flag(key)?;
        let (key, time) = first(FIRST)?;
        set_first_token(record, time.seconds(key)?);
        record.user = text(USER)?.map(|user| self.names.user(&user));
        record.session = text(SESSION)?.map(|session| self.names.session(&session));
        Ok(())
    }
}

/// Whether a span with these attributes calls a model.
fn is_call(attributes: &Members<'_>) -> Result<bool, TraceErrorKind> {
    let operation = any_value(attributes.get("gen_ai.operation.name")?).text();
    if let Some(operation) = operation {
        let is_among = |operations: &[&str]| operations.contains(&operation.as_ref());
        if is_among(CALLS) || is_among(OTHER_OPERATIONS) {
            return Ok(is_among(CALLS));
        }
    }
    Ok([REQUEST_MODEL, RESPONSE_MODEL, INPUT, OUTPUT].iter().any(|keys| attributes.has_any(keys)))
}

/// A span without an error ended well.
fn set_ending(
    span_status: Scalar<'_>,
    attributes: &Members<'_>,
    record: &mut TraceRecord,
) -> Result<(), TraceErrorKind> {
    let (key, code) = attributes.first(STATUS)?;
    let code = any_value(code).word(key, STATUS_ALLOWED)?;
    record.status = code.map_or(Ok(None), |code| status(key, &code))?;
    let error = any_value(attributes.get("error.type")?).word("error.type", ERROR_ALLOWED)?;
    let is_error = is_error(span_status)?;
    let Some(error) = error else {
        match (is_error, record.status) {
            (true, None | Some(..400)) => record.failure = Some(Failure::Other),
            (false, None) => record.status = Some(200),
            _ => {}
        }
        return Ok(());
    };
    let told = whole(&error).filter(|status| (400..600).contains(status));
    record.status = record.status.or(told);
    record.failure = symptom::failure(&error);
    if record.failure.is_none() && record.status.is_none_or(|status| status < 400) {
        record.failure = Some(Failure::Other);
    }
    Ok(())
}

/// What the status of a span says, a word or an object with one.
fn is_error(status: Scalar<'_>) -> Result<bool, TraceErrorKind> {
    let members = match status {
        Scalar::Nested(text) => serde_json::from_str::<Members<'_>>(text).ok(),
        _ => None,
    };
    let (key, code) = match &members {
        Some(members) => members.first(&["code", "status_code", "Code"])?,
        None => ("status", status),
    };
    let is_error = code.read(key, CODES_ALLOWED, |code| {
        let code = code.trim_start_matches("STATUS_CODE_").trim_start_matches("StatusCode.");
        match code.to_ascii_uppercase().as_str() {
            "0" | "UNSET" | "1" | "OK" => Some(false),
            "2" | "ERROR" => Some(true),
            _ => None,
        }
    })?;
    Ok(is_error.unwrap_or_default())
}

/// A span, as far as it is read.
#[derive(Deserialize)]
struct Span<'a> {
    #[serde(borrow, default, rename = "startTimeUnixNano", alias = "start_time_unix_nano")]
    start_nanos: Scalar<'a>,
    #[serde(borrow, default, rename = "endTimeUnixNano", alias = "end_time_unix_nano")]
    end_nanos: Scalar<'a>,
    #[serde(borrow, default, rename = "start_time", alias = "startTime", alias = "StartTime")]
    start: Scalar<'a>,
    #[serde(borrow, default, rename = "end_time", alias = "endTime", alias = "EndTime")]
    end: Scalar<'a>,
    #[serde(borrow, default, alias = "Status")]
    status: Scalar<'a>,
    #[serde(borrow, default, alias = "Attributes")]
    attributes: Members<'a>,
    /// What no span has.
    #[serde(borrow, default, rename = "resourceSpans")]
    document: Scalar<'a>,
}

/// What an attribute says: a value as it is, or within an object that tells its type; the object
/// itself where that is none of a single value.
fn any_value(value: Scalar<'_>) -> Scalar<'_> {
    #[derive(Deserialize)]
    struct AnyValue<'a> {
        #[serde(borrow, default, rename = "stringValue", alias = "string_value")]
        string: Scalar<'a>,
        #[serde(borrow, default, rename = "intValue", alias = "int_value")]
        integer: Scalar<'a>,
        #[serde(borrow, default, rename = "doubleValue", alias = "double_value")]
        double: Scalar<'a>,
        #[serde(borrow, default, rename = "boolValue", alias = "bool_value")]
        boolean: Scalar<'a>,
        #[serde(borrow, default, rename = "Value")]
        value: Scalar<'a>,
        #[serde(borrow, default, rename = "arrayValue", alias = "array_value")]
        list: Scalar<'a>,
        #[serde(borrow, default, rename = "kvlistValue", alias = "kvlist_value")]
        object: Scalar<'a>,
        #[serde(borrow, default, rename = "bytesValue", alias = "bytes_value")]
        bytes: Scalar<'a>,
    }
    let Scalar::Nested(text) = value else { return value };
    if !text.starts_with('{') {
        return value;
    }
    let Ok(any) = serde_json::from_str::<AnyValue<'_>>(text) else { return value };
    let values = [any.string, any.integer, any.double, any.boolean, any.value];
    if [any.list, any.object, any.bytes].iter().any(|other| *other != Scalar::Absent) {
        return value;
    }
    values.into_iter().find(|value| *value != Scalar::Absent).unwrap_or_default()
}

/// A document of OTLP, which may stand on one line with others.
fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    let record = written.record;
    if record.ending().is_none() {
        let needs = "the status or failure of every request";
        return Err(TraceErrorKind::Lacks { format: NAME, needs });
    }
    let start = written.nanos(NAME)?;
    let has_failed = record.has_failed();
    let end = record.duration.map(|duration| start + duration.as_nanos());
    text.push_str("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[");
    let mut line = JsonLine::open(text);
    line.text("traceId", Some(&format!("{:032x}", written.number + 1)))
        .text("spanId", Some(&format!("{:016x}", written.number + 1)))
        .text("name", Some("chat"))
        .raw("kind", Some("3"))
        .text("startTimeUnixNano", Some(&start.to_string()))
        .text("endTimeUnixNano", end.map(|end| end.to_string()).as_deref())
        .raw("status", has_failed.then_some("{\"code\":2}"))
        .raw("attributes", Some(&attributes(written)?));
    line.close();
    text.push_str("]}]}]}\n");
    Ok(())
}

fn attributes(written: &Written<'_>) -> Result<String, TraceErrorKind> {
    let record = written.record;
    let mut list = "[".to_owned();
    let mut push = |key: &str, kind: &str, value: Option<&str>| {
        let Some(value) = value else { return };
        let before = if list.len() > 1 { "," } else { "" };
        let quote = if matches!(kind, "stringValue" | "intValue") { "\"" } else { "" };
        list.extend([before, "{\"key\":\"", key, "\",\"value\":{\"", kind, "\":", quote, value]);
        list.extend([quote, "}}"]);
    };
    let tokens =
        |tokens: Option<crate::units::Tokens>| tokens.map(|tokens| tokens.get().to_string());
    let first = record.first_token.map(|first| unscaled(first.as_nanos(), 9));
    let stream = record.stream.map(flag);
    let failure = record.failure.map(|failure| match failure {
        Failure::Other => "_OTHER",
        failure => failure.name(),
    });
    push("gen_ai.operation.name", "stringValue", Some("chat"));
    push(REQUEST_MODEL[0], "stringValue", record.model.as_ref().map(ModelId::as_str));
    push(RESPONSE_MODEL[0], "stringValue", record.version.as_ref().map(VersionId::as_str));
    push(INPUT[0], "intValue", tokens(record.input).as_deref());
    push(OUTPUT[0], "intValue", tokens(record.output).as_deref());
    push(STREAM[0], "boolValue", stream);
    push(FIRST[0], "doubleValue", first.as_deref());
    push(COST[0], "doubleValue", written.usd(NAME)?.as_deref());
    push(USER[0], "stringValue", record.user.map(written_name).as_deref());
    push(SESSION[0], "stringValue", record.session.map(written_name).as_deref());
    push(STATUS[0], "intValue", record.status.map(|status| status.to_string()).as_deref());
    push("error.type", "stringValue", failure);
    list.push(']');
    Ok(list)
}

/// The names that are written come first.
const REQUEST_MODEL: &[&str] = &["gen_ai.request.model", "llm.request.model"];
const RESPONSE_MODEL: &[&str] = &["gen_ai.response.model", "llm.response.model"];
const INPUT: &[&str] =
    &["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens"];
const OUTPUT: &[&str] = &[
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.usage.completion_tokens",
];
const STREAM: &[&str] = &["gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming"];
const FIRST: &[&str] = &["gen_ai.response.time_to_first_chunk"];
const COST: &[&str] = &["gen_ai.usage.cost"];
const USER: &[&str] = &["user.id", "enduser.id", "enduser.pseudo.id"];
const SESSION: &[&str] = &["gen_ai.conversation.id", "session.id"];
const STATUS: &[&str] = &["http.response.status_code", "http.status_code"];
const CALLS: &[&str] = &["chat", "text_completion", "generate_content", "embeddings"];
const OTHER_OPERATIONS: &[&str] =
    &["execute_tool", "invoke_agent", "create_agent", "invoke_workflow", "retrieval", "plan"];
const START_KEYS: &[&str] =
    &["startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime", "StartTime"];
const SHAPE: &str = "of one span: documents of spans are read where the file begins with one";
const NANOS_ALLOWED: &str = "a whole number of nanoseconds from 0 to 9223372036854775807";
const CODES_ALLOWED: &str = "UNSET, OK or ERROR, or 0 to 2";
const ERROR_ALLOWED: &str = "an HTTP status, the class of an exception, or a word";
const DATE_ALLOWED: &str =
    "a date and time such as 2024-03-26T13:20:00.123Z, up to the year 2262; numbers need `--unit`";
const TIME_ALLOWED: &str =
    "a number in the unit that was asked for, or a date and time, up to the year 2262";
