//! A way in again when every administrator's key is lost: who can write a gateway's journal makes a
//! key with it, while no gateway does.

use std::io;
use std::path::Path;

use super::access_secret::AccessSecret;
use crate::engine::{CommandError, NewKey, Scope};
use crate::store::{Journal, OpenError, OpenFault, SqliteJournal, StoreError, fold};
use crate::units::{KeyId, Timestamp};

/// Why no key was made. The journal is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The journal cannot be opened: a gateway serves from it, above all.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal cannot be trusted, or not be written.
    #[error("the journal is not as it was written: {0}")]
    Store(#[from] StoreError),
    /// There is a key of this name.
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// The key could not be shown, and is not valid.
    #[error("the access key could not be shown, and is not valid: {0}")]
    Show(#[source] io::Error),
    /// The system has no randomness.
    #[error("the system has no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
    /// Nothing could be waited for.
    #[error("the journal cannot be read: {0}")]
    Runtime(#[source] io::Error),
}

/// Makes an access key for everything in the journal at `path`, as of `now`; `show` is given it,
/// once, before it is valid. Without an `id` it is `recovered`, with a number where there is one.
/// Answers its name.
///
/// # Errors
/// See [`RecoverError`]. A key that was shown is not valid then.
pub fn recover_key(
    path: &Path,
    id: Option<KeyId>,
    now: Timestamp,
    show: &mut dyn FnMut(&str) -> io::Result<()>,
) -> Result<KeyId, RecoverError> {
    // To open it would make a new journal.
    if !path.try_exists().unwrap_or(true) {
        let (path, fault) = (path.to_owned(), OpenFault::Missing);
        return Err(OpenError { path, fault }.into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(RecoverError::Runtime)?;
    runtime.block_on(async {
        let mut journal = SqliteJournal::open(path).await?;
        let state = fold(&mut journal).await?;
        let known = state.keys(now);
        let is_free = |id: &KeyId| known.iter().all(|key| key.id != *id);
        let names = (1..).map(|number: u32| match number {
            1 => FIRST.to_owned(),
            more => format!("{FIRST}-{more}"),
        });
        let free = || names.filter_map(|name| KeyId::new(&name).ok()).find(is_free);
        let id = id.or_else(free).expect("the names have no end");
        let secret = AccessSecret::new(id.clone())?;
        let digest = secret.digest();
        let new =
            NewKey { id: id.clone(), digest, scope: Scope::Admin, models: None, version: None };
        let sealed = state.with_key(now, BY, &new)?;
        show(&secret.to_text()).map_err(RecoverError::Show)?;
        journal.append(&[&sealed], None).await?;
        journal.close().await?;
        Ok(id)
    })
}

/// What the first such key is called.
const FIRST: &str = "recovered";
/// Who asks for it, as the journal has it.
const BY: &str = "recovery";

#[cfg(test)]
mod tests {
    use super::super::test_house::TestHouse;
    use super::*;

    fn recover(path: &Path, id: Option<&str>) -> Result<(KeyId, String), RecoverError> {
        let mut shown = String::new();
        let mut show = |key: &str| {
            assert!(shown.is_empty(), "a second one: {key}");
            key.clone_into(&mut shown);
            Ok(())
        };
        let id = id.map(|id| KeyId::new(id).unwrap());
        // Before any entry of the test's house: times do not go back.
        let id = recover_key(path, id, Timestamp::EPOCH, &mut show)?;
        Ok((id, shown))
    }

    /// No runtime starts within another.
    async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        tokio::task::spawn_blocking(work).await.unwrap()
    }

    #[tokio::test]
    async fn a_key_of_the_recovery_opens_everything_once_the_gateway_is_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let house = TestHouse::in_file(&path).await;
        let lost = house.key.clone();
        let at = path.clone();
        let refused = apart(move || recover(&at, None).unwrap_err().to_string()).await;
        assert!(refused.contains("in use by another gateway"), "{refused}");
        drop(house);
        let at = path.clone();
        let made = apart(move || {
            let refused = recover(&at, Some("ops")).unwrap_err().to_string();
            assert!(refused.contains("there is an access key ops already"), "{refused}");
            [recover(&at, None), recover(&at, None), recover(&at, Some("me"))].map(Result::unwrap)
        });
        let made = made.await;
        let names: Vec<_> = made.iter().map(|(id, _)| id.to_string()).collect();
        assert_eq!(names, ["recovered", "recovered-2", "me"]);
        for (_, key) in &made {
            let house = TestHouse::again(&path, key);
            let keys = house.call("GET", "/v1/auth/keys", None).await;
            assert_eq!(keys.status, 200, "{}", keys.text);
            assert_eq!(keys.body.as_array().unwrap().len(), 4, "{}", keys.text);
        }
        // Who has the old one after all has not lost it.
        let house = TestHouse::again(&path, &lost);
        assert_eq!(house.call("GET", "/v1/auth/keys", None).await.status, 200);
    }

    #[test]
    fn a_journal_that_is_not_there_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let refused = recover(&path, None).unwrap_err().to_string();
        assert!(refused.contains("there is no such file"), "{refused}");
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_key_that_cannot_be_shown_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let house = TestHouse::in_file(&path).await;
        let key = house.key.clone();
        drop(house);
        let at = path.clone();
        let refused = apart(move || {
            let mut unseen = |_: &str| Err(io::Error::other("nobody reads this"));
            recover_key(&at, None, Timestamp::EPOCH, &mut unseen).unwrap_err().to_string()
        });
        assert!(refused.await.contains("could not be shown"));
        let house = TestHouse::again(&path, &key);
        let keys = house.call("GET", "/v1/auth/keys", None).await.body;
        assert_eq!(keys.as_array().unwrap().len(), 1);
    }
}
