//! The one place for time: now, waiting, and the scale that divides every delay on a developer's machine.
//!
//! Everything that decides works in *nominal* time, as the documentation of the clouds gives it ("15 minutes").
//! Only this file knows that a nominal minute may last a second.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

/// How many times faster than the wall clock nominal time runs; 1 in production.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeScale(f64);

impl TimeScale {
    /// Real time.
    pub const REAL: Self = Self(1.0);

    /// A scale of at least 1.
    ///
    /// # Errors
    /// Anything below 1, infinite, or not a number: one sentence.
    pub fn new(scale: f64) -> Result<Self, String> {
        if scale.is_finite() && (1.0..=100_000.0).contains(&scale) {
            Ok(Self(scale))
        } else {
            Err(format!("TIME_SCALE {scale} is not a number from 1 to 100000"))
        }
    }

    /// How long a nominal duration lasts on the wall clock.
    pub fn real(self, nominal: Duration) -> Duration {
        Duration::try_from_secs_f64(nominal.as_secs_f64() / self.0).unwrap_or(Duration::MAX)
    }

    /// The nominal length of a stretch of wall-clock time.
    pub fn nominal(self, real: Duration) -> Duration {
        Duration::try_from_secs_f64(real.as_secs_f64() * self.0).unwrap_or(Duration::MAX)
    }
}

/// The source of time. Tests own it; production uses [`SystemClock`].
#[async_trait]
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The instant, as the wall clock has it: what is stored and shown.
    fn now(&self) -> Timestamp;

    /// The scale of nominal time.
    fn scale(&self) -> TimeScale;

    /// Sleeps for a nominal duration. Only for a client's short read retries and budgets: a step that waits sends a message.
    async fn sleep(&self, nominal: Duration);

    /// This instant, for decisions: all that one of them writes has the same time.
    fn moment(&self) -> Moment {
        Moment { now: self.now(), scale: self.scale() }
    }

    /// See [`Moment::after`].
    fn after(&self, nominal: Duration) -> Timestamp {
        self.moment().after(nominal)
    }

    /// See [`Moment::since`].
    fn since(&self, then: Timestamp) -> Duration {
        self.moment().since(then)
    }

    /// Nominal time until an instant; zero if it has passed.
    fn until(&self, then: Timestamp) -> Duration {
        self.scale().nominal(Duration::try_from(then.duration_since(self.now())).unwrap_or_default())
    }
}

/// An instant, and how fast nominal time runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The instant.
    pub now: Timestamp,
    scale: TimeScale,
}

impl Moment {
    /// The instant a nominal duration later; the last there is, if that is beyond the calendar.
    pub fn after(self, nominal: Duration) -> Timestamp {
        self.now.checked_add(signed(self.scale.real(nominal))).unwrap_or(Timestamp::MAX)
    }

    /// Nominal time gone by since an instant; zero if it is still to come.
    pub fn since(self, then: Timestamp) -> Duration {
        self.scale.nominal(Duration::try_from(self.now.duration_since(then)).unwrap_or_default())
    }
}

/// What a step has at least on the wall clock, whatever the scale: a busy laptop is slower than a fast clock asks for.
const LEAST_BUDGET: Duration = Duration::from_secs(3);
/// How long a step may take, from its message to its commit. Nominal. The host kills the whole process at five minutes.
const STEP_BUDGET: Duration = Duration::from_secs(60);
/// How far two machines' clocks may be apart; nominal, and at least a second on the wall clock.
const CLOCK_SKEW: Duration = Duration::from_secs(10);
/// See [`CLOCK_SKEW`].
const LEAST_SKEW: Duration = Duration::from_secs(1);

impl TimeScale {
    /// How long a step may take, from its message to its commit; nominal.
    pub fn step_budget(self) -> Duration {
        STEP_BUDGET.max(self.nominal(LEAST_BUDGET))
    }

    /// How long a claim is good for: it outlives its holder, even by another machine's clock. Nominal.
    pub fn claim_length(self) -> Duration {
        self.step_budget() + CLOCK_SKEW.max(self.nominal(LEAST_SKEW))
    }
}

/// `Duration` as jiff takes it; a duration of more than 292 billion years is cut.
fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock(pub TimeScale);

#[async_trait]
#[allow(clippy::disallowed_methods, reason = "this is the one place that may read the machine's clock and sleep")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn scale(&self) -> TimeScale {
        self.0
    }

    async fn sleep(&self, nominal: Duration) {
        tokio::time::sleep(self.0.real(nominal)).await;
    }
}
