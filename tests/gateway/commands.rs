//! `coalmine admin` and `coalmine keys`: the program, against a gateway that serves.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::upstream::{Step, Upstream, json as answer_json};
use crate::world::{World, ask};

/// Two models of two versions each, one of which has a slash in its name.
pub(crate) fn world(upstream: &Upstream) -> World {
    let url = upstream.url();
    World::new(&format!(
        "state: ':memory:'
upstreams:
  one: {{url: '{url}'}}
models:
  org/name:
    versions:
      v1: {{upstream: one, tags: [stable]}}
      v2: {{upstream: one, tags: [beta]}}
    split: {{v1: 50%, v2: 50%}}
  gpt-4:
    versions:
      g1: {{upstream: one, tags: [stable]}}
"
    ))
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What it printed, where it went well and said nothing else.
    pub(crate) fn printed(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.printed()).unwrap()
    }

    /// What it complained of, where it ended with this code and printed nothing.
    pub(crate) fn refused(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{}", self.stderr);
        self.stderr
    }
}

/// The program with these words, in an environment that says nothing but what is set after this.
fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coalmine"));
    // Wide enough for every table to stand unbroken.
    command.args(words).env("COLUMNS", "200");
    for variable in [
        "COALMINE_URL",
        "COALMINE_KEY",
        "NO_COLOR",
        "http_proxy",
        "HTTP_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ] {
        command.env_remove(variable);
    }
    command
}

impl World {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = command(words);
        command.env("COALMINE_URL", self.url()).env("COALMINE_KEY", &self.key);
        command
    }

    fn run(&self, words: &[&str]) -> Ended {
        Ended::of(self.command(words).output().unwrap())
    }

    pub(crate) fn admin(&self, words: &[&str]) -> Ended {
        self.run(&[&["admin"], words].concat())
    }

    /// The number of the last journal entry of `org/name`.
    fn entries(&self) -> u64 {
        let history = self.client().get("/v1/models/org%2Fname/history?limit=1000").json();
        history.as_array().unwrap().last().unwrap()["number"].as_u64().unwrap()
    }

    fn split(&self) -> Value {
        let status = self.client().get("/v1/deploy/status").json();
        let of = |model: &&Value| model["model"] == "org/name";
        status["models"].as_array().unwrap().iter().find(of).unwrap()["split"].clone()
    }
}

#[test]
fn traffic_is_moved_and_told_with_what_was_before() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    let steps = "[{weight: 5%, hold: 1h}, {weight: 50%, hold: 1h, pause: true}]";
    for (words, told, split) in [
        (
            &["split", "org/name", "v1=90%", "beta=0.1"][..],
            "deployed: v1 90 %, v2 10 % (before: v1 50 %, v2 50 %)",
            json!({"v1": 0.9, "v2": 0.1}),
        ),
        (&["split", "org/name", "v1=1"], "deployed: v1 100 %", json!({"v1": 1.0})),
        (
            &["rollout", "org/name", "beta", "--steps", steps, "--bake", "2h"],
            "rollout started: v1 95 %, v2 5 % (before: v1 100 %)",
            json!({"v1": 0.95, "v2": 0.05}),
        ),
        (&["pause", "org/name"], "paused: v1 95 %, v2 5 %", json!({"v1": 0.95, "v2": 0.05})),
        (&["resume", "org/name"], "resumed: v1 95 %", json!({"v1": 0.95, "v2": 0.05})),
        (&["abort", "org/name"], "aborted: v1 100 %", json!({"v1": 1.0})),
        (&["promote", "org/name", "v2"], "promoted: v2 100 %", json!({"v2": 1.0})),
        (&["rollback", "org/name", "v1"], "rolled back: v1 100 %", json!({"v1": 1.0})),
    ] {
        let printed = world.admin(words).printed();
        assert!(printed.starts_with(&format!("org/name {told}")), "{words:?}: {printed}");
        let entry = format!("; journal entry {}\n", world.entries());
        assert!(printed.ends_with(&entry), "{words:?}: {printed} not {entry}");
        assert_eq!(world.split(), split, "{words:?}");
    }
    let again = world.admin(&["rollback", "org/name", "v1"]).printed();
    assert!(again.ends_with("; nothing had to change\n"), "{again}");
    let told = world.admin(&["pause", "org/name"]).refused(2);
    assert!(told.contains("cannot be paused") && told.contains("409"), "{told}");
    world.admin(&["split", "org/name", "v1=50%", "v2=50%", "--redeploy"]).printed();
    world.admin(&["rollback", "org/name", "v1"]).printed();
    let told = world.admin(&["split", "org/name", "v1=50%", "v2=50%"]).refused(2);
    assert!(told.contains("v2 was rolled back") && told.contains("--redeploy"), "{told}");
}

#[test]
fn shares_that_do_not_sum_to_1_never_reach_the_gateway() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    let before = world.entries();
    for (words, told) in [
        (&["split", "org/name", "v1=90%", "v2=20%"][..], "weights sum to 1.1; they must sum to 1"),
        (&["split", "org/name", "v1=90%"], "weights sum to 0.9"),
        (&["split", "org/name", "v1=90", "v2=10"], "did you mean 90%?"),
        (&["split", "org/name", "v1"], "VERSION=SHARE"),
        (&["split", "org/name"], "required"),
        (&["split", "no name", "v1=1"], "no valid name"),
        (&["rollout", "org/name", "v2", "--steps", "[{weight: 5%, hodl: 1h}]"], "hold"),
    ] {
        let told_so = world.admin(words).refused(2);
        assert!(told_so.contains(told), "{words:?}: {told_so}");
    }
    assert_eq!(world.entries(), before);
    // It is told before anything else is missed.
    let alone = Ended::of(command(&["admin", "split", "m", "v1=90%"]).output().unwrap());
    assert!(alone.refused(2).contains("weights sum to 0.9"));
}

#[test]
fn versions_are_registered_tagged_and_shown() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    let register = [
        "register",
        "org/name",
        "v3",
        "--upstream",
        "one",
        "--parameters",
        r#"{"top_p": 0.5}"#,
        "--input-per-1k",
        "0.01",
        "--output-per-1k",
        "0.03",
        "--notes",
        "the third",
    ];
    let printed = world.admin(&register).printed();
    assert_eq!(printed, "org/name: version v3 registered, upstream one\n");
    let printed = world.admin(&register).printed();
    assert!(printed.ends_with("was registered already, with the same content\n"), "{printed}");
    let other = ["register", "org/name", "v3", "--upstream", "one"];
    let told = world.admin(&other).refused(2);
    assert!(told.contains("a version never changes") && told.contains("409"), "{told}");
    let elsewhere = ["register", "org/name", "v4", "--upstream", "two"];
    assert!(world.admin(&elsewhere).refused(2).contains("two"));

    let printed = world.admin(&["tag", "org/name", "v3", "beta"]).printed();
    assert_eq!(printed, "org/name: tag beta set on v3, before on v2\n");
    let printed = world.admin(&["tag", "org/name", "v3", "next"]).printed();
    assert_eq!(printed, "org/name: tag next set on v3\n");

    let table = world.admin(&["versions", "org/name"]).printed();
    let row = |id: &str| {
        let line = table.lines().find(|line| line.trim_start().starts_with(id)).unwrap();
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(row("v3")[1..5], ["idle", "0 %", "beta, next", "one"]);
    assert_eq!(row("v3")[5], "$0.01 / $0.03");
    assert_eq!(row("v1")[1..5], ["stable", "50 %", "stable", "one"]);
    let one = world.admin(&["versions", "org/name", "next"]).printed();
    for part in ["v3\n", "notes        the third", r#"parameters   {"top_p":0.5}"#] {
        assert!(one.contains(part), "{part}: {one}");
    }
    let told = world.admin(&["versions", "org/name", "v9"]).refused(2);
    assert!(told.contains("v9") && told.contains("404 version_not_found"), "{told}");
    // A version that is called as a part of a path is asked for all the same.
    let told = world.admin(&["versions", "org/name", "tag"]).refused(2);
    assert!(told.contains("404 version_not_found"), "{told}");
}

#[test]
fn json_is_the_gateways_answer_as_it_is() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    for (words, path) in [
        (&["admin", "versions", "org/name"][..], "/v1/models/org%2Fname/versions"),
        (&["admin", "versions", "org/name", "beta"], "/v1/models/org%2Fname/versions/beta"),
        (&["admin", "history", "org/name"], "/v1/models/org%2Fname/history"),
        (
            &["admin", "history", "org/name", "--limit", "2"],
            "/v1/models/org%2Fname/history?limit=2",
        ),
        (&["admin", "rules"], "/v1/deploy/rollback-rules"),
        (&["keys", "list"], "/v1/auth/keys"),
    ] {
        let printed = world.run(&[words, &["--format", "json"]].concat()).printed();
        assert_eq!(printed, world.client().get(path).text() + "\n", "{words:?}");
    }
    let status = world.run(&["admin", "--format", "json", "status"]).json();
    assert_eq!(status["models"].as_array().unwrap().len(), 2);
    let status = world.admin(&["status", "org/name", "--format", "json"]).json();
    assert_eq!(status["models"][0]["model"], "org/name");
    assert_eq!(status["models"].as_array().unwrap().len(), 1);
    let split = ["split", "org/name", "v1=1", "--format", "json"];
    assert_eq!(world.admin(&split).json()["status"], "deployed");
}

#[test]
fn the_status_shows_traffic_and_the_last_rollback() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    world.admin(&["rollback", "org/name"]).printed();
    for _ in 0..4 {
        assert_eq!(world.client().chat(&ask("org/name")).status, 200);
    }
    let text = world.admin(&["status"]).printed();
    assert!(text.contains("\ngpt-4  ") || text.starts_with("gpt-4  "), "{text}");
    let text = world.admin(&["status", "org/name"]).printed();
    assert!(text.starts_with("org/name  ") && !text.contains("gpt-4"), "{text}");
    assert!(text.contains("  split          v1 100 %\n"), "{text}");
    assert!(text.contains("to v1, by ") && text.contains("rollout        idle\n"), "{text}");
    let row = text.lines().find(|line| line.trim_start().starts_with("v1 ")).unwrap();
    let cells: Vec<_> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(cells[1..4], ["stable", "100 %", "stable"], "{text}");
    assert_eq!(cells[5], "4", "requests: {text}");
    let told = world.admin(&["status", "gpt-5"]).refused(2);
    assert!(told.contains("gpt-5") && told.contains("org/name"), "{told}");
}

#[test]
fn history_is_told_in_the_words_of_the_journal() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    let yaml = crate::world::two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", "");
    let world = World::new(&yaml.replace("':memory:'", &format!("'{}'", file.display())));
    world.admin(&["split", "gpt-4", "v1=75%", "v2=25%"]).printed();
    let told = world.admin(&["history", "gpt-4"]).printed();
    let shown = Ended::of(command(&["journal", "show"]).arg(&file).output().unwrap()).printed();
    // The journal has the entries that all models share as well.
    let own: Vec<_> =
        shown.lines().filter(|line| line.split("  ").nth(2) == Some("gpt-4")).collect();
    assert_eq!(told.lines().collect::<Vec<_>>(), own);
    assert!(own.len() >= 4 && own.last().unwrap().contains("split set: v1 75 %, v2 25 %"));
    let second = own[1].split("  ").next().unwrap();
    let part = world.admin(&["history", "gpt-4", "--after", second, "--limit", "1"]).printed();
    assert_eq!(part.lines().collect::<Vec<_>>(), own[2..3]);
    let end = world.admin(&["history", "gpt-4", "--last", "2"]).printed();
    assert_eq!(end.lines().collect::<Vec<_>>(), own[own.len() - 2..]);
    let json = world.admin(&["history", "gpt-4", "--last", "1", "--format", "json"]).printed();
    let json: Vec<Value> = serde_json::from_str(&json).unwrap();
    let number = own.last().unwrap().split("  ").next().unwrap().trim();
    assert_eq!(json.iter().map(|one| one["number"].to_string()).collect::<Vec<_>>(), [number]);
}

/// The program as it goes on, line by line; killed where the test ends.
struct Running {
    child: Child,
    /// `None`: nobody reads them any more.
    lines: Option<BufReader<ChildStdout>>,
}

impl Running {
    fn new(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines: Some(lines) }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next line that has this in it.
    fn line_with(&mut self, part: &str) -> String {
        loop {
            let line = self.line();
            assert_ne!(line, "", "the program has ended before {part}");
            if line.contains(part) {
                return line;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn history_goes_on_with_what_is_to_come_and_only_of_its_model() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    let whole = world.admin(&["history", "org/name"]).printed();
    let mut text = Running::new(&mut world.command(&["admin", "history", "org/name", "--follow"]));
    for line in whole.lines() {
        assert_eq!(text.line(), line);
    }
    let after = world.entries().to_string();
    let words = ["admin", "history", "org/name", "--follow", "--format", "json", "--after", &after];
    let mut json = Running::new(&mut world.command(&words));
    world.admin(&["tag", "gpt-4", "g1", "elsewhere"]).printed();
    world.admin(&["tag", "org/name", "v2", "here"]).printed();
    assert!(text.line().contains("  org/name  tag here set on v2  "));
    let entry: Value = serde_json::from_str(&json.line()).unwrap();
    assert_eq!(entry["change"]["tagged"]["tag"], "here");
}

#[test]
fn a_stream_of_events_ends_when_nobody_reads_it() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    let mut running = Running::new(&mut world.command(&["admin", "events", "--metrics"]));
    let first = running.line();
    assert!(first.contains("  org/name  v2 50 %: 0 requests"), "{first}");
    // The next tick finds nobody.
    drop(running.lines.take());
    assert!(running.child.wait().unwrap().success());
}

#[test]
fn events_tell_what_the_engine_does_and_what_is_journalled() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    let after = world.entries().to_string();
    let mut running = Running::new(&mut world.command(&["admin", "events", "--after", &after]));
    let words = ["admin", "events", "--after", &after, "--format", "json"];
    let mut json = Running::new(&mut world.command(&words));
    // Both listen once they have told of an entry that was there to be read.
    world.admin(&["tag", "org/name", "v2", "next"]).printed();
    running.line_with("tag next set on v2");
    let event: Value = serde_json::from_str(&json.line_with("journal")).unwrap();
    assert_eq!((&event["event"], &event["data"]["number"]), (&json!("journal"), &event["id"]));
    world.admin(&["rollback", "org/name", "v1"]).printed();
    let line = running.line_with("rolled back");
    assert!(line.contains("  org/name  rolled back"), "{line}");
    let event: Value = serde_json::from_str(&json.line_with("\"rolled_back\"")).unwrap();
    assert!(event["data"].is_object(), "{event}");
}

#[test]
fn rules_are_shown_and_replaced_from_a_file_that_the_gateway_judges() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.json");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    let set = |model: &str| world.admin(&["rules", model, "--set", file.to_str().unwrap()]);
    let rule = r#"{"conditions": [{"id": "errors", "metric": "error_rate", "operator": ">",
        "threshold": 0.05, "duration_seconds": 60, "action": "rollback_to_last_stable"}]}"#;
    write(rule);
    let ended = set("org/name");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, "the rules of org/name are replaced\n"));
    assert!(ended.stdout.contains("\n  errors\n    every 15 s: roll back"), "{}", ended.stdout);
    assert_eq!(world.admin(&["rules", "org/name"]).printed(), ended.stdout);
    // Without a model it is those of all models, and which have their own.
    let of_all = world.admin(&["rules"]);
    assert_eq!((of_all.code, of_all.stderr.as_str()), (0, "rules of their own have org/name\n"));
    let set_all = world.admin(&["rules", "--set", file.to_str().unwrap()]);
    assert_eq!(set_all.code, 0, "{}", set_all.stderr);
    let warning = "warning: the model org/name has rules of its own, which stay in force";
    assert!(set_all.stderr.contains(warning), "{}", set_all.stderr);
    assert!(world.admin(&["rules", "gpt-4"]).printed().contains("every 15 s: roll back"));

    // What was shown as JSON is taken as it is.
    let shown = world.admin(&["rules", "org/name", "--format", "json"]).printed();
    write(&shown.replace("0.05", "0.02"));
    assert_eq!(set("org/name").code, 0);
    assert!(world.admin(&["rules", "org/name"]).printed().contains("error_rate > 2.00 %"));

    write(&rule.replace("error_rate", "eror_rate"));
    let told = set("org/name").refused(3);
    assert!(told.contains("eror_rate") && told.contains("400"), "{told}");
    write("{\"conditions\": [");
    let told = set("org/name").refused(3);
    assert!(told.contains("rules.json is no JSON object"), "{told}");
    let missing = world.admin(&["rules", "--set", "not-here.json"]).refused(3);
    assert!(missing.contains("cannot read the rules not-here.json"), "{missing}");
    assert!(world.admin(&["rules", "org/name"]).printed().contains("error_rate > 2.00 %"));

    let unset = world.admin(&["rules", "org/name", "--unset"]);
    let told = "org/name has the rules of all models\n";
    assert_eq!((unset.code, unset.stderr.as_str()), (0, told));
    assert!(world.admin(&["rules", "org/name"]).printed().contains("error_rate > 5.00 %"));
}

#[test]
fn only_the_secret_of_a_key_goes_to_stdout_and_it_opens_what_it_may() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    let with = |key: &str, words: &[&str]| {
        Ended::of(world.command(words).env("COALMINE_KEY", key.trim_end()).output().unwrap())
    };
    let made = world.run(&["keys", "create", "reader", "--model", "org/name"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert!(made.stderr.contains("access key reader created, scope inference, for org/name"));
    assert!(made.stdout.starts_with("reader.") && made.stdout.lines().count() == 1);
    let versions = ["admin", "versions", "org/name"];
    with(&made.stdout, &versions).printed();
    let told = with(&made.stdout, &["admin", "versions", "gpt-4"]).refused(2);
    assert!(told.contains("403") && told.contains("came from COALMINE_KEY"), "{told}");
    let again = world.run(&["keys", "create", "reader"]).refused(2);
    assert!(again.contains("409"), "{again}");

    let other = world.run(&["keys", "regenerate", "reader", "--grace", "0s"]);
    assert!(other.stderr.contains("the old secret is no longer valid"), "{}", other.stderr);
    assert!(with(&made.stdout, &versions).refused(2).contains("401"));
    with(&other.stdout, &versions).printed();
    let own = with(&other.stdout, &["keys", "regenerate"]);
    assert!(own.stdout.starts_with("reader.") && own.stderr.contains("is valid until"));

    let list = world.run(&["keys", "list"]).printed();
    let row = list.lines().find(|line| line.contains("reader")).unwrap();
    assert!(row.contains("inference") && row.contains("org/name"), "{list}");
    assert_eq!(world.run(&["keys", "revoke", "reader"]).printed(), "access key reader revoked\n");
    assert!(with(&own.stdout, &versions).refused(2).contains("401"));
    let told = world.run(&["keys", "revoke", "reader"]).refused(2);
    assert!(told.contains("404"), "{told}");
}

#[test]
fn a_key_comes_from_a_file_or_the_environment_and_from_no_argument() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{}\n", world.key)).unwrap();
    let file = file.to_str().unwrap();
    let words = ["admin", "versions", "org/name", "--key-file", file];
    let run = |key: Option<&str>, words: &[&str]| {
        let mut command = command(&[words, &["--url", &world.url()]].concat());
        key.into_iter().for_each(|key| {
            command.env("COALMINE_KEY", key);
        });
        Ended::of(command.output().unwrap())
    };
    run(None, &words).printed();
    run(Some("nobody.0"), &words).printed();
    let told = run(Some("nobody.0"), &words[..3]).refused(2);
    assert!(told.contains("401") && told.contains("came from COALMINE_KEY"), "{told}");
    let told = run(None, &words[..3]).refused(2);
    assert!(told.contains("COALMINE_KEY is not set") && told.contains("--key-file"), "{told}");
    let told = run(Some("two words"), &words[..3]).refused(2);
    assert!(told.contains("COALMINE_KEY holds no access key"), "{told}");
    assert!(!told.contains("two words"), "what may be a secret is not shown: {told}");
    std::fs::write(file, "nobody.0").unwrap();
    let told = run(None, &words).refused(2);
    assert!(told.contains(&format!("came from the file {file}")), "{told}");
    assert!(run(None, &["admin", "status", "--key", "k"]).refused(2).contains("--key"));
}

#[test]
fn where_no_gateway_is_the_address_and_a_remedy_are_told() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let run = |words: &[&str]| {
        let mut command = command(words);
        Ended::of(command.env("COALMINE_KEY", "ops.0").output().unwrap())
    };
    for words in [&["admin", "status"][..], &["admin", "rollback", "m"], &["admin", "events"]] {
        let told = run(&[words, &["--url", &url]].concat()).refused(1);
        assert!(told.contains(&format!("at {url}")) && told.contains("refused"), "{told}");
        assert!(told.contains("coalmine serve") && told.contains("--url"), "{told}");
    }
    let told = run(&["admin", "status", "--url", &free.to_string()]).refused(2);
    assert!(told.contains(&format!("did you mean http://{free}?")), "{told}");
    // Something else than a gateway.
    let other = Upstream::new(|_, _| {
        vec![Step::Send(crate::upstream::response(502, "", "<html>bad gateway</html>"))]
    });
    let told = run(&["admin", "status", "--url", &other.url()]).refused(1);
    assert!(told.contains("answers 502, and not as a gateway does"), "{told}");
}

/// The key under which a request is known when it comes again.
fn idempotency_keys(upstream: &Upstream) -> Vec<Option<String>> {
    let key = |came: &crate::upstream::Came| came.header("idempotency-key").map(str::to_owned);
    upstream.came().iter().map(key).collect()
}

#[test]
fn a_command_whose_connection_broke_is_sent_again_under_the_same_key() {
    let deployed = r#"{"status": "rolled_back", "model": "m", "split": {"v1": 1.0},
        "previous_split": {"v1": 1.0}, "journal_entry": null}"#;
    let fickle = Upstream::new(move |number, _| match number {
        0 => vec![Step::Close],
        _ => vec![Step::Send(answer_json(200, deployed))],
    });
    let run = |upstream: &Upstream, words: &[&str]| {
        let mut command = command(&[words, &["--url", &upstream.url()]].concat());
        Ended::of(command.env("COALMINE_KEY", "ops.0").output().unwrap())
    };
    let ended = run(&fickle, &["admin", "rollback", "m"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("the connection broke"), "{}", ended.stderr);
    let keys = idempotency_keys(&fickle);
    assert_eq!(keys.len(), 2);
    assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");

    // A second break is told with the key; what makes a secret is sent once.
    let broken = Upstream::new(|_, _| vec![Step::Close]);
    let words = ["admin", "pause", "m", "--idempotency-key", "mine"];
    let told = run(&broken, &words).refused(1);
    assert!(told.contains("--idempotency-key mine"), "{told}");
    assert_eq!(idempotency_keys(&broken), [Some("mine".to_owned()), Some("mine".to_owned())]);
    let broken = Upstream::new(|_, _| vec![Step::Close]);
    let told = run(&broken, &["keys", "create", "k"]).refused(1);
    assert!(told.contains("coalmine keys regenerate"), "{told}");
    assert_eq!(idempotency_keys(&broken), [None]);
}

#[test]
fn a_repeat_under_the_same_key_changes_nothing() {
    let upstream = Upstream::plain();
    let world = world(&upstream);
    let words = ["split", "org/name", "v1=90%", "v2=10%", "--idempotency-key", "deploy-17"];
    let first = world.admin(&words).printed();
    world.admin(&["split", "org/name", "v1=1"]).printed();
    assert_eq!(world.admin(&words).printed(), first);
    assert_eq!(world.split(), json!({"v1": 1.0}));
    let other = ["split", "org/name", "v1=80%", "v2=20%", "--idempotency-key", "deploy-17"];
    let told = world.admin(&other).refused(2);
    assert!(told.contains("idempotency_key_reused"), "{told}");
}

#[test]
fn a_stream_that_is_lost_is_taken_up_after_the_last_entry() {
    let entry = |number: u64| {
        format!("id: {number}\nevent: journal\ndata: {{\"number\":{number},\"model\":\"m\"}}\n\n")
    };
    let fickle = Upstream::new(move |number, came| {
        let last = came.header("last-event-id").map(str::to_owned);
        let head = crate::upstream::stream_head();
        match number {
            0 => {
                assert_eq!(last.as_deref(), Some("3"));
                vec![Step::Send(head), Step::Send(entry(4).into_bytes()), Step::Close]
            }
            _ => {
                let last: u64 = last.unwrap().parse().unwrap();
                vec![Step::Send(head), Step::Send(entry(last + 1).into_bytes()), Step::Close]
            }
        }
    });
    let words = [
        "admin",
        "history",
        "m",
        "--follow",
        "--after",
        "3",
        "--format",
        "json",
        "--url",
        &fickle.url(),
    ];
    let mut running = Running::new(command(&words).env("COALMINE_KEY", "ops.0"));
    for number in 4..=6 {
        assert_eq!(running.line(), format!("{{\"number\":{number},\"model\":\"m\"}}"));
    }
}
