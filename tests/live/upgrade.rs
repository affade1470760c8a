//! Not in simulation: what the older program left, read from real storage by the handler's process.

use std::sync::Arc;
use std::time::Duration;

use emulator::environment::Environment;
use functions::clock::{SystemClock, TimeScale};
use functions::cloud::transport;
use functions::storage::{Connection, Storage};
use jiff::Timestamp;
use serde_json::json;

use crate::scene;
use simulation::existing::{Thing, up_to};
use simulation::fixture::{Fixture, names};
use simulation::message;

const LIMIT: Duration = Duration::from_secs(100);

fn storage_of(environment: &Environment) -> Storage {
    let connection = environment.azurite.connection_string();
    let setting = |name: &str| (name == "AzureWebJobsStorage").then(|| connection.clone());
    let clock = Arc::new(SystemClock(TimeScale::REAL));
    Storage::open(&Connection::read(setting).unwrap(), None, transport(None).unwrap(), clock).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_1_in_azurite_runs_to_the_end() {
    let mut pairs = Vec::new();
    let environment = scene::setup(40.0)
        .start(|clouds| {
            let mut world = clouds.world();
            pairs = world.standard(1, 1, false);
            up_to(&mut world, &pairs[0], Thing::AivenAssignment);
        })
        .await
        .unwrap();
    let (now, names) = (Timestamp::now(), names(&environment.clouds.world(), &pairs));
    let fixture = Fixture::read("message-request_peering").with(&names, now);
    fixture.put_into(&storage_of(&environment), now).await;
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    scene::assert_exactly(&environment, &pairs);
    assert_eq!(environment.rows("rejected").await.unwrap().len(), 0);
    environment.send(&message("delete", &pairs[0], &json!({}))).await.unwrap();
    scene::all_are(&environment, 1, "Deleted", LIMIT).await;
    scene::queues_are_empty(&environment, LIMIT).await;
    environment.stop().await;
}
