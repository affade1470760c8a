//! A serialisable struct as the columns of a row: scalars as they are, whatever is nested as JSON text.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use crate::peering::SCHEMA;
use crate::storage::{Entity, StoreError, Value};

/// Which columns are not plain text: a table tells numbers and booleans apart by itself, but not these.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Columns that hold JSON text.
    pub json: &'static [&'static str],
    /// Columns that hold an instant, so that filters can compare them.
    pub instants: &'static [&'static str],
}

/// Writes `row`'s fields into the columns of an entity. Absent (`null`) fields make no column.
pub fn write(partition: &str, row_key: &str, row: &impl Serialize, shape: Shape) -> Result<Entity, StoreError> {
    let what = || format!("row {row_key} of partition {partition}");
    let json = serde_json::to_value(row).map_err(|e| unreadable(what(), &e.to_string()))?;
    let Json::Object(fields) = json else { return Err(unreadable(what(), "it is not an object")) };
    let mut entity = Entity::new(partition, row_key);
    for (name, field) in fields {
        if let Some(value) = column(&name, field, shape) {
            entity = entity.with(&name, value);
        }
    }
    Ok(entity)
}

fn column(name: &str, field: Json, shape: Shape) -> Option<Value> {
    Some(match field {
        Json::Null => return None,
        _ if shape.json.contains(&name) => Value::String(field.to_string()),
        Json::Bool(flag) => Value::Bool(flag),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Double(number.as_f64().unwrap_or_default()), Value::Long)
        }
        Json::String(text) if shape.instants.contains(&name) => match text.parse::<Timestamp>() {
            Ok(instant) => Value::DateTime(instant),
            Err(_) => Value::String(text),
        },
        Json::String(text) => Value::String(text),
        Json::Array(_) | Json::Object(_) => Value::String(field.to_string()),
    })
}

/// Whether a newer version of this program wrote a row: it may hold more than this one would write back.
pub fn is_newer(entity: &Entity) -> bool {
    entity.long("schema").is_some_and(|schema| schema > i64::from(SCHEMA))
}

/// Reads an entity's columns back.
///
/// # Errors
/// `Newer`; or it cannot be read.
pub fn read<T: DeserializeOwned>(entity: &Entity, shape: Shape) -> Result<T, StoreError> {
    let what = || format!("row {} of partition {}", entity.row, entity.partition);
    if is_newer(entity) {
        return Err(StoreError::Newer { what: what() });
    }
    let mut fields = Map::new();
    for (name, value) in &entity.properties {
        let field = match value {
            Value::String(text) if shape.json.contains(&name.as_str()) => {
                serde_json::from_str(text).map_err(|e| unreadable(what(), &format!("column {name}: {e}")))?
            }
            Value::String(text) => Json::from(text.as_str()),
            Value::Int(number) => Json::from(*number),
            Value::Long(number) => Json::from(*number),
            Value::Double(number) => Json::from(*number),
            Value::Bool(flag) => Json::from(*flag),
            Value::DateTime(instant) => Json::from(instant.to_string()),
            Value::Guid(id) => Json::from(id.to_string()),
            Value::Binary(_) => continue,
        };
        fields.insert(name.clone(), field);
    }
    serde_json::from_value(Json::Object(fields)).map_err(|e| unreadable(what(), &e.to_string()))
}

fn unreadable(what: String, why: &str) -> StoreError {
    StoreError::Other {
        what,
        status: None,
        code: "Unreadable".to_owned(),
        message: format!("{why}; a person changed it, or a program that is not this one"),
        op: None,
    }
}
