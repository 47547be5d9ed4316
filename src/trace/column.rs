//! The columns that coalmine's own text formats store a record in.

use super::error::{TraceErrorKind, beginning};
use super::number::{TOKENS_ALLOWED, nanos, whole};
use super::record::{Failure, Prefix, TraceRecord};
use crate::units::{ModelId, Money, Tokens, VersionId};

/// A column of coalmine's own formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Column {
    At,
    Model,
    Version,
    User,
    Session,
    Parent,
    InputTokens,
    OutputTokens,
    Stream,
    Prefix,
    Status,
    Failure,
    FirstToken,
    Duration,
    Cost,
}

impl Column {
    /// All, in the order in which they are written.
    pub(super) const ALL: [Self; 15] = [
        Self::At,
        Self::Model,
        Self::Version,
        Self::User,
        Self::Session,
        Self::Parent,
        Self::InputTokens,
        Self::OutputTokens,
        Self::Stream,
        Self::Prefix,
        Self::Status,
        Self::Failure,
        Self::FirstToken,
        Self::Duration,
        Self::Cost,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::At => "at_ns",
            Self::Model => "model",
            Self::Version => "version",
            Self::User => "user",
            Self::Session => "session",
            Self::Parent => "parent",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::Stream => "stream",
            Self::Prefix => "prefix",
            Self::Status => "status",
            Self::Failure => "failure",
            Self::FirstToken => "first_token_ns",
            Self::Duration => "duration_ns",
            Self::Cost => "cost_pico_usd",
        }
    }

    pub(super) const fn allowed(self) -> &'static str {
        match self {
            Self::At | Self::FirstToken | Self::Duration => {
                "a whole number of nanoseconds from 0 to 9223372036854775807"
            }
            Self::Model => "a model's name, 1 to 128 characters of A-Z a-z 0-9 . _ : - /",
            Self::Version => "a version's name, 1 to 128 characters of A-Z a-z 0-9 . _ : -",
            Self::InputTokens | Self::OutputTokens => TOKENS_ALLOWED,
            Self::User | Self::Session | Self::Parent => {
                "a whole number from 0 to 18446744073709551615"
            }
            Self::Stream => "true or false",
            Self::Prefix => {
                "the tokens of a block, a colon and the blocks' numbers: \"512:\", \"512:7 8 9\""
            }
            Self::Status => "an HTTP status from 100 to 599",
            Self::Failure => {
                "timeout, refused, reset, malformed, truncated, error_in_stream, client_closed or \
                 other"
            }
            Self::Cost => "a whole number of 10^-12 USD from 0 to 18446744073709551615",
        }
    }

    pub(super) const fn kind(self) -> ColumnKind {
        match self {
            Self::Model | Self::Version | Self::Prefix | Self::Failure => ColumnKind::Text,
            Self::Stream => ColumnKind::Flag,
            _ => ColumnKind::Number,
        }
    }

    /// Whether every row must have it.
    pub(super) const fn is_required(self) -> bool {
        matches!(self, Self::At)
    }

    pub(super) fn by_name(name: &str) -> Result<Self, TraceErrorKind> {
        Self::ALL.into_iter().find(|column| column.name() == name).ok_or_else(|| {
            TraceErrorKind::UnknownColumn {
                name: beginning(name),
                known: Self::ALL.map(Self::name).join(", "),
            }
        })
    }

    /// Sets what this holds of `record` to what `text` says.
    pub(super) fn set(self, record: &mut TraceRecord, text: &str) -> Result<(), TraceErrorKind> {
        self.try_set(record, text)
            .ok_or_else(|| TraceErrorKind::value(self.name(), text, self.allowed()))
    }

    fn try_set(self, record: &mut TraceRecord, text: &str) -> Option<()> {
        match self {
            Self::At => record.at = nanos(text)?,
            Self::Model => record.model = Some(ModelId::new(text).ok()?),
            Self::Version => record.version = Some(VersionId::new(text).ok()?),
            Self::User => record.user = Some(whole(text)?),
            Self::Session => record.session = Some(whole(text)?),
            Self::Parent => record.parent = Some(whole(text)?),
            Self::InputTokens => record.input = Some(Tokens::new(whole(text)?)),
            Self::OutputTokens => record.output = Some(Tokens::new(whole(text)?)),
            Self::Stream => record.stream = Some(text.parse().ok()?),
            Self::Prefix => record.prefix = Some(prefix(text)?),
            Self::Status => {
                record.status = Some(whole(text).filter(|status| (100..600).contains(status))?);
            }
            Self::Failure => record.failure = Some(Failure::by_name(text)?),
            Self::FirstToken => record.first_token = Some(nanos(text)?),
            Self::Duration => record.duration = Some(nanos(text)?),
            Self::Cost => {
                record.cost = Some(Money::from_pico_usd(u128::from(whole::<u64>(text)?)));
            }
        }
        Some(())
    }

    /// What this holds of `record`, as text.
    pub(super) fn text(self, record: &TraceRecord) -> Option<String> {
        match self {
            Self::At => Some(record.at.as_nanos().to_string()),
            Self::Model => record.model.as_ref().map(ModelId::to_string),
            Self::Version => record.version.as_ref().map(VersionId::to_string),
            Self::User => record.user.map(|user| user.to_string()),
            Self::Session => record.session.map(|session| session.to_string()),
            Self::Parent => record.parent.map(|parent| parent.to_string()),
            Self::InputTokens => record.input.map(|tokens| tokens.get().to_string()),
            Self::OutputTokens => record.output.map(|tokens| tokens.get().to_string()),
            Self::Stream => record.stream.map(|stream| stream.to_string()),
            Self::Prefix => record.prefix.as_ref().map(prefix_text),
            Self::Status => record.status.map(|status| status.to_string()),
            Self::Failure => record.failure.map(|failure| failure.name().to_owned()),
            Self::FirstToken => record.first_token.map(|time| time.as_nanos().to_string()),
            Self::Duration => record.duration.map(|time| time.as_nanos().to_string()),
            Self::Cost => record.cost.map(|cost| cost.as_pico_usd().to_string()),
        }
    }
}

fn prefix(text: &str) -> Option<Prefix> {
    let (block, hashes) = text.split_once(':')?;
    let block = whole(block).filter(|block| *block > 0)?;
    let hashes = hashes.split(' ').filter(|hash| !hash.is_empty()).map(whole);
    Some(Prefix { block, hashes: hashes.collect::<Option<_>>()? })
}

fn prefix_text(prefix: &Prefix) -> String {
    let hashes: Vec<_> = prefix.hashes.iter().map(u64::to_string).collect();
    format!("{}:{}", prefix.block, hashes.join(" "))
}

/// How a column's values look in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ColumnKind {
    Number,
    Text,
    Flag,
}

/// Which columns were met: each may come once, and some must.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct ColumnSet(u16);

impl ColumnSet {
    pub(super) fn add(&mut self, column: Column) -> Result<(), TraceErrorKind> {
        let bit = 1 << column as u16;
        if self.0 & bit != 0 {
            return Err(TraceErrorKind::DuplicateColumn { name: column.name() });
        }
        self.0 |= bit;
        Ok(())
    }

    pub(super) fn check_complete(self) -> Result<(), TraceErrorKind> {
        let is_missing =
            |column: &Column| column.is_required() && self.0 & 1 << *column as u16 == 0;
        match Column::ALL.into_iter().find(is_missing) {
            Some(column) => Err(TraceErrorKind::MissingColumn { name: column.name() }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_outside_its_range_is_an_error_with_the_range() {
        let bad = [
            (Column::At, "-5"),
            (Column::At, "9223372036854775808"),
            (Column::At, "1.5"),
            (Column::At, ""),
            (Column::InputTokens, "NaN"),
            (Column::OutputTokens, "4294967296"),
            (Column::OutputTokens, "+4"),
            (Column::Model, "a b"),
            (Column::Stream, "yes"),
            (Column::Status, "99"),
            (Column::Status, "600"),
            (Column::Failure, "Timeout"),
            (Column::Prefix, "0:1"),
            (Column::Prefix, "512"),
            (Column::Prefix, "512:1,2"),
            (Column::Cost, "0.5"),
        ];
        for (column, text) in bad {
            let error = column.set(&mut TraceRecord::default(), text).unwrap_err().to_string();
            assert!(error.contains(column.name()), "{error}");
            assert!(error.contains(&format!("{text:?}")), "{error}");
            assert!(error.contains(column.allowed()), "{error}");
        }
    }
}
