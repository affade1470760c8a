//! Virtual time: tokio's, paused. It jumps to the next timer whenever nobody has anything to do at this instant.

use std::time::Duration;

use async_trait::async_trait;
use functions::clock::{Clock, TimeScale};
use jiff::{SignedDuration, Timestamp};

/// A clock that begins at an instant; nominal time is its time.
#[derive(Debug, Clone, Copy)]
pub struct VirtualClock {
    start: Timestamp,
    since: tokio::time::Instant,
}

impl VirtualClock {
    /// It is `start` now.
    pub fn beginning(start: Timestamp) -> Self {
        Self { start, since: tokio::time::Instant::now() }
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.start + SignedDuration::try_from(self.since.elapsed()).unwrap()
    }

    fn scale(&self) -> TimeScale {
        TimeScale::REAL
    }

    async fn sleep(&self, nominal: Duration) {
        tokio::time::sleep(nominal).await;
    }
}
