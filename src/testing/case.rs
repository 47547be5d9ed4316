//! A case: the models to begin with, and what is done to them; as lines of JSON, which a person can
//! read, keep and run again.

use serde::{Deserialize, Serialize};

use super::Operation;
use crate::engine::Safeguards;

/// A case.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// What is there at the beginning: one model at least.
    pub models: Vec<ModelSetting>,
    /// What is done, in its order.
    pub operations: Vec<Operation>,
}

/// A model as it begins: two versions, all traffic on the first, which is the stable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSetting {
    /// How many versions it can have: 2 at least.
    pub max_versions: u8,
    /// What is guarded against.
    pub safeguards: Safeguards,
}

/// The first line of a case.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    models: Vec<ModelSetting>,
}

/// Why lines are no case.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A line cannot be read.
    #[error("line {line}: {error}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// The first line names no models, too many, or one without room for its two versions.
    #[error("line 1: allowed are 1 to 8 models, each with 2 versions at least")]
    Models,
}

impl Case {
    /// As lines of JSON: the models, then the operations.
    pub fn to_lines(&self) -> String {
        let head = Head { models: self.models.clone() };
        let mut lines = vec![json(&head)];
        lines.extend(self.operations.iter().map(json));
        lines.join("\n") + "\n"
    }

    /// The case that lines of JSON say; empty ones are skipped.
    ///
    /// # Errors
    /// The first line that cannot be read, or models that cannot be.
    pub fn read(text: &str) -> Result<Self, CaseError> {
        let mut lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        let (first, line) = lines.next().unwrap_or_default();
        let read = serde_json::from_str(first);
        let Head { models } = read.map_err(|error| CaseError::Line { line, error })?;
        let fit = |model: &ModelSetting| model.max_versions >= 2;
        if models.is_empty() || models.len() > MOST_MODELS || !models.iter().all(fit) {
            return Err(CaseError::Models);
        }
        let operation = |(text, line)| {
            serde_json::from_str(text).map_err(|error| CaseError::Line { line, error })
        };
        Ok(Self { models, operations: lines.map(operation).collect::<Result<_, _>>()? })
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a case has a JSON form")
}

/// Chosen: more say nothing that two do not.
const MOST_MODELS: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::{Name, Order};
    use super::*;

    fn case() -> Case {
        let models = vec![ModelSetting { max_versions: 3, safeguards: Safeguards::default() }];
        let order = Order::Split { parts: [1, 1, 0, 0], redeploy: false };
        let operations = vec![
            Operation::Wait(-250),
            Operation::Command { model: 0, order },
            Operation::Route { model: 0, draw: 7, user: None, pin: Some(Name::Tag(1)) },
            Operation::Restart,
        ];
        Case { models, operations }
    }

    #[test]
    fn a_case_is_kept_as_lines_of_json_and_read_again() {
        let text = case().to_lines();
        assert_eq!(text.lines().nth(1), Some("{\"wait\":-250}"));
        assert_eq!(text.lines().last(), Some("\"restart\""));
        assert_eq!(Case::read(&text).unwrap(), case());
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let text = case().to_lines() + "\n\"fly\"\n";
        assert!(Case::read(&text).unwrap_err().to_string().starts_with("line 7: unknown variant"));
        assert!(Case::read("").unwrap_err().to_string().starts_with("line 0: EOF"));
        assert!(matches!(Case::read("{\"models\":[]}"), Err(CaseError::Models)));
    }
}
