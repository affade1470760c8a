//! Queue Storage in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::lock;
use crate::clock::Clock;
use crate::storage::limits::{check_message, queue_name};
use crate::storage::queues::whole_seconds;
use crate::storage::{Queues, ReceivedMessage, StoreError};

/// Most messages a receive or peek returns.
const BATCH: u8 = 32;

/// All queues of an account.
#[derive(Debug)]
pub struct MemoryQueues {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queues: HashMap<String, Vec<Kept>>,
    /// Numbers ids and pop receipts.
    count: u64,
}

#[derive(Debug)]
struct Kept {
    message: ReceivedMessage,
    visible: Timestamp,
}

impl MemoryQueues {
    /// No queue yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// The earliest time at which any message can be received, and its queue: a simulator whose clock is before it moves there.
    pub fn next_visible(&self) -> Option<(String, Timestamp)> {
        let state = lock(&self.state);
        let all = state.queues.iter().flat_map(|(name, kept)| kept.iter().map(move |one| (one.visible, name)));
        all.min().map(|(visible, name)| (name.clone(), visible))
    }

    /// The earliest time at which a message of a queue can be received.
    pub fn visible_at(&self, queue: &str) -> Option<Timestamp> {
        lock(&self.state).queues.get(queue)?.iter().map(|one| one.visible).min()
    }

    /// Lets a message that was received show up again after `delay` (Update Message), unless it was received again since.
    pub fn put_back(&self, queue: &str, message: &ReceivedMessage, delay: Duration) -> Result<(), StoreError> {
        let visible = self.in_seconds(whole_seconds(delay, 0));
        self.with(queue, |kept, _| {
            let ours = |one: &&mut Kept| one.message.id == message.id && one.message.pop_receipt == message.pop_receipt;
            let what = format!("message {} in queue {queue}", message.id);
            let found = kept.iter_mut().find(ours).ok_or(StoreError::PreconditionFailed { what, op: None })?;
            found.visible = visible;
            Ok(())
        })?
    }

    /// Does something with the messages of a queue, oldest visible first, and a fresh number.
    fn with<T>(&self, queue: &str, work: impl FnOnce(&mut Vec<Kept>, u64) -> T) -> Result<T, StoreError> {
        let state = &mut *lock(&self.state);
        state.count += 1;
        let missing = || StoreError::NotFound { what: queue_name(queue), op: None };
        let kept = state.queues.get_mut(queue).ok_or_else(missing)?;
        kept.sort_by_key(|one| one.visible);
        Ok(work(kept, state.count))
    }

    fn in_seconds(&self, seconds: u32) -> Timestamp {
        self.clock.now() + SignedDuration::from_secs(seconds.into())
    }
}

#[async_trait]
impl Queues for MemoryQueues {
    async fn create_queue_if_missing(&self, queue: &str) -> Result<(), StoreError> {
        lock(&self.state).queues.entry(queue.to_owned()).or_default();
        Ok(())
    }

    async fn send_raw(&self, queue: &str, raw: &str, delay: Duration) -> Result<(), StoreError> {
        check_message(queue, raw)?;
        let (inserted, visible) = (Some(self.clock.now()), self.in_seconds(whole_seconds(delay, 0)));
        self.with(queue, |kept, number| {
            let (id, raw) = (format!("message-{number}"), raw.to_owned());
            let message = ReceivedMessage { id, pop_receipt: None, dequeue_count: 0, inserted, raw };
            kept.push(Kept { message, visible });
        })
    }

    async fn receive(&self, queue: &str, most: u8, visibility: Duration) -> Result<Vec<ReceivedMessage>, StoreError> {
        let (now, again) = (self.clock.now(), self.in_seconds(whole_seconds(visibility, 1)));
        self.with(queue, |kept, number| {
            let ready = kept.iter_mut().filter(|one| one.visible <= now).take(most.clamp(1, BATCH).into());
            ready
                .map(|one| {
                    one.visible = again;
                    one.message.dequeue_count += 1;
                    one.message.pop_receipt = Some(format!("receipt-{number}"));
                    one.message.clone()
                })
                .collect()
        })
    }

    async fn delete(&self, queue: &str, message: &ReceivedMessage) -> Result<(), StoreError> {
        let what = format!("message {} in queue {queue}", message.id);
        self.with(queue, |kept, _| match kept.iter().position(|one| one.message.id == message.id) {
            None => Err(StoreError::NotFound { what, op: None }),
            Some(at) if kept[at].message.pop_receipt == message.pop_receipt && message.pop_receipt.is_some() => {
                kept.remove(at);
                Ok(())
            }
            Some(_) => Err(StoreError::PreconditionFailed { what, op: None }),
        })?
    }

    async fn peek(&self, queue: &str, most: u8) -> Result<Vec<ReceivedMessage>, StoreError> {
        let now = self.clock.now();
        self.with(queue, |kept, _| {
            let ready = kept.iter().filter(|one| one.visible <= now).take(most.clamp(1, BATCH).into());
            ready.map(|one| ReceivedMessage { pop_receipt: None, ..one.message.clone() }).collect()
        })
    }

    async fn length(&self, queue: &str) -> Result<u64, StoreError> {
        self.with(queue, |kept, _| kept.len() as u64)
    }
}
