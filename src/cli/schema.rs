//! `coalmine schema`: the JSON Schema of a file format, or its keys as tables.

use super::arguments::SchemaOf;
use super::exit::Exit;
use super::terminal::{Failure, print};
use crate::report::result_schema;
use crate::scenario::{json_schema, reference};

pub(super) fn schema(format: SchemaOf) -> Result<Exit, Failure> {
    let schema = match format {
        SchemaOf::Scenario => json_schema(),
        SchemaOf::Result => result_schema(),
        SchemaOf::Reference => {
            let sections = reference().into_iter();
            let sections = sections.map(|part| format!("## {}\n\n{}", part.name, part.table));
            print(&sections.collect::<Vec<_>>().join("\n"))?;
            return Ok(Exit::Pass);
        }
    };
    let text = serde_json::to_string_pretty(&schema).map_err(Failure::internal)?;
    print(&format!("{text}\n"))?;
    Ok(Exit::Pass)
}
