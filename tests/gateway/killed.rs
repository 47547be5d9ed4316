//! A gateway that is killed while commands are being answered loses none that it has answered and
//! keeps none by half. SIGKILL takes what the process has not handed to the system; what a machine
//! loses that goes down is the disk's affair, and not shown here.
//!
//! `GATEWAY_KILLS` says how often it is killed, each time under eight streams of commands: 125 make
//! a thousand streams.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::program::{Program, run};
use crate::world::{drawn, two};

/// Streams of commands at once.
const STREAMS: usize = 8;
/// Weights are told apart in so many steps: a power of two, so that they add up exactly.
const STEPS: u64 = 1 << 20;
/// Some milliseconds: as long as a few commands take.
const MOST_SPINS: u64 = 400_000;

/// A gateway whose journal is on the disk, and what its clients know of it.
struct Ledger {
    folder: tempfile::TempDir,
    key: String,
    /// The number of the command that is sent next.
    next: AtomicU64,
    answered: Mutex<Vec<Answered>>,
    /// Commands that were sent, and whose answer never came.
    open: Mutex<Vec<u64>>,
}

/// A command that was answered.
struct Answered {
    command: u64,
    text: String,
}

/// How a split came into the journal.
#[derive(Clone, PartialEq, Debug)]
struct Written {
    number: u64,
    split: Value,
}

#[test]
fn a_gateway_that_is_killed_loses_no_command_that_it_answered_and_keeps_none_by_half() {
    let kills = std::env::var_os("GATEWAY_KILLS").map(|kills| kills.into_string().unwrap());
    let kills: u64 = kills.map_or(4, |kills| kills.parse().unwrap());
    let mut ledger = Ledger::new();
    let (mut kept, mut lost) = (0, 0);
    for kill in 0..kills {
        let mut program = Program::serve(&ledger.path("gateway.yaml"));
        if kill == 0 {
            ledger.key = program.first_key();
        }
        ledger.stream_until_killed(&program, 1 + drawn(kill, 60));
        program.gone();
        let journal = ledger.journal();
        ledger.check_answered(&journal);
        let (there, gone) = ledger.check_open(&journal);
        ledger.repeat(&journal);
        kept += there;
        lost += gone;
    }
    let (streams, answered) = (kills as usize * STREAMS, ledger.answered.lock().unwrap().len());
    println!(
        "{kills} kills under {streams} streams: {answered} commands answered and all there; of \
         those without an answer {kept} there and {lost} not"
    );
}

impl Ledger {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = "http://127.0.0.1:9/v1";
        let yaml = two(nowhere, nowhere, "{v1: 50%, v2: 50%}", "log: {level: error}");
        let yaml = yaml.replace("':memory:'", "journal.db");
        let yaml = format!("schema: 1\nlisten: 127.0.0.1:0\n{yaml}");
        std::fs::write(folder.path().join("gateway.yaml"), yaml).unwrap();
        let (answered, open) = (Mutex::default(), Mutex::default());
        Self { folder, key: String::new(), next: AtomicU64::new(1), answered, open }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sends commands on all streams, each as soon as the last one is answered, until the gateway
    /// is killed: by whoever gets the answer that is the `nth` of all.
    fn stream_until_killed(&self, program: &Program, nth: u64) {
        let answers = AtomicU64::new(0);
        let stream = |mut client: Client| {
            loop {
                let command = self.next.fetch_add(1, Ordering::Relaxed);
                let Ok(reply) = send(&mut client, command) else {
                    self.open.lock().unwrap().push(command);
                    return;
                };
                if answers.fetch_add(1, Ordering::Relaxed) + 1 == nth {
                    // Anywhere between this answer and some later one.
                    for _ in 0..drawn(command, MOST_SPINS) {
                        std::hint::spin_loop();
                    }
                    program.kill();
                }
                assert_eq!(reply.status, 200, "{}", reply.text());
                self.answered.lock().unwrap().push(Answered { command, text: reply.text() });
            }
        };
        let clients: Vec<Client> = (0..STREAMS).map(|_| program.client(&self.key)).collect();
        std::thread::scope(|scope| {
            for client in clients {
                scope.spawn(|| stream(client));
            }
        });
    }

    /// The splits of the journal by the command that set them, after the chain was verified.
    fn journal(&self) -> BTreeMap<u64, Written> {
        let path = self.path("journal.db").display().to_string();
        let verified = run(&["journal", "verify", &path]);
        assert!(verified.starts_with("ok  "), "{verified}");
        let exported = run(&["journal", "export", &path]);
        let entries: Vec<Value> =
            exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut splits = BTreeMap::new();
        for (place, entry) in entries.iter().enumerate() {
            assert_eq!(entry["number"], place as u64 + 1, "a number is missing");
            let split = &entry["change"]["split"]["shift"]["split"];
            // The configuration's own split is nobody's command.
            if entry["by"] != "admin" || split.is_null() {
                continue;
            }
            let weight = split[0][1].as_f64().unwrap();
            let written = Written { number: place as u64 + 1, split: split.clone() };
            let twice = splits.insert((weight * STEPS as f64) as u64, written);
            assert_eq!(twice, None, "a command was carried out twice");
        }
        splits
    }

    /// Every answered command is where its answer says it is, as it was sent.
    fn check_answered(&self, journal: &BTreeMap<u64, Written>) {
        for Answered { command, text } in &*self.answered.lock().unwrap() {
            let answer: Value = serde_json::from_str(text).unwrap();
            let written = journal.get(command);
            let written = written.unwrap_or_else(|| panic!("{command} was answered and is lost"));
            assert_eq!(answer["journal_entry"], written.number, "{command}");
            let weight = *command as f64 / STEPS as f64;
            assert_eq!(written.split, json!([["v1", weight], ["v2", 1.0 - weight]]), "{command}");
            assert_eq!(answer["split"], json!({"v1": weight, "v2": 1.0 - weight}), "{command}");
        }
    }

    /// Beside those the journal holds at most commands whose answers the kill cut off, whole; how
    /// many are there, and how many are not.
    fn check_open(&self, journal: &BTreeMap<u64, Written>) -> (usize, usize) {
        let open: BTreeSet<u64> = self.open.lock().unwrap().iter().copied().collect();
        let answered = self.answered.lock().unwrap();
        let answered: BTreeSet<u64> = answered.iter().map(|answered| answered.command).collect();
        for (command, written) in journal {
            assert!(answered.contains(command) || open.contains(command), "{written:?}");
            let weight = *command as f64 / STEPS as f64;
            assert_eq!(written.split, json!([["v1", weight], ["v2", 1.0 - weight]]));
        }
        let there = open.iter().filter(|command| journal.contains_key(command)).count();
        (there, open.len() - there)
    }

    /// After its restart the gateway goes on from the last split of the journal. A client that got
    /// no answer sends its command again under the same key: it is carried out once, whichever side
    /// of its entry the kill fell on. And what was answered is answered the same.
    fn repeat(&self, journal: &BTreeMap<u64, Written>) {
        let program = Program::serve(&self.path("gateway.yaml"));
        let mut client = program.client(&self.key);
        let last = journal.values().max_by_key(|written| written.number).unwrap();
        let shown = client.get("/v1/models/gpt-4/versions/v1").json();
        assert_eq!(shown["weight"], last.split[0][1], "the split is not the journal's last");
        let mut head = last.number;
        for command in std::mem::take(&mut *self.open.lock().unwrap()) {
            let reply = send(&mut client, command).unwrap();
            assert_eq!(reply.status, 200, "{}", reply.text());
            let expected = journal.get(&command).map_or(head + 1, |written| written.number);
            head = head.max(expected);
            assert_eq!(reply.json()["journal_entry"], expected, "{command}");
            self.answered.lock().unwrap().push(Answered { command, text: reply.text() });
        }
        let answered = self.answered.lock().unwrap();
        for Answered { command, text } in answered.iter().rev().take(2 * STREAMS) {
            assert_eq!(&send(&mut client, *command).unwrap().text(), text);
        }
        drop(answered);
        program.kill();
        program.gone();
        self.check_answered(&self.journal());
    }
}

/// A split that no other command sets, under a key of its own.
fn send(client: &mut Client, command: u64) -> std::io::Result<Reply> {
    let weight = command as f64 / STEPS as f64;
    let headers =
        format!("content-type: application/json\r\nidempotency-key: command-{command}\r\n");
    let body = json!({"action": "split", "split": {"v1": weight, "v2": 1.0 - weight}});
    client.try_call("POST", "/v1/models/gpt-4/deploy", &headers, &body.to_string())
}
