//! What happened in a run, as marks over its time: faults, breaches, and what was done.

use super::lockout_text::client_name;
use super::narrative::{since_onset, version_name};
use super::story::Story;
use crate::chart::{Dash, Ink, Lane, Mark, Symbol};
use crate::engine::RolloutState;
use crate::exchange::VersionIndex;
use crate::record::{Bursts, Happening, Stretch};
use crate::units::Timestamp;

impl Story<'_> {
    /// Those lanes in which there is a mark.
    pub(super) fn lanes(&self) -> Vec<Lane> {
        let lanes = [
            Lane { name: "Faults", marks: self.faults() },
            Lane { name: "Bursts", marks: self.bursts() },
            Lane { name: "Breaches", marks: self.breaches() },
            Lane { name: "Actions", marks: self.actions() },
        ];
        lanes.into_iter().filter(|lane| !lane.marks.is_empty()).collect()
    }

    pub(super) fn faults(&self) -> Vec<Mark> {
        let mut marks: Vec<(VersionIndex, &str, Mark)> = Vec::new();
        for event in &self.record.timeline.events {
            let at = self.seconds(event.at);
            match &event.happening {
                Happening::FaultBegan { version, what } => {
                    let mark = mark(at, Symbol::TriangleDown, Dash::Dashed);
                    marks.push((*version, what, Mark { ink: Ink::FAULT, ..mark }));
                }
                Happening::FaultEnded { version, what } => {
                    let open = marks.iter_mut().rev().find(|(on, begun, mark)| {
                        on == version && begun == what && mark.to.is_none()
                    });
                    if let Some((_, _, mark)) = open {
                        mark.to = Some((at, Some(Symbol::TriangleUp)));
                    }
                }
                _ => {}
            }
        }
        let end = self.seconds(self.record.end);
        let several = self.several_versions_fail();
        // Versions that fail alike at the same time have one mark with all their names.
        let mut told: Vec<(Vec<&str>, &str, Mark)> = Vec::new();
        for (version, what, mark) in marks {
            let mark = Mark { to: mark.to.or(Some((end, None))), ..mark };
            let name = version_name(self.record, version);
            let alike = |(_, other, at): &&mut (_, &str, Mark)| {
                *other == what && at.from == mark.from && at.to == mark.to
            };
            match told.iter_mut().find(alike) {
                Some((names, ..)) => names.push(name),
                None => told.push((vec![name], what, mark)),
            }
        }
        let labelled = |(names, what, mark): (Vec<&str>, &str, Mark)| {
            let of = if several { format!("{}: ", listed(&names)) } else { String::new() };
            Mark { label: format!("{of}{what}"), ..mark }
        };
        told.into_iter().map(labelled).collect()
    }

    fn several_versions_fail(&self) -> bool {
        let mut versions =
            self.record.timeline.events.iter().filter_map(|event| match &event.happening {
                Happening::FaultBegan { version, .. } => Some(*version),
                _ => None,
            });
        let first = versions.next();
        versions.any(|version| Some(version) != first)
    }

    /// The bad stretches of upstreams whose failures come in bursts, in the colours of their
    /// versions; none where there were so many that not all are known.
    fn bursts(&self) -> Vec<Mark> {
        let bursts = &self.record.bursts;
        if !bursts.iter().all(Bursts::is_whole) {
            return Vec::new();
        }
        let drawn = bursts.iter().filter_map(|bursts| {
            let id = version_name(self.record, bursts.version);
            let version = self.versions().find(|version| version.id == id)?;
            Some((version.look.ink, &bursts.stretches))
        });
        let mark = |ink, stretch: &Stretch| Mark {
            from: self.seconds(stretch.from),
            to: Some((self.seconds(stretch.until), None)),
            symbol: None,
            label: String::new(),
            dash: None,
            ink,
        };
        drawn.flat_map(|(ink, stretches)| stretches.iter().map(move |one| mark(ink, one))).collect()
    }

    pub(super) fn breaches(&self) -> Vec<Mark> {
        let mut marks: Vec<(VersionIndex, usize, Mark)> = Vec::new();
        for event in &self.record.timeline.events {
            let at = self.seconds(event.at);
            match &event.happening {
                Happening::BreachBegan { trigger, version } => {
                    let label = self.record.trigger(*version, *trigger).to_owned();
                    let mark = Mark { label, ..mark(at, Symbol::Diamond, Dash::Dotted) };
                    marks.push((*version, *trigger, mark));
                }
                Happening::BreachEnded { trigger, version }
                | Happening::Fired { trigger, version, .. } => {
                    let open = marks
                        .iter_mut()
                        .rev()
                        .find(|(on, of, mark)| on == version && of == trigger && mark.to.is_none());
                    if let Some((_, _, mark)) = open {
                        mark.to = Some((at, None));
                    }
                }
                _ => {}
            }
        }
        marks.into_iter().map(|(_, _, mark)| mark).collect()
    }

    pub(super) fn actions(&self) -> Vec<Mark> {
        let events = &self.record.timeline.events;
        let mut marks = Vec::new();
        for event in events {
            let at = self.seconds(event.at);
            let (symbol, label) = match &event.happening {
                Happening::RolledBack { version, target } => {
                    let since = since_onset(self.record, event.at, (*version, *target));
                    let how = match version {
                        None => "rolled back by command",
                        Some(_) if since.is_empty() => "false rollback",
                        Some(_) => "rolled back",
                    };
                    let target = version_name(self.record, *target);
                    (Symbol::Square, format!("{how} to {target}{since}"))
                }
                Happening::RolloutMoved { version, to: RolloutState::Promoted, .. } => {
                    let version = version_name(self.record, *version);
                    (Symbol::TriangleUp, format!("{version} promoted"))
                }
                Happening::RollbackRefused { .. } => (Symbol::Cross, "rollback refused".to_owned()),
                // A firing that led to a rollback is told by the rollback.
                Happening::Fired { evidence, .. } => {
                    let told = |other: &Happening| {
                        matches!(
                            other,
                            Happening::RolledBack { .. } | Happening::RollbackRefused { .. }
                        )
                    };
                    if events.iter().any(|other| other.at == event.at && told(&other.happening)) {
                        continue;
                    }
                    (Symbol::Disc, format!("{} fired", evidence.trigger))
                }
                _ => continue,
            };
            marks.push(Mark { label, ..mark(at, symbol, Dash::Solid) });
        }
        marks.extend(self.lockouts());
        marks.sort_by(|one, other| one.from.total_cmp(&other.from));
        marks
    }

    /// While which clients were locked out; those of the same time have one mark.
    fn lockouts(&self) -> impl Iterator<Item = Mark> {
        let mut told: Vec<(Timestamp, Timestamp, Vec<&str>)> = Vec::new();
        for event in &self.record.timeline.events {
            let Happening::LockedOut { client, until, .. } = event.happening else { continue };
            let (from, until) = (event.at, until.unwrap_or(self.record.end));
            let client = client_name(self.record, client);
            match told.iter_mut().find(|(begun, ended, _)| (*begun, *ended) == (from, until)) {
                Some((_, _, clients)) => clients.push(client),
                None => told.push((from, until, vec![client])),
            }
        }
        told.into_iter().map(|(from, until, clients)| Mark {
            to: Some((self.seconds(until), None)),
            label: format!("{} locked out", listed(&clients)),
            ..mark(self.seconds(from), Symbol::Cross, Dash::Solid)
        })
    }
}

/// Names with commas; of many the first, and how many more.
fn listed(names: &[&str]) -> String {
    let told = &names[..names.len().min(MOST_NAMES)];
    let more = names.len() - told.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", told.join(", "))
}

/// Chosen: a label of more names is cut short before it says what happened.
const MOST_NAMES: usize = 4;

fn mark(at: f64, symbol: Symbol, dash: Dash) -> Mark {
    let symbol = Some(symbol);
    Mark { from: at, to: None, symbol, label: String::new(), dash: Some(dash), ink: Ink::BLACK }
}
