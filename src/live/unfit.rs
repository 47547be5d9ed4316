//! What of a scenario servers cannot be made to play.

use crate::scenario::Scenario;

/// Why `scenario` cannot be played live, in sentences; empty where it can.
pub(super) fn unfit(scenario: &Scenario) -> Vec<String> {
    let mut reasons = Vec::new();
    if scenario.cache.is_some() {
        reasons.push(
            "it has a cache before the gateway (`middlebox`), which only the simulation plays: \
             leave `middlebox` out"
                .to_owned(),
        );
    }
    for version in scenario.versions().filter(|version| version.behaviour().is_none()) {
        reasons.push(format!(
            "version {} answers as it was recorded (`recorded: true`), and a mock needs a \
             behaviour: `coalmine trace fit` finds one",
            version.id
        ));
    }
    for model in &scenario.models {
        let off: Vec<&str> = model.safeguards.switched_off().collect();
        if !off.is_empty() {
            reasons.push(format!(
                "model {} has these safeguards switched off: {}; a gateway that serves never \
                 does: remove `safeguards`",
                model.id,
                off.join(", ")
            ));
        }
    }
    reasons
}
