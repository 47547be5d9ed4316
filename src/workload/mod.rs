//! What is sent, and when.
mod accounting;
mod azure;
mod coalmine_csv;
mod coalmine_jsonl;
mod csv_rows;
mod line_feed;
mod trace_error;
mod trace_format;
mod trace_fuzz;
mod trace_reader;
mod trace_record;
mod trace_writer;

pub use accounting::{Accounting, DropReason, Dropped};
pub use trace_error::{TraceError, TraceErrorKind};
pub use trace_format::TraceFormat;
#[doc(hidden)]
pub use trace_fuzz::fuzz_trace;
pub use trace_reader::TraceReader;
pub use trace_record::TraceRecord;
pub use trace_writer::TraceWriter;
