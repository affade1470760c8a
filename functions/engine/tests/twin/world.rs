//! One installation in memory: storage, clock, cloud and engine, made anew for each run.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::task::noop_waker_ref;
use jiff::Timestamp;

use super::effects::{Cloud, Shared};
use super::stepped::{Stepped, Trouble};
use crate::clock::Clock;
use crate::engine::tests::{ManualClock, both, record};
use crate::engine::{Engine, Runbook, Runbooks, StepMessage, queue_of, to_text};
use crate::peering::{JournalEntry, Party, Record};
use crate::state::{Lookup, Records};
use crate::storage::memory::{MemoryQueues, MemoryTables};
use crate::storage::{Queues, Storage, Tables};

/// What is at rest completes at once.
pub fn now<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().unwrap()
}

/// Goes on through every moment, to the end.
pub fn drive<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    for _ in 0..1_000 {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(noop_waker_ref())) {
            return done;
        }
    }
    panic!("it does not end")
}

/// The journal entry of a request.
pub fn journal(clock: &ManualClock) -> JournalEntry {
    JournalEntry { party: Some(Party::Operator), ..JournalEntry::new(clock.now(), "accept_request", "requested", "") }
}

/// All that a run needs.
pub struct World {
    /// Time.
    pub clock: ManualClock,
    /// The objects.
    pub cloud: Shared,
    /// The engine, over storage that is stepped through.
    pub engine: Engine,
    /// The same storage, at once.
    pub plain: Storage,
    /// The same queues.
    pub queues: Arc<MemoryQueues>,
    /// What goes wrong with storage.
    pub trouble: Arc<Trouble>,
}

impl World {
    /// An empty one; the runbook is made over its cloud.
    pub fn new(runbook: impl FnOnce(&Shared) -> Runbook) -> Self {
        Self::there_and_back(|cloud| both(runbook(cloud)))
    }

    /// An empty one with a way back.
    pub fn there_and_back(runbooks: impl FnOnce(&Shared) -> Runbooks) -> Self {
        let clock = ManualClock::new();
        let tables: Arc<dyn Tables> = Arc::new(MemoryTables::new(Arc::new(clock.clone())));
        let queues = Arc::new(MemoryQueues::new(Arc::new(clock.clone())));
        let (cloud, trouble) = (Arc::new(Mutex::new(Cloud::default())), Arc::new(Trouble::default()));
        let runbooks = runbooks(&cloud);
        for table in ["peerings", "vpcs", "shared", "rejected"] {
            now(tables.create_table_if_missing(table)).unwrap();
        }
        for name in runbooks.entries().map(|entry| entry.name).chain(["poll_vpc"]) {
            now(queues.create_queue_if_missing(&queue_of(name))).unwrap();
        }
        let stepped_tables: Arc<dyn Tables> = Arc::new(Stepped { inner: tables.clone(), trouble: trouble.clone() });
        let inner: Arc<dyn Queues> = queues.clone();
        let stepped_queues: Arc<dyn Queues> = Arc::new(Stepped { inner, trouble: trouble.clone() });
        let engine = Engine::new(Storage::new(stepped_tables, stepped_queues), Arc::new(clock.clone()), runbooks);
        Self { clock, cloud, engine, plain: Storage::new(tables, queues.clone()), queues, trouble }
    }

    /// Opens the record of a peering, and sends its first message.
    pub fn open(&self, vnet: &str) -> Record {
        let record = record(vnet, self.engine.runbooks.create.first(), self.clock.now());
        let entry = journal(&self.clock);
        now(Records::new(self.plain.clone()).open(&record, &entry)).unwrap();
        self.send(&record);
        record
    }

    /// Writes a record over the one that is there.
    pub fn replace(&self, record: &Record) {
        let records = Records::new(self.plain.clone());
        let Lookup::Found(mut stored) = now(records.load(&record.key)).unwrap() else { panic!("{record:?}") };
        stored.value = record.clone();
        now(records.claim(&mut stored)).unwrap();
    }

    /// Sends the message of a record as it stands.
    pub fn send(&self, record: &Record) {
        let text = to_text(&StepMessage::of(record)).unwrap();
        now(self.plain.queues.send(&queue_of(&record.step), &text, Duration::ZERO)).unwrap();
    }

    /// A record as it stands.
    pub fn load(&self, record: &Record) -> Record {
        match now(Records::new(self.plain.clone()).load(&record.key)).unwrap() {
            Lookup::Found(stored) => stored.value,
            other => panic!("{other:?}"),
        }
    }

    /// The messages that were sent by the engine so far.
    pub fn sent(&self) -> u64 {
        self.engine.storage.counts().sends
    }

    /// When the next message can be received.
    pub fn next_message(&self) -> Option<Timestamp> {
        self.queues.next_visible().map(|(_, at)| at)
    }
}
