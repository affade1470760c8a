//! The documented limits of the services, checked before anything is sent: the twin and the real clients refuse alike.
//!
//! Sources: "Understanding the Table service data model", "Performing entity group transactions", "Put Message".

use std::collections::HashSet;

use super::StoreError;
use super::tables::{Entity, Op, Value};

/// Longest time a message can be hidden: 7 days.
pub(super) const VISIBILITY_SECONDS: u32 = 7 * 24 * 3600;
/// Most operations of a transaction.
const TRANSACTION_OPS: usize = 100;
/// Most bytes of a message on the wire: 64 KiB.
const MESSAGE_BYTES: usize = 64 * 1024;
/// Longest key: 1 KiB in UTF-16, that is 512 units.
const KEY_UNITS: usize = 512;
/// Longest string: 64 KiB in UTF-16.
const STRING_UNITS: usize = 32 * 1024;
/// Longest binary: 64 KiB.
const BINARY_BYTES: usize = 64 * 1024;
/// Most properties, keys and timestamp apart.
const PROPERTIES: usize = 252;

/// `row r of partition p in table t`
pub(super) fn row_name(table: &str, partition: &str, row: &str) -> String {
    format!("row {row:?} of partition {partition:?} in table {table}")
}

/// `table t`
pub(super) fn table_name(table: &str) -> String {
    format!("table {table}")
}

/// `queue q`
pub(super) fn queue_name(queue: &str) -> String {
    format!("queue {queue}")
}

/// Whether a row's keys may be used.
pub(super) fn check_keys(table: &str, partition: &str, row: &str) -> Result<(), StoreError> {
    let wrong = |message: String| Err(StoreError::invalid(row_name(table, partition, row), message));
    for key in [partition, row] {
        if let Some(bad) = key.chars().find(|&c| "/\\#?".contains(c) || c.is_control()) {
            return wrong(format!("a key cannot hold {bad:?}"));
        }
        if key.encode_utf16().count() > KEY_UNITS {
            return wrong(format!("a key of more than {KEY_UNITS} UTF-16 units is too long"));
        }
    }
    Ok(())
}

/// Whether a row may be written.
pub(super) fn check_entity(table: &str, entity: &Entity) -> Result<(), StoreError> {
    check_keys(table, &entity.partition, &entity.row)?;
    let wrong = |message: String| Err(StoreError::invalid(row_name(table, &entity.partition, &entity.row), message));
    if entity.properties.len() > PROPERTIES {
        return wrong(format!("a row cannot have more than {PROPERTIES} properties"));
    }
    for (name, value) in &entity.properties {
        let reserved = ["PartitionKey", "RowKey", "Timestamp"].contains(&name.as_str());
        let legal =
            name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_numeric());
        if reserved || !legal || name.is_empty() || name.len() > 255 {
            return wrong(format!("{name:?} cannot be the name of a property"));
        }
        let too_long = match value {
            Value::String(text) => text.encode_utf16().count() > STRING_UNITS,
            Value::Binary(bytes) => bytes.len() > BINARY_BYTES,
            _ => false,
        };
        if too_long {
            return wrong(format!("property {name} is longer than 64 KiB"));
        }
    }
    Ok(())
}

/// Whether a transaction may be sent.
pub(super) fn check_transaction(table: &str, ops: &[Op]) -> Result<(), StoreError> {
    let wrong = |message: &str| Err(StoreError::invalid(table_name(table), message));
    if ops.is_empty() || ops.len() > TRANSACTION_OPS {
        return wrong("a transaction has 1 to 100 operations");
    }
    let mut rows = HashSet::new();
    for (index, op) in ops.iter().enumerate() {
        let (partition, row) = op.keys();
        if partition != ops[0].keys().0 {
            return wrong("a transaction works on one partition");
        }
        if !rows.insert(row) {
            return wrong("a transaction does one operation a row");
        }
        let checked = match op {
            Op::Insert(entity) | Op::Replace(entity, _) | Op::Upsert(entity) => check_entity(table, entity),
            Op::Delete { .. } => check_keys(table, partition, row),
        };
        checked.map_err(|error| error.of_op(index))?;
    }
    Ok(())
}

/// Whether a text fits in a message.
pub(super) fn check_message(queue: &str, raw: &str) -> Result<(), StoreError> {
    if raw.len() > MESSAGE_BYTES {
        let message = "a message holds 64 KiB, which is 48 KiB before base64";
        return Err(StoreError::invalid(queue_name(queue), message));
    }
    Ok(())
}
