//! Single deliveries: what a message, a claim, a budget, a commit from outside does.

mod causes;
mod messages;
mod outside;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::world::{World, drive, now};
use super::*;
use crate::clock::{Clock, TimeScale};
use crate::cloud::Failure;
use crate::engine::tests::{ManualClock, record, runbook};
use crate::engine::{Act, Delivery, Engine, Job, Look, RunError, Step, StepMessage, Stop, Wait, queue_of, to_text};
use crate::peering::{Record, Status};
use crate::state::{Lookup, Records, Versioned};
use crate::storage::{Queues, ReceivedMessage};

/// Parks, for at most half an hour.
struct Parks;

#[async_trait]
impl Step for Parks {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if job.record.facts.aiven_state.is_some() {
            return Ok(Look::Done);
        }
        Err(Stop::Park(Wait::aiven("pending", "Aiven builds", 60, 1800)))
    }
}

/// A world of one step.
fn world_of(step: Arc<dyn Step>) -> World {
    World::new(|_| runbook(vec![("second", Status::WaitingForAiven, step)]))
}

fn delivery(id: &str) -> Delivery {
    Delivery { message_id: id.to_owned(), redelivered: false, trace: None }
}

/// Runs the message of a record as it stands.
fn run(world: &World, record: &Record, delivery: &Delivery) -> Result<(), RunError> {
    let record = world.load(record);
    drive(world.engine.run::<Record>(&queue_of(&record.step), &to_text(&StepMessage::of(&record)).unwrap(), delivery))
}

/// The messages of a queue, with the nominal seconds until each shows up.
fn queued(world: &World, queue: &str) -> Vec<(u64, StepMessage)> {
    let begun = world.clock.now();
    let mut found = Vec::new();
    while let Some((name, at)) = world.queues.next_visible() {
        world.clock.set(at);
        for message in now(world.queues.receive(&name, 32, Duration::from_secs(600_000))).unwrap() {
            if name == queue {
                found.push((world.clock.since(begun).as_secs(), parsed(&message)));
            }
            now(world.queues.delete(&name, &message)).unwrap();
        }
    }
    found
}

fn parsed(message: &ReceivedMessage) -> StepMessage {
    match message.content() {
        crate::storage::Content::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn stored(world: &World, record: &Record) -> Versioned<Record> {
    match now(Records::new(world.plain.clone()).load(&record.key)).unwrap() {
        Lookup::Found(stored) => *stored,
        other => panic!("{other:?}"),
    }
}
