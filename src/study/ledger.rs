//! The rows of a study as they come in: which are there, and which runs are still to be made.

use std::ops::Range;

use super::row::Row;
use super::seeds::Seeds;
use super::shard::Shard;
use super::stopping::{BLOCK, Precision};

/// What a study is to make.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Extent {
    /// How many cells there are.
    pub cells: usize,
    /// The seeds of each, where it is not stopped before.
    pub seeds: Seeds,
    /// When a cell is stopped; `None` for never.
    pub precision: Option<Precision>,
}

/// One run: a cell (an index) under the seed of an index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RunKey {
    /// The cell.
    pub cell: usize,
    /// The seed's index.
    pub index: u64,
}

/// The rows of a study, or of a shard of it, as they come in.
#[derive(Clone, Debug)]
pub struct Ledger {
    extent: Extent,
    cells: Vec<CellRows>,
}

/// A row that is of no run of the study.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a row is of cell {cell} and seed {seed}, which are not to be run here")]
pub struct Stranger {
    /// The cell that it names.
    pub cell: u32,
    /// Its seed.
    pub seed: u64,
}

/// The rows of one cell.
#[derive(Clone, Debug)]
struct CellRows {
    /// The indices of the seeds that are to be run.
    wanted: Range<u64>,
    /// From the first of these on, as far as any has come in.
    rows: Vec<Option<Row>>,
}

impl Extent {
    /// The runs of each cell that a shard makes, by the indices of their seeds. Where cells may be
    /// stopped, whether one is depends on all of its runs: then each is of one shard as a whole.
    pub fn of_shard(self, shard: Shard) -> Vec<Range<u64>> {
        let count = self.seeds.count;
        let cells = 0..self.cells as u64;
        if self.precision.is_some() {
            let own = shard.part_of(cells.end);
            return cells.map(|cell| if own.contains(&cell) { 0..count } else { 0..0 }).collect();
        }
        let own = shard.part_of(cells.end * count);
        let within = |place: u64, cell: u64| place.clamp(cell * count, (cell + 1) * count);
        let part =
            |cell| within(own.start, cell) - cell * count..within(own.end, cell) - cell * count;
        cells.map(part).collect()
    }

    /// Whether the first rows of a cell, with so many rollbacks among so many, are all of them.
    fn is_enough(self, hits: u64, runs: u64) -> bool {
        self.precision.is_some_and(|precision| precision.is_reached(hits, runs))
    }
}

impl Ledger {
    /// Of a shard of a study, without any row.
    pub fn new(extent: Extent, shard: Shard) -> Self {
        let cells = extent.of_shard(shard).into_iter();
        let cells = cells.map(|wanted| CellRows { wanted, rows: Vec::new() }).collect();
        Self { extent, cells }
    }

    /// Enters a row; one of the same run that is there already is replaced by it.
    ///
    /// # Errors
    /// It is of none of the runs that are to be made.
    pub fn enter(&mut self, row: Row) -> Result<(), Stranger> {
        let stranger = Stranger { cell: row.cell, seed: row.seed };
        let index = self.extent.seeds.index_of(row.seed).ok_or(stranger)?;
        let cell = self.cells.get_mut(row.cell as usize).ok_or(stranger)?;
        if !cell.wanted.contains(&index) {
            return Err(stranger);
        }
        let place = usize::try_from(index - cell.wanted.start).map_err(|_| stranger)?;
        if cell.rows.len() <= place {
            cell.rows.resize(place + 1, None);
        }
        cell.rows[place] = Some(row);
        Ok(())
    }

    /// The runs that can be made now, whatever comes of each; none where all has been made. Of a
    /// cell that may be stopped these are those of its next block.
    pub fn next_runs(&self) -> Vec<RunKey> {
        let cells = self.cells.iter().enumerate();
        let missing = cells.flat_map(|(cell, rows)| {
            let open = rows.open(self.extent);
            open.map(move |index| RunKey { cell, index }).collect::<Vec<_>>()
        });
        missing.collect()
    }

    /// How many rows there are.
    pub fn entered(&self) -> u64 {
        self.rows().count() as u64
    }

    /// How many there will be at most.
    pub fn most(&self) -> u64 {
        let most = |cell: &CellRows| match cell.closed_at(self.extent) {
            Some(rows) => rows as u64,
            None => cell.wanted.end - cell.wanted.start,
        };
        self.cells.iter().map(most).sum()
    }

    /// All rows, cell by cell, in the order of the seeds.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.cells.iter().flat_map(|cell| cell.rows.iter().flatten())
    }

    /// The rows of a cell, in the order of the seeds.
    ///
    /// # Panics
    /// There is no such cell.
    pub fn rows_of(&self, cell: usize) -> Vec<&Row> {
        self.cells[cell].rows.iter().flatten().collect()
    }

    /// Whether a cell was stopped before all its seeds were run.
    ///
    /// # Panics
    /// There is no such cell.
    pub fn was_stopped(&self, cell: usize) -> bool {
        let cell = &self.cells[cell];
        let wanted = cell.wanted.end - cell.wanted.start;
        cell.closed_at(self.extent).is_some_and(|rows| (rows as u64) < wanted)
    }
}

impl CellRows {
    /// The indices of the seeds that are to be run next and are not there.
    fn open(&self, extent: Extent) -> impl Iterator<Item = u64> + use<'_> {
        let wanted = (self.wanted.end - self.wanted.start) as usize;
        let end = match extent.precision {
            None => wanted,
            Some(_) => self.next_border(extent, wanted),
        };
        let missing = (0..end).filter(|place| self.rows.get(*place).is_none_or(Option::is_none));
        missing.map(|place| self.wanted.start + place as u64)
    }

    /// How many rows it has where it needs no more; `None` where it does.
    fn closed_at(&self, extent: Extent) -> Option<usize> {
        let mut open = self.open(extent);
        open.next().is_none().then_some(self.rows.len())
    }

    /// The first border of a block behind which there is nothing to be run: before it a row is
    /// missing, at it enough is known, or it is the last.
    fn next_border(&self, extent: Extent, wanted: usize) -> usize {
        let (mut end, mut hits) = (0, 0);
        while end < wanted {
            let start = end;
            end = (end + BLOCK as usize).min(wanted);
            let Some(block) = self.rows.get(start..end) else { return end };
            if block.iter().any(Option::is_none) {
                return end;
            }
            hits += block.iter().flatten().filter(|row| row.rollbacks > 0).count() as u64;
            if extent.is_enough(hits, end as u64) {
                return end;
            }
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::row;
    use super::*;

    const SEEDS: Seeds = Seeds { first: 40, count: 350 };

    fn extent(precision: Option<f64>) -> Extent {
        let precision = precision.map(|half| Precision::new(half).unwrap());
        Extent { cells: 2, seeds: SEEDS, precision }
    }

    /// Enters the rows of these runs; those of cell 1 are rolled back in every other run.
    fn make(ledger: &mut Ledger, runs: impl IntoIterator<Item = RunKey>) {
        for RunKey { cell, index } in runs {
            let rolled_back = cell == 1 && index % 2 == 0;
            ledger.enter(row(cell as u32, SEEDS.at(index), rolled_back)).unwrap();
        }
    }

    #[test]
    fn without_a_precision_all_runs_can_be_made_at_once_in_any_order() {
        let mut ledger = Ledger::new(extent(None), Shard::WHOLE);
        let mut runs = ledger.next_runs();
        assert_eq!((runs.len(), ledger.most()), (700, 700));
        runs.reverse();
        make(&mut ledger, runs.drain(..300));
        assert_eq!((ledger.entered(), ledger.next_runs().len()), (300, 400));
        make(&mut ledger, runs);
        assert_eq!(ledger.next_runs(), []);
        let rows: Vec<(u32, u64)> = ledger.rows().map(|row| (row.cell, row.seed)).collect();
        assert!(rows.is_sorted() && rows.len() == 700);
        assert!(!ledger.was_stopped(0));
    }

    #[test]
    fn a_cell_is_stopped_at_the_border_of_a_block_only() {
        // Of none rolled back 2 x 100 runs tell 1 % (3.84 / 2 / 203.8 = 0.94 %), of every other
        // none that there are.
        let mut ledger = Ledger::new(extent(Some(0.01)), Shard::WHOLE);
        let mut rounds = Vec::new();
        loop {
            let runs = ledger.next_runs();
            if runs.is_empty() {
                break;
            }
            let of = |cell| runs.iter().filter(|run| run.cell == cell).count();
            rounds.push((of(0), of(1)));
            make(&mut ledger, runs);
        }
        assert_eq!(rounds, [(100, 100), (100, 100), (0, 100), (0, 50)]);
        assert_eq!((ledger.rows_of(0).len(), ledger.rows_of(1).len()), (200, 350));
        assert!(ledger.was_stopped(0) && !ledger.was_stopped(1));
        assert_eq!(ledger.most(), 550);
    }

    #[test]
    fn what_is_missing_within_a_block_is_made_before_the_next_begins() {
        let mut ledger = Ledger::new(extent(Some(0.001)), Shard::WHOLE);
        let runs = ledger.next_runs();
        make(&mut ledger, runs.into_iter().filter(|run| run.index != 17));
        let missing = [0, 1].map(|cell| RunKey { cell, index: 17 });
        assert_eq!(ledger.next_runs(), missing);
    }

    #[test]
    fn shards_together_make_every_run_once() {
        for (precision, of) in [(None, 5), (None, 1_000), (Some(0.01), 2), (Some(0.01), 3)] {
            let extent = extent(precision);
            let mut made = vec![0; 2 * SEEDS.count as usize];
            for index in 0..of {
                for (cell, part) in extent.of_shard(Shard { index, of }).into_iter().enumerate() {
                    part.for_each(|index| made[cell * SEEDS.count as usize + index as usize] += 1);
                }
            }
            assert!(made.iter().all(|times| *times == 1), "{precision:?} {of}");
        }
    }

    #[test]
    fn a_row_of_another_run_is_a_stranger() {
        let mut ledger = Ledger::new(extent(None), Shard { index: 0, of: 2 });
        assert!(ledger.enter(row(0, 40, false)).is_ok());
        for (cell, seed) in [(0, 39), (0, 390), (1, 40), (2, 40)] {
            assert_eq!(ledger.enter(row(cell, seed, false)), Err(Stranger { cell, seed }));
        }
    }
}
