//! Virtual networks: list, read, create, delete.

use super::operations::{self, Start};
use super::peerings::json as peering_json;
use super::{Caller, body, errors, ids, method_not_allowed, texts};
use crate::clouds::http::{Answer, Reply, Request, text};
use crate::clouds::world::{OperationKind, Vnet, World};
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
    // A list at a wide scope shows what the caller may read under it.
    let found: Vec<Value> = world
        .vnets
        .iter()
        .filter(|v| ids::covers(&scope, &v.id) && world.allows(&caller.object_id, READ, &v.id))
        .map(|v| json(world, v))
        .collect();
    Ok(Reply::ok(json!({"value": found})))
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
    let subscription =
        world.subscription(&parts.subscription).ok_or_else(|| errors::subscription_not_found(&parts.subscription))?;
    if !subscription.resource_groups.iter().any(|g| g.eq_ignore_ascii_case(&parts.resource_group)) {
        return Err(errors::group_not_found(&parts.resource_group));
    }
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
