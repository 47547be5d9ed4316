//! A machine of a CI system: a folder with a workspace, programs that go before the system's own,
//! and an environment that holds nothing but what a test puts there.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What every free text is tried with: blanks, quotes, commands, variables, patterns, options.
pub(crate) const HOSTILE: &str =
    "--it's \"so\" $(touch pwned) `touch pwned` ${HOME} %0A ; & | * ? \\ é ::error::x";

/// The version of the program, which is that of the action and of the template.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A program in the place of coalmine. It notes its arguments, does what they say it writes, and
/// ends with `STAND_IN_CODE`; like the gate it tells GitHub its verdict, unless it has none.
const STAND_IN: &str = r#"#!/usr/bin/env bash
set -euo pipefail
if [[ "$*" == --version ]]; then echo "coalmine ${STAND_IN_VERSION:-VERSION}"; exit 0; fi
printf '%s\0' "$@" >"$STAND_IN_LOG"
pwd >"$STAND_IN_LOG.folder"
for argument in "$@"; do
    value="${argument#*=}"
    case "$argument" in
        --junit=* | --summary=*)
            mkdir -p -- "$(dirname -- "$value")"
            echo "of the gate" >"$value"
            ;;
        --out=*) mkdir -p -- "$value/one"; echo report >"$value/one/report.html" ;;
        --save-baseline=*) mkdir -p -- "$value"; echo "${STAND_IN_CODE:-0}" >"$value/one" ;;
        --) break ;;
    esac
done
code="${STAND_IN_CODE:-0}"
verdict=""
case "$code" in
    0) verdict=pass ;;
    3) verdict=unreadable ;;
    5) verdict=inconclusive ;;
    99) verdict=fail ;;
esac
if [[ -n "${GITHUB_OUTPUT:-}" && -n "$verdict" ]]; then
    echo "verdict=$verdict" >>"$GITHUB_OUTPUT"
    printf 'scenarios=3\npassed=2\nfailed=1\ninconclusive=0\n' >>"$GITHUB_OUTPUT"
fi
exit "$code"
"#;

/// A folder that a job runs in.
pub(crate) struct Machine {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

/// How a script ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["work space", "bin", "tmp", "home"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let mut machine = Self { folder, environment: BTreeMap::new() };
        let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
        let bin = machine.place("bin");
        machine.set("PATH", &format!("{}:{path}", bin.display()));
        for (name, folder) in [("HOME", "home"), ("TMPDIR", "tmp")] {
            machine.set(name, &machine.place(folder).display().to_string());
        }
        machine.set("STAND_IN_LOG", &machine.place("arguments").display().to_string());
        machine
    }

    /// A file or folder beside the workspace.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file or folder in the workspace, whose own name has a blank.
    pub(crate) fn workspace(&self, name: &str) -> PathBuf {
        self.place("work space").join(name)
    }

    /// Sets a variable of all that runs from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// A script that is found before the system's own program of this name.
    pub(crate) fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.place("bin").join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    /// The program that stands in for coalmine.
    pub(crate) fn stand_in(&self) -> PathBuf {
        self.program(
            "coalmine",
            &STAND_IN.replace("VERSION:-VERSION", &format!("VERSION:-{VERSION}")),
        )
    }

    /// A release with the stand-in for `target`, packed as releases are: its URL.
    pub(crate) fn release(&self, target: &str) -> String {
        let folder = self.place(&format!("releases/v{VERSION}"));
        let program = self.stand_in().display().to_string();
        let folder = folder.display().to_string();
        let ended = self.script("ci/package.sh", &[&program, target, &folder], &[]);
        assert_eq!(ended.code, 0, "{ended:?}");
        std::fs::remove_file(&program).unwrap();
        format!("file://{}", self.place("releases").display())
    }

    /// Runs a script of the project in the workspace.
    pub(crate) fn script(
        &self,
        script: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Ended {
        let script = project(script).display().to_string();
        let words = std::iter::once(script.as_str()).chain(arguments.iter().copied());
        self.bash(&words.collect::<Vec<_>>(), variables)
    }

    /// Runs bash in the workspace.
    pub(crate) fn bash(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        let output = Command::new("bash")
            .args(arguments)
            .current_dir(self.workspace(""))
            .env_clear()
            .envs(&self.environment)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .expect("these tests run bash, curl, gzip and tar");
        Ended {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The arguments that the stand-in was called with; `None` if it was not.
    pub(crate) fn arguments(&self) -> Option<Vec<String>> {
        let noted = std::fs::read_to_string(self.place("arguments")).ok()?;
        Some(noted.split_terminator('\0').map(str::to_owned).collect())
    }

    /// Whether a value was ever run as a command.
    pub(crate) fn was_broken_into(&self) -> bool {
        files_below(self.folder.path()).iter().any(|path| path.ends_with("pwned"))
    }
}

/// Every file and folder below `folder`.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        found.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&entry.path()));
        }
    }
    found
}

/// A file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
