//! Table Storage and queues: the raw layer, which knows rows and messages but nothing of peerings.
//!
//! - [`Tables`] and [`Queues`]: what the engine uses; [`Storage`] is the pair.
//! - [`Connection`]: where storage is; [`Storage::open`] opens it.
//! - `memory`, `count`: both in memory, and a count of what is asked of them, for tests and simulations: only with feature `emulation`.
//!
//! Official crates cover queues only (`azure_storage_queue`), so tables have a thin client of ours on `azure_core`'s
//! pipeline, behind [`Tables`], to be replaced the day an official crate appears.

mod attempt;
#[cfg(test)]
mod conformance;
mod connection;
#[cfg(any(test, feature = "emulation"))]
mod count;
mod error;
#[cfg(test)]
mod faults;
mod limits;
#[cfg(any(test, feature = "emulation"))]
pub mod memory;
mod open;
mod queues;
mod shared_key;
mod tables;

use std::sync::Arc;

pub use connection::{Connection, ConnectionError};
#[cfg(any(test, feature = "emulation"))]
pub use count::{Counters, Counts};
pub use error::StoreError;
pub use queues::{Content, Queues, ReceivedMessage};
pub use tables::{Continuation, Entity, Etag, Filter, Op, Page, Query, Rows, Tables, Value};

/// The tables and queues of one storage account.
#[derive(Debug, Clone)]
pub struct Storage {
    /// Table Storage.
    pub tables: Arc<dyn Tables>,
    /// Queue Storage.
    pub queues: Arc<dyn Queues>,
    #[cfg(any(test, feature = "emulation"))]
    counters: Arc<Counters>,
}

impl Storage {
    /// A pair of any make.
    #[cfg(not(any(test, feature = "emulation")))]
    pub fn new(tables: Arc<dyn Tables>, queues: Arc<dyn Queues>) -> Self {
        Self { tables, queues }
    }

    /// A pair of any make; what is asked of it is counted from here on.
    #[cfg(any(test, feature = "emulation"))]
    pub fn new(tables: Arc<dyn Tables>, queues: Arc<dyn Queues>) -> Self {
        let counters = Arc::new(Counters::default());
        Self {
            tables: Arc::new(count::Counted::new(tables, counters.clone())),
            queues: Arc::new(count::Counted::new(queues, counters.clone())),
            counters,
        }
    }

    /// The operations so far.
    #[cfg(any(test, feature = "emulation"))]
    pub fn counts(&self) -> Counts {
        self.counters.counts()
    }
}
