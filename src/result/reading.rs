//! Results read from their files.

use serde::Deserialize;
use serde_json::Value;

use super::file::ResultFile;
use super::older::{count_endings, lacks_endings, upgraded};
use super::soundness;
use super::unsound::Unsound;

impl ResultFile {
    /// The result that a file's text holds.
    ///
    /// # Errors
    /// Not JSON; no result file of coalmine; a format that this version does not read;
    /// a result that no run can have written, such as one whose verdict does not follow from its
    /// lines.
    pub fn from_json(text: &str) -> Result<Self, ResultError> {
        // The number is read alone first: the rest of another format need not be understood.
        let probe: Probe =
            serde_json::from_str(text).map_err(|error| ResultError::of_json(&error))?;
        match probe.schema {
            None => Err(ResultError::NoSchema),
            Some(found) if found > Self::SCHEMA => Err(ResultError::Newer {
                found,
                known: Self::SCHEMA,
                coalmine: probe.coalmine.unwrap_or_else(|| "unknown".to_owned()),
            }),
            Some(found @ 1..=Self::SCHEMA) => {
                let value: Value =
                    serde_json::from_str(text).map_err(|error| ResultError::of_json(&error))?;
                let (result, value) = match found {
                    Self::SCHEMA => (Self::of_text(text)?, value),
                    older => Self::of_older(value, older)?,
                };
                soundness::check(&result, &value)?;
                Ok(result)
            }
            Some(found) => Err(ResultError::Unknown { found, known: Self::SCHEMA }),
        }
    }

    fn of_text(text: &str) -> Result<Self, ResultError> {
        serde_json::from_str(text).map_err(|error| ResultError::of_json(&error))
    }

    /// The result in a file of an older format, and the file as one of the present format.
    fn of_older(file: Value, found: u64) -> Result<(Self, Value), ResultError> {
        let lacks_endings = lacks_endings(&file);
        let file = upgraded(file, found, Self::SCHEMA);
        match serde_json::from_value(file.clone()) {
            Ok(mut result) => {
                if lacks_endings {
                    count_endings(&mut result);
                }
                Ok((result, file))
            }
            // Its place would be one in a text that nobody has.
            Err(error) => Err(ResultError::MalformedOlder { found, problem: error.to_string() }),
        }
    }
}

/// Why a text is no result that can be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ResultError {
    /// Not JSON, or not the fields of a result file.
    #[error("not a result file of coalmine: {problem} at line {line}, column {column}")]
    Malformed {
        /// What is wrong.
        problem: String,
        /// The line of the problem, from 1.
        line: usize,
        /// The column of the problem, from 1.
        column: usize,
    },
    /// No number of a format.
    #[error("not a result file of coalmine: it has no field \"schema\"")]
    NoSchema,
    /// Written by a later version.
    #[error(
        "result format {found}, written by coalmine {coalmine}, is newer than {known}, the newest \
         that this version reads: take that version or a later one"
    )]
    Newer {
        /// The number in the file.
        found: u64,
        /// The greatest number that can be read.
        known: u64,
        /// The version that wrote the file.
        coalmine: String,
    },
    /// Not the fields of a result file of an older format.
    #[error("not a result file of coalmine in format {found}: {problem}")]
    MalformedOlder {
        /// The number in the file.
        found: u64,
        /// What is wrong, in the words of the present format.
        problem: String,
    },
    /// It contradicts itself, or could do harm.
    #[error("no run has written this result: {0}")]
    Unsound(#[from] Unsound),
    /// A number that no version has written.
    #[error("result format {found} does not exist; the newest that this version reads is {known}")]
    Unknown {
        /// The number in the file.
        found: u64,
        /// The greatest number that can be read.
        known: u64,
    },
}

impl ResultError {
    fn of_json(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        Self::Malformed { problem: json_problem(error), line, column }
    }
}

/// What is wrong with a JSON text, without the place that the error's own text ends in.
pub(crate) fn json_problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// The fields that every format has.
#[derive(Deserialize)]
struct Probe {
    schema: Option<u64>,
    coalmine: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::super::example::{eventful, rolled_back_result, without_gate};
    use super::*;
    use crate::exchange::ModelIndex;
    use crate::record::{Happening, Order, Refusal};

    #[test]
    fn a_result_survives_its_file() {
        let eventful = ResultFile { record: eventful(), ..without_gate() };
        for result in [rolled_back_result(), without_gate(), eventful] {
            let text = result.to_json();
            let read = ResultFile::from_json(&text).unwrap();
            assert_eq!(read, result);
            assert_eq!(read.to_json(), text);
            assert!(text.ends_with("}\n"));
            assert!(!text.contains("null"), "what is absent is left out");
        }
    }

    #[test]
    fn a_file_of_the_third_format_is_read_with_its_commands_in_its_own_words() {
        let mut value = serde_json::to_value(without_gate()).unwrap();
        value["schema"] = 3.into();
        value["record"]["timeline"]["events"] = serde_json::json!([
            {"at": 7, "kind": "commanded", "model": 0, "what": "roll back to v9"},
            {"at": 7, "kind": "command_refused", "model": 0, "what": "roll back to v9",
             "why": "there is no v9"},
            {"at": 9, "kind": "command_missed", "what": "revoke the key web"},
        ]);
        let read = ResultFile::from_json(&value.to_string()).unwrap();
        let told = |text: &str| Order::Told(text.to_owned());
        let (model, order) = (Some(ModelIndex(0)), told("roll back to v9"));
        let why = Refusal::Told("there is no v9".to_owned());
        let happenings = read.record.timeline.events.into_iter().map(|event| event.happening);
        assert_eq!(
            happenings.collect::<Vec<_>>(),
            [
                Happening::Commanded { model, order: order.clone() },
                Happening::CommandRefused { model, order, why },
                Happening::CommandMissed { model: None, order: told("revoke the key web") },
            ]
        );
    }

    #[test]
    fn a_newer_format_is_refused_with_the_version_that_reads_it() {
        let (newest, newer) = (ResultFile::SCHEMA, ResultFile::SCHEMA + 1);
        let text = format!(r#"{{"schema": {newer}, "coalmine": "3.1.4", "unheard": "of"}}"#);
        let error = ResultFile::from_json(&text).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "result format {newer}, written by coalmine 3.1.4, is newer than {newest}, the \
                 newest that this version reads: take that version or a later one"
            )
        );
    }

    #[test]
    fn a_file_says_what_it_is_and_what_describes_it() {
        let text = without_gate().to_json();
        let head: Vec<&str> = text.lines().take(4).collect();
        assert_eq!(
            head[1],
            format!("  \"$schema\": \"urn:coalmine:result:{}\",", ResultFile::SCHEMA)
        );
        assert!(head[2].starts_with("  \"about\": \"The result of a rehearsal"), "{}", head[2]);
        assert_eq!(head[3], format!("  \"schema\": {},", ResultFile::SCHEMA));
    }

    #[test]
    fn what_is_no_result_file_is_refused_with_the_place_of_the_problem() {
        let message = |text: &str| ResultFile::from_json(text).unwrap_err().to_string();
        assert_eq!(
            message("{\n  \"schema\": x\n}"),
            "not a result file of coalmine: expected value at line 2, column 13"
        );
        assert_eq!(message("{}"), "not a result file of coalmine: it has no field \"schema\"");
        assert_eq!(
            message(&format!("{{\"schema\": {}}}", ResultFile::SCHEMA)),
            "not a result file of coalmine: missing field `coalmine` at line 1, column 13"
        );
        assert_eq!(
            message("{\"schema\": 1}"),
            "not a result file of coalmine in format 1: missing field `coalmine`"
        );
        assert_eq!(
            message("{\"schema\": 0}"),
            format!(
                "result format 0 does not exist; the newest that this version reads is {}",
                ResultFile::SCHEMA
            )
        );
        assert!(message("PK\u{3}\u{4}").starts_with("not a result file of coalmine: expected"));
    }
}
