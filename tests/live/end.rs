//! The life of peerings end to end: the real handler on Azurite, the emulated Functions host and the emulated clouds.

use std::time::Duration;

use emulator::clouds::{Clouds, Fault, Pair, Service};
use emulator::environment::Environment;
use serde_json::json;
use simulation::{compare, existing};

use crate::scene;

const LIMIT: Duration = Duration::from_secs(120);
/// Nominal time runs this much faster than the wall clock.
const SCALE: f64 = 120.0;

async fn send(environment: &Environment, action: &str, pairs: &[Pair]) {
    for pair in pairs {
        let request = json!({"version": 1, "action": action, "vpc": pair.vpc, "vnet": pair.vnet});
        environment.send(&request.to_string()).await.unwrap();
    }
}

/// Created, adopted and shared at once, and the handler dies after each kind of call that a delete makes.
#[tokio::test(flavor = "multi_thread")]
async fn delete_after_create_leaves_the_clouds_as_they_were_though_the_handler_dies_after_each_effect() {
    let (mut pairs, mut before) = (Vec::new(), json!(null));
    let prepare = |clouds: &Clouds| {
        let mut world = clouds.world();
        // Two of them share a VNet; all of the last was there before.
        pairs = world.pairs(2, 3, 4, false);
        existing::up_to(&mut world, &pairs[1], existing::Thing::Half);
        before = world.snapshot();
    };
    let environment = scene::setup(SCALE).start(prepare).await.unwrap();
    send(&environment, "create", &pairs).await;
    scene::all_are(&environment, 4, "Active", LIMIT).await;
    let effects: [fn(Fault) -> Fault; 4] = [
        |fault| fault.on(Service::Aiven).method("DELETE").path("/peering-connection"),
        |fault| fault.on(Service::Arm).method("DELETE").path("/virtualNetworkPeerings/"),
        |fault| fault.on(Service::Arm).method("DELETE").path("/roleAssignments/"),
        |fault| fault.on(Service::Arm).method("DELETE").path("/roleAssignments/").after(1),
    ];
    for effect in effects {
        let control = environment.supervisor.control();
        environment.clouds.fault(effect(Fault::cut_after_then(move || control.kill_handler())));
    }
    send(&environment, "delete", &pairs).await;
    scene::all_are(&environment, 4, "Deleted", LIMIT).await;
    let deletes = || environment.clouds.calls().into_iter().filter(|call| call.method == "DELETE").collect::<Vec<_>>();
    assert_eq!(environment.clouds.faults_left(), 0, "each death struck: {:#?}", deletes());
    assert!(environment.supervisor.counts().launches >= 4, "{}", environment.supervisor.counts().launches);
    scene::queues_are_empty(&environment, LIMIT).await;
    // What lingers at Aiven is gone a nominal while later.
    tokio::time::sleep(Duration::from_secs_f64(600.0 / SCALE)).await;
    let (after, told) = (environment.clouds.world().snapshot(), "");
    compare::assert_as_before(&before, &after, told);
    environment.stop().await;
}
