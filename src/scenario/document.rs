//! A file as it was read, put together with all that it names.

use std::path::Path;

use super::extend::extend;
use super::files::{Reading, normal};
use super::parse::parse_file;
use super::set;
use super::shape::Shape;
use super::tree::Node;

/// A file as it was read, a scenario or the configuration of a gateway, and what the command line
/// says about it.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Its path, as named by whoever runs it; other paths are relative to its folder.
    pub path: &'a Path,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Settings `PATH=VALUE` that change it, in their order.
    pub settings: &'a [String],
    /// The working directory, an absolute path: files in it may be read.
    pub working_directory: &'a Path,
    /// Whether files outside its folder and the working directory may be read.
    pub allow_outside: bool,
}

impl Document<'_> {
    /// The whole document, of `shape`: laid over those that it extends, with settings, values and
    /// files in place.
    pub(crate) fn assemble(&self, shape: Shape, reading: &mut Reading<'_>) -> Option<Node> {
        let name = self.path.display().to_string();
        let root = parse_file(&name, self.bytes, reading.sources, reading.diagnostics)?;
        let mut root = extend(root, &normal(self.path), shape, reading);
        // Vars are set before their values go where their names stand, all else after that.
        let (vars, others): (Vec<_>, Vec<_>) =
            self.settings.iter().partition(|setting| set::is_of_vars(setting));
        for setting in vars {
            set::apply(&mut root, shape, setting, reading);
        }
        reading.resolve_variables(&mut root);
        for setting in others {
            set::apply(&mut root, shape, setting, reading);
        }
        reading.inline(&mut root, shape);
        if let Some(variables) = &reading.variables {
            variables.warn_of_unused(reading.diagnostics);
        }
        Some(root)
    }
}
