//! Virtual networks: list, read, create, delete.

use super::operations::{self, Start};
use super::peerings::json as peering_json;
use super::{Caller, body, errors, ids, method_not_allowed, texts};
use crate::clouds::http::{Answer, Reply, Request, text};
use crate::clouds::world::{OperationKind, Vnet, World};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ipnet::Ipv4Net;
use serde_json::{Value, json};

const READ: &str = "Microsoft.Network/virtualNetworks/read";

pub(super) fn list(
    world: &World,
    request: &Request,
    caller: &Caller,
    subscription: &str,
    group: Option<&str>,
) -> Answer {
    if request.method != "GET" {
        return Err(method_not_allowed(request));
    }
    let scope = match group {
        Some(group) => format!("/subscriptions/{subscription}/resourceGroups/{group}"),
        None => format!("/subscriptions/{subscription}"),
    };
    if world.subscription(subscription).is_none() {
        return Err(errors::subscription_not_found(subscription));
    }
    if !world.has_any_role(&caller.object_id, &scope) {
        return Err(errors::forbidden(caller, READ, &scope));
    }
    if let Some(group) = group {
        existing_group(world, subscription, group)?;
    }
    // A list at a wide scope shows what the caller may read under it.
    let seen = |v: &&Vnet| ids::covers(&scope, &v.id) && world.allows(&caller.object_id, READ, &v.id);
    let found = world.vnets.iter().filter(seen).collect();
    page(world, request, found)
}

/// One page of networks, ordered by id, and where the next is: the token is the last id shown, so that what comes and
/// goes in between neither hides nor doubles the rest.
fn page(world: &World, request: &Request, mut found: Vec<&Vnet>) -> Answer {
    let key = |v: &Vnet| v.id.to_ascii_lowercase();
    found.sort_by_key(|v| key(v));
    if let Some(token) = request.query("$skipToken") {
        let after = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = "The provided skip token is invalid.";
        let after = after.ok_or_else(|| errors::error(400, "InvalidSkipToken", text))?;
        found.retain(|v| key(v) > after);
    }
    let more = found.len() > world.arm_page_size;
    found.truncate(world.arm_page_size);
    let mut body = json!({"value": found.iter().map(|v| json(world, v)).collect::<Vec<_>>()});
    if let (true, Some(last)) = (more, found.last()) {
        let (path, version) = (request.path(), request.query("api-version").unwrap_or_default());
        let token = URL_SAFE_NO_PAD.encode(key(last));
        body["nextLink"] = format!("{}{path}?api-version={version}&%24skipToken={token}", world.urls.arm).into();
    }
    Ok(Reply::ok(body))
}

fn existing_group(world: &World, subscription: &str, group: &str) -> Answer<()> {
    let found = world.subscription(subscription).ok_or_else(|| errors::subscription_not_found(subscription))?;
    let known = found.resource_groups.iter().any(|g| g.eq_ignore_ascii_case(group));
    if known { Ok(()) } else { Err(errors::group_not_found(group)) }
}

pub(super) fn one(world: &mut World, request: &Request, caller: &Caller, id: &str) -> Answer {
    match request.method.as_str() {
        "GET" => {
            caller.need(world, READ, id)?;
            Ok(Reply::ok(json(world, existing(world, id)?)))
        }
        "PUT" => put(world, request, caller, id),
        "DELETE" => {
            caller.need(world, "Microsoft.Network/virtualNetworks/delete", id)?;
            if world.vnet(id).is_none() {
                return Ok(Reply::empty(204));
            }
            operations::idle(world, id)?;
            Ok(operations::start(world, id, OperationKind::DeleteVnet).accept(world))
        }
        _ => Err(method_not_allowed(request)),
    }
}

/// The network, or which of its parents is missing.
pub(super) fn existing<'a>(world: &'a World, id: &str) -> Answer<&'a Vnet> {
    if let Some(vnet) = world.vnet(id) {
        return Ok(vnet);
    }
    let parts = ids::parse_vnet(id).ok_or_else(|| errors::no_route(id))?;
    existing_group(world, &parts.subscription, &parts.resource_group)?;
    Err(errors::resource_not_found("Microsoft.Network/virtualNetworks", &parts.name, &parts.resource_group))
}

fn put(world: &mut World, request: &Request, caller: &Caller, id: &str) -> Answer {
    caller.need(world, "Microsoft.Network/virtualNetworks/write", id)?;
    let body = body(request)?;
    let prefixes = body.pointer("/properties/addressSpace/addressPrefixes").and_then(Value::as_array);
    let prefixes: Option<Vec<Ipv4Net>> =
        prefixes.into_iter().flatten().map(|p| p.as_str().and_then(|p| p.parse().ok())).collect();
    let Some(prefixes) = prefixes.filter(|p| !p.is_empty()) else {
        return Err(errors::error(
            400,
            "InvalidAddressPrefixFormat",
            "The address prefixes of the virtual network are missing or invalid.",
        ));
    };
    let new = match existing(world, id) {
        Ok(_) => false,
        Err(refusal) if refusal.body.as_ref().and_then(|b| text(b, "/error/code")) == Some("ResourceNotFound") => true,
        Err(refusal) => return Err(refusal),
    };
    operations::idle(world, id)?;
    let now = world.now();
    if new {
        let location = text(&body, "/location").unwrap_or("westeurope").to_owned();
        world.vnets.push(Vnet {
            id: id.to_owned(),
            location,
            prefixes,
            peerings: Vec::new(),
            updating_until: None,
            created_at: now,
        });
    } else if let Some(vnet) = world.vnet_mut(id) {
        vnet.prefixes = prefixes;
    }
    let started: Start = operations::start(world, id, OperationKind::PutVnet);
    let until = world.due_in(world.lags.arm_operation);
    if let Some(vnet) = world.vnet_mut(id) {
        vnet.updating_until = Some(until);
    }
    let value = json(world, existing(world, id)?);
    Ok(started.created(world, if new { 201 } else { 200 }, value))
}

/// `Updating` while a write of the network runs.
pub(super) fn state(world: &World, vnet: &Vnet) -> &'static str {
    if vnet.updating_until.is_some_and(|until| until > world.now()) { "Updating" } else { "Succeeded" }
}

fn json(world: &World, vnet: &Vnet) -> Value {
    let peerings: Vec<Value> = vnet.peerings.iter().map(|p| peering_json(world, vnet, p)).collect();
    json!({
        "id": vnet.id, "name": ids::name(&vnet.id), "type": "Microsoft.Network/virtualNetworks",
        "location": vnet.location, "etag": format!("W/\"{}\"", ids::name(&vnet.id)), "tags": {},
        "properties": {
            "provisioningState": state(world, vnet), "addressSpace": {"addressPrefixes": texts(&vnet.prefixes)},
            "subnets": [], "virtualNetworkPeerings": peerings, "enableDdosProtection": false
        }
    })
}
