//! What the clouds refuse: a table of situations with the documented status, code and words, each row a test.

mod ground;

use super::assignment;
use crate::clouds::{Lags, Service, roles};
use ground::Ground;
use serde_json::json;
use std::time::Duration;

/// One row as it is printed.
pub(super) struct Row {
    situation: &'static str,
    call: &'static str,
    status: u16,
    code: &'static str,
    words: &'static str,
    source: &'static str,
}

/// `name: "situation", "call" => status "code" "words", "source"; how it comes about`. Code `-`: Aiven's published
/// list has none for it.
macro_rules! refusals {
    ($($name:ident: $situation:literal, $call:literal => $status:literal $code:literal $words:literal, $source:literal; $attempt:expr)+) => {
        pub(in $crate::clouds::tests::refusals) const TABLE: &[Row] = &[$(Row {
            situation: $situation, call: $call, status: $status, code: $code, words: $words, source: $source,
        }),+];
        $(#[tokio::test]
        async fn $name() {
            let attempt: $crate::clouds::tests::Answer = $attempt.await;
            let error = &attempt.body["error"];
            let code = error["code"].as_str().or(error.as_str());
            let code = code.or(attempt.body["errors"][0]["error_code"].as_str()).unwrap_or("-");
            assert_eq!((attempt.status, code), ($status, $code), "{}", attempt.body);
            assert!(attempt.body.to_string().contains($words), "{}", attempt.body);
        })+
    };
}

// After the macro, which they use.
mod delegation;
mod life;
mod secrets;

#[test]
fn the_table_is_long_and_nothing_is_in_it_twice() {
    let table: Vec<&Row> = [TABLE, delegation::TABLE, life::TABLE, secrets::TABLE].into_iter().flatten().collect();
    for Row { situation, call, status, code, words, source } in &table {
        println!("| {situation} | {call} | {status} `{code}` | {words} | {source} |");
    }
    let situations: std::collections::BTreeSet<_> = table.iter().map(|row| (row.situation, row.call)).collect();
    assert_eq!(situations.len(), table.len());
    assert!(table.len() >= 100, "{}", table.len());
}

refusals! {
    // ---- tokens -------------------------------------------------------------------------------------------------
    no_such_tenant: "a tenant that does not exist", "Entra: token" => 400 "invalid_request" "AADSTS90002", "Entra: error codes"; async {
        let g = Ground::new().await;
        g.scene.federated(&uuid::Uuid::new_v4().to_string(), &g.app).await
    }
    not_installed: "an application that is not installed in the tenant", "Entra: token" => 400 "unauthorized_client" "AADSTS700016", "Entra: error codes"; async {
        let g = Ground::new().await;
        let aiven = g.scene.clouds.world().aiven_tenant.clone();
        g.scene.federated(&aiven, &g.app).await
    }
    no_principal_at_home: "an application without a service principal at home", "Entra: token" => 400 "unauthorized_client" "AADSTS7000229", "Entra: error codes"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().service_principals.retain(|p| p.id != g.principal);
        g.scene.federated(&g.home, &g.app).await
    }
    deleted_application: "an application that was deleted", "Entra: token" => 400 "unauthorized_client" "AADSTS700016", "Entra: error codes"; async {
        let g = Ground::new().await;
        assert_eq!(g.graph("DELETE", &format!("/applications(appId='{}')", g.app), None).await.status, 204);
        g.scene.federated(&g.home, &g.app).await
    }
    no_credential: "an application that trusts no identity", "Entra: token by assertion" => 401 "invalid_client" "AADSTS70021", "Entra: workload identity federation"; async {
        let g = Ground::new().await;
        g.scene.federated(&g.home, &g.app).await
    }
    subject_in_other_case: "a federated subject in another case", "Entra: token by assertion" => 401 "invalid_client" "AADSTS700213", "Entra: trust a managed identity (the subject is case-sensitive)"; async {
        let g = Ground::new().await;
        let subject = g.identity();
        let other = if subject.to_uppercase() == subject { format!("{subject}0") } else { subject.to_uppercase() };
        assert_eq!(g.trust("identity", &other).await.status, 201);
        g.scene.federated(&g.home, &g.app).await
    }
    wrong_secret: "a wrong password", "Entra: token by secret" => 401 "invalid_client" "AADSTS7000215", "Entra: error codes"; async {
        let g = Ground::new().await;
        g.scene.by_secret(&g.home, &g.app, "wrong", &g.scene.url(Service::Arm)).await
    }
    no_token: "no token at all", "ARM: GET VNet" => 401 "AuthenticationFailed" "header is missing", "ARM: authentication"; async {
        let g = Ground::new().await;
        g.scene.send(g.scene.http.get(format!("{}{}?api-version=2024-05-01", g.scene.url(Service::Arm), g.a))).await
    }
    wrong_tenant: "another tenant's token", "ARM: GET VNet" => 401 "InvalidAuthenticationTokenTenant" "wrong issuer", "ARM: authentication"; async {
        let g = Ground::new().await;
        let foreign = {
            let mut world = g.scene.clouds.world();
            let tenant = world.another_tenant();
            let subscription = world.add_subscription(&tenant);
            world.add_vnet(&subscription, "Rg", "Foreign", &["10.9.0.0/24"])
        };
        g.arm("GET", &foreign, None).await
    }
    wrong_audience: "a token for Graph", "ARM: GET VNet" => 401 "InvalidAuthenticationToken" "wrong audience", "ARM: authentication"; async {
        let g = Ground::new().await;
        let token = g.scene.graph_identity().await;
        g.scene.arm(&token, "GET", &g.a, None).await
    }
    wrong_audience_of_graph: "a token for ARM", "Graph: GET application" => 401 "InvalidAuthenticationToken" "Invalid audience", "Graph: errors"; async {
        let g = Ground::new().await;
        g.scene.graph(&g.owner, "GET", &format!("/applications(appId='{}')", g.app), None).await
    }
    expired: "an expired token", "ARM: GET VNet" => 401 "ExpiredAuthenticationToken" "is earlier than current UTC time", "ARM: authentication"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().lags.identity_token_lifetime = Duration::ZERO;
        let token = g.scene.identity("https://management.azure.com").await;
        g.scene.arm(&token, "GET", &g.a, None).await
    }
    made_up: "a token that nobody signed", "ARM: GET VNet" => 401 "InvalidAuthenticationToken" "is invalid", "ARM: authentication"; async {
        let g = Ground::new().await;
        g.scene.arm("made.up.token", "GET", &g.a, None).await
    }

    // ---- roles --------------------------------------------------------------------------------------------------
    no_role: "a principal without any role", "ARM: GET VNet" => 403 "AuthorizationFailed" "Microsoft.Network/virtualNetworks/read", "Azure RBAC: troubleshooting"; async {
        let g = Ground::new().await;
        let token = g.stranger().await;
        g.scene.arm(&token, "GET", &g.a, None).await
    }
    role_elsewhere: "a role on another VNet", "ARM: PUT peering" => 403 "AuthorizationFailed" "virtualNetworkPeerings/write", "Azure RBAC: scope"; async {
        let g = Ground::new().await;
        let token = g.stranger().await;
        let principal = g.principal_of(&token);
        g.scene.clouds.world().assign_role(&g.b, roles::NETWORK_CONTRIBUTOR, &principal);
        super::runbook::put_peering(&g.scene, &g.a, "p", &g.b, &token, None).await
    }
    role_too_small: "a role that may only read", "ARM: PUT peering" => 403 "AuthorizationFailed" "virtualNetworkPeerings/write", "Azure built-in roles: Reader"; async {
        let g = Ground::new().await;
        let token = g.stranger().await;
        let principal = g.principal_of(&token);
        g.scene.clouds.world().assign_role(&g.a, roles::READER, &principal);
        super::runbook::put_peering(&g.scene, &g.a, "p", &g.b, &token, None).await
    }
    role_just_assigned: "a role that was assigned a moment ago", "ARM: GET VNet" => 403 "AuthorizationFailed" "If access was recently granted, please refresh your credentials", "Azure RBAC: troubleshooting"; async {
        let g = Ground::with(1.0, Lags { role_propagation: Duration::from_secs(600), ..Lags::none() }).await;
        let token = g.stranger().await;
        let body = assignment(&g.subscription, roles::READER, &g.principal_of(&token));
        assert_eq!(g.assign(uuid::Uuid::new_v4(), &g.a, body).await.status, 201);
        g.scene.arm(&token, "GET", &g.a, None).await
    }
    assignment_twice: "the same assignment under another GUID, its scope in another case", "ARM: PUT role assignment" => 409 "RoleAssignmentExists" "The ID of the existing role assignment is", "azure-cli: 8599"; async {
        let g = Ground::new().await;
        assert_eq!(g.assign(uuid::Uuid::new_v4(), &g.a, g.reader()).await.status, 201);
        let scope = g.a.replace("/resourceGroups/Rg", "/resourcegroups/RG");
        g.assign(uuid::Uuid::new_v4(), &scope, g.reader()).await
    }
    guid_taken: "a GUID that another assignment has", "ARM: PUT role assignment" => 400 "RoleAssignmentUpdateNotPermitted" "are not allowed to be updated", "Azure RBAC: troubleshooting"; async {
        let g = Ground::new().await;
        let guid = uuid::Uuid::new_v4();
        assert_eq!(g.assign(guid, &g.a, g.reader()).await.status, 201);
        g.assign(guid, &g.a, assignment(&g.subscription, roles::NETWORK_CONTRIBUTOR, &g.principal)).await
    }
    no_such_principal: "a principal that does not exist", "ARM: PUT role assignment" => 400 "PrincipalNotFound" "does not exist in the directory", "Azure RBAC: troubleshooting"; async {
        let g = Ground::new().await;
        let nobody = uuid::Uuid::new_v4().to_string();
        g.assign(uuid::Uuid::new_v4(), &g.a, assignment(&g.subscription, roles::READER, &nobody)).await
    }
    principal_just_made: "a principal that was made a moment ago", "ARM: PUT role assignment" => 400 "PrincipalNotFound" "replication delay", "Azure RBAC: troubleshooting"; async {
        let g = Ground::with(1.0, Lags { graph_replication: Duration::from_secs(600), ..Lags::none() }).await;
        let made = g.admit_aiven().await;
        let principal = made.body["id"].as_str().unwrap().to_owned();
        g.assign(uuid::Uuid::new_v4(), &g.a, assignment(&g.subscription, roles::READER, &principal)).await
    }
    wrong_type: "a service principal called a user", "ARM: PUT role assignment" => 400 "UnmatchedPrincipalType" "different from specified PrincipalType", "Azure RBAC: troubleshooting"; async {
        let g = Ground::new().await;
        let mut body = g.reader();
        body["properties"]["principalType"] = json!("User");
        g.assign(uuid::Uuid::new_v4(), &g.a, body).await
    }
    no_such_role: "a role that does not exist", "ARM: PUT role assignment" => 404 "RoleDefinitionDoesNotExist" "does not exist", "Azure RBAC: troubleshooting"; async {
        let g = Ground::new().await;
        let role = uuid::Uuid::new_v4().to_string();
        g.assign(uuid::Uuid::new_v4(), &g.a, assignment(&g.subscription, &role, &g.principal)).await
    }
    role_name_taken: "a role's name that is taken, in another case", "ARM: PUT role definition" => 409 "RoleDefinitionWithSameNameExists" "Use a different name", "azurerm: 10728"; async {
        let g = Ground::new().await;
        assert_eq!(g.define("Peer only").await.status, 201);
        g.define("peer ONLY").await
    }
    role_in_use: "a role that is still assigned", "ARM: DELETE role definition" => 400 "RoleDefinitionHasAssignments" "existing role assignments", "Azure RBAC: troubleshooting"; async {
        let g = Ground::new().await;
        let made = g.define("peer").await;
        let role = made.body["name"].as_str().unwrap().to_owned();
        assert_eq!(g.assign(uuid::Uuid::new_v4(), &g.a, assignment(&g.subscription, &role, &g.principal)).await.status, 201);
        g.arm("DELETE", made.body["id"].as_str().unwrap(), None).await
    }

    // ---- the auxiliary token ------------------------------------------------------------------------------------
    no_auxiliary: "no auxiliary token", "ARM: PUT peering across tenants" => 403 "LinkedAuthorizationFailed" "is not authorized to access linked subscription", "ARM: authenticate requests across tenants"; async {
        let g = Ground::new().await;
        g.across().await.put(&g.scene, None).await
    }
    auxiliary_of_home: "an auxiliary token of the wrong tenant", "ARM: PUT peering across tenants" => 403 "LinkedAuthorizationFailed" "is not authorized to access linked subscription", "ARM: authenticate requests across tenants"; async {
        let g = Ground::new().await;
        let across = g.across().await;
        across.put(&g.scene, Some(&across.primary)).await
    }
    auxiliary_of_another: "an auxiliary token of another application", "ARM: PUT peering across tenants" => 403 "LinkedAuthorizationFailed" "is not authorized to access linked subscription", "ARM: authenticate requests across tenants"; async {
        let g = Ground::new().await;
        let across = g.across().await;
        let (app, secret) = g.scene.clouds.world().add_administrator(&across.aiven_tenant);
        let other = g.scene.by_secret(&across.aiven_tenant, &app, &secret, &g.scene.url(Service::Arm)).await;
        across.put(&g.scene, other.body["access_token"].as_str()).await
    }
    auxiliary_junk: "an auxiliary token that nobody signed", "ARM: PUT peering across tenants" => 401 "InvalidAuthenticationToken" "is invalid", "ARM: authenticate requests across tenants"; async {
        let g = Ground::new().await;
        g.across().await.put(&g.scene, Some("junk")).await
    }
    four_auxiliaries: "four auxiliary tokens", "ARM: PUT peering across tenants" => 401 "InvalidAuthenticationToken" "exceeds the limit of 3", "ARM: authenticate requests across tenants"; async {
        let g = Ground::new().await;
        let across = g.across().await;
        let four = [across.auxiliary.as_str(); 4].join(", Bearer ");
        across.put(&g.scene, Some(&four)).await
    }
    not_granted_yet: "Aiven's grant on its network has not propagated", "ARM: PUT peering across tenants" => 403 "LinkedAuthorizationFailed" "on the linked scope(s)", "ARM: linked access checks"; async {
        let g = Ground::new().await;
        let across = g.across().await;
        let principal = g.principal_of(&across.auxiliary);
        g.scene.clouds.world().never_propagate(&principal);
        across.put(&g.scene, Some(&across.auxiliary)).await
    }

    // ---- networks -----------------------------------------------------------------------------------------------
    no_api_version: "no api-version", "ARM: GET VNet" => 400 "MissingApiVersionParameter" "api-version", "ARM: REST"; async {
        let g = Ground::new().await;
        g.scene.send(g.scene.request("GET", &format!("{}{}", g.scene.url(Service::Arm), g.a), &g.owner, None)).await
    }
    no_such_subscription: "a subscription that does not exist", "ARM: GET VNet" => 404 "SubscriptionNotFound" "could not be found", "ARM: common errors"; async {
        let g = Ground::new().await;
        let gone = uuid::Uuid::new_v4().to_string();
        let owner = g.principal_of(&g.owner);
        g.scene.clouds.world().assign_role(&format!("/subscriptions/{gone}"), roles::READER, &owner);
        g.arm("GET", &g.a.replace(&g.subscription, &gone), None).await
    }
    no_such_group: "a resource group that does not exist", "ARM: GET VNet" => 404 "ResourceGroupNotFound" "could not be found", "ARM: common errors"; async {
        let g = Ground::new().await;
        g.arm("GET", &g.a.replace("/Rg/", "/Missing/"), None).await
    }
    no_such_network: "a VNet that does not exist", "ARM: GET VNet" => 404 "ResourceNotFound" "was not found", "ARM: common errors"; async {
        let g = Ground::new().await;
        g.arm("GET", &format!("{}-missing", g.a), None).await
    }
    read_only: "a disabled subscription", "ARM: PUT peering" => 409 "ReadOnlyDisabledSubscription" "marked as read only", "ARM: common errors"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().subscriptions.iter_mut().find(|s| s.id == g.subscription).unwrap().state = "Disabled".to_owned();
        g.peer(&g.a, "to-b", &g.b).await
    }
    bad_prefix: "an address space that is no network", "ARM: PUT VNet" => 400 "InvalidAddressPrefixFormat" "address prefixes", "Microsoft.Network: VirtualNetworks"; async {
        let g = Ground::new().await;
        let body = json!({"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/99"]}}});
        g.arm("PUT", &format!("{}2", g.a), Some(body)).await
    }
    busy: "a VNet in the middle of an operation", "ARM: PUT peering" => 429 "AnotherOperationInProgress" "in progress", "Microsoft.Network: AzureTRE 2222"; async {
        let g = Ground::slow(600).await;
        let c = g.network("C", "10.3.0.0/24");
        assert_eq!(g.peer(&g.a, "to-b", &g.b).await.status, 201);
        g.peer(&g.a, "to-c", &c).await
    }
    updating: "a remote VNet that is being updated", "ARM: PUT peering" => 400 "ReferencedResourceNotProvisioned" "is not in Succeeded state", "azurerm: 2605"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().keep_updating(&g.b, Duration::from_secs(600));
        g.peer(&g.a, "to-b", &g.b).await
    }
    no_remote: "a remote VNet that does not exist", "ARM: PUT peering" => 400 "InvalidResourceReference" "was not found", "Microsoft.Network: common errors"; async {
        let g = Ground::new().await;
        g.peer(&g.a, "to-b", &format!("{}-missing", g.b)).await
    }
    not_a_network: "a remote id that is no VNet's", "ARM: PUT peering" => 400 "LinkedInvalidPropertyId" "is not a virtual network's resource id", "ARM: linked access checks"; async {
        let g = Ground::new().await;
        g.peer(&g.a, "to-b", "my-vnet").await
    }
    overlap: "address spaces that overlap", "ARM: PUT peering" => 400 "VnetAddressSpacesOverlap" "Overlapping address prefixes: 10.1.0.0/24", "Microsoft.Network: AzureTRE 4641"; async {
        let g = Ground::new().await;
        let twin = g.network("Twin", "10.1.0.128/25");
        g.peer(&g.a, "to-twin", &twin).await
    }
    overlap_with_peered: "an address space that overlaps one already peered", "ARM: PUT peering" => 400 "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet" "already peered with the second", "Microsoft.Network: data-safe-haven 2152"; async {
        let g = Ground::new().await;
        g.connect().await;
        let twin = g.network("Twin", "10.1.0.128/25");
        g.peer(&g.b, "to-twin", &twin).await
    }
    second_half: "a second peering to the same VNet, its id in another case", "ARM: PUT peering" => 400 "AnotherPeeringAlreadyReferencesRemoteVnet" "already references remote virtual network", "Microsoft.Network: common errors"; async {
        let g = Ground::new().await;
        g.connect().await;
        g.peer(&g.a, "again", &g.b.replace("/resourceGroups/Rg", "/resourcegroups/RG")).await
    }
    turned: "a peering turned to another VNet", "ARM: PUT peering" => 400 "ChangingRemoteVnetOfPeeringNotAllowed" "cannot be changed", "Microsoft.Network: common errors"; async {
        let g = Ground::new().await;
        g.connect().await;
        let c = g.network("C", "10.3.0.0/24");
        g.peer(&g.a, "TO-B", &c).await
    }
    disconnected: "the other half is Disconnected", "ARM: PUT peering" => 400 "RemotePeeringIsDisconnected" "is in Disconnected state", "azurerm: 14051"; async {
        let g = Ground::new().await;
        g.connect().await;
        g.scene.clouds.world().remove_peering(&g.b, "to-a");
        g.peer(&g.b, "to-a", &g.a).await
    }
    five_hundred: "a VNet with 500 peerings", "ARM: PUT peering" => 400 "VirtualNetworkPeeringLimitReached" "limit of 500 peerings", "Azure subscription limits (the code is not documented)"; async {
        let g = Ground::new().await;
        for number in 0..500 {
            g.scene.clouds.world().add_peering(&g.a, &format!("p{number}"), &format!("{}{number}", g.b), "Initiated");
        }
        g.peer(&g.a, "one-more", &g.b).await
    }

    // ---- the directory ------------------------------------------------------------------------------------------
    foreign_application: "OwnedBy alone, for another tenant's application", "Graph: PATCH service principal" => 403 "Authorization_RequestDenied" "must in the local tenant", "Graph: serviceprincipal-upsert"; async {
        let g = Ground::new().await;
        g.own_applications_only();
        g.admit_aiven().await
    }
    no_graph_right: "no right in the directory", "Graph: GET application" => 403 "Authorization_RequestDenied" "Insufficient privileges", "Graph: errors"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().graph_roles.clear();
        g.graph("GET", &format!("/applications(appId='{}')", g.app), None).await
    }
    not_the_owner: "OwnedBy alone, for somebody else's application", "Graph: PATCH application" => 403 "Authorization_RequestDenied" "Insufficient privileges", "Graph: permissions"; async {
        let g = Ground::new().await;
        g.own_applications_only();
        g.graph("PATCH", &format!("/applications(appId='{}')", g.app), Some(json!({"displayName": "mine"}))).await
    }
    principal_twice: "a second service principal of one application", "Graph: POST service principal" => 409 "Request_MultipleObjectsWithSameKeyValue" "is already in use", "Graph: CIPP 1142"; async {
        let g = Ground::new().await;
        g.graph("POST", "/servicePrincipals", Some(json!({"appId": g.app}))).await
    }
    principal_of_deleted: "a service principal of a deleted application", "Graph: POST service principal" => 400 "Request_BadRequest" "NoBackingApplicationObject", "Graph: errors"; async {
        let g = Ground::new().await;
        assert_eq!(g.graph("DELETE", &format!("/applications(appId='{}')", g.app), None).await.status, 204);
        g.graph("POST", "/servicePrincipals", Some(json!({"appId": g.app}))).await
    }
    principal_too_soon: "a service principal of an application made a moment ago", "Graph: POST service principal" => 400 "Request_BadRequest" "NoBackingApplicationObject", "azure-cli: create-for-rbac's retries"; async {
        let g = Ground::with(1.0, Lags { graph_replication: Duration::from_secs(600), ..Lags::none() }).await;
        let made = g.graph("POST", "/applications", Some(json!({"displayName": "new"}))).await;
        g.graph("POST", "/servicePrincipals", Some(json!({"appId": made.body["appId"]}))).await
    }
    unique_name_twice: "a unique name that is taken", "Graph: POST application" => 400 "Request_BadRequest" "uniqueName already exists", "omadia: 916; msgraph-bicep-types: 202"; async {
        let g = Ground::new().await;
        let body = json!({"displayName": "x", "uniqueName": "peering"});
        assert_eq!(g.graph("POST", "/applications", Some(body.clone())).await.status, 201);
        g.graph("POST", "/applications", Some(body)).await
    }
    upsert_without_prefer: "an upsert without its Prefer header", "Graph: PATCH application" => 404 "Request_ResourceNotFound" "does not exist", "Graph: application-upsert"; async {
        let g = Ground::new().await;
        let token = g.scene.graph_identity().await;
        let url = format!("{}/v1.0/applications(uniqueName='x')", g.scene.url(Service::Graph));
        g.scene.send(g.scene.request("PATCH", &url, &token, Some(&json!({"displayName": "x"})))).await
    }
    credential_name_twice: "a federated credential's name that is taken", "Graph: POST federated credential" => 409 "Request_MultipleObjectsWithSameKeyValue" "already exists", "Graph: application-post-federatedidentitycredentials"; async {
        let g = Ground::new().await;
        assert_eq!(g.trust("identity", &g.identity()).await.status, 201);
        g.trust("identity", "another-subject").await
    }
    credential_twice: "the same issuer and subject under another name", "Graph: POST federated credential" => 400 "Request_BadRequest" "combination already exists", "Entra: trust a managed identity"; async {
        let g = Ground::new().await;
        assert_eq!(g.trust("identity", &g.identity()).await.status, 201);
        g.trust("twin", &g.identity()).await
    }
    twenty_credentials: "a twenty-first federated credential", "Graph: POST federated credential" => 400 "Request_BadRequest" "maximum of 20", "Entra: trust a managed identity"; async {
        let g = Ground::new().await;
        for number in 0..20 {
            assert_eq!(g.trust(&format!("credential-{number}"), &format!("subject-{number}")).await.status, 201);
        }
        g.trust("one-more", "one-more").await
    }

    // ---- Aiven --------------------------------------------------------------------------------------------------
    aiven_expired: "an expired Aiven token", "Aiven: GET VPC" => 401 "authentication_failed" "expired", "Aiven: error codes"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().expire_aiven_token();
        g.aiven("GET", &g.vpc, None).await
    }
    no_such_organization: "an organization that does not exist", "Aiven: GET VPC" => 404 "organization_not_found" "does not exist", "Aiven: error codes"; async {
        let g = Ground::new().await;
        g.aiven("GET", &format!("/organization/org00000000000/vpc/{}", g.vpc_id), None).await
    }
    no_such_project: "a project that does not exist", "Aiven: GET VPC" => 404 "project_does_not_exist" "does not exist", "Aiven: error codes"; async {
        let g = Ground::new().await;
        g.aiven("GET", &format!("/project/nobody/vpcs/{}", g.vpc_id), None).await
    }
    no_such_vpc: "a VPC that does not exist", "Aiven: GET VPC" => 404 "-" "VPC does not exist", "Aiven: error body"; async {
        let g = Ground::new().await;
        g.aiven("GET", &g.vpc.replace(&g.vpc_id, &uuid::Uuid::new_v4().to_string()), None).await
    }
    mixed_dialects: "half of one path dialect, half of the other", "Aiven: DELETE connection" => 404 "not_found" "no such route", "Aiven: OpenAPI, aiven-client"; async {
        let g = Ground::new().await;
        g.aiven("DELETE", &format!("{}/peering-connections/{}", g.vpc, uuid::Uuid::new_v4()), None).await
    }
    upper_case: "a VNet's name in upper case", "Aiven: POST connection" => 400 "-" "lower case", "Aiven: Azure VNet peering how-to"; async {
        Ground::new().await.request("peer_vpc", json!("My-Vnet")).await
    }
    no_group: "no resource group", "Aiven: POST connection" => 400 "-" "must be a valid Azure Resource Group name", "terraform-provider-aiven: 303"; async {
        Ground::new().await.request("peer_resource_group", json!(null)).await
    }
    bad_app: "an application's object that is no UUID", "Aiven: POST connection" => 400 "-" "peer_azure_app_id must be a valid UUID", "Aiven: OpenAPI"; async {
        Ground::new().await.request("peer_azure_app_id", json!("my-app")).await
    }
    a_region: "a region, which Azure networks have none of here", "Aiven: POST connection" => 400 "-" "peer_region is not supported", "Aiven: OpenAPI"; async {
        Ground::new().await.request("peer_region", json!("westeurope")).await
    }
    bad_cidr: "a user network that is no CIDR", "Aiven: POST connection" => 400 "-" "is not an IPv4 network", "Aiven: OpenAPI"; async {
        Ground::new().await.request("user_peer_network_cidrs", json!(["10.0.0.0/99"])).await
    }
    too_many_cidrs: "129 user networks", "Aiven: POST connection" => 400 "-" "more than 128 items", "Aiven: OpenAPI"; async {
        Ground::new().await.request("user_peer_network_cidrs", json!(vec!["10.0.0.0/24"; 129])).await
    }
    group_missing_on_delete: "no resource group in the path", "Aiven: DELETE connection of a project" => 400 "-" "Got None instead", "terraform-provider-aiven: 303"; async {
        let g = Ground::new().await;
        let vpc = g.scene.clouds.world().add_project_vpc("demo", "azure-westeurope", "10.78.0.0/24");
        g.aiven("DELETE", &format!("/project/demo/vpcs/{vpc}/peering-connections/peer-accounts/{}/peer-vpcs/a", g.subscription), None).await
    }
    delete_in_other_case: "the VNet's name in another case in the path", "Aiven: DELETE connection of a project" => 404 "-" "does not exist", "Aiven: OpenAPI (values as stored)"; async {
        let g = Ground::new().await;
        let vpc = g.scene.clouds.world().add_project_vpc("demo", "azure-westeurope", "10.78.0.0/24");
        let path = format!("/project/demo/vpcs/{vpc}/peering-connections");
        assert_eq!(g.aiven("POST", &path, Some(g.connection())).await.status, 200);
        g.aiven("DELETE", &format!("{path}/peer-accounts/{}/peer-resource-groups/rg/peer-vpcs/A", g.subscription), None).await
    }
    small_vpc: "a VPC of /25", "Aiven: POST VPC" => 400 "-" "/20 to /24", "Aiven: manage VPCs"; async {
        let g = Ground::new().await;
        let vpcs = g.vpc.rsplit_once("/vpc/").unwrap().0.to_owned() + "/vpcs";
        let body = json!({"clouds": [{"cloud_name": "azure-westeurope", "network_cidr": "10.9.0.0/25"}], "peering_connections": []});
        g.aiven("POST", &vpcs, Some(body)).await
    }
    vpc_not_built: "a VPC that is not built yet", "Aiven: POST connection" => 409 "-" "not in state ACTIVE", "Aiven: VPC states"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().aiven_vpc_mut(&g.vpc_id).unwrap().state = "APPROVED".to_owned();
        g.request("peer_region", json!(null)).await
    }
    vpc_in_use: "a VPC with a service in it", "Aiven: DELETE VPC" => 409 "-" "while there are services in the VPC", "terraform-provider-aiven: 184"; async {
        let g = Ground::new().await;
        {
            g.scene.clouds.world().add_service("demo", "pg", Some(&g.vpc_id));
        }
        g.aiven("DELETE", &g.vpc, None).await
    }
    too_often: "more requests than the limit", "Aiven: GET VPC" => 429 "-" "try again in ", "terraform-provider-aiven: 575"; async {
        let g = Ground::with(1.0, Lags { aiven_requests_per_minute: Some(2), ..Lags::none() }).await;
        for _ in 0..2 {
            assert_eq!(g.aiven("GET", &g.vpc, None).await.status, 200);
        }
        g.aiven("GET", &g.vpc, None).await
    }
}
