//! Problems one by one, for programs: what is wrong or odd, where, and what to do about it.
//!
//! Beside the texts for a terminal, which say the same. Knows nothing of how they are written.

use std::fmt;

use serde::{Serialize, Serializer};

/// Something that is wrong with an input, or odd about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// Of which kind it is.
    pub kind: ProblemKind,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub place: Spot,
    /// What is wrong: the value found and what is allowed.
    pub message: String,
    /// What to do about it, a sentence each; may be empty.
    pub help: Vec<String>,
    /// Other places that have to do with it.
    pub notes: Vec<Note>,
}

/// Another place that has to do with a problem.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Note {
    /// Where.
    pub place: Spot,
    /// What is there.
    pub message: String,
}

/// How bad a problem is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// With it there is no run.
    Error,
    /// A run will not do what it seems to.
    Warning,
}

/// The kinds of problems. Their names are a promise to programs that filter by them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ProblemKind {
    /// A file is not there, or cannot be read.
    UnreadableFile,
    /// A scenario names a file that it may not.
    FileOutside,
    /// A file is no text of YAML or JSON.
    BrokenYaml,
    /// A file does not say what a scenario can say: a key is unknown or missing, a value not of its
    /// kind, a name not there, or several parts do not fit together.
    InvalidScenario,
    /// A line of the gate cannot be judged.
    InvalidGateLine,
    /// A setting of the command line changes the scenario into an invalid one.
    InvalidSetting,
    /// A row of a trace cannot be replayed.
    BrokenTrace,
    /// A valid scenario will not do what it seems to.
    OddScenario,
}

/// Where something is: a file or a setting of the command line, and how much is known of the place
/// in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Spot {
    /// The file, by the path that it was read by; absent for a setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The path of the setting, `PATH` of `--set PATH=VALUE`; absent for a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// The line of the file, from 1; absent for a whole file and for a setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column of the first character in the line or in the setting's value, from 1, in
    /// characters (Unicode code points); absent where the whole line is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// How many characters from there on belong to it, at least 1; absent where the column is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
}

impl ProblemKind {
    /// Every kind, in the order of their documentation.
    pub const ALL: [Self; 8] = [
        Self::UnreadableFile,
        Self::FileOutside,
        Self::BrokenYaml,
        Self::InvalidScenario,
        Self::InvalidGateLine,
        Self::InvalidSetting,
        Self::BrokenTrace,
        Self::OddScenario,
    ];

    /// Its name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::UnreadableFile => "unreadable-file",
            Self::FileOutside => "file-outside",
            Self::BrokenYaml => "broken-yaml",
            Self::InvalidScenario => "invalid-scenario",
            Self::InvalidGateLine => "invalid-gate-line",
            Self::InvalidSetting => "invalid-setting",
            Self::BrokenTrace => "broken-trace",
            Self::OddScenario => "odd-scenario",
        }
    }

    /// What it is, in a sentence.
    pub const fn about(self) -> &'static str {
        match self {
            Self::UnreadableFile => "A file that is needed is not there or cannot be read.",
            Self::FileOutside => {
                "A scenario names a file outside its own folder and the working directory."
            }
            Self::BrokenYaml => "A file is not valid YAML or JSON, or has a key twice.",
            Self::InvalidScenario => "A scenario says something that means nothing.",
            Self::InvalidGateLine => "A line of the gate cannot be judged.",
            Self::InvalidSetting => "A setting of the command line does not fit the scenario.",
            Self::BrokenTrace => "A row of a recorded trace cannot be replayed.",
            Self::OddScenario => "A valid scenario will not do what it seems to.",
        }
    }

    /// How bad problems of this kind are.
    pub const fn severity(self) -> Severity {
        match self {
            Self::OddScenario => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl Problem {
    /// A problem at `place`, without help or notes.
    pub fn new(kind: ProblemKind, place: Spot, message: impl Into<String>) -> Self {
        let (help, notes) = (Vec::new(), Vec::new());
        Self { kind, severity: kind.severity(), place, message: message.into(), help, notes }
    }
}

impl Severity {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Spot {
    /// The whole of a file.
    pub fn file(file: impl Into<String>) -> Self {
        let file = Some(file.into());
        Self { file, setting: None, line: None, column: None, length: None }
    }

    /// A line of a file, from 1.
    pub fn line(file: impl Into<String>, line: u64) -> Self {
        Self { line: Some(line), ..Self::file(file) }
    }
}

/// As it is told to a person: `file:line:column`, or the setting.
impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(setting) = &self.setting {
            return write!(f, "--set {setting}");
        }
        f.write_str(self.file.as_deref().unwrap_or_default())?;
        let numbers = [self.line, self.column.map(u64::from)];
        numbers.into_iter().flatten().try_for_each(|number| write!(f, ":{number}"))
    }
}

impl Serialize for ProblemKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_an_id_of_its_own() {
        let mut ids = ProblemKind::ALL.map(ProblemKind::id).to_vec();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ProblemKind::ALL.len());
    }

    #[test]
    fn as_much_of_a_place_is_told_as_is_known() {
        let line = Spot::line("a.csv", 7);
        let stretch = Spot { column: Some(3), length: Some(2), ..line.clone() };
        let setting = Spot { file: None, setting: Some("seed".to_owned()), line: None, ..stretch };
        let told = [Spot::file("a.csv"), line, stretch, setting].map(|spot| spot.to_string());
        assert_eq!(told, ["a.csv", "a.csv:7", "a.csv:7:3", "--set seed"]);
    }
}
