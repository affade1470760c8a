//! The rest of an Aiven VPC's life: made, peered with, its user networks changed, deleted.

use super::aiven::{organization, ready, state};
use super::{Answer, Scene};
use crate::clouds::{Lags, Pair, roles};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

/// The clouds' clock stands still until it is put forward.
fn hold(scene: &Scene) -> Timestamp {
    let now = scene.clouds.world().now();
    scene.clouds.world().hold_time(now);
    now
}

fn later(scene: &Scene, seconds: i64) {
    let mut world = scene.clouds.world();
    let at = world.now() + SignedDuration::from_secs(seconds);
    world.hold_time(at);
}

fn slow() -> Lags {
    Lags {
        aiven_vpc_build: Duration::from_secs(100),
        aiven_build: Duration::from_secs(100),
        aiven_deleting: Duration::from_secs(100),
        aiven_deleted_lingers: Duration::from_secs(100),
        ..Lags::none()
    }
}

async fn create(scene: &Scene, vpcs: &str, body: Value) -> Answer {
    let made = scene.aiven("POST", vpcs, Some(body)).await;
    assert_eq!((made.status, made.body["state"].as_str()), (200, Some("APPROVED")), "{}", made.body);
    made
}

#[tokio::test]
async fn an_organization_vpc_is_built_on_aivens_clock_and_can_then_be_peered() {
    let scene = Scene::with(1.0, slow()).await;
    let (pair, peering) = ready(&scene, false);
    hold(&scene);
    let vpcs = format!("/organization/{}/vpcs", organization(&pair));
    let clouds = json!([{"cloud_name": "azure-westeurope", "network_cidr": "10.77.0.0/24"}]);
    let body = json!({"clouds": clouds, "display_name": "new", "peering_connections": []});
    let made = create(&scene, &vpcs, body).await.body;
    assert_eq!((&made["clouds"], &made["display_name"]), (&clouds, &json!("new")));
    let id = made["organization_vpc_id"].as_str().unwrap().to_owned();
    let vpc = format!("{vpcs}/{id}");
    later(&scene, 99);
    assert_eq!(scene.aiven("GET", &vpc, None).await.body["state"], "APPROVED");
    later(&scene, 2);
    assert_eq!(scene.aiven("GET", &vpc, None).await.body["state"], "ACTIVE");
    let listed = scene.aiven("GET", &vpcs, None).await.body;
    assert_eq!(listed["vpcs"].as_array().unwrap().len(), 2);

    assert_eq!(scene.aiven("POST", &format!("{vpc}/peering-connections"), Some(peering)).await.status, 200);
    later(&scene, 101);
    assert_eq!(state(&scene, &vpc).await, "PENDING_PEER");
    let remote = scene.clouds.world().aiven_vpc(&id).unwrap().azure_vnet.clone();
    scene.clouds.world().peer_by_hand(&pair.vnet, "to-aiven", &remote);
    assert_eq!(state(&scene, &vpc).await, "ACTIVE");
}

#[tokio::test]
async fn a_project_vpc_may_be_made_with_a_connection_and_in_timescales_clouds() {
    let scene = Scene::with(1.0, slow()).await;
    let (_, peering) = ready(&scene, true);
    hold(&scene);
    let body = json!({
        "cloud_name": "timescale-azure-westeurope", "network_cidr": "10.77.0.0/24", "peering_connections": [peering]
    });
    let made = create(&scene, "/project/demo-project/vpcs", body).await.body;
    assert_eq!(
        (&made["cloud_name"], &made["network_cidr"]),
        (&json!("timescale-azure-westeurope"), &json!("10.77.0.0/24"))
    );
    let vpc = format!("/project/demo-project/vpcs/{}", made["project_vpc_id"].as_str().unwrap());
    later(&scene, 150);
    assert_eq!(
        (scene.aiven("GET", &vpc, None).await.body["state"].clone(), state(&scene, &vpc).await),
        (json!("ACTIVE"), "APPROVED".to_owned())
    );
    later(&scene, 51);
    assert_eq!(state(&scene, &vpc).await, "PENDING_PEER");
}

#[tokio::test]
async fn aiven_can_peer_as_another_application() {
    let scene = Scene::instant().await;
    let (pair, peering) = ready(&scene, true);
    let vpc = format!("/project/demo-project/vpcs/{}", pair.vpc_id);
    let timescale = uuid::Uuid::new_v4().to_string();
    scene.clouds.world().set_aiven_application(&timescale);
    let attempt = async || {
        scene.aiven("POST", &format!("{vpc}/peering-connections"), Some(peering.clone())).await;
        state(&scene, &vpc).await
    };
    assert_eq!(attempt().await, "REJECTED_BY_PEER", "only Aiven's other application is admitted");
    {
        let mut world = scene.clouds.world();
        let home = world.home_tenant.clone();
        let principal = world.add_service_principal(&home, &timescale);
        world.assign_role(&pair.vnet, roles::NETWORK_CONTRIBUTOR, &principal);
    }
    attempt().await;
    assert_eq!(state(&scene, &vpc).await, "PENDING_PEER");
}

#[tokio::test]
async fn a_deleted_vpc_ends_its_connections_lingers_and_is_gone() {
    let scene = Scene::with(1.0, slow()).await;
    let (pair, _) = ready(&scene, false);
    let vpc = format!("/organization/{}/vpc/{}", organization(&pair), pair.vpc_id);
    connected(&scene, &pair);
    hold(&scene);
    scene.clouds.world().add_service("demo", "pg", Some(&pair.vpc_id));
    assert_eq!(scene.aiven("DELETE", &vpc, None).await.status, 409);
    scene.clouds.world().delete_service("demo", "pg");
    assert_eq!(scene.aiven("DELETE", &vpc, None).await.body["state"], "DELETING");
    assert_eq!(state(&scene, &vpc).await, "DELETING");
    assert_eq!(scene.aiven("DELETE", &vpc, None).await.body["state"], "DELETING", "the same again changes nothing");
    later(&scene, 101);
    assert_eq!(scene.aiven("GET", &vpc, None).await.body["state"], "DELETED");
    assert_eq!(scene.aiven("DELETE", &vpc, None).await.body["state"], "DELETED", "nor does it then");
    assert_eq!(scene.clouds.world().vnet(&pair.vnet).unwrap().peerings[0].state, "Disconnected");
    later(&scene, 101);
    assert_eq!(scene.aiven("GET", &vpc, None).await.status, 404);
}

/// An ACTIVE connection, made without the runbook; returns the network at Aiven.
pub(super) fn connected(scene: &Scene, pair: &Pair) -> String {
    let mut world = scene.clouds.world();
    let app = world.applications.iter().find(|a| a.display_name == "app").unwrap().app_id.clone();
    let id = world.add_connection(&pair.vpc_id, &pair.vnet, &app, "APPROVED").unwrap();
    world.build_connection(&pair.vpc_id, &id);
    let remote = world.aiven_vpc(&pair.vpc_id).unwrap().azure_vnet.clone();
    world.peer_by_hand(&pair.vnet, "to-aiven", &remote);
    world.advance();
    assert_eq!(world.connections(&pair.vpc_id, &pair.vnet)[0].state, "ACTIVE");
    remote
}

fn cidrs(vpc: &Value) -> Value {
    assert_eq!(vpc["peering_connections"][0]["state"], "ACTIVE", "no outage: {vpc}");
    vpc["peering_connections"][0]["user_peer_network_cidrs"].clone()
}

fn item(pair: &Pair, cidr: &str) -> Value {
    let parts: Vec<String> = pair.vnet.to_lowercase().split('/').map(str::to_owned).collect();
    json!({"cidr": cidr, "peer_cloud_account": parts[2], "peer_resource_group": parts[4], "peer_vpc": parts[8]})
}

#[tokio::test]
async fn user_networks_come_and_go_while_the_connection_stays_active() {
    for project in [false, true] {
        let scene = Scene::instant().await;
        let (pair, _) = ready(&scene, project);
        connected(&scene, &pair);
        let paths = if project {
            vec![format!("/project/demo-project/vpcs/{}", pair.vpc_id)]
        } else {
            let base = format!("/organization/{}", organization(&pair));
            vec![format!("{base}/vpc/{}", pair.vpc_id), format!("{base}/vpcs/{}", pair.vpc_id)]
        };
        for path in paths {
            let put = async |body: Value| {
                let answer = scene.aiven("PUT", &format!("{path}/user-peer-network-cidrs"), Some(body)).await;
                assert_eq!(answer.status, 200, "{}", answer.body);
                cidrs(&answer.body)
            };
            let two =
                json!({"add": [item(&pair, "10.3.0.0/24"), item(&pair, "10.4.0.0/24"), item(&pair, "10.3.0.0/24")]});
            assert_eq!(put(two).await, json!(["10.3.0.0/24", "10.4.0.0/24"]));
            let both = json!({"add": [item(&pair, "10.5.0.0/24")], "delete": ["10.3.0.0/24", "10.9.0.0/24"]});
            assert_eq!(put(both).await, json!(["10.4.0.0/24", "10.5.0.0/24"]));
            assert_eq!(put(json!({"delete": ["10.4.0.0/24", "10.5.0.0/24"]})).await, json!([]));
        }
    }
}

#[tokio::test]
async fn a_change_of_user_networks_that_is_half_wrong_changes_nothing() {
    let scene = Scene::instant().await;
    let (pair, _) = ready(&scene, true);
    connected(&scene, &pair);
    let path = format!("/project/demo-project/vpcs/{}/user-peer-network-cidrs", pair.vpc_id);
    let body = json!({"add": [item(&pair, "10.3.0.0/24"), item(&pair, "10.4.0.0/99")]});
    assert_eq!(scene.aiven("PUT", &path, Some(body)).await.status, 400);
    assert!(scene.clouds.world().connections(&pair.vpc_id, &pair.vnet)[0].cidrs.is_empty());
}

#[tokio::test]
async fn a_new_range_may_overlap_unless_the_test_says_otherwise() {
    let scene = Scene::instant().await;
    let (pair, _) = ready(&scene, false);
    let vpcs = format!("/organization/{}/vpcs", organization(&pair));
    let range = scene.clouds.world().aiven_vpc(&pair.vpc_id).unwrap().cidr.to_string();
    let body =
        json!({"clouds": [{"cloud_name": "azure-westeurope", "network_cidr": range}], "peering_connections": []});
    assert_eq!(scene.aiven("POST", &vpcs, Some(body.clone())).await.status, 200);
    scene.clouds.world().upsets.refuse_overlapping_vpcs = true;
    assert_eq!(scene.aiven("POST", &vpcs, Some(body)).await.status, 409);
}
