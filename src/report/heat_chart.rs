//! The heat map of latencies: how they were spread at each time of a run.

use super::story::{Story, Version};
use crate::chart::{Axis, Canvas, Course, Dash, Ink, Line, Look, Panel, Sheet, Tile};
use crate::record::{Record, SeriesPoint, Spread};
use crate::units::{Duration, format_duration};

/// For each version how the latencies of its successes were spread over time, with their median and
/// their 99th percentile; `None` where nothing succeeded, or an old result does not say.
pub(super) fn heat_chart(record: &Record) -> Option<Canvas> {
    let story = Story::of(record);
    let versions: Vec<&Version<'_>> =
        story.versions().filter(|version| steps(version.points).is_some()).collect();
    let shown = versions.len().min(MOST_VERSIONS);
    let ranges = versions[..shown].iter().filter_map(|version| steps(version.points));
    // One range for all: versions are compared.
    let range = ranges.reduce(|(low, high), (first, last)| (low.min(first), high.max(last)))?;
    let panels = fewest_tiles(MOST_TILE_COLUMNS / shown, |most_columns| {
        versions[..shown]
            .iter()
            .map(|version| panel(&story, version, most_columns, range))
            .collect()
    });
    let first = panels.first()?;
    let alternative = format!(
        "Latencies of {} over time, as heat maps. {}.",
        versions[..shown].iter().map(|v| v.name.as_str()).collect::<Vec<_>>().join(", "),
        first.title
    );
    let series = versions[..shown]
        .iter()
        .map(|version| (version.name.clone(), version.look, Dash::Solid))
        .collect();
    let left_out = versions.len() - shown + story.left_out;
    let note = (left_out > 0).then(|| format!("{left_out} more versions are not drawn"));
    let sheet = Sheet { title: "Latency over time", alternative, series, note };
    Some(sheet.panels(&story.frame(), &panels, PANEL_HEIGHT))
}

/// Panels of at most `most_columns` columns, or of half as many until their tiles are few enough:
/// how many there are depends on how often neighbours are alike.
fn fewest_tiles(mut most_columns: usize, panels: impl Fn(usize) -> Vec<Panel>) -> Vec<Panel> {
    loop {
        let made = panels(most_columns);
        let tiles: usize = made.iter().map(|panel| panel.tiles.len()).sum();
        if tiles <= MOST_TILES || most_columns <= 1 {
            return made;
        }
        most_columns /= 2;
    }
}

/// The first and the last step in which a version had a latency.
fn steps(points: &[SeriesPoint]) -> Option<(u16, u16)> {
    let spreads = || points.iter().filter_map(|point| point.spread.as_ref());
    let first = spreads().map(|spread| spread.first).min()?;
    let last = spreads().filter_map(|spread| spread.iter().last()).map(|(step, _)| step).max()?;
    Some((first, last))
}

fn panel(
    story: &Story<'_>,
    version: &Version<'_>,
    most_columns: usize,
    (first, last): (u16, u16),
) -> Panel {
    let axis = Axis::logarithmic_latencies(seconds(first), seconds(last + 1));
    let columns = Columns::of(version.points, most_columns, (first, last));
    let line = |value: fn(&SeriesPoint) -> Option<Duration>, dash| Line {
        series: version.name.clone(),
        part: Some(if dash == Dash::Solid { "p50" } else { "p99" }),
        slots: story
            .slots(|slot, _| value(&version.points[slot]).map(|latency| latency.as_secs_f64())),
        look: Look { ink: Ink::BLACK, ..version.look },
        dash,
        course: Course::Joined,
        rank: None,
    };
    let width = format_duration(story.record.series.width * columns.merged as u64);
    Panel {
        title: format!("{}, successes per {width}: p50 solid, p99 dashed", version.name),
        axis,
        tiles: columns.tiles(story, version),
        bands: Vec::new(),
        lines: vec![line(|point| point.p50, Dash::Solid), line(|point| point.p99, Dash::Dashed)],
    }
}

/// The counts of a heat map, column by column.
struct Columns {
    /// How many slots of time a column holds.
    merged: usize,
    /// How many steps of latency a row holds.
    per_row: u16,
    /// The first step of the lowest row.
    first: u16,
    /// The counts of each column, from the lowest row to the highest.
    counts: Vec<Vec<u64>>,
}

impl Columns {
    fn of(points: &[SeriesPoint], most_columns: usize, (first, last): (u16, u16)) -> Self {
        let merged = points.len().div_ceil(most_columns).max(1);
        let steps = last - first + 1;
        let per_row = steps.div_ceil(MOST_ROWS);
        let rows = usize::from(steps.div_ceil(per_row));
        let column = |slots: &[SeriesPoint]| {
            let mut counts = vec![0; rows];
            let spreads = slots.iter().filter_map(|point| point.spread.as_ref());
            for (step, count) in spreads.flat_map(Spread::iter) {
                counts[usize::from((step - first) / per_row)] += u64::from(count);
            }
            counts
        };
        let counts = points.chunks(merged).map(column).collect();
        Self { merged, per_row, first, counts }
    }

    /// A tile for every stretch of columns in which a row is equally dense.
    fn tiles(&self, story: &Story<'_>, version: &Version<'_>) -> Vec<Tile> {
        let densest = self.counts.iter().flatten().max().copied().unwrap_or(0);
        let width = story.record.series.width.as_secs_f64() * self.merged as f64;
        let start = story.seconds(story.record.series.start);
        let end = story.seconds(story.record.end);
        let rows = self.counts.first().map_or(0, Vec::len);
        let mut tiles = Vec::new();
        for row in 0..rows {
            let levels: Vec<u32> =
                self.counts.iter().map(|column| level(column[row], densest)).collect();
            let step = self.first + row as u16 * self.per_row;
            let up = (step, step + self.per_row);
            let mut column = 0;
            for stretch in levels.chunk_by(|one, next| one == next) {
                let from = start + column as f64 * width;
                column += stretch.len();
                let to = (start + column as f64 * width).min(end);
                if stretch[0] > 0 {
                    tiles.push(Tile {
                        series: version.name.clone(),
                        across: (from, to),
                        up: (seconds(up.0), seconds(up.1)),
                        ink: version.look.ink.with_opacity(opacity(stretch[0])),
                        label: String::new(),
                    });
                }
            }
        }
        // Neighbours of one ink take less room in an SVG.
        tiles.sort_by(|one, other| one.ink.opacity.total_cmp(&other.ink.opacity));
        tiles
    }
}

fn seconds(step: u16) -> f64 {
    Spread::lower_edge(step).as_secs_f64()
}

/// How dense a tile is, from 0 for none to [`LEVELS`] for the densest of all. The root lets few
/// slow requests be seen beside many fast ones.
fn level(count: u64, densest: u64) -> u32 {
    if count == 0 {
        return 0;
    }
    let share = count as f64 / densest as f64;
    ((share.sqrt() * f64::from(LEVELS)).ceil() as u32).clamp(1, LEVELS)
}

fn opacity(level: u32) -> f64 {
    f64::from(level) / f64::from(LEVELS) * DENSEST
}

const PANEL_HEIGHT: f64 = 260.0;
/// Chosen: more panels no longer fit a page.
const MOST_VERSIONS: usize = 6;
/// Chosen: as many as a record has slots.
const MOST_TILE_COLUMNS: usize = 256;
/// Chosen: with more tiles the SVG takes more than a quarter of a megabyte.
const MOST_TILES: usize = 2_000;
const MOST_ROWS: u16 = 20;
const LEVELS: u32 = 8;
/// The opacity of the densest tile: the lines are seen on it.
const DENSEST: f64 = 0.8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::rolled_back;

    fn point(spread: Option<(u16, &[u32])>) -> SeriesPoint {
        let spread = spread.map(|(first, counts)| Spread { first, counts: counts.to_vec() });
        SeriesPoint { spread, ..SeriesPoint::default() }
    }

    #[test]
    fn slots_and_steps_are_merged_until_they_fit() {
        let points = [point(Some((10, &[1, 2]))), point(None), point(Some((11, &[4, 0, 8])))];
        let columns = Columns::of(&points, 2, (10, 13));
        assert_eq!(columns.merged, 2);
        assert_eq!(columns.counts, [[1, 2, 0, 0], [0, 4, 0, 8]]);
        let wide = Columns::of(&points, 3, (10, 10 + 2 * MOST_ROWS - 1));
        assert_eq!(wide.per_row, 2);
        assert_eq!(wide.counts[2][..2], [4, 8]);
    }

    #[test]
    fn a_tile_is_never_invisible_and_never_denser_than_the_densest() {
        assert_eq!(level(0, 100), 0);
        assert_eq!(level(1, 1_000_000), 1);
        assert_eq!(level(25, 100), LEVELS / 2);
        assert_eq!(level(100, 100), LEVELS);
    }

    #[test]
    fn a_result_that_does_not_say_how_latencies_were_spread_has_no_heat_map() {
        let mut record = rolled_back(40.0);
        assert!(heat_chart(&record).is_some());
        let points = record.series.versions.iter_mut().flatten();
        points.for_each(|point| point.spread = None);
        assert!(heat_chart(&record).is_none());
    }
}
