//! Table `rejected`: messages that could not be taken, whole, with the reason.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Entity, Storage, StoreError, Value};

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
    let hash: String = Sha256::digest(payload).iter().map(|byte| format!("{byte:02x}")).collect();
    let text = String::from_utf8_lossy(payload);
    let shown: String = text.chars().filter(|c| !c.is_control() || *c == '\n').take(MOST_SHOWN).collect();
    let mut entity = Entity::new(queue, &hash)
        .with("reason", reason)
        .with("text", shown)
        .with("payload", Value::Binary(payload[..payload.len().min(MOST_BYTES)].to_vec()))
        .with("at", Value::DateTime(now));
    if let Some(reference) = reference {
        entity = entity.with("reference", reference);
    }
    storage.tables.upsert(TABLE, &entity).await.map(drop)
}
