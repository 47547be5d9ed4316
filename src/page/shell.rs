//! What every page has: its head, the links to its sections, its foot, its style and its script.

use super::escape::escape;

/// A page without what it is about.
pub(super) struct Shell<'a> {
    /// The version of coalmine that made it.
    pub(super) version: &'a str,
    pub(super) title: &'a str,
    /// Where the links lead: the id and the name of each section.
    pub(super) sections: &'a [(&'a str, &'a str)],
    /// Markup: what stands first.
    pub(super) header: &'a str,
    /// Markup: the sections.
    pub(super) body: &'a str,
    /// Markup: where everything comes from.
    pub(super) source: &'a str,
}

impl Shell<'_> {
    /// The page.
    pub(super) fn render(&self) -> String {
        let Self { header, body, source, .. } = self;
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"generator\" content=\"coalmine {version}\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">Skip to the report</a>\n{navigation}\
             <main id=\"main\" tabindex=\"-1\">\n{header}{body}</main>\n\
             <footer>\n<p>Made by coalmine {version}. {source}</p>\n</footer>\n\
             <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
            version = escape(self.version),
            title = escape(self.title),
            navigation = self.navigation(),
        )
    }

    /// Links to the sections.
    fn navigation(&self) -> String {
        let links = self.sections.iter();
        let links = links.map(|(id, title)| format!("<li><a href=\"#{id}\">{title}</a></li>\n"));
        format!("<nav aria-label=\"Sections\">\n<ul>\n{}</ul>\n</nav>\n", links.collect::<String>())
    }
}

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
