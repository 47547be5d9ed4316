//! What is sent where at least a part of it is read from a trace.

use super::answers::RecordedVersion;
use super::needs::Needs;
use super::playback::PlaybackOptions;
use super::population::Population;
use super::tokens::TokenSizes;
use crate::arrivals::Arrivals;
use crate::units::ModelId;

/// A workload of which at least a part is read from a trace; what a trace does not say is drawn.
#[derive(Clone, PartialEq, Debug)]
pub struct Replay {
    /// What is sent at the same time, in the order of its processes.
    pub parts: Vec<Part>,
    /// How many requests at most, of all parts.
    pub requests: Option<u64>,
    /// How large generated requests are, by the model that they ask for; one alone holds for all
    /// models. None are needed where all parts are recorded.
    pub sizes: Vec<TokenSizes>,
    /// The plan's models.
    pub models: Vec<ModelId>,
    /// The versions that answer as the traces have recorded them.
    pub recorded: Vec<RecordedVersion>,
    /// Whether every row must name its session: requests stick by it, and nothing else makes any.
    pub needs_sessions: bool,
    /// Who sends the requests, where a trace does not say.
    pub population: Population,
}

/// A part of a [`Replay`].
#[derive(Clone, PartialEq, Debug)]
pub enum Part {
    /// Generated requests, of one process or more.
    Generated(Arrivals),
    /// A trace, which counts as one process, and what is done with it.
    Recorded(PlaybackOptions),
}

impl Part {
    /// How many processes it has.
    pub(super) fn processes(&self) -> usize {
        match self {
            Self::Generated(arrivals) => arrivals.processes(),
            Self::Recorded(_) => 1,
        }
    }

    /// The arrivals that are generated.
    fn arrivals(&self) -> Option<&Arrivals> {
        match self {
            Self::Generated(arrivals) => Some(arrivals),
            Self::Recorded(_) => None,
        }
    }
}

impl Replay {
    /// What is done with each trace, and its place among the processes.
    pub fn traces(&self) -> impl Iterator<Item = (usize, PlaybackOptions)> {
        self.placed().filter_map(|(place, part)| match part {
            Part::Recorded(options) => Some((place, *options)),
            Part::Generated(_) => None,
        })
    }

    /// The parts, each with the place of its first process.
    pub(super) fn placed(&self) -> impl Iterator<Item = (usize, &Part)> {
        let mut next = 0;
        self.parts.iter().map(move |part| {
            let place = next;
            next += part.processes();
            (place, part)
        })
    }

    /// How many processes there are.
    pub(crate) fn processes(&self) -> usize {
        self.parts.iter().map(Part::processes).sum()
    }

    /// What every row of its traces must say.
    pub fn needs(&self) -> Needs {
        Needs { sessions: self.needs_sessions, tokens: self.sizes.is_empty() }
    }

    /// How many users wait for each answer before they send on; 0 where none do.
    pub fn closed_users(&self) -> u64 {
        self.parts.iter().filter_map(Part::arrivals).map(Arrivals::closed_users).sum()
    }

    /// Whether requests go on for ever, unless their number is limited.
    pub(crate) fn is_endless(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Generated(arrivals) => arrivals.expected_count().is_none(),
            Part::Recorded(options) => options.repeat,
        })
    }
}
