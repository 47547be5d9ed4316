//! A file of rollback rules by itself, without a scenario around it: checked as one that a scenario
//! names, against versions that were met elsewhere.

use crate::engine::{RuleSet, Safeguards};
use crate::exchange::{ModelIndex, VersionIndex};

use super::check::check;
use super::decode_rules;
use super::diagnostic::Diagnostics;
use super::error::{ScenarioError, ScenarioWarnings, conclude};
use super::fill::fill;
use super::names::Names;
use super::parse::parse_file;
use super::place::Sources;
use super::shape::Shape;
use super::shapes_rules::RULES;

/// The versions and tags that rules can name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleNames<'a> {
    /// The ids of the versions.
    pub versions: Vec<&'a str>,
    /// Tags, each with the place of its version in `versions`. One of them is `stable`.
    pub tags: Vec<(&'a str, usize)>,
}

/// The rules that the file `name` holds: JSON, or YAML.
///
/// # Errors
/// All problems of the file, each with its place and a remedy.
///
/// # Panics
/// A tag has a version that is not among `names`.
pub fn load_rules(
    name: &str,
    bytes: &[u8],
    names: &RuleNames<'_>,
) -> Result<(RuleSet, ScenarioWarnings), ScenarioError> {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let made = parse_file(name, bytes, &mut sources, &mut diagnostics).and_then(|mut root| {
        let shape = Shape::Record(&RULES);
        check(&root, shape, &mut diagnostics);
        fill(&mut root, shape);
        let tags = names.tags.iter().map(|(tag, version)| {
            assert!(*version < names.versions.len(), "the tag {tag} is of version {version}");
            (*tag, VersionIndex(*version as u16))
        });
        let known = Names::of_versions(names.versions.iter().copied(), tags, root.place);
        decode_rules::decode(&root, ModelIndex(0), &known, Safeguards::default(), &mut diagnostics)
    });
    let warnings = conclude(diagnostics, sources)?;
    Ok((made.expect("whatever keeps rules from being made is reported"), warnings))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<RuleSet, String> {
        let names = RuleNames { versions: vec!["v1", "v2"], tags: vec![("stable", 0)] };
        let loaded = load_rules("rules.json", text.as_bytes(), &names);
        loaded.map(|(rules, _)| rules).map_err(|error| error.to_string())
    }

    #[test]
    fn json_and_yaml_are_the_same_rules() {
        let json = r#"{"conditions": [{"metric": "error_rate", "operator": ">",
            "threshold": 0.05, "duration_seconds": 60, "action": "rollback_to_last_stable"}]}"#;
        let yaml = "conditions:\n- {metric: error_rate, operator: '>', threshold: 0.05, \
                    duration_seconds: 60, action: rollback_to_last_stable}\n";
        let rules = load(json).unwrap();
        assert!(rules.enable && rules.triggers.len() == 1);
        assert_eq!(load(yaml).unwrap(), rules);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_a_remedy() {
        let wrong = "{\"conditions\": [\n{\"metric\": \"eror_rate\", \"operator\": \">\",\n\
                     \"threshold\": 0.05, \"version\": \"v3\", \"action\": \"notify\"}]}";
        let told = load(wrong).unwrap_err();
        for part in ["rules.json:2", "did you mean `error_rate`?", "rules.json:3", "v3"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let empty = load("{\"conditions\": [{}]}").unwrap_err();
        assert!(empty.contains("rules.json:1") && empty.contains("condition has no"), "{empty}");
        assert!(load("{}").unwrap_err().contains("conditions"));
        assert!(load("[1]").is_err() && load("").is_err() && load("{").is_err());
    }
}
