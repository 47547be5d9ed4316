//! From the record of a run to named metrics: values with their number of requests and their
//! interval, over any selection of phase, version and arm.
//!
//! [`Summary`] reads a [`Record`](crate::record::Record); [`Selected`] holds the requests of one
//! selection and tells every metric of the registry as an [`Estimate`]; [`Table`] lays them out in
//! columns. Counts and times of the one run are exact for its seed; shares, means and quantiles
//! are estimates of what the version would do in the long run, and carry an interval. Histograms
//! are merged, percentiles never averaged. Knows no drivers and judges nothing.

mod basis;
mod estimate;
#[cfg(test)]
pub(crate) mod fixture;
mod of_requests;
mod of_run;
mod selection;
mod table;

pub use basis::Basis;
pub use estimate::{Estimate, Limits, Method};
pub use selection::{Selected, Selection, Summary};
pub use table::{
    ColumnSpec, Endings, ReferenceCheck, ReferenceSpec, TABLE_METRICS, TABLE_METRICS_WITH_CLIENTS,
    Table, TableCell, TableColumn,
};
