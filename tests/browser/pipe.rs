//! Chromium without a window, spoken to by its DevTools protocol through a pipe. Knows no pages.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A running Chromium. It ends with this value.
pub(crate) struct Pipe {
    chromium: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    events: VecDeque<Value>,
    calls: u64,
    _profile: TempDir,
}

/// Chosen: on a busy machine a long report is loaded and searched in a few seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// Chromium's place: that in `CHROMIUM`, or the first of its names in the search path.
pub(crate) fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut folders = std::env::split_paths(&paths);
    let found = || {
        folders.find_map(|dir| {
            names.map(|name| dir.join(name)).into_iter().find(|path| path.is_file())
        })
    };
    named.or_else(found)
}

impl Pipe {
    /// Starts the Chromium that lies at `path`.
    pub(crate) fn open(path: &PathBuf) -> Self {
        let profile = TempDir::new().unwrap();
        // Chromium reads commands from its file 3 and writes answers to 4: the shell makes them of
        // the pipes that a child has.
        let mut chromium = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"])
            .arg(path)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--hide-scrollbars", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = chromium.stdin.take().unwrap();
        let output = BufReader::new(chromium.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for bytes in output.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&bytes).unwrap();
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let events = VecDeque::new();
        Self { chromium, input, messages, events, calls: 0, _profile: profile }
    }

    /// Calls a method and waits for what it answers. `session` is the page that it is for.
    pub(crate) fn call(&mut self, session: Option<&str>, method: &str, params: &Value) -> Value {
        self.calls += 1;
        let mut command = json!({ "id": self.calls, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        write!(self.input, "{command}\0").unwrap();
        loop {
            let mut message = self.next(method);
            if message["id"] == self.calls {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.events.push_back(message);
        }
    }

    /// Waits for an event of this name.
    pub(crate) fn wait(&mut self, name: &str) {
        while !self.events.iter().any(|event| event["method"] == name) {
            let message = self.next(name);
            self.events.push_back(message);
        }
    }

    /// What came beside answers, since it was last forgotten.
    pub(crate) fn events(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |event| event["method"] == name)
    }

    pub(crate) fn forget_events(&mut self) {
        self.events.clear();
    }

    fn next(&self, awaited: &str) -> Value {
        let message = self.messages.recv_timeout(PATIENCE);
        message.unwrap_or_else(|error| panic!("Chromium does not answer {awaited}: {error}"))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // That it has ended already is no reason to panic.
        let _ = self.chromium.kill();
        let _ = self.chromium.wait();
    }
}
