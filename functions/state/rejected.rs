//! Table `rejected`: messages that could not be taken, whole, with the reason.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::storage::{Entity, Storage, StoreError, Value};

const TABLE: &str = "rejected";
/// An Edm.Binary column holds 64 KiB, which is also the most that a queue message holds.
const MOST_BYTES: usize = 64 * 1024;
const MOST_SHOWN: usize = 1024;

/// Keeps a message that could not be taken. The same text twice is one row.
///
/// `reference` is the sender's, when it could be read: refusals are found by it.
pub async fn reject(
    storage: &Storage,
    queue: &str,
    payload: &[u8],
    reason: &str,
    reference: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    storage.tables.upsert(TABLE, &entity(queue, payload, reason, reference, now)).await.map(drop)
}

/// [`reject`], and which delivery of the text it was: see [`was_rejected`].
pub async fn reject_message(
    storage: &Storage,
    (queue, message_id): (&str, &str),
    payload: &[u8],
    reason: &str,
    reference: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let entity = entity(queue, payload, reason, reference, now).with("message", message_id);
    storage.tables.upsert(TABLE, &entity).await.map(drop)
}

/// Whether this very message was refused before: what has changed since does not make it welcome.
pub async fn was_rejected(
    storage: &Storage,
    (queue, message_id): (&str, &str),
    payload: &[u8],
) -> Result<bool, StoreError> {
    let row = storage.tables.get(TABLE, queue, &hash(payload)).await?;
    Ok(row.is_some_and(|row| row.str("message") == Some(message_id)))
}

fn hash(payload: &[u8]) -> String {
    Sha256::digest(payload).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn entity(queue: &str, payload: &[u8], reason: &str, reference: Option<&str>, now: Timestamp) -> Entity {
    let text = String::from_utf8_lossy(payload);
    let shown: String = text.chars().filter(|c| !c.is_control() || *c == '\n').take(MOST_SHOWN).collect();
    let mut entity = Entity::new(queue, hash(payload))
        .with("reason", reason)
        .with("text", shown)
        .with("payload", Value::Binary(payload[..payload.len().min(MOST_BYTES)].to_vec()))
        .with("at", Value::DateTime(now));
    if let Some(reference) = reference {
        entity = entity.with("reference", reference);
    }
    entity
}
