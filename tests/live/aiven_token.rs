//! Not in simulation: the handler's process starts without Aiven's token, and reads it with the real token source and HTTP stack.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use emulator::azurite::Entity;
use emulator::clouds::{Clouds, Service};
use emulator::host::Event;

use crate::scene;

const LIMIT: Duration = Duration::from_secs(90);
const CANARY: &str = "canary-5d0b77c4";

#[tokio::test(flavor = "multi_thread")]
async fn handler_starts_without_a_token_and_goes_on_when_the_vault_has_it() {
    let mut pairs = Vec::new();
    let mut setup = scene::setup(60.0);
    setup.aiven_token = Some(CANARY.to_owned());
    setup.settings.insert("LOG".to_owned(), "trace".to_owned());
    let prepare = |clouds: &Clouds| {
        clouds.world().token_in_vault();
        pairs = clouds.world().standard(1, 2, false);
    };
    let environment = setup.start(prepare).await.unwrap();
    let (said, heard) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
    let (lines, exits) = (said.clone(), heard.clone());
    environment.supervisor.events().observe(move |event| match event {
        Event::Line(_, line) => lines.lock().unwrap().push(line.clone()),
        Event::HandlerExited { .. } => *exits.lock().unwrap() += 1,
        _ => {}
    });
    let count = |text: &str| said.lock().unwrap().iter().filter(|line| line.contains(text)).count();
    for pair in &pairs {
        environment.request(pair).await.unwrap();
    }
    // The looks are repeated, and nothing is told again.
    let looked = |row: &Entity| {
        let waiting = scene::json(row, "waiting");
        waiting["code"] == "shared:AivenToken:SecretNotFound" && waiting["attempts"].as_u64() >= Some(4)
    };
    environment.wait_until(LIMIT, |rows| rows.len() == 2 && rows.iter().all(looked)).await.unwrap();
    let called = environment.clouds.calls_by_service().get(&Service::Aiven).copied();
    assert_eq!((count("every peering waits: `az keyvault secret set"), called), (1, None));

    environment.clouds.world().write_secret("aiven-token", CANARY);
    scene::all_are(&environment, 2, "Active", LIMIT).await;
    scene::assert_exactly(&environment, &pairs);
    assert_eq!((count("\"cause_opened\""), count("\"cause_closed\""), count(CANARY)), (1, 1, 0));
    assert_eq!(*heard.lock().unwrap(), 0, "no process of the handler ended");
    environment.stop().await;
}
