//! The timers do their work whatever stands in the tables: a row that cannot be read, an instant that is yet to come.

use std::time::Duration;

use functions::peering::Status;
use functions::state::Vpcs;
use functions::storage::Value;
use serde_json::json;
use simulation::Simulation;

#[tokio::test(start_paused = true)]
async fn unreadable_row_keeps_no_other_from_being_swept() {
    let (mut simulation, pairs) = Simulation::new(|world| world.pairs(2, 2, 2, false));
    for pair in &pairs {
        simulation.request("create", pair).await;
    }
    simulation.run_until("both to be opened", async |this| this.records().await.len() == 2).await;
    for (broken, other) in [(0, 1), (1, 0)] {
        let (broken, other) = (&pairs[broken], simulation.record(&pairs[other]).await.unwrap());
        let rows = simulation.rows("peerings").await;
        let is_its = |row: &&functions::storage::Entity| {
            row.partition.contains(&broken.vpc_id) && row.row.starts_with("peering|")
        };
        let whole = rows.iter().find(is_its).unwrap().clone();
        let unreadable = whole.clone().with("facts", Value::from("a person changed it"));
        simulation.storage.tables.upsert("peerings", &unreadable).await.unwrap();
        let message = json!({"schema": other.schema, "peering": other.key, "step": other.step, "seq": other.seq});
        let queue = format!("{}-poison", functions::engine::queue_of(&other.step));
        simulation.send_to(&queue, &message.to_string()).await;
        assert!(simulation.ring("sweep").await.is_err(), "somebody has to hear of it");
        simulation.storage.tables.upsert("peerings", &whole).await.unwrap();
        let records = simulation.records().await;
        let swept = records.iter().find(|record| record.key == other.key).unwrap();
        assert_eq!((swept.poisoned, swept.seq), (other.poisoned + 1, other.seq + 1));
    }
    simulation.settle().await;
    assert!(simulation.ring("sweep").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn poll_by_a_clock_ahead_keeps_none_waiting() {
    let (mut simulation, pairs) = Simulation::new(|world| world.standard(1, 1, false));
    simulation.request("create", &pairs[0]).await;
    simulation
        .run_until("it to be parked", async |this| this.records().await.iter().any(|record| record.awaits_poll()))
        .await;
    let vpc = simulation.records().await[0].key.vpc.clone();
    let vpcs = Vpcs::new(simulation.storage.clone());
    let mut held = vpcs.load(&vpc).await.unwrap();
    held.value.polled_at = Some(simulation.app().engine.clock.after(Duration::from_secs(24 * 3600)));
    vpcs.write(&mut held).await.unwrap();
    simulation.run_for(Duration::from_secs(1800)).await;
    assert_eq!(simulation.records().await[0].status, Status::Active, "{}", simulation.shown().await);
}

#[tokio::test(start_paused = true)]
async fn step_that_always_kills_its_process_calls_a_person() {
    let (mut simulation, pairs) = Simulation::new(|world| world.pairs(1, 1, 1, false));
    simulation.request("create", &pairs[0]).await;
    simulation.run_until("the record", async |this| this.records().await.len() == 1).await;
    // Nobody gets as far as an answer: the next message makes the one before stale, so none of them ever becomes poison.
    for times in 1..=3 {
        tokio::time::advance(Duration::from_secs(20 * 60)).await;
        simulation.ring("sweep").await.unwrap();
        let record = simulation.record(&pairs[0]).await.unwrap();
        assert_eq!(record.poisoned, times, "{}", simulation.shown().await);
    }
    let record = simulation.record(&pairs[0]).await.unwrap();
    assert_eq!(record.status, Status::NeedsAttention);
    assert!(record.progress.fault.unwrap().what.contains("was sent 3 times over and never done"));
    let mended = async |this: &Simulation| this.records().await.iter().all(|record| record.status == Status::Active);
    simulation.run_until("it to go on by itself", mended).await;
}
