//! The vault: versions, tags, rights of the data plane, soft delete.

use super::{Answer, Scene, assignment, eventually};
use crate::clouds::{Clouds, Fault, Lags, Options, Service, roles};
use serde_json::{Value, json};
use std::time::Duration;

async fn scene() -> (Scene, String) {
    let scene = Scene::instant().await;
    scene.clouds.world().secret_mode();
    let token = scene.vault_identity().await;
    (scene, token)
}

fn version(answer: &Answer) -> String {
    answer.body["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn every_put_makes_a_new_version_and_the_last_is_current() {
    let (scene, token) = scene().await;
    let put = async |value: &str| {
        let body = json!({"value": value, "contentType": "text/plain", "tags": {"keyId": value}});
        scene.vault(&token, "PUT", "/secrets/peering", Some(body)).await
    };
    let (first, second) = (put("one").await, put("two").await);
    assert_eq!((first.status, second.status), (200, 200), "{}", first.body);
    assert_ne!(version(&first), version(&second));
    let base = scene.url(Service::KeyVault);
    assert!(first.body["id"].as_str().unwrap().starts_with(&format!("{base}/secrets/peering/")));

    let current = scene.vault(&token, "GET", "/secrets/peering", None).await;
    assert_eq!((current.body["value"].as_str(), version(&current)), (Some("two"), version(&second)));
    let old = scene.vault(&token, "GET", &format!("/secrets/Peering/{}", version(&first)), None).await;
    assert_eq!((old.body["value"].as_str(), old.body["tags"]["keyId"].as_str()), (Some("one"), Some("one")));

    let listed = scene.vault(&token, "GET", "/secrets/peering/versions", None).await;
    let ids: Vec<&str> = listed.body["value"].as_array().unwrap().iter().map(|v| v["id"].as_str().unwrap()).collect();
    let mut both = [first.body["id"].as_str().unwrap(), second.body["id"].as_str().unwrap()];
    both.sort_unstable();
    assert_eq!(ids, both, "their order tells nothing of time");
    assert!(!listed.body.to_string().contains("\"value\":\"two\""), "a list shows no value");
    let nobody = scene.vault(&token, "GET", "/secrets/nobody/versions", None).await;
    assert_eq!((nobody.status, nobody.body["value"].as_array().map(Vec::len)), (200, Some(0)));
}

#[tokio::test]
async fn many_versions_come_in_pages() {
    let (scene, token) = scene().await;
    for number in 0..30 {
        scene.clouds.world().write_secret("peering", &number.to_string());
    }
    let first = scene.vault(&token, "GET", "/secrets/peering/versions", None).await;
    assert_eq!(first.body["value"].as_array().map(Vec::len), Some(25));
    let next = first.body["nextLink"].as_str().unwrap();
    let rest = scene.send(scene.request("GET", next, &token, None)).await;
    assert_eq!(rest.body["value"].as_array().map(Vec::len), Some(5));
    assert_eq!(rest.body["nextLink"], Value::Null);
}

#[tokio::test]
async fn attributes_change_without_a_new_version() {
    let (scene, token) = scene().await;
    let body = json!({"value": "x", "attributes": {"exp": 4_102_444_800_i64}});
    let made = scene.vault(&token, "PUT", "/secrets/peering", Some(body)).await;
    assert_eq!(made.body["attributes"]["exp"], 4_102_444_800_i64);
    let path = format!("/secrets/peering/{}", version(&made));
    let changed = scene.vault(&token, "PATCH", &path, Some(json!({"attributes": {"exp": 1}}))).await;
    assert_eq!((changed.status, changed.body["attributes"]["exp"].as_i64()), (200, Some(1)));
    assert!(changed.body.get("value").is_none());
    // `exp` informs: an expired secret is read all the same.
    assert_eq!(scene.vault(&token, "GET", "/secrets/peering", None).await.body["value"], "x");
    let off = json!({"attributes": {"enabled": false}});
    assert_eq!(scene.vault(&token, "PATCH", &path, Some(off)).await.status, 200);
    let refused = scene.vault(&token, "GET", "/secrets/peering", None).await;
    assert_eq!((refused.status, &refused.body["error"]["innererror"]["code"]), (403, &json!("SecretDisabled")));
}

#[tokio::test]
async fn a_deleted_secret_keeps_its_name_and_comes_back_with_its_versions() {
    let (scene, token) = scene().await;
    for value in ["one", "two"] {
        scene.vault(&token, "PUT", "/secrets/peering", Some(json!({"value": value}))).await;
    }
    let gone = scene.vault(&token, "DELETE", "/secrets/peering", None).await;
    assert_eq!(gone.status, 200);
    assert!(gone.body["scheduledPurgeDate"].as_i64() > gone.body["deletedDate"].as_i64());
    assert_eq!(scene.vault(&token, "GET", "/secrets/peering", None).await.code(), "SecretNotFound");
    let put = scene.vault(&token, "PUT", "/secrets/peering", Some(json!({"value": "three"}))).await;
    assert_eq!((put.status, put.code()), (409, "Conflict"));
    assert_eq!(scene.vault(&token, "GET", "/secrets", None).await.body["value"], json!([]));
    assert_eq!(scene.vault(&token, "GET", "/deletedsecrets/peering", None).await.status, 200);
    assert_eq!(scene.vault(&token, "POST", "/deletedsecrets/peering/recover", None).await.status, 200);
    assert_eq!(scene.vault(&token, "GET", "/secrets/peering", None).await.body["value"], "two");
    let listed = scene.vault(&token, "GET", "/secrets/peering/versions", None).await;
    assert_eq!(listed.body["value"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_deleted_secret_goes_for_good_after_ninety_days() {
    let clouds = Clouds::in_process(Options::instant("/nonexistent"));
    let start = clouds.world().now();
    clouds.world().hold_time(start);
    clouds.world().secret_mode();
    clouds.world().write_secret("peering", "x");
    clouds.world().delete_secret("peering");
    let days = |n: i64| start + jiff::SignedDuration::from_hours(24 * n);
    for (day, left) in [(89, 1), (91, 0)] {
        clouds.world().hold_time(days(day));
        clouds.call(Service::KeyVault, "GET", "/secrets?api-version=7.4", &[], b"");
        assert_eq!(clouds.world().vault.as_ref().unwrap().secrets.len(), left);
    }
}

#[tokio::test]
async fn a_secrets_user_reads_and_does_not_write_and_a_new_right_takes_its_time() {
    let lags = Lags { role_propagation: Duration::from_secs(90), ..Lags::none() };
    let scene = Scene::with(300.0, lags).await;
    let (home, vault, reader) = {
        let mut world = scene.clouds.world();
        let vault = world.secret_mode();
        world.write_secret("peering", "x");
        let home = world.home_tenant.clone();
        let reader = world.add_administrator(&home);
        (home, vault, reader)
    };
    let scope = format!("/subscriptions/{}", vault.split('/').nth(2).unwrap());
    let owner = scene.by_secret(&home, &reader.0, &reader.1, &scene.url(Service::Arm)).await;
    let owner = owner.body["access_token"].as_str().unwrap().to_owned();
    let token = scene.by_secret(&home, &reader.0, &reader.1, "https://vault.azure.net").await;
    let token = token.body["access_token"].as_str().unwrap().to_owned();
    let get = async || scene.vault(&token, "GET", "/secrets/peering", None).await;
    let refused = get().await;
    assert_eq!((refused.status, refused.code()), (403, "Forbidden"), "an Owner of the control plane reads no secret");
    assert_eq!(refused.body["error"]["innererror"]["code"], "ForbiddenByRbac");

    let principal = scene.clouds.world().service_principal(&home, &reader.0).unwrap().id.clone();
    let subscription = scope.trim_start_matches("/subscriptions/").to_owned();
    let body = assignment(&subscription, roles::SECRETS_USER, &principal);
    let path = format!("{vault}/providers/Microsoft.Authorization/roleAssignments/{}", uuid::Uuid::new_v4());
    let made = scene.arm(&owner, "PUT", &path, Some(body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(get().await.status, 403, "not yet");
    eventually("the right", async || get().await.status == 200).await;
    let write = scene.vault(&token, "PUT", "/secrets/peering", Some(json!({"value": "y"}))).await;
    assert_eq!(write.body["error"]["innererror"]["code"], "ForbiddenByRbac");
}

#[tokio::test]
async fn without_a_vault_nobody_answers_and_a_secret_is_in_no_record() {
    let scene = Scene::instant().await;
    scene.clouds.record_bodies();
    let token = scene.vault_identity().await;
    let url = format!("{}/secrets/peering?api-version=7.4", scene.url(Service::KeyVault));
    assert!(scene.try_send(scene.request("GET", &url, &token, None)).await.is_err());
    scene.clouds.world().secret_mode();
    let put = scene.request("PUT", &url, &token, Some(&json!({"value": "the-text-itself"})));
    assert_eq!(scene.send(put).await.status, 200);
    assert_eq!(scene.clouds.settings()["CREDENTIAL"], "secret");
    let world = scene.clouds.world();
    let shown = format!("{:?} {:?}", scene.clouds.calls(), world.vault);
    assert!(!shown.contains("the-text-itself"));
    assert!(world.vault.as_ref().unwrap().secret("peering").unwrap().versions[0].is("the-text-itself"));
}

#[tokio::test]
async fn a_put_that_gives_no_answer_has_made_its_version() {
    let (scene, token) = scene().await;
    scene.clouds.fault(Fault::cut_after().writing_secret());
    let url = format!("{}/secrets/peering?api-version=7.4", scene.url(Service::KeyVault));
    let put = || scene.try_send(scene.request("PUT", &url, &token, Some(&json!({"value": "x"}))));
    assert!(put().await.is_err());
    assert!(put().await.is_ok());
    assert_eq!(scene.clouds.world().vault.as_ref().unwrap().secret("peering").unwrap().versions.len(), 2);
    scene.clouds.fault(Fault::throttle(Service::KeyVault, Some(5)));
    assert_eq!(put().await.unwrap().status, 429);
}

#[tokio::test]
async fn a_snapshot_tells_what_changed_and_no_secret() {
    let (scene, token) = scene().await;
    let app = {
        let mut world = scene.clouds.world();
        let home = world.home_tenant.clone();
        world.add_application(&home, "app", None, true)
    };
    let shots = || {
        let world = scene.clouds.world();
        (world.directory_snapshot(), world.vault_snapshot())
    };
    let before = shots();
    assert_eq!(before, shots());
    let (_, secret) = scene.clouds.world().add_password(&app, Some("peer:1")).unwrap();
    scene.vault(&token, "PUT", "/secrets/peering", Some(json!({"value": secret}))).await;
    let after = shots();
    assert_ne!(before.0, after.0);
    assert_ne!(before.1, after.1);
    assert!(!format!("{after:?}").contains(&secret));
    let password =
        &after.0["applications"].as_array().unwrap().iter().find(|a| a["app_id"] == app).unwrap()["passwords"];
    assert_eq!(password[0]["hash"], after.1["secrets"][0]["versions"][0]["hash"], "the same text has the same hash");
    scene.clouds.world().delete_application(&app);
    scene.clouds.world().delete_secret("peering");
    let gone = shots();
    assert!(!gone.0.to_string().contains(&app) && gone.1 == before.1);
    assert_eq!(scene.clouds.world().snapshot()["vault"], gone.1);
}
