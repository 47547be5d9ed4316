//! Access logs of nginx: the `combined` format and what is commonly put behind it, the default of
//! the ingress controller, and JSON whose keys are nginx's variables.
//!
//! A line is stamped when its request has ended, and is one request however often upstreams were
//! tried. Addresses, paths and agents are not read.

use std::borrow::Cow;

use super::access_log::{
    STATUS_ALLOWED, instant, last_of_list, parts_of_list, set_extras, status, write_extras,
};
use super::date_time::common_log;
use super::decimal::unscaled;
use super::description::{
    Description, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::TraceErrorKind;
use super::foreign_name::version;
use super::json_line::JsonLine;
use super::json_members::Members;
use super::json_scalar::{SECONDS_ALLOWED, Scalar, duration, object, set_first_token};
use super::log_tokens::{LogTokens, Token};
use super::logged::Logged;
use super::number::is_number;
use super::record::{Failure, TraceRecord};
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
    read: |options| Ok(Box::new(Nginx(Logged::new(options, NAME)?))),
    write: Some(WriteRows::lines(write)),
};

fn recognise(first_line: &str) -> Recognised {
    let is_own = if first_line.trim_start().starts_with('{') {
        serde_json::from_str(first_line).is_ok_and(|members: Members<'_>| {
            members.has_any(STAMPS) && members.has_any(&["status"]) && members.has_any(OWN)
        })
    } else {
        let begun = begin(&mut LogTokens::of_any(first_line));
        begun.is_ok_and(|begun| status("$status", begun.told).is_ok())
    };
    Recognised::when(is_own)
}

struct Nginx(Logged);

impl ReadRows for Nginx {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        let stamp = if line.text.trim_start().starts_with('{') {
            self.read_json(&object(line)?, record)?
        } else {
            self.read_text(LogTokens::of(line)?, record)?
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
        let (column, stamp) = members.first(STAMPS)?;
        self.0.check_unit(NAME, stamp.text().as_deref())?;
        let stamp = instant((column, stamp), self.0.unit)?;
        let (column, time) = members.first(&["request_time"])?;
        record.duration = time.seconds(column)?;
        set_extras(members, UPSTREAMS, &mut self.0.names, record)?;
        if let Some(told) = members.get("status")?.word("status", STATUS_ALLOWED)? {
            set_status("status", &told, record)?;
        }
        if record.stream == Some(true) {
            let text = |column| {
                let text = members.get(column)?.word(column, SECONDS_ALLOWED)?;
                Ok::<_, TraceErrorKind>(text.unwrap_or_default())
            };
            let header = text("upstream_header_time")?;
            let response = text("upstream_response_time")?;
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
        record.user = user.map(|user| self.0.names.user(&user));
        self.0.check_unit(NAME, Some(stamp))?;
        let stamp = common_log(stamp)
            .ok_or_else(|| TraceErrorKind::value("$time_local", stamp, TIME_LOCAL_ALLOWED))?;
        set_status("$status", told, record)?;
        let bytes = tokens.next_token()?;
        if !matches!(bytes, Some(Token::Word(bytes)) if bytes == "-" || is_number(bytes)) {
            return Err(TraceErrorKind::Shape { shape: SHAPE });
        }
        // Referrer and agent, which not all have.
        for _ in 0..2 {
            next_quoted(&mut tokens)?;
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
    user: Option<Cow<'a, str>>,
    stamp: &'a str,
    told: &'a str,
}

/// `address - user [time] "request" status`; an error where the line is none such.
fn begin<'a>(tokens: &mut LogTokens<'a>) -> Result<Beginning<'a>, TraceErrorKind> {
    let mut words = 0;
    let mut user: Option<Cow<'a, str>> = None;
    let stamp = loop {
        match tokens.next_token()? {
            Some(Token::Bracketed(stamp)) if words > 2 => break stamp,
            Some(token @ Token::Word(word)) if words < 9 => {
                words += 1;
                match words {
                    3 => user = token.value().map(Cow::Borrowed),
                    // The name of a user can have spaces.
                    4.. => user.get_or_insert(Cow::Borrowed("-")).to_mut().extend([" ", word]),
                    _ => {}
                }
            }
            _ => return Err(TraceErrorKind::Shape { shape: SHAPE }),
        }
    };
    let request = tokens.next_token()?;
    match (request, tokens.next_token()?) {
        (Some(Token::Quoted(_)), Some(Token::Word(told))) => Ok(Beginning { user, stamp, told }),
        _ => Err(TraceErrorKind::Shape { shape: SHAPE }),
    }
}

/// What stands behind the agent: the ingress controller's fields, or words such as `rt=0.250` and
/// `urt="0.010, 0.240"`. Others have no name, and are left alone.
fn read_tail(mut tokens: LogTokens<'_>, record: &mut TraceRecord) -> Result<(), TraceErrorKind> {
    if read_ingress(tokens.clone(), record)? {
        return Ok(());
    }
    let mut upstream = None;
    while let Some(token) = tokens.next_token()? {
        let Token::Word(word) = token else { continue };
        let Some((key, value)) = word.split_once('=') else { continue };
        let value = if value.is_empty() { next_quoted(&mut tokens)? } else { value };
        match key {
            "rt" | "request_time" => record.duration = Some(request_time(value)?),
            "upstream_addr" | "upstream" => {
                upstream = last_upstream(value, &mut tokens)?.or(upstream);
            }
            _ => {}
        }
    }
    record.version = upstream.and_then(version);
    Ok(())
}

/// What stands between quotes, if that is what comes next; else nothing, and what comes next has a
/// name of its own.
fn next_quoted<'a>(tokens: &mut LogTokens<'a>) -> Result<&'a str, TraceErrorKind> {
    let mut ahead = tokens.clone();
    let Some(Token::Quoted(text)) = ahead.next_token()? else { return Ok("") };
    *tokens = ahead;
    Ok(text)
}

/// The last of a list of upstreams that begins with `value`. Where it has no quotes, the words
/// behind a comma and behind a colon of its own are part of it.
fn last_upstream<'a>(
    mut value: &'a str,
    tokens: &mut LogTokens<'a>,
) -> Result<Option<&'a str>, TraceErrorKind> {
    let mut last = last_of_list(value);
    loop {
        let mut ahead = tokens.clone();
        if !value.ends_with(',') && ahead.next_token()? != Some(Token::Word(":")) {
            return Ok(last);
        }
        match ahead.next_token()? {
            // What has a name is the next thing, behind a comma that sets things apart.
            Some(Token::Word(next)) if !next.contains('=') => value = next,
            _ => return Ok(last),
        }
        last = last_of_list(value).or(last);
        *tokens = ahead;
    }
}

/// `length time [upstream] [alternative upstream] ...`: the alternative is there where it answered.
/// False where the words are not these.
fn read_ingress(
    mut tokens: LogTokens<'_>,
    record: &mut TraceRecord,
) -> Result<bool, TraceErrorKind> {
    let (length, time) = (tokens.next_token()?, tokens.next_token()?);
    let (Some(Token::Word(length)), Some(Token::Word(time))) = (length, time) else {
        return Ok(false);
    };
    let (true, Some(time)) = (is_number(length), duration(time, 9)) else { return Ok(false) };
    let Some(upstream @ Token::Bracketed(_)) = tokens.next_token()? else { return Ok(false) };
    let alternative = match tokens.next_token()? {
        Some(token @ Token::Bracketed(_)) => token.value(),
        _ => None,
    };
    record.duration = Some(time);
    record.version = alternative.or_else(|| upstream.value()).and_then(version);
    Ok(true)
}

/// The time of the first byte that reached the client: all that was spent on upstreams before the
/// last, and what the last took to begin; `None` where it never did, or where it is not told how
/// long those before it took.
fn first_byte(header: &str, response: &str) -> Result<Option<Duration>, TraceErrorKind> {
    let last = Scalar::Text(parts_of_list(header).last().unwrap_or_default());
    let Some(mut time) = last.seconds("upstream_header_time")? else { return Ok(None) };
    let tried = parts_of_list(response).collect::<Vec<_>>();
    if tried.len() != parts_of_list(header).count() {
        return Ok(None);
    }
    for spent in tried.iter().rev().skip(1) {
        let spent = Scalar::Text(spent).seconds("upstream_response_time")?;
        time = time.saturating_add(spent.unwrap_or_default());
    }
    Ok(Some(time))
}

/// What stands behind its name must say something.
fn request_time(text: &str) -> Result<Duration, TraceErrorKind> {
    let time = Scalar::Text(text).seconds("$request_time")?;
    time.ok_or_else(|| TraceErrorKind::value("$request_time", text, SECONDS_ALLOWED))
}

/// As nginx does: to the millisecond, stamped at the end.
fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    let record = written.record;
    let millis = |nanos: u64| nanos / 1_000_000;
    let duration = record.duration.map(|duration| millis(duration.as_nanos()));
    let end = millis(written.nanos(NAME)?) + duration.unwrap_or_default();
    let first = record.streamed_first_token();
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
