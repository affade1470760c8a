//! Delete after create leaves the clouds as they were, but for what belongs to the installation.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and owns its time")]

mod simulation;

use functions::peering::Status;
use simulation::Simulation;

#[tokio::test(start_paused = true)]
async fn a_peering_comes_and_goes() {
    let (mut simulation, pairs) = Simulation::new(|world| world.standard(1, 1, false));
    simulation.request("create", &pairs[0]).await;
    simulation.settle().await;
    assert_eq!(simulation.record(&pairs[0]).await.unwrap().status, Status::Active, "{}", simulation.shown().await);
    simulation.request("delete", &pairs[0]).await;
    simulation.settle().await;
    assert_eq!(simulation.record(&pairs[0]).await.unwrap().status, Status::Deleted, "{}", simulation.shown().await);
}
