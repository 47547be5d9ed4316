//! A journal's file under SQLite: made, recognised and set up. All that only SQLite knows is here.
//!
//! A new journal is made under another name and moved to its own when its tables are in it, so that
//! it is never there without them: an empty file is a truncated one, and is refused.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row};

use super::lease::beside;
use super::{OpenFault, schema};
use crate::units::Duration;

/// The path of the journal's file without symbolic links, whether the file is there or not.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, OpenFault> {
    match path.canonicalize() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let name = path.file_name().ok_or(OpenFault::NoName)?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            Ok(folder.unwrap_or_else(|| Path::new(".")).canonicalize()?.join(name))
        }
        resolved => Ok(resolved?),
    }
}

/// Whether a file could be made at `path`, or one that is there be written.
pub(super) fn check_place(path: &Path) -> Result<(), OpenFault> {
    let path = resolve(path)?;
    if path.try_exists()? {
        OpenOptions::new().append(true).open(&path)?;
    }
    // SQLite keeps files of its own beside it.
    tempfile::tempfile_in(path.parent().unwrap_or(&path))?;
    Ok(())
}

/// Makes the file of a new journal, readable for its owner alone; nothing if there is one. Only who
/// holds the lease may call it.
pub(super) async fn create(path: &Path) -> Result<(), OpenFault> {
    if path.try_exists()? {
        return Ok(());
    }
    let unfinished = beside(path, ".new");
    for leftover in [beside(&unfinished, "-journal"), unfinished.clone()] {
        match fs::remove_file(leftover) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&unfinished)?;
    let mut connection = options_for(&unfinished).connect().await?;
    make_tables(&mut connection).await?;
    connection.close().await?;
    fs::rename(&unfinished, path)?;
    // Without this a power failure could take the name away again. Folders cannot be opened for it
    // on every system.
    #[cfg(unix)]
    File::open(path.parent().unwrap_or(path))?.sync_all()?;
    Ok(())
}

/// Opens the journal at `path` for appending.
pub(super) async fn open_to_append(path: &Path) -> Result<SqliteConnection, OpenFault> {
    refuse_empty(path)?;
    let mut connection = options_for(path).connect().await?;
    // Before anything is set: a file of another kind is to be left as it is.
    recognise(&mut connection).await?;
    let mode: String =
        sqlx::query_scalar("PRAGMA journal_mode = WAL").fetch_one(&mut connection).await?;
    if mode != "wal" {
        return Err(OpenFault::NoLog { found: mode });
    }
    for pragma in ["PRAGMA synchronous = FULL", "PRAGMA fullfsync = ON"] {
        sqlx::query(pragma).execute(&mut connection).await?;
    }
    sqlx::query(schema::INDEX_MODELS).execute(&mut connection).await?;
    Ok(connection)
}

/// Opens the journal at `path` for reading, as it stands at this moment: what is appended while it
/// is open is not seen.
pub(super) async fn open_to_read(path: &Path) -> Result<SqliteConnection, OpenFault> {
    refuse_empty(path)?;
    let mut connection = options_for(path).read_only(true).connect().await?;
    sqlx::query("BEGIN").execute(&mut connection).await?;
    recognise(&mut connection).await?;
    Ok(connection)
}

/// Copies the journal at `path` into the file `copy`, which is empty or not there, as it stands at
/// one moment: who appends to it meanwhile neither waits nor is seen.
pub(super) async fn copy(path: &Path, copy: &Path) -> Result<(), OpenFault> {
    refuse_empty(path)?;
    let mut connection = options_for(path).read_only(true).connect().await?;
    recognise(&mut connection).await?;
    let copy = copy.to_str().ok_or(OpenFault::NoText)?;
    sqlx::query("VACUUM INTO $1").bind(copy).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// A journal without a file, gone when it is closed.
pub(super) async fn open_in_memory() -> Result<SqliteConnection, OpenFault> {
    let mut connection = options_for(Path::new(":memory:")).connect().await?;
    make_tables(&mut connection).await?;
    Ok(connection)
}

fn options_for(path: &Path) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(path).disable_statement_logging();
    options.busy_timeout(std::time::Duration::from_nanos(BUSY.as_nanos()))
}

fn refuse_empty(path: &Path) -> Result<(), OpenFault> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => Err(OpenFault::Empty),
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(OpenFault::Foreign),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(OpenFault::Missing),
        Err(error) => Err(error.into()),
    }
}

async fn make_tables(connection: &mut SqliteConnection) -> Result<(), OpenFault> {
    let mut transaction = connection.begin().await?;
    for statement in schema::CREATE {
        sqlx::query(statement).execute(&mut *transaction).await?;
    }
    let version = sqlx::query(schema::INSERT_VERSION).bind(schema::VERSION);
    version.execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

/// Whether the file is a journal of a schema that is known here.
async fn recognise(connection: &mut SqliteConnection) -> Result<(), OpenFault> {
    let table = sqlx::query(TABLE_OF_THE_SCHEMA).fetch_optional(&mut *connection).await;
    match table {
        Ok(Some(_)) => {}
        Ok(None) => return Err(OpenFault::Foreign),
        Err(error) if is_no_database(&error) => return Err(OpenFault::Foreign),
        Err(error) => return Err(error.into()),
    }
    let row = sqlx::query(schema::VERSION_ROW).fetch_optional(connection).await?;
    let Some(row) = row else { return Err(OpenFault::Foreign) };
    match row.try_get(0)? {
        schema::VERSION => Ok(()),
        found => Err(OpenFault::Newer { found, known: schema::VERSION }),
    }
}

fn is_no_database(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == SQLITE_NOTADB)
}

const TABLE_OF_THE_SCHEMA: &str =
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'coalmine_schema'";

/// <https://www.sqlite.org/rescode.html#notadb>
const SQLITE_NOTADB: &str = "26";

/// How long to wait for a lock that somebody's hands hold on the file. Readers hold none that a
/// writer waits for. Chosen: SQLite's shells answer within a second; a client waits no longer.
const BUSY: Duration = Duration::from_secs(5);
