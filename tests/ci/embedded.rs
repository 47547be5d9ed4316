//! The template for GitLab is one file, because `include: remote:` fetches one: the scripts that it
//! needs stand in it as they are in `ci/`. `COALMINE_BLESS=1 cargo test --test ci embedded` puts
//! them there anew.

use crate::machine::{VERSION, project};

const TEMPLATE: &str = "ci/gitlab/coalmine.gitlab-ci.yml";
const BEGIN: &str = "# begin: ";
const END: &str = "# end";

/// The template with each script between its marks as it is now.
fn renewed(template: &str) -> String {
    let mut text = String::new();
    let mut lines = template.lines();
    while let Some(line) = lines.next() {
        text.push_str(&format!("{line}\n"));
        let Some((indent, path)) = line.split_once(BEGIN) else { continue };
        let script = std::fs::read_to_string(project(path)).unwrap();
        let name = path.rsplit('/').next().unwrap();
        let head = format!("cat >\"$coalmine/{name}\" <<'END_OF_SCRIPT'");
        assert!(!script.contains("END_OF_SCRIPT") && !script.contains("$[["), "{path}");
        for line in std::iter::once(head.as_str()).chain(script.lines()).chain(["END_OF_SCRIPT"]) {
            text.push_str(format!("{indent}{line}").trim_end());
            text.push('\n');
        }
        let end = lines.find(|line| line.trim() == END);
        text.push_str(&format!("{}\n", end.expect("a script has an end")));
    }
    text
}

#[test]
fn the_template_has_the_scripts_as_they_are() {
    let path = project(TEMPLATE);
    let template = std::fs::read_to_string(&path).unwrap();
    let wanted = renewed(&template);
    if std::env::var_os("COALMINE_BLESS").is_some() {
        std::fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(template == wanted, "run COALMINE_BLESS=1 cargo test --test ci embedded");
    assert_eq!(template.matches(BEGIN).count(), 4);
}

#[test]
fn the_template_names_the_version_of_the_program() {
    let template = crate::yaml::file(TEMPLATE);
    assert_eq!(template[".coalmine-gate"]["variables"]["COALMINE_VERSION"], VERSION);
}
