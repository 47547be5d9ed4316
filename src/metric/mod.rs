//! The one registry of metrics: what each is called, measures, is shown in, and how its interval
//! is made.
//!
//! Rules, gate, summary, report and documentation read this table; a metric that is not here
//! exists nowhere. Knows nothing of results.

mod registry;
mod value_text;

pub use registry::{Direction, Interval, Measure, Metric, Quantile, Sample, Unit, UnknownMetric};
pub use value_text::format_value;
