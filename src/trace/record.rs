//! One row of a trace: the canonical record and the columns it is stored in.

use super::error::TraceErrorKind;
use crate::units::{Duration, ModelId, Tokens, VersionId};

/// A request that was recorded, and what was observed of it where the source has that.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TraceRecord {
    /// When it was sent, since the trace began.
    pub at: Duration,
    /// The model that was asked for.
    pub model: Option<ModelId>,
    /// The version that answered.
    pub version: Option<VersionId>,
    /// Who asked: a number, so that a trace names nobody.
    pub user: Option<u32>,
    /// The conversation that the request is part of.
    pub session: Option<u64>,
    /// Tokens of the prompt.
    pub input: Tokens,
    /// Tokens of the answer.
    pub output: Tokens,
    /// Whether the answer was streamed.
    pub stream: Option<bool>,
    /// The HTTP status of the answer, 100 to 599.
    pub status: Option<u16>,
    /// From the request's start to the first token, at most `duration`.
    pub first_token: Option<Duration>,
    /// From the request's start to its end.
    pub duration: Option<Duration>,
}

impl TraceRecord {
    /// Sets what `column` holds to what `text` says.
    pub(super) fn set(&mut self, column: Column, text: &str) -> Result<(), TraceErrorKind> {
        self.try_set(column, text)
            .ok_or_else(|| TraceErrorKind::value(column.name(), text, column.allowed()))
    }

    fn try_set(&mut self, column: Column, text: &str) -> Option<()> {
        match column {
            Column::At => self.at = nanos(text)?,
            Column::Model => self.model = Some(ModelId::new(text).ok()?),
            Column::Version => self.version = Some(VersionId::new(text).ok()?),
            Column::User => self.user = Some(whole(text)?),
            Column::Session => self.session = Some(whole(text)?),
            Column::InputTokens => self.input = Tokens::new(whole(text)?),
            Column::OutputTokens => self.output = Tokens::new(whole(text)?),
            Column::Stream => self.stream = Some(text.parse().ok()?),
            Column::Status => {
                self.status = Some(whole(text).filter(|status| (100..600).contains(status))?);
            }
            Column::FirstToken => self.first_token = Some(nanos(text)?),
            Column::Duration => self.duration = Some(nanos(text)?),
        }
        Some(())
    }

    /// What `column` holds, as text.
    pub(super) fn text(&self, column: Column) -> Option<String> {
        match column {
            Column::At => Some(self.at.as_nanos().to_string()),
            Column::Model => self.model.as_ref().map(ModelId::to_string),
            Column::Version => self.version.as_ref().map(VersionId::to_string),
            Column::User => self.user.as_ref().map(u32::to_string),
            Column::Session => self.session.as_ref().map(u64::to_string),
            Column::InputTokens => Some(self.input.get().to_string()),
            Column::OutputTokens => Some(self.output.get().to_string()),
            Column::Stream => self.stream.as_ref().map(bool::to_string),
            Column::Status => self.status.as_ref().map(u16::to_string),
            Column::FirstToken => self.first_token.map(|time| time.as_nanos().to_string()),
            Column::Duration => self.duration.map(|time| time.as_nanos().to_string()),
        }
    }

    /// The first token cannot come after the end.
    pub(super) fn check(&self) -> Result<(), TraceErrorKind> {
        match (self.first_token, self.duration) {
            (Some(first), Some(duration)) if first > duration => Err(TraceErrorKind::value(
                Column::FirstToken.name(),
                &first.as_nanos().to_string(),
                "at most duration_ns",
            )),
            _ => Ok(()),
        }
    }
}

/// A column of coalmine's own formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Column {
    At,
    Model,
    Version,
    User,
    Session,
    InputTokens,
    OutputTokens,
    Stream,
    Status,
    FirstToken,
    Duration,
}

impl Column {
    /// All, in the order in which they are written.
    pub(super) const ALL: [Self; 11] = [
        Self::At,
        Self::Model,
        Self::Version,
        Self::User,
        Self::Session,
        Self::InputTokens,
        Self::OutputTokens,
        Self::Stream,
        Self::Status,
        Self::FirstToken,
        Self::Duration,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::At => "at_ns",
            Self::Model => "model",
            Self::Version => "version",
            Self::User => "user",
            Self::Session => "session",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::Stream => "stream",
            Self::Status => "status",
            Self::FirstToken => "first_token_ns",
            Self::Duration => "duration_ns",
        }
    }

    pub(super) const fn allowed(self) -> &'static str {
        match self {
            Self::At | Self::FirstToken | Self::Duration => {
                "a whole number of nanoseconds from 0 to 9223372036854775807"
            }
            Self::Model => "a model's name, 1 to 128 characters of A-Z a-z 0-9 . _ : - /",
            Self::Version => "a version's name, 1 to 128 characters of A-Z a-z 0-9 . _ : -",
            Self::User | Self::InputTokens | Self::OutputTokens => {
                "a whole number from 0 to 4294967295"
            }
            Self::Session => "a whole number from 0 to 18446744073709551615",
            Self::Stream => "true or false",
            Self::Status => "an HTTP status from 100 to 599",
        }
    }

    pub(super) const fn kind(self) -> ColumnKind {
        match self {
            Self::Model | Self::Version => ColumnKind::Text,
            Self::Stream => ColumnKind::Flag,
            _ => ColumnKind::Number,
        }
    }

    /// Whether every row must have it.
    pub(super) const fn is_required(self) -> bool {
        matches!(self, Self::At | Self::InputTokens | Self::OutputTokens)
    }

    pub(super) fn by_name(name: &str) -> Result<Self, TraceErrorKind> {
        Self::ALL.into_iter().find(|column| column.name() == name).ok_or_else(|| {
            TraceErrorKind::UnknownColumn {
                name: super::error::beginning(name),
                known: Self::ALL.map(Self::name).join(", "),
            }
        })
    }
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

/// A whole number in plain digits, without a sign.
pub(super) fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

/// Nanoseconds, at most what an instant after 1970 can hold.
fn nanos(text: &str) -> Option<Duration> {
    whole(text).filter(|nanos| i64::try_from(*nanos).is_ok()).map(Duration::from_nanos)
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
        ];
        for (column, text) in bad {
            let error = TraceRecord::default().set(column, text).unwrap_err().to_string();
            assert!(error.contains(column.name()), "{error}");
            assert!(error.contains(&format!("{text:?}")), "{error}");
            assert!(error.contains(column.allowed()), "{error}");
        }
    }

    #[test]
    fn the_first_token_does_not_come_after_the_end() {
        let mut record = TraceRecord::default();
        record.set(Column::FirstToken, "11").unwrap();
        record.check().unwrap();
        record.set(Column::Duration, "10").unwrap();
        assert!(record.check().is_err());
        record.set(Column::Duration, "11").unwrap();
        record.check().unwrap();
    }
}
