//! `coalmine trace import`: any log of requests into a trace in the binary form.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use tempfile::NamedTempFile;

use super::disk;
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::progress::Progress;
use super::scratch::{Folder, folder_for};
use super::shared_arguments::{OutputFormat, duration, seed};
use super::terminal::{Failure, complain, print};
use super::trace_format::FormatName;
use crate::chance::{Chance, Purpose};
use crate::trace::{
    Accounting, ImportError, ImportOptions, Imported, Names, Provenance, ReadOptions,
    SourceOptions, TimeUnit, TraceReader, UserNames, import,
};
use crate::units::{Draw, Duration, RequestId, Timestamp, format_count, format_duration};

#[derive(Clone, Debug, Args)]
pub(super) struct ImportArguments {
    /// The log; `-` reads stdin. What is packed with gzip or zstd is unpacked
    source: PathBuf,
    /// Where the trace goes; `-` writes it to stdout [default: the log's name, ending in .trace, in
    /// the working directory]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the trace if it is there
    #[arg(long)]
    force: bool,
    /// The log's format [default: the one that its beginning tells]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<FormatName>,
    /// The unit of its times, where the format leaves that open
    #[arg(long, value_enum, value_name = "UNIT")]
    unit: Option<UnitName>,
    /// Tokens of a block of the prompt, where the format leaves that open
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..))]
    block: Option<u32>,
    /// Leave out up to so many broken rows; one more ends the import
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip_bad: u64,
    /// Spread rows of one time at random over what times were rounded to, such as 3s
    #[arg(long, value_name = "TIME", value_parser = duration)]
    dequantize: Option<Duration>,
    /// Seed of what is spread
    #[arg(long, default_value_t = 0, value_parser = seed)]
    seed: u64,
    /// A file with the secret, of 16 bytes or more, by which names of users and conversations are
    /// hashed: the same names get the same numbers in every import with it [default: a secret that
    /// is made up and forgotten]
    #[arg(long, value_name = "FILE")]
    hash_key: Option<PathBuf>,
    /// Write the names of users and their numbers to this file [default: names are forgotten]
    #[arg(long, value_name = "FILE")]
    keep_user_names: Option<PathBuf>,
    /// How it is told what became of the rows
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    report: OutputFormat,
}

/// A unit of time by its symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum UnitName {
    /// Seconds
    S,
    /// Milliseconds
    Ms,
    /// Microseconds
    Us,
    /// Nanoseconds
    Ns,
}

impl From<UnitName> for TimeUnit {
    fn from(name: UnitName) -> Self {
        match name {
            UnitName::S => Self::Seconds,
            UnitName::Ms => Self::Millis,
            UnitName::Us => Self::Micros,
            UnitName::Ns => Self::Nanos,
        }
    }
}

/// Imports a trace.
pub(super) fn run_import(arguments: &ImportArguments) -> Result<Exit, Failure> {
    let target = Target::of(arguments)?;
    let (names, kept) = names(arguments)?;
    let source = arguments.source.display().to_string();
    let reading = SourceOptions {
        format: arguments.format.map(Into::into),
        rows: ReadOptions { unit: arguments.unit.map(Into::into), block: arguments.block, names },
        skip_bad: arguments.skip_bad,
        // What is spread must be in order.
        any_order: arguments.dequantize.is_none(),
    };
    let broken =
        |error: &dyn std::fmt::Display| Failure::input(format!("error: {source}: {error}"));
    let mut reader =
        TraceReader::with(open(&arguments.source)?, reading).map_err(|error| broken(&error))?;
    let interrupt = Interrupt::notice()?;
    let mut folder = Folder::new(target.folder()?);
    let mut progress = Progress::of_rows();
    let chance = Chance::new(arguments.seed, 0);
    let draw = |row: u64| -> Draw { chance.request(RequestId(row), 0).draw(Purpose::Spread, 0) };
    let options = ImportOptions {
        dequantize: arguments.dequantize.map(|quantum| (quantum, &draw as &dyn Fn(u64) -> Draw)),
        progress: &mut |read| {
            progress.show(read);
            match interrupt.is_asked() {
                true => Err(io::Error::from(io::ErrorKind::Interrupted)),
                false => Ok(()),
            }
        },
    };
    let imported = import(&mut reader, &mut folder, options);
    progress.clear();
    let imported = imported.map_err(|error| match error {
        ImportError::Trace(error) => broken(&error),
        ImportError::Scratch(error) => match interrupt.check_writing() {
            Err(interrupted) => interrupted,
            Ok(()) => Failure::internal(format!("error: {error}")),
        },
    })?;
    let told = told(&imported, &target, arguments)?;
    if let (Some(path), Some(kept)) = (&arguments.keep_user_names, kept) {
        write_names(path, &kept)?;
    }
    let Imported { file, .. } = imported;
    match &target {
        Target::Stdout => {
            copy_to_stdout(file)?;
            complain(&told);
        }
        Target::File(path) => {
            file.persist(path).map_err(|error| Failure::unwritten(path, &error.error))?;
            print(&told)?;
        }
    }
    Ok(Exit::Pass)
}

/// Where the trace goes.
enum Target {
    Stdout,
    File(PathBuf),
}

impl Target {
    fn of(arguments: &ImportArguments) -> Result<Self, Failure> {
        let path = match &arguments.out {
            Some(path) if path == Path::new("-") => return Ok(Self::Stdout),
            Some(path) => path.clone(),
            None => named_after(&arguments.source).ok_or_else(|| Failure {
                exit: Exit::Usage,
                message: "error: what comes from stdin has no name: say by `-o FILE` where the \
                          trace goes"
                    .to_owned(),
            })?,
        };
        folder_for(&path, arguments.force)?;
        Ok(Self::File(path))
    }

    /// Where temporary files go: beside the trace, so that it can be renamed.
    fn folder(&self) -> Result<PathBuf, Failure> {
        match self {
            Self::Stdout => Ok(std::env::temp_dir()),
            Self::File(path) => folder_for(path, true).map(Path::to_owned),
        }
    }
}

/// `week.jsonl.gz` becomes `week.trace`.
fn named_after(source: &Path) -> Option<PathBuf> {
    if source == Path::new("-") {
        return None;
    }
    let mut name = PathBuf::from(source.file_name()?);
    if name.extension().is_some_and(|packed| packed == "gz" || packed == "zst") {
        name.set_extension("");
    }
    name.set_extension("trace");
    Some(name)
}

fn open(source: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if source == Path::new("-") {
        return Ok(Box::new(BufReader::with_capacity(disk::READ_AHEAD, io::stdin())));
    }
    let file = File::open(source).map_err(|error| {
        Failure::input(format!("error: cannot read {}: {error}", source.display()))
    })?;
    Ok(Box::new(BufReader::with_capacity(disk::READ_AHEAD, file)))
}

fn names(arguments: &ImportArguments) -> Result<(Names, Option<UserNames>), Failure> {
    let names = match &arguments.hash_key {
        None => Names::with_key(&made_up_secret()?),
        Some(path) => {
            let key = fs::read(path).map_err(|error| {
                Failure::input(format!("error: cannot read {}: {error}", path.display()))
            })?;
            let key = key.trim_ascii();
            if key.len() < SHORTEST_KEY {
                let (shown, has) = (path.display(), key.len());
                return Err(Failure::input(format!(
                    "error: the secret in {shown} has {has} bytes: allowed are {SHORTEST_KEY} or \
                     more; make one with `openssl rand -hex 32`"
                )));
            }
            Names::with_key(key)
        }
    };
    if arguments.keep_user_names.is_none() {
        return Ok((names, None));
    }
    let (names, kept) = names.keeping_users();
    Ok((names, Some(kept)))
}

/// 32 bytes of the system's own randomness: nobody can guess names by them, since nobody has them.
fn made_up_secret() -> Result<[u8; 32], Failure> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| {
        Failure::internal(format!(
            "error: the system has no random numbers ({error}): name a secret by `--hash-key FILE`"
        ))
    })?;
    Ok(secret)
}

fn write_names(path: &Path, kept: &UserNames) -> Result<(), Failure> {
    let mut rows = csv::Writer::from_writer(Vec::new());
    let written = rows.write_record(["user", "name"]).and_then(|()| {
        let mut met = kept.met().into_iter();
        met.try_for_each(|(number, name)| rows.write_record([number.to_string(), name]))
    });
    let bytes = written
        .map_err(io::Error::from)
        .and_then(|()| rows.into_inner().map_err(|error| io::Error::other(error.to_string())));
    let written = bytes.and_then(|bytes| disk::write_whole(path, &bytes));
    written.map_err(|error| Failure::unwritten(path, &error))
}

fn copy_to_stdout(mut file: NamedTempFile) -> Result<(), Failure> {
    use std::io::Seek;
    let copied = file.rewind().and_then(|()| io::copy(&mut file, &mut io::stdout().lock()));
    match copied {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::internal(format!("error: cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// What is told of an import to a machine.
#[derive(Serialize)]
struct Report<'a> {
    source: String,
    trace: Option<String>,
    began: Option<Timestamp>,
    span_ns: Duration,
    #[serde(flatten)]
    provenance: &'a Provenance,
}

fn told(
    imported: &Imported<NamedTempFile>,
    target: &Target,
    arguments: &ImportArguments,
) -> Result<String, Failure> {
    let trace = match target {
        Target::Stdout => None,
        Target::File(path) => Some(path.display().to_string()),
    };
    let source = arguments.source.display().to_string();
    if arguments.report == OutputFormat::Json {
        let (began, span_ns) = (imported.began, imported.span);
        let report = Report { source, trace, began, span_ns, provenance: &imported.provenance };
        let text = serde_json::to_string_pretty(&report)
            .map_err(|error| Failure::internal(format!("error: {error}")))?;
        return Ok(text + "\n");
    }
    let Accounting { format, unit, read, emitted, dropped, late } = &imported.provenance.accounting;
    let mut text = format!("{source}: {format}, times as {unit}\n");
    let mut line = |label: &str, count: u64, more: &str| {
        let count = format_count(count);
        let _ = writeln!(text, "  {label:<12}{count:>12}{more}");
    };
    line("read", *read, "");
    line("imported", *emitted, "");
    for (reason, rows) in dropped {
        line(
            "dropped",
            rows.count,
            &format!("  {}: {}", reason.words(), lines(&rows.lines, rows.count)),
        );
    }
    if let Some(late) = late {
        let more = format!(
            "  sent before the row before them, sorted: {}",
            lines(&late.lines, late.count)
        );
        line("late", late.count, &more);
    }
    let began = imported.began.map(|began| format!(" from {began} on")).unwrap_or_default();
    let _ = writeln!(text, "  span        {:>12}{began}", format_duration(imported.span));
    if let Some(sha256) = &imported.provenance.source_sha256 {
        let _ = writeln!(text, "  SHA-256     {sha256}");
    }
    if let Some(trace) = trace {
        let _ = writeln!(text, "  written to  {trace}");
    }
    Ok(text)
}

/// `lines 3, 17, 18 and others`.
fn lines(lines: &[u64], count: u64) -> String {
    let listed: Vec<_> = lines.iter().map(u64::to_string).collect();
    let others = if count > lines.len() as u64 { " and others" } else { "" };
    let noun = if count == 1 { "line" } else { "lines" };
    format!("{noun} {}{others}", listed.join(", "))
}

/// Chosen: 128 bits cannot be guessed.
const SHORTEST_KEY: usize = 16;

pub(super) const IMPORT_HELP: &str = "\
Examples:
  coalmine trace import gateway.jsonl.gz
  coalmine trace import azure.csv -o azure.trace
  zcat access.log.*.gz | coalmine trace import - --format nginx -o week.trace --skip-bad 10
  coalmine trace import conversations.jsonl --dequantize 3s
  coalmine trace import qwen.jsonl --unit s --block 16
  coalmine trace import gateway.jsonl --hash-key team.key --report json

The trace holds when requests were sent, how large they were and what became of them: no prompt is
ever kept, and names of users and conversations become numbers by a keyed hash. Rows are sorted by
the time at which requests were sent; every row that was read is accounted for. docs/traces.md leads
from a log to a rehearsal, docs/trace-format.md describes the formats.";
