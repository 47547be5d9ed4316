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

/// What a group is called: by its version, `with_model` before it, or else by its model. `None` for
/// a group that is put together.
pub(super) fn group_name(group: &Group, with_model: bool) -> Option<String> {
    let model = group.model.as_ref().filter(|_| with_model || group.version.is_none());
    let version = group.version.as_ref().map(ToString::to_string);
    match (model.map(ToString::to_string), version) {
        (Some(model), Some(version)) => Some(format!("{model} {version}")),
        (model, version) => model.or(version),
    }
}

fn left_out(others: usize, (one, many): (&str, &str)) -> Option<String> {
    let count = format_counted(others as u64, one, many);
    (others > 0).then(|| format!("not shown: {count}, none with more requests"))
}

/// The groups with the most requests, in their order, and all that are put together; and how many
/// named ones there are besides. At most `most`.
fn largest(groups: &[Group], most: usize) -> (Vec<Named<'_>>, usize) {
    let is_named = |group: &&Group| group.model.is_some() || group.version.is_some();
    let (named, together): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(is_named);
    let mut places: Vec<usize> = (0..named.len()).collect();
    places.sort_by_key(|place| (std::cmp::Reverse(named[*place].requests), *place));
    places.truncate(most.saturating_sub(together.len()));
    places.sort_unstable();
    // Versions of two models may have the same name.
    let with_model = named.windows(2).any(|pair| pair[0].model != pair[1].model);
    let left_out = named.len() - places.len();
    let shown = places.into_iter().map(|place| named[place]).chain(together);
    (shown.map(|group| (name(group, with_model), group)).collect(), left_out)
}

fn name(group: &Group, with_model: bool) -> String {
    let name = group_name(group, with_model);
    name.map_or_else(|| "All others".to_owned(), |name| one_line(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::ProfileMeter;
    use crate::trace::TraceRecord;
    use crate::units::{ModelId, VersionId};

    /// Requests of these models and versions.
    fn profile<'a>(requests: impl IntoIterator<Item = (&'a str, &'a str)>) -> Profile {
        let mut meter = ProfileMeter::default();
        for (model, version) in requests {
            let model = ModelId::new(model).ok();
            let version = Some(VersionId::new(version).unwrap());
            meter.add(&TraceRecord { model, version, ..TraceRecord::default() });
        }
        meter.profile()
    }

    fn versions(profile: &Profile, most: usize) -> (Vec<String>, Option<String>) {
        let part = parts(profile, most).pop().unwrap();
        (part.groups.into_iter().map(|(name, _)| name).collect(), part.left_out)
    }

    #[test]
    fn versions_of_several_models_are_told_apart() {
        let two = profile([("gpt-4", "v1"), ("gpt-5", "v1"), ("gpt-4", "v2")]);
        assert_eq!(
            versions(&two, 12),
            (["gpt-4 v1", "gpt-5 v1", "gpt-4 v2"].map(str::to_owned).to_vec(), None)
        );
        let one = profile([("gpt-4", "v1"), ("gpt-4", "v2")]);
        assert_eq!(versions(&one, 12).0, ["v1", "v2"]);
    }

    #[test]
    fn those_put_together_are_shown_and_those_left_out_are_counted_by_their_names() {
        let names: Vec<String> = (0..50).map(|number| format!("v{number}")).collect();
        // One more request of the last that has a name; those after it are put together.
        let names = names.iter().chain([&names[39]]);
        let many = profile(names.map(|name| ("", name.as_str())));
        let (shown, left_out) = versions(&many, 4);
        assert_eq!(shown, ["v0", "v1", "v39", "All others"]);
        let said = "not shown: 37 more versions, none with more requests";
        assert_eq!(left_out.as_deref(), Some(said));
        assert_eq!(versions(&many, 41).1, None);
    }
}
