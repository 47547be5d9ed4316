//! The tables and the statements: SQL that PostgreSQL takes as well, but for the names of two types
//! (there `BLOB` is `BYTEA`, and the journal's `INTEGER` is to be `BIGINT`). What only SQLite knows
//! is in `sqlite_file`.

/// The schema that is written here. A later one gets the next number and a migration.
pub(super) const VERSION: i64 = 1;

/// Makes the tables, in this order.
pub(super) const CREATE: [&str; 7] = [
    "CREATE TABLE coalmine_schema (version INTEGER NOT NULL)",
    // The hash of an entry is that of the bytes in `entry`; all else repeats what they say.
    "CREATE TABLE journal (
        number INTEGER PRIMARY KEY,
        hash TEXT NOT NULL,
        previous TEXT NOT NULL,
        at_ns BIGINT NOT NULL,
        model TEXT,
        cause TEXT NOT NULL,
        kind TEXT NOT NULL,
        entry BLOB NOT NULL
    )",
    "CREATE TABLE journal_head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        entries BIGINT NOT NULL,
        hash TEXT NOT NULL
    )",
    "CREATE TABLE reply (
        idempotency_key TEXT PRIMARY KEY,
        request TEXT NOT NULL,
        status INTEGER NOT NULL,
        answer TEXT NOT NULL,
        entry BIGINT,
        at_ns BIGINT NOT NULL
    )",
    "CREATE INDEX reply_at_ns ON reply (at_ns)",
    INDEX_MODELS,
    "INSERT INTO journal_head (id, entries, hash) VALUES (1, 0, \
     '0000000000000000000000000000000000000000000000000000000000000000')",
];

/// Finds the entries of a model. A journal of an earlier release gets it when it is opened for
/// appending; one without it is read all the same.
pub(super) const INDEX_MODELS: &str =
    "CREATE INDEX IF NOT EXISTS journal_model ON journal (model, number)";

/// Says which schema this is, once the tables are made.
pub(super) const INSERT_VERSION: &str = "INSERT INTO coalmine_schema (version) VALUES ($1)";

/// Reads which schema this is.
pub(super) const VERSION_ROW: &str = "SELECT version FROM coalmine_schema";

/// Moves the head, if it is still where the writer believes it to be: the guard against a second
/// writer, whatever else two transactions may see of each other.
pub(super) const MOVE_HEAD: &str = "UPDATE journal_head SET entries = $1, hash = $2 \
     WHERE id = 1 AND entries = $3 AND hash = $4";

/// Leaves the head where it is, by a write.
pub(super) const TOUCH_HEAD: &str = "UPDATE journal_head SET entries = entries WHERE id = 1";

/// Reads the head.
pub(super) const HEAD: &str = "SELECT entries, hash FROM journal_head WHERE id = 1";

/// Appends an entry.
pub(super) const INSERT_ENTRY: &str = "INSERT INTO journal \
     (number, hash, previous, at_ns, model, cause, kind, entry) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Reads the entries after a number.
pub(super) const ENTRIES: &str = "SELECT number, hash, previous, at_ns, model, cause, kind, entry \
     FROM journal WHERE number > $1 ORDER BY number LIMIT $2";

/// Reads the entries of a model after a number.
pub(super) const ENTRIES_OF: &str = "SELECT number, hash, previous, at_ns, model, cause, kind, \
     entry FROM journal WHERE model = $1 AND number > $2 ORDER BY number LIMIT $3";

/// Forgets the replies up to a time.
pub(super) const FORGET_REPLIES: &str = "DELETE FROM reply WHERE at_ns <= $1";

/// Keeps a reply.
pub(super) const INSERT_REPLY: &str = "INSERT INTO reply \
     (idempotency_key, request, status, answer, entry, at_ns) VALUES ($1, $2, $3, $4, $5, $6)";

/// Reads a reply that is younger than a time.
pub(super) const REPLY: &str = "SELECT idempotency_key, request, status, answer, entry, at_ns \
     FROM reply WHERE idempotency_key = $1 AND at_ns > $2";
