//! Aiven VPCs: list, create, rename, delete.

use super::errors::error;
use super::{body, connections, find, json, platform};
use crate::clouds::http::{Answer, Reply, Request, text};
use crate::clouds::world::{AivenVpc, Owner, World};
use ipnet::Ipv4Net;
use serde_json::{Value, json as object};

pub(super) fn list(world: &World, owner: &Owner) -> Reply {
    let mine = world.aiven_vpcs.iter().filter(|v| v.owner == *owner);
    Reply::ok(object!({"vpcs": mine.map(|v| json::vpc(v, false)).collect::<Vec<_>>()}))
}

pub(super) fn get(world: &mut World, owner: &Owner, id: &str) -> Answer {
    let index = find(world, owner, id)?;
    let vpc = &mut world.aiven_vpcs[index];
    let answer = json::vpc(vpc, true);
    if world.upsets.forget_state_info_once_shown {
        for connection in vpc.connections.iter_mut().filter(|c| c.state == "PENDING_PEER") {
            connection.state_info = None;
        }
    }
    Ok(Reply::ok(answer))
}

pub(super) fn create(world: &mut World, request: &Request, owner: Owner) -> Answer {
    let body = body(request)?;
    let peerings = body.get("peering_connections").and_then(Value::as_array);
    let Some(peerings) = peerings.cloned() else { return Err(missing("peering_connections")) };
    if peerings.len() > 128 {
        return Err(invalid("'peering_connections' has more than 128 items"));
    }
    let display_name = display_name(&body)?;
    let cloud = match &owner {
        Owner::Project(_) => body,
        Owner::Organization(_) => {
            let clouds = body["clouds"].as_array().filter(|c| c.len() == 1);
            clouds.map(|c| c[0].clone()).ok_or_else(|| invalid("'clouds' must have exactly 1 item"))?
        }
    };
    let (name, cidr) = (cloud_name(&cloud)?, network_cidr(&cloud)?);
    overlap(world, &owner, &name, cidr)?;
    let wanted = peerings.iter().map(|p| connections::wanted(p, &name)).collect::<Answer<Vec<_>>>()?;
    let (state, now) = (if world.lags.aiven_vpc_build.is_zero() { "ACTIVE" } else { "APPROVED" }, world.now());
    let id = world.new_aiven_vpc(owner, &name, cidr, state, now);
    let look_at = world.due_in(world.lags.aiven_vpc_build + world.lags.aiven_build);
    if let Some(vpc) = world.aiven_vpc_mut(&id) {
        vpc.display_name = display_name;
        vpc.connections = wanted.into_iter().map(|w| w.connection(now, look_at)).collect();
    }
    become_active(world, &id);
    let vpc: Option<Value> = world.aiven_vpc(&id).map(|v| json::vpc(v, true));
    Ok(Reply::ok(vpc.unwrap_or_default()))
}

fn become_active(world: &mut World, id: &str) {
    let (lag, built) = (world.lags.aiven_vpc_build, id.to_owned());
    world.after(lag, move |world| {
        let now = world.now();
        if let Some(vpc) = world.aiven_vpc_mut(&built).filter(|v| v.state == "APPROVED") {
            vpc.state = "ACTIVE".to_owned();
            vpc.updated_at = now;
        }
    });
}

fn invalid(text: &str) -> Reply {
    error(400, &format!("Invalid input: {text}"))
}

fn missing(name: &str) -> Reply {
    invalid(&format!("'{name}' is a required property"))
}

fn display_name(body: &Value) -> Answer<String> {
    let name = text(body, "/display_name").unwrap_or_default();
    if name.chars().count() > 64 {
        return Err(invalid("'display_name' is longer than 64 characters"));
    }
    Ok(name.to_owned())
}

/// This Aiven has no clouds but Azure's; Managed Service for TimescaleDB calls them `timescale-azure-…`.
fn cloud_name(cloud: &Value) -> Answer<String> {
    let name = text(cloud, "/cloud_name").ok_or_else(|| missing("cloud_name"))?;
    let region = name.strip_prefix("timescale-").unwrap_or(name).strip_prefix("azure-");
    match region {
        Some(region) if !region.is_empty() && name.len() <= 256 => Ok(name.to_owned()),
        _ => Err(error(400, &format!("Cloud '{name}' is not available"))),
    }
}

fn network_cidr(cloud: &Value) -> Answer<Ipv4Net> {
    let given = text(cloud, "/network_cidr").ok_or_else(|| missing("network_cidr"))?;
    let cidr = given.parse::<Ipv4Net>().ok().filter(|c| (20..=24).contains(&c.prefix_len()));
    let cidr = cidr.ok_or_else(|| invalid("'network_cidr' must be an IPv4 network with a prefix of /20 to /24"))?;
    if cidr.trunc() != cidr {
        return Err(invalid(&format!("'network_cidr' {given} has host bits set")));
    }
    Ok(cidr)
}

/// Only when an upset asks for it: an owner's VPCs may overlap as far as any source goes.
fn overlap(world: &World, owner: &Owner, cloud: &str, cidr: Ipv4Net) -> Answer<()> {
    let meets = |v: &&AivenVpc| {
        v.owner == *owner
            && v.cloud == cloud
            && v.state != "DELETED"
            && (v.cidr.contains(&cidr) || cidr.contains(&v.cidr))
    };
    match world.aiven_vpcs.iter().find(meets).filter(|_| world.upsets.refuse_overlapping_vpcs) {
        Some(other) => Err(error(409, &format!("network_cidr {cidr} overlaps with that of VPC {}", other.id))),
        None => Ok(()),
    }
}

pub(super) fn rename(world: &mut World, request: &Request, owner: &Owner, id: &str) -> Answer {
    let display_name = display_name(&body(request)?)?;
    let index = find(world, owner, id)?;
    let vpc = &mut world.aiven_vpcs[index];
    vpc.display_name = display_name;
    Ok(Reply::ok(json::vpc(vpc, true)))
}

/// Deleting a VPC ends its peerings; a VPC with services, or with what is left of one, is refused.
pub(super) fn delete(world: &mut World, owner: &Owner, id: &str) -> Answer {
    let index = find(world, owner, id)?;
    let used = world.projects.iter().flat_map(|p| &p.services).any(|s| s.vpc.as_deref() == Some(id));
    let draining = world.aiven_vpcs[index].draining_until.is_some_and(|until| until > world.now());
    if used || draining {
        return Err(error(
            409,
            "VPC cannot be deleted while there are services in the VPC or they were very recently deleted",
        ));
    }
    if !matches!(world.aiven_vpcs[index].state.as_str(), "DELETING" | "DELETED") {
        start_deletion(world, index);
    }
    Ok(Reply::ok(json::vpc(&world.aiven_vpcs[index], true)))
}

/// DELETING → DELETED, listed for a while → gone.
pub(crate) fn start_deletion(world: &mut World, index: usize) {
    let id = world.aiven_vpcs[index].id.clone();
    let connections: Vec<String> =
        world.aiven_vpcs[index].connections.iter().filter(|c| c.live()).map(|c| c.id.clone()).collect();
    for connection in connections {
        platform::end(world, &id, &connection);
    }
    set_state(world, &id, "DELETING");
    world.after(world.lags.aiven_deleting, move |world| {
        set_state(world, &id, "DELETED");
        if let Some(vnet) = world.aiven_vpc(&id).map(|v| v.azure_vnet.clone()) {
            crate::clouds::arm::halves::remove_network(world, &vnet);
        }
        let lingers = world.lags.aiven_deleted_lingers;
        world.after(lingers, move |world| world.aiven_vpcs.retain(|v| v.id != id));
    });
}

fn set_state(world: &mut World, id: &str, state: &str) {
    let now = world.now();
    if let Some(vpc) = world.aiven_vpc_mut(id) {
        vpc.state = state.to_owned();
        vpc.updated_at = now;
    }
}
