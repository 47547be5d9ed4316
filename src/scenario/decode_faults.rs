//! Faults: what a phase breaks, and whether so much can be broken at once.

use crate::exchange::VersionIndex;
use crate::units::{Duration, Ratio, format_duration};
use crate::upstream::{Correlation, Fault, FaultShape, LatencyChange};

use super::decode_distribution;
use super::decode_failures::{self, check_sum, sum};
use super::decode_load;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::holders::Holders;
use super::named_version::NamedVersion;
use super::names::Names;
use super::place::Place;
use super::plan::{PhaseEnd, VersionPlan};
use super::read::{self, Quantity};
use super::shape::quote;
use super::tree::{Entry, Node};

/// A fault of one version, and where it stands.
#[derive(Clone)]
pub(crate) struct Placed {
    pub(crate) version: NamedVersion,
    pub(crate) fault: Fault,
    place: Place,
}

/// The faults of a phase.
pub(crate) struct PhaseFaults {
    /// When the phase ends.
    pub(crate) end: PhaseEnd,
    /// By version, and in the order of the file.
    pub(crate) faults: Vec<Placed>,
}

/// The faults of a phase that ends at `end`, by version, those of tags that may have moved last,
/// and in the order of the file; and whether they are all: some may not have been made out.
pub(crate) fn decode(
    node: &Node,
    end: Option<PhaseEnd>,
    holders: &Holders<'_>,
    names: &Names,
    diagnostics: &mut Diagnostics,
) -> (Vec<Placed>, bool) {
    let mut all: Vec<Placed> = Vec::new();
    let mut seen: Vec<(NamedVersion, Place)> = Vec::new();
    let mut complete = node.text().is_none();
    for entry in node.entries() {
        let versions = versions(entry, holders, names, diagnostics);
        if let [version] = versions.as_slice() {
            if let Some((_, first)) = seen.iter().find(|(known, _)| known == version) {
                let message = format!("{} is a version that has faults already", quote(&entry.key));
                let twice = Diagnostic::new(entry.place, message).note(*first, "they stand here");
                diagnostics.report(twice.help("put all faults of a version into one list"));
            }
            seen.push((version.clone(), entry.place));
        }
        for item in entry.node.items() {
            let fault = fault(item, end, diagnostics);
            complete &= fault.is_some() && !versions.is_empty();
            let place = item.place_of_setting().unwrap_or(item.place);
            // 0 % among the values that are varied is the healthy version beside the bad ones.
            let fault = fault.filter(|fault| !fault.changes_nothing());
            let placed = |(version, fault)| Placed { version, fault, place };
            all.extend(versions.iter().cloned().zip(fault.into_iter().cycle()).map(placed));
        }
    }
    all.sort_by(|one, next| one.version.cmp(&next.version));
    (all, complete)
}

/// The versions that a key of the faults names; none where it names none, which is reported.
fn versions(
    entry: &Entry,
    holders: &Holders<'_>,
    names: &Names,
    diagnostics: &mut Diagnostics,
) -> Vec<NamedVersion> {
    let everywhere = match entry.key.as_str() {
        "*" => true,
        "all" => !names.is_known("all"),
        _ => false,
    };
    if everywhere {
        let count = names.versions().len() as u16;
        return (0..count).map(VersionIndex).map(NamedVersion::Fixed).collect();
    }
    holders.resolve(&entry.key, entry.place, diagnostics).into_iter().collect()
}

/// One fault, of a phase that ends at `end`; `None` where it cannot be made out.
pub(crate) fn fault(
    node: &Node,
    end: Option<PhaseEnd>,
    diagnostics: &mut Diagnostics,
) -> Option<Fault> {
    if node.entries().is_empty() {
        return None;
    }
    let at = read::duration(node, "at");
    let longest = end.and_then(PhaseEnd::longest);
    if let (Some(at), Some(longest)) = (at, longest)
        && at >= longest
        && let Some(place) = node.get("at").map(|node| node.place)
    {
        let message = format!(
            "the fault begins {} into a phase that lasts at most {}: it would never begin",
            format_duration(at),
            format_duration(longest)
        );
        let help = "`at` counts from the beginning of the phase";
        diagnostics.report(Diagnostic::new(place, message).help(help));
    }
    if CHANGES.iter().all(|key| node.get(key).is_none()) {
        let message = "the fault changes nothing";
        let help = "write `failures: {\"503\": 30%}`, or `latency: {times: 3}`";
        diagnostics.report(Diagnostic::new(node.place, message).help(help));
    }
    let lasts = match node.get("for") {
        Some(lasts) => read::positive_duration("for", lasts, diagnostics).map(Some),
        None => Some(None),
    };
    let failures = match node.get("failures") {
        Some(failures) => decode_failures::decode(failures, diagnostics),
        None => Some(Vec::new()),
    };
    let latency = match node.get("latency") {
        Some(change) => latency_change(change, diagnostics).map(Some),
        None => Some(None),
    };
    let rest = longest.zip(at).map(|(longest, at)| longest.saturating_sub(at));
    let shape = shape(node, lasts.flatten().or(rest), diagnostics);
    let users = users(node, diagnostics);
    let (capacity, rate_limit) = decode_load::decode(node, diagnostics);
    let ramp = read::duration(node, "ramp")?;
    let shape = shape?;
    if let Some(capacity) = node.entry("capacity")
        && matches!(shape, FaultShape::Square { .. } | FaultShape::Sine { .. })
    {
        let message = "a capacity that comes and goes: it holds as long as its fault lasts";
        let help = "write a fault for each time, with `at` and `for`";
        diagnostics.report(Diagnostic::new(capacity.place, message).help(help));
    }
    Some(Fault {
        at: at?,
        lasts: lasts?,
        ramp,
        shape,
        users: users?,
        failures: failures?,
        latency: latency?,
        capacity: capacity?,
        rate_limit: rate_limit?,
    })
}

/// `life` is how long the fault lasts, where that is known.
fn shape(node: &Node, life: Option<Duration>, diagnostics: &mut Diagnostics) -> Option<FaultShape> {
    let shape = node.entry("shape")?;
    let stated = node.entry("period");
    let word = shape.node.text()?;
    let periodic = matches!(word, "square" | "sine");
    if let Some(stated) = stated.filter(|_| !periodic) {
        let message = format!("a period, of which a {} has none", quote(word));
        let help = "remove it, or write `shape: square` or `shape: sine`";
        diagnostics.report(Diagnostic::new(stated.place, message).help(help));
    }
    if periodic && stated.is_none() {
        let message = format!("a {word} has no \"period\": how long it takes to repeat");
        diagnostics.report(Diagnostic::new(shape.place, message).help("write `period: 1m`"));
    }
    let period = stated.filter(|_| periodic).map(|entry| &entry.node);
    Some(match word {
        "step" => FaultShape::Step,
        "drift" => {
            let Some(over) = life.filter(|life| !life.is_zero()) else {
                let message = "a drift without an end: nothing says how fast it grows";
                let help = "write how long it lasts, `for: 30m`";
                diagnostics.report(Diagnostic::new(shape.place, message).help(help));
                return None;
            };
            FaultShape::Drift { over }
        }
        "square" => {
            FaultShape::Square { period: read::positive_duration("period", period?, diagnostics)? }
        }
        "sine" => {
            FaultShape::Sine { period: read::positive_duration("period", period?, diagnostics)? }
        }
        _ => return None,
    })
}

fn users(node: &Node, diagnostics: &mut Diagnostics) -> Option<Option<Ratio>> {
    let Some(users) = node.get("users") else { return Some(None) };
    let share = Ratio::parse(users.text()?).ok()?;
    if share == Ratio::ZERO {
        let message = "a fault that hits 0% of the users: allowed is more than 0%";
        diagnostics.report(Diagnostic::new(users.place, message));
        return None;
    }
    Some((share < Ratio::ONE).then_some(share))
}

fn latency_change(node: &Node, diagnostics: &mut Diagnostics) -> Option<LatencyChange> {
    let chosen = node.entries().first()?;
    match chosen.key.as_str() {
        "times" => read::number(node, "times").map(LatencyChange::Times),
        "add" => read::duration(node, "add").map(LatencyChange::Add),
        "replace" => decode_distribution::decode(&chosen.node, Quantity::Seconds, diagnostics)
            .map(LatencyChange::Replace),
        _ => None,
    }
}

/// Reports faults that, with the normal failures and the other faults that may be on their version
/// at their onset, fail more than all requests. The most that overlap do so at the onset of one of
/// them. Faults of earlier phases are among them if they outlast their phase.
pub(crate) fn check_sums(
    phases: &[PhaseFaults],
    versions: &[Option<&VersionPlan>],
    diagnostics: &mut Diagnostics,
) {
    for (index, phase) in phases.iter().enumerate() {
        for (order, placed) in phase.faults.iter().enumerate() {
            let total = sum(&placed.fault.failures);
            if total == 0.0 {
                continue;
            }
            // Of the versions that a tag may mean, the one on which the most comes together.
            let others = |version: &VersionIndex| {
                [
                    ("the version's own", own(*version, versions)),
                    ("of other faults", beside(phase, order, *version)),
                    (
                        "of faults that may outlast an earlier phase",
                        earlier(&phases[..=index], placed, *version),
                    ),
                ]
            };
            let sum_of = |others: &[(&str, f64)]| others.iter().map(|(_, sum)| sum).sum::<f64>();
            let possible = placed.version.possible().iter().map(others);
            let worst = possible.max_by(|one, next| sum_of(one).total_cmp(&sum_of(next)));
            check_sum(total, &worst.unwrap_or_default(), placed.place, diagnostics);
        }
    }
}

/// What the other faults of a phase fail of a version at the onset of the one at `order`.
fn beside(phase: &PhaseFaults, order: usize, version: VersionIndex) -> f64 {
    let at = phase.faults[order].fault.at;
    let beside = phase.faults.iter().enumerate().filter(|(other_order, other)| {
        // Of faults with one onset, the last in the file is told.
        let before = other.fault.at < at || *other_order < order;
        *other_order != order && before && is_on(&other.fault, at)
    });
    let on_version = beside.filter(|(_, other)| other.version.may_be(version));
    on_version.map(|(_, other)| sum(&other.fault.failures)).sum()
}

/// What faults of earlier phases may still fail of a version at the onset of `placed`, which is one
/// of the last of `phases`.
fn earlier(phases: &[PhaseFaults], placed: &Placed, version: VersionIndex) -> f64 {
    let last = phases.len() - 1;
    let mut total = 0.0;
    for (index, phase) in phases[..last].iter().enumerate() {
        let between = phases[index + 1..last].iter().map(|phase| phase.end.shortest());
        let since_end = between.fold(placed.fault.at, Duration::saturating_add);
        let outlasts = |other: &&Placed| {
            // The phase lasted as long as it takes the fault to begin, or longer.
            let elapsed = phase.end.shortest().max(other.fault.at);
            let elapsed = elapsed.saturating_add(since_end);
            other.fault.lasts.is_some() && is_on(&other.fault, elapsed)
        };
        let on_version = phase.faults.iter().filter(|other| other.version.may_be(version));
        total += on_version.filter(outlasts).map(|other| sum(&other.fault.failures)).sum::<f64>();
    }
    total
}

/// Whether the fault is on so long after the beginning of its phase.
fn is_on(fault: &Fault, elapsed: Duration) -> bool {
    let over = fault.lasts.is_some_and(|lasts| fault.at.saturating_add(lasts) <= elapsed);
    fault.at <= elapsed && !over
}

/// The most that a version fails without faults.
fn own(version: VersionIndex, versions: &[Option<&VersionPlan>]) -> f64 {
    let version = versions.get(usize::from(version.0)).copied().flatten();
    version.and_then(VersionPlan::behaviour).map_or(0.0, |behaviour| {
        let burst = match &behaviour.correlation {
            Correlation::Burst(bursts) => sum(&bursts.failures),
            _ => 0.0,
        };
        sum(&behaviour.failures) + burst
    })
}

/// The keys of which one must stand: a fault that changes nothing is a slip of the pen.
const CHANGES: [&str; 4] = ["failures", "latency", "capacity", "rate_limit"];
