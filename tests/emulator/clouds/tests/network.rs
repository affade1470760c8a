//! Networks and peerings: Azure's rules, long-running operations, the two halves.

use super::runbook::put_peering;
use super::{Answer, Scene, eventually};
use crate::clouds::{Fault, Lags, Service};
use serde_json::json;
use std::time::Duration;

/// Two peerable networks of one tenant, and an administrator's token.
struct Networks {
    scene: Scene,
    subscription: String,
    a: String,
    b: String,
    token: String,
}

async fn networks(operation: u64) -> Networks {
    let lags = Lags { arm_operation: Duration::from_secs(operation), ..Lags::none() };
    let scene = Scene::with(100.0, lags).await;
    let (subscription, a, b, home, admin) = {
        let mut world = scene.clouds.world();
        let home = world.home_tenant.clone();
        let subscription = world.add_subscription(&home);
        let a = world.add_vnet(&subscription, "Rg", "A", &["10.1.0.0/24"]);
        let b = world.add_vnet(&subscription, "Rg", "B", &["10.2.0.0/24"]);
        let admin = world.add_administrator(&home);
        (subscription, a, b, home, admin)
    };
    let arm = scene.url(Service::Arm);
    let token =
        scene.by_secret(&home, &admin.0, &admin.1, &arm).await.body["access_token"].as_str().unwrap().to_owned();
    Networks { scene, subscription, a, b, token }
}

impl Networks {
    async fn peer(&self, from: &str, name: &str, to: &str) -> Answer {
        put_peering(&self.scene, from, name, to, &self.token, None).await
    }

    fn add(&self, name: &str, prefix: &str) -> String {
        self.scene.clouds.world().add_vnet(&self.subscription, "Rg", name, &[prefix])
    }

    fn state(&self, vnet: &str) -> String {
        self.scene.clouds.world().vnet(vnet).unwrap().peerings[0].state.clone()
    }
}

#[tokio::test]
async fn halves_connect_when_both_are_there_and_not_before() {
    let n = networks(0).await;
    assert_eq!(n.peer(&n.a, "to-b", &n.b).await.status, 201);
    assert_eq!(n.state(&n.a), "Initiated");
    assert_eq!(n.peer(&n.b, "to-a", &n.a.to_lowercase()).await.status, 201);
    assert_eq!((n.state(&n.a), n.state(&n.b)), ("Connected".to_owned(), "Connected".to_owned()));
    assert_eq!(n.peer(&n.a, "to-b", &n.b).await.status, 200, "the same again is an update");

    let vnet = n.scene.arm(&n.token, "GET", &n.a, None).await.body;
    let half = &vnet["properties"]["virtualNetworkPeerings"][0]["properties"];
    assert_eq!(
        (half["peeringState"].as_str(), half["peeringSyncLevel"].as_str()),
        (Some("Connected"), Some("FullyInSync"))
    );
    assert_eq!(half["remoteAddressSpace"]["addressPrefixes"], json!(["10.2.0.0/24"]));

    n.scene.clouds.world().remove_peering(&n.b, "to-a");
    assert_eq!(n.state(&n.a), "Disconnected");
    let refused = n.peer(&n.b, "to-a", &n.a).await;
    assert_eq!((refused.status, refused.code()), (400, "RemotePeeringIsDisconnected"));
}

#[tokio::test]
async fn what_overlaps_or_doubles_is_not_peered() {
    let n = networks(0).await;
    let code = async |from: &str, name: &str, to: &str| {
        let answer = n.peer(from, name, to).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        answer.code().to_owned()
    };
    let twin = n.add("Twin", "10.1.0.128/25");
    assert_eq!(code(&n.a, "x", &twin).await, "VnetAddressSpacesOverlap");
    let missing = n.b.replace("/B", "/Missing");
    // Without the network no scope of it is known, but the subscription's covers it.
    assert_eq!(code(&n.a, "x", &missing).await, "InvalidResourceReference");

    n.peer(&n.a, "to-b", &n.b).await;
    n.peer(&n.b, "to-a", &n.a).await;
    assert_eq!(code(&n.a, "again", &n.b).await, "AnotherPeeringAlreadyReferencesRemoteVnet");
    let c = n.add("C", "10.3.0.0/24");
    assert_eq!(code(&n.a, "to-b", &c).await, "ChangingRemoteVnetOfPeeringNotAllowed");
    assert_eq!(code(&n.b, "x", &twin).await, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet");
    n.scene.clouds.world().keep_updating(&c, Duration::from_secs(3600));
    assert_eq!(code(&n.a, "to-c", &c).await, "ReferencedResourceNotProvisioned");
    let body = n.scene.arm(&n.token, "GET", &c, None).await.body;
    assert_eq!(body["properties"]["provisioningState"], "Updating");
}

#[tokio::test]
async fn a_network_does_one_operation_at_a_time() {
    let n = networks(60).await;
    let c = n.add("C", "10.3.0.0/24");
    let first = n.peer(&n.a, "to-b", &n.b).await;
    let busy = n.peer(&n.a, "to-c", &c).await;
    assert_eq!((busy.status, busy.code()), (429, "AnotherOperationInProgress"));
    assert!(busy.headers.contains_key("retry-after"));
    let poll = first.headers["azure-asyncoperation"].clone();
    let body = n.scene.send(n.scene.request("GET", &poll, &n.token, None)).await.body;
    assert_eq!(body["status"], "InProgress");
    eventually("the first one's end", async || n.peer(&n.a, "to-c", &c).await.status == 201).await;
}

#[tokio::test]
async fn an_operation_can_fail_inside_a_200_and_its_poll_can_be_forbidden() {
    let n = networks(0).await;
    n.scene.clouds.fault(Fault::operation_fails());
    n.scene.clouds.world().upsets.forbid_polls = 1;
    let put = n.peer(&n.a, "to-b", &n.b).await;
    let poll = put.headers["azure-asyncoperation"].clone();
    let get = async || n.scene.send(n.scene.request("GET", &poll, &n.token, None)).await;
    assert_eq!(get().await.code(), "AuthorizationFailed");
    let failed = get().await;
    assert_eq!((failed.status, failed.body["status"].as_str()), (200, Some("Failed")));
    assert_eq!(failed.code(), "InternalServerError");
    let half = n.scene.arm(&n.token, "GET", &format!("{}/virtualNetworkPeerings/to-b", n.a), None).await.body;
    assert_eq!(half["properties"]["provisioningState"], "Failed");
    assert_eq!(n.peer(&n.a, "to-b", &n.b).await.status, 200);
    assert_eq!(get().await.body["status"], "Failed", "the old operation stays failed");
    assert_eq!(n.state(&n.a), "Initiated");
}

#[tokio::test]
async fn az_makes_groups_and_networks() {
    let n = networks(0).await;
    let group = format!("/subscriptions/{}/resourcegroups/New", n.subscription);
    assert_eq!(n.scene.arm(&n.token, "GET", &group, None).await.code(), "ResourceGroupNotFound");
    assert_eq!(n.scene.arm(&n.token, "PUT", &group, Some(json!({"location": "westeurope"}))).await.status, 201);
    let vnet = format!("{group}/providers/Microsoft.Network/virtualNetworks/N");
    assert_eq!(n.scene.arm(&n.token, "GET", &vnet, None).await.code(), "ResourceNotFound");
    let body = json!({"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}});
    let made = n.scene.arm(&n.token, "PUT", &vnet, Some(body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(n.scene.arm(&n.token, "GET", &vnet, None).await.body["properties"]["provisioningState"], "Succeeded");
    let all = format!("/subscriptions/{}/providers/Microsoft.Network/virtualNetworks", n.subscription);
    assert_eq!(n.scene.arm(&n.token, "GET", &all, None).await.body["value"].as_array().unwrap().len(), 3);
    assert_eq!(n.scene.arm(&n.token, "DELETE", &vnet, None).await.status, 202);
    assert_eq!(n.scene.arm(&n.token, "GET", &vnet, None).await.status, 404);
}

#[tokio::test]
async fn a_call_without_an_api_version_is_refused() {
    let n = networks(0).await;
    let url = format!("{}{}", n.scene.url(Service::Arm), n.a);
    let answer = n.scene.send(n.scene.request("GET", &url, &n.token, None)).await;
    assert_eq!((answer.status, answer.code()), (400, "MissingApiVersionParameter"));
}
