//! Scaled time: nominal durations made shorter, nominal schedules made faster.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Nominal and real time agree at this moment, the same for every host of the process, so that a
/// restarted host goes on in the same nominal time.
static ORIGIN: OnceLock<Timestamp> = OnceLock::new();

/// How much faster than nominal everything goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale(f64);

impl Scale {
    /// Anything below 1, or not a number, is 1.
    pub(super) fn new(scale: f64) -> Self {
        Self(if scale > 1.0 { scale } else { 1.0 })
    }

    /// The real duration of a nominal one.
    pub(super) fn real(self, nominal: Duration) -> Duration {
        nominal.div_f64(self.0)
    }

    /// The nominal time at a real one.
    pub(super) fn nominal_time(self, real: Timestamp) -> Timestamp {
        self.stretch(real, self.0)
    }

    /// The real time at a nominal one.
    pub(super) fn real_time(self, nominal: Timestamp) -> Timestamp {
        self.stretch(nominal, self.0.recip())
    }

    fn stretch(self, time: Timestamp, factor: f64) -> Timestamp {
        if self.0 <= 1.0 {
            return time;
        }
        let origin = *ORIGIN.get_or_init(Timestamp::now);
        let since = time.duration_since(origin).as_secs_f64() * factor;
        origin.checked_add(SignedDuration::from_secs_f64(since)).unwrap_or(Timestamp::MAX)
    }
}

/// What is left until a real time; zero if it has passed.
pub(super) fn until(time: Timestamp) -> Duration {
    time.duration_since(Timestamp::now()).try_into().unwrap_or(Duration::ZERO)
}

/// A number from 0.8 to 1.2: the host's jitter on polling (`RandomizedExponentialBackoffStrategy`).
pub(super) fn jitter() -> f64 {
    let random = u32::from_le_bytes([0, 1, 2, 3].map(|at| uuid::Uuid::new_v4().as_bytes()[at]));
    0.8 + 0.4 * f64::from(random) / f64::from(u32::MAX)
}
