//! What was there before anybody asked: the ten things that a first peering makes, made by hand, long ago.

use emulator::clouds::{AIVEN_APPLICATION, Pair, World};

#[allow(missing_docs, reason = "a thing is what its name says")]
/// In the order of the runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    Application,
    Principal,
    Credential,
    PeeringRole,
    Assignment,
    AivenPrincipal,
    AivenRole,
    AivenAssignment,
    Connection,
    Half,
}

use Thing::{
    AivenAssignment, AivenPrincipal, AivenRole, Application, Assignment, Connection, Credential, Half, PeeringRole,
    Principal,
};

/// All of them, in order.
pub const ALL: [Thing; 10] = [
    Application,
    Principal,
    Credential,
    PeeringRole,
    Assignment,
    AivenPrincipal,
    AivenRole,
    AivenAssignment,
    Connection,
    Half,
];

/// Makes everything for a pair up to a thing, itself included; what is there already is used.
pub fn up_to(world: &mut World, pair: &Pair, last: Thing) {
    ALL.into_iter().filter(|thing| *thing <= last).for_each(|thing| make(world, pair, thing));
}

/// Makes a thing as a person would have; those before it in the runbook must be there.
fn make(world: &mut World, pair: &Pair, thing: Thing) {
    let home = world.home_tenant.clone();
    let subscription = pair.vnet.split('/').nth(2).unwrap().to_owned();
    let app = world.applications.iter().find(|a| a.unique_name.is_some()).map(|a| a.app_id.clone()).unwrap_or_default();
    match thing {
        Application if app.is_empty() => {
            world.add_application(&home, "by hand", Some("aiven-azure-peering-default"), true);
        }
        Principal if world.service_principal(&home, &app).is_none() => drop(world.add_service_principal(&home, &app)),
        Credential if world.application(&app).unwrap().federated_credentials.is_empty() => {
            world.add_federated_credential(&app, "by-hand").unwrap();
        }
        PeeringRole => role(world, &subscription, "peering writer", PEERING_ACTIONS),
        Assignment => assign(world, pair, "peering writer", &app),
        AivenPrincipal if world.service_principal(&home, AIVEN_APPLICATION).is_none() => {
            world.add_service_principal(&home, AIVEN_APPLICATION);
        }
        AivenRole => role(world, &subscription, "peer only", &["Microsoft.Network/virtualNetworks/peer/action"]),
        AivenAssignment => assign(world, pair, "peer only", AIVEN_APPLICATION),
        Connection => {
            let id = world.add_connection(&pair.vpc_id, &pair.vnet, &app, "APPROVED").unwrap();
            world.build_connection(&pair.vpc_id, &id);
        }
        Half => {
            let remote = world.aiven_vpc(&pair.vpc_id).unwrap().azure_vnet.clone();
            let name = format!("by-hand-{}", &pair.vpc_id[..8]);
            world.peer_by_hand(&pair.vnet, &name, &remote);
            let connections = world.aiven_vpc_mut(&pair.vpc_id).unwrap().connections.iter_mut();
            connections.filter(|c| c.state == "PENDING_PEER").for_each(|c| c.state = "ACTIVE".to_owned());
        }
        Application | Principal | Credential | AivenPrincipal => {}
    }
}

const PEERING_ACTIONS: &[&str] = &[
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/virtualNetworks/peer/action",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete",
    "Microsoft.Network/locations/operations/read",
    "Microsoft.Network/locations/operationResults/read",
];

fn role_name(subscription: &str, purpose: &str) -> String {
    format!("Aiven peering default: {purpose} ({subscription})")
}

fn role(world: &mut World, subscription: &str, purpose: &str, actions: &[&str]) {
    let name = role_name(subscription, purpose);
    if !world.role_definitions.iter().any(|role| role.role_name == name) {
        world.add_role_definition(subscription, None, &name, actions);
    }
}

fn assign(world: &mut World, pair: &Pair, purpose: &str, app: &str) {
    let name = role_name(pair.vnet.split('/').nth(2).unwrap(), purpose);
    let role = world.role_definitions.iter().find(|role| role.role_name == name).unwrap().name.clone();
    let home = world.home_tenant.clone();
    let principal = world.service_principal(&home, app).unwrap().id.clone();
    let there = world.assignments_at(&pair.vnet).iter().any(|a| a.principal_id == principal && a.role == role);
    if !there {
        world.assign_role(&pair.vnet, &role, &principal);
    }
}
