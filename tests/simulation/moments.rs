//! Every call of a cloud or of storage is a moment: before it another invocation may go on, and the process may die.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use functions::storage::{Continuation, Entity, Etag, Op, Page, Query, Queues, ReceivedMessage, StoreError, Tables};
use tokio::sync::Notify;

/// What is to happen before a moment.
type Plan = (usize, Box<dyn FnOnce() + Send>);

/// Counts moments; kills the process, or lets something else happen, before one of them.
#[derive(Default)]
pub struct Moments {
    count: AtomicUsize,
    plan: Mutex<Option<Plan>>,
    dead: AtomicBool,
    /// Something happened that the host has to look at.
    alarm: Notify,
}

impl std::fmt::Debug for Moments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "moment {}", self.count())
    }
}

impl Moments {
    /// One moment: lets others go on. The process may be dead then, and never come back.
    pub async fn moment(&self) {
        let now = self.count.fetch_add(1, SeqCst) + 1;
        let due = self.plan.lock().unwrap().take_if(|(at, _)| *at <= now);
        if let Some((_, happens)) = due {
            happens();
            self.alarm.notify_one();
        }
        tokio::task::yield_now().await;
        if self.dead.load(SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    /// Moments so far.
    pub fn count(&self) -> usize {
        self.count.load(SeqCst)
    }

    /// Something happens before the n-th call from now on (1: the next). Takes the place of what was planned before.
    pub fn before(&self, n: usize, happens: impl FnOnce() + Send + 'static) {
        *self.plan.lock().unwrap() = Some((self.count() + n, Box::new(happens)));
    }

    /// The process will die before the n-th call from now on (1: the next); what calls before it did stays done.
    pub fn die_before(self: &Arc<Self>, n: usize) {
        let this = self.clone();
        self.before(n, move || this.kill());
    }

    /// Whether what was planned is still to come.
    pub fn is_planned(&self) -> bool {
        self.plan.lock().unwrap().is_some()
    }

    /// Nothing is planned any more.
    pub fn spare(&self) {
        self.plan.lock().unwrap().take();
    }

    /// The process is dead from now on: none of its calls begins any more.
    pub fn kill(&self) {
        self.dead.store(true, SeqCst);
        self.alarm.notify_one();
    }

    /// Returns when the host has something to look at.
    pub async fn alarm(&self) {
        self.alarm.notified().await;
    }

    /// Whether the process is dead; then another begins.
    pub fn take_dead(&self) -> bool {
        self.dead.swap(false, SeqCst)
    }
}

/// Storage whose every operation is a moment.
#[derive(Debug)]
pub struct Momentary<T: ?Sized>(pub Arc<T>, pub Arc<Moments>);

#[async_trait]
impl Tables for Momentary<dyn Tables> {
    async fn create_table_if_missing(&self, table: &str) -> Result<(), StoreError> {
        self.0.create_table_if_missing(table).await
    }

    async fn get(&self, table: &str, partition: &str, row: &str) -> Result<Option<Entity>, StoreError> {
        self.1.moment().await;
        self.0.get(table, partition, row).await
    }

    async fn insert(&self, table: &str, entity: &Entity) -> Result<Etag, StoreError> {
        self.1.moment().await;
        self.0.insert(table, entity).await
    }

    async fn replace(&self, table: &str, entity: &Entity, etag: &Etag) -> Result<Etag, StoreError> {
        self.1.moment().await;
        self.0.replace(table, entity, etag).await
    }

    async fn upsert(&self, table: &str, entity: &Entity) -> Result<Etag, StoreError> {
        self.1.moment().await;
        self.0.upsert(table, entity).await
    }

    async fn delete(&self, table: &str, partition: &str, row: &str, etag: Option<&Etag>) -> Result<(), StoreError> {
        self.1.moment().await;
        self.0.delete(table, partition, row, etag).await
    }

    async fn transact(&self, table: &str, ops: Vec<Op>) -> Result<Vec<Option<Etag>>, StoreError> {
        self.1.moment().await;
        self.0.transact(table, ops).await
    }

    async fn page(&self, table: &str, query: &Query, from: Option<&Continuation>) -> Result<Page, StoreError> {
        self.1.moment().await;
        self.0.page(table, query, from).await
    }
}

#[async_trait]
impl Queues for Momentary<dyn Queues> {
    async fn create_queue_if_missing(&self, queue: &str) -> Result<(), StoreError> {
        self.0.create_queue_if_missing(queue).await
    }

    async fn send_raw(&self, queue: &str, raw: &str, delay: Duration) -> Result<(), StoreError> {
        self.1.moment().await;
        self.0.send_raw(queue, raw, delay).await
    }

    async fn receive(&self, queue: &str, most: u8, visibility: Duration) -> Result<Vec<ReceivedMessage>, StoreError> {
        self.1.moment().await;
        self.0.receive(queue, most, visibility).await
    }

    async fn delete(&self, queue: &str, message: &ReceivedMessage) -> Result<(), StoreError> {
        self.1.moment().await;
        self.0.delete(queue, message).await
    }

    async fn peek(&self, queue: &str, most: u8) -> Result<Vec<ReceivedMessage>, StoreError> {
        self.1.moment().await;
        self.0.peek(queue, most).await
    }

    async fn length(&self, queue: &str) -> Result<u64, StoreError> {
        self.1.moment().await;
        self.0.length(queue).await
    }
}
