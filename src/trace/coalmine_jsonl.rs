//! Coalmine's own format as JSON: `{"coalmine_trace":2}`, then one object a line.

use serde_json::Value;

use super::column::{Column, ColumnKind, ColumnSet};
use super::description::{
    Description, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::TraceErrorKind;
use super::json_object::Object;
use super::options::ReadOptions;
use super::record::TraceRecord;
use super::unasked::{fixed_unit, no_blocks};
use super::version;
use crate::units::Timestamp;

/// The format.
pub(super) static FORMAT: Description = Description {
    name: NAME,
    begins: "{\"coalmine_trace\":2}",
    time_unit: version::TIME_UNIT,
    origin: Origin::Beginning,
    first_line: FirstLine::Row,
    order: Order::ByStart,
    entries: None,
    recognise,
    read,
    write: Some(WriteRows { header, row: write, footer: "" }),
};

const NAME: &str = "coalmine JSONL";
/// These keys and no others: other formats begin with `{` too.
const MAGIC: &str = "coalmine_trace";
const BEGAN: &str = "began";

fn recognise(first_line: &str) -> Recognised {
    match Object::parse(first_line).as_ref().map(Object::members) {
        Ok([(key, Value::Number(version))] | [(key, Value::Number(version)), (_, _)])
            if key == MAGIC =>
        {
            version::recognise(&version.to_string())
        }
        _ => Recognised::No,
    }
}

fn read(options: &ReadOptions) -> Result<Box<dyn ReadRows + Send>, TraceErrorKind> {
    fixed_unit(options, NAME, version::TIME_UNIT)?;
    no_blocks(options, NAME)?;
    Ok(Box::new(CoalmineJsonl::default()))
}

fn header(began: Option<Timestamp>) -> String {
    let began = began.map_or_else(String::new, |began| format!(",\"{BEGAN}\":\"{began}\""));
    format!("{{\"{MAGIC}\":{}{began}}}\n", version::VERSION)
}

fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    let mut before = "{\"";
    for column in Column::ALL {
        let Some(value) = column.text(written.record) else { continue };
        let quote = if column.kind() == ColumnKind::Text { "\"" } else { "" };
        text.extend([before, column.name(), "\":", quote, &value, quote]);
        before = ",\"";
    }
    text.push_str("}\n");
    Ok(())
}

#[derive(Default)]
struct CoalmineJsonl {
    began: Option<Timestamp>,
    /// Whether the first line was read.
    has_begun: bool,
}

impl ReadRows for CoalmineJsonl {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        if !line.is_terminated {
            return Err(TraceErrorKind::CutOff);
        }
        if !std::mem::replace(&mut self.has_begun, true) {
            self.began = began(line.text)?;
            return Ok(None);
        }
        read_row(line.text, record)?;
        Ok(Some(Timestamp::EPOCH + record.at))
    }

    fn began(&self) -> Option<Timestamp> {
        self.began
    }
}

fn began(line: &str) -> Result<Option<Timestamp>, TraceErrorKind> {
    match Object::parse(line)?.members() {
        [_, (key, Value::String(date))] if key == BEGAN => version::date(date).map(Some),
        [_, (key, value)] if key == BEGAN => version::date(&value.to_string()).map(Some),
        [_, (key, _)] => Err(TraceErrorKind::UnknownColumn {
            name: super::error::beginning(key),
            known: format!("{MAGIC}, {BEGAN}"),
        }),
        _ => Ok(None),
    }
}

fn read_row(line: &str, record: &mut TraceRecord) -> Result<(), TraceErrorKind> {
    let object = Object::parse(line)?;
    let mut met = ColumnSet::default();
    for (key, value) in object.members() {
        let column = Column::by_name(key)?;
        met.add(column)?;
        match (column.kind(), value) {
            (_, Value::Null) if !column.is_required() => {}
            (ColumnKind::Text, Value::String(text)) => column.set(record, text)?,
            (ColumnKind::Number, Value::Number(number)) => {
                column.set(record, &number.to_string())?;
            }
            (ColumnKind::Flag, Value::Bool(flag)) => column.set(record, &flag.to_string())?,
            (_, value) => {
                let (name, allowed) = (column.name(), column.allowed());
                return Err(TraceErrorKind::value(name, &value.to_string(), allowed));
            }
        }
    }
    met.check_complete()?;
    record.check()
}
