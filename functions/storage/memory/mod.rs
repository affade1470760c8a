//! A twin of Table and Queue Storage in memory: same answers, time from a [`Clock`], for tests and simulations.

mod admits;
mod queues;
mod tables;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Storage;
use crate::clock::Clock;

pub use queues::MemoryQueues;
pub use tables::MemoryTables;

/// An empty storage account. Time, for timestamps and for when messages show up, is the clock's.
pub fn storage(clock: Arc<dyn Clock>) -> Storage {
    Storage::new(Arc::new(MemoryTables::new(clock.clone())), Arc::new(MemoryQueues::new(clock)))
}

/// The lock, also after a panic of another test thread: every change below is made whole or not at all.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
