//! The real handler starts without Aiven's token, says so, and goes on when the token is in the vault.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and owns its time")]

mod scene;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use emulator::clouds::{Clouds, Service};
use emulator::host::Event;

const LIMIT: Duration = Duration::from_secs(90);
const CANARY: &str = "canary-5d0b77c4";

#[tokio::test(flavor = "multi_thread")]
async fn the_real_handler_starts_without_a_token_and_goes_on_when_the_vault_has_it() {
    let mut pairs = Vec::new();
    let mut setup = scene::setup(60.0);
    setup.aiven_token = Some(CANARY.to_owned());
    setup.settings.insert("LOG".to_owned(), "trace".to_owned());
    let prepare = |clouds: &Clouds| {
        clouds.world().token_in_vault();
        pairs = clouds.world().standard(1, 2, false);
    };
    let environment = setup.start(prepare).await.unwrap();
    let told = scene::lines(&environment, "every peering waits");
    let over = scene::lines(&environment, "what stopped every peering is over");
    let leaks = scene::lines(&environment, CANARY);
    let exits = Arc::new(AtomicUsize::new(0));
    let counted = exits.clone();
    environment.supervisor.events().observe(move |event| {
        if matches!(event, Event::HandlerExited { .. }) {
            counted.fetch_add(1, SeqCst);
        }
    });
    for pair in &pairs {
        environment.request(pair).await.unwrap();
    }
    let cause = scene::shared_cause(&environment, LIMIT).await;
    assert_eq!(cause["code"], "AivenToken:SecretNotFound");
    assert!(cause["command"].as_str().unwrap().contains("az keyvault secret set"), "{cause}");
    // Five nominal minutes: the waits are repeated, and nothing is told again.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((told.count(), environment.clouds.calls_by_service().get(&Service::Aiven)), (1, None));

    environment.clouds.world().write_secret("aiven-token", CANARY);
    scene::all_are(&environment, 2, "Active", LIMIT).await;
    scene::assert_exactly(&environment, &pairs);
    assert_eq!((told.count(), over.count(), leaks.count()), (1, 1, 0));
    assert_eq!(exits.load(SeqCst), 0, "no process of the handler ended");
    environment.stop().await;
}
