//! The steps of a rollout by themselves, as a command line states them: checked as those of a
//! scenario are.

use crate::engine::Ladder;

use super::check::check;
use super::decode_rollout;
use super::diagnostic::Diagnostics;
use super::error::{ScenarioError, conclude};
use super::fill::fill;
use super::parse::parse_file;
use super::place::Sources;
use super::shape::Shape;
use super::shapes_rollout::ROLLOUT;
use super::tree::Entry;

/// The steps that `text` lists, in the notation of `steps` of a scenario's rollout, such as
/// `[{weight: 5%, hold: 10m}, {weight: 25%, hold: 1h, pause: true}]`. Errors name it `name`.
///
/// # Errors
/// All problems of the text, each with its place and a remedy.
///
/// # Panics
/// Never: the format of a rollout has steps.
pub fn load_steps(name: &str, text: &str) -> Result<Ladder, ScenarioError> {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let shape = Shape::Record(&ROLLOUT).field(STEPS).expect("a rollout has steps").shape;
    let made = parse_file(name, text.as_bytes(), &mut sources, &mut diagnostics);
    let made = made.and_then(|mut root| {
        check(&root, shape, &mut diagnostics);
        fill(&mut root, shape);
        let entry = Entry { place: root.place, key: STEPS.to_owned(), node: root };
        decode_rollout::ladder(&entry, &mut diagnostics)
    });
    conclude(diagnostics, sources)?;
    Ok(made.expect("whatever keeps steps from being made is reported"))
}

const STEPS: &str = "steps";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::RolloutStep;
    use crate::units::{Duration, Ratio};

    fn refusal(text: &str) -> String {
        load_steps("--steps", text).unwrap_err().to_string()
    }

    #[test]
    fn steps_are_written_as_in_a_scenario() {
        let text = "[{weight: 5%, hold: 10m}, {weight: 0.25, hold: 1h, require: 500, pause: true}]";
        let ladder = load_steps("--steps", text).unwrap();
        let steps = [
            RolloutStep {
                weight: Ratio::from_percent(5),
                hold: Duration::from_secs(600),
                require: None,
                pause: false,
            },
            RolloutStep {
                weight: Ratio::from_percent(25),
                hold: Duration::from_secs(3_600),
                require: Some(500),
                pause: true,
            },
        ];
        assert_eq!(ladder.steps(), steps);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let told = refusal("[{weight: 5%, hold: 10m}, {weight: 25%, hodl: 1h}]");
        assert!(told.contains("--steps:1:41") && told.contains("did you mean `hold`?"), "{told}");
        let told = refusal("[{weight: 25%, hold: 10m}, {weight: 5%, hold: 1h}]");
        assert!(told.contains("step 2 has weight 0.05"), "{told}");
        assert!(refusal("[]").contains("--steps:1:1"), "{}", refusal("[]"));
        for text in ["", "5%", "{weight: 5%, hold: 10m}", "[", "[{weight: 5%, hold: 5}]"] {
            assert!(refusal(text).contains("--steps:1"), "{text}: {}", refusal(text));
        }
    }
}
