//! Which rows a filter admits.

use std::cmp::Ordering;

use crate::storage::tables::to_ticks;
use crate::storage::{Entity, Filter, Value};

/// Whether a row meets a filter, as the service decides it.
pub fn admits(filter: &Filter, entity: &Entity) -> bool {
    let compare = |name: &str, value: &Value| property(entity, name).and_then(|own| order(&own, value));
    match filter {
        Filter::Eq(name, value) => compare(name, value) == Some(Ordering::Equal),
        Filter::Ne(name, value) => compare(name, value).is_some_and(Ordering::is_ne),
        Filter::Gt(name, value) => compare(name, value).is_some_and(Ordering::is_gt),
        Filter::Ge(name, value) => compare(name, value).is_some_and(Ordering::is_ge),
        Filter::Lt(name, value) => compare(name, value).is_some_and(Ordering::is_lt),
        Filter::Le(name, value) => compare(name, value).is_some_and(Ordering::is_le),
        Filter::And(one, other) => admits(one, entity) && admits(other, entity),
        Filter::Or(one, other) => admits(one, entity) || admits(other, entity),
    }
}

fn property(entity: &Entity, name: &str) -> Option<Value> {
    match name {
        "PartitionKey" => Some(Value::String(entity.partition.clone())),
        "RowKey" => Some(Value::String(entity.row.clone())),
        "Timestamp" => entity.timestamp.map(Value::DateTime),
        _ => entity.properties.get(name).cloned(),
    }
}

/// Strings compare by code point, as keys do; `None` across types, 32 and 64 bits too ("Querying tables and entities": the
/// constant must be of the property's type).
fn order(own: &Value, other: &Value) -> Option<Ordering> {
    match (own, other) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Long(a), Value::Long(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::DateTime(a), Value::DateTime(b)) => Some(to_ticks(*a).cmp(&to_ticks(*b))),
        (Value::Binary(a), Value::Binary(b)) => Some(a.cmp(b)),
        (Value::Guid(a), Value::Guid(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
