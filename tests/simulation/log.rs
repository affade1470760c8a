//! What the handler would have written to its log.

use std::cell::RefCell;
use std::io::{Result, Write};
use std::sync::Once;

use serde_json::Value as Json;
use tracing::Level;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::prelude::*;

thread_local! {
    /// The lines of this thread's app, as long as they are kept.
    static KEPT: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Keeps the log lines of this thread's app, as the handler formats them.
pub struct Log(());

impl Log {
    /// Keeps what is logged from now on, until it is dropped.
    pub fn keep() -> Self {
        static WRITES: Once = Once::new();
        // One subscriber for all threads: whether a line is wanted is cached for all of them at once.
        WRITES.call_once(|| {
            let kept = dynamic_filter_fn(|line, _| *line.level() <= Level::INFO && KEPT.with_borrow(Option::is_some));
            let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(|| Kept);
            tracing_subscriber::registry().with(lines.with_filter(kept)).init();
        });
        KEPT.set(Some(Vec::new()));
        Self(())
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<Json> {
        let text = KEPT.with_borrow(|kept| String::from_utf8(kept.clone().unwrap()).unwrap());
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The lines of an event so far.
    pub fn events(&self, event: &str) -> Vec<Json> {
        self.lines().into_iter().filter(|line| line["event"] == event).collect()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        KEPT.set(None);
    }
}

struct Kept;

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        KEPT.with_borrow_mut(|kept| kept.iter_mut().for_each(|kept| kept.extend(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
