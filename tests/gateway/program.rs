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
    /// All that it writes to stderr.
    log: JoinHandle<String>,
}

impl Program {
    /// Serves this configuration; ready when it returns.
    pub(crate) fn serve(config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_coalmine"))
            .arg("serve")
            .arg(config)
            .args(["--threads", "2"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let (address, log) = watch(BufReader::new(child.stderr.take().unwrap()));
        let process = Process(child);
        let Ok(address) = address.recv() else { panic!("{}", log.join().unwrap()) };
        let id = process.0.id();
        Self { process: Mutex::new(process), stdout, id, address, log }
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

    /// Waits until it is gone; what it has written to stderr.
    pub(crate) fn gone(self) -> String {
        let Self { process, log, .. } = self;
        process.into_inner().unwrap().0.wait().unwrap();
        log.join().unwrap()
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

/// Reads what it logs: where it serves, as soon as it says so, and all of it at the end.
fn watch(mut stderr: impl BufRead + Send + 'static) -> (Receiver<SocketAddr>, JoinHandle<String>) {
    let (tell, told) = channel();
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        loop {
            let from = log.len();
            if stderr.read_line(&mut log).unwrap() == 0 {
                return log;
            }
            if let Some(address) = log[from..].strip_prefix("serving on ") {
                let _ = tell.send(address.trim().parse().unwrap());
            }
        }
    });
    (told, log)
}
