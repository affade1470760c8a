//! Table Storage and queues: the raw layer, which knows rows and messages but nothing of peerings.
//!
//! - [`Tables`] and [`Queues`]: what the engine uses; [`Storage`] is the pair.
//! - [`Connection`]: where storage is; [`Storage::open`] opens it.
//! - [`memory`]: a twin of both in memory, for tests and simulations.
//!
//! Official crates cover queues only (`azure_storage_queue`), so tables have a thin client of ours on `azure_core`'s
//! pipeline, behind [`Tables`], to be replaced the day an official crate appears.

mod attempt;
#[cfg(test)]
mod conformance;
mod connection;
mod count;
mod error;
#[cfg(test)]
mod faults;
mod limits;
pub mod memory;
mod open;
mod queues;
mod shared_key;
mod tables;

use std::sync::Arc;

pub use connection::{Connection, ConnectionError};
pub use count::{Counters, Counts};
pub use error::StoreError;
pub use queues::{Content, Queues, ReceivedMessage};
pub use tables::{Continuation, Entity, Etag, Filter, Op, Page, Query, Rows, Tables, Value};

use count::Counted;

/// The tables and queues of one storage account, and the count of what was asked of them.
#[derive(Debug, Clone)]
pub struct Storage {
    /// Table Storage.
    pub tables: Arc<dyn Tables>,
    /// Queue Storage.
    pub queues: Arc<dyn Queues>,
    counters: Arc<Counters>,
}

impl Storage {
    /// A pair of any make; what is asked of it is counted from here on.
    pub fn new(tables: Arc<dyn Tables>, queues: Arc<dyn Queues>) -> Self {
        let counters = Arc::new(Counters::default());
        Self {
            tables: Arc::new(Counted::new(tables, counters.clone())),
            queues: Arc::new(Counted::new(queues, counters.clone())),
            counters,
        }
    }

    /// The operations so far.
    pub fn counts(&self) -> Counts {
        self.counters.counts()
    }
}
