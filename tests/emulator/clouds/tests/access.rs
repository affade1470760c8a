//! Who may do what: tokens, role assignments, the auxiliary token.

use super::runbook::{both_tokens, prepare, put_peering, request_peering};
use super::{Scene, assignment};
use crate::clouds::{Lags, Service, roles};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn arm_refuses_a_call_without_a_token_and_names_the_tenant() {
    let scene = Scene::instant().await;
    let (subscription, tenant) = {
        let mut world = scene.clouds.world();
        let tenant = world.another_tenant();
        (world.add_subscription(&tenant), tenant)
    };
    let url = format!("{}/subscriptions/{subscription}?api-version=2022-12-01", scene.url(Service::Arm));
    let answer = scene.send(scene.http.get(url)).await;
    assert_eq!(answer.status, 401);
    assert!(answer.headers["www-authenticate"].contains(&format!("/{tenant}\"")));
    assert!(
        answer.headers.contains_key("x-ms-request-id") && answer.headers.contains_key("x-ms-correlation-request-id")
    );
}

#[tokio::test]
async fn a_token_counts_for_its_audience_its_tenant_and_its_time_only() {
    let scene = Scene::instant().await;
    let (home, foreign) = {
        let mut world = scene.clouds.world();
        let (home, other) = (world.home_tenant.clone(), world.another_tenant());
        (world.add_subscription(&home), world.add_subscription(&other))
    };
    let (arm, graph) = (scene.arm_identity().await, scene.graph_identity().await);
    assert_eq!(scene.arm(&arm, "GET", &format!("/subscriptions/{home}"), None).await.status, 200);
    assert_eq!(scene.arm(&graph, "GET", &format!("/subscriptions/{home}"), None).await.status, 401);
    assert_eq!(scene.graph(&arm, "GET", "/applications", None).await.code(), "InvalidAuthenticationToken");
    assert_eq!(scene.arm("made.up.token", "GET", "/subscriptions", None).await.code(), "InvalidAuthenticationToken");
    let wrong = scene.arm(&arm, "GET", &format!("/subscriptions/{foreign}"), None).await;
    assert_eq!((wrong.status, wrong.code()), (401, "InvalidAuthenticationTokenTenant"));
    assert!(wrong.message().starts_with("The access token is from the wrong issuer 'https://sts.windows.net/"));

    scene.clouds.world().lags.identity_token_lifetime = Duration::ZERO;
    let stale = scene.identity("https://management.azure.com").await;
    assert_eq!(scene.arm(&stale, "GET", "/subscriptions", None).await.code(), "ExpiredAuthenticationToken");
}

#[tokio::test]
async fn the_identity_endpoint_wants_its_header_its_client_and_a_resource() {
    let scene = Scene::instant().await;
    let settings = scene.clouds.settings();
    let get = async |query: &str, header: &str| {
        let url = format!("{}?api-version=2019-08-01&{query}", settings["IDENTITY_ENDPOINT"]);
        scene.send(scene.http.get(url).header("X-IDENTITY-HEADER", header)).await.status
    };
    let client = format!("client_id={}", settings["AZURE_CLIENT_ID"]);
    let header = settings["IDENTITY_HEADER"].as_str();
    assert_eq!(get(&format!("{client}&resource=https://graph.microsoft.com"), header).await, 200);
    assert_eq!(get(&format!("{client}&resource=https://graph.microsoft.com"), "wrong").await, 403);
    assert_eq!(get("resource=https://graph.microsoft.com", header).await, 400);
    assert_eq!(get(&client, header).await, 400);
    assert_eq!(get(&format!("{client}&resource=https://graph.microsoft.com/.default"), header).await, 500);
}

#[tokio::test]
async fn an_assignment_counts_only_after_its_propagation_and_only_at_its_scope() {
    let lags = Lags { role_propagation: Duration::from_secs(90), ..Lags::none() };
    let scene = Scene::with(300.0, lags).await;
    let (subscription, one, other, reader) = {
        let mut world = scene.clouds.world();
        let home = world.home_tenant.clone();
        let subscription = world.add_subscription(&home);
        let one = world.add_vnet(&subscription, "Rg", "One", &["10.1.0.0/24"]);
        let other = world.add_vnet(&subscription, "Rg", "Other", &["10.2.0.0/24"]);
        (subscription, one, other, world.add_administrator(&home))
    };
    let principal = {
        let mut world = scene.clouds.world();
        let home = world.home_tenant.clone();
        let id = world.service_principal(&home, &reader.0).unwrap().id.clone();
        world.role_assignments.retain(|a| a.principal_id != id);
        id
    };
    let identity = scene.arm_identity().await;
    let tenant = scene.clouds.world().home_tenant.clone();
    let token = scene.by_secret(&tenant, &reader.0, &reader.1, &scene.url(Service::Arm)).await;
    let token = token.body["access_token"].as_str().unwrap();
    let refused = scene.arm(token, "GET", &one, None).await;
    assert_eq!((refused.status, refused.code()), (403, "AuthorizationFailed"));
    assert!(
        refused
            .message()
            .contains("does not have authorization to perform action 'Microsoft.Network/virtualNetworks/read'")
    );
    assert_eq!(
        scene.arm(token, "GET", &format!("/subscriptions/{subscription}"), None).await.code(),
        "SubscriptionNotFound"
    );

    let path = format!("{one}/providers/Microsoft.Authorization/roleAssignments/{}", uuid::Uuid::new_v4());
    let put = scene.arm(&identity, "PUT", &path, Some(assignment(&subscription, roles::READER, &principal))).await;
    assert_eq!(put.status, 201, "{}", put.body);
    assert!(put.body["properties"]["createdOn"].is_string());
    assert_eq!(scene.arm(token, "GET", &one, None).await.status, 403, "not propagated yet");
    super::eventually("propagation", async || scene.arm(token, "GET", &one, None).await.status == 200).await;
    assert_eq!(
        scene.arm(token, "GET", &one.to_uppercase().replace("/SUBSCRIPTIONS", "/subscriptions"), None).await.status,
        200
    );
    assert_eq!(scene.arm(token, "GET", &other, None).await.status, 403);
    assert_eq!(scene.arm(token, "GET", &format!("/subscriptions/{subscription}"), None).await.status, 200);
}

#[tokio::test]
async fn a_role_assignment_is_refused_as_arm_refuses_it() {
    let scene = Scene::instant().await;
    let (subscription, vnet, principal) = {
        let mut world = scene.clouds.world();
        let home = world.home_tenant.clone();
        let subscription = world.add_subscription(&home);
        let vnet = world.add_vnet(&subscription, "Rg", "Net", &["10.1.0.0/24"]);
        let app = world.add_application(&home, "app", None, true);
        (subscription, vnet, world.add_service_principal(&home, &app))
    };
    let token = scene.arm_identity().await;
    let (first, second) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    let path = |guid| format!("{vnet}/providers/Microsoft.Authorization/roleAssignments/{guid}");
    let body = assignment(&subscription, roles::NETWORK_CONTRIBUTOR, &principal);
    assert_eq!(scene.arm(&token, "PUT", &path(first), Some(body.clone())).await.status, 201);
    for guid in [first, second] {
        let again = scene.arm(&token, "PUT", &path(guid), Some(body.clone())).await;
        assert_eq!((again.status, again.code()), (409, "RoleAssignmentExists"));
    }
    let other = assignment(&subscription, roles::READER, &principal);
    let taken = scene.arm(&token, "PUT", &path(first), Some(other)).await;
    assert_eq!((taken.status, taken.code()), (400, "RoleAssignmentUpdateNotPermitted"));
    let nobody = assignment(&subscription, roles::READER, &uuid::Uuid::new_v4().to_string());
    assert_eq!(scene.arm(&token, "PUT", &path(second), Some(nobody)).await.code(), "PrincipalNotFound");
    let no_role = assignment(&subscription, &uuid::Uuid::new_v4().to_string(), &principal);
    let answer = scene.arm(&token, "PUT", &path(second), Some(no_role)).await;
    assert_eq!((answer.status, answer.code()), (404, "RoleDefinitionDoesNotExist"));

    let filter =
        format!("{vnet}/providers/Microsoft.Authorization/roleAssignments?$filter=principalId%20eq%20'{principal}'");
    let found = scene.arm(&token, "GET", &filter, None).await;
    assert_eq!(found.body["value"].as_array().unwrap().len(), 1);
    assert_eq!(scene.arm(&token, "DELETE", &path(first), None).await.status, 200);
    assert_eq!(scene.arm(&token, "DELETE", &path(first), None).await.status, 204);
}

#[tokio::test]
async fn a_role_name_is_taken_once_in_a_tenant() {
    let scene = Scene::instant().await;
    let (a, b) = {
        let mut world = scene.clouds.world();
        let home = world.home_tenant.clone();
        (world.add_subscription(&home), world.add_subscription(&home))
    };
    let token = scene.arm_identity().await;
    let put = async |subscription: &str, guid: &str, name: &str| {
        let path = format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}");
        let body = json!({"properties": {
            "roleName": name, "assignableScopes": [format!("/subscriptions/{subscription}")],
            "permissions": [{"actions": ["Microsoft.Network/virtualNetworks/peer/action"]}]
        }});
        scene.arm(&token, "PUT", &path, Some(body)).await
    };
    let guid = uuid::Uuid::new_v4().to_string();
    assert_eq!(put(&a, &guid, "peer").await.status, 201);
    assert_eq!(put(&a, &guid, "peer").await.status, 201, "an update is 201 too");
    let twin = put(&b, &uuid::Uuid::new_v4().to_string(), "Peer").await;
    assert_eq!((twin.status, twin.code()), (409, "RoleDefinitionWithSameNameExists"));
    let list =
        format!("/subscriptions/{a}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName%20eq%20'peer'");
    assert_eq!(scene.arm(&token, "GET", &list, None).await.body["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_cross_tenant_peering_needs_the_auxiliary_token_of_the_same_application() {
    let scene = Scene::instant().await;
    let pair = scene.clouds.world().standard(1, 1, false).remove(0);
    let prepared = prepare(&scene, pair).await;
    let (aiven_tenant, network) = request_peering(&scene, &prepared).await;
    let (primary, auxiliary) = both_tokens(&scene, &prepared, &aiven_tenant).await;
    let vnet = &prepared.pair.vnet;

    let without = put_peering(&scene, vnet, "p", &network, &primary, None).await;
    assert_eq!((without.status, without.code()), (403, "LinkedAuthorizationFailed"));
    assert!(without.message().contains("is not authorized to access linked subscription"));
    let wrong_tenant = put_peering(&scene, vnet, "p", &network, &primary, Some(&primary)).await;
    assert!(wrong_tenant.message().contains("is not authorized to access linked subscription"));
    assert_eq!(put_peering(&scene, vnet, "p", &network, &primary, Some("junk")).await.status, 401);

    // The function app's own identity may not write networks.
    let identity = scene.arm_identity().await;
    let mine = put_peering(&scene, vnet, "p", &network, &identity, Some(&auxiliary)).await;
    assert_eq!((mine.status, mine.code()), (403, "AuthorizationFailed"));
    assert!(mine.message().contains("Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write"));

    let principal = scene.clouds.world().service_principal(&aiven_tenant, &prepared.app_id).unwrap().id.clone();
    scene.clouds.world().never_propagate(&principal);
    let not_granted = put_peering(&scene, vnet, "p", &network, &primary, Some(&auxiliary)).await;
    assert_eq!(not_granted.code(), "LinkedAuthorizationFailed");
    assert!(not_granted.message().contains("on the linked scope(s)"));
    scene.clouds.world().propagate_now(&principal);
    assert_eq!(put_peering(&scene, vnet, "p", &network, &primary, Some(&auxiliary)).await.status, 201);
}

#[tokio::test]
async fn a_disabled_subscription_is_read_only() {
    let scene = Scene::instant().await;
    let subscription = {
        let mut world = scene.clouds.world();
        let home = world.home_tenant.clone();
        let id = world.add_subscription(&home);
        world.subscriptions.iter_mut().find(|s| s.id == id).unwrap().state = "Disabled".to_owned();
        id
    };
    let token = scene.arm_identity().await;
    let path = format!(
        "/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{}",
        uuid::Uuid::new_v4()
    );
    let answer = scene.arm(&token, "PUT", &path, Some(json!({"properties": {}}))).await;
    assert_eq!((answer.status, answer.code()), (409, "ReadOnlyDisabledSubscription"));
    let seen = scene.arm(&token, "GET", &format!("/subscriptions/{subscription}"), None).await;
    assert_eq!(seen.body["state"], "Disabled");
}
