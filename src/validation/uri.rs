//! Paths as URI references (RFC 3986).

use std::path::{Component, Path};

use crate::scenario::normal;

/// The file at `path`, which is relative to the folder `working` unless it is absolute: relative to
/// that folder where it lies in it, else an absolute `file:` URI. `working` is an absolute path.
/// Paths are compared by their letters; whether there are such files is not asked.
pub(super) fn uri(path: &Path, working: &Path) -> String {
    let working = normal(working);
    let path = normal(&working.join(path));
    match path.strip_prefix(&working) {
        Ok(below) => segments(below).join("/"),
        Err(_) => format!("file:///{}", segments(&path).join("/")),
    }
}

/// The names that lead to `path`, each so written that it is read as one.
fn segments(path: &Path) -> Vec<String> {
    let named = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(encode(&name.to_string_lossy())),
        // A drive letter keeps its colon: it begins no scheme behind `file:///`.
        Component::Prefix(prefix) => Some(prefix.as_os_str().to_string_lossy().replace('\\', "/")),
        Component::RootDir | Component::CurDir => None,
        Component::ParentDir => Some("..".to_owned()),
    });
    named.collect()
}

/// `text` with all but unreserved characters (RFC 3986, section 2.3) as percent-encoded UTF-8.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn paths_below_the_folder_are_relative_and_all_others_absolute() {
        let of = |path: &str| uri(Path::new(path), Path::new("/home/x y/project"));
        assert_eq!(of("scenarios/a.yaml"), "scenarios/a.yaml");
        assert_eq!(of("./scenarios/../a.yaml"), "a.yaml");
        assert_eq!(of("/home/x y/project/b/a.yaml"), "b/a.yaml");
        assert_eq!(of("../other/a.yaml"), "file:///home/x%20y/other/a.yaml");
        assert_eq!(of("/etc/a.yaml"), "file:///etc/a.yaml");
        assert_eq!(of("/home/x y/project2/a.yaml"), "file:///home/x%20y/project2/a.yaml");
    }

    #[test]
    fn what_has_a_meaning_in_uris_and_what_is_no_ascii_is_encoded() {
        // UTF-8 of ö is C3 B6, of 金 E9 87 91 (Unicode 16, UnicodeData.txt: U+00F6, U+91D1).
        let of = |path: &str| uri(Path::new(path), Path::new("/"));
        assert_eq!(of("a b/c:d?e#f%g.yaml"), "a%20b/c%3Ad%3Fe%23f%25g.yaml");
        assert_eq!(of("ö金.yaml"), "%C3%B6%E9%87%91.yaml");
    }
}
