//! What could never work is refused within a minute, and before anything was made anywhere.

use std::collections::BTreeMap;
use std::time::Duration;

use emulator::clouds::{Pair, Service};
use functions::peering::Fault;
use simulation::{Setup, Simulation, text};

use super::{fault, requested};

/// What is said of it in the first minute.
async fn refused(simulation: &mut Simulation, pair: &Pair) -> Fault {
    let fault = fault(simulation, pair).await;
    let requested = simulation.record(pair).await.unwrap().times["requested"];
    let after = fault.since.duration_since(requested);
    assert!(after.as_secs_f64() < 60.0, "told after {after}");
    let calls = simulation.clouds.calls();
    let effects: Vec<_> = calls.iter().filter(|c| c.method != "GET" && c.service != Service::Entra).collect();
    assert!(!calls.is_empty() && effects.is_empty(), "{effects:?}");
    fault
}

#[tokio::test(start_paused = true)]
async fn overlapping_address_spaces() {
    let (mut simulation, pair) = requested(Setup::default(), |clouds, pair| {
        let mut world = clouds.world();
        let cidr = world.aiven_vpc(&pair.vpc_id).unwrap().cidr;
        world.vnet_mut(&pair.vnet).unwrap().prefixes.push(cidr);
    })
    .await;
    let fault = refused(&mut simulation, &pair).await;
    assert!(fault.what.contains("overlaps"), "{fault:?}");
}

#[tokio::test(start_paused = true)]
async fn vnet_of_another_tenant() {
    let (mut simulation, pair) = Simulation::new(|world| {
        let mut pair = world.standard(1, 1, false).remove(0);
        let tenant = world.another_tenant();
        let subscription = world.add_subscription(&tenant);
        pair.vnet = world.add_vnet(&subscription, "g", "elsewhere", &["10.77.0.0/24"]);
        pair
    });
    simulation.request("create", &pair).await;
    let fault = refused(&mut simulation, &pair).await;
    assert!(fault.what.contains("belongs to tenant"), "{fault:?}");
}

#[tokio::test(start_paused = true)]
async fn subscription_that_is_not_allowed() {
    let allowed = ("ALLOWED_SUBSCRIPTIONS".to_owned(), "99999999-9999-4999-8999-999999999999".to_owned());
    let setup = Setup { settings: BTreeMap::from([allowed]), ..Setup::default() };
    let (mut simulation, _) = requested(setup, |_, _| {}).await;
    simulation.run_for(Duration::from_secs(60)).await;
    let rows = simulation.rows("rejected").await;
    assert!(rows.len() == 1 && text(&rows[0], "reason").contains("ALLOWED_SUBSCRIPTIONS"), "{rows:?}");
    assert!(simulation.clouds.calls().is_empty(), "nothing reached a cloud");
    assert!(simulation.records().await.is_empty());
}
