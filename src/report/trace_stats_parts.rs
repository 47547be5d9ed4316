//! Which models and versions of a trace are shown, and what they are called.

use super::trace_stats_grids::Named;
use super::visible::one_line;
use crate::profile::{Group, Profile};
use crate::units::format_counted;

/// The requests by model, or by version.
pub(super) struct GroupPart<'a> {
    pub(super) title: &'static str,
    /// The title of how they ended.
    pub(super) endings: &'static str,
    /// The heading of the column with the names.
    pub(super) heading: &'static str,
    /// At least one.
    pub(super) groups: Vec<Named<'a>>,
    /// What is said of the groups that have no room, if there are any.
    pub(super) left_out: Option<String>,
}

/// The models where there are several or no versions, and the versions; without either what was
/// observed of all requests. At most `most` of each.
pub(super) fn parts(profile: &Profile, most: usize) -> Vec<GroupPart<'_>> {
    let Profile { models, versions, total, .. } = profile;
    let mut parts = Vec::new();
    if models.len() > 1 || (versions.is_empty() && !models.is_empty()) {
        let (groups, others) = largest(models, most);
        parts.push(GroupPart {
            title: "By model",
            endings: "How requests ended by model",
            heading: "Model",
            groups,
            left_out: left_out(others, ("more model", "more models")),
        });
    }
    if !versions.is_empty() {
        let (groups, others) = largest(versions, most);
        parts.push(GroupPart {
            title: "By version",
            endings: "How requests ended by version",
            heading: "Version",
            groups,
            left_out: left_out(others, ("more version", "more versions")),
        });
    }
    if parts.is_empty() && (total.outcomes.is_some() || total.latency.is_some()) {
        parts.push(GroupPart {
            title: "What was observed",
            endings: "How requests ended",
            heading: "",
            groups: vec![("All requests".to_owned(), total)],
            left_out: None,
        });
    }
    parts
}

fn left_out(others: usize, (one, many): (&str, &str)) -> Option<String> {
    let count = format_counted(others as u64, one, many);
    (others > 0).then(|| format!("not shown: {count}, with fewer requests"))
}

/// The groups with the most requests, in their order, and how many there are besides.
fn largest(groups: &[Group], most: usize) -> (Vec<Named<'_>>, usize) {
    let mut places: Vec<usize> = (0..groups.len()).collect();
    places.sort_by_key(|place| (std::cmp::Reverse(groups[*place].requests), *place));
    places.truncate(most);
    places.sort_unstable();
    let kept = places.iter().map(|place| (name(&groups[*place]), &groups[*place])).collect();
    (kept, groups.len() - places.len())
}

fn name(group: &Group) -> String {
    match (&group.version, &group.model) {
        (Some(version), _) => one_line(version.as_str()),
        (None, Some(model)) => one_line(model.as_str()),
        (None, None) => "All others".to_owned(),
    }
}
