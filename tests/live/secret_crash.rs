//! `CREDENTIAL=secret` with the real handler: it dies right after the password was added, or right after the vault took it.

use std::time::Duration;

use emulator::clouds::{Clouds, Fault, World};
use serde_json::Value;

use crate::scene;

const LIMIT: Duration = Duration::from_secs(90);
const OURS: &str = "aiven-azure-peering-default";

/// The handler dies in the moment in which the call has taken effect, and nobody has heard of it.
async fn a_crash_after(call: impl FnOnce(Fault) -> Fault, made: usize) {
    let mut pairs = Vec::new();
    let prepare = |clouds: &Clouds| {
        let mut world = clouds.world();
        world.secret_mode();
        pairs = world.standard(1, 1, false);
    };
    let environment = scene::setup(120.0).start(prepare).await.unwrap();
    let control = environment.supervisor.control();
    environment.clouds.fault(call(Fault::cut_after_then(move || control.kill_handler())));
    environment.request(&pairs[0]).await.unwrap();
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    assert_eq!(environment.clouds.faults_left(), 0, "the fault struck");
    assert!(environment.supervisor.counts().launches >= 2, "the handler died");
    assert_eq!(environment.clouds.passwords_made().len(), made);
    let rows = environment.rows("shared").await.unwrap();
    let row = rows.iter().find(|row| scene::text(row, "PartitionKey") == "installation").unwrap();
    assert_kept(&environment.clouds.world(), &scene::json(row, "parts"));
    environment.stop().await;
}

/// One password, written once, and the row says that we made it.
fn assert_kept(world: &World, parts: &Value) {
    let app = world.applications.iter().find(|app| app.unique_name.as_deref() == Some(OURS)).unwrap();
    assert_eq!(app.passwords.len(), 1, "none is left over");
    let part = &parts[format!("secret:{}", app.app_id)];
    assert_eq!(
        (part["provenance"].as_str(), part["value"]["key_id"].as_str()),
        (Some("created"), Some(app.passwords[0].key_id.as_str()))
    );
    let secret = world.vault.as_ref().unwrap().secret(&format!("application-{}", app.app_id)).unwrap();
    assert_eq!((secret.versions.len(), &secret.versions[0].tags["key_id"]), (1, &app.passwords[0].key_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_password_was_added() {
    a_crash_after(Fault::making_password, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_vault_took_it() {
    a_crash_after(Fault::writing_secret, 1).await;
}
