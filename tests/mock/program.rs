//! The program `coalmine mock`.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use coalmine::exchange::Ending;
use serde_json::json;

use crate::client::{chat, get, put};

/// A mock that runs as a process; ended with its test.
struct Program {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line
    }

    /// The address in the next line, which begins so.
    fn address(&mut self, start: &str) -> SocketAddr {
        let line = self.line();
        let address = line.strip_prefix(start).and_then(|rest| rest.split_whitespace().next());
        address.unwrap_or_else(|| panic!("{line}")).parse().unwrap()
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coalmine"));
    command.arg("mock").args(arguments);
    command
}

fn ended(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command(arguments).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];

#[tokio::test]
async fn presets_answer_by_their_names_and_are_administered_elsewhere() {
    let presets = ["--preset", "vllm-8b-h100", "--preset", "gpt-4"];
    let more = ["--admin", "127.0.0.1:0", "--threads", "2", "--time-scale", "1000"];
    let mut program = Program::start(&[&presets[..], &LISTEN, &more].concat());
    let clients = program.address("answering on ");
    let admin = program.address("administered on ");
    let body = json!({"model": "vllm-8b-h100", "messages": [], "max_tokens": 5, "stream": true});
    let seen = chat(clients, 0, &body).await;
    assert_eq!((seen.ending, seen.pieces), (Ending::Success, 5));
    let behaviour = get(admin, "/admin/behaviour").await;
    assert_eq!(behaviour["vllm-8b-h100"]["capacity"]["concurrency"], 256);
    assert!(behaviour["gpt-4"]["latency"]["first_token"].is_object());
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_lets_requests_end_and_the_last_line_says_how_late_it_was() {
    let arguments = ["--preset", "gpt-4", "--time-scale", "100", "--threads", "2"];
    let mut program = Program::start(&[&arguments[..], &LISTEN].concat());
    let at = program.address("answering on ");
    put(at, "/admin/behaviour", &json!({"gpt-4": {"latency": "60s"}})).await;
    let body = json!({"model": "gpt-4", "messages": [], "max_tokens": 7, "stream": true});
    let under_way = tokio::spawn(async move { chat(at, 0, &body).await });
    while get(at, "/admin/stats").await["versions"]["gpt-4"]["in_flight"] != 1 {}
    program.signal("TERM");
    assert_eq!(under_way.await.unwrap().ending, Ending::Success);
    assert_eq!(program.line(), "stopping: waiting for requests under way\n");
    let last = program.line();
    assert!(last.starts_with("stopped after 1 request; "), "{last}");
    assert!(last.contains(" late by P50 ") && last.contains(", at most "), "{last}");
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut program =
        Program::start(&[&["--preset", "gpt-4", "--drain", "1h"][..], &LISTEN].concat());
    let at = program.address("answering on ");
    let never = json!({"gpt-4": {"latency": "1ms", "failures": {"timeout": 1}}});
    put(at, "/admin/behaviour", &never).await;
    let body = json!({"model": "gpt-4", "messages": []});
    let under_way = tokio::spawn(async move { chat(at, 0, &body).await });
    while get(at, "/admin/stats").await["versions"]["gpt-4"]["in_flight"] != 1 {}
    program.signal("TERM");
    assert_eq!(program.line(), "stopping: waiting for requests under way\n");
    program.signal("INT");
    let mut rest = String::new();
    program.stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "stopped at once, by a second signal: requests under way are cut off\n");
    assert_eq!(program.child.wait().unwrap().code(), Some(130));
    under_way.await.unwrap();
}

#[test]
fn what_makes_no_mock_is_refused_with_a_reason() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (arguments, code, words) in [
        (&["--preset", "gpt-4", "--listen", &address][..], 1, "another program listens there"),
        (&["--preset", "gpt-5"], 2, "gpt-4-turbo"),
        (&["--preset", "gpt-4", "--preset", "gpt-4"], 3, "\"gpt-4\" is given twice"),
        (&["--preset", "gpt-4", "--output-tokens", "0"], 2, "1..=1000000"),
        (&["--preset", "gpt-4", "--time-scale", "0"], 2, "0.001 to 10000"),
        (&["--preset", "gpt-4", "--threads", "0"], 2, "--threads"),
        (&[], 2, "SCENARIO"),
        (&["no-such-scenario.yaml"], 3, "no-such-scenario.yaml"),
    ] {
        let (found, told) = ended(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {told}");
        assert!(told.contains(words), "{arguments:?}: {told}");
    }
}
