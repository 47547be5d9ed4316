//! `coalmine init`: a commented scenario to begin with, and the schema that editors check it by.

use std::path::{Path, PathBuf};

use super::arguments::InitArguments;
use super::disk::write_new;
use super::exit::Exit;
use super::schema::scenario_schema;
use super::terminal::{Failure, print};
use crate::units::VersionId;

pub(super) fn init(arguments: &InitArguments) -> Result<Exit, Failure> {
    let path = file(&arguments.name);
    let name = name(&path)?;
    let schema = path.with_file_name("scenario.schema.json");
    let text = STARTER.replace("FILE", &path.display().to_string()).replace("NAME", &name);
    if !write_new(&path, text.as_bytes()).map_err(|error| unwritten(&path, &error))? {
        let path = path.display();
        let message = format!("error: {path} exists; give another name, or remove it first");
        return Err(Failure { exit: Exit::Usage, message });
    }
    // A schema that is there may serve other scenarios as well.
    let written = write_new(&schema, scenario_schema()?.as_bytes());
    let written = written.map_err(|error| unwritten(&schema, &error))?;
    let (path, schema) = (path.display(), schema.display());
    let beside = match written {
        true => format!("{schema}: its schema, for editors"),
        false => format!("{schema} was there; `coalmine schema scenario` prints the present one"),
    };
    print(&format!("{path}: written\n{beside}\n\nNext: coalmine run {path}\n"))?;
    Ok(Exit::Pass)
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

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::internal(format!("error: cannot write {}: {error}", path.display()))
}

const STARTER: &str = include_str!("starter.yaml");
