//! Graph: what is sent, and what is made of the answers.

mod passwords;

use serde_json::json;

use super::*;
use crate::cloud::script::{APP, Script, app, home};

const FIELDS: &str = "?$select=id,appId,displayName,signInAudience";

fn object() -> ObjectId {
    "44444444-4444-4444-8444-444444444444".parse().unwrap()
}

fn application() -> String {
    json!({ "@odata.context": "x", "id": object(), "appId": app(), "displayName": "n",
        "signInAudience": "AzureADMultipleOrgs" })
    .to_string()
}

#[tokio::test(start_paused = true)]
async fn an_application_is_upserted_by_its_unique_name() {
    let line = "PATCH /v1.0/applications(uniqueName='it''s%20ours')";
    let script = Script::new().on(line, 201, &application());
    let made = script.clouds().graph.upsert_application("it's ours", "Ours").await.unwrap();
    assert_eq!((made.created, made.object.id, made.object.app_id), (true, object(), app()));
    let seen = &script.seen()[0];
    assert_eq!(seen.header("prefer"), "create-if-missing");
    assert_eq!(seen.header("authorization"), "Bearer token:installation:2222:graph.test");
    assert_eq!(seen.body, json!({ "displayName": "Ours", "signInAudience": "AzureADMultipleOrgs" }));
}

#[tokio::test(start_paused = true)]
async fn an_upsert_that_found_the_object_reads_it() {
    let patch = "PATCH /v1.0/applications(uniqueName='n')";
    let get = format!("GET /v1.0/applications(uniqueName='n'){FIELDS}");
    let script = Script::new().on(patch, 204, "").on(&get, 200, &application()).on(patch, 204, "").on(&get, 404, "{}");
    let graph = script.clouds().graph;
    assert!(!graph.upsert_application("n", "N").await.unwrap().created);
    let failure = graph.upsert_application("n", "N").await.unwrap_err();
    assert_eq!((failure.status, failure.code.as_str()), (Some(404), "Request_ResourceNotFound"));
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn an_object_that_was_made_and_cannot_be_read_yet_is_no_refusal() {
    let patch = "PATCH /v1.0/applications(uniqueName='n')";
    let get = format!("GET /v1.0/applications(uniqueName='n'){FIELDS}");
    let script = Script::new().on(patch, 201, "").on(&get, 404, "{}");
    let failure = script.clouds().graph.upsert_application("n", "N").await.unwrap_err();
    assert!(failure.may_have_landed(), "{failure}");
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_none() {
    let body = r#"{"error":{"code":"Request_ResourceNotFound","message":"Resource does not exist"}}"#;
    let script = Script::new().on(&format!("GET /v1.0/applications(appId='{APP}'){FIELDS}"), 404, body).on(
        &format!("GET /v1.0/applications(uniqueName='n'){FIELDS}"),
        404,
        body,
    );
    let graph = script.clouds().graph;
    assert_eq!(graph.application_by_app_id(app()).await.unwrap(), None);
    assert_eq!(graph.application_by_unique_name("n").await.unwrap(), None);
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_service_principal_shows_its_owner_and_whether_it_may_sign_in() {
    let path = format!("/v1.0/servicePrincipals(appId='{APP}')");
    let get = format!("GET {path}?$select=id,appId,appOwnerOrganizationId,accountEnabled,displayName");
    let one = |enabled: Value| {
        json!({ "id": object(), "appId": app(), "appOwnerOrganizationId": home(), "accountEnabled": enabled })
            .to_string()
    };
    let script = Script::new().on(&get, 200, &one(json!(false))).on(&get, 200, &one(Value::Null)).on(
        &format!("PATCH {path}"),
        201,
        &one(json!(true)),
    );
    let graph = script.clouds().graph;
    let found = graph.service_principal(app()).await.unwrap().unwrap();
    assert_eq!((found.owner_tenant, found.enabled), (Some(home()), false));
    assert!(graph.service_principal(app()).await.unwrap().unwrap().enabled);
    assert!(graph.upsert_service_principal(app()).await.unwrap().created);
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn federated_credentials_are_listed_and_added() {
    let path = format!("/v1.0/applications(appId='{APP}')/federatedIdentityCredentials");
    let credential = FederatedCredential {
        name: "peering".into(),
        issuer: "https://login.test/t/v2.0".into(),
        subject: "AbC".into(),
        audiences: vec!["api://AzureADTokenExchange".into()],
    };
    let wire = json!({ "id": "x", "name": "peering", "issuer": credential.issuer, "subject": "AbC",
        "audiences": credential.audiences, "description": null });
    let script = Script::new().on(&format!("GET {path}"), 200, &json!({ "value": [wire] }).to_string()).on(
        &format!("POST {path}"),
        201,
        &wire.to_string(),
    );
    let graph = script.clouds().graph;
    assert_eq!(graph.federated_credentials(app()).await.unwrap(), std::slice::from_ref(&credential));
    assert_eq!(graph.create_federated_credential(app(), &credential).await.unwrap(), credential);
    assert_eq!(script.seen()[1].body["subject"], "AbC");
}

#[tokio::test(start_paused = true)]
async fn the_code_that_says_more_is_taken() {
    let detailed = |code: &str, detail: &str| {
        json!({ "error": { "code": code, "message": "words", "innerError": { "request-id": "r1", "date": "d" },
            "details": [{ "code": detail, "message": "m" }] }})
        .to_string()
    };
    for (status, body, expected) in [
        (400, detailed("Request_BadRequest", "NoBackingApplicationObject"), "NoBackingApplicationObject"),
        (
            409,
            detailed("Request_MultipleObjectsWithSameKeyValue", "ConflictingObjects"),
            "Request_MultipleObjectsWithSameKeyValue",
        ),
        (
            403,
            json!({ "error": { "code": "Authorization_RequestDenied", "message": "words",
            "innerError": { "request-id": "r1" } }})
            .to_string(),
            "Authorization_RequestDenied",
        ),
    ] {
        let script = Script::new().on(&format!("PATCH /v1.0/servicePrincipals(appId='{APP}')"), status, &body);
        let failure = script.clouds().graph.upsert_service_principal(app()).await.unwrap_err();
        assert_eq!((failure.status, failure.code.as_str()), (Some(status), expected));
        assert_eq!((failure.message.as_str(), failure.correlation.as_deref()), ("words", Some("r1")));
        script.seen();
    }
}
