//! A process that appends is killed in the middle, again and again: every entry that it had
//! acknowledged is there afterwards, the chain verifies, and its successor is not kept out.
//!
//! The process is this test binary itself, run with [`the_process_that_is_killed`] alone; it learns
//! from its standard input where to append.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use coalmine::engine::{Command, CommandKind, Engine, ModelSettings, Target, Version};
use coalmine::exchange::ModelIndex;
use coalmine::store::{Journal, SqliteJournal, fold};
use coalmine::units::{ModelId, Ratio, TagName, Timestamp, VersionId};

#[test]
fn every_acknowledged_entry_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut acknowledged = 0;
    // Lines to wait for before the kill, spread over what a process writes in a blink.
    let waits = (0..20).map(|round| 1 + round * 7919 % 30);
    for wait in waits {
        let seen = killed_after(&path, wait);
        assert!(seen >= acknowledged + wait, "{seen} after {acknowledged}, waited for {wait}");
        let state = runtime().block_on(async {
            // First by a reader, as the process left it.
            let mut reader = SqliteJournal::open_read_only(&path).await.unwrap();
            let read = fold(&mut reader).await.unwrap();
            let mut journal = SqliteJournal::open(&path).await.unwrap();
            let state = fold(&mut journal).await.unwrap();
            assert_eq!(state, read);
            for number in acknowledged + 1..=seen {
                let reply = journal.reply(&number.to_string(), START).await.unwrap();
                assert_eq!(reply.unwrap().entry, Some(number));
            }
            state
        });
        // One entry may have been on disk and not acknowledged.
        assert!((seen..=seen + 1).contains(&state.entries()), "{seen}, {}", state.entries());
        acknowledged = state.entries();
    }
}

/// Lets a process append, kills it after `wait` acknowledged entries, and answers the last one that
/// it acknowledged.
fn killed_after(path: &Path, wait: u64) -> u64 {
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_process_that_is_killed", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", path.display()).unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut numbers = output.lines().map_while(Result::ok).filter_map(|line| {
        // A line that the kill cut off has no mark at its end.
        line.split_once("appended ")?.1.strip_suffix('.')?.parse::<u64>().ok()
    });
    let mut last = numbers.nth(wait as usize - 1).expect("the process appends for ever");
    child.kill().unwrap();
    last = numbers.last().unwrap_or(last);
    assert!(!child.wait().unwrap().success());
    last
}

#[test]
#[ignore = "the other half of every_acknowledged_entry_survives_a_kill, which runs it"]
fn the_process_that_is_killed() {
    let mut path = String::new();
    stdin().read_line(&mut path).unwrap();
    if path.trim_end().is_empty() {
        return;
    }
    runtime().block_on(append_for_ever(Path::new(path.trim_end())));
}

async fn append_for_ever(path: &Path) {
    let mut journal = SqliteJournal::open(path).await.unwrap();
    let state = fold(&mut journal).await.unwrap();
    let settings = ModelSettings::new(ModelId::new("gpt-4").unwrap());
    let mut engine = Engine::restore(START, [settings], state);
    let mut out = stdout();
    loop {
        while engine.poll_event().is_some() {}
        let kind = next_command(engine.durable().entries() + 1);
        let command = Command { model: ModelIndex(0), by: "ci".to_owned(), kind };
        let prepared = engine.prepare(START, &command).unwrap();
        let entry = prepared.entry().unwrap();
        let number = entry.entry().number;
        let reply = coalmine::store::Reply {
            key: number.to_string(),
            request: entry.hash(),
            status: 200,
            answer: "{}".to_owned(),
            entry: Some(number),
            at: START,
        };
        journal.append(&[entry], Some(&reply)).await.unwrap();
        writeln!(out, "appended {number}.").unwrap();
        prepared.commit();
    }
}

fn next_command(number: u64) -> CommandKind {
    let target = |name: &str| Target::new(name).unwrap();
    let version = |name: &str| {
        let version = Version::new(VersionId::new(name).unwrap(), "openai", START);
        CommandKind::Register(Box::new(version))
    };
    match number {
        1 => version("v1"),
        2 => version("v2"),
        3 => CommandKind::Tag {
            tag: TagName::new("stable").unwrap(),
            version: target("v1"),
            preserve_previous: true,
        },
        _ => {
            let percent = (number % 50) as u8;
            let ratio = Ratio::from_percent;
            let shares = vec![(target("v1"), ratio(100 - percent)), (target("v2"), ratio(percent))];
            CommandKind::Split { shares, redeploy: true }
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

const START: Timestamp = Timestamp::from_second(1_700_000_000);
