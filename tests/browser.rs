//! The HTML report in a real browser: what its script does, and what is left without it.
//!
//! Needs Chromium in the search path (or its path in `CHROMIUM`); says so and passes without one,
//! unless `REQUIRE_BROWSER` is set.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A browser without a window.
struct Browser(PathBuf);

impl Browser {
    #[expect(
        clippy::print_stdout,
        reason = "whoever reads the test's output learns what it left out"
    )]
    fn find() -> Option<Self> {
        let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let found = std::env::split_paths(&paths)
            .flat_map(|folder| names.map(|name| folder.join(name)))
            .find(|path| path.is_file());
        let browser = named.or(found).map(Self);
        if browser.is_none() {
            assert!(std::env::var_os("REQUIRE_BROWSER").is_none(), "there is no Chromium");
            println!("skipped: there is no Chromium");
        }
        browser
    }

    fn run(&self, profile: &Path, arguments: &[&str], page: &Path) -> Vec<u8> {
        let output = Command::new(&self.0)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .args(arguments)
            .arg(format!("file://{}", page.display()))
            .stderr(Stdio::null())
            .output()
            .expect("Chromium starts");
        assert!(output.status.success(), "{}", output.status);
        output.stdout
    }
}

/// The report of the main scenario.
fn report(folder: &Path) -> String {
    let status = Command::new(env!("CARGO_BIN_EXE_coalmine"))
        .args(["run", "scenarios/ten-thousand.yaml", "--out"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("coalmine starts");
    assert!(status.success(), "{status}");
    fs::read_to_string(folder.join("report.html")).expect("the report is there")
}

#[test]
fn the_script_sorts_hides_reads_and_stretches() {
    let Some(browser) = Browser::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let page = report(folder.path());
    let probe = include_str!("browser/probe.js");
    let path = folder.path().join("probed.html");
    fs::write(&path, page.replace("</body>", &format!("<script>{probe}</script></body>"))).unwrap();
    let profile = folder.path().join("profile");
    let seen = browser.run(&profile, &["--dump-dom", "--window-size=1280,1000"], &path);
    let seen = String::from_utf8(seen).unwrap();
    let (_, rest) = seen.split_once("<pre id=\"probe\">").expect("the probe ran");
    let (findings, _) = rest.split_once("</pre>").unwrap();
    assert_eq!(findings, "done", "{findings}");
}

#[test]
fn a_policy_that_forbids_styles_and_scripts_does_not_blank_the_charts() {
    let Some(browser) = Browser::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let page = report(folder.path());
    let policy = "<meta http-equiv=\"Content-Security-Policy\" \
                  content=\"default-src 'none'; img-src data:\">";
    let path = folder.path().join("strict.html");
    fs::write(&path, page.replacen("<head>", &format!("<head>{policy}"), 1)).unwrap();
    let picture = folder.path().join("strict.png");
    let screenshot = format!("--screenshot={}", picture.display());
    let profile = folder.path().join("profile");
    browser.run(&profile, &[&screenshot, "--window-size=1400,9000"], &path);
    let pixels = pixels(&picture);
    // The inks of stable and canary, as lines and fills draw them.
    for (name, ink) in [("stable", [0x00, 0x72, 0xB2]), ("canary", [0xD5, 0x5E, 0x00])] {
        let count = pixels.chunks_exact(3).filter(|pixel| *pixel == ink).count();
        assert!(count > 2_000, "{count} pixels of the {name}");
    }
}

/// Red, green and blue of each pixel.
fn pixels(picture: &Path) -> Vec<u8> {
    let file = std::io::BufReader::new(fs::File::open(picture).expect("a picture was made"));
    let mut reader = png::Decoder::new(file).read_info().expect("it is a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("it fits into memory")];
    let info = reader.next_frame(&mut pixels).expect("it is whole");
    let channels = info.color_type.samples();
    pixels.chunks_exact(channels).flat_map(|pixel| pixel[..3].to_vec()).collect()
}
