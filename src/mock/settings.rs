//! What a mock is to be.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;

use super::DescribedBehaviour;
use super::news::MockNews;
use super::numbering::Numbering;
use crate::chance::Distribution;
use crate::clock::WallClock;

/// What a mock is to be.
#[derive(Clone, Debug)]
pub struct MockSettings {
    /// What it answers as: 1 to 65,535 versions.
    pub versions: Vec<MockVersion>,
    /// All its draws derive from this and the number of a request.
    pub seed: u64,
    /// The time that its answers take passes on this clock.
    pub clock: WallClock,
    /// Tokens of an answer whose request does not say how many; rounded, at least 1 and at most
    /// 1,000,000.
    pub tokens: Distribution,
    /// How a request says which request of a workload it is, and so meets the draws of that one.
    pub numbering: Numbering,
    /// Who is told of each request, if anybody is.
    pub news: Option<mpsc::Sender<MockNews>>,
}

/// One version that a mock answers as.
#[derive(Clone, Debug)]
pub struct MockVersion {
    /// The values of the member `model` that mean it, at least one. It is listed by the first.
    pub models: Vec<String>,
    /// How it behaves until it is told otherwise.
    pub behaviour: DescribedBehaviour,
}

impl MockSettings {
    /// Whether these settings make a mock.
    ///
    /// # Errors
    /// No version or too many, a version without a name, or a name twice.
    pub(super) fn check(&self) -> Result<(), MockError> {
        let count = self.versions.len();
        if !(1..=MOST_VERSIONS).contains(&count) {
            return Err(MockError::Versions { count });
        }
        let mut seen = BTreeSet::new();
        for (index, version) in self.versions.iter().enumerate() {
            if version.models.iter().all(String::is_empty) {
                return Err(MockError::Nameless { index });
            }
            if let Some(twice) = version.models.iter().find(|name| !seen.insert(name.as_str())) {
                return Err(MockError::NameTwice { name: twice.clone() });
            }
        }
        Ok(())
    }
}

/// Why there is no mock.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// No version, or too many.
    #[error("{count} versions for a mock: allowed are 1 to {MOST_VERSIONS}")]
    Versions {
        /// How many there are.
        count: usize,
    },
    /// A version that no request can ask for.
    #[error("version {index} of the mock has no model name: at least one is needed")]
    Nameless {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// A name of two versions.
    #[error("the model name {name:?} is given twice: each means one version")]
    NameTwice {
        /// The name.
        name: String,
    },
    /// Nobody can listen at an address.
    #[error("cannot listen at {address}: {error}{}", remedy(.error))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// No thread or event queue could be had.
    #[error("cannot serve: {error}")]
    Thread {
        /// What the system says.
        error: io::Error,
    },
}

/// What to do about a port that is taken.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => ": another program listens there; the port 0 is any free one",
        _ => "",
    }
}

/// What a version's index can tell apart.
const MOST_VERSIONS: usize = u16::MAX as usize;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TimeScale;

    fn settings(versions: &[&[&str]]) -> MockSettings {
        let behaviour = DescribedBehaviour::read(&serde_json::json!({"latency": "1ms"})).unwrap();
        let version = |names: &&[&str]| MockVersion {
            models: names.iter().map(|name| (*name).to_owned()).collect(),
            behaviour: behaviour.clone(),
        };
        MockSettings {
            versions: versions.iter().map(version).collect(),
            seed: 1,
            clock: WallClock::new(TimeScale::REAL),
            tokens: Distribution::constant(10.0).unwrap(),
            numbering: Numbering::Counted,
            news: None,
        }
    }

    #[test]
    fn every_name_means_one_version() {
        assert!(settings(&[&["a", "b"], &["c"]]).check().is_ok());
        let told = |versions: &[&[&str]]| settings(versions).check().unwrap_err().to_string();
        assert!(told(&[&["a", "b"], &["b"]]).contains("\"b\" is given twice"));
        assert!(told(&[&["a"], &[]]).contains("version 1 "));
        assert!(told(&[&[""]]).contains("version 0 "));
        assert!(told(&[]).contains("0 versions"));
    }
}
