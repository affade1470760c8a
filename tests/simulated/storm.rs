//! 500 active peerings of 10 VPCs and 50 VNets in two subscriptions, nothing drifted: a pass is cheap, and writes nothing.

use std::time::Duration;

use emulator::clouds::{Lags, Service};
use functions::peering::Status;
use simulation::{Setup, Simulation};

#[tokio::test(start_paused = true)]
async fn pass_over_500_asks_once_a_vpc_and_writes_nothing() {
    // Aiven looks when it is asked to, not all the time.
    let lags = Lags { aiven_poll: Duration::from_secs(6 * 3600), ..Lags::none() };
    let setup = Setup { lags, ..Setup::default() };
    let (mut sim, pairs) = Simulation::start(setup, |world| world.pairs(10, 50, 500, false));
    assert_eq!(pairs.len(), 500);
    // A VNet takes one change at a time.
    for batch in pairs.chunks(50) {
        for pair in batch {
            sim.request("create", pair).await;
        }
        sim.drain().await;
    }
    sim.run_for(Duration::from_secs(3600)).await;
    let active = sim.records().await.iter().filter(|record| record.status == Status::Active).count();
    assert_eq!(active, 500);
    for pass in 1..=2 {
        sim.clouds.reset_calls();
        let before = sim.app().engine.storage.counts();
        sim.ring("reconcile").await.unwrap();
        sim.run_for(Duration::from_secs(600)).await;
        let after = sim.app().engine.storage.counts();
        let calls = sim.clouds.calls();
        let of = |service, path: &str| calls.iter().filter(|c| c.service == service && c.path.contains(path)).count();
        assert_eq!(of(Service::Aiven, ""), 10, "one call a VPC");
        let lists = of(Service::Arm, "/Microsoft.Network/virtualNetworks?");
        assert_eq!(lists, 20, "one list a VPC and subscription");
        assert_eq!(of(Service::Arm, "") - lists, 6, "three calls a subscription for what is shared");
        assert_eq!(of(Service::Graph, ""), 3);
        assert!(calls.iter().all(|call| call.method == "GET" || call.service == Service::Identity));
        assert_eq!(after.writes - before.writes, 0, "no table is written");
        println!("pass {pass}: {} table reads, {} messages", after.reads - before.reads, after.sends - before.sends);
    }
}
