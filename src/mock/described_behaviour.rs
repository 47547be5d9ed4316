//! A behaviour beside the words that describe it, so that it can be shown and changed.
//!
//! The words are those of scenario files, read and checked by who reads scenarios; files are not
//! read, so nothing can be `empirical` by one.

use std::path::Path;

use serde_json::{Value, json};

use crate::scenario::{Document, Files, Loaded, load};
use crate::upstream::Behaviour;

/// A behaviour and, where it is known, its description as scenario files have it at `upstream`.
///
/// ```
/// use coalmine::mock::DescribedBehaviour;
/// let upstream = serde_json::json!({"latency": "250ms", "failures": {"503": "1%"}});
/// let behaviour = DescribedBehaviour::read(&upstream).unwrap();
/// assert_eq!(behaviour.behaviour().failures.len(), 1);
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct DescribedBehaviour {
    behaviour: Behaviour,
    description: Value,
}

impl DescribedBehaviour {
    /// The behaviour that `upstream` describes.
    ///
    /// # Errors
    /// All that is wrong with the description; `recorded: true`.
    pub fn read(upstream: &Value) -> Result<Self, BehaviourError> {
        let loaded = loaded(&around(upstream))?;
        let version = loaded.scenario.versions().next();
        let behaviour = version.and_then(|version| version.behaviour().cloned());
        let behaviour = behaviour.ok_or(BehaviourError::Recorded)?;
        let mut resolved = loaded.resolved;
        let described = resolved.pointer_mut(UPSTREAM);
        Ok(Self { behaviour, description: described.map(Value::take).unwrap_or_default() })
    }

    /// A behaviour whose description is not known: it is shown as null.
    pub const fn undescribed(behaviour: Behaviour) -> Self {
        Self { behaviour, description: Value::Null }
    }

    /// The behaviour.
    pub const fn behaviour(&self) -> &Behaviour {
        &self.behaviour
    }

    /// Its description with every default spelled out; null where it is not known.
    pub const fn description(&self) -> &Value {
        &self.description
    }
}

/// Why a description is that of no behaviour.
#[derive(Debug, thiserror::Error)]
pub enum BehaviourError {
    /// It says something that means nothing.
    #[error("read the description: {}", problems.join("; "))]
    Invalid {
        /// What is wrong, and what to do about it.
        problems: Vec<String>,
    },
    /// It refers to a trace.
    #[error("play a recorded upstream: allowed are behaviours that do not need a trace")]
    Recorded,
}

/// What a scenario of upstreams and faults says.
///
/// # Errors
/// All that is wrong with it, without the places: they would be in a text that nobody has seen.
pub(super) fn loaded(scenario: &Value) -> Result<Loaded, BehaviourError> {
    let scenario = scenario.to_string();
    let document = Document {
        path: Path::new("behaviour"),
        bytes: scenario.as_bytes(),
        settings: &[],
        working_directory: Path::new("/"),
        allow_outside: false,
    };
    load(document, &NoFiles).map_err(|error| BehaviourError::Invalid {
        problems: error.problems().map(|problem| told(&problem.message, &problem.help)).collect(),
    })
}

/// The smallest scenario with an upstream.
pub(super) fn around(upstream: &Value) -> Value {
    json!({
        "schema": 1,
        "name": "mock",
        "workload": {
            "arrivals": {"constant": "1/s"},
            "requests": 1,
            "tokens": {"input": 1, "output": 1},
        },
        "models": {"mock": {"versions": {"mock": {"tags": ["stable"], "upstream": upstream}}}},
        "phases": [{"name": "all", "for": "rest", "split": {"mock": "100%"}}],
        "gate": ["error_rate <= 100%"],
    })
}

/// A problem and what to do about it.
fn told(message: &str, help: &[String]) -> String {
    [&[message.to_owned()], help].concat().join(": ")
}

/// Where the resolved form of that scenario has it: models and versions are lists there, as their
/// order has a meaning.
const UPSTREAM: &str = "/models/0/versions/0/upstream";

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
        Err("a mock reads no files".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::{FailureKind, Latency};

    #[test]
    fn a_description_reads_as_it_does_in_a_scenario() {
        let upstream = json!({
            "latency": {"first_token": "300ms", "per_output_token": "20ms"},
            "failures": {"503": "0.08%", "stall": {"probability": "1%", "for": "3s"}},
            "capacity": {"concurrency": 4, "queue": 2, "on_full": 503},
        });
        let read = DescribedBehaviour::read(&upstream).unwrap();
        let behaviour = read.behaviour();
        assert!(matches!(behaviour.latency, Latency::Parts(_)));
        assert_eq!(behaviour.failures[0].kind, FailureKind::Status(503));
        assert_eq!(behaviour.failures[0].probability.get(), 0.000_8);
        assert_eq!(behaviour.capacity.unwrap().on_full, 503);
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let upstream = json!({
            "latency": {"lognormal": {"mean": "892ms", "p99": "1423ms"}},
            "failures": {"reset": {"probability": 0.01, "at": "30%"}, "timeout": "2%"},
            "burst": {"enter": "1%", "leave": "10%", "failures": {"500": "50%"}},
            "rate_limit": {"requests": "500/m"},
        });
        let read = DescribedBehaviour::read(&upstream).unwrap();
        assert_eq!(DescribedBehaviour::read(read.description()).unwrap(), read);
        let preset = DescribedBehaviour::read(&json!({"preset": "gpt-4"})).unwrap();
        assert_eq!(DescribedBehaviour::read(preset.description()).unwrap(), preset);
    }

    #[test]
    fn a_wrong_description_is_refused_with_a_remedy() {
        let told = |upstream| DescribedBehaviour::read(&upstream).unwrap_err().to_string();
        let typo = told(json!({"latency": "1ms", "failurs": {}}));
        assert!(typo.contains("failurs") && typo.contains("`failures`"), "{typo}");
        let sum = told(json!({"latency": "1ms", "failures": {"500": "60%", "503": "60%"}}));
        assert!(sum.contains("120%"), "{sum}");
        for wrong in [json!(null), json!([]), json!("x"), json!({}), json!({"recorded": true})] {
            assert!(DescribedBehaviour::read(&wrong).is_err(), "{wrong}");
        }
        let file = json!({"latency": {"empirical": {"quantiles": "secrets.csv"}}});
        assert!(told(file).contains("reads no files"));
    }
}
