//! What is wrong with steps: actions that can change under their name, and values that become part
//! of a script.

use serde_json::Value;

/// Each `uses:` of another repository that is not a full commit, with its version beside it.
pub(crate) fn unpinned(text: &str) -> Vec<String> {
    let uses = text.lines().filter_map(|line| {
        let line = line.trim_start().trim_start_matches("- ");
        line.strip_prefix("uses:").map(str::trim)
    });
    let pinned = |uses: &&str| {
        let Some((action, version)) = uses.split_once(" # v") else { return false };
        let commit = action.split_once('@').map_or("", |(_, commit)| commit);
        let whole = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
        whole && version.starts_with(|c: char| c.is_ascii_digit())
    };
    uses.filter(|uses| !pinned(uses)).map(str::to_owned).collect()
}

/// Each script, anywhere in a file, that has an expression in it.
pub(crate) fn within_scripts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(within_scripts).collect(),
        Value::Object(entries) => {
            let found = entries.iter().map(|(key, value)| match (key.as_str(), value.as_str()) {
                ("run", Some(script)) if script.contains("${{") => vec![script.to_owned()],
                _ => within_scripts(value),
            });
            found.flatten().collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn what_can_move_and_what_can_run_are_found() {
    let sha = "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f";
    let uses = |what: &str| unpinned(&format!("steps:\n  - uses: {what}\n")).len();
    assert_eq!(uses(&format!("a/b@{sha} # v7.0.0")), 0);
    for what in ["a/b@v7", "a/b", &format!("a/b@{sha}"), &format!("a/b@{} # v7", &sha[..39])] {
        assert_eq!(uses(what), 1, "{what}");
    }
    let steps = "steps: [{run: 'echo ${{ inputs.a }}', env: {A: '${{ inputs.a }}'}}]";
    assert_eq!(within_scripts(&crate::yaml::parse(steps)), ["echo ${{ inputs.a }}"]);
}
