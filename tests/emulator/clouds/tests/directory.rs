//! The directory and the token service: lags, rights, refusals.

use super::{Answer, Scene, eventually};
use crate::clouds::{AIVEN_APPLICATION, Lags, Service};
use serde_json::json;
use std::time::Duration;

fn aadsts(answer: &Answer) -> u64 {
    answer.body["error_codes"][0].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn a_new_application_is_seen_late_but_never_made_twice() {
    let lags = Lags { graph_replication: Duration::from_secs(20), ..Lags::none() };
    let scene = Scene::with(60.0, lags).await;
    let token = scene.graph_identity().await;
    let key = "/applications(uniqueName='peering')";
    let body = json!({"displayName": "Peering", "signInAudience": "AzureADMultipleOrgs"});
    let made = scene.graph(&token, "PATCH", key, Some(body.clone())).await;
    assert_eq!(made.status, 201);
    assert_eq!(scene.graph(&token, "PATCH", key, Some(body.clone())).await.status, 204);
    assert_eq!(scene.clouds.world().applications.iter().filter(|a| a.unique_name.is_some()).count(), 1);

    let app_id = made.body["appId"].as_str().unwrap();
    let by_app_id = format!("/applications(appId='{app_id}')");
    assert_eq!(scene.graph(&token, "GET", &by_app_id, None).await.code(), "Request_ResourceNotFound");
    assert_eq!(scene.graph(&token, "GET", key, None).await.status, 200, "the upsert's own key is consistent");
    let principal = scene.graph(&token, "POST", "/servicePrincipals", Some(json!({"appId": app_id}))).await;
    assert_eq!(principal.status, 400);
    assert_eq!(principal.body["error"]["details"][0]["code"], "NoBackingApplicationObject");
    eventually("replication", async || scene.graph(&token, "GET", &by_app_id, None).await.status == 200).await;
    let selected = scene.graph(&token, "GET", &format!("{by_app_id}?$select=id,appId"), None).await.body;
    assert!(selected.get("displayName").is_none() && selected["appId"] == app_id);

    let body = json!({"appId": app_id, "accountEnabled": true});
    assert_eq!(scene.graph(&token, "POST", "/servicePrincipals", Some(body.clone())).await.status, 201);
    let twin = scene.graph(&token, "POST", "/servicePrincipals", Some(body)).await;
    assert_eq!((twin.status, twin.code()), (409, "Request_MultipleObjectsWithSameKeyValue"));
}

#[tokio::test]
async fn an_upsert_without_the_prefer_header_does_not_create() {
    let scene = Scene::instant().await;
    let token = scene.graph_identity().await;
    let url = format!("{}/v1.0/applications(uniqueName='x')", scene.url(Service::Graph));
    let answer = scene.send(scene.request("PATCH", &url, &token, Some(&json!({"displayName": "x"})))).await;
    assert_eq!(answer.status, 404);
    assert!(answer.headers.contains_key("request-id"));
}

#[tokio::test]
async fn the_foreign_application_needs_read_write_all() {
    let scene = Scene::instant().await;
    scene.clouds.fault(crate::clouds::Fault::graph_right_missing());
    let token = scene.graph_identity().await;
    let path = format!("/servicePrincipals(appId='{AIVEN_APPLICATION}')");
    let refused = scene.graph(&token, "PATCH", &path, Some(json!({}))).await;
    assert_eq!((refused.status, refused.code()), (403, "Authorization_RequestDenied"));
    assert!(refused.message().starts_with("When using this permission, the backing application"));
    // Its own application it may make.
    let own = scene.graph(&token, "POST", "/applications", Some(json!({"displayName": "own"}))).await;
    let body = json!({"appId": own.body["appId"]});
    assert_eq!(scene.graph(&token, "POST", "/servicePrincipals", Some(body)).await.status, 201);

    let identity = scene.clouds.world().identity_principal_id.clone();
    scene.clouds.world().graph_roles.remove(&identity);
    assert_eq!(scene.graph(&token, "GET", &path, None).await.code(), "Authorization_RequestDenied");
}

#[tokio::test]
async fn az_finds_principals_and_applications_by_its_filters() {
    let scene = Scene::instant().await;
    let token = scene.graph_identity().await;
    let made = scene
        .graph(&token, "POST", "/applications", Some(json!({"displayName": "Named app", "keyCredentials": []})))
        .await;
    let app_id = made.body["appId"].as_str().unwrap();
    let principal = scene.graph(&token, "POST", "/servicePrincipals", Some(json!({"appId": app_id}))).await;
    let count =
        async |path: String| scene.graph(&token, "GET", &path, None).await.body["value"].as_array().map(Vec::len);
    assert_eq!(count("/applications?$filter=startswith(displayName,'Named')".to_owned()).await, Some(1));
    assert_eq!(count(format!("/applications?$filter=appId%20eq%20'{app_id}'")).await, Some(1));
    assert_eq!(count(format!("/applications?$filter=appId%20eq%20'{AIVEN_APPLICATION}'")).await, Some(0));
    assert_eq!(
        count(format!("/servicePrincipals?$filter=servicePrincipalNames/any(c:c%20eq%20'{app_id}')")).await,
        Some(1)
    );
    let body = json!({"ids": [principal.body["id"]], "types": ["servicePrincipal"]});
    let found = scene.graph(&token, "POST", "/directoryObjects/getByIds", Some(body)).await;
    assert_eq!(found.body["value"][0]["@odata.type"], "#microsoft.graph.servicePrincipal");
}

#[tokio::test]
async fn a_password_works_once_added_and_no_more_once_removed() {
    let scene = Scene::instant().await;
    let token = scene.graph_identity().await;
    let made = scene.graph(&token, "POST", "/applications", Some(json!({"displayName": "app"}))).await;
    let (id, app_id) = (made.body["id"].as_str().unwrap(), made.body["appId"].as_str().unwrap());
    scene.graph(&token, "POST", "/servicePrincipals", Some(json!({"appId": app_id}))).await;
    let added = scene.graph(&token, "POST", &format!("/applications/{id}/addPassword"), Some(json!({}))).await;
    let secret = added.body["secretText"].as_str().unwrap();
    let tenant = scene.clouds.world().home_tenant.clone();
    let arm = scene.url(Service::Arm);
    assert_eq!(scene.by_secret(&tenant, app_id, secret, &arm).await.status, 200);
    let read = scene.graph(&token, "GET", &format!("/applications/{id}"), None).await;
    assert!(read.body["passwordCredentials"][0]["secretText"].is_null());

    let key = json!({"keyId": added.body["keyId"]});
    assert_eq!(scene.graph(&token, "POST", &format!("/applications/{id}/removePassword"), Some(key)).await.status, 204);
    let refused = scene.by_secret(&tenant, app_id, secret, &arm).await;
    assert_eq!((refused.status, aadsts(&refused)), (401, 7_000_215));
    assert!(refused.body["error_description"].as_str().unwrap().contains("\r\nTrace ID: "));
}

#[tokio::test]
async fn the_token_service_names_what_is_missing() {
    let scene = Scene::instant().await;
    let (home, aiven, app_id) = {
        let mut world = scene.clouds.world();
        let (home, aiven) = (world.home_tenant.clone(), world.aiven_tenant.clone());
        let app = world.add_application(&home, "app", None, true);
        (home, aiven, app)
    };
    let code = async |tenant: &str, app: &str| aadsts(&scene.federated(tenant, app).await);
    assert_eq!(code("no-such-tenant", &app_id).await, 90002);
    assert_eq!(code(&home, "no-such-app").await, 700_016);
    assert_eq!(code(&home, &app_id).await, 7_000_229);
    scene.clouds.world().add_service_principal(&home, &app_id);
    assert_eq!(code(&home, &app_id).await, 70021);
    scene.clouds.world().add_federated_credential(&app_id, "function-app");
    assert_eq!(code(&home, &app_id).await, 0, "a token at last");
    assert_eq!(code(&aiven, &app_id).await, 700_016, "Aiven has not admitted it");
    scene.clouds.world().application_mut(&app_id).unwrap().federated_credentials[0].subject = "someone".to_owned();
    assert_eq!(code(&home, &app_id).await, 700_213);
    let assertion = scene.identity("https://management.azure.com").await;
    assert_ne!(aadsts(&scene.assert(&home, &app_id, &assertion).await), 0, "the wrong audience");
    assert_eq!(aadsts(&scene.assert(&home, &app_id, "made.up").await), 50013);
    let unknown = scene.by_secret(&home, &app_id, "x", "https://example.com").await;
    assert_eq!(aadsts(&unknown), 500_011);
}

#[tokio::test]
async fn a_single_tenant_application_gets_no_token_elsewhere() {
    let scene = Scene::instant().await;
    let (aiven, app_id) = {
        let mut world = scene.clouds.world();
        let (home, aiven) = (world.home_tenant.clone(), world.aiven_tenant.clone());
        let app = world.add_application(&home, "app", None, false);
        world.add_federated_credential(&app, "function-app");
        world.add_service_principal(&aiven, &app);
        (aiven, app)
    };
    assert_eq!(aadsts(&scene.federated(&aiven, &app_id).await), 700_016);
}

#[tokio::test]
async fn a_credential_is_seen_by_the_token_service_after_its_lag() {
    let lags = Lags { federated_credential: Duration::from_secs(60), ..Lags::none() };
    let scene = Scene::with(300.0, lags).await;
    let (home, app_id) = {
        let mut world = scene.clouds.world();
        let home = world.home_tenant.clone();
        let app = world.add_application(&home, "app", None, true);
        world.add_service_principal(&home, &app);
        (home, app)
    };
    let token = scene.graph_identity().await;
    let settings = scene.clouds.settings();
    let path = format!("/applications(appId='{app_id}')/federatedIdentityCredentials(name='function-app')");
    let body = json!({
        "issuer": format!("{}/{home}/v2.0", settings["ENTRA_URL"]), "subject": settings["AZURE_PRINCIPAL_ID"],
        "audiences": ["api://AzureADTokenExchange"]
    });
    assert_eq!(scene.graph(&token, "PATCH", &path, Some(body.clone())).await.status, 201);
    assert_eq!(scene.graph(&token, "PATCH", &path, Some(body)).await.status, 204);
    assert_eq!(aadsts(&scene.federated(&home, &app_id).await), 70021);
    eventually("the credential", async || scene.federated(&home, &app_id).await.status == 200).await;
}

#[tokio::test]
async fn discovery_names_the_token_endpoint() {
    let scene = Scene::instant().await;
    let entra = scene.url(Service::Entra);
    let tenant = scene.clouds.world().home_tenant.clone();
    for tenant in [tenant.as_str(), "organizations"] {
        let url = format!("{entra}/{tenant}/v2.0/.well-known/openid-configuration");
        let body = scene.send(scene.http.get(url)).await.body;
        assert_eq!(body["token_endpoint"], format!("{entra}/{tenant}/oauth2/v2.0/token"));
    }
    let url = format!("{}/metadata/endpoints?api-version=2022-09-01", scene.url(Service::Arm));
    assert_eq!(scene.send(scene.http.get(url)).await.body["authentication"]["loginEndpoint"], entra);
}

#[tokio::test]
async fn a_password_is_told_once_and_found_again_by_its_id_and_hint() {
    let scene = Scene::instant().await;
    let token = scene.graph_identity().await;
    let body = json!({"displayName": "app", "uniqueName": "peering"});
    let app = scene.graph(&token, "POST", "/applications", Some(body)).await.body;
    let (id, app_id) = (app["id"].as_str().unwrap(), app["appId"].as_str().unwrap());
    let wanted = json!({"passwordCredential": {"displayName": "peer:1", "endDateTime": "2097-01-02T03:04:05Z"}});
    let mut secrets = Vec::new();
    for key in [format!("/applications/{id}"), format!("/applications(appId='{app_id}')")] {
        let added = scene.graph(&token, "POST", &format!("{key}/addPassword"), Some(wanted.clone())).await.body;
        let secret = added["secretText"].as_str().unwrap().to_owned();
        assert!((16..=64).contains(&secret.len()));
        assert_eq!((&added["displayName"], &added["endDateTime"]), (&json!("peer:1"), &json!("2097-01-02T03:04:05Z")));
        assert_eq!(added["hint"], secret[..3]);
        let read = scene.graph(&token, "GET", &format!("{key}?$select=passwordCredentials"), None).await.body;
        let all = read["passwordCredentials"].as_array().unwrap();
        assert!(all.iter().any(|p| p["keyId"] == added["keyId"]) && all.iter().all(|p| p["secretText"].is_null()));
        secrets.push(secret);
    }
    let read = scene.graph(&token, "GET", "/applications(uniqueName='peering')", None).await.body;
    assert_eq!(
        read["passwordCredentials"].as_array().map(Vec::len),
        Some(2),
        "it is added twice when it is asked twice"
    );
    assert_eq!(scene.clouds.passwords_made(), secrets);
    let world = scene.clouds.world();
    let shown = format!("{:?}", world.application(app_id));
    assert!(secrets.iter().all(|secret| !shown.contains(secret.as_str())));
}

#[tokio::test]
async fn a_password_works_in_both_tenants_until_it_is_removed_and_a_disabled_principal_in_neither() {
    let scene = Scene::instant().await;
    let (home, aiven, app, principal, key, secret) = {
        let mut world = scene.clouds.world();
        let (home, aiven) = (world.home_tenant.clone(), world.aiven_tenant.clone());
        let app = world.add_application(&home, "app", None, true);
        let principal = world.add_service_principal(&home, &app);
        world.add_service_principal(&aiven, &app);
        let (key, secret) = world.add_password(&app, None).unwrap();
        (home, aiven, app, principal, key, secret)
    };
    let arm = scene.url(Service::Arm);
    let code = async |tenant: &str| aadsts(&scene.by_secret(tenant, &app, &secret, &arm).await);
    assert_eq!((code(&home).await, code(&aiven).await), (0, 0));
    scene.clouds.world().enable_principal(&principal, false);
    assert_eq!((code(&home).await, code(&aiven).await), (7_000_112, 0), "each tenant has its own principal");
    scene.clouds.world().enable_principal(&principal, true);
    scene.clouds.world().remove_password(&app, &key);
    assert_eq!((code(&home).await, code(&aiven).await), (7_000_215, 7_000_215));
    scene.clouds.world().add_federated_credential(&app, "function-app");
    assert_eq!(aadsts(&scene.federated(&home, &app).await), 0);
    scene.clouds.world().remove_federated_credentials(&app, Some("function-app"));
    assert_eq!(aadsts(&scene.federated(&home, &app).await), 70021);
}

#[tokio::test]
async fn a_young_password_is_refused_until_the_token_service_knows_it() {
    let scene = Scene::with(20.0, Lags { secret: Duration::from_secs(20), ..Lags::none() }).await;
    let token = scene.graph_identity().await;
    let (home, app) = {
        let mut world = scene.clouds.world();
        let home = world.home_tenant.clone();
        let app = world.add_application(&home, "app", None, true);
        world.add_service_principal(&home, &app);
        (home, app)
    };
    let path = format!("/applications(appId='{app}')/addPassword");
    let added = scene.graph(&token, "POST", &path, Some(json!({}))).await.body;
    let (secret, arm) = (added["secretText"].as_str().unwrap(), scene.url(Service::Arm));
    assert_eq!(aadsts(&scene.by_secret(&home, &app, secret, &arm).await), 7_000_215);
    eventually("the password", async || scene.by_secret(&home, &app, secret, &arm).await.status == 200).await;

    scene.clouds.world().lags.graph_replication = Duration::from_secs(600);
    let shown = scene.graph(&token, "GET", &format!("/applications(appId='{app}')"), None).await.body;
    assert_eq!(shown["passwordCredentials"], json!([]), "no replica shows it yet");
}
