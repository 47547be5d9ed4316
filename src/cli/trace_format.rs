//! Formats of traces as they are named on the command line.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::trace::TraceFormat;

/// A format by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FormatName(TraceFormat);

impl From<FormatName> for TraceFormat {
    fn from(name: FormatName) -> Self {
        name.0
    }
}

impl ValueEnum for FormatName {
    fn value_variants<'a>() -> &'a [Self] {
        ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.key()))
    }
}

/// Those that are texts: the binary form is told by its first bytes.
const ALL: &[FormatName] = &{
    let mut all = [FormatName(TraceFormat::Packed); TraceFormat::ALL.len() - 1];
    let mut place = 0;
    while place < all.len() {
        all[place] = FormatName(TraceFormat::ALL[place + 1]);
        place += 1;
    }
    all
};
