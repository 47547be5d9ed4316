//! The paths of the administrative interface: templates with places for names, and what of a
//! request's path stands in them.

use percent_encoding::percent_decode_str;

/// A path with places for names: `/v1/models/{model}/versions/{version}`.
///
/// The place `{model}` takes one segment or more, since the names of models may contain `/`; every
/// other takes one. `%2F` within a segment is part of the name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct RoutePath(pub(super) &'static str);

/// What stands in the places of a path, decoded.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Names(Vec<(&'static str, String)>);

impl RoutePath {
    /// What `path`, percent-encoded as it came, has in the places; `None`: it is another path.
    pub(super) fn names_in(self, path: &str) -> Option<Names> {
        let template: Vec<&str> = self.0.split('/').collect();
        let path: Vec<&str> = path.split('/').collect();
        let Some(place) = template.iter().position(|segment| *segment == MODEL) else {
            return Self::segments(&template, &path, Names::default());
        };
        let (head, tail) = (&template[..place], &template[place + 1..]);
        if path.len() < template.len() {
            return None;
        }
        let end = path.len() - tail.len();
        let model = decoded(&path[place..end].join("/"))?;
        let names = Self::segments(head, &path[..place], Names(vec![("model", model)]))?;
        Self::segments(tail, &path[end..], names)
    }

    /// The places, in their order.
    pub(super) fn places(self) -> impl Iterator<Item = &'static str> {
        self.0.split('/').filter_map(place)
    }

    /// How many of its segments stand for themselves: of two that fit, the one with more is meant.
    pub(super) fn literals(self) -> usize {
        self.0.split('/').filter(|segment| place(segment).is_none()).count()
    }

    fn segments(template: &[&'static str], path: &[&str], mut names: Names) -> Option<Names> {
        if template.len() != path.len() {
            return None;
        }
        for (expected, found) in template.iter().zip(path) {
            match place(expected) {
                Some(name) => names.0.push((name, decoded(found)?)),
                None if expected == found => {}
                None => return None,
            }
        }
        Some(names)
    }
}

impl Names {
    /// What stands in a place; empty where the path has no such place.
    pub(super) fn get(&self, place: &str) -> &str {
        self.0.iter().find(|(name, _)| *name == place).map_or("", |(_, value)| value)
    }
}

fn place(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// A name that is there, and is text.
fn decoded(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    (!text.is_empty()).then(|| text.into_owned())
}

const MODEL: &str = "{model}";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHOW: RoutePath = RoutePath("/v1/models/{model}/versions/{version}");

    fn names(path: &str) -> Option<(String, String)> {
        let names = SHOW.names_in(path)?;
        Some((names.get("model").to_owned(), names.get("version").to_owned()))
    }

    #[test]
    fn a_model_may_have_slashes_and_a_version_may_not() {
        let found = |model: &str, version: &str| Some((model.to_owned(), version.to_owned()));
        assert_eq!(names("/v1/models/gpt-4/versions/v1"), found("gpt-4", "v1"));
        assert_eq!(names("/v1/models/org/name/versions/v1"), found("org/name", "v1"));
        assert_eq!(names("/v1/models/org%2Fname/versions/v%31"), found("org/name", "v1"));
        assert_eq!(names("/v1/models/a/versions/b/versions/c"), found("a/versions/b", "c"));
        for other in [
            "/v1/models/versions/v1",
            "/v1/models//versions/v1",
            "/v1/models/a/versions/",
            "/v1/models/a/versions",
            "/v2/models/a/versions/v1",
            "/v1/models/%ff/versions/v1",
            "",
        ] {
            assert_eq!(names(other), None, "{other}");
        }
    }

    #[test]
    fn a_path_without_places_is_itself_alone() {
        let path = RoutePath("/v1/models");
        assert_eq!(path.names_in("/v1/models"), Some(Names::default()));
        assert_eq!(path.names_in("/v1/models/"), None);
        assert_eq!((path.literals(), SHOW.literals()), (3, 4));
        assert_eq!(SHOW.places().collect::<Vec<_>>(), ["model", "version"]);
    }

    proptest! {
        #[test]
        fn no_path_breaks_it_and_a_name_is_read_back(
            path in "[/a-z%0-9F]{0,40}",
            model in "[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,3}",
        ) {
            let _ = SHOW.names_in(&path);
            let there = format!("/v1/models/{model}/versions/v1");
            prop_assert_eq!(names(&there), Some((model, "v1".to_owned())));
        }
    }
}
