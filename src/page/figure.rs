//! Charts within the page.

use super::escape::{escape, escape_json};
use crate::report::{RunChart, visible};

/// Those of the charts that have these names, in the order of the names.
pub(super) fn figures(charts: &[RunChart], names: &[&str]) -> String {
    let named =
        names.iter().flat_map(|name| charts.iter().filter(move |chart| chart.name == *name));
    named.map(figure).collect()
}

/// A chart in a box of its own, with its caption, and what can be read off it for the script.
fn figure(chart: &RunChart) -> String {
    let readings = chart.canvas.readings().map_or_else(String::new, |readings| {
        let json = serde_json::to_string(readings).expect("numbers and texts become JSON");
        format!(" data-readings='{}'", escape_json(&json))
    });
    format!(
        "<figure class=\"chart\"{readings}>\n<figcaption>{title}</figcaption>\n<div \
         class=\"scroll\" role=\"group\" aria-label=\"{title}\" tabindex=\"0\">\n{}</div>\n\
         </figure>\n",
        visible(&chart.canvas.svg()),
        title = escape(chart.title),
    )
}
