//! The files that a scenario names: where they lie, whether they may be read, and those that hold
//! a part of the scenario put in its place.
//!
//! Reads nothing itself: the caller brings [`Files`]. Whether a path leads outside is decided by
//! its letters alone.

use std::path::{Component, Path, PathBuf};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::parse::parse_file;
use super::place::{Place, SourceIndex, Sources};
use super::problem::ProblemKind;
use super::shape::{Literal, Shape, quote};
use super::tree::{Node, Scalar, Value};
use super::vars::{Scope, Variables};

/// What a scenario may ask of the world around it.
pub trait Files {
    /// The bytes of the file at `path`, which is relative to the working directory if the
    /// scenario's own path is.
    ///
    /// # Errors
    /// It cannot be read: why, for a person.
    fn read(&self, path: &Path) -> Result<Vec<u8>, String>;

    /// The value of the environment variable `name`, where a scenario writes `${env:NAME}`; `None`
    /// if there is none, as by default.
    fn environment(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }
}

/// What a scenario's paths are relative to, and how far they may lead.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    own: PathBuf,
    /// Of the other files that were read; paths are relative to the file that they stand in.
    others: Vec<(SourceIndex, PathBuf)>,
    working: PathBuf,
    allow_outside: bool,
}

/// What it takes to read the parts of a scenario.
pub(crate) struct Reading<'a> {
    /// Where files come from.
    pub(crate) files: &'a dyn Files,
    /// What paths are relative to.
    pub(crate) folder: &'a mut Folder,
    /// The texts read so far.
    pub(crate) sources: &'a mut Sources,
    /// The problems found so far.
    pub(crate) diagnostics: &'a mut Diagnostics,
    /// The values that parts may name; `None` while they are not known.
    pub(crate) variables: Option<Variables>,
}

impl<'a> Reading<'a> {
    /// With nothing read and no values known.
    pub(crate) fn new(
        files: &'a dyn Files,
        folder: &'a mut Folder,
        sources: &'a mut Sources,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        Self { files, folder, sources, diagnostics, variables: None }
    }
}

impl Folder {
    /// The folder of the scenario at `scenario`, whose files and those of the folder `working`
    /// may be read, and all others if `allow_outside` says so.
    pub(crate) fn new(scenario: &Path, working: &Path, allow_outside: bool) -> Self {
        let working = working.to_owned();
        Self { own: parent(scenario), others: Vec::new(), working, allow_outside }
    }

    /// The path of the file that the scenario names `path`; reported if it leads outside.
    pub(crate) fn resolve(
        &self,
        path: &str,
        place: Place,
        diagnostics: &mut Diagnostics,
    ) -> Option<PathBuf> {
        let resolved = normal(&self.of(place).join(path));
        let absolute = normal(&self.working.join(&resolved));
        let inside = [normal(&self.working.join(&self.own)), normal(&self.working)];
        if self.allow_outside || inside.iter().any(|folder| absolute.starts_with(folder)) {
            return Some(resolved);
        }
        let message =
            format!("{} lies outside the scenario's folder and the working directory", quote(path));
        let help = "move the file, or allow it with `--allow-outside`";
        let outside = Diagnostic::new(place, message).help(help);
        diagnostics.told_as(ProblemKind::FileOutside, |diagnostics| diagnostics.report(outside));
        None
    }

    /// The path of the file that `path` at `place` names, wherever it leads: one that is not read
    /// as a part of the document.
    pub(crate) fn lead(&self, path: &str, place: Place) -> PathBuf {
        normal(&self.of(place).join(path))
    }

    /// The path in `node` as it must be written in the scenario's own folder.
    pub(crate) fn relocate(&self, node: &Node) -> String {
        let path = Path::new(node.text().unwrap_or_default());
        if path.is_absolute() || *self.of(node.place) == *self.own {
            return path.display().to_string();
        }
        let resolved = normal(&self.working.join(self.of(node.place)).join(path));
        let own = normal(&self.working.join(&self.own));
        let common = resolved.components().zip(own.components()).take_while(|(a, b)| a == b);
        let common = common.count();
        let up = own.components().skip(common).map(|_| Component::ParentDir);
        let relative: PathBuf = up.chain(resolved.components().skip(common)).collect();
        relative.display().to_string()
    }

    /// The folder that a path at `place` is relative to.
    fn of(&self, place: Place) -> &Path {
        let other = self.others.iter().find(|(source, _)| *source == place.source);
        other.map_or(&self.own, |(_, folder)| folder)
    }
}

impl Reading<'_> {
    /// Puts the content of every file that stands for a part of `shape` in its place. A file that
    /// cannot be read is reported and its path left standing.
    pub(crate) fn inline(&mut self, node: &mut Node, shape: Shape) {
        match (shape, &mut node.value) {
            (Shape::FileOr(shape), Value::Scalar(scalar)) if !scalar.is_null() => {
                let path = scalar.clone();
                match self.open(&path, node.place) {
                    // In place of the path it would be taken for one.
                    Some(content) if content.scalar().is_some() && !fits(&content, *shape) => {
                        let found = quote(content.text().unwrap_or_default());
                        let message = format!("found {found} where {} is wanted", shape.wanted());
                        self.diagnostics.report(Diagnostic::new(content.place, message));
                    }
                    Some(content) => {
                        *node = content;
                        self.inline(node, *shape);
                    }
                    None => {}
                }
            }
            (Shape::FileOr(shape), _) => self.inline(node, *shape),
            (Shape::Short(short), Value::Map(_)) => self.inline(node, short.full),
            (Shape::List(item), Value::List(items)) => {
                for node in items {
                    self.inline(node, *item);
                }
            }
            (Shape::Table(table), Value::Map(entries)) => {
                for entry in entries {
                    self.inline(&mut entry.node, table.value);
                }
            }
            (Shape::Open(open), Value::Map(entries)) => {
                for entry in entries {
                    self.inline(&mut entry.node, open.part(&entry.key));
                }
            }
            (Shape::Record(_) | Shape::Choice(_), Value::Map(entries)) => {
                for entry in entries {
                    if let Some(field) = shape.field(&entry.key) {
                        self.inline(&mut entry.node, field.shape);
                    }
                }
            }
            _ => (),
        }
    }

    /// The tree of the file that `path` names at `place`; a text that can name none is left to the
    /// check to refuse.
    pub(crate) fn open(&mut self, path: &Scalar, place: Place) -> Option<Node> {
        let resolved = self.locate(path, place)?;
        let name = resolved.display().to_string();
        let read = match self.files.read(&resolved) {
            Ok(bytes) => parse_file(&name, &bytes, self.sources, self.diagnostics),
            Err(why) => {
                let message = format!("cannot read {name}: {why}");
                let help = "paths are relative to the file that they stand in";
                let unreadable = Diagnostic::new(place, message).help(help);
                let kind = ProblemKind::UnreadableFile;
                self.diagnostics.told_as(kind, |diagnostics| diagnostics.report(unreadable));
                None
            }
        };
        let mut root = read?;
        self.folder.others.push((root.place.source, parent(&resolved)));
        self.substitute(&mut root);
        Some(root)
    }

    /// The path that `path` at `place` leads to; a text that can be none is left to the check to
    /// refuse.
    pub(crate) fn locate(&mut self, path: &Scalar, place: Place) -> Option<PathBuf> {
        Literal::Path.check(path).ok()?;
        if self.variables.is_none() && path.text.contains("${") {
            let message = "vars are not known while files are put together: write the path out";
            self.diagnostics.settle(Diagnostic::new(place, message));
            return None;
        }
        self.folder.resolve(&path.text, place, self.diagnostics)
    }

    /// Takes the vars out of the document `root` and puts their values wherever it names them.
    pub(crate) fn resolve_variables(&mut self, root: &mut Node) {
        let environment = |name: &str| self.files.environment(name);
        let mut scope = Scope { environment: &environment, diagnostics: self.diagnostics };
        let mut variables = Variables::take(root, &mut scope);
        variables.substitute(root, &mut scope);
        self.variables = Some(variables);
    }

    /// Puts the values of vars wherever `node` names them.
    pub(crate) fn substitute(&mut self, node: &mut Node) {
        if let Some(variables) = &mut self.variables {
            let environment = |name: &str| self.files.environment(name);
            let mut scope = Scope { environment: &environment, diagnostics: self.diagnostics };
            variables.substitute(node, &mut scope);
        }
    }
}

/// Whether `node` is of the kind that `shape` begins with: a value, a list or a map.
pub(crate) fn fits(node: &Node, shape: Shape) -> bool {
    match (shape, &node.value) {
        (Shape::One(_) | Shape::Either(_), value) => matches!(value, Value::Scalar(_)),
        (Shape::List(_), value) => matches!(value, Value::List(_)),
        (Shape::OneOrMore(_), value) => matches!(value, Value::List(_) | Value::Scalar(_)),
        (Shape::Free, _) => true,
        (Shape::Table(_) | Shape::Open(_) | Shape::Record(_) | Shape::Choice(_), value) => {
            matches!(value, Value::Map(_))
        }
        (Shape::Short(short), value) => matches!(value, Value::Scalar(_)) || fits(node, short.full),
        (Shape::FileOr(shape), Value::Scalar(scalar)) => {
            Literal::Path.check(scalar).is_ok() || fits(node, *shape)
        }
        (Shape::FileOr(shape), _) => fits(node, *shape),
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or_else(|| Path::new("")).to_owned()
}

/// `path` without `.` and, as far as its letters allow, without `..`.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match (part, parts.last()) {
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => (),
            (Component::ParentDir, Some(Component::Normal(_))) => {
                parts.pop();
            }
            (part, _) => parts.push(part),
        }
    }
    parts.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(scenario: &str, path: &str) -> Option<String> {
        let folder = Folder::new(Path::new(scenario), Path::new("/project/dir"), false);
        let place = Place::start_of(Sources::default().add_file("a", String::new()));
        let resolved = folder.resolve(path, place, &mut Diagnostics::default());
        resolved.map(|path| path.display().to_string())
    }

    #[test]
    fn paths_may_stay_in_the_scenario_folder_or_the_working_directory() {
        let inside = [
            ("scenarios/a.yaml", "../fixtures/r.json", "fixtures/r.json"),
            ("a.yaml", "./r.json", "r.json"),
            ("/else/where/a.yaml", "r.json", "/else/where/r.json"),
            ("/else/where/a.yaml", "/project/dir/r.json", "/project/dir/r.json"),
            ("../other/a.yaml", "sub/../r.json", "../other/r.json"),
        ];
        for (scenario, path, expected) in inside {
            assert_eq!(resolve(scenario, path).as_deref(), Some(expected), "{scenario} {path}");
        }
        let outside = [
            ("scenarios/a.yaml", "../../r.json"),
            ("a.yaml", "/etc/passwd"),
            ("/else/where/a.yaml", "../r.json"),
            ("/else/where/a.yaml", "../wherever/r.json"),
            ("a.yaml", "../dir2/r.json"),
        ];
        for (scenario, path) in outside {
            assert_eq!(resolve(scenario, path), None, "{scenario} {path}");
        }
    }
}
