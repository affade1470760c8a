//! The queue listener: polls with back-off, fetches in batches, keeps within the concurrency limits.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::clock::jitter;
use super::events::Event;
use super::function::Trigger;
use super::lifecycle::Core;
use super::message::{LEASE, handle};

/// The shortest pause between two polls.
const FIRST: Duration = Duration::from_millis(100);

/// Listens for one function until the host stops; then waits for the messages in flight.
pub(super) async fn listen(core: Arc<Core>, function: usize) {
    let Trigger::Queue { queue, .. } = core.app.functions[function].trigger.clone() else {
        return;
    };
    let queues = &core.app.queues;
    let threshold = queues.new_batch_threshold as usize;
    let mut running = JoinSet::new();
    let mut empty = 0;
    while !core.is_stopping() {
        while running.try_join_next().is_some() {}
        if running.len() > threshold {
            tokio::select! {
                _ = running.join_next() => {}
                () = core.stopped() => {}
            }
            continue;
        }
        match core.account.get_messages(&queue, queues.batch_size, core.scale.real(LEASE)).await {
            Ok(messages) if !messages.is_empty() => {
                empty = 0;
                for message in messages {
                    running.spawn(handle(Arc::clone(&core), function, message));
                }
                continue;
            }
            // A missing queue is not made, only looked for again.
            Ok(_) => {}
            Err(error) if error.status() == Some(404) => {}
            Err(error) => core.events().tell(Event::Trouble(error.to_string())),
        }
        core.sleep(pause(empty, queues.max_polling_interval)).await;
        empty += 1;
    }
    while running.join_next().await.is_some() {}
}

/// The pause after `empty` polls in a row before this one that found nothing.
fn pause(empty: u32, longest: Duration) -> Duration {
    let Some(doublings) = empty.checked_sub(1) else {
        return FIRST.min(longest);
    };
    let more = FIRST.as_secs_f64() * jitter() * 2f64.powi(doublings.min(20).cast_signed());
    (FIRST + Duration::from_secs_f64(more)).min(longest)
}
