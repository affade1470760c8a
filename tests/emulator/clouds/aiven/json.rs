//! Aiven's objects as its API shows them.

use crate::clouds::world::{AivenVpc, Connection, Owner, Project, World};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) fn organizations(world: &World) -> Value {
    let all = world.organizations.iter().map(|o| {
        json!({
            "organization_id": o.id, "organization_name": o.name, "account_id": o.id, "tier": "business",
            "create_time": "2024-01-01T00:00:00Z", "update_time": "2024-01-01T00:00:00Z"
        })
    });
    json!({"organizations": all.collect::<Vec<_>>()})
}

pub(super) fn projects(world: &World) -> Value {
    let all: Vec<Value> = world.projects.iter().map(project).collect();
    let membership = world.projects.iter().map(|p| (p.name.clone(), Value::from("admin")));
    json!({"projects": all, "project_membership": membership.collect::<serde_json::Map<_, _>>()})
}

pub(super) fn project(project: &Project) -> Value {
    json!({
        "project_name": project.name, "account_id": project.organization, "organization_id": project.organization,
        "default_cloud": "azure-westeurope", "billing_extra_text": null, "available_credits": "0.00",
        "estimated_balance": "0.00", "payment_method": "card", "country": "", "country_code": "", "vat_id": "",
        "billing_currency": "USD", "billing_emails": [], "billing_address": "", "tags": {}, "tech_emails": []
    })
}

pub(super) fn vpc(vpc: &AivenVpc, with_peerings: bool) -> Value {
    let (create, update) = (time(vpc.created_at), time(vpc.updated_at));
    let pending = vpc.refresh_until.as_ref().map(|(_, id)| id);
    let mut value = match &vpc.owner {
        Owner::Organization(id) => json!({
            "organization_id": id, "organization_vpc_id": vpc.id, "display_name": vpc.display_name,
            "clouds": [{"cloud_name": vpc.cloud, "network_cidr": vpc.cidr.to_string()}], "state": vpc.state,
            "create_time": create, "update_time": update
        }),
        Owner::Project(_) => json!({
            "project_vpc_id": vpc.id, "cloud_name": vpc.cloud, "network_cidr": vpc.cidr.to_string(), "state": vpc.state,
            "create_time": create, "update_time": update
        }),
    };
    if with_peerings {
        value["pending_build_only_peering_connections"] = json!(pending);
        let all = vpc.connections.iter().map(|c| connection(vpc, c));
        value["peering_connections"] = all.collect::<Vec<_>>().into();
    }
    value
}

/// A project's connections show no `peering_connection_id` (terraform-provider-aiven: project peering).
pub(super) fn connection(vpc: &AivenVpc, connection: &Connection) -> Value {
    let mut value = json!({
        "vpc_peering_connection_type": "azure-vnet-peering", "peer_cloud_account": connection.subscription,
        "peer_vpc": connection.vnet, "peer_resource_group": connection.resource_group, "peer_region": null,
        "peer_azure_app_id": connection.app_id, "peer_azure_tenant_id": connection.tenant, "state": connection.state,
        "state_info": connection.state_info, "user_peer_network_cidrs": connection.cidrs,
        "create_time": time(connection.created_at), "update_time": time(connection.updated_at)
    });
    if matches!(vpc.owner, Owner::Organization(_)) {
        value["peering_connection_id"] = connection.id.clone().into();
    }
    value
}

pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
