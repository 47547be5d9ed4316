//! Why runs are not compared.

use std::fmt;

use super::scenario_difference::RunDifferences;

/// The runs are not of the same scenario and traces.
#[derive(Clone, PartialEq, Debug)]
pub struct CompareError {
    /// What the runs are called, the first first.
    pub labels: Vec<String>,
    /// In what the others differ from the first.
    pub differing: Vec<RunDifferences>,
}

impl std::error::Error for CompareError {}

impl fmt::Display for CompareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = &self.labels[0];
        for (number, differing) in self.differing.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            let other = &self.labels[differing.run];
            write!(f, "{other} is not of the same scenario as {first}:")?;
            for line in differing.told(MOST_LINES) {
                write!(f, "\n  {line}")?;
            }
        }
        Ok(())
    }
}

/// Chosen: with a hint below it all of it is seen at once.
const MOST_LINES: usize = 12;
