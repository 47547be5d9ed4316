//! A cell of a study: the scenario under one value of each variation.

use super::lines::Lines;
use super::variation::Variation;
use crate::exchange::ModelIndex;
use crate::result::FileDigest;
use crate::scenario::{Loaded, Scenario};

/// The scenario under one value of each variation, ready to run.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The scenario.
    pub loaded: Loaded,
    /// The files that it was read from.
    pub files: Vec<FileDigest>,
    /// The lines that are judged on its runs.
    pub lines: Lines,
}

/// Which value of each variation each cell takes (indices): all combinations, those of the last
/// variation next to each other. Without variations there is one cell.
pub fn grid(variations: &[Variation]) -> Vec<Vec<usize>> {
    variations.iter().fold(vec![Vec::new()], |cells, variation| {
        let with = |cell: &Vec<usize>, value: usize| [&cell[..], &[value]].concat();
        let of_cell = |cell: &Vec<usize>| {
            (0..variation.values.len()).map(|value| with(cell, value)).collect::<Vec<_>>()
        };
        cells.iter().flat_map(of_cell).collect()
    })
}

/// How many cells there are; `None` where that is more than can be counted.
pub fn cell_count(variations: &[Variation]) -> Option<usize> {
    let mut counts = variations.iter().map(|variation| variation.values.len());
    counts.try_fold(1_usize, usize::checked_mul)
}

/// The names of all triggers of a scenario, model by model: rows count in this list. Where there
/// are several models, with that of theirs.
pub fn trigger_names(scenario: &Scenario) -> Vec<String> {
    let several = scenario.models.len() > 1;
    let models = (0..).map(ModelIndex).zip(&scenario.models);
    let named = models.flat_map(|(index, model)| {
        let ids = scenario.triggers(index).map(|trigger| trigger.id.clone());
        ids.map(move |id| if several { format!("{}: {id}", model.id) } else { id })
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_every_combination_once_the_last_variation_runs_fastest() {
        let of = |texts: &[&str]| {
            let variations = texts.iter().map(|text| Variation::parse(text).unwrap());
            let variations: Vec<Variation> = variations.collect();
            (grid(&variations), cell_count(&variations))
        };
        let (cells, count) = of(&["a=1,2", "b=x,y,z"]);
        assert_eq!(cells, [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
        assert_eq!(count, Some(6));
        assert_eq!(of(&[]), (vec![Vec::new()], Some(1)));
        let wide = ["a=1..9999:9999"; 5];
        let variations: Vec<_> = wide.iter().map(|text| Variation::parse(text).unwrap()).collect();
        assert_eq!(cell_count(&variations), None);
    }
}
