//! What may be done only once it is known everywhere, or never.

use std::time::Duration;

use emulator::clouds::{AIVEN_APPLICATION, Fault, Lags, Pair, Service, World};
use simulation::{Setup, Simulation};

use super::{becomes_active, fault, passes, passes_in, requested, told};

/// Object id of our application's service principal at home, once there is one.
fn our_principal(world: &World) -> Option<String> {
    let app = world.applications.iter().find(|a| a.unique_name.is_some())?;
    Some(world.service_principal(&world.home_tenant, &app.app_id)?.id.clone())
}

async fn with_a_principal_that_never_propagates() -> (Simulation, Pair, String) {
    let (mut simulation, pair) = requested(Setup::default(), |_, _| {}).await;
    simulation.run_until("our principal", async |this| our_principal(&this.world()).is_some()).await;
    let principal = our_principal(&simulation.world()).unwrap();
    simulation.world().never_propagate(&principal);
    (simulation, pair, principal)
}

#[tokio::test(start_paused = true)]
async fn late_role_is_waited_for() {
    let (mut simulation, pair, principal) = with_a_principal_that_never_propagates().await;
    let waits = async |this: &Simulation| {
        let waiting = this.record(&pair).await.and_then(|record| record.waiting.clone());
        waiting.is_some_and(|waiting| waiting.code == "AuthorizationFailed")
    };
    simulation.run_until("a wait for the role", waits).await;
    simulation.world().propagate_now(&principal);
    becomes_active(&mut simulation, &pair).await;
    assert_eq!(told(&simulation).await, 0);
}

#[tokio::test(start_paused = true)]
async fn role_that_never_takes_effect_is_named() {
    let (mut simulation, pair, principal) = with_a_principal_that_never_propagates().await;
    let fault = fault(&mut simulation, &pair).await;
    assert!(fault.what.contains("AuthorizationFailed"), "{fault:?}");
    let command = format!("az role assignment create --assignee-object-id {principal}");
    assert!(fault.command.contains(&command) && fault.command.contains(&pair.vnet), "{fault:?}");
    simulation.world().propagate_now(&principal);
    becomes_active(&mut simulation, &pair).await;
}

#[tokio::test(start_paused = true)]
async fn slow_directory_is_waited_for() {
    let lags = Lags {
        graph_replication: Duration::from_secs(90),
        federated_credential: Duration::from_secs(400),
        ..Lags::documented()
    };
    passes_in(Setup { lags, ..Setup::default() }, |_, _| {}).await;
}

#[tokio::test(start_paused = true)]
async fn unknown_principal_is_waited_for() {
    let message = "Principal 11111111111141118111111111111111 does not exist in the directory.";
    let unknown =
        Fault::refuse(Service::Arm, 400, "PrincipalNotFound", message).method("PUT").path("/roleAssignments/");
    passes(|clouds, _| clouds.fault(unknown.times(3))).await;
}

#[tokio::test(start_paused = true)]
async fn missing_permission_to_admit_aiven_is_named() {
    let (mut simulation, pair) = requested(Setup::default(), |clouds, _| {
        let mut world = clouds.world();
        let identity = world.identity_principal_id.clone();
        world.revoke_graph(&identity, "Application.ReadWrite.All");
        world.grant_graph(&identity, "Application.ReadWrite.OwnedBy");
        world.grant_graph(&identity, "Application.Read.All");
    })
    .await;
    let fault = fault(&mut simulation, &pair).await;
    assert!(fault.command.contains(&format!("az ad sp create --id {AIVEN_APPLICATION}")), "{fault:?}");
    assert!(fault.command.contains("Application Administrator"), "{fault:?}");
    let home = simulation.world().home_tenant.clone();
    simulation.world().add_service_principal(&home, AIVEN_APPLICATION);
    becomes_active(&mut simulation, &pair).await;
}
