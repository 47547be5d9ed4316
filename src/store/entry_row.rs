//! An entry as a row of the table `journal`: written from a sealed entry, and read back with every
//! column checked against the canonical bytes.

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Decode, Row, Sqlite, Type, TypeInfo, ValueRef};

use super::{StoreError, schema};
use crate::engine::{BrokenJournal, Change, Digest, JournalFault, Sealed};

/// The statement that appends `sealed`.
pub(super) fn insert(sealed: &Sealed) -> sqlx::query::Query<'static, Sqlite, SqliteArguments> {
    let entry = sealed.entry();
    sqlx::query(schema::INSERT_ENTRY)
        .bind(integer(entry.number))
        .bind(sealed.hash().to_string())
        .bind(entry.previous.to_string())
        .bind(entry.at.as_nanos())
        .bind(entry.model.as_ref().map(|model| model.as_str().to_owned()))
        .bind(entry.cause.by().to_owned())
        .bind(kind(&entry.change))
        .bind(sealed.to_bytes())
}

/// The entry in `row`, which should be number `place`.
///
/// # Errors
/// The bytes are no entry or have another hash, the entry or the row has another number, or a
/// column says something else than the entry.
pub(super) fn sealed(row: &SqliteRow, place: u64) -> Result<Sealed, StoreError> {
    let number = |found| match found == place {
        true => Ok(()),
        false => Err(broken(place, JournalFault::Number { found, expected: place })),
    };
    number(unsigned(cell::<i64>(row, place, "number")?))?;
    let stated = cell::<String>(row, place, "hash")?;
    let bytes = cell::<Vec<u8>>(row, place, "entry")?;
    let hash = Digest::try_from(stated.clone());
    let hash = hash.map_err(|_| differing(place, "hash", &stated, &Digest::of(&bytes)))?;
    let sealed = Sealed::read(&bytes, hash).map_err(|fault| broken(place, fault.into()))?;
    let entry = sealed.entry();
    number(entry.number)?;
    let same = |column, found: &str, expected: &str| match found == expected {
        true => Ok(()),
        false => Err(differing(place, column, &found, &expected)),
    };
    same("previous", &cell::<String>(row, place, "previous")?, &entry.previous.to_string())?;
    let (at, expected) = (cell::<i64>(row, place, "at_ns")?, entry.at.as_nanos());
    if at != expected {
        return Err(differing(place, "at_ns", &at, &expected));
    }
    let model = cell::<Option<String>>(row, place, "model")?;
    let expected = entry.model.as_ref().map(|model| model.as_str());
    if model.as_deref() != expected {
        return Err(differing(place, "model", &model, &expected));
    }
    same("cause", &cell::<String>(row, place, "cause")?, entry.cause.by())?;
    same("kind", &cell::<String>(row, place, "kind")?, &kind(&entry.change))?;
    Ok(sealed)
}

/// A number of the journal as SQL has it. None reaches the end of its range: at a million entries a
/// second that takes 290,000 years.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of the journal as SQL had it; one below 0 is none: it stands for 0, which no entry has.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// The name that a change has in its canonical form.
pub(super) fn kind(change: &Change) -> String {
    match serde_json::to_value(change) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(members)) => {
            members.into_iter().next().map(|(name, _)| name).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn broken(place: u64, fault: JournalFault) -> StoreError {
    BrokenJournal { place, fault }.into()
}

fn differing(
    place: u64,
    column: &'static str,
    found: &dyn std::fmt::Debug,
    expected: &dyn std::fmt::Debug,
) -> StoreError {
    let cut = |value: &dyn std::fmt::Debug| format!("{value:?}").chars().take(SHOWN).collect();
    StoreError::Column { place, column, found: cut(found), expected: cut(expected) }
}

/// The value of a column; SQLite lets hands put a value of any type into it.
fn cell<'r, T>(row: &'r SqliteRow, place: u64, column: &'static str) -> Result<T, StoreError>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    row.try_get(column).map_err(|_| {
        let kind = row.try_get_raw(column).map(|value| {
            let info = value.type_info().into_owned();
            info.name().to_owned()
        });
        StoreError::Column {
            place,
            column,
            found: format!("an unreadable {}", kind.unwrap_or_default()),
            expected: format!("a {}", T::type_info().name()),
        }
    })
}

/// How much of a wrong value an error shows.
const SHOWN: usize = 80;
