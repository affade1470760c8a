//! Both clouds as JSON: all that a peering of the scene's network needs, and all that may be left behind.

use emulator::clouds::roles::BUILT_IN;
use emulator::clouds::{Application, AssignedRole, Clouds, Connection, Peering, World};
use serde_json::{Value, json};

use crate::scene::Scene;

/// The state, of the scene's VPC, its network, and the user's tenant.
pub fn state(clouds: &Clouds, scene: &Scene) -> Value {
    let world = clouds.world();
    let home = &world.home_tenant;
    let applications = world.applications.iter().filter(|a| a.tenant == *home).map(application);
    let principals = world.service_principals.iter().filter(|p| !p.managed_identity);
    let vpc = world.aiven_vpc(scene.vpc_id());
    let remote = vpc.map(|vpc| vpc.azure_vnet.as_str()).unwrap_or_default();
    json!({
        "applications": applications.collect::<Vec<_>>(),
        "service_principals": principals.map(|p| json!({
            "id": p.id, "app_id": p.app_id, "tenant": if p.tenant == *home { "home" } else { "aiven" },
        })).collect::<Vec<_>>(),
        "role_definitions": world.role_definitions.iter().filter(|d| d.tenant == *home).map(|d| json!({
            "name": d.name, "role_name": d.role_name, "actions": d.actions, "assignable_scopes": d.assignable_scopes,
        })).collect::<Vec<_>>(),
        "role_assignments": world.role_assignments.iter().map(|a| assignment(&world, a)).collect::<Vec<_>>(),
        "peerings": halves(&world, scene.vnet()),
        "aiven_peerings": halves(&world, remote),
        "vpc_state": vpc.map(|vpc| vpc.state.clone()),
        "connections": vpc.map(|vpc| vpc.connections.iter().map(connection).collect::<Vec<_>>()),
    })
}

fn application(app: &Application) -> Value {
    json!({
        "app_id": app.app_id, "display_name": app.display_name, "unique_name": app.unique_name,
        "audience": app.sign_in_audience, "passwords": app.passwords.len(),
        "federated_credentials": app.federated_credentials.iter().map(|c| json!({
            "subject": c.subject, "issuer": c.issuer, "audiences": c.audiences,
        })).collect::<Vec<_>>(),
    })
}

fn assignment(world: &World, assigned: &AssignedRole) -> Value {
    let built_in = BUILT_IN.iter().find(|b| b.id.eq_ignore_ascii_case(&assigned.role));
    let custom = world.role_definitions.iter().find(|d| d.name.eq_ignore_ascii_case(&assigned.role));
    let actions = match (built_in, custom) {
        (Some(role), _) => json!(role.actions),
        (None, Some(role)) => json!(role.actions),
        (None, None) => Value::Null,
    };
    let name = built_in.map(|b| b.name).or(custom.map(|d| d.role_name.as_str()));
    json!({
        "scope": assigned.scope, "principal": assigned.principal_id, "role": assigned.role, "role_name": name,
        "actions": actions,
    })
}

fn halves(world: &World, vnet: &str) -> Value {
    let all = world.vnet(vnet).map(|v| v.peerings.as_slice()).unwrap_or_default();
    all.iter().map(half).collect()
}

fn half(half: &Peering) -> Value {
    json!({
        "name": half.name, "remote": half.remote, "state": half.state, "provisioning": half.provisioning,
        "allow_access": half.allow_access, "allow_forwarded": half.allow_forwarded, "written_by": half.written_by,
    })
}

fn connection(connection: &Connection) -> Value {
    json!({
        "id": connection.id, "subscription": connection.subscription, "resource_group": connection.resource_group,
        "vnet": connection.vnet, "app_id": connection.app_id, "tenant": connection.tenant, "state": connection.state,
        "cidrs": connection.cidrs,
    })
}
