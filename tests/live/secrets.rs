//! Not in simulation: what the handler's whole process writes, its HTTP stack and token source included, at the finest level.
//! No secret leaves it but to whom it belongs: not in a log line, a row, a message or an error.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use emulator::clouds::{Clouds, Fault, Service};
use emulator::environment::Environment;
use emulator::host::Event;

use crate::scene;

const CANARY: &str = "canary-7f3a91c2e5d84b60";
const LIMIT: Duration = Duration::from_secs(120);

/// Everything the handler says: its output, and what its functions answer.
fn everything_said(environment: &Environment) -> Arc<Mutex<Vec<String>>> {
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    environment.supervisor.events().observe(move |event| {
        let text = match event {
            Event::Line(_, line) => line.clone(),
            other => format!("{other:?}"),
        };
        heard.lock().unwrap().push(text);
    });
    said
}

/// Services that repeat the credentials that they were shown, as some proxies do, and trouble of every kind.
fn trouble(clouds: &Clouds) {
    let echo = format!("the token aivenv1 {CANARY} was not accepted");
    clouds.fault(Fault::refuse(Service::Aiven, 500, "", &echo).times(2));
    clouds.fault(Fault::refuse(Service::Aiven, 409, "", &echo).method("POST"));
    let jwt = "Bearer eyJhbGciOiJub25lIn0.eyJjYW5hcnkiOiI3ZjNhOTFjMiJ9.c2lnbmF0dXJl";
    for service in [Service::Arm, Service::Graph, Service::Entra] {
        clouds.fault(Fault::refuse(service, 503, "ServerTimeout", &format!("upstream saw {jwt}")).times(2));
    }
    clouds.fault(Fault::cut_after().making_peering());
    clouds.world().refuse_connections(1, "REJECTED_BY_PEER");
}

/// No log line, no answer of a function, no row and no message holds a secret: the canary, any token, any password.
async fn assert_silent(environment: &Environment, said: &Mutex<Vec<String>>) {
    let mut texts = said.lock().unwrap().clone();
    assert!(texts.len() > 100, "the handler said something: {}", texts.len());
    for table in environment.account.list_tables().await.unwrap() {
        texts.extend(environment.rows(&table).await.unwrap().into_iter().map(|row| format!("{table}: {row:?}")));
    }
    for queue in environment.account.list_queues("").await.unwrap() {
        texts.extend(
            environment
                .account
                .peek_messages(&queue)
                .await
                .unwrap()
                .into_iter()
                .map(|message| format!("{queue}: {message:?}")),
        );
    }
    let mut secrets = environment.clouds.tokens_minted();
    assert!(secrets.len() >= 4, "tokens were minted: {}", secrets.len());
    // Forms escape a password's last character.
    secrets.extend(environment.clouds.passwords_made().iter().map(|text| text.trim_end_matches('~').to_owned()));
    secrets.extend([
        CANARY.to_owned(),
        "eyJjYW5hcnkiOiI3ZjNhOTFjMiJ9".to_owned(),
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq".to_owned(),
    ]);
    for secret in &secrets {
        // A token's signature and middle give it away as well as the whole.
        let parts = std::iter::once(secret.as_str()).chain(secret.split('.').filter(|part| part.len() > 30).skip(1));
        for part in parts {
            if let Some(text) = texts.iter().find(|text| text.contains(part)) {
                panic!("a secret stands in: {}", text.replace(part, "<the secret>"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_written_anywhere() {
    let mut pairs = Vec::new();
    let mut setup = scene::setup(60.0);
    setup.aiven_token = Some(CANARY.to_owned());
    setup.settings.insert("LOG".to_owned(), "trace".to_owned());
    let prepare = |clouds: &Clouds| {
        pairs = clouds.world().pairs(1, 3, 3, false);
        trouble(clouds);
    };
    let environment = setup.start(prepare).await.unwrap();
    let said = everything_said(&environment);
    for pair in &pairs {
        environment.request(pair).await.unwrap();
    }
    scene::all_are(&environment, 3, "Active", LIMIT).await;
    environment.clouds.world().expire_aiven_token();
    environment.send("{\"version\": 1, \"AIVEN_TOKEN\": 1}").await.unwrap();
    scene::rejected(&environment, 1, LIMIT).await;
    assert_silent(&environment, &said).await;
    environment.stop().await;
}

/// The password goes from Graph to the vault, and from there to Entra: three exchanges that are cut, refused and answered slowly.
fn trouble_with_passwords(clouds: &Clouds) {
    clouds.world().secret_mode();
    clouds.fault(Fault::cut_after().making_password());
    clouds.fault(Fault::cut_before().writing_secret());
    clouds.fault(Fault::refuse(Service::KeyVault, 503, "ServiceUnavailable", "try again").writing_secret());
    clouds.fault(Fault::cut_after().writing_secret());
    clouds.fault(Fault::refuse(Service::KeyVault, 500, "InternalError", "try again").method("GET"));
    clouds.fault(Fault::refuse(Service::Entra, 401, "7000215", "Invalid client secret provided."));
    clouds.fault(Fault::refuse(Service::Entra, 503, "90033", "A transient error has occurred."));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_written_anywhere() {
    let mut pairs = Vec::new();
    let mut setup = scene::setup(60.0);
    setup.settings.insert("LOG".to_owned(), "trace".to_owned());
    let prepare = |clouds: &Clouds| {
        pairs = clouds.world().pairs(1, 3, 3, false);
        trouble_with_passwords(clouds);
    };
    let environment = setup.start(prepare).await.unwrap();
    let said = everything_said(&environment);
    for pair in &pairs {
        environment.request(pair).await.unwrap();
    }
    scene::all_are(&environment, 3, "Active", LIMIT).await;
    assert_eq!(environment.clouds.faults_left(), 0, "all the trouble came");
    assert!(environment.clouds.passwords_made().len() >= 2, "a password was made, and made anew");
    assert_silent(&environment, &said).await;
    environment.stop().await;
}
