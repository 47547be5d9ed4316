//! The trace formats that are known, and how a file tells which one it is in.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::trace_error::{TraceErrorKind, beginning};

/// A format that traces are read from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TraceFormat {
    /// The canonical record as CSV, see `docs/trace-format.md`.
    CoalmineCsv,
    /// The canonical record as one JSON object a line, see `docs/trace-format.md`.
    CoalmineJsonl,
    /// The Azure LLM inference traces of 2023 and 2024.
    Azure,
}

impl TraceFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::CoalmineCsv, Self::CoalmineJsonl, Self::Azure];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CoalmineCsv => "coalmine CSV",
            Self::CoalmineJsonl => "coalmine JSONL",
            Self::Azure => "azure",
        }
    }

    /// How its first line looks.
    pub const fn first_line(self) -> &'static str {
        match self {
            Self::CoalmineCsv => "#coalmine-trace 1",
            Self::CoalmineJsonl => "{\"coalmine_trace\":1}",
            Self::Azure => "TIMESTAMP,ContextTokens,GeneratedTokens",
        }
    }

    /// The unit that its times are taken to be in.
    pub(super) const fn time_unit(self) -> &'static str {
        match self {
            Self::CoalmineCsv | Self::CoalmineJsonl => "nanoseconds since the trace began",
            Self::Azure => "date and time in UTC",
        }
    }

    /// The format of a file with this first line.
    ///
    /// # Errors
    /// The line is the header of no known format, or of a version that is not read.
    pub(super) fn detect(first_line: &str) -> Result<Self, TraceErrorKind> {
        if let Some(version) = first_line.strip_prefix(CSV_MAGIC) {
            return supported(version.trim()).map(|()| Self::CoalmineCsv);
        }
        if first_line.starts_with('{') {
            let header: Option<JsonHeader> = serde_json::from_str(first_line).ok();
            let Some(JsonHeader { coalmine_trace }) = header else {
                return Err(unknown(first_line));
            };
            return supported(&coalmine_trace.to_string()).map(|()| Self::CoalmineJsonl);
        }
        let columns = first_line.split(',').map(|column| column.trim().trim_matches('"'));
        if columns.eq(AZURE_COLUMNS) {
            return Ok(Self::Azure);
        }
        Err(unknown(first_line))
    }
}

impl fmt::Display for TraceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The columns of the Azure traces, in their order.
pub(super) const AZURE_COLUMNS: [&str; 3] = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"];

/// The first line of a coalmine JSONL file. Exactly this key: other formats begin with `{` too.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonHeader {
    coalmine_trace: serde_json::Number,
}

fn unknown(first_line: &str) -> TraceErrorKind {
    let known = TraceFormat::ALL.map(|format| format!("{format} ({})", format.first_line()));
    TraceErrorKind::UnknownFormat { found: beginning(first_line), known: known.join(", ") }
}

fn supported(version: &str) -> Result<(), TraceErrorKind> {
    if version == VERSION {
        Ok(())
    } else {
        Err(TraceErrorKind::UnsupportedVersion { found: beginning(version) })
    }
}

const CSV_MAGIC: &str = "#coalmine-trace ";
const VERSION: &str = "1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_known_by_its_own_first_line() {
        for format in TraceFormat::ALL {
            assert_eq!(TraceFormat::detect(format.first_line()).unwrap(), format);
        }
    }

    #[test]
    fn a_header_that_several_formats_share_or_none_knows_is_an_error_that_lists_the_known_ones() {
        let mooncake = r#"{"timestamp": 0, "input_length": 6755, "output_length": 500}"#;
        for header in [mooncake, "{", "{}", "Timestamp,Model", "at_ns,input_tokens", "#coalmine"] {
            let error = TraceFormat::detect(header).unwrap_err();
            assert!(matches!(error, TraceErrorKind::UnknownFormat { .. }), "{header}");
            for format in TraceFormat::ALL {
                assert!(error.to_string().contains(format.first_line()), "{error}");
            }
        }
    }

    #[test]
    fn a_later_version_is_not_taken_for_this_one() {
        for header in ["#coalmine-trace 2", "#coalmine-trace 1.5", "{\"coalmine_trace\": 12}"] {
            let error = TraceFormat::detect(header).unwrap_err();
            assert!(matches!(error, TraceErrorKind::UnsupportedVersion { .. }), "{header}");
        }
    }
}
