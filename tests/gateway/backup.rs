//! Copies of a journal that a gateway is writing, and the way in again without a key.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::client::Client;
use crate::program::run;
use crate::upstream::Upstream;
use crate::world::{World, ask, two};

fn on_disk(journal: &Path, upstream: &Upstream) -> String {
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", "");
    yaml.replace("':memory:'", &format!("'{}'", journal.display()))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What `coalmine` says that does not do it.
fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let ended = Command::new(env!("CARGO_BIN_EXE_coalmine")).args(arguments).output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

#[test]
fn a_backup_of_a_journal_that_is_written_is_one_file_from_which_a_gateway_goes_on() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let [journal, copy] = ["journal.db", "copy.db"].map(|name| folder.path().join(name));
    let world = World::new(&on_disk(&journal, &upstream));
    let key = world.key.clone();
    let mut client = world.client();
    let split = json!({"action": "split", "split": {"v1": 0.875, "v2": 0.125}});
    assert_eq!(client.post("/v1/models/gpt-4/deploy", &split).status, 200);
    let told = run(&["journal", "backup", text(&journal), text(&copy)]);
    let verified = run(&["journal", "verify", text(&copy)]);
    assert_eq!(told, verified, "the same entries under the same head");
    assert_eq!(
        verified.split(": ").nth(1),
        run(&["journal", "verify", text(&journal)]).split(": ").nth(1)
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "it holds secrets' digests and webhooks");
    }
    // The gateway has not noticed, and what it does now is not in the copy.
    let back = json!({"action": "rollback"});
    assert_eq!(client.post("/v1/models/gpt-4/deploy", &back).status, 200);
    // An old copy is kept unless it is said otherwise.
    let (code, words) = refused(&["journal", "backup", text(&journal), text(&copy)]);
    assert!(code == Some(2) && words.contains("--force"), "{code:?} {words}");
    drop(client);
    world.stop();
    let restored = World::new(&on_disk(&copy, &upstream));
    let mut client = Client::new(restored.address, &key);
    let shown = client.get("/v1/models/gpt-4/versions/v2").json();
    assert_eq!((&shown["weight"], &shown["status"]), (&json!(0.125), &json!("canary")));
    assert_eq!(client.chat(&ask("gpt-4@v1")).status, 200);
    drop(client);
    restored.stop();
    run(&["journal", "backup", text(&journal), text(&copy), "--force"]);
    assert!(run(&["journal", "show", text(&copy)]).contains("rolled back"));
}

#[test]
fn a_backup_that_is_not_as_it_was_written_is_not_kept() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let [journal, copy] = ["journal.db", "copy.db"].map(|name| folder.path().join(name));
    World::new(&on_disk(&journal, &upstream)).stop();
    std::fs::write(&copy, "an old copy").unwrap();
    let mut bytes = std::fs::read(&journal).unwrap();
    // In the canonical form of an entry, where no page of the database is touched.
    let needle = b"\"upstream\":\"other\"";
    let found = |bytes: &[u8]| bytes.windows(needle.len()).position(|window| window == needle);
    assert!(found(&bytes).is_some());
    while let Some(at) = found(&bytes) {
        bytes[at + needle.len() - 2] = b'R';
    }
    std::fs::write(&journal, bytes).unwrap();
    let (code, words) = refused(&["journal", "backup", text(&journal), text(&copy), "--force"]);
    assert!(code == Some(3) && words.contains("journal entry "), "{code:?} {words}");
    assert_eq!(std::fs::read(&copy).unwrap(), b"an old copy");
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let left = |path: &&PathBuf| text(path).ends_with(".tmp");
    assert!(!files.iter().any(|path| left(&path)), "{files:?}");
}

#[test]
fn a_key_is_made_without_a_key_while_no_gateway_serves() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    let world = World::new(&on_disk(&journal, &upstream));
    let recover = ["keys", "recover", "--state", text(&journal)];
    let (code, words) = refused(&recover);
    assert!(code == Some(3) && words.contains("stop the gateway first"), "{code:?} {words}");
    world.stop();
    let key = run(&recover);
    let world = World::new(&on_disk(&journal, &upstream));
    let mut client = Client::new(world.address, key.trim());
    assert_eq!(client.get("/v1/auth/keys").status, 200);
    let (code, words) =
        refused(&["keys", "recover", "--state", text(&folder.path().join("no.db"))]);
    assert!(code == Some(3) && words.contains("no such file"), "{code:?} {words}");
}
