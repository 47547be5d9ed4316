//! Rows that a format has no room for, while a trace is written: refused, or left out and told.

use std::collections::BTreeMap;

use super::terminal::Failure;
use crate::trace::{TraceErrorKind, TraceFormat};
use crate::units::format_counted;

/// What becomes of such rows, and what became of them.
pub(super) struct Unfit {
    /// How they could be written all the same; `None`: they are left out.
    remedy: Option<&'static str>,
    /// Why rows were left out: how many, and the first of them.
    reasons: BTreeMap<String, (u64, u64)>,
}

impl Unfit {
    /// The first ends the writing.
    pub(super) const fn refused(remedy: &'static str) -> Self {
        Self { remedy: Some(remedy), reasons: BTreeMap::new() }
    }

    /// They are left out.
    pub(super) const fn left_out() -> Self {
        Self { remedy: None, reasons: BTreeMap::new() }
    }

    /// `row` does not fit.
    pub(super) fn meet(
        &mut self,
        format: TraceFormat,
        row: u64,
        kind: &TraceErrorKind,
    ) -> Result<(), Failure> {
        if let Some(remedy) = self.remedy {
            return Err(Failure::input(format!(
                "error: the trace cannot be written as {format}: row {row}: {kind}\n  \
                 help: {remedy}"
            )));
        }
        self.reasons.entry(kind.to_string()).or_insert((0, row)).0 += 1;
        Ok(())
    }

    /// An error where nothing but such rows was there.
    pub(super) fn check_rest(&self, format: TraceFormat, written: u64) -> Result<(), Failure> {
        match self.told().filter(|_| written == 0) {
            Some(told) => Err(Failure::input(format!(
                "error: no row of the trace can be written as {format}: {told}"
            ))),
            None => Ok(()),
        }
    }

    /// How many rows were left out, and why.
    pub(super) fn told(&self) -> Option<String> {
        let reasons = self.reasons.iter().map(|(reason, (count, first))| {
            format!("{}, the first is row {first}: {reason}", format_counted(*count, "row", "rows"))
        });
        let reasons: Vec<String> = reasons.collect();
        (!reasons.is_empty()).then(|| format!("left out: {}", reasons.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LACKS: TraceErrorKind =
        TraceErrorKind::Lacks { format: "azure", needs: "tokens of the answer" };

    #[test]
    fn rows_that_are_left_out_are_counted_by_reason() {
        let mut unfit = Unfit::left_out();
        assert_eq!(unfit.told(), None);
        for row in [92, 180] {
            unfit.meet(TraceFormat::Azure, row, &LACKS).unwrap();
        }
        let told = "left out: 2 rows, the first is row 92: azure needs tokens of the answer, which \
                    the record does not have";
        assert_eq!(unfit.told().unwrap(), told);
        assert_eq!(unfit.check_rest(TraceFormat::Azure, 1), Ok(()));
        assert!(unfit.check_rest(TraceFormat::Azure, 0).is_err());
    }

    #[test]
    fn one_that_is_refused_is_told_with_its_remedy() {
        let mut unfit = Unfit::refused("leave it out");
        let failure = unfit.meet(TraceFormat::Azure, 92, &LACKS).unwrap_err();
        assert!(failure.message.contains("azure: row 92: azure needs"), "{}", failure.message);
        assert!(failure.message.ends_with("help: leave it out"), "{}", failure.message);
    }
}
