//! All that lasts in the clouds, as one value: for tests that say "exactly as before".
//!
//! What passes by itself is left out: timestamps, ETags, operations, connections and VPCs that are DELETED and linger,
//! deleted directory objects and secrets. So is what Aiven keeps of directory objects and roles in its own tenant, which
//! no customer sees or removes; its networks and their halves are in.

use super::{AivenService, AivenVpc, Connection, Owner, Peering, Subscription, Vnet, World};
use crate::clouds::arm::conditions::Condition;
use serde_json::{Value, json};

impl World {
    /// Everything durable, a member for each area. Two snapshots are equal if, and only if, the areas are.
    pub fn snapshot(&self) -> Value {
        json!({
            "directory": self.directory_snapshot(),
            "vault": self.vault_snapshot(),
            "roles": self.role_snapshot(),
            "subscriptions": sorted(self.subscriptions.iter().map(subscription)),
            "networks": sorted(self.vnets.iter().map(network)),
            "aiven": self.aiven_snapshot(),
        })
    }

    pub(super) fn customers(&self, tenant: &str) -> bool {
        tenant != self.aiven_tenant
    }

    fn role_snapshot(&self) -> Value {
        let definitions = self.role_definitions.iter().filter(|d| self.customers(&d.tenant)).map(|d| {
            json!({
                "name": d.name, "tenant": d.tenant, "role_name": d.role_name, "description": d.description,
                "actions": d.actions, "not_actions": d.not_actions, "data_actions": d.data_actions,
                "assignable_scopes": d.assignable_scopes
            })
        });
        let customers = |scope: &str| self.tenant_of(scope).is_none_or(|tenant| self.customers(tenant));
        let assignments = self.role_assignments.iter().filter(|a| customers(&a.scope)).map(|a| {
            json!({
                "name": a.name, "scope": a.scope.to_ascii_lowercase(), "role": a.role, "principal": a.principal_id,
                "condition": a.condition.as_ref().map(Condition::text)
            })
        });
        json!({"definitions": sorted(definitions), "assignments": sorted(assignments)})
    }

    fn aiven_snapshot(&self) -> Value {
        let services = self.projects.iter().flat_map(|p| p.services.iter().map(|s| service(&p.name, s)));
        let vpcs = self.aiven_vpcs.iter().filter(|v| v.state != "DELETED").map(vpc);
        json!({"vpcs": sorted(vpcs), "services": sorted(services)})
    }
}

/// What two snapshots do not share, a line for each: `-` was there before, `+` is there after. None when they are equal.
pub fn differences(before: &Value, after: &Value) -> Vec<String> {
    match (before, after) {
        _ if before == after => Vec::new(),
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let mut lines = Vec::new();
            for key in keys {
                let inner = differences(&before[key], &after[key]);
                lines.extend(inner.into_iter().map(|line| format!("{key}: {line}")));
            }
            lines
        }
        (Value::Array(a), Value::Array(b)) => {
            let gone = a.iter().filter(|v| !b.contains(v)).map(|v| format!("- {v}"));
            gone.chain(b.iter().filter(|v| !a.contains(v)).map(|v| format!("+ {v}"))).collect()
        }
        _ => vec![format!("- {before}"), format!("+ {after}")],
    }
}

/// Nobody promises an order.
pub(super) fn sorted(values: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut values: Vec<Value> = values.collect();
    values.sort_by_cached_key(Value::to_string);
    values
}

fn texts(prefixes: &[ipnet::Ipv4Net]) -> Vec<String> {
    prefixes.iter().map(ToString::to_string).collect()
}

fn subscription(subscription: &Subscription) -> Value {
    json!({"id": subscription.id, "state": subscription.state, "resource_groups": subscription.resource_groups})
}

fn network(vnet: &Vnet) -> Value {
    json!({
        "id": vnet.id, "location": vnet.location, "prefixes": texts(&vnet.prefixes),
        "halves": sorted(vnet.peerings.iter().map(half))
    })
}

fn half(half: &Peering) -> Value {
    json!({
        "name": half.name, "remote": half.remote.to_ascii_lowercase(), "state": half.state,
        "provisioning": half.provisioning, "allow_access": half.allow_access,
        "allow_forwarded": half.allow_forwarded, "remote_prefixes": texts(&half.remote_prefixes)
    })
}

fn vpc(vpc: &AivenVpc) -> Value {
    let owner = match &vpc.owner {
        Owner::Organization(id) => json!({"organization": id}),
        Owner::Project(name) => json!({"project": name}),
    };
    json!({
        "id": vpc.id, "owner": owner, "cloud": vpc.cloud, "range": vpc.cidr.to_string(), "state": vpc.state,
        "display_name": vpc.display_name, "azure_vnet": vpc.azure_vnet,
        "connections": sorted(vpc.connections.iter().filter(|c| c.state != "DELETED").map(connection))
    })
}

fn connection(connection: &Connection) -> Value {
    let mut cidrs = connection.cidrs.clone();
    cidrs.sort();
    json!({
        "id": connection.id, "vnet": connection.user_vnet(), "app_id": connection.app_id,
        "tenant": connection.tenant, "state": connection.state, "cidrs": cidrs
    })
}

fn service(project: &str, service: &AivenService) -> Value {
    json!({"project": project, "name": service.name, "state": service.state, "vpc": service.vpc})
}
