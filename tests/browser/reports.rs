//! The reports that are looked at: one of each verdict, with one model and with several.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A report in a folder of its own, in which its pictures are kept as well.
pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) folder: PathBuf,
}

impl Report {
    /// Where a browser finds it.
    pub(crate) fn address(&self) -> String {
        format!("file://{}", self.folder.join("report.html").display())
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(self.folder.join("report.html")).unwrap()
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
        let make = |(name, scenario, settings, code): (&'static str, &str, &[&str], i32)| {
            let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("browser").join(name);
            let status = Command::new(env!("CARGO_BIN_EXE_coalmine"))
                .args(["run", &format!("scenarios/{scenario}.yaml"), "--out"])
                .arg(&folder)
                .args(settings.iter().flat_map(|setting| ["--set", setting]))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            assert_eq!(status.code(), Some(code), "{name}");
            Report { name, folder }
        };
        RUNS.map(make).into()
    })
}
