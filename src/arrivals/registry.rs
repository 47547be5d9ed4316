//! The list of arrival models. A new one is a file of this folder and a line here.

use std::fmt;

use super::error::ArrivalsError;
use super::key::{Form, Given};
use super::lane::{Coming, Lane};
use super::process::{Model, Times};
use crate::units::{Duration, RequestId};

/// Hands all models, each with the file of this folder that it lies in, to the macro `$with`.
macro_rules! arrival_models {
    ($with:ident) => {
        $with! {
            Constant in constant,
            Poisson in poisson,
            Gamma in gamma,
            OnOff in on_off,
            Piecewise in piecewise,
            Ramp in ramp,
            Diurnal in diurnal,
            Closed in closed,
        }
    };
}
pub(crate) use arrival_models;

macro_rules! define {
    ($($model:ident in $file:ident,)+) => {
        /// A process of any model.
        #[derive(Clone, PartialEq, Debug)]
        pub(crate) enum Process {
            $($model(super::$file::$model),)+
        }

        /// How the model called `name` is written; `None` if there is no such model.
        pub(crate) fn form(name: &str) -> Option<Form> {
            match name {
                $(super::$file::$model::NAME => Some(super::$file::$model::FORM),)+
                _ => None,
            }
        }

        impl Process {
            /// The model called `name` with these parameters; `None` if there is no such model.
            pub(super) fn build(
                name: &str,
                given: &Given,
            ) -> Option<Result<Self, ArrivalsError>> {
                match name {
                    $(super::$file::$model::NAME => {
                        Some(super::$file::$model::build(given).map(Self::$model))
                    })+
                    _ => None,
                }
            }

            /// How many requests it sends on average; `None` where it does not end.
            pub(super) fn expected_count(&self) -> Option<f64> {
                match self {
                    $(Self::$model(model) => model.expected_count(),)+
                }
            }

            /// The highest mean rate that it ever has, in requests per second.
            pub(super) fn highest_rate(&self) -> f64 {
                match self {
                    $(Self::$model(model) => model.highest_rate(),)+
                }
            }

            /// How many users it has, where it is closed.
            pub(super) fn users(&self) -> Option<u32> {
                match self {
                    $(Self::$model(model) => model.users(),)+
                }
            }

            /// Its times from the beginning on; its users count from `first_user`.
            pub(super) fn times(&self, first_user: u32) -> ProcessTimes {
                match self {
                    $(Self::$model(model) => ProcessTimes::$model(model.times(first_user)),)+
                }
            }
        }

        impl fmt::Display for Process {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$model(model) => model.fmt(f),)+
                }
            }
        }

        /// The times of a process of any model.
        pub(super) enum ProcessTimes {
            $($model(<super::$file::$model as Model>::Times),)+
        }

        impl ProcessTimes {
            // In place: what it yields is then written once. Long models keep out of it.
            #[inline(always)]
            pub(super) fn next(&mut self, lane: &mut Lane) -> Option<Coming> {
                match self {
                    $(Self::$model(times) => times.next(lane),)+
                }
            }

            pub(super) fn completed(
                &mut self,
                lane: &Lane,
                id: RequestId,
                at: Duration,
                ahead: Option<Coming>,
            ) {
                match self {
                    $(Self::$model(times) => times.completed(lane, id, at, ahead),)+
                }
            }
        }
    };
}
arrival_models!(define);
