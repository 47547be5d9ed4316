//! The pieces that sections are made of: headings, tables, lists. Texts that are handed in as
//! `text` are escaped here; those that are called `markup` are HTML already.
//!
//! Whatever a run holds, a piece has a size that it does not exceed: what has no room in it is
//! counted, and told as a number.

use std::borrow::Cow;

use super::escape::escape;
use crate::units::{format_count, format_counted};

/// A section with its heading; `id` is where links to it lead.
pub(super) fn section(id: &str, title: &str, markup: &str) -> String {
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{}</h2>\n\
         {markup}</section>\n",
        escape(title)
    )
}

/// A paragraph.
pub(super) fn paragraph(class: &str, text: &str) -> String {
    format!("<p class=\"{class}\">{}</p>\n", escape(text))
}

/// A list of sentences; nothing where there are none.
pub(super) fn list(class: &str, texts: impl Iterator<Item = String>) -> String {
    let items = texts.map(|text| format!("<li>{}</li>\n", escape(&short(&text))));
    let (mut items, left_out) = within(MOST_LIST_BYTES, items);
    if left_out > 0 {
        items.push_str(&format!("<li>… and {} more</li>\n", format_count(left_out)));
    }
    if items.is_empty() { items } else { format!("<ul class=\"{class}\">\n{items}</ul>\n") }
}

/// `text` as code.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(&short(text)))
}

/// The first of `parts`, at most `most` bytes of them, and how many are left out.
pub(super) fn within(most: usize, parts: impl Iterator<Item = String>) -> (String, u64) {
    let (mut text, mut left_out) = (String::new(), 0);
    for part in parts {
        if left_out == 0 && text.len() + part.len() <= most {
            text.push_str(&part);
        } else {
            left_out += 1;
        }
    }
    (text, left_out)
}

/// `text`, cut short where nobody would read on.
fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MOST_LETTERS) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// A table with a caption.
pub(super) struct Table<'a> {
    /// What it shows; heads it.
    pub(super) caption: &'a str,
    pub(super) columns: Vec<Column>,
    /// The first cell of each row names it.
    pub(super) rows: Vec<Vec<Cell>>,
    /// Whether its rows may be put in another order.
    pub(super) sortable: bool,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) title: String,
    pub(super) kind: Kind,
}

/// What stands in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Text,
    /// Figures: at the right, so that their digits stand below each other.
    Figure,
}

/// A cell of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    pub(super) markup: String,
    /// By what it is put in order; absent: by its text.
    pub(super) value: Option<f64>,
}

impl Column {
    pub(super) fn text(title: &str) -> Self {
        Self { title: title.to_owned(), kind: Kind::Text }
    }

    pub(super) fn figure(title: &str) -> Self {
        Self { title: title.to_owned(), kind: Kind::Figure }
    }
}

impl Cell {
    pub(super) fn text(text: &str) -> Self {
        Self::markup(escape(&short(text)))
    }

    pub(super) const fn markup(markup: String) -> Self {
        Self { markup, value: None }
    }

    pub(super) fn figure(text: &str, value: f64) -> Self {
        Self { markup: escape(text), value: Some(value) }
    }
}

impl Table<'_> {
    /// The table in a box of its own, in which it can be moved sideways where it is too wide.
    pub(super) fn render(&self) -> String {
        let caption = escape(self.caption);
        let sortable = if self.sortable { " data-sortable=\"\"" } else { "" };
        let header: String = self.columns().iter().map(Column::header).collect();
        let rows = self.rows.iter().map(|row| self.row(row));
        let (rows, left_out) = within(MOST_TABLE_BYTES, rows);
        let columns = (self.columns.len() - self.columns().len()) as u64;
        let more = [
            (left_out > 0).then(|| format_counted(left_out, "more row", "more rows")),
            (columns > 0).then(|| format_counted(columns, "more column", "more columns")),
        ];
        let more: Vec<String> = more.into_iter().flatten().collect();
        let more = match &more[..] {
            [] => String::new(),
            more => paragraph("note", &format!("… and {}", more.join(", "))),
        };
        format!(
            "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n\
             <table{sortable}>\n<caption>{caption}</caption>\n<thead>\n<tr>{header}</tr>\n\
             </thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n{more}"
        )
    }

    /// Those that there is room for.
    fn columns(&self) -> &[Column] {
        &self.columns[..self.columns.len().min(MOST_COLUMNS)]
    }

    fn row(&self, cells: &[Cell]) -> String {
        let cells = cells.iter().zip(self.columns()).enumerate().map(|(index, (cell, column))| {
            let value =
                cell.value.map_or_else(String::new, |value| format!(" data-value=\"{value}\""));
            let class = column.kind.class();
            match index {
                0 => format!("<th scope=\"row\"{class}{value}>{}</th>", cell.markup),
                _ => format!("<td{class}{value}>{}</td>", cell.markup),
            }
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    }
}

impl Column {
    fn header(&self) -> String {
        format!("<th scope=\"col\"{}>{}</th>", self.kind.class(), escape(&short(&self.title)))
    }
}

impl Kind {
    const fn class(self) -> &'static str {
        match self {
            Self::Text => "",
            Self::Figure => " class=\"figure\"",
        }
    }
}

/// Chosen: more is not read, and a page of a megabyte has room for all its tables, lists and charts
/// at once (`document.rs` tests the sum).
const MOST_TABLE_BYTES: usize = 48_000;
const MOST_LIST_BYTES: usize = 12_000;
const MOST_COLUMNS: usize = 13;
const MOST_LETTERS: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_counted() {
        let row = |index: usize| vec![Cell::text(&format!("{index:0>300}")); 20];
        let columns = vec![Column::text("long"); 20];
        let rows = (0..40).map(row).collect();
        let markup = Table { caption: "wide", columns, rows, sortable: false }.render();
        let shown = markup.matches("<th scope=\"row\">").count();
        assert!(shown > 0 && markup.len() < MOST_TABLE_BYTES + 1_000, "{}", markup.len());
        let more = format!("… and {} more rows, 7 more columns", 40 - shown);
        assert!(markup.contains(&more), "{more}");
        let items = list("facts", (0..1_000).map(|index| format!("{index:0>200}")));
        let shown = items.matches("<li>0").count();
        assert!(items.contains(&format!("<li>… and {} more</li>", 1_000 - shown)), "{shown}");
        assert!(items.len() < MOST_LIST_BYTES + 100);
        assert_eq!(short(&"ä".repeat(500)).chars().count(), 401);
    }

    #[test]
    fn a_table_has_a_caption_and_headers_of_columns_and_rows() {
        let table = Table {
            caption: "a < b",
            columns: vec![Column::text("Rule"), Column::figure("Checks")],
            rows: vec![vec![Cell::text("<b>"), Cell::figure("1,000", 1_000.0)]],
            sortable: true,
        };
        let markup = table.render();
        for part in [
            "<caption>a &lt; b</caption>",
            "<th scope=\"col\">Rule</th><th scope=\"col\" class=\"figure\">Checks</th>",
            "<th scope=\"row\">&lt;b&gt;</th><td class=\"figure\" data-value=\"1000\">1,000</td>",
            "<table data-sortable=\"\">",
        ] {
            assert!(markup.contains(part), "{part}: {markup}");
        }
    }

    #[test]
    fn an_empty_list_leaves_nothing() {
        assert_eq!(list("facts", std::iter::empty()), "");
        assert!(list("facts", ["a & b".to_owned()].into_iter()).contains("<li>a &amp; b</li>"));
    }
}
