//! A profile with the trace that it describes, as a document for programs.

use serde::Serialize;

use super::figures::Profile;
use crate::json::outline;
use crate::trace::Accounting;
use crate::units::{Duration, Timestamp};

/// What is known of a trace. What its fields mean is said in its JSON Schema,
/// [`stats_schema`](super::schema::stats_schema).
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TraceStats {
    /// The name of its JSON Schema.
    #[serde(rename = "$schema")]
    description: String,
    /// The number of the format.
    schema: u32,
    /// The version that made it.
    coalmine: String,
    /// The trace.
    pub source: TraceSource,
    /// What describes it.
    pub profile: Profile,
}

/// A trace and how it was read.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TraceSource {
    /// Its path.
    pub file: String,
    /// The SHA-256 of the whole file in hexadecimal digits, where it was read to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// When it began, where it has dates.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "date")]
    pub began: Option<Timestamp>,
    /// What became of its rows.
    pub accounting: Accounting,
    /// What rows of one time were spread over at random.
    #[serde(rename = "dequantized_ns", skip_serializing_if = "Option::is_none")]
    pub dequantized: Option<Duration>,
    /// Where the stretch begins that is described, and how long it is at most: the trace may end
    /// before it does.
    #[serde(rename = "window_ns", skip_serializing_if = "Option::is_none")]
    pub window: Option<[Duration; 2]>,
}

impl TraceStats {
    /// The number of the format.
    pub const SCHEMA: u32 = 1;

    /// Of the trace `source`.
    pub fn new(source: TraceSource, profile: Profile) -> Self {
        Self {
            description: Self::schema_name(),
            schema: Self::SCHEMA,
            coalmine: env!("CARGO_PKG_VERSION").to_owned(),
            source,
            profile,
        }
    }

    /// The document's text: indented JSON, a newline at its end.
    pub fn to_json(&self) -> String {
        outline(self)
    }

    /// The name of the JSON Schema of this format.
    pub(super) fn schema_name() -> String {
        format!("urn:coalmine:trace-stats:{}", Self::SCHEMA)
    }
}

fn date<S: serde::Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(|at| at.to_string()).serialize(serializer)
}
