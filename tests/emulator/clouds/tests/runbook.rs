//! The whole runbook, by hand: what the product is to do, done once with a plain HTTP client.

use super::{Answer, Scene, assignment, eventually};
use crate::clouds::{AIVEN_APPLICATION, Lags, Pair, World, roles};
use serde_json::{Value, json};

/// What the steps have learnt.
pub(super) struct Prepared {
    pub(super) pair: Pair,
    pub(super) subscription: String,
    pub(super) tenant: String,
    pub(super) app_id: String,
}

fn subscription(vnet: &str) -> String {
    vnet.split('/').nth(2).unwrap().to_owned()
}

/// Repeats a call until it answers with success, as lags make one do.
async fn settled(scene: &Scene, what: &str, call: impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..400 {
        let answer = call().await;
        if answer.status < 300 {
            return answer;
        }
        assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.body);
        super::super::clock::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{what} never succeeded; calls: {:#?}", scene.clouds.calls().last())
}

/// Steps 1 to 9.
pub(super) async fn prepare(scene: &Scene, pair: Pair) -> Prepared {
    let (graph, arm) = (scene.graph_identity().await, scene.arm_identity().await);
    let tenant = scene.clouds.world().home_tenant.clone();
    let subscription = subscription(&pair.vnet);

    let name = "/applications(uniqueName='aiven-azure-peering-test')";
    let body = json!({"displayName": "peering", "signInAudience": "AzureADMultipleOrgs"});
    let made = scene.graph(&graph, "PATCH", name, Some(body.clone())).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(scene.graph(&graph, "PATCH", name, Some(body)).await.status, 204);
    let app_id = made.body["appId"].as_str().unwrap().to_owned();
    let object = made.body["id"].as_str().unwrap().to_owned();

    let path = format!("/servicePrincipals(appId='{app_id}')");
    let own =
        settled(scene, "service principal", async || scene.graph(&graph, "PATCH", &path, Some(json!({}))).await).await;
    let principal = own.body["id"].as_str().unwrap().to_owned();

    let entra = scene.clouds.settings()["ENTRA_URL"].clone();
    let identity = scene.clouds.settings()["AZURE_PRINCIPAL_ID"].clone();
    let credential = json!({
        "name": "function-app", "issuer": format!("{entra}/{tenant}/v2.0"), "subject": identity,
        "audiences": ["api://AzureADTokenExchange"]
    });
    let path = format!("/applications/{object}/federatedIdentityCredentials");
    settled(scene, "credential", async || scene.graph(&graph, "POST", &path, Some(credential.clone())).await).await;

    let path = format!("/servicePrincipals(appId='{AIVEN_APPLICATION}')");
    let aiven = scene.graph(&graph, "PATCH", &path, Some(json!({}))).await;
    assert_eq!(aiven.status, 201, "{}", aiven.body);
    let aiven_principal = aiven.body["id"].as_str().unwrap().to_owned();

    let role = uuid::Uuid::new_v4().to_string();
    let definition = json!({"properties": {
        "roleName": format!("peer to {subscription}"), "description": "", "assignableScopes": [format!("/subscriptions/{subscription}")],
        "permissions": [{"actions": ["Microsoft.Network/virtualNetworks/peer/action"]}]
    }});
    let path = format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}");
    assert_eq!(scene.arm(&arm, "PUT", &path, Some(definition)).await.status, 201);

    for (role, principal) in [(roles::NETWORK_CONTRIBUTOR, &principal), (role.as_str(), &aiven_principal)] {
        let guid = uuid::Uuid::new_v4();
        let path = format!("{}/providers/Microsoft.Authorization/roleAssignments/{guid}", pair.vnet);
        let body = assignment(&subscription, role, principal);
        settled(scene, "assignment", async || scene.arm(&arm, "PUT", &path, Some(body.clone())).await).await;
    }
    eventually("propagation", async || {
        scene.clouds.world().allows(&aiven_principal, "Microsoft.Network/virtualNetworks/peer/action", &pair.vnet)
    })
    .await;
    Prepared { pair, subscription, tenant, app_id }
}

pub(super) fn vpc_path(vpc: &Value) -> String {
    let id = vpc["id"].as_str().unwrap();
    match vpc["organization"].as_str() {
        Some(organization) => format!("/organization/{organization}/vpc/{id}"),
        None => format!("/project/{}/vpcs/{id}", vpc["project"].as_str().unwrap()),
    }
}

pub(super) fn connection(prepared: &Prepared) -> Value {
    let parts: Vec<&str> = prepared.pair.vnet.split('/').collect();
    json!({
        "peer_cloud_account": parts[2], "peer_resource_group": parts[4].to_lowercase(),
        "peer_vpc": parts[8].to_lowercase(), "peer_azure_app_id": prepared.app_id,
        "peer_azure_tenant_id": prepared.tenant
    })
}

/// Steps 11 and 12; returns the ids of PENDING_PEER.
pub(super) async fn request_peering(scene: &Scene, prepared: &Prepared) -> (String, String) {
    let path = vpc_path(&prepared.pair.vpc);
    let made = scene.aiven("POST", &format!("{path}/peering-connections"), Some(connection(prepared))).await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert!(made.body["state_info"].is_null());
    eventually("PENDING_PEER", async || state(scene, &path).await["state"] == "PENDING_PEER").await;
    let info = state(scene, &path).await["state_info"].clone();
    (info["to-tenant-id"].as_str().unwrap().to_owned(), info["to-network-id"].as_str().unwrap().to_owned())
}

pub(super) async fn state(scene: &Scene, vpc: &str) -> Value {
    scene.aiven("GET", vpc, None).await.body["peering_connections"][0].clone()
}

/// Tokens of the application in both tenants.
pub(super) async fn both_tokens(scene: &Scene, prepared: &Prepared, aiven_tenant: &str) -> (String, String) {
    let mut tokens = Vec::new();
    for tenant in [prepared.tenant.as_str(), aiven_tenant] {
        let answer = settled(scene, "token", async || scene.federated(tenant, &prepared.app_id).await).await;
        tokens.push(answer.body["access_token"].as_str().unwrap().to_owned());
    }
    (tokens.remove(0), tokens.remove(0))
}

pub(super) async fn put_peering(
    scene: &Scene,
    vnet: &str,
    name: &str,
    remote: &str,
    primary: &str,
    auxiliary: Option<&str>,
) -> Answer {
    let url = format!(
        "{}{vnet}/virtualNetworkPeerings/{name}?syncRemoteAddressSpace=true&api-version=2023-11-01",
        scene.clouds.settings()["ARM_URL"]
    );
    let body = json!({"name": name, "properties": {
        "allowVirtualNetworkAccess": true, "allowForwardedTraffic": false, "allowGatewayTransit": false,
        "useRemoteGateways": false, "remoteVirtualNetwork": {"id": remote}
    }});
    let request = scene.request("PUT", &url, primary, Some(&body));
    scene
        .send(match auxiliary {
            Some(token) => request.header("x-ms-authorization-auxiliary", format!("Bearer {token}")),
            None => request,
        })
        .await
}

async fn to_active(scene: &Scene, pair: Pair) -> Prepared {
    let prepared = prepare(scene, pair).await;
    let (aiven_tenant, network) = request_peering(scene, &prepared).await;
    let (primary, auxiliary) = both_tokens(scene, &prepared, &aiven_tenant).await;
    let vnet = prepared.pair.vnet.clone();
    let put = settled(scene, "peering", async || {
        put_peering(scene, &vnet, "to-aiven", &network, &primary, Some(&auxiliary)).await
    })
    .await;
    assert_eq!(put.status, 201, "{}", put.body);
    assert_eq!(put.body["properties"]["provisioningState"], "Updating");
    let poll = put.headers["azure-asyncoperation"].clone();
    eventually("the operation", async || {
        let answer = scene.send(scene.request("GET", &poll, &primary, None)).await;
        assert_eq!(answer.status, 200);
        answer.body["status"] == "Succeeded"
    })
    .await;
    let path = format!("{vnet}/virtualNetworkPeerings/to-aiven");
    let half = scene.arm(&primary, "GET", &path, None).await.body;
    assert_eq!(half["properties"]["peeringState"], "Connected");
    assert_eq!(half["properties"]["provisioningState"], "Succeeded");
    let path = vpc_path(&prepared.pair.vpc);
    eventually("ACTIVE", async || state(scene, &path).await["state"] == "ACTIVE").await;
    prepared
}

fn standard(scene: &Scene, project: bool) -> Pair {
    let mut world = scene.clouds.world();
    let world: &mut World = &mut world;
    world.standard(1, 1, project).remove(0)
}

#[tokio::test]
async fn the_runbook_ends_active_for_an_organization_vpc_without_lags() {
    let scene = Scene::instant().await;
    let pair = standard(&scene, false);
    let prepared = to_active(&scene, pair).await;
    let world = scene.clouds.world();
    assert_eq!(world.principals_of(&prepared.app_id).len(), 2, "one at home, one in Aiven's tenant");
    assert_eq!(world.assignments_at(&prepared.pair.vnet).len(), 2);
    assert_eq!(world.role_definitions_in(&prepared.subscription).len(), 1);
    assert_eq!(world.connections(&prepared.pair.vpc_id, &prepared.pair.vnet).len(), 1);
}

#[tokio::test]
async fn the_runbook_ends_active_for_a_project_vpc_with_documented_lags() {
    let scene = Scene::with(600.0, Lags::documented()).await;
    let pair = standard(&scene, true);
    let prepared = to_active(&scene, pair).await;
    let connection = state(&scene, &vpc_path(&prepared.pair.vpc)).await;
    assert!(connection.get("peering_connection_id").is_none(), "projects do not show it");
    assert!(connection["state_info"].get("to-network-id").is_none(), "the ids are gone in ACTIVE");
}

#[tokio::test]
async fn deleting_aivens_half_disconnects_ours_and_deleting_ours_shows_at_aiven() {
    let scene = Scene::instant().await;
    let pairs = scene.clouds.world().standard(2, 2, false);
    let first = to_active(&scene, pairs[0].clone()).await;
    let path = vpc_path(&first.pair.vpc);
    let id = state(&scene, &path).await["peering_connection_id"].as_str().unwrap().to_owned();
    let gone = scene.aiven("DELETE", &format!("{path}/peering-connection/{id}"), None).await;
    assert_eq!((gone.status, gone.body["state"].as_str()), (200, Some("DELETING")));
    eventually("gone", async || state(&scene, &path).await.is_null()).await;
    let half = scene.clouds.world().vnet(&first.pair.vnet).unwrap().peerings[0].clone();
    assert_eq!(half.state, "Disconnected");
    drop(half);

    // With a stale half of ours, Aiven cannot build again.
    scene.aiven("POST", &format!("{path}/peering-connections"), Some(connection(&first))).await;
    eventually("refused", async || state(&scene, &path).await["state"] == "INVALID_SPECIFICATION").await;

    let arm = scene.clouds.world().add_administrator(&first.tenant);
    let token = scene.by_secret(&first.tenant, &arm.0, &arm.1, &scene.clouds.settings()["ARM_URL"]).await;
    let token = token.body["access_token"].as_str().unwrap();
    let half = format!("{}/virtualNetworkPeerings/to-aiven", first.pair.vnet);
    let deleted = scene.arm(token, "DELETE", &half, None).await;
    assert_eq!(deleted.status, 202);
    let location = deleted.headers["location"].clone();
    eventually("deleted", async || scene.send(scene.request("GET", &location, token, None)).await.status == 204).await;
    assert_eq!(scene.arm(token, "GET", &half, None).await.status, 404);
    assert_eq!(scene.arm(token, "DELETE", &half, None).await.status, 204);
}

#[tokio::test]
async fn a_half_removed_by_its_owner_ends_in_deleted_by_peer() {
    let scene = Scene::instant().await;
    let pair = standard(&scene, false);
    let prepared = to_active(&scene, pair).await;
    scene.clouds.world().remove_peering(&prepared.pair.vnet, "to-aiven");
    let path = vpc_path(&prepared.pair.vpc);
    eventually("noticed", async || state(&scene, &path).await["state"] == "DELETED_BY_PEER").await;
}
