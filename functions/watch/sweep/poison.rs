//! Poison queues: where the host puts what failed five times, or is not base64. Each message is a hint too, and none is dropped.

use std::time::Duration;

use tracing::warn;

use super::send_again_or_tell;
use crate::accept_request::accept_request;
use crate::context::Context;
use crate::create_vpc::create_vpc;
use crate::engine::{Delivery, Engine, Hint, Message, Names, RunError, Workflow, is_newer};
use crate::peering::Record;
use crate::state::{Lookup, VpcRequestRow, reject};
use crate::storage::{Content, ReceivedMessage, StoreError};

/// How long a poison message is ours to handle, on the wall clock.
const HELD: Duration = Duration::from_secs(120);
/// At most so many batches of a queue a pass: the next pass goes on.
const BATCHES: usize = 20;

/// Empties every poison queue.
pub async fn empty(engine: &Engine, context: &Context) -> Result<(), RunError> {
    for (queue, kind) in engine.runbooks.queues() {
        empty_one(engine, context, kind, &queue).await?;
    }
    Ok(())
}

async fn empty_one(engine: &Engine, context: &Context, kind: Message, queue: &str) -> Result<(), RunError> {
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
            match handle(engine, context, kind, queue, &message).await {
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

async fn handle(
    engine: &Engine,
    context: &Context,
    kind: Message,
    queue: &str,
    message: &ReceivedMessage,
) -> Result<(), RunError> {
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
    match kind {
        Message::Request => accept_request(engine, context, &text, &delivery).await,
        Message::VpcRequest => create_vpc(engine, context, &text, &delivery).await,
        _ if is_newer(&text) => Err(newer(format!("a message of queue {queue}"))),
        Message::PeeringStep => hint::<Record>(engine, queue, &text).await,
        Message::VpcStep => hint::<VpcRequestRow>(engine, queue, &text).await,
        // The timer gives the next.
        Message::PollVpc | Message::ReconcileVpc => Ok(()),
    }
}

fn newer(what: String) -> RunError {
    StoreError::Newer { what }.into()
}

/// Not the row's message: nothing to do but to say so. The row's message: send it again; the third time a person has to look.
async fn hint<R: Workflow>(engine: &Engine, queue: &str, text: &str) -> Result<(), RunError> {
    let Some(message) = engine.decode::<R::Message>(queue, text).await? else { return Ok(()) };
    let stored = match engine.rows::<R>().load(message.key()).await? {
        Lookup::Found(stored) => stored,
        Lookup::NewerSchema => return Err(newer(format!("the {} {}", R::NOUN, message.key()))),
        Lookup::Absent => return Ok(()),
    };
    let row = &stored.value;
    if !message.is_current(row) || row.is_idle() {
        return Ok(());
    }
    let (event, Names { peering, vpc_request }) = (crate::telemetry::POISONED, row.names());
    warn!(event, peering, vpc_request, step = row.step, seq = row.seq, "its message failed five times");
    send_again_or_tell(engine, *stored, "its message failed five times").await
}
