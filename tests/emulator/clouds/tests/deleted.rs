//! Deleted items of the directory: listed, restored, gone for good.

use super::Scene;
use crate::clouds::{Clouds, Options, Service};
use serde_json::json;

#[tokio::test]
async fn a_deleted_application_is_listed_and_comes_back_without_its_principal() {
    let scene = Scene::instant().await;
    let token = scene.graph_identity().await;
    let key = "/applications(uniqueName='peering')";
    let app = scene.graph(&token, "PATCH", key, Some(json!({"displayName": "peering"}))).await.body;
    let (id, app_id) = (app["id"].as_str().unwrap(), app["appId"].as_str().unwrap());
    let principal = scene.graph(&token, "POST", "/servicePrincipals", Some(json!({"appId": app_id}))).await.body;
    let principal = principal["id"].as_str().unwrap();
    assert_eq!(scene.graph(&token, "DELETE", key, None).await.status, 204);

    let items = "/directory/deletedItems";
    let filter = format!("$filter=appId%20eq%20'{app_id}'");
    for (kind, wanted) in [("application", id), ("servicePrincipal", principal)] {
        let listed = scene.graph(&token, "GET", &format!("{items}/microsoft.graph.{kind}?{filter}"), None).await.body;
        assert_eq!((listed["value"].as_array().map(Vec::len), &listed["value"][0]["id"]), (Some(1), &json!(wanted)));
        assert!(listed["value"][0]["deletedDateTime"].is_string());
    }
    let restored = scene.graph(&token, "POST", &format!("{items}/{id}/restore"), Some(json!({}))).await;
    assert_eq!((restored.status, &restored.body["appId"]), (200, &json!(app_id)));
    assert!(restored.body["deletedDateTime"].is_null());
    assert_eq!(scene.graph(&token, "GET", key, None).await.status, 200);
    let own = format!("/servicePrincipals(appId='{app_id}')");
    assert_eq!(scene.graph(&token, "GET", &own, None).await.status, 404);
    assert_eq!(scene.graph(&token, "POST", &format!("{items}/{principal}/restore"), None).await.status, 200);
    assert_eq!(scene.graph(&token, "GET", &own, None).await.body["id"], principal);
    assert!(scene.clouds.world().deleted.is_empty());
}

#[tokio::test]
async fn a_unique_name_is_free_again_once_its_application_is_gone_for_good() {
    let scene = Scene::instant().await;
    let token = scene.graph_identity().await;
    let key = "/applications(uniqueName='peering')";
    let body = json!({"displayName": "peering"});
    let app = scene.graph(&token, "PATCH", key, Some(body.clone())).await.body;
    scene.graph(&token, "DELETE", key, None).await;
    assert_eq!(scene.graph(&token, "PATCH", key, Some(body.clone())).await.status, 400);
    let item = format!("/directory/deletedItems/{}", app["id"].as_str().unwrap());
    assert_eq!(scene.graph(&token, "DELETE", &item, None).await.status, 204);
    assert_eq!(scene.graph(&token, "PATCH", key, Some(body)).await.status, 201);
}

#[test]
fn a_deleted_object_goes_for_good_after_thirty_days() {
    let clouds = Clouds::in_process(Options::instant("/nonexistent"));
    let start = clouds.world().now();
    clouds.world().hold_time(start);
    let home = clouds.world().home_tenant.clone();
    let app = clouds.world().add_application(&home, "app", None, true);
    clouds.world().delete_application(&app);
    let settings = clouds.settings();
    let read = || {
        let query = format!(
            "/msi/token?api-version=2019-08-01&resource={}&client_id={}",
            settings["GRAPH_URL"], settings["AZURE_CLIENT_ID"]
        );
        let header = [("x-identity-header", settings["IDENTITY_HEADER"].as_str())];
        let answer = clouds.call(Service::Identity, "GET", &query, &header, b"").unwrap();
        let token: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
        let path = "/v1.0/directory/deletedItems/microsoft.graph.application";
        let answer = clouds.call(Service::Graph, "GET", path, &[("authorization", &bearer)], b"").unwrap();
        let listed: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        listed["value"].as_array().map(Vec::len)
    };
    assert_eq!(read(), Some(1));
    clouds.world().hold_time(start + jiff::SignedDuration::from_hours(31 * 24));
    assert_eq!(read(), Some(0));
}
