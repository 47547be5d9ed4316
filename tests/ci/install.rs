//! `ci/install.sh`: what it accepts as the program, and what it refuses.

use std::path::Path;

use crate::machine::{Ended, HOSTILE, Machine, VERSION, files_below};
use crate::server::Server;

const LINUX: &str = "x86_64-unknown-linux-musl";

/// A machine that says it is of this system, and kind of processor.
fn machine(system: &str, processor: &str) -> Machine {
    let machine = Machine::new();
    let uname =
        format!("#!/bin/sh\ncase \"$1\" in -s) echo {system} ;; -m) echo {processor} ;; esac\n");
    machine.program("uname", &uname);
    machine
}

fn linux() -> Machine {
    machine("Linux", "x86_64")
}

fn install(machine: &Machine, variables: &[(&str, &str)]) -> Ended {
    let version = [("COALMINE_VERSION", VERSION)];
    machine.script("ci/install.sh", &[], &[&version[..], variables].concat())
}

fn archive(target: &str) -> String {
    format!("v{VERSION}/coalmine-{VERSION}-{target}.tar.gz")
}

/// The SHA-256 of a file, by the library that the program uses.
fn digest(path: &Path) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(std::fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The script refused, said `why`, printed no program and left none behind.
fn refused(machine: &Machine, ended: &Ended, why: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    assert!(ended.stderr.contains("error: ") && ended.stderr.contains(why), "{why}: {ended:?}");
    let left = files_below(&machine.place("tmp"));
    assert!(!left.iter().any(|path| path.ends_with("coalmine")), "{left:?}");
}

#[test]
fn the_release_of_each_platform_is_got_and_runs() {
    for (system, processor, target) in [
        ("Linux", "x86_64", LINUX),
        ("Linux", "aarch64", "aarch64-unknown-linux-gnu"),
        ("Darwin", "x86_64", "x86_64-apple-darwin"),
        ("Darwin", "arm64", "aarch64-apple-darwin"),
    ] {
        let machine = machine(system, processor);
        let releases = machine.release(target);
        let ended = install(&machine, &[("COALMINE_RELEASES", &releases)]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let program = ended.stdout.trim_end();
        assert!(Path::new(program).is_file(), "{ended:?}");
        let said = machine.bash(&["-c", "\"$1\" --version", "-", program], &[]);
        assert_eq!(said.stdout, format!("coalmine {VERSION}\n"));
    }
}

#[test]
fn a_given_checksum_decides_and_not_the_release_s_own() {
    let machine = linux();
    let releases = machine.release(LINUX);
    let folder = machine.place("releases");
    let sums = folder.join(format!("v{VERSION}/SHA256SUMS"));
    let right = digest(&folder.join(archive(LINUX)));
    assert!(std::fs::read_to_string(&sums).unwrap().starts_with(&right));
    std::fs::remove_file(sums).unwrap();
    let wrong = "0".repeat(64);
    for given in [right.clone(), right.to_uppercase(), format!("{wrong}\n  {right}\n")] {
        let variables = [("COALMINE_RELEASES", releases.as_str()), ("COALMINE_SHA256", &given)];
        let ended = install(&machine, &variables);
        assert_eq!(ended.code, 0, "{given}: {ended:?}");
    }
    let prefix = &right[..63];
    for given in [wrong.as_str(), prefix, HOSTILE] {
        let machine = linux();
        let releases = machine.release(LINUX);
        let variables = [("COALMINE_RELEASES", releases.as_str()), ("COALMINE_SHA256", given)];
        refused(&machine, &install(&machine, &variables), "has the SHA-256");
        assert!(!machine.was_broken_into());
    }
}

#[test]
fn an_archive_other_than_the_release_says_is_refused() {
    let machine = linux();
    let releases = machine.release(LINUX);
    let path = machine.place("releases").join(archive(LINUX));
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let ended = install(&machine, &[("COALMINE_RELEASES", &releases)]);
    refused(&machine, &ended, &format!("has the SHA-256 {}", digest(&path)));
}

#[test]
fn an_archive_that_no_checksum_is_known_of_is_refused() {
    let machine = linux();
    let releases = machine.release(LINUX);
    let sums = machine.place(&format!("releases/v{VERSION}/SHA256SUMS"));
    // A line of another archive whose name ends alike is none of this one.
    let line = std::fs::read_to_string(&sums).unwrap().replace("  coalmine", "  not-coalmine");
    std::fs::write(&sums, line).unwrap();
    let ended = install(&machine, &[("COALMINE_RELEASES", &releases)]);
    refused(&machine, &ended, "no SHA-256 is known");
    std::fs::remove_file(sums).unwrap();
    let ended = install(&machine, &[("COALMINE_RELEASES", &releases)]);
    refused(&machine, &ended, "the release has no SHA256SUMS");
}

/// What the program of a foreign archive would do.
const FOREIGN: &[u8] = b"#!/bin/sh\ntouch pwned\n";

/// A member of a tar archive as POSIX has it (ustar): a header of 512 bytes, then the content in
/// blocks of 512 bytes. `link` makes it a symbolic link.
fn member(name: &str, link: Option<&str>) -> Vec<u8> {
    let content = if link.is_some() { &[][..] } else { FOREIGN };
    let mut header = [0; 512];
    let mut put = |at: usize, text: &str| {
        header[at..at + text.len()].copy_from_slice(text.as_bytes());
    };
    put(0, name);
    put(100, "0000755\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, if link.is_some() { "2" } else { "0" });
    put(157, link.unwrap_or(""));
    put(257, "ustar\x0000");
    // The checksum is that of the header with blanks in its own place.
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = [&header[..], content].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// Puts an archive of these members in the place of the release's: the releases and its checksum.
fn repack(machine: &Machine, members: &[Vec<u8>]) -> (String, String) {
    let releases = machine.release(LINUX);
    let path = machine.place("releases").join(archive(LINUX));
    let plain = path.with_extension("");
    let end = vec![0; 1024];
    std::fs::write(&plain, [&members.concat()[..], &end].concat()).unwrap();
    let call = ["-c", "gzip -f \"$1\"", "-", &plain.display().to_string()];
    let packed = machine.bash(&call, &[]);
    assert_eq!(packed.code, 0, "{packed:?}");
    (releases, digest(&path))
}

/// Where the program lies in an archive.
fn own() -> String {
    format!("coalmine-{VERSION}-{LINUX}/coalmine")
}

#[test]
fn an_archive_that_reaches_outside_its_folder_is_refused() {
    for name in ["../pwned", "a/../../pwned", "/tmp/pwned", "..", "C:\\pwned", "..\\pwned"] {
        let machine = linux();
        let (releases, sum) = repack(&machine, &[member(&own(), None), member(name, None)]);
        let variables = [("COALMINE_RELEASES", releases.as_str()), ("COALMINE_SHA256", &sum)];
        refused(&machine, &install(&machine, &variables), "outside its own folder");
        assert!(!machine.was_broken_into(), "{name}");
    }
}

#[test]
fn an_archive_without_the_program_is_refused() {
    for (members, why) in [
        (member(&format!("{}.txt", own()), None), "has no coalmine-"),
        (member(&own(), Some("/bin/true")), "is no file"),
        (member(&own(), None), "wanted is coalmine"),
        (vec![1; 512], "cannot be read"),
    ] {
        let machine = linux();
        let (releases, sum) = repack(&machine, &[members]);
        let variables = [("COALMINE_RELEASES", releases.as_str()), ("COALMINE_SHA256", &sum)];
        let ended = install(&machine, &variables);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
        assert!(ended.stderr.contains(why), "{why}: {ended:?}");
    }
}

#[test]
fn a_program_of_another_version_is_refused() {
    let machine = linux();
    let releases = machine.release(LINUX);
    let variables = [("COALMINE_RELEASES", releases.as_str()), ("STAND_IN_VERSION", "0.0.9")];
    let ended = install(&machine, &variables);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("this is \"coalmine 0.0.9\""), "{ended:?}");
}

/// A cargo that notes its arguments and installs the stand-in.
fn with_cargo(machine: &Machine) {
    machine.stand_in();
    let cargo = "#!/usr/bin/env bash\nprintf '%s\\0' \"$@\" >\"$STAND_IN_LOG\"\n\
                 while (($# > 0)); do [[ \"$1\" != --root ]] || root=\"$2\"; shift; done\n\
                 mkdir \"$root/bin\"; cp \"$(command -v coalmine)\" \"$root/bin/\"\necho noise\n";
    machine.program("cargo", cargo);
}

#[test]
fn what_no_release_has_is_built_where_that_may_be() {
    let empty = |machine: &Machine| {
        std::fs::create_dir(machine.place("releases")).unwrap();
        format!("file://{}", machine.place("releases").display())
    };
    for (system, processor) in [("Linux", "x86_64"), ("FreeBSD", "amd64")] {
        let machine = machine(system, processor);
        with_cargo(&machine);
        let releases = empty(&machine);
        let source = machine.workspace("").display().to_string();
        let variables =
            [("COALMINE_RELEASES", releases.as_str()), ("COALMINE_SOURCE", source.as_str())];
        let ended = install(&machine, &variables);
        assert_eq!((ended.code, ended.stdout.lines().count()), (0, 1), "{ended:?}");
        let arguments = machine.arguments().unwrap();
        assert!(arguments.contains(&"--locked".to_owned()), "{arguments:?}");
        let at = arguments.iter().position(|word| word == "--path").unwrap();
        assert_eq!(arguments[at + 1], source);
        let ended =
            install(&machine, &[&variables[..], &[("COALMINE_BINARY", "release")]].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
        assert!(ended.stderr.contains("error: there is no file://"), "{ended:?}");
    }
    // Without a checkout the tag is built; where a checksum is asked for, nothing is.
    let machine = linux();
    with_cargo(&machine);
    let releases = empty(&machine);
    assert_eq!(install(&machine, &[("COALMINE_BINARY", "build")]).code, 0);
    let tag = format!("v{VERSION}");
    assert!(machine.arguments().unwrap().contains(&tag));
    let sum = "0".repeat(64);
    let variables = [("COALMINE_RELEASES", releases.as_str()), ("COALMINE_SHA256", &sum)];
    let ended = install(&machine, &variables);
    assert!(ended.code == 1 && ended.stderr.contains("asked for"), "{ended:?}");
}

#[test]
fn without_cargo_a_build_says_what_is_missing() {
    let mut machine = machine("FreeBSD", "amd64");
    let bin = machine.place("bin").display().to_string();
    machine.set("PATH", &format!("{bin}:/usr/bin:/bin"));
    let has_cargo = machine.bash(&["-c", "command -v cargo"], &[]).code == 0;
    if has_cargo {
        eprintln!("left out: this system has a cargo of its own");
        return;
    }
    let ended = install(&machine, &[("COALMINE_BINARY", "build")]);
    refused(&machine, &ended, "there is no cargo here");
}

#[test]
fn a_release_over_http_needs_its_checksum_and_missing_is_not_broken() {
    let machine = linux();
    machine.release(LINUX);
    let path = machine.place("releases").join(archive(LINUX));
    let (bytes, sum) = (std::fs::read(&path).unwrap(), digest(&path));
    let whole = format!("GET /releases/{}", archive(LINUX));
    let server = Server::new(move |line| match line {
        line if line == whole => (200, bytes.clone()),
        line if line.starts_with("GET /broken/") => (403, Vec::new()),
        _ => (404, Vec::new()),
    });
    let [releases, broken, empty] =
        ["releases", "broken/", "empty"].map(|name| format!("{}/{name}", server.url));
    let ended = install(&machine, &[("COALMINE_RELEASES", &releases)]);
    refused(&machine, &ended, "needs its SHA-256 given");
    assert_eq!(server.asked().len(), 0);
    let with = |releases: &str| {
        install(&machine, &[("COALMINE_RELEASES", releases), ("COALMINE_SHA256", &sum)])
    };
    refused(&machine, &with(&broken), "HTTP status 403");
    refused(&machine, &with(&empty), "there is no http://127.0.0.1");
    let ended = with(&releases);
    assert_eq!(ended.code, 0, "{ended:?}");
    let asked = server.asked();
    assert!(asked.iter().all(|asked| !format!("{asked:?}").contains("uthorization")), "{asked:?}");
}

#[test]
fn a_program_that_is_there_is_taken_and_any_other_word_refused() {
    let machine = linux();
    let program = machine.stand_in().display().to_string();
    std::fs::copy(&program, machine.workspace("my coal\"mine")).unwrap();
    assert_eq!(install(&machine, &[("COALMINE_BINARY", &program)]).stdout, format!("{program}\n"));
    let beside = install(&machine, &[("COALMINE_BINARY", "my coal\"mine")]);
    let there = machine.workspace("my coal\"mine").display().to_string();
    assert_eq!(beside.stdout, format!("{there}\n"), "{beside:?}");
    for binary in ["relaese", HOSTILE, "work space"] {
        let machine = linux();
        let ended = install(&machine, &[("COALMINE_BINARY", binary)]);
        refused(&machine, &ended, "allowed are auto, release, build");
        assert!(ended.stderr.contains(binary) && !machine.was_broken_into());
    }
}

#[test]
fn versions_and_urls_that_are_none_are_refused() {
    for version in ["", "latest", "0.1", "0.1.0/../../x", "0.1.0 x", HOSTILE] {
        let machine = linux();
        let ended = machine.script("ci/install.sh", &[], &[("COALMINE_VERSION", version)]);
        refused(&machine, &ended, "it must be one of a release");
        assert!(!machine.was_broken_into());
    }
    for url in ["releases", "ftp://example.com", "-o/etc/passwd", HOSTILE] {
        let machine = linux();
        let ended = install(&machine, &[("COALMINE_RELEASES", url)]);
        refused(&machine, &ended, "allowed are https://, http:// and file://");
        assert!(!machine.was_broken_into());
    }
    let machine = linux();
    let releases = machine.release(LINUX);
    let with_v = format!("v{VERSION}");
    let variables = [("COALMINE_RELEASES", releases.as_str()), ("COALMINE_VERSION", &with_v)];
    assert_eq!(machine.script("ci/install.sh", &[], &variables).code, 0);
}
