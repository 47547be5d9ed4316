//! Access logs of nginx: the `combined` format and what is commonly put behind it, the default of
//! the ingress controller, and JSON whose keys are nginx's variables.
//!
//! A line is stamped when its request has ended, and is one request however often upstreams were
//! tried. Addresses, paths and agents are not read.

use super::access_log::{instant, last_of_list, parts_of_list, set_extras, status, write_extras};
use super::date_time::common_log;
use super::decimal::unscaled;
use super::description::{
    Description, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::TraceErrorKind;
use super::foreign_name::version;
use super::json_line::JsonLine;
use super::json_members::Members;
use super::json_scalar::{Scalar, duration, object, set_first_token};
use super::log_tokens::{LogTokens, Token};
use super::names::Names;
use super::options::TimeUnit;
use super::record::{Failure, TraceRecord};
use super::unasked::no_blocks;
use crate::units::{Duration, Timestamp};

const NAME: &str = "nginx";

/// The format.
pub(super) static FORMAT: Description = Description {
    name: NAME,
    begins: "10.0.0.1 - - [26/Mar/2024:13:20:00 +0000] \"POST /v1/chat HTTP/1.1\" 200 512",
    time_unit: "dates and times, or seconds since 1970, of the requests' ends",
    origin: Origin::Dates,
    first_line: FirstLine::Row,
    order: Order::Other,
    entries: None,
    recognise,
    read: |options| {
        no_blocks(options, NAME)?;
        let unit = options.unit.unwrap_or(TimeUnit::Seconds);
        Ok(Box::new(Nginx { unit, names: options.names.clone() }))
    },
    write: Some(WriteRows { header: |_| String::new(), row: write, footer: "" }),
};

fn recognise(first_line: &str) -> Recognised {
    let is_own = if first_line.trim_start().starts_with('{') {
        serde_json::from_str(first_line).is_ok_and(|members: Members<'_>| {
            members.has_any(STAMPS) && members.has_any(&["status"]) && members.has_any(OWN)
        })
    } else {
        let line = Line { text: first_line, is_terminated: true };
        let begun = begin(&mut LogTokens::new(line));
        begun.is_ok_and(|begun| status("$status", begun.told).is_ok())
    };
    Recognised::when(is_own)
}

struct Nginx {
    unit: TimeUnit,
    names: Names,
}

impl ReadRows for Nginx {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        let stamp = if line.text.trim_start().starts_with('{') {
            self.read_json(&object(line)?, record)?
        } else {
            self.read_text(LogTokens::new(line), record)?
        };
        Ok(Some(stamp - record.duration.unwrap_or_default()))
    }
}

impl Nginx {
    fn read_json(
        &mut self,
        members: &Members<'_>,
        record: &mut TraceRecord,
    ) -> Result<Timestamp, TraceErrorKind> {
        let stamp = instant(members.first(STAMPS)?, self.unit)?;
        let (column, time) = members.first(&["request_time"])?;
        record.duration = time.seconds(column)?;
        set_extras(members, UPSTREAMS, &mut self.names, record)?;
        if let Some(told) = members.get("status")?.text() {
            set_status("status", &told, record)?;
        }
        if record.stream == Some(true) {
            let text = |value: Scalar<'_>| value.text().unwrap_or_default().into_owned();
            let header = text(members.get("upstream_header_time")?);
            let response = text(members.get("upstream_response_time")?);
            set_first_token(record, first_byte(&header, &response)?);
        }
        Ok(stamp)
    }

    fn read_text(
        &mut self,
        mut tokens: LogTokens<'_>,
        record: &mut TraceRecord,
    ) -> Result<Timestamp, TraceErrorKind> {
        let Beginning { user, stamp, told } = begin(&mut tokens)?;
        record.user = user.map(|user| self.names.user(user));
        let stamp = common_log(stamp)
            .ok_or_else(|| TraceErrorKind::value("$time_local", stamp, TIME_LOCAL_ALLOWED))?;
        set_status("$status", told, record)?;
        // Bytes, referrer, agent.
        for _ in 0..3 {
            tokens.next_token()?;
        }
        read_tail(tokens, record)?;
        Ok(stamp)
    }
}

/// What the client was told; 499 when it had gone away, and 000 where it was told nothing.
fn set_status(
    column: &'static str,
    told: &str,
    record: &mut TraceRecord,
) -> Result<(), TraceErrorKind> {
    record.status = status(column, told)?;
    if matches!(record.status, None | Some(CLIENT_CLOSED)) {
        record.failure = Some(Failure::ClientClosed);
    }
    Ok(())
}

/// The beginning of a `combined` line.
struct Beginning<'a> {
    user: Option<&'a str>,
    stamp: &'a str,
    told: &'a str,
}

/// `address - user [time] "request" status`; an error where the line is none such.
fn begin<'a>(tokens: &mut LogTokens<'a>) -> Result<Beginning<'a>, TraceErrorKind> {
    let mut words = 0;
    let mut user = None;
    let stamp = loop {
        match tokens.next_token()? {
            Some(Token::Bracketed(stamp)) if words > 2 => break stamp,
            // The name of a user can have spaces.
            Some(token @ Token::Word(_)) if words < 9 => {
                words += 1;
                user = if words == 3 { token.value() } else { user };
            }
            _ => return Err(tokens.not_a_line(SHAPE)),
        }
    };
    let request = tokens.next_token()?;
    match (request, tokens.next_token()?) {
        (Some(Token::Quoted(_)), Some(Token::Word(told))) => Ok(Beginning { user, stamp, told }),
        _ => Err(tokens.not_a_line(SHAPE)),
    }
}

/// What stands behind the agent: the ingress controller's fields, or words such as `rt=0.250` and
/// `urt="0.010, 0.240"`. Others have no name, and are left alone.
fn read_tail(mut tokens: LogTokens<'_>, record: &mut TraceRecord) -> Result<(), TraceErrorKind> {
    let ingress = tokens.clone();
    let mut upstream = None;
    let mut position = 0;
    while let Some(token) = tokens.next_token()? {
        position += 1;
        match token {
            Token::Word(word) => {
                let Some((key, value)) = word.split_once('=') else { continue };
                let quoted = if value.is_empty() { tokens.next_token()? } else { None };
                let value = quoted.and_then(Token::value).unwrap_or(value);
                match key {
                    "rt" | "request_time" => {
                        record.duration = Some(seconds("$request_time", value)?);
                    }
                    "upstream_addr" | "upstream" => upstream = last_of_list(value),
                    _ => {}
                }
            }
            Token::Bracketed(_) if position == 3 => return read_ingress(ingress, record),
            _ => {}
        }
    }
    record.version = upstream.and_then(version);
    Ok(())
}

/// `length time [upstream] [alternative upstream] ...`: the alternative is there where it answered.
fn read_ingress(mut tokens: LogTokens<'_>, record: &mut TraceRecord) -> Result<(), TraceErrorKind> {
    tokens.next_token()?;
    let time = tokens.next_token()?.and_then(Token::value).unwrap_or_default();
    record.duration = Some(seconds("$request_time", time)?);
    let upstream = tokens.next_token()?.and_then(Token::value);
    let alternative = match tokens.next_token()? {
        Some(token @ Token::Bracketed(_)) => token.value(),
        _ => None,
    };
    record.version = alternative.or(upstream).and_then(version);
    Ok(())
}

/// The time of the first byte that reached the client: all that was spent on upstreams before the
/// last, and what the last took to begin.
fn first_byte(header: &str, response: &str) -> Result<Option<Duration>, TraceErrorKind> {
    let Some(last) = last_of_list(header) else { return Ok(None) };
    let tried = parts_of_list(response).collect::<Vec<_>>();
    let mut time = seconds("upstream_header_time", last)?;
    for spent in tried.iter().rev().skip(1) {
        time = time.saturating_add(seconds("upstream_response_time", spent)?);
    }
    Ok(Some(time))
}

fn seconds(column: &'static str, text: &str) -> Result<Duration, TraceErrorKind> {
    duration(text, 9).ok_or_else(|| TraceErrorKind::value(column, text, SECONDS_ALLOWED))
}

/// As nginx does: to the millisecond, stamped at the end.
fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    let record = written.record;
    let millis = |nanos: u64| nanos / 1_000_000;
    let duration = record.duration.map(|duration| millis(duration.as_nanos()));
    let end = millis(written.nanos(NAME)?) + duration.unwrap_or_default();
    let first = record.first_token.filter(|_| record.stream == Some(true));
    let first = first.map(|first| unscaled(millis(first.as_nanos()), 3));
    // A variable without a value is written as an empty text.
    let time = duration.map(|duration| unscaled(duration, 3));
    let told = told(record).map(|status| status.to_string());
    let mut line = JsonLine::open(text);
    line.raw("msec", Some(&unscaled(end, 3)))
        .raw("request_time", Some(time.as_deref().unwrap_or("\"\"")))
        .text("status", Some(told.as_deref().unwrap_or_default()))
        .text("upstream_header_time", first.as_deref());
    write_extras(&mut line, record, written.usd(NAME)?.as_deref());
    line.close();
    text.push('\n');
    Ok(())
}

/// The status that nginx answers with where there was none.
fn told(record: &TraceRecord) -> Option<u16> {
    match record.failure {
        Some(Failure::ClientClosed) => Some(CLIENT_CLOSED),
        Some(_) if record.status.is_none_or(|status| status < 400) => {
            Some(if record.failure == Some(Failure::Timeout) { 504 } else { 502 })
        }
        _ => record.status,
    }
}

const STAMPS: &[&str] =
    &["msec", "time_iso8601", "time_local", "@timestamp", "timestamp", "time", "ts"];
const OWN: &[&str] = &[
    "request_time",
    "upstream_response_time",
    "upstream_status",
    "upstream_addr",
    "body_bytes_sent",
    "request_uri",
];
const UPSTREAMS: &[&str] =
    &["upstream_name", "proxy_alternative_upstream_name", "proxy_upstream_name", "upstream_addr"];
const CLIENT_CLOSED: u16 = 499;
const SHAPE: &str = "address - user [time] \"request\" status bytes \"referrer\" \"agent\"";
const TIME_LOCAL_ALLOWED: &str = "a time such as 26/Mar/2024:13:20:00 +0000, up to the year 2262";
const SECONDS_ALLOWED: &str = "seconds such as 0.250";
