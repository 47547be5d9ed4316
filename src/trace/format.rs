//! The trace formats that are known, and how a file tells which one it is in.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::description::{Description, Recognised};
use super::error::{TraceErrorKind, beginning};

/// The list of formats, each with the file of this folder that it is described in.
macro_rules! formats {
    ($($(#[doc = $about:literal])+ $name:ident in $file:ident,)+) => {
        /// A format that traces are read from.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum TraceFormat {
            $($(#[doc = $about])+ $name,)+
        }

        impl TraceFormat {
            /// Every format.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub(super) const fn description(self) -> &'static Description {
                match self {
                    $(Self::$name => &super::$file::FORMAT,)+
                }
            }
        }
    };
}

formats! {
    /// Coalmine's binary form, see `docs/trace-format.md`.
    Packed in packed,
    /// The canonical record as CSV, see `docs/trace-format.md`.
    CoalmineCsv in coalmine_csv,
    /// The canonical record as one JSON object a line, see `docs/trace-format.md`.
    CoalmineJsonl in coalmine_jsonl,
    /// The Azure LLM inference traces of 2023 and 2024.
    Azure in azure,
    /// The Mooncake traces of 2025.
    Mooncake in mooncake,
}

impl TraceFormat {
    /// Its name.
    pub const fn name(self) -> &'static str {
        self.description().name
    }

    /// Its name on a command line and in files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Packed => "coalmine-binary",
            Self::CoalmineCsv => "coalmine-csv",
            Self::CoalmineJsonl => "coalmine-jsonl",
            other => other.name(),
        }
    }

    /// What a file in it begins with, as an example.
    pub const fn begins(self) -> &'static str {
        self.description().begins
    }

    /// The format of a file with this first line.
    ///
    /// # Errors
    /// The line begins no known format, or a version of one that is not read.
    pub(super) fn detect(first_line: &str) -> Result<Self, TraceErrorKind> {
        for format in Self::ALL {
            match (format.description().recognise)(first_line) {
                Recognised::No => (),
                Recognised::Yes => return Ok(*format),
                Recognised::Refused(why) => return Err(why),
            }
        }
        let texts = Self::ALL.iter().filter(|format| **format != Self::Packed);
        let known = texts.map(|format| format!("{format} ({})", format.begins()));
        let known = known.collect::<Vec<_>>().join(", ");
        Err(TraceErrorKind::UnknownFormat { found: beginning(first_line), known })
    }
}

impl fmt::Display for TraceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_known_by_its_own_first_line() {
        for format in TraceFormat::ALL.iter().filter(|format| **format != TraceFormat::Packed) {
            assert_eq!(TraceFormat::detect(format.begins()).unwrap(), *format);
        }
    }

    #[test]
    fn a_header_that_several_formats_share_or_none_knows_is_an_error_that_lists_the_known_ones() {
        let short = r#"{"timestamp": 0, "input_length": 6755, "output_length": 500}"#;
        for header in [short, "{", "{}", "Timestamp,Model", "at_ns,input_tokens", "#coalmine"] {
            let error = TraceFormat::detect(header).unwrap_err();
            assert!(matches!(error, TraceErrorKind::UnknownFormat { .. }), "{header}");
            for format in TraceFormat::ALL.iter().filter(|it| **it != TraceFormat::Packed) {
                assert!(error.to_string().contains(format.begins()), "{error}");
            }
        }
    }

    #[test]
    fn a_later_version_is_not_taken_for_this_one() {
        for header in ["#coalmine-trace 3", "#coalmine-trace 1.5", "{\"coalmine_trace\": 12}"] {
            let error = TraceFormat::detect(header).unwrap_err();
            assert!(matches!(error, TraceErrorKind::UnsupportedVersion { .. }), "{header}");
        }
    }
}
