//! `coalmine trace import`, `export` and `synth`.

use std::io::{Read, Write};

use coalmine::trace::{Names, TraceReader};

use crate::program::{Ended, Workplace, project};

const LITELLM: &str = "\
{\"id\":\"1\",\"startTime\":1762074001.5,\"endTime\":1762074003.0,\"model\":\"gpt-4\",\"model_group\":\"gpt-4\",\
\"call_type\":\"acompletion\",\"prompt_tokens\":10,\"completion_tokens\":5,\"status\":\"success\",\
\"end_user\":\"alice@example.com\",\"messages\":[{\"role\":\"user\",\"content\":\"my secret\"}]}
{\"id\":\"2\",\"startTime\":1762074000.0,\"endTime\":1762074004.0,\"model\":\"gpt-4\",\"model_group\":\"gpt-4\",\
\"call_type\":\"acompletion\",\"prompt_tokens\":20,\"completion_tokens\":7,\"status\":\"success\",\
\"end_user\":\"bob@example.com\"}
";

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

fn gunzip(path: &str) -> String {
    let mut text = String::new();
    let packed = std::fs::File::open(project(path)).unwrap();
    flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_log_is_sorted_and_names_nobody() {
    let place = Workplace::new();
    place.write("log.jsonl.gz", gzip(LITELLM));
    place.write("team.key", "0123456789abcdef\n");
    let arguments = ["trace", "import", "log.jsonl.gz", "--hash-key", "team.key"];
    let kept = [&arguments[..], &["--keep-user-names", "names.csv"]].concat();
    let ended = place.run(&kept);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for line in ["read", "imported", "late", "sent before the row before them, sorted: line 2"] {
        assert!(ended.stdout.contains(line), "{line}: {}", ended.stdout);
    }
    assert!(ended.stdout.contains("from 2025-11-02T09:00:00Z on"), "{}", ended.stdout);
    let bytes = std::fs::read(place.path("log.trace")).unwrap();
    for secret in ["alice", "bob@", "secret"] {
        let found = bytes.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "{secret} is in the trace");
    }
    let mut reader = TraceReader::new(bytes.as_slice()).unwrap();
    let rows: Vec<_> = std::iter::from_fn(|| reader.next_record().unwrap()).collect();
    let mut names = Names::with_key(b"0123456789abcdef");
    let expected = [names.user("bob@example.com"), names.user("alice@example.com")];
    assert_eq!(rows.iter().map(|row| row.user.unwrap()).collect::<Vec<_>>(), expected);
    assert_eq!(rows.iter().map(|row| row.at.as_nanos()).collect::<Vec<_>>(), [0, 1_500_000_000]);
    let known = place.read("names.csv");
    assert!(known.contains(&format!("{},bob@example.com\n", expected[0])), "{known}");

    let again = place.run(&arguments);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("log.trace is there already"), "{}", again.stderr);
    let first = std::fs::read(place.path("log.trace")).unwrap();
    assert_eq!(place.run(&[&arguments[..], &["--force"]].concat()).code, 0);
    assert_eq!(std::fs::read(place.path("log.trace")).unwrap(), first, "one key, one trace");
    place.write("short.key", "0123");
    let short =
        place.run(&["trace", "import", "log.jsonl.gz", "--hash-key", "short.key", "--force"]);
    assert_eq!(short.code, 3);
    assert!(short.stderr.contains("has 4 bytes: allowed are 16 or more"), "{}", short.stderr);
}

#[test]
fn broken_rows_are_left_out_as_far_as_that_is_allowed_and_leave_nothing_behind() {
    let place = Workplace::new();
    let text = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.97,1,1\n\
                2023-11-16 18:17:03.98,-1,1\n2023-11-16 18:17:03.99,x,1\n\
                2023-11-16 18:17:04.00,2,1\n";
    place.write("log.csv", text);
    let ended = place.run(&["trace", "import", "log.csv", "--skip-bad", "1"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("log.csv:4: ContextTokens is \"x\""), "{}", ended.stderr);
    assert_eq!(place.files(), ["log.csv"]);
    let ended = place.run(&["trace", "import", "log.csv", "--skip-bad", "2", "--report", "json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let accounting = &report["accounting"];
    assert_eq!((&accounting["read"], &accounting["emitted"]), (&4.into(), &2.into()));
    assert_eq!(accounting["dropped"]["malformed"]["lines"], serde_json::json!([3, 4]));
    assert_eq!(place.files(), ["log.csv", "log.trace"]);
}

#[test]
fn what_was_imported_is_exported_as_it_was() {
    let place = Workplace::new();
    let azure = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\r\n\
                 2023-11-16 18:17:04.0319600,3180,8";
    place.write("log.csv", azure);
    assert_eq!(place.run(&["trace", "import", "log.csv"]).code, 0);
    let ended = place.run(&["trace", "export", "log.trace", "--format", "azure"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, azure));
    let ended = place.run(&["trace", "export", "log.trace", "--format", "litellm", "-o", "x"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let mut bytes = std::fs::read(place.path("log.trace")).unwrap();
    bytes.truncate(bytes.len() - 9);
    place.write("cut.trace", bytes);
    let ended = place.run(&["trace", "export", "cut.trace", "--format", "azure", "-o", "y"]);
    assert_eq!(ended.code, 3);
    assert!(
        ended.stderr.contains("the trace was cut off here, within its foot"),
        "{}",
        ended.stderr
    );
    assert_eq!(place.files(), ["cut.trace", "log.csv", "log.trace", "x"]);
}

/// They are written by the program, and so they stay.
#[test]
fn the_logs_of_the_incident_are_what_its_scenario_gives() {
    let place = Workplace::with_project();
    for (format, path) in [
        ("litellm", "fixtures/incident-litellm.jsonl.gz"),
        ("envoy", "fixtures/incident-envoy.log.gz"),
    ] {
        let made = place.run(&[
            "trace",
            "synth",
            "scenarios/incident.yaml",
            "--outcomes",
            "--format",
            format,
        ]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        assert!(
            made.stdout == gunzip(path),
            "{path} is another: docs/traces.md says how it is made"
        );
    }
}

#[test]
fn a_synthetic_trace_is_the_same_for_one_seed_and_another_for_another() {
    let place = Workplace::with_project();
    let synth = |more: &[&str]| {
        let arguments =
            ["trace", "synth", "scenarios/low-traffic.yaml", "--set", "workload.requests=200"];
        place.run(&[&arguments[..], more].concat())
    };
    let first = synth(&[]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(first.stdout.lines().count(), 202);
    assert!(!first.stdout.contains("v2") && !first.stdout.lines().nth(2).unwrap().contains("200,"));
    assert_eq!(synth(&[]).stdout, first.stdout);
    assert_ne!(synth(&["--seed", "7"]).stdout, first.stdout);
    // With outcomes the same requests, and what became of them.
    let outcomes = synth(&["--outcomes"]).stdout;
    let times = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split(',').next().unwrap().to_owned()).collect()
    };
    assert_eq!(times(&outcomes), times(&first.stdout));
}

/// What `arguments` come to with this on stdin.
fn fed(place: &Workplace, arguments: &[&str], stdin: &[u8]) -> Ended {
    place.write("fed", stdin);
    let stdin = std::fs::File::open(place.path("fed")).unwrap();
    Ended::of(place.command(arguments).stdin(stdin).output().unwrap())
}

#[test]
fn no_command_writes_over_what_it_reads() {
    let place = Workplace::new();
    let key = "0123456789abcdef\n";
    let begin = || {
        place.write("log.jsonl", LITELLM);
        place.write("team.key", key);
        place.write("there", "a file of somebody's");
    };
    begin();
    let import = ["trace", "import", "log.jsonl", "--hash-key", "team.key"];
    assert_eq!(place.run(&[&import[..], &["-o", "a.trace"]].concat()).code, 0);
    let bytes = std::fs::read(place.path("a.trace")).unwrap();
    let names = |more: &[&'static str]| [&import[..], &["--keep-user-names"], more].concat();
    let fit = ["trace", "fit", "a.trace", "-o", "a.trace", "--force"];
    let export =
        ["trace", "export", "a.trace", "--format", "litellm", "-o", "./a.trace", "--force"];
    let cases = [
        (names(&["log.jsonl", "-o", "b.trace", "--force"]), "log.jsonl is the log as well"),
        (names(&["team.key", "-o", "b.trace", "--force"]), "is the secret of --hash-key as well"),
        (names(&["b.trace", "-o", "b.trace", "--force"]), "b.trace is the trace as well"),
        (names(&["there", "-o", "b.trace"]), "there is there already"),
        ([&import[..], &["-o", "log.jsonl", "--force"]].concat(), "log.jsonl is the log as well"),
        (fit.to_vec(), "a.trace is the trace as well"),
        (export.to_vec(), "./a.trace and the trace, a.trace, are one file"),
    ];
    for (arguments, said) in cases {
        let ended = place.run(&arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{arguments:?}: {}", ended.stderr);
    }
    assert_eq!((place.read("log.jsonl"), place.read("team.key")), (LITELLM.into(), key.into()));
    assert_eq!(place.read("there"), "a file of somebody's");
    assert_eq!(std::fs::read(place.path("a.trace")).unwrap(), bytes);
    assert_eq!(place.files(), ["a.trace", "log.jsonl", "team.key", "there"]);
    let told = place.run(&names(&["there", "-o", "b.trace", "--force"])).stdout;
    assert!(told.contains("2  of users, written to there"), "{told}");
}

#[test]
fn what_is_cut_off_says_how_to_save_the_rest() {
    let place = Workplace::new();
    let packed = gzip(LITELLM);
    place.write("half.jsonl.gz", &packed[..packed.len() / 2]);
    let ended = place.run(&["trace", "import", "half.jsonl.gz"]);
    assert_eq!(ended.code, 3);
    let remedy = "gzip -dc FILE | coalmine trace import - --skip-bad 1 -o TRACE";
    assert!(ended.stderr.contains(remedy), "{}", ended.stderr);
}

#[test]
fn options_that_nothing_comes_of_are_refused() {
    let place = Workplace::with_project();
    place.write("log.jsonl", LITELLM);
    place.write("dates.jsonl", LITELLM.replace("1762074001.5", "\"2025-11-02T09:00:01Z\""));
    assert_eq!(place.run(&["trace", "import", "log.jsonl", "-o", "a.trace"]).code, 0);
    let began = "2026-11-02T08:00:00Z";
    let synth = ["trace", "synth", "scenarios/low-traffic.yaml", "--outcomes", "--format", "azure"];
    let export = ["trace", "export", "a.trace", "--format", "litellm", "--began", began];
    let cases = [
        (synth.to_vec(), 2, "leave --outcomes out"),
        (export.to_vec(), 2, "a.trace began on 2025-11-02T09:00:00Z: leave `--began"),
        (
            vec!["trace", "import", "dates.jsonl", "--unit", "s"],
            3,
            "dates.jsonl:1: litellm has its",
        ),
        (vec!["trace", "import", "a.trace", "--unit", "s", "-o", "b"], 3, "leave `--unit s` out"),
        (
            vec!["trace", "import", "a.trace", "--format", "har", "-o", "b"],
            3,
            "leave `--format har`",
        ),
        (vec!["trace", "import", "a.gz", "b c.gz"], 2, "`zcat a.gz 'b c.gz' | coalmine trace"),
        (
            vec!["trace", "fit", "a.trace", "--charts", "log.jsonl"],
            2,
            "name a folder with --charts",
        ),
        (vec!["trace", "fit", "a.trace", "--latency", "892"], 2, "did you mean 892ms?"),
    ];
    for (arguments, code, said) in cases {
        let ended = place.run(&arguments);
        assert_eq!(ended.code, code, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{arguments:?}: {}", ended.stderr);
    }
    let odd = place.run(&["trace", "import", "log.jsonl", "--unit", "ms", "-o", "odd.trace"]);
    assert_eq!(odd.code, 0, "{}", odd.stderr);
    assert!(odd.stderr.contains("warning: the trace begins on 1970-01-21"), "{}", odd.stderr);
}

#[test]
fn rows_that_a_format_has_no_room_for_are_left_out_where_that_is_asked_for() {
    let place = Workplace::new();
    let text = "#coalmine-trace 2\nat_ns,input_tokens,output_tokens\n0,1,1\n5,1,\n9,2,2\n";
    place.write("a.csv", text);
    let export = ["trace", "export", "a.csv", "--format", "azure", "-o", "out.csv"];
    let refused = place.run(&export);
    assert_eq!(refused.code, 3);
    assert!(
        refused.stderr.contains("row 2: azure needs tokens of the answer"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("help: leave such rows out by --skip-unfit"));
    let ended = place.run(&[&export[..], &["--skip-unfit"]].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("left out: 1 row, the first is row 2: "), "{}", ended.stderr);
    assert_eq!(place.read("out.csv").lines().count(), 3);
    place.write("b.csv", text.replace("0,1,1\n", "").replace("9,2,2\n", ""));
    let none = ["trace", "export", "b.csv", "--format", "azure", "-o", "none.csv", "--skip-unfit"];
    assert_eq!(place.run(&none).code, 3);
    assert_eq!(place.files(), ["a.csv", "b.csv", "out.csv"]);
}

#[test]
fn a_trace_on_stdin_is_described_and_fitted_like_one_in_a_file() {
    let place = Workplace::new();
    let packed = gzip(&gunzip("fixtures/incident-litellm.jsonl.gz"));
    place.write("log.jsonl.gz", &packed);
    let whole = place.run(&["trace", "stats", "log.jsonl.gz"]);
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    let piped = fed(&place, &["trace", "stats", "-"], &packed);
    assert_eq!(piped.code, 0, "{}", piped.stderr);
    assert_eq!(piped.stdout.replacen("stdin", "log.jsonl.gz", 1), whole.stdout);
    let broken = fed(&place, &["trace", "stats", "-"], b"nothing");
    assert_eq!(broken.code, 3);
    assert!(broken.stderr.starts_with("error: stdin:1: "), "{}", broken.stderr);
    let fitted = fed(&place, &["trace", "fit", "-"], &packed);
    assert_eq!(fitted.code, 0, "{}", fitted.stderr);
    assert!(fitted.stdout.contains("name: \"twin\"\n"), "{}", fitted.stdout);
}
