//! What goes wrong in the clouds, and how each ends: by itself, or with the exact thing that a person has to do.

mod aiven;
mod answers;
mod impossible;
mod permissions;

use emulator::clouds::{Clouds, Pair};
use functions::peering::{Fault, Record, Status};
use simulation::{Setup, Simulation, assert_exactly, text};

/// A peering that was asked for in clouds with some trouble in them.
async fn requested(setup: Setup, trouble: impl FnOnce(&Clouds, &Pair)) -> (Simulation, Pair) {
    let (simulation, pairs) = Simulation::start(setup, |world| world.standard(1, 1, false));
    trouble(&simulation.clouds, &pairs[0]);
    simulation.request("create", &pairs[0]).await;
    (simulation, pairs[0].clone())
}

/// The trouble passes: the peering becomes `Active` without a person, and nothing was made twice.
async fn passes(trouble: impl FnOnce(&Clouds, &Pair)) -> (Simulation, Pair) {
    passes_in(Setup::default(), trouble).await
}

async fn passes_in(setup: Setup, trouble: impl FnOnce(&Clouds, &Pair)) -> (Simulation, Pair) {
    let (mut simulation, pair) = requested(setup, trouble).await;
    becomes_active(&mut simulation, &pair).await;
    assert_eq!(told(&simulation).await, 0, "nobody was asked to do anything: {}", simulation.shown().await);
    assert_eq!(simulation.clouds.faults_left(), 0, "every fault struck");
    (simulation, pair)
}

/// Waits for `Active`; both clouds then hold what the peering needs, and nothing else.
async fn becomes_active(simulation: &mut Simulation, pair: &Pair) {
    let active = |record: &Record| record.status == Status::Active && record.is_idle();
    simulation.run_until("Active", async |this| this.record(pair).await.as_ref().is_some_and(active)).await;
    assert_exactly(&simulation.world(), std::slice::from_ref(pair));
}

/// The peering needs a person.
async fn fault(simulation: &mut Simulation, pair: &Pair) -> Fault {
    simulation.settle().await;
    let record = simulation.record(pair).await.unwrap();
    assert_eq!(record.status, Status::NeedsAttention, "{}", simulation.shown().await);
    record.progress.fault.unwrap()
}

/// How often a person was told what to do.
async fn told(simulation: &Simulation) -> usize {
    simulation.rows("peerings").await.iter().filter(|row| text(row, "outcome") == "fix").count()
}
