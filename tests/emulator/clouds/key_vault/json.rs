//! Secrets as Key Vault shows them.

use crate::clouds::world::{Secret, SecretVersion, World};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A version with its value: what a GET and a PUT answer.
pub(super) fn bundle(world: &World, secret: &Secret, version: &SecretVersion) -> Value {
    let mut shown = item(world, secret, version, true);
    shown["value"] = version.value.clone().into();
    shown
}

/// A version without its value: what lists, updates and deletions show.
pub(super) fn item(world: &World, secret: &Secret, version: &SecretVersion, with_version: bool) -> Value {
    let base = format!("{}/secrets/{}", world.urls.key_vault, secret.name);
    let id = if with_version { format!("{base}/{}", version.id) } else { base };
    let mut attributes = json!({
        "enabled": version.enabled, "created": seconds(version.created_at), "updated": seconds(version.updated_at),
        "recoveryLevel": "Recoverable", "recoverableDays": 90
    });
    for (name, value) in [("exp", version.expires), ("nbf", version.not_before)] {
        if let Some(value) = value {
            attributes[name] = value.into();
        }
    }
    let mut shown = json!({"id": id, "attributes": attributes});
    if let Some(kind) = &version.content_type {
        shown["contentType"] = kind.clone().into();
    }
    if !version.tags.is_empty() {
        shown["tags"] = json!(version.tags);
    }
    shown
}

pub(super) fn seconds(at: Timestamp) -> i64 {
    at.as_second()
}
