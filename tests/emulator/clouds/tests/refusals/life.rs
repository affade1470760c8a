//! What the clouds refuse in the rest of a peering's life: VPCs that come and go, user networks, services, drift.

use super::{Ground, Row};
use crate::clouds::tests::Answer;
use crate::clouds::{Lags, roles};
use serde_json::{Value, json};
use std::time::Duration;

/// A VPC's body, right in all parts but for what the test changes.
fn organization_vpc() -> Value {
    json!({
        "clouds": [{"cloud_name": "azure-westeurope", "network_cidr": "10.9.0.0/24"}], "display_name": "",
        "peering_connections": []
    })
}

async fn post_vpc(change: impl Fn(&mut Value)) -> Answer {
    create_vpc(&Ground::new().await, change).await
}

async fn create_vpc(g: &Ground, change: impl Fn(&mut Value)) -> Answer {
    let mut body = organization_vpc();
    change(&mut body);
    g.aiven("POST", &format!("{}/vpcs", g.vpc.rsplit_once("/vpc/").unwrap().0), Some(body)).await
}

/// A connection, and one change of its user networks.
async fn set_cidrs(body: impl Fn(&Ground) -> Value) -> Answer {
    let g = Ground::new().await;
    assert_eq!(g.request("peer_region", json!(null)).await.status, 200);
    let body = body(&g);
    g.aiven("PUT", &format!("{}/user-peer-network-cidrs", g.vpc), Some(body)).await
}

fn added(g: &Ground, cidr: &str) -> Value {
    json!({"cidr": cidr, "peer_cloud_account": g.subscription, "peer_resource_group": "rg", "peer_vpc": "a"})
}

refusals! {
    // ---- Aiven: VPCs ------------------------------------------------------------------------------------------------
    two_clouds: "a VPC in two clouds", "Aiven: POST VPC" => 400 "-" "exactly 1 item", "Aiven: OpenAPI"; async {
        post_vpc(|b| b["clouds"] = json!([b["clouds"][0], b["clouds"][0]])).await
    }
    flat_cloud: "an organization VPC spelt like a project's", "Aiven: POST VPC" => 400 "-" "exactly 1 item", "Aiven: OpenAPI (the documentation's sample is such a one)"; async {
        post_vpc(|b| *b = json!({"cloud_name": "azure-westeurope", "network_cidr": "10.9.0.0/24", "peering_connections": []})).await
    }
    no_connections: "a VPC without peering_connections", "Aiven: POST VPC" => 400 "-" "'peering_connections' is a required property", "Aiven: OpenAPI"; async {
        post_vpc(|b| drop(b.as_object_mut().unwrap().remove("peering_connections"))).await
    }
    no_cidr: "a project VPC without a range", "Aiven: POST VPC of a project" => 400 "-" "'network_cidr' is a required property", "Aiven: OpenAPI"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().add_project("demo");
        g.aiven("POST", "/project/demo/vpcs", Some(json!({"cloud_name": "azure-westeurope", "peering_connections": []}))).await
    }
    large_vpc: "a VPC of /19", "Aiven: POST VPC" => 400 "-" "/20 to /24", "Aiven: manage VPCs"; async {
        post_vpc(|b| b["clouds"][0]["network_cidr"] = json!("10.9.0.0/19")).await
    }
    host_bits: "a range with host bits", "Aiven: POST VPC" => 400 "-" "has host bits set", "emulator (no source gives the text)"; async {
        post_vpc(|b| b["clouds"][0]["network_cidr"] = json!("10.9.0.1/24")).await
    }
    other_cloud: "a cloud that is not there", "Aiven: POST VPC" => 400 "-" "is not available", "emulator (no source gives the text)"; async {
        post_vpc(|b| b["clouds"][0]["cloud_name"] = json!("moon-tranquillity")).await
    }
    long_name: "a display name of 65 characters", "Aiven: POST VPC" => 400 "-" "longer than 64 characters", "Aiven: OpenAPI"; async {
        post_vpc(|b| b["display_name"] = json!("x".repeat(65))).await
    }
    long_new_name: "a new display name of 65 characters", "Aiven: PUT VPC" => 400 "-" "longer than 64 characters", "Aiven: OpenAPI"; async {
        let g = Ground::new().await;
        g.aiven("PUT", &g.vpc, Some(json!({"display_name": "x".repeat(65)}))).await
    }
    connection_at_birth: "a VPC with a connection in upper case", "Aiven: POST VPC" => 400 "-" "lower case", "Aiven: Azure VNet peering how-to"; async {
        let g = Ground::new().await;
        let mut peering = g.connection();
        peering["peer_vpc"] = json!("A");
        create_vpc(&g, |b| b["peering_connections"] = json!([peering])).await
    }
    overlapping_vpc: "a range that another VPC of the cloud has, where that is refused", "Aiven: POST VPC" => 409 "-" "overlaps", "emulator's own switch (no source says that it is refused)"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().upsets.refuse_overlapping_vpcs = true;
        create_vpc(&g, |b| b["clouds"][0]["network_cidr"] = json!("10.77.0.0/22")).await
    }
    vpc_of_another: "another organization's VPC", "Aiven: DELETE VPC" => 404 "-" "VPC does not exist", "Aiven: error body"; async {
        let g = Ground::new().await;
        let other = g.scene.clouds.world().add_organization();
        g.aiven("DELETE", &format!("/organization/{other}/vpc/{}", g.vpc_id), None).await
    }
    vpc_draining: "a VPC whose service was deleted a moment ago", "Aiven: DELETE VPC" => 409 "-" "very recently deleted", "terraform-provider-aiven: 184"; async {
        let g = Ground::with(1.0, Lags { aiven_service_drains: Duration::from_secs(600), ..Lags::none() }).await;
        g.scene.clouds.world().add_service("demo", "pg", Some(&g.vpc_id));
        g.scene.clouds.world().delete_service("demo", "pg");
        g.aiven("DELETE", &g.vpc, None).await
    }
    vpc_ending: "a VPC that is being deleted", "Aiven: POST connection" => 409 "-" "not in state ACTIVE", "Aiven: VPC states"; async {
        let g = Ground::with(1.0, Lags { aiven_deleting: Duration::from_secs(600), ..Lags::none() }).await;
        assert_eq!(g.aiven("DELETE", &g.vpc, None).await.status, 200);
        g.request("peer_region", json!(null)).await
    }

    // ---- Aiven: connections and user networks -----------------------------------------------------------------------
    timescale_user: "a user of Managed Service for TimescaleDB", "Aiven: POST connection" => 403 "action_forbidden_for_timescale_users" "Managed Service for TimescaleDB", "Aiven: error codes (status and text are guesses)"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().refuse_timescale_user();
        g.request("peer_region", json!(null)).await
    }
    tenant_mismatch: "tenants that do not match", "Aiven: POST connection" => 403 "tenant_mismatch" "tenant", "Aiven: error codes (status and text are guesses)"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().refuse_tenant();
        g.request("peer_region", json!(null)).await
    }
    no_such_connection: "a connection that does not exist", "Aiven: DELETE connection" => 404 "-" "does not exist", "Aiven: error body"; async {
        let g = Ground::new().await;
        g.aiven("DELETE", &format!("{}/peering-connection/{}", g.vpc, uuid::Uuid::new_v4()), None).await
    }
    cidr_is_none: "a user network to add that is no CIDR", "Aiven: PUT user networks" => 400 "-" "is not an IPv4 network", "Aiven: OpenAPI"; async {
        set_cidrs(|g| json!({"add": [added(g, "10.0.0.0/99")]})).await
    }
    cidr_without_account: "a user network of no connection", "Aiven: PUT user networks" => 400 "-" "required properties", "Aiven: OpenAPI"; async {
        set_cidrs(|_| json!({"add": [{"cidr": "10.0.0.0/24"}]})).await
    }
    cidr_of_another: "a user network of a connection that is not there", "Aiven: PUT user networks" => 404 "-" "does not exist", "Aiven: error body"; async {
        set_cidrs(|g| {
            let mut item = added(g, "10.0.0.0/24");
            item["peer_vpc"] = json!("b");
            json!({"add": [item]})
        }).await
    }
    cidrs_at_once: "129 user networks at once", "Aiven: PUT user networks" => 400 "-" "'add' has more than 128 items", "Aiven: OpenAPI"; async {
        set_cidrs(|g| json!({"add": vec![added(g, "10.0.0.0/24"); 129]})).await
    }
    cidrs_in_all: "a 129th user network", "Aiven: PUT user networks" => 400 "-" "more than 128 items", "Aiven: OpenAPI"; async {
        let g = Ground::new().await;
        let all: Vec<String> = (0..128).map(|n| format!("10.3.{n}.0/24")).collect();
        assert_eq!(g.request("user_peer_network_cidrs", json!(all)).await.status, 200);
        g.aiven("PUT", &format!("{}/user-peer-network-cidrs", g.vpc), Some(json!({"add": [added(&g, "10.4.0.0/24")]}))).await
    }
    cidrs_no_list: "user networks that are no list", "Aiven: PUT user networks" => 400 "-" "'delete' is not an array", "Aiven: OpenAPI"; async {
        set_cidrs(|_| json!({"delete": "10.0.0.0/24"})).await
    }
    no_such_service: "a service that does not exist", "Aiven: GET service" => 404 "-" "Service does not exist", "Aiven: error body"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().add_project("demo");
        g.aiven("GET", "/project/demo/service/nobody", None).await
    }
    projects_of_nobody: "the projects of an organization that does not exist", "Aiven: GET projects" => 404 "organization_not_found" "does not exist", "Aiven: error codes"; async {
        Ground::new().await.aiven("GET", "/organization/org00000000000/projects", None).await
    }

    // ---- Azure: lists -----------------------------------------------------------------------------------------------
    list_without_role: "a principal without any role", "ARM: GET VNets of a subscription" => 403 "AuthorizationFailed" "Microsoft.Network/virtualNetworks/read", "Azure RBAC: troubleshooting"; async {
        let g = Ground::new().await;
        let token = g.stranger().await;
        g.scene.arm(&token, "GET", &format!("/subscriptions/{}/providers/Microsoft.Network/virtualNetworks", g.subscription), None).await
    }
    list_of_no_group: "a resource group that does not exist", "ARM: GET VNets of a group" => 404 "ResourceGroupNotFound" "could not be found", "ARM: common errors"; async {
        let g = Ground::new().await;
        g.arm("GET", &format!("/subscriptions/{}/resourceGroups/Missing/providers/Microsoft.Network/virtualNetworks", g.subscription), None).await
    }
    made_up_page: "a page that nobody gave", "ARM: GET VNets of a subscription" => 400 "InvalidSkipToken" "skip token", "emulator (no source gives the code)"; async {
        let g = Ground::new().await;
        g.arm("GET", &format!("/subscriptions/{}/providers/Microsoft.Network/virtualNetworks?$skipToken=%21", g.subscription), None).await
    }
    role_filter: "a filter that nobody documents", "ARM: GET role definitions" => 400 "UnsupportedQuery" "is not supported", "Azure RBAC: list role definitions"; async {
        let g = Ground::new().await;
        g.arm("GET", &format!("/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions?$filter=id%20eq%20'x'", g.subscription), None).await
    }

    // ---- Azure: drift -----------------------------------------------------------------------------------------------
    network_gone: "a VNet that somebody deleted", "ARM: PUT peering" => 404 "ResourceNotFound" "was not found", "ARM: common errors"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().delete_network(&g.a);
        g.peer(&g.a, "to-b", &g.b).await
    }
    group_gone: "a resource group that somebody deleted", "ARM: GET peering" => 404 "ResourceGroupNotFound" "could not be found", "ARM: common errors"; async {
        let g = Ground::new().await;
        g.connect().await;
        g.scene.clouds.world().delete_resource_group(&g.subscription, "rg");
        g.arm("GET", &format!("{}/virtualNetworkPeerings/to-b", g.a), None).await
    }
    half_gone: "a peering that somebody deleted", "ARM: GET peering" => 404 "NotFound" "not found", "ARM: common errors"; async {
        let g = Ground::new().await;
        g.connect().await;
        g.scene.clouds.world().remove_peering(&g.a, "to-b");
        g.arm("GET", &format!("{}/virtualNetworkPeerings/to-b", g.a), None).await
    }
    both_stale: "both halves are Disconnected", "ARM: PUT peering" => 400 "RemotePeeringIsDisconnected" "is in Disconnected state", "azurerm: 14051"; async {
        let g = Ground::new().await;
        g.connect().await;
        g.scene.clouds.world().put_half_in_state(&g.a, &g.b, "Disconnected");
        g.scene.clouds.world().put_half_in_state(&g.b, &g.a, "Disconnected");
        g.peer(&g.a, "to-b", &g.b).await
    }
    grown_into: "an address space that has grown into its peer's", "ARM: PUT peering" => 400 "VnetAddressSpacesOverlap" "Overlapping address prefixes: 10.2.0.0/16", "Microsoft.Network: AzureTRE 4641"; async {
        let g = Ground::new().await;
        g.connect().await;
        g.scene.clouds.world().change_address_space(&g.a, &["10.1.0.0/24", "10.2.0.0/16"]);
        g.peer(&g.a, "to-b", &g.b).await
    }
    sync_alone: "a synchronisation without an auxiliary token", "ARM: PUT peering across tenants" => 403 "LinkedAuthorizationFailed" "is not authorized to access linked subscription", "ARM: authenticate requests across tenants"; async {
        let g = Ground::new().await;
        let across = g.across().await;
        assert_eq!(across.put(&g.scene, Some(&across.auxiliary)).await.status, 201);
        across.put(&g.scene, None).await
    }
    delete_without_right: "a role that may only read", "ARM: DELETE peering" => 403 "AuthorizationFailed" "virtualNetworkPeerings/delete", "Azure built-in roles: Reader"; async {
        let g = Ground::new().await;
        g.connect().await;
        let token = g.stranger().await;
        let principal = g.principal_of(&token);
        g.scene.clouds.world().assign_role(&g.a, roles::READER, &principal);
        g.scene.arm(&token, "DELETE", &format!("{}/virtualNetworkPeerings/to-b", g.a), None).await
    }
    delete_while_busy: "a VNet in the middle of an operation", "ARM: DELETE peering" => 429 "AnotherOperationInProgress" "in progress", "Microsoft.Network: AzureTRE 2222"; async {
        let g = Ground::slow(600).await;
        assert_eq!(g.peer(&g.a, "to-b", &g.b).await.status, 201);
        g.arm("DELETE", &format!("{}/virtualNetworkPeerings/to-b", g.a), None).await
    }
}
