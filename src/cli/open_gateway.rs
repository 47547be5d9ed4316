//! A gateway's configuration from the disk to its plan, and the secrets that it names.

use std::path::Path;

use super::digest::Digested;
use super::disk;
use super::shared_arguments::ScenarioArguments;
use super::terminal::{Failure, complain};
use crate::scenario::{Credential, Document, GatewayPlan, load_gateway};

/// Reads and checks a configuration; says what is odd about it.
pub(super) fn read_gateway(
    path: &Path,
    reading: &ScenarioArguments,
) -> Result<GatewayPlan, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::input(format!("error: cannot read configuration {}: {error}", path.display()))
    })?;
    let working_directory = disk::working_directory()?;
    let document = Document {
        path,
        bytes: &bytes,
        settings: &reading.settings,
        working_directory: &working_directory,
        allow_outside: reading.allow_outside,
    };
    let loaded =
        load_gateway(document, &Digested::default()).map_err(|error| Failure::input(&error))?;
    if loaded.warnings.count() > 0 {
        complain(&loaded.warnings.to_string());
    }
    Ok(loaded.plan)
}

/// Reads a secret from the environment or from its file.
pub(super) fn read_secret(credential: &Credential) -> Result<String, String> {
    let secret = match credential {
        Credential::Env(name) => std::env::var_os(name)
            .ok_or_else(|| format!("the environment variable {name} is not set"))?
            .into_string()
            .map_err(|_| format!("the environment variable {name} is no text"))?,
        Credential::File(path) => std::fs::read_to_string(path)
            .map_err(|error| format!("the file {}: {error}", path.display()))?,
    };
    let secret = secret.trim();
    if secret.is_empty() { Err("it is empty".to_owned()) } else { Ok(secret.to_owned()) }
}
