//! `CREDENTIAL=secret`: the application's password goes straight into Key Vault, once, whatever interrupts it; and nowhere else.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and owns its time")]

mod simulation;

use emulator::clouds::{Pair, World};
use functions::peering::Status;
use simulation::Simulation;

/// Name of our passwords.
const OURS: &str = "aiven-azure-peering-default";

/// One pair, in secret mode.
fn scene(world: &mut World) -> Pair {
    world.secret_mode();
    world.standard(1, 1, false).remove(0)
}

/// Client id of the application, and the ids of its passwords of a name.
fn passwords(world: &World, name: Option<&str>) -> (String, Vec<String>) {
    let app = world.applications.iter().find(|app| app.unique_name.as_deref() == Some(OURS)).unwrap();
    let named = app.passwords.iter().filter(|password| password.display_name.as_deref() == name);
    (app.app_id.clone(), named.map(|password| password.key_id.clone()).collect())
}

/// The application has one password of ours, and the vault's newest version holds it, and says so.
async fn assert_kept(simulation: &Simulation) {
    let (shown, made) = (simulation.shown().await, simulation.clouds.passwords_made());
    let world = simulation.world();
    let (app, ours) = passwords(&world, Some(OURS));
    assert_eq!(ours.len(), 1, "{shown}");
    let vault = world.vault.as_ref().unwrap();
    let newest = vault
        .secret(&format!("application-{app}"))
        .and_then(|secret| secret.version(None))
        .unwrap_or_else(|| panic!("{shown}"));
    assert_eq!((&newest.tags["key_id"], &newest.tags["app"]), (&ours[0], &app), "{shown}");
    let all = &world.application(&app).unwrap().passwords;
    let password = all.iter().find(|password| password.key_id == ours[0]).unwrap();
    assert!(made.iter().any(|text| password.is(text) && newest.is(text)), "{shown}");
    assert_eq!(newest.expires.unwrap(), password.end.as_second());
}

#[tokio::test(start_paused = true)]
async fn a_peering_becomes_active_by_a_password() {
    let (mut simulation, pair) = Simulation::new(scene);
    simulation.request("create", &pair).await;
    simulation.settle().await;
    let record = simulation.record(&pair).await.unwrap();
    assert_eq!(record.status, Status::Active, "{}", simulation.shown().await);
    assert_kept(&simulation).await;
}
