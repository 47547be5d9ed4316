//! Traces: which file is replayed, and how.

use std::path::PathBuf;

use crate::units::Ratio;
use crate::workload::{PlaybackOptions, Window};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::files::Folder;
use super::read;
use super::tree::Node;

/// The file of the trace that `node` describes, and what is done with it.
pub(crate) fn decode(
    node: &Node,
    folder: &Folder,
    diagnostics: &mut Diagnostics,
) -> Option<(PathBuf, PlaybackOptions)> {
    let file = node.get("file");
    let path = file.and_then(|file| folder.resolve(file.text()?, file.place, diagnostics));
    let playback = playback(node, diagnostics);
    Some((path?, playback?))
}

/// What is done with the trace that `node` describes.
fn playback(node: &Node, diagnostics: &mut Diagnostics) -> Option<PlaybackOptions> {
    let mut positive = |node: &Node, key: &str| {
        let time = read::duration(node, key)?;
        if time.is_zero() {
            let message = format!("`{key}` is 0s: allowed is more than 0s");
            let place = node.get(key).map_or(node.place, |node| node.place);
            diagnostics.report(Diagnostic::new(place, message));
        }
        Some(time)
    };
    let dequantize = node.get("dequantize").and_then(|_| positive(node, "dequantize"));
    let window = node.get("window").and_then(|window| {
        let (from, length) = (read::duration(window, "from"), positive(window, "for"));
        Some(Window { from: from?, length: length? })
    });
    let (sample, speed) = (read::ratio(node, "sample")?, read::number(node, "speed")?);
    if sample == Ratio::ZERO {
        let place = node.get("sample").map_or(node.place, |node| node.place);
        let message = "`sample` is 0%: nothing would be replayed";
        diagnostics.report(Diagnostic::new(place, message).help("write more than 0%"));
    }
    let repeat = read::boolean(node, "loop")?;
    let limit = match node.get("limit") {
        Some(_) => Some(read::integer(node, "limit")?),
        None => None,
    };
    Some(PlaybackOptions { dequantize, window, sample, speed, repeat, limit })
}
