//! Two drifts from end to end, by the real handler on real storage: what a vendor broke is repaired; what a person did is reported, and
//! put back by `retry`.

use std::time::Duration;

use emulator::clouds::Pair;
use emulator::environment::Environment;
use emulator::host::Outcome;
use serde_json::json;

use crate::scene;

const LIMIT: Duration = Duration::from_secs(90);

async fn active() -> (Environment, Pair, String) {
    let mut pairs = Vec::new();
    let prepare = |clouds: &emulator::clouds::Clouds| pairs = clouds.world().standard(1, 1, false);
    let environment = scene::setup(60.0).start(prepare).await.unwrap();
    environment.request(&pairs[0]).await.unwrap();
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    let remote = environment.clouds.world().aiven_vpc(&pairs[0].vpc_id).unwrap().azure_vnet.clone();
    (environment, pairs.remove(0), remote)
}

/// As the timer does every hour.
async fn reconcile(environment: &Environment) {
    let outcome = environment.supervisor.host().unwrap().trigger("reconcile", "").await.unwrap();
    assert!(matches!(outcome, Outcome::Succeeded), "{outcome:?}");
}

fn kinds(row: &emulator::azurite::Entity) -> Vec<String> {
    let drift = scene::json(row, "drift");
    drift.as_array().unwrap().iter().map(|drift| drift["kind"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_deleted_at_aiven_is_made_again_by_the_real_handler() {
    let (environment, pair, _) = active().await;
    let told = scene::lines(&environment, "\"event\":\"drift\"");
    environment.clouds.world().delete_connection_outside(&pair.vpc_id, &pair.vnet);
    reconcile(&environment).await;
    let drifted = scene::all_are(&environment, 1, "Drifted", LIMIT).await;
    assert_eq!(kinds(&drifted[0]), ["connection_gone"]);
    let records = scene::all_are(&environment, 1, "Active", LIMIT).await;
    assert_eq!(scene::json(&records[0], "drift"), json!([]));
    assert_eq!(scene::json(&records[0], "repaired").as_object().unwrap().len(), 1);
    assert_eq!(told.count(), 1, "one line");
    {
        let world = environment.clouds.world();
        let states: Vec<String> = world.connections(&pair.vpc_id, &pair.vnet).iter().map(|c| c.state.clone()).collect();
        assert_eq!(states, ["ACTIVE"]);
        let halves: Vec<&str> = world.vnet(&pair.vnet).unwrap().peerings.iter().map(|h| h.state.as_str()).collect();
        assert_eq!(halves, ["Connected"]);
    }
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_switched_off_by_a_person_is_reported_and_put_back_by_retry() {
    let (environment, pair, remote) = active().await;
    environment.clouds.world().allow_access(&pair.vnet, &remote, false);
    reconcile(&environment).await;
    let records = scene::all_are(&environment, 1, "Drifted", LIMIT).await;
    assert_eq!(kinds(&records[0]), ["access_off"]);
    // Two nominal minutes, after which a vendor's damage would be repaired, and as many again.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!environment.clouds.world().half(&pair.vnet, &remote).unwrap().allow_access);
    let retry = json!({"version": 1, "action": "retry", "vpc": pair.vpc, "vnet": pair.vnet});
    environment.send(&retry.to_string()).await.unwrap();
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    assert!(environment.clouds.world().half(&pair.vnet, &remote).unwrap().allow_access);
    environment.stop().await;
}
