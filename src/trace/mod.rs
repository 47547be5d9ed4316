//! Recorded requests: the formats that they are read from and written to, and what describes them.
//!
//! [`TraceReader`] yields the records of any format in the order of their times and accounts for
//! every row; [`TraceWriter`] writes them; a [`Shape`] tells one traffic from another.
//! `docs/trace-format.md` has the formats. Takes readers and writers: knows no paths, and nothing
//! of what is done with a record.

mod accounting;
mod azure;
mod coalmine_csv;
mod coalmine_jsonl;
mod csv_rows;
mod description;
mod error;
mod format;
mod fuzz;
mod json_object;
mod line_feed;
mod mooncake;
mod reader;
mod record;
mod shape;
mod version;
mod writer;

pub use accounting::{Accounting, DropReason, Dropped};
pub use error::{TraceError, TraceErrorKind};
pub use format::TraceFormat;
#[doc(hidden)]
pub use fuzz::fuzz_trace;
pub use reader::TraceReader;
pub use record::TraceRecord;
pub use shape::{Shape, ShapeMeter, TokenShape};
pub use writer::TraceWriter;
