//! The emulated clouds' one place for time and randomness.
#![allow(clippy::disallowed_methods, reason = "this is the emulator's clock; it shares nothing with the product's")]

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Tells the time and turns nominal delays into real ones.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    scale: f64,
    /// Set when a simulator owns the time.
    held: Option<Timestamp>,
}

impl Clock {
    pub(crate) fn new(scale: f64) -> Self {
        Self { scale: if scale.is_finite() && scale >= 1.0 { scale } else { 1.0 }, held: None }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.held.unwrap_or_else(Timestamp::now)
    }

    pub(crate) fn hold(&mut self, at: Timestamp) {
        self.held = Some(at);
    }

    pub(crate) fn real(&self, nominal: Duration) -> Duration {
        nominal.div_f64(self.scale)
    }

    pub(crate) fn nominal(&self, real: Duration) -> Duration {
        real.mul_f64(self.scale)
    }

    /// The moment a nominal delay after `since` is over.
    pub(crate) fn due(&self, since: Timestamp, nominal: Duration) -> Timestamp {
        add(since, self.real(nominal))
    }

    /// Whether a nominal delay counted from `since` is over.
    pub(crate) fn over(&self, since: Timestamp, nominal: Duration) -> bool {
        self.now() >= self.due(since, nominal)
    }
}

pub(crate) fn add(at: Timestamp, real: Duration) -> Timestamp {
    let real = SignedDuration::try_from(real).unwrap_or(SignedDuration::MAX);
    at.checked_add(real).unwrap_or(Timestamp::MAX)
}

pub(crate) fn days_before(at: Timestamp, days: i64) -> Timestamp {
    at.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN)
}

pub(crate) async fn sleep(real: Duration) {
    tokio::time::sleep(real).await;
}

/// Blocks the thread: for a test that waits for a lock.
pub(crate) fn pause(real: Duration) {
    std::thread::sleep(real);
}

pub(crate) fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// 32 random bytes, as text that fits a token, a secret or a header. It begins with a letter: a command line takes a password that
/// begins with a hyphen for an option.
pub(crate) fn random_text() -> String {
    use base64::Engine as _;
    let mut bytes = [0u8; 32];
    bytes[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    bytes[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    format!("k{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
