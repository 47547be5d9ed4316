//! Names of models and versions out of foreign sources, whose alphabet is their own.

use crate::units::{ModelId, VersionId};

/// The model that `text` names: characters that a name cannot have become `-`, what comes before
/// the first letter or digit and after 128 characters is left out. `None` where nothing is left.
pub(super) fn model(text: &str) -> Option<ModelId> {
    ModelId::new(text).ok().or_else(|| ModelId::new(&cleaned(text, "._:/-")).ok())
}

/// The version that `text` names, likewise.
pub(super) fn version(text: &str) -> Option<VersionId> {
    VersionId::new(text).ok().or_else(|| VersionId::new(&cleaned(text, "._:-")).ok())
}

fn cleaned(text: &str, marks: &str) -> String {
    let letters = text.chars().map(|letter| {
        if letter.is_ascii_alphanumeric() || marks.contains(letter) { letter } else { '-' }
    });
    letters.skip_while(|letter| !letter.is_ascii_alphanumeric()).take(LONGEST).collect()
}

/// A name's.
const LONGEST: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_alphabets_are_spelt_in_ours() {
        let cases = [
            ("gpt-4", Some("gpt-4")),
            ("@cf/meta/llama-2", Some("cf/meta/llama-2")),
            ("GPT-4 (EU)", Some("GPT-4--EU-")),
            ("模型1", Some("1")),
            ("", None),
            ("--", None),
        ];
        for (text, name) in cases {
            assert_eq!(model(text).as_ref().map(ModelId::as_str), name, "{text}");
        }
        assert_eq!(version("meta/llama").unwrap().as_str(), "meta-llama");
        assert_eq!(version(&"x".repeat(500)).unwrap().as_str().len(), LONGEST);
    }
}
