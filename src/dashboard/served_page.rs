//! The page's text, and the policy that lets a browser run its own script and style and nothing
//! else.

use std::sync::OnceLock;

use crate::wire::integrity;

/// A page and what it may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServedPage {
    /// The page, in HTML.
    pub text: String,
    /// The value of `Content-Security-Policy`: <https://www.w3.org/TR/CSP3/>.
    pub policy: String,
}

/// The dashboard. It is the same for everybody.
pub fn served_page() -> &'static ServedPage {
    static PAGE: OnceLock<ServedPage> = OnceLock::new();
    PAGE.get_or_init(|| {
        let (style, script) = (STYLE.concat(), SCRIPT.concat());
        let policy = POLICY
            .replace("SCRIPT", &integrity(script.as_bytes()))
            .replace("STYLE", &integrity(style.as_bytes()));
        let text = FRAME
            .replace("VERSION", env!("CARGO_PKG_VERSION"))
            .replace("/* STYLE */", &style)
            .replace("/* SCRIPT */", &script);
        ServedPage { text, policy }
    })
}

const FRAME: &str = include_str!("page.html");
/// Reports and this page have one look: the file of theirs is read here as well.
const STYLE: [&str; 2] = [include_str!("../page/style.css"), include_str!("style.css")];
/// One script, as the order has it: what is named below was defined above.
const SCRIPT: [&str; 8] = [
    include_str!("dom.js"),
    include_str!("words.js"),
    include_str!("chart.js"),
    include_str!("rules.js"),
    include_str!("model.js"),
    include_str!("command.js"),
    include_str!("feed.js"),
    include_str!("main.js"),
];
/// Scripts and styles by their hashes alone, requests to the gateway alone, in no frame; texts
/// never become markup, as Trusted Types have it.
const POLICY: &str = "default-src 'none'; script-src 'SCRIPT'; style-src 'STYLE'; \
    connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands between the tag of this name and its end; there is one.
    fn element<'a>(text: &'a str, name: &str) -> &'a str {
        let (start, end) = (format!("<{name}"), format!("</{name}>"));
        assert_eq!(text.matches(&end).count(), 1, "{name}");
        let (_, rest) = text.split_once(&start).unwrap();
        let (_, rest) = rest.split_once('>').unwrap();
        rest.split_once(&end).unwrap().0
    }

    #[test]
    fn the_policy_permits_the_script_and_the_style_that_stand_in_the_page() {
        let ServedPage { text, policy } = served_page();
        for (name, directive) in [("script", "script-src"), ("style", "style-src")] {
            let source = integrity(element(text, name).as_bytes());
            let sources = format!("{directive} '{source}'");
            assert!(policy.split("; ").any(|part| part == sources), "{sources}: {policy}");
        }
        for unsafe_word in ["unsafe-inline", "unsafe-eval", "*", "http:", "https:", "SCRIPT"] {
            assert!(!policy.contains(unsafe_word), "{unsafe_word}: {policy}");
        }
        assert!(policy.contains("frame-ancestors 'none'"));
    }

    #[test]
    fn the_page_has_no_reference_to_elsewhere_no_handler_and_no_markup_from_texts() {
        let text = &served_page().text;
        let markup = FRAME;
        for word in ["src=", "http:", "https:", "@import", "<link rel=\"stylesheet"] {
            assert!(!markup.contains(word), "{word}");
        }
        let attributes = markup.split_whitespace().filter_map(|word| word.split_once('='));
        for (name, _) in attributes {
            assert!(name != "style" && !name.starts_with("on"), "{name}");
        }
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write"] {
            assert!(!element(text, "script").contains(word), "{word}");
        }
        assert!(!text.contains("/* SCRIPT */") && !text.contains("/* STYLE */"));
        assert!(text.contains(concat!("coalmine ", env!("CARGO_PKG_VERSION"), ". ")));
    }

    #[test]
    fn who_runs_no_script_is_told_where_to_look_instead() {
        let told = element(FRAME, "noscript");
        for path in ["/openapi.json", "/metrics", "/healthz"] {
            assert!(told.contains(&format!("href=\"{path}\"")), "{path}: {told}");
        }
    }
}
