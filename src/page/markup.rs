//! The pieces that sections are made of: headings, tables, lists. Texts that are handed in as
//! `text` are escaped here; those that are called `markup` are HTML already.

use super::escape::escape;

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
    let items: String = texts.map(|text| format!("<li>{}</li>\n", escape(&text))).collect();
    if items.is_empty() { items } else { format!("<ul class=\"{class}\">\n{items}</ul>\n") }
}

/// `text` as code.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
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
        Self::markup(escape(text))
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
        let header: String = self.columns.iter().map(Column::header).collect();
        let rows: String = self.rows.iter().map(|row| self.row(row)).collect();
        format!(
            "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n\
             <table{sortable}>\n<caption>{caption}</caption>\n<thead>\n<tr>{header}</tr>\n\
             </thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
        )
    }

    fn row(&self, cells: &[Cell]) -> String {
        let cells = cells.iter().zip(&self.columns).enumerate().map(|(index, (cell, column))| {
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
        format!("<th scope=\"col\"{}>{}</th>", self.kind.class(), escape(&self.title))
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

#[cfg(test)]
mod tests {
    use super::*;

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
