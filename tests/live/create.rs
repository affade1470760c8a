//! From a message on the public queue to ACTIVE at Aiven and Connected in Azure, on real storage, by the real handler.

use std::time::Duration;

use emulator::clouds::Pair;
use emulator::environment::Environment;
use serde_json::json;

use crate::scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_an_organization_vpc_becomes_a_peering() {
    becomes_a_peering(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_project_vpc_becomes_a_peering() {
    becomes_a_peering(true).await;
}

async fn becomes_a_peering(project: bool) {
    let mut pairs = Vec::new();
    let prepare = |clouds: &emulator::clouds::Clouds| pairs = clouds.world().standard(1, 1, project);
    let environment = scene::setup(60.0).start(prepare).await.unwrap();
    environment.request(&pairs[0]).await.unwrap();
    let records = scene::all_are(&environment, 1, "Active", Duration::from_secs(60)).await;
    assert_peered(&environment, &pairs[0]);
    let record = &records[0];
    assert_eq!(scene::json(record, "provenance"), json!({"aiven": "created", "azure": "created"}));
    assert_eq!(scene::text(record, "wanted"), "active");
    for column in ["claim", "waiting", "fault"] {
        assert!(!record.contains_key(column), "{column} is over: {record:?}");
    }
    journal_tells_every_commit(&environment, scene::text(record, "seq")).await;
    environment.stop().await;
}

/// Both clouds say so, whatever our record says.
fn assert_peered(environment: &Environment, pair: &Pair) {
    let world = environment.clouds.world();
    let connections = world.connections(&pair.vpc_id, &pair.vnet);
    assert_eq!(connections.iter().map(|c| c.state.as_str()).collect::<Vec<_>>(), ["ACTIVE"]);
    let vnet = world.vnet(&pair.vnet).unwrap();
    assert_eq!(vnet.peerings.len(), 1);
}

/// One entry a commit: numbers without a gap, every step of the runbook among them.
async fn journal_tells_every_commit(environment: &Environment, seq: &str) {
    let journal = environment.journal().await.unwrap();
    let last: usize = seq.parse().unwrap();
    assert_eq!(journal.len(), last, "one journal entry for each seq from 1");
    let done: Vec<&str> =
        journal.iter().filter(|e| scene::text(e, "outcome") == "advance").map(|e| scene::text(e, "step")).collect();
    assert_eq!(
        done,
        [
            "inspect_network",
            "register_application",
            "create_service_principal",
            "add_credential",
            "authorize_application",
            "admit_aiven",
            "define_aiven_role",
            "authorize_aiven",
            "request_peering",
            "await_pending_peer",
            "peer_network",
            "await_active",
            "verify_connectivity",
        ]
    );
}
