//! What `coalmine init --ci` writes.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::machine::{VERSION, files_below, project};
use crate::pinned::{unpinned, within_scripts};
use crate::yaml;

const WORKFLOW: &str = ".github/workflows/coalmine.yml";

/// A repository that the program runs in.
pub(crate) struct Repository {
    pub(crate) folder: TempDir,
}

impl Repository {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        Self { folder }
    }

    /// What the program ends with, and what it says.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_coalmine"))
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let below = files_below(self.folder.path());
        let files = below.iter().filter(|path| path.is_file());
        let name =
            |path: &Path| path.strip_prefix(self.folder.path()).unwrap().display().to_string();
        let mut names: Vec<_> = files.map(|path| name(path)).collect();
        names.sort();
        names
    }
}

#[test]
fn a_pipeline_comes_with_a_scenario_that_holds() {
    for (system, pipeline) in [("github", WORKFLOW), ("gitlab", ".gitlab-ci.yml")] {
        let repository = Repository::new();
        let (code, said) = repository.run(&["init", "--ci", system]);
        assert_eq!(code, 0, "{said}");
        let expected = [pipeline, "scenarios/canary.yaml", "scenarios/scenario.schema.json"];
        assert_eq!(repository.files(), expected);
        assert!(expected.iter().all(|path| said.contains(path)), "{said}");
        let next = "\nNext: coalmine gate scenarios, as the pipeline does; then commit the files\n";
        assert!(said.ends_with(next), "{said}");
        let (code, said) = repository.run(&["run", "scenarios/canary.yaml", "--no-charts"]);
        assert_eq!(code, 0, "{said}");
    }
}

#[test]
fn a_folder_with_scenarios_gets_no_other_one_unless_it_is_named() {
    let repository = Repository::new();
    repository.write("scenarios/deep/mine.yml", "schema: 1");
    assert_eq!(repository.run(&["init", "--ci", "github"]).0, 0);
    assert_eq!(repository.files(), [WORKFLOW, "scenarios/deep/mine.yml"]);
    let (code, said) = repository.run(&["init", "--ci", "gitlab", "release-5"]);
    assert_eq!(code, 0, "{said}");
    assert!(repository.read("scenarios/release-5.yaml").contains("name: release-5\n"));
    let (code, said) = repository.run(&["init", "--ci", "gitlab", "canaries/new 5/x.yml"]);
    assert_eq!(code, 0, "{said}");
    let pipeline = yaml::parse(&repository.read(".gitlab/coalmine.gitlab-ci.yml"));
    assert_eq!(pipeline["coalmine"]["variables"]["COALMINE_PATHS"], "canaries/new 5");
}

#[test]
fn every_file_is_written_or_none_and_what_is_there_stays() {
    let taken = [
        ("github", "", WORKFLOW),
        ("github", "canary", "scenarios/canary.yaml"),
        ("gitlab", "", ".gitlab/coalmine.gitlab-ci.yml"),
    ];
    for (system, name, path) in taken {
        let repository = Repository::new();
        repository.write(path, "mine");
        repository.write(".gitlab-ci.yml", "mine too");
        let before = repository.files();
        let words = ["init", "--ci", system, name];
        let words = words.iter().copied().filter(|word| !word.is_empty()).collect::<Vec<_>>();
        let (code, said) = repository.run(&words);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(&format!("error: {path} exists")), "{said}");
        assert_eq!(repository.files(), before);
        assert_eq!(repository.read(path), "mine");
    }
    // The pipeline is the last to be written; its folder is a file.
    let repository = Repository::new();
    repository.write(".github", "a file");
    let (code, said) = repository.run(&["init", "--ci", "github"]);
    assert_eq!((code, repository.files()), (1, vec![".github".to_owned()]), "{said}");
    assert!(said.contains("cannot write .github/workflows/coalmine.yml"), "{said}");
}

#[test]
fn where_gitlab_has_a_pipeline_it_is_told_how_to_include_the_new_one() {
    let repository = Repository::new();
    repository.write(".gitlab-ci.yml", "mine");
    let (code, said) = repository.run(&["init", "--ci", "gitlab"]);
    assert_eq!((code, repository.read(".gitlab-ci.yml").as_str()), (0, "mine"), "{said}");
    let include = "  include:\n    - local: .gitlab/coalmine.gitlab-ci.yml\n";
    assert!(said.contains(include), "{said}");
}

#[test]
fn folders_that_no_pipeline_can_name_are_refused() {
    let repository = Repository::new();
    for name in ["/tmp/x", "../x", "a/../../x", "./x", "it's/x", "${{ a }}/x", "a\nb/x", "é/x"] {
        let (code, said) = repository.run(&["init", "--ci", "github", name]);
        assert_eq!(code, 2, "{name}: {said}");
        assert!(said.contains("error: a pipeline cannot gate the folder"), "{said}");
    }
    assert_eq!(repository.files(), [""; 0]);
    let (_, said) = Repository { folder: TempDir::new().unwrap() }.run(&["init", "--ci", "gitlab"]);
    assert!(said.contains("not the root of a Git repository"), "{said}");
}

/// The workflow that is written, and the step that uses the action.
fn workflow() -> (String, Value, Value) {
    let repository = Repository::new();
    repository.run(&["init", "--ci", "github"]);
    let text = repository.read(WORKFLOW);
    let workflow = yaml::parse(&text);
    let steps = workflow["jobs"]["gate"]["steps"].as_array().unwrap();
    let gate = steps.iter().find(|step| step["id"] == "gate").unwrap().clone();
    (text, workflow, gate)
}

#[test]
fn the_workflow_is_safe_for_forks_and_gives_the_action_what_it_knows() {
    let (text, workflow, gate) = workflow();
    assert_eq!(workflow["permissions"], serde_json::json!({"contents": "read"}));
    assert!(workflow["concurrency"]["group"].is_string());
    assert!(!text.contains("pull_request_target") && !text.contains("secrets."));
    assert_eq!(within_scripts(&workflow), [""; 0]);
    // The action itself goes by its release.
    let own = gate["uses"].as_str().unwrap();
    assert_eq!(unpinned(&text), [own]);
    assert!(own.ends_with(&format!("@v{VERSION}")), "{own}");
    let action = yaml::file("action.yml");
    for input in gate["with"].as_object().unwrap().keys() {
        assert!(action["inputs"][input].is_object(), "{input}");
    }
    for output in text.split("steps.gate.outputs.").skip(1) {
        let name = output.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap();
        assert!(action["outputs"][name].is_object(), "{name}");
    }
}

#[test]
fn the_baseline_is_read_by_all_and_written_by_the_main_branch() {
    let (_, workflow, gate) = workflow();
    let steps = workflow["jobs"]["gate"]["steps"].as_array().unwrap();
    let of = |action: &str| {
        steps.iter().find(|step| step["uses"].as_str().unwrap().starts_with(action)).unwrap()
    };
    let (restore, save) = (of("actions/cache/restore@"), of("actions/cache/save@"));
    assert!(restore["if"].is_null());
    let condition = save["if"].as_str().unwrap();
    assert!(condition.contains("github.event_name != 'pull_request'"), "{condition}");
    for name in ["baseline", "save-baseline"] {
        assert_eq!(gate["with"][name], restore["with"]["path"]);
    }
    // A cache is found again by path and key only.
    assert_eq!(restore["with"]["path"], save["with"]["path"]);
    assert_eq!(restore["with"]["key"], save["with"]["key"]);
    let prefix = restore["with"]["restore-keys"].as_str().unwrap();
    assert!(save["with"]["key"].as_str().unwrap().starts_with(prefix));
}

#[test]
fn gitlab_s_pipeline_extends_the_job_of_the_template() {
    let repository = Repository::new();
    repository.run(&["init", "--ci", "gitlab"]);
    let pipeline = yaml::parse(&repository.read(".gitlab-ci.yml"));
    let template = yaml::file("ci/gitlab/coalmine.gitlab-ci.yml");
    let job = &pipeline["coalmine"];
    let extended = &template[job["extends"].as_str().unwrap()];
    for variable in job["variables"].as_object().unwrap().keys() {
        assert!(extended["variables"][variable].is_string(), "{variable}");
    }
    let include = &pipeline["include"][0];
    let remote = include["remote"].as_str().unwrap();
    assert!(remote.ends_with(&format!("/v{VERSION}/ci/gitlab/coalmine.gitlab-ci.yml")), "{remote}");
    // As `openssl dgst -sha256 -binary FILE | base64` says, where both are there.
    let path = project("ci/gitlab/coalmine.gitlab-ci.yml").display().to_string();
    let command = "openssl dgst -sha256 -binary \"$1\" | base64";
    let output = Command::new("bash").args(["-o", "pipefail", "-c", command, "-", &path]).output();
    let output = output.unwrap();
    if output.status.success() {
        let digest = String::from_utf8(output.stdout).unwrap();
        assert_eq!(include["integrity"], format!("sha256-{}", digest.trim_end()));
    } else {
        eprintln!("the digest is not compared: there is no openssl, or no base64");
    }
}

#[test]
fn the_repository_has_one_name() {
    let (_, _, gate) = workflow();
    let own = gate["uses"].as_str().unwrap().split('@').next().unwrap();
    let script = std::fs::read_to_string(project("ci/install.sh")).unwrap();
    assert!(script.contains(&format!("\nrepository=\"{own}\"\n")), "{own}");
    let mut others = files_below(&project("ci"));
    others.push(project("action.yml"));
    others.retain(|path| path.is_file() && !path.ends_with("install.sh"));
    for path in others {
        let text = std::fs::read_to_string(&path).unwrap();
        let embedded = format!("repository=\"{own}\"");
        assert!(!text.replace(&embedded, "").contains(own), "{} names it", path.display());
    }
    let page = std::fs::read_to_string(project("docs/ci.md")).unwrap();
    for host in ["https://github.com/", "https://raw.githubusercontent.com/"] {
        let named: Vec<_> = page.split(host).skip(1).collect();
        assert!(!named.is_empty() && named.iter().all(|rest| rest.starts_with(own)), "{host}");
    }
}

#[test]
fn the_page_tells_every_input_and_output_and_the_present_version() {
    let page = std::fs::read_to_string(project("docs/ci.md")).unwrap();
    let action = yaml::file("action.yml");
    for part in ["inputs", "outputs"] {
        for name in action[part].as_object().unwrap().keys() {
            assert!(page.contains(&format!("`{name}`")), "{name} of the {part} is not told");
        }
    }
    for before in ["@v", "/v", "rev: v", "VERSION="] {
        let versions = page.split(before).skip(1).filter(|rest| rest.starts_with(char::is_numeric));
        for version in versions {
            assert!(version.starts_with(VERSION), "{before}{}", version.lines().next().unwrap());
        }
    }
}
