//! HTTP archives, version 1.2, as browsers and recording proxies write them:
//! <http://www.softwareishard.com/blog/har-12-spec/>.
//!
//! Every entry of the log is a request, in the order of the file. Bodies, addresses, cookies and
//! all headers but one, `x-model-version` of the answer, are left alone.

use serde::Deserialize;

use super::access_log::status;
use super::date_time::iso;
use super::decimal::unscaled;
use super::description::{
    Description, Entries, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::TraceErrorKind;
use super::foreign_name::version;
use super::json_scalar::{Scalar, object, set_first_token};
use super::record::{Failure, TraceRecord};
use super::symptom;
use super::unasked::{fixed_unit, no_blocks};
use crate::units::{Duration, Timestamp, VersionId};

const ENTRIES: Entries =
    Entries { key: "entries", outermost: &["log"], bracket: b'{', is_only_form: true };
const NAME: &str = "har";

/// The format.
pub(super) static FORMAT: Description = Description {
    name: NAME,
    begins: "{\"log\":{\"version\":\"1.2\",\"creator\":{},\"entries\":[]}}",
    time_unit: "dates and times, durations in milliseconds",
    origin: Origin::Dates,
    first_line: FirstLine::Row,
    order: Order::Other,
    entries: Some(ENTRIES),
    recognise: |line| Recognised::when(ENTRIES.are_in(line.as_bytes())),
    read: |options| {
        fixed_unit(options, NAME, "dates and milliseconds")?;
        no_blocks(options, NAME)?;
        Ok(Box::new(Har))
    },
    write: Some(WriteRows { header: |_| HEADER.to_owned(), row: write, footer: "\n]}}\n" }),
};

struct Har;

impl ReadRows for Har {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        let entry: Entry<'_> = object(line)?;
        let at = entry.started.read("startedDateTime", TIME_ALLOWED, iso)?;
        let at = at.ok_or(TraceErrorKind::MissingColumn { name: "startedDateTime" })?;
        record.duration = applicable(entry.time).millis("time")?;
        let answer = entry.response.ok_or(TraceErrorKind::MissingColumn { name: "response" })?;
        let told = answer.status.text();
        let told = told.ok_or(TraceErrorKind::MissingColumn { name: "response.status" })?;
        record.status = status("response.status", &told)?;
        let error = answer.error.text().or_else(|| entry.error.text()).unwrap_or_default();
        if record.status.is_none() || !error.is_empty() {
            record.failure = Some(symptom::failure(&error).unwrap_or(Failure::Other));
        }
        let kind = answer.content.unwrap_or_default().kind.text().unwrap_or_default();
        if kind.starts_with(EVENT_STREAM) {
            record.stream = Some(true);
            set_first_token(record, entry.timings.unwrap_or_default().first_byte()?);
        } else if kind.starts_with(JSON) {
            record.stream = Some(false);
        }
        let named = answer.headers.iter().find(|header| {
            header.name.text().is_some_and(|name| name.eq_ignore_ascii_case(VERSION))
        });
        record.version = named.and_then(|header| version(&header.value.text()?));
        Ok(Some(at))
    }
}

/// -1 where it does not apply.
fn applicable(time: Scalar<'_>) -> Scalar<'_> {
    if time.is("-1") { Scalar::Absent } else { time }
}

/// An entry, as far as it is read.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default, rename = "startedDateTime")]
    started: Scalar<'a>,
    #[serde(borrow, default)]
    time: Scalar<'a>,
    #[serde(borrow)]
    response: Option<Answer<'a>>,
    #[serde(borrow)]
    timings: Option<Timings<'a>>,
    #[serde(borrow, default, rename = "_error")]
    error: Scalar<'a>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    status: Scalar<'a>,
    #[serde(borrow, default)]
    headers: Vec<Header<'a>>,
    #[serde(borrow)]
    content: Option<Content<'a>>,
    #[serde(borrow, default, rename = "_error")]
    error: Scalar<'a>,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow, default)]
    name: Scalar<'a>,
    #[serde(borrow, default)]
    value: Scalar<'a>,
}

#[derive(Deserialize, Default)]
struct Content<'a> {
    #[serde(borrow, default, rename = "mimeType")]
    kind: Scalar<'a>,
}

/// What came one after the other; the handshake of TLS is part of the connecting.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Timings<'a> {
    #[serde(borrow)]
    blocked: Scalar<'a>,
    #[serde(borrow)]
    dns: Scalar<'a>,
    #[serde(borrow)]
    connect: Scalar<'a>,
    #[serde(borrow)]
    send: Scalar<'a>,
    #[serde(borrow)]
    wait: Scalar<'a>,
}

impl Timings<'_> {
    fn first_byte(&self) -> Result<Option<Duration>, TraceErrorKind> {
        let Some(mut time) = applicable(self.wait).millis("timings.wait")? else { return Ok(None) };
        let before = [
            ("timings.blocked", self.blocked),
            ("timings.dns", self.dns),
            ("timings.connect", self.connect),
            ("timings.send", self.send),
        ];
        for (name, part) in before {
            time = time.saturating_add(applicable(part).millis(name)?.unwrap_or_default());
        }
        Ok(Some(time))
    }
}

/// All that the specification asks for, and nothing beyond what the record holds.
fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    let record = written.record;
    if record.ending().is_none() {
        let needs = "the status or failure of every request";
        return Err(TraceErrorKind::Lacks { format: NAME, needs });
    }
    let millis = |time: Option<Duration>| {
        time.map_or_else(|| "-1".to_owned(), |time| unscaled(time.as_nanos(), 6))
    };
    let first = record.streamed_first_token();
    let kind = match record.stream {
        Some(true) => EVENT_STREAM,
        Some(false) => JSON,
        None => "",
    };
    let named = record
        .version
        .as_ref()
        .map(VersionId::as_str)
        .map(|version| format!("{{\"name\":\"{VERSION}\",\"value\":\"{version}\"}}"));
    let failed = record.failure.map(|failure| format!(",\"_error\":\"{}\"", failure.name()));
    let (time, wait) = (millis(record.duration), millis(first));
    text.push_str(if written.number == 0 { "" } else { ",\n" });
    text.push_str(&format!(
        "{{\"startedDateTime\":\"{at}\",\"time\":{time},\
         \"request\":{{\"method\":\"POST\",\"url\":\"\",\"httpVersion\":\"HTTP/1.1\",\
         \"cookies\":[],\"headers\":[],\"queryString\":[],\"headersSize\":-1,\"bodySize\":-1}},\
         \"response\":{{\"status\":{status},\"statusText\":\"\",\"httpVersion\":\"HTTP/1.1\",\
         \"cookies\":[],\"headers\":[{headers}],\"content\":{{\"size\":0,\"mimeType\":\"{kind}\"}},\
         \"redirectURL\":\"\",\"headersSize\":-1,\"bodySize\":-1{failed}}},\
         \"cache\":{{}},\"timings\":{{\"send\":0,\"wait\":{wait},\"receive\":0}}}}",
        at = written.at(NAME)?,
        status = record.status.unwrap_or_default(),
        headers = named.unwrap_or_default(),
        failed = failed.unwrap_or_default(),
    ));
    Ok(())
}

const HEADER: &str = "{\"log\":{\"version\":\"1.2\",\
                      \"creator\":{\"name\":\"coalmine\",\"version\":\"1\"},\"entries\":[\n";
const EVENT_STREAM: &str = "text/event-stream";
const JSON: &str = "application/json";
const VERSION: &str = "x-model-version";
const TIME_ALLOWED: &str = "a date and time such as 2024-03-26T13:20:00.123Z, up to the year 2262";
