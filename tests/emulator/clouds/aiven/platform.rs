//! The Aiven platform: what it does behind its API, on its own clock.

use super::{find, json};
use crate::clouds::arm::{halves, ids, rules};
use crate::clouds::clock;
use crate::clouds::http::{Answer, Reply};
use crate::clouds::world::{AssignedRole, Connection, Owner, Peering, RoleDefinition, ServicePrincipal, World};
use jiff::Timestamp;
use serde_json::{Map, Value, json as object};

const PEER: &str = "Microsoft.Network/virtualNetworks/peer/action";

/// Asks the platform to look soon; it is at work until `pending_build_only_peering_connections` is null again.
pub(super) fn refresh(world: &mut World, owner: &Owner, id: &str) -> Answer {
    let index = find(world, owner, id)?;
    let soon = world.due_in(world.lags.aiven_refresh);
    let vpc = &mut world.aiven_vpcs[index];
    vpc.refresh_until = Some((soon, clock::uuid()));
    for connection in vpc.connections.iter_mut().filter(|c| matches!(c.state.as_str(), "PENDING_PEER" | "ACTIVE")) {
        connection.look_at = connection.look_at.min(soon);
    }
    Ok(Reply::ok(json::vpc(vpc, true)))
}

/// Does everything that is due.
pub(crate) fn run(world: &mut World) {
    let now = world.now();
    let mut due = Vec::new();
    for vpc in &mut world.aiven_vpcs {
        if vpc.refresh_until.as_ref().is_some_and(|(until, _)| *until <= now) {
            vpc.refresh_until = None;
        }
        let mine = vpc.connections.iter().filter(|c| c.look_at <= now);
        due.extend(mine.map(|c| (vpc.id.clone(), c.id.clone(), c.state.clone())));
    }
    for (vpc, connection, state) in due {
        match state.as_str() {
            "APPROVED" => build(world, &vpc, &connection),
            "PENDING_PEER" | "ACTIVE" => look(world, &vpc, &connection),
            "DELETING" => tear_down(world, &vpc, &connection),
            "DELETED" => {
                if let Some(vpc) = world.aiven_vpc_mut(&vpc) {
                    vpc.connections.retain(|c| c.id != connection);
                }
            }
            _ => {}
        }
    }
}

/// Sets the state and when to look again; states that nothing leaves are not looked at any more.
fn set(world: &mut World, vpc: &str, connection: &str, state: &str, info: Option<Map<String, Value>>) {
    let (now, poll) = (world.now(), world.due_in(world.lags.aiven_poll));
    let gone = world.due_in(world.lags.aiven_deleted_lingers);
    if let Some(connection) = world.connection_mut(vpc, connection) {
        connection.state = state.to_owned();
        connection.state_info = info;
        connection.updated_at = now;
        connection.look_at = match state {
            "PENDING_PEER" | "ACTIVE" => poll,
            "DELETED" => gone,
            _ => Timestamp::MAX,
        };
    }
}

fn message(kind: &str, text: &str) -> Option<Map<String, Value>> {
    object!({"type": kind, "message": text, "warnings": []}).as_object().cloned()
}

/// APPROVED → PENDING_PEER, if the user's side allows it.
pub(crate) fn build(world: &mut World, vpc: &str, id: &str) {
    if let Some((state, nominal)) = world.upsets.unknown_state.take() {
        return show_unknown(world, vpc, id, &state, nominal);
    }
    if let Some(state) = world.upsets.refuse_connections.pop_front() {
        return set(world, vpc, id, &state, message("azure-peering-failed", "The peering was refused."));
    }
    let Some((connection, azure_vnet)) = snapshot(world, vpc, id) else { return };
    if let Err((state, text)) = judge(world, &connection, &azure_vnet) {
        return set(world, vpc, id, state, message("azure-peering-failed", &text));
    }
    admit_user_application(world, &connection, &azure_vnet);
    make_half(world, &azure_vnet, &connection.user_vnet());
    let info = object!({
        "type": "azure-peering-pending-peer", "message": "Waiting for the peering from the user's virtual network.",
        "to-tenant-id": world.aiven_tenant, "to-network-id": azure_vnet, "warnings": []
    });
    set(world, vpc, id, "PENDING_PEER", info.as_object().cloned());
    if let Some(nominal) = world.upsets.forget_state_info_after {
        let (vpc, id) = (vpc.to_owned(), id.to_owned());
        world.after(nominal, move |world| {
            if let Some(connection) = world.connection_mut(&vpc, &id) {
                connection.state_info = None;
            }
        });
    }
}

fn show_unknown(world: &mut World, vpc: &str, id: &str, state: &str, nominal: std::time::Duration) {
    set(world, vpc, id, state, None);
    let (vpc, id, unknown) = (vpc.to_owned(), id.to_owned(), state.to_owned());
    world.after(nominal, move |world| {
        let now = world.now();
        if let Some(connection) = world.connection_mut(&vpc, &id).filter(|c| c.state == unknown) {
            connection.state = "APPROVED".to_owned();
            connection.look_at = now;
        }
    });
}

fn snapshot(world: &World, vpc: &str, id: &str) -> Option<(Connection, String)> {
    let vpc = world.aiven_vpc(vpc)?;
    let connection = vpc.connections.iter().find(|c| c.id == id)?;
    Some((connection.clone(), vpc.azure_vnet.clone()))
}

type Verdict = Result<(), (&'static str, String)>;

fn rejected(text: String) -> Verdict {
    Err(("REJECTED_BY_PEER", text))
}

fn invalid(text: String) -> Verdict {
    Err(("INVALID_SPECIFICATION", text))
}

/// What Aiven needs of the user's side (Aiven: Azure VNet peering how-to).
fn judge(world: &World, connection: &Connection, azure_vnet: &str) -> Verdict {
    let app = world.application(&connection.app_id);
    if !app.is_some_and(|a| a.tenant == connection.tenant && a.multi_tenant()) {
        let id = &connection.app_id;
        return rejected(format!("peer_azure_app_id '{id}' does not refer to a valid application object"));
    }
    let Some(aiven) = world.service_principal(&connection.tenant, &world.aiven_application).filter(|p| p.enabled)
    else {
        return rejected(format!("Aiven's application has no service principal in tenant {}", connection.tenant));
    };
    let user = connection.user_vnet();
    let vnet = world.vnet(&user).filter(|_| world.tenant_of(&user) == Some(connection.tenant.as_str()));
    let Some(vnet) = vnet else {
        return invalid(format!("The virtual network {user} does not exist"));
    };
    if !world.allows(&aiven.id, PEER, &vnet.id) {
        return invalid(format!("Aiven's application has no permission {PEER} on {user}"));
    }
    if vnet.peerings.iter().any(|p| p.remote.eq_ignore_ascii_case(azure_vnet) && p.state == "Disconnected") {
        return invalid(format!("The peering from {user} is in Disconnected state"));
    }
    let Some(own) = world.vnet(azure_vnet) else { return invalid("Aiven's network is gone".to_owned()) };
    let others = own.peerings.iter().filter(|p| !p.remote.eq_ignore_ascii_case(&vnet.id));
    let peered = others.filter_map(|p| world.vnet(&p.remote)).flat_map(|v| v.prefixes.clone());
    let taken: Vec<_> = own.prefixes.iter().copied().chain(peered).collect();
    let overlap = rules::overlapping(&vnet.prefixes, &taken);
    if !overlap.is_empty() {
        return invalid(format!("The virtual network's address space overlaps: {}", overlap.join(", ")));
    }
    match rules::overlap(world, own, vnet) {
        Ok(()) => Ok(()),
        Err(_) => invalid(format!("{user} is peered with a network whose address space overlaps the VPC's")),
    }
}

/// The user's application gets a service principal in Aiven's tenant that may peer to this one network.
fn admit_user_application(world: &mut World, connection: &Connection, azure_vnet: &str) {
    let (tenant, now) = (world.aiven_tenant.clone(), world.now());
    let principal = match world.service_principal(&tenant, &connection.app_id) {
        Some(known) => known.id.clone(),
        None => {
            let id = clock::uuid();
            world.service_principals.push(ServicePrincipal {
                id: id.clone(),
                app_id: connection.app_id.clone(),
                tenant: tenant.clone(),
                display_name: "user application".to_owned(),
                managed_identity: false,
                enabled: true,
                owner: None,
                created_at: now,
                created_by_key: None,
            });
            id
        }
    };
    let role = peer_role(world, &tenant);
    let known = world
        .role_assignments
        .iter()
        .any(|a| a.scope.eq_ignore_ascii_case(azure_vnet) && a.role == role && a.principal_id == principal);
    if !known {
        let effective_at = Some(world.due_in(world.lags.aiven_grant));
        world.role_assignments.push(AssignedRole {
            name: clock::uuid(),
            scope: azure_vnet.to_owned(),
            role,
            principal_id: principal,
            principal_type: "ServicePrincipal".to_owned(),
            condition: None,
            created_at: now,
            created_by: world.aiven_application.clone(),
            effective_at,
        });
    }
}

fn peer_role(world: &mut World, tenant: &str) -> String {
    let name = "aiven-peer-only";
    if let Some(known) = world.role_definitions.iter().find(|d| d.tenant == tenant && d.role_name == name) {
        return known.name.clone();
    }
    let id = clock::uuid();
    world.role_definitions.push(RoleDefinition {
        name: id.clone(),
        tenant: tenant.to_owned(),
        role_name: name.to_owned(),
        description: String::new(),
        actions: vec![PEER.to_owned(), "Microsoft.Network/virtualNetworks/read".to_owned()],
        not_actions: Vec::new(),
        data_actions: Vec::new(),
        assignable_scopes: vec![format!("/subscriptions/{}", world.aiven_subscription)],
        created_at: world.now(),
    });
    id
}

fn make_half(world: &mut World, azure_vnet: &str, user_vnet: &str) {
    let (created_at, written_by) = (world.now(), world.aiven_application.clone());
    let remote = world.vnet(user_vnet).map_or_else(|| user_vnet.to_owned(), |v| v.id.clone());
    if let Some(half) = world.half_mut(azure_vnet, &remote) {
        half.syncs = true;
        let name = half.name.clone();
        return halves::settle(world, azure_vnet, &name, true);
    }
    let name = format!("to-{}-{}", ids::name(&remote), &clock::uuid()[..8]);
    if let Some(vnet) = world.vnet_mut(azure_vnet) {
        vnet.peerings.push(Peering {
            name: name.clone(),
            remote,
            state: "Initiated".to_owned(),
            provisioning: "Updating".to_owned(),
            allow_access: true,
            allow_forwarded: false,
            remote_prefixes: Vec::new(),
            syncs: true,
            written_by,
            created_at,
            etag: clock::uuid(),
        });
    }
    halves::settle(world, azure_vnet, &name, true);
}

/// PENDING_PEER → ACTIVE once both halves are there; either → DELETED_BY_PEER once the user's has gone.
fn look(world: &mut World, vpc: &str, id: &str) {
    let Some((connection, azure_vnet)) = snapshot(world, vpc, id) else { return };
    let user = connection.user_vnet();
    let ours = world.half(&azure_vnet, &user).map(|h| h.state.clone());
    let theirs = world.half(&user, &azure_vnet).is_some();
    let connected = theirs && ours.as_deref() == Some("Connected");
    match connection.state.as_str() {
        _ if !theirs && connection.seen_user_half => {
            let info = message("azure-peering-deleted", "The peering from the user's virtual network was deleted.");
            set(world, vpc, id, "DELETED_BY_PEER", info);
        }
        "PENDING_PEER" if connected => {
            // Nobody has documented that the ids stay: clients must not need them any more.
            set(world, vpc, id, "ACTIVE", message("azure-peering-active", "The peering is active."));
        }
        state => {
            let (state, info) = (state.to_owned(), connection.state_info.clone());
            set(world, vpc, id, &state, info);
        }
    }
    if let Some(connection) = world.connection_mut(vpc, id) {
        connection.seen_user_half |= theirs;
    }
}

/// Starts the end of a connection; one that ends already goes on as it did.
pub(crate) fn end(world: &mut World, vpc: &str, connection: &str) {
    let (now, look_at) = (world.now(), world.due_in(world.lags.aiven_deleting));
    if let Some(connection) = world.connection_mut(vpc, connection).filter(|c| c.live()) {
        connection.state = "DELETING".to_owned();
        connection.state_info = None;
        connection.updated_at = now;
        connection.look_at = look_at;
    }
}

/// A failure that nothing of ours explains.
pub(crate) fn fail(world: &mut World, vpc: &str, id: &str, state: &str) {
    set(world, vpc, id, state, message("azure-peering-failed", "The peering has failed."));
}

/// Removes Aiven's half and what it granted.
fn tear_down(world: &mut World, vpc: &str, id: &str) {
    let Some((connection, azure_vnet)) = snapshot(world, vpc, id) else { return };
    let others = world
        .aiven_vpc(vpc)
        .is_some_and(|v| v.connections.iter().any(|c| c.id != id && c.live() && c.app_id == connection.app_id));
    if let Some(name) = world.half(&azure_vnet, &connection.user_vnet()).map(|h| h.name.clone()) {
        halves::remove(world, &azure_vnet, &name);
    }
    let principal =
        world.service_principal(&world.aiven_tenant, &connection.app_id).map(|p| p.id.clone()).unwrap_or_default();
    if !others {
        world.role_assignments.retain(|a| !(a.scope.eq_ignore_ascii_case(&azure_vnet) && a.principal_id == principal));
    }
    set(world, vpc, id, "DELETED", None);
}
