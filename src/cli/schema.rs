//! `coalmine schema`: the JSON Schema of a file format, or its keys as tables.

use serde_json::Value;

use super::arguments::SchemaOf;
use super::exit::Exit;
use super::terminal::{Failure, print};
use crate::backtest::backtest_schema;
use crate::fidelity::fidelity_schema;
use crate::load::load_schema;
use crate::profile::stats_schema;
use crate::result::result_schema;
use crate::scenario::{faults_schema, gateway_schema, json_schema, reference};
use crate::study::sweep_schema;
use crate::suite::suite_schema;
use crate::tune::tune_schema;
use crate::validation::validation_schema;

pub(super) fn schema(format: SchemaOf) -> Result<Exit, Failure> {
    let text = match format {
        SchemaOf::Scenario => scenario_schema()?,
        SchemaOf::Gateway => pretty(&gateway_schema())?,
        SchemaOf::Result => pretty(&result_schema())?,
        SchemaOf::Validation => pretty(&validation_schema())?,
        SchemaOf::Backtest => pretty(&backtest_schema())?,
        SchemaOf::Gate => pretty(&suite_schema())?,
        SchemaOf::TraceStats => pretty(&stats_schema())?,
        SchemaOf::Fidelity => pretty(&fidelity_schema())?,
        SchemaOf::Sweep => pretty(&sweep_schema())?,
        SchemaOf::Tune => pretty(&tune_schema())?,
        SchemaOf::Faults => pretty(&faults_schema())?,
        SchemaOf::Load => pretty(&load_schema())?,
        SchemaOf::Reference => {
            let sections = reference().into_iter();
            let sections = sections.map(|part| format!("## {}\n\n{}", part.name, part.table));
            sections.collect::<Vec<_>>().join("\n")
        }
    };
    print(&text)?;
    Ok(Exit::Pass)
}

/// The schema of scenario files as text.
pub(super) fn scenario_schema() -> Result<String, Failure> {
    pretty(&json_schema())
}

fn pretty(schema: &Value) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(schema).map_err(Failure::internal)? + "\n")
}
