//! Storage whose every operation is a moment: before it, the process may pause, die, or lose the operation or its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;

use crate::storage::{Continuation, Entity, Etag, Op, Page, Query, Queues, ReceivedMessage, StoreError, Tables};

/// Lets whoever drives the future decide whether it goes on.
pub async fn moment() {
    let mut paused = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut paused, true) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// What becomes of an operation that fails.
pub const LOST: u8 = 1;
/// It was done, but its answer is lost.
pub const ANSWER_LOST: u8 = 2;

/// Which operation fails, counted down, and how.
#[derive(Debug, Default)]
pub struct Trouble {
    /// Operations until then; 0: none fails.
    pub after: AtomicUsize,
    /// [`LOST`] or [`ANSWER_LOST`].
    pub how: AtomicU8,
}

impl Trouble {
    /// What happens to the operation that begins now.
    fn now(&self) -> u8 {
        let left = self.after.load(Relaxed);
        self.after.store(left.saturating_sub(1), Relaxed);
        if left == 1 { self.how.load(Relaxed) } else { 0 }
    }
}

/// A decorator of tables and queues alike.
#[derive(Debug)]
pub struct Stepped<T: ?Sized> {
    /// What it decorates.
    pub inner: Arc<T>,
    /// What goes wrong.
    pub trouble: Arc<Trouble>,
}

impl<T: ?Sized> Stepped<T> {
    async fn write<R>(&self, work: impl Future<Output = Result<R, StoreError>>) -> Result<R, StoreError> {
        moment().await;
        let unavailable = |maybe_landed| {
            let (what, why) = ("a write".to_owned(), "reset".to_owned());
            Err(StoreError::Unavailable { what, why, maybe_landed })
        };
        match self.trouble.now() {
            LOST => unavailable(false),
            ANSWER_LOST => {
                let _ = work.await;
                unavailable(true)
            }
            _ => work.await,
        }
    }

    async fn read<R>(&self, work: impl Future<Output = Result<R, StoreError>>) -> Result<R, StoreError> {
        moment().await;
        match self.trouble.now() {
            0 => work.await,
            _ => {
                Err(StoreError::Unavailable { what: "a read".to_owned(), why: "reset".to_owned(), maybe_landed: false })
            }
        }
    }
}

#[async_trait]
impl Tables for Stepped<dyn Tables> {
    async fn create_table_if_missing(&self, table: &str) -> Result<(), StoreError> {
        self.inner.create_table_if_missing(table).await
    }

    async fn get(&self, table: &str, partition: &str, row: &str) -> Result<Option<Entity>, StoreError> {
        self.read(self.inner.get(table, partition, row)).await
    }

    async fn insert(&self, table: &str, entity: &Entity) -> Result<Etag, StoreError> {
        self.write(self.inner.insert(table, entity)).await
    }

    async fn replace(&self, table: &str, entity: &Entity, etag: &Etag) -> Result<Etag, StoreError> {
        self.write(self.inner.replace(table, entity, etag)).await
    }

    async fn upsert(&self, table: &str, entity: &Entity) -> Result<Etag, StoreError> {
        self.write(self.inner.upsert(table, entity)).await
    }

    async fn delete(&self, table: &str, partition: &str, row: &str, etag: Option<&Etag>) -> Result<(), StoreError> {
        self.write(self.inner.delete(table, partition, row, etag)).await
    }

    async fn transact(&self, table: &str, ops: Vec<Op>) -> Result<Vec<Option<Etag>>, StoreError> {
        self.write(self.inner.transact(table, ops)).await
    }

    async fn page(&self, table: &str, query: &Query, from: Option<&Continuation>) -> Result<Page, StoreError> {
        self.read(self.inner.page(table, query, from)).await
    }
}

#[async_trait]
impl Queues for Stepped<dyn Queues> {
    async fn create_queue_if_missing(&self, queue: &str) -> Result<(), StoreError> {
        self.inner.create_queue_if_missing(queue).await
    }

    async fn send_raw(&self, queue: &str, raw: &str, delay: Duration) -> Result<(), StoreError> {
        self.write(self.inner.send_raw(queue, raw, delay)).await
    }

    async fn receive(&self, queue: &str, most: u8, visibility: Duration) -> Result<Vec<ReceivedMessage>, StoreError> {
        self.read(self.inner.receive(queue, most, visibility)).await
    }

    async fn delete(&self, queue: &str, message: &ReceivedMessage) -> Result<(), StoreError> {
        self.write(self.inner.delete(queue, message)).await
    }

    async fn peek(&self, queue: &str, most: u8) -> Result<Vec<ReceivedMessage>, StoreError> {
        self.read(self.inner.peek(queue, most)).await
    }

    async fn length(&self, queue: &str) -> Result<u64, StoreError> {
        self.read(self.inner.length(queue)).await
    }
}
