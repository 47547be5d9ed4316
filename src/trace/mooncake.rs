//! The Mooncake traces (FAST '25): <https://github.com/kvcache-ai/Mooncake>.
//!
//! One JSON object a line: when, in whole milliseconds since the trace began, tokens in, tokens
//! out, and the blocks of 512 tokens that the prompt is made of. No header, so a file is known by
//! its keys. Others write the same keys with other units; neither is guessed: a fraction of a
//! millisecond, and blocks that do not make up the prompt, are errors that ask for the unit and the
//! size of blocks.

use serde_json::Value;

use super::description::{
    Description, FirstLine, Line, Order, Origin, ReadRows, Recognised, WriteRows, Written,
};
use super::error::{TraceErrorKind, beginning};
use super::json_object::Object;
use super::json_scalar::duration;
use super::number::{TOKENS_ALLOWED, whole};
use super::options::TimeUnit;
use super::plain_object::{Member, members};
use super::record::{BLOCKS_ALLOWED, Prefix, TraceRecord};
use crate::units::{Duration, Timestamp, Tokens};

/// The format.
pub(super) static FORMAT: Description = Description {
    name: NAME,
    begins: "{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0]}",
    time_unit: "milliseconds since the trace began",
    origin: Origin::Beginning,
    first_line: FirstLine::Row,
    order: Order::ByStart,
    entries: None,
    recognise,
    read: |options| {
        Ok(Box::new(Mooncake {
            unit: options.unit.unwrap_or(TimeUnit::Millis),
            block: options.block.unwrap_or(BLOCK),
        }))
    },
    write: Some(WriteRows::lines(write)),
};

const NAME: &str = "mooncake";
const KEYS: [&str; 4] = ["timestamp", "input_length", "output_length", "hash_ids"];

fn recognise(first_line: &str) -> Recognised {
    let Ok(object) = Object::parse(first_line) else { return Recognised::No };
    let has = |key: &str| object.members().iter().any(|(name, _)| name == key);
    let is_ours = object.members().iter().all(|(name, _)| KEYS.contains(&name.as_str()));
    if is_ours && KEYS.iter().all(|key| has(key)) { Recognised::Yes } else { Recognised::No }
}

/// A record without blocks gets some of its own, numbered on from those before: its prompt begins
/// like no other.
fn write(text: &mut String, written: &Written<'_>) -> Result<(), TraceErrorKind> {
    let lacks = |needs| TraceErrorKind::Lacks { format: NAME, needs };
    let record = written.record;
    let input = record.input.ok_or_else(|| lacks("tokens of the prompt"))?.get();
    let output = record.output.ok_or_else(|| lacks("tokens of the answer"))?.get();
    let millis = record.at.as_nanos() / NANOS_PER_MILLI;
    text.push_str(&format!(
        "{{\"timestamp\": {millis}, \"input_length\": {input}, \"output_length\": {output}, \
         \"hash_ids\": ["
    ));
    let own = written.blocks..written.blocks + u64::from(input.div_ceil(BLOCK));
    let mut before = "";
    let mut push = |hash: u64| {
        text.push_str(before);
        text.push_str(&hash.to_string());
        before = ", ";
    };
    match &record.prefix {
        Some(Prefix { block: BLOCK, hashes }) => hashes.iter().copied().for_each(&mut push),
        Some(_) => return Err(lacks("blocks of 512 tokens")),
        None => own.for_each(&mut push),
    }
    text.push_str("]}\n");
    Ok(())
}

/// How many blocks are made up for a record that is written.
pub(super) fn made_up(record: &TraceRecord) -> u64 {
    match (&record.prefix, record.input) {
        (None, Some(input)) => u64::from(input.get().div_ceil(BLOCK)),
        _ => 0,
    }
}

struct Mooncake {
    unit: TimeUnit,
    block: u32,
}

impl ReadRows for Mooncake {
    fn read(
        &mut self,
        line: Line<'_>,
        record: &mut TraceRecord,
    ) -> Result<Option<Timestamp>, TraceErrorKind> {
        if let Some(at) = self.read_plain(line.text, record) {
            return Ok(Some(at));
        }
        match self.read_object(line.text, record) {
            // An object is whole with its brace, line end or not.
            Err(TraceErrorKind::Json(_)) if !line.is_terminated => Err(TraceErrorKind::CutOff),
            read => read.map(Some),
        }
    }
}

impl Mooncake {
    /// A row as nearly all are; `None` where it is not: it is for the parser then.
    fn read_plain(&self, line: &str, record: &mut TraceRecord) -> Option<Timestamp> {
        let mut found = [None; 3];
        let mut hashes = Vec::with_capacity(USUAL_BLOCKS);
        let mut met = 0;
        members(line, &mut hashes, |key, member| {
            let place = KEYS.iter().position(|known| *known == key)?;
            met += 1;
            match (place, member) {
                (3, Member::List) => Some(()),
                (0..3, Member::Number(number)) => {
                    found[place].replace(number).is_none().then_some(())
                }
                _ => None,
            }
        })?;
        let [Some(time), Some(input), Some(output)] = found else { return None };
        let nanos = time.checked_mul(self.unit.length().as_nanos())?;
        let input = u32::try_from(input).ok()?;
        let is_whole = hashes.len() as u64 == u64::from(input.div_ceil(self.block));
        let at = i64::try_from(nanos).ok().filter(|_| met == KEYS.len() && is_whole)?;
        record.input = Some(Tokens::new(input));
        record.output = Some(Tokens::new(u32::try_from(output).ok()?));
        record.prefix = Some(Prefix { block: self.block, hashes });
        Some(Timestamp::from_nanos(at))
    }

    fn read_object(
        &self,
        line: &str,
        record: &mut TraceRecord,
    ) -> Result<Timestamp, TraceErrorKind> {
        let object = Object::parse(line)?;
        let mut values: [Option<&Value>; KEYS.len()] = [None; KEYS.len()];
        for (name, value) in object.members() {
            let Some(place) = KEYS.iter().position(|key| key == name) else {
                let (name, known) = (beginning(name), KEYS.join(", "));
                return Err(TraceErrorKind::UnknownColumn { name, known });
            };
            if values[place].replace(value).is_some() {
                return Err(TraceErrorKind::DuplicateColumn { name: KEYS[place] });
            }
        }
        let value =
            |place: usize| values[place].ok_or(TraceErrorKind::MissingColumn { name: KEYS[place] });
        let at = self.time(value(0)?)?;
        let input = Tokens::new(number(KEYS[1], value(1)?)?);
        record.input = Some(input);
        record.output = Some(Tokens::new(number(KEYS[2], value(2)?)?));
        record.prefix = Some(Prefix::of(self.block, hashes(value(3)?)?, input)?);
        Ok(Timestamp::EPOCH + at)
    }

    fn time(&self, value: &Value) -> Result<Duration, TraceErrorKind> {
        let text = value.as_number().map(ToString::to_string);
        // Milliseconds are whole in this format.
        let is_meant =
            |text: &String| self.unit != TimeUnit::Millis || !text.contains(['.', 'e', 'E']);
        let time = text.filter(is_meant).and_then(|text| duration(&text, self.unit.digits()));
        let allowed = match self.unit {
            TimeUnit::Millis => MILLIS_ALLOWED,
            _ => "a number from 0 to 2^63 - 1 nanoseconds, in the unit that was asked for",
        };
        time.ok_or_else(|| TraceErrorKind::value(KEYS[0], &value.to_string(), allowed))
    }
}

fn hashes(value: &Value) -> Result<Vec<u64>, TraceErrorKind> {
    let hashes = value.as_array().map(|blocks| blocks.iter().map(Value::as_u64));
    let hashes = hashes.and_then(Iterator::collect::<Option<Vec<_>>>);
    hashes.ok_or_else(|| TraceErrorKind::value(KEYS[3], &value.to_string(), BLOCKS_ALLOWED))
}

fn number(key: &'static str, value: &Value) -> Result<u32, TraceErrorKind> {
    let number = value.as_number().and_then(|number| whole(&number.to_string()));
    number.ok_or_else(|| TraceErrorKind::value(key, &value.to_string(), TOKENS_ALLOWED))
}

const BLOCK: u32 = 512;
/// Chosen: room for a prompt of 16,000 tokens.
const USUAL_BLOCKS: usize = 32;
const NANOS_PER_MILLI: u64 = 1_000_000;
const MILLIS_ALLOWED: &str =
    "a whole number of milliseconds from 0 to 9223372036854; another unit is told by `--unit`";

#[cfg(test)]
mod tests {
    use super::super::{ReadOptions, SourceOptions, TraceFormat, TraceReader};
    use super::*;

    const FIRST: &str =
        r#"{"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [0, 1]}"#;

    fn tokens(record: &TraceRecord) -> (u32, u32) {
        (record.input.unwrap().get(), record.output.unwrap().get())
    }

    fn error(line: &str) -> String {
        let text = format!("{FIRST}\n{line}\n");
        let mut reader = TraceReader::new(text.as_bytes()).unwrap();
        reader.next_record().unwrap();
        reader.next_record().unwrap_err().to_string()
    }

    #[test]
    fn the_first_line_is_a_row_and_times_are_milliseconds() {
        let text = format!(
            "{FIRST}\n{}",
            r#"{"hash_ids":[],"timestamp":3001,"output_length":7,"input_length":0}"#
        );
        let mut reader = TraceReader::new(text.as_bytes()).unwrap();
        let first = reader.next_record().unwrap().unwrap();
        assert_eq!((first.at, tokens(&first)), (Duration::ZERO, (600, 5)));
        let second = reader.next_record().unwrap().unwrap();
        assert_eq!(second.at, Duration::from_millis(3_001));
        assert_eq!(reader.next_record().unwrap(), None);
        let accounting = reader.accounting();
        assert_eq!(accounting.format, TraceFormat::Mooncake);
        assert_eq!(accounting.unit, "milliseconds since the trace began");
        assert_eq!((accounting.read, accounting.emitted), (2, 2));
    }

    #[test]
    fn other_units_and_damage_are_errors_with_their_line() {
        let row = |time: &str, blocks: &str| {
            error(&format!(
                "{{\"timestamp\":{time},\"input_length\":600,\"output_length\":5,\
                 \"hash_ids\":{blocks}}}"
            ))
        };
        assert_eq!(
            row("61.114", "[1,2]"),
            "line 2: timestamp is \"61.114\": allowed is a whole number of milliseconds from 0 to \
             9223372036854; another unit is told by `--unit`"
        );
        for time in ["9223372036855", "1e-7", "0.5e3", "-1"] {
            assert!(row(time, "[1,2]").starts_with("line 2: timestamp is"), "{time}");
        }
        let many = format!("[{}]", ["7"; 38].join(","));
        assert_eq!(
            row("5", &many),
            "line 2: 38 blocks for 600 input tokens: blocks of 512 tokens would be 2; say how many \
             tokens a block has by `--block` of `coalmine trace import`"
        );
        assert!(row("5", "[1,-2]").starts_with("line 2: hash_ids is"));
        assert!(error("{\"timestamp\":5,\"input_length\":6").contains("not a JSON object"));
        assert!(error("{\"timestamp\":5}").contains("column \"input_length\" is missing"));
        assert!(error("{\"timestamp\":5,\"turn\":1}").contains("column \"turn\" is not known"));
        let cut = format!("{FIRST}\n{}", &FIRST[..20]);
        let mut reader = TraceReader::new(cut.as_bytes()).unwrap();
        reader.next_record().unwrap();
        let error = reader.next_record().unwrap_err().to_string();
        assert!(error.starts_with("line 2: the trace was cut off"), "{error}");
    }

    #[test]
    fn units_and_blocks_are_those_that_are_asked_for() {
        let (unit, block) = (Some(TimeUnit::Seconds), Some(16));
        let rows = ReadOptions { unit, block, ..ReadOptions::default() };
        let options = SourceOptions { rows, ..SourceOptions::default() };
        let row = |time: &str| {
            format!(
                "{{\"timestamp\": {time}, \"input_length\": 20, \"output_length\": 5, \
                 \"hash_ids\": [18446744073709551615, 3]}}\n"
            )
        };
        // Sums of floats have more decimals than were meant.
        let text = ["1e-7", "0.30000000000000004", "61.114"].map(row).concat();
        let mut reader = TraceReader::with(text.as_bytes(), options).unwrap();
        let mut next = || reader.next_record().unwrap().unwrap();
        assert_eq!(next().at, Duration::from_nanos(100));
        assert_eq!(next().at, Duration::from_millis(300));
        let record = next();
        assert_eq!(record.at, Duration::from_millis(61_114));
        let prefix = Prefix { block: 16, hashes: vec![u64::MAX, 3] };
        assert_eq!(record.prefix, Some(prefix));
    }

    proptest::proptest! {
        /// What is read without the parser is what the parser reads.
        #[test]
        fn plain_rows_are_read_as_any_object_is(
            time in 0..10_000_000_000_000_u64,
            input: u16,
            output: u64,
            hashes in proptest::collection::vec(0..u64::MAX, 0..4),
            space in " ?",
        ) {
            let mooncake = Mooncake { unit: TimeUnit::Millis, block: 30_000 };
            let list: Vec<_> = hashes.iter().map(u64::to_string).collect();
            let line = format!(
                "{{\"timestamp\":{space}{time},{space}\"input_length\":{input},\
                 \"output_length\":{output},\"hash_ids\":{space}[{}]}}",
                list.join(&format!(",{space}"))
            );
            let (mut plain, mut object) = (TraceRecord::default(), TraceRecord::default());
            if let Some(at) = mooncake.read_plain(&line, &mut plain) {
                let read = mooncake.read_object(&line, &mut object).unwrap();
                proptest::prop_assert_eq!((at, plain), (read, object));
            } else {
                proptest::prop_assert!(mooncake.read_object(&line, &mut object).is_err());
            }
        }
    }
}
