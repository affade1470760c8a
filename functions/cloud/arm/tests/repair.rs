//! What deleting and reconciling need of ARM: whole lists, the synchronisation of a peering, deletes of what is gone.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_subscriptions_networks_come_in_one_list_with_their_peerings() {
    let network = |name: &str, peerings: serde_json::Value| {
        json!({ "id": NET.replace("My-VNet", name), "location": "westeurope", "properties": {
            "provisioningState": "Succeeded", "addressSpace": { "addressPrefixes": ["10.1.0.0/16"] },
            "virtualNetworkPeerings": peerings }})
    };
    let mut closed = peering_json("Connected");
    closed["properties"]["allowVirtualNetworkAccess"] = json!(false);
    closed["properties"]["peeringSyncLevel"] = json!("LocalNotInSync");
    let line = format!("GET {SUB}/providers/Microsoft.Network/virtualNetworks?api-version=2024-05-01");
    let first = json!({ "value": [network("My-VNet", json!([closed]))], "nextLink": "https://arm.test/next?page=2" });
    let second = json!({ "value": [network("other", serde_json::Value::Null)] });
    let script = Script::new().on(&line, 200, &first.to_string()).on("GET /next?page=2", 200, &second.to_string());

    let vnets = script.clouds().arm.vnets(subscription()).await.unwrap();
    assert_eq!(vnets.len(), 2);
    let peering = vnets[0].peering_to(&aiven_vnet()).unwrap();
    assert_eq!((peering.allow_vnet_access, &peering.sync_level), (false, &SyncLevel::LocalNotInSync));
    assert!(vnets[1].peerings.is_empty());
    assert_eq!(script.seen()[0].header("authorization"), "Bearer token:installation:2222:arm.test");
}

#[tokio::test(start_paused = true)]
async fn a_synchronisation_changes_nothing_but_the_address_space() {
    let mut wire = peering_json("Connected");
    for name in ["allowForwardedTraffic", "allowGatewayTransit"] {
        wire["properties"][name] = json!(true);
    }
    let get = format!("GET {NET}/virtualNetworkPeerings/to-aiven?api-version=2023-11-01");
    let put = format!("PUT {NET}/virtualNetworkPeerings/to-aiven?api-version=2023-11-01&syncRemoteAddressSpace=true");
    let headers = [("azure-asyncoperation", OPERATION)];
    let script = Script::new().on(&get, 200, &wire.to_string()).with(&put, 200, &headers, &wire.to_string());
    let arm = script.clouds().arm;
    let peering = arm.peering(&vnet(), "to-aiven").await.unwrap().unwrap();
    let accepted = arm.sync_peering(app(), &vnet(), &peering, (&aiven_vnet(), remote())).await.unwrap();
    assert_eq!(accepted.operation.as_deref(), Some(OPERATION));

    let seen = &script.seen()[1];
    assert_eq!(
        seen.body,
        json!({ "name": "to-aiven", "properties": { "remoteVirtualNetwork": { "id": aiven_vnet() },
            "allowVirtualNetworkAccess": true, "allowForwardedTraffic": true, "allowGatewayTransit": true,
            "useRemoteGateways": false }})
    );
    assert_eq!(seen.header("authorization"), "Bearer token:application:2222:arm.test");
    assert_eq!(seen.header("x-ms-authorization-auxiliary"), "Bearer token:application:9999:arm.test");
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_with_its_network_need_not_be_deleted() {
    let peering = format!("DELETE {NET}/virtualNetworkPeerings/p?api-version=2023-11-01");
    let id = format!("{NET}/providers/Microsoft.Authorization/roleAssignments/a");
    let assignment = format!("DELETE {id}?api-version=2022-04-01");
    let gone = r#"{"error":{"code":"ResourceGroupNotFound","message":"Resource group 'My-RG' could not be found."}}"#;
    let unseen = r#"{"error":{"code":"SubscriptionNotFound","message":"The subscription could not be found."}}"#;
    let script = Script::new().on(&peering, 404, gone).on(&assignment, 404, gone).on(&peering, 404, unseen).on(
        &assignment,
        404,
        unseen,
    );
    let arm = script.clouds().arm;
    assert!(arm.delete_peering(app(), &vnet(), "p").await.unwrap().was_absent);
    assert!(!arm.delete_role_assignment(&id).await.unwrap());
    assert_eq!(arm.delete_peering(app(), &vnet(), "p").await.unwrap_err().code, "SubscriptionNotFound");
    assert_eq!(arm.delete_role_assignment(&id).await.unwrap_err().code, "SubscriptionNotFound");
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_deletes_operation_is_followed_by_either_header_and_its_failure_told() {
    let line = format!("DELETE {NET}/virtualNetworkPeerings/p?api-version=2023-11-01");
    let both = [("location", "https://arm.test/results/1"), ("azure-asyncoperation", OPERATION), ("retry-after", "10")];
    let busy = json!({ "status": "Failed", "error": { "code": "AnotherOperationInProgress", "message": "m" }});
    let locked = r#"{"error":{"code":"ScopeLocked","message":"The scope cannot perform delete operation because following scope(s) are locked."}}"#;
    let script = Script::new()
        .with(&line, 202, &both, "")
        .on(OPERATION_LINE, 200, &busy.to_string())
        .on(&line, 200, "")
        .on(&line, 409, locked);
    let arm = script.clouds().arm;
    let accepted = arm.delete_peering(app(), &vnet(), "p").await.unwrap();
    assert_eq!(accepted.operation.as_deref(), Some(OPERATION));
    let caller = Caller::Application { app: app(), remote_tenant: None };
    let Progress::Failed(failure) = arm.operation(caller, OPERATION).await.unwrap() else { panic!("it failed") };
    assert_eq!(failure.code, "AnotherOperationInProgress");
    let done = arm.delete_peering(app(), &vnet(), "p").await.unwrap();
    assert_eq!((done.operation, done.was_absent), (None, false));
    assert_eq!(arm.delete_peering(app(), &vnet(), "p").await.unwrap_err().code, "ScopeLocked");
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn custom_roles_are_listed_without_those_that_cannot_be_read() {
    let role = Uuid::from_u128(9);
    let base = format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions");
    let wire = json!({ "id": format!("{base}/{role}"), "name": role, "properties": { "roleName": "ours",
        "permissions": [{ "actions": ["a"] }], "assignableScopes": [SUB] }});
    let odd = json!({ "id": "x", "name": "no-guid", "properties": { "roleName": null } });
    let line = format!("GET {base}?api-version=2022-04-01&$filter=type eq 'CustomRole'");
    let script = Script::new().on(&line, 200, &json!({ "value": [odd, wire] }).to_string());
    let roles = script.clouds().arm.role_definitions(subscription()).await.unwrap();
    assert_eq!(roles.iter().map(|role| role.role_name.as_str()).collect::<Vec<_>>(), ["ours"]);
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_principals_assignments_of_a_subscription_include_those_on_its_networks() {
    let assignment = |scope: &str| {
        json!({ "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/a"), "name": Uuid::nil(),
            "properties": { "scope": scope, "principalId": principal(),
                "roleDefinitionId": role_definition_id(subscription(), Uuid::from_u128(8)) }})
    };
    let line = format!(
        "GET {SUB}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=principalId eq '{}'",
        principal()
    );
    let script = Script::new().on(&line, 200, &json!({ "value": [assignment(SUB), assignment(NET)] }).to_string());
    let found = script.clouds().arm.assignments_of(subscription(), principal()).await.unwrap();
    assert_eq!(found.iter().map(|a| a.is_at(&vnet().to_string())).collect::<Vec<_>>(), [false, true]);
    script.seen();
}
