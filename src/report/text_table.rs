//! A grid as a table of text in a width.
//!
//! Columns stand side by side at their natural width where there is room. Where there is not, cells
//! are broken into lines, a value never from its unit; where that is not enough either, the table
//! is split into several below each other, each with the columns that name its rows.

use super::comparison::Grid;
use super::layout::{columns, fill, left, right};

/// The grid as text, each line with a newline, none wider than `width` (at least
/// [`LEAST_WIDTH`]). The first column names the rows; the others hold figures.
pub(crate) fn text_table(grid: &Grid, width: usize) -> String {
    let width = width.max(LEAST_WIDTH);
    let all: Vec<usize> = (0..grid.header.len()).collect();
    let measures: Vec<Measure> = all.iter().map(|column| Measure::of(grid, *column)).collect();
    let blocks = blocks(&measures, grid.names, width);
    let texts = blocks.iter().map(|block| {
        let widths = widths(block, &measures, width);
        block_text(grid, block, &widths)
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// Whether the grid stands in `width` with no cell broken.
pub(super) fn fits(grid: &Grid, width: usize) -> bool {
    let natural = (0..grid.header.len()).map(|column| Measure::of(grid, column).natural);
    total(natural) <= width
}

/// How wide a column is.
#[derive(Clone, Copy, Debug)]
struct Measure {
    /// With no cell broken.
    natural: usize,
    /// With every cell broken wherever it may be.
    least: usize,
}

impl Measure {
    fn of(grid: &Grid, column: usize) -> Self {
        let cells = grid.rows.iter().map(|row| (row[column].as_str(), column == 0));
        let cells = cells.chain([(grid.header[column].as_str(), true)]);
        let (mut natural, mut least) = (0, 0);
        for (cell, is_words) in cells {
            for line in cell.lines() {
                natural = natural.max(columns(line));
                let widest = pieces(line, is_words).into_iter().map(columns).max().unwrap_or(0);
                let broken = indent(line) + widest;
                least = least.max(if is_words { broken.min(WIDEST_WORD) } else { broken });
            }
        }
        Self { natural, least }
    }
}

/// The columns of each table, the first and the other that `names` the rows in all of them: as few
/// tables as the width allows.
fn blocks(measures: &[Measure], names: Option<usize>, width: usize) -> Vec<Vec<usize>> {
    let least = |block: &[usize]| total(block.iter().map(|column| measures[*column].least));
    let mut blocks: Vec<Vec<usize>> = Vec::new();
    for column in 1..measures.len() {
        let with = blocks.last().map(|block| [&block[..], &[column]].concat());
        match with.filter(|with| least(with) <= width) {
            Some(with) => {
                blocks.pop();
                blocks.push(with);
            }
            None => {
                let names = names.filter(|name| !blocks.is_empty() && *name != column);
                blocks.push([0].into_iter().chain(names).chain([column]).collect());
            }
        }
    }
    if blocks.is_empty() {
        blocks.push(vec![0]);
    }
    blocks
}

/// How wide each column of a table becomes: as near to its natural width as there is room for, the
/// first column before the others.
fn widths(block: &[usize], measures: &[Measure], width: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = block.iter().map(|column| measures[*column].least).collect();
    let mut room = width.saturating_sub(total(widths.iter().copied()));
    let missing = |widths: &[usize], place: usize| {
        measures[block[place]].natural.saturating_sub(widths[place])
    };
    let label = missing(&widths, 0).min(room);
    widths[0] += label;
    room -= label;
    // One after the other, so that most columns need not be broken at all.
    let mut places: Vec<usize> = (1..block.len()).collect();
    places.sort_by_key(|place| (missing(&widths, *place), *place));
    for place in places {
        let more = missing(&widths, place).min(room);
        widths[place] += more;
        room -= more;
    }
    widths
}

fn block_text(grid: &Grid, block: &[usize], widths: &[usize]) -> String {
    let row = |cells: &[String], is_header: bool| {
        let broken: Vec<Vec<String>> = block
            .iter()
            .zip(widths)
            .map(|(column, width)| broken(&cells[*column], *column == 0 || is_header, *width))
            .collect();
        let height = broken.iter().map(Vec::len).max().unwrap_or(0);
        let line = |index: usize| {
            let cells = broken.iter().zip(widths).enumerate().map(|(place, (lines, width))| {
                let text = lines.get(index).map_or("", String::as_str);
                if place == 0 { left(text, *width) } else { right(text, *width) }
            });
            let cells: Vec<String> = cells.collect();
            format!("{}\n", format!("{MARGIN}{}", cells.join(GAP)).trim_end())
        };
        (0..height).map(line).collect::<String>()
    };
    // It begins a column before the text and ends a column after it.
    let rule = "─".repeat(total(widths.iter().copied()) - 1);
    let rows = grid.rows.iter().map(|cells| row(cells, false));
    format!("{} {rule}\n{}", row(&grid.header, true), rows.collect::<String>())
}

/// A cell in lines of at most `width` columns; what was indented stays so.
fn broken(cell: &str, is_words: bool, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in cell.split('\n') {
        let indent = indent(line);
        let filled = fill(pieces(line, is_words), width.saturating_sub(indent));
        lines.extend(filled.iter().map(|text| format!("{}{text}", " ".repeat(indent))));
    }
    lines
}

/// What of a line must not be broken. Words may stand apart; of figures a change and an interval
/// may, and the two ends of an interval.
fn pieces(line: &str, is_words: bool) -> Vec<&str> {
    let line = line.trim_start();
    if is_words {
        return line.split(' ').collect();
    }
    let mut pieces = Vec::new();
    let mut begin = 0;
    for (at, _) in line.match_indices(' ') {
        let opens = line[at + 1..].starts_with(['(', '[']);
        if opens || line[..at].ends_with(',') {
            pieces.push(&line[begin..at]);
            begin = at + 1;
        }
    }
    pieces.push(&line[begin..]);
    pieces
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The width of a table of columns of these widths, with a blank at its end.
fn total(widths: impl Iterator<Item = usize>) -> usize {
    let (count, sum) = widths.fold((0_usize, 0), |(count, sum), width| (count + 1, sum + width));
    MARGIN.len() + sum + GAP.len() * count.saturating_sub(1) + 1
}

const MARGIN: &str = "  ";
const GAP: &str = "   ";

/// Chosen: below it words no longer fit; a terminal so narrow breaks lines itself.
pub(super) const LEAST_WIDTH: usize = 40;

/// Chosen: two columns of it fit the least width; a longer name is cut.
const WIDEST_WORD: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(header: &[&str], rows: &[&[&str]]) -> Grid {
        let owned = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let rows = rows.iter().map(|row| owned(row)).collect();
        Grid { header: owned(header), rows, names: None }
    }

    #[test]
    fn columns_with_room_stand_side_by_side() {
        let grid = grid(&["Metric", "GPT-4", "模型"], &[&["Error rate", "0.11 %", "9 %"]]);
        let text = text_table(&grid, 80);
        let expected = [
            "  Metric        GPT-4   模型".to_owned(),
            format!(" {}", "─".repeat(28)),
            "  Error rate   0.11 %    9 %".to_owned(),
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        assert!(fits(&grid, 29) && !fits(&grid, 28));
    }

    #[test]
    fn a_value_stays_with_its_unit() {
        assert_eq!(pieces("1,243 ms (+0.5 %)", false), ["1,243 ms", "(+0.5 %)"]);
        assert_eq!(pieces("9 ms [1 ms, 2 ms]", false), ["9 ms", "[1 ms,", "2 ms]"]);
        assert_eq!(pieces("  Average latency", true), ["Average", "latency"]);
    }

    #[test]
    fn a_table_too_wide_is_first_broken_and_then_split() {
        let value = "1,243 ms (+0.5 %)";
        let header = ["Metric", "a", "b", "c", "d"];
        let grid = grid(&header, &[&["Average latency", value, value, value, value]]);
        let heads = |width: usize| {
            let text = text_table(&grid, width);
            assert!(text.lines().all(|line| columns(line) <= width), "{width}:\n{text}");
            text.lines().filter(|line| line.trim_start().starts_with("Metric")).count()
        };
        // 2 + 15 + 4 (3 + 17) + 1 columns are enough for all, 2 + 7 + 4 (3 + 8) + 1 broken.
        assert_eq!([98, 97, 54, 53, 40].map(heads), [1, 1, 1, 2, 2]);
        let broken = text_table(&grid, 60);
        assert!(broken.contains("1,243 ms   1,243 ms"), "{broken}");
        assert!(broken.contains("(+0.5 %)   (+0.5 %)"), "{broken}");
    }

    #[test]
    fn each_part_of_a_split_table_says_which_row_is_which() {
        let value = "a-value-of-20-digits";
        let header = ["Metric", "A", "Run", "B", "C"];
        let rows: [&[&str]; 2] = [&["P99", value, "B", value, value], &["", "", "C", value, value]];
        let grid = Grid { names: Some(2), ..grid(&header, &rows) };
        let text = text_table(&grid, 60);
        let parts: Vec<&str> = text.split("\n\n").collect();
        assert_eq!(parts.len(), 3, "{text}");
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let lines: Vec<_> = parts[2].lines().map(words).collect();
        assert_eq!([&lines[0], &lines[3]], [&vec!["Metric", "Run", "C"], &vec!["C", value]]);
    }

    #[test]
    fn names_longer_than_a_line_are_cut() {
        let name = "a-name-without-a-single-blank-that-is-far-too-long-for-any-terminal";
        let grid = grid(&["Metric", name], &[&[name, "1 ms"]]);
        let text = text_table(&grid, 40);
        assert!(text.lines().all(|line| columns(line) <= 40), "{text}");
        let letters = |text: &str| text.chars().filter(|letter| letter.is_alphabetic()).count();
        assert_eq!(letters(&text), 2 * letters(name) + letters("Metric") + letters("ms"));
    }
}
