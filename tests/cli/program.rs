//! Runs the program in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A folder that the program runs in, with scenarios and fixtures of the project beside it.
pub(crate) struct Workplace {
    folder: TempDir,
}

impl Workplace {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// A folder that holds the project's scenarios and the files that they name.
    pub(crate) fn with_project() -> Self {
        let place = Self::new();
        ["scenarios", "fixtures"].into_iter().for_each(|folder| place.bring(folder));
        place
    }

    /// Copies a folder of the project to where it lies there.
    pub(crate) fn bring(&self, folder: &str) {
        std::fs::create_dir_all(self.path(folder).parent().unwrap()).unwrap();
        copy(Path::new(&project(folder)), &self.path(folder));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Every file below the folder, by its path in it.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        collect(self.folder.path(), self.folder.path(), &mut files);
        files.sort();
        files
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[])
    }

    /// Runs the scenario `text` under `seed` into the folder `out`.
    pub(crate) fn play(&self, text: &str, seed: &str, out: &str) {
        self.write("small.yaml", text);
        let ended = self.run(&["run", "small.yaml", "--seed", seed, "--no-charts", "--out", out]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }

    /// With these variables in its environment.
    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, PathBuf)]) -> Ended {
        let variables = variables.iter().map(|(name, value)| (name, value));
        Ended::of(self.command(arguments).envs(variables).output().unwrap())
    }

    /// Does not wait for its end.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coalmine"));
        command.args(arguments).current_dir(self.folder.path());
        for variable in ["NO_COLOR", "COLUMNS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"] {
            command.env_remove(variable);
        }
        command
    }
}

/// How the program ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A file of the project.
pub(crate) fn project(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            files.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
}
