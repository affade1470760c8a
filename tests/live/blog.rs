//! Not in simulation: names that a real name server resolves and connections that are really opened, for the blog's variant of the runbook.

use std::time::Duration;

use emulator::azurite::Entity;
use emulator::clouds::{Clouds, Pair};
use emulator::environment::{Environment, Setup};
use emulator::host::Duplicate;
use serde_json::json;

use crate::scene;

const LIMIT: Duration = Duration::from_secs(150);
/// Nominal time runs this much faster than the wall clock.
const SCALE: f64 = 120.0;

/// Only addresses of 127.0.0.0/8 are this machine's, and only Linux has all of them: so that a connection is really made, the VPC is there.
#[tokio::test(flavor = "multi_thread")]
async fn vpc_is_made_peered_looked_up_and_connected_to() {
    let mut ground = None;
    let prepare = |clouds: &Clouds| {
        let mut world = clouds.world();
        let home = world.home_tenant.clone();
        let (organization, subscription) = (world.add_organization(), world.add_subscription(&home));
        let vnet = world.add_vnet(&subscription, "aiven-test", "aiven-test-nw", &["10.1.0.0/16"]);
        world.app_settings.insert("APP_VNET".to_owned(), vnet.clone());
        ground = Some((world.add_project_in(&organization, "blog"), vnet));
    };
    // Every message comes twice, and still one VPC is made.
    let setup = Setup { duplicate: Duplicate::Each, ..scene::setup(SCALE) };
    let environment = setup.start(prepare).await.unwrap();
    let (project, vnet) = ground.unwrap();

    let cidr = if cfg!(target_os = "linux") { "127.77.0.0/24" } else { "10.200.0.0/24" };
    let request =
        json!({"version": 1, "cloud": "azure-japaneast", "cidr": cidr, "project": project, "reference": "blog-1"});
    environment.account.enqueue("vpc-requests", &request.to_string()).await.unwrap();
    let vpc_id = made(&environment).await;
    assert_eq!(environment.clouds.world().aiven_vpc(&vpc_id).unwrap().state, "ACTIVE");

    let host = environment.clouds.world().add_service(&project, "doi-test", Some(&vpc_id)).components[0].host.clone();
    let open = if cfg!(target_os = "linux") { environment.clouds.open_service(&host).await.ok() } else { None };
    let pair = Pair { vpc: json!({"project": project, "id": vpc_id}), vpc_id, vnet };
    environment.request(&pair).await.unwrap();
    let records = scene::all_are(&environment, 1, "Active", LIMIT).await;
    assert_eq!(environment.clouds.world().aiven_vpcs.len(), 1);
    scene::assert_exactly(&environment, std::slice::from_ref(&pair));
    assert!(environment.clouds.world().traffic_flows(&pair.vnet, &pair.vpc_id));
    let seen = scene::json(&records[0], "facts")["connectivity"].clone();
    let reach = &seen["services"][0];
    assert_eq!(reach["host"], json!(host));
    if cfg!(target_os = "linux") {
        assert_eq!((&reach["addresses"], &reach["connected"]), (&json!(["127.77.0.4"]), &json!(true)), "{seen}");
        assert_eq!(seen["good"], json!(true), "{seen}");
        assert!(open.unwrap().accepted() >= 1, "the app itself opened the connection");
    }
    environment.stop().await;
}

/// Waits until a VPC that was asked for is there, and its peerings are asked for; returns its id.
async fn made(environment: &Environment) -> String {
    let began = std::time::Instant::now();
    loop {
        let rows = environment.rows("vpcs").await.unwrap();
        let is_request = |row: &&Entity| {
            scene::text(row, "PartitionKey") == "request" && !scene::text(row, "RowKey").starts_with("journal|")
        };
        let row = rows.iter().find(is_request);
        if let Some(row) = row.filter(|row| scene::text(row, "status") == "Active") {
            assert_eq!((scene::text(row, "reference"), scene::text(row, "provenance")), ("blog-1", "created"));
            return scene::text(row, "vpc").to_owned();
        }
        assert!(began.elapsed() < LIMIT, "no VPC was made: {rows:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
