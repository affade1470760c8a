//! What the end-to-end tests have in common: the environment, and words for what they wait for.

use std::path::Path;
use std::time::Duration;

use emulator::azurite::Entity;
use emulator::clouds::Pair;
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

/// Waits until `count` peerings are there and all have this status; those that are `Active`, until they have been verified, too.
pub async fn all_are(environment: &Environment, count: usize, status: &str, limit: Duration) -> Vec<Entity> {
    let verified = |row: &Entity| status != "Active" || row.get("resting") == Some(&Value::Bool(true));
    let is = |row: &Entity| text(row, "status") == status && verified(row);
    let wish = |records: &[Entity]| records.len() == count && records.iter().all(is);
    match environment.wait_until(limit, wish).await {
        Ok(records) => records,
        Err(error) => panic!("waiting for {count} × {status}: {error}"),
    }
}

/// Both clouds hold exactly what the pairs need, once, however often anything was tried.
pub fn assert_exactly(environment: &Environment, pairs: &[Pair]) {
    simulation::assert_exactly(&environment.clouds.world(), pairs);
}

/// No message is left anywhere, poison queues included.
pub async fn queues_are_empty(environment: &Environment, limit: Duration) {
    let began = std::time::Instant::now();
    loop {
        let mut left = Vec::new();
        for queue in environment.account.list_queues("").await.unwrap() {
            let count = environment.account.count_messages(&queue).await.unwrap().unwrap_or_default();
            if count > 0 {
                left.push((queue, count));
            }
        }
        if left.is_empty() {
            return;
        }
        assert!(began.elapsed() < limit, "messages are left: {left:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until `count` messages have been rejected.
pub async fn rejected(environment: &Environment, count: usize, limit: Duration) -> Vec<Entity> {
    let began = std::time::Instant::now();
    loop {
        let rows = environment.rows("rejected").await.unwrap();
        if rows.len() == count {
            return rows;
        }
        assert!(began.elapsed() < limit && rows.len() < count, "{} of {count} were rejected: {rows:#?}", rows.len());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
