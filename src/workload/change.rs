//! What is different about a workload for a while.

use std::fmt;

use super::tokens::TokenSizes;
use crate::arrivals::Arrivals;
use crate::units::{Ratio, format_significant};

/// What is different while it lasts. Its `Display` says so in a few words.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// When requests come.
    pub pace: Pace,
    /// The token counts of all requests that are sent; `None`: as in the workload.
    pub sizes: Option<TokenSizes>,
    /// The share of the requests that are sent whose answer is streamed; `None`: as in the
    /// workload.
    pub stream: Option<Ratio>,
}

/// When requests come while a change of the workload lasts.
#[derive(Clone, PartialEq, Debug)]
pub enum Pace {
    /// Those of the workload, whose own time passes so many times as fast: the same requests come
    /// sooner or later, and users who wait for answers think faster or slower; at 0 none come.
    Speed(f64),
    /// These come in the place of the workload's, from the beginning of the change on. What the
    /// workload would have sent meanwhile is not sent; what it sends afterwards is what it would
    /// have sent then.
    Arrivals(Arrivals),
}

impl Change {
    /// How many times as fast the workload's own time passes.
    pub const fn speed(&self) -> f64 {
        match &self.pace {
            Pace::Speed(speed) => *speed,
            Pace::Arrivals(_) => 1.0,
        }
    }

    /// The arrivals that come in the place of the workload's, if any do.
    pub const fn arrivals(&self) -> Option<&Arrivals> {
        match &self.pace {
            Pace::Speed(_) => None,
            Pace::Arrivals(arrivals) => Some(arrivals),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pace = match &self.pace {
            Pace::Speed(speed) if *speed == 1.0 => None,
            Pace::Speed(speed) if *speed == 0.0 => Some("it stands still".to_owned()),
            Pace::Speed(speed) => Some(format!("{} times as fast", format_significant(*speed, 4))),
            Pace::Arrivals(arrivals) => Some(format!("{arrivals} in its place")),
        };
        let sizes = self.sizes.as_ref().map(|sizes| format!("{sizes} on average"));
        let stream = self.stream.map(|share| format!("{share} of the answers streamed"));
        let parts: Vec<_> = [pace, sizes, stream].into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}
