//! A row as JSON: "Payload format for Table service operations" (OData 3, minimal metadata).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::entity::{Entity, Etag, Value, to_ticks};
use crate::storage::attempt::xml_element;

/// The body of a write. Types that JSON has not are named beside the property.
pub(super) fn encode(entity: &Entity) -> String {
    let mut body = Map::new();
    body.insert("PartitionKey".to_owned(), json!(entity.partition));
    body.insert("RowKey".to_owned(), json!(entity.row));
    for (name, value) in &entity.properties {
        let (value, kind) = encode_value(value);
        body.insert(name.clone(), value);
        if let Some(kind) = kind {
            body.insert(format!("{name}@odata.type"), json!(kind));
        }
    }
    Json::Object(body).to_string()
}

fn encode_value(value: &Value) -> (Json, Option<&'static str>) {
    match value {
        Value::String(text) => (json!(text), None),
        Value::Int(number) => (json!(number), None),
        Value::Bool(truth) => (json!(truth), None),
        // A 64-bit number would lose digits as a JSON number.
        Value::Long(number) => (json!(number.to_string()), Some("Edm.Int64")),
        Value::Double(number) if number.is_finite() => (json!(number), Some("Edm.Double")),
        Value::Double(number) if number.is_nan() => (json!("NaN"), Some("Edm.Double")),
        Value::Double(number) => (json!(if *number > 0.0 { "Infinity" } else { "-Infinity" }), Some("Edm.Double")),
        Value::DateTime(instant) => (json!(to_ticks(*instant).to_string()), Some("Edm.DateTime")),
        Value::Binary(bytes) => (json!(BASE64_STANDARD.encode(bytes)), Some("Edm.Binary")),
        Value::Guid(id) => (json!(id.to_string()), Some("Edm.Guid")),
    }
}

/// A row that was read; the reason if it is none.
pub(super) fn decode(body: Json) -> Result<Entity, String> {
    let Json::Object(mut fields) = body else { return Err("a row is not a JSON object".to_owned()) };
    let mut text = |name: &str| match fields.remove(name) {
        Some(Json::String(text)) => Some(text),
        _ => None,
    };
    let mut entity = Entity::new(
        text("PartitionKey").ok_or("a row has no PartitionKey")?,
        text("RowKey").ok_or("a row has no RowKey")?,
    );
    entity.etag = text("odata.etag").map(Etag::new);
    entity.timestamp = text("Timestamp").and_then(|time| time.parse().ok());
    for (name, value) in &fields {
        if name.starts_with("odata.") || name.contains("@odata.") || name == "Timestamp" {
            continue;
        }
        let kind = fields.get(&format!("{name}@odata.type")).and_then(Json::as_str);
        // Null: a selected property that the row does not have.
        if !value.is_null() {
            let value = decode_value(value, kind).ok_or_else(|| format!("property {name} is not of type {kind:?}"))?;
            entity.properties.insert(name.clone(), value);
        }
    }
    Ok(entity)
}

fn decode_value(value: &Json, kind: Option<&str>) -> Option<Value> {
    let text = value.as_str();
    Some(match kind {
        Some("Edm.Int64") => Value::Long(text.map_or_else(|| value.as_i64(), |text| text.parse().ok())?),
        Some("Edm.DateTime") => Value::DateTime(text?.parse().ok()?),
        Some("Edm.Binary") => Value::Binary(BASE64_STANDARD.decode(text?).ok()?),
        Some("Edm.Guid") => Value::Guid(Uuid::try_parse(text?).ok()?),
        Some("Edm.Double") => Value::Double(text.map_or_else(|| value.as_f64(), |text| text.parse().ok())?),
        // Strings, booleans, 32-bit numbers, and doubles with a decimal point come without a type.
        _ => match value {
            Json::String(text) => Value::String(text.clone()),
            Json::Bool(truth) => Value::Bool(*truth),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => i32::try_from(whole).map_or(Value::Long(whole), Value::Int),
                None => Value::Double(number.as_f64()?),
            },
            _ => return None,
        },
    })
}

/// Code and message of an error's body: `odata.error`, or XML where the request did not get as far as the table service.
/// Empty if it is neither, as from a proxy.
pub(super) fn error_of(body: &[u8]) -> (String, String) {
    let Ok(json) = serde_json::from_slice::<Json>(body) else {
        let text = String::from_utf8_lossy(body);
        let element = |name| xml_element(&text, name).unwrap_or_default().to_owned();
        return (element("Code"), element("Message"));
    };
    let error = &json["odata.error"];
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    (text(&error["code"]), text(&error["message"]["value"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_json_has_not_are_named() {
        let body = encode(
            &Entity::new("p", "r")
                .with("n", 1_i64 << 40)
                .with("at", "2026-01-02T03:04:05.123456789Z".parse::<jiff::Timestamp>().unwrap()),
        );
        let body: Json = serde_json::from_str(&body).unwrap();
        assert_eq!(body["n"], "1099511627776");
        assert_eq!(body["n@odata.type"], "Edm.Int64");
        assert_eq!(body["at"], "2026-01-02T03:04:05.1234567Z");
        assert_eq!(body["at@odata.type"], "Edm.DateTime");
    }

    #[test]
    fn every_type_reads_back_as_it_was_written() {
        let row = Entity::new("p'", "r")
            .with("double", 1.0)
            .with("infinite", f64::NEG_INFINITY)
            .with("long", i64::MIN)
            .with("int", -3)
            .with("yes", true)
            .with("bytes", vec![0_u8, 255])
            .with("id", Uuid::from_u128(7))
            .with("text", "\"é\n");
        assert_eq!(decode(serde_json::from_str(&encode(&row)).unwrap()).unwrap(), row);
    }

    #[test]
    fn a_property_that_is_not_of_its_type_is_named() {
        let row = json!({"PartitionKey": "p", "RowKey": "r", "n": "x", "n@odata.type": "Edm.Int64"});
        assert!(decode(row).unwrap_err().contains("property n"));
    }
}
