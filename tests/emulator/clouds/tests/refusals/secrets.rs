//! What is refused about passwords: by the directory, by the token service, by the vault that keeps them.

use super::Row;
use super::ground::Ground;
use crate::clouds::{Lags, PasswordPolicy, Service, roles};
use serde_json::json;
use std::time::Duration;

refusals! {
    // ---- tokens -------------------------------------------------------------------------------------------------
    secret_too_young: "a password that was added a moment ago", "Entra: token by secret" => 401 "invalid_client" "AADSTS7000215", "Entra: error codes"; async {
        let g = Ground::with(1.0, Lags { secret: Duration::from_secs(600), ..Lags::none() }).await;
        let added = g.add_password(json!({})).await;
        g.scene.by_secret(&g.home, &g.app, added.body["secretText"].as_str().unwrap(), &g.scene.url(Service::Arm)).await
    }
    secret_not_begun: "a password whose start is to come", "Entra: token by secret" => 401 "invalid_client" "AADSTS7000215", "Entra: error codes"; async {
        let g = Ground::new().await;
        let added = g.add_password(json!({"passwordCredential": {"startDateTime": "2098-01-01T00:00:00Z"}})).await;
        g.scene.by_secret(&g.home, &g.app, added.body["secretText"].as_str().unwrap(), &g.scene.url(Service::Arm)).await
    }
    secret_expired: "an expired password", "Entra: token by secret" => 401 "invalid_client" "AADSTS7000222", "Entra: error codes"; async {
        let g = Ground::new().await;
        let added = g.add_password(json!({})).await;
        g.scene.clouds.world().expire_passwords(&g.app);
        g.scene.by_secret(&g.home, &g.app, added.body["secretText"].as_str().unwrap(), &g.scene.url(Service::Arm)).await
    }
    secret_id: "a password's id instead of its text", "Entra: token by secret" => 401 "invalid_client" "not the client secret ID", "Entra: error codes"; async {
        let g = Ground::new().await;
        let added = g.add_password(json!({})).await;
        g.scene.by_secret(&g.home, &g.app, added.body["keyId"].as_str().unwrap(), &g.scene.url(Service::Arm)).await
    }
    principal_disabled: "a service principal that may not sign in", "Entra: token by secret" => 401 "unauthorized_client" "AADSTS7000112", "psoxy: 74"; async {
        let g = Ground::new().await;
        let added = g.add_password(json!({})).await;
        g.scene.clouds.world().enable_principal(&g.principal, false);
        g.scene.by_secret(&g.home, &g.app, added.body["secretText"].as_str().unwrap(), &g.scene.url(Service::Arm)).await
    }

    // ---- the directory ------------------------------------------------------------------------------------------
    password_by_patch: "a password in an application's own body", "Graph: POST application" => 400 "Request_BadRequest" "service actions", "microsoft-graph-docs: 6179"; async {
        let g = Ground::new().await;
        let body = json!({"displayName": "x", "passwordCredentials": [{"displayName": "mine"}]});
        g.graph("POST", "/applications", Some(body)).await
    }
    password_by_update: "a password in a change of an application", "Graph: PATCH application" => 400 "Request_BadRequest" "service actions", "microsoft-graph-docs: 3579"; async {
        let g = Ground::new().await;
        let body = json!({"passwordCredentials": [{"displayName": "mine"}]});
        g.graph("PATCH", &format!("/applications(appId='{}')", g.app), Some(body)).await
    }
    password_of_another: "OwnedBy alone, a password for somebody else's application", "Graph: addPassword" => 403 "Authorization_RequestDenied" "Insufficient privileges", "Graph: application-addpassword"; async {
        let g = Ground::new().await;
        g.own_applications_only();
        g.add_password(json!({})).await
    }
    password_ends_first: "a password that ends before it begins", "Graph: addPassword" => 400 "Request_BadRequest" "end date is invalid", "Graph: passwordCredential (the words are not documented)"; async {
        Ground::new().await.add_password(json!({"passwordCredential": {"endDateTime": "2020-01-01T00:00:00Z"}})).await
    }
    password_ends_never: "a password whose end is no time", "Graph: addPassword" => 400 "Request_BadRequest" "Edm.DateTimeOffset", "OData: error texts"; async {
        Ground::new().await.add_password(json!({"passwordCredential": {"endDateTime": "in a year"}})).await
    }
    passwords_forbidden: "a password where the tenant's policy forbids them", "Graph: addPassword" => 400 "CredentialTypeNotAllowedAsPerAppPolicy" "not allowed as per assigned policy", "Microsoft 365 Agents Toolkit: aadErrorCode"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().upsets.password_policy = Some(PasswordPolicy::Forbidden);
        g.add_password(json!({})).await
    }
    password_too_long_lived: "a password that lives longer than the tenant's policy allows", "Graph: addPassword" => 400 "CredentialInvalidLifetimeAsPerAppPolicy" "lifetime exceeds the max value", "azure-cli: 28522"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().upsets.password_policy = Some(PasswordPolicy::LongestDays(180));
        g.add_password(json!({})).await
    }
    password_unknown: "a password that is not there", "Graph: removePassword" => 400 "Request_BadRequest" "No password credential found", "Graph: application-removepassword"; async {
        let g = Ground::new().await;
        let body = json!({"keyId": uuid::Uuid::new_v4().to_string()});
        g.graph("POST", &format!("/applications(appId='{}')/removePassword", g.app), Some(body)).await
    }

    // ---- deleted items ------------------------------------------------------------------------------------------
    name_of_deleted: "a unique name that a deleted application has", "Graph: PATCH application" => 400 "Request_BadRequest" "ObjectConflict", "msgraph-bicep-types: 137"; async {
        let g = Ground::new().await;
        let (key, body) = ("/applications(uniqueName='peering')", json!({"displayName": "x"}));
        assert_eq!(g.graph("PATCH", key, Some(body.clone())).await.status, 201);
        assert_eq!(g.graph("DELETE", key, None).await.status, 204);
        g.graph("PATCH", key, Some(body)).await
    }
    restored_twice: "a service principal restored beside its successor", "Graph: restore" => 409 "Request_MultipleObjectsWithSameKeyValue" "created, updated, or restored", "azure-docs: 99117"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().delete_principal(&g.principal);
        assert_eq!(g.graph("POST", "/servicePrincipals", Some(json!({"appId": g.app}))).await.status, 201);
        g.graph("POST", &format!("/directory/deletedItems/{}/restore", g.principal), Some(json!({}))).await
    }
    restored_without_application: "a service principal restored without its application", "Graph: restore" => 400 "Request_BadRequest" "NoBackingApplicationObject", "azure-docs: 110002"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().delete_application(&g.app);
        g.graph("POST", &format!("/directory/deletedItems/{}/restore", g.principal), Some(json!({}))).await
    }
    restored_by_another: "OwnedBy alone, somebody else's deleted application restored", "Graph: restore" => 403 "Authorization_RequestDenied" "Insufficient privileges", "Graph: directory-deleteditems-restore"; async {
        let g = Ground::new().await;
        let id = g.scene.clouds.world().application(&g.app).unwrap().id.clone();
        g.scene.clouds.world().delete_application(&g.app);
        g.own_applications_only();
        g.graph("POST", &format!("/directory/deletedItems/{id}/restore"), Some(json!({}))).await
    }
    not_deleted: "an object that was not deleted", "Graph: GET deleted item" => 404 "Request_ResourceNotFound" "does not exist", "Graph: directory-deleteditems-get"; async {
        let g = Ground::new().await;
        g.graph("GET", &format!("/directory/deletedItems/{}", g.principal), None).await
    }

    // ---- Key Vault ----------------------------------------------------------------------------------------------
    vault_no_token: "no token, for a secret", "Key Vault: GET secret" => 401 "Unauthorized" "AKV10000", "azure-sdk-for-python: 24557"; async {
        let g = Ground::with_vault().await;
        let refused = g.scene.send(g.scene.http.get(format!("{}/secrets/peering?api-version=7.4", g.scene.url(Service::KeyVault)))).await;
        let challenge = format!("Bearer authorization=\"{}/{}\", resource=\"https://vault.azure.net\"", g.scene.url(Service::Entra), g.home);
        assert_eq!(refused.headers["www-authenticate"], challenge);
        refused
    }
    vault_wrong_audience: "a token for ARM, for a secret", "Key Vault: GET secret" => 401 "Unauthorized" "AKV10022", "Key Vault: authentication"; async {
        let g = Ground::with_vault().await;
        g.vault_with(&g.owner).await
    }
    vault_made_up: "a token that nobody signed, for a secret", "Key Vault: GET secret" => 401 "Unauthorized" "AKV10046", "azuresandbox: 362"; async {
        Ground::with_vault().await.vault_with("made.up.token").await
    }
    vault_wrong_tenant: "another tenant's token, for a secret", "Key Vault: GET secret" => 401 "Unauthorized" "AKV10032", "Key Vault: authentication"; async {
        let g = Ground::with_vault().await;
        let token = {
            let mut world = g.scene.clouds.world();
            let tenant = world.aiven_tenant.clone();
            let (app, secret) = world.add_administrator(&tenant);
            (tenant, app, secret)
        };
        let token = g.scene.by_secret(&token.0, &token.1, &token.2, "https://vault.azure.net").await;
        g.vault_with(token.body["access_token"].as_str().unwrap()).await
    }
    vault_expired: "an expired token, for a secret", "Key Vault: GET secret" => 401 "Unauthorized" "TokenExpired", "Key Vault: authentication (the words vary)"; async {
        let g = Ground::with_vault().await;
        g.scene.clouds.world().lags.identity_token_lifetime = Duration::ZERO;
        g.vault("GET", "/secrets/peering", None).await
    }
    vault_no_role: "no data role on the vault", "Key Vault: GET secret" => 403 "Forbidden" "ForbiddenByRbac", "Key Vault: RBAC guide"; async {
        let g = Ground::with_vault().await;
        g.scene.clouds.world().role_assignments.retain(|a| a.role != roles::SECRETS_OFFICER);
        g.vault("GET", "/secrets/peering", None).await
    }
    vault_user_writes: "a Secrets User that writes", "Key Vault: PUT secret" => 403 "Forbidden" "setSecret/action", "Azure built-in roles: Key Vault Secrets User"; async {
        let g = Ground::with_vault().await;
        for assignment in &mut g.scene.clouds.world().role_assignments {
            assignment.role = assignment.role.replace(roles::SECRETS_OFFICER, roles::SECRETS_USER);
        }
        g.vault("PUT", "/secrets/peering", Some(json!({"value": "x"}))).await
    }
    vault_no_secret: "a secret that does not exist", "Key Vault: GET secret" => 404 "SecretNotFound" "was not found in this key vault", "Key Vault: error codes"; async {
        Ground::with_vault().await.vault("GET", "/secrets/nobody", None).await
    }
    vault_no_version: "a version that does not exist", "Key Vault: GET secret version" => 404 "SecretNotFound" "was not found in this key vault", "Key Vault: error codes"; async {
        Ground::with_vault().await.vault("GET", "/secrets/peering/0123456789abcdef0123456789abcdef", None).await
    }
    vault_deleted: "a secret whose name a deleted one holds", "Key Vault: PUT secret" => 409 "Conflict" "ObjectIsDeletedButRecoverable", "azure-sdk-for-python: 9743"; async {
        let g = Ground::with_vault().await;
        g.scene.clouds.world().delete_secret("peering");
        g.vault("PUT", "/secrets/peering", Some(json!({"value": "x"}))).await
    }
    vault_disabled: "a disabled secret", "Key Vault: GET secret" => 403 "Forbidden" "SecretDisabled", "azure-sdk-for-js: 24756"; async {
        let g = Ground::with_vault().await;
        let off = json!({"attributes": {"enabled": false}});
        assert_eq!(g.vault("PATCH", "/secrets/peering", Some(off)).await.status, 200);
        g.vault("GET", "/secrets/peering", None).await
    }
    vault_purge: "a deleted secret that somebody would purge", "Key Vault: DELETE deleted secret" => 403 "Forbidden" "purge protection is enabled", "Key Vault: soft delete"; async {
        let g = Ground::with_vault().await;
        g.scene.clouds.world().delete_secret("peering");
        g.vault("DELETE", "/deletedsecrets/peering", None).await
    }
    vault_bad_name: "a secret's name with an underscore", "Key Vault: PUT secret" => 400 "BadParameter" "invalid name", "Key Vault: about keys, secrets and certificates"; async {
        Ground::with_vault().await.vault("PUT", "/secrets/my_secret", Some(json!({"value": "x"}))).await
    }
    vault_no_version_of_api: "no api-version, for a secret", "Key Vault: GET secret" => 400 "BadParameter" "api-version must be specified", "Key Vault: REST API"; async {
        let g = Ground::with_vault().await;
        let url = format!("{}/secrets/peering", g.scene.url(Service::KeyVault));
        g.scene.send(g.scene.request("GET", &url, &g.scene.vault_identity().await, None)).await
    }
    vault_too_big: "a secret of more than 25 KiB", "Key Vault: PUT secret" => 400 "BadParameter" "25600 bytes", "Key Vault: about secrets (the words are not documented)"; async {
        Ground::with_vault().await.vault("PUT", "/secrets/peering", Some(json!({"value": "x".repeat(25_601)}))).await
    }
    vault_no_value: "a secret without a value", "Key Vault: PUT secret" => 400 "BadParameter" "value", "Key Vault: set-secret (the words are not documented)"; async {
        Ground::with_vault().await.vault("PUT", "/secrets/peering", Some(json!({"tags": {}}))).await
    }
    vault_too_many_tags: "sixteen tags", "Key Vault: PUT secret" => 400 "BadParameter" "15 tags", "Key Vault: about secrets (the words are not documented)"; async {
        let tags: std::collections::BTreeMap<String, &str> = (0..16).map(|n| (format!("tag{n}"), "x")).collect();
        Ground::with_vault().await.vault("PUT", "/secrets/peering", Some(json!({"value": "x", "tags": tags}))).await
    }
}
