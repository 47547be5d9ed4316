//! Access logs of Envoy: its default format, Istio's, and JSON whose keys are named as Envoy's
//! operators commonly are, with what Envoy AI Gateway adds.
//!
//! A line is stamped with the request's start, but written when it has ended; durations are whole
//! milliseconds. Addresses, paths and agents are not read.

use super::access_log::{STATUS_ALLOWED, instant, set_extras, status, write_extras};
use super::date_time::iso;
use super::description::{
    Description, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::TraceErrorKind;
use super::foreign_name::version;
use super::json_line::JsonLine;
use super::json_members::Members;
use super::json_scalar::{Scalar, object, set_first_token};
use super::log_tokens::{LogTokens, Token};
use super::logged::Logged;
use super::number::is_number;
use super::record::{Failure, TraceRecord};
use crate::units::{Duration, Timestamp};

const NAME: &str = "envoy";

/// The format.
pub(super) static FORMAT: Description = Description {
    name: NAME,
    begins: "[2024-03-26T13:20:00.123Z] \"POST /v1/chat HTTP/1.1\" 200 - 310 512 250",
    time_unit: "dates and times, durations in milliseconds",
    origin: Origin::Dates,
    first_line: FirstLine::Row,
    order: Order::Other,
    entries: None,
    recognise,
    read: |options| Ok(Box::new(Envoy(Logged::new(options, NAME)?))),
    write: Some(WriteRows::lines(write)),
};

fn recognise(first_line: &str) -> Recognised {
    let is_own = if first_line.trim_start().starts_with('{') {
        serde_json::from_str(first_line).is_ok_and(|members: Members<'_>| {
            members.has_any(STAMPS) && members.has_any(CODE) && members.has_any(OWN)
        })
    } else {
        let begun = begin(&mut LogTokens::of_any(first_line));
        begun.is_ok_and(|begun| iso(begun.stamp).is_some() && status("code", begun.code).is_ok())
    };
    Recognised::when(is_own)
}

struct Envoy(Logged);

impl ReadRows for Envoy {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        let stamp = if line.text.trim_start().starts_with('{') {
            self.read_json(&object(line)?, record)?
        } else {
            // Such a line has a date alone.
            self.0.check_unit(NAME, Some(line.text))?;
            read_text(LogTokens::of(line)?, record)?
        };
        Ok(Some(stamp))
    }
}

impl Envoy {
    fn read_json(
        &mut self,
        members: &Members<'_>,
        record: &mut TraceRecord,
    ) -> Result<Timestamp, TraceErrorKind> {
        let (column, stamp) = members.first(STAMPS)?;
        self.0.check_unit(NAME, stamp.text().as_deref())?;
        let stamp = instant((column, stamp), self.0.unit)?;
        let (column, time) = members.first(&["duration", "duration_ms"])?;
        record.duration = time.millis(column)?;
        set_extras(members, UPSTREAMS, &mut self.0.names, record)?;
        let (column, code) = members.first(CODE)?;
        let code = code.word(column, STATUS_ALLOWED)?;
        let flags = members.get(FLAGS)?.word(FLAGS, FLAGS_ALLOWED)?;
        if let Some(code) = code {
            set_ending(column, &code, flags.as_deref(), record)?;
        }
        if record.stream == Some(true) {
            let (column, first) = members.first(FIRST_BYTE)?;
            set_first_token(record, first.millis(column)?);
        }
        Ok(stamp)
    }
}

/// What the client was told, and what went wrong on the way to it: `%RESPONSE_FLAGS%` of Envoy's
/// documentation, of which the first that is known here decides.
fn set_ending(
    column: &'static str,
    code: &str,
    flags: Option<&str>,
    record: &mut TraceRecord,
) -> Result<(), TraceErrorKind> {
    record.status = status(column, code)?;
    let known = |flag: &str| FAILURES.iter().find(|(name, _)| *name == flag);
    record.failure = flags.and_then(|flags| flags.split(',').find_map(known)).map(|known| known.1);
    // No answer: "the client disconnected", says Envoy's documentation of 0.
    if record.status.is_none() && record.failure.is_none() {
        record.failure = Some(Failure::ClientClosed);
    }
    Ok(())
}

/// What the default format and Istio's begin with.
struct Beginning<'a> {
    stamp: &'a str,
    code: &'a str,
    flags: Option<&'a str>,
}

/// `[time] "request" code flags`; an error where the line is none such.
fn begin<'a>(tokens: &mut LogTokens<'a>) -> Result<Beginning<'a>, TraceErrorKind> {
    let (stamp, request) = (tokens.next_token()?, tokens.next_token()?);
    let (code, flags) = (tokens.next_token()?, tokens.next_token()?);
    match (stamp, request, code, flags) {
        (
            Some(Token::Bracketed(stamp)),
            Some(Token::Quoted(_)),
            Some(Token::Word(code)),
            Some(flags @ Token::Word(_)),
        ) => Ok(Beginning { stamp, code, flags: flags.value() }),
        _ => Err(TraceErrorKind::Shape { shape: SHAPE }),
    }
}

/// The default: `received sent duration service-time "forwarded" "agent" "id" "authority" "host"`.
/// Istio has `details termination "reason"` before that and the cluster behind it.
fn read_text(
    mut tokens: LogTokens<'_>,
    record: &mut TraceRecord,
) -> Result<Timestamp, TraceErrorKind> {
    let Beginning { stamp, code, flags } = begin(&mut tokens)?;
    let at = iso(stamp).ok_or_else(|| TraceErrorKind::value("start time", stamp, TIME_ALLOWED))?;
    set_ending("response code", code, flags, record)?;
    let mut received = tokens.next_token()?;
    let is_istio = matches!(received, Some(Token::Word(word)) if !is_number(word));
    if is_istio {
        // Termination details and the reason of a failure.
        tokens.next_token()?;
        tokens.next_token()?;
        received = tokens.next_token()?;
    }
    let (sent, time) = (tokens.next_token()?, tokens.next_token()?);
    let (Some(Token::Word(received)), Some(Token::Word(sent)), Some(Token::Word(time))) =
        (received, sent, time)
    else {
        return Err(TraceErrorKind::Shape { shape: SHAPE });
    };
    if !is_number(received) || !is_number(sent) {
        return Err(TraceErrorKind::Shape { shape: SHAPE });
    }
    record.duration = Scalar::Text(time).millis("duration")?;
    // Service time, forwarded for, agent, id, authority.
    for _ in 0..5 {
        tokens.next_token()?;
    }
    let host = tokens.next_token()?.and_then(Token::value);
    let cluster = if is_istio { tokens.next_token()?.and_then(Token::value) } else { None };
    record.version = cluster.or(host).and_then(|name| version(super::access_log::upstream(name)));
    Ok(at)
}

/// Durations to the millisecond, as Envoy has them.
fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    let record = written.record;
    let millis = |duration: Option<Duration>| duration.map(|time| time.as_nanos() / 1_000_000);
    let first = record.streamed_first_token();
    let (code, flag) = told(record);
    let code = code.map(|code| code.to_string());
    let mut line = JsonLine::open(text);
    line.text("start_time", Some(&written.at(NAME)?.to_string()))
        .raw("response_code", Some(code.as_deref().unwrap_or("null")))
        .text("response_flags", Some(flag))
        .number("duration", millis(record.duration))
        .number("response_duration", millis(first));
    write_extras(&mut line, record, written.usd(NAME)?.as_deref());
    line.close();
    text.push('\n');
    Ok(())
}

/// The code and the flag by which Envoy says how a request ended.
fn told(record: &TraceRecord) -> (Option<u16>, &'static str) {
    let Some(failure) = record.failure else { return (record.status, "-") };
    match FAILURES.iter().find(|(_, known)| *known == failure) {
        Some((flag, _)) => (Some(record.status.unwrap_or_default()), flag),
        None if failure == Failure::Other => {
            (Some(record.status.filter(|status| *status >= 400).unwrap_or(500)), "-")
        }
        // Nothing is said of what was wrong with a stream: that the upstream ended it.
        None => (Some(record.status.unwrap_or_default()), "UC"),
    }
}

/// The first flag of each failure is the one that is written.
const FAILURES: &[(&str, Failure)] = &[
    ("UT", Failure::Timeout),
    ("SI", Failure::Timeout),
    ("DT", Failure::Timeout),
    ("UMSDR", Failure::Timeout),
    ("UF", Failure::Refused),
    ("UH", Failure::Refused),
    ("UO", Failure::Refused),
    ("NC", Failure::Refused),
    ("UC", Failure::Reset),
    ("UR", Failure::Reset),
    ("LR", Failure::Reset),
    ("UPE", Failure::Malformed),
    ("DC", Failure::ClientClosed),
    ("DR", Failure::ClientClosed),
];
const STAMPS: &[&str] = &["start_time", "timestamp", "@timestamp", "time"];
const CODE: &[&str] = &["response_code"];
const FLAGS: &str = "response_flags";
const FLAGS_ALLOWED: &str = "Envoy's flags such as UT,DC, or - for none";
const OWN: &[&str] = &[
    "response_flags",
    "duration",
    "duration_ms",
    "upstream_cluster",
    "upstream_host",
    "start_time",
];
const UPSTREAMS: &[&str] = &["upstream_cluster", "upstream_host"];
const FIRST_BYTE: &[&str] =
    &["response_duration", "x-envoy-upstream-service-time", "upstream_service_time"];
const SHAPE: &str = "[time] \"request\" code flags received sent duration service-time \"...\"";
const TIME_ALLOWED: &str = "a time such as 2024-03-26T13:20:00.123Z, up to the year 2262";
