//! ARM: what is sent, and what is made of the answers.

mod repair;

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::cloud::script::{Script, aiven_vnet, app, remote, subscription, vnet};
use crate::peering::{ObjectId, VnetId};

const SUB: &str = "/subscriptions/33333333-3333-4333-8333-333333333333";
const NET: &str = "/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/My-RG/providers/Microsoft.Network/virtualNetworks/My-VNet";
const OPERATION: &str = "https://arm.test/subscriptions/x/providers/Microsoft.Network/locations/westeurope/operations/o1?api-version=2023-11-01";
const OPERATION_LINE: &str =
    "GET /subscriptions/x/providers/Microsoft.Network/locations/westeurope/operations/o1?api-version=2023-11-01";

fn principal() -> ObjectId {
    "44444444-4444-4444-8444-444444444444".parse().unwrap()
}

fn peering_json(state: &str) -> serde_json::Value {
    json!({ "name": "to-aiven", "id": format!("{NET}/virtualNetworkPeerings/to-aiven"), "properties": {
        "remoteVirtualNetwork": { "id": aiven_vnet().to_string().to_uppercase().replace("/SUBSCRIPTIONS", "/subscriptions") },
        "peeringState": state, "peeringSyncLevel": "FullyInSync", "provisioningState": "Succeeded",
        "remoteAddressSpace": { "addressPrefixes": ["10.9.0.0/24"] },
        "remoteVirtualNetworkAddressSpace": { "addressPrefixes": ["10.9.0.0/24", "10.10.0.0/24"] },
        "allowVirtualNetworkAccess": true, "allowForwardedTraffic": false }})
}

fn spec() -> PeeringSpec {
    PeeringSpec { remote: aiven_vnet(), remote_tenant: remote(), allow_forwarded_traffic: false }
}

#[tokio::test(start_paused = true)]
async fn a_network_is_read_as_the_installation_with_its_peerings() {
    let body = json!({ "id": NET, "location": "westeurope", "properties": {
        "provisioningState": "Succeeded", "addressSpace": { "addressPrefixes": ["10.1.0.0/16", "fd00::/48"] },
        "virtualNetworkPeerings": [peering_json("Connected")] }});
    let script = Script::new().on(&format!("GET {NET}?api-version=2024-05-01"), 200, &body.to_string());
    let vnet = script.clouds().arm.vnet(&vnet()).await.unwrap();

    assert_eq!(vnet.provisioning_state, ProvisioningState::Succeeded);
    assert_eq!(vnet.prefixes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.1.0.0/16", "fd00::/48"]);
    let peering = vnet.peering_to(&aiven_vnet()).expect("found by its remote id, whatever its letter case");
    assert_eq!((&peering.state, &peering.sync_level), (&PeeringState::Connected, &SyncLevel::FullyInSync));
    assert_eq!(peering.remote_prefixes.len(), 2);

    let seen = &script.seen()[0];
    assert_eq!(seen.header("authorization"), "Bearer token:installation:2222:arm.test");
    assert!(Uuid::try_parse(seen.header("x-ms-client-request-id")).is_ok());
    assert_eq!(seen.header("x-ms-authorization-auxiliary"), "");
}

#[tokio::test(start_paused = true)]
async fn words_and_fields_that_arm_may_add_or_leave_out_do_no_harm() {
    let body = json!({ "id": NET, "location": "x", "new": 1, "properties": { "provisioningState": "Migrating",
        "virtualNetworkPeerings": [{ "name": "p", "properties": { "remoteVirtualNetwork": { "id": "odd" } } }] }});
    let script = Script::new().on(&format!("GET {NET}?api-version=2024-05-01"), 200, &body.to_string());
    let vnet = script.clouds().arm.vnet(&vnet()).await.unwrap();
    assert_eq!(vnet.provisioning_state, ProvisioningState::Unknown("Migrating".into()));
    assert_eq!(vnet.peerings[0].remote, None);
    assert_eq!(vnet.peerings[0].state, PeeringState::Unknown(String::new()));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_shows_its_tenant() {
    let body = json!({ "id": SUB, "subscriptionId": subscription(), "tenantId": remote(), "state": "Warned" });
    let script = Script::new().on(&format!("GET {SUB}?api-version=2022-12-01"), 200, &body.to_string());
    let found = script.clouds().arm.subscription(subscription()).await.unwrap();
    assert_eq!((found.tenant, found.state), (remote(), SubscriptionState::Warned));
}

#[tokio::test(start_paused = true)]
async fn a_peering_is_put_as_the_application_with_the_remote_tenants_token_beside() {
    let line = format!("PUT {NET}/virtualNetworkPeerings/to-aiven?api-version=2023-11-01&syncRemoteAddressSpace=true");
    let headers = [("azure-asyncoperation", OPERATION), ("retry-after", "10")];
    let script = Script::new().with(&line, 201, &headers, &peering_json("Initiated").to_string());
    let accepted = script.clouds().arm.put_peering(app(), &vnet(), "to-aiven", &spec()).await.unwrap();

    assert_eq!(accepted.operation.as_deref(), Some(OPERATION));
    assert_eq!(accepted.retry_after.unwrap().as_secs(), 10);
    assert_eq!(accepted.peering.unwrap().state, PeeringState::Initiated);
    let seen = &script.seen()[0];
    assert_eq!(seen.header("authorization"), "Bearer token:application:2222:arm.test");
    assert_eq!(seen.header("x-ms-authorization-auxiliary"), "Bearer token:application:9999:arm.test");
    assert_eq!(seen.body["properties"]["remoteVirtualNetwork"]["id"], aiven_vnet().to_string());
    assert_eq!(seen.body["properties"]["allowVirtualNetworkAccess"], true);
}

#[tokio::test(start_paused = true)]
async fn a_delete_is_an_operation_or_nothing_to_do() {
    let line = format!("DELETE {NET}/virtualNetworkPeerings/to-aiven?api-version=2023-11-01");
    let script = Script::new().with(&line, 202, &[("location", OPERATION)], "").on(&line, 204, "");
    let arm = script.clouds().arm;
    let accepted = arm.delete_peering(app(), &vnet(), "to-aiven").await.unwrap();
    assert_eq!((accepted.operation.as_deref(), accepted.was_absent), (Some(OPERATION), false));
    let accepted = arm.delete_peering(app(), &vnet(), "to-aiven").await.unwrap();
    assert_eq!((accepted.operation, accepted.was_absent), (None, true));
    assert_eq!(script.seen()[0].header("x-ms-authorization-auxiliary"), "");
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_judged_by_its_body() {
    let failed = json!({ "status": "Failed", "error": { "code": "BadRequest", "message": "x", "details":
        [{ "code": "AnotherOperationInProgress", "message": "Another operation on this or dependent resource is in progress." }] }});
    let script = Script::new()
        .with(OPERATION_LINE, 200, &[("retry-after", "7")], r#"{"status":"InProgress"}"#)
        .with(OPERATION_LINE, 202, &[], "")
        .on(OPERATION_LINE, 200, r#"{"status":"Succeeded"}"#)
        .on(OPERATION_LINE, 204, "")
        .on(OPERATION_LINE, 200, &failed.to_string())
        .on(OPERATION_LINE, 200, r#"{"status":"Canceled"}"#);
    let arm = script.clouds().arm;
    let caller = Caller::Application { app: app(), remote_tenant: Some(remote()) };
    let mut polls = Vec::new();
    for _ in 0..6 {
        polls.push(arm.operation(caller, OPERATION).await.unwrap());
    }
    assert_eq!(polls[0], Progress::InProgress { retry_after: Some(std::time::Duration::from_secs(7)) });
    assert_eq!(polls[1], Progress::InProgress { retry_after: None });
    assert_eq!((&polls[2], &polls[3]), (&Progress::Succeeded, &Progress::Succeeded));
    let Progress::Failed(failure) = &polls[4] else { panic!("{:?}", polls[4]) };
    assert_eq!((failure.status, failure.code.as_str()), (Some(200), "AnotherOperationInProgress"));
    let Progress::Failed(failure) = &polls[5] else { panic!("{:?}", polls[5]) };
    assert_eq!(failure.code, "Canceled");
    assert_eq!(script.seen()[0].header("x-ms-authorization-auxiliary"), "Bearer token:application:9999:arm.test");
}

#[tokio::test(start_paused = true)]
async fn a_failed_poll_is_not_a_failed_operation() {
    let body = r#"{"error":{"code":"AuthorizationFailed","message":"no"}}"#;
    let script = Script::new().on(OPERATION_LINE, 403, body);
    let failure = script.clouds().arm.operation(Caller::Installation, OPERATION).await.unwrap_err();
    assert_eq!((failure.status, failure.code.as_str()), (Some(403), "AuthorizationFailed"));
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn no_token_goes_to_an_address_that_is_not_arms() {
    let script = Script::new();
    let arm = script.clouds().arm;
    for address in [
        "https://evil.test/operations/1?api-version=1",
        "http://arm.test/operations/1",
        "https://arm.test:8443/operations/1",
        "https://arm.test@evil.test/operations/1",
        "/operations/1",
        "",
    ] {
        let failure = arm.operation(Caller::Installation, address).await.unwrap_err();
        assert_eq!((failure.status, failure.code.as_str()), (None, code::FOREIGN_ADDRESS), "{address}");
    }
    assert!(script.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_to_its_last_page_but_only_at_arm() {
    let scope = vnet().to_string();
    let line = format!(
        "GET {scope}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=principalId eq '{}'",
        principal()
    );
    let assignment = |scope: &str| {
        let name = "66666666-6666-4666-8666-666666666666";
        json!({ "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"), "name": name,
            "properties": { "scope": scope, "principalId": principal(), "principalType": "ServicePrincipal",
            "roleDefinitionId": format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7"),
            "createdOn": "2025-01-02T03:04:05.1234567Z" }})
    };
    let first = json!({ "value": [assignment(&scope.to_lowercase())], "nextLink": "https://arm.test/next?page=2" });
    let second = json!({ "value": [assignment(SUB)], "nextLink": "https://evil.test/next" });
    let last = json!({ "value": [assignment(SUB)] });
    let script = Script::new().on(&line, 200, &first.to_string()).on("GET /next?page=2", 200, &last.to_string()).on(
        &line,
        200,
        &second.to_string(),
    );
    let arm = script.clouds().arm;

    let found = arm.role_assignments(&scope, principal()).await.unwrap();
    assert_eq!(
        found.iter().map(|a| (a.is_at(&scope), a.covers(&scope))).collect::<Vec<_>>(),
        [(true, true), (false, true)]
    );
    assert_eq!(found[0].role.unwrap().to_string(), "4d97b98b-1d4f-4787-a291-c67834d212e7");
    assert!(found[0].created.is_some());
    assert!(!found[0].covers(&format!("{scope}-other")), "a scope that only begins alike is another");

    let failure = arm.role_assignments(&scope, principal()).await.unwrap_err();
    assert_eq!(failure.code, code::FOREIGN_ADDRESS);
    assert_eq!(script.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_assignment_always_says_that_it_is_for_a_service_principal() {
    let name = Uuid::from_u128(7);
    let line = format!("PUT {NET}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01");
    let body = r#"{"error":{"code":"RoleAssignmentExists","message":"The role assignment already exists."}}"#;
    let headers = [("x-ms-correlation-request-id", "corr-1"), ("x-ms-request-id", "req-1")];
    let script = Script::new().with(&line, 409, &headers, body);
    let role = role_definition_id(subscription(), Uuid::from_u128(8));
    let arm = script.clouds().arm;
    let failure = arm.put_role_assignment(&vnet().to_string(), name, &role, principal()).await.unwrap_err();
    assert_eq!((failure.status, failure.code.as_str()), (Some(409), "RoleAssignmentExists"));
    assert_eq!(failure.correlation.as_deref(), Some("corr-1"));
    assert_eq!(
        script.seen()[0].body,
        json!({ "properties": { "roleDefinitionId": role,
        "principalId": principal(), "principalType": "ServicePrincipal" }})
    );
}

#[tokio::test(start_paused = true)]
async fn an_assignment_is_deleted_by_its_resource_id() {
    let id = format!("{NET}/providers/Microsoft.Authorization/roleAssignments/a");
    let line = format!("DELETE {id}?api-version=2022-04-01");
    let script = Script::new().on(&line, 200, "{}").on(&line, 204, "");
    let arm = script.clouds().arm;
    assert!(arm.delete_role_assignment(&id).await.unwrap());
    assert!(!arm.delete_role_assignment(&id).await.unwrap());
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_role_is_put_for_its_subscription_and_found_by_name() {
    let role = Uuid::from_u128(9);
    let base = format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions");
    let wire = json!({ "id": format!("{base}/{role}"), "name": role, "properties": { "roleName": "it's ours",
        "type": "CustomRole", "permissions": [{ "actions": ["a"], "notActions": [] }], "assignableScopes": [SUB] }});
    let script = Script::new()
        .on(
            &format!("GET {base}/{role}?api-version=2022-04-01"),
            404,
            r#"{"error":{"code":"RoleDefinitionDoesNotExist"}}"#,
        )
        .on(&format!("PUT {base}/{role}?api-version=2022-04-01"), 201, &wire.to_string())
        .on(
            &format!("GET {base}?api-version=2022-04-01&$filter=roleName eq 'it''s ours'"),
            200,
            &json!({ "value": [wire] }).to_string(),
        );
    let arm = script.clouds().arm;
    let spec = RoleSpec { role_name: "it's ours".into(), description: "d".into(), actions: vec!["a".into()] };
    assert_eq!(arm.role_definition(subscription(), role).await.unwrap(), None);
    let made = arm.put_role_definition(subscription(), role, &spec).await.unwrap();
    assert_eq!((made.name, made.actions.as_slice()), (role, ["a".to_owned()].as_slice()));
    assert_eq!(arm.role_definitions_named(subscription(), "it's ours").await.unwrap(), [made]);
    assert_eq!(script.seen()[1].body["properties"]["assignableScopes"], json!([SUB]));
}

#[tokio::test(start_paused = true)]
async fn a_missing_peering_is_none_but_an_unseen_subscription_is_a_failure() {
    let line = format!("GET {NET}/virtualNetworkPeerings/p?api-version=2023-11-01");
    let script = Script::new().on(&line, 404, r#"{"error":{"code":"ResourceNotFound","message":"not there"}}"#).on(
        &line,
        404,
        r#"{"error":{"code":"SubscriptionNotFound","message":"not seen"}}"#,
    );
    let arm = script.clouds().arm;
    assert!(arm.peering(&vnet(), "p").await.unwrap().is_none());
    assert_eq!(arm.peering(&vnet(), "p").await.unwrap_err().code, "SubscriptionNotFound");
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_name_cannot_leave_its_place_in_the_path() {
    let odd = VnetId { resource_group: "a (b)#?%2F".into(), ..vnet() };
    let line = format!(
        "GET {SUB}/resourceGroups/a%20(b)%23%3F%252F/providers/Microsoft.Network/virtualNetworks/My-VNet/virtualNetworkPeerings/x%2Fy?api-version=2023-11-01"
    );
    let script = Script::new().on(&line, 404, r#"{"error":{"code":"NotFound"}}"#);
    assert!(script.clouds().arm.peering(&odd, "x/y").await.unwrap().is_none());
    script.seen();
}

#[test]
fn the_most_telling_code_is_found_wherever_it_hides() {
    let nested = json!({ "error": { "code": "Conflict",
        "message": r#"{"status":"Failed","error":{"code":"ResourceDeploymentFailure","message":"m","details":[{"code":"RoleDefinitionWithSameNameExists","message":"A custom role with the same name already exists in this directory. Use a different name."}]}}"# }});
    let after_prose = json!({ "error": { "code": "BadRequest",
        "message": r#"Request failed: '{"error":{"code":"PrincipalNotFound","message":"Principal 4444 does not exist"}}'."# }});
    for (body, code, message) in [
        (json!({ "error": { "code": "AuthorizationFailed", "message": "no" }}), "AuthorizationFailed", "no"),
        (
            json!({ "error": { "code": "Odd", "message": "o", "details": [{ "code": "Odder", "message": "i" }] }}),
            "Odd",
            "o",
        ),
        (
            json!({ "error": { "code": "BadRequest", "message": "o", "details": [{ "code": "VnetAddressSpacesOverlap", "message": "i" }] }}),
            "VnetAddressSpacesOverlap",
            "i",
        ),
        (
            json!({ "error": { "code": "ScopeLocked", "message": "o", "details": [{ "code": "X", "message": "i" }] }}),
            "ScopeLocked",
            "o",
        ),
        (
            nested,
            "RoleDefinitionWithSameNameExists",
            "A custom role with the same name already exists in this directory. Use a different name.",
        ),
        (after_prose, "PrincipalNotFound", "Principal 4444 does not exist"),
        (json!({ "code": "ResourceNotFound", "message": "bare" }), "ResourceNotFound", "bare"),
        (json!({ "error": { "code": "X", "message": "see {0}" }}), "X", "see {0}"),
        (json!("text"), "", ""),
    ] {
        let said = errors::said_of(&body);
        assert_eq!((said.code.as_str(), said.message.as_str()), (code, message), "{body}");
    }
}
