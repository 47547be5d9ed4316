//! Names by a pattern in which `*` stands for any letters.

/// Whether `name` is what `pattern` means.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    // Whatever comes first is taken as early as it comes: more is left for what follows.
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters_or_none() {
        for (pattern, name, expected) in [
            ("slow-burn", "slow-burn", true),
            ("slow-burn", "slow-burn-2", false),
            ("pitfall-*", "pitfall-1-keys", true),
            ("pitfall-*", "pitfall-", true),
            ("*-burn", "slow-burn", true),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*b*c", "a-c-b-c", true),
            ("a*b*c", "acb", false),
            ("**", "x", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
