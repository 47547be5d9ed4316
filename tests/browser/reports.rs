//! The reports that are looked at: one of each verdict, with one model and with several, and a
//! comparison.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A report in a folder of its own, in which its pictures are kept as well.
pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) folder: PathBuf,
    /// The name of its page.
    page: &'static str,
}

impl Report {
    /// Where a browser finds it.
    pub(crate) fn address(&self) -> String {
        format!("file://{}", self.folder.join(self.page).display())
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(self.folder.join(self.page)).unwrap()
    }
}

/// Name, scenario, settings, exit code.
const RUNS: [(&str, &str, &[&str], i32); 6] = [
    ("ten-thousand", "ten-thousand", &[], 0),
    ("flapping", "flapping", &[], 0),
    ("multi-model", "multi-model", &[], 0),
    ("failed", "ten-thousand", &["gate=[rollbacks == 0, error_rate < 5%]"], 99),
    ("inconclusive", "ten-thousand", &["gate=['error_rate{version=gpt-4-v1} < 0.15%']"], 5),
    ("invalid", "ten-thousand", &["workload.requests=3000"], 6),
];

/// The reports, made once.
pub(crate) fn reports() -> &'static [Report] {
    static REPORTS: OnceLock<Vec<Report>> = OnceLock::new();
    REPORTS.get_or_init(|| {
        let made = |(name, scenario, settings, code): (&'static str, &str, &[&str], i32)| {
            let folder = folder(name);
            let scenario = format!("scenarios/{scenario}.yaml");
            let settings = settings.iter().flat_map(|setting| ["--set", setting]);
            let arguments = ["run", &scenario].into_iter().chain(settings).map(OsStr::new);
            assert_eq!(coalmine(arguments, &folder), Some(code), "{name}");
            Report { name, folder, page: "report.html" }
        };
        let mut reports: Vec<Report> = RUNS.map(made).into();
        reports.push(compared(&reports[0].folder));
        reports
    })
}

/// The page of a comparison of the run in `first` with one that is slower.
fn compared(first: &Path) -> Report {
    let (folder, other) = (folder("compared"), folder("slower"));
    let version = "models.gpt-4.versions.gpt-4-turbo-v2";
    let slower = format!("{version}.upstream.latency.lognormal={{mean: 1100ms, p99: 2400ms}}");
    let run = ["run", "scenarios/ten-thousand.yaml", "--no-charts", "--set", &slower];
    // Whatever the verdict: its time is no longer that of the gate.
    assert!(coalmine(run.iter().map(OsStr::new), &other).is_some());
    let compare = [OsStr::new("compare"), first.as_os_str(), other.as_os_str()];
    let compare = compare.into_iter().chain([OsStr::new("--across")]);
    assert_eq!(coalmine(compare, &folder), Some(0));
    Report { name: "compared", folder, page: "comparison.html" }
}

/// The exit code of coalmine with these arguments and files in `folder`.
fn coalmine<'a>(arguments: impl Iterator<Item = &'a OsStr>, folder: &Path) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coalmine"));
    command.args(arguments).arg("--out").arg(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().code()
}

/// A folder for what is made of this name.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("browser").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
