//! The trace formats that are known, and how a file tells which one it is in.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::description::{Description, Entries, Recognised};
use super::error::{TraceErrorKind, beginning};

/// The list of formats, each with the file of this folder that it is described in.
macro_rules! formats {
    ($($(#[$about:meta])+ $name:ident in $file:ident,)+) => {
        /// A format that traces are read from.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum TraceFormat {
            $($(#[$about])+ $name,)+
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
    /// The BurstGPT traces of 2023 to 2025.
    #[serde(rename = "burstgpt")]
    BurstGpt in burstgpt,
    /// The traces of Qwen on Aliyun Bailian of 2024 and 2025.
    Bailian in bailian,
    /// Logs of the LiteLLM proxy.
    Litellm in litellm,
    /// Spans of OpenTelemetry's conventions for generative AI.
    Otel in otel,
    /// Access logs of nginx.
    Nginx in nginx,
    /// Access logs of Envoy.
    Envoy in envoy,
    /// HTTP archives of browsers and recording proxies.
    Har in har,
    /// Results of `vegeta attack` as CSV.
    Vegeta in vegeta,
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

    /// Whether it has room for what became of requests: versions, status, times.
    pub const fn keeps_outcomes(self) -> bool {
        !matches!(self, Self::Azure | Self::Mooncake | Self::Bailian)
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
        let known = texts.map(|format| format.key()).collect::<Vec<_>>().join(", ");
        Err(TraceErrorKind::UnknownFormat { found: beginning(first_line), known })
    }
}

impl TraceFormat {
    /// The format of a document with this beginning, and where its rows are; `None` where it is no
    /// document, but lines, or in another format than the one that was `told`. What is told to be
    /// in a format that has only documents is one, whatever its first key.
    pub(super) fn of_document(head: &[u8], told: Option<Self>) -> Option<(Self, Entries)> {
        let of = |format: &Self| Some((*format, format.description().entries?));
        let candidates = Self::ALL.iter().filter(|format| told.is_none_or(|told| told == **format));
        let is_told = told.is_some() && !head.trim_ascii().is_empty();
        let is_one = |entries: &Entries| is_told && entries.is_only_form || entries.are_in(head);
        candidates.filter_map(of).find(|(_, entries)| is_one(entries))
    }
}

impl TraceFormat {
    /// All formats that take what begins with `bytes` for theirs: one at most, or its files could
    /// be misread.
    #[doc(hidden)]
    pub fn takers(bytes: &[u8]) -> Vec<Self> {
        let first_line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let first_line = String::from_utf8_lossy(first_line);
        let first_line = first_line.trim_end_matches('\r');
        let takes = |format: &Self| {
            let description = format.description();
            let is_document = description.entries.is_some_and(|entries| entries.are_in(bytes));
            is_document || !matches!((description.recognise)(first_line), Recognised::No)
        };
        Self::ALL.iter().copied().filter(takes).collect()
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
                assert!(error.to_string().contains(format.key()), "{error}");
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
