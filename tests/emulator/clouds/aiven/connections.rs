//! Peering connections: create, delete, user networks.

use super::errors::{coded, error};
use super::{body, find, json, platform};
use crate::clouds::clock;
use crate::clouds::http::{Answer, Reply, Request, text};
use crate::clouds::world::{AivenVpc, Connection, Owner, World};
use jiff::Timestamp;
use serde_json::Value;

/// What a user must give for Azure, checked.
pub(super) struct Wanted {
    subscription: String,
    resource_group: String,
    vnet: String,
    app_id: String,
    tenant: String,
    cidrs: Vec<String>,
}

impl Wanted {
    /// The connection as it begins.
    pub(super) fn connection(self, now: Timestamp, look_at: Timestamp) -> Connection {
        Connection {
            id: clock::uuid(),
            subscription: self.subscription,
            resource_group: self.resource_group,
            vnet: self.vnet,
            app_id: self.app_id,
            tenant: self.tenant,
            state: "APPROVED".to_owned(),
            state_info: None,
            cidrs: self.cidrs,
            created_at: now,
            updated_at: now,
            look_at,
            seen_user_half: false,
        }
    }
}

pub(super) fn create(world: &mut World, request: &Request, owner: &Owner, id: &str) -> Answer {
    let index = find(world, owner, id)?;
    if let Some((status, code, text)) = world.upsets.refuse_creations.pop_front() {
        return Err(coded(status, &code, &text));
    }
    let wanted = wanted(&body(request)?, &world.aiven_vpcs[index].cloud)?;
    if world.aiven_vpcs[index].state != "ACTIVE" {
        return Err(error(409, "VPC is not in state ACTIVE"));
    }
    let (now, look_at) = (world.now(), world.due_in(world.lags.aiven_build));
    let vpc = &mut world.aiven_vpcs[index];
    let existing = vpc
        .connections
        .iter()
        .position(|c| c.is(&wanted.subscription, &wanted.resource_group, &wanted.vnet) && c.state != "DELETED");
    if let Some(existing) = existing {
        let connection = &mut vpc.connections[existing];
        revive(connection, now, look_at);
        return Ok(Reply::ok(incomplete(vpc, existing)));
    }
    vpc.connections.push(wanted.connection(now, look_at));
    Ok(Reply::ok(incomplete(vpc, vpc.connections.len() - 1)))
}

/// A POST of a failed tuple requests it again, with the application it had; of any other it changes nothing
/// (terraform-provider-aiven: project peering).
fn revive(connection: &mut Connection, now: Timestamp, look_at: Timestamp) {
    if matches!(connection.state.as_str(), "REJECTED_BY_PEER" | "INVALID_SPECIFICATION" | "ERROR") {
        connection.state = "APPROVED".to_owned();
        connection.state_info = None;
        connection.updated_at = now;
        connection.look_at = look_at;
    }
}

/// A project's answer to a POST leaves `peer_region` out (terraform-provider-aiven: read again after it). An
/// organization's cannot: avn 4.18 crashes without it.
fn incomplete(vpc: &AivenVpc, index: usize) -> Value {
    let mut value = json::connection(vpc, &vpc.connections[index]);
    if let (Owner::Project(_), Some(object)) = (&vpc.owner, value.as_object_mut()) {
        object.remove("peer_region");
    }
    value
}

pub(super) fn wanted(body: &Value, cloud: &str) -> Answer<Wanted> {
    let given = |name: &str| -> Answer<String> {
        let value = text(body, &format!("/{name}")).filter(|t| !t.is_empty());
        let value = value.ok_or_else(|| error(400, &format!("Invalid input: '{name}' is a required property")))?;
        if value.chars().any(char::is_uppercase) {
            return Err(error(400, &format!("{name} must be in lower case. Got {value} instead")));
        }
        Ok(value.to_owned())
    };
    let uuid = |name: &str| -> Answer<String> {
        let value = given(name)?;
        match uuid::Uuid::parse_str(&value) {
            Ok(_) => Ok(value),
            Err(_) => Err(error(400, &format!("{name} must be a valid UUID. Got {value} instead"))),
        }
    };
    if body["peer_resource_group"].as_str().is_none_or(str::is_empty) {
        return Err(group_missing(cloud));
    }
    let subscription = uuid("peer_cloud_account")?;
    if body.get("peer_region").is_some_and(|r| !r.is_null()) {
        return Err(error(400, "peer_region is not supported for Azure"));
    }
    let cidrs = body["user_peer_network_cidrs"].as_array().into_iter().flatten();
    let cidrs: Vec<String> = cidrs.map(|cidr| valid_cidr(cidr.as_str().unwrap_or_default())).collect::<Answer<_>>()?;
    if cidrs.len() > 128 {
        return Err(error(400, "Invalid input: 'user_peer_network_cidrs' has more than 128 items"));
    }
    Ok(Wanted {
        subscription,
        resource_group: given("peer_resource_group")?,
        vnet: given("peer_vpc")?,
        app_id: uuid("peer_azure_app_id")?,
        tenant: uuid("peer_azure_tenant_id")?,
        cidrs,
    })
}

pub(super) fn group_missing(cloud: &str) -> Reply {
    error(
        400,
        &format!("peer_resource_group must be a valid Azure Resource Group name for cloud {cloud}. Got None instead"),
    )
}

pub(super) fn delete_by_id(world: &mut World, owner: &Owner, vpc: &str, connection: &str) -> Answer {
    let index = find(world, owner, vpc)?;
    let known = world.aiven_vpcs[index].connections.iter().any(|c| c.id == connection);
    if !known {
        return Err(error(404, "Peering connection does not exist"));
    }
    deleted(world, index, connection)
}

/// The path must spell the tuple as it is stored; of several with the tuple the live one is meant.
pub(super) fn delete_by_tuple(
    world: &mut World,
    owner: &Owner,
    vpc: &str,
    account: &str,
    group: &str,
    vnet: &str,
) -> Answer {
    let index = find(world, owner, vpc)?;
    let found: Vec<&Connection> =
        world.aiven_vpcs[index].connections.iter().filter(|c| c.is(account, group, vnet)).collect();
    let Some(connection) = found.iter().find(|c| c.live()).or(found.last()).map(|c| c.id.clone()) else {
        return Err(error(404, "VPC peering connection does not exist"));
    };
    deleted(world, index, &connection)
}

fn deleted(world: &mut World, index: usize, connection: &str) -> Answer {
    let vpc = world.aiven_vpcs[index].id.clone();
    platform::end(world, &vpc, connection);
    let vpc = &world.aiven_vpcs[index];
    let found = vpc.connections.iter().find(|c| c.id == connection);
    Ok(Reply::ok(found.map(|c| json::connection(vpc, c)).unwrap_or_default()))
}

/// Adds and removes user networks of any of the VPC's connections: all of it or, when any part is wrong, nothing.
pub(super) fn set_cidrs(world: &mut World, request: &Request, owner: &Owner, id: &str) -> Answer {
    let (index, body) = (find(world, owner, id)?, body(request)?);
    let mut after = world.aiven_vpcs[index].connections.clone();
    for item in items(&body, "add")? {
        let part = |name: &str| text(item, &format!("/{name}")).unwrap_or_default();
        let cidr = valid_cidr(part("cidr"))?;
        let (account, group, vnet) = (part("peer_cloud_account"), part("peer_resource_group"), part("peer_vpc"));
        if account.is_empty() || vnet.is_empty() {
            return Err(error(400, "Invalid input: 'peer_cloud_account' and 'peer_vpc' are required properties"));
        }
        let found = after.iter_mut().find(|c| c.live() && c.is(account, group, vnet));
        add(found.ok_or_else(|| error(404, "VPC peering connection does not exist"))?, cidr)?;
    }
    remove(&mut after, &body)?;
    Ok(replaced(world, index, after))
}

pub(super) fn set_cidrs_of(world: &mut World, request: &Request, owner: &Owner, id: &str, connection: &str) -> Answer {
    let (index, body) = (find(world, owner, id)?, body(request)?);
    let mut after = world.aiven_vpcs[index].connections.clone();
    let found = after.iter_mut().find(|c| c.live() && c.id == connection);
    let found = found.ok_or_else(|| error(404, "Peering connection does not exist"))?;
    for item in items(&body, "add")? {
        add(found, valid_cidr(text(item, "/cidr").unwrap_or_default())?)?;
    }
    remove(std::slice::from_mut(found), &body)?;
    Ok(replaced(world, index, after))
}

/// User networks are routes: a connection stays in its state while they change.
fn replaced(world: &mut World, index: usize, connections: Vec<Connection>) -> Reply {
    let now = world.now();
    let vpc = &mut world.aiven_vpcs[index];
    for (before, mut after) in vpc.connections.iter_mut().zip(connections) {
        if before.cidrs != after.cidrs {
            after.updated_at = now;
            *before = after;
        }
    }
    Reply::ok(json::vpc(vpc, true))
}

/// `add` or `delete`: a list of at most 128 items, if it is there.
fn items<'a>(body: &'a Value, name: &str) -> Answer<&'a [Value]> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(all)) if all.len() <= 128 => Ok(all),
        Some(Value::Array(_)) => Err(error(400, &format!("Invalid input: '{name}' has more than 128 items"))),
        Some(_) => Err(error(400, &format!("Invalid input: '{name}' is not an array"))),
    }
}

fn valid_cidr(cidr: &str) -> Answer<String> {
    let valid = cidr.parse::<ipnet::Ipv4Net>().is_ok();
    valid.then(|| cidr.to_owned()).ok_or_else(|| error(400, &format!("Invalid input: '{cidr}' is not an IPv4 network")))
}

fn add(connection: &mut Connection, cidr: String) -> Answer<()> {
    if connection.cidrs.contains(&cidr) {
        return Ok(());
    }
    if connection.cidrs.len() == 128 {
        return Err(error(400, "Invalid input: 'user_peer_network_cidrs' has more than 128 items"));
    }
    connection.cidrs.push(cidr);
    Ok(())
}

fn remove(connections: &mut [Connection], body: &Value) -> Answer<()> {
    let gone: Vec<&str> = items(body, "delete")?.iter().filter_map(Value::as_str).collect();
    for connection in connections {
        connection.cidrs.retain(|c| !gone.contains(&c.as_str()));
    }
    Ok(())
}
