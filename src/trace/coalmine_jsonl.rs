//! Coalmine's own format as JSON: `{"coalmine_trace":1}`, then one object a line.

use serde_json::Value;

use super::description::{
    Description, FirstLine, Line, Origin, ReadRows, Recognised, Row, WriteRows,
};
use super::error::TraceErrorKind;
use super::json_object::Object;
use super::record::{Column, ColumnKind, ColumnSet, TraceRecord};
use super::version;
use crate::units::Timestamp;

/// The format.
pub(super) static FORMAT: Description = Description {
    name: "coalmine JSONL",
    begins: "{\"coalmine_trace\":1}",
    time_unit: version::TIME_UNIT,
    origin: Origin::Beginning,
    first_line: FirstLine::Header,
    recognise,
    read: || Box::new(CoalmineJsonl),
    write: Some(WriteRows { header, row: write }),
};

/// Exactly this key: other formats begin with `{` too.
const MAGIC: &str = "coalmine_trace";

fn recognise(first_line: &str) -> Recognised {
    match Object::parse(first_line).as_ref().map(Object::members) {
        Ok([(key, Value::Number(version))]) if key == MAGIC => {
            version::recognise(&version.to_string())
        }
        _ => Recognised::No,
    }
}

fn header() -> String {
    format!("{{\"{MAGIC}\":{}}}\n", version::VERSION)
}

fn write(text: &mut String, record: &TraceRecord, _: Timestamp) {
    let mut before = "{\"";
    for column in Column::ALL {
        let Some(value) = record.text(column) else { continue };
        let quote = if column.kind() == ColumnKind::Text { "\"" } else { "" };
        text.extend([before, column.name(), "\":", quote, &value, quote]);
        before = ",\"";
    }
    text.push_str("}\n");
}

struct CoalmineJsonl;

impl ReadRows for CoalmineJsonl {
    fn read(&mut self, line: Line<'_>) -> Result<Option<Row>, TraceErrorKind> {
        if !line.is_terminated {
            return Err(TraceErrorKind::CutOff);
        }
        let record = parse(line.text)?;
        Ok(Some((Timestamp::EPOCH + record.at, record)))
    }
}

fn parse(line: &str) -> Result<TraceRecord, TraceErrorKind> {
    let object = Object::parse(line)?;
    let mut met = ColumnSet::default();
    let mut record = TraceRecord::default();
    for (key, value) in object.members() {
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
