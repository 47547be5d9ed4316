//! Logs of the LiteLLM proxy: its `StandardLoggingPayload`, one JSON object a line, as its
//! callbacks write it, and the rows of its table of spend logs.
//!
//! Reads none of the messages, answers, keys and addresses that stand beside what is read.

use serde::Deserialize;

use super::decimal::unscaled;
use super::description::{
    Description, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::TraceErrorKind;
use super::foreign_name::{model, version};
use super::json_line::JsonLine;
use super::json_members::Members;
use super::json_scalar::{Scalar, instant, object, set_first_token};
use super::logged::Logged;
use super::names::{Names, written_name};
use super::record::{Failure, TraceRecord};
use super::symptom;
use crate::units::{Duration, ModelId, Timestamp, Tokens, VersionId};

const NAME: &str = "litellm";

/// The format.
pub(super) static FORMAT: Description = Description {
    name: NAME,
    begins: "{\"id\":\"a\",\"call_type\":\"acompletion\",\"startTime\":1711459200.5,\
             \"endTime\":1711459202.1}",
    time_unit: "seconds since 1970, or dates and times",
    origin: Origin::Dates,
    first_line: FirstLine::Row,
    order: Order::Other,
    entries: None,
    recognise,
    read: |options| Ok(Box::new(Litellm(Logged::new(options, NAME)?))),
    write: Some(WriteRows::lines(write)),
};

fn recognise(first_line: &str) -> Recognised {
    let Ok(members) = serde_json::from_str::<Members<'_>>(first_line) else {
        return Recognised::No;
    };
    let is_call = members.has_any(&["startTime"])
        && members.has_any(&["endTime", "completionStartTime"])
        && members.has_any(&["call_type", "model_group", "response_cost", "spend"]);
    Recognised::when(is_call)
}

struct Litellm(Logged);

impl ReadRows for Litellm {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        let call: Call<'_> = object(line)?;
        let start = self.instant("startTime", call.start)?;
        let start = start.ok_or(TraceErrorKind::MissingColumn { name: "startTime" })?;
        self.0.check_unit(NAME, call.start.text().as_deref())?;
        self.set_times(&call, start, record)?;
        call.set_ending(record)?;
        call.set_tokens(record)?;
        record.cost = match call.response_cost.usd("response_cost")? {
            None => call.spend.usd("spend")?,
            cost => cost,
        };
        call.set_names(&mut self.0.names, record);
        Ok(Some(start))
    }
}

impl Litellm {
    /// A number, or a date and time.
    fn instant(
        &self,
        column: &'static str,
        value: Scalar<'_>,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        value.read(column, TIME_ALLOWED, |text| instant(text, Some(self.0.unit)))
    }

    fn set_times(
        &self,
        call: &Call<'_>,
        start: Timestamp,
        record: &mut TraceRecord,
    ) -> Result<(), TraceErrorKind> {
        // 0 is how the proxy says that there is none.
        let is_told = |at: &Timestamp| *at > Timestamp::EPOCH || start <= Timestamp::EPOCH;
        let end = self.instant("endTime", call.end)?.filter(is_told);
        let completion = self.instant("completionStartTime", call.completion_start)?;
        let completion = completion.filter(is_told);
        let response = call.response_time.seconds("response_time")?;
        if end.is_some_and(|end| end < start) {
            let shown = call.end.text().unwrap_or_default();
            return Err(TraceErrorKind::value("endTime", &shown, "no time before startTime"));
        }
        record.duration = end.map(|end| end.since(start));
        // Where nothing was streamed, the proxy notes the end as the first token.
        let mut told = call.stream.flag("stream")?;
        if told.is_none() {
            let parameters = |within: &Within<'_>| within.stream.flag(STREAM).transpose();
            told = within(call.model_parameters, parameters).transpose()?;
        }
        record.stream = told.or_else(|| Some(completion? < end?));
        if record.stream == Some(true) {
            let completion = completion.filter(|completion| *completion >= start);
            let first = completion.map(|completion| completion.since(start)).or(response);
            set_first_token(record, first);
        } else {
            record.duration = record.duration.or(response);
        }
        Ok(())
    }
}

/// A call, as far as it is read.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Call<'a> {
    #[serde(borrow, rename = "startTime")]
    start: Scalar<'a>,
    #[serde(borrow, rename = "endTime")]
    end: Scalar<'a>,
    #[serde(borrow, rename = "completionStartTime")]
    completion_start: Scalar<'a>,
    #[serde(borrow)]
    response_time: Scalar<'a>,
    #[serde(borrow)]
    stream: Scalar<'a>,
    #[serde(borrow)]
    model_parameters: Scalar<'a>,
    #[serde(borrow)]
    status: Scalar<'a>,
    #[serde(borrow)]
    error_information: Scalar<'a>,
    #[serde(borrow)]
    error_str: Scalar<'a>,
    #[serde(borrow)]
    prompt_tokens: Scalar<'a>,
    #[serde(borrow)]
    completion_tokens: Scalar<'a>,
    #[serde(borrow)]
    response_cost: Scalar<'a>,
    #[serde(borrow)]
    spend: Scalar<'a>,
    #[serde(borrow)]
    model: Scalar<'a>,
    #[serde(borrow)]
    model_group: Scalar<'a>,
    #[serde(borrow)]
    model_id: Scalar<'a>,
    #[serde(borrow)]
    deployment: Scalar<'a>,
    #[serde(borrow)]
    hidden_params: Scalar<'a>,
    #[serde(borrow)]
    metadata: Scalar<'a>,
    #[serde(borrow)]
    end_user: Scalar<'a>,
    #[serde(borrow)]
    user: Scalar<'a>,
    #[serde(borrow)]
    session_id: Scalar<'a>,
    #[serde(borrow)]
    trace_id: Scalar<'a>,
}

/// What is read of the objects within a call, some of which older versions write as text.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Within<'a> {
    #[serde(borrow)]
    error_code: Scalar<'a>,
    #[serde(borrow)]
    error_class: Scalar<'a>,
    #[serde(borrow)]
    error_message: Scalar<'a>,
    #[serde(borrow)]
    stream: Scalar<'a>,
    #[serde(borrow)]
    status: Scalar<'a>,
    #[serde(borrow)]
    model_id: Scalar<'a>,
    #[serde(borrow)]
    deployment: Scalar<'a>,
    #[serde(borrow)]
    user_api_key_end_user_id: Scalar<'a>,
    #[serde(borrow)]
    session_id: Scalar<'a>,
}

/// What `pick` finds in the object `value`, if it is one.
fn within<T>(value: Scalar<'_>, pick: impl FnOnce(&Within<'_>) -> Option<T>) -> Option<T> {
    let text = value.object()?;
    serde_json::from_str(&text).ok().and_then(|within| pick(&within))
}

fn owned(value: Scalar<'_>) -> Option<String> {
    value.text().map(|text| text.into_owned())
}

impl Call<'_> {
    fn set_ending(&self, record: &mut TraceRecord) -> Result<(), TraceErrorKind> {
        let status = owned(self.status);
        let status = status.or_else(|| within(self.metadata, |within| owned(within.status)));
        let has_failed = match status.as_deref() {
            Some("success") => false,
            Some("failure") => true,
            Some(other) => return Err(TraceErrorKind::value("status", other, STATUS_ALLOWED)),
            None => self.error_str.text().is_some() || self.error_information.object().is_some(),
        };
        if !has_failed {
            record.status = status.map(|_| 200);
            return Ok(());
        }
        let code = within(self.error_information, |within| {
            let code: u16 = super::number::whole(&within.error_code.text()?)?;
            (400..600).contains(&code).then_some(code)
        });
        let class =
            within(self.error_information, |within| symptom::failure(&within.error_class.text()?));
        let message = within(self.error_information, |within| {
            symptom::failure(&within.error_message.text()?)
        });
        record.status = code;
        record.failure = match (class, code) {
            (None, Some(_)) => None,
            (None, None) => Some(message.unwrap_or(Failure::Other)),
            (class, _) => class,
        };
        Ok(())
    }

    /// A failed call has 0 where the proxy does not know.
    fn set_tokens(&self, record: &mut TraceRecord) -> Result<(), TraceErrorKind> {
        let has_failed = record.has_failed();
        let tokens = |name, value: Scalar<'_>| match value.tokens(name)? {
            None if !has_failed => Err(TraceErrorKind::MissingColumn { name }),
            tokens => Ok(tokens.filter(|tokens| !has_failed || *tokens != Tokens::new(0))),
        };
        record.input = tokens("prompt_tokens", self.prompt_tokens)?;
        record.output = tokens("completion_tokens", self.completion_tokens)?;
        Ok(())
    }

    fn set_names(&self, names: &mut Names, record: &mut TraceRecord) {
        let group = self.model_group.text();
        record.model = group.as_deref().and_then(model);
        let called = self.model.text();
        record.model = record.model.take().or_else(|| model(called.as_deref()?));
        let deployment = owned(self.model_id)
            .or_else(|| owned(self.deployment))
            .or_else(|| within(self.hidden_params, |within| owned(within.model_id)))
            .or_else(|| within(self.metadata, |within| owned(within.deployment)))
            .or_else(|| {
                called.filter(|called| *called != group.unwrap_or_default()).map(Into::into)
            });
        record.version = deployment.as_deref().and_then(version);
        let user = owned(self.end_user)
            .or_else(|| owned(self.user))
            .or_else(|| within(self.metadata, |within| owned(within.user_api_key_end_user_id)));
        record.user = user.map(|user| names.user(&user));
        let session = owned(self.session_id)
            .or_else(|| within(self.metadata, |within| owned(within.session_id)))
            .or_else(|| owned(self.trace_id));
        record.session = session.map(|session| names.session(&session));
    }
}

fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    let record = written.record;
    let start = written.nanos(NAME)?;
    let has_failed = record.has_failed();
    let status = record.ending().map(|_| if has_failed { "failure" } else { "success" });
    if !has_failed && (record.input.is_none() || record.output.is_none()) {
        let needs = "the tokens of every prompt and answer";
        return Err(TraceErrorKind::Lacks { format: NAME, needs });
    }
    let seconds = |time: Duration| unscaled(start + time.as_nanos(), 9);
    let first = record.streamed_first_token().map(seconds);
    let model = record.model.as_ref().map(ModelId::as_str);
    let mut line = JsonLine::open(text);
    line.text("id", Some(&format!("call-{}", written.number)))
        .text("call_type", Some("acompletion"))
        .flag("stream", record.stream)
        .raw("startTime", Some(&unscaled(start, 9)))
        .raw("endTime", Some(record.duration.map(seconds).as_deref().unwrap_or("null")))
        .raw("completionStartTime", first.as_deref())
        .text("status", status)
        .text("model", model)
        .text("model_group", model)
        .text("model_id", record.version.as_ref().map(VersionId::as_str))
        .number("prompt_tokens", record.input.map(|tokens| tokens.get().into()))
        .number("completion_tokens", record.output.map(|tokens| tokens.get().into()))
        .raw("response_cost", written.usd(NAME)?.as_deref())
        .text("end_user", record.user.map(written_name).as_deref())
        .text("trace_id", record.session.map(written_name).as_deref());
    if has_failed {
        line.raw("error_information", Some(&error_information(record)));
    }
    line.close();
    text.push('\n');
    Ok(())
}

fn error_information(record: &TraceRecord) -> String {
    let mut text = String::new();
    let code = record.status.filter(|status| *status >= 400).map(|status| status.to_string());
    let class = record.failure.filter(|failure| *failure != Failure::Other).map(Failure::name);
    JsonLine::open(&mut text)
        .text("error_code", Some(code.as_deref().unwrap_or_default()))
        .text("error_class", class)
        .close();
    text
}

const TIME_ALLOWED: &str = "seconds since 1970 such as 1711459200.123, or a date and time such as \
                            2024-03-26T13:20:00Z, up to the year 2262; numbers of another unit \
                            need `--unit`";
const STATUS_ALLOWED: &str = "success or failure";
const STREAM: &str = "model_parameters.stream";
