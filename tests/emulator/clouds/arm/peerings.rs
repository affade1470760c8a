//! Virtual network peerings: list, read, put across tenants, delete.

use super::operations;
use super::{Caller, body, errors, ids, linked, method_not_allowed, networks, rules, texts};
use crate::clouds::clock;
use crate::clouds::http::{Answer, Reply, Request, text};
use crate::clouds::world::{OperationKind, Peering, Vnet, World};
use serde_json::{Value, json};

const RESOURCE: &str = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings";

pub(super) fn list(world: &World, request: &Request, caller: &Caller, vnet: &str) -> Answer {
    if request.method != "GET" {
        return Err(method_not_allowed(request));
    }
    caller.need(world, &format!("{RESOURCE}/read"), vnet)?;
    let vnet = networks::existing(world, vnet)?;
    let all: Vec<Value> = vnet.peerings.iter().map(|p| json(world, vnet, p)).collect();
    Ok(Reply::ok(json!({"value": all})))
}

pub(super) fn one(world: &mut World, request: &Request, caller: &Caller, vnet: &str, name: &str) -> Answer {
    let id = format!("{vnet}/virtualNetworkPeerings/{name}");
    match request.method.as_str() {
        "GET" => {
            caller.need(world, &format!("{RESOURCE}/read"), &id)?;
            let vnet = networks::existing(world, vnet)?;
            let found = vnet.peerings.iter().find(|p| p.name.eq_ignore_ascii_case(name));
            let found = found.ok_or_else(|| errors::error(404, "NotFound", &format!("Resource {id} not found.")))?;
            Ok(Reply::ok(json(world, vnet, found)))
        }
        "PUT" => put(world, request, caller, vnet, name),
        "DELETE" => {
            caller.need(world, &format!("{RESOURCE}/delete"), &id)?;
            delete(world, vnet, name)
        }
        _ => Err(method_not_allowed(request)),
    }
}

fn put(world: &mut World, request: &Request, caller: &Caller, vnet: &str, name: &str) -> Answer {
    let id = format!("{vnet}/virtualNetworkPeerings/{name}");
    caller.need(world, &format!("{RESOURCE}/write"), &id)?;
    let body = body(request)?;
    let Some(remote) = text(&body, "/properties/remoteVirtualNetwork/id") else {
        let text = "Cannot parse the request: properties.remoteVirtualNetwork.id is required.";
        return Err(errors::error(400, "InvalidRequestFormat", text));
    };
    if ids::parse_vnet(remote).is_none() {
        let text = format!("Id '{remote}' is not a virtual network's resource id.");
        return Err(errors::error(400, "LinkedInvalidPropertyId", &text));
    }
    if text(&body, "/name").is_some_and(|n| !n.eq_ignore_ascii_case(name)) {
        let text = "The name in the request body does not match the name in the URL.";
        return Err(errors::error(400, "InvalidRequestFormat", text));
    }
    linked::authorize(world, request, caller, &id, remote)?;
    networks::existing(world, vnet)?;
    operations::idle(world, vnet)?;
    rules::check(world, vnet, name, remote)?;
    let sync = request.query("syncRemoteAddressSpace").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    let new = store(world, caller, vnet, name, remote, &body, sync);
    let started = operations::start(world, vnet, OperationKind::PutPeering(name.to_owned()));
    let own = networks::existing(world, vnet)?;
    let half = own.peerings.iter().find(|p| p.name.eq_ignore_ascii_case(name));
    let value = half.map(|p| json(world, own, p)).unwrap_or_default();
    Ok(started.created(world, if new { 201 } else { 200 }, value))
}

/// Writes the half as `Updating`; says whether it is new.
fn store(world: &mut World, caller: &Caller, vnet: &str, name: &str, remote: &str, body: &Value, sync: bool) -> bool {
    let flag = |name: &str, default: bool| {
        body.pointer(&format!("/properties/{name}")).and_then(Value::as_bool).unwrap_or(default)
    };
    let (allow_access, allow_forwarded) =
        (flag("allowVirtualNetworkAccess", true), flag("allowForwardedTraffic", false));
    let now = world.now();
    let Some(own) = world.vnet_mut(vnet) else { return false };
    if let Some(half) = own.peerings.iter_mut().find(|p| p.name.eq_ignore_ascii_case(name)) {
        half.provisioning = "Updating".to_owned();
        half.allow_access = allow_access;
        half.allow_forwarded = allow_forwarded;
        half.syncs = sync;
        half.written_by = caller.app_id.clone();
        half.etag = clock::uuid();
        return false;
    }
    own.peerings.push(Peering {
        name: name.to_owned(),
        remote: remote.to_owned(),
        state: "Initiated".to_owned(),
        provisioning: "Updating".to_owned(),
        allow_access,
        allow_forwarded,
        remote_prefixes: Vec::new(),
        syncs: true,
        written_by: caller.app_id.clone(),
        created_at: now,
        etag: clock::uuid(),
    });
    true
}

fn delete(world: &mut World, vnet: &str, name: &str) -> Answer {
    let own = networks::existing(world, vnet)?;
    if !own.peerings.iter().any(|p| p.name.eq_ignore_ascii_case(name)) {
        return Ok(Reply::empty(204));
    }
    operations::idle(world, vnet)?;
    if let Some(half) =
        world.vnet_mut(vnet).and_then(|v| v.peerings.iter_mut().find(|p| p.name.eq_ignore_ascii_case(name)))
    {
        half.provisioning = "Deleting".to_owned();
    }
    Ok(operations::start(world, vnet, OperationKind::DeletePeering(name.to_owned())).accept(world))
}

/// Whose half lacks the newest prefixes of the other's network.
fn sync_level(world: &World, vnet: &Vnet, half: &Peering) -> &'static str {
    let local = world.vnet(&half.remote).is_none_or(|remote| remote.prefixes == half.remote_prefixes);
    let other = world.half(&half.remote, &vnet.id);
    match (local, other.is_some_and(|other| other.remote_prefixes == vnet.prefixes)) {
        (true, true) => "FullyInSync",
        (true, false) => "RemoteNotInSync",
        (false, true) => "LocalNotInSync",
        (false, false) => "LocalAndRemoteNotInSync",
    }
}

pub(super) fn json(world: &World, vnet: &Vnet, half: &Peering) -> Value {
    let space = |prefixes: &[ipnet::Ipv4Net]| json!({"addressPrefixes": texts(prefixes)});
    // What is peered, and what the networks have by now (Microsoft.Network: VirtualNetworkPeeringPropertiesFormat).
    let other = world.half(&half.remote, &vnet.id).filter(|other| !other.remote_prefixes.is_empty());
    let local_peered = other.map_or(&vnet.prefixes, |other| &other.remote_prefixes);
    let remote_now = world.vnet(&half.remote).map_or(&half.remote_prefixes, |remote| &remote.prefixes);
    let level = sync_level(world, vnet, half);
    json!({
        "id": format!("{}/virtualNetworkPeerings/{}", vnet.id, half.name), "name": half.name,
        "type": RESOURCE, "etag": format!("W/\"{}\"", half.etag),
        "properties": {
            "provisioningState": half.provisioning, "peeringState": half.state, "peeringSyncLevel": level,
            "remoteVirtualNetwork": {"id": half.remote}, "remoteAddressSpace": space(&half.remote_prefixes),
            "remoteVirtualNetworkAddressSpace": space(remote_now), "localAddressSpace": space(local_peered),
            "localVirtualNetworkAddressSpace": space(&vnet.prefixes), "allowVirtualNetworkAccess": half.allow_access,
            "allowForwardedTraffic": half.allow_forwarded, "allowGatewayTransit": false, "useRemoteGateways": false,
            "doNotVerifyRemoteGateways": false, "peerCompleteVnets": true, "remoteBgpCommunities": null,
            "resourceGuid": half.etag
        }
    })
}
