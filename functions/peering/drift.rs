//! What is no longer as it should be with a peering, or with what several share.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// For machines: `connection_gone`, `half_disconnected`, …
    pub kind: String,
    /// Whose doing it most likely is.
    pub hand: Hand,
    /// What is seen, in a sentence.
    pub what: String,
    /// What to do, should it not be repaired by itself: `retry`, or a command.
    pub command: String,
    /// The step of the runbook that puts it right.
    pub step: String,
    /// Since when it has been seen.
    pub since: Timestamp,
}

/// Whose doing a drift most likely is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hand {
    /// A vendor's: it is repaired, if that is allowed, on what we created.
    Vendor,
    /// A person's: it is reported, and undone only by `retry`.
    Person,
}
