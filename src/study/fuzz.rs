//! The body of the fuzz target for what a sweep reads: variations, plans and rows, kept here so
//! that ordinary builds compile and run it.

use super::plan::Plan;
use super::rows_file::RowsFile;
use super::shard::Shard;
use super::spread::numbers;
use super::variation::Variation;

/// Reads `bytes` as each of them. What is read comes out as it was written; nothing ends but with
/// an error.
///
/// # Panics
/// One of that does not hold.
pub fn fuzz_sweep(bytes: &[u8]) {
    if let Ok(file) = RowsFile::from_bytes(bytes) {
        let again = RowsFile::to_bytes(&file.plan, file.shard, &file.rows);
        assert_eq!(RowsFile::from_bytes(&again).as_ref(), Ok(&file));
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(plan) = Plan::from_json(&text) {
        assert_eq!(Plan::from_json(&plan.to_json()).as_ref(), Ok(&plan));
        let shard = Shard { index: plan.shards - 1, of: plan.shards };
        assert_eq!(plan.extent().of_shard(shard).len(), plan.cells.len());
    }
    if let Ok(variation) = Variation::parse(&text) {
        assert!(!variation.values.is_empty() && !variation.path.is_empty());
        let values = variation.values.len();
        assert!((0..values).all(|value| variation.setting(value).starts_with(&variation.path)));
        if let Some((_, numbers)) = numbers(&variation.values) {
            assert!(numbers.iter().all(|number| number.is_finite()));
        }
    }
    if let Ok(shard) = text.parse::<Shard>() {
        let part = shard.part_of(u64::MAX);
        assert!(shard.index < shard.of && part.start <= part.end);
    }
}
