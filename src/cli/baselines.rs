//! Stored runs, from their files.

use std::path::{Path, PathBuf};

use super::output::RESULT_JSON;
use super::terminal::Failure;
use crate::result::ResultFile;
use crate::suite::Baseline;

/// Where the runs are that gates are held against.
#[derive(Debug)]
pub(super) enum Baselines {
    /// Nowhere.
    None,
    /// In one file; it is of one scenario.
    File(String, Box<Baseline>),
    /// In a folder, each in a file of the scenario's name.
    Folder(PathBuf),
}

impl Baselines {
    /// Of what is named: a baseline, a result, or a folder that holds either.
    pub(super) fn of(named: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = named else { return Ok(Self::None) };
        if !path.is_dir() {
            return Ok(Self::File(path.display().to_string(), Box::new(read(path)?)));
        }
        let result = path.join(RESULT_JSON);
        match result.exists() {
            true => Ok(Self::File(result.display().to_string(), Box::new(read(&result)?))),
            false => Ok(Self::Folder(path.to_owned())),
        }
    }

    /// The runs of the scenario of this name, and their file; `None` where there are none. Those of
    /// the only file that is named are of any: that they are not its own is for the gate to tell.
    pub(super) fn find(&self, name: &str) -> Result<Option<(String, Baseline)>, Failure> {
        match self {
            Self::None => Ok(None),
            Self::File(file, baseline) => Ok(Some((file.clone(), (**baseline).clone()))),
            Self::Folder(folder) => {
                let path = folder.join(file_name(name));
                match path.exists() {
                    true => Ok(Some((path.display().to_string(), read(&path)?))),
                    false => Ok(None),
                }
            }
        }
    }
}

/// The name of the file that holds the runs of a scenario.
pub(super) fn file_name(scenario: &str) -> String {
    format!("{scenario}.baseline.json")
}

fn read(path: &Path) -> Result<Baseline, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::input(format!(
            "error: cannot read baseline {shown}: {error}; name what `coalmine gate \
             --save-baseline` has written, or a result.json"
        ))
    })?;
    let told = |error: &dyn std::fmt::Display| Failure::input(format!("error: {shown}: {error}"));
    if Baseline::is_meant(&text) {
        return Baseline::from_json(&text).map_err(|error| told(&error));
    }
    let result = ResultFile::from_json(&text).map_err(|error| told(&error))?;
    Ok(Baseline::of_result(result))
}
