//! When requests are sent: the models of arrival processes.
//!
//! [`Arrivals`] is one process or several superposed. The gap before a request is a function of the
//! request's own draw, so a sequence of arrivals is a function of seed and run; times add up in
//! whole nanoseconds, without drift. A model says itself how it is written (`key`), so that the
//! format of scenarios follows from the list in `registry`. Knows nothing of what is sent.

mod closed;
mod constant;
mod diurnal;
mod error;
mod exposure;
#[cfg(test)]
mod fixture;
mod gamma;
mod key;
mod lane;
mod nanos;
mod on_off;
mod piecewise;
mod poisson;
mod process;
mod ramp;
mod registry;
mod residual;
mod superposition;

pub use closed::Closed;
pub use constant::Constant;
pub use diurnal::Diurnal;
pub use error::ArrivalsError;
pub use gamma::Gamma;
pub(crate) use key::{Absent, Form, Given, Key, Kind, VALUE, Value};
pub(crate) use lane::Coming;
pub use on_off::OnOff;
pub use piecewise::Piecewise;
pub use poisson::Poisson;
pub(crate) use process::Model;
pub use ramp::Ramp;
pub(crate) use registry::{arrival_models, form};
pub use superposition::Arrivals;
pub(crate) use superposition::{ArrivalTimes, Taken};
