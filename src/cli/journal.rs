//! `coalmine journal`: a gateway's journal, verified and read, also while the gateway writes it.

use std::io::{self, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::exit::Exit;
use super::scratch::{folder_for, private_in, temporary_in};
use super::terminal::{Failure, complain, print};
use crate::store::{Head, Journal, SqliteJournal, StoreError, entry_line, export_lines, fold};
use crate::units::format_counted;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum JournalCommands {
    /// Verify that every entry is as it was written, none is missing and none was put in
    #[command(after_help = VERIFY_HELP)]
    Verify(JournalArguments),
    /// Print the entries, a line each, oldest first
    #[command(after_help = SHOW_HELP)]
    Show(ShowArguments),
    /// Write the entries as JSON, a line each, whole
    #[command(after_help = EXPORT_HELP)]
    Export(JournalExportArguments),
    /// Copy the journal into a file, also while a gateway writes it, and verify the copy
    #[command(after_help = BACKUP_HELP)]
    Backup(BackupArguments),
}

#[derive(Clone, Debug, Args)]
pub(super) struct JournalArguments {
    /// The journal: what `state` of the gateway's configuration names
    journal: PathBuf,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ShowArguments {
    /// The journal: what `state` of the gateway's configuration names
    journal: PathBuf,
    /// Only what came after entry number N
    #[arg(long, value_name = "N", default_value_t = 0)]
    after: u64,
}

#[derive(Clone, Debug, Args)]
pub(super) struct JournalExportArguments {
    /// The journal: what `state` of the gateway's configuration names
    journal: PathBuf,
    /// Where it goes [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct BackupArguments {
    /// The journal: what `state` of the gateway's configuration names
    journal: PathBuf,
    /// Where the copy goes
    copy: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

const VERIFY_HELP: &str = "\
The chain of hashes is worked out anew from the first entry to the last. It holds against \
accidents and against hands that do not know it; keep the hash of the head elsewhere to hold it \
against others.

Examples:
  coalmine journal verify coalmine.db";

const SHOW_HELP: &str = "\
Examples:
  coalmine journal show coalmine.db
  coalmine journal show coalmine.db --after 120";

const EXPORT_HELP: &str = "\
Rules that name a Slack webhook are written with its whole URL: keep the file as you keep secrets.

Examples:
  coalmine journal export coalmine.db -o journal.jsonl
  coalmine journal export coalmine.db | jq 'select(.by != \"configuration\")'";

const BACKUP_HELP: &str = "\
The copy is the journal as it stands at one moment, in one file that only its owner may read; the \
gateway neither waits nor notices. It gets its name once its chain of hashes has been verified. To \
restore it, put it where `state` of the configuration says, with neither -wal nor -shm beside it, \
while the gateway does not run: it goes on from there, and knows nothing of what came after.

Examples:
  coalmine journal backup coalmine.db /backup/coalmine-$(date +%F).db
  coalmine journal backup coalmine.db latest.db --force";

pub(super) fn journal(command: &JournalCommands) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    runtime.block_on(async {
        match command {
            JournalCommands::Verify(arguments) => verify(&arguments.journal).await,
            JournalCommands::Show(arguments) => show(arguments).await,
            JournalCommands::Export(arguments) => export(arguments).await,
            JournalCommands::Backup(arguments) => back_up(arguments).await,
        }
    })?;
    Ok(Exit::Pass)
}

async fn verify(path: &Path) -> Result<(), Failure> {
    let mut journal = open(path).await?;
    fold(&mut journal).await.map_err(|error| broken(path, &error))?;
    let Head { entries, hash } = journal.head().await.map_err(|error| broken(path, &error))?;
    if entries == 0 {
        complain(&format!(
            "warning: {} has no entries: it is new, or was copied without the file {}-wal that \
             lay beside it",
            path.display(),
            path.display()
        ));
    }
    let entries = format_counted(entries, "entry", "entries");
    print(&format!("ok  {}: {entries}, head {hash}\n", path.display()))
}

async fn show(arguments: &ShowArguments) -> Result<(), Failure> {
    let path = &arguments.journal;
    let mut journal = open(path).await?;
    let mut after = arguments.after;
    loop {
        let page = journal.read(after, PAGE).await.map_err(|error| broken(path, &error))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.entry().number;
        let lines: String = page.iter().map(|sealed| entry_line(sealed) + "\n").collect();
        print(&lines)?;
    }
}

async fn export(arguments: &JournalExportArguments) -> Result<(), Failure> {
    let path = &arguments.journal;
    let mut journal = open(path).await?;
    let out = arguments.out.as_deref().filter(|out| *out != Path::new("-"));
    let Some(out) = out else {
        let written = export_lines(&mut journal, &mut io::stdout().lock()).await;
        return match written {
            Err(StoreError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map(|_| ()).map_err(|error| broken(path, &error)),
        };
    };
    let unwritten = |error: io::Error| Failure::unwritten(out, &error);
    let mut file = temporary_in(folder_for(out, arguments.force)?).map_err(unwritten)?;
    export_lines(&mut journal, &mut file).await.map_err(|error| broken(path, &error))?;
    file.flush().map_err(unwritten)?;
    file.persist(out).map_err(|error| unwritten(error.error))?;
    complain(&format!("{}: written", out.display()));
    Ok(())
}

async fn back_up(arguments: &BackupArguments) -> Result<(), Failure> {
    let BackupArguments { journal: path, copy, force } = arguments;
    let unwritten = |error: io::Error| Failure::unwritten(copy, &error);
    // An old copy stays until the new one is known to be sound.
    let file = private_in(folder_for(copy, *force)?).map_err(unwritten)?;
    let copied = SqliteJournal::copy(path, file.path()).await;
    copied.map_err(|error| Failure::input(format!("error: {error}")))?;
    let mut written = open(file.path()).await?;
    fold(&mut written).await.map_err(|error| broken(path, &error))?;
    let head = written.head().await.map_err(|error| broken(path, &error))?;
    written.close().await.map_err(|error| broken(path, &error))?;
    file.as_file().sync_all().map_err(unwritten)?;
    file.persist(copy).map_err(|error| unwritten(error.error))?;
    let (shown, entries) = (copy.display(), format_counted(head.entries, "entry", "entries"));
    print(&format!("ok  {shown}: {entries}, head {}\n", head.hash))
}

async fn open(path: &Path) -> Result<SqliteJournal, Failure> {
    let opened = SqliteJournal::open_read_only(path).await;
    opened.map_err(|error| Failure::input(format!("error: {error}")))
}

fn broken(path: &Path, error: &StoreError) -> Failure {
    Failure::input(format!("error: {}: {error}", path.display()))
}

/// Chosen: small enough to begin at once.
const PAGE: NonZeroU16 = NonZeroU16::new(256).unwrap();
