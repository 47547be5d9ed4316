//! Whether the counts of a result that was read go together: what is added up does not overflow,
//! and what is a part of something is no more than it.

use super::unsound::{Unsound, refuse};
use crate::record::{Cell, Record, Tally};

/// Checks the counts of every cell, and the widths and slots of the series.
pub(super) fn check(record: &Record) -> Result<(), Unsound> {
    for (index, cell) in record.cells.iter().enumerate() {
        let Cell { tally, attempts, finals, .. } = cell;
        let others = [("attempts", attempts), ("finals", finals)];
        let others = others.into_iter().filter_map(|(name, of)| Some((name, of.as_ref()?)));
        for (name, tally) in std::iter::once(("tally", tally)).chain(others) {
            check_tally(&format!("record.cells[{index}].{name}"), tally)?;
        }
    }
    if record.series.width.is_zero() {
        return refuse("record.series.width", "is 0: no slot has a length".to_owned());
    }
    let points = record.series.versions.iter().flatten();
    if points.into_iter().any(|point| point.failed > point.completed) {
        return refuse("record.series", "has a slot with more failures than requests".to_owned());
    }
    Ok(())
}

fn check_tally(place: &str, tally: &Tally) -> Result<(), Unsound> {
    let Tally { succeeded, failed, uncounted, .. } = tally;
    let endings = failed.iter().chain(uncounted.iter()).map(|(_, count)| count);
    let counts = [tally.assigned, *succeeded, tally.input_tokens, tally.output_tokens];
    if let Some(most) = counts.into_iter().chain(endings).find(|count| *count > MOST) {
        return refuse(place, format!("has {most} of something: no run has more than {MOST}"));
    }
    let timed = tally.latency.count();
    if timed != *succeeded {
        return refuse(place, format!("has {succeeded} successes with {timed} latencies"));
    }
    for (what, part) in
        [("empty", tally.empty), ("cut off", tally.cut_off), ("repeated", tally.repeated)]
    {
        if part > *succeeded {
            return refuse(place, format!("has {succeeded} successes, {part} of them {what}"));
        }
    }
    Ok(())
}

/// A million requests a second for 30 years are fewer, and thousands of such counts can be added.
const MOST: u64 = 1 << 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::rolled_back_result;

    fn refused(change: impl Fn(&mut Record)) -> String {
        let mut record = rolled_back_result().record;
        change(&mut record);
        check(&record).unwrap_err().to_string()
    }

    #[test]
    fn counts_of_a_run_go_together() {
        assert!(check(&rolled_back_result().record).is_ok());
    }

    #[test]
    fn counts_that_no_run_has_are_refused_with_their_place() {
        let message = refused(|record| record.cells[0].tally.succeeded += 1);
        assert_eq!(message, "record.cells[0].tally: has 1001 successes with 1000 latencies");
        let message = refused(|record| record.cells[0].tally.succeeded = u64::MAX);
        assert!(message.contains("no run has more than"), "{message}");
        let message = refused(|record| record.cells[1].tally.empty = 1 << 40);
        assert!(message.starts_with("record.cells[1].tally: has "), "{message}");
        let message = refused(|record| record.series.width = crate::units::Duration::ZERO);
        assert!(message.starts_with("record.series.width: is 0"), "{message}");
    }
}
