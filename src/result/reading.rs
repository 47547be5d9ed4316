//! Results read from their files.

use serde::Deserialize;

use super::file::ResultFile;
use super::soundness::{self, Unsound};
use crate::run::TraceReport;

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
            Some(found @ (OF_ONE_TRACE | Self::SCHEMA)) => {
                let malformed = |error| ResultError::of_json(&error);
                let mut result: Self = serde_json::from_str(text).map_err(malformed)?;
                if found == OF_ONE_TRACE {
                    let OfOneTrace { trace } = serde_json::from_str(text).map_err(malformed)?;
                    result.traces = trace.into_iter().collect();
                    result.schema = Self::SCHEMA;
                }
                let value = serde_json::from_str(text).map_err(malformed)?;
                soundness::check(&result, &value)?;
                Ok(result)
            }
            Some(found) if found > 0 => Err(ResultError::Older {
                found,
                known: OF_ONE_TRACE,
                coalmine: probe.coalmine.unwrap_or_else(|| "unknown".to_owned()),
            }),
            Some(found) => Err(ResultError::Unknown { found, known: Self::SCHEMA }),
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
    /// Written by an earlier version, which told of one model only.
    #[error(
        "result format {found}, written by coalmine {coalmine}, is older than {known}, the oldest \
         that this version reads: run the scenario again, under the seed that the file states"
    )]
    Older {
        /// The number in the file.
        found: u64,
        /// The least number that can be read.
        known: u64,
        /// The version that wrote the file.
        coalmine: String,
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
        // The error's text ends in its place, which stands in fields of its own here.
        let text = error.to_string();
        let problem = text.split(" at line ").next().unwrap_or(&text).to_owned();
        Self::Malformed { problem, line, column }
    }
}

/// The fields that every format has.
#[derive(Deserialize)]
struct Probe {
    schema: Option<u64>,
    coalmine: Option<String>,
}

/// What the format before this one says in a field of its own: it knows of one trace at most.
#[derive(Deserialize)]
struct OfOneTrace {
    trace: Option<TraceReport>,
}

/// The number of the format before this one.
const OF_ONE_TRACE: u64 = 2;

#[cfg(test)]
mod tests {
    use super::super::example::{eventful, rolled_back_result, without_gate};
    use super::*;

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
    fn a_file_of_the_format_before_is_read_with_its_one_trace() {
        for result in [rolled_back_result(), without_gate()] {
            let mut value = serde_json::to_value(&result).unwrap();
            value["schema"] = 2.into();
            let fields = value.as_object_mut().unwrap();
            if let Some(mut traces) = fields.remove("traces") {
                let mut trace = traces[0].take();
                trace.as_object_mut().unwrap().remove("file");
                fields.insert("trace".to_owned(), trace);
            }
            let read = ResultFile::from_json(&value.to_string()).unwrap();
            let mut expected = result;
            expected.traces.iter_mut().for_each(|trace| trace.file = None);
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn a_newer_format_is_refused_with_the_version_that_reads_it() {
        let text = r#"{"schema": 4, "coalmine": "3.1.4", "unheard": "of"}"#;
        let error = ResultFile::from_json(text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "result format 4, written by coalmine 3.1.4, is newer than 3, the newest that this \
             version reads: take that version or a later one"
        );
    }

    #[test]
    fn an_older_format_is_refused_with_what_to_do() {
        let error = ResultFile::from_json(r#"{"schema": 1, "coalmine": "0.1.0"}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "result format 1, written by coalmine 0.1.0, is older than 2, the oldest that \
             this version reads: run the scenario again, under the seed that the file states"
        );
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
            message("{\"schema\": 3}"),
            "not a result file of coalmine: missing field `coalmine` at line 1, column 13"
        );
        assert_eq!(
            message("{\"schema\": 0}"),
            "result format 0 does not exist; the newest that this version reads is 3"
        );
        assert!(message("PK\u{3}\u{4}").starts_with("not a result file of coalmine: expected"));
    }
}
