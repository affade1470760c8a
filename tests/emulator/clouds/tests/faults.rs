//! Faults strike what they are told to, as often as they are told to; and the record shows it.

use super::Scene;
use crate::clouds::{AIVEN_APPLICATION, Clouds, Fault, Options, Service, roles};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[tokio::test]
async fn a_refusal_has_no_effect_and_ends_by_itself() {
    let scene = Scene::instant().await;
    let token = scene.graph_identity().await;
    scene.clouds.fault(Fault::throttle(Service::Graph, Some(5)).method("POST").path("/applications").after(1).times(2));
    let post = async || scene.graph(&token, "POST", "/applications", Some(json!({"displayName": "app"}))).await;
    let statuses = [post().await.status, post().await.status, post().await.status, post().await.status];
    assert_eq!(statuses, [201, 429, 429, 201]);
    assert_eq!(scene.clouds.faults_left(), 0);
    let made = scene.clouds.world().applications.iter().filter(|a| a.display_name == "app").count();
    assert_eq!(made, 2);
}

#[tokio::test]
async fn a_cut_gives_no_answer_whether_the_effect_took_place_or_not() {
    let scene = Scene::instant().await;
    let token = scene.graph_identity().await;
    let count = || scene.clouds.world().applications.iter().filter(|a| a.display_name == "app").count();
    let url = format!("{}/v1.0/applications", scene.url(Service::Graph));
    let post = || scene.try_send(scene.request("POST", &url, &token, Some(&json!({"displayName": "app"}))));

    scene.clouds.fault(Fault::cut_before().making_application());
    assert!(post().await.is_err());
    assert_eq!(count(), 0);
    let killed = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&killed);
    let kill = move || {
        seen.fetch_add(1, Ordering::SeqCst);
    };
    scene.clouds.fault(Fault::cut_after_then(kill).making_application());
    assert!(post().await.is_err());
    assert_eq!((count(), killed.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(post().await.unwrap().status, 201);
    let statuses: Vec<_> = scene.clouds.calls().iter().filter(|c| c.method == "POST").map(|c| c.status).collect();
    assert_eq!(statuses, [None, None, Some(201)]);
}

#[tokio::test]
async fn a_cut_after_the_effect_is_not_used_up_by_a_refusal() {
    let scene = Scene::instant().await;
    let token = scene.graph_identity().await;
    scene.clouds.fault(Fault::cut_after().making_principal());
    let nobody = json!({"appId": uuid::Uuid::new_v4().to_string()});
    assert_eq!(scene.graph(&token, "POST", "/servicePrincipals", Some(nobody)).await.status, 400);
    assert_eq!(scene.clouds.faults_left(), 1);
}

#[tokio::test]
async fn a_delay_is_nominal_time() {
    let scene = Scene::with(1000.0, crate::clouds::Lags::none()).await;
    scene.clouds.fault(Fault::delay(Duration::from_secs(30)).on(Service::Aiven));
    assert_eq!(scene.aiven("GET", "/me", None).await.status, 200);
}

#[tokio::test]
async fn the_record_names_callers_and_holds_no_token() {
    let scene = Scene::instant().await;
    let token = scene.arm_identity().await;
    scene.arm(&token, "GET", "/subscriptions", None).await;
    scene.aiven("GET", "/me", None).await;
    let settings = scene.clouds.settings();
    let calls = scene.clouds.calls();
    let arm = calls.iter().find(|c| c.service == Service::Arm).unwrap();
    assert_eq!((arm.caller.as_str(), arm.status), (settings["AZURE_CLIENT_ID"].as_str(), Some(200)));
    assert_eq!(scene.clouds.calls_by_service()[&Service::Aiven], 1);
    let text = format!("{calls:?}");
    assert!(scene.clouds.tokens_minted().iter().all(|t| !text.contains(t.as_str())));
    assert!(!text.contains(&settings["AIVEN_TOKEN"]));
    scene.clouds.reset_calls();
    assert!(scene.clouds.calls().is_empty());
}

#[tokio::test]
async fn every_named_fault_exists() {
    let scene = Scene::instant().await;
    scene.clouds.world().standard(1, 1, false);
    for (name, what) in Fault::NAMES {
        assert!(!what.is_empty());
        for fault in Fault::by_name(name).unwrap() {
            scene.clouds.fault(fault);
        }
    }
    assert!(Fault::by_name("no-such-fault").is_none());
}

#[test]
fn the_clouds_answer_in_process_in_a_time_that_stands_still() {
    let clouds = Clouds::in_process(Options::new("/nonexistent", 1.0));
    let start = clouds.world().now();
    clouds.world().hold_time(start);
    let settings = clouds.settings();
    let token = format!("aivenv1 {}", settings["AIVEN_TOKEN"]);
    assert_eq!(clouds.service_of(&format!("{}/v1/me", settings["AIVEN_API_URL"])), Some(Service::Aiven));
    let answer = clouds.call(Service::Aiven, "GET", "/v1/me", &[("authorization", &token)], b"").unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(clouds.calls()[0].at, start);
}

/// Not a benchmark: a guard that a development build stands hundreds of requests a second.
#[tokio::test]
async fn many_requests_over_a_full_scene_take_no_noticeable_time() {
    let scene = Scene::instant().await;
    let pairs = scene.clouds.world().pairs(5, 25, 50, false);
    assert_eq!(pairs.len(), 50);
    let distinct: std::collections::BTreeSet<_> = pairs.iter().map(|p| (&p.vpc_id, &p.vnet)).collect();
    assert_eq!(distinct.len(), 50);
    {
        let mut world = scene.clouds.world();
        let home = world.home_tenant.clone();
        let app = world.add_application(&home, "app", None, true);
        let aiven = world.add_service_principal(&home, AIVEN_APPLICATION);
        for pair in &pairs {
            world.assign_role(&pair.vnet, roles::NETWORK_CONTRIBUTOR, &aiven);
            let id = world.add_connection(&pair.vpc_id, &pair.vnet, &app, "APPROVED").unwrap();
            world.build_connection(&pair.vpc_id, &id);
        }
        let waiting = world.aiven_vpcs.iter().flat_map(|v| &v.connections).filter(|c| c.state == "PENDING_PEER");
        assert_eq!(waiting.count(), 50);
    }
    let token = scene.arm_identity().await;
    let start = jiff::Zoned::now();
    for pair in pairs.iter().cycle().take(200) {
        assert_eq!(scene.arm(&token, "GET", &pair.vnet, None).await.status, 200);
    }
    let took = jiff::Zoned::now().duration_since(&start);
    println!("200 requests took {took:#}");
    assert!(took.as_secs() < 5, "200 requests took {took}");
}

#[tokio::test]
async fn bodies_are_recorded_on_demand_and_never_those_of_a_token_service() {
    let scene = Scene::instant().await;
    let token = scene.graph_identity().await;
    let make =
        async |name: &str| scene.graph(&token, "POST", "/applications", Some(json!({"displayName": name}))).await;
    make("before").await;
    scene.clouds.record_bodies();
    make("after").await;
    let tenant = scene.clouds.settings()["AZURE_TENANT_ID"].clone();
    let (administrator, secret) = scene.clouds.world().add_administrator(&tenant);
    assert_eq!(scene.by_secret(&tenant, &administrator, &secret, &scene.url(Service::Arm)).await.status, 200);
    let calls = scene.clouds.calls();
    let bodies: Vec<&str> = calls.iter().filter_map(|call| call.body.as_deref()).collect();
    assert_eq!(bodies, [r#"{"displayName":"after"}"#]);
    assert!(calls.iter().any(|call| call.service == Service::Entra && call.status == Some(200)));
}
