//! The parameters of arrival models: described once, for the format of scenarios and for whoever
//! builds a model from values.

use super::error::ArrivalsError;
use crate::chance::Distribution;
use crate::units::{Duration, Rate, Ratio};

/// How a model is written: as one value, or as a map.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// One value, which the model receives under [`VALUE`].
    One(Kind),
    /// A map with these keys.
    Map(&'static [Key]),
}

/// The key of a model that is written as one value.
pub(crate) const VALUE: &str = "value";

/// A parameter of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// What its value is.
    pub(crate) kind: Kind,
    /// What holds where it is not given.
    pub(crate) absent: Absent,
    /// What it means: one sentence with unit, range and default.
    pub(crate) about: &'static str,
}

/// What a parameter's value is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Kind {
    /// Requests per unit of time.
    Rate,
    /// A length of time.
    Duration,
    /// A share.
    Ratio,
    /// A number in this range.
    Number(f64, f64),
    /// A whole number in this range.
    Count(u64, u64),
    /// A distribution of lengths of time, in seconds.
    Durations,
    /// A distribution of rates, per second.
    Rates,
    /// Rates one after the other.
    RateList,
}

/// What holds where a parameter is not given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Absent {
    /// It must be.
    Refused,
    /// This value, as it would be written.
    Default(&'static str),
    /// What its sentence says.
    Nothing,
}

impl Key {
    /// One that must be given.
    pub(super) const fn required(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, absent: Absent::Refused, about }
    }

    /// One that may be left out.
    pub(super) const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, absent: Absent::Nothing, about }
    }

    /// One that has this value where it is left out.
    pub(super) const fn defaulted(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        Self { name, kind, absent: Absent::Default(default), about }
    }
}

/// The value of a parameter.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    /// Of [`Kind::Rate`].
    Rate(Rate),
    /// Of [`Kind::Duration`].
    Duration(Duration),
    /// Of [`Kind::Ratio`].
    Ratio(Ratio),
    /// Of [`Kind::Number`].
    Number(f64),
    /// Of [`Kind::Count`].
    Count(u64),
    /// Of [`Kind::Durations`] or [`Kind::Rates`].
    Distribution(Distribution),
    /// Of [`Kind::RateList`].
    RateList(Vec<Rate>),
}

/// What was given for the parameters of one model.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Given(Vec<(&'static str, Value)>);

/// One reader for each kind of value.
macro_rules! readers {
    ($($name:ident: $value:ident -> $type:ty,)+) => {
        $(
            /// What was given for `key`.
            pub(super) fn $name(&self, key: &'static str) -> Result<$type, ArrivalsError> {
                match self.value(key) {
                    Some(Value::$value(value)) => Ok(value.clone()),
                    _ => Err(ArrivalsError::Missing { key }),
                }
            }
        )+
    };
}

impl Given {
    /// Adds a value, once for each key.
    pub(crate) fn add(&mut self, key: &'static str, value: Value) {
        self.0.push((key, value));
    }

    readers! {
        rate: Rate -> Rate,
        duration: Duration -> Duration,
        ratio: Ratio -> Ratio,
        number: Number -> f64,
        count: Count -> u64,
        distribution: Distribution -> Distribution,
        rates: RateList -> Vec<Rate>,
    }

    /// Which of `keys` were given, in their order.
    pub(super) fn among(&self, keys: &[&'static str]) -> Vec<&'static str> {
        keys.iter().copied().filter(|key| self.value(key).is_some()).collect()
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(given, _)| *given == key).map(|(_, value)| value)
    }
}
