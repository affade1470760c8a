//! Aiven VPCs: list, create, rename, delete.

use super::errors::error;
use super::{body, connections, find, json};
use crate::clouds::http::{Answer, Reply, Request, text};
use crate::clouds::world::{Owner, World};
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
    if body.get("peering_connections").is_none_or(|p| !p.is_array()) {
        return Err(error(400, "Invalid input: 'peering_connections' is a required property"));
    }
    let cloud = match &owner {
        Owner::Project(_) => body.clone(),
        Owner::Organization(_) => {
            let clouds = body["clouds"].as_array().filter(|c| c.len() == 1);
            clouds
                .map(|c| c[0].clone())
                .ok_or_else(|| error(400, "Invalid input: 'clouds' must have exactly 1 item"))?
        }
    };
    let name =
        text(&cloud, "/cloud_name").ok_or_else(|| error(400, "Invalid input: 'cloud_name' is a required property"))?;
    let cidr = text(&cloud, "/network_cidr").and_then(|c| c.parse::<Ipv4Net>().ok());
    let Some(cidr) = cidr.filter(|c| (20..=24).contains(&c.prefix_len())) else {
        return Err(error(400, "Invalid input: 'network_cidr' must be an IPv4 network with a prefix of /20 to /24"));
    };
    let (state, now) = (if world.lags.aiven_vpc_build.is_zero() { "ACTIVE" } else { "APPROVED" }, world.now());
    let id = world.new_aiven_vpc(owner, name, cidr, state, now);
    let display_name = text(&body, "/display_name").unwrap_or_default().to_owned();
    if let Some(vpc) = world.aiven_vpc_mut(&id) {
        vpc.display_name = display_name;
    }
    let lag = world.lags.aiven_vpc_build;
    let built = id.clone();
    world.after(lag, move |world| {
        if let Some(vpc) = world.aiven_vpc_mut(&built).filter(|v| v.state == "APPROVED") {
            vpc.state = "ACTIVE".to_owned();
        }
    });
    let vpc: Option<Value> = world.aiven_vpc(&id).map(|v| json::vpc(v, true));
    Ok(Reply::ok(vpc.unwrap_or_default()))
}

pub(super) fn rename(world: &mut World, request: &Request, owner: &Owner, id: &str) -> Answer {
    let body = body(request)?;
    let index = find(world, owner, id)?;
    let vpc = &mut world.aiven_vpcs[index];
    vpc.display_name = text(&body, "/display_name").unwrap_or_default().to_owned();
    Ok(Reply::ok(json::vpc(vpc, true)))
}

/// Deleting a VPC ends its peerings; a VPC with services is refused.
pub(super) fn delete(world: &mut World, owner: &Owner, id: &str) -> Answer {
    let index = find(world, owner, id)?;
    let used = world.projects.iter().flat_map(|p| &p.services).any(|s| s["project_vpc_id"] == id);
    if used {
        return Err(error(
            409,
            "VPC cannot be deleted while there are services in the VPC or they were very recently deleted",
        ));
    }
    let connections: Vec<String> =
        world.aiven_vpcs[index].connections.iter().filter(|c| c.live()).map(|c| c.id.clone()).collect();
    for connection in connections {
        connections::end(world, id, &connection);
    }
    world.aiven_vpcs[index].state = "DELETING".to_owned();
    let answer = json::vpc(&world.aiven_vpcs[index], true);
    let (gone, lag) = (id.to_owned(), world.lags.aiven_deleting + world.lags.aiven_deleted_lingers);
    world.after(lag, move |world| {
        let vnet = world.aiven_vpc(&gone).map(|v| v.azure_vnet.clone());
        world.aiven_vpcs.retain(|v| v.id != gone);
        if let Some(vnet) = vnet {
            crate::clouds::arm::halves::remove_network(world, &vnet);
        }
    });
    Ok(Reply::ok(answer))
}
