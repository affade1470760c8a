//! Counts what is asked of storage, for benchmarks: one decorator around either trait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;

use super::{Continuation, Entity, Etag, Op, Page, Query, Queues, ReceivedMessage, StoreError, Tables};

/// Running totals.
#[derive(Debug, Default)]
pub struct Counters {
    reads: AtomicU64,
    writes: AtomicU64,
    sends: AtomicU64,
    receives: AtomicU64,
    deletes: AtomicU64,
}

/// Totals at one moment. An operation counts once, however often it was tried; each page of a query is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Table rows or pages read.
    pub reads: u64,
    /// Table writes and deletes; a transaction is one.
    pub writes: u64,
    /// Messages sent.
    pub sends: u64,
    /// Receives, peeks and length queries.
    pub receives: u64,
    /// Messages deleted.
    pub deletes: u64,
}

impl Counts {
    /// All of them.
    pub fn total(self) -> u64 {
        self.reads + self.writes + self.sends + self.receives + self.deletes
    }
}

impl Counters {
    /// Totals now.
    pub fn counts(&self) -> Counts {
        Counts {
            reads: self.reads.load(Relaxed),
            writes: self.writes.load(Relaxed),
            sends: self.sends.load(Relaxed),
            receives: self.receives.load(Relaxed),
            deletes: self.deletes.load(Relaxed),
        }
    }
}

fn one(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// Counts, then does. Making tables and queues is not counted: it happens once, at start.
#[derive(Debug)]
pub(super) struct Counted<T: ?Sized> {
    counters: Arc<Counters>,
    inner: Arc<T>,
}

impl<T: ?Sized> Counted<T> {
    pub(super) fn new(inner: Arc<T>, counters: Arc<Counters>) -> Self {
        Self { counters, inner }
    }
}

#[async_trait]
impl Tables for Counted<dyn Tables> {
    async fn create_table_if_missing(&self, table: &str) -> Result<(), StoreError> {
        self.inner.create_table_if_missing(table).await
    }

    async fn get(&self, table: &str, partition: &str, row: &str) -> Result<Option<Entity>, StoreError> {
        one(&self.counters.reads);
        self.inner.get(table, partition, row).await
    }

    async fn insert(&self, table: &str, entity: &Entity) -> Result<Etag, StoreError> {
        one(&self.counters.writes);
        self.inner.insert(table, entity).await
    }

    async fn replace(&self, table: &str, entity: &Entity, etag: &Etag) -> Result<Etag, StoreError> {
        one(&self.counters.writes);
        self.inner.replace(table, entity, etag).await
    }

    async fn upsert(&self, table: &str, entity: &Entity) -> Result<Etag, StoreError> {
        one(&self.counters.writes);
        self.inner.upsert(table, entity).await
    }

    async fn delete(&self, table: &str, partition: &str, row: &str, etag: Option<&Etag>) -> Result<(), StoreError> {
        one(&self.counters.writes);
        self.inner.delete(table, partition, row, etag).await
    }

    async fn transact(&self, table: &str, ops: Vec<Op>) -> Result<Vec<Option<Etag>>, StoreError> {
        one(&self.counters.writes);
        self.inner.transact(table, ops).await
    }

    async fn page(&self, table: &str, query: &Query, from: Option<&Continuation>) -> Result<Page, StoreError> {
        one(&self.counters.reads);
        self.inner.page(table, query, from).await
    }
}

#[async_trait]
impl Queues for Counted<dyn Queues> {
    async fn create_queue_if_missing(&self, queue: &str) -> Result<(), StoreError> {
        self.inner.create_queue_if_missing(queue).await
    }

    async fn send_raw(&self, queue: &str, raw: &str, delay: Duration) -> Result<(), StoreError> {
        one(&self.counters.sends);
        self.inner.send_raw(queue, raw, delay).await
    }

    async fn receive(&self, queue: &str, most: u8, visibility: Duration) -> Result<Vec<ReceivedMessage>, StoreError> {
        one(&self.counters.receives);
        self.inner.receive(queue, most, visibility).await
    }

    async fn delete(&self, queue: &str, message: &ReceivedMessage) -> Result<(), StoreError> {
        one(&self.counters.deletes);
        self.inner.delete(queue, message).await
    }

    async fn peek(&self, queue: &str, most: u8) -> Result<Vec<ReceivedMessage>, StoreError> {
        one(&self.counters.receives);
        self.inner.peek(queue, most).await
    }

    async fn length(&self, queue: &str) -> Result<u64, StoreError> {
        one(&self.counters.receives);
        self.inner.length(queue).await
    }
}
