//! `coalmine trace import`: any log of requests into a trace in the binary form.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tempfile::NamedTempFile;

use super::apart::check_apart;
use super::disk;
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::open::broken_trace_failure;
use super::progress::Progress;
use super::quoting::shell_word;
use super::scratch::{Folder, folder_for};
use super::shared_arguments::{OutputFormat, duration, seed};
use super::terminal::{Failure, complain, print};
use super::trace_format::FormatName;
use super::trace_import_report::{Written, odd, report};
use super::user_names::write_names;
use crate::chance::{Chance, Purpose};
use crate::trace::{
    ImportError, ImportOptions, Imported, Names, ReadOptions, SourceOptions, TimeUnit, TraceError,
    TraceReader, UserNames, import,
};
use crate::units::{Draw, Duration, RequestId};

#[derive(Clone, Debug, Args)]
pub(super) struct ImportArguments {
    /// The log; `-` reads stdin. What is packed with gzip or zstd is unpacked
    source: PathBuf,
    /// Only to say what to do with several logs
    #[arg(hide = true)]
    others: Vec<PathBuf>,
    /// Where the trace goes; `-` writes it to stdout [default: the log's name, ending in .trace, in
    /// the working directory]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the trace, and the file of names, if they are there
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
    /// Write the names of users and their numbers to this file, which must not be there yet and
    /// which only its owner may read [default: names are forgotten]
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
    check_one(arguments)?;
    let target = Target::of(arguments)?;
    check_files(arguments, &target)?;
    let (names, kept) = names(arguments)?;
    let reading = SourceOptions {
        format: arguments.format.map(Into::into),
        rows: ReadOptions { unit: arguments.unit.map(Into::into), block: arguments.block, names },
        skip_bad: arguments.skip_bad,
        // What is spread must be in order.
        any_order: arguments.dequantize.is_none(),
    };
    let broken = |error: &TraceError| broken_trace_failure(&arguments.source, error);
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
    finish(imported, kept.as_ref(), &target, arguments)?;
    Ok(Exit::Pass)
}

/// Gives the files their names and tells what became of the rows.
fn finish(
    imported: Imported<NamedTempFile>,
    kept: Option<&UserNames>,
    target: &Target,
    arguments: &ImportArguments,
) -> Result<(), Failure> {
    let names = arguments.keep_user_names.as_deref().zip(kept);
    let names = match names {
        Some((path, kept)) => Some((path, write_names(path, kept)?)),
        None => None,
    };
    let written = Written { source: &arguments.source, trace: target.path(), names };
    let told = report(&imported, &written, arguments.report)?;
    let odd = odd(&imported, arguments.unit.map(Into::into));
    let Imported { file, .. } = imported;
    match target {
        Target::Stdout => {
            copy_to_stdout(file)?;
            complain(&told);
        }
        Target::File(path) => {
            file.persist(path).map_err(|error| Failure::unwritten(path, &error.error))?;
            print(&told)?;
        }
    }
    if let Some(odd) = odd {
        complain(&odd);
    }
    Ok(())
}

/// Several logs are one trace only where they are read as one.
fn check_one(arguments: &ImportArguments) -> Result<(), Failure> {
    let ImportArguments { source, others, .. } = arguments;
    if others.is_empty() {
        return Ok(());
    }
    let all = std::iter::once(source).chain(others);
    let all: String = all.map(|path| format!(" {}", shell_word(&path.to_string_lossy()))).collect();
    let cat = match source.extension().and_then(OsStr::to_str) {
        Some("gz") => "zcat",
        Some("zst") => "zstdcat",
        _ => "cat",
    };
    let message = format!(
        "error: several logs, and a trace is made of one: read them as one by `{cat}{all} | \
         coalmine trace import - -o FILE`"
    );
    Err(Failure { exit: Exit::Usage, message })
}

/// Refuses to write what is read, or the names of users where the trace goes.
fn check_files(arguments: &ImportArguments, target: &Target) -> Result<(), Failure> {
    let mut read = vec![("the log", arguments.source.as_path())];
    read.extend(arguments.hash_key.as_deref().map(|key| ("the secret of --hash-key", key)));
    if let Some(path) = target.path() {
        check_apart(("--out", path), &read)?;
        folder_for(path, arguments.force)?;
    }
    if let Some(names) = &arguments.keep_user_names {
        read.extend(target.path().map(|path| ("the trace", path)));
        check_apart(("--keep-user-names", names), &read)?;
        folder_for(names, arguments.force)?;
    }
    Ok(())
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
        Ok(Self::File(path))
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::File(path) => Some(path),
        }
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
