//! `coalmine init`: a commented scenario to begin with, the schema that editors check it by, and a
//! pipeline that gates it. What is there is left as it is: every file is written, or none.

use std::path::{Component, Path, PathBuf};

use super::arguments::{CiSystem, InitArguments};
use super::disk::{remove_written, write_new};
use super::exit::Exit;
use super::pipeline::Pipeline;
use super::scenario_files::has_scenario;
use super::schema::scenario_schema;
use super::terminal::{Failure, print};
use crate::units::VersionId;

pub(super) fn init(arguments: &InitArguments) -> Result<Exit, Failure> {
    let plan = match arguments.ci {
        None => Plan::default().with_scenario(&file(&name_given(arguments)))?,
        Some(system) => plan_pipeline(system, arguments)?,
    };
    plan.write()?;
    print(&plan.told())?;
    Ok(Exit::Pass)
}

/// Files that are to be there in the end.
#[derive(Default)]
struct Plan {
    files: Vec<Planned>,
    /// What else is told, a line each.
    notes: Vec<String>,
    /// What to do next.
    next: String,
}

struct Planned {
    path: PathBuf,
    text: String,
    /// What is told of it.
    about: &'static str,
}

impl Plan {
    /// A starter scenario, and the schema beside it.
    fn with_scenario(mut self, path: &Path) -> Result<Self, Failure> {
        let name = name(path)?;
        let text = STARTER.replace("FILE", &path.display().to_string()).replace("NAME", &name);
        self.add(path.to_owned(), text, "written");
        // A schema that is there may serve other scenarios as well.
        let schema = path.with_file_name("scenario.schema.json");
        if schema.exists() {
            let present = "`coalmine schema scenario` prints the present one";
            self.notes.push(format!("{} was there; {present}", schema.display()));
        } else {
            self.add(schema, scenario_schema()?, "its schema, for editors");
        }
        self.next = format!("coalmine run {}", path.display());
        Ok(self)
    }

    fn add(&mut self, path: PathBuf, text: String, about: &'static str) {
        self.files.push(Planned { path, text, about });
    }

    /// Writes all of it; where one cannot be written, none is left.
    fn write(&self) -> Result<(), Failure> {
        if let Some(there) = self.files.iter().find(|file| file.path.exists()) {
            return Err(exists(&there.path));
        }
        for (file, number) in self.files.iter().zip(0..) {
            let failure = match write_new(&file.path, file.text.as_bytes()) {
                Ok(true) => continue,
                Ok(false) => exists(&file.path),
                Err(error) => Failure::unwritten(&file.path, &error),
            };
            self.files[..number].iter().for_each(|written| remove_written(&written.path));
            return Err(failure);
        }
        Ok(())
    }

    fn told(&self) -> String {
        let line = |file: &Planned| format!("{}: {}\n", file.path.display(), file.about);
        let files: String = self.files.iter().map(line).collect();
        let notes: String = self.notes.iter().map(|note| format!("{note}\n")).collect();
        format!("{files}{notes}\nNext: {}\n", self.next)
    }
}

/// A pipeline for a folder, and a scenario in it where it has none or one is named.
fn plan_pipeline(system: CiSystem, arguments: &InitArguments) -> Result<Plan, Failure> {
    let mut path = file(&name_given(arguments));
    if path.parent().is_none_or(|folder| folder.as_os_str().is_empty()) {
        path = Path::new("scenarios").join(path);
    }
    let folder = below_root(path.parent().unwrap_or_else(|| Path::new("")))?;
    let mut plan = Plan::default();
    if arguments.name.is_some() || !has_scenario(Path::new(&folder))? {
        plan = plan.with_scenario(&path)?;
    }
    let pipeline = Pipeline::new(system, &folder, |path| Path::new(path).exists());
    plan.add(PathBuf::from(pipeline.path), pipeline.text, "the pipeline");
    plan.notes.extend(pipeline.follow_up.map(str::to_owned));
    if !Path::new(".git").exists() {
        let note = "This is not the root of a Git repository, where pipelines are looked for.";
        plan.notes.push(note.to_owned());
    }
    plan.next = format!("coalmine gate {folder}, as the pipeline does; then commit the files");
    Ok(plan)
}

/// A folder as pipelines name it: from the root, with `/` on every system, of characters that mean
/// nothing to any of them.
fn below_root(folder: &Path) -> Result<String, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._-".contains(c);
    let mut parts = Vec::new();
    for component in folder.components() {
        match component {
            Component::CurDir => continue,
            Component::Normal(part) => match part.to_str() {
                Some(part) if part.chars().all(plain) => parts.push(part),
                _ => return Err(not_for_pipelines(folder)),
            },
            _ => return Err(not_for_pipelines(folder)),
        }
    }
    if parts.is_empty() { Err(not_for_pipelines(folder)) } else { Ok(parts.join("/")) }
}

fn not_for_pipelines(folder: &Path) -> Failure {
    let message = format!(
        "error: a pipeline cannot gate the folder {folder:?}: name the scenario by a path below \
         the repository's root, such as scenarios/canary, of A-Z a-z 0-9 . _ - and blanks"
    );
    Failure { exit: Exit::Usage, message }
}

fn name_given(arguments: &InitArguments) -> PathBuf {
    arguments.name.clone().unwrap_or_else(|| PathBuf::from("canary"))
}

/// The file of a scenario that is given by its path or by its name alone.
fn file(given: &Path) -> PathBuf {
    match given.extension() {
        Some(extension) if extension == "yaml" || extension == "yml" => given.to_owned(),
        _ => {
            let mut name = given.as_os_str().to_owned();
            name.push(".yaml");
            PathBuf::from(name)
        }
    }
}

/// The scenario's name: that of its file.
fn name(path: &Path) -> Result<String, Failure> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let legal = stem.len() <= 64 && VersionId::new(&stem).is_ok() && !stem.contains(':');
    if legal {
        return Ok(stem.into_owned());
    }
    let message = format!(
        "error: {stem:?} cannot name a scenario: allowed are 1 to 64 characters of A-Z a-z 0-9 . _ \
         -, the first a letter or digit"
    );
    Err(Failure { exit: Exit::Usage, message })
}

fn exists(path: &Path) -> Failure {
    let message =
        format!("error: {} exists; give another name, or remove it first", path.display());
    Failure { exit: Exit::Usage, message }
}

const STARTER: &str = include_str!("starter.yaml");
