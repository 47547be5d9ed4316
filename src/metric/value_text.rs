//! A metric's value as people read it: the formatters of `units`, chosen by the metric's unit.

use super::Unit;
use crate::units::{
    Duration, format_count, format_duration, format_money, format_p_value, format_percent,
    format_significant,
};

/// A value in its unit, for reading.
pub fn format_value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Count => format_count(value as u64),
        Unit::Ratio => format_percent(value),
        Unit::PValue => format_p_value(value),
        Unit::Time => format_duration(Duration::from_secs_f64(value)),
        Unit::Tokens => format!("{} tokens", format_significant(value, 4)),
        Unit::RequestsPerSecond => format!("{}/s", format_significant(value, 4)),
        Unit::TokensPerSecond => format!("{} tokens/s", format_significant(value, 4)),
        Unit::Money => format_money(value),
    }
}
