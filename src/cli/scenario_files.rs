//! Which scenario files are meant by the files and folders that are named.
//!
//! Files stand in the order in which they are named, those of a folder in the order of their names,
//! the same on every platform; each is taken once, whatever ways lead to it. What the files hold is
//! for others to judge, but for one thing: a file of a folder that is no scenario by itself and
//! that another one is made with is no scenario to be judged.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::arguments::ScenarioArguments;
use super::disk::{Disk, working_directory};
use super::exit::Exit;
use super::terminal::Failure;
use crate::scenario::{Document, Files, is_fault_list, lacking};

/// The scenario files that were meant.
#[derive(Debug)]
pub(super) struct ScenarioFiles {
    /// At least one, each once, by the paths to name them by.
    pub(super) files: Vec<PathBuf>,
    /// What was found in folders and is no scenario by itself.
    pub(super) left_out: Vec<LeftOut>,
}

/// A file that is only a part of scenarios.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct LeftOut {
    pub(super) path: PathBuf,
    /// One that it is drawn in by.
    pub(super) part_of: PathBuf,
    /// The keys of every scenario that it lacks.
    pub(super) lacks: Vec<&'static str>,
}

impl ScenarioFiles {
    /// The files that are `named`, and all scenarios below the folders that are: `*.yaml` and
    /// `*.yml`, but for hidden ones, lists of faults and what is only a part of others. A file that
    /// is named need not be there: whoever reads it learns so.
    pub(super) fn find(named: &[PathBuf], reading: &ScenarioArguments) -> Result<Self, Failure> {
        let working_directory = working_directory()?;
        let mut search = Search::default();
        for path in named {
            search.add_named(path)?;
        }
        let found = search.found;
        let outlines = outlines(&found, &working_directory, reading);
        let (mut files, mut left_out) = (Vec::new(), Vec::new());
        for (index, Found { path, .. }) in found.iter().enumerate() {
            match part_of(index, &found, &outlines) {
                None => files.push(path.clone()),
                Some(whole) => left_out.push(LeftOut {
                    path: path.clone(),
                    part_of: found[whole].path.clone(),
                    lacks: outlines[index].lacks.clone(),
                }),
            }
        }
        Ok(Self { files, left_out })
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, part_of, lacks } = self;
        let keys = lacks.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        write!(
            f,
            "{}: left out: a part of {}, no scenario by itself: it lacks {keys}",
            path.display(),
            part_of.display()
        )
    }
}

/// Whether there is a scenario, or a part of one, in a folder or below it; none where there is no
/// folder.
pub(super) fn has_scenario(folder: &Path) -> Result<bool, Failure> {
    Ok(folder.is_dir() && Search::default().add_folder(folder)?)
}

/// A file that may be a scenario.
struct Found {
    path: PathBuf,
    /// Its one true path, where it is there.
    canonical: PathBuf,
    /// Whether it was found in a folder and not named.
    in_folder: bool,
}

#[derive(Default)]
struct Search {
    found: Vec<Found>,
    /// The folders that were searched, by their true paths, and whether there is a scenario in
    /// them; none as long as they are searched.
    searched: BTreeMap<PathBuf, bool>,
}

impl Search {
    fn add_named(&mut self, path: &Path) -> Result<(), Failure> {
        if !path.is_dir() {
            self.add(path.to_owned(), false);
            return Ok(());
        }
        if self.add_folder(path)? {
            return Ok(());
        }
        let message = format!(
            "error: nothing to evaluate: no scenario in {}: looked for *.yaml and *.yml in it and \
             in the folders below it, but for hidden ones",
            path.display()
        );
        Err(Failure { exit: Exit::NothingToEvaluate, message })
    }

    /// Adds all scenarios below `folder`; whether there is one.
    fn add_folder(&mut self, folder: &Path) -> Result<bool, Failure> {
        let failed = |error| {
            Failure::input(format!("error: cannot search folder {}: {error}", folder.display()))
        };
        let canonical = folder.canonicalize().map_err(failed)?;
        // A link to a folder above, or a second way into one, leads to nothing new.
        if let Some(any) = self.searched.get(&canonical) {
            return Ok(*any);
        }
        self.searched.insert(canonical.clone(), false);
        let entries = fs::read_dir(folder).map_err(failed)?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        let mut names = names.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        names.sort_by(|a, b| a.as_encoded_bytes().cmp(b.as_encoded_bytes()));
        let mut any = false;
        for name in names.iter().filter(|name| !is_hidden(name)) {
            let path = folder.join(name);
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => any |= self.add_folder(&path)?,
                // What is no file, such as a pipe, might never end.
                Ok(metadata) if !metadata.is_file() => (),
                // One that cannot be read is not passed over: whoever reads it will tell.
                _ if is_of_scenario(&path) && !lists_faults(&path) => {
                    self.add(path, true);
                    any = true;
                }
                _ => (),
            }
        }
        self.searched.insert(canonical, any);
        Ok(any)
    }

    fn add(&mut self, path: PathBuf, in_folder: bool) {
        let canonical = path.canonicalize().unwrap_or_else(|_| path.clone());
        match self.found.iter_mut().find(|found| found.canonical == canonical) {
            Some(known) => known.in_folder &= in_folder,
            None => self.found.push(Found { path, canonical, in_folder }),
        }
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn is_of_scenario(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// Whether a file lists faults for `tune`: such lists may lie beside scenarios. One that cannot be
/// read is taken for a scenario, so that whoever reads it tells.
fn lists_faults(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| is_fault_list(&bytes))
}

/// What there is to a file before it is judged.
#[derive(Clone, Debug, Default)]
struct Outline {
    /// The keys of every scenario that it lacks.
    lacks: Vec<&'static str>,
    /// The files that it draws in, directly or not, by their true paths.
    draws_in: BTreeSet<PathBuf>,
}

impl Outline {
    fn of(path: &Path, working_directory: &Path, reading: &ScenarioArguments) -> Self {
        // What is no file can be read once only.
        let Some(bytes) = fs::read(path).ok().filter(|_| path.is_file()) else {
            return Self::default();
        };
        let drawn = Drawn::default();
        let document = Document {
            path,
            bytes: &bytes,
            settings: &[],
            working_directory,
            allow_outside: reading.allow_outside,
        };
        let lacks = lacking(document, &drawn).unwrap_or_default();
        Self { lacks, draws_in: drawn.0.into_inner() }
    }
}

/// An outline of each file; without anything in them where no folder is searched.
fn outlines(found: &[Found], working: &Path, reading: &ScenarioArguments) -> Vec<Outline> {
    if found.iter().all(|found| !found.in_folder) {
        return vec![Outline::default(); found.len()];
    }
    found.iter().map(|found| Outline::of(&found.path, working, reading)).collect()
}

/// The one that the file at `index` is only a part of. Of files that draw in each other, none is a
/// part.
fn part_of(index: usize, found: &[Found], outlines: &[Outline]) -> Option<usize> {
    let part = &outlines[index];
    if !found[index].in_folder || part.lacks.is_empty() {
        return None;
    }
    let draws_in = |whole: &Outline, part: usize| whole.draws_in.contains(&found[part].canonical);
    (0..found.len()).find(|&whole| {
        draws_in(&outlines[whole], index) && !draws_in(part, whole) && whole != index
    })
}

/// The file system, remembering what was read of it.
#[derive(Debug, Default)]
struct Drawn(RefCell<BTreeSet<PathBuf>>);

impl Files for Drawn {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let bytes = Disk.read(path)?;
        let canonical = path.canonicalize().map_err(|error| error.to_string())?;
        self.0.borrow_mut().insert(canonical);
        Ok(bytes)
    }

    fn environment(&self, name: &str) -> Option<String> {
        Disk.environment(name)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const WHOLE: &str = "schema: 1\nname: a\nworkload: {}\nmodels: {}\nphases: []\n";

    /// A folder with these files; a text that begins with `->` is a link to what follows.
    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text.strip_prefix("->") {
                Some(target) => link(target, &path),
                None => fs::write(path, text).unwrap(),
            }
        }
        folder
    }

    #[cfg(unix)]
    fn link(target: &str, path: &Path) {
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    #[cfg(not(unix))]
    fn link(_: &str, _: &Path) {}

    fn find(folder: &TempDir, named: &[&str]) -> Result<ScenarioFiles, Failure> {
        let named: Vec<_> = named.iter().map(|name| folder.path().join(name)).collect();
        let reading = ScenarioArguments { settings: Vec::new(), allow_outside: true };
        ScenarioFiles::find(&named, &reading)
    }

    fn names(folder: &TempDir, named: &[&str]) -> Vec<String> {
        let found = find(folder, named).unwrap_or_else(|failure| panic!("{}", failure.message));
        let name = |path: &PathBuf| {
            let parts = path.strip_prefix(folder.path()).unwrap().iter();
            parts.map(|part| part.to_str().unwrap()).collect::<Vec<_>>().join("/")
        };
        found.files.iter().map(name).collect()
    }

    #[test]
    fn folders_are_searched_in_the_order_of_names_and_hidden_ones_left_out() {
        let folder = folder(&[
            ("s/b.yaml", WHOLE),
            ("s/B.yml", WHOLE),
            ("s/a/z.yaml", WHOLE),
            ("s/a/a/0.yml", WHOLE),
            ("s/a.yaml", WHOLE),
            ("s/a-b/c.yaml", WHOLE),
            ("s/.hidden.yaml", WHOLE),
            ("s/.git/x.yaml", WHOLE),
            ("s/rules.json", "{}"),
            ("s/notes.yaml.txt", ""),
            ("s/faults/errors.yaml", "schema: 1\nfaults: []\n"),
            ("s/yaml", ""),
            ("other.json", WHOLE),
        ]);
        // Name by name, by their letters: a folder stands where its name stands.
        let expected =
            ["s/B.yml", "s/a/a/0.yml", "s/a/z.yaml", "s/a-b/c.yaml", "s/a.yaml", "s/b.yaml"];
        assert_eq!(names(&folder, &["s"]), expected);
        assert_eq!(names(&folder, &["s/b.yaml", "s/a"]), ["s/b.yaml", "s/a/a/0.yml", "s/a/z.yaml"]);
        // What is named is meant, whatever its name.
        let named = ["other.json", "s/.hidden.yaml", "missing.yaml"];
        assert_eq!(names(&folder, &named), named);
    }

    #[test]
    fn a_file_is_taken_once_where_it_is_met_first() {
        let folder = folder(&[("s/a.yaml", WHOLE), ("s/b.yaml", WHOLE)]);
        assert_eq!(names(&folder, &["s/b.yaml", "s", "s/../s/a.yaml"]), ["s/b.yaml", "s/a.yaml"]);
        assert_eq!(names(&folder, &["s", "s", "s/a.yaml"]), ["s/a.yaml", "s/b.yaml"]);
        assert_eq!(names(&folder, &["gone.yaml", "gone.yaml"]), ["gone.yaml"]);
        assert_eq!(names(&folder, &["s", "."]), ["s/a.yaml", "s/b.yaml"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_once_and_rings_of_them_end() {
        let folder = folder(&[
            ("s/a.yaml", WHOLE),
            ("s/up", "->.."),
            ("s/self", "->self"),
            ("s/twice.yaml", "->a.yaml"),
            ("s/ring.yaml", "->ring.yaml"),
            ("s/gone.yaml", "->nowhere.yaml"),
            ("beside/b.yaml", WHOLE),
            ("s/way", "->../beside"),
        ]);
        // `up` comes before `way`, and leads to `beside` by itself.
        let expected = ["s/a.yaml", "s/gone.yaml", "s/ring.yaml", "s/up/beside/b.yaml"];
        assert_eq!(names(&folder, &["s"]), expected);
    }

    #[test]
    fn folders_without_scenarios_are_told_with_what_was_looked_for() {
        let folder = folder(&[("empty/rules.json", "{}"), ("s/a.yaml", WHOLE)]);
        let failure = find(&folder, &["s", "empty"]).unwrap_err();
        assert_eq!(failure.exit, Exit::NothingToEvaluate);
        assert!(failure.message.contains("*.yaml and *.yml"), "{}", failure.message);
        assert!(failure.message.contains("empty: looked"), "{}", failure.message);
    }

    #[test]
    fn parts_of_others_are_left_out_unless_they_are_named() {
        let folder = folder(&[
            ("a.yaml", "extends: [lib/base.yaml]\nname: a\nmodels: {m: {rules: lib/rules.yml}}"),
            ("lib/base.yaml", "extends: [deeper.yaml]\nphases: []"),
            ("lib/deeper.yaml", "schema: 1\nworkload: {}\nmodels: {}"),
            ("lib/rules.yml", "conditions: []"),
            ("lib/whole.yaml", WHOLE),
            ("lib/z.yaml", "extends: [whole.yaml]\nname: z"),
        ]);
        assert_eq!(names(&folder, &["."]), ["a.yaml", "lib/whole.yaml", "lib/z.yaml"]);
        let left_out = find(&folder, &["."]).unwrap().left_out;
        let told = |part: &LeftOut| part.to_string().replace(folder.path().to_str().unwrap(), "");
        let told: Vec<_> = left_out.iter().map(told).collect();
        assert_eq!(
            told[0],
            "/./lib/base.yaml: left out: a part of /./a.yaml, no scenario by itself: it lacks `name`"
        );
        assert_eq!(told.len(), 3);
        let named = names(&folder, &["lib/base.yaml", "."]);
        assert_eq!(named, ["lib/base.yaml", "a.yaml", "lib/whole.yaml", "lib/z.yaml"]);
        // Of what is not found, nothing is a part.
        assert!(names(&folder, &["lib"]).contains(&"lib/rules.yml".to_owned()));
    }

    #[test]
    fn what_no_other_file_is_made_with_and_what_is_broken_is_not_passed_over() {
        let folder = folder(&[
            ("alone.yaml", "name: alone"),
            ("broken.yaml", "name: ["),
            ("ring-a.yaml", "extends: [ring-b.yaml]"),
            ("ring-b.yaml", "extends: [ring-a.yaml]"),
            ("self.yaml", "extends: [self.yaml]"),
            ("uses.yaml", "extends: [broken.yaml]"),
        ]);
        assert_eq!(names(&folder, &["."]).len(), 6);
    }
}
