//! A chart within the page.

use super::escape::{escape, visible};
use crate::chart::Canvas;

/// A chart in a box of its own, with its caption.
pub(super) fn figure(title: &str, canvas: &Canvas) -> String {
    format!(
        "<figure class=\"chart\">\n<figcaption>{title}</figcaption>\n<div class=\"scroll\" \
         role=\"group\" aria-label=\"{title}\" tabindex=\"0\">\n{}</div>\n</figure>\n",
        visible(&canvas.svg()),
        title = escape(title),
    )
}
