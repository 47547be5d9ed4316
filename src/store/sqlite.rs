//! A journal in SQLite: one file, written by one process, readable by others meanwhile. Knows
//! nothing of what the entries say.

use std::num::NonZeroU16;
use std::path::Path;

use futures_util::{Stream, StreamExt};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};

use super::entry_row::{self, integer, unsigned};
use super::lease::Lease;
use super::place::Place;
use super::{
    Head, Journal, OpenError, OpenFault, REPLY_LIFETIME, Reply, StoreError, schema, sqlite_file,
};
use crate::engine::{Digest, Sealed};
use crate::units::{ModelId, Timestamp};

/// A journal in SQLite, through one connection.
#[derive(Debug)]
pub struct SqliteJournal {
    connection: SqliteConnection,
    right: Right,
    /// Whether the database refused a transaction. Where a disk is full SQLite has then rolled back
    /// by itself, of which the library's connection knows nothing: it is of no use any more.
    has_failed: bool,
}

/// What may be done with an opened journal.
#[derive(Debug)]
enum Right {
    /// The file, which is ours to append to.
    Hold(Place, #[expect(dead_code, reason = "held, and given back when it is dropped")] Lease),
    /// There is no file.
    Memory,
    /// Others may append.
    Read,
}

impl SqliteJournal {
    /// Opens the journal at `path` for appending, or makes a new one, readable for its owner alone.
    /// Beside it lie SQLite's `-wal` and `-shm` and the lock file `.lock`.
    ///
    /// # Errors
    /// Another gateway serves from it; the file is of another kind, of a later release, empty or
    /// damaged; the file system refuses.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_to_append(path).await.map_err(at(path))
    }

    /// Opens the journal at `path` for reading, as it stands at this moment: a gateway may go on
    /// appending to it, of which nothing is seen here.
    ///
    /// # Errors
    /// There is no such file; it is of another kind, of a later release, empty or damaged; the file
    /// system refuses: SQLite needs to make `-shm` beside a file that nobody else has open.
    pub async fn open_read_only(path: &Path) -> Result<Self, OpenError> {
        let connection = sqlite_file::open_to_read(path).await.map_err(at(path))?;
        Ok(Self { connection, right: Right::Read, has_failed: false })
    }

    /// Whether there could be a journal at `path`, or one that is there be appended to. Leaves
    /// everything as it is.
    ///
    /// # Errors
    /// The folder is not there, or the file system refuses.
    pub fn check_place(path: &Path) -> Result<(), OpenError> {
        sqlite_file::check_place(path).map_err(at(path))
    }

    /// Copies the journal at `path` into the file `copy`, which is empty or not there, as it stands
    /// at this moment: a gateway may go on appending to it. All of it is then in the one file, from
    /// which a gateway can go on; whether it is as it was written is for
    /// [`fold`](super::fold) of the copy to say.
    ///
    /// # Errors
    /// As [`SqliteJournal::open_read_only`]; the copy is there already; its disk is full.
    pub async fn copy(path: &Path, copy: &Path) -> Result<(), OpenError> {
        sqlite_file::copy(path, copy).await.map_err(at(path))
    }

    /// A journal without a file, gone when it is dropped.
    ///
    /// # Errors
    /// There is no memory for it.
    pub async fn in_memory() -> Result<Self, OpenError> {
        let opened = sqlite_file::open_in_memory().await;
        let connection = opened.map_err(at(Path::new(":memory:")))?;
        Ok(Self { connection, right: Right::Memory, has_failed: false })
    }

    async fn open_to_append(path: &Path) -> Result<Self, OpenFault> {
        let path = sqlite_file::resolve(path)?;
        let lease = Lease::take(&path)?.ok_or(OpenFault::InUse)?;
        sqlite_file::create(&path).await?;
        let connection = sqlite_file::open_to_append(&path).await?;
        let right = Right::Hold(Place::of(path)?, lease);
        Ok(Self { connection, right, has_failed: false })
    }

    /// Opens the file again where the database has refused.
    async fn recover(&mut self) -> Result<(), StoreError> {
        if let (true, Right::Hold(place, _)) = (self.has_failed, &mut self.right) {
            let reopen = |why: &dyn std::fmt::Display| StoreError::Reopen { why: why.to_string() };
            let opened = sqlite_file::open_to_append(place.path()).await;
            self.connection = opened.map_err(|fault| reopen(&fault))?;
            // The log beside it can be another one by that.
            *place = Place::of(place.path().to_owned()).map_err(|error| reopen(&error))?;
            self.has_failed = false;
        }
        Ok(())
    }

    async fn transact(
        &mut self,
        entries: &[&Sealed],
        reply: Option<&Reply>,
    ) -> Result<(), StoreError> {
        let before = entries.first().map(|first| Head::before(first)).unwrap_or_default();
        let after = before.after(entries)?;
        // The lock of a writer is taken at once: one that is asked for later is refused, not
        // waited for, if somebody has written meanwhile.
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        if let Some(first) = entries.first() {
            let moved = sqlx::query(schema::MOVE_HEAD)
                .bind(integer(after.entries))
                .bind(after.hash.to_string())
                .bind(integer(before.entries))
                .bind(before.hash.to_string());
            if moved.execute(&mut *transaction).await?.rows_affected() != 1 {
                transaction.rollback().await?;
                return Err(self.behind(first).await);
            }
        } else {
            // Else nothing would be written, and a full disk would take it.
            sqlx::query(schema::TOUCH_HEAD).execute(&mut *transaction).await?;
        }
        for sealed in entries {
            entry_row::insert(sealed).execute(&mut *transaction).await?;
        }
        if let Some(reply) = reply {
            keep(&mut transaction, reply).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn behind(&mut self, first: &Sealed) -> StoreError {
        match self.head().await {
            Ok(head) => StoreError::Behind {
                number: first.entry().number,
                previous: first.entry().previous,
                last: head.entries,
                hash: head.hash,
            },
            Err(error) => error,
        }
    }
}

impl Journal for SqliteJournal {
    async fn append(
        &mut self,
        entries: &[&Sealed],
        reply: Option<&Reply>,
    ) -> Result<(), StoreError> {
        if matches!(self.right, Right::Read) {
            return Err(StoreError::ReadOnly);
        }
        self.check_place()?;
        self.recover().await?;
        let written = self.transact(entries, reply).await;
        self.has_failed = matches!(written, Err(StoreError::Database(_) | StoreError::Damaged(_)));
        written
    }

    fn check_place(&mut self) -> Result<(), StoreError> {
        match &mut self.right {
            Right::Hold(place, _) => place.check(),
            Right::Memory | Right::Read => Ok(()),
        }
    }

    async fn read(&mut self, after: u64, limit: NonZeroU16) -> Result<Vec<Sealed>, StoreError> {
        let query = sqlx::query(schema::ENTRIES).bind(integer(after)).bind(i64::from(limit.get()));
        // No number may be missing between them.
        let place =
            |_: &SqliteRow, read: usize| Ok(after.saturating_add(read as u64).saturating_add(1));
        page(query.fetch(&mut self.connection), place).await
    }

    async fn read_of(
        &mut self,
        model: &ModelId,
        after: u64,
        limit: NonZeroU16,
    ) -> Result<Vec<Sealed>, StoreError> {
        let query = sqlx::query(schema::ENTRIES_OF)
            .bind(model.as_str().to_owned())
            .bind(integer(after))
            .bind(i64::from(limit.get()));
        // Those of other models are between them.
        let place = |row: &SqliteRow, _: usize| Ok(unsigned(row.try_get("number")?));
        page(query.fetch(&mut self.connection), place).await
    }

    async fn head(&mut self) -> Result<Head, StoreError> {
        let row = sqlx::query(schema::HEAD).fetch_optional(&mut self.connection).await?;
        let row = row.ok_or(StoreError::NoHead)?;
        Ok(Head { entries: unsigned(row.try_get("entries")?), hash: digest(&row, "hash")? })
    }

    async fn reply(&mut self, key: &str, now: Timestamp) -> Result<Option<Reply>, StoreError> {
        let query = sqlx::query(schema::REPLY).bind(key).bind(oldest(now).as_nanos());
        let Some(row) = query.fetch_optional(&mut self.connection).await? else { return Ok(None) };
        Ok(Some(Reply {
            key: row.try_get("idempotency_key")?,
            request: digest(&row, "request")?,
            status: row.try_get("status")?,
            answer: row.try_get("answer")?,
            entry: row.try_get::<Option<i64>, _>("entry")?.map(unsigned),
            at: Timestamp::from_nanos(row.try_get("at_ns")?),
        }))
    }

    async fn close(self) -> Result<(), StoreError> {
        Ok(self.connection.close().await?)
    }
}

/// The entries in `rows`, as many as make a page; `place` says which number a row should have, of
/// which so many were read before. The page ends before a row at fault.
async fn page(
    mut rows: impl Stream<Item = Result<SqliteRow, sqlx::Error>> + Unpin + Send,
    place: impl Fn(&SqliteRow, usize) -> Result<u64, StoreError> + Send,
) -> Result<Vec<Sealed>, StoreError> {
    let mut page = Vec::new();
    let mut bytes = 0;
    while bytes < PAGE_BYTES
        && let Some(row) = rows.next().await
    {
        let read = row.map_err(StoreError::from).and_then(|row| {
            bytes += row.try_get::<&[u8], _>("entry").map_or(0, <[u8]>::len);
            entry_row::sealed(&row, place(&row, page.len())?)
        });
        match read {
            Ok(sealed) => page.push(sealed),
            Err(error) if page.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(page)
}

async fn keep(connection: &mut SqliteConnection, reply: &Reply) -> Result<(), StoreError> {
    let forget = sqlx::query(schema::FORGET_REPLIES).bind(oldest(reply.at).as_nanos());
    forget.execute(&mut *connection).await?;
    let insert = sqlx::query(schema::INSERT_REPLY)
        .bind(reply.key.clone())
        .bind(reply.request.to_string())
        .bind(i64::from(reply.status))
        .bind(reply.answer.clone())
        .bind(reply.entry.map(integer))
        .bind(reply.at.as_nanos());
    insert.execute(connection).await.map_err(|error| match error.as_database_error() {
        Some(cause) if cause.is_unique_violation() => {
            StoreError::KeyTaken { key: reply.key.clone() }
        }
        _ => error.into(),
    })?;
    Ok(())
}

/// Replies are kept that are younger than this.
fn oldest(now: Timestamp) -> Timestamp {
    now.saturating_sub(REPLY_LIFETIME)
}

fn digest(row: &SqliteRow, column: &str) -> Result<Digest, sqlx::Error> {
    let text: String = row.try_get(column)?;
    Digest::try_from(text).map_err(|error| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: Box::new(error),
    })
}

fn at(path: &Path) -> impl FnOnce(OpenFault) -> OpenError {
    let path = path.to_owned();
    |fault| OpenError { path, fault }
}

/// How many bytes of entries end a page. Chosen: an entry is a few hundred bytes, so a page of a
/// thousand fits; parameters of a version may be megabytes, and a thousand of these would not.
const PAGE_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use proptest::prelude::*;
    use sqlx::ConnectOptions;
    use sqlx::sqlite::SqliteConnectOptions;
    use tempfile::TempDir;

    use super::super::{fold, specimen};
    use super::*;
    use crate::engine::{
        BrokenJournal, Command, CommandKind, DurableState, Engine, JournalFault, Version,
    };
    use crate::exchange::ModelIndex;
    use crate::units::{Duration, VersionId};

    /// A folder of its own, and the path of a journal in it.
    fn place() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        (folder, path)
    }

    async fn filled(mut journal: SqliteJournal, count: u64) -> SqliteJournal {
        let chain = specimen::sealed(count);
        journal.append(&chain.iter().collect::<Vec<_>>(), None).await.unwrap();
        journal
    }

    async fn in_memory(count: u64) -> SqliteJournal {
        filled(SqliteJournal::in_memory().await.unwrap(), count).await
    }

    /// What somebody's hands do to the tables.
    async fn tamper(journal: &mut SqliteJournal, statement: &'static str) {
        sqlx::raw_sql(statement).execute(&mut journal.connection).await.unwrap();
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn limit(count: u16) -> NonZeroU16 {
        NonZeroU16::new(count).unwrap()
    }

    fn reply(key: &str, at: Timestamp) -> Reply {
        Reply {
            key: key.to_owned(),
            request: Digest::of(b"request"),
            status: 409,
            answer: "{\"status\": \"deployed\"}".to_owned(),
            entry: Some(1),
            at,
        }
    }

    #[tokio::test]
    async fn what_is_appended_is_read_back_in_pages_and_folds_to_the_engines_state() {
        let (_folder, path) = place();
        let mut engine = specimen::engine();
        let chain: Vec<_> = (1..=600).map(|n| specimen::next(&mut engine, n)).collect();
        let mut journal = SqliteJournal::open(&path).await.unwrap();
        assert_eq!(fold(&mut journal).await.unwrap(), DurableState::default());
        for entries in chain.chunks(7) {
            journal.append(&entries.iter().collect::<Vec<_>>(), None).await.unwrap();
        }
        let head = Head { entries: 600, hash: chain[599].hash() };
        assert_eq!(journal.head().await.unwrap(), head);
        assert_eq!(journal.read(0, limit(5)).await.unwrap(), chain[..5]);
        assert_eq!(journal.read(597, limit(5)).await.unwrap(), chain[597..]);
        assert!(journal.read(600, limit(5)).await.unwrap().is_empty());
        assert!(journal.read(u64::MAX, limit(5)).await.unwrap().is_empty());
        let state = fold(&mut journal).await.unwrap();
        assert_eq!(state.to_bytes(), engine.durable().to_bytes());

        journal.close().await.unwrap();
        assert!(!path.with_extension("db-wal").exists(), "the log is in the file");
        let mut journal = SqliteJournal::open(&path).await.unwrap();
        let state = fold(&mut journal).await.unwrap();
        let now = Timestamp::from_second(1_800_000_000);
        let restored = Engine::restore(now, specimen::models(), state);
        assert!(restored.durable().entries() >= 600);
    }

    /// SQLite rolls a transaction back by itself where there is no room, of which the library's
    /// connection knows nothing.
    #[tokio::test]
    async fn a_journal_whose_disk_was_full_goes_on_when_there_is_room() {
        let (_folder, path) = place();
        let mut engine = specimen::engine();
        let chain: Vec<_> = (1..=400).map(|n| specimen::next(&mut engine, n)).collect();
        let entries: Vec<_> = chain.iter().collect();
        let mut journal = SqliteJournal::open(&path).await.unwrap();
        journal.append(&entries[..3], None).await.unwrap();
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
            .fetch_one(&mut journal.connection)
            .await
            .unwrap();
        let full = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        sqlx::raw_sql(full).execute(&mut journal.connection).await.unwrap();
        let refused = journal.append(&entries[3..], None).await.unwrap_err();
        assert!(refused.to_string().contains("full"), "{refused}");
        assert_eq!(journal.head().await.unwrap().entries, 3);
        // The limit was the connection's.
        journal.append(&entries[3..], None).await.unwrap();
        assert_eq!(fold(&mut journal).await.unwrap(), engine.durable());
    }

    #[tokio::test]
    async fn the_entries_of_a_model_are_found_by_an_index_also_in_a_journal_of_before() {
        let (_folder, path) = place();
        let mut engine = Engine::new(
            ["a", "b/c"].map(|id| crate::engine::ModelSettings::new(ModelId::new(id).unwrap())),
        );
        let mut journal = SqliteJournal::open(&path).await.unwrap();
        for number in 0..40_u16 {
            let now = Timestamp::from_second(i64::from(number));
            let id = VersionId::new(&format!("v{number}")).unwrap();
            let kind = CommandKind::Register(Box::new(Version::new(id, "one", now)));
            // Every fourth is of the second model.
            let model = ModelIndex(u16::from(number % 4 == 0));
            let command = Command { model, by: "eve".to_owned(), kind };
            let prepared = engine.prepare(now, &command).unwrap();
            journal.append(&[prepared.entry().unwrap()], None).await.unwrap();
            prepared.commit();
            while engine.poll_event().is_some() {}
        }
        tamper(&mut journal, "DROP INDEX journal_model").await;
        journal.close().await.unwrap();
        let mut journal = SqliteJournal::open(&path).await.unwrap();
        let model = ModelId::new("b/c").unwrap();
        let mut numbers = Vec::new();
        loop {
            let after = numbers.last().copied().unwrap_or(0);
            let page = journal.read_of(&model, after, limit(3)).await.unwrap();
            if page.is_empty() {
                break;
            }
            numbers.extend(page.iter().map(|sealed| sealed.entry().number));
        }
        assert_eq!(numbers, (0..10).map(|place| 4 * place + 1).collect::<Vec<_>>());
        let plan = format!("EXPLAIN QUERY PLAN {}", schema::ENTRIES_OF);
        let steps = sqlx::query(sqlx::AssertSqlSafe(plan))
            .bind("b/c")
            .bind(0)
            .bind(3)
            .fetch_all(&mut journal.connection)
            .await
            .unwrap();
        let steps: Vec<String> = steps.iter().map(|row| row.try_get("detail").unwrap()).collect();
        assert_eq!(steps, ["SEARCH journal USING INDEX journal_model (model=? AND number>?)"]);
        // One that was changed ends a page, and is told with its place.
        tamper(&mut journal, "UPDATE journal SET kind = 'split' WHERE number = 5").await;
        assert_eq!(journal.read_of(&model, 0, limit(9)).await.unwrap().len(), 1);
        let refused = journal.read_of(&model, 1, limit(9)).await;
        assert!(matches!(refused, Err(StoreError::Column { place: 5, .. })), "{refused:?}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_journal_whose_file_was_moved_takes_nothing_until_it_is_back() {
        let (folder, path) = place();
        let chain = specimen::sealed(3);
        let mut journal = SqliteJournal::open(&path).await.unwrap();
        journal.append(&[&chain[0]], None).await.unwrap();
        let away = folder.path().join("away");
        fs::rename(&path, &away).unwrap();
        let refused = journal.append(&[&chain[1]], None).await;
        assert!(matches!(refused, Err(StoreError::Displaced { .. })), "{refused:?}");
        fs::rename(&away, &path).unwrap();
        journal.append(&[&chain[1]], None).await.unwrap();
        assert_eq!(fold(&mut journal).await.unwrap().entries(), 2);
    }

    #[tokio::test]
    async fn large_entries_make_short_pages() {
        let mut engine = specimen::engine();
        let mut journal = SqliteJournal::in_memory().await.unwrap();
        for name in ["a", "b", "c"] {
            let now = Timestamp::from_second(1);
            let mut version = Version::new(VersionId::new(name).unwrap(), "openai", now);
            version.notes = "n".repeat(700_000);
            let kind = CommandKind::Register(Box::new(version));
            let command = Command { model: ModelIndex(0), by: "eve".to_owned(), kind };
            let prepared = engine.prepare(now, &command).unwrap();
            journal.append(&[prepared.entry().unwrap()], None).await.unwrap();
            prepared.commit();
            while engine.poll_event().is_some() {}
        }
        assert_eq!(journal.read(0, limit(100)).await.unwrap().len(), 2);
        assert_eq!(journal.read(2, limit(100)).await.unwrap().len(), 1);
        assert_eq!(fold(&mut journal).await.unwrap(), engine.durable());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_changed_byte_of_any_entry_is_found_with_its_number(
            number in 1_u64..=6,
            at in any::<prop::sample::Index>(),
            change in 1_u8..=255,
        ) {
            let found = block_on(async {
                let mut journal = in_memory(6).await;
                let mut bytes = specimen::sealed(6)[number as usize - 1].to_bytes();
                let at = at.index(bytes.len());
                bytes[at] ^= change;
                let query = sqlx::query("UPDATE journal SET entry = $1 WHERE number = $2");
                let query = query.bind(bytes).bind(number as i64);
                query.execute(&mut journal.connection).await.unwrap();
                fold(&mut journal).await
            });
            let Err(StoreError::Broken(BrokenJournal { place, fault })) = found else {
                panic!("{found:?}")
            };
            prop_assert_eq!(place, number);
            prop_assert!(matches!(fault, JournalFault::Seal(_)));
        }

        #[test]
        fn any_changed_byte_of_the_file_is_found_or_harmless(
            at in any::<prop::sample::Index>(),
            change in 1_u8..=255,
        ) {
            block_on(async {
                let (_folder, path) = place();
                let journal = filled(SqliteJournal::open(&path).await.unwrap(), 20).await;
                journal.close().await.unwrap();
                let mut bytes = fs::read(&path).unwrap();
                let at = at.index(bytes.len());
                bytes[at] ^= change;
                fs::write(&path, bytes).unwrap();
                refused_or_whole(&path, 20).await;
            });
        }

        #[test]
        fn a_file_cut_off_anywhere_is_refused(length in any::<prop::sample::Index>()) {
            block_on(async {
                let (_folder, path) = place();
                let journal = filled(SqliteJournal::open(&path).await.unwrap(), 200).await;
                journal.close().await.unwrap();
                let bytes = fs::read(&path).unwrap();
                fs::write(&path, &bytes[..length.index(bytes.len())]).unwrap();
                if let Ok(mut journal) = SqliteJournal::open(&path).await {
                    fold(&mut journal).await.unwrap_err();
                }
            });
        }
    }

    /// A damaged file is refused with an error, or has lost nothing.
    async fn refused_or_whole(path: &Path, count: u64) {
        let Ok(mut journal) = SqliteJournal::open(path).await else { return };
        if let Ok(state) = fold(&mut journal).await {
            let chain = specimen::sealed(count);
            assert_eq!(state.head(), chain[chain.len() - 1].hash());
        }
    }

    #[tokio::test]
    async fn a_column_that_says_something_else_than_the_entry_is_found() {
        for (column, statement) in [
            ("hash", "UPDATE journal SET hash = 'x' WHERE number = 3"),
            ("previous", "UPDATE journal SET previous = hash WHERE number = 3"),
            ("at_ns", "UPDATE journal SET at_ns = at_ns + 1 WHERE number = 3"),
            ("at_ns", "UPDATE journal SET at_ns = 'soon' WHERE number = 3"),
            ("model", "UPDATE journal SET model = 'org/gpt-5' WHERE number = 3"),
            ("model", "UPDATE journal SET model = NULL WHERE number = 3"),
            ("cause", "UPDATE journal SET cause = 'mallory' WHERE number = 3"),
            ("cause", "UPDATE journal SET cause = x'ff' WHERE number = 3"),
            ("kind", "UPDATE journal SET kind = 'split' WHERE number = 3"),
            ("entry", "UPDATE journal SET entry = 7 WHERE number = 3"),
        ] {
            let mut journal = in_memory(5).await;
            tamper(&mut journal, statement).await;
            match fold(&mut journal).await {
                Err(StoreError::Column { place: 3, column: found, .. }) => {
                    assert_eq!(found, column, "{statement}");
                }
                other => panic!("{statement}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn entries_taken_out_moved_or_put_in_are_found_with_their_place() {
        let forged = "INSERT INTO journal SELECT number + 1, hash, previous, at_ns, model, cause, \
             kind, entry FROM journal WHERE number = 5";
        for (place, statement) in [
            (1, "DELETE FROM journal WHERE number = 1"),
            (3, "DELETE FROM journal WHERE number = 3"),
            (5, "DELETE FROM journal WHERE number = 5"),
            (4, "DELETE FROM journal WHERE number >= 4"),
            (1, "DELETE FROM journal"),
            (
                3,
                "UPDATE journal SET number = -3 WHERE number = 3; \
                 UPDATE journal SET number = 3 WHERE number = 4; \
                 UPDATE journal SET number = 4 WHERE number = -3",
            ),
            (6, forged),
            (5, "UPDATE journal_head SET entries = 4"),
            (6, "UPDATE journal_head SET entries = 9"),
            (5, "UPDATE journal_head SET hash = (SELECT hash FROM journal WHERE number = 4)"),
        ] {
            let mut journal = in_memory(5).await;
            tamper(&mut journal, statement).await;
            let refused = fold(&mut journal).await.unwrap_err().to_string();
            let named = format!("journal entry {place}: ");
            assert!(refused.starts_with(&named), "{statement}: {refused}");
        }
        let mut journal = in_memory(5).await;
        tamper(&mut journal, "DELETE FROM journal_head").await;
        assert!(matches!(fold(&mut journal).await, Err(StoreError::NoHead)));
    }

    /// Entry 6 of another history, sealed as it should be, but on another entry 5.
    #[tokio::test]
    async fn a_sealed_entry_of_another_history_is_found() {
        let mut journal = in_memory(5).await;
        let mut other = specimen::engine();
        specimen::next(&mut other, 1);
        let second = specimen::entry(
            6,
            Some("org/gpt-4"),
            r#"{"command":{"by":"mallory"}}"#,
            r#"{"tagged":{"preserve_previous":true,"previous":null,"tag":"x","version":"v2"}}"#,
        );
        entry_row::insert(&second).execute(&mut journal.connection).await.unwrap();
        let refused = fold(&mut journal).await;
        let Err(StoreError::Broken(BrokenJournal { place: 6, fault })) = refused else {
            panic!("{refused:?}")
        };
        assert!(matches!(fault, JournalFault::Previous { .. }));
    }

    #[tokio::test]
    async fn a_page_ends_before_an_entry_at_fault_and_the_next_is_refused() {
        let mut journal = in_memory(5).await;
        tamper(&mut journal, "UPDATE journal SET kind = 'split' WHERE number = 3").await;
        assert_eq!(journal.read(0, limit(9)).await.unwrap().len(), 2);
        let refused = journal.read(2, limit(9)).await;
        assert!(matches!(refused, Err(StoreError::Column { place: 3, .. })));
    }

    #[tokio::test]
    async fn a_second_gateway_is_refused_and_a_reader_sees_the_journal_as_it_stood() {
        let (folder, path) = place();
        let chain = specimen::sealed(2);
        let mut journal = SqliteJournal::open(&path).await.unwrap();
        journal.append(&[&chain[0]], None).await.unwrap();
        let refused = SqliteJournal::open(&path).await.unwrap_err();
        assert!(matches!(refused.fault, OpenFault::InUse), "{refused}");
        #[cfg(unix)]
        {
            let link = folder.path().join("other name");
            std::os::unix::fs::symlink(&path, &link).unwrap();
            let refused = SqliteJournal::open(&link).await.unwrap_err();
            assert!(matches!(refused.fault, OpenFault::InUse), "{refused}");
        }
        let mut reader = SqliteJournal::open_read_only(&path).await.unwrap();
        journal.append(&[&chain[1]], None).await.unwrap();
        assert_eq!(fold(&mut reader).await.unwrap().entries(), 1);
        assert_eq!(fold(&mut journal).await.unwrap().entries(), 2);
        let refused = reader.append(&[&chain[1]], None).await;
        assert!(matches!(refused, Err(StoreError::ReadOnly)));
        drop(folder);
    }

    #[tokio::test]
    async fn a_journal_that_was_dropped_without_a_close_is_whole_and_free() {
        let (_folder, path) = place();
        for number in 1..=5 {
            let chain = specimen::sealed(number);
            let mut journal = SqliteJournal::open(&path).await.unwrap();
            assert_eq!(fold(&mut journal).await.unwrap().entries(), number - 1);
            journal.append(&[&chain[number as usize - 1]], None).await.unwrap();
            drop(journal);
            let mut reader = SqliteJournal::open_read_only(&path).await.unwrap();
            assert_eq!(fold(&mut reader).await.unwrap().entries(), number);
        }
    }

    #[tokio::test]
    async fn an_append_after_another_writers_is_refused_whole() {
        let (_folder, path) = place();
        let chain = specimen::sealed(3);
        let mut first = SqliteJournal::open(&path).await.unwrap();
        // As on a file system without locks, or in a database for several.
        let connection = sqlite_file::open_to_append(&path).await.unwrap();
        let mut second = SqliteJournal { connection, right: Right::Memory, has_failed: false };
        first.append(&[&chain[0], &chain[1]], None).await.unwrap();
        let at = Timestamp::from_second(5);
        let stale = second.append(&[&chain[0]], Some(&reply("k", at))).await;
        assert!(matches!(stale, Err(StoreError::Behind { number: 1, last: 2, .. })), "{stale:?}");
        assert_eq!(second.reply("k", at).await.unwrap(), None);
        let early = first.append(&[&chain[0]], None).await;
        assert!(matches!(early, Err(StoreError::Behind { .. })));
        second.append(&[&chain[2]], None).await.unwrap();
        assert_eq!(fold(&mut first).await.unwrap().entries(), 3);
    }

    #[tokio::test]
    async fn entries_and_reply_are_kept_together_or_not_at_all() {
        let chain = specimen::sealed(3);
        let at = Timestamp::from_second(1_000_000);
        let mut journal = SqliteJournal::in_memory().await.unwrap();
        let gap = journal.append(&[&chain[0], &chain[2]], Some(&reply("a", at))).await;
        assert!(matches!(gap, Err(StoreError::Broken(BrokenJournal { place: 2, .. }))));
        assert_eq!(journal.head().await.unwrap(), Head::default());
        assert_eq!(journal.reply("a", at).await.unwrap(), None);

        journal.append(&[&chain[0]], Some(&reply("a", at))).await.unwrap();
        let taken = journal.append(&[&chain[1]], Some(&reply("a", at))).await;
        assert!(matches!(taken, Err(StoreError::KeyTaken { key }) if key == "a"));
        assert_eq!(journal.head().await.unwrap().entries, 1);

        journal.append(&[], Some(&Reply { entry: None, ..reply("b", at) })).await.unwrap();
        journal.append(&[], None).await.unwrap();
        assert_eq!(journal.reply("b", at).await.unwrap().unwrap().entry, None);
    }

    #[tokio::test]
    async fn a_reply_is_the_same_after_a_restart_and_is_forgotten_after_a_day() {
        let (_folder, path) = place();
        let at = Timestamp::from_second(1_000_000);
        let chain = specimen::sealed(2);
        let mut journal = SqliteJournal::open(&path).await.unwrap();
        journal.append(&[&chain[0]], Some(&reply("key", at))).await.unwrap();
        drop(journal);

        let mut journal = SqliteJournal::open(&path).await.unwrap();
        let last = at + REPLY_LIFETIME - Duration::from_nanos(1);
        assert_eq!(journal.reply("key", last).await.unwrap(), Some(reply("key", at)));
        assert_eq!(journal.reply("other", last).await.unwrap(), None);
        let day = at + REPLY_LIFETIME;
        assert_eq!(journal.reply("key", day).await.unwrap(), None);
        let again = Reply { entry: Some(2), ..reply("key", day) };
        journal.append(&[&chain[1]], Some(&again)).await.unwrap();
        assert_eq!(journal.reply("key", day).await.unwrap(), Some(again));
        let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM reply")
            .fetch_one(&mut journal.connection)
            .await
            .unwrap();
        assert_eq!(kept, 1);
    }

    #[tokio::test]
    async fn a_file_that_is_no_journal_is_refused_and_left_as_it_is() {
        let (folder, path) = place();
        let missing = SqliteJournal::open_read_only(&path).await.unwrap_err();
        assert!(matches!(missing.fault, OpenFault::Missing), "{missing}");
        assert!(!path.exists());

        let foreign = folder.path().join("foreign.db");
        let options = SqliteConnectOptions::new().filename(&foreign).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        sqlx::query("CREATE TABLE dear (diary TEXT)").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let text = folder.path().join("notes.txt");
        fs::write(&text, "Dear diary, ".repeat(1_000)).unwrap();
        let directory = folder.path().join("directory");
        fs::create_dir(&directory).unwrap();
        for path in [&foreign, &text, &directory] {
            let before = fs::read(path).ok();
            let refused = SqliteJournal::open(path).await.unwrap_err();
            assert!(matches!(refused.fault, OpenFault::Foreign), "{refused}");
            let refused = SqliteJournal::open_read_only(path).await.unwrap_err();
            assert!(matches!(refused.fault, OpenFault::Foreign), "{refused}");
            assert_eq!(fs::read(path).ok(), before);
        }

        fs::write(&path, "").unwrap();
        let refused = SqliteJournal::open(&path).await.unwrap_err();
        assert!(matches!(refused.fault, OpenFault::Empty), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[tokio::test]
    async fn a_journal_of_a_later_release_is_refused_with_both_schemas() {
        let (_folder, path) = place();
        let mut journal = SqliteJournal::open(&path).await.unwrap();
        tamper(&mut journal, "UPDATE coalmine_schema SET version = 2").await;
        journal.close().await.unwrap();
        let refused = SqliteJournal::open(&path).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "the journal {} cannot be opened: its schema is 2, of a later release; this one \
                 knows schemas 1 to 1",
                path.display()
            )
        );
    }

    #[tokio::test]
    async fn a_start_that_was_cut_off_leaves_nothing_in_the_way() {
        let (folder, path) = place();
        fs::write(folder.path().join("journal.db.new"), "half a journal").unwrap();
        fs::write(folder.path().join("journal.db.new-journal"), "its log").unwrap();
        let mut journal = SqliteJournal::open(&path).await.unwrap();
        assert_eq!(journal.head().await.unwrap(), Head::default());
        assert!(!folder.path().join("journal.db.new").exists());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn its_files_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, path) = place();
        let _journal = filled(SqliteJournal::open(&path).await.unwrap(), 1).await;
        let mut files = 0;
        for file in fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", file.file_name());
            files += 1;
        }
        assert_eq!(files, 4, "the journal, its log, that log's index, the lock");
    }
}
