//! `coalmine trace export`: a trace in another format.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::apart::{Role, check_apart};
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::open::{broken_trace_failure, open_trace};
use super::scratch::{folder_for, temporary_in};
use super::terminal::{Failure, complain};
use super::trace_format::FormatName;
use super::unfit::Unfit;
use crate::trace::{TraceError, TraceFormat, TraceReader, TraceRecord, TraceWriter, WriteError};
use crate::units::{Timestamp, format_counted};

#[derive(Clone, Debug, Args)]
pub(super) struct ExportArguments {
    /// The trace: one that was imported, or any other whose rows are in order
    trace: PathBuf,
    /// The format to write
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: FormatName,
    /// Where it goes [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// The date at which the trace began, where it does not know [default: 1970-01-01T00:00:00Z]
    #[arg(long, value_name = "DATE")]
    began: Option<Timestamp>,
    /// Leave out rows that the format has no room for, and tell how many
    #[arg(long)]
    skip_unfit: bool,
}

/// Exports a trace.
pub(super) fn run_export(arguments: &ExportArguments) -> Result<Exit, Failure> {
    let path = &arguments.trace;
    let broken = |error: TraceError| broken_trace_failure(path, &error);
    let mut reader = TraceReader::new(open_trace(path)?).map_err(broken)?;
    // Where the trace has dates, the first row tells when it began.
    let first = reader.next_record().map_err(broken)?;
    if let (Some(asked), Some(began)) = (arguments.began, reader.began()) {
        let shown = path.display();
        let message = format!("error: {shown} began on {began}: leave `--began {asked}` out");
        return Err(Failure { exit: Exit::Usage, message });
    }
    let began = reader.began().or(arguments.began);
    let others = std::iter::from_fn(|| reader.next_record().map_err(broken).transpose());
    let rows = first.map(Ok).into_iter().chain(others);
    let read = [("the trace", path.as_path())];
    let output = Output::new(arguments.out.as_deref(), arguments.force, &read)?;
    let mut unfit = match arguments.skip_unfit {
        true => Unfit::left_out(),
        false => Unfit::refused("leave such rows out by --skip-unfit"),
    };
    let written = output.write(arguments.format.into(), began, rows, &mut unfit)?;
    if let Some(path) = &arguments.out {
        complain(&format!("{}: {}", path.display(), format_counted(written, "row", "rows")));
    }
    if let Some(told) = unfit.told() {
        complain(&told);
    }
    Ok(Exit::Pass)
}

/// Where a trace is written to.
pub(super) enum Output {
    /// Stdout, row by row.
    Stdout,
    /// A file, under a temporary name until it is whole.
    File(PathBuf),
}

impl Output {
    /// The file at `path`, which must not be there unless it may be replaced, and none of those
    /// that are `read`; stdout without one.
    pub(super) fn new(
        path: Option<&Path>,
        may_replace: bool,
        read: &[Role<'_>],
    ) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Stdout);
        };
        check_apart(("--out", path), read)?;
        folder_for(path, may_replace)?;
        Ok(Self::File(path.to_owned()))
    }

    /// Writes `rows` of a trace that began on this date: how many.
    pub(super) fn write(
        self,
        format: TraceFormat,
        began: Option<Timestamp>,
        rows: impl Iterator<Item = Result<TraceRecord, Failure>>,
        unfit: &mut Unfit,
    ) -> Result<u64, Failure> {
        match self {
            Self::Stdout => match write(io::stdout().lock(), format, began, rows, unfit) {
                Ok((count, _)) => Ok(count),
                Err(Unwritten::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
                Err(Unwritten::Other(failure)) => {
                    let message =
                        failure.message + "\n  note: what was written to stdout is not whole";
                    Err(Failure { message, ..failure })
                }
                Err(error) => Err(error.failure(Path::new("stdout"))),
            },
            Self::File(path) => {
                let interrupt = Interrupt::notice()?;
                let rows = rows.map(|row| interrupt.check_writing().and(row));
                let folder = folder_for(&path, true)?;
                let file =
                    temporary_in(folder).map_err(|error| Failure::unwritten(&path, &error))?;
                let (count, file) = write(file, format, began, rows, unfit)
                    .map_err(|error| error.failure(&path))?;
                file.persist(&path).map_err(|error| Failure::unwritten(&path, &error.error))?;
                Ok(count)
            }
        }
    }
}

/// Why a trace was not written.
enum Unwritten {
    Output(io::Error),
    Other(Failure),
}

impl Unwritten {
    fn failure(self, path: &Path) -> Failure {
        match self {
            Self::Output(error) => Failure::unwritten(path, &error),
            Self::Other(failure) => failure,
        }
    }
}

fn write<W: Write>(
    output: W,
    format: TraceFormat,
    began: Option<Timestamp>,
    rows: impl Iterator<Item = Result<TraceRecord, Failure>>,
    unfit: &mut Unfit,
) -> Result<(u64, W), Unwritten> {
    let output = BufWriter::with_capacity(WRITE_AT_ONCE, output);
    let mut writer = TraceWriter::new(output, format, began).map_err(Unwritten::Output)?;
    let mut count = 0;
    for record in rows {
        let record = record.map_err(Unwritten::Other)?;
        match writer.write(&record) {
            Ok(()) => count += 1,
            Err(WriteError::Output(error)) => return Err(Unwritten::Output(error)),
            Err(WriteError::Row { row, kind }) => {
                unfit.meet(format, row, &kind).map_err(Unwritten::Other)?;
            }
        }
    }
    unfit.check_rest(format, count).map_err(Unwritten::Other)?;
    let output = writer.finish().map_err(Unwritten::Output)?;
    let output = output.into_inner().map_err(|error| Unwritten::Output(error.into_error()))?;
    Ok((count, output))
}

/// Chosen: some hundred rows at once.
const WRITE_AT_ONCE: usize = 64 * 1024;

pub(super) const EXPORT_HELP: &str = "\
Examples:
  coalmine trace export week.trace --format coalmine-csv | head
  coalmine trace export week.trace --format azure -o week.csv --skip-unfit
  coalmine trace export synthetic.trace --format mooncake --began 2026-11-02T08:00:00Z

Coalmine's own formats keep all of a record, others what they have room for: docs/trace-format.md
says what. What a format must have and a record does not is an error, or left out by --skip-unfit.";
