//! What the end-to-end tests have in common: the environment, and words for what they wait for.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::Path;
use std::time::Duration;

use emulator::azurite::Entity;
use emulator::environment::{Environment, Setup};
use serde_json::Value;

/// An environment in which nominal time runs `scale` times faster than the wall clock.
pub fn setup(scale: f64) -> Setup {
    Setup::new(Path::new(env!("CARGO_MANIFEST_DIR")), env!("CARGO_BIN_EXE_handler"), scale)
}

/// A column of a row as text.
pub fn text<'a>(row: &'a Entity, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// A column of a row that holds JSON.
pub fn json(row: &Entity, column: &str) -> Value {
    serde_json::from_str(text(row, column)).unwrap_or_default()
}

/// Waits until `count` peerings are there and all have this status.
pub async fn all_are(environment: &Environment, count: usize, status: &str, limit: Duration) -> Vec<Entity> {
    let wish = |records: &[Entity]| records.len() == count && records.iter().all(|row| text(row, "status") == status);
    match environment.wait_until(limit, wish).await {
        Ok(records) => records,
        Err(error) => panic!("waiting for {count} × {status}: {error}"),
    }
}
