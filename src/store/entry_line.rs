//! A journal entry as a line for a terminal: when, whose, what, who wanted it. Knows no terminal.

use super::change_text::change_text;
use crate::engine::{Cause, Evidence, Sealed};
use crate::record::seen_text;

/// The entry in one line without its end, such as
/// `12  2026-11-30T09:00:00Z  gpt-4  tag stable set on v2  by alice  3f2a9c01d5e6`: number, time,
/// model (`-`: what all models share), change, cause, and the first twelve digits of the hash.
///
/// What came from outside cannot end the line, nor command a terminal: control characters and those
/// that turn the direction of text are written as `\u{..}`.
pub fn entry_line(sealed: &Sealed) -> String {
    let entry = sealed.entry();
    let model = entry.model.as_ref().map_or("-", |model| model.as_str());
    let cause = match &entry.cause {
        Cause::Command { by } => format!("by {by}"),
        Cause::Trigger(evidence) => {
            let Evidence { trigger, version, .. } = &**evidence;
            format!("by trigger {trigger} on {version}: {}", seen_text(evidence, "requests"))
        }
        Cause::Rollout => "by the rollout".to_owned(),
        Cause::Restart => "by a restart".to_owned(),
        Cause::Delivery => "by a notification".to_owned(),
    };
    let hash = sealed.hash().to_string();
    let (number, at, change) = (entry.number, entry.at, change_text(&entry.change));
    let line = format!("{number}  {at}  {model}  {change}  {cause}  {hash:.HASH_DIGITS$}");
    line.chars().map(shown).collect()
}

/// A character as a terminal is given it.
fn shown(character: char) -> String {
    match character {
        '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            character.escape_unicode().collect()
        }
        control if control.is_control() => control.escape_unicode().collect(),
        other => other.to_string(),
    }
}

/// Chosen: 48 bits tell the entries of any journal apart to the eye; the export has the whole hash.
const HASH_DIGITS: usize = 12;

#[cfg(test)]
mod tests {
    use super::super::specimen::entry;
    use super::*;

    #[test]
    fn a_line_says_number_time_model_change_cause_and_hash() {
        let tagged = r#"{"tagged":{"preserve_previous":true,"previous":"v1","tag":"stable","version":"v2"}}"#;
        let sealed = entry(12, Some("gpt-4"), r#"{"command":{"by":"alice"}}"#, tagged);
        let hash = sealed.hash().to_string();
        assert_eq!(
            entry_line(&sealed),
            format!(
                "12  1970-01-01T00:00:12Z  gpt-4  tag stable set on v2, before on v1  by alice  {}",
                &hash[..12]
            )
        );
    }

    #[test]
    fn what_all_models_share_has_no_model() {
        let sealed = entry(1, None, "\"restart\"", r#"{"key_revoked":{"key":"team"}}"#);
        let line = entry_line(&sealed);
        assert!(line.contains("  -  access key team revoked  by a restart  "), "{line}");
    }

    #[test]
    fn a_name_from_outside_can_neither_end_the_line_nor_command_the_terminal() {
        let cause =
            r#"{"command":{"by":"eve\u001b[2J\n9  fake TURN"}}"#.replace("TURN", "\u{202e}");
        let sealed = entry(1, None, &cause, r#"{"key_revoked":{"key":"team"}}"#);
        let line = entry_line(&sealed);
        assert!(line.contains(r"by eve\u{1b}[2J\u{a}9  fake \u{202e}"), "{line}");
    }
}
