//! Soft delete: a deleted secret keeps its name until it is recovered, or its 90 days are over.

use super::{Caller, errors, json, vault, vault_mut};
use crate::clouds::clock::add;
use crate::clouds::http::{Answer, Reply};
use crate::clouds::world::{RETENTION, Secret, World};
use serde_json::Value;

pub(super) fn delete(world: &mut World, caller: &Caller, name: &str) -> Answer {
    caller.need(world, "delete", Some(name))?;
    let now = world.now();
    vault_mut(world)?.secret_mut(name).ok_or_else(|| errors::not_found(name))?.deleted_at = Some(now);
    Ok(Reply::ok(shown(world, found(world, name)?)))
}

pub(super) fn get(world: &World, caller: &Caller, name: &str) -> Answer {
    caller.need(world, "readMetadata/action", Some(name))?;
    Ok(Reply::ok(shown(world, found(world, name)?)))
}

pub(super) fn recover(world: &mut World, caller: &Caller, name: &str) -> Answer {
    caller.need(world, "recover/action", Some(name))?;
    found(world, name)?;
    let vault = vault_mut(world)?;
    if let Some(secret) = vault.secrets.get_mut(&name.to_ascii_lowercase()) {
        secret.deleted_at = None;
    }
    let vault = self::vault(world)?;
    let current = vault.secret(name).and_then(|s| Some(json::item(world, s, s.versions.last()?, true)));
    current.map(Reply::ok).ok_or_else(|| errors::not_found(name))
}

/// Purge protection is on, as in the project's own vault: nobody can.
pub(super) fn purge(world: &World, caller: &Caller, name: &str) -> Answer {
    caller.need(world, "purge/action", Some(name))?;
    found(world, name)?;
    let text = "Operation \"purge\" is not allowed because purge protection is enabled for this vault. Key Vault \
                service will automatically purge it after the retention period has passed.";
    Err(errors::inner(403, "Forbidden", "ForbiddenByPolicy", text))
}

fn found<'a>(world: &'a World, name: &str) -> Answer<&'a Secret> {
    let secret = vault(world)?.secrets.get(&name.to_ascii_lowercase()).filter(|s| s.deleted_at.is_some());
    secret.ok_or_else(|| errors::not_found(name))
}

fn shown(world: &World, secret: &Secret) -> Value {
    let Some(version) = secret.versions.last() else { return Value::Null };
    let mut value = json::item(world, secret, version, true);
    value["recoveryId"] = format!("{}/deletedsecrets/{}", world.urls.key_vault, secret.name).into();
    if let Some(at) = secret.deleted_at {
        value["deletedDate"] = json::seconds(at).into();
        value["scheduledPurgeDate"] = json::seconds(add(at, world.clock.real(RETENTION))).into();
    }
    value
}
