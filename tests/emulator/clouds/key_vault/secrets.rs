//! Secrets and their versions: set, get, list, update.

use super::{Caller, errors, json, vault, vault_mut};
use crate::clouds::http::{Answer, Reply, Request, text};
use crate::clouds::world::{SecretVersion, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Longest value in bytes, most tags, and longest tag (Key Vault: about secrets).
const LONGEST_VALUE: usize = 25 * 1024;
const MOST_TAGS: usize = 15;
const LONGEST_TAG: usize = 512;

/// Entries of one page of a list, unless fewer are asked for.
const PAGE: usize = 25;

pub(super) fn set(world: &mut World, request: &Request, caller: &Caller, name: &str) -> Answer {
    caller.need(world, "setSecret/action", Some(name))?;
    let body = body(request)?;
    let value = text(&body, "/value").ok_or_else(|| errors::bad("Property value has to be a string."))?;
    if value.len() > LONGEST_VALUE {
        return Err(errors::bad(&format!("The secret value must not be longer than {LONGEST_VALUE} bytes.")));
    }
    let mut version = world.new_secret_version(value);
    apply(&mut version, &body)?;
    let vault = vault_mut(world)?;
    if vault.secrets.get(&name.to_ascii_lowercase()).is_some_and(|s| s.deleted_at.is_some()) {
        return Err(errors::deleted(name));
    }
    vault.push(name, version);
    get_version(world, name, None, json::bundle)
}

pub(super) fn get(world: &World, caller: &Caller, name: &str, version: Option<&str>) -> Answer {
    caller.need(world, "getSecret/action", Some(name))?;
    let found = vault(world)?.secret(name).and_then(|s| s.version(version));
    if found.is_some_and(|v| !v.enabled) {
        return Err(errors::disabled());
    }
    get_version(world, name, version, json::bundle)
}

fn get_version(
    world: &World,
    name: &str,
    version: Option<&str>,
    show: impl Fn(&World, &crate::clouds::world::Secret, &SecretVersion) -> Value,
) -> Answer {
    let asked = || errors::not_found(&version.map_or_else(|| name.to_owned(), |v| format!("{name}/{v}")));
    let secret = vault(world)?.secret(name).ok_or_else(asked)?;
    let version = secret.version(version).ok_or_else(asked)?;
    Ok(Reply::ok(show(world, secret, version)))
}

/// Changes attributes, tags and content type; a value never changes.
pub(super) fn update(
    world: &mut World,
    request: &Request,
    caller: &Caller,
    name: &str,
    version: Option<&str>,
) -> Answer {
    caller.need(world, "update/action", Some(name))?;
    let body = body(request)?;
    let now = world.now();
    let found = vault_mut(world)?.secret_mut(name).and_then(|s| s.version_mut(version));
    let changed = found.ok_or_else(|| errors::not_found(name))?;
    apply(changed, &body)?;
    changed.updated_at = now;
    get_version(world, name, version, |world, secret, version| json::item(world, secret, version, true))
}

/// The versions of a secret, in no order of time: here by id; of one that is not there, none.
pub(super) fn versions(world: &World, request: &Request, caller: &Caller, name: &str) -> Answer {
    caller.need(world, "readMetadata/action", Some(name))?;
    let shown = vault(world)?.secret(name).map(|secret| {
        let mut all: Vec<&SecretVersion> = secret.versions.iter().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all.into_iter().map(|version| json::item(world, secret, version, true)).collect()
    });
    page(world, request, shown.unwrap_or_default())
}

/// All secrets by name, without values and versions.
pub(super) fn list(world: &World, request: &Request, caller: &Caller) -> Answer {
    caller.need(world, "readMetadata/action", None)?;
    let secrets = vault(world)?.secrets.values().filter(|s| s.deleted_at.is_none());
    let shown = secrets.filter_map(|secret| Some(json::item(world, secret, secret.versions.last()?, false)));
    page(world, request, shown.collect())
}

/// One page; the rest is behind `nextLink`.
fn page(world: &World, request: &Request, all: Vec<Value>) -> Answer {
    let number = |name: &str| request.query(name).and_then(|n| n.parse::<usize>().ok());
    let size = match (request.query("maxresults"), number("maxresults")) {
        (None, _) => PAGE,
        (_, Some(size)) if (1..=PAGE).contains(&size) => size,
        _ => return Err(errors::bad(&format!("maxresults has to be between 1 and {PAGE}."))),
    };
    let from = number("$skiptoken").unwrap_or(0);
    let version = request.query("api-version").unwrap_or_default();
    let next = (all.len() > from + size).then(|| {
        let path = request.path();
        format!("{}{path}?api-version={version}&$skiptoken={}&maxresults={size}", world.urls.key_vault, from + size)
    });
    let shown: Vec<Value> = all.into_iter().skip(from).take(size).collect();
    Ok(Reply::ok(json!({"value": shown, "nextLink": next})))
}

/// What a body says of a version beside its value.
fn apply(version: &mut SecretVersion, body: &Value) -> Answer<()> {
    if let Some(tags) = body.get("tags").filter(|tags| !tags.is_null()) {
        version.tags = self::tags(tags)?;
    }
    if let Some(kind) = text(body, "/contentType") {
        version.content_type = Some(kind.to_owned());
    }
    let attributes = &body["attributes"];
    if let Some(enabled) = attributes["enabled"].as_bool() {
        version.enabled = enabled;
    }
    for (name, field) in [("exp", &mut version.expires), ("nbf", &mut version.not_before)] {
        match attributes.get(name).filter(|value| !value.is_null()) {
            Some(value) => {
                *field = Some(value.as_i64().ok_or_else(|| errors::bad(&format!("{name} is no Unix time.")))?)
            }
            None => continue,
        }
    }
    Ok(())
}

fn tags(value: &Value) -> Answer<BTreeMap<String, String>> {
    let entries = value.as_object().ok_or_else(|| errors::bad("Property tags has to be an object of strings."))?;
    let mut tags = BTreeMap::new();
    for (name, value) in entries {
        let value = value.as_str().ok_or_else(|| errors::bad("Property tags has to be an object of strings."))?;
        if name.len() > LONGEST_TAG || value.len() > LONGEST_TAG {
            return Err(errors::bad(&format!("A tag must not be longer than {LONGEST_TAG} characters.")));
        }
        tags.insert(name.clone(), value.to_owned());
    }
    if tags.len() > MOST_TAGS {
        return Err(errors::bad(&format!("A secret must not have more than {MOST_TAGS} tags.")));
    }
    Ok(tags)
}

fn body(request: &Request) -> Answer<Value> {
    match request.json() {
        Ok(value) if value.is_object() => Ok(value),
        _ => Err(errors::bad("The request body is not a JSON object.")),
    }
}
