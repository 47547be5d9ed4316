//! Coalmine's own format as JSON: `{"coalmine_trace":1}`, then one object a line.

use std::fmt;
use std::io::BufRead;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::line_feed::LineFeed;
use super::trace_error::TraceErrorKind;
use super::trace_record::{Column, ColumnKind, ColumnSet, TraceRecord};

/// The rows of a coalmine JSONL file.
pub(super) struct CoalmineJsonl<R> {
    feed: LineFeed<R>,
}

impl<R: BufRead> CoalmineJsonl<R> {
    /// The rows from the line after the current one on.
    pub(super) const fn new(feed: LineFeed<R>) -> Self {
        Self { feed }
    }

    pub(super) fn next(&mut self) -> Result<Option<TraceRecord>, TraceErrorKind> {
        if !self.feed.advance()? {
            return Ok(None);
        }
        if !self.feed.is_terminated() {
            return Err(TraceErrorKind::CutOff);
        }
        parse(self.feed.text()).map(Some)
    }

    pub(super) const fn feed(&self) -> &LineFeed<R> {
        &self.feed
    }
}

fn parse(line: &str) -> Result<TraceRecord, TraceErrorKind> {
    let Object(members) = serde_json::from_str(line).map_err(TraceErrorKind::Json)?;
    let mut met = ColumnSet::default();
    let mut record = TraceRecord::default();
    for (key, value) in &members {
        let column = Column::by_name(key)?;
        met.add(column)?;
        match (column.kind(), value) {
            (_, Value::Null) if !column.is_required() => {}
            (ColumnKind::Text, Value::String(text)) => record.set(column, text)?,
            (ColumnKind::Number, Value::Number(number)) => {
                record.set(column, &number.to_string())?;
            }
            (ColumnKind::Flag, Value::Bool(flag)) => record.set(column, &flag.to_string())?,
            (_, value) => {
                let (name, allowed) = (column.name(), column.allowed());
                return Err(TraceErrorKind::value(name, &value.to_string(), allowed));
            }
        }
    }
    met.check_complete()?;
    record.check()?;
    Ok(record)
}

/// A JSON object as it is written: `serde_json::Map` would hide a key that is there twice.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .write_str("an object such as {\"at_ns\":0,\"input_tokens\":9,\"output_tokens\":9}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut members = Vec::with_capacity(Column::ALL.len());
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Object(members))
    }
}
