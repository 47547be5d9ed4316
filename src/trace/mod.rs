//! Recorded requests: the formats that they are read from and written to.
//!
//! [`TraceReader`] yields the records of any format in the order of their times and accounts for
//! every row; [`TraceWriter`] writes them. `docs/trace-format.md` has the formats. Takes readers
//! and writers: knows no paths, and nothing of what is done with a record.

mod access_log;
mod accounting;
mod azure;
mod bailian;
mod burstgpt;
mod bytes;
mod coalmine_csv;
mod coalmine_jsonl;
mod column;
mod csv_rows;
mod date_time;
mod decimal;
mod description;
mod entry_feed;
mod envoy;
mod error;
#[cfg(test)]
mod fixture;
mod foreign_name;
mod format;
mod fuzz;
mod har;
mod import;
mod json_line;
mod json_members;
mod json_object;
mod json_scalar;
mod line_feed;
mod litellm;
mod log_tokens;
mod logged;
mod mooncake;
mod names;
mod nginx;
mod number;
mod options;
mod otel;
mod packed;
mod packed_layout;
mod packed_reader;
mod packed_row;
mod packed_rows;
mod packed_writer;
mod plain_object;
mod reader;
mod record;
mod round_trip;
mod sorter;
mod source_options;
mod spreader;
mod symptom;
mod text_rows;
mod unasked;
mod varint;
mod vegeta;
mod version;
mod writer;

pub use accounting::{Accounting, DropReason, Dropped};
pub use error::{TraceError, TraceErrorKind, TracePlace};
pub use format::TraceFormat;
#[doc(hidden)]
pub use fuzz::{fuzz_trace, fuzz_trace_format};
pub use import::{ImportError, ImportOptions, Imported, import};
pub use names::{Names, UserNames};
pub use options::{ReadOptions, TimeUnit};
pub use packed_layout::Provenance;
pub use packed_writer::PackedWriter;
pub use reader::TraceReader;
pub use record::{Failure, Prefix, TraceRecord};
pub use sorter::{Scratch, Sorted, Sorter, Zero};
pub use source_options::SourceOptions;
pub use spreader::Spreader;
pub use writer::{TraceWriter, WriteError};
