//! The BurstGPT traces: <https://github.com/HPMLL/BurstGPT>.
//!
//! Columns are read by name, since the third file has two more than the first two: the conversation
//! and how long the answer took. Times are seconds on a scale of their own. A request without
//! tokens of an answer is one that failed.

use csv::StringRecord;

use super::csv_rows::CsvRows;
use super::decimal::unscaled;
use super::description::{
    Description, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::TraceErrorKind;
use super::foreign_name::model;
use super::json_scalar::{duration, tokens};
use super::names::{Names, written_name};
use super::number::TOKENS_ALLOWED;
use super::options::TimeUnit;
use super::record::{Failure, TraceRecord};
use super::unasked::no_blocks;
use crate::units::{ModelId, Timestamp, Tokens};

const NAME: &str = "burstgpt";

/// The format.
pub(super) static FORMAT: Description = Description {
    name: NAME,
    begins: "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type",
    time_unit: "seconds",
    origin: Origin::FirstRow,
    first_line: FirstLine::Row,
    order: Order::ByStart,
    entries: None,
    recognise,
    read: |options| {
        no_blocks(options, NAME)?;
        let unit = options.unit.unwrap_or(TimeUnit::Seconds);
        Ok(Box::new(BurstGpt {
            unit,
            rows: CsvRows::default(),
            names: options.names.clone(),
            places: None,
        }))
    },
    write: Some(WriteRows { header: |_| HEADER.to_owned(), row: write, footer: "" }),
};

fn recognise(first_line: &str) -> Recognised {
    let columns = first_line.split(',').map(|column| column.trim().trim_matches('"'));
    let columns = columns.collect::<Vec<_>>();
    let own = ["Timestamp", "Model", "Request tokens", "Response tokens"];
    Recognised::when(own.iter().all(|own| columns.contains(own)))
}

struct BurstGpt {
    rows: CsvRows,
    /// Once the line with their names was read.
    places: Option<Places>,
    unit: TimeUnit,
    names: Names,
}

/// Where the columns are.
#[derive(Clone, Copy)]
struct Places {
    columns: usize,
    time: usize,
    session: Option<usize>,
    elapsed: Option<usize>,
    model: usize,
    input: usize,
    output: usize,
}

impl Places {
    fn of(header: &StringRecord) -> Result<Self, TraceErrorKind> {
        let optional = |name: &'static str| {
            let mut places = (0..header.len()).filter(|place| header[*place].trim() == name);
            match (places.next(), places.next()) {
                (_, Some(_)) => Err(TraceErrorKind::DuplicateColumn { name }),
                (place, None) => Ok(place),
            }
        };
        let required = |name| optional(name)?.ok_or(TraceErrorKind::MissingColumn { name });
        Ok(Self {
            columns: header.len(),
            time: required("Timestamp")?,
            session: optional("Session ID")?,
            elapsed: optional("Elapsed time")?,
            model: required("Model")?,
            input: required("Request tokens")?,
            output: required("Response tokens")?,
        })
    }

    /// Whether the cell at `place` is one of them.
    fn are_read(&self, place: usize) -> bool {
        [self.time, self.model, self.input, self.output].contains(&place)
            || [self.session, self.elapsed].contains(&Some(place))
    }
}

impl ReadRows for BurstGpt {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        let Some(places) = self.places else {
            self.places = Some(Places::of(self.rows.read(line)?)?);
            return Ok(None);
        };
        let row = self.rows.read_of(places.columns, line)?;
        // The last cell says of what kind the request was, and is never empty; of any other a part
        // may be there.
        let last = places.columns - 1;
        if !line.is_terminated && (row[last].is_empty() || places.are_read(last)) {
            return Err(TraceErrorKind::CutOff);
        }
        let time = |column, cell| {
            let time = duration(cell, self.unit.digits());
            time.ok_or_else(|| TraceErrorKind::value(column, cell, TIME_ALLOWED))
        };
        let count = |column, cell| {
            tokens(cell).ok_or_else(|| TraceErrorKind::value(column, cell, TOKENS_ALLOWED))
        };
        let told =
            |place: Option<usize>| place.map(|place| &row[place]).filter(|cell| !cell.is_empty());
        let at = Timestamp::EPOCH + time("Timestamp", &row[places.time])?;
        record.model = model(&row[places.model]);
        record.input = Some(count("Request tokens", &row[places.input])?);
        let output = count("Response tokens", &row[places.output])?;
        record.output = Some(output);
        if output == Tokens::new(0) {
            record.failure = Some(Failure::Other);
        } else {
            record.status = Some(200);
        }
        if let Some(elapsed) = told(places.elapsed) {
            record.duration = Some(time("Elapsed time", elapsed)?);
        }
        record.session = told(places.session).map(|session| self.names.session(session));
        Ok(Some(at))
    }
}

/// With the columns of the third file. A failed request has no tokens of an answer, and no other.
fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    let record = written.record;
    let has_failed = record.has_failed();
    let output = if has_failed { Some(Tokens::new(0)) } else { record.output };
    if !has_failed && output == Some(Tokens::new(0)) {
        let what = "answers of 0 tokens that did not fail";
        return Err(TraceErrorKind::NoRoom { format: NAME, what });
    }
    let (Some(input), Some(output)) = (record.input, output) else {
        let needs = "the tokens of every prompt and answer";
        return Err(TraceErrorKind::Lacks { format: NAME, needs });
    };
    let at = unscaled(record.at.as_nanos(), 9);
    let session = record.session.map(written_name).unwrap_or_default();
    let elapsed = record.duration.map(|time| unscaled(time.as_nanos(), 9)).unwrap_or_default();
    let model = record.model.as_ref().map_or("", ModelId::as_str);
    let (input, output) = (input.get(), output.get());
    let total = u64::from(input) + u64::from(output);
    let row = format!("{at},{session},{elapsed},{model},{input},{output},{total},API log\n");
    text.push_str(&row);
    Ok(())
}

const HEADER: &str = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,\
                      Total tokens,Log Type\n";
const TIME_ALLOWED: &str = "seconds from 0 to 9223372036";
