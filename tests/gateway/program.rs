//! The built program `coalmine serve` as a process of its own, which can be killed and measured.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use crate::client::Client;

/// A gateway that serves as a process.
pub(crate) struct Program {
    process: Mutex<Process>,
    stdout: ChildStdout,
    id: u32,
    pub(crate) address: SocketAddr,
    /// All that it writes to stderr, and each line of it behind its address as it comes.
    log: JoinHandle<String>,
    lines: Mutex<Receiver<String>>,
}

impl Program {
    /// Serves this configuration; ready when it returns.
    pub(crate) fn serve(config: &Path) -> Self {
        Self::serve_with(config, &[])
    }

    /// The same with more arguments.
    pub(crate) fn serve_with(config: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_coalmine"))
            .arg("serve")
            .arg(config)
            .args(["--threads", "2"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let (lines, log) = watch(BufReader::new(child.stderr.take().unwrap()));
        let process = Process(child);
        let address = |line: String| Some(line.strip_prefix("serving on ")?.parse().unwrap());
        let Some(address) = lines.iter().find_map(address) else {
            panic!("{}", log.join().unwrap())
        };
        let id = process.0.id();
        Self { process: Mutex::new(process), stdout, id, address, log, lines: Mutex::new(lines) }
    }

    /// The access key that its first start has made.
    pub(crate) fn first_key(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(&mut self.stdout).read_line(&mut line).unwrap();
        line.rsplit(": ").next().unwrap().trim().to_owned()
    }

    pub(crate) fn client(&self, key: &str) -> Client {
        Client::new(self.address, key)
    }

    /// Ends it as SIGKILL does: it does nothing any more.
    pub(crate) fn kill(&self) {
        self.process.lock().unwrap().0.kill().unwrap();
    }

    /// Sends it this signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id.to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until a line of its log begins so.
    pub(crate) fn until_it_says(&self, start: &str) {
        let lines = self.lines.lock().unwrap();
        let mut lines = lines.iter();
        assert!(lines.any(|line| line.starts_with(start)), "it has ended without {start:?}");
    }

    /// Waits until it has ended: its exit code, and what it has written to stderr.
    pub(crate) fn ended(self) -> (Option<i32>, String) {
        let Self { process, log, .. } = self;
        let ended = process.into_inner().unwrap().0.wait().unwrap();
        (ended.code(), log.join().unwrap())
    }

    /// Waits until it is gone; what it has written to stderr.
    pub(crate) fn gone(self) -> String {
        self.ended().1
    }

    /// Its resident memory in bytes; `None`: the system does not say.
    pub(crate) fn memory(&self) -> Option<u64> {
        let text = std::fs::read_to_string(self.about("status")).ok()?;
        let resident = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(resident.split_whitespace().next()?.parse::<u64>().ok()? * 1_024)
    }

    /// How many files and sockets it has open; `None`: the system does not say.
    pub(crate) fn descriptors(&self) -> Option<usize> {
        Some(std::fs::read_dir(self.about("fd")).ok()?.count())
    }

    fn about(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.id))
    }
}

/// A process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What `coalmine` with these arguments prints; it must succeed.
pub(crate) fn run(arguments: &[&str]) -> String {
    let ended = Command::new(env!("CARGO_BIN_EXE_coalmine")).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{arguments:?}: {told}");
    String::from_utf8(ended.stdout).unwrap()
}

/// Reads what it logs: each line as it comes, and all of it at the end.
fn watch(mut stderr: impl BufRead + Send + 'static) -> (Receiver<String>, JoinHandle<String>) {
    let (tell, told) = channel();
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        loop {
            let from = log.len();
            if stderr.read_line(&mut log).unwrap() == 0 {
                return log;
            }
            // Nobody may be listening.
            let _ = tell.send(log[from..].trim_end().to_owned());
        }
    });
    (told, log)
}
