//! Aiven's API: dialects, validation, idempotency, states, rate limit.

use super::{Scene, eventually};
use crate::clouds::{AIVEN_APPLICATION, Fault, Lags, Pair, roles};
use serde_json::{Value, json};
use std::time::Duration;

/// A scene whose user side is ready but for what a test takes away.
pub(super) fn ready(scene: &Scene, project: bool) -> (Pair, Value) {
    let mut world = scene.clouds.world();
    let pair = world.standard(1, 1, project).remove(0);
    let home = world.home_tenant.clone();
    let app = world.add_application(&home, "app", None, true);
    let aiven = world.add_service_principal(&home, AIVEN_APPLICATION);
    world.assign_role(&pair.vnet, roles::NETWORK_CONTRIBUTOR, &aiven);
    let parts: Vec<String> = pair.vnet.to_lowercase().split('/').map(str::to_owned).collect();
    let body = json!({
        "peer_cloud_account": parts[2], "peer_resource_group": parts[4], "peer_vpc": parts[8],
        "peer_azure_app_id": app, "peer_azure_tenant_id": home
    });
    (pair, body)
}

pub(super) fn organization(pair: &Pair) -> &str {
    pair.vpc["organization"].as_str().unwrap()
}

pub(super) async fn state(scene: &Scene, path: &str) -> String {
    let body = scene.aiven("GET", path, None).await.body;
    body["peering_connections"][0]["state"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn both_dialects_of_the_organization_routes_work_and_their_mixture_does_not() {
    let scene = Scene::instant().await;
    let (pair, body) = ready(&scene, false);
    let base = format!("/organization/{}", organization(&pair));
    let (singular, plural) = (format!("{base}/vpc/{}", pair.vpc_id), format!("{base}/vpcs/{}", pair.vpc_id));
    let made = scene.aiven("POST", &format!("{plural}/peering-connections"), Some(body)).await;
    let id = made.body["peering_connection_id"].as_str().unwrap();
    for path in [&singular, &plural] {
        assert_eq!(scene.aiven("GET", path, None).await.body["organization_vpc_id"], pair.vpc_id);
    }
    assert_eq!(scene.aiven("POST", &format!("{singular}/peering-connections/refresh"), None).await.status, 200);
    assert_eq!(scene.aiven("POST", &format!("{plural}/peering-connections/actions/refresh"), None).await.status, 200);
    let mixed = scene.aiven("DELETE", &format!("{singular}/peering-connections/{id}"), None).await;
    assert_eq!((mixed.status, mixed.body["errors"][0]["error_code"].as_str()), (404, Some("not_found")));
    let missing = scene.aiven("GET", &format!("{base}/vpc/{}", uuid::Uuid::new_v4()), None).await;
    assert_eq!((missing.status, missing.message()), (404, "VPC does not exist"));
    assert!(missing.body["errors"][0].get("error_code").is_none());
    scene.clouds.world().upsets.no_singular_routes = true;
    assert_eq!(scene.aiven("GET", &singular, None).await.body["errors"][0]["error_code"], "not_found");
    assert_eq!(scene.aiven("DELETE", &format!("{plural}/peering-connections/{id}"), None).await.status, 200);
}

#[tokio::test]
async fn values_must_be_lower_case_and_the_group_given() {
    let scene = Scene::instant().await;
    let (pair, body) = ready(&scene, true);
    let path = format!("/project/demo-project/vpcs/{}/peering-connections", pair.vpc_id);
    let mut upper = body.clone();
    upper["peer_vpc"] = "My-Vnet".into();
    let refused = scene.aiven("POST", &path, Some(upper)).await;
    assert_eq!(refused.status, 400);
    assert!(refused.message().contains("lower case"));
    let mut without = body.clone();
    without.as_object_mut().unwrap().remove("peer_resource_group");
    let text =
        "peer_resource_group must be a valid Azure Resource Group name for cloud azure-westeurope. Got None instead";
    assert_eq!(scene.aiven("POST", &path, Some(without)).await.message(), text);
    let account = body["peer_cloud_account"].as_str().unwrap();
    let vnet = body["peer_vpc"].as_str().unwrap();
    let short = format!("{path}/peer-accounts/{account}/peer-vpcs/{vnet}");
    assert_eq!(scene.aiven("DELETE", &short, None).await.message(), text);
}

#[tokio::test]
async fn the_same_tuple_is_one_connection_until_it_is_gone() {
    let lags = Lags {
        aiven_deleting: Duration::from_secs(30),
        aiven_deleted_lingers: Duration::from_secs(60),
        ..Lags::none()
    };
    let scene = Scene::with(300.0, lags).await;
    let (pair, body) = ready(&scene, true);
    let vpc = format!("/project/demo-project/vpcs/{}", pair.vpc_id);
    let path = format!("{vpc}/peering-connections");
    let count = async || scene.aiven("GET", &vpc, None).await.body["peering_connections"].as_array().unwrap().len();
    let made = scene.aiven("POST", &path, Some(body.clone())).await;
    assert!(made.body.get("peer_region").is_none(), "the answer to a POST is incomplete");
    let again = scene.aiven("POST", &path, Some(body.clone())).await;
    assert_eq!((again.status, again.body["state"].as_str()), (200, Some("PENDING_PEER")));
    assert_eq!(count().await, 1);
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    let tuple = format!(
        "{path}/peer-accounts/{}/peer-resource-groups/{}/peer-vpcs/{}",
        text("peer_cloud_account"),
        text("peer_resource_group"),
        text("peer_vpc")
    );
    assert_eq!(scene.aiven("DELETE", &tuple.to_uppercase().replace("/PROJECT", "/project"), None).await.status, 404);
    assert_eq!(scene.aiven("DELETE", &tuple, None).await.body["state"], "DELETING");
    let while_deleting = scene.aiven("POST", &path, Some(body.clone())).await;
    assert_eq!(while_deleting.body["state"], "DELETING", "a request while it ends joins the ending one");
    eventually("DELETED", async || state(&scene, &vpc).await == "DELETED").await;
    scene.aiven("POST", &path, Some(body)).await;
    assert_eq!(count().await, 2, "the deleted one lingers beside the new one");
    eventually("gone", async || count().await == 1).await;
}

#[tokio::test]
async fn aiven_refuses_what_it_cannot_peer_with() {
    let scene = Scene::instant().await;
    let (pair, body) = ready(&scene, false);
    let vpc = format!("/organization/{}/vpc/{}", organization(&pair), pair.vpc_id);
    let attempt = async |body: Value| {
        scene.aiven("POST", &format!("{vpc}/peering-connections"), Some(body)).await;
        let state = state(&scene, &vpc).await;
        scene.clouds.world().aiven_vpc_mut(&pair.vpc_id).unwrap().connections.clear();
        state
    };
    let mut wrong = body.clone();
    wrong["peer_azure_app_id"] = uuid::Uuid::nil().to_string().into();
    assert_eq!(attempt(wrong).await, "REJECTED_BY_PEER");
    let mut wrong = body.clone();
    wrong["peer_vpc"] = "no-such-net".into();
    assert_eq!(attempt(wrong).await, "INVALID_SPECIFICATION");
    let home = scene.clouds.world().home_tenant.clone();
    let aiven = scene.clouds.world().service_principal(&home, AIVEN_APPLICATION).unwrap().id.clone();
    scene.clouds.world().never_propagate(&aiven);
    assert_eq!(attempt(body.clone()).await, "INVALID_SPECIFICATION");
    scene.clouds.world().propagate_now(&aiven);
    scene.clouds.fault(Fault::world(|w| w.refuse_connections(1, "REJECTED_BY_PEER")));
    assert_eq!(attempt(body.clone()).await, "REJECTED_BY_PEER");
    assert_eq!(attempt(body).await, "PENDING_PEER");
}

#[tokio::test]
async fn what_never_propagates_counts_once_somebody_mends_it() {
    let scene = Scene::instant().await;
    let (subscription, vnet, own, aiven) = {
        let mut world = scene.clouds.world();
        let home = world.home_tenant.clone();
        let subscription = world.add_subscription(&home);
        let vnet = world.add_vnet(&subscription, "Rg", "Net", &["10.1.0.0/24"]);
        let app = world.add_application(&home, "app", None, true);
        let own = world.add_service_principal(&home, &app);
        (subscription, vnet, own, world.add_service_principal(&home, AIVEN_APPLICATION))
    };
    for fault in Fault::by_name("role-never").unwrap() {
        scene.clouds.fault(fault);
    }
    let token = scene.arm_identity().await;
    for principal in [&own, &aiven] {
        let path = format!("{vnet}/providers/Microsoft.Authorization/roleAssignments/{}", uuid::Uuid::new_v4());
        let body = super::assignment(&subscription, roles::NETWORK_CONTRIBUTOR, principal);
        assert_eq!(scene.arm(&token, "PUT", &path, Some(body)).await.status, 201);
    }
    let allowed = |p: &str| scene.clouds.world().allows(p, "Microsoft.Network/virtualNetworks/peer/action", &vnet);
    assert!(!allowed(&own) && allowed(&aiven));
    scene.clouds.world().resume_propagation();
    assert!(allowed(&own));
}

#[tokio::test]
async fn state_info_can_vanish_and_states_can_be_unknown() {
    let scene = Scene::with(100.0, Lags::none()).await;
    let (pair, body) = ready(&scene, false);
    let vpc = format!("/organization/{}/vpc/{}", organization(&pair), pair.vpc_id);
    scene.clouds.fault(Fault::unknown_state("NEW_STATE", Duration::from_secs(10)));
    scene.clouds.world().upsets.forget_state_info_after = Some(Duration::from_secs(20));
    scene.aiven("POST", &format!("{vpc}/peering-connections"), Some(body)).await;
    assert_eq!(state(&scene, &vpc).await, "NEW_STATE");
    eventually("PENDING_PEER", async || state(&scene, &vpc).await == "PENDING_PEER").await;
    let info = async || scene.aiven("GET", &vpc, None).await.body["peering_connections"][0]["state_info"].clone();
    assert!(info().await["to-tenant-id"].is_string());
    eventually("forgotten", async || info().await.is_null()).await;
}

#[tokio::test]
async fn state_info_can_be_shown_once_only() {
    let scene = Scene::instant().await;
    let (pair, body) = ready(&scene, false);
    let vpc = format!("/organization/{}/vpc/{}", organization(&pair), pair.vpc_id);
    scene.clouds.world().upsets.forget_state_info_once_shown = true;
    scene.aiven("POST", &format!("{vpc}/peering-connections"), Some(body)).await;
    let info = async || scene.aiven("GET", &vpc, None).await.body["peering_connections"][0]["state_info"].clone();
    assert!(info().await["to-network-id"].is_string());
    assert!(info().await.is_null());
}

#[tokio::test]
async fn a_refresh_makes_aiven_look_before_its_time() {
    let lags = Lags { aiven_poll: Duration::from_secs(86_400), ..Lags::none() };
    let scene = Scene::with(1.0, lags).await;
    let (pair, body) = ready(&scene, false);
    let vpc = format!("/organization/{}/vpc/{}", organization(&pair), pair.vpc_id);
    scene.aiven("POST", &format!("{vpc}/peering-connections"), Some(body)).await;
    assert_eq!(state(&scene, &vpc).await, "PENDING_PEER");
    {
        let mut world = scene.clouds.world();
        let network = world.aiven_vpc(&pair.vpc_id).unwrap().azure_vnet.clone();
        world.vnet_mut(&network).unwrap().peerings[0].state = "Connected".to_owned();
        world.add_peering(&pair.vnet, "to-aiven", &network, "Connected");
    }
    assert_eq!(state(&scene, &vpc).await, "PENDING_PEER", "Aiven has not looked");
    scene.aiven("POST", &format!("{vpc}/peering-connections/refresh"), None).await;
    assert_eq!(state(&scene, &vpc).await, "ACTIVE");
}

#[tokio::test]
async fn too_many_requests_are_refused_with_the_wait_in_the_text() {
    let scene = Scene::with(1.0, Lags { aiven_requests_per_minute: Some(3), ..Lags::none() }).await;
    for _ in 0..3 {
        assert_eq!(scene.aiven("GET", "/me", None).await.status, 200);
    }
    let refused = scene.aiven("GET", "/me", None).await;
    assert_eq!(refused.status, 429);
    assert!(refused.message().contains("Rate limit 3 exceeded - try again in "));
    assert!(!refused.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn only_the_token_opens_and_an_expired_one_does_not() {
    let scene = Scene::instant().await;
    let url = format!("{}/v1/me", scene.url(crate::clouds::Service::Aiven));
    assert_eq!(scene.send(scene.http.get(&url)).await.status, 401);
    let token = scene.clouds.settings()["AIVEN_TOKEN"].clone();
    assert_eq!(scene.send(scene.request("GET", &url, &token, None)).await.status, 200, "Bearer is accepted too");
    scene.clouds.world().expire_aiven_token();
    assert_eq!(scene.aiven("GET", "/me", None).await.status, 401);
    scene.clouds.world().restore_aiven_token();
    assert_eq!(scene.aiven("GET", "/me", None).await.status, 200);
}

#[tokio::test]
async fn a_new_vpc_becomes_active_and_a_peering_waits_for_that() {
    let lags = Lags { aiven_vpc_build: Duration::from_secs(30), ..Lags::none() };
    let scene = Scene::with(100.0, lags).await;
    let (pair, peering) = ready(&scene, false);
    let vpcs = format!("/organization/{}/vpcs", organization(&pair));
    let body = json!({"clouds": [{"cloud_name": "azure-westeurope", "network_cidr": "10.77.0.0/24"}]});
    assert_eq!(scene.aiven("POST", &vpcs, Some(body.clone())).await.status, 400, "peering_connections is required");
    let mut body = body;
    body["peering_connections"] = json!([]);
    let made = scene.aiven("POST", &vpcs, Some(body)).await;
    assert_eq!(made.body["state"], "APPROVED");
    let vpc = format!("{vpcs}/{}", made.body["organization_vpc_id"].as_str().unwrap());
    let early = scene.aiven("POST", &format!("{vpc}/peering-connections"), Some(peering)).await;
    assert_eq!(early.status, 409);
    eventually("ACTIVE", async || scene.aiven("GET", &vpc, None).await.body["state"] == "ACTIVE").await;
    let list = scene.aiven("GET", &vpcs, None).await.body;
    assert!(list["vpcs"][0].get("peering_connections").is_none());
    assert_eq!(scene.aiven("DELETE", &vpc, None).await.body["state"], "DELETING");
}
