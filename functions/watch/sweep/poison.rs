//! Poison queues: where the host puts what failed five times, or is not base64. Each message is a hint too, and none is dropped.

use std::time::Duration;

use tracing::warn;

use super::{MOST_POISONED, send_again_or_tell};
use crate::accept_request::{REQUESTS, accept_request};
use crate::context::Context;
use crate::create_vpc::{AWAIT_VPC, VPC_REQUESTS, create_vpc, poisoned};
use crate::engine::{Delivery, Engine, RunError, StepMessage, is_newer, queue_of};
use crate::state::{Lookup, reject};
use crate::storage::{Content, ReceivedMessage, StoreError};

/// How long a poison message is ours to handle, on the wall clock.
const HELD: Duration = Duration::from_secs(120);
/// At most so many batches of a queue a pass: the next pass goes on.
const BATCHES: usize = 20;

/// The functions whose messages are no more than hints of a timer's.
const HINTS: [&str; 2] = ["poll_vpc", "reconcile_vpc"];

/// Empties every poison queue.
pub async fn empty(engine: &Engine, context: &Context) -> Result<(), RunError> {
    let steps = engine.runbooks.entries().map(|entry| queue_of(entry.name));
    let others = [REQUESTS, VPC_REQUESTS, AWAIT_VPC].map(str::to_owned);
    for queue in steps.chain(others).chain(HINTS.map(queue_of)) {
        empty_one(engine, context, &queue).await?;
    }
    Ok(())
}

async fn empty_one(engine: &Engine, context: &Context, queue: &str) -> Result<(), RunError> {
    let poison = format!("{queue}-poison");
    for _ in 0..BATCHES {
        let messages = match engine.storage.queues.receive(&poison, 32, HELD).await {
            // The host makes the queue when it needs it.
            Err(StoreError::NotFound { .. }) => return Ok(()),
            other => other?,
        };
        if messages.is_empty() {
            return Ok(());
        }
        for message in messages {
            match handle(engine, context, queue, &message).await {
                // It shows up again, for that program's sweep.
                Err(error) if error.is_newer() => continue,
                other => other?,
            }
            match engine.storage.queues.delete(&poison, &message).await {
                // Another pass has it, or had it: handling it twice is handling it once.
                Err(StoreError::NotFound { .. } | StoreError::PreconditionFailed { .. }) => {}
                other => other?,
            }
        }
    }
    Ok(())
}

async fn handle(engine: &Engine, context: &Context, queue: &str, message: &ReceivedMessage) -> Result<(), RunError> {
    let now = engine.clock.now();
    let refuse = async |payload: &[u8], reason: &str| reject(&engine.storage, queue, payload, reason, None, now).await;
    let text = match message.content() {
        Content::Text(text) => text,
        Content::Bytes(bytes) => return Ok(refuse(&bytes, "the message is not text; send JSON, in base64").await?),
        Content::NotBase64(raw) => {
            return Ok(
                refuse(raw.as_bytes(), "the message is not base64; the Functions host takes nothing else").await?
            );
        }
    };
    let delivery = Delivery { message_id: message.id.clone(), redelivered: false, trace: None };
    match queue {
        REQUESTS => return accept_request(engine, context, &text, &delivery).await,
        VPC_REQUESTS => return create_vpc(engine, context, &text, &delivery).await,
        _ if is_newer(&text) => return Err(newer(format!("a message of queue {queue}"))),
        AWAIT_VPC => {
            return match serde_json::from_str(&text) {
                Ok(message) => poisoned(engine, &message, MOST_POISONED).await,
                Err(_) => Ok(refuse(text.as_bytes(), "this is not a message of ours").await?),
            };
        }
        _ => {}
    }
    match serde_json::from_str::<StepMessage>(&text) {
        Ok(step) => hint(engine, &step).await,
        // A hint: the timer gives the next.
        Err(_) if HINTS.map(queue_of).contains(&queue.to_owned()) => Ok(()),
        Err(_) => Ok(refuse(text.as_bytes(), "this is not a message of ours").await?),
    }
}

fn newer(what: String) -> RunError {
    StoreError::Newer { what }.into()
}

/// Not the record's message: nothing to do but to say so. The record's message: send it again; the third time a person has to look.
async fn hint(engine: &Engine, message: &StepMessage) -> Result<(), RunError> {
    let stored = match engine.records.load(&message.peering).await? {
        Lookup::Found(stored) => stored,
        Lookup::NewerSchema => return Err(newer(format!("the record of {}", message.peering))),
        Lookup::Absent => return Ok(()),
    };
    let record = &stored.value;
    if message.seq != record.seq || message.step != record.step {
        return Ok(());
    }
    let event = crate::telemetry::POISONED;
    warn!(event, peering = record.id, step = record.step, seq = record.seq, "its message failed five times");
    send_again_or_tell(engine, *stored, "its message failed five times").await
}
