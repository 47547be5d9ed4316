//! Programs of others against a gateway with a mock behind it: those of the document that gateways
//! are made after, and the official client of OpenAI.
//!
//! Needs the packages of `tests/python/requirements.txt`, which `.ci/run` installs; without them
//! the tests say that they are left out, unless `REQUIRE_PYTHON_TOOLS` is set.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use coalmine::chance::Distribution;
use coalmine::clock::{TimeScale, WallClock};
use coalmine::mock::{DescribedBehaviour, MockSettings, MockVersion, Numbering, serve};

use crate::world::World;

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// The interpreter that has the packages, or none.
#[expect(clippy::print_stderr, reason = "what is left out is told")]
fn python(module: &str) -> Option<PathBuf> {
    let python = std::env::var_os("PYTHON").map(PathBuf::from);
    let python =
        python.unwrap_or_else(|| PathBuf::from(FOLDER).join("target/ci-tools/python/bin/python"));
    let found = Command::new(&python)
        .args(["-c", &format!("import {module}")])
        .stderr(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    assert!(
        std::env::var_os("REQUIRE_PYTHON_TOOLS").is_none(),
        "{module} is missing in {python:?}"
    );
    eprintln!("left out: {python:?} has no {module}; .ci/run installs it");
    None
}

/// The URL of a mock of two versions, whose answers take no time.
fn mock() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let version = |name: &str| MockVersion {
        models: vec![name.to_owned()],
        behaviour: DescribedBehaviour::read(&serde_json::json!({"latency": "2ms"})).unwrap(),
    };
    let settings = MockSettings {
        versions: vec![version("old"), version("new")],
        seed: 7,
        clock: WallClock::new(TimeScale::REAL),
        tokens: Distribution::constant(20.0).unwrap(),
        numbering: Numbering::Counted,
        news: None,
    };
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            serve(listener, settings, std::future::pending::<()>()).await.unwrap();
        });
    });
    format!("http://{address}/v1")
}

fn world(versions: [&str; 2], more: &str) -> World {
    let [stable, canary] = versions;
    World::new(&format!(
        "state: ':memory:'
upstreams: {{mock: {{url: '{}'}}}}
models:
  gpt-4:
    versions:
      {stable}: {{upstream: mock, tags: [stable], parameters: {{model: old}}}}
      {canary}: {{upstream: mock, parameters: {{model: new}}}}
    split: {{{stable}: 50%, {canary}: 50%}}
{more}",
        mock()
    ))
}

/// What the program of this name prints; only base URL and key are others than in the document.
fn program(python: &PathBuf, name: &str, world: &World) -> String {
    let path = PathBuf::from(FOLDER).join("tests/python/seed").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let text = text
        .replace("https://api.holysheep.ai", &format!("http://{}", world.address))
        .replace("YOUR_HOLYSHEEP_API_KEY", &world.key);
    let mut child = Command::new(python)
        .arg("-")
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success(), "{name}: {told}");
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn the_programs_of_the_document_run_unmodified() {
    let Some(python) = python("requests") else { return };
    let more = "  claude-sonnet:\n    versions:\n      \
                stable-v4.3: {upstream: mock, tags: [stable], parameters: {model: old}}\n";
    let world = world(["stable-v2024.03.15", "gpt-4-turbo-v2"], more);
    let run = |name: &str| program(&python, name, &world);
    let answered = run("traffic_split.py");
    assert!(answered.starts_with("Response: {'id': 'chatcmpl-"), "{answered}");
    let applied = run("rollback_rules.py");
    assert!(applied.starts_with("Auto-rollback rules applied: {"), "{applied}");
    assert!(applied.contains("'status': 'applied'"), "{applied}");
    let updated = run("verify_rules.py");
    assert!(updated.starts_with("Config updated: {"), "{updated}");
    // A quarter of 60, 30 and 120 s, at least 5; checks come on whole seconds.
    for interval in ["15.0", "8.0", "30.0"] {
        let told = format!("'check_interval_seconds': {interval}");
        assert!(updated.contains(&told), "{told}: {updated}");
    }
    let served = run("proper_headers.py");
    let versions = ["Served by: stable-v2024.03.15\n", "Served by: gpt-4-turbo-v2\n"];
    assert!(versions.contains(&served.as_str()), "{served}");
    let managed = run("version_manager.py");
    let lines: Vec<&str> = managed.lines().collect();
    assert!(lines[0].starts_with("Version: gpt-4-turbo-v2 | Tag: None | Created: 20"), "{managed}");
    assert!(lines[1].starts_with("Version: stable-v2024.03.15 | Tag: stable | Created: 20"));
    assert_eq!(lines[2], "Rollback to stable-v2024.03.15: rolled_back");
    let restored = "Restored tag 'stable' for gpt-4\nRestored tag 'stable' for claude-sonnet\n";
    assert_eq!(run("restore_tags.py"), restored);
    // Last, as it replaces the key: its first eight letters are shown.
    let generated = run("regenerate_key.py");
    let shown = generated.strip_prefix("New API key generated: admin.").unwrap_or_default();
    let (digits, rest) = shown.split_at(2);
    assert!(digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "{generated}");
    assert_eq!(rest, "...\n");
}

#[test]
fn the_official_client_works() {
    let Some(python) = python("openai") else { return };
    let world = world(["v1", "v2"], "");
    let script = PathBuf::from(FOLDER).join("tests/python/openai_client.py");
    let base = format!("http://{}/v1", world.address);
    let ended = Command::new(python).arg(script).args([&base, &world.key]).output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success(), "{told}");
    assert_eq!(String::from_utf8(ended.stdout).unwrap(), "ok\n");
}

/// It sends what the description allows, what it does not, and what is at the edges of either. Every
/// answer must be one that is described, and none an error of the server's.
#[test]
fn no_request_that_can_be_made_from_the_description_gets_an_answer_that_is_not_in_it() {
    let Some(python) = python("schemathesis") else { return };
    let world = world(["v1", "v2"], "");
    let folder = tempfile::tempdir().unwrap();
    let ended = Command::new(python)
        .args(["-m", "schemathesis.cli", "--no-color", "--config-file"])
        .arg(PathBuf::from(FOLDER).join("tests/python/schemathesis.toml"))
        .args(["run", &format!("http://{}/openapi.json", world.address)])
        .args(["--header", &format!("Authorization: Bearer {}", world.key)])
        .env("PYTHONIOENCODING", "utf-8")
        // It keeps what it has learned beside it.
        .current_dir(folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{told}{}", String::from_utf8_lossy(&ended.stderr));
    // Who tests nothing finds no fault. Left out are the events, the new secret for the calling key,
    // and the description itself, which it has read before.
    let document = world.client().get("/openapi.json").json();
    let paths = document["paths"].as_object().unwrap().values();
    let operations: usize = paths.map(|path| path.as_object().unwrap().len()).sum();
    let tested = format!("Tested: {}\n", operations - 3);
    assert!(told.contains(&tested), "{tested}{told}");
    assert!(world.attempts("v1", "success") > 0, "no chat completion came to its upstream");
}
