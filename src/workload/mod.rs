//! What is sent, and when: arrival processes, token sizes, traces.
//!
//! A [`Source`] yields the requests of a run in the order of their times, either generated from a
//! [`Workload`] or replayed from a trace. Traces are read by [`TraceReader`], written by
//! [`TraceWriter`] and described by [`Shape`]; `docs/trace-format.md` has the formats. Takes
//! readers and writers: knows no paths, no HTTP, and nothing of what becomes of a request.

mod accounting;
mod arrivals;
mod azure;
mod coalmine_csv;
mod coalmine_jsonl;
mod csv_rows;
mod line_feed;
mod shape;
mod source;
mod trace_error;
mod trace_format;
mod trace_fuzz;
mod trace_reader;
mod trace_record;
mod trace_writer;

pub use accounting::{Accounting, DropReason, Dropped};
pub use arrivals::{Arrivals, Piecewise, PiecewiseError};
pub use shape::{Shape, ShapeMeter, TokenShape};
pub use source::{Replay, Source, TraceInput, Workload};
pub use trace_error::{TraceError, TraceErrorKind};
pub use trace_format::TraceFormat;
#[doc(hidden)]
pub use trace_fuzz::fuzz_trace;
pub use trace_reader::TraceReader;
pub use trace_record::TraceRecord;
pub use trace_writer::TraceWriter;
