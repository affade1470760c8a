//! Aiven: what is sent in either dialect, and what is made of real and odd answers.

mod services;
mod vpcs;

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::cloud::Service;
use crate::cloud::script::{APP, CANARY, HOME, Script, app, home, remote, vnet};
use crate::peering::VpcRef;

const ID: &str = "66666666-6666-4666-8666-666666666666";
const ORG: &str = "/v1/organization/org1a2b3c4d5e6";
const PROJECT: &str = "/v1/project/my-project";
const SUB: &str = "33333333-3333-4333-8333-333333333333";
const PC: &str = "44444444-4444-4444-8444-444444444444";
const AIVEN_NET: &str = "/subscriptions/77777777-7777-4777-8777-777777777777/resourceGroups/aiven-rg/providers/Microsoft.Network/virtualNetworks/aiven-net";

/// What a router answers, and what the API answers, to a path that is not there.
const NO_ROUTE: &str = "404: Not Found";
const NO_VPC: &str = r#"{"errors":[{"message":"VPC does not exist","status":404}],"message":"VPC does not exist"}"#;

fn org() -> VpcRef {
    VpcRef::Organization { organization: "org1a2b3c4d5e6".into(), id: ID.parse().unwrap() }
}

fn project() -> VpcRef {
    VpcRef::Project { project: "my-project".into(), id: ID.parse().unwrap() }
}

/// The published example of a GET, with one connection of these words.
fn org_vpc(state: &str, state_info: Value) -> Value {
    json!({ "organization_id": "org1a2b3c4d5e6", "organization_vpc_id": ID, "display_name": "",
        "clouds": [{ "cloud_name": "azure-westeurope", "network_cidr": "10.9.0.0/24" }],
        "state": "ACTIVE", "create_time": "2025-01-02T03:04:05Z", "update_time": "2025-01-02T03:04:05Z",
        "pending_build_only_peering_connections": null,
        "peering_connections": [connection(state, state_info)] })
}

fn connection(state: &str, state_info: Value) -> Value {
    json!({ "peering_connection_id": PC, "vpc_peering_connection_type": "azure-vnet-peering",
        "peer_cloud_account": SUB, "peer_vpc": "my-vnet", "peer_resource_group": "my-rg", "peer_region": null,
        "peer_azure_app_id": APP, "peer_azure_tenant_id": HOME, "state": state, "state_info": state_info,
        "user_peer_network_cidrs": [], "create_time": "2025-01-02T03:04:05Z", "update_time": "2025-01-02T03:05:05.123Z" })
}

fn pending() -> Value {
    json!({ "type": "opaque", "message": "human text", "to-tenant-id": remote(), "to-network-id": AIVEN_NET,
        "warnings": [{ "type": "overlapping-peer-vpc-ip-ranges", "message": "look" }] })
}

async fn read(body: Value) -> Vpc {
    let script = Script::new().on(&format!("GET {ORG}/vpc/{ID}"), 200, &body.to_string());
    let vpc = script.clouds().aiven.vpc(&org()).await.unwrap();
    assert_eq!(script.seen()[0].header("authorization"), format!("aivenv1 {CANARY}"));
    vpc
}

#[tokio::test(start_paused = true)]
async fn one_get_shows_the_vpc_and_all_its_connections() {
    let vpc = read(org_vpc("PENDING_PEER", pending())).await;
    assert_eq!((vpc.state.clone(), vpc.cloud.as_str(), vpc.refreshing), (VpcState::Active, "azure-westeurope", false));
    assert_eq!(vpc.prefixes[0].to_string(), "10.9.0.0/24");
    let connection = vpc.live_connection_to(&vnet()).expect("names compare without letter case");
    assert_eq!(connection.state, ConnectionState::PendingPeer);
    assert_eq!((connection.app_id, connection.tenant_id), (Some(app()), Some(home())));
    assert_eq!(
        (connection.to_tenant, connection.to_network.clone()),
        (Some(remote()), Some(AIVEN_NET.parse().unwrap()))
    );
    assert_eq!(connection.message.as_deref(), Some("human text"));
    assert_eq!(connection.warnings, ["overlapping-peer-vpc-ip-ranges: look"]);
    assert!(connection.created.is_some() && connection.updated > connection.created);
}

#[tokio::test(start_paused = true)]
async fn state_info_is_read_in_both_spellings() {
    let info = json!({ "to_tenant_id": remote(), "to_network_id": AIVEN_NET });
    let vpc = read(org_vpc("PENDING_PEER", info)).await;
    assert_eq!(vpc.connections[0].to_tenant, Some(remote()));
    assert_eq!(vpc.connections[0].to_network, Some(AIVEN_NET.parse().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn ids_that_are_none_are_left_out_and_warned_of() {
    let info = json!({ "to-tenant-id": "not-a-guid", "to-network-id": "/subscriptions/x", "message": 7 });
    let vpc = read(org_vpc("PENDING_PEER", info)).await;
    let connection = &vpc.connections[0];
    assert_eq!((connection.to_tenant, connection.to_network.is_none(), &connection.message), (None, true, &None));
    assert_eq!(connection.warnings.len(), 2);
    assert!(connection.warnings[0].starts_with("Aiven's to-tenant-id cannot be used"), "{:?}", connection.warnings);
}

#[tokio::test(start_paused = true)]
async fn nulls_missing_fields_and_new_words_are_taken_as_they_come() {
    let mut body = org_vpc("REBUILDING_PEER", Value::Null);
    let list = body["peering_connections"].as_array_mut().unwrap();
    list.push(json!({ "peer_cloud_account": SUB, "peer_vpc": "my-vnet", "peer_resource_group": null,
        "peer_azure_app_id": null, "peer_azure_tenant_id": "", "state": "ACTIVE", "state_info": "text" }));
    list.push(json!({ "state": null }));
    body["pending_build_only_peering_connections"] = json!("x");
    let vpc = read(body).await;
    assert_eq!(vpc.connections[0].state, ConnectionState::Unknown("REBUILDING_PEER".into()));
    assert_eq!(vpc.connections_to(&vnet()).count(), 1, "a connection without a resource group is to no network");
    assert!(vpc.refreshing);
    assert_eq!(vpc.connections[2].state, ConnectionState::Unknown(String::new()));
    assert!(read(json!({ "state": "ACTIVE", "peering_connections": null })).await.connections.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_connection_lingers_beside_the_live_one() {
    let mut body = org_vpc("DELETED", Value::Null);
    body["peering_connections"].as_array_mut().unwrap().push(connection("APPROVED", Value::Null));
    let vpc = read(body).await;
    assert_eq!(vpc.connections_to(&vnet()).count(), 2);
    assert_eq!(vpc.live_connection_to(&vnet()).unwrap().state, ConnectionState::Approved);
}

#[tokio::test(start_paused = true)]
async fn a_projects_vpc_is_flat_and_its_connections_have_no_id() {
    let mut one = connection("APPROVED", Value::Null);
    one.as_object_mut().unwrap().remove("peering_connection_id");
    let body = json!({ "project_vpc_id": ID, "cloud_name": "timescale-azure-westeurope", "network_cidr": "10.9.0.0/24",
        "state": "APPROVED", "peering_connections": [one] });
    let base = format!("{PROJECT}/vpcs/{ID}");
    let delete = format!("{base}/peering-connections/peer-accounts/{SUB}/peer-resource-groups/my-rg/peer-vpcs/my-vnet");
    let script = Script::new()
        .on(&format!("GET {base}"), 200, &body.to_string())
        .on(&format!("DELETE {delete}"), 200, "{}")
        .on(&format!("POST {base}/peering-connections/refresh"), 204, "");
    let aiven = script.clouds().aiven;
    let vpc = aiven.vpc(&project()).await.unwrap();
    assert_eq!((vpc.cloud.as_str(), vpc.prefixes.len()), ("timescale-azure-westeurope", 1));
    aiven.delete_connection(&project(), &vpc.connections[0]).await.unwrap();
    aiven.refresh(&project()).await.unwrap();
    assert_eq!(script.seen()[2].header("content-length"), "0");
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_asked_for_in_lower_case() {
    let line = format!("POST {ORG}/vpc/{ID}/peering-connections");
    let script = Script::new().on(&line, 200, &connection("APPROVED", Value::Null).to_string()).on(&line, 204, "");
    let aiven = script.clouds().aiven;
    let mut new = NewConnection { vnet: vnet(), app_id: app(), tenant_id: home(), user_peer_network_cidrs: vec![] };
    assert_eq!(aiven.create_connection(&org(), &new).await.unwrap().unwrap().id.as_deref(), Some(PC));
    new.user_peer_network_cidrs = vec!["10.1.0.0/24".into()];
    assert!(aiven.create_connection(&org(), &new).await.unwrap().is_none());

    let seen = script.seen();
    assert_eq!(
        seen[0].body,
        json!({ "peer_cloud_account": SUB, "peer_resource_group": "my-rg", "peer_vpc": "my-vnet",
        "peer_azure_app_id": APP, "peer_azure_tenant_id": HOME })
    );
    assert_eq!(seen[1].body["user_peer_network_cidrs"], json!(["10.1.0.0/24"]));
    assert_eq!(seen[0].header("content-type"), "application/json");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_route_is_tried_in_the_other_dialect_which_is_then_kept() {
    let script = Script::new()
        .on(&format!("GET {ORG}/vpc/{ID}"), 404, NO_ROUTE)
        .on(&format!("GET {ORG}/vpcs/{ID}"), 200, &org_vpc("ACTIVE", Value::Null).to_string())
        .on(&format!("POST {ORG}/vpcs/{ID}/peering-connections/actions/refresh"), 200, "{}")
        .on(&format!("DELETE {ORG}/vpcs/{ID}/peering-connections/{PC}"), 200, "{}")
        .on(&format!("GET {ORG}/vpcs/{ID}"), 404, r#"{"errors":[{"message":"Not Found","status":404}]}"#)
        .on(&format!("GET {ORG}/vpc/{ID}"), 200, &org_vpc("ACTIVE", Value::Null).to_string())
        .on(&format!("DELETE {ORG}/vpc/{ID}/peering-connection/{PC}"), 200, "{}");
    let aiven = script.clouds().aiven;
    let vpc = aiven.vpc(&org()).await.unwrap();
    aiven.refresh(&org()).await.unwrap();
    aiven.delete_connection(&org(), &vpc.connections[0]).await.unwrap();
    aiven.vpc(&org()).await.unwrap();
    aiven.delete_connection(&org(), &vpc.connections[0]).await.unwrap();
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_missing_vpc_is_no_unknown_route() {
    let script = Script::new().on(&format!("GET {ORG}/vpc/{ID}"), 404, NO_VPC);
    let failure = script.clouds().aiven.vpc(&org()).await.unwrap_err();
    assert!(failure.is_not_found());
    assert_eq!(failure.message, "VPC does not exist");
    script.seen();

    let script = Script::new()
        .on(&format!("GET {ORG}/vpc/{ID}"), 404, NO_ROUTE)
        .on(&format!("GET {ORG}/vpcs/{ID}"), 404, NO_VPC)
        .on(&format!("GET {PROJECT}/vpcs/{ID}"), 404, NO_ROUTE);
    let aiven = script.clouds().aiven;
    assert_eq!(aiven.vpc(&org()).await.unwrap_err().message, "VPC does not exist");
    assert!(aiven.vpc(&project()).await.unwrap_err().is_not_found());
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn failures_are_told_in_aivens_words() {
    let limit =
        "The user has sent too many requests in a given amount of time: Rate limit 120 exceeded - try again in 28s";
    let group =
        "peer_resource_group must be a valid Azure Resource Group name for cloud azure-westeurope. Got None instead";
    let both = |message: &str, status: u16| json!({ "errors": [{ "message": message, "status": status }], "message": message });
    for (status, header, body, code, message, wait) in [
        (429, "", both(limit, 429).to_string(), "", limit, Some(28)),
        (429, "5", both(limit, 429).to_string(), "", limit, Some(5)),
        (429, "", "slow down".into(), "", "slow down", None),
        (400, "", both(group, 400).to_string(), "", group, None),
        (
            404,
            "",
            json!({ "errors": [{ "message": "Account does not exist", "status": 404, "error_code": "account_not_found",
                "more_info": "https://x", "metadata": {} }], "message": "Account does not exist" })
            .to_string(),
            "account_not_found",
            "Account does not exist",
            None,
        ),
        (401, "", json!({ "message": { "odd": 1 } }).to_string(), "", r#"{"odd":1}"#, None),
        (403, "", "<html>proxy</html>".into(), "", "<html>proxy</html>", None),
        (500, "", String::new(), "", "without a word of explanation", None),
        (200, "", json!({ "error": "half done" }).to_string(), "", "half done", None),
    ] {
        let headers: Vec<_> = (!header.is_empty()).then_some(("retry-after", header)).into_iter().collect();
        let script = Script::new().with(&format!("GET {PROJECT}/vpcs/{ID}"), status, &headers, &body);
        let failure = script.clouds().aiven.vpc(&project()).await.unwrap_err();
        assert_eq!((failure.service, failure.status), (Service::Aiven, Some(status)));
        assert_eq!((failure.code.as_str(), failure.message.as_str()), (code, message));
        assert_eq!(failure.retry_after, wait.map(Duration::from_secs));
        script.seen();
    }
}

#[tokio::test(start_paused = true)]
async fn aivens_token_is_in_no_text() {
    let body = json!({ "errors": [{ "message": format!("bad token {CANARY}"), "error_code": format!("x {CANARY}") }] });
    let script = Script::new().on(&format!("GET {PROJECT}/vpcs/{ID}"), 401, &body.to_string());
    let clouds = script.clouds();
    let failure = clouds.aiven.vpc(&project()).await.unwrap_err();
    assert!(failure.message.contains("bad token"));
    for text in [
        format!("{failure} {failure:?}"),
        format!("{:?}", clouds.aiven),
        format!("{:?}", crate::cloud::script::endpoints()),
    ] {
        assert!(!text.contains("canary"), "{text}");
    }
    script.seen();
}

#[test]
fn a_connection_is_matched_by_its_whole_tuple() {
    let one: Connection =
        serde_json::from_value::<wire::WireConnection>(connection("ACTIVE", Value::Null)).unwrap().into();
    assert!(one.matches(&vnet()));
    for other in [
        VnetId { resource_group: "other".into(), ..vnet() },
        VnetId { name: "other".into(), ..vnet() },
        VnetId { subscription: crate::peering::SubscriptionId(Uuid::nil()), ..vnet() },
    ] {
        assert!(!one.matches(&other), "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_cannot_be_named_is_not_deleted() {
    let one: Connection = serde_json::from_value::<wire::WireConnection>(json!({ "state": "ACTIVE" })).unwrap().into();
    let script = Script::new();
    for vpc in [org(), project()] {
        let failure = script.clouds().aiven.delete_connection(&vpc, &one).await.unwrap_err();
        assert_eq!((failure.status, failure.code.as_str()), (None, crate::cloud::http::code::UNREADABLE));
    }
    assert!(script.seen().is_empty());
}
