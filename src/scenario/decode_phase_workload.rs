//! What is different about the workload in a phase.

use crate::arrivals::Arrivals;
use crate::units::Ratio;
use crate::workload::{Change, Pace, Sessions};

use super::decode_arrivals;
use super::decode_workload::token_sizes;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::plan::Traffic;
use super::read;
use super::tree::{Entry, Node};

/// Decodes the changes of all phases, which are told apart from the workload and each other.
pub(crate) struct PhaseWorkloads<'a> {
    /// `None` where it could not be made out.
    traffic: Option<&'a Traffic>,
    /// How many processes of arrivals there are so far.
    processes: usize,
    /// How many users who wait for answers there are so far in phases.
    closed_users: u64,
}

impl<'a> PhaseWorkloads<'a> {
    /// For phases of a scenario with this traffic.
    pub(crate) fn new(traffic: Option<&'a Traffic>) -> Self {
        let processes = match traffic {
            Some(Traffic::Generated(workload)) => workload.arrivals.processes(),
            Some(Traffic::Replayed { replay, .. }) => replay.processes(),
            None => 0,
        };
        Self { traffic, processes, closed_users: 0 }
    }

    /// The change that `entry` describes.
    pub(crate) fn decode(
        &mut self,
        entry: &Entry,
        diagnostics: &mut Diagnostics,
    ) -> Option<Change> {
        let node = &entry.node;
        if node.entries().is_empty() {
            if node.text().is_none() {
                let message = "the phase's `workload` changes nothing";
                let help = "write `speed`, `arrivals`, `tokens` or `stream`, or remove it";
                diagnostics.report(Diagnostic::new(entry.place, message).help(help));
            }
            return None;
        }
        let (speed, own) = (node.entry("speed"), node.entry("arrivals"));
        if let (Some(speed), Some(own)) = (speed, own) {
            let message = "arrivals of the phase's own come at their own times: `speed` has no \
                           part in them";
            let both = Diagnostic::new(speed.place, message).note(own.place, "the arrivals");
            diagnostics.report(both.help("keep one of `speed` and `arrivals`"));
        }
        let pace = match (own, speed) {
            (Some(own), _) => self.arrivals(own, node, diagnostics).map(Pace::Arrivals),
            (None, Some(entry)) => speed_of(node, entry, diagnostics).map(Pace::Speed),
            (None, None) => Some(Pace::Speed(1.0)),
        };
        let sizes = match node.get("tokens") {
            Some(tokens) => token_sizes(tokens, diagnostics).map(Some),
            None => Some(None),
        };
        let stream = match node.get("stream") {
            Some(stream) => stream.text().and_then(|text| Ratio::parse(text).ok()).map(Some),
            None => Some(None),
        };
        let change = Change { pace: pace?, sizes: sizes?, stream: stream? };
        let usual = Change { pace: Pace::Speed(1.0), sizes: None, stream: None };
        // Keys that are none are told by the check.
        if speed.is_some() && change == usual {
            let message = "the phase's `workload` changes nothing: it is as fast as otherwise";
            let help = "write another `speed`, or remove it";
            diagnostics.report(Diagnostic::new(entry.place, message).help(help));
        }
        Some(change)
    }

    fn arrivals(
        &mut self,
        own: &Entry,
        workload: &Node,
        diagnostics: &mut Diagnostics,
    ) -> Option<Arrivals> {
        let arrivals = decode_arrivals::decode(own.node.entries().first()?, diagnostics)?;
        if let Some(Traffic::Replayed { replay, .. }) = self.traffic
            && replay.sizes.is_empty()
            && workload.get("tokens").is_none()
        {
            let message = "the trace brings token counts for its own requests alone";
            let help = "write `tokens: {input: ..., output: ...}` beside the arrivals";
            diagnostics.report(Diagnostic::new(own.place, message).help(help));
        }
        if let Some(Traffic::Replayed { replay, .. }) = self.traffic
            && replay.needs_sessions
        {
            let message = "requests cannot stick by their session: the trace brings sessions for \
                           its own requests alone";
            let help = "write `workload.sessions`, or `sticky_by: user`";
            diagnostics.report(Diagnostic::new(own.node.place, message).help(help));
        }
        self.processes += arrivals.processes();
        let most = Arrivals::MOST_PROCESSES;
        if self.processes > most {
            let processes = self.processes;
            let message = format!(
                "workload and phases have {processes} arrival processes up to here: allowed are \
                 {most}"
            );
            diagnostics.report(Diagnostic::new(own.place, message));
        }
        self.closed_users += arrivals.closed_users();
        if arrivals.closed_users() > 0 {
            self.check_users(own, diagnostics);
        }
        Some(arrivals)
    }

    /// Users who wait for answers are numbered after all others.
    fn check_users(&self, own: &Entry, diagnostics: &mut Diagnostics) {
        let (population, closed) = match self.traffic {
            None => return,
            Some(Traffic::Generated(workload)) => {
                (&workload.population, workload.arrivals.closed_users())
            }
            Some(Traffic::Replayed { replay, .. }) => (&replay.population, replay.closed_users()),
        };
        let beside = closed + population.tenants_users() + self.closed_users;
        let users = u64::from(population.users.count().get()) + beside;
        let most = match population.sessions {
            Some(_) => Sessions::MOST_USERS,
            None => u32::MAX,
        };
        if users > u64::from(most) {
            let message = format!("{users} users up to here are too many: allowed are {most}");
            let help = "lower `workload.users`, or the users who wait for answers";
            diagnostics.report(Diagnostic::new(own.place, message).help(help));
        }
    }
}

/// How many times as fast the workload's own time passes.
fn speed_of(workload: &Node, entry: &Entry, diagnostics: &mut Diagnostics) -> Option<f64> {
    let speed = read::number(workload, "speed")?;
    if speed > 0.0 && speed < LEAST_SPEED {
        let text = entry.node.text().unwrap_or_default();
        let message = format!("{text} times as fast: allowed are 0, and {LEAST_SPEED} to 1000");
        let help = "write `speed: 0` for a standstill";
        diagnostics.report(Diagnostic::new(entry.node.place, message).help(help));
        return None;
    }
    Some(speed)
}

/// Chosen: slower than that a workload stands still for every purpose.
const LEAST_SPEED: f64 = 0.001;
