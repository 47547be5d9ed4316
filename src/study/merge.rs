//! From the files of all shards to the rows of the study that they are parts of.

use std::collections::BTreeMap;

use super::ledger::Ledger;
use super::plan::Plan;
use super::rows_file::{RowsError, RowsFile};
use super::shard::Shard;

/// Why shards cannot be put together.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MergeError {
    /// One cannot be read.
    #[error("{name}: {error}")]
    Unreadable {
        /// The file.
        name: String,
        /// Why.
        error: RowsError,
    },
    /// One is of another study.
    #[error("{name}: it is of another sweep: its plan is {found}…, and this is {plan}…")]
    Foreign {
        /// The file.
        name: String,
        /// The beginning of its plan's hash.
        found: String,
        /// The beginning of this plan's hash.
        plan: String,
    },
    /// One is of the same study, divided otherwise.
    #[error("{name}: it is shard {shard}, and the plan has {shards} of them")]
    OtherShards {
        /// The file.
        name: String,
        /// What it is.
        shard: Shard,
        /// How many there are.
        shards: u64,
    },
    /// One is there twice.
    #[error("{name}: it is shard {shard}, as {first} is: name one of them")]
    Twice {
        /// The file.
        name: String,
        /// What it is.
        shard: Shard,
        /// The other.
        first: String,
    },
    /// One does not hold the rows that it should.
    #[error("{name}: {what}; make it anew")]
    WrongRows {
        /// The file.
        name: String,
        /// What is wrong with its rows.
        what: String,
    },
    /// One is not there.
    #[error("shard {shard} is missing: `coalmine sweep run PLAN --shard {shard} -o FILE` makes it")]
    Missing {
        /// Which.
        shard: Shard,
    },
}

/// The rows of the study that `plan` is of, from the bytes of the files of its shards, each by its
/// name.
///
/// # Errors
/// Every shard that is missing, there twice, of another study or torn.
pub fn merge(plan: &Plan, files: &[(String, Vec<u8>)]) -> Result<Ledger, Vec<MergeError>> {
    let mut ledger = Ledger::new(plan.extent(), Shard::WHOLE);
    let mut problems = Vec::new();
    let mut seen: BTreeMap<u64, &str> = BTreeMap::new();
    for (name, bytes) in files {
        let file = match own(plan, name, bytes) {
            Ok(file) => file,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let shard = file.shard;
        if let Some(first) = seen.insert(shard.index, name) {
            let (name, first) = (name.clone(), first.to_owned());
            problems.push(MergeError::Twice { name, shard, first });
            continue;
        }
        for row in file.rows {
            ledger.enter(row).expect("a row of a shard is one of the whole");
        }
    }
    let missing = (0..plan.shards).filter(|index| !seen.contains_key(index));
    // A file that cannot be read may be the one that is missing: told once, by its name.
    if problems.is_empty() {
        let shard = |index| Shard { index, of: plan.shards };
        problems.extend(missing.map(|index| MergeError::Missing { shard: shard(index) }));
    }
    if problems.is_empty() { Ok(ledger) } else { Err(problems) }
}

/// The rows of a file, where they are all those of a shard of the plan.
fn own(plan: &Plan, name: &str, bytes: &[u8]) -> Result<RowsFile, MergeError> {
    let name = name.to_owned();
    let file = match RowsFile::from_bytes(bytes) {
        Ok(file) => file,
        Err(error) => return Err(MergeError::Unreadable { name, error }),
    };
    if file.plan != plan.hash {
        let [found, plan] = [&file.plan, &plan.hash].map(|hash| hash.chars().take(12).collect());
        return Err(MergeError::Foreign { name, found, plan });
    }
    let shard = file.shard;
    if !plan.has(shard) {
        return Err(MergeError::OtherShards { name, shard, shards: plan.shards });
    }
    let wrong = |what: String| MergeError::WrongRows { name: name.clone(), what };
    let mut ledger = Ledger::new(plan.extent(), shard);
    for row in &file.rows {
        ledger.enter(row.clone()).map_err(|stranger| wrong(stranger.to_string()))?;
    }
    let lacking = ledger.next_runs().len();
    if lacking > 0 {
        return Err(wrong(format!("it lacks {lacking} of its runs")));
    }
    let needed = ledger.most();
    match needed == file.rows.len() as u64 {
        true => Ok(file),
        false => Err(wrong(format!("it has {} rows where {needed} are due", file.rows.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{plan, row};
    use super::super::row::Row;
    use super::*;

    /// The file of a shard whose runs are all made; every third is rolled back.
    fn shard(plan: &Plan, index: u64) -> (String, Vec<u8>) {
        let shard = Shard { index, of: plan.shards };
        let mut ledger = Ledger::new(plan.extent(), shard);
        loop {
            let runs = ledger.next_runs();
            if runs.is_empty() {
                break;
            }
            for run in runs {
                let seed = plan.seeds.at(run.index);
                ledger.enter(row(run.cell as u32, seed, run.index % 3 == 0)).unwrap();
            }
        }
        (format!("shard-{index}"), RowsFile::to_bytes(&plan.hash, shard, ledger.rows()))
    }

    fn all(plan: &Plan) -> Vec<(String, Vec<u8>)> {
        (0..plan.shards).map(|index| shard(plan, index)).collect()
    }

    fn told(plan: &Plan, files: &[(String, Vec<u8>)]) -> Vec<String> {
        merge(plan, files).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn shards_in_any_order_and_number_come_to_the_rows_of_the_whole() {
        for precision in [None, Some(0.09)] {
            let whole = plan(precision);
            let one: Vec<Row> = merge(&whole, &all(&whole)).unwrap().rows().cloned().collect();
            for shards in [1, 2, 3] {
                // Cells that may be stopped are not divided, and there are two.
                if precision.is_some() && shards > 2 {
                    continue;
                }
                let divided = whole.clone().divided(shards).unwrap();
                let mut files = all(&divided);
                files.reverse();
                let many: Vec<Row> = merge(&divided, &files).unwrap().rows().cloned().collect();
                assert_eq!(many, one, "{precision:?} {shards}");
            }
        }
    }

    #[test]
    fn what_is_missing_twice_foreign_or_torn_is_told_by_its_name() {
        let plan = plan(None).divided(3).unwrap();
        let files = all(&plan);
        assert_eq!(
            told(&plan, &files[..1]),
            [1, 2].map(|index| format!(
                "shard {index}/3 is missing: `coalmine sweep run PLAN --shard {index}/3 -o FILE` \
                 makes it"
            ))
        );
        let mut twice = files.clone();
        twice.push(("again".to_owned(), files[1].1.clone()));
        assert_eq!(
            told(&plan, &twice),
            ["again: it is shard 1/3, as shard-1 is: name one of them"]
        );
        let mut torn = files.clone();
        let length = torn[2].1.len();
        torn[2].1.truncate(length / 2);
        assert!(told(&plan, &torn)[0].starts_with("shard-2: it is torn: "));
        let other = Plan { hash: "f".repeat(64), ..plan.clone() };
        let mut foreign = files.clone();
        foreign[0] = shard(&other, 0);
        assert!(told(&plan, &foreign)[0].starts_with("shard-0: it is of another sweep: its plan"));
        let divided = plan.clone().divided(4).unwrap();
        let mut otherwise = files;
        otherwise[0] = shard(&divided, 0);
        assert_eq!(
            told(&plan, &otherwise),
            ["shard-0: it is shard 0/4, and the plan has 3 of them"]
        );
    }

    #[test]
    fn a_shard_with_other_rows_than_its_own_is_refused() {
        let plan = plan(None).divided(3).unwrap();
        let rows = |index: usize| RowsFile::from_bytes(&all(&plan)[index].1).unwrap().rows;
        let with = |rows: &[Row]| {
            let mut files = all(&plan);
            let shard = Shard { index: 1, of: 3 };
            files[1] = ("made".to_owned(), RowsFile::to_bytes(&plan.hash, shard, rows));
            told(&plan, &files).remove(0)
        };
        assert!(with(&rows(0)).contains("not to be run here"));
        let own = rows(1);
        assert_eq!(with(&own[1..]), "made: it lacks 1 of its runs; make it anew");
        let doubled: Vec<Row> = own.iter().chain(&own[..1]).cloned().collect();
        assert!(with(&doubled).contains("rows where"), "{}", with(&doubled));
    }
}
