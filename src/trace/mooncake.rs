//! The Mooncake traces (FAST '25): <https://github.com/kvcache-ai/Mooncake>.
//!
//! One JSON object a line: when, in whole milliseconds since the trace began, tokens in, tokens
//! out, and the blocks of 512 tokens that the prompt is made of. No header, so a file is known by
//! its keys. Others write the same keys with other units; neither is guessed: a fraction of a
//! millisecond, and blocks that do not make up the prompt, are errors.

use serde_json::Value;

use super::description::{Description, FirstLine, Line, Origin, ReadRows, Recognised, Row};
use super::error::TraceErrorKind;
use super::json_object::Object;
use super::record::{TraceRecord, whole};
use crate::units::{Duration, Timestamp, Tokens};

/// The format.
pub(super) static FORMAT: Description = Description {
    name: "mooncake",
    begins: "{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0]}",
    time_unit: "milliseconds since the trace began",
    origin: Origin::Beginning,
    first_line: FirstLine::Row,
    recognise,
    read: || Box::new(Mooncake),
    // The blocks are not kept.
    write: None,
};

const KEYS: [&str; 4] = ["timestamp", "input_length", "output_length", "hash_ids"];

fn recognise(first_line: &str) -> Recognised {
    let Ok(object) = Object::parse(first_line) else { return Recognised::No };
    let has = |key: &str| object.members().iter().any(|(name, _)| name == key);
    if KEYS.iter().all(|key| has(key)) && !has("chat_id") {
        Recognised::Yes
    } else {
        Recognised::No
    }
}

struct Mooncake;

impl ReadRows for Mooncake {
    fn read(&mut self, line: Line<'_>) -> Result<Option<Row>, TraceErrorKind> {
        match parse(line.text) {
            // An object is whole with its brace, line end or not.
            Err(TraceErrorKind::Json(_)) if !line.is_terminated => Err(TraceErrorKind::CutOff),
            parsed => parsed.map(Some),
        }
    }
}

fn parse(line: &str) -> Result<Row, TraceErrorKind> {
    let object = Object::parse(line)?;
    let mut values: [Option<&Value>; KEYS.len()] = [None; KEYS.len()];
    for (name, value) in object.members() {
        let Some(place) = KEYS.iter().position(|key| key == name) else {
            let (name, known) = (super::error::beginning(name), KEYS.join(", "));
            return Err(TraceErrorKind::UnknownColumn { name, known });
        };
        if values[place].replace(value).is_some() {
            return Err(TraceErrorKind::DuplicateColumn { name: KEYS[place] });
        }
    }
    let value =
        |place: usize| values[place].ok_or(TraceErrorKind::MissingColumn { name: KEYS[place] });
    let millis: u64 = number(KEYS[0], value(0)?, MILLIS_ALLOWED)?;
    let nanos = millis.checked_mul(NANOS_PER_MILLI).filter(|nanos| i64::try_from(*nanos).is_ok());
    let nanos =
        nanos.ok_or_else(|| TraceErrorKind::value(KEYS[0], &millis.to_string(), MILLIS_ALLOWED))?;
    let input: u32 = number(KEYS[1], value(1)?, TOKENS_ALLOWED)?;
    let output: u32 = number(KEYS[2], value(2)?, TOKENS_ALLOWED)?;
    check_blocks(value(3)?, input)?;
    let record = TraceRecord {
        input: Tokens::new(input),
        output: Tokens::new(output),
        ..TraceRecord::default()
    };
    Ok((Timestamp::EPOCH + Duration::from_nanos(nanos), record))
}

fn number<T: std::str::FromStr>(
    key: &'static str,
    value: &Value,
    allowed: &'static str,
) -> Result<T, TraceErrorKind> {
    let number = value.as_number().and_then(|number| whole(&number.to_string()));
    number.ok_or_else(|| TraceErrorKind::value(key, &value.to_string(), allowed))
}

/// The last block may be a part of one.
fn check_blocks(value: &Value, input: u32) -> Result<(), TraceErrorKind> {
    let blocks = value.as_array().filter(|blocks| blocks.iter().all(Value::is_u64));
    let Some(blocks) = blocks else {
        return Err(TraceErrorKind::value(KEYS[3], &value.to_string(), BLOCKS_ALLOWED));
    };
    let expected = u64::from(input.div_ceil(BLOCK));
    let found = blocks.len() as u64;
    if found == expected {
        Ok(())
    } else {
        Err(TraceErrorKind::Blocks { found, expected, input, block: BLOCK })
    }
}

const BLOCK: u32 = 512;
const NANOS_PER_MILLI: u64 = 1_000_000;
const MILLIS_ALLOWED: &str = "a whole number of milliseconds from 0 to 9223372036854";
const TOKENS_ALLOWED: &str = "a whole number from 0 to 4294967295";
const BLOCKS_ALLOWED: &str = "a list of whole numbers, one for each 512 tokens of the prompt";

#[cfg(test)]
mod tests {
    use super::super::{TraceFormat, TraceReader};
    use super::*;

    const FIRST: &str =
        r#"{"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [0, 1]}"#;

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
        assert_eq!((first.at, first.input.get(), first.output.get()), (Duration::ZERO, 600, 5));
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
             9223372036854"
        );
        assert!(row("9223372036855", "[1,2]").starts_with("line 2: timestamp is"));
        let many = format!("[{}]", ["7"; 38].join(","));
        assert_eq!(
            row("5", &many),
            "line 2: 38 blocks for 600 input tokens: blocks of 512 tokens would be 2"
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
}
